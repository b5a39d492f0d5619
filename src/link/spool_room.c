/* Where the spool's files come from and go to: new segments, the bound, removal of what the centre
 * has. Between link/spool.c and the disk. A segment becomes visible by one rename of a file that is
 * complete, and is removed only after the state that tells so is durable in the newest header; so
 * every crash leaves a folder that link/spool_open.c reads the same way. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "link/spool_files.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>

#define SPOOL_SEGMENTS_MAX 4096

int spool_add_segment(struct spool *spool, const struct segment *segment)
{
    if (spool->count == spool->room) {
        size_t room = spool->room == 0 ? 32 : spool->room * 2;
        struct segment *segments;

        if (room > SPOOL_SEGMENTS_MAX) {
            return -ERR_LIMIT;
        }
        segments = mem_resize(spool->segments, room, sizeof(*segments));
        if (segments == NULL) {
            return -ERR_NOMEM;
        }
        spool->segments = segments;
        spool->room = room;
    }
    spool->segments[spool->count++] = *segment;
    return 0;
}

static void spool_take_out(struct spool *spool, size_t i, size_t count)
{
    memmove(&spool->segments[i], &spool->segments[i + count],
            (spool->count - i - count) * sizeof(*spool->segments));
    spool->count -= count;
    spool->generation++;
    closep(&spool->read_fd);
}

int spool_reader(struct spool *spool, size_t i, int *ret_fd)
{
    char name[SEGMENT_NAME_SIZE];

    if (i + 1 == spool->count) {
        *ret_fd = spool->fd;
        return 0;
    }
    if (spool->read_fd < 0 || spool->read_first != spool->segments[i].first) {
        closep(&spool->read_fd);
        segment_name(spool->segments[i].first, name);
        spool->read_fd = openat(spool->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (spool->read_fd < 0) {
            return -errno;
        }
        spool->read_first = spool->segments[i].first;
    }
    *ret_fd = spool->read_fd;
    return 0;
}

/* Empties the spare file and takes its whole space from the disk. On a disk with little room
 * segments get smaller: two small ones can take turns where one big one would be stuck. */
static int spool_open_spare(struct spool *spool)
{
    CLEANUP(closep)
    int fd = openat(spool->folder, SPOOL_SPARE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                    0600);

    if (fd < 0) {
        return -errno;
    }
    while (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)spool->segment_limit) != 0 &&
           errno != EOPNOTSUPP) {
        int r = -errno;

        if (r != -ERR_NOSPC || spool->segment_limit <= SPOOL_SEGMENT_MIN) {
            (void)unlinkat(spool->folder, SPOOL_SPARE, 0);
            return r;
        }
        spool->segment_limit /= 2;
    }
    return TAKE_FD(fd);
}

static int spool_reopen_spare(struct spool *spool)
{
    int fd = openat(spool->folder, SPOOL_SPARE, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    return fd < 0 ? -errno : fd;
}

void spool_make_spare(struct spool *spool)
{
    CLEANUP(closep) int fd = -1;

    if (!spool->has_spare) {
        fd = spool_open_spare(spool);
        spool->has_spare = fd >= 0;
    }
}

/* Makes the spare the segment that begins at first. */
static int spool_install(struct spool *spool, uint64_t first)
{
    CLEANUP(closep) int fd = -1;
    struct segment segment = {.first = first, .size = SEGMENT_HEADER_SIZE};
    char name[SEGMENT_NAME_SIZE];
    int r;

    fd = spool->has_spare ? spool_reopen_spare(spool) : spool_open_spare(spool);
    if (fd < 0) {
        spool->has_spare = false; /* somebody took it away: the next try makes another */
        return fd;
    }
    spool->has_spare = true;
    r = segment_write_header(fd, &segment, &spool->state);
    if (r < 0) {
        return r;
    }
    if (fdatasync(fd) != 0) {
        return -errno;
    }
    segment_name(segment.first, name);
    r = spool_add_segment(spool, &segment);
    if (r < 0) {
        return r;
    }
    if (renameat(spool->folder, SPOOL_SPARE, spool->folder, name) != 0 ||
        fsync(spool->folder) != 0) {
        r = -errno;
        spool->count--;
        return r;
    }
    spool->has_spare = false;
    closep(&spool->fd);
    spool->fd = TAKE_FD(fd);
    spool->is_noted = true;
    spool->is_synced = true;
    return 0;
}

int spool_begin(struct spool *spool)
{
    return spool_install(spool, spool->next);
}

/* Copies what must stay of segment i behind the end of fd. */
static int spool_copy_dear(struct spool *spool, size_t i, int fd, struct segment *lean)
{
    struct segment_record record;
    uint64_t offset = SEGMENT_HEADER_SIZE;
    int source;
    int r = spool_reader(spool, i, &source);

    segment_window_forget(&spool->looking);
    while (r >= 0 && offset < spool->segments[i].size) {
        r = segment_read(source, offset, spool->segments[i].size, &spool->looking, &record);
        if (r <= 0) {
            return r < 0 ? r : -ERR_TRUNCATED;
        }
        offset = record.next;
        if (record.sequence > spool->state.sent && record.kind != RECORD_KIND_FINDING &&
            record.kind != RECORD_KIND_ANSWER) {
            lean->dropped++;
            continue;
        }
        buf_reset(&spool->out);
        segment_put(&spool->out, record.kind, record.sequence, record.bytes);
        r = buf_error(&spool->out);
        r = r < 0 ? r : segment_write(fd, lean->size, buf_str(&spool->out));
        lean->size += segment_space(record.bytes.len);
    }
    return r < 0 ? r : 0;
}

/* Writes segments i … i+count-1 anew as one, without the events that may go. */
static int spool_write_lean(struct spool *spool, size_t i, size_t count, struct segment *ret_lean)
{
    CLEANUP(closep)
    int fd = openat(spool->folder, SPOOL_LEAN, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                    0600);
    struct segment lean = {.first = spool->segments[i].first,
                           .last = spool->segments[i + count - 1].last,
                           .size = SEGMENT_HEADER_SIZE,
                           .is_lean = true};
    char name[SEGMENT_NAME_SIZE];
    int r = 0;

    if (fd < 0) {
        return -errno;
    }
    for (size_t k = i; r == 0 && k < i + count; k++) {
        lean.dropped += spool->segments[k].dropped;
        r = spool_copy_dear(spool, k, fd, &lean);
    }
    if (r == 0) {
        r = segment_write_header(fd, &lean, &spool->state);
    }
    if (r < 0) {
        return r;
    }
    segment_name(lean.first, name);
    if (fdatasync(fd) != 0 || renameat(spool->folder, SPOOL_LEAN, spool->folder, name) != 0 ||
        fsync(spool->folder) != 0) {
        return -errno;
    }
    *ret_lean = lean;
    return 0;
}

/* Drops the events of segment i that may go; joins it to a small one before it. */
static int spool_shrink(struct spool *spool, size_t i)
{
    bool is_joined = i != 0 && spool->segments[i - 1].is_lean &&
                     spool->segments[i - 1].size + spool->segments[i].size <= spool->segment_limit;
    size_t from = is_joined ? i - 1 : i;
    size_t count = i - from + 1;
    char name[SEGMENT_NAME_SIZE];
    uint64_t dropped = 0;
    struct segment lean;
    int r;

    r = spool_write_lean(spool, from, count, &lean);
    if (r < 0) {
        (void)unlinkat(spool->folder, SPOOL_LEAN, 0);
        return r;
    }
    for (size_t k = from; k < from + count; k++) {
        dropped += spool->segments[k].dropped;
    }
    spool->waiting -= lean.dropped - dropped;
    if (is_joined) { /* a crash before this leaves a file that the joined one covers: opening
                        removes it */
        segment_name(spool->segments[i].first, name);
        (void)unlinkat(spool->folder, name, 0);
    }
    spool_take_out(spool, from, count - 1);
    spool->segments[from] = lean;
    spool->generation++;
    closep(&spool->read_fd);
    return 0;
}

/* Bytes the ring would take with one more segment and a spare. */
static uint64_t spool_need(const struct spool *spool)
{
    uint64_t need = 2 * spool->segment_limit;

    for (size_t i = 0; i < spool->count; i++) {
        need += spool->segments[i].size;
    }
    return need;
}

/* The oldest segment that still holds events goes on a diet, until there is room for another one.
 */
static int spool_make_room(struct spool *spool)
{
    size_t i = 0;

    while (spool_need(spool) > spool->limit) {
        int r;

        while (i < spool->count && spool->segments[i].is_lean) {
            i++;
        }
        if (i + 1 >= spool->count) { /* the newest is open, and holds what just came */
            return -ERR_FULL;
        }
        r = spool_shrink(spool, i);
        if (r < 0) {
            return r;
        }
        i = 0;
    }
    return 0;
}

int spool_roll(struct spool *spool, uint64_t first)
{
    int r = spool_make_room(spool);

    if (r < 0) {
        return r;
    }
    spool_newest(spool)->last = spool->next - 1;
    r = ftruncate(spool->fd, (off_t)spool_newest(spool)->size) != 0 ? -errno : 0; /* unused space */
    if (r == 0) {
        r = spool_note(spool);
    }
    if (r == 0) {
        r = spool_sync(spool);
    }
    if (r == 0) {
        r = spool_install(spool, first);
    }
    if (r < 0) {
        spool_newest(spool)->last = 0;
        spool->is_noted = false;
        return r;
    }
    spool->next = first;
    spool_make_spare(spool);
    return 0;
}

/* A removed segment's file serves again, so that a full disk cannot stop a ring that flows. */
static void spool_remove_file(struct spool *spool, uint64_t first)
{
    char name[SEGMENT_NAME_SIZE];

    segment_name(first, name);
    if (!spool->has_spare && renameat(spool->folder, name, spool->folder, SPOOL_SPARE) == 0) {
        spool_make_spare(spool);
        return;
    }
    (void)unlinkat(spool->folder, name, 0); /* if it stays, the next opening removes it */
}

int spool_remove_acknowledged(struct spool *spool)
{
    size_t count = 0;
    int r;

    while (count + 1 < spool->count && spool->segments[count].last <= spool->state.acked) {
        spool->state.dropped += spool->segments[count].dropped;
        spool->state.removed = spool->segments[count].first;
        count++;
    }
    if (count == 0) {
        return 0;
    }
    r = spool_note(spool);
    if (r == 0) {
        r = spool_sync(spool);
    }
    if (r == 0) {
        for (size_t i = 0; i < count; i++) {
            spool_remove_file(spool, spool->segments[i].first);
        }
    }
    spool_take_out(spool, 0,
                   count); /* counted already: the files are removed at the next opening */
    return r;
}
