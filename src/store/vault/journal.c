/* The journal of a vault. Neighbours: vault/state.c appends what vault/record.c packed and applies
 * what is read; vault/tend.c replaces the file when most of it is dead. Invariants: a frame is
 * magic, length, checksum, bytes; a reader never passes a place at which a valid record might still
 * come to stand, unless a valid one stands behind it. */
#include "store/vault/journal.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "store/vault/record.h"
#include "sys/fd.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <xxhash.h>

#define JOURNAL_NAME     "journal"
#define JOURNAL_NEW_NAME "journal.new"
#define SHARED_NAME      "shared"
#define SHARED_MAGIC     0x31736368676e6163U /* "canghcs1" */
#define FRAME_MAGIC      0x314a4743U         /* "CGJ1" */
#define FRAME_HEAD       16U
#define READ_STEP        (256U << 10)
#define READ_LIMIT       (4U << 20) /* more than any two records */

struct frame {
    uint32_t magic;
    uint32_t len;
    uint64_t sum;
};
static_assert(sizeof(struct frame) == FRAME_HEAD, "a frame's head has no padding");

/* What root makes inside a folder of the sensor's user belongs to that user. */
static int journal_own(int folder, int fd)
{
    struct stat owner;
    struct stat own;

    if (fstat(folder, &owner) != 0 || fstat(fd, &own) != 0) {
        return -errno;
    }
    if (geteuid() != 0 || (own.st_uid == owner.st_uid && own.st_gid == owner.st_gid)) {
        return 0;
    }
    return fchown(fd, owner.st_uid, owner.st_gid) == 0 ? 0 : -errno;
}

static int journal_open_file(int folder, const char *name, int flags, int *ret_fd)
{
    CLEANUP(closep)
    int fd = openat(folder, name, flags | O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int r;

    if (fd < 0) {
        return -errno;
    }
    r = journal_own(folder, fd);
    if (r == 0) {
        *ret_fd = TAKE_FD(fd);
    }
    return r;
}

static int journal_map_shared(struct vault_journal *journal)
{
    CLEANUP(closep) int fd = -1;
    uint_fast64_t none = 0;
    void *where;
    int r = journal_open_file(journal->folder, SHARED_NAME, 0, &fd);

    if (r < 0) {
        return r;
    }
    if (ftruncate(fd, (off_t)sizeof(struct vault_shared)) != 0) {
        return -errno;
    }
    where = mmap(NULL, sizeof(struct vault_shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (where == MAP_FAILED) {
        return -errno;
    }
    journal->shared = where;
    if (!atomic_compare_exchange_strong(&journal->shared->magic, &none, SHARED_MAGIC) &&
        none != SHARED_MAGIC) {
        return -ERR_CORRUPT;
    }
    return 0;
}

int vault_journal_reopen(struct vault_journal *journal)
{
    uint64_t generation = atomic_load(&journal->shared->generation) & ~1ULL;
    int fd = -1;
    int r = journal_open_file(journal->folder, JOURNAL_NAME, O_APPEND, &fd);

    if (r < 0) {
        return r;
    }
    closep(&journal->fd);
    journal->fd = fd;
    journal->generation = generation;
    journal->read_to = 0;
    journal->damaged = 0;
    return 0;
}

int vault_journal_open(struct vault_journal *journal, int folder, uint64_t seed)
{
    int r;

    *journal = (struct vault_journal){.folder = folder, .fd = -1, .seed = seed};
    r = journal_map_shared(journal);
    return r < 0 ? r : vault_journal_reopen(journal);
}

void vault_journal_close(struct vault_journal *journal)
{
    closep(&journal->fd);
    if (journal->shared != NULL) {
        (void)munmap(journal->shared, sizeof(*journal->shared));
        journal->shared = NULL;
    }
}

bool vault_journal_is_replaced(const struct vault_journal *journal)
{
    uint64_t now = atomic_load(&journal->shared->generation);

    return (now & 1) == 0 && now != journal->generation;
}

static struct frame journal_frame(const struct vault_journal *journal, struct str bytes)
{
    return (struct frame){
        .magic = FRAME_MAGIC,
        .len = (uint32_t)bytes.len,
        .sum = XXH3_64bits_withSeed(bytes.ptr, bytes.len, journal->seed + bytes.len),
    };
}

/* A single write, so that frames of several processes cannot interleave: the kernel holds the
 * inode's lock from choosing the place to the last byte. A short one (full disk) is left torn. */
/* A single write, so that frames of several processes cannot interleave: the kernel holds the
 * inode's lock from choosing the place to the last byte. A short one (full disk) is left torn. */
static int journal_write(const struct vault_journal *journal, struct str bytes)
{
    CLEANUP(buf_done) struct buf buf;
    ssize_t put;

    if (bytes.len > VAULT_RECORD_MAX) {
        return -ERR_LIMIT;
    }
    buf_init(&buf, FRAME_HEAD + VAULT_RECORD_MAX);
    vault_journal_put(journal, &buf, bytes);
    if (buf_error(&buf) < 0) {
        return buf_error(&buf);
    }
    do {
        put = write(journal->fd, buf.ptr, buf.len);
    } while (put < 0 && errno == EINTR);
    if (put < 0) {
        return -errno;
    }
    return (size_t)put == buf.len ? 0 : -ERR_NOSPC;
}

int vault_journal_append(struct vault_journal *journal, struct str bytes)
{
    int r;

    if (atomic_load(&journal->shared->generation) != journal->generation) {
        return -ERR_AGAIN;
    }
    r = journal_write(journal, bytes);
    atomic_thread_fence(memory_order_seq_cst);
    if (r == 0 && atomic_load(&journal->shared->generation) != journal->generation) {
        return -ERR_AGAIN; /* the replacement may have been made without this record */
    }
    return r;
}

enum look {
    LOOK_VALID,
    LOOK_SHORT, /* more bytes are needed to say */
    LOOK_BROKEN,
};

static enum look journal_look(const struct vault_journal *journal, struct str at,
                              struct str *ret_bytes)
{
    struct frame frame;
    struct frame real;

    if (at.len < FRAME_HEAD) {
        return LOOK_SHORT;
    }
    memcpy(&frame, at.ptr, FRAME_HEAD);
    if (frame.magic != FRAME_MAGIC || frame.len > VAULT_RECORD_MAX) {
        return LOOK_BROKEN;
    }
    if (at.len - FRAME_HEAD < frame.len) {
        return LOOK_SHORT;
    }
    *ret_bytes = str_slice(at, FRAME_HEAD, FRAME_HEAD + frame.len);
    real = journal_frame(journal, *ret_bytes);
    return real.sum == frame.sum ? LOOK_VALID : LOOK_BROKEN;
}

/* Where the next valid record stands behind a broken place; at.len when there is none. */
static size_t journal_find_next(const struct vault_journal *journal, struct str at)
{
    static const uint32_t magic = FRAME_MAGIC;
    struct str needle = str_of((const char *)&magic, sizeof(magic));
    size_t place = 1;
    struct str bytes;

    while (place < at.len) {
        place += str_find(str_slice(at, place, at.len), needle);
        if (place < at.len &&
            journal_look(journal, str_slice(at, place, at.len), &bytes) == LOOK_VALID) {
            return place;
        }
        place++;
    }
    return at.len;
}

/* A write cut short is shorter than its head says; anything else in a gap was valid once. */
static bool journal_is_torn(struct str gap)
{
    struct frame frame;

    if (gap.len < FRAME_HEAD) {
        return true;
    }
    memcpy(&frame, gap.ptr, FRAME_HEAD);
    return frame.magic == FRAME_MAGIC && gap.len < FRAME_HEAD + (uint64_t)frame.len;
}

/* Parses what is in the window. Returns how many bytes are done with, or negative. */
static int64_t journal_parse(struct vault_journal *journal, struct str window, bool is_end,
                             vault_journal_fn *fn, void *context)
{
    size_t at = 0;

    while (at < window.len) {
        struct str rest = str_slice(window, at, window.len);
        struct str bytes;
        enum look look = journal_look(journal, rest, &bytes);
        size_t next;

        if (look == LOOK_VALID) {
            int r = fn(context, journal->read_to + at + FRAME_HEAD, bytes);

            if (r < 0) {
                return r;
            }
            at += FRAME_HEAD + bytes.len;
            continue;
        }
        if (!is_end && rest.len < READ_LIMIT / 2) {
            break;
        }
        next = journal_find_next(journal, rest);
        if (next == rest.len && is_end) {
            break; /* may be a write in progress */
        }
        next = next == rest.len ? rest.len - VAULT_RECORD_MAX - FRAME_HEAD : next;
        journal->damaged += journal_is_torn(str_slice(rest, 0, next)) ? 0 : 1;
        at += next;
    }
    return (int64_t)at;
}

/* Adds the next bytes up to size to the window. */
static int journal_fill(const struct vault_journal *journal, struct buf *window, uint64_t size)
{
    uint64_t at = journal->read_to + window->len;
    size_t want = size - at < READ_STEP ? (size_t)(size - at) : READ_STEP;
    void *where = buf_reserve(window, want);
    ssize_t got;

    if (where == NULL) {
        return buf_error(window);
    }
    do {
        got = pread(journal->fd, where, want, (off_t)at);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
        return got == 0 ? -ERR_TRUNCATED : -errno;
    }
    buf_commit(window, (size_t)got);
    return 0;
}

int vault_journal_read(struct vault_journal *journal, vault_journal_fn *fn, void *context)
{
    CLEANUP(buf_done) struct buf window;
    bool is_end = false;
    struct stat st;

    buf_init(&window, READ_LIMIT);
    if (fstat(journal->fd, &st) != 0) {
        return -errno;
    }
    if ((uint64_t)st.st_size <= journal->read_to) {
        return 0;
    }
    while (!is_end) {
        int64_t done;
        int r = journal_fill(journal, &window, (uint64_t)st.st_size);

        if (r < 0) {
            return r;
        }
        is_end = journal->read_to + window.len >= (uint64_t)st.st_size;
        done = journal_parse(journal, buf_str(&window), is_end, fn, context);
        if (done < 0) {
            return (int)done;
        }
        journal->read_to += (uint64_t)done;
        buf_consume(&window, (size_t)done);
    }
    return 0;
}

int vault_journal_fetch(const struct vault_journal *journal, uint64_t where, uint32_t len,
                        struct buf *buf)
{
    void *out = buf_reserve(buf, len);
    ssize_t got;

    if (out == NULL) {
        return buf_error(buf);
    }
    got = pread(journal->fd, out, len, (off_t)where);
    if (got < 0) {
        return -errno;
    }
    if ((size_t)got != len) {
        return -ERR_CORRUPT;
    }
    buf_commit(buf, len);
    return 0;
}

int vault_journal_begin(const struct vault_journal *journal, int *ret_fd)
{
    return journal_open_file(journal->folder, JOURNAL_NEW_NAME, O_APPEND | O_TRUNC, ret_fd);
}

void vault_journal_put(const struct vault_journal *journal, struct buf *buf, struct str bytes)
{
    struct frame frame = journal_frame(journal, bytes);

    buf_put(buf, &frame, FRAME_HEAD);
    buf_put_str(buf, bytes);
}

void vault_journal_freeze(struct vault_journal *journal)
{
    atomic_store(&journal->shared->generation, journal->generation | 1);
    atomic_thread_fence(memory_order_seq_cst);
}

int vault_journal_commit(struct vault_journal *journal)
{
    if (renameat(journal->folder, JOURNAL_NEW_NAME, journal->folder, JOURNAL_NAME) != 0) {
        return -errno;
    }
    atomic_store(&journal->shared->generation, journal->generation + 2);
    return 0;
}

void vault_journal_cancel(struct vault_journal *journal)
{
    uint_fast64_t now = atomic_load(&journal->shared->generation);

    if ((now & 1) != 0) {
        /* Even a replacement that died between rename and commit is told to all by the step. */
        atomic_store(&journal->shared->generation, now + 1);
    }
}

uint64_t vault_journal_next_id(struct vault_journal *journal)
{
    return atomic_fetch_add(&journal->shared->next_id, 1) + 1;
}

void vault_journal_claim(struct vault_journal *journal, uint64_t id)
{
    uint_fast64_t now = atomic_load(&journal->shared->next_id);

    while (now < id && !atomic_compare_exchange_weak(&journal->shared->next_id, &now, id)) {
    }
}
