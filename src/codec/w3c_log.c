/* W3C extended logs (IIS, and others that write #Fields): columns have the names that Sigma's rules
 * use already. The heading comes from the block, or from the file's head. Source: W3C WD-logfile.
 */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "codec/log_text.h"
#include "codec/log_time.h"

#define COLUMNS_MAX 128
#define FIELDS_SIGN "#Fields:"

struct columns {
    struct entry_field fields[COLUMNS_MAX]; /* without values */
    size_t count;
    size_t date; /* of the column, COLUMNS_MAX: none */
    size_t clock;
    size_t stem;
    size_t query;
    bool is_iis;
};

static const struct {
    struct str written;
    enum log_name name;
} renamed[] = {
    {{"cs(User-Agent)", 14}, LOG_NAME_CS_USER_AGENT},
    {{"cs(Referer)", 11}, LOG_NAME_CS_REFERER},
    {{"cs(Cookie)", 10}, LOG_NAME_CS_COOKIE},
    {{"cs(Host)", 8}, LOG_NAME_CS_HOST},
};

static struct str column_name(struct str written)
{
    for (size_t i = 0; i < sizeof(renamed) / sizeof(renamed[0]); i++) {
        if (str_is(renamed[i].written, written)) {
            return log_names[renamed[i].name];
        }
    }
    return written;
}

static void read_heading(const struct log_reading *reading, struct str line,
                         struct columns *columns)
{
    struct str rest = str_trim(str_slice(line, sizeof(FIELDS_SIGN) - 1, line.len));
    bool is_iis = columns->is_iis;
    struct str name;

    *columns = (struct columns){.date = COLUMNS_MAX,
                                .clock = COLUMNS_MAX,
                                .stem = COLUMNS_MAX,
                                .query = COLUMNS_MAX,
                                .is_iis = is_iis};
    while (columns->count < COLUMNS_MAX && str_cut(&rest, ' ', &name)) {
        size_t at = columns->count;

        if (name.len == 0 || name.len > ENTRY_NAME_MAX) {
            continue;
        }
        name = column_name(name);
        columns->fields[columns->count++] =
            (struct entry_field){.name = name, .id = entry_names_find(reading->names, name)};
        columns->date = str_is(name, STR("date")) ? at : columns->date;
        columns->clock = str_is(name, STR("time")) ? at : columns->clock;
        columns->stem = str_is(name, STR("cs-uri-stem")) ? at : columns->stem;
        columns->query = str_is(name, STR("cs-uri-query")) ? at : columns->query;
    }
}

/* A comment: of them #Fields and #Software mean something. */
static void read_comment(const struct log_reading *reading, struct str line,
                         struct columns *columns)
{
    if (str_has_prefix(line, STR(FIELDS_SIGN))) {
        read_heading(reading, line, columns);
    } else if (str_has_prefix(line, STR("#Software: Microsoft Internet Information"))) {
        columns->is_iis = true;
    }
}

static void read_comments(const struct log_reading *reading, struct str text,
                          struct columns *columns)
{
    struct str line;

    while (text.len > 0 && text.ptr[0] == '#' && log_take_line(&text, &line)) {
        read_comment(reading, line, columns);
    }
}

static bool is_nothing(struct str value)
{
    return value.len == 0 || (value.len == 1 && value.ptr[0] == '-');
}

/* The date and the clock are UTC by the W3C's word. */
static void take_time(struct log_reading *reading, struct str date, struct str clock)
{
    struct log_reading utc = {.zone = 0};
    char text[32];

    if (date.len != 10 || clock.len < 8 || clock.len > 16) {
        reading->entry.faults |= ENTRY_FAULT_TIME;
        return;
    }
    memcpy(text, date.ptr, 10);
    text[10] = ' ';
    memcpy(text + 11, clock.ptr, clock.len);
    if (log_time_take_iso(str_of(text, 11 + clock.len), &utc, &reading->entry.time) == 0) {
        reading->entry.faults |= ENTRY_FAULT_TIME;
    }
}

/* stem and query stand beside each other nearly always, but with a space between. */
static int add_target(struct log_reading *reading, struct str stem, struct str query)
{
    char *out;

    if (is_nothing(stem)) {
        return 0;
    }
    if (is_nothing(query)) {
        return log_add(reading, LOG_NAME_CS_URI, stem);
    }
    out = arena_alloc(reading->arena, stem.len + query.len + 1, 1);
    if (out == NULL) {
        return -ERR_NOMEM;
    }
    memcpy(out, stem.ptr, stem.len);
    out[stem.len] = '?';
    memcpy(out + stem.len + 1, query.ptr, query.len);
    return log_add(reading, LOG_NAME_CS_URI, str_of(out, stem.len + query.len + 1));
}

static int read_line(struct log_reading *reading, const struct columns *columns, struct str line)
{
    struct str values[COLUMNS_MAX + 1] = {{0}};
    char separator = memchr(line.ptr, '\t', line.len) != NULL ? '\t' : ' ';
    struct str rest = line;
    size_t count = 0;
    int r = 0;

    reading->entry.source =
        (struct logsource){columns->is_iis ? STR("windows") : STR(""), STR("webserver"),
                           columns->is_iis ? STR("iis") : STR("")};
    while (count < columns->count && str_cut(&rest, separator, &values[count])) {
        count++;
    }
    if (count != columns->count || rest.ptr != NULL || count == 0) {
        reading->entry.faults |= ENTRY_FAULT_SYNTAX;
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        if (!is_nothing(values[i])) {
            struct entry_field field = columns->fields[i];

            field.value = values[i];
            r = entry_add(&reading->entry, &field);
        }
    }
    take_time(reading, values[columns->date], values[columns->clock]);
    return r < 0 ? r : add_target(reading, values[columns->stem], values[columns->query]);
}

static int w3c_read(struct log_reading *reading, struct str block, entry_fn *fn, void *context)
{
    struct columns columns = {
        .date = COLUMNS_MAX, .clock = COLUMNS_MAX, .stem = COLUMNS_MAX, .query = COLUMNS_MAX};
    struct str rest = block;
    struct str line;
    int r = 0;

    log_resolve(reading);
    read_comments(reading, reading->head, &columns);
    reading->counts.bytes += block.len;
    for (; r == 0 && log_take_line(&rest, &line); reading->number++) {
        if (line.len == 0 || line.ptr[0] == '#') {
            read_comment(reading, line, &columns);
            reading->counts.passed++;
            continue;
        }
        log_begin(reading, &line);
        r = read_line(reading, &columns, line);
        r = r < 0 ? r : log_hand_on(reading, &reading->entry, fn, context);
    }
    return r;
}

static unsigned w3c_weigh(struct str head)
{
    struct str line;

    while (head.len > 0 && head.ptr[0] == '#' && log_take_line(&head, &line)) {
        if (str_has_prefix(line, STR(FIELDS_SIGN))) {
            return 98;
        }
    }
    return 0;
}

const struct log_format w3c_log_format = {
    .name = "w3c",
    .title = N_("W3C extended logs with #Fields (IIS)"),
    .weigh = w3c_weigh,
    .cut = log_cut_lines,
    .read = w3c_read,
    .has_head = true,
};
