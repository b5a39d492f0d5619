/* A line of an access log against its format: see codec/weblog.h; the format itself is
 * weblog_format.c's. Invariant: a field ends where the literal behind it begins, but for a quote
 * that the server escaped; nothing is copied. */
#include "codec/weblog.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"

#define MONTH_NAMES "JanFebMarAprMayJunJulAugSepOctNovDec"

/* What a line holds, before its parts are understood. */
struct weblog_raw {
    struct str values[WEBLOG_FIELD_COUNT];
};

/* A day/month or a year-month at the front. */
static bool weblog_is_time(struct str text)
{
    return text.len > 4 && (text.ptr[2] == '/' || text.ptr[4] == '-');
}

/* Whoever logs in chooses what stands before the time: brackets in a user's name must not hide his
 * request. */
static size_t weblog_find_time(struct str rest, struct str literal)
{
    size_t at = str_find(rest, literal);

    while (at < rest.len && !weblog_is_time(str_slice(rest, at + literal.len, rest.len))) {
        at += 1 + str_find(str_slice(rest, at + 1, rest.len), literal);
    }
    return at;
}

/* Apache and nginx write a quote inside a quoted field as \" or \x22. */
static size_t weblog_find_quote(struct str rest, struct str literal)
{
    size_t at = 0;

    while (at < rest.len) {
        size_t quote = at + str_find_byte(str_slice(rest, at, rest.len), '"');
        size_t slash = quote;

        while (slash > 0 && rest.ptr[slash - 1] == '\\') {
            slash--;
        }
        if ((quote - slash) % 2 == 0 && str_has_prefix(str_slice(rest, quote, rest.len), literal)) {
            return quote;
        }
        at = quote + 1;
    }
    return rest.len;
}

/* Length of the field in front of `rest`, which ends at its step's literal; rest.len without one.
 */
static size_t weblog_field_length(const struct weblog_format *format, size_t index, struct str rest)
{
    struct str literal = format->steps[index].literal;
    bool is_before_time = index + 1 < format->count &&
                          format->steps[index + 1].field == WEBLOG_FIELD_TIME &&
                          str_has_suffix(literal, STR("["));

    if (literal.len == 0) {
        return rest.len;
    }
    if (is_before_time) {
        return weblog_find_time(rest, literal);
    }
    return literal.ptr[0] == '"' ? weblog_find_quote(rest, literal) : str_find(rest, literal);
}

static int weblog_split(const struct weblog_format *format, struct str line, struct weblog_raw *raw)
{
    struct str rest = line;

    if (!str_has_prefix(rest, format->lead)) {
        return -ERR_SYNTAX;
    }
    rest = str_slice(rest, format->lead.len, rest.len);
    for (size_t i = 0; i < format->count; i++) {
        const struct weblog_step *step = &format->steps[i];
        size_t len = weblog_field_length(format, i, rest);

        if (len == rest.len && step->literal.len != 0) {
            return -ERR_SYNTAX;
        }
        raw->values[step->field] = str_slice(rest, 0, len);
        rest = str_slice(rest, len + step->literal.len, rest.len);
    }
    return rest.len == 0 ? 0 : -ERR_SYNTAX;
}

static struct str weblog_text(const struct weblog_raw *raw, enum weblog_field field)
{
    struct str value = raw->values[field];

    return str_is(value, STR("-")) ? (struct str){0} : value;
}

static unsigned weblog_month(struct str name)
{
    struct str names = STR(MONTH_NAMES);
    size_t at = name.len == 3 ? str_find(names, name) : names.len;

    return at < names.len && at % 3 == 0 ? (unsigned)(at / 3 + 1) : 0;
}

/* A number of so many digits; -1 for anything else. */
static int weblog_digits(const char *at, size_t count)
{
    int value = 0;

    for (size_t i = 0; i < count; i++) {
        if (at[i] < '0' || at[i] > '9') {
            return -1;
        }
        value = value * 10 + (at[i] - '0');
    }
    return value;
}

/* 10/Oct/2000:13:55:36 -0700: read in place, for it stands in every line. */
static int weblog_common_time(struct str text, int64_t *ret_time)
{
    int day = weblog_digits(text.ptr, 2);
    int year = weblog_digits(text.ptr + 7, 4);
    int hour = weblog_digits(text.ptr + 12, 2);
    int minute = weblog_digits(text.ptr + 15, 2);
    int second = weblog_digits(text.ptr + 18, 2);
    int zone_hour = weblog_digits(text.ptr + 22, 2);
    int zone_minute = weblog_digits(text.ptr + 24, 2);
    unsigned month = weblog_month(str_slice(text, 3, 6));
    int64_t offset = zone_hour * 3600 + zone_minute * 60;

    if (text.ptr[6] != '/' || text.ptr[11] != ':' || text.ptr[14] != ':' || text.ptr[17] != ':' ||
        text.ptr[20] != ' ' || month == 0 || day < 1 || day > 31 || year < 1678 || year > 2261 ||
        hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 ||
        zone_hour < 0 || zone_hour > 23 || zone_minute < 0 || zone_minute > 59 ||
        (text.ptr[21] != '+' && text.ptr[21] != '-')) {
        return -ERR_SYNTAX;
    }
    offset = text.ptr[21] == '-' ? -offset : offset;
    *ret_time = (time_days(year, month, (unsigned)day) * 86400 + hour * 3600 + minute * 60 +
                 second - offset) *
                NS_PER_S;
    return 0;
}

/* 1700000000 or 1700000000.123 */
static int weblog_epoch_time(struct str text, int64_t *ret_time)
{
    struct str rest = text;
    struct str whole;
    uint64_t seconds;
    uint64_t thousandths = 0;
    int r;

    if (!str_cut(&rest, '.', &whole)) {
        return -ERR_SYNTAX;
    }
    r = str_to_u64(whole, &seconds);
    if (r == 0 && rest.len != 0) {
        r = rest.len == 3 ? str_to_u64(rest, &thousandths) : -ERR_SYNTAX;
    }
    if (r < 0 || seconds > (uint64_t)(INT64_MAX / NS_PER_S) - 1) {
        return -ERR_SYNTAX;
    }
    *ret_time = (int64_t)seconds * NS_PER_S + (int64_t)thousandths * NS_PER_MS;
    return 0;
}

/* 2026-11-25 and 04:05:06, UTC by the W3C's word. */
static int weblog_split_time(struct str date, struct str clock, int64_t *ret_time)
{
    char out[64];

    if (date.len != 10 || clock.len < 8 || clock.len > 18) {
        return -ERR_SYNTAX;
    }
    (void)snprintf(out, sizeof(out), "%.*sT%.*sZ", STR_ARG(date), STR_ARG(clock));
    return time_parse(str_from(out), ret_time);
}

static int weblog_time(const struct weblog_raw *raw, int64_t *ret_time)
{
    struct str text = weblog_text(raw, WEBLOG_FIELD_TIME);
    struct str date = weblog_text(raw, WEBLOG_FIELD_DATE);

    if (date.len != 0) {
        return weblog_split_time(date, weblog_text(raw, WEBLOG_FIELD_CLOCK), ret_time);
    }
    if (text.len == 0) {
        *ret_time = 0;
        return 0;
    }
    if (text.len == 26 && text.ptr[2] == '/') {
        return weblog_common_time(text, ret_time);
    }
    if (str_find_byte(text, '-') < text.len) {
        return time_parse(text, ret_time);
    }
    return weblog_epoch_time(text, ret_time);
}

static int weblog_number(struct str text, uint64_t *ret_value)
{
    if (text.len == 0) {
        *ret_value = 0;
        return 0;
    }
    return str_to_u64(text, ret_value);
}

static void weblog_set_target(struct weblog_line *line, struct str target)
{
    size_t at = str_find_byte(target, '?');

    line->path = str_slice(target, 0, at);
    line->query = str_slice(target, at + 1, target.len);
}

/* "GET /index.html HTTP/1.1"; whoever sends anything else is shown as he is. */
static void weblog_set_request(struct weblog_line *line, struct str request)
{
    struct str rest = request;
    struct str method;
    size_t at;

    if (!str_cut(&rest, ' ', &method) || rest.len == 0) {
        line->path = request;
        return;
    }
    at = rest.len;
    while (at > 0 && rest.ptr[at - 1] != ' ') {
        at--;
    }
    if (at == 0 || !str_has_prefix(str_slice(rest, at, rest.len), STR("HTTP/"))) {
        line->path = request;
        return;
    }
    line->method = method;
    line->protocol = str_slice(rest, at, rest.len);
    weblog_set_target(line, str_slice(rest, 0, at - 1));
}

static int weblog_understand(const struct weblog_raw *raw, struct weblog_line *line)
{
    uint64_t status = 0;
    int r = weblog_time(raw, &line->time);

    r = r < 0 ? r : weblog_number(weblog_text(raw, WEBLOG_FIELD_STATUS), &status);
    r = r < 0 ? r : weblog_number(weblog_text(raw, WEBLOG_FIELD_SIZE), &line->size);
    if (r < 0 || status > 999) {
        return -ERR_SYNTAX;
    }
    line->status = (uint32_t)status;
    line->status_text = weblog_text(raw, WEBLOG_FIELD_STATUS);
    line->size_text = weblog_text(raw, WEBLOG_FIELD_SIZE);
    line->address = weblog_text(raw, WEBLOG_FIELD_ADDRESS);
    line->user = weblog_text(raw, WEBLOG_FIELD_USER);
    line->host = weblog_text(raw, WEBLOG_FIELD_HOST);
    line->referrer = weblog_text(raw, WEBLOG_FIELD_REFERRER);
    line->agent = weblog_text(raw, WEBLOG_FIELD_AGENT);
    if (raw->values[WEBLOG_FIELD_REQUEST].ptr != NULL) {
        weblog_set_request(line, raw->values[WEBLOG_FIELD_REQUEST]);
        return 0;
    }
    line->method = weblog_text(raw, WEBLOG_FIELD_METHOD);
    line->protocol = weblog_text(raw, WEBLOG_FIELD_PROTOCOL);
    if (raw->values[WEBLOG_FIELD_TARGET].ptr != NULL) {
        weblog_set_target(line, raw->values[WEBLOG_FIELD_TARGET]);
        return 0;
    }
    line->path = weblog_text(raw, WEBLOG_FIELD_PATH);
    line->query = weblog_text(raw, WEBLOG_FIELD_QUERY);
    return 0;
}

int weblog_read(struct weblog_format *format, struct str line, struct weblog_line *ret_line)
{
    struct weblog_line result = {0};
    struct weblog_raw raw = {0};
    int r;

    if (line.len > WEBLOG_LINE_MAX) {
        return -ERR_LIMIT;
    }
    if (format->is_w3c && str_has_prefix(line, STR("#"))) {
        return str_has_prefix(line, STR("#Fields:")) ? weblog_format_init(format, line, NULL) : 0;
    }
    if (format->count == 0) {
        return -ERR_SYNTAX; /* W3C before its #Fields line */
    }
    r = weblog_split(format, line, &raw);
    r = r < 0 ? r : weblog_understand(&raw, &result);
    if (r < 0) {
        return r;
    }
    *ret_line = result;
    return 1;
}
