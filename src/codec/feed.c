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
static const char *const feed_kind_names[FEED_KIND_COUNT] = {"domain", "phrase", "hash"};

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

void feed_fault(struct feed *feed, uint64_t line, const char *why, struct str value)
{
    struct feed_report *report = feed->report;
    struct buf plain;

    if (report->faulty < FEED_FAULTS_MAX) {
        struct feed_fault *fault = &report->faults[report->faulty];

        buf_init(&plain, 256);
        buf_put_plain(&plain, str_slice(value, 0, 80));
        fault->line = line;
        (void)snprintf(fault->what, sizeof(fault->what), "%s: '%.*s'", why,
                       STR_ARG(buf_str(&plain)));
        buf_done(&plain);
    }
    report->faulty++;
}

static bool is_host_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c >= 0x80;
}

/* Labels of 1 to 63 bytes parted by dots, at least two of them. */
static bool is_host(struct str host)
{
    struct str label;
    size_t labels = 0;

    if (host.len == 0 || host.len > FEED_HOST_MAX || host.ptr[host.len - 1] == '.' ||
        !utf8_is_valid(host)) {
        return false;
    }
    while (str_cut(&host, '.', &label)) {
        if (label.len == 0 || label.len > 63 || label.ptr[0] == '-') {
            return false;
        }
        for (size_t i = 0; i < label.len; i++) {
            if (!is_host_byte((unsigned char)label.ptr[i])) {
                return false;
            }
        }
        labels++;
    }
    return labels >= 2;
}

/* Cuts what stands around a host: scheme, user, port, path, "*.", "||" and "^" of ad blockers. */
static struct str host_bare(struct str text)
{
    size_t scheme = str_find(text, STR("://"));
    size_t end = 0;

    text = scheme != text.len ? str_slice(text, scheme + 3, text.len) : text;
    text = str_has_prefix(text, STR("||")) ? str_slice(text, 2, text.len) : text;
    text = str_has_prefix(text, STR("*.")) ? str_slice(text, 2, text.len) : text;
    while (end < text.len && strchr("/?#^", text.ptr[end]) == NULL) {
        end++;
    }
    text = str_slice(text, 0, end);
    for (size_t at = text.len; at != 0; at--) {
        if (text.ptr[at - 1] == '@') {
            text = str_slice(text, at, text.len);
            break;
        }
    }
    text = str_slice(text, 0, str_find_byte(text, ':'));
    return str_has_suffix(text, STR(".")) ? str_slice(text, 0, text.len - 1) : text;
}

bool feed_read_host(struct str text, char *room, struct str *ret_host)
{
    struct str host = host_bare(str_trim(text));

    if (host.len > FEED_HOST_MAX) {
        return false;
    }
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];

        room[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    *ret_host = str_of(room, host.len);
    return is_host(*ret_host);
}

bool feed_read_hash(struct str text, char *room, struct str *ret_hash)
{
    text = str_trim(text);
    if (text.len != 32 && text.len != 40 && text.len != 64) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        char lower = (char)(c | 0x20);

        if (!(c >= '0' && c <= '9') && !(lower >= 'a' && lower <= 'f')) {
            return false;
        }
        room[i] = c >= '0' && c <= '9' ? c : lower;
    }
    *ret_hash = str_of(room, text.len);
    return true;
}

bool feed_read_phrase(struct str text, char *room, struct str *ret_phrase)
{
    size_t len;

    text = str_trim(text);
    len = utf8_fold(text, NULL, 0);
    if (!utf8_is_valid(text) || len < FEED_PHRASE_MIN || len > FEED_PHRASE_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < ' ') {
            return false;
        }
    }
    (void)utf8_fold(text, room, FEED_LINE_MAX);
    *ret_phrase = str_of(room, len);
    return true;
}

int feed_take(struct feed *feed, uint64_t line, enum feed_kind kind, struct str value,
              int64_t expires)
{
    static bool (*const readers[FEED_KIND_COUNT])(struct str text, char *room, struct str *ret) = {
        feed_read_host, feed_read_phrase, feed_read_hash};
    struct feed_entry entry = {.kind = kind, .expires = expires};
    const char *const whys[FEED_KIND_COUNT] = {_("no host name"), _("no phrase of 4 to 64 letters"),
                                               _("no MD5, SHA-1 or SHA-256")};

    if (!readers[kind](value, feed->room, &entry.value)) {
        feed_fault(feed, line, whys[kind], value);
        return 0;
    }
    feed->report->taken++;
    return feed->fn(feed->context, &entry);
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

static int read_plain_line(struct feed *feed, uint64_t line, struct str text)
{
    struct str value;

    text = str_trim(text);
    if (text.len == 0 || text.ptr[0] == '#' || text.ptr[0] == '!' || text.ptr[0] == ';') {
        feed->report->passed++;
        return 0;
    }
    if (text.len > 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"') {
        return feed_take(feed, line, FEED_KIND_PHRASE, str_slice(text, 1, text.len - 1), 0);
    }
    if (feed_read_hash(text, feed->room, &value)) {
        return feed_take(feed, line, FEED_KIND_HASH, text, 0);
    }
    return feed_take(feed, line, FEED_KIND_DOMAIN, text, 0);
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
    "value", "indicator", "domain", "host", "hostname", "url", "phrase", "hash", "sha256", "md5"};

struct csv_row {
    struct str fields[CSV_FIELDS_MAX];
    size_t count;
};

struct csv_columns {
    size_t value;
    size_t type;
    size_t expires;
};

static bool csv_find_columns(const struct csv_row *head, struct csv_columns *ret_columns)
{
    ret_columns->value = head->count;
    for (size_t i = 0; i < ARRAY_LEN(csv_value_columns) && ret_columns->value == head->count; i++) {
        ret_columns->value = csv_column(head->fields, head->count, csv_value_columns[i]);
    }
    ret_columns->type = csv_column(head->fields, head->count, "type");
    ret_columns->expires = csv_column(head->fields, head->count, "expires");
    if (ret_columns->expires == head->count) {
        ret_columns->expires = csv_column(head->fields, head->count, "valid_until");
    }
    return ret_columns->value != head->count;
}

static int64_t read_time(struct str text)
{
    char whole[40];
    int64_t time = 0;

    text = str_trim(text);
    if (text.len == 10) { /* a day */
        (void)snprintf(whole, sizeof(whole), "%.*sT00:00:00Z", STR_ARG(text));
        text = str_from(whole);
    }
    return time_parse(text, &time) == 0 ? time : 0;
}

static enum feed_kind kind_of(struct str type, struct str value, char *room)
{
    struct str hash;

    type = str_trim(type);
    if (str_is_nocase(type, STR("phrase")) || str_is_nocase(type, STR("text"))) {
        return FEED_KIND_PHRASE;
    }
    return feed_read_hash(value, room, &hash) ? FEED_KIND_HASH : FEED_KIND_DOMAIN;
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
    return feed_take(feed, line, kind_of(type, value, feed->room), value, read_time(expires));
}

/* csv_next's answer. */
static int read_fields(struct csv_reader *reader, struct arena *arena, struct csv_row *row)
{
    int r = csv_next(reader, arena, row->fields);

    row->count = r > 0 ? (size_t)r : 0;
    return r;
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
                          "phrase or hash"));
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

int feed_read(enum feed_format format, struct str text, struct arena *arena, feed_fn *fn,
              void *context, struct feed_report *ret_report, struct diag *diag)
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
    *feed = (struct feed){
        .arena = arena, .fn = fn, .context = context, .report = ret_report, .diag = diag};
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
