/* The groups that findings are about, as long as somebody may have something done about them. What
 * stands still is never forgotten to make room: then the newcomer is refused, which is told.
 * Neighbours: supervisor/requests.c lists them; supervisor/actions.c acts on them. */
#include "agent/supervisor/private.h"
#include "base/banned.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/process.h"

enum held_worth {
    HELD_WORTH_NOTHING, /* nothing is left to be decided */
    HELD_WORTH_FILES,   /* its processes have ended; its files may be restored, or that undone */
    HELD_WORTH_ALL,
};

static bool held_runs(const struct held *held)
{
    for (size_t i = 0; i < held->group.count; i++) {
        struct process_info info;

        if (process_read_stat(held->group.members[i].pid, &info) == 0 &&
            info.start == held->group.members[i].start) {
            return true;
        }
    }
    return false;
}

static enum held_worth held_worth(const struct held *held)
{
    if (held->is_busy || held->is_wanted || held->retry_at != 0) {
        return HELD_WORTH_ALL;
    }
    if (held->state == HELD_STATE_RESUMED) {
        return HELD_WORTH_NOTHING;
    }
    return held_runs(held) ? HELD_WORTH_ALL : HELD_WORTH_FILES;
}

/* The oldest of the least worth goes. */
static bool held_make_room(struct supervisor *supervisor)
{
    enum held_worth least = HELD_WORTH_ALL;
    size_t at = 0;

    for (size_t i = 0; i < supervisor->held_count && least != HELD_WORTH_NOTHING; i++) {
        enum held_worth worth = held_worth(&supervisor->held[i]);

        if (worth < least) {
            least = worth;
            at = i;
        }
    }
    if (least == HELD_WORTH_ALL) {
        return false;
    }
    supervisor->held_count--;
    memmove(&supervisor->held[at], &supervisor->held[at + 1],
            (supervisor->held_count - at) * sizeof(supervisor->held[0]));
    return true;
}

static void held_refuse(struct supervisor *supervisor)
{
    char value[96];

    supervisor->held_refused++;
    log_error("no more than %d stopped groups can be listed; %llu are not", HELD_MAX,
              (unsigned long long)supervisor->held_refused);
    if (supervisor->held_refused != 1) {
        return;
    }
    (void)snprintf(value, sizeof(value), _("%d groups are listed"), HELD_MAX);
    supervisor_tell(supervisor,
                    N_("More groups of processes stand still than can be decided about: those "
                       "that come now stay stopped until somebody sends them SIGCONT or SIGKILL"),
                    value);
}

struct held *supervisor_held(struct supervisor *supervisor, const struct id *finding, bool is_made)
{
    struct held *held;

    for (size_t i = 0; i < supervisor->held_count; i++) {
        if (id_is(&supervisor->held[i].finding, finding)) {
            return &supervisor->held[i];
        }
    }
    if (!is_made) {
        return NULL;
    }
    if (supervisor->held_count == HELD_MAX && !held_make_room(supervisor)) {
        held_refuse(supervisor);
        return NULL;
    }
    held = &supervisor->held[supervisor->held_count++];
    *held = (struct held){.finding = *finding, .state = HELD_STATE_STOPPED};
    return held;
}
