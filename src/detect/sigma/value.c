/* Numbers, networks and parts of a time: see detect/sigma/value.h. */
#include "detect/sigma/value.h"

#include "base/banned.h"
#include "base/time.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX   64
#define EXACT_MAX    9007199254740992.0 /* 2^53: past it two whole numbers may be one double */
#define SHORT_DIGITS 15

static size_t digits(struct str text, size_t at)
{
    size_t count = 0;

    while (at + count < text.len && text.ptr[at + count] >= '0' && text.ptr[at + count] <= '9') {
        count++;
    }
    return count;
}

/* Whether all of text is [+-] digits [. digits] [e [+-] digits]. */
static bool is_number(struct str text)
{
    size_t at = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+') ? 1 : 0;
    size_t count = digits(text, at);

    if (count == 0) {
        return false;
    }
    at += count;
    if (at < text.len && text.ptr[at] == '.') {
        count = digits(text, at + 1);
        if (count == 0) {
            return false;
        }
        at += 1 + count;
    }
    if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
        at++;
        at += at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+') ? 1 : 0;
        count = digits(text, at);
        return count != 0 && at + count == text.len;
    }
    return at == text.len;
}

bool sigma_value_number(struct str text, double *ret_number)
{
    char copy[NUMBER_MAX + 1];

    if (text.len == 0 || text.len > NUMBER_MAX) {
        return false;
    }
    if (text.len <= SHORT_DIGITS && digits(text, 0) == text.len) {
        double number = 0;

        for (size_t i = 0; i < text.len; i++) {
            number = number * 10 + (text.ptr[i] - '0');
        }
        *ret_number = number;
        return true;
    }
    if (!is_number(text)) {
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *ret_number = strtod(copy, NULL);
    return true;
}

static bool cidr_holds(const struct sigma_atom *atom, struct str text)
{
    uint8_t address[16];

    return network_address(text, address) && network_holds(&atom->network, address);
}

static bool number_holds(const struct sigma_atom *atom, struct str text)
{
    double number;

    if (!sigma_value_number(text, &number)) {
        return str_is_nocase(text, atom->text);
    }
    if (fabs(number) >= EXACT_MAX || fabs(atom->number) >= EXACT_MAX) {
        return str_is(text, atom->text);
    }
    return number == atom->number;
}

static bool compare_holds(const struct sigma_atom *atom, struct str text)
{
    double number;

    if (!sigma_value_number(text, &number)) {
        return false;
    }
    switch (atom->order) {
    case SIGMA_ORDER_LT:
        return number < atom->number;
    case SIGMA_ORDER_LTE:
        return number <= atom->number;
    case SIGMA_ORDER_GT:
        return number > atom->number;
    case SIGMA_ORDER_GTE:
        return number >= atom->number;
    }
    return false;
}

/* RFC 3339, the same with a blank for T and without a zone (Sysmon's UtcTime), or nanoseconds. */
static bool value_time(struct str text, int64_t *ret_time)
{
    char copy[TIME_TEXT_SIZE];

    if (str_to_i64(text, ret_time) == 0) {
        return true;
    }
    if (text.len < 19 || text.len + 1 >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    if (copy[10] == ' ') {
        copy[10] = 'T';
    }
    if (time_parse(str_of(copy, text.len), ret_time) == 0) {
        return true;
    }
    copy[text.len] = 'Z';
    return time_parse(str_of(copy, text.len + 1), ret_time) == 0;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

struct moment {
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int weekday;  /* from Monday, 0 */
    int year_day; /* from the first of January, 0 */
};

/* Not gmtime_r: it opens the zone's file, which processes without rights are killed for. */
static void moment_of(int64_t wall, struct moment *ret_moment)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    const int64_t day_ns = 86400 * NS_PER_S;
    int64_t days = wall / day_ns - (wall % day_ns < 0);
    char text[TIME_TEXT_SIZE];
    struct moment moment = {.weekday = (int)(((days + 3) % 7 + 7) % 7)};

    time_format_utc(wall, text);
    moment.year =
        (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
    moment.month = (text[5] - '0') * 10 + (text[6] - '0');
    moment.day = (text[8] - '0') * 10 + (text[9] - '0');
    moment.hour = (text[11] - '0') * 10 + (text[12] - '0');
    moment.minute = (text[14] - '0') * 10 + (text[15] - '0');
    moment.year_day =
        before[moment.month - 1] + moment.day - 1 + (moment.month > 2 && is_leap(moment.year));
    *ret_moment = moment;
}

/* ISO 8601: the week of a day is the one that its Thursday is in. */
static int iso_week(const struct moment *moment)
{
    int thursday = moment->year_day - moment->weekday + 3;

    if (thursday < 0) {
        thursday += is_leap(moment->year - 1) ? 366 : 365;
    } else if (thursday >= (is_leap(moment->year) ? 366 : 365)) {
        thursday -= is_leap(moment->year) ? 366 : 365;
    }
    return thursday / 7 + 1;
}

static bool time_holds(const struct sigma_atom *atom, struct str text)
{
    struct moment moment;
    int64_t wall;

    if (!value_time(text, &wall)) {
        return false;
    }
    moment_of(wall, &moment);
    switch (atom->clock) {
    case SIGMA_CLOCK_MINUTE:
        return moment.minute == atom->number;
    case SIGMA_CLOCK_HOUR:
        return moment.hour == atom->number;
    case SIGMA_CLOCK_DAY:
        return moment.day == atom->number;
    case SIGMA_CLOCK_WEEK:
        return iso_week(&moment) == atom->number;
    case SIGMA_CLOCK_MONTH:
        return moment.month == atom->number;
    case SIGMA_CLOCK_YEAR:
        return moment.year == atom->number;
    }
    return false;
}

bool sigma_value_holds(const struct sigma_atom *atom, struct str text)
{
    if (atom->match == SIGMA_MATCH_NUMBER) {
        return number_holds(atom, text);
    }
    if (atom->match == SIGMA_MATCH_CIDR) {
        return cidr_holds(atom, text);
    }
    if (atom->match == SIGMA_MATCH_COMPARE) {
        return compare_holds(atom, text);
    }
    return atom->match == SIGMA_MATCH_TIME && time_holds(atom, text);
}

bool sigma_value_affix(enum sigma_affix affix, struct str a, struct str b)
{
    switch (affix) {
    case SIGMA_AFFIX_START:
        return str_has_prefix(a, b);
    case SIGMA_AFFIX_END:
        return str_has_suffix(a, b);
    case SIGMA_AFFIX_INSIDE:
        return b.len == 0 || str_find(a, b) != a.len;
    case SIGMA_AFFIX_WHOLE:
        break;
    }
    return str_is(a, b);
}
