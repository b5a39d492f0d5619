/* Times of JSON logs: see codec/ndjson_time.h. Read for every event, so without a general parser.
 */
#include "codec/ndjson_time.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* That many digits as a number; -1 when they are none. */
static int digits(const char *text, unsigned count)
{
    int value = 0;

    for (unsigned i = 0; i < count; i++) {
        if (!is_digit(text[i])) {
            return -1;
        }
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/* The date and the clock: 19 bytes. */
static int time_civil(const char *text, int64_t *ret_s)
{
    int year = digits(text, 4);
    int month = digits(text + 5, 2);
    int day = digits(text + 8, 2);
    int hour = digits(text + 11, 2);
    int minute = digits(text + 14, 2);
    int second = digits(text + 17, 2);

    if ((text[4] != '-' && text[4] != '/') || text[7] != text[4] || text[13] != ':' ||
        text[16] != ':' || (text[10] != ' ' && (text[10] | 0x20) != 't') || year < 0) {
        return -ERR_SYNTAX;
    }
    if (year < 1678 || year > 2261 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 ||
        hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
        return -ERR_RANGE;
    }
    *ret_s = time_days(year, (unsigned)month, (unsigned)day) * 86400 + hour * 3600 + minute * 60 +
             second;
    return 0;
}

/* Decimals from the front, as nanoseconds. */
static int64_t time_fraction(struct str *rest)
{
    int64_t unit = NS_PER_S;
    int64_t ns = 0;

    if (rest->len < 2 || (rest->ptr[0] != '.' && rest->ptr[0] != ',')) {
        return 0;
    }
    do {
        *rest = str_slice(*rest, 1, rest->len);
        if (rest->len == 0 || !is_digit(rest->ptr[0])) {
            break;
        }
        unit /= 10;
        ns += (rest->ptr[0] - '0') * unit;
    } while (true);
    return ns;
}

/* The minutes of +07, +0700 or +07:00; -1: it is none of them. */
static int zone_minutes(struct str zone)
{
    if (zone.len == 3) {
        return 0;
    }
    if (zone.len == 6 && zone.ptr[3] == ':') {
        return digits(zone.ptr + 4, 2);
    }
    return zone.len == 5 ? digits(zone.ptr + 3, 2) : -1;
}

/* Z, +07:00, +0700, +07, UTC or nothing, also behind a space. */
static int time_zone(struct str rest, int32_t zone, int32_t *ret_zone)
{
    int hours;
    int minutes;

    rest = str_trim(rest);
    if (rest.len == 0) {
        *ret_zone = zone;
        return 0;
    }
    if (str_is_nocase(rest, STR("Z")) || str_is(rest, STR("UTC")) || str_is(rest, STR("GMT"))) {
        *ret_zone = 0;
        return 0;
    }
    if ((rest.ptr[0] != '+' && rest.ptr[0] != '-') || rest.len < 3) {
        return -ERR_SYNTAX;
    }
    hours = digits(rest.ptr + 1, 2);
    minutes = zone_minutes(rest);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
        return -ERR_SYNTAX;
    }
    *ret_zone = (rest.ptr[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return 0;
}

/* Seconds or parts of them since 1970, perhaps with decimals. */
static int time_count(struct str text, int64_t *ret_ns)
{
    struct str rest = text;
    struct str whole;
    int64_t unit = 1;
    uint64_t count;
    int r;

    (void)str_cut(&rest, '.', &whole);
    r = str_to_u64(whole, &count);
    if (r < 0) {
        return r;
    }
    if (count < 100000000000ULL) {
        unit = NS_PER_S;
    } else if (count < 100000000000000ULL) {
        unit = NS_PER_MS;
    } else if (count < 100000000000000000ULL) {
        unit = NS_PER_US;
    }
    if (count > (uint64_t)(INT64_MAX / unit) - 1) {
        return -ERR_RANGE;
    }
    rest = str_slice(text, whole.len, text.len);
    *ret_ns = (int64_t)count * unit + time_fraction(&rest) / (NS_PER_S / unit);
    return 0;
}

int ndjson_time_read(struct str text, int32_t zone, int64_t *ret_ns)
{
    struct str date = STR("/Date(");
    int64_t seconds;
    int64_t ns;
    int r;

    text.ptr += text.len > 0 && text.ptr[0] == '\\'; /* as JSON may escape the slash */
    if (str_has_prefix(text, date)) {
        return time_count(str_slice(text, date.len, str_find_byte(text, ')')), ret_ns);
    }
    if (text.len < 19 || !is_digit(text.ptr[0]) || is_digit(text.ptr[4])) {
        return time_count(text, ret_ns);
    }
    r = time_civil(text.ptr, &seconds);
    if (r < 0) {
        return r;
    }
    text = str_slice(text, 19, text.len);
    ns = time_fraction(&text);
    r = time_zone(text, zone, &zone);
    if (r < 0) {
        return r;
    }
    *ret_ns = (seconds - zone) * NS_PER_S + ns;
    return 0;
}
