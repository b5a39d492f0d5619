/* Rows live in two maps, by (pid, start) and by pid alone, and in one ring by age. The forks of
 * processes that nobody asked about yet lie in a table indexed by the low bits of the pid: a lost
 * entry costs the ancestry of one short-lived process. */
#include "agent/actors.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "sys/user.h"

#define FORKS_ROWS     65536U
#define INSTANCE_DEPTH 16
#define ACTORS_SEED    0x6163746f7273U
#define UNSEEN_START   (1ULL << 62) /* no process starts that late */

struct fork_row {
    pid_t pid;
    pid_t parent;
};

/* The key as bytes without padding, behind the row. */
struct actor_entry {
    struct actor_row row;
    uint64_t key[2];
    uint64_t pid_key;
};

struct actors {
    struct map by_key;
    struct map by_pid;
    struct list order; /* oldest first */
    size_t limit;
    uint64_t unseen;
    struct fork_row forks[FORKS_ROWS];
};

static struct str actors_key_str(const uint64_t key[2])
{
    return str_of((const char *)key, 2 * sizeof(uint64_t));
}

int actors_new(size_t limit, struct actors **ret_actors)
{
    struct actors *actors = mem_alloc(1, sizeof(*actors));

    if (actors == NULL) {
        return -ERR_NOMEM;
    }
    actors->limit = limit;
    map_init(&actors->by_key, limit + 1, ACTORS_SEED);
    map_init(&actors->by_pid, limit + 1, ACTORS_SEED);
    list_init(&actors->order);
    *ret_actors = actors;
    return 0;
}

static void actors_remove(struct actors *actors, struct actor_row *row)
{
    struct actor_entry *entry = (struct actor_entry *)(void *)row;

    (void)map_remove(&actors->by_key, actors_key_str(entry->key));
    if (map_get(&actors->by_pid, MAP_KEY(entry->pid_key)) == entry) {
        (void)map_remove(&actors->by_pid, MAP_KEY(entry->pid_key));
    }
    list_remove(&row->order);
    mem_free(row->exe);
    mem_free(row->cmdline);
    mem_free(entry);
}

void actors_free(struct actors *actors)
{
    if (actors == NULL) {
        return;
    }
    LIST_EACH (node, &actors->order) {
        actors_remove(actors, LIST_ENTRY(node, struct actor_row, order));
    }
    map_done(&actors->by_key);
    map_done(&actors->by_pid);
    mem_free(actors);
}

struct actor_row *actors_get(struct actors *actors, struct actor_key key)
{
    uint64_t bytes[2] = {(uint64_t)key.pid, key.start};

    return map_get(&actors->by_key, actors_key_str(bytes));
}

struct actor_row *actors_get_pid(struct actors *actors, pid_t pid)
{
    uint64_t key = (uint64_t)pid;

    return map_get(&actors->by_pid, MAP_KEY(key));
}

/* The oldest that has ended, or else the oldest. */
static void actors_make_room(struct actors *actors)
{
    if (map_count(&actors->by_key) < actors->limit) {
        return;
    }
    LIST_EACH (node, &actors->order) {
        struct actor_row *row = LIST_ENTRY(node, struct actor_row, order);

        if (row->is_gone) {
            actors_remove(actors, row);
            return;
        }
    }
    actors_remove(actors, LIST_ENTRY(actors->order.next, struct actor_row, order));
}

static int actors_set_texts(struct actor_row *row, const char *exe, const char *cmdline)
{
    char *new_exe = mem_dup(exe, strlen(exe));
    char *new_cmdline = mem_dup(cmdline, strlen(cmdline));

    if (new_exe == NULL || new_cmdline == NULL) {
        mem_free(new_exe);
        mem_free(new_cmdline);
        return -ERR_NOMEM;
    }
    mem_free(row->exe);
    mem_free(row->cmdline);
    row->exe = new_exe;
    row->cmdline = new_cmdline;
    return 0;
}

static int actors_add(struct actors *actors, struct actor_key key, const char *exe,
                      const char *cmdline, struct actor_row **ret_row)
{
    struct actor_entry *entry;
    int r;

    entry = mem_alloc(1, sizeof(*entry));
    if (entry == NULL) {
        return -ERR_NOMEM;
    }
    list_init(&entry->row.order);
    entry->key[0] = (uint64_t)key.pid;
    entry->key[1] = key.start;
    entry->pid_key = (uint64_t)key.pid;
    entry->row.actor.key = key;
    r = actors_set_texts(&entry->row, exe, cmdline);
    actors_make_room(actors); /* after the texts: they may be those of the row that goes */
    if (r == 0) {
        r = map_put(&actors->by_key, actors_key_str(entry->key), entry);
    }
    if (r == 0) {
        (void)map_remove(&actors->by_pid,
                         MAP_KEY(entry->pid_key)); /* its key lies in the old row */
        r = map_put(&actors->by_pid, MAP_KEY(entry->pid_key), entry);
    }
    if (r < 0) {
        actors_remove(actors, &entry->row);
        return r;
    }
    list_append(&actors->order, &entry->row.order);
    *ret_row = &entry->row;
    return 0;
}

int actors_put(struct actors *actors, const struct process_info *info, struct actor_key parent,
               struct actor_row **ret_row)
{
    struct actor_key key = {info->pid, info->start};
    struct actor_row *row = actors_get(actors, key);
    int r = row != NULL ? actors_set_texts(row, info->exe, info->cmdline)
                        : actors_add(actors, key, info->exe, info->cmdline, &row);

    if (r < 0) {
        return r;
    }
    row->actor = (struct actor){.key = key,
                                .parent = parent,
                                .session = info->session,
                                .uid = info->uid,
                                .exe_dev = info->exe_dev,
                                .exe_ino = info->exe_ino,
                                .cgroup = info->cgroup};
    memcpy(row->comm, info->comm, sizeof(row->comm));
    *ret_row = row;
    return 0;
}

int actors_put_unseen(struct actors *actors, pid_t pid, struct actor_row **ret_row)
{
    const struct fork_row *forked = &actors->forks[(unsigned)pid % FORKS_ROWS];
    struct actor_row *parent = forked->pid == pid ? actors_get_pid(actors, forked->parent) : NULL;
    struct actor_row *row;
    struct actor actor;
    int r;

    if (parent == NULL) {
        return -ERR_NOENT;
    }
    actor = parent->actor; /* adding may evict the parent */
    r = actors_add(actors, (struct actor_key){pid, UNSEEN_START + ++actors->unseen}, parent->exe,
                   parent->cmdline, &row);
    if (r < 0) {
        return r;
    }
    actor.parent = actor.key;
    actor.key = row->actor.key;
    row->actor = actor;
    row->is_gone = true;
    *ret_row = row;
    return 0;
}

void actors_forked(struct actors *actors, pid_t pid, pid_t parent, uint64_t oldest)
{
    const struct actor_row *row = actors_get_pid(actors, pid);
    uint64_t key = (uint64_t)pid;

    if (row != NULL && (row->is_gone || row->actor.key.start < oldest)) {
        (void)map_remove(&actors->by_pid, MAP_KEY(key));
    }
    actors->forks[(unsigned)pid % FORKS_ROWS] = (struct fork_row){pid, parent};
}

struct actor_row *actors_ended(struct actors *actors, pid_t pid)
{
    struct actor_row *row = actors_get_pid(actors, pid);

    if (row != NULL) {
        row->is_gone = true;
    }
    return row;
}

struct actor_key actors_instance(struct actors *actors, struct actor_key key)
{
    struct actor_row *row = actors_get(actors, key);

    for (int depth = 0; row != NULL && depth < INSTANCE_DEPTH; depth++) {
        struct actor_row *parent = actors_get(actors, row->actor.parent);

        if (parent == NULL || parent->actor.exe_ino != row->actor.exe_ino ||
            parent->actor.exe_dev != row->actor.exe_dev) {
            return row->actor.key;
        }
        row = parent;
    }
    return row != NULL ? row->actor.key : key;
}

void actors_describe(struct actors *actors, struct actor_key key, struct arena *arena,
                     struct finding_process *ret_process)
{
    const struct actor_row *row = actors_get(actors, key);
    char user[USER_NAME_MAX];

    *ret_process = (struct finding_process){.pid = key.pid, .start = key.start, .uid = -1};
    if (row == NULL) {
        return;
    }
    ret_process->uid = row->actor.uid;
    ret_process->exe = arena_copy(arena, str_from(row->exe));
    ret_process->cmdline = arena_copy(arena, str_from(row->cmdline));
    if (user_name(row->actor.uid, user, sizeof(user)) == 0) {
        ret_process->user = arena_copy(arena, str_from(user));
    }
}
