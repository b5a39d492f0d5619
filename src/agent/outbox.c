/* A queue of whole messages. */
#include "agent/outbox.h"

#include "agent/protocol.h"
#include "base/banned.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "sys/channel.h"

struct outbox_item {
    struct list link;
    bool may_go; /* gives way to what is dearer */
    struct msg_writer msg;
};

void outbox_init(struct outbox *outbox, int channel, size_t limit, struct outbox_counts *counts)
{
    *outbox = (struct outbox){.channel = channel, .limit = limit};
    list_init(&outbox->waiting);
    outbox->counts = counts != NULL ? counts : &outbox->own;
    atomic_fetch_add(&outbox->counts->dropped, atomic_exchange(&outbox->counts->waiting, 0));
    /* above all that a process before us gave: none sends a message a nanosecond */
    outbox->number = (uint64_t)clock_mono(&clock_real);
}

void outbox_done(struct outbox *outbox)
{
    LIST_EACH (node, &outbox->waiting) {
        list_remove(node);
        mem_free(LIST_ENTRY(node, struct outbox_item, link));
    }
}

uint64_t outbox_number(struct outbox *outbox)
{
    return ++outbox->number;
}

uint64_t outbox_dropped(const struct outbox *outbox)
{
    return atomic_load(&outbox->counts->dropped);
}

static void outbox_count_dropped(struct outbox *outbox)
{
    atomic_fetch_add(&outbox->counts->dropped, 1);
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

static void outbox_forget(struct outbox *outbox, struct outbox_item *item)
{
    outbox->bytes -= outbox_item_size(&item->msg);
    list_remove(&item->link);
    mem_free(item);
    atomic_fetch_sub(&outbox->counts->waiting, 1);
}

static bool outbox_evict(struct outbox *outbox)
{
    LIST_EACH (node, &outbox->waiting) {
        struct outbox_item *item = LIST_ENTRY(node, struct outbox_item, link);

        if (item->may_go) {
            outbox_forget(outbox, item);
            outbox_count_dropped(outbox);
            return true;
        }
    }
    return false;
}

static void outbox_keep(struct outbox *outbox, const struct msg_writer *msg, bool may_go)
{
    size_t size = outbox_item_size(msg);
    struct outbox_item *item = NULL;

    while (outbox->bytes + size > outbox->limit && !may_go && outbox_evict(outbox)) {
        /* until it fits or nothing more gives way */
    }
    if (outbox->bytes + size <= outbox->limit) {
        item = mem_alloc(1, size); /* only as much of the writer as is filled */
    }
    if (item == NULL) {
        outbox_count_dropped(outbox);
        return;
    }
    item->may_go = may_go;
    memcpy(&item->msg, msg, size - offsetof(struct outbox_item, msg));
    list_append(&outbox->waiting, &item->link);
    outbox->bytes += size;
    atomic_fetch_add(&outbox->counts->waiting, 1);
    outbox_ask(outbox, true);
}

static void outbox_put(struct outbox *outbox, const struct msg_writer *msg, bool may_go)
{
    int r;

    if (msg_end(msg) < 0) {
        outbox_count_dropped(outbox);
        return;
    }
    r = list_is_empty(&outbox->waiting) ? channel_send(outbox->channel, msg, NULL, 0) : -ERR_AGAIN;
    if (r == -ERR_AGAIN) {
        outbox_keep(outbox, msg, may_go);
    } else if (r < 0) {
        outbox_count_dropped(outbox);
    }
}

void outbox_send(struct outbox *outbox, const struct msg_writer *msg)
{
    outbox_put(outbox, msg, false);
}

void outbox_flush(struct outbox *outbox)
{
    while (!list_is_empty(&outbox->waiting)) {
        struct outbox_item *item = LIST_ENTRY(outbox->waiting.next, struct outbox_item, link);
        int r = channel_send(outbox->channel, &item->msg, NULL, 0);

        if (r == -ERR_AGAIN) {
            return;
        }
        if (r < 0) {
            outbox_count_dropped(outbox);
        }
        outbox_forget(outbox, item);
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
        outbox_count_dropped(outbox);
    } else {
        msg_begin(msg, AGENT_MESSAGE_RECORD);
        msg_put_u64(msg, outbox_number(outbox));
        msg_put_str(msg, buf_str(&buf));
        outbox_put(outbox, msg,
                   record->kind == RECORD_KIND_EVENT || record->kind == RECORD_KIND_STATUS);
    }
    mem_free(msg);
    buf_done(&buf);
}
