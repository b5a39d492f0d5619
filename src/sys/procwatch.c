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
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <stdalign.h>
#include <sys/socket.h>

/* The compiled procwatch.bpf.c, linked in by meson.build. */
extern const char procwatch_object_start[];
extern const char procwatch_object_end[];

struct procwatch {
    const char *name;
    uint64_t lost;
    procwatch_fn *fn; /* of the read that runs now */
    void *context;
    unsigned handed;
    struct bpf_object *object;
    struct bpf_link *links[2];
    struct ring_buffer *ring;
    int lost_map;
    int netlink;                             /* -1 with eBPF */
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

static int procwatch_take_record(void *context, void *data, size_t size)
{
    struct procwatch *watch = context;
    const struct procwatch_record *record = data;
    struct procwatch_event event;
    size_t len;

    if (size < sizeof(*record)) {
        return 0;
    }
    len = record->argument_len < PROCWATCH_ARGUMENTS_MAX ? record->argument_len
                                                         : PROCWATCH_ARGUMENTS_MAX;
    event = (struct procwatch_event){
        .kind = (enum procwatch_kind)record->kind,
        .pid = record->pid,
        .ppid = record->ppid,
        .uid = record->uid,
        .time = procwatch_wall_of(record->boot_ns),
        .exit_status = record->exit_status,
        .executable = str_of(record->path, strnlen(record->path, sizeof(record->path))),
        .arguments = procwatch_join(watch, record->arguments, len),
    };
    watch->fn(watch->context, &event);
    watch->handed++;
    return 0;
}

static int procwatch_attach(struct procwatch *watch)
{
    struct bpf_program *program;
    size_t count = 0;

    bpf_object__for_each_program(program, watch->object)
    {
        if (count == ARRAY_LEN(watch->links)) {
            return -ERR_LIMIT;
        }
        watch->links[count] = bpf_program__attach(program);
        if (watch->links[count] == NULL) {
            return -errno;
        }
        count++;
    }
    return 0;
}

static int procwatch_open_bpf(struct procwatch *watch)
{
    int ring_map;
    int r;

    libbpf_set_print(procwatch_silence);
    watch->object = bpf_object__open_mem(
        procwatch_object_start, (size_t)(procwatch_object_end - procwatch_object_start), NULL);
    if (watch->object == NULL) {
        return -errno;
    }
    r = bpf_object__load(watch->object);
    if (r < 0) {
        return r;
    }
    r = procwatch_attach(watch);
    if (r < 0) {
        return r;
    }
    ring_map = bpf_object__find_map_fd_by_name(watch->object, "procwatch_ring");
    watch->lost_map = bpf_object__find_map_fd_by_name(watch->object, "procwatch_lost");
    watch->ring = ring_buffer__new(ring_map, procwatch_take_record, watch, NULL);
    if (watch->ring == NULL) {
        return -errno;
    }
    watch->name = "ebpf";
    return 0;
}

static void procwatch_close_bpf(struct procwatch *watch)
{
    ring_buffer__free(watch->ring);
    for (size_t i = 0; i < ARRAY_LEN(watch->links); i++) {
        bpf_link__destroy(watch->links[i]);
        watch->links[i] = NULL;
    }
    bpf_object__close(watch->object);
    watch->ring = NULL;
    watch->object = NULL;
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

static int procwatch_open_connector(struct procwatch *watch)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
    int room = 4 << 20;
    int r;

    watch->netlink =
        socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
    if (watch->netlink < 0) {
        return -errno;
    }
    if (setsockopt(watch->netlink, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) != 0) {
        (void)setsockopt(watch->netlink, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    }
    if (bind(watch->netlink, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        return -errno;
    }
    r = procwatch_subscribe(watch->netlink);
    if (r < 0) {
        return r;
    }
    watch->name = "proc-connector";
    return 0;
}

int procwatch_open(struct procwatch **ret_watch, struct diag *diag)
{
    struct procwatch *watch = mem_alloc(1, sizeof(*watch));
    int bpf_result;
    int r;

    if (watch == NULL) {
        return -ERR_NOMEM;
    }
    watch->netlink = -1;
    bpf_result = procwatch_open_bpf(watch);
    if (bpf_result < 0) {
        procwatch_close_bpf(watch);
        r = procwatch_open_connector(watch);
        if (r < 0) {
            procwatch_close(watch);
            return diag_set(
                diag, r,
                _("process events are not to be had: eBPF error %d, process connector error %d"),
                -bpf_result, -r);
        }
        (void)diag_set(diag, bpf_result,
                       _("eBPF refused (error %d); the process connector is used"), -bpf_result);
    }
    *ret_watch = watch;
    return 0;
}

void procwatch_close(struct procwatch *watch)
{
    if (watch == NULL) {
        return;
    }
    procwatch_close_bpf(watch);
    closep(&watch->netlink);
    mem_free(watch);
}

const char *procwatch_name(const struct procwatch *watch)
{
    return watch->name;
}

int procwatch_fd(const struct procwatch *watch)
{
    return watch->ring != NULL ? ring_buffer__epoll_fd(watch->ring) : watch->netlink;
}

uint64_t procwatch_lost(const struct procwatch *watch)
{
    uint32_t zero = 0;
    uint64_t lost = 0;

    if (watch->ring == NULL) {
        return watch->lost;
    }
    return bpf_map_lookup_elem(watch->lost_map, &zero, &lost) == 0 ? lost : 0;
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
    }
}

static int procwatch_read_connector(struct procwatch *watch, unsigned limit)
{
    char bytes[1024];

    while (watch->handed < limit) {
        ssize_t got = recv(watch->netlink, bytes, sizeof(bytes), MSG_DONTWAIT);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && errno == ENOBUFS) {
            watch->lost++; /* the kernel does not say how many: at least one */
            continue;
        }
        if (got < 0) {
            return errno == EAGAIN ? 0 : -errno;
        }
        procwatch_take_datagram(watch, bytes, (size_t)got);
    }
    return 0;
}

int procwatch_read(struct procwatch *watch, unsigned limit, procwatch_fn *fn, void *context)
{
    int r;

    watch->fn = fn;
    watch->context = context;
    watch->handed = 0;
    if (watch->ring == NULL) {
        return procwatch_read_connector(watch, limit);
    }
    r = ring_buffer__consume(watch->ring);
    return r < 0 ? r : 0;
}
