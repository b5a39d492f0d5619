/* Finds the spool again after whatever happened: reads every header and record, cuts a torn tail,
 * counts what damage took, removes files whose content lives elsewhere. Between the disk and
 * link/spool.c. Everything here may be interrupted and done again with the same result. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "link/spool_files.h"
#include "sys/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#define SPOOL_FILES_MAX 8192

/* A new ring starts at seconds << 20: above every number that a lost one gave, as long as the clock
 * did not go back and no more than a million records came a second. spool_resolve mends the rest.
 */
#define SPOOL_FIRST_SHIFT 20

struct spool_found {
    uint64_t firsts[SPOOL_FILES_MAX];
    size_t count;
};

static int spool_compare_firsts(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

static int spool_list(struct spool *spool, struct spool_found *found)
{
    int fd = openat(spool->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    uint64_t first;

    if (folder == NULL) {
        int r = -errno;

        closep(&fd);
        return r;
    }
    while ((entry = readdir(folder)) != NULL && found->count < SPOOL_FILES_MAX) {
        if (segment_parse_name(entry->d_name, &first)) {
            found->firsts[found->count++] = first;
        }
    }
    closedir(folder);
    qsort(found->firsts, found->count, sizeof(found->firsts[0]), spool_compare_firsts);
    return entry == NULL ? 0 : -ERR_LIMIT;
}

static void spool_unlink(struct spool *spool, uint64_t first)
{
    char name[SEGMENT_NAME_SIZE];

    segment_name(first, name);
    (void)unlinkat(spool->folder, name, 0);
}

/* What reading a whole segment told. */
struct spool_scan {
    uint64_t records;
    uint64_t waiting; /* of them, above acked */
    uint64_t last;    /* highest sequence, first - 1 when empty */
    bool is_cut;      /* something behind the last good record was cut off */
};

static int spool_scan_records(struct spool *spool, int fd, struct segment *segment,
                              struct spool_scan *scan)
{
    struct segment_record record = {0};
    int r;

    scan->last = segment->first - 1;
    segment_window_forget(&spool->looking);
    while ((r = segment_read(fd, segment->size, UINT64_MAX, &spool->looking, &record)) == 1 &&
           record.sequence > scan->last && record.kind < RECORD_KIND_COUNT) {
        segment->size = record.next;
        scan->last = record.sequence;
        scan->records++;
        scan->waiting += record.sequence > spool->state.acked;
    }
    if (r == 0) {
        return 0;
    }
    if (r < 0 && r != -ERR_CORRUPT && r != -ERR_TRUNCATED) {
        return r;
    }
    scan->is_cut = true;
    return ftruncate(fd, (off_t)segment->size) != 0 ? -errno : 0;
}

/* Opens segment `first` for repair. An unreadable header is made anew from the name: its records
 * still carry their own checksums. */
static int spool_load(struct spool *spool, uint64_t first, struct segment *ret_segment,
                      struct spool_state *ret_state)
{
    char name[SEGMENT_NAME_SIZE];
    int fd;
    int r;

    segment_name(first, name);
    fd = openat(spool->folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return -errno;
    }
    r = segment_read_header(fd, ret_segment, ret_state);
    if (r == 0 && ret_segment->first != first) {
        r = -ERR_FOREIGN;
    }
    if (r == -ERR_CORRUPT || r == -ERR_TRUNCATED) {
        *ret_segment = (struct segment){.first = first, .size = SEGMENT_HEADER_SIZE};
        *ret_state = (struct spool_state){.base = first - 1};
        r = 0;
    }
    if (r < 0) {
        closep(&fd);
        return r;
    }
    return fd;
}

/* The newest state there is: headers are written in order, so the last readable one holds. */
static int spool_find_state(struct spool *spool, const struct spool_found *found)
{
    for (size_t i = found->count; i > 0 && spool->state.sent == 0; i--) {
        struct segment segment = {0};
        CLEANUP(closep) int fd = spool_load(spool, found->firsts[i - 1], &segment, &spool->state);

        if (fd < 0) {
            return fd;
        }
    }
    return 0;
}

/* Removes files whose content the centre has, or that were joined to the one before. */
static int spool_sift(struct spool *spool, struct spool_found *found)
{
    uint64_t covered = spool->state.removed;
    size_t kept = 0;

    for (size_t i = 0; i < found->count; i++) {
        struct spool_state state;
        struct segment segment = {0};
        CLEANUP(closep) int fd = -1;

        if (i + 1 < found->count && found->firsts[i] <= covered) {
            spool_unlink(spool, found->firsts[i]);
            continue;
        }
        fd = spool_load(spool, found->firsts[i], &segment, &state);
        if (fd < 0) {
            return fd;
        }
        covered = segment.last > covered ? segment.last : covered;
        found->firsts[kept++] = found->firsts[i];
    }
    found->count = kept;
    return 0;
}

/* Where the newest segment ends, and what a torn tail in it means. */
static void spool_take_up(struct spool *spool, const struct spool_scan *scan, bool is_state_known)
{
    spool->next = scan->last + 1;
    spool->state.torn += scan->is_cut;
    if (!is_state_known && spool->state.sent < scan->last) {
        spool->state.sent =
            scan->last; /* who knows: not to be dropped until the centre has spoken */
    }
    if (spool->next <= spool->state.sent) { /* a disk that lied: what may be sent was durable */
        spool->next = spool->state.sent + 1;
    }
}

/* Takes one segment in. next_first: where the next one begins, 0 for the newest. */
static int spool_adopt(struct spool *spool, uint64_t first, uint64_t next_first)
{
    struct spool_state state = {0};
    struct spool_scan scan = {0};
    struct segment segment = {0};
    CLEANUP(closep) int fd = spool_load(spool, first, &segment, &state);
    uint64_t range;
    int r;

    if (fd < 0) {
        return fd;
    }
    r = spool_scan_records(spool, fd, &segment, &scan);
    if (r < 0) {
        return r;
    }
    if (next_first == 0) {
        spool_take_up(spool, &scan, state.sent != 0);
        segment.last = 0;
    } else if (segment.last == 0) {
        segment.last = next_first - 1;
    }
    range = (next_first == 0 ? spool->next - 1 : segment.last) - first + 1;
    if (range != scan.records + segment.dropped) {
        segment.dropped = range - scan.records;
        r = segment_write_header(fd, &segment, next_first == 0 ? &spool->state : &state);
        if (r < 0) {
            return r;
        }
    }
    spool->waiting += scan.waiting;
    r = spool_add_segment(spool, &segment);
    if (r == 0 && next_first == 0) {
        spool->fd = TAKE_FD(fd);
    }
    return r;
}

static int spool_adopt_all(struct spool *spool, struct spool_found *found)
{
    int r = spool_find_state(spool, found);

    if (r == 0) {
        r = spool_sift(spool, found);
    }
    for (size_t i = 0; r == 0 && i < found->count; i++) {
        r = spool_adopt(spool, found->firsts[i], i + 1 < found->count ? found->firsts[i + 1] : 0);
    }
    return r == 0 ? spool_note(spool) : r;
}

static int spool_start(struct spool *spool, const struct clock *clock)
{
    int64_t seconds = clock_wall(clock) / NS_PER_S;
    uint64_t base = (uint64_t)(seconds > 0 ? seconds : 1) << SPOOL_FIRST_SHIFT;

    spool->next = base + 1;
    spool->state = (struct spool_state){.base = base, .acked = base, .sent = base};
    return spool_begin(spool);
}

int spool_recover(struct spool *spool, const struct clock *clock, struct diag *diag)
{
    struct spool_found *found = mem_alloc(1, sizeof(*found));
    int r;

    if (found == NULL) {
        return -ERR_NOMEM;
    }
    (void)unlinkat(spool->folder, SPOOL_LEAN, 0);
    (void)unlinkat(spool->folder, SPOOL_SPARE, 0);
    r = spool_list(spool, found);
    if (r == 0) {
        r = found->count == 0 ? spool_start(spool, clock) : spool_adopt_all(spool, found);
    }
    mem_free(found);
    if (r == -ERR_FOREIGN) {
        return diag_set(diag, r,
                        _("the spool folder holds files that are not a spool's; move them away"));
    }
    return r;
}
