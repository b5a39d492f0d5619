/* Neighbours: vault.c copies under a watch; the gate's workers, through vault_waiter, say whether
 * an open still is held. The order of looking matters: bytes, then the hold, then the times; a
 * kernel sets the times before it changes a byte. */
#include "store/vault/watch.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"

#include <errno.h>

#define CLOCK_TICK_NS (20 * NS_PER_MS) /* file times may be this coarse */

static int64_t watch_time(struct timespec time)
{
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

bool vault_watch_is_same(const struct stat *one, const struct stat *other)
{
    return one->st_size == other->st_size &&
           watch_time(one->st_mtim) == watch_time(other->st_mtim) &&
           watch_time(one->st_ctim) == watch_time(other->st_ctim);
}

static bool watch_is_past(int64_t time)
{
    return clock_wall(&clock_real) - time > CLOCK_TICK_NS; /* the clock that file times are from */
}

static bool watch_is_held(const struct vault_watch *watch)
{
    return watch->waiter == NULL || watch->waiter->is_held(watch->waiter->context);
}

static bool watch_is_unchanged(const struct vault_watch *watch)
{
    struct stat now;

    return fstat(watch->fd, &now) == 0 && vault_watch_is_same(&now, watch->before);
}

int vault_watch_start(struct vault_watch *watch, int fd, const struct stat *before,
                      const struct vault_waiter *waiter)
{
    /* whoever writes and then sets the time of that back changes the other one, and was held for
     * longer than a tick */
    *watch = (struct vault_watch){.waiter = waiter,
                                  .before = before,
                                  .fd = fd,
                                  .is_clear = watch_is_past(watch_time(before->st_mtim)),
                                  .is_settled = watch_is_past(watch_time(before->st_ctim))};
    return watch_is_held(watch) || vault_watch_is_same(before, waiter->stat) ? 0 : -ERR_CONFLICT;
}

static int watch_step(void *context, uint64_t upto)
{
    struct vault_watch *watch = context;

    if (watch_is_held(watch) || (watch->is_clear && watch_is_unchanged(watch))) {
        watch->certain = upto;
        return 0;
    }
    watch->is_stopped = true;
    return -ERR_CANCELED;
}

struct fd_progress vault_watch_progress(struct vault_watch *watch)
{
    return (struct fd_progress){watch, watch_step};
}

int vault_watch_end(struct vault_watch *watch, bool *ret_is_torn)
{
    bool is_unchanged = watch_is_unchanged(watch);
    int r = watch_step(watch, (uint64_t)watch->before->st_size);

    if (r == 0) {
        *ret_is_torn = !is_unchanged;
    }
    return r;
}
