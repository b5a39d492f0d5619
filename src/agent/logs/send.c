/* An entry as a record for the outlet. Neighbours: logs/follow.c before, agent/link.c behind. */
#include "agent/logs/private.h"
#include "agent/protocol.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"
#include "model/record.h"
#include "sys/channel.h"

#define RAW_MAX (48U << 10) /* of an entry; with its path it fits a record */

static void logs_fill(const struct log_source *source, const struct entry *entry,
                      const struct position *position, struct event *event)
{
    event_init(event, EVENT_KIND_LOG, entry->time != 0 ? entry->time : clock_wall(&clock_real));
    (void)event_add_text(event, EVENT_FIELD_EVENT_ORIGINAL, str_slice(entry->raw, 0, RAW_MAX));
    (void)event_add_text(event, EVENT_FIELD_EVENT_MODULE, str_from(source->format->name));
    (void)event_add_text(event, EVENT_FIELD_LOG_FILE_PATH, str_from(source->path));
    (void)event_add_number(event, EVENT_FIELD_LOG_OFFSET, (int64_t)position->offset);
    if (source->format->has_head) {
        (void)event_add_text(event, EVENT_FIELD_LOG_HEAD, str_of(source->head, source->head_len));
    }
}

int logs_send(struct logs *logs, const struct log_source *source, const struct entry *entry,
              const struct position *position)
{
    struct record record = {.kind = RECORD_KIND_EVENT};
    int r;

    logs_fill(source, entry, position, &record.event);
    buf_reset(&logs->record);
    record_encode(&record, &logs->record);
    r = buf_error(&logs->record);
    if (r < 0) {
        return r;
    }
    msg_begin(&logs->msg, AGENT_MESSAGE_LOG);
    msg_put_u64(&logs->msg, outbox_number(&logs->numbers));
    msg_put_str(&logs->msg, buf_str(&logs->record));
    msg_put_u64(&logs->msg, position->log);
    msg_put_u64(&logs->msg, position->dev);
    msg_put_u64(&logs->msg, position->ino);
    msg_put_u64(&logs->msg, position->offset);
    msg_put_u64(&logs->msg, position->mark);
    r = msg_end(&logs->msg);
    return r < 0 ? r : channel_send(logs->config->outlet, &logs->msg, NULL, 0);
}
