/* See codec/log_time.h. Read by hand, digit by digit: a line's time is a good part of what a line
 * costs. */
#include "codec/log_time.h"

#include "base/banned.h"
#include "base/time.h"
#include "codec/log_text.h"

#define DAY_SECONDS  86400
#define CLOCK_LEN    8  /* 22:41:06 */
#define YEARS_BACK   8  /* in which there is a 29 February */
#define EPOCH_DIGITS 10 /* seconds since 1970, of the years 2001 to 2286 */
#define YEAR_FIRST   1970
#define YEAR_LAST    2261 /* ns since 1970 fit in 63 bits */
#define OFFSET_LOCAL INT32_MIN
#define ICT_SECONDS  25200

struct moment {
    unsigned year;
    unsigned month;
    unsigned day;
    unsigned of_day; /* seconds */
    int64_t fraction;
    int32_t offset; /* seconds east, or OFFSET_LOCAL */
};

static bool two_digits(const char *at, unsigned *ret_value)
{
    if (!log_is_digit(at[0]) || !log_is_digit(at[1])) {
        return false;
    }
    *ret_value = (unsigned)(at[0] - '0') * 10 + (unsigned)(at[1] - '0');
    return true;
}

static bool four_digits(const char *at, unsigned *ret_value)
{
    unsigned high;
    unsigned low;

    if (!two_digits(at, &high) || !two_digits(at + 2, &low)) {
        return false;
    }
    *ret_value = high * 100 + low;
    return true;
}

/* " 5" or "25": days of RFC 3164, hours of MariaDB. */
static bool padded_digits(const char *at, unsigned *ret_value)
{
    char padded[2] = {at[0] == ' ' ? '0' : at[0], at[1]};

    return two_digits(padded, ret_value);
}

static bool clock_read(const char *at, unsigned *ret_of_day)
{
    unsigned hour;
    unsigned minute;
    unsigned second;

    if (!padded_digits(at, &hour) || at[2] != ':' || !two_digits(at + 3, &minute) || at[5] != ':' ||
        !two_digits(at + 6, &second) || hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    *ret_of_day = hour * 3600 + minute * 60 + second;
    return true;
}

#define MONTH_KEY(a, b, c) ((unsigned)(a) << 16 | (unsigned)(b) << 8 | (unsigned)(c))

static unsigned month_read(const char *at)
{
    switch (MONTH_KEY((unsigned char)at[0], (unsigned char)at[1], (unsigned char)at[2])) {
    case MONTH_KEY('J', 'a', 'n'):
        return 1;
    case MONTH_KEY('F', 'e', 'b'):
        return 2;
    case MONTH_KEY('M', 'a', 'r'):
        return 3;
    case MONTH_KEY('A', 'p', 'r'):
        return 4;
    case MONTH_KEY('M', 'a', 'y'):
        return 5;
    case MONTH_KEY('J', 'u', 'n'):
        return 6;
    case MONTH_KEY('J', 'u', 'l'):
        return 7;
    case MONTH_KEY('A', 'u', 'g'):
        return 8;
    case MONTH_KEY('S', 'e', 'p'):
        return 9;
    case MONTH_KEY('O', 'c', 't'):
        return 10;
    case MONTH_KEY('N', 'o', 'v'):
        return 11;
    case MONTH_KEY('D', 'e', 'c'):
        return 12;
    default:
        return 0;
    }
}

/* ".123456" or ",123": its length with the sign, 0 for none. */
static size_t fraction_take(struct str text, int64_t *ret_ns)
{
    int64_t unit = NS_PER_S;
    size_t at = 1;

    if (text.len < 2 || (text.ptr[0] != '.' && text.ptr[0] != ',') || !log_is_digit(text.ptr[1])) {
        return 0;
    }
    for (; at < text.len && log_is_digit(text.ptr[at]); at++) {
        unit /= 10;
        *ret_ns += (text.ptr[at] - '0') * unit;
    }
    return at;
}

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool is_date(unsigned year, unsigned month, unsigned day)
{
    static const unsigned char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] &&
           (month != 2 || day <= 28 || is_leap(year));
}

static int64_t moment_ns(const struct moment *moment, int32_t zone)
{
    int64_t seconds = time_days(moment->year, moment->month, moment->day) * DAY_SECONDS +
                      moment->of_day - (moment->offset == OFFSET_LOCAL ? zone : moment->offset);

    return seconds * NS_PER_S + moment->fraction;
}

static bool moment_give(const struct moment *moment, const struct log_reading *reading,
                        int64_t *ret_time)
{
    if (moment->year < YEAR_FIRST || moment->year > YEAR_LAST ||
        !is_date(moment->year, moment->month, moment->day)) {
        return false;
    }
    *ret_time = moment_ns(moment, reading->zone);
    return true;
}

/* The latest year in which the moment is not more than a day after what the reading lies near. */
static bool moment_give_near(struct moment *moment, const struct log_reading *reading,
                             int64_t *ret_time)
{
    int64_t year = (reading->year != 0 ? reading->year : time_year(reading->around)) + 1;

    if (reading->around == 0) {
        moment->year = YEAR_FIRST;
        return moment_give(moment, reading, ret_time);
    }
    for (unsigned back = 0; back <= YEARS_BACK && year - back >= YEAR_FIRST; back++) {
        int64_t time;

        moment->year = (unsigned)(year - back);
        if (moment_give(moment, reading, &time) &&
            time <= reading->around + DAY_SECONDS * NS_PER_S) {
            *ret_time = time;
            return true;
        }
    }
    return false;
}

/* "Z", "+07:00", "+0700", " +07", " UTC": its length, 0 for none. */
static size_t zone_take(struct str text, int32_t *ret_offset)
{
    static const struct {
        struct str name;
        int32_t offset;
    } names[] = {{{" UTC", 4}, 0}, {{" GMT", 4}, 0}, {{" ICT", 4}, ICT_SECONDS}};
    size_t at = text.len > 0 && text.ptr[0] == ' ' ? 1 : 0;
    unsigned hours;
    unsigned minutes = 0;
    int32_t offset;
    bool is_west;

    if (text.len > 0 && (text.ptr[0] | 0x20) == 'z') {
        *ret_offset = 0;
        return 1;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_has_prefix(text, names[i].name)) {
            *ret_offset = names[i].offset;
            return names[i].name.len;
        }
    }
    if (text.len < at + 3 || (text.ptr[at] != '+' && text.ptr[at] != '-') ||
        !two_digits(text.ptr + at + 1, &hours) || hours > 23) {
        return 0;
    }
    is_west = text.ptr[at] == '-';
    at += 3;
    if (text.len >= at + 3 && text.ptr[at] == ':' && two_digits(text.ptr + at + 1, &minutes)) {
        at += 3;
    } else if (text.len >= at + 2 && two_digits(text.ptr + at, &minutes)) {
        at += 2;
    }
    offset = (int32_t)(hours * 3600 + minutes * 60);
    *ret_offset = is_west ? -offset : offset;
    return at;
}

/* "Nov 25 2026 22:41:06", as firewalls write it. */
static size_t bsd_year_take(struct str text, const struct log_reading *reading, int64_t *ret_time)
{
    struct moment moment = {.offset = OFFSET_LOCAL};
    size_t len = sizeof("Nov 25 2026 22:41:06") - 1;

    if (text.len < len || text.ptr[3] != ' ' || text.ptr[6] != ' ' || text.ptr[11] != ' ' ||
        !padded_digits(text.ptr + 4, &moment.day) || !four_digits(text.ptr + 7, &moment.year) ||
        !clock_read(text.ptr + 12, &moment.of_day)) {
        return 0;
    }
    moment.month = month_read(text.ptr);
    len += fraction_take(str_slice(text, len, text.len), &moment.fraction);
    len += zone_take(str_slice(text, len, text.len), &moment.offset);
    return moment_give(&moment, reading, ret_time) ? len : 0;
}

size_t log_time_take_bsd(struct str text, const struct log_reading *reading, int64_t *ret_time)
{
    struct moment moment = {.offset = OFFSET_LOCAL};
    size_t len = sizeof("Nov 25 22:41:06") - 1;
    bool has_year = false;

    if (text.len < len || text.ptr[3] != ' ' || text.ptr[6] != ' ' ||
        !clock_read(text.ptr + 7, &moment.of_day) || !padded_digits(text.ptr + 4, &moment.day)) {
        return bsd_year_take(text, reading, ret_time);
    }
    moment.month = month_read(text.ptr);
    len += fraction_take(str_slice(text, len, text.len), &moment.fraction);
    if (text.len >= len + 5 && text.ptr[len] == ' ' &&
        four_digits(text.ptr + len + 1, &moment.year) &&
        (text.len == len + 5 || log_is_one_of(text.ptr[len + 5], STR(" :],")))) {
        has_year = true;
        len += 5;
    }
    if (moment.month == 0 || !(has_year ? moment_give(&moment, reading, ret_time)
                                        : moment_give_near(&moment, reading, ret_time))) {
        return 0;
    }
    return len;
}

size_t log_time_take_iso(struct str text, const struct log_reading *reading, int64_t *ret_time)
{
    struct moment moment = {.offset = OFFSET_LOCAL};
    size_t len = sizeof("2026-11-25T22:41:06") - 1;

    if (text.len < len || (text.ptr[4] != '-' && text.ptr[4] != '/') ||
        text.ptr[7] != text.ptr[4] || (text.ptr[10] != 'T' && text.ptr[10] != ' ') ||
        !four_digits(text.ptr, &moment.year) || !two_digits(text.ptr + 5, &moment.month) ||
        !two_digits(text.ptr + 8, &moment.day) || !clock_read(text.ptr + 11, &moment.of_day)) {
        return 0;
    }
    len += fraction_take(str_slice(text, len, text.len), &moment.fraction);
    len += zone_take(str_slice(text, len, text.len), &moment.offset);
    return moment_give(&moment, reading, ret_time) ? len : 0;
}

/* "Wed Nov 25 22:41:06.123 2026"; the year may be absent. */
static size_t weekday_take(struct str text, const struct log_reading *reading, int64_t *ret_time)
{
    size_t len;

    if (text.len < 8 || text.ptr[3] != ' ') {
        return 0;
    }
    text = str_slice(text, 4, text.len);
    len = log_is_digit(text.ptr[0]) ? log_time_take_iso(text, reading, ret_time)
                                    : log_time_take_bsd(text, reading, ret_time);
    return len == 0 ? 0 : len + 4;
}

/* "25-Nov-2026 22:41:06.123" and "25/Nov/2026:22:41:06 +0700" */
static size_t day_first_take(struct str text, const struct log_reading *reading, int64_t *ret_time)
{
    struct moment moment = {.offset = OFFSET_LOCAL};
    size_t len = sizeof("25-Nov-2026 22:41:06") - 1;

    if (text.len < len || (text.ptr[2] != '-' && text.ptr[2] != '/') ||
        text.ptr[6] != text.ptr[2] || (text.ptr[11] != ' ' && text.ptr[11] != ':') ||
        !two_digits(text.ptr, &moment.day) || !four_digits(text.ptr + 7, &moment.year) ||
        !clock_read(text.ptr + 12, &moment.of_day)) {
        return 0;
    }
    moment.month = month_read(text.ptr + 3);
    len += fraction_take(str_slice(text, len, text.len), &moment.fraction);
    len += zone_take(str_slice(text, len, text.len), &moment.offset);
    return moment_give(&moment, reading, ret_time) ? len : 0;
}

/* "261125 22:41:06" and "261125  8:41:06" of MariaDB's general log */
static size_t short_take(struct str text, const struct log_reading *reading, int64_t *ret_time)
{
    struct moment moment = {.offset = OFFSET_LOCAL};
    size_t len = sizeof("261125 22:41:06") - 1;

    if (text.len < len || text.ptr[6] != ' ' || !two_digits(text.ptr, &moment.year) ||
        !two_digits(text.ptr + 2, &moment.month) || !two_digits(text.ptr + 4, &moment.day) ||
        !clock_read(text.ptr + 7, &moment.of_day)) {
        return 0;
    }
    moment.year += 2000;
    return moment_give(&moment, reading, ret_time) ? len : 0;
}

static size_t epoch_take(struct str text, int64_t *ret_time)
{
    int64_t seconds = 0;
    int64_t fraction = 0;
    size_t at = 0;

    for (; at < text.len && at < EPOCH_DIGITS && log_is_digit(text.ptr[at]); at++) {
        seconds = seconds * 10 + (text.ptr[at] - '0');
    }
    if (at != EPOCH_DIGITS || seconds >= INT64_MAX / NS_PER_S ||
        (at < text.len && log_is_digit(text.ptr[at]))) {
        return 0;
    }
    at += fraction_take(str_slice(text, at, text.len), &fraction);
    *ret_time = seconds * NS_PER_S + fraction;
    return at;
}

size_t log_time_take(struct str text, const struct log_reading *reading, int64_t *ret_time)
{
    size_t len;

    if (text.len < EPOCH_DIGITS) {
        return 0;
    }
    if (!log_is_digit(text.ptr[0])) {
        len = log_time_take_bsd(text, reading, ret_time);
        return len != 0 ? len : weekday_take(text, reading, ret_time);
    }
    if (text.ptr[4] == '-' || text.ptr[4] == '/') {
        return log_time_take_iso(text, reading, ret_time);
    }
    if (text.ptr[2] == '-' || text.ptr[2] == '/') {
        return day_first_take(text, reading, ret_time);
    }
    len = short_take(text, reading, ret_time);
    return len != 0 ? len : epoch_take(text, ret_time);
}
