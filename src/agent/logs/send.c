/* Entries as records for the outlet, as many in a message as fit. Neighbours: logs/follow.c before,
 * agent/link.c behind. */
#include "agent/logs/private.h"
#include "agent/protocol.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"
#include "model/record.h"
#include "sys/channel.h"

#define RAW_MAX    (48U << 10) /* of an entry; with its path it fits a record */
#define PLACE_ROOM 128         /* of what stands around the records of a message */

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

int logs_send(struct logs *logs, const struct log_source *source, struct log_file *file,
              const struct entry *entry, const struct position *position)
{
    struct record record = {.kind = RECORD_KIND_EVENT};
    int r = 0;

    logs_fill(source, entry, position, &record.event);
    buf_reset(&logs->record);
    record_encode(&record, &logs->record);
    if (buf_error(&logs->record) < 0) {
        return buf_error(&logs->record);
    }
    if (logs->waiting != 0 && logs->msg.len + logs->record.len > MSG_SIZE_MAX - PLACE_ROOM) {
        r = logs_flush(logs, file);
    }
    if (r < 0) {
        return r;
    }
    if (logs->waiting++ == 0) {
        msg_begin(&logs->msg, AGENT_MESSAGE_LOG);
        msg_put_u64(&logs->msg, outbox_number(&logs->numbers));
    } else {
        (void)outbox_number(&logs->numbers);
    }
    msg_put_u32(&logs->msg, 1);
    msg_put_str(&logs->msg, buf_str(&logs->record));
    logs->behind = *position;
    return 0;
}

int logs_flush(struct logs *logs, struct log_file *file)
{
    const struct position *position = &logs->behind;
    int r;

    if (logs->waiting == 0) {
        return 0;
    }
    msg_put_u32(&logs->msg, 0);
    msg_put_u64(&logs->msg, position->log);
    msg_put_u64(&logs->msg, position->dev);
    msg_put_u64(&logs->msg, position->ino);
    msg_put_u64(&logs->msg, position->offset);
    msg_put_u64(&logs->msg, position->mark);
    logs->waiting = 0;
    r = msg_end(&logs->msg);
    r = r < 0 ? r : channel_send(logs->config->outlet, &logs->msg, NULL, 0);
    if (r == 0) {
        file->position = *position;
    }
    return r;
}
