/* Both ends of a worker's channel. Invariants: rights are given up before the first byte of a file
 * is read; a file's share of processor time is limited; answers come in the order of questions. */
#include "cli/scan_worker.h"

#include "agent/inspector.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/process.h"
#include "sys/sandbox.h"
#include "sys/spawn.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#define WORKER_ARENA  (256U << 10)
#define WORKER_MEMORY (1ULL << 30)
#define WORKER_FILES  16
#define WORKER_CPU_S  20
#define WAIT_MS       120000

enum scan_message {
    SCAN_MESSAGE_FILE = 1,
    SCAN_MESSAGE_TOLD,
};

/* ---- the worker's side */

static void worker_put(struct msg_writer *msg, int code, const struct webshell_verdict *verdict)
{
    msg_begin(msg, SCAN_MESSAGE_TOLD);
    msg_put_i64(msg, code);
    msg_put_u32(msg, verdict->outcome);
    msg_put_u32(msg, verdict->language);
    msg_put_i64(msg, (int64_t)(verdict->score * 1000));
    msg_put_u32(msg, verdict->is_partial);
    msg_put_u32(msg, verdict->layers);
    msg_put_u32(msg, (uint32_t)verdict->reason_count);
    for (size_t i = 0; i < verdict->reason_count; i++) {
        msg_put_str(msg, str_from(verdict->reasons[i].rule));
        msg_put_u32(msg, verdict->reasons[i].line);
        msg_put_str(msg, verdict->reasons[i].snippet);
    }
}

static int worker_answer(struct webshell *shell, struct arena *arena, int channel,
                         struct channel_packet *packet)
{
    static struct msg_writer answer;
    CLEANUP(closep) int fd = channel_packet_take(packet, 0);
    struct webshell_verdict verdict = {0};
    struct str name = msg_get_str(&packet->msg);
    int r;

    if (msg_close(&packet->msg) < 0 || packet->msg.type != SCAN_MESSAGE_FILE || fd < 0) {
        return -ERR_PROTO;
    }
    arena_reset(arena);
    process_limit_work(WORKER_CPU_S);
    r = inspector_judge(shell, fd, name, arena, &verdict);
    worker_put(&answer, r, &verdict);
    r = msg_end(&answer);
    return r < 0 ? r : channel_send(channel, &answer, NULL, 0);
}

static int worker_run(void *context)
{
    static struct channel_packet packet;
    const struct sandbox sandbox = {
        .user = geteuid() == 0 ? "nobody" : NULL,
        .calls = SANDBOX_CALLS_IO,
        .memory_more = WORKER_MEMORY,
        .file_limit = WORKER_FILES,
    };
    const int channel = *(const int *)context;
    CLEANUP(webshell_freep) struct webshell *shell = NULL;
    CLEANUP(arena_freep) struct arena *arena = NULL;
    int r = webshell_new(&shell);

    r = r == 0 ? arena_new(WORKER_ARENA, &arena) : r;
    r = r == 0 ? sandbox_enter(&sandbox, NULL, NULL) : r;
    while (r == 0 && (r = channel_receive(channel, &packet)) == 0) {
        r = worker_answer(shell, arena, channel, &packet);
        channel_packet_done(&packet);
    }
    return r == -ERR_PIPE ? 0 : EXIT_FAILURE;
}

/* ---- the pool's side */

static int pool_start_one(struct scan_worker *worker)
{
    int ends[2] = {-1, -1};
    int r = channel_pair(ends);

    if (r < 0) {
        return r;
    }
    r = spawn_body("canhgac-scan", &ends[1], 1, worker_run, &ends[1], &worker->pid);
    (void)close(ends[1]);
    if (r < 0) {
        (void)close(ends[0]);
        return r;
    }
    worker->channel = ends[0];
    return 0;
}

static void pool_end_one(struct scan_worker *worker)
{
    closep(&worker->channel);
    worker->channel = -1;
    if (worker->pid > 0) {
        (void)kill(worker->pid, SIGKILL);
        while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    worker->pid = 0;
}

int scan_pool_start(struct scan_pool *pool, size_t count, struct diag *diag)
{
    int r = arena_new(WORKER_ARENA, &pool->arena);

    for (size_t i = 0; r == 0 && i < count && i < SCAN_WORKERS_MAX; i++) {
        pool->workers[i] = (struct scan_worker){.channel = -1};
        r = pool_start_one(&pool->workers[i]);
        pool->count += r == 0 ? 1 : 0;
    }
    if (r < 0) {
        scan_pool_stop(pool);
        return diag_set(diag, r, _("cannot start a worker: %s"), err_text(r));
    }
    return 0;
}

void scan_pool_stop(struct scan_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        pool_end_one(&pool->workers[i]);
        for (size_t k = 0; k < pool->workers[i].count; k++) {
            mem_free(pool->workers[i].files[k].path);
        }
    }
    pool->count = 0;
    arena_free(pool->arena);
    pool->arena = NULL;
}

static void pool_tell(struct scan_pool *pool, struct scan_worker *worker,
                      const struct webshell_verdict *verdict, int code)
{
    pool->told(pool->context, worker->files[0].path, verdict, code);
    mem_free(worker->files[0].path);
    worker->count--;
    memmove(worker->files, worker->files + 1, worker->count * sizeof(worker->files[0]));
}

static int pool_read(struct scan_pool *pool, struct msg_reader *msg,
                     struct webshell_verdict *ret_verdict)
{
    int code = (int)msg_get_i64(msg);
    uint32_t outcome = msg_get_u32(msg);
    uint32_t language = msg_get_u32(msg);

    ret_verdict->score = (double)msg_get_i64(msg) / 1000;
    ret_verdict->is_partial = msg_get_u32(msg) != 0;
    ret_verdict->layers = msg_get_u32(msg);
    ret_verdict->reason_count = msg_get_u32(msg);
    if (outcome >= WEBSHELL_OUTCOME_COUNT || language >= WEBSHELL_LANGUAGE_COUNT ||
        ret_verdict->reason_count > WEBSHELL_REASON_MAX || code > 0) {
        return -ERR_PROTO;
    }
    ret_verdict->outcome = (enum webshell_outcome)outcome;
    ret_verdict->language = (enum webshell_language)language;
    ret_verdict->reasons =
        arena_alloc(pool->arena, WEBSHELL_REASON_MAX, sizeof(*ret_verdict->reasons));
    for (size_t i = 0; ret_verdict->reasons != NULL && i < ret_verdict->reason_count; i++) {
        struct webshell_reason *reason = &ret_verdict->reasons[i];

        reason->rule = arena_copy(pool->arena, msg_get_str(msg)).ptr;
        reason->line = msg_get_u32(msg);
        reason->snippet = msg_get_str(msg);
        if (reason->rule == NULL) {
            return -ERR_NOMEM;
        }
    }
    if (ret_verdict->reasons == NULL) {
        return -ERR_NOMEM;
    }
    return msg_close(msg) < 0 ? -ERR_PROTO : code;
}

/* The worker is gone, or does not keep to the protocol: the file it had in hand gets no verdict,
 * those behind it go to its successor again with the next answer. */
static int pool_replace(struct scan_pool *pool, struct scan_worker *worker, int code)
{
    pool_end_one(worker);
    while (worker->count != 0) {
        pool_tell(pool, worker, NULL, code);
    }
    return pool_start_one(worker);
}

static int pool_take(struct scan_pool *pool, struct scan_worker *worker)
{
    static struct channel_packet packet;
    struct webshell_verdict verdict = {0};
    int r = channel_receive(worker->channel, &packet);

    if (r < 0 || worker->count == 0) {
        return pool_replace(pool, worker, -ERR_CANCELED);
    }
    arena_reset(pool->arena);
    r = packet.msg.type == SCAN_MESSAGE_TOLD ? pool_read(pool, &packet.msg, &verdict) : -ERR_PROTO;
    if (r == -ERR_PROTO) {
        channel_packet_done(&packet);
        return pool_replace(pool, worker, r);
    }
    pool_tell(pool, worker, r < 0 ? NULL : &verdict, r);
    channel_packet_done(&packet);
    return 0;
}

/* Takes at least one answer. */
static int pool_wait(struct scan_pool *pool)
{
    struct pollfd waits[SCAN_WORKERS_MAX];
    int r;

    for (size_t i = 0; i < pool->count; i++) {
        bool is_busy = pool->workers[i].count != 0;

        waits[i] = (struct pollfd){.fd = is_busy ? pool->workers[i].channel : -1, .events = POLLIN};
    }
    r = poll(waits, (nfds_t)pool->count, WAIT_MS);
    if (r < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    for (size_t i = 0; i < pool->count; i++) {
        if (waits[i].revents != 0 || (r == 0 && pool->workers[i].count != 0)) {
            int taken = r != 0 ? pool_take(pool, &pool->workers[i])
                               : pool_replace(pool, &pool->workers[i], -ERR_TIMEDOUT);

            if (taken < 0) {
                return taken;
            }
        }
    }
    return 0;
}

static struct scan_worker *pool_idlest(struct scan_pool *pool)
{
    struct scan_worker *best = &pool->workers[0];

    for (size_t i = 1; i < pool->count; i++) {
        best = pool->workers[i].count < best->count ? &pool->workers[i] : best;
    }
    return best->count < SCAN_AHEAD ? best : NULL;
}

int scan_pool_send(struct scan_pool *pool, int fd, char *path, struct diag *diag)
{
    static struct msg_writer msg;
    struct scan_worker *worker;
    struct str name = str_from(path);
    int r = 0;

    while (r == 0 && (worker = pool_idlest(pool)) == NULL) {
        r = pool_wait(pool);
    }
    if (r < 0) {
        mem_free(path);
        return diag_set(diag, r, _("the workers cannot be reached: %s"), err_text(r));
    }
    msg_begin(&msg, SCAN_MESSAGE_FILE);
    msg_put_str(&msg, str_slice(name, name.len > 256 ? name.len - 256 : 0, name.len));
    worker->files[worker->count++] = (struct scan_file){.path = path};
    r = msg_end(&msg);
    r = r == 0 ? channel_send(worker->channel, &msg, &fd, 1) : r;
    r = r < 0 ? pool_replace(pool, worker, r) : 0;
    return r < 0 ? diag_set(diag, r, _("cannot start a worker: %s"), err_text(r)) : 0;
}

int scan_pool_drain(struct scan_pool *pool, struct diag *diag)
{
    int r = 0;

    for (size_t i = 0; i < pool->count; i++) {
        while (r == 0 && pool->workers[i].count != 0) {
            r = pool_wait(pool);
        }
    }
    return r < 0 ? diag_set(diag, r, _("the workers cannot be reached: %s"), err_text(r)) : 0;
}
