/* See core/taken.h. Entries of a post that follow one another make one row. Neighbours:
 * core/receive.c hands in what batches say, store/taken.h keeps it. */
#include "centre/core/taken.h"

#include "base/banned.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "centre/core/private.h"
#include "centre/receiver.h"
#include "store/taken.h"

#define ROW_MAX (32U << 10) /* bytes of hashes in one row, and so in one message */
#define EXPIRE  (10 * NS_PER_S)

struct core_taken {
    struct core *core;
    uint64_t post; /* of which hashes wait to be written */
    struct buf hashes;
    int64_t expired;         /* monotonic; when that was last seen to */
    uint64_t life;           /* of the receiver that is told */
    uint64_t told_count;     /* rows that it was told of … */
    struct store_taken told; /* … and the last one */
    struct msg_writer msg;
};

int core_taken_new(struct core *core, struct core_taken **ret_taken)
{
    struct core_taken *taken = mem_alloc(1, sizeof(*taken));

    if (taken == NULL) {
        return -ERR_NOMEM;
    }
    taken->core = core;
    taken->expired = clock_mono(core->options.clock) - EXPIRE;
    buf_init(&taken->hashes, ROW_MAX);
    *ret_taken = taken;
    return 0;
}

void core_taken_free(struct core_taken *taken)
{
    if (taken != NULL) {
        buf_done(&taken->hashes);
        mem_free(taken);
    }
}

static int taken_flush(struct core_taken *taken)
{
    int r;

    if (taken->hashes.len == 0) {
        return 0;
    }
    r = store_taken_add(taken->core->options.store, taken->post, buf_str(&taken->hashes));
    buf_reset(&taken->hashes);
    return r;
}

/* A receiver in other hands may say any number: the store's end at INT64_MAX. */
static uint64_t taken_number(uint64_t post)
{
    return post & INT64_MAX;
}

int core_taken_add(struct core_taken *taken, uint64_t post, uint64_t hash)
{
    int r = 0;

    post = taken_number(post);
    if (post != taken->post || !buf_has_room(&taken->hashes, sizeof(hash))) {
        r = taken_flush(taken);
    }
    taken->post = post;
    return r < 0 ? r : buf_put(&taken->hashes, &hash, sizeof(hash));
}

int core_taken_forget(struct core_taken *taken, uint64_t post)
{
    int r = taken_flush(taken);

    return r < 0 ? r : store_taken_forget(taken->core->options.store, taken_number(post));
}

int core_taken_write(struct core_taken *taken)
{
    const struct clock *clock = taken->core->options.clock;
    int64_t now = clock_wall(clock);
    int r = taken_flush(taken);

    if (r < 0 || clock_mono(clock) - taken->expired < EXPIRE) {
        return r;
    }
    taken->expired = clock_mono(clock);
    return store_taken_expire(taken->core->options.store, now - TAKEN_KEPT, now + TAKEN_KEPT,
                              TAKEN_SIZE_MAX);
}

void core_taken_reset(struct core_taken *taken)
{
    buf_reset(&taken->hashes);
}

void core_taken_begin(struct core_taken *taken, uint64_t life)
{
    taken->life = life;
    taken->told_count = 0;
    taken->told = (struct store_taken){0};
}

static void taken_begin_message(struct core_taken *taken, enum receiver_message type)
{
    msg_begin(&taken->msg, (uint16_t)type);
    msg_put_u64(&taken->msg, taken->life);
    msg_put_u64(&taken->msg, taken->told_count);
}

/* 1: that was all. */
static int taken_tell_next(struct core_taken *taken)
{
    struct core *core = taken->core;
    int64_t now = clock_wall(core->options.clock);
    struct store_taken row = taken->told;
    int r;

    arena_reset(core->arena);
    r = store_taken_next(core->options.store, core->arena, &row);
    if (r < 0) {
        return r == -ERR_NOENT ? 1 : r;
    }
    if (row.time >= now - TAKEN_KEPT && row.time <= now + TAKEN_KEPT) {
        taken_begin_message(taken, RECEIVER_MESSAGE_KNOWN);
        msg_put_u64(&taken->msg, row.post);
        msg_put_str(&taken->msg, row.hashes);
        r = channel_send(core->options.channels.receiver, &taken->msg, NULL, 0);
        taken->told_count += r == 0;
    }
    if (r == 0) {
        taken->told = row;
        taken->told.hashes = STR("");
    }
    return r;
}

int core_taken_tell(struct core_taken *taken, uint64_t seed)
{
    int r;

    do {
        r = taken_tell_next(taken);
    } while (r == 0);
    if (r < 0) {
        return r;
    }
    taken_begin_message(taken, RECEIVER_MESSAGE_ALL_KNOWN);
    msg_put_u64(&taken->msg, seed);
    return channel_send(taken->core->options.channels.receiver, &taken->msg, NULL, 0);
}
