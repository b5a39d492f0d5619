/* The eye on the attacker. On its way: drill.c forks the attacker → here → the verdict. Invariant:
 * only processes of the session that our own child leads are ever signalled, each by a pidfd that
 * was checked. */
#include "cli/drill/watch.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "sys/fd.h"
#include "sys/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/wait.h>

#define LOOK_NS     (100 * NS_PER_US)
#define SCAN_NS     (2 * NS_PER_MS)  /* the whole session is looked at less often: /proc is long */
#define STILL_NS    (20 * NS_PER_MS) /* how long sleepers must sleep beside a stopped process */
#define KILL_ROUNDS 50
#define NOTICE_MASK                                                                                \
    (IN_MODIFY | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DONT_FOLLOW | IN_ONLYDIR)
#define STAT_TEXT 512

struct drill_watch {
    const struct drill_folder *folder;
    const struct drill_manifest *manifest;
    const struct drill_counter *counter;
    int notices;          /* inotify, or -1 */
    const char **folders; /* by watch descriptor */
    size_t folder_room;
    struct map files; /* path → entry */
    bool *is_touched; /* by entry */
    int64_t first_ns;
    int64_t last_ns;
    uint64_t touched;
};

static int watch_add_entry(struct drill_watch *watch, const struct drill_entry *entry)
{
    char path[2 * DRILL_PATH_MAX];
    int number;

    if (!entry->is_folder) {
        return map_put(&watch->files, str_from(entry->path), (void *)(uintptr_t)entry);
    }
    (void)snprintf(path, sizeof(path), "%s/%s", watch->folder->path, entry->path);
    number = inotify_add_watch(watch->notices, path, NOTICE_MASK);
    if (number < 0) {
        return -errno;
    }
    if ((size_t)number >= watch->folder_room) {
        return -ERR_LIMIT;
    }
    watch->folders[number] = entry->path;
    return 0;
}

static int watch_open_notices(struct drill_watch *watch)
{
    const struct drill_manifest *manifest = watch->manifest;
    int r = 0;

    watch->notices = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    watch->folder_room = manifest->count + 2;
    watch->folders = mem_alloc(watch->folder_room, sizeof(*watch->folders));
    watch->is_touched = mem_alloc(manifest->count, sizeof(*watch->is_touched));
    if (watch->notices < 0 || watch->folders == NULL || watch->is_touched == NULL) {
        return watch->notices < 0 ? -errno : -ERR_NOMEM;
    }
    for (size_t i = 0; r == 0 && i < manifest->count; i++) {
        r = watch_add_entry(watch, &manifest->entries[i]);
    }
    return r;
}

int drill_watch_new(const struct drill_folder *folder, const struct drill_manifest *manifest,
                    const struct drill_counter *counter, bool is_foreign,
                    struct drill_watch **ret_watch)
{
    CLEANUP(drill_watch_freep) struct drill_watch *watch = mem_alloc(1, sizeof(*watch));
    int r = 0;

    if (watch == NULL) {
        return -ERR_NOMEM;
    }
    *watch = (struct drill_watch){folder, manifest, counter, .notices = -1};
    map_init(&watch->files, manifest->count, 0);
    if (is_foreign) {
        r = watch_open_notices(watch);
    }
    if (r < 0) {
        return r;
    }
    *ret_watch = TAKE_PTR(watch);
    return 0;
}

void drill_watch_freep(struct drill_watch **watch)
{
    if (*watch == NULL) {
        return;
    }
    closep(&(*watch)->notices);
    map_done(&(*watch)->files);
    mem_free((*watch)->folders);
    mem_free((*watch)->is_touched);
    mem_free(*watch);
}

static void watch_take_notice(struct drill_watch *watch, const struct inotify_event *event,
                              int64_t now)
{
    char path[DRILL_PATH_MAX];
    const struct drill_entry *entry;
    size_t index;

    if (event->wd < 0 || (size_t)event->wd >= watch->folder_room || event->len == 0) {
        return;
    }
    (void)snprintf(path, sizeof(path), "%s/%s", watch->folders[event->wd], event->name);
    entry = map_get(&watch->files, str_from(path));
    if (entry == NULL) {
        return;
    }
    index = (size_t)(entry - watch->manifest->entries);
    if (!watch->is_touched[index]) {
        watch->is_touched[index] = true;
        watch->touched++;
        watch->first_ns = watch->first_ns == 0 ? now : watch->first_ns;
        watch->last_ns = now;
    }
}

/* Takes in what is known of destruction by now. */
static void watch_read(struct drill_watch *watch)
{
    _Alignas(struct inotify_event) char bytes[16384];
    int64_t now = clock_mono(&clock_real);
    ssize_t len;

    if (watch->notices < 0) {
        watch->first_ns = atomic_load(&watch->counter->first_ns);
        watch->last_ns = atomic_load(&watch->counter->last_ns);
        watch->touched = atomic_load(&watch->counter->touched);
        return;
    }
    while ((len = read(watch->notices, bytes, sizeof(bytes))) > 0) {
        const struct inotify_event *event;

        for (ssize_t at = 0; at < len; at += (ssize_t)(sizeof(*event) + event->len)) {
            event = (const void *)(bytes + at);
            watch_take_notice(watch, event, now);
        }
    }
}

/* The letter of its state and its session; 0 when it has gone. */
static char watch_state(pid_t pid, pid_t *ret_session)
{
    CLEANUP(closep) int fd = -1;
    char text[STAT_TEXT];
    char path[64];
    struct str rest;
    struct str part;
    int64_t session = 0;
    char state;
    ssize_t len;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (len <= 0) {
        return 0;
    }
    text[len] = '\0';
    rest = str_from(strrchr(text, ')'));
    rest = str_slice(rest, 2, rest.len);
    state = rest.len != 0 ? rest.ptr[0] : '\0';
    for (unsigned i = 0; i < 4 && str_cut(&rest, ' ', &part); i++) {
        if (i == 3 && str_to_i64(part, &session) < 0) { /* state ppid pgrp session */
            session = 0;
        }
    }
    *ret_session = (pid_t)session;
    return state;
}

struct watch_census {
    unsigned stopped;
    unsigned sleeping;
    unsigned running;
};

typedef void watch_member_fn(void *context, pid_t pid, char state);

/* Calls fn for each process of a session. */
static int watch_session(pid_t session, watch_member_fn *fn, void *context)
{
    const struct dirent *entry;
    DIR *proc = opendir("/proc");

    if (proc == NULL) {
        return -errno;
    }
    while ((entry = readdir(proc)) != NULL) {
        int64_t pid;
        pid_t its_session = 0;
        char state;

        if (str_to_i64(str_from(entry->d_name), &pid) < 0 || pid < session) {
            continue; /* members are younger than their leader; a wrapped pid is met at the next
                         look */
        }
        state = watch_state((pid_t)pid, &its_session);
        if (state != 0 && its_session == session) {
            fn(context, (pid_t)pid, state);
        }
    }
    (void)closedir(proc);
    return 0;
}

static void watch_count(void *context, pid_t pid, char state)
{
    struct watch_census *census = context;

    (void)pid;
    if (state == 'T') { /* not 't': whoever is traced may go on at once */
        census->stopped++;
    } else if (state == 'S') {
        census->sleeping++;
    } else if (state != 'Z' && state != 'X') {
        census->running++;
    }
}

/* Whether all stand still. Sleepers beside a stopped process may only wait for it, or wake up: they
 * are believed after a while. *since: when they were first seen so, 0 while they are not. */
static bool watch_is_still(const struct watch_census *census, int64_t now, int64_t *since)
{
    if (census->stopped == 0 || census->running != 0) {
        *since = 0;
        return false;
    }
    *since = *since == 0 ? now : *since;
    return census->sleeping == 0 || now - *since >= STILL_NS;
}

static bool watch_has_ended(pid_t pid)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

int drill_watch_run(struct drill_watch *watch, pid_t pid, int64_t limit_ns,
                    const volatile sig_atomic_t *is_called_off, struct drill_sighting *ret_sighting)
{
    const struct timespec pause = {.tv_nsec = LOOK_NS};
    struct drill_sighting sighting = {0};
    int64_t start = clock_mono(&clock_real);
    int64_t scanned = 0;
    int64_t since = 0;
    int64_t now = start;

    while (!sighting.is_stopped && !sighting.is_ended && !sighting.is_overdue) {
        pid_t session;
        char state;

        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        if (*is_called_off != 0) {
            return -ERR_CANCELED;
        }
        watch_read(watch);
        state = watch_state(pid, &session);
        now = clock_mono(&clock_real);
        if (state == 'T' || now - scanned >= SCAN_NS) {
            struct watch_census census = {0};
            int r = watch_session(pid, watch_count, &census);

            if (r < 0) {
                return r;
            }
            scanned = now;
            sighting.is_stopped = watch_is_still(&census, now, &since);
        }
        sighting.is_ended = !sighting.is_stopped && watch_has_ended(pid);
        sighting.is_overdue = now - start >= limit_ns;
    }
    watch_read(watch);
    sighting.stop_ns = sighting.is_stopped ? since : now;
    sighting.first_ns = watch->first_ns;
    sighting.last_ns = watch->last_ns;
    sighting.touched = watch->touched;
    *ret_sighting = sighting;
    return 0;
}

struct watch_killing {
    pid_t session;
    unsigned killed;
};

static void watch_kill(void *context, pid_t pid, char state)
{
    struct watch_killing *killing = context;
    struct process_info info;
    CLEANUP(closep) int pidfd = -1;

    if (state == 'Z' || process_read_stat(pid, &info) < 0 || info.session != killing->session) {
        return;
    }
    pidfd = process_open(pid, info.start);
    if (pidfd >= 0 && process_signal(pidfd, SIGKILL) == 0) {
        killing->killed++;
    }
}

void drill_session_kill(pid_t pid)
{
    const struct timespec pause = {.tv_nsec = NS_PER_MS};

    /* Its leader is not reaped before the end, so that the session's number stays ours. */
    for (unsigned round = 0; round < KILL_ROUNDS; round++) {
        struct watch_killing killing = {.session = pid};

        if (watch_session(pid, watch_kill, &killing) < 0 || killing.killed == 0) {
            break;
        }
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}
