/* A queue of whole messages. */
#include "agent/outbox.h"

#include "agent/protocol.h"
#include "base/banned.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "sys/channel.h"

struct outbox_item {
    struct list link;
    struct msg_writer msg;
};

void outbox_init(struct outbox *outbox, int channel, size_t limit)
{
    *outbox = (struct outbox){.channel = channel, .limit = limit};
    list_init(&outbox->waiting);
}

void outbox_done(struct outbox *outbox)
{
    LIST_EACH (node, &outbox->waiting) {
        list_remove(node);
        mem_free(LIST_ENTRY(node, struct outbox_item, link));
    }
}

static void outbox_ask(struct outbox *outbox, bool is_wanted)
{
    if (outbox->source != NULL) {
        (void)!loop_source_set_events(outbox->source,
                                      is_wanted ? LOOP_READ | LOOP_WRITE : LOOP_READ);
    }
}

static size_t outbox_item_size(const struct msg_writer *msg)
{
    return offsetof(struct outbox_item, msg) + offsetof(struct msg_writer, bytes) + msg->len;
}

static void outbox_keep(struct outbox *outbox, const struct msg_writer *msg)
{
    size_t size = outbox_item_size(msg);
    struct outbox_item *item = NULL;

    if (outbox->bytes + size <= outbox->limit) {
        item = mem_alloc(1, size); /* only as much of the writer as is filled */
    }
    if (item == NULL) {
        outbox->dropped++;
        return;
    }
    memcpy(&item->msg, msg, size - offsetof(struct outbox_item, msg));
    list_append(&outbox->waiting, &item->link);
    outbox->bytes += size;
    outbox_ask(outbox, true);
}

void outbox_send(struct outbox *outbox, const struct msg_writer *msg)
{
    int r;

    if (msg_end(msg) < 0) {
        outbox->dropped++;
        return;
    }
    r = list_is_empty(&outbox->waiting) ? channel_send(outbox->channel, msg, NULL, 0) : -ERR_AGAIN;
    if (r == -ERR_AGAIN) {
        outbox_keep(outbox, msg);
    } else if (r < 0) {
        outbox->dropped++;
    }
}

void outbox_flush(struct outbox *outbox)
{
    while (!list_is_empty(&outbox->waiting)) {
        struct outbox_item *item = LIST_ENTRY(outbox->waiting.next, struct outbox_item, link);
        int r = channel_send(outbox->channel, &item->msg, NULL, 0);

        if (r == -ERR_AGAIN) {
            return;
        }
        outbox->dropped += r < 0 ? 1 : 0;
        outbox->bytes -= outbox_item_size(&item->msg);
        list_remove(&item->link);
        mem_free(item);
    }
    outbox_ask(outbox, false);
}

void outbox_send_record(struct outbox *outbox, const struct record *record)
{
    struct record shorter = *record;
    struct msg_writer *msg = mem_alloc(1, sizeof(*msg));
    struct buf buf;

    buf_init(&buf, RECORD_SIZE_MAX);
    record_encode(&shorter, &buf);
    while (buf_error(&buf) == -ERR_LIMIT && shorter.kind == RECORD_KIND_FINDING &&
           shorter.finding.file_count != 0) {
        shorter.finding.file_count /= 2;
        buf_reset(&buf);
        record_encode(&shorter, &buf);
    }
    if (msg == NULL || buf_error(&buf) != 0) {
        outbox->dropped++;
    } else {
        msg_begin(msg, AGENT_MESSAGE_RECORD);
        msg_put_str(msg, buf_str(&buf));
        outbox_send(outbox, msg);
    }
    mem_free(msg);
    buf_done(&buf);
}
