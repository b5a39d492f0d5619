/* One path, held against the manifest, and what is done about it. What may stay costs one look;
 * what may not is put back or taken out at once, unless somebody fights over it. */
#include "agent/guard/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"

#define AGAIN_NS    NS_PER_S
#define LARGE_BYTES (8U << 20) /* such a file is not read, nor made, ahead of all else */

static enum guard_reason reason_of(unsigned differences)
{
    if ((differences & WEBROOT_MISSING) != 0) {
        return GUARD_REASON_DELETED;
    }
    if ((differences & WEBROOT_KIND) != 0) {
        return GUARD_REASON_KIND;
    }
    return (differences & WEBROOT_CONTENT) != 0 ? GUARD_REASON_CHANGED : GUARD_REASON_ATTRIBUTES;
}

static enum guard_reason reason_of_plant(unsigned plants)
{
    static const struct {
        enum plant plant;
        enum guard_reason reason;
    } rows[] = {{PLANT_HANDLER, GUARD_REASON_HANDLER}, {PLANT_DOUBLE, GUARD_REASON_DOUBLE},
                {PLANT_CODE, GUARD_REASON_CODE},       {PLANT_SCRIPT, GUARD_REASON_SCRIPT},
                {PLANT_PROGRAM, GUARD_REASON_PROGRAM}, {PLANT_BACKDATED, GUARD_REASON_BACKDATED}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if ((plants & rows[i].plant) != 0) {
            return rows[i].reason;
        }
    }
    return GUARD_REASON_ADDED;
}

/* False: it is fought over, and its turn comes later. */
static bool guard_may_act(struct guard *guard, struct guard_root *root, struct str path, pid_t pid)
{
    int64_t now = clock_mono(&clock_real);
    struct loops_answer answer = loops_ask(root->loops, path, now);

    if (answer.is_news) {
        struct guard_incident *incident = guard_incident(guard, root, pid, false);

        if (incident != NULL) {
            incident->is_fight = true;
            guard_incident_add(guard, incident, path, GUARD_REASON_FIGHT, 0);
        }
    }
    if (answer.due > now) {
        guard_wait(guard, root, path, pid, answer.due);
    }
    return answer.due <= now;
}

/* After folders came back: they are other inodes, and what was in them is missing too. */
static void guard_know_above(struct guard *guard, struct guard_root *root, struct str path)
{
    bool has_top = false;

    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] == '/') {
            (void)guard_know_folder(guard, root, str_slice(path, 0, i));
            if (!has_top) {
                (void)!webroot_scan_add_entries(root->scan, str_slice(path, 0, i));
                has_top = true;
            }
        }
    }
    guard_scan_on(guard, root);
}

static void guard_after_repair(struct guard *guard, struct guard_root *root,
                               const struct manifest_entry *entry, int result)
{
    if (entry->kind == MANIFEST_KIND_FOLDER) {
        (void)guard_know_folder(guard, root, entry->path);
        (void)!webroot_scan_add_entries(root->scan, entry->path);
        guard_scan_on(guard, root);
    } else if (entry->kind == MANIFEST_KIND_FILE) {
        guard_know_file(guard, root, entry->path);
        guard_refuse_file(guard, root, entry);
    }
    if (result == 1) {
        guard_know_above(guard, root, entry->path);
    }
}

static bool guard_repair(struct guard *guard, struct guard_root *root,
                         const struct manifest_entry *entry, unsigned differences, pid_t pid)
{
    enum guard_reason reason = reason_of(differences);
    struct guard_incident *incident;
    struct guard_taking taking = {guard, root, 0, guard_reason_word(reason)};
    const struct webroot_taker taker = {&taking, guard_on_taken};
    bool was_urgent;
    int r;

    if (!guard_may_act(guard, root, entry->path, pid)) {
        return false;
    }
    incident = guard_incident(guard, root, pid, false);
    taking.incident = incident != NULL ? incident->number : 0;
    was_urgent = guard->is_urgent;
    guard_hurry(guard, was_urgent && entry->size <= LARGE_BYTES);
    r = webroot_put_back(&root->webroot, entry, differences, &taker);
    guard_hurry(guard, was_urgent);
    if (r == -ERR_NOSPC && guard_free_reserve(guard)) {
        r = webroot_put_back(&root->webroot, entry, differences, &taker);
    }
    loops_note(root->loops, entry->path, clock_mono(&clock_real));
    if (incident != NULL) {
        guard_incident_add(guard, incident, entry->path, reason, r < 0 ? r : 0);
    }
    if (r < 0) {
        guard_wait(guard, root, entry->path, pid, clock_mono(&clock_real) + AGAIN_NS);
        return false;
    }
    guard_after_repair(guard, root, entry, r);
    return entry->kind == MANIFEST_KIND_FOLDER;
}

/* The number of its incident; 0: it stands there yet, or nobody is told. */
static uint64_t guard_remove(struct guard *guard, struct guard_root *root, struct str path,
                             enum guard_reason reason, pid_t pid)
{
    struct guard_incident *incident;
    struct guard_taking taking = {guard, root, 0, guard_reason_word(reason)};
    const struct webroot_taker taker = {&taking, guard_on_taken};
    int r;

    if (!guard_may_act(guard, root, path, pid)) {
        return 0;
    }
    incident = guard_incident(guard, root, pid, reason != GUARD_REASON_ADDED);
    taking.incident = incident != NULL ? incident->number : 0;
    r = webroot_take_out(&root->webroot, path, &taker);
    if (r == -ERR_NOENT) {
        return 0; /* gone by itself */
    }
    loops_note(root->loops, path, clock_mono(&clock_real));
    if (incident != NULL) {
        guard_incident_add(guard, incident, path, reason, r);
    }
    if (r < 0) {
        guard_wait(guard, root, path, pid, clock_mono(&clock_real) + AGAIN_NS);
        return 0;
    }
    return taking.incident;
}

static void guard_remove_stranger(struct guard *guard, struct guard_root *root, struct str path,
                                  unsigned running, pid_t pid, bool is_file)
{
    int fd = is_file ? webroot_read(&root->webroot, path) : -1; /* it has no name afterwards */

    guard_inspect_taken(guard, root, path, fd,
                        guard_remove(guard, root, path, reason_of_plant(running), pid));
}

/* What the site's own programs write is read where it is code, all that visitors write is read. */
static void guard_keep_stranger(struct guard *guard, struct guard_root *root, struct str path,
                                const struct stat *st, unsigned plants, pid_t pid)
{
    enum manifest_class class = class_of(&root->webroot.rules, path);
    struct guard_incident *incident;

    if (pid != 0 && (plants & PLANT_BACKDATED) != 0 && class == MANIFEST_CLASS_UPLOAD) {
        incident = guard_incident(guard, root, pid, true);
        if (incident != NULL) {
            guard_incident_add(guard, incident, path, GUARD_REASON_BACKDATED, -ERR_EXIST);
        }
    }
    if (class == MANIFEST_CLASS_UPLOAD ||
        (plants & (PLANT_SCRIPT | PLANT_DOUBLE | PLANT_CODE)) != 0) {
        guard_inspect(guard, root, path, st, pid);
    }
}

bool guard_found_shell(struct guard *guard, struct guard_root *root, struct str path,
                       const struct stat *st, const struct inspection *inspection, pid_t pid)
{
    enum manifest_class class = class_of(&root->webroot.rules, path);
    struct guard_incident *incident;
    uint64_t number;
    struct stat now;

    if (!root->is_open || !root->webroot.is_signed || root->is_away ||
        webroot_compare(&root->webroot, path, NULL, 0, &now) != WEBROOT_ADDED ||
        now.st_ino != st->st_ino || now.st_dev != st->st_dev) {
        return true;
    }
    if (class == MANIFEST_CLASS_UPLOAD) {
        number = guard_remove(guard, root, path, GUARD_REASON_SHELL, pid);
        guard_incident_shell(guard, number, path, inspection);
        return true;
    }
    incident = class == MANIFEST_CLASS_CONTENT ? guard_incident(guard, root, pid, true) : NULL;
    if (incident != NULL) {
        guard_incident_add(guard, incident, path, GUARD_REASON_SHELL_LEFT, -ERR_EXIST);
        guard_incident_shell(guard, incident->number, path, inspection);
    }
    return false;
}

/* What no manifest knows. In a folder that visitors write to, only what can execute is taken out;
 * what merely claims to be old is told, where somebody just made it. */
static bool guard_look_stranger(struct guard *guard, struct guard_root *root, struct str path,
                                const struct stat *st, pid_t pid)
{
    enum manifest_class class = class_of(&root->webroot.rules, path);
    unsigned running;
    int plants;

    if (S_ISDIR(st->st_mode) && (class != MANIFEST_CLASS_FIXED || root->window.is_open)) {
        return true;
    }
    if (class == MANIFEST_CLASS_FIXED && root->window.is_open) {
        return false;
    }
    plants = webroot_plants(&root->webroot, path, st);
    running = plants > 0 ? plant_that_runs((unsigned)plants, class) : 0;
    if (class == MANIFEST_CLASS_FIXED || running != 0) {
        guard_remove_stranger(guard, root, path, running, pid, S_ISREG(st->st_mode));
    } else {
        guard_keep_stranger(guard, root, path, st, plants > 0 ? (unsigned)plants : 0U, pid);
    }
    return false;
}

/* A folder that others write to, in one that is fixed: what is in it comes and goes, it does not.
 */
static bool is_border(const struct manifest *manifest, const struct manifest_entry *entry)
{
    const struct manifest_entry *parent;
    size_t len = entry->path.len;

    while (len != 0 && entry->path.ptr[len - 1] != '/') {
        len--;
    }
    parent = manifest_find(manifest, str_slice(entry->path, 0, len != 0 ? len - 1 : 0));
    return parent != NULL && parent->class == MANIFEST_CLASS_FIXED;
}

static bool guard_look_open(struct guard *guard, struct guard_root *root, struct str path,
                            const struct manifest_entry *entry, pid_t pid)
{
    struct stat st = {0};
    int differences = webroot_compare(&root->webroot, path, entry, 0, &st);
    unsigned gone;

    if (differences < 0) {
        return false;
    }
    gone = (unsigned)differences & (WEBROOT_MISSING | WEBROOT_KIND);
    if (entry != NULL && gone != 0 && !root->window.is_open &&
        is_border(&root->webroot.manifest, entry)) {
        return guard_repair(guard, root, entry, gone, pid);
    }
    return (gone & WEBROOT_MISSING) == 0 && guard_look_stranger(guard, root, path, &st, pid);
}

/* A folder of the root has another name in it now. True when it got its own back: so all that is in
 * it is back at one stroke, also what no manifest holds. */
bool guard_move_back(struct guard *guard, struct guard_root *root, struct str now,
                     struct str before, pid_t pid)
{
    struct guard_incident *incident;
    int r;

    if (!root->is_open || !root->webroot.is_signed || root->is_away || root->window.is_open ||
        (class_of(&root->webroot.rules, before) != MANIFEST_CLASS_FIXED &&
         class_of(&root->webroot.rules, now) != MANIFEST_CLASS_FIXED &&
         manifest_find(&root->webroot.manifest, before) == NULL) ||
        !guard_may_act(guard, root, before, pid)) {
        return false;
    }
    r = webroot_move_back(&root->webroot, now, before);
    if (r < 0) {
        return false;
    }
    loops_note(root->loops, before, clock_mono(&clock_real));
    incident = guard_incident(guard, root, pid, false);
    if (incident != NULL) {
        guard_incident_add(guard, incident, before, GUARD_REASON_DELETED, 0);
    }
    return true;
}

bool guard_look(struct guard *guard, struct guard_root *root, struct str path, pid_t pid,
                bool is_event)
{
    const struct manifest_entry *entry;
    struct stat st = {0};
    int differences;

    if (!root->is_open || !root->webroot.is_signed || root->is_away) {
        return false;
    }
    entry = manifest_find(&root->webroot.manifest, path);
    if (entry == NULL || entry->class != MANIFEST_CLASS_FIXED) {
        return guard_look_open(guard, root, path, entry, pid);
    }
    differences =
        webroot_compare(&root->webroot, path, entry, is_event ? LARGE_BYTES : UINT64_MAX, &st);
    if (differences == WEBROOT_UNREAD) { /* once a second, however often it is opened and closed */
        guard_wait(guard, root, path, pid, clock_mono(&clock_real) + AGAIN_NS);
        return false;
    }
    if (differences < 0) {
        log_warn("a path cannot be compared path=%.*s reason=%s", STR_ARG(path),
                 err_text(differences));
        return false;
    }
    if (differences == 0 || root->window.is_open) {
        return (differences & WEBROOT_MISSING) == 0 && S_ISDIR(st.st_mode);
    }
    return guard_repair(guard, root, entry, (unsigned)differences, pid);
}

/* Of a scan. */
bool guard_met(void *context, struct str path, bool is_folder, bool is_there)
{
    struct guard_root *root = context;
    struct guard *guard = root->guard;
    const struct manifest_entry *entry;
    bool is_open;

    guard->heard = clock_mono(&clock_real);
    is_open = guard_look(guard, root, path, 0, false);
    if (is_open && is_folder && is_there) {
        return guard_know_folder(guard, root, path);
    }
    entry = !is_folder && is_there ? manifest_find(&root->webroot.manifest, path) : NULL;
    if (entry != NULL) {
        guard_know_file(guard, root, path);
        guard_refuse_file(guard, root, entry);
    }
    return false;
}
