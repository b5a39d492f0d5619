/* Failures per key. Neighbour: core/login.c, for each try to log in. */
#include "centre/limiter.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"

#define LIMITER_DOUBLINGS_MAX 20

struct limiter_entry {
    struct list node;
    unsigned failures;
    int64_t until;
    struct str key;
    char bytes[];
};

void limiter_init(struct limiter *limiter, size_t limit, unsigned free_failures, int64_t longest,
                  uint64_t seed)
{
    *limiter = (struct limiter){.limit = limit, .free_failures = free_failures, .longest = longest};
    map_init(&limiter->entries, limit, seed);
    list_init(&limiter->by_age);
}

static void limiter_drop(struct limiter *limiter, struct limiter_entry *entry)
{
    (void)map_remove(&limiter->entries, entry->key);
    list_remove(&entry->node);
    mem_free(entry);
}

void limiter_done(struct limiter *limiter)
{
    LIST_EACH (node, &limiter->by_age) {
        limiter_drop(limiter, LIST_ENTRY(node, struct limiter_entry, node));
    }
    map_done(&limiter->entries);
}

int64_t limiter_wait(const struct limiter *limiter, struct str key, int64_t now)
{
    const struct limiter_entry *entry = map_get(&limiter->entries, key);

    return entry == NULL || entry->until <= now ? 0 : entry->until - now;
}

static int limiter_add(struct limiter *limiter, struct str key, struct limiter_entry **ret_entry)
{
    struct limiter_entry *entry;
    int r;

    if (map_count(&limiter->entries) == limiter->limit) {
        limiter_drop(limiter, LIST_ENTRY(limiter->by_age.next, struct limiter_entry, node));
    }
    entry = mem_alloc(1, sizeof(*entry) + key.len + 1);
    if (entry == NULL) {
        return -ERR_NOMEM;
    }
    memcpy(entry->bytes, key.ptr, key.len);
    entry->key = str_of(entry->bytes, key.len);
    list_init(&entry->node);
    r = map_put(&limiter->entries, entry->key, entry);
    if (r < 0) {
        mem_free(entry);
        return r;
    }
    *ret_entry = entry;
    return 0;
}

int limiter_fail(struct limiter *limiter, struct str key, int64_t now)
{
    struct limiter_entry *entry = map_get(&limiter->entries, key);
    unsigned over;
    int64_t wait;
    int r;

    if (entry == NULL) {
        r = limiter_add(limiter, key, &entry);
        if (r < 0) {
            return r;
        }
    }
    list_remove(&entry->node);
    list_append(&limiter->by_age, &entry->node);
    entry->failures++;
    if (entry->failures < limiter->free_failures) {
        return 0;
    }
    over = entry->failures - limiter->free_failures;
    wait = NS_PER_S << (over < LIMITER_DOUBLINGS_MAX ? over : LIMITER_DOUBLINGS_MAX);
    entry->until = now + (wait < limiter->longest ? wait : limiter->longest);
    return 0;
}

void limiter_forgive(struct limiter *limiter, struct str key)
{
    struct limiter_entry *entry = map_get(&limiter->entries, key);

    if (entry != NULL) {
        limiter_drop(limiter, entry);
    }
}
