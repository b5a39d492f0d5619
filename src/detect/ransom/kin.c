/* Processes by (pid, start). A dead one stays while a child, a file or a ruling refers to it, so
 * that ancestry over dead parents still holds. On its way: judge_step → here. */
#include "detect/ransom/kin.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#define KIN_SEED    0x6b696e
#define EVICT_TRIES 64

void kin_init(struct kin *kin, size_t limit)
{
    map_init(&kin->relatives, limit, KIN_SEED);
    map_init(&kin->scopes, limit * 2, KIN_SEED);
    list_init(&kin->ages);
}

void kin_done(struct kin *kin)
{
    size_t cursor = 0;
    void *each;

    while ((each = map_next(&kin->relatives, &cursor)) != NULL) {
        mem_free(each);
    }
    cursor = 0;
    while ((each = map_next(&kin->scopes, &cursor)) != NULL) {
        mem_free(each);
    }
    map_done(&kin->relatives);
    map_done(&kin->scopes);
    list_init(&kin->ages);
}

struct relative *kin_find(const struct kin *kin, struct actor_key key)
{
    struct kin_key whole = {key.pid, key.start};

    return map_get(&kin->relatives, MAP_KEY(whole));
}

void scope_ref(struct scope *scope)
{
    if (scope != NULL) {
        scope->refs++;
    }
}

void scope_unref(struct kin *kin, struct scope *scope)
{
    if (scope == NULL || --scope->refs != 0) {
        return;
    }
    (void)map_remove(&kin->scopes, MAP_KEY(scope->key));
    mem_free(scope);
}

static int kin_scope(struct kin *kin, struct scope_key key, struct scope **ret_scope)
{
    struct scope *scope = map_get(&kin->scopes, MAP_KEY(key));
    int r;

    if (scope == NULL) {
        scope = mem_alloc(1, sizeof(*scope));
        if (scope == NULL) {
            return -ERR_NOMEM;
        }
        scope->key = key;
        r = map_put(&kin->scopes, MAP_KEY(scope->key), scope);
        if (r < 0) {
            mem_free(scope);
            return r;
        }
    }
    scope->refs++;
    *ret_scope = scope;
    return 0;
}

static void relative_free(struct kin *kin, struct relative *relative)
{
    (void)map_remove(&kin->relatives, MAP_KEY(relative->key));
    list_remove(&relative->age);
    scope_unref(kin, relative->session);
    scope_unref(kin, relative->exe);
    mem_free(relative);
}

static bool relative_is_idle(const struct relative *relative)
{
    return relative->children == 0 && relative->refs == 0 && relative->ruling == NULL;
}

/* Frees it when nothing needs it, then its parent when it was the last reason for that one. */
static void kin_drop(struct kin *kin, struct relative *relative)
{
    while (relative != NULL && (relative->is_dead || !relative->is_known) &&
           relative_is_idle(relative)) {
        struct relative *parent = relative->parent;

        relative_free(kin, relative);
        if (parent != NULL) {
            parent->children--;
        }
        relative = parent;
    }
}

void relative_ref(struct relative *relative)
{
    relative->refs++;
}

void relative_unref(struct kin *kin, struct relative *relative)
{
    if (relative != NULL) {
        relative->refs--;
        kin_drop(kin, relative);
    }
}

/* Exits may be lost: makes room by forgetting one that nothing refers to, the least recently seen
 * first. */
static bool kin_evict(struct kin *kin)
{
    unsigned tries = 0;

    LIST_EACH (node, &kin->ages) {
        struct relative *relative = LIST_ENTRY(node, struct relative, age);

        if (relative_is_idle(relative)) {
            relative->is_dead = true;
            kin_drop(kin, relative);
            return true;
        }
        list_remove(node); /* it matters still: the next search begins behind it */
        list_append(&kin->ages, node);
        if (++tries == EVICT_TRIES) {
            break;
        }
    }
    return false;
}

int kin_get(struct kin *kin, struct actor_key key, struct relative **ret_relative)
{
    struct relative *relative = kin_find(kin, key);
    int r;

    if (relative != NULL) {
        *ret_relative = relative;
        return 0;
    }
    if (map_count(&kin->relatives) >= kin->relatives.limit && !kin_evict(kin)) {
        return -ERR_LIMIT;
    }
    relative = mem_alloc(1, sizeof(*relative));
    if (relative == NULL) {
        return -ERR_NOMEM;
    }
    relative->key = (struct kin_key){key.pid, key.start};
    relative->actor.key = key;
    list_init(&relative->age);
    r = map_put(&kin->relatives, MAP_KEY(relative->key), relative);
    if (r < 0) {
        mem_free(relative);
        return r;
    }
    list_append(&kin->ages, &relative->age);
    *ret_relative = relative;
    return 0;
}

/* A new parent is only taken on where none was known: re-parenting to init must not hide ancestry.
 */
static int kin_adopt(struct kin *kin, struct relative *relative, struct actor_key parent_key)
{
    struct relative *parent;
    int r;

    if (relative->parent != NULL || parent_key.pid <= 1) {
        return 0;
    }
    relative->refs++; /* it must not be the one that is evicted for its parent */
    r = kin_get(kin, parent_key, &parent);
    relative->refs--;
    if (r < 0) {
        return r;
    }
    if (!relative_is_below(parent, relative)) {
        parent->children++;
        relative->parent = parent;
    }
    return 0;
}

int kin_learn(struct kin *kin, const struct actor *actor)
{
    struct scope *session = NULL;
    struct scope *exe = NULL;
    struct relative *relative;
    int r;

    r = kin_get(kin, actor->key, &relative);
    if (r == 0) {
        r = kin_adopt(kin, relative, actor->parent);
    }
    if (r == 0 && actor->session != 0) {
        r = kin_scope(kin, (struct scope_key){SCOPE_KIND_SESSION, (uint32_t)actor->session, 0, 0},
                      &session);
    }
    if (r == 0 && actor->exe_ino != 0) {
        r = kin_scope(
            kin, (struct scope_key){SCOPE_KIND_EXE, actor->exe_dev, actor->exe_ino, actor->uid},
            &exe);
    }
    if (r < 0) {
        scope_unref(kin, session);
        return r;
    }
    if (exe != NULL && exe != relative->exe) {
        exe->members++;
    }
    scope_unref(kin, relative->session);
    scope_unref(kin, relative->exe);
    relative->session = session;
    relative->exe = exe;
    relative->actor = *actor;
    relative->is_known = true;
    relative->is_dead = false;
    list_remove(&relative->age);
    list_append(&kin->ages, &relative->age);
    return 0;
}

void kin_exit(struct kin *kin, struct actor_key key)
{
    struct relative *relative = kin_find(kin, key);

    if (relative != NULL) {
        relative->is_dead = true;
        kin_drop(kin, relative);
    }
}

bool relative_is_below(const struct relative *descendant, const struct relative *ancestor)
{
    for (unsigned depth = 0; descendant != NULL && depth < KIN_DEPTH_MAX; depth++) {
        if (descendant == ancestor) {
            return true;
        }
        descendant = descendant->parent;
    }
    return false;
}

struct ruling *relative_ruling(const struct relative *relative)
{
    for (unsigned depth = 0; relative != NULL && depth < KIN_DEPTH_MAX; depth++) {
        if (relative->ruling != NULL) {
            return relative->ruling;
        }
        relative = relative->parent;
    }
    return NULL;
}

bool relative_is_trusted(const struct relative *relative)
{
    if (relative != NULL && relative->actor.is_exempt) {
        return true;
    }
    for (unsigned depth = 0; relative != NULL && depth < KIN_DEPTH_MAX; depth++) {
        if (relative->is_trusted) {
            return true;
        }
        relative = relative->parent;
    }
    return false;
}

bool relative_is_akin(const struct relative *a, const struct relative *b)
{
    return a == b || (a->session != NULL && a->session == b->session) ||
           (a->exe != NULL && a->exe == b->exe);
}

/* A service manager's direct child (a login daemon, cron) stands above strangers too. */
static bool relative_may_hold(const struct relative *top, const struct relative *a,
                              const struct relative *b)
{
    if (!top->is_known || top->actor.is_exempt) {
        return false;
    }
    if (top->session != NULL && top->session == a->session && top->session == b->session) {
        return true;
    }
    return top->parent != NULL && top->actor.uid == a->actor.uid && top->actor.uid == b->actor.uid;
}

struct relative *relative_common(struct relative *a, struct relative *b)
{
    struct relative *top = a;

    for (unsigned depth = 0; top != NULL && depth < KIN_DEPTH_MAX; depth++) {
        if (relative_is_below(b, top)) {
            return top == a || top == b || relative_may_hold(top, a, b) ? top : NULL;
        }
        top = top->parent;
    }
    return NULL;
}

static uint32_t folder_hash(struct str path)
{
    while (path.len != 0 && path.ptr[path.len - 1] != '/') {
        path.len--;
    }
    return (uint32_t)map_hash(path, KIN_SEED) | 1U;
}

static unsigned relative_find_folder(const struct relative *relative, struct str path)
{
    uint32_t hash = folder_hash(path);
    unsigned at = 0;

    while (at < KIN_FOLDERS && relative->folders[at] != hash) {
        at++;
    }
    return at;
}

void relative_note_folder(struct relative *relative, struct str path)
{
    if (path.len != 0 && relative_find_folder(relative, path) == KIN_FOLDERS) {
        relative->folders[relative->next_folder] = folder_hash(path);
        relative->next_folder = (uint8_t)((relative->next_folder + 1U) % KIN_FOLDERS);
    }
}

void relative_drop_folder(struct relative *relative, struct str path)
{
    unsigned at = relative_find_folder(relative, path);

    if (at < KIN_FOLDERS) {
        relative->folders[at] = 0;
    }
}

bool relative_works_beside(const struct relative *relative, struct str path)
{
    return path.len != 0 && relative_find_folder(relative, path) < KIN_FOLDERS;
}
