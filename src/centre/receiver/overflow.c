/* See receiver/overflow.h. */
#include "centre/receiver/overflow.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "sys/fd.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* In front of each item. */
struct head {
    int64_t arrival;
    uint32_t via_len;
    uint32_t raw_len;
};

static_assert(sizeof(struct head) + OVERFLOW_VIA_MAX + OVERFLOW_ENTRY_MAX <= OVERFLOW_PIECE);

int overflow_init(struct overflow *overflow, int fd, uint64_t max)
{
    *overflow = (struct overflow){.fd = fd, .max = max};
    if (fd < 0) {
        return 0;
    }
    overflow->in = mem_alloc(1, OVERFLOW_PIECE);
    overflow->out = mem_alloc(1, OVERFLOW_PIECE);
    if (overflow->in == NULL || overflow->out == NULL) {
        overflow_done(overflow);
        return -ERR_NOMEM;
    }
    return 0;
}

void overflow_done(struct overflow *overflow)
{
    closep(&overflow->fd);
    mem_free(overflow->in);
    mem_free(overflow->out);
    *overflow = (struct overflow){.fd = -1};
}

bool overflow_is_empty(const struct overflow *overflow)
{
    return overflow->count == 0;
}

uint64_t overflow_size(const struct overflow *overflow)
{
    return overflow->to - overflow->from + overflow->in_len + overflow->out_len - overflow->out_at;
}

static int ring_write(const struct overflow *overflow, const char *bytes, size_t len)
{
    uint64_t place = overflow->to % overflow->max;
    size_t done = 0;

    while (done < len) {
        uint64_t left = overflow->max - place;
        size_t part = len - done < left ? len - done : (size_t)left;
        ssize_t n = pwrite(overflow->fd, bytes + done, part, (off_t)place);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0 ? -ERR_IO : -errno;
        }
        done += (size_t)n;
        place = (place + (uint64_t)n) % overflow->max;
    }
    return 0;
}

/* What was gathered goes into the file. */
static int overflow_flush(struct overflow *overflow)
{
    int r = ring_write(overflow, overflow->in, overflow->in_len);

    if (r < 0) {
        overflow->count -= overflow->gathered;
        overflow->lost += overflow->gathered;
    } else {
        overflow->to += overflow->in_len;
    }
    overflow->in_len = 0;
    overflow->gathered = 0;
    return r;
}

static void gather(struct overflow *overflow, const void *bytes, size_t len)
{
    if (len != 0) {
        memcpy(overflow->in + overflow->in_len, bytes, len);
    }
    overflow->in_len += len;
}

int overflow_put(struct overflow *overflow, const struct overflow_item *item)
{
    struct head head = {.arrival = item->arrival,
                        .via_len = (uint32_t)item->via.len,
                        .raw_len = (uint32_t)item->raw.len};
    size_t size = sizeof(head) + item->via.len + item->raw.len;
    int r = 0;

    if (item->via.len > OVERFLOW_VIA_MAX || item->raw.len > OVERFLOW_ENTRY_MAX) {
        return -ERR_LIMIT;
    }
    if (overflow->fd < 0 ||
        overflow->to - overflow->from + overflow->in_len + size > overflow->max) {
        return -ERR_FULL;
    }
    if (overflow->in_len + size > OVERFLOW_PIECE) {
        r = overflow_flush(overflow);
    }
    if (r < 0) {
        overflow->lost++;
        return r;
    }
    gather(overflow, &head, sizeof(head));
    gather(overflow, item->via.ptr, item->via.len);
    gather(overflow, item->raw.ptr, item->raw.len);
    overflow->count++;
    overflow->gathered++;
    return 0;
}

/* Fills `out` behind what is left in it. */
static int overflow_read(struct overflow *overflow)
{
    uint64_t waiting = overflow->to - overflow->from;
    size_t left = overflow->out_len - overflow->out_at;

    if (left == 0 && waiting == 0) {
        char *spare = overflow->out;

        overflow->out = overflow->in;
        overflow->in = spare;
        overflow->out_len = overflow->in_len;
        overflow->out_at = overflow->in_len = 0;
        overflow->gathered = 0;
        return 0;
    }
    memmove(overflow->out, overflow->out + overflow->out_at, left);
    overflow->out_at = 0;
    overflow->out_len = left;
    while (waiting != 0 && overflow->out_len < OVERFLOW_PIECE) {
        uint64_t place = overflow->from % overflow->max;
        uint64_t part = OVERFLOW_PIECE - overflow->out_len;
        ssize_t n;

        part = part < waiting ? part : waiting;
        part = part < overflow->max - place ? part : overflow->max - place;
        n = pread(overflow->fd, overflow->out + overflow->out_len, (size_t)part, (off_t)place);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0 ? -ERR_TRUNCATED : -errno;
        }
        overflow->out_len += (size_t)n;
        overflow->from += (uint64_t)n;
        waiting -= (uint64_t)n;
    }
    return 0;
}

/* The item in front of `out`; false when not all of it is there. */
static bool overflow_front(const struct overflow *overflow, struct head *ret_head)
{
    size_t left = overflow->out_len - overflow->out_at;

    if (left < sizeof(*ret_head)) {
        return false;
    }
    memcpy(ret_head, overflow->out + overflow->out_at, sizeof(*ret_head));
    return left - sizeof(*ret_head) >= (size_t)ret_head->via_len + ret_head->raw_len;
}

int overflow_peek(struct overflow *overflow, struct overflow_item *ret_item)
{
    struct head head = {0};
    const char *bytes;
    int r = 0;

    if (overflow->count == 0) {
        return -ERR_NOENT;
    }
    if (!overflow_front(overflow, &head)) {
        r = overflow_read(overflow);
        r = r == 0 && !overflow_front(overflow, &head) ? -ERR_CORRUPT : r;
    }
    if (r < 0) {
        overflow->lost += overflow->count - overflow->gathered;
        overflow->count = overflow->gathered;
        overflow->from = overflow->to;
        overflow->out_at = overflow->out_len = 0;
        return r;
    }
    bytes = overflow->out + overflow->out_at + sizeof(head);
    *ret_item = (struct overflow_item){.arrival = head.arrival,
                                       .via = str_of(bytes, head.via_len),
                                       .raw = str_of(bytes + head.via_len, head.raw_len)};
    return 0;
}

void overflow_skip(struct overflow *overflow)
{
    struct head head;

    if (overflow_front(overflow, &head)) {
        overflow->out_at += sizeof(head) + head.via_len + head.raw_len;
        overflow->count--;
    }
}
