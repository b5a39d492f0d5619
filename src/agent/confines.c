/* The walk runs in a process of its own and tells what it finds through a pipe, a fixed-size row
 * each; the supervisor keeps them. A row is known by the file's kernel handle, which no later file
 * has. */
#include "agent/confines.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "sys/fd.h"
#include "sys/process.h"
#include "sys/spawn.h"
#include "sys/thread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define SET_IDS_MAX   65536U
#define CONFINES_SEED 0x636f6e66U
#define WALK_DEPTH    64
#define WALK_BATCH    64
#define WATCH_REST_NS (200 * NS_PER_MS)

struct set_id {
    uint64_t key;
    uint32_t mode; /* permission bits */
    uint32_t uid;
    uint32_t gid;
    uint32_t has_capabilities;
};

static uint64_t key_of(int32_t type, struct str bytes)
{
    return map_hash(bytes, CONFINES_SEED + (uint32_t)type);
}

/* Whether an open file (O_PATH will do) is one to know. */
static bool set_id_read(int fd, uint64_t key, struct set_id *ret_row)
{
    char path[64];
    struct stat stat;

    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        return false;
    }
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    *ret_row = (struct set_id){
        .key = key, .mode = stat.st_mode & 07777, .uid = stat.st_uid, .gid = stat.st_gid};
    if ((stat.st_mode & 0111) != 0) {
        ret_row->has_capabilities = getxattr(path, "security.capability", NULL, 0) > 0 ? 1 : 0;
    }
    return (stat.st_mode & (S_ISUID | S_ISGID)) != 0 || ret_row->has_capabilities != 0;
}

static void confines_put(struct confines *confines, const struct set_id *row)
{
    struct set_id *copy = mem_alloc(1, sizeof(*copy));

    if (copy == NULL) {
        return; /* not known: its bits are withheld, which is told */
    }
    *copy = *row;
    mem_free(map_remove(&confines->set_ids, MAP_KEY(row->key)));
    if (map_put(&confines->set_ids, MAP_KEY(copy->key), copy) < 0) {
        mem_free(copy);
    }
}

static int confines_open(const struct confines *confines, const struct file_handle_id *handle)
{
    int r = -ERR_NOENT;

    for (size_t i = 0; i < confines->count && r < 0; i++) {
        if (confines->places[i].folder >= 0 && confines->fsids[i] == handle->fsid) {
            r = handle_open(confines->places[i].folder, handle);
        }
    }
    return r;
}

/* Without its folder the kernel tells of a link count, as at each unlink, and of a change by a
 * handle, as a server of NFS makes it. Of files that had no bits neither matters: what is unlinked
 * gets none, and bits that were set unseen are not given back. */
static void confines_take(struct confines *confines, const struct name_event *event)
{
    uint64_t key =
        key_of(event->file.type, str_of((const char *)event->file.bytes, event->file.len));
    bool is_known = map_get(&confines->set_ids, MAP_KEY(key)) != NULL;
    bool is_change = !event->is_folder && (event->folder.len != 0 || is_known);
    CLEANUP(closep) int fd = is_change ? confines_open(confines, &event->file) : -1;
    struct set_id row;

    if (fd < 0) {
        return; /* gone: what it was still counts for the restore */
    }
    if (set_id_read(fd, key, &row)) {
        confines_put(confines, &row);
    } else {
        mem_free(map_remove(&confines->set_ids, MAP_KEY(key)));
    }
}

void confines_refresh(struct confines *confines)
{
    struct name_event event;

    while (confines->watch >= 0 && name_reader_fill(&confines->batch, confines->watch) == 0) {
        while (name_reader_next(&confines->batch, &event)) {
            confines_take(confines, &event);
        }
    }
}

static void confines_watch_again(void *context)
{
    struct confines *confines = context;

    (void)!loop_source_set_events(confines->watch_source, LOOP_READ);
}

/* Each unlink tells of changed attributes too; they are read in handfuls, and before a restore. */
static void confines_on_watch(void *context, int fd, unsigned events)
{
    struct confines *confines = context;

    (void)fd;
    (void)events;
    confines_refresh(confines);
    if (loop_source_set_timer(confines->rest, WATCH_REST_NS, 0) == 0) {
        (void)!loop_source_set_events(confines->watch_source, 0);
    }
}

static void confines_on_walk(void *context, int fd, unsigned events)
{
    struct confines *confines = context;
    struct set_id rows[WALK_BATCH];
    ssize_t got = read(fd, rows, sizeof(rows)); /* rows come whole: a pipe cuts none this small */

    (void)events;
    for (size_t i = 0; got > 0 && i < (size_t)got / sizeof(rows[0]); i++) {
        if (map_get(&confines->set_ids, MAP_KEY(rows[i].key)) == NULL) {
            confines_put(confines, &rows[i]);
        }
    }
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        loop_source_free(confines->walk_source);
        confines->walk_source = NULL;
        closep(&confines->walk);
    }
}

static void walk_file(int folder, const char *name, int out)
{
    CLEANUP(closep) int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct file_handle_id handle;
    struct set_id row;

    if (fd >= 0 && set_id_read(fd, 0, &row) && handle_of(fd, 0, &handle) == 0) {
        row.key = key_of(handle.type, str_of((const char *)handle.bytes, handle.len));
        (void)!fd_write_full(out, &row, sizeof(row));
    }
}

/* Takes the descriptor over. */
/* NOLINTNEXTLINE(misc-no-recursion): no deeper than WALK_DEPTH */
static void walk_folder(int folder, int out, unsigned depth)
{
    DIR *dir = folder >= 0 ? fdopendir(folder) : NULL;
    const struct dirent *item;

    if (dir == NULL) {
        closep(&folder);
        return;
    }
    while ((item = readdir(dir)) != NULL) {
        bool is_dots = strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0;

        if (!is_dots && item->d_type == DT_DIR && depth < WALK_DEPTH) {
            walk_folder(
                openat(folder, item->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), out,
                depth + 1);
        } else if (item->d_type == DT_REG || item->d_type == DT_UNKNOWN) {
            walk_file(folder, item->d_name, out);
        }
    }
    (void)closedir(dir);
}

static int walk_body(void *context)
{
    const struct confines *confines = context;

    (void)!thread_lower_priority();
    for (size_t i = 0; i < confines->count; i++) {
        int place = confines->places[i].folder;

        if (place >= 0) {
            walk_folder(openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), confines->walk, 0);
        }
    }
    return 0;
}

static void confines_on_walk_end(void *context, pid_t pid, int wait_status)
{
    (void)context;
    (void)pid;
    (void)wait_status; /* the pipe's end tells */
}

static int confines_start_walk(struct confines *confines, struct loop *loop)
{
    int keep[FILES_PLACES_MAX + 1];
    size_t count = confines_fds(confines, keep);
    CLEANUP(closep) int in = -1;
    int pipe_fds[2];
    pid_t pid;
    int r;

    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        return -errno;
    }
    in = pipe_fds[0];
    keep[count] = confines->walk = pipe_fds[1];
    r = spawn_body("walker", keep, count + 1, walk_body, confines, &pid);
    closep(&confines->walk);
    r = r < 0 ? r : loop_add_child(loop, pid, confines_on_walk_end, confines);
    r = r < 0 ? r : fd_set_nonblocking(in, true);
    if (r < 0) {
        return r;
    }
    confines->walk = TAKE_FD(in);
    return loop_add_fd(loop, confines->walk, LOOP_READ, confines_on_walk, confines,
                       &confines->walk_source);
}

static int confines_watch(struct confines *confines, struct loop *loop)
{
    int r;

    confines->watch = fanotify_names_new();
    for (size_t i = 0; confines->watch >= 0 && i < confines->count; i++) {
        int folder = confines->places[i].folder;

        if (folder >= 0 && (handle_fsid(folder, &confines->fsids[i]) < 0 ||
                            fanotify_attributes_mark(confines->watch, folder) < 0)) {
            closep(&confines->watch);
        }
    }
    if (confines->watch < 0) {
        confines->watch = -1;
        return 0;
    }
    r = loop_add_timer(loop, confines_watch_again, confines, &confines->rest);
    return r < 0 ? r
                 : loop_add_fd(loop, confines->watch, LOOP_READ, confines_on_watch, confines,
                               &confines->watch_source);
}

int confines_init(struct confines *confines, const struct places *places, struct loop *loop)
{
    int r;

    confines->watch = confines->walk = -1;
    confines->walk_source = NULL;
    confines->count = 0;
    map_init(&confines->set_ids, SET_IDS_MAX, CONFINES_SEED);
    for (size_t i = 0; i < places->count; i++) {
        const struct files_place *place = &places->list[i];
        int fd = place->is_left_out
                     ? -1
                     : open(place->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0 && !place->is_left_out) {
            return -errno;
        }
        confines->places[confines->count++] = (struct vault_allowed){place->path, fd};
    }
    r = confines_watch(confines, loop);
    return r < 0 ? r : confines_start_walk(confines, loop);
}

void confines_done(struct confines *confines)
{
    size_t cursor = 0;
    struct set_id *row;

    while ((row = map_next(&confines->set_ids, &cursor)) != NULL) {
        mem_free(row);
    }
    map_done(&confines->set_ids);
    for (size_t i = 0; i < confines->count; i++) {
        closep(&confines->places[i].folder);
    }
    closep(&confines->watch);
    closep(&confines->walk);
    confines->count = 0;
}

static bool confines_vouch(void *context, const struct vault_version *version)
{
    const struct confines *confines = context;
    uint32_t bits = version->mode & (S_ISUID | S_ISGID);
    const struct set_id *row;
    int32_t type;
    uint64_t key;

    if (version->handle.len <= sizeof(type)) {
        return false;
    }
    memcpy(&type, version->handle.ptr, sizeof(type));
    key = key_of(type, str_slice(version->handle, sizeof(type), version->handle.len));
    row = map_get(&confines->set_ids, MAP_KEY(key));
    return row != NULL && (row->mode & bits) == bits && row->uid == version->uid &&
           row->gid == version->gid;
}

struct vault_confines confines_of(struct confines *confines)
{
    return (struct vault_confines){confines->places, confines->count, confines_vouch, confines};
}

size_t confines_fds(const struct confines *confines, int out[FILES_PLACES_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < confines->count; i++) {
        if (confines->places[i].folder >= 0) {
            out[count++] = confines->places[i].folder;
        }
    }
    return count;
}
