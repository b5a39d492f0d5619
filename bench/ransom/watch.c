/* Three simpler defences, to measure the agent against. All watch after the fact (fanotify
 * notifications, never a permission event) and stop the whole session of the process they blame.
 *
 *   watch copy FOLDER STORE     copies each file when it is opened, as ROFBS does; blames who
 * closes the third file that looked readable before and random after (chi-square over 4 KB) watch
 * traps FOLDER STORE    one file in twenty is a trap; blames who changes, renames or removes one
 *   watch renames FOLDER STORE  blames who renames 25 files within a second
 *
 * Says "ready" once it watches. Who made the drill's marker file is the one that lays out the files
 * and is never blamed. For the bench only. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MARKER       ".canhgac-drill"
#define SESSIONS     64
#define FILES        (1 << 16) /* slots by inode; more than a bench has */
#define TRAP_EACH    20
#define RENAME_RATE  25
#define RANDOM_BELOW 330.5 /* chi-square at 255 degrees of freedom, p > .001 */
#define SUSPECT_MAX  3

struct session {
    pid_t id;
    unsigned suspect;             /* copy: files that turned random */
    int64_t renames[RENAME_RATE]; /* when the last ones were, a ring */
    unsigned rename_at;
    bool is_stopped;
};

struct saved {
    uint64_t ino;
    bool was_random;
};

static const char *folder;
static const char *store;
static pid_t filler;
static struct session sessions[SESSIONS];
static struct saved files[FILES];
static unsigned copies;

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Field 6 of stat, counted behind the name's closing bracket. */
static pid_t session_of(pid_t pid)
{
    char path[64];
    char text[512];
    char *rest;
    ssize_t len;
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    if (len <= 0) {
        return 0;
    }
    text[len] = '\0';
    rest = strrchr(text, ')');
    for (int field = 0; rest != NULL && field < 4; field++) {
        rest = strchr(rest + 1, ' ');
    }
    return rest != NULL ? (pid_t)strtol(rest, NULL, 10) : 0;
}

static struct session *session_get(pid_t pid)
{
    pid_t id = pid == filler ? 0 : session_of(pid);

    for (size_t i = 0; id > 1 && i < SESSIONS; i++) {
        if (sessions[i].id == 0 || sessions[i].id == id) {
            sessions[i].id = id;
            return &sessions[i];
        }
    }
    return NULL;
}

static void session_stop(struct session *session)
{
    DIR *proc = session->is_stopped ? NULL : opendir("/proc");
    const struct dirent *entry;

    session->is_stopped = true;
    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (pid > 1 && session_of(pid) == session->id) {
            (void)kill(pid, SIGSTOP);
        }
    }
    if (proc != NULL) {
        (void)closedir(proc);
        printf("stop %d\n", (int)session->id);
        (void)fflush(stdout);
    }
}

static bool looks_random(int fd)
{
    unsigned char bytes[4096];
    double counts[256] = {0};
    double sum = 0;
    ssize_t len = pread(fd, bytes, sizeof(bytes), 0);

    if (len < 512) {
        return false;
    }
    for (ssize_t i = 0; i < len; i++) {
        counts[bytes[i]]++;
    }
    for (unsigned value = 0; value < 256; value++) {
        double expected = (double)len / 256;

        sum += (counts[value] - expected) * (counts[value] - expected) / expected;
    }
    return sum < RANDOM_BELOW;
}

static struct saved *file_get(uint64_t ino)
{
    size_t slot = ino * 0x9e3779b97f4a7c15ULL >> 48;

    while (files[slot].ino != 0 && files[slot].ino != ino) {
        slot = (slot + 1) % FILES;
    }
    return &files[slot];
}

static void copy_keep(int fd, const struct stat *st)
{
    struct saved *saved = file_get(st->st_ino);
    char path[4096];
    off_t offset = 0;
    int copy;

    if (saved->ino != 0 || st->st_size == 0) {
        return;
    }
    saved->ino = st->st_ino;
    saved->was_random = looks_random(fd);
    (void)snprintf(path, sizeof(path), "%s/%u", store, copies++);
    copy = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    while (copy >= 0 && copy_file_range(fd, &offset, copy, NULL, 1 << 30, 0) > 0) {
    }
    if (copy >= 0 && offset == 0) { /* across file systems */
        static char chunk[1 << 16];
        ssize_t len;

        while ((len = pread(fd, chunk, sizeof(chunk), offset)) > 0 &&
               write(copy, chunk, (size_t)len) == len) {
            offset += len;
        }
    }
    (void)close(copy);
}

static void copy_take(const struct fanotify_event_metadata *event)
{
    struct session *session;
    char link[64];
    char path[4096];
    struct stat st;
    ssize_t len;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", event->fd);
    len = readlink(link, path, sizeof(path) - 1);
    if (len < 0 || strncmp(path, folder, strlen(folder)) != 0 || fstat(event->fd, &st) < 0 ||
        !S_ISREG(st.st_mode)) {
        return;
    }
    path[len] = '\0';
    if (strstr(path, "/" MARKER) != NULL) {
        filler = (event->mask & FAN_CLOSE_WRITE) != 0 ? event->pid : filler;
        return;
    }
    session = session_get(event->pid);
    if (session == NULL) {
        return;
    }
    if ((event->mask & FAN_OPEN) != 0) {
        copy_keep(event->fd, &st);
    }
    if ((event->mask & FAN_CLOSE_WRITE) != 0 && !file_get(st.st_ino)->was_random &&
        looks_random(event->fd) && ++session->suspect >= SUSPECT_MAX) {
        session_stop(session);
    }
}

/* The name in an event of the names group, "" when there is none. */
static const char *name_of(const struct fanotify_event_metadata *event)
{
    const struct fanotify_event_info_fid *info = (const void *)(event + 1);
    const struct file_handle *handle = (const void *)info->handle;

    if (event->event_len <= sizeof(*event) || info->hdr.info_type == FAN_EVENT_INFO_TYPE_FID) {
        return "";
    }
    return (const char *)handle->f_handle + handle->handle_bytes;
}

static bool is_trap(const char *name)
{
    uint32_t hash = 2166136261U;

    for (; *name != '\0'; name++) {
        hash = (hash ^ (unsigned char)*name) * 16777619U;
    }
    return hash % TRAP_EACH == 0;
}

static void name_take(const struct fanotify_event_metadata *event, bool has_traps)
{
    const char *name = name_of(event);
    struct session *session;
    int64_t now = now_ns();

    if (strcmp(name, MARKER) == 0) {
        filler = event->pid;
        return;
    }
    session = session_get(event->pid);
    if (session == NULL) {
        return;
    }
    if (has_traps) {
        if (is_trap(name) && (event->mask & (FAN_MODIFY | FAN_DELETE | FAN_RENAME)) != 0) {
            session_stop(session);
        }
        return;
    }
    if ((event->mask & FAN_RENAME) != 0) {
        int64_t *oldest = &session->renames[session->rename_at++ % RENAME_RATE];

        if (*oldest != 0 && now - *oldest < 1000000000LL) {
            session_stop(session);
        }
        *oldest = now;
    }
}

int main(int argc, char **argv)
{
    _Alignas(struct fanotify_event_metadata) static char bytes[1 << 16];
    bool is_copy = argc == 4 && strcmp(argv[1], "copy") == 0;
    bool has_traps = argc == 4 && strcmp(argv[1], "traps") == 0;
    uint64_t mask =
        is_copy ? FAN_OPEN | FAN_CLOSE_WRITE : FAN_CREATE | FAN_MODIFY | FAN_DELETE | FAN_RENAME;
    ssize_t len;
    int group;

    if (!is_copy && !has_traps && (argc != 4 || strcmp(argv[1], "renames") != 0)) {
        (void)fprintf(stderr, "usage: watch copy|traps|renames FOLDER STORE\n");
        return 2;
    }
    folder = argv[2];
    store = argv[3];
    group = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_UNLIMITED_QUEUE |
                              (is_copy ? 0 : FAN_REPORT_DFID_NAME),
                          O_RDONLY | O_CLOEXEC | O_LARGEFILE | O_NOATIME);
    if (group < 0 ||
        fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask, AT_FDCWD, folder) < 0) {
        (void)fprintf(stderr, "watch: %s\n", strerror(errno));
        return 3;
    }
    printf("ready\n");
    (void)fflush(stdout);
    while ((len = read(group, bytes, sizeof(bytes))) > 0) {
        const struct fanotify_event_metadata *event = (const void *)bytes;

        for (; FAN_EVENT_OK(event, len); event = FAN_EVENT_NEXT(event, len)) {
            if (is_copy && event->fd >= 0) {
                copy_take(event);
                (void)close(event->fd);
            } else if (!is_copy) {
                name_take(event, has_traps);
            }
        }
    }
    return 3;
}
