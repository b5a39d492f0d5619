/* Whether what is being copied still is what it was: a file is certain while whoever opened it to
 * write is held, and after that for as long as its times stay the same. Not thread-safe. */
#ifndef STORE_VAULT_WATCH_H
#define STORE_VAULT_WATCH_H

#include "store/vault.h"
#include "sys/fd.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct vault_watch {
    const struct vault_waiter *waiter; /* NULL: nobody waits, and nobody is about to write */
    const struct stat *before;
    int fd;
    bool is_clear;   /* a write would show in the file's times */
    bool is_settled; /* and so would any other change */
    bool is_stopped; /* let go and changed: only what lies before `certain` is the original */
    uint64_t certain;
};

/* before: of fd, from an fstat that comes before the first byte; stays the caller's, as does
 * waiter. -ERR_CONFLICT when it was let go and changed already. */
[[nodiscard]] int vault_watch_start(struct vault_watch *watch, int fd, const struct stat *before,
                                    const struct vault_waiter *waiter);
/* What a copy is to tell of its pieces; -ERR_CANCELED ends it, and is_stopped is set then. */
struct fd_progress vault_watch_progress(struct vault_watch *watch);
/* Of the whole copy. *ret_is_torn: others than those who were held changed it meanwhile. Fails as
 * the progress does. */
[[nodiscard]] int vault_watch_end(struct vault_watch *watch, bool *ret_is_torn);
/* Whether size and times are the same. Pure. */
bool vault_watch_is_same(const struct stat *one, const struct stat *other);

#endif
