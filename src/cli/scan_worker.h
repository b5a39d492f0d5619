/* A worker of `canhgac scan`: a process without rights that is handed open files and judges them.
 * On its way: scan.c → scan_pool_send → (channel) → scan_worker → (channel) → scan_pool_take. One
 * of them may die of a file; the pool says which file it was and starts another. */
#ifndef CLI_SCAN_WORKER_H
#define CLI_SCAN_WORKER_H

#include "base/diag.h"
#include "detect/malware/webshell.h"

#include <poll.h>
#include <sys/types.h>

#define SCAN_WORKERS_MAX 16
#define SCAN_AHEAD       4 /* files that wait at a worker, so that it never waits for us */

struct scan_file {
    char *path; /* the pool's from scan_pool_send on, until it is told of */
    uint64_t number;
};

struct scan_worker {
    pid_t pid;
    int channel;
    struct scan_file files[SCAN_AHEAD]; /* in the order in which they were sent */
    size_t count;
};

struct scan_pool {
    struct scan_worker workers[SCAN_WORKERS_MAX];
    size_t count;
    void *context;
    /* Told of each file once; verdict is NULL where there is none, code says why. */
    void (*told)(void *context, const char *path, const struct webshell_verdict *verdict, int code);
    struct arena *arena;
};

/* Starts so many workers. On failure what was started is ended. */
[[nodiscard]] int scan_pool_start(struct scan_pool *pool, size_t count, struct diag *diag);
/* Hands over a file, waiting for room; path is freed by the pool. fd stays the caller's. */
[[nodiscard]] int scan_pool_send(struct scan_pool *pool, int fd, char *path, struct diag *diag);
/* Waits until all that was sent has been told of. */
[[nodiscard]] int scan_pool_drain(struct scan_pool *pool, struct diag *diag);
void scan_pool_stop(struct scan_pool *pool);

#endif
