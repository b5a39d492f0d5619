/* Cases: what belongs to one finding, restored and undone as one. Neighbours: the sensor opens a
 * case and adds damage while an attack goes on; the supervisor, or the command line, restores and
 * undoes. Invariants: in-place damage is mended first, so that other names of the same inode find
 * it whole; a case is marked as synced only when every file system that was written to has been
 * synced. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "store/vault.h"
#include "store/vault/folder.h"
#include "store/vault/meta.h"
#include "store/vault/work.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>

#define SYNCED_SYSTEMS_MAX 64U

int vault_case_open(struct vault *vault, const struct id *finding)
{
    const struct vault_record record = {.kind = VAULT_RECORD_CASE_OPEN, .finding = *finding};

    return vault_write(vault, &record);
}

int vault_case_close(struct vault *vault, const struct id *finding)
{
    const struct vault_record record = {.kind = VAULT_RECORD_CASE_CLOSE, .finding = *finding};

    return vault_write(vault, &record);
}

static int case_check(const struct vault_damage *damage)
{
    bool is_product = damage->outcome == FILE_OUTCOME_PRODUCT;
    struct str path = is_product ? damage->path_now : damage->path;

    if (path.len == 0 || path.ptr[0] != '/' || (!is_product && damage->version == 0)) {
        return -ERR_INVAL;
    }
    return 0;
}

int vault_case_add(struct vault *vault, const struct id *finding, const struct vault_damage *damage,
                   size_t count)
{
    struct vault_record record = {.kind = VAULT_RECORD_CASE_FILE, .finding = *finding};
    bool is_known;
    int r = vault_refresh(vault);

    if (r < 0) {
        return r;
    }
    pthread_mutex_lock(&vault->mutex);
    is_known = vault_case_locked(vault, finding) != NULL;
    pthread_mutex_unlock(&vault->mutex);
    if (!is_known) {
        return -ERR_NOENT;
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        record.damage = damage[i];
        r = case_check(&damage[i]);
        r = r < 0 ? r : vault_write(vault, &record);
    }
    return r;
}

struct case_run {
    struct vault *vault;
    const struct id *finding;
    vault_progress_fn *fn;
    void *context;
    struct vault_report report;
    struct map groups; /* struct vault_group by key */
    struct arena *arena;
    uint32_t count;
    bool is_doubted; /* an earlier run ended with the machine, not with a sync */
    uint64_t devs[SYNCED_SYSTEMS_MAX];
    int roots[SYNCED_SYSTEMS_MAX];
    size_t systems;
    struct vault_work work;
};

#define CASE_ARENA_LIMIT (512U << 20)

static int run_find_case(struct case_run *run)
{
    const struct vault_case *item;
    int r = vault_refresh(run->vault);

    pthread_mutex_lock(&run->vault->mutex);
    item = vault_case_locked(run->vault, run->finding);
    if (r == 0 && item == NULL) {
        r = -ERR_NOENT;
    }
    if (r == 0) {
        run->count = (uint32_t)item->count;
        run->is_doubted = !item->is_synced && item->boot != 0 && item->boot != run->vault->boot;
    }
    pthread_mutex_unlock(&run->vault->mutex);
    return r;
}

static struct vault_group *run_group(struct case_run *run)
{
    struct vault_group *group = map_get(&run->groups, vault_work_key(&run->work));
    struct str key;

    if (group != NULL) {
        return group;
    }
    group = arena_alloc(run->arena, 1, sizeof(*group));
    key = arena_copy(run->arena, vault_work_key(&run->work));
    if (group == NULL || key.ptr == NULL) {
        return NULL;
    }
    *group = (struct vault_group){.key = key, .version = run->work.damage.version};
    return map_put(&run->groups, group->key, group) == 0 ? group : NULL;
}

static int run_add_to_group(struct case_run *run, uint32_t index)
{
    struct vault_group *group;
    int r = vault_work_load(&run->work, index);

    if (r < 0 || run->work.original.kind == 0) {
        return r == -ERR_NOENT ? 0
                               : r; /* the file itself will tell that its version is not there */
    }
    group = run_group(run);
    if (group == NULL) {
        return -ERR_NOMEM;
    }
    if (run->work.damage.version < group->version) {
        group->version = run->work.damage.version;
    }
    if (group->leader == 0 && run->work.is_in_place) {
        group->leader = index + 1;
    }
    if (group->restored == 0 && run->work.step.stage == VAULT_STAGE_RESTORED) {
        group->restored = index + 1;
    }
    return 0;
}

static int run_start(struct case_run *run)
{
    int r = run_find_case(run);

    if (r < 0) {
        return r;
    }
    vault_work_init(&run->work, run->vault, run->finding);
    map_init(&run->groups, VAULT_CASE_FILES_MAX, run->vault->journal.seed);
    r = arena_new(CASE_ARENA_LIMIT, &run->arena);
    for (uint32_t i = 0; r == 0 && i < run->count; i++) {
        r = run_add_to_group(run, i);
    }
    return r;
}

static void run_done(struct case_run *run)
{
    for (size_t i = 0; i < run->systems; i++) {
        closep(&run->roots[i]);
    }
    map_done(&run->groups);
    arena_free(run->arena);
    vault_work_done(&run->work);
}

static void run_remember_system(struct case_run *run, struct str path)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    struct stat st;

    if (path.len == 0 || vault_place_open(run->vault, path, &place) < 0 ||
        fstat(place.folder, &st) != 0) {
        return;
    }
    for (size_t i = 0; i < run->systems; i++) {
        if (run->devs[i] == st.st_dev) {
            return;
        }
    }
    if (run->systems < SYNCED_SYSTEMS_MAX) {
        run->devs[run->systems] = st.st_dev;
        run->roots[run->systems++] = TAKE_FD(place.folder);
    }
}

/* Once for all files: a sync a file would cost minutes. */
static int run_sync(struct case_run *run)
{
    const struct vault_record record = {.kind = VAULT_RECORD_CASE_SYNCED, .finding = *run->finding};

    for (size_t i = 0; i < run->systems; i++) {
        if (syncfs(run->roots[i]) != 0) {
            return -errno;
        }
    }
    if (syncfs(run->vault->folder) != 0) {
        return -errno;
    }
    return vault_write(run->vault, &record);
}

/* *ret_is_late: it was told with a version that is not the oldest, and may be back as that. */
static int run_load(struct case_run *run, uint32_t index, bool *ret_is_late)
{
    struct vault_group *group;
    int r = vault_work_load(&run->work, index);

    *ret_is_late = false;
    if (r < 0 || run->work.original.kind == 0) {
        return r;
    }
    group = map_get(&run->groups, vault_work_key(&run->work));
    *ret_is_late = group != NULL && group->version != run->work.damage.version;
    return group != NULL ? vault_work_join(&run->work, group)
                         : -ERR_CONFLICT; /* it was saved anew just now */
}

static void run_count(struct case_run *run, int result)
{
    const struct vault_work *work = &run->work;

    run->report.files++;
    run->report.failed += result < 0 ? 1 : 0;
    run->report.evidence +=
        (work->step.evidence != 0 ? 1U : 0U) + (work->step.occupant != 0 ? 1U : 0U);
    if (result == 0 && work->damage.outcome != FILE_OUTCOME_PRODUCT) {
        run->report.restored++;
        run->report.partial +=
            work->original.version.is_partial || work->original.meta.is_cut ? 1 : 0;
    }
    if (run->fn != NULL) {
        run->fn(run->context, &work->damage, result);
    }
}

static int run_restore_one(struct case_run *run, uint32_t index, bool is_in_place)
{
    bool is_late;
    int result = run_load(run, index, &is_late);
    bool is_turn = run->work.is_in_place == is_in_place;

    if (!is_turn) {
        return 0;
    }
    result = result < 0 ? result : vault_restore_file(&run->work, run->is_doubted || is_late);
    if (result == 0) {
        run_remember_system(run, run->work.damage.path);
        if (run->work.group != NULL && run->work.group->restored == 0) {
            run->work.group->restored = index + 1;
        }
    }
    run_count(run, result);
    return result == -ERR_NOMEM ? result : 0;
}

static int run_restore(struct case_run *run)
{
    const struct vault_record begun = {
        .kind = VAULT_RECORD_CASE_BEGUN, .finding = *run->finding, .boot = run->vault->boot};
    int r = run_start(run);

    r = r < 0 ? r : vault_write(run->vault, &begun);
    r = r < 0 ? r : vault_case_make_folders(run->vault, run->finding);
    for (uint32_t i = 0; r == 0 && i < run->count; i++) {
        r = run_restore_one(run, i, true);
    }
    for (uint32_t i = 0; r == 0 && i < run->count; i++) {
        r = run_restore_one(run, i, false);
    }
    r = r < 0 ? r : vault_case_mend_folders(run->vault, run->finding, &run->report.folders);
    run->report.unset = run->vault->unset;
    return r < 0 ? r : run_sync(run);
}

static int run_undo_one(struct case_run *run, uint32_t index, bool is_in_place)
{
    bool is_late;
    int result = run_load(run, index, &is_late);

    if (run->work.is_in_place != is_in_place) {
        return 0;
    }
    if (result == 0 && run->work.step.stage != VAULT_STAGE_DAMAGED &&
        run->work.step.stage < VAULT_STAGE_RESTORED) {
        result =
            vault_restore_file(&run->work, false); /* a run was killed half-way: first to its end */
    }
    result = result < 0 ? result : vault_undo_file(&run->work);
    if (result == 0) {
        run_remember_system(run, run->work.damage.path);
        run_remember_system(run, run->work.damage.path_now);
    }
    run_count(run, result);
    return result == -ERR_NOMEM ? result : 0;
}

static int run_undo(struct case_run *run)
{
    int r = run_start(run);

    for (uint32_t i = run->count; r == 0 && i > 0; i--) {
        r = run_undo_one(run, i - 1, false);
    }
    for (uint32_t i = run->count; r == 0 && i > 0; i--) {
        r = run_undo_one(run, i - 1, true);
    }
    r = r < 0 ? r : vault_case_undo_folders(run->vault, run->finding);
    return r < 0 ? r : run_sync(run);
}

static int case_do(struct case_run *run, int (*act)(struct case_run *),
                   struct vault_report *ret_report)
{
    CLEANUP(closep) int lock = vault_lock(run->vault, true);
    int r;

    if (lock < 0) {
        return lock;
    }
    r = act(run);
    run_done(run);
    if (r == 0 && ret_report != NULL) {
        *ret_report = run->report;
    }
    return r;
}

void vault_confine(struct vault *vault, const struct vault_confines *confines)
{
    vault->confines = *confines;
}

int vault_case_restore(struct vault *vault, const struct id *finding, vault_progress_fn *fn,
                       void *context, struct vault_report *ret_report)
{
    struct case_run run = {.vault = vault, .finding = finding, .fn = fn, .context = context};

    return case_do(&run, run_restore, ret_report);
}

int vault_case_undo(struct vault *vault, const struct id *finding, vault_progress_fn *fn,
                    void *context, struct vault_report *ret_report)
{
    struct case_run run = {.vault = vault, .finding = finding, .fn = fn, .context = context};

    return case_do(&run, run_undo, ret_report);
}

/* What a forced restore would overwrite becomes a version before it goes. */
static int restore_clear_way(struct vault *vault, const struct vault_place *place, struct str path,
                             bool is_forced, struct diag *diag)
{
    const struct vault_origin origin = {.path = path, .kind = VAULT_KIND_BEFORE};
    CLEANUP(closep) int fd = -1;
    struct stat st;
    uint64_t id;
    int r = vault_place_stat(place, &st);

    if (r < 0) {
        return r == -ERR_NOENT ? 0 : r;
    }
    if (!is_forced || !S_ISREG(st.st_mode)) {
        return diag_set(
            diag, -ERR_EXIST,
            _("%.*s exists already; name another place with --to, or replace it with --force"),
            STR_ARG(path));
    }
    fd = vault_place_open_inode(place, (struct vault_inode){st.st_dev, st.st_ino}, O_RDONLY);
    r = fd < 0 ? fd : vault_keep(vault, fd, &origin, VAULT_SHARE_WHOLE, &id);
    return r < 0 ? r : vault_place_unlink(place);
}

int vault_restore(struct vault *vault, uint64_t id, struct str path, bool is_forced,
                  struct diag *diag)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    CLEANUP(closep) int fd = -1;
    CLEANUP(buf_done) struct buf bytes;
    struct vault_record record;
    uint32_t made = 0;
    int r;

    buf_init(&bytes, VAULT_RECORD_MAX);
    r = vault_describe(vault, id, &bytes, &record);
    if (r < 0) {
        return r;
    }
    path = path.len != 0 ? path : record.version.path;
    r = vault_place_make(vault, path, &record.version, &place, &made);
    if (r < 0) {
        return diag_set(diag, r, _("cannot reach the folder of %.*s: %s"), STR_ARG(path),
                        err_text(r));
    }
    fd = vault_work_create(vault, &place, id, NULL); /* whole before anything is cleared away */
    r = fd < 0 ? fd : restore_clear_way(vault, &place, path, is_forced, diag);
    return r < 0 ? r : vault_place_link(&place, fd);
}
