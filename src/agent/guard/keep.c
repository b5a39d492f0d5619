/* What the guard holds for later: room on the disk, what it took out of a root until it is
 * evidence, and files whose turn comes later. */
#include "agent/guard/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "sys/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>

#define BURIAL_REST_NS  (500 * NS_PER_MS) /* the writer may not have finished */
#define BURIAL_SLICE_NS (3 * NS_PER_MS)
#define BURIAL_PAUSE_NS (5 * NS_PER_MS)
#define BURIAL_AGAIN_NS (5 * NS_PER_S)
#define RESERVE_BYTES   (16 << 20)
#define RESERVE_SPARE   10 /* it is made only where so many times its size is free */

/* ---- a full disk */

/* Room that is ours when an attacker fills the disk before he changes a page. */
void guard_keep_reserve(struct guard *guard)
{
    CLEANUP(closep) int fd = -1;
    struct statvfs space;

    if (guard->has_reserve || fstatvfs(guard->store_fd, &space) != 0 ||
        space.f_bavail * space.f_frsize < (uint64_t)RESERVE_BYTES * RESERVE_SPARE) {
        return;
    }
    fd = openat(guard->store_fd, "reserve", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    guard->has_reserve = fd >= 0 && fallocate(fd, 0, 0, RESERVE_BYTES) == 0;
}

bool guard_free_reserve(struct guard *guard)
{
    if (unlinkat(guard->store_fd, "reserve", 0) != 0) {
        return false;
    }
    guard->has_reserve = false;
    return true;
}

/* ---- evidence */

static const struct guard_incident *incident_of(const struct guard *guard, uint64_t number)
{
    for (size_t i = 0; i < GUARD_INCIDENTS_MAX; i++) {
        if (guard->incidents[i].is_used && guard->incidents[i].number == number) {
            return &guard->incidents[i];
        }
    }
    return NULL;
}

/* -ERR_NOSPC: it lies where it lay. */
static int guard_bury(struct guard *guard, const struct guard_burial *burial, int folder,
                      bool is_patient)
{
    const struct guard_incident *incident = incident_of(guard, burial->incident);
    struct evidence_record record = {.time = burial->time,
                                     .root = str_from(burial->root->config.path),
                                     .path = str_of(burial->path, burial->len),
                                     .what = str_from(burial->what)};
    uint64_t number = 0;
    int r;

    if (incident != NULL) {
        record.pid = incident->pid;
        record.user = incident->process.user;
        record.exe = incident->process.exe;
        record.cmdline = incident->process.cmdline;
    }
    r = burial->fd >= 0
            ? webroot_bury_open(&guard->evidence, burial->fd, &record, &number)
            : webroot_bury(&guard->evidence, folder, burial->name, is_patient, &record, &number);
    if (r < 0 && r != -ERR_NOSPC) {
        log_warn("evidence could not be kept whole path=%s reason=%s", burial->path, err_text(r));
    }
    if (number != 0) {
        guard_incident_evidence(guard, burial->incident, number);
    }
    return r;
}

static void burial_free(struct guard *guard, struct guard_burial *burial)
{
    guard->open_burials -= burial->fd >= 0 ? 1U : 0U;
    closep(&burial->fd);
    mem_free(burial);
}

/* Beside its place nothing may stay: it could be read under its new name. A file is held by its
 * descriptor; all else is kept at once. True when it may wait. */
static bool burial_take_name(struct guard *guard, struct guard_burial *burial, int folder)
{
    struct stat st;

    if (guard->open_burials >= GUARD_OPEN_MAX ||
        fstatat(folder, burial->name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) {
        return false;
    }
    burial->fd = openat(folder, burial->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (burial->fd < 0) {
        return false;
    }
    guard->open_burials++;
    return unlinkat(folder, burial->name, 0) == 0;
}

void guard_on_taken(void *context, struct str path, int folder, const char *name)
{
    const struct guard_taking *taking = context;
    struct guard *guard = taking->guard;
    struct guard_burial *burial = mem_alloc(1, sizeof(*burial) + path.len + 1);

    if (burial == NULL) {
        return; /* it lies in the stage, and is found there at the next start */
    }
    burial->root = taking->root;
    burial->due = clock_mono(&clock_real) + BURIAL_REST_NS;
    burial->time = clock_wall(&clock_real);
    burial->incident = taking->incident;
    burial->what = taking->what;
    (void)snprintf(burial->name, sizeof(burial->name), "%s", name);
    burial->len = path.len;
    memcpy(burial->path, path.ptr, path.len);
    burial->fd = -1;
    if ((taking->root->webroot.is_apart && !burial_take_name(guard, burial, folder)) ||
        guard->burial_count >= GUARD_BURIALS_MAX) {
        (void)!guard_bury(guard, burial, folder, false);
        burial_free(guard, burial);
        return;
    }
    list_append(&guard->burials, &burial->link);
    guard->burial_count++;
}

void guard_do_burials(struct guard *guard, int64_t now)
{
    int64_t end = clock_mono(&clock_real) + BURIAL_SLICE_NS;

    LIST_EACH (node, &guard->burials) {
        struct guard_burial *burial = LIST_ENTRY(node, struct guard_burial, link);

        if (burial->due > now) {
            return;
        }
        if (now != INT64_MAX && clock_mono(&clock_real) > end) {
            (void)!loop_source_set_timer(guard->more, BURIAL_PAUSE_NS, 0);
            return;
        }
        list_remove(node);
        if (guard_bury(guard, burial, burial->root->webroot.stage, true) == -ERR_NOSPC &&
            now != INT64_MAX) {
            burial->due = now + BURIAL_AGAIN_NS;
            list_append(&guard->burials, node);
            return;
        }
        guard->burial_count--;
        burial_free(guard, burial);
    }
}

/* Where it stood nobody knows any more; what it holds may tell. */
void guard_bury_left(struct guard *guard, struct guard_root *root)
{
    struct guard_burial burial = {
        .root = root, .time = clock_wall(&clock_real), .what = "web_changed", .fd = -1};
    const struct dirent *item;
    DIR *dir;
    int fd;

    if (!root->is_open) {
        return;
    }
    fd = openat(root->webroot.stage, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        closep(&fd);
        return;
    }
    while ((item = readdir(dir)) != NULL) {
        size_t len = strlen(item->d_name);

        if (str_has_prefix(str_from(item->d_name), STR(".canhgac-")) && len < sizeof(burial.name)) {
            memcpy(burial.name, item->d_name, len + 1);
            (void)!guard_bury(guard, &burial, root->webroot.stage, true);
        }
    }
    (void)closedir(dir);
}

/* ---- what waits */

static size_t root_index(const struct guard *guard, const struct guard_root *root)
{
    return (size_t)(root - guard->roots);
}

void guard_wait(struct guard *guard, struct guard_root *root, struct str path, pid_t pid,
                int64_t due)
{
    char text[MANIFEST_PATH_MAX + 1];
    struct str key = {text, path.len + 1};
    struct guard_waiting *waiting;

    text[0] = (char)root_index(guard, root);
    memcpy(text + 1, path.ptr, path.len);
    if (map_get(&guard->waiting_keys, key) != NULL) {
        return;
    }
    waiting = mem_alloc(1, sizeof(*waiting) + key.len);
    if (waiting == NULL) {
        return; /* the rescan comes to it */
    }
    *waiting = (struct guard_waiting){.root = root, .due = due, .pid = pid, .len = key.len};
    memcpy(waiting->key, key.ptr, key.len);
    if (map_put(&guard->waiting_keys, str_of(waiting->key, waiting->len), waiting) < 0) {
        mem_free(waiting);
        return;
    }
    list_append(&guard->waiting, &waiting->link);
}

static void waiting_free(struct guard *guard, struct guard_waiting *waiting)
{
    (void)map_remove(&guard->waiting_keys, str_of(waiting->key, waiting->len));
    list_remove(&waiting->link);
    mem_free(waiting);
}

/* Looking may make others wait, or the same again; so each is taken out first, and those that are
 * due are gathered in one pass: whoever fights over many files must not make each of them cost all.
 */
void guard_do_waiting(struct guard *guard, int64_t now)
{
    struct list due;

    list_init(&due);
    LIST_EACH (node, &guard->waiting) {
        if (LIST_ENTRY(node, struct guard_waiting, link)->due <= now) {
            list_remove(node);
            list_append(&due, node);
        }
    }
    LIST_EACH (node, &due) {
        struct guard_waiting *waiting = LIST_ENTRY(node, struct guard_waiting, link);
        struct guard_root *root = waiting->root;
        size_t len = waiting->len - 1;
        pid_t pid = waiting->pid;
        char path[MANIFEST_PATH_MAX];

        memcpy(path, waiting->key + 1, len);
        waiting_free(guard, waiting);
        guard->heard = clock_mono(&clock_real);
        (void)guard_look(guard, root, str_of(path, len), pid, false);
    }
}

void guard_forget_waiting(struct guard *guard)
{
    LIST_EACH (node, &guard->waiting) {
        waiting_free(guard, LIST_ENTRY(node, struct guard_waiting, link));
    }
    map_done(&guard->waiting_keys);
    LIST_EACH (node, &guard->burials) {
        list_remove(node);
        burial_free(guard, LIST_ENTRY(node, struct guard_burial, link));
    }
}
