/* Deleting events that are old enough. The clock says how old they are, and a clock may be wrong by
 * a year; so it is believed only as long as it runs on steadily, over restarts too. After a leap
 * ahead, which may also mean that the centre was off, what is believed follows a day at a time, so
 * that a wrong clock costs a day of events and not all of them before somebody has seen it.
 * Neighbours: core/service.c calls; store/archive.c deletes. */
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "centre/core/private.h"
#include "centre/core/receive.h"

#define EXPIRE_STEP (86400 * NS_PER_S) /* days are what the archive deletes */
#define EXPIRE_REST (2 * EXPIRE_STEP)  /* to be off for so long is nothing unusual */
#define EXPIRE_PACE (EXPIRE_STEP / 2)  /* running time for a step: what was off catches up */
#define EXPIRE_AWAY (9 * EXPIRE_STEP)  /* an event's day is so near to when it came */
#define EXPIRE_TOLD (7 * EXPIRE_STEP)  /* a centre that was off for less is nothing to tell of */

/* The time to go by: the clock's, or the steady part of it. */
static int64_t expire_step(struct core *core, int64_t believed)
{
    int64_t now = clock_wall(core->options.clock);
    int64_t mono = clock_mono(core->options.clock);

    if (believed == 0 || now - believed <= EXPIRE_REST) {
        return now;
    }
    if (mono - core->expire_stepped < EXPIRE_PACE) {
        return believed;
    }
    core->expire_stepped = mono;
    return believed + EXPIRE_STEP;
}

static int expire_tell(struct core *core, int64_t believed)
{
    static const struct id centre_itself;
    int64_t ahead = clock_wall(core->options.clock) - believed;
    uint64_t number;

    if (believed == 0 || ahead <= EXPIRE_TOLD || core->is_leap_told) {
        return 0;
    }
    core->is_leap_told = true;
    log_warn("the clock went ahead days=%lld; old events are deleted a day at a time",
             (long long)(ahead / EXPIRE_STEP));
    return core_raise(
        core, &centre_itself, SEVERITY_HIGH,
        N_("The centre's clock went ahead by more than a week: old events are deleted "
           "only a day at a time; check the clock"),
        &number);
}

static int expire_events(struct core *core)
{
    int64_t believed = 0;
    unsigned days = 0;
    int r = store_clock(core->options.store, &believed);

    if (r == 0) {
        r = expire_tell(core, believed);
    }
    if (r == 0) {
        r = core_batch_begin(core);
    }
    if (r == 0) {
        believed = expire_step(core, believed);
        r = store_set_clock(core->options.store, believed);
    }
    if (r == 0) { /* under load there is always something that waits, and blocks deleting */
        r = core_batch_commit(core);
    }
    believed -= core->options.event_life;
    r = r < 0 ? r : archive_expire(core->options.archive, believed, &days);
    if (r == 0 && core->receive != NULL) {
        core_receive_expire(core->receive, believed - EXPIRE_AWAY);
    }
    return r;
}

void core_expire(struct core *core)
{
    int r = expire_events(core);

    if (r < 0) {
        log_warn("old events could not be deleted; they are in an hour reason=%s", err_text(r));
    }
}
