/* Time as one number: nanoseconds since 1970-01-01 UTC for what people read (wall), nanoseconds
 * since boot for what is measured (mono). The clock is a port, so that tests and replays bring
 * their own. */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

#define NS_PER_US 1000LL
#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

struct clock {
    int64_t (*wall)(void *context); /* ns since 1970 UTC; may jump */
    int64_t (*mono)(void *context); /* ns since boot; never goes back */
    void *context;
};

extern const struct clock clock_real;

int64_t clock_wall(const struct clock *clock);
int64_t clock_mono(const struct clock *clock);

#define TIME_TEXT_SIZE 40

/* RFC 3339 with milliseconds, in UTC: 2026-11-23T19:30:44.123Z. Writes at most TIME_TEXT_SIZE
 * bytes. */
void time_format_utc(int64_t wall_ns, char out[TIME_TEXT_SIZE]);
/* The same at a fixed offset in seconds east of UTC: Viet Nam is 25200, written +07:00. */
void time_format_offset(int64_t wall_ns, int32_t offset_s, char out[TIME_TEXT_SIZE]);
/* RFC 3339 with Z or an offset and up to nine decimals. -ERR_SYNTAX, -ERR_RANGE. */
[[nodiscard]] int time_parse(struct str text, int64_t *ret_wall_ns);
/* Days since 1970-01-01 of a date whose month is 1 … 12, and the year that a moment lies in, UTC:
 * for readers of other forms of time. */
int64_t time_days(int64_t year, unsigned month, unsigned day);
int64_t time_year(int64_t wall_ns);

#endif
