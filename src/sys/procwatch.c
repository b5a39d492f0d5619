/* Two ways to the same events behind one struct: eBPF (procwatch.bpf.c, linked in as bytes) and the
 * netlink process connector (Documentation/driver-api/connector.rst). On its way: kernel → here →
 * sense/processes.c. */
#include "sys/procwatch.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/fd.h"
#include "sys/process.h"
#include "sys/procwatch_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* The compiled procwatch.bpf.c, linked in by meson.build. */
extern const char procwatch_object_start[];
extern const char procwatch_object_end[];

#define PROCWATCH_QUEUE (8 << 20) /* bytes of the connector; about 20,000 events */

/* Places of the descriptors; the connector has the first alone. */
enum procwatch_place {
    PROCWATCH_SOURCE, /* the ring's map, or the socket */
    PROCWATCH_COUNTER,
    PROCWATCH_LINKS,
};

struct procwatch {
    atomic_ullong missed; /* by the connector */
    procwatch_fn *fn;     /* of the read that runs now */
    void *context;
    unsigned handed;
    unsigned limit;
    struct ring_buffer *ring;                /* NULL with the connector */
    const volatile uint64_t *lost;           /* the kernel's counter, mapped */
    int source;                              /* the caller's */
    char arguments[PROCWATCH_ARGUMENTS_MAX]; /* the ring itself is mapped for reading only */
};

static int procwatch_silence(enum libbpf_print_level level, const char *format, va_list args)
{
    (void)level;
    (void)format;
    (void)args;
    return 0; /* a refusal is told through diag, in our words */
}

/* Arguments are parted by NULs in memory; the last one's end is not an argument. */
static struct str procwatch_join(struct procwatch *watch, const char *arguments, size_t len)
{
    while (len != 0 && arguments[len - 1] == '\0') {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        watch->arguments[i] = arguments[i] != '\0' ? arguments[i] : ' ';
    }
    return str_of(watch->arguments, len);
}

static int64_t procwatch_wall_of(uint64_t boot_ns)
{
    return clock_wall(&clock_real) - (clock_mono(&clock_real) - (int64_t)boot_ns);
}

/* A negative answer ends the batch behind this record. */
static int procwatch_take_record(void *context, void *data, size_t size)
{
    struct procwatch *watch = context;
    const struct procwatch_head *head = data;
    const struct procwatch_record *record = data;
    struct procwatch_event event;

    if (size < sizeof(*head)) {
        return 0;
    }
    event = (struct procwatch_event){.kind = (enum procwatch_kind)head->kind,
                                     .pid = head->pid,
                                     .ppid = head->ppid,
                                     .uid = head->uid,
                                     .time = procwatch_wall_of(head->boot_ns),
                                     .exit_status = head->exit_status,
                                     .executable = STR(""),
                                     .arguments = STR("")};
    if (size >= sizeof(*record)) {
        event.executable = str_of(record->path, strnlen(record->path, sizeof(record->path)));
        event.arguments =
            procwatch_join(watch, record->arguments,
                           head->argument_len < PROCWATCH_ARGUMENTS_MAX ? head->argument_len
                                                                        : PROCWATCH_ARGUMENTS_MAX);
    }
    watch->fn(watch->context, &event);
    watch->handed++;
    return watch->handed < watch->limit ? 0 : -ERR_LIMIT;
}

/* A copy of a descriptor that libbpf is about to close. */
static int procwatch_copy(int fd)
{
    int copy = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;

    return copy < 0 ? -errno : copy;
}

static int procwatch_attach(struct bpf_object *object, int ret_fds[PROCWATCH_FDS])
{
    struct bpf_program *program;
    size_t place = PROCWATCH_LINKS;

    bpf_object__for_each_program(program, object)
    {
        struct bpf_link *link;

        if (place == PROCWATCH_FDS) {
            return -ERR_LIMIT;
        }
        link = bpf_program__attach(program);
        if (link == NULL) {
            return -errno;
        }
        ret_fds[place] = procwatch_copy(bpf_link__fd(link));
        (void)bpf_link__destroy(link);
        if (ret_fds[place] < 0) {
            return ret_fds[place];
        }
        place++;
    }
    return 0;
}

static int procwatch_load(struct bpf_object *object, int ret_fds[PROCWATCH_FDS])
{
    int r = bpf_object__load(object);

    if (r == 0) {
        r = procwatch_attach(object, ret_fds);
    }
    if (r == 0) {
        r = procwatch_copy(bpf_object__find_map_fd_by_name(object, "procwatch_ring"));
    }
    if (r >= 0) {
        ret_fds[PROCWATCH_SOURCE] = r;
        r = procwatch_copy(bpf_object__find_map_fd_by_name(object, "procwatch_lost"));
    }
    if (r >= 0) {
        ret_fds[PROCWATCH_COUNTER] = r;
        r = 0;
    }
    return r;
}

static int procwatch_acquire_bpf(int ret_fds[PROCWATCH_FDS])
{
    struct bpf_object *object;
    int r;

    libbpf_set_print(procwatch_silence);
    object = bpf_object__open_mem(procwatch_object_start,
                                  (size_t)(procwatch_object_end - procwatch_object_start), NULL);
    if (object == NULL) {
        return -errno;
    }
    r = procwatch_load(object, ret_fds);
    bpf_object__close(object);
    for (size_t i = 0; r < 0 && i < PROCWATCH_FDS; i++) {
        closep(&ret_fds[i]);
    }
    return r;
}

/* Asks the connector to begin; the answer comes as events. */
static int procwatch_subscribe(int fd)
{
    struct {
        alignas(NLMSG_ALIGNTO) struct nlmsghdr header;
        struct cn_msg message;
        uint32_t operation;
    } __attribute__((packed)) request = {
        .header = {.nlmsg_len = sizeof(request), .nlmsg_type = NLMSG_DONE},
        .message = {.id = {CN_IDX_PROC, CN_VAL_PROC}, .len = sizeof(uint32_t)},
        .operation = PROC_CN_MCAST_LISTEN,
    };

    return send(fd, &request, sizeof(request), 0) == (ssize_t)sizeof(request) ? 0 : -errno;
}

static int procwatch_acquire_connector(int ret_fds[PROCWATCH_FDS])
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
    CLEANUP(closep)
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
    int room = PROCWATCH_QUEUE;
    int r;

    if (fd < 0) {
        return -errno;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) != 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    }
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        return -errno;
    }
    r = procwatch_subscribe(fd);
    if (r == 0) {
        ret_fds[PROCWATCH_SOURCE] = TAKE_FD(fd);
    }
    return r;
}

int procwatch_acquire(int ret_fds[PROCWATCH_FDS], struct diag *diag)
{
    int bpf_result;
    int r;

    for (size_t i = 0; i < PROCWATCH_FDS; i++) {
        ret_fds[i] = -1;
    }
    bpf_result = procwatch_acquire_bpf(ret_fds);
    if (bpf_result == 0) {
        return 0;
    }
    r = procwatch_acquire_connector(ret_fds);
    if (r < 0) {
        return diag_set(
            diag, r,
            _("process events are not to be had: eBPF error %d, process connector error %d"),
            -bpf_result, -r);
    }
    (void)diag_set(diag, bpf_result, _("eBPF refused (error %d); the process connector is used"),
                   -bpf_result);
    return 0;
}

/* The counter is mapped, so that reading it needs no call to the kernel. */
static int procwatch_open_ring(struct procwatch *watch, int counter)
{
    void *page = mmap(NULL, sizeof(*watch->lost), PROT_READ, MAP_SHARED, counter, 0);

    if (page == MAP_FAILED) {
        return -errno;
    }
    watch->lost = page;
    watch->ring = ring_buffer__new(watch->source, procwatch_take_record, watch, NULL);
    return watch->ring != NULL ? 0 : -errno;
}

int procwatch_open(const int fds[PROCWATCH_FDS], struct procwatch **ret_watch)
{
    struct procwatch *watch = mem_alloc(1, sizeof(*watch));
    int r = 0;

    if (watch == NULL) {
        return -ERR_NOMEM;
    }
    watch->source = fds[PROCWATCH_SOURCE];
    if (fds[PROCWATCH_COUNTER] >= 0) {
        r = procwatch_open_ring(watch, fds[PROCWATCH_COUNTER]);
    }
    if (r < 0) {
        procwatch_close(watch);
        return r;
    }
    *ret_watch = watch;
    return 0;
}

void procwatch_close(struct procwatch *watch)
{
    if (watch == NULL) {
        return;
    }
    ring_buffer__free(watch->ring);
    if (watch->lost != NULL) {
        (void)munmap((void *)(uintptr_t)watch->lost, sizeof(*watch->lost));
    }
    mem_free(watch);
}

const char *procwatch_name(const struct procwatch *watch)
{
    return watch->ring != NULL ? "ebpf" : "proc-connector";
}

int procwatch_fd(const struct procwatch *watch)
{
    return watch->source;
}

uint64_t procwatch_lost(const struct procwatch *watch)
{
    return watch->lost != NULL ? *watch->lost : atomic_load(&watch->missed);
}

/* What the connector does not say is read from /proc, as long as the process is there. */
static void procwatch_hand_start(struct procwatch *watch, const struct proc_event *kernel)
{
    static struct process_info info;
    struct procwatch_event event = {
        .kind = PROCWATCH_START,
        .pid = kernel->event_data.exec.process_tgid,
        .time = procwatch_wall_of(kernel->timestamp_ns),
        .executable = STR(""),
        .arguments = STR(""),
    };

    if (process_read(event.pid, &info) == 0) {
        event.ppid = info.ppid;
        event.uid = info.uid;
        event.executable = str_from(info.exe);
        event.arguments = str_from(info.cmdline);
    }
    watch->fn(watch->context, &event);
    watch->handed++;
}

static void procwatch_hand_fork(struct procwatch *watch, const struct proc_event *kernel)
{
    struct procwatch_event event = {
        .kind = PROCWATCH_FORK,
        .pid = kernel->event_data.fork.child_tgid,
        .ppid = kernel->event_data.fork.parent_tgid,
        .time = procwatch_wall_of(kernel->timestamp_ns),
        .executable = STR(""),
        .arguments = STR(""),
    };

    if (kernel->event_data.fork.child_pid != event.pid) {
        return; /* a thread, not a process */
    }
    watch->fn(watch->context, &event);
    watch->handed++;
}

static void procwatch_hand_end(struct procwatch *watch, const struct proc_event *kernel)
{
    struct procwatch_event event = {
        .kind = PROCWATCH_END,
        .pid = kernel->event_data.exit.process_tgid,
        .ppid = kernel->event_data.exit.parent_tgid,
        .time = procwatch_wall_of(kernel->timestamp_ns),
        .exit_status = (int32_t)kernel->event_data.exit.exit_code,
        .executable = STR(""),
        .arguments = STR(""),
    };

    if (kernel->event_data.exit.process_pid != event.pid) {
        return; /* a thread, not the process */
    }
    watch->fn(watch->context, &event);
    watch->handed++;
}

static void procwatch_take_datagram(struct procwatch *watch, const char *bytes, size_t len)
{
    struct proc_event event = {0};
    size_t head = NLMSG_LENGTH(sizeof(struct cn_msg));
    size_t body = len > head ? len - head : 0;

    if (body < offsetof(struct proc_event, event_data)) {
        return;
    }
    memcpy(&event, bytes + head, body < sizeof(event) ? body : sizeof(event));
    if (event.what == PROC_EVENT_EXEC) {
        procwatch_hand_start(watch, &event);
    } else if (event.what == PROC_EVENT_EXIT) {
        procwatch_hand_end(watch, &event);
    } else if (event.what == PROC_EVENT_FORK) {
        procwatch_hand_fork(watch, &event);
    }
}

/* Only the kernel is believed, which has the address 0. */
static int procwatch_read_connector(struct procwatch *watch)
{
    while (watch->handed < watch->limit) {
        char bytes[1024];
        struct sockaddr_nl from = {0};
        socklen_t from_len = sizeof(from);
        ssize_t got = recvfrom(watch->source, bytes, sizeof(bytes), MSG_DONTWAIT,
                               (struct sockaddr *)&from, &from_len);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && errno == ENOBUFS) {
            atomic_fetch_add(&watch->missed,
                             1); /* the kernel does not say how many: at least one */
            continue;
        }
        if (got < 0) {
            return errno == EAGAIN ? 0 : -errno;
        }
        if (from.nl_pid == 0) {
            procwatch_take_datagram(watch, bytes, (size_t)got);
        }
    }
    return 0;
}

int procwatch_read(struct procwatch *watch, unsigned limit, procwatch_fn *fn, void *context)
{
    int r;

    watch->fn = fn;
    watch->context = context;
    watch->handed = 0;
    watch->limit = limit;
    if (watch->ring == NULL) {
        return procwatch_read_connector(watch);
    }
    r = ring_buffer__consume(watch->ring);
    return r < 0 && r != -ERR_LIMIT ? r : 0;
}
