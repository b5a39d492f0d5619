/* The way of a record through the disk ring: see link/spool.h. Between agent/link.c, which takes
 * records from the sensor, and link/client.c, which carries them. Invariants: state.acked <=
 * state.sent < next; segments are ordered and touch each other. */
#include "link/spool.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "link/spool_files.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#define SPOOL_SEGMENTS_PER_LIMIT 16
#define SPOOL_SEGMENT_MAX        (4U << 20)

static int spool_lock(struct spool *spool, const char *folder, struct diag *diag)
{
    spool->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spool->folder < 0) {
        int r = -errno;

        return diag_set(diag, r, _("cannot open the spool folder %s: %s"), folder, err_text(r));
    }
    spool->lock =
        openat(spool->folder, SPOOL_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (spool->lock < 0) {
        int r = -errno;

        return diag_set(diag, r, _("cannot write to the spool folder %s: %s"), folder, err_text(r));
    }
    if (flock(spool->lock, LOCK_EX | LOCK_NB) != 0) {
        return diag_set(diag, -ERR_BUSY,
                        _("another agent is using the spool folder %s; stop it first"), folder);
    }
    return 0;
}

static struct spool *spool_alloc(const struct spool_options *options)
{
    struct spool *spool = mem_alloc(1, sizeof(*spool));
    uint64_t part;

    if (spool == NULL) {
        return NULL;
    }
    spool->limit = options->limit < SPOOL_LIMIT_MIN ? SPOOL_LIMIT_MIN : options->limit;
    part = spool->limit / SPOOL_SEGMENTS_PER_LIMIT;
    spool->segment_limit = part < SPOOL_SEGMENT_MIN ? SPOOL_SEGMENT_MIN : part;
    spool->segment_limit = part > SPOOL_SEGMENT_MAX ? SPOOL_SEGMENT_MAX : spool->segment_limit;
    spool->folder = -1;
    spool->lock = -1;
    spool->fd = -1;
    spool->read_fd = -1;
    spool->generation = 1; /* a fresh cursor says 0: it must seek */
    buf_init(&spool->out, SPOOL_OUT_MAX);
    segment_window_init(&spool->looking);
    segment_window_init(&spool->giving);
    return spool;
}

int spool_open(const struct spool_options *options, struct spool **ret_spool, struct diag *diag)
{
    CLEANUP(spool_freep) struct spool *spool = spool_alloc(options);
    int r;

    if (spool == NULL) {
        return -ERR_NOMEM;
    }
    r = spool_lock(spool, options->folder, diag);
    if (r < 0) {
        return r;
    }
    r = spool_recover(spool, options->clock, diag);
    if (r < 0) {
        return diag_set(diag, r, _("cannot use the spool folder %s: %s"), options->folder,
                        err_text(r));
    }
    spool_make_spare(spool);
    *ret_spool = TAKE_PTR(spool);
    return 0;
}

void spool_free(struct spool *spool)
{
    if (spool == NULL) {
        return;
    }
    closep(&spool->read_fd);
    closep(&spool->fd);
    closep(&spool->lock);
    closep(&spool->folder);
    buf_done(&spool->out);
    segment_window_done(&spool->looking);
    segment_window_done(&spool->giving);
    mem_free(spool->segments);
    mem_free(spool);
}

void spool_freep(struct spool **spool)
{
    spool_free(*spool);
    *spool = NULL;
}

int spool_note(struct spool *spool)
{
    int r = segment_write_header(spool->fd, spool_newest(spool), &spool->state);

    if (r == 0) {
        spool->is_noted = true;
        spool->is_synced = false;
    }
    return r;
}

int spool_sync(struct spool *spool)
{
    if (spool->is_synced) {
        return 0;
    }
    if (fdatasync(spool->fd) != 0) {
        return -errno;
    }
    spool->is_synced = true;
    return 0;
}

static bool spool_is_dear(enum record_kind kind)
{
    return kind == RECORD_KIND_FINDING || kind == RECORD_KIND_ANSWER;
}

/* Puts as many records together as fit the segment and one write; one at least. */
static size_t spool_put(struct spool *spool, enum record_kind kind, const struct str *records,
                        size_t count)
{
    uint64_t room = spool->segment_limit - spool_newest(spool)->size;
    size_t n = 0;

    room = room < SPOOL_OUT_MAX ? room : SPOOL_OUT_MAX;
    buf_reset(&spool->out);
    while (n < count && records[n].len <= RECORD_SIZE_MAX &&
           (n == 0 || spool->out.len + segment_space(records[n].len) <= room)) {
        segment_put(&spool->out, kind, spool->next + n, records[n]);
        n++;
    }
    return n;
}

/* Brings records to disk. */
static int spool_write(struct spool *spool, enum record_kind kind, const struct str *records,
                       size_t count, size_t *ret_count)
{
    size_t n;
    int r;

    if (spool_newest(spool)->size + segment_space(records[0].len) > spool->segment_limit) {
        r = spool_roll(spool, spool->next);
        if (r < 0) {
            return r;
        }
    }
    n = spool_put(spool, kind, records, count);
    r = buf_error(&spool->out);
    r = r < 0 ? r : segment_write(spool->fd, spool_newest(spool)->size, buf_str(&spool->out));
    if (r < 0) {
        return r;
    }
    spool_newest(spool)->size += spool->out.len;
    spool->next += n;
    spool->waiting += n;
    spool->is_synced = false;
    if (spool_is_dear(kind)) {
        (void)spool_sync(
            spool); /* a failure shows again in spool_prepare, before it is given out */
    }
    *ret_count = n;
    return 0;
}

/* Counted where a kill does not reach, or not done. */
static int spool_refuse(struct spool *spool)
{
    int r;

    spool->state.refused++;
    r = spool_note(spool);
    if (r < 0) {
        spool->state.refused--;
        return r;
    }
    return -ERR_FULL;
}

int spool_append_some(struct spool *spool, enum record_kind kind, const struct str *records,
                      size_t count, size_t *ret_count)
{
    int r = records[0].len > RECORD_SIZE_MAX ? -ERR_FULL
                                             : spool_write(spool, kind, records, count, ret_count);

    spool->trouble = r;
    return r == -ERR_FULL ? spool_refuse(spool) : r;
}

int spool_append(struct spool *spool, enum record_kind kind, struct str record)
{
    size_t count;

    return spool_append_some(spool, kind, &record, 1, &count);
}

int spool_tend(struct spool *spool)
{
    return spool->is_noted ? 0 : spool_note(spool);
}

/* Puts the cursor on the first segment that reaches past its sequence. */
static void spool_seek(struct spool *spool, struct spool_cursor *cursor)
{
    size_t i = 0;

    while (i + 1 < spool->count && spool->segments[i].last <= cursor->sequence) {
        i++;
    }
    cursor->segment = i;
    cursor->offset = SEGMENT_HEADER_SIZE;
    cursor->generation = spool->generation;
}

/* Opens segment i for spool_next; what its window holds of another one is forgotten. */
static int spool_give_from(struct spool *spool, size_t i, int *ret_fd)
{
    if (spool->giving_generation != spool->generation ||
        spool->giving_first != spool->segments[i].first) {
        segment_window_forget(&spool->giving);
        spool->giving_generation = spool->generation;
        spool->giving_first = spool->segments[i].first;
    }
    return spool_reader(spool, i, ret_fd);
}

bool spool_is_steady(const struct spool *spool, const struct spool_cursor *cursor)
{
    return cursor->generation == spool->generation;
}

int spool_next(struct spool *spool, struct spool_cursor *cursor, struct spool_record *ret_record)
{
    if (cursor->sequence < spool->state.acked) {
        cursor->sequence = spool->state.acked;
        cursor->generation = 0;
    }
    if (cursor->generation != spool->generation) {
        spool_seek(spool, cursor);
    }
    while (cursor->segment < spool->count) {
        const struct segment *segment = &spool->segments[cursor->segment];
        struct segment_record record = {0};
        int fd = -1;
        int r;

        if (cursor->offset >= segment->size) {
            if (cursor->segment + 1 == spool->count) {
                return 0;
            }
            cursor->segment++;
            cursor->offset = SEGMENT_HEADER_SIZE;
            continue;
        }
        r = spool_give_from(spool, cursor->segment, &fd);
        if (r == 0) {
            r = segment_read(fd, cursor->offset, segment->size, &spool->giving, &record);
        }
        if (r <= 0) {
            return r < 0 ? r : -ERR_TRUNCATED;
        }
        cursor->offset = record.next;
        if (record.sequence > cursor->sequence) {
            cursor->sequence = record.sequence;
            *ret_record =
                (struct spool_record){record.sequence, (enum record_kind)record.kind, record.bytes};
            return 1;
        }
    }
    return 0;
}

int spool_prepare(struct spool *spool, uint64_t sequence)
{
    uint64_t before = spool->state.sent;
    int r;

    if (sequence >= spool->next) {
        return -ERR_INVAL;
    }
    if (sequence <= before) {
        return 0;
    }
    spool->state.sent = sequence;
    r = spool_note(spool);
    r = r < 0 ? r : spool_sync(spool);
    if (r < 0) {
        spool->state.sent = before; /* none of it may be sent: it is asked for again */
    }
    return r;
}

/* How many records of segment i lie in (from, to]. */
static int spool_count_between(struct spool *spool, size_t i, uint64_t from, uint64_t to,
                               uint64_t *ret_count)
{
    const struct segment *segment = &spool->segments[i];
    uint64_t last = i + 1 == spool->count ? spool->next - 1 : segment->last;
    struct segment_record record;
    uint64_t offset = SEGMENT_HEADER_SIZE;
    uint64_t count = 0;
    int fd;
    int r;

    if (segment->dropped == 0) { /* dense: no need to look */
        uint64_t low = from + 1 > segment->first ? from + 1 : segment->first;
        uint64_t high = to < last ? to : last;

        *ret_count = high >= low ? high - low + 1 : 0;
        return 0;
    }
    r = spool_reader(spool, i, &fd);
    segment_window_forget(&spool->looking);
    while (r >= 0 && offset < segment->size) {
        r = segment_read(fd, offset, segment->size, &spool->looking, &record);
        if (r <= 0) {
            return r < 0 ? r : -ERR_TRUNCATED;
        }
        offset = record.next;
        count += record.sequence > from && record.sequence <= to;
    }
    *ret_count = count;
    return r < 0 ? r : 0;
}

int spool_acknowledge(struct spool *spool, uint64_t sequence)
{
    uint64_t gone = 0;

    if (sequence <= spool->state.acked) {
        return 0;
    }
    if (sequence >= spool->next) {
        return -ERR_PROTO;
    }
    for (size_t i = 0; i < spool->count && spool->segments[i].first <= sequence; i++) {
        uint64_t count;
        int r = spool_count_between(spool, i, spool->state.acked, sequence, &count);

        if (r < 0) {
            return r;
        }
        gone += count;
    }
    spool->waiting -= gone;
    spool->state.acked = sequence;
    spool->state.sent = sequence > spool->state.sent ? sequence : spool->state.sent;
    spool->is_noted = false;
    return spool_remove_acknowledged(spool);
}

/* This folder took the place of one that had come further: everything that waits moves above
 * sequence. */
static int spool_renumber(struct spool *spool, uint64_t sequence)
{
    struct spool_cursor cursor = {0};
    struct spool_record record;
    uint64_t last = spool->next - 1;
    uint64_t moved = 0;
    size_t count;
    int r;

    spool->state.base += sequence - last;
    r = spool_roll(spool, sequence + 1);
    while (r >= 0) {
        r = spool_next(spool, &cursor, &record);
        if (r <= 0 || record.sequence > last) {
            break;
        }
        r = spool_write(spool, record.kind, &record.bytes, 1, &count);
        moved++;
    }
    if (r < 0) {
        return r;
    }
    spool->state.base += moved;
    spool->waiting -= moved;
    spool->state.acked = sequence;
    spool->state.sent = sequence;
    r = spool_note(spool);
    return r < 0 ? r : spool_remove_acknowledged(spool);
}

int spool_resolve(struct spool *spool, uint64_t sequence)
{
    int r;

    if (sequence >= spool->next) {
        return spool_renumber(spool, sequence);
    }
    r = spool_acknowledge(spool, sequence);
    if (r < 0) {
        return r;
    }
    spool->state.sent = spool->state.acked;
    for (size_t i = 0; i < spool->count; i++) {
        spool->segments[i].is_lean = false;
    }
    return spool_note(spool);
}

void spool_count(const struct spool *spool, struct spool_counters *ret_counters)
{
    struct spool_counters counters = {.last = spool->next - 1,
                                      .confirmed = spool->state.acked,
                                      .sendable = spool->state.sent,
                                      .torn = spool->state.torn,
                                      .trouble = spool->trouble,
                                      .dropped = spool->state.dropped + spool->state.refused,
                                      .waiting = spool->waiting};

    for (size_t i = 0; i < spool->count; i++) {
        counters.dropped += spool->segments[i].dropped;
        counters.bytes += spool->segments[i].size;
    }
    counters.appended = spool->next - 1 - spool->state.base + spool->state.refused;
    counters.acknowledged = counters.appended - counters.dropped - counters.waiting;
    *ret_counters = counters;
}
