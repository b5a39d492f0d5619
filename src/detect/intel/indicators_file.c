/* The form in which a list lies on disk: text, so that it can be looked at and compared, with a
 * last line that says how many entries there are. Read as if somebody else had written it.
 *
 *     canhgac-list 1
 *     name gambling
 *     label gambling
 *     source https://lists.example/gambling.txt
 *     imported 2026-11-25T00:00:00.000Z
 *     expires 2027-11-25T00:00:00.000Z
 *
 *     domain kubet.example
 *     domain other.example 2026-12-31T00:00:00.000Z
 *     phrase nha cai uy tin
 *     end 3
 */
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "detect/intel/indicators_part.h"

#include <string.h>

bool indicators_is_name(struct str name)
{
    if (name.len == 0 || name.len > INDICATORS_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_') {
            return false;
        }
    }
    return true;
}

static void write_text(struct buf *buf, const char *name, struct str text)
{
    buf_put_text(buf, name);
    buf_put_byte(buf, ' ');
    (void)buf_put_plain(buf, str_slice(text, 0, INDICATORS_TEXT_MAX));
    buf_put_byte(buf, '\n');
}

static void write_time(struct buf *buf, const char *name, int64_t time)
{
    char text[TIME_TEXT_SIZE];

    if (time != 0) {
        time_format_utc(time, text);
        buf_putf(buf, "%s %s\n", name, text);
    }
}

void indicator_write_head(struct indicator_writer *writer, const struct indicator_list *list,
                          struct buf *buf)
{
    *writer = (struct indicator_writer){.buf = buf};
    buf_put_text(buf, "canhgac-list 1\n");
    write_text(buf, "name", list->name);
    write_text(buf, "label", list->label);
    write_text(buf, "source", list->source);
    write_time(buf, "imported", list->imported);
    write_time(buf, "expires", list->expires);
    buf_put_byte(buf, '\n');
}

void indicator_write_entry(struct indicator_writer *writer, const struct feed_entry *entry)
{
    char text[TIME_TEXT_SIZE];

    buf_put_text(writer->buf, feed_kind_name(entry->kind));
    buf_put_byte(writer->buf, ' ');
    buf_put_str(writer->buf, entry->value);
    if (entry->expires != 0) {
        time_format_utc(entry->expires, text);
        buf_put_byte(writer->buf, '\t'); /* a phrase may hold spaces */
        buf_put_text(writer->buf, text);
    }
    buf_put_byte(writer->buf, '\n');
    writer->count++;
}

void indicator_write_end(struct indicator_writer *writer)
{
    buf_putf(writer->buf, "end %llu\n", (unsigned long long)writer->count);
}

struct list_reader {
    struct indicators *indicators;
    struct indicator_list *list;
    unsigned index;
    uint64_t line;
    uint64_t count;
    struct diag *diag;
    char room[FEED_LINE_MAX];
};

static int line_fail(const struct list_reader *reader, int code, const char *what)
{
    return diag_set(reader->diag, code, _("line %llu of the list: %s"),
                    (unsigned long long)reader->line, what);
}

static int head_line(struct list_reader *reader, struct str name, struct str value)
{
    struct indicator_list *list = reader->list;
    int r = 0;

    if (value.len > INDICATORS_TEXT_MAX) {
        return line_fail(reader, -ERR_LIMIT, _("it is too long"));
    }
    if (str_is(name, STR("name"))) {
        list->name = value;
    } else if (str_is(name, STR("label"))) {
        list->label = value;
    } else if (str_is(name, STR("source"))) {
        list->source = value;
    } else if (str_is(name, STR("imported"))) {
        r = time_parse(value, &list->imported);
    } else if (str_is(name, STR("expires"))) {
        r = time_parse(value, &list->expires);
    } else {
        return line_fail(reader, -ERR_VERSION, _("this program does not know it"));
    }
    return r < 0 ? line_fail(reader, r, _("no time stands there")) : 0;
}

static int entry_line(struct list_reader *reader, struct str kind_name, struct str value)
{
    bool is_allow = str_is_nocase(str_trim(reader->list->label), STR(INDICATORS_ALLOW));
    char *room = reader->room;
    struct str bare;
    struct str read = {0};
    int64_t expires = 0;
    int r;

    if (!str_cut(&value, '\t', &bare)) {
        return line_fail(reader, -ERR_SYNTAX, _("it says nothing"));
    }
    if (value.len != 0 && time_parse(value, &expires) < 0) {
        return line_fail(reader, -ERR_SYNTAX, _("no time stands there"));
    }
    for (unsigned kind = 0; kind < FEED_KIND_COUNT; kind++) {
        if (!str_is_text(kind_name, feed_kind_name((enum feed_kind)kind))) {
            continue;
        }
        if (!feed_read_value((enum feed_kind)kind, bare, room, &read) || !str_is(read, bare)) {
            return line_fail(reader, -ERR_SYNTAX, _("it is no entry"));
        }
        reader->count++;
        reader->list->counts[kind]++;
        r = indicators_add(reader->indicators, kind + (is_allow ? INDICATOR_OURS : 0),
                           reader->index, read, expires);
        return r < 0 ? line_fail(reader, r, _("there is no room for it")) : 0;
    }
    return line_fail(reader, -ERR_VERSION, _("this program does not know it"));
}

/* The list's own copy of the head's texts. */
static int list_keep(struct list_reader *reader, struct str head)
{
    struct indicators *indicators = reader->indicators;
    struct str line;
    struct str name;
    int r = 0;

    indicators->texts[reader->index] = mem_dup(head.ptr, head.len);
    if (indicators->texts[reader->index] == NULL) {
        return -ERR_NOMEM;
    }
    indicators->list_count++;
    head = str_of(indicators->texts[reader->index], head.len);
    reader->line = 1;
    if (!str_cut(&head, '\n', &line) || !str_is(line, STR("canhgac-list 1"))) {
        return line_fail(reader, -ERR_VERSION, _("no list of this program begins so"));
    }
    while (r == 0 && str_cut(&head, '\n', &line)) {
        reader->line++;
        (void)str_cut(&line, ' ', &name);
        r = head_line(reader, name, line);
    }
    if (r == 0 && (!indicators_is_name(reader->list->name) || reader->list->label.len == 0)) {
        return line_fail(reader, -ERR_SYNTAX, _("the list has no name or no label"));
    }
    return r;
}

static bool is_name_taken(const struct indicators *indicators, unsigned index)
{
    for (unsigned i = 0; i < index; i++) {
        if (str_is(indicators->lists[i].name, indicators->lists[index].name)) {
            return true;
        }
    }
    return false;
}

static int entry_lines(struct list_reader *reader, struct str rest)
{
    struct str line;
    struct str word;
    uint64_t count = 0;
    int r;

    while (rest.len != 0 && str_cut(&rest, '\n', &line)) {
        reader->line++;
        (void)str_cut(&line, ' ', &word);
        if (str_is(word, STR("end"))) {
            return str_to_u64(line, &count) == 0 && count == reader->count && rest.len == 0
                       ? 0
                       : line_fail(reader, -ERR_CORRUPT,
                                   _("it counts other entries than there are"));
        }
        r = entry_line(reader, word, line);
        if (r < 0) {
            return r;
        }
    }
    return line_fail(reader, -ERR_TRUNCATED, _("the list ends too early"));
}

int indicators_add_file(struct indicators *indicators, struct str text, struct diag *diag)
{
    struct list_reader reader = {
        .indicators = indicators, .index = (unsigned)indicators->list_count, .diag = diag};
    size_t head = str_find(text, STR("\n\n"));
    int r;

    if (indicators->list_count == INDICATORS_LISTS_MAX || text.len > INDICATORS_FILE_MAX) {
        return diag_set(diag, -ERR_LIMIT, _("there are too many lists, or this one is too large"));
    }
    if (head == text.len || head > 8U * INDICATORS_TEXT_MAX) {
        return diag_set(diag, -ERR_SYNTAX, _("no list of this program: import it first"));
    }
    reader.list = &indicators->lists[reader.index];
    r = list_keep(&reader, str_slice(text, 0, head));
    if (r < 0) {
        return r;
    }
    if (is_name_taken(indicators, reader.index)) {
        return diag_set(diag, -ERR_DUPLICATE, _("there are two lists of one name"));
    }
    reader.line++;
    return entry_lines(&reader, str_slice(text, head + 2, text.len));
}
