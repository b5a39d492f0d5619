/* Runs in the kernel: three raw tracepoints (no tracefs needed) write what forked, started and
 * ended into a ring buffer. The few struct members it needs are declared here and found by the
 * kernel's own type information (CO-RE).
 */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "procwatch_bpf.h"

struct mm_struct {
    unsigned long arg_start;
    unsigned long arg_end;
} __attribute__((preserve_access_index));

struct task_struct {
    int pid;
    int tgid;
    int exit_code;
    struct task_struct *real_parent;
    struct mm_struct *mm;
} __attribute__((preserve_access_index));

struct linux_binprm {
    const char *filename;
} __attribute__((preserve_access_index));

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4 << 20);
} procwatch_ring SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, unsigned int);
    __type(value, unsigned long long);
} procwatch_lost SEC(".maps");

static void count_lost(void)
{
    unsigned int zero = 0;
    unsigned long long *lost = bpf_map_lookup_elem(&procwatch_lost, &zero);

    if (lost) {
        __sync_fetch_and_add(lost, 1);
    }
}

static void fill(struct procwatch_head *head, unsigned int kind, struct task_struct *task)
{
    head->boot_ns = bpf_ktime_get_boot_ns();
    head->kind = kind;
    head->pid = BPF_CORE_READ(task, tgid);
    head->ppid = BPF_CORE_READ(task, real_parent, tgid);
    head->uid = (unsigned int)bpf_get_current_uid_gid();
    head->exit_status = 0;
    head->argument_len = 0;
}

/* Arguments of the tracepoint: parent, child. */
SEC("raw_tp/sched_process_fork")
int on_fork(struct bpf_raw_tracepoint_args *context)
{
    struct task_struct *child = (struct task_struct *)context->args[1];
    struct procwatch_head *head;

    if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid)) {
        return 0; /* a thread, not a process */
    }
    head = bpf_ringbuf_reserve(&procwatch_ring, sizeof(*head), 0);
    if (!head) {
        count_lost();
        return 0;
    }
    fill(head, 2, child);
    bpf_ringbuf_submit(head, 0);
    return 0;
}

/* Arguments of the tracepoint: task, old pid, binprm. */
SEC("raw_tp/sched_process_exec")
int on_exec(struct bpf_raw_tracepoint_args *context)
{
    struct task_struct *task = (struct task_struct *)context->args[0];
    struct linux_binprm *program = (struct linux_binprm *)context->args[2];
    struct procwatch_record *record = bpf_ringbuf_reserve(&procwatch_ring, sizeof(*record), 0);
    unsigned long start;
    unsigned long len;

    if (!record) {
        count_lost();
        return 0;
    }
    fill(&record->head, 0, task);
    record->path[0] = 0;
    bpf_probe_read_kernel_str(record->path, sizeof(record->path), BPF_CORE_READ(program, filename));
    start = BPF_CORE_READ(task, mm, arg_start);
    len = BPF_CORE_READ(task, mm, arg_end) - start;
    if (len > PROCWATCH_ARGUMENTS_MAX - 1) {
        len = PROCWATCH_ARGUMENTS_MAX - 1;
    }
    if (bpf_probe_read_user(record->arguments, len & (PROCWATCH_ARGUMENTS_MAX - 1),
                            (void *)start) == 0) {
        record->head.argument_len = (unsigned int)len;
    }
    bpf_ringbuf_submit(record, 0);
    return 0;
}

SEC("raw_tp/sched_process_exit")
int on_exit(struct bpf_raw_tracepoint_args *context)
{
    unsigned long long ids = bpf_get_current_pid_tgid();
    struct task_struct *task = (struct task_struct *)context->args[0];
    struct procwatch_head *head;

    if ((unsigned int)ids != (unsigned int)(ids >> 32)) {
        return 0; /* a thread, not the process */
    }
    head = bpf_ringbuf_reserve(&procwatch_ring, sizeof(*head), 0);
    if (!head) {
        count_lost();
        return 0;
    }
    fill(head, 1, task);
    head->exit_status = BPF_CORE_READ(task, exit_code);
    bpf_ringbuf_submit(head, 0);
    return 0;
}

char procwatch_license[] SEC("license") = "Dual BSD/GPL";
