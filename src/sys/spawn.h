/* Starting processes. Our own process bodies are forks of the supervisor that go on in a function;
 * foreign programs are executed directly, never through a shell. */
#ifndef SYS_SPAWN_H
#define SYS_SPAWN_H

#include "base/buf.h"

#include <stddef.h>
#include <sys/types.h>

typedef int spawn_body_fn(void *context); /* returns the exit status */

/* Forks; the child keeps only stdin, stdout, stderr and keep[0 … count-1], gets SIGTERM when its
 * parent dies, default signal dispositions and an empty signal mask, and runs body. name: shown by
 * ps. */
[[nodiscard]] int spawn_body(const char *name, const int *keep, size_t count, spawn_body_fn *body,
                             void *context, pid_t *ret_pid);

/* Runs a program to its end with the given input, gathers stdout into out (its limit is the
 * ceiling), and kills it after timeout_ms. argv ends with NULL; environment is PATH, LANG=C.UTF-8
 * and HOME only. 0 with *ret_status as waitpid gives it, -ERR_TIMEDOUT, -errno. */
[[nodiscard]] int spawn_run(const char *const *argv, struct str input, int timeout_ms,
                            struct buf *out, int *ret_status);

#endif
