/* Lists a line at a time. On the data's way: a file that somebody brought → here →
 * detect/intel/indicators.c. JSON is in feed_json.c. */
#include "codec/feed.h"

#include "base/banned.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"
#include "codec/csv.h"
#include "codec/feed_part.h"

#include <string.h>

static const char *const feed_format_names[FEED_FORMAT_COUNT] = {"hosts", "plain", "csv", "misp",
                                                                 "stix"};
static const char *const feed_kind_names[FEED_KIND_COUNT] = {"domain", "phrase", "hash", "address",
                                                             "url",    "agent",  "email"};

const char *feed_format_name(enum feed_format format)
{
    return format < FEED_FORMAT_COUNT ? feed_format_names[format] : "";
}

const char *feed_kind_name(enum feed_kind kind)
{
    return kind < FEED_KIND_COUNT ? feed_kind_names[kind] : "";
}

bool feed_format_parse(struct str name, enum feed_format *ret_format)
{
    for (unsigned i = 0; i < FEED_FORMAT_COUNT; i++) {
        if (str_is_text(name, feed_format_names[i])) {
            *ret_format = (enum feed_format)i;
            return true;
        }
    }
    return false;
}

static void tell(struct feed *feed, uint64_t line, const char *why, struct str value)
{
    struct feed_report *report = feed->report;
    uint64_t told = report->faulty + report->endless;
    struct buf plain;

    if (told < FEED_FAULTS_MAX) {
        struct feed_fault *fault = &report->faults[told];

        buf_init(&plain, 256);
        buf_put_plain(&plain, str_slice(value, 0, 80));
        fault->line = line;
        (void)snprintf(fault->what, sizeof(fault->what), "%s: '%.*s'", why,
                       STR_ARG(buf_str(&plain)));
        buf_done(&plain);
    }
}

void feed_fault(struct feed *feed, uint64_t line, const char *why, struct str value)
{
    tell(feed, line, why, value);
    feed->report->faulty++;
}

void feed_endless(struct feed *feed, uint64_t line, const char *why, struct str end)
{
    tell(feed, line, why, end);
    feed->report->endless++;
}

static bool is_digits(struct str text, const char *others)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!(text.ptr[i] >= '0' && text.ptr[i] <= '9') && strchr(others, text.ptr[i]) == NULL) {
            return false;
        }
    }
    return text.len != 0;
}

/* A URL that is no more than its host. */
static bool is_bare(struct str url)
{
    size_t scheme = str_find(url, STR("://"));

    url = str_slice(url, scheme != url.len ? scheme + 3 : 0, url.len);
    return str_find_byte(url, '/') + 1 >= url.len && str_find_byte(url, '?') == url.len;
}

/* What a value turns out to be: a URL without a path is its host, a host of digits an address. */
static enum feed_kind kind_settle(struct feed *feed, enum feed_kind kind, struct str *value)
{
    struct str read;

    if (kind == FEED_KIND_URL && is_bare(str_trim(*value))) {
        kind = FEED_KIND_DOMAIN;
    }
    if (kind != FEED_KIND_DOMAIN) {
        return kind;
    }
    if (feed_read_address(*value, feed->room, &read) || is_digits(str_trim(*value), "./")) {
        return FEED_KIND_ADDRESS;
    }
    if (feed_read_host(*value, feed->room, &read) && is_digits(read, ".")) {
        memcpy(feed->fangs, read.ptr, read.len);
        *value = str_of(feed->fangs, read.len);
        return FEED_KIND_ADDRESS;
    }
    return kind;
}

int feed_take(struct feed *feed, uint64_t line, enum feed_kind kind, struct str value,
              int64_t expires)
{
    struct feed_entry entry = {.expires = expires};
    const char *const whys[FEED_KIND_COUNT] = {_("no host name"),
                                               _("no phrase of 4 to 64 letters"),
                                               _("no MD5, SHA-1 or SHA-256"),
                                               _("no address, or a network that is too wide"),
                                               _("no URL"),
                                               _("no user agent"),
                                               _("no e-mail address")};

    if (kind != FEED_KIND_PHRASE && kind != FEED_KIND_AGENT) {
        value = feed_refang(value, feed->fangs);
    }
    entry.kind = kind_settle(feed, kind, &value);
    if (!feed_read_value(entry.kind, value, feed->room, &entry.value)) {
        feed_fault(feed, line, whys[entry.kind], value);
        return 0;
    }
    feed->report->taken++;
    return feed->sink->take(feed->sink->context, &entry);
}

static bool is_address(struct str word)
{
    size_t dots = 0;

    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];

        if (c == ':') {
            return true;
        }
        if (!(c >= '0' && c <= '9') && c != '.') {
            return false;
        }
        dots += c == '.';
    }
    return dots == 3;
}

/* The next word of a line; false at its end or at a comment. */
static bool line_word(struct str *rest, struct str *ret_word)
{
    size_t end = 0;

    *rest = str_trim(*rest);
    if (rest->len == 0 || rest->ptr[0] == '#') {
        return false;
    }
    while (end < rest->len && rest->ptr[end] != ' ' && rest->ptr[end] != '\t') {
        end++;
    }
    *ret_word = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end, rest->len);
    return true;
}

/* Names that every hosts file maps to the machine itself. */
static bool is_own_name(struct str name)
{
    return str_find_byte(name, '.') == name.len || str_is(name, STR("localhost.localdomain")) ||
           is_address(name);
}

static int read_hosts_line(struct feed *feed, uint64_t line, struct str text)
{
    struct str rest = text;
    struct str word;
    int r = 0;

    if (!line_word(&rest, &word)) {
        feed->report->passed++;
        return 0;
    }
    if (!is_address(word)) {
        feed_fault(feed, line, _("no address at the front"), text);
        return 0;
    }
    while (r >= 0 && line_word(&rest, &word)) {
        if (is_own_name(word)) {
            feed->report->passed++;
        } else {
            r = feed_take(feed, line, FEED_KIND_DOMAIN, word, 0);
        }
    }
    return r;
}

/* By what it looks like. */
static enum feed_kind kind_guess(struct feed *feed, struct str value)
{
    struct str read;

    value = feed_refang(value, feed->fangs);
    if (feed_read_hash(value, feed->room, &read)) {
        return FEED_KIND_HASH;
    }
    if (feed_read_email(value, feed->room, &read)) {
        return FEED_KIND_EMAIL;
    }
    return str_find(value, STR("://")) != value.len ? FEED_KIND_URL : FEED_KIND_DOMAIN;
}

static int read_plain_line(struct feed *feed, uint64_t line, struct str text)
{
    text = str_trim(text);
    if (text.len == 0 || text.ptr[0] == '#' || text.ptr[0] == '!' || text.ptr[0] == ';') {
        feed->report->passed++;
        return 0;
    }
    if (text.len > 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"') {
        return feed_take(feed, line, FEED_KIND_PHRASE, str_slice(text, 1, text.len - 1), 0);
    }
    return feed_take(feed, line, kind_guess(feed, text), text, 0);
}

static int read_lines(struct feed *feed, struct str text,
                      int (*fn)(struct feed *feed, uint64_t line, struct str text))
{
    struct str line;
    uint64_t number = 0;
    int r = 0;

    while (r >= 0 && text.len != 0 && str_cut(&text, '\n', &line)) {
        number++;
        if (line.len > FEED_LINE_MAX - 1) {
            feed_fault(feed, number, _("the line is too long"), line);
        } else {
            r = fn(feed, number, line);
        }
    }
    return r;
}

static const char *const csv_value_columns[] = {
    "value",  "indicator", "domain", "host",       "hostname",   "url",   "phrase", "hash",
    "sha256", "md5",       "ip",     "ip_address", "user_agent", "email", "cidr"};

struct csv_row {
    struct str fields[CSV_FIELDS_MAX];
    size_t count;
};

struct csv_columns {
    size_t value;
    size_t type;
    size_t expires;
    bool is_month_first; /* some end can only be MM/DD, so that no day with slashes is sure */
};

static bool csv_find_columns(const struct csv_row *head, struct csv_columns *ret_columns)
{
    ret_columns->value = head->count;
    for (size_t i = 0; i < ARRAY_LEN(csv_value_columns) && ret_columns->value == head->count; i++) {
        ret_columns->value = csv_column(head->fields, head->count, csv_value_columns[i]);
    }
    ret_columns->is_month_first = false;
    ret_columns->type = csv_column(head->fields, head->count, "type");
    ret_columns->expires = csv_column(head->fields, head->count, "expires");
    if (ret_columns->expires == head->count) {
        ret_columns->expires = csv_column(head->fields, head->count, "valid_until");
    }
    return ret_columns->value != head->count;
}

/* Words for no end. */
static bool is_never(struct str text)
{
    static const char *const words[] = {"",         "-",     "n/a",     "na",       "none",
                                        "null",     "never", "không",   "không có", "Không",
                                        "Không có", "KHÔNG", "KHÔNG CÓ"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_is_nocase(text, str_from(words[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_slashed(struct str text)
{
    return text.len >= 10 && text.ptr[2] == '/' && text.ptr[5] == '/';
}

/* 12/31/2026 is no DD/MM. */
static bool is_month_first(struct str text)
{
    uint64_t first;
    uint64_t second;

    return is_slashed(text) && str_to_u64(str_slice(text, 0, 2), &first) == 0 &&
           str_to_u64(str_slice(text, 3, 5), &second) == 0 && first >= 1 && first <= 12 &&
           second > 12 && second <= 31;
}

/* RFC 3339, a day, or a day and an hour; days also as spreadsheets here write them, 25/11/2026.
 * False for what is no time; nothing is 0, never. */
static bool read_time(struct str text, int64_t *ret_time)
{
    char whole[48];
    struct str day;
    struct str hour;

    text = str_trim(text);
    *ret_time = 0;
    if (is_never(text) || time_parse(text, ret_time) == 0) {
        return true;
    }
    day = str_slice(text, 0, 10);
    hour = text.len > 11 && text.ptr[10] == ' ' ? str_slice(text, 11, text.len)
           : text.len == 10                     ? STR("00:00:00")
                                                : STR("");
    if (day.len != 10 || hour.len != 8) {
        return false;
    }
    if (is_slashed(day)) {
        (void)snprintf(whole, sizeof(whole), "%.4s-%.2s-%.2sT%.8sZ", day.ptr + 6, day.ptr + 3,
                       day.ptr, hour.ptr);
    } else {
        (void)snprintf(whole, sizeof(whole), "%.*sT%.8sZ", STR_ARG(day), hour.ptr);
    }
    return time_parse(str_from(whole), ret_time) == 0;
}

/* Words of a column of types, or names of a column of values; any other: by what it looks like. */
static const struct feed_type csv_types[] = {
    {"phrase", FEED_KIND_PHRASE},      {"text", FEED_KIND_PHRASE},  {"ip", FEED_KIND_ADDRESS},
    {"ip_address", FEED_KIND_ADDRESS}, {"ipv4", FEED_KIND_ADDRESS}, {"ipv6", FEED_KIND_ADDRESS},
    {"cidr", FEED_KIND_ADDRESS},       {"url", FEED_KIND_URL},      {"user_agent", FEED_KIND_AGENT},
    {"user-agent", FEED_KIND_AGENT},   {"email", FEED_KIND_EMAIL},
};

static enum feed_kind kind_of(struct feed *feed, struct str type, struct str value)
{
    type = str_trim(type);
    for (size_t i = 0; i < ARRAY_LEN(csv_types); i++) {
        if (str_is_nocase(type, str_from(csv_types[i].name))) {
            return csv_types[i].kind;
        }
    }
    return kind_guess(feed, value);
}

/* The row's end, or none, which is told, when it cannot be read. */
static int64_t read_end(struct feed *feed, struct str end, uint64_t line,
                        const struct csv_columns *columns)
{
    int64_t until = 0;

    if (columns->is_month_first && is_slashed(str_trim(end))) {
        feed_endless(feed, line,
                     _("the column's days seem to be MM/DD: no end is taken; write YYYY-MM-DD"),
                     end);
        return 0;
    }
    if (!read_time(end, &until)) {
        feed_endless(feed, line, _("the end is no time: none is taken"), end);
        return 0;
    }
    return until;
}

static int read_csv_row(struct feed *feed, const struct csv_row *head, const struct csv_row *row,
                        uint64_t line, const struct csv_columns *columns)
{
    struct str type = columns->type < row->count ? row->fields[columns->type] : str_of("", 0);
    struct str value = columns->value < row->count ? row->fields[columns->value] : str_of("", 0);
    struct str expires =
        columns->expires < row->count ? row->fields[columns->expires] : str_of("", 0);
    const char *named = "";

    for (size_t i = 0; i < ARRAY_LEN(csv_value_columns); i++) {
        if (csv_column(head->fields, head->count, csv_value_columns[i]) == columns->value) {
            named = csv_value_columns[i];
        }
    }
    if (row->count != head->count) {
        feed_fault(feed, line, _("another number of fields than the head"), row->fields[0]);
        return 0;
    }
    type = columns->type < row->count ? type : str_from(named);
    return feed_take(feed, line, kind_of(feed, type, value), value,
                     read_end(feed, expires, line, columns));
}

/* csv_next's answer. */
static int read_fields(struct csv_reader *reader, struct arena *arena, struct csv_row *row)
{
    int r = csv_next(reader, arena, row->fields);

    row->count = r > 0 ? (size_t)r : 0;
    return r;
}

/* Whether any row's end can only be MM/DD: then 12/01 beside it is no 12 January either. */
static int find_month_first(struct feed *feed, struct csv_reader reader, struct csv_row *row,
                            struct csv_columns *columns)
{
    int r = 1;

    while (r != 0 && !columns->is_month_first) {
        r = read_fields(&reader, feed->arena, row);
        if (r == -ERR_NOMEM) {
            return r;
        }
        columns->is_month_first = columns->expires < row->count &&
                                  is_month_first(str_trim(row->fields[columns->expires]));
    }
    return 0;
}

static int read_csv(struct feed *feed, struct str text)
{
    struct csv_reader reader;
    struct csv_columns columns;
    struct csv_row *head = arena_alloc(feed->arena, 2, sizeof(*head));
    struct csv_row *row = head + 1;
    int r;

    if (head == NULL) {
        return -ERR_NOMEM;
    }
    csv_open(&reader, text);
    r = read_fields(&reader, feed->arena, head);
    if (r == -ERR_NOMEM) {
        return r;
    }
    if (r <= 0 || !csv_find_columns(head, &columns)) {
        return diag_set(feed->diag, -ERR_SYNTAX,
                        _("the first row names no column value, indicator, domain, host, url, "
                          "phrase, hash, ip, user_agent or email"));
    }
    r = columns.expires < head->count ? find_month_first(feed, reader, row, &columns) : 0;
    if (r < 0) {
        return r;
    }
    for (;;) {
        r = read_fields(&reader, feed->arena, row);
        if (r == 0 || r == -ERR_NOMEM) {
            return r;
        }
        if (r < 0) {
            feed_fault(feed, reader.line, _("no row of CSV"), str_from(err_text(r)));
            continue;
        }
        r = read_csv_row(feed, head, row, reader.line, &columns);
        if (r < 0) {
            return r;
        }
    }
}

static int read_hosts(struct feed *feed, struct str text)
{
    return read_lines(feed, text, read_hosts_line);
}

static int read_plain(struct feed *feed, struct str text)
{
    return read_lines(feed, text, read_plain_line);
}

int feed_read(enum feed_format format, struct str text, struct arena *arena,
              const struct feed_sink *sink, struct feed_report *ret_report, struct diag *diag)
{
    static int (*const readers[FEED_FORMAT_COUNT])(struct feed *feed, struct str text) = {
        read_hosts, read_plain, read_csv, feed_read_misp, feed_read_stix};
    struct feed *feed = arena_alloc(arena, 1, sizeof(*feed));

    *ret_report = (struct feed_report){0};
    if (feed == NULL) {
        return -ERR_NOMEM;
    }
    if (text.len > FEED_SIZE_MAX) {
        return diag_set(diag, -ERR_LIMIT, _("the list is larger than %u MB; part it"),
                        FEED_SIZE_MAX >> 20);
    }
    *feed = (struct feed){.arena = arena, .sink = sink, .report = ret_report, .diag = diag};
    text = str_has_prefix(text, STR("\xef\xbb\xbf")) ? str_slice(text, 3, text.len) : text;
    return readers[format](feed, text);
}

enum feed_format feed_guess(struct str text)
{
    struct str line;

    text = str_has_prefix(text, STR("\xef\xbb\xbf")) ? str_slice(text, 3, text.len) : text;
    text = str_trim(str_slice(text, 0, 65536));
    if (text.len != 0 && (text.ptr[0] == '{' || text.ptr[0] == '[')) {
        return str_find(text, STR("\"objects\"")) != text.len ||
                       str_find(text, STR("\"spec_version\"")) != text.len
                   ? FEED_FORMAT_STIX
                   : FEED_FORMAT_MISP;
    }
    while (str_cut(&text, '\n', &line)) {
        struct csv_columns columns;
        struct csv_reader reader;
        struct csv_row row;
        struct str rest = line;
        struct str word;

        if (!line_word(&rest, &word)) {
            continue;
        }
        csv_open(&reader, line);
        if (is_address(word) && str_trim(rest).len != 0) {
            return FEED_FORMAT_HOSTS;
        }
        if (read_fields(&reader, NULL, &row) > 0 && csv_find_columns(&row, &columns)) {
            return FEED_FORMAT_CSV;
        }
        return FEED_FORMAT_PLAIN;
    }
    return FEED_FORMAT_PLAIN;
}
