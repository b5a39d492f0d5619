/* See receiver/queue.h. */
#include "centre/receiver/queue.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "centre/receiver/body.h"

#include <assert.h>

#define ENTRY_OVERHEAD 96 /* tags, numbers and lengths of an entry, and the batch's end */
#define ENTRY_NAMES                                                                                \
    (RECEIVER_VIA_MAX + RECEIVER_HOST_MAX + RECEIVER_FORMAT_MAX + RECEIVER_SOURCE_MAX)
#define READING_MAX (64U << 10) /* bytes that streams and posts hand on in a turn */

/* The shortest entries are a byte and its newline. */
static_assert(READING_MAX / 2 * (ENTRY_OVERHEAD + ENTRY_NAMES + 1) <= RECEIVER_QUEUE_SPARE);
static_assert(RECEIVER_TURN_BYTES <= READING_MAX && POST_TURN <= READING_MAX);

void receiver_queue_init(struct receiver_queue *queue, size_t max, uint64_t life,
                         const struct clock *clock)
{
    queue->clock = clock;
    queue->life = life;
    queue->max = max;
    queue->size = 0;
    queue->number = 1;
    queue->durable = 0;
    queue->filled = 0;
    queue->cut = 0;
    list_init(&queue->batches);
    queue->next = &queue->batches;
}

static void queue_drop(struct receiver_queue *queue, struct receiver_batch *batch)
{
    if (queue->next == &batch->node) {
        queue->next = batch->node.next;
    }
    list_remove(&batch->node);
    queue->size -= batch->len;
    mem_free(batch);
}

void receiver_queue_done(struct receiver_queue *queue)
{
    LIST_EACH (node, &queue->batches) {
        queue_drop(queue, LIST_ENTRY(node, struct receiver_batch, node));
    }
}

size_t receiver_queue_kept(const struct receiver_queue *queue)
{
    return queue->size + (queue->filled != 0 ? queue->filling.len : 0);
}

bool receiver_queue_has_room(const struct receiver_queue *queue)
{
    return receiver_queue_kept(queue) < queue->max;
}

uint64_t receiver_queue_last(const struct receiver_queue *queue)
{
    return queue->filled != 0 ? queue->number : queue->number - 1;
}

int receiver_queue_close(struct receiver_queue *queue)
{
    struct receiver_batch *batch;

    if (queue->filled == 0) {
        return 0;
    }
    batch = mem_alloc(1, sizeof(*batch) + queue->filling.len + ENTRY_OVERHEAD);
    if (batch == NULL) {
        return -ERR_NOMEM;
    }
    msg_put_u32(&queue->filling, 0);
    batch->number = queue->number++;
    batch->entries = queue->filled;
    batch->len = queue->filling.len;
    memcpy(batch->bytes, queue->filling.bytes, batch->len);
    queue->filled = 0;
    queue->size += batch->len;
    list_append(&queue->batches, &batch->node);
    if (queue->next == &queue->batches) {
        queue->next = &batch->node;
    }
    return 0;
}

static void queue_begin(struct receiver_queue *queue)
{
    msg_begin(&queue->filling, RECEIVER_MESSAGE_ENTRIES);
    msg_put_u64(&queue->filling, queue->life);
    msg_put_u64(&queue->filling, queue->number);
}

/* Room for so many bytes in the batch that is filled. */
static int queue_make_room(struct receiver_queue *queue, size_t size)
{
    int r = 0;

    if (queue->filled != 0 && queue->filling.len + size > MSG_SIZE_MAX) {
        r = receiver_queue_close(queue);
    }
    if (r == 0 && queue->filled == 0) {
        queue_begin(queue);
    }
    return r;
}

int receiver_put(struct receiver_queue *queue, const struct receiver_entry *entry)
{
    struct str via = str_slice(entry->via, 0, RECEIVER_VIA_MAX);
    struct str host = str_slice(entry->host, 0, RECEIVER_HOST_MAX);
    struct str format = str_slice(entry->format, 0, RECEIVER_FORMAT_MAX);
    struct str source = str_slice(entry->source, 0, RECEIVER_SOURCE_MAX);
    struct str raw = str_slice(entry->raw, 0, RECEIVER_ENTRY_MAX);
    size_t size = via.len + host.len + format.len + source.len + raw.len + ENTRY_OVERHEAD;
    bool is_cut = entry->is_cut || raw.len < entry->raw.len;
    bool is_posted = entry->post != 0;
    int r;

    if (raw.len == 0) {
        return 0;
    }
    if (receiver_queue_kept(queue) + size > queue->max + RECEIVER_QUEUE_SPARE) {
        return -ERR_FULL;
    }
    r = queue_make_room(queue, size);
    if (r < 0) {
        return r;
    }
    queue->filled++;
    queue->cut += is_cut;
    msg_put_u32(&queue->filling, (is_cut ? RECEIVER_MARK_CUT : RECEIVER_MARK_ENTRY) |
                                     (is_posted          ? RECEIVER_MARK_POSTED
                                      : entry->hash != 0 ? RECEIVER_MARK_ONCE
                                                         : 0U));
    msg_put_str(&queue->filling, via);
    msg_put_str(&queue->filling, host);
    msg_put_str(&queue->filling, format);
    msg_put_str(&queue->filling, source);
    msg_put_i64(&queue->filling, entry->arrival != 0 ? entry->arrival : clock_wall(queue->clock));
    msg_put_i64(&queue->filling, entry->time);
    if (is_posted) {
        msg_put_u64(&queue->filling, entry->post);
    }
    if (is_posted || entry->hash != 0) {
        msg_put_u64(&queue->filling, entry->hash);
    }
    msg_put_str(&queue->filling, raw);
    return 0;
}

void receiver_put_told(struct receiver_queue *queue, uint64_t post)
{
    if (queue_make_room(queue, ENTRY_OVERHEAD) == 0) {
        queue->filled++;
        msg_put_u32(&queue->filling, RECEIVER_MARK_TOLD);
        msg_put_u64(&queue->filling, post);
    }
}

bool receiver_queue_next(const struct receiver_queue *queue, struct msg_writer *ret_msg)
{
    const struct receiver_batch *batch;

    if (queue->next == &queue->batches) {
        return false;
    }
    batch = LIST_ENTRY(queue->next, struct receiver_batch, node);
    ret_msg->error = 0;
    ret_msg->len = batch->len;
    memcpy(ret_msg->bytes, batch->bytes, batch->len);
    return true;
}

void receiver_queue_sent(struct receiver_queue *queue)
{
    if (queue->next != &queue->batches) {
        queue->next = queue->next->next;
    }
}

void receiver_queue_durable(struct receiver_queue *queue, uint64_t number)
{
    LIST_EACH (node, &queue->batches) {
        struct receiver_batch *batch = LIST_ENTRY(node, struct receiver_batch, node);

        if (batch->number > number) {
            break;
        }
        queue->durable = batch->number;
        queue_drop(queue, batch);
    }
}

void receiver_queue_rewind(struct receiver_queue *queue)
{
    queue->next = queue->batches.next;
}
