/* What the sensor before this one knew died with it, but not the originals that it had saved. The
 * youngest of them are shown to the judge again, as writes by whoever they were saved from, if that
 * process still lives: an attack that outlives a sensor does not begin at nothing, and what it
 * destroyed before is restored with the rest. Not recalled: what was renamed since, writers that
 * have ended, and files that were only held and not saved. */
#include "agent/shield/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/time.h"
#include "sys/process.h"

#include <sys/stat.h>

#define RECALL_AGE_NS  (600 * NS_PER_S)
#define RECALL_TIME_NS (2 * NS_PER_S) /* the gate stands already, but nothing is told meanwhile */
#define RECALL_MAX     256
#define RECALL_ARENA   (64U << 10)

struct recall {
    int64_t since;
    uint64_t versions[RECALL_MAX]; /* a ring: the youngest stay */
    size_t count;
};

static int recall_take(void *context, const struct vault_version *version)
{
    struct recall *recall = context;

    if (version->kind == VAULT_KIND_BEFORE && version->time >= recall->since &&
        version->process.pid > 1 && id_is_none(&version->finding)) {
        recall->versions[recall->count++ % RECALL_MAX] = version->id;
    }
    return 0;
}

/* Whether the same file still stands there, and the one who wrote it still lives. */
static bool recall_is_there(struct shield *shield, const struct vault_version *version,
                            const char *path)
{
    pid_t pid = (pid_t)version->process.pid;
    struct process_info info;
    struct stat stat;

    return lstat(path, &stat) == 0 && stat.st_dev == version->dev && stat.st_ino == version->ino &&
           !page_is_own(shield->page, pid) && process_read_stat(pid, &info) == 0 &&
           info.start == version->process.start;
}

static void recall_show(struct shield *shield, const struct vault_version *version)
{
    struct judge_step step = {.kind = JUDGE_STEP_WRITE,
                              .file = {version->dev, version->ino},
                              .size = version->size,
                              .version = version->id,
                              .path = version->path};
    struct shield_job *job = NULL;

    if (shield_who(shield, (pid_t)version->process.pid, &step.who) < 0) {
        return;
    }
    pthread_mutex_lock(&shield->lock);
    shield_step(shield, &step, &job);
    pthread_mutex_unlock(&shield->lock);
    shield_act(shield, job);
    shield_look_all(shield, step.who);
}

void shield_recall(struct shield *shield)
{
    CLEANUP(mem_freep) struct recall *recall = mem_alloc(1, sizeof(*recall));
    CLEANUP(arena_freep) struct arena *arena = NULL;
    const struct vault_filter filter = {.limit = SIZE_MAX};
    int64_t deadline = shield_now() + RECALL_TIME_NS;
    size_t first;

    if (recall == NULL || arena_new(RECALL_ARENA, &arena) < 0) {
        return;
    }
    recall->since = clock_wall(&clock_real) - RECALL_AGE_NS;
    if (vault_list(shield->vault, &filter, recall_take, recall) < 0) {
        return; /* a vault that cannot be read is told of by each save that fails */
    }
    first = recall->count > RECALL_MAX ? recall->count - RECALL_MAX : 0;
    for (size_t i = first; i < recall->count && shield_now() < deadline; i++) {
        struct vault_version version;
        struct str path;

        arena_reset(arena);
        if (vault_version(shield->vault, recall->versions[i % RECALL_MAX], arena, &version) < 0) {
            continue;
        }
        path = arena_copy(arena, version.path);
        if (path.ptr != NULL && recall_is_there(shield, &version, path.ptr)) {
            recall_show(shield, &version);
        }
    }
}
