/* What ptrace says, in few words. Call numbers are told apart by architecture: a 32-bit program has
 * others. */
#include "sys/trace.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"

#include <elf.h>
#include <errno.h>
#include <linux/audit.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <asm/ptrace.h> /* last: it defines by macros what the C library has as numbers */

#define SYSCALL_STOP (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD */
#define X32_BIT      0x40000000U
#define OPTIONS                                                                                    \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |      \
     PTRACE_O_TRACEEXEC)

/* unlink unlinkat rename renameat renameat2 truncate io_uring_enter, and truncate64. */
static const uint16_t removals_x86_64[] = {87, 263, 82, 264, 316, 76, 426};
static const uint16_t removals_i386[] = {10, 301, 38, 302, 353, 92, 193, 426};
static const uint16_t removals_arm64[] = {35, 38, 276, 45, 426};

static long trace_call(enum __ptrace_request request, pid_t tid, uintptr_t address, uintptr_t data)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): numbers travel as pointers in this interface */
    return ptrace(request, tid, (void *)address, (void *)data);
}

static int trace_ask(enum __ptrace_request request, pid_t tid, uintptr_t data)
{
    return trace_call(request, tid, 0, data) == 0 ? 0 : -errno;
}

int trace_seize(pid_t tid)
{
    int r = trace_ask(PTRACE_SEIZE, tid, OPTIONS);

    return r == 0 ? trace_interrupt(tid) : r;
}

int trace_interrupt(pid_t tid)
{
    return trace_ask(PTRACE_INTERRUPT, tid, 0);
}

int trace_next(pid_t tid, int signal)
{
    return trace_ask(PTRACE_SYSCALL, tid, (uintptr_t)signal);
}

int trace_rest(pid_t tid)
{
    return trace_ask(PTRACE_LISTEN, tid, 0);
}

static bool trace_is_in(const uint16_t *numbers, size_t count, uint64_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] == number) {
            return true;
        }
    }
    return false;
}

/* What cannot be told is one. */
static bool trace_is_removal(uint32_t architecture, uint64_t number)
{
    switch (architecture) {
    case AUDIT_ARCH_X86_64:
        return trace_is_in(removals_x86_64, ARRAY_LEN(removals_x86_64), number & ~X32_BIT);
    case AUDIT_ARCH_I386:
        return trace_is_in(removals_i386, ARRAY_LEN(removals_i386), number);
    case AUDIT_ARCH_AARCH64:
        return trace_is_in(removals_arm64, ARRAY_LEN(removals_arm64), number);
    default:
        return true;
    }
}

static void trace_read_call(struct trace_event *event)
{
    struct __ptrace_syscall_info info = {0};

    event->stop = TRACE_STOP_EXIT;
    if (trace_call(PTRACE_GET_SYSCALL_INFO, event->tid, sizeof(info), (uintptr_t)&info) > 0 &&
        info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        event->stop = TRACE_STOP_ENTRY;
        event->is_removal = trace_is_removal(info.arch, info.entry.nr);
    }
}

static bool is_stop_signal(int signal)
{
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

int trace_wait(struct trace_event *ret_event)
{
    struct trace_event event = {0};
    int status = 0;

    event.tid = waitpid(-1, &status, __WALL | WNOHANG);
    if (event.tid <= 0) {
        return -ERR_AGAIN;
    }
    if (!WIFSTOPPED(status)) {
        event.stop = TRACE_STOP_GONE;
    } else if (WSTOPSIG(status) == SYSCALL_STOP) {
        trace_read_call(&event);
    } else if ((unsigned)status >> 16 == PTRACE_EVENT_STOP && is_stop_signal(WSTOPSIG(status))) {
        event.stop = TRACE_STOP_REST;
    } else if ((unsigned)status >> 16 != 0) {
        event.stop = TRACE_STOP_OTHER;
    } else {
        event.stop = TRACE_STOP_SIGNAL;
        event.signal = WSTOPSIG(status);
    }
    *ret_event = event;
    return 0;
}

/* Takes the call back, as the kernel does with one that a signal interrupted: its number is void
 * now, and the instruction will be met again. */
#if defined(__x86_64__)
static int trace_take_back(pid_t tid)
{
    struct pt_regs regs;
    struct iovec room = {&regs, sizeof(regs)};

    if (trace_call(PTRACE_GETREGSET, tid, NT_PRSTATUS, (uintptr_t)&room) != 0) {
        return -errno;
    }
    regs.rip -= 2;
    regs.rax = regs.orig_rax;
    regs.orig_rax = (unsigned long)-1;
    return trace_call(PTRACE_SETREGSET, tid, NT_PRSTATUS, (uintptr_t)&room) == 0 ? 0 : -errno;
}
#elif defined(__aarch64__)
static int trace_take_back(pid_t tid)
{
    struct user_pt_regs regs;
    int none = -1;
    struct iovec room = {&regs, sizeof(regs)};
    struct iovec number = {&none, sizeof(none)};

    if (trace_call(PTRACE_GETREGSET, tid, NT_PRSTATUS, (uintptr_t)&room) != 0) {
        return -errno;
    }
    regs.pc -= 4;
    if (trace_call(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, (uintptr_t)&number) != 0 ||
        trace_call(PTRACE_SETREGSET, tid, NT_PRSTATUS, (uintptr_t)&room) != 0) {
        return -errno;
    }
    return 0;
}
#else
static int trace_take_back(pid_t tid)
{
    (void)tid;
    return -ERR_NOSYS;
}
#endif

int trace_release(pid_t tid, bool is_entry, int signal)
{
    if (is_entry) {
        (void)!trace_take_back(tid); /* then the call is made before it stops */
    }
    return trace_ask(PTRACE_DETACH, tid, (uintptr_t)signal);
}
