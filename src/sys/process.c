/* /proc/PID read as text. The comm field may hold anything, so stat is parsed from its last ')'. */
#include "sys/process.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/map.h"
#include "sys/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PATH_ROOM        4096
#define CGROUP_HASH_SEED 0x63677270U

/* Reads a /proc file into a fixed buffer, NUL-terminated, cut at its size. The kernel gives less
 * than was asked for only at the end. */
static int process_read_file(pid_t pid, const char *name, char *out, size_t size, size_t *ret_len)
{
    char path[64];
    CLEANUP(closep) int fd = -1;
    size_t len = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    while (len + 1 < size) {
        size_t want = size - 1 - len;
        ssize_t got = read(fd, out + len, want);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return errno == ESRCH ? -ERR_NOENT : -errno;
        }
        len += (size_t)got;
        if ((size_t)got < want) {
            break;
        }
    }
    out[len] = '\0';
    *ret_len = len;
    return 0;
}

static struct str process_next_word(struct str *rest)
{
    struct str word = str_of("", 0);

    while (rest->len != 0 && rest->ptr[0] == ' ') {
        *rest = str_slice(*rest, 1, rest->len);
    }
    (void)str_cut(rest, ' ', &word);
    return word;
}

static int64_t process_next_number(struct str *rest)
{
    int64_t value = 0;

    (void)!str_to_i64(process_next_word(rest), &value);
    return value;
}

static int process_parse_stat(char *text, size_t len, struct process_info *info)
{
    char *comm = memchr(text, '(', len);
    char *comm_end = memrchr(text, ')', len);
    size_t comm_len;
    struct str rest;

    if (comm == NULL || comm_end == NULL || comm_end < comm) {
        return -ERR_SYNTAX;
    }
    comm_len = (size_t)(comm_end - comm - 1);
    if (comm_len >= sizeof(info->comm)) {
        comm_len = sizeof(info->comm) - 1;
    }
    memcpy(info->comm, comm + 1, comm_len);
    info->comm[comm_len] = '\0';
    rest = str_trim(str_of(comm_end + 1, len - (size_t)(comm_end + 1 - text)));
    (void)process_next_word(&rest); /* state */
    info->ppid = (pid_t)process_next_number(&rest);
    (void)process_next_number(&rest); /* process group */
    info->session = (pid_t)process_next_number(&rest);
    for (int field = 7; field < 22; field++) {
        (void)process_next_word(&rest);
    }
    info->start = (uint64_t)process_next_number(&rest);
    return 0;
}

int process_read_stat(pid_t pid, struct process_info *ret_info)
{
    char text[1024];
    size_t len;
    int r = process_read_file(pid, "stat", text, sizeof(text), &len);

    if (r < 0) {
        return r;
    }
    *ret_info = (struct process_info){.pid = pid};
    return process_parse_stat(text, len, ret_info);
}

/* Thread group and effective user from /proc/PID/status. */
static int process_read_status(pid_t pid, pid_t *ret_tgid, uid_t *ret_uid)
{
    char text[4096];
    size_t len;
    struct str rest;
    struct str line;
    bool has_uid = false; /* Tgid comes before */
    int r = process_read_file(pid, "status", text, sizeof(text), &len);

    if (r < 0) {
        return r;
    }
    rest = str_of(text, len);
    *ret_tgid = pid;
    *ret_uid = 0;
    while (!has_uid && str_cut(&rest, '\n', &line)) { /* fifty more follow */
        struct str value = str_trim(str_slice(line, str_find_byte(line, ':') + 1, line.len));

        for (size_t i = 0; i < value.len; i++) {
            text[(size_t)(value.ptr - text) + i] = value.ptr[i] == '\t' ? ' ' : value.ptr[i];
        }
        if (str_has_prefix(line, STR("Tgid:"))) {
            *ret_tgid = (pid_t)process_next_number(&value);
        } else if (str_has_prefix(line, STR("Uid:"))) {
            (void)process_next_number(&value);
            *ret_uid = (uid_t)process_next_number(&value);
            has_uid = true;
        }
    }
    return 0;
}

void process_read_program(pid_t pid, char out[PROCESS_PATH_MAX])
{
    char link[64];
    ssize_t len;

    (void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
    len = readlink(link, out, PROCESS_PATH_MAX - 1);
    out[len > 0 ? len : 0] = '\0';
}

static void process_read_exe(struct process_info *info)
{
    char link[64];
    struct stat stat;

    process_read_program(info->pid, info->exe);
    (void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)info->pid);
    if (info->exe[0] != '\0' && fstatat(AT_FDCWD, link, &stat, 0) == 0) {
        info->exe_dev = stat.st_dev;
        info->exe_ino = stat.st_ino;
    }
}

static void process_read_cmdline(struct process_info *info)
{
    size_t len = 0;

    if (process_read_file(info->pid, "cmdline", info->cmdline, sizeof(info->cmdline), &len) < 0) {
        info->cmdline[0] = '\0';
        return;
    }
    while (len != 0 && info->cmdline[len - 1] == '\0') {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        if (info->cmdline[i] == '\0') {
            info->cmdline[i] = ' ';
        }
    }
}

/* The unified hierarchy's line is "0::/path"; the root group says nothing about who belongs
 * together. */
static uint64_t process_read_cgroup(pid_t pid)
{
    char text[4096];
    size_t len;
    struct str rest;
    struct str line;

    if (process_read_file(pid, "cgroup", text, sizeof(text), &len) < 0) {
        return 0;
    }
    rest = str_of(text, len);
    while (str_cut(&rest, '\n', &line)) {
        if (str_has_prefix(line, STR("0::")) && line.len > 4) {
            return map_hash(str_slice(line, 3, line.len), CGROUP_HASH_SEED);
        }
    }
    return 0;
}

int process_read_group(pid_t tid, struct process_info *ret_info)
{
    pid_t tgid;
    uid_t uid;
    int r = process_read_status(tid, &tgid, &uid);

    r = r < 0 ? r : process_read_stat(tgid, ret_info);
    if (r == 0) {
        ret_info->uid = uid;
    }
    return r;
}

int process_read(pid_t pid, struct process_info *ret_info)
{
    int r = process_read_group(pid, ret_info);

    if (r < 0) {
        return r;
    }
    process_read_exe(ret_info);
    process_read_cmdline(ret_info);
    ret_info->cgroup = process_read_cgroup(ret_info->pid);
    return 0;
}

static int process_parse_syscall(const char *text, struct process_syscall *ret_call)
{
    struct process_syscall call = {0};
    char *at;

    if (text[0] == 'r') {
        return -ERR_AGAIN;
    }
    call.number = strtoll(text, &at, 10);
    for (int i = 0; i < 6; i++) {
        call.args[i] = strtoull(at, &at, 16);
    }
    *ret_call = call;
    return 0;
}

int process_read_syscall(pid_t tid, struct process_syscall *ret_call)
{
    char text[512];
    size_t len;
    int r = process_read_file(tid, "syscall", text, sizeof(text), &len);

    return r < 0 ? r : process_parse_syscall(text, ret_call);
}

/* A text in a process's memory, which ends within room. */
static int process_read_text(pid_t tid, uint64_t address, char *room, size_t size)
{
    char name[64];
    CLEANUP(closep) int fd = -1;
    ssize_t got;

    (void)snprintf(name, sizeof(name), "/proc/%d/mem", (int)tid);
    fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    got = pread(fd, room, size, (off_t)address); /* less where the next page is not there */
    return got > 0 && memchr(room, '\0', (size_t)got) != NULL ? 0 : -ERR_NOENT;
}

int process_open_truncated(pid_t tid)
{
    static const char self[] = "/proc/self/";
    struct process_syscall call;
    char path[PATH_ROOM];
    char whole[PATH_ROOM + 64];
    CLEANUP(closep) int fd = -1;
    struct stat stat;
    int r = process_read_syscall(tid, &call);

    if (r < 0 || call.number != SYS_truncate) {
        return r < 0 ? r : -ERR_NOENT;
    }
    r = process_read_text(tid, call.args[0], path, sizeof(path));
    if (r < 0) {
        return r;
    }
    if (strncmp(path, self, sizeof(self) - 1) == 0) {
        (void)snprintf(whole, sizeof(whole), "/proc/%d/%s", (int)tid, path + sizeof(self) - 1);
    } else {
        (void)snprintf(whole, sizeof(whole), "/proc/%d/%s/%s", (int)tid,
                       path[0] == '/' ? "root" : "cwd", path);
    }
    fd = open(whole, O_PATH | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        return -ERR_NOENT;
    }
    return TAKE_FD(fd);
}

static int process_open_file(pid_t tid, const char *name)
{
    char path[64];
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

int process_thread_open(pid_t tid, struct process_thread *ret_thread)
{
    struct process_thread thread = {.comm_fd = process_open_file(tid, "comm"),
                                    .stat_fd = process_open_file(tid, "stat"),
                                    .syscall_fd = process_open_file(tid, "syscall")};

    if (thread.comm_fd < 0 || thread.stat_fd < 0 || thread.syscall_fd < 0) {
        process_thread_close(&thread);
        return -ERR_NOENT;
    }
    *ret_thread = thread;
    return 0;
}

void process_thread_close(struct process_thread *thread)
{
    closep(&thread->comm_fd);
    closep(&thread->stat_fd);
    closep(&thread->syscall_fd);
}

/* A NUL-terminated text. */
static int process_read_again(int fd, char *out, size_t size)
{
    ssize_t got = pread(fd, out, size - 1, 0);

    if (got <= 0) {
        return -ERR_NOENT;
    }
    out[got] = '\0';
    return 0;
}

int process_thread_comm(const struct process_thread *thread, char out[32])
{
    return process_read_again(thread->comm_fd, out, 32);
}

int process_thread_syscall(const struct process_thread *thread, struct process_syscall *ret_call)
{
    char text[512];
    int r = process_read_again(thread->syscall_fd, text, sizeof(text));

    return r < 0 ? r : process_parse_syscall(text, ret_call);
}

int process_thread_cpu(const struct process_thread *thread)
{
    char text[1024];
    const char *comm_end;
    struct str rest;
    int r = process_read_again(thread->stat_fd, text, sizeof(text));

    comm_end = r == 0 ? strrchr(text, ')') : NULL;
    if (comm_end == NULL) {
        return -ERR_NOENT;
    }
    rest = str_from(comm_end + 1);
    for (int field = 3; field < 39; field++) {
        (void)process_next_word(&rest);
    }
    return (int)process_next_number(&rest);
}

int process_syscall_is_write_open(const struct process_syscall *call)
{
    uint64_t flags;

    switch (call->number) {
#ifdef SYS_open
    case SYS_open:
        flags = call->args[1];
        break;
#endif
#ifdef SYS_creat
    case SYS_creat:
        return 1;
#endif
#ifdef SYS_execve
    case SYS_execve:
    case SYS_execveat:
        return 0;
#endif
    case SYS_openat:
    case SYS_open_by_handle_at:
        flags = call->args[2];
        break;
    default:
        return -ERR_OPNOTSUPP;
    }
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
}

int process_open(pid_t pid, uint64_t start)
{
    CLEANUP(closep) int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct process_info info;
    int r;

    if (fd < 0) {
        return errno == ESRCH ? -ERR_NOENT : -errno;
    }
    r = process_read_stat(pid, &info);
    if (r < 0) {
        return r;
    }
    return info.start == start ? TAKE_FD(fd) : -ERR_NOENT;
}

int process_signal(int pidfd, int signal)
{
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0 ? 0 : -errno;
}

void process_limit_work(unsigned seconds)
{
    struct rusage usage;
    struct rlimit limit;

    if (getrusage(RUSAGE_SELF, &usage) == 0 && getrlimit(RLIMIT_CPU, &limit) == 0) {
        suseconds_t rest = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;

        /* rounded up: the kernel ends it at the full second */
        limit.rlim_cur = (rlim_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + seconds) +
                         (rlim_t)((rest + 999999) / 1000000);
        (void)setrlimit(RLIMIT_CPU, &limit);
    }
}

int process_set_nice(int nice)
{
    return setpriority(PRIO_PROCESS, 0, nice) == 0 ? 0 : -errno;
}

void process_each_writable(pid_t pid, process_writable_fn *fn, void *context)
{
    char path[64];
    const struct dirent *entry;
    struct stat stat;
    DIR *folder;

    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        (void)snprintf(path, sizeof(path), "/proc/%d/fd/%.16s", (int)pid, entry->d_name);
        /* the link's mode tells how the descriptor is open */
        if (lstat(path, &stat) == 0 && S_ISLNK(stat.st_mode) && (stat.st_mode & S_IWUSR) != 0) {
            fn(context, pid, path);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
}

/* One that stands for its tracer ('t') is not: it may be before a call, and makes it however many
 * stop signals wait for it. */
static bool process_thread_is_at_rest(pid_t pid, const char *tid)
{
    char name[64];
    char text[512];
    const char *comm_end;
    size_t len;

    (void)snprintf(name, sizeof(name), "task/%.20s/stat", tid);
    if (process_read_file(pid, name, text, sizeof(text), &len) < 0) {
        return true;
    }
    comm_end = memrchr(text, ')', len);
    return comm_end == NULL || strlen(comm_end) < 3 || strchr("TZXx", comm_end[2]) != NULL;
}

bool process_is_at_rest(pid_t pid)
{
    char path[64];
    const struct dirent *entry;
    bool is_at_rest = true;
    DIR *tasks;

    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    tasks = opendir(path);
    while (tasks != NULL && is_at_rest && (entry = readdir(tasks)) != NULL) {
        is_at_rest = entry->d_name[0] == '.' || process_thread_is_at_rest(pid, entry->d_name);
    }
    if (tasks != NULL) {
        (void)closedir(tasks);
    }
    return is_at_rest;
}
