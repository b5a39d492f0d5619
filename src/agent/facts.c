/* The census is one table with open addressing that grows by half when it is four fifths full,
 * since it is the largest the agent has; key 0 is an empty place. */
#include "agent/facts.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"

#define FACTS_SEED 0x6661637473U
#define FACTS_ROOM 1024U /* at first */

struct fact {
    uint64_t key;
    int64_t mtime;
    uint32_t uid;
    uint32_t gid;
    uint32_t mode;
};

struct fact_change {
    struct actor_key who;
    int64_t time;
    char *path; /* owned */
    struct fact before;
    struct fact after;
};

struct facts {
    struct fact *files;
    size_t room;
    size_t limit;
    size_t count;
    struct fact_change *changes;
    size_t change_max;
    size_t change_next; /* of all ever; the ring's place is the rest by change_max */
};

int facts_new(size_t files_max, size_t changes_max, struct facts **ret_facts)
{
    struct facts *facts = mem_alloc(1, sizeof(*facts));

    if (facts == NULL) {
        return -ERR_NOMEM;
    }
    facts->room = FACTS_ROOM;
    facts->limit = files_max;
    facts->change_max = changes_max;
    facts->files = mem_alloc(facts->room, sizeof(*facts->files));
    facts->changes = mem_alloc(changes_max, sizeof(*facts->changes));
    if (facts->files == NULL || facts->changes == NULL) {
        facts_free(facts);
        return -ERR_NOMEM;
    }
    *ret_facts = facts;
    return 0;
}

void facts_free(struct facts *facts)
{
    if (facts != NULL) {
        for (size_t i = 0; facts->changes != NULL && i < facts->change_max; i++) {
            mem_free(facts->changes[i].path);
        }
        mem_free(facts->files);
        mem_free(facts->changes);
        mem_free(facts);
    }
}

uint64_t facts_key(int32_t type, struct str bytes)
{
    return map_hash(bytes, FACTS_SEED + (uint32_t)type) | 1;
}

/* Where a key stands if nobody stands in its way: its upper half, as a part of the room. */
static size_t facts_home(const struct facts *facts, uint64_t key)
{
    return (size_t)((key >> 32) * facts->room >> 32);
}

static size_t facts_after(const struct facts *facts, size_t at)
{
    return at + 1 < facts->room ? at + 1 : 0;
}

/* How many places behind the other. */
static size_t facts_distance(const struct facts *facts, size_t from, size_t to)
{
    return to >= from ? to - from : to + facts->room - from;
}

/* Its place, or the empty one where it would stand. */
static size_t facts_place(const struct facts *facts, uint64_t key)
{
    size_t at = facts_home(facts, key);

    while (facts->files[at].key != 0 && facts->files[at].key != key) {
        at = facts_after(facts, at);
    }
    return at;
}

static struct fact fact_of(uint64_t key, const struct stat *stat)
{
    return (struct fact){key, stat->st_mtim.tv_sec * NS_PER_S + stat->st_mtim.tv_nsec, stat->st_uid,
                         stat->st_gid, stat->st_mode & 07777};
}

/* Makes room for one more; where memory lacks, none is added that would fill the table. */
static bool facts_make_room(struct facts *facts)
{
    struct fact *old = facts->files;
    size_t old_room = facts->room;
    size_t room = old_room + old_room / 2;
    struct fact *files;

    if (facts->count < old_room - old_room / 5) {
        return true;
    }
    files = mem_alloc(room, sizeof(*files));
    if (files == NULL) {
        return facts->count < old_room - 1;
    }
    mem_wipe(files, room * sizeof(*files)); /* as in base/map.c */
    facts->files = files;
    facts->room = room;
    for (size_t i = 0; i < old_room; i++) {
        if (old[i].key != 0) {
            files[facts_place(facts, old[i].key)] = old[i];
        }
    }
    mem_free(old);
    return true;
}

void facts_set(struct facts *facts, uint64_t key, const struct stat *stat)
{
    size_t at = facts_place(facts, key);

    if (facts->files[at].key == 0) {
        if (facts->count >= facts->limit || !facts_make_room(facts)) {
            return;
        }
        at = facts_place(facts, key);
        facts->count++;
    }
    facts->files[at] = fact_of(key, stat);
}

void facts_see(struct facts *facts, uint64_t key, const struct stat *stat)
{
    if (facts->files[facts_place(facts, key)].key == 0) {
        facts_set(facts, key, stat);
    }
}

static bool fact_is_same(const struct fact *a, const struct fact *b)
{
    return a->mtime == b->mtime && a->uid == b->uid && a->gid == b->gid && a->mode == b->mode;
}

void facts_change(struct facts *facts, const struct fact_event *event, const struct stat *stat)
{
    const struct fact *before = &facts->files[facts_place(facts, event->key)];
    struct fact after = fact_of(event->key, stat);

    if (before->key != 0 && !fact_is_same(before, &after)) {
        struct fact_change *change = &facts->changes[facts->change_next++ % facts->change_max];

        mem_free(change->path);
        *change = (struct fact_change){event->who, event->time,
                                       mem_dup(event->path.ptr, event->path.len), *before, after};
    }
    facts_set(facts, event->key, stat);
}

/* Those behind it in the same run move up, so that none is cut off. */
void facts_forget(struct facts *facts, uint64_t key)
{
    size_t hole = facts_place(facts, key);

    if (facts->files[hole].key == 0) {
        return;
    }
    for (size_t at = facts_after(facts, hole); facts->files[at].key != 0;
         at = facts_after(facts, at)) {
        size_t home = facts_home(facts, facts->files[at].key);

        if (facts_distance(facts, home, at) >= facts_distance(facts, hole, at)) {
            facts->files[hole] = facts->files[at];
            hole = at;
        }
    }
    facts->files[hole] = (struct fact){0};
    facts->count--;
}

size_t facts_count(const struct facts *facts)
{
    return facts->count;
}

/* Each fact that the copy has from a member's change is what it was before the first of them. */
static void facts_take(const struct fact *first, const struct fact *after, struct vault_facts *out)
{
    out->mode = out->mode == after->mode ? first->mode : out->mode;
    out->uid = out->uid == after->uid ? first->uid : out->uid;
    out->gid = out->gid == after->gid ? first->gid : out->gid;
    out->mtime = out->mtime == after->mtime ? first->mtime : out->mtime;
}

static size_t facts_start(const struct facts *facts)
{
    return facts->change_next > facts->change_max ? facts->change_next - facts->change_max : 0;
}

static bool facts_fits(const struct fact_change *change, const struct facts_query *query)
{
    return change->time >= query->since && query->is_member(query->context, change->who);
}

bool facts_next(const struct facts *facts, const struct facts_query *query, size_t *cursor,
                struct fact_event *ret_event)
{
    size_t start = facts_start(facts);

    for (*cursor = *cursor > start ? *cursor : start; *cursor < facts->change_next;) {
        const struct fact_change *change = &facts->changes[(*cursor)++ % facts->change_max];

        if (change->path != NULL && facts_fits(change, query)) {
            *ret_event = (struct fact_event){change->before.key, change->who, change->time,
                                             str_from(change->path)};
            return true;
        }
    }
    return false;
}

bool facts_before(const struct facts *facts, uint64_t key, const struct vault_version *copy,
                  const struct facts_query *query, struct vault_facts *ret_facts)
{
    struct vault_facts out = {true, copy->mode & 07777, copy->uid, copy->gid, copy->mtime};
    const struct fact *first = NULL;

    for (size_t i = facts_start(facts); i < facts->change_next; i++) {
        const struct fact_change *change = &facts->changes[i % facts->change_max];

        if (change->before.key == key && facts_fits(change, query)) {
            first = first != NULL ? first : &change->before;
            facts_take(first, &change->after, &out);
        }
    }
    *ret_facts = out;
    return out.mode != (copy->mode & 07777) || out.uid != copy->uid || out.gid != copy->gid ||
           out.mtime != copy->mtime;
}
