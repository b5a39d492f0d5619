/* Times as logs write them, taken from the front of a text: RFC 3164 (no year, no zone), RFC 3339
 * and its kin, and the shapes of servers that keep a file of their own. Pure; no locale. */
#ifndef CODEC_LOG_TIME_H
#define CODEC_LOG_TIME_H

#include "codec/logs.h"

/* Each gives how many bytes the time has, 0 when there is none (*ret_time is then untouched). What
 * the text does not say, year or zone, comes from the reading. */

/* "Nov 25 22:41:06", also with thousandths, with a year behind or before the clock. */
size_t log_time_take_bsd(struct str text, const struct log_reading *reading, int64_t *ret_time);
/* "2026-11-25T22:41:06.123456+07:00", also with a space or a slash, a comma, and no zone. */
size_t log_time_take_iso(struct str text, const struct log_reading *reading, int64_t *ret_time);
/* Any of them, and "Wed Nov 25 22:41:06.123 2026", "25-Nov-2026 22:41:06.123",
 * "25/Nov/2026:22:41:06 +0700", "261125 22:41:06", "1764085266.123". */
size_t log_time_take(struct str text, const struct log_reading *reading, int64_t *ret_time);

#endif
