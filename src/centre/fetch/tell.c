/* What fetch says to core: messages that find the channel full wait here, in order, with their
 * descriptors. While many wait no new look is begun: nothing that was seen is lost for want of
 * room. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "centre/fetch/private.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <zstd.h>

#define OUTBOX_MOST   2048U
#define OUTBOX_BEHIND 256U
#define CHECK_MAX     (48U << 10)
#define EVIDENCE_RATE 3 /* of zstd */

struct fetch_parcel {
    struct list node;
    int fds[CHANNEL_FDS_MAX];
    unsigned fd_count;
    size_t len;
    uint8_t bytes[];
};

static void fetch_parcel_free(struct fetch *fetch, struct fetch_parcel *parcel)
{
    while (parcel->fd_count != 0) {
        closep(&parcel->fds[--parcel->fd_count]);
    }
    list_remove(&parcel->node);
    fetch->outbox_count--;
    mem_free(parcel);
}

void fetch_outbox_done(struct fetch *fetch)
{
    LIST_EACH (node, &fetch->outbox) {
        fetch_parcel_free(fetch, LIST_ENTRY(node, struct fetch_parcel, node));
    }
}

bool fetch_is_behind(const struct fetch *fetch)
{
    return fetch->outbox_count > OUTBOX_BEHIND;
}

static void fetch_want_room(struct fetch *fetch, bool is_wanted)
{
    (void)!loop_source_set_events(fetch->core_source,
                                  is_wanted ? LOOP_READ | LOOP_WRITE : (unsigned)LOOP_READ);
}

void fetch_outbox_flush(struct fetch *fetch)
{
    int r;

    while (!list_is_empty(&fetch->outbox)) {
        struct fetch_parcel *parcel = LIST_ENTRY(fetch->outbox.next, struct fetch_parcel, node);

        fetch->msg.len = parcel->len;
        fetch->msg.error = 0;
        memcpy(fetch->msg.bytes, parcel->bytes, parcel->len);
        r = channel_send(fetch->channels.core, &fetch->msg, parcel->fds, parcel->fd_count);
        if (r == -ERR_AGAIN || r == -ETOOMANYREFS) {
            return;
        }
        fetch_parcel_free(fetch, parcel);
    }
    fetch_want_room(fetch, false);
}

static int fetch_park(struct fetch *fetch, const int *fds, unsigned count)
{
    struct fetch_parcel *parcel =
        fetch->outbox_count < OUTBOX_MOST ? mem_alloc(1, sizeof(*parcel) + fetch->msg.len) : NULL;

    if (parcel == NULL) {
        log_error("a word to core is lost: too many wait");
        return -ERR_FULL;
    }
    memcpy(parcel->bytes, fetch->msg.bytes, fetch->msg.len);
    parcel->len = fetch->msg.len;
    list_append(&fetch->outbox, &parcel->node);
    fetch->outbox_count++;
    for (unsigned i = 0; i < count; i++) {
        parcel->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
        if (parcel->fds[i] < 0) {
            fetch_parcel_free(fetch, parcel);
            return -errno;
        }
        parcel->fd_count++;
    }
    fetch_want_room(fetch, true);
    return 0;
}

int fetch_send(struct fetch *fetch, const int *fds, unsigned count)
{
    int r = list_is_empty(&fetch->outbox)
                ? channel_send(fetch->channels.core, &fetch->msg, fds, count)
                : -ERR_AGAIN;

    /* the second: too many descriptors are on their way, which is a full channel as well */
    return r == -ERR_AGAIN || r == -ETOOMANYREFS ? fetch_park(fetch, fds, count) : r;
}

static int fetch_memfd(struct str bytes)
{
    CLEANUP(closep) int fd = memfd_create("kept", MFD_CLOEXEC);

    if (fd < 0 || fd_write_full(fd, bytes.ptr, bytes.len) < 0) {
        return -1;
    }
    return TAKE_FD(fd);
}

/* The body as it came, pressed; -1 when there is none or no room. */
static int fetch_evidence(int body)
{
    CLEANUP(mem_freep) void *out = NULL;
    struct stat stat;
    void *bytes;
    size_t room;
    size_t len;

    if (body < 0 || fstat(body, &stat) != 0 || stat.st_size <= 0) {
        return -1;
    }
    bytes = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, body, 0);
    if (bytes == MAP_FAILED) {
        return -1;
    }
    room = ZSTD_compressBound((size_t)stat.st_size);
    out = mem_alloc(1, room);
    len = out != NULL ? ZSTD_compress(out, room, bytes, (size_t)stat.st_size, EVIDENCE_RATE) : 0;
    (void)munmap(bytes, (size_t)stat.st_size);
    return out == NULL || ZSTD_isError(len) != 0 ? -1 : fetch_memfd(str_of(out, len));
}

static int fetch_kept_site(const struct fetch_watch *watch)
{
    CLEANUP(buf_done) struct buf buf;

    buf_init(&buf, FETCH_PROFILE_MAX);
    fetch_watch_put_kept(watch, &buf);
    return buf_error(&buf) == 0 ? fetch_memfd(buf_str(&buf)) : -1;
}

/* Evidence is what somebody may want to see: what was red or yellow, and how the page was first. */
static bool fetch_wants_evidence(const struct fetch_look *look)
{
    return look->check.verdict >= SITE_VERDICT_YELLOW ||
           (!look->page->has_evidence && look->body >= 0);
}

void fetch_tell_look(struct fetch_look *look)
{
    struct fetch *fetch = look->watch->fetch;
    CLEANUP(buf_done) struct buf check;
    bool is_learned = look->site_fd >= 0 || look->watch->is_learned;
    CLEANUP(closep) int site = is_learned ? fetch_kept_site(look->watch) : -1;
    CLEANUP(closep) int evidence = fetch_wants_evidence(look) ? fetch_evidence(look->body) : -1;
    struct fetch_check told = {.site = look->watch->number};
    CLEANUP(closep)
    int scripts = look->watch->is_scripts_new ? fetch_memfd(buf_str(&look->watch->scripts)) : -1;
    int fds[CHANNEL_FDS_MAX];
    unsigned count = 0;

    buf_init(&check, CHECK_MAX);
    site_check_encode(&look->check, &check);
    told.check = buf_str(&check);
    if (look->page_fd >= 0 && site >= 0) {
        told.parts |= FETCH_PART_PAGE;
        fds[count++] = look->page_fd;
    }
    if (site >= 0) {
        told.parts |= FETCH_PART_SITE;
        fds[count++] = site;
        look->watch->is_learned = false;
    }
    if (evidence >= 0) {
        told.parts |= FETCH_PART_EVIDENCE;
        fds[count++] = evidence;
        look->page->has_evidence = true;
    }
    if (look->text_fd >= 0) {
        told.parts |= FETCH_PART_TEXT;
        fds[count++] = look->text_fd;
    }
    if (scripts >= 0) {
        told.parts |= FETCH_PART_SCRIPTS;
        fds[count++] = scripts;
        look->watch->is_scripts_new = false;
    }
    fetch_check_put(&fetch->msg, &told);
    if (buf_error(&check) != 0 || fetch_send(fetch, fds, count) < 0) {
        log_error("a look could not be told site=%llu", (unsigned long long)look->watch->number);
    }
}
