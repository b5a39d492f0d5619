/* What an entry says of itself: see receiver/private.h. The rest of it is read where it is judged.
 */
#include "base/banned.h"
#include "centre/receiver/private.h"
#include "codec/syslog.h"

void receiver_say(struct receiver_entry *entry, int64_t now)
{
    static struct log_reading reading; /* only zone and around of it are heeded */
    struct syslog_line line = {.priority = -1};

    if (entry->raw.len != 0 && entry->raw.ptr[0] == '{') { /* JSON as it is, over syslog's ports */
        entry->format = STR("ndjson");
        return;
    }
    entry->format = STR("syslog");
    reading.around = now;
    (void)syslog_parse(entry->raw, &reading, &line);
    entry->host = line.host;
    entry->source = line.priority >= 0 ? syslog_facility(line.priority) : line.program;
}
