/* What an entry says of itself: see receiver/private.h. The rest of it is read where it is judged.
 */
#include "base/banned.h"
#include "base/time.h"
#include "centre/receiver/private.h"
#include "codec/syslog.h"

#define LOCAL_S  (7 * 3600) /* Viet Nam's zone */
#define LOCAL_NS (LOCAL_S * NS_PER_S)
#define AHEAD_NS (300 * NS_PER_S) /* of a clock of UTC; more than that is another zone's */

/* local: with the zone that it does not name taken for Viet Nam's. One that names its zone is the
 * same in any. */
static int64_t say_time(struct str raw, int64_t now, int64_t local)
{
    const struct log_reading reading = {.around = now};
    struct syslog_line line = {.priority = -1};

    if (local == 0 || local > now - LOCAL_NS + AHEAD_NS) {
        return local; /* in UTC it would lie ahead */
    }
    (void)syslog_parse(raw, &reading, &line);
    return line.time;
}

void receiver_say(struct receiver_entry *entry, int64_t now)
{
    const struct log_reading reading = {.around = now, .zone = LOCAL_S};
    struct syslog_line line = {.priority = -1};

    if (entry->raw.len != 0 && entry->raw.ptr[0] == '{') { /* JSON as it is, over syslog's ports */
        entry->format = STR("ndjson");
        return;
    }
    entry->format = STR("syslog");
    (void)syslog_parse(entry->raw, &reading, &line);
    entry->host = line.host;
    entry->source = line.priority >= 0 ? syslog_facility(line.priority) : line.program;
    entry->time = say_time(entry->raw, now, line.time);
}
