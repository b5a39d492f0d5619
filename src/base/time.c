/* Clock port and RFC 3339, by day counting: no locale, no time zone database. */
#include "base/time.h"

#include "base/banned.h"
#include "base/err.h"

static int64_t clock_read(clockid_t id)
{
    struct timespec now = {0};

    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t clock_real_wall(void *context)
{
    (void)context;
    return clock_read(CLOCK_REALTIME);
}

static int64_t clock_real_mono(void *context)
{
    (void)context;
    return clock_read(CLOCK_BOOTTIME);
}

const struct clock clock_real = {.wall = clock_real_wall, .mono = clock_real_mono};

int64_t clock_wall(const struct clock *clock)
{
    return clock->wall(clock->context);
}

int64_t clock_mono(const struct clock *clock)
{
    return clock->mono(clock->context);
}

/* Days since 1970-01-01 of a proleptic Gregorian date, and back; after H. Hinnant,
 * "chrono-compatible low-level date algorithms". */
int64_t time_days(int64_t year, unsigned month, unsigned day)
{
    int64_t era;
    unsigned year_of_era;
    unsigned day_of_year;

    year -= month <= 2;
    era = (year >= 0 ? year : year - 399) / 400;
    year_of_era = (unsigned)(year - era * 400);
    day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 +
           (int64_t)(year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year) -
           719468;
}

static void civil_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    unsigned day_of_era = (unsigned)(shifted - era * 146097);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month_index = (5 * day_of_year + 2) / 153;

    *ret_day = day_of_year - (153 * month_index + 2) / 5 + 1;
    *ret_month = month_index < 10 ? month_index + 3 : month_index - 9;
    *ret_year = (int64_t)year_of_era + era * 400 + (*ret_month <= 2);
}

int64_t time_year(int64_t wall_ns)
{
    int64_t seconds = wall_ns / NS_PER_S - (wall_ns % NS_PER_S < 0);
    int64_t year;
    unsigned month;
    unsigned day;

    civil_from_days(seconds / 86400 - (seconds % 86400 < 0), &year, &month, &day);
    return year;
}

void time_format_offset(int64_t wall_ns, int32_t offset_s, char out[TIME_TEXT_SIZE])
{
    int64_t seconds = wall_ns / NS_PER_S - (wall_ns % NS_PER_S < 0);
    int64_t millis = (wall_ns % NS_PER_S + NS_PER_S) % NS_PER_S / NS_PER_MS;
    int64_t local = seconds + offset_s;
    int64_t days = local / 86400 - (local % 86400 < 0);
    int64_t of_day = local - days * 86400;
    int32_t offset_min = (offset_s < 0 ? -offset_s : offset_s) / 60;
    int64_t year;
    unsigned month;
    unsigned day;
    int len;

    civil_from_days(days, &year, &month, &day);
    len = snprintf(out, TIME_TEXT_SIZE, "%04d-%02u-%02uT%02d:%02d:%02d.%03d", (int)year, month, day,
                   (int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60), (int)millis);
    if (len < 0 || len >= TIME_TEXT_SIZE) {
        return;
    }
    if (offset_s == 0) {
        (void)snprintf(out + len, (size_t)(TIME_TEXT_SIZE - len), "Z");
        return;
    }
    (void)snprintf(out + len, (size_t)(TIME_TEXT_SIZE - len), "%c%02d:%02d",
                   offset_s < 0 ? '-' : '+', offset_min / 60 % 100, offset_min % 60);
}

void time_format_utc(int64_t wall_ns, char out[TIME_TEXT_SIZE])
{
    time_format_offset(wall_ns, 0, out);
}

/* Takes exactly `digits` digits from the front. */
static int time_take(struct str *rest, size_t digits, unsigned *ret_value)
{
    uint64_t value;
    int r;

    if (rest->len < digits) {
        return -ERR_SYNTAX;
    }
    r = str_to_u64(str_slice(*rest, 0, digits), &value);
    if (r < 0) {
        return r;
    }
    *rest = str_slice(*rest, digits, rest->len);
    *ret_value = (unsigned)value;
    return 0;
}

static int time_skip(struct str *rest, char byte)
{
    if (rest->len == 0 || rest->ptr[0] != byte) {
        return -ERR_SYNTAX;
    }
    *rest = str_slice(*rest, 1, rest->len);
    return 0;
}

/* Takes numbers as the pattern says: a digit is how many digits a field has, anything else is
 * itself. */
static int time_take_fields(struct str *rest, const char *pattern, unsigned *ret_fields)
{
    int r;

    for (; *pattern != '\0'; pattern++) {
        if (*pattern >= '1' && *pattern <= '9') {
            r = time_take(rest, (size_t)(*pattern - '0'), ret_fields++);
        } else {
            r = time_skip(rest, *pattern);
        }
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int time_parse_fraction(struct str *rest, int64_t *ret_ns)
{
    int64_t unit = NS_PER_S;

    *ret_ns = 0;
    if (time_skip(rest, '.') < 0) {
        return 0;
    }
    while (rest->len != 0 && rest->ptr[0] >= '0' && rest->ptr[0] <= '9') {
        unit /= 10;
        *ret_ns += (rest->ptr[0] - '0') * unit;
        *rest = str_slice(*rest, 1, rest->len);
    }
    return 0;
}

static int time_parse_zone(struct str *rest, int64_t *ret_offset_s)
{
    unsigned fields[2];
    int sign;
    int r;

    if (rest->len == 1 && (rest->ptr[0] == 'Z' || rest->ptr[0] == 'z')) {
        *ret_offset_s = 0;
        return 0;
    }
    if (rest->len != 6 || (rest->ptr[0] != '+' && rest->ptr[0] != '-')) {
        return -ERR_SYNTAX;
    }
    sign = rest->ptr[0] == '-' ? -1 : 1;
    *rest = str_slice(*rest, 1, rest->len);
    r = time_take_fields(rest, "2:2", fields);
    if (r < 0) {
        return r;
    }
    if (fields[0] > 23 || fields[1] > 59) {
        return -ERR_RANGE;
    }
    *ret_offset_s = sign * (int64_t)(fields[0] * 3600 + fields[1] * 60);
    return 0;
}

static bool time_is_in_range(const unsigned fields[6])
{
    return fields[0] >= 1678 && fields[0] <= 2261 && fields[1] >= 1 && fields[1] <= 12 &&
           fields[2] >= 1 && fields[2] <= 31 && fields[3] <= 23 && fields[4] <= 59 &&
           fields[5] <= 60;
}

int time_parse(struct str text, int64_t *ret_wall_ns)
{
    unsigned fields[6];
    int64_t fraction;
    int64_t offset_s;
    int64_t seconds;
    int r;

    r = time_take_fields(&text, "4-2-2", fields);
    if (r < 0) {
        return r;
    }
    if (text.len == 0 || (text.ptr[0] != 'T' && text.ptr[0] != 't' && text.ptr[0] != ' ')) {
        return -ERR_SYNTAX;
    }
    text = str_slice(text, 1, text.len);
    r = time_take_fields(&text, "2:2:2", fields + 3);
    if (r < 0) {
        return r;
    }
    (void)time_parse_fraction(&text, &fraction);
    r = time_parse_zone(&text, &offset_s);
    if (r < 0) {
        return r;
    }
    if (!time_is_in_range(fields)) {
        return -ERR_RANGE;
    }
    seconds = time_days(fields[0], fields[1], fields[2]) * 86400 + fields[3] * 3600 +
              fields[4] * 60 + fields[5] - offset_s;
    *ret_wall_ns = seconds * NS_PER_S + fraction;
    return 0;
}
