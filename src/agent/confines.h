/* What the supervisor itself knows about where a restore may write, and which files rightly run
 * with more rights than whoever starts them: the sensor writes the cases, and may be anybody's by
 * then. Protected folders are held open from the start; set-id files are found by a walk of its own
 * at the start and by its own fanotify group, which tells of changed attributes. Not thread-safe.
 * Neighbours: supervisor.c, supervisor/actions.c; store/vault/place.c holds restores to it. */
#ifndef AGENT_CONFINES_H
#define AGENT_CONFINES_H

#include "agent/places.h"
#include "base/map.h"
#include "store/vault.h"
#include "sys/loop.h"
#include "sys/notify.h"

struct confines {
    struct vault_allowed places[FILES_PLACES_MAX]; /* paths are borrowed */
    size_t count;
    int watch; /* fanotify group; -1: none */
    int walk;  /* pipe from the walk; -1: it has ended */
    struct loop_source *walk_source;
    struct loop_source *watch_source;
    struct loop_source *rest; /* the timer after which the watch is read again */
    struct map set_ids;       /* struct set_id, owned, by key */
    uint64_t fsids[FILES_PLACES_MAX];
    struct name_reader batch;
};

/* Before anything is protected. Without fanotify, set-id files are known by the walk alone. */
[[nodiscard]] int confines_init(struct confines *confines, const struct places *places,
                                struct loop *loop);
void confines_done(struct confines *confines);
/* Takes in what has changed up to now. */
void confines_refresh(struct confines *confines);
/* For vault_confine; borrows. */
struct vault_confines confines_of(struct confines *confines);
/* The descriptors that a restore needs. Their count. */
size_t confines_fds(const struct confines *confines, int out[FILES_PLACES_MAX]);

#endif
