/* See receiver/repeats.h. */
#include "centre/receiver/repeats.h"

#include "base/banned.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"

#include <string.h>

void repeats_init(struct repeats *repeats, uint64_t seed)
{
    *repeats = (struct repeats){.seed = seed};
    list_init(&repeats->undecided);
    list_init(&repeats->unanswered);
    for (size_t i = 0; i < REPEATS_BEGINS; i++) {
        list_init(&repeats->begins[i]);
        list_init(&repeats->kept[i]);
    }
}

void repeat_free(struct repeat *repeat)
{
    if (repeat != NULL) {
        buf_done(&repeat->hashes);
        mem_free(repeat);
    }
}

static size_t repeat_size(const struct repeat *repeat)
{
    return sizeof(*repeat) + repeat->hashes.room;
}

/* Hashes are seeded: nobody can make a list long but with posts that begin with the same entry. */
static struct list *repeats_begin(struct repeats *repeats, const char *hashes)
{
    uint64_t first;

    memcpy(&first, hashes, sizeof(first));
    return &repeats->begins[first % REPEATS_BEGINS];
}

static void repeats_add(struct repeats *repeats, struct repeat *repeat)
{
    repeats->size += repeat_size(repeat);
    if (repeat->is_undecided) {
        list_append(&repeats->undecided, &repeat->node);
        repeats->undecided_count++;
        return;
    }
    list_append(&repeats->unanswered, &repeat->node);
    list_append(repeats_begin(repeats, repeat->hashes.ptr), &repeat->begin);
    if (repeat->id != 0) {
        list_append(&repeats->kept[repeat->id % REPEATS_BEGINS], &repeat->kept_node);
    }
}

static void repeats_remove(struct repeats *repeats, struct repeat *repeat)
{
    list_remove(&repeat->node);
    list_remove(&repeat->begin);
    list_remove(&repeat->kept_node);
    repeats->undecided_count -= repeat->is_undecided ? 1 : 0;
    repeats->size -= repeat_size(repeat);
}

static void repeats_forget(struct repeats *repeats, struct list *posts)
{
    struct repeat *repeat = LIST_ENTRY(posts->next, struct repeat, node);

    repeats_remove(repeats, repeat);
    repeat_free(repeat);
}

void repeats_clear(struct repeats *repeats)
{
    while (!list_is_empty(&repeats->undecided)) {
        repeats_forget(repeats, &repeats->undecided);
    }
    while (!list_is_empty(&repeats->unanswered)) {
        repeats_forget(repeats, &repeats->unanswered);
    }
}

uint64_t repeats_hash(const struct repeats *repeats, uint64_t poster,
                      const struct receiver_entry *entry)
{
    uint64_t hash = poster ^ entry->key;

    hash = map_hash(entry->via, hash ^ repeats->seed);
    hash = map_hash(entry->host, hash ^ repeats->seed);
    hash = map_hash(entry->source, hash ^ repeats->seed);
    return map_hash(entry->raw, hash ^ repeats->seed);
}

static bool is_old(const struct list *posts, int64_t now)
{
    return now - LIST_ENTRY(posts->next, struct repeat, node)->kept > REPEATS_KEPT;
}

static void repeats_expire(struct repeats *repeats, int64_t now)
{
    while (!list_is_empty(&repeats->unanswered) &&
           (is_old(&repeats->unanswered, now) || repeats->size > REPEATS_SIZE_MAX)) {
        repeats_forget(repeats, &repeats->unanswered);
    }
}

void repeats_keep(struct repeats *repeats, const struct repeat *post, int64_t now)
{
    struct repeat *repeat = post->hashes.len != 0 ? mem_alloc(1, sizeof(*repeat)) : NULL;
    struct buf hashes = post->hashes;

    if (repeat == NULL) {
        buf_done(&hashes);
        return;
    }
    *repeat = *post;
    repeat->kept = now;
    list_init(&repeat->node);
    list_init(&repeat->begin);
    list_init(&repeat->kept_node);
    repeats_add(repeats, repeat);
    if (!repeat->is_undecided) {
        repeats_expire(repeats, now);
    }
}

void repeats_add_known(struct repeats *repeats, uint64_t id, struct str hashes, int64_t now)
{
    struct repeat known = {.id = id};
    struct repeat *repeat = LIST_ENTRY(repeats->unanswered.prev, struct repeat, node);

    if (!list_is_empty(&repeats->unanswered) && repeat->id == id) {
        repeats_remove(repeats, repeat);
        (void)buf_put_str(&repeat->hashes, hashes); /* past its limit it is known in part */
        repeats_put_back(repeats, repeat, now);
        return;
    }
    buf_init(&known.hashes, REPEAT_HASHES * sizeof(uint64_t));
    (void)buf_put_str(&known.hashes, hashes);
    repeats_keep(repeats, &known, now);
}

void repeats_put_back(struct repeats *repeats, struct repeat *repeat, int64_t now)
{
    repeats_add(repeats, repeat);
    repeats_expire(repeats, now);
}

struct repeat *repeats_undecided(struct repeats *repeats, uint64_t number)
{
    LIST_EACH (node, &repeats->undecided) {
        struct repeat *repeat = LIST_ENTRY(node, struct repeat, node);

        if (repeat->number == number) {
            return repeat;
        }
    }
    return NULL;
}

struct repeat *repeats_overdue(struct repeats *repeats, int64_t now)
{
    struct repeat *oldest = LIST_ENTRY(repeats->undecided.next, struct repeat, node);

    return !list_is_empty(&repeats->undecided) &&
                   (repeats->undecided_count > REPEATS_UNDECIDED ||
                    repeats->size > REPEATS_SIZE_MAX || now - oldest->kept > REPEATS_DOUBT)
               ? oldest
               : NULL;
}

void repeats_decide(struct repeats *repeats, struct repeat *repeat)
{
    repeats_remove(repeats, repeat);
    repeat->is_undecided = false;
}

struct repeat *repeats_take(struct repeats *repeats, struct str hashes, bool is_whole, int64_t now)
{
    struct list *begin = repeats_begin(repeats, hashes.ptr);

    repeats_expire(repeats, now);
    for (struct list *node = begin->prev; node != begin; node = node->prev) {
        struct repeat *repeat = LIST_ENTRY(node, struct repeat, begin);

        if (repeat_begins(repeat, hashes) && (!is_whole || repeat->hashes.len == hashes.len) &&
            now - repeat->kept <= REPEATS_KEPT) {
            repeats_remove(repeats, repeat);
            return repeat;
        }
    }
    return NULL;
}

struct repeat *repeats_take_kept(struct repeats *repeats, uint64_t id)
{
    LIST_EACH (node, &repeats->kept[id % REPEATS_BEGINS]) {
        struct repeat *repeat = LIST_ENTRY(node, struct repeat, kept_node);

        if (repeat->id == id) {
            repeats_remove(repeats, repeat);
            return repeat;
        }
    }
    return NULL;
}

struct repeat *repeat_copy(const struct repeat *waiting)
{
    struct repeat *repeat = mem_alloc(1, sizeof(*repeat));

    if (repeat == NULL) {
        return NULL;
    }
    *repeat = *waiting;
    repeat->is_copy = true;
    repeat->is_undecided = false;
    list_init(&repeat->node);
    list_init(&repeat->begin);
    list_init(&repeat->kept_node);
    buf_init(&repeat->hashes, waiting->hashes.len);
    if (buf_put_str(&repeat->hashes, buf_str(&waiting->hashes)) < 0) {
        repeat_free(repeat);
        return NULL;
    }
    return repeat;
}

size_t repeat_count(const struct repeat *repeat)
{
    return repeat->hashes.len / sizeof(uint64_t);
}

bool repeat_begins(const struct repeat *repeat, struct str hashes)
{
    return str_is(str_slice(buf_str(&repeat->hashes), 0, hashes.len), hashes);
}

bool repeat_has(const struct repeat *repeat, size_t place, uint64_t hash)
{
    return place < repeat_count(repeat) &&
           memcmp(repeat->hashes.ptr + place * sizeof(hash), &hash, sizeof(hash)) == 0;
}
