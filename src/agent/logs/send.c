/* An entry as an event for the outlet. Neighbours: logs/follow.c before, agent/follower.h behind.
 */
#include "agent/logs/private.h"
#include "base/banned.h"
#include "base/time.h"

static void logs_fill(const struct log_source *source, const struct entry *entry,
                      const struct position *position, struct event *event)
{
    event_init(event, EVENT_KIND_LOG, entry->time != 0 ? entry->time : clock_wall(&clock_real));
    (void)event_add_text(event, EVENT_FIELD_EVENT_ORIGINAL,
                         str_slice(entry->raw, 0, FOLLOWER_RAW_MAX));
    (void)event_add_text(event, EVENT_FIELD_EVENT_MODULE, str_from(source->format->name));
    (void)event_add_text(event, EVENT_FIELD_LOG_FILE_PATH, str_from(source->path));
    (void)event_add_number(event, EVENT_FIELD_LOG_OFFSET, (int64_t)position->offset);
    if (source->format->has_head) {
        (void)event_add_text(event, EVENT_FIELD_LOG_HEAD, str_of(source->head, source->head_len));
    }
}

int logs_send(struct logs *logs, const struct log_source *source, struct log_file *file,
              const struct entry *entry, const struct position *position)
{
    struct event event;

    logs_fill(source, entry, position, &event);
    return follower_put(&logs->follower, &event, position, &file->position);
}

int logs_flush(struct logs *logs, struct log_file *file)
{
    return follower_flush(&logs->follower, &file->position);
}
