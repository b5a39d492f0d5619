/* Two versions of one script: see script.h. What stands in a run that the other does not have is
 * new. A call that stood in such a run before, beside the place that changed, is not: there are not
 * more of its kind. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "detect/deface/hosts.h"
#include "detect/deface/items.h"
#include "detect/deface/script.h"

#define LITTLE 400U /* tokens: what is put in, but for whole libraries */

struct comparison {
    const struct script_sketch *old;
    const struct script_sketch *fresh;
    const uint32_t *sorted; /* hashes of the old runs */
    bool is_known[SCRIPT_RUNS_MAX];
    uint32_t known; /* tokens */
};

static bool sorted_has(const uint32_t *sorted, size_t count, uint32_t hash)
{
    size_t from = 0;

    while (count > from) {
        size_t middle = from + (count - from) / 2;

        if (sorted[middle] == hash) {
            return true;
        }
        if (sorted[middle] < hash) {
            from = middle + 1;
        } else {
            count = middle;
        }
    }
    return false;
}

static int compare_runs(struct comparison *comparison, struct arena *arena)
{
    size_t count = comparison->old->run_count;
    uint32_t *sorted = arena_alloc(arena, 2 * count + 1, sizeof(*sorted));

    if (sorted == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = comparison->old->runs[i].hash;
    }
    hashes_sort(sorted, count, sorted + count);
    for (size_t i = 0; i < comparison->fresh->run_count; i++) {
        const struct script_run *run = &comparison->fresh->runs[i];

        comparison->is_known[i] = sorted_has(sorted, count, run->hash);
        comparison->known += comparison->is_known[i] ? run->tokens : 0;
    }
    return 0;
}

static void compare_calls(const struct comparison *comparison, struct script_diff *diff)
{
    const struct script_sketch *old = comparison->old;
    uint32_t made = 0;

    for (size_t i = 0; i < comparison->fresh->run_count; i++) {
        made |= comparison->is_known[i] ? 0 : comparison->fresh->runs[i].calls;
    }
    for (unsigned call = 0; call < SCRIPT_CALL_COUNT; call++) {
        bool is_new = (made >> call & 1) != 0 && comparison->fresh->calls[call] > old->calls[call];

        diff->calls |= (uint32_t)is_new << call;
        diff->first_calls |= (uint32_t)(is_new && old->calls[call] == 0) << call;
    }
}

static bool sketch_has_domain(const struct script_sketch *sketch, struct str domain)
{
    for (size_t i = 0; i < sketch->host_count; i++) {
        if (str_is(host_domain(sketch->hosts[i].name), domain)) {
            return true;
        }
    }
    return sketch->has_more_hosts; /* it may have been one of those */
}

static int compare_hosts(const struct comparison *comparison, struct arena *arena,
                         struct script_diff *diff)
{
    const struct script_sketch *fresh = comparison->fresh;
    struct str *hosts = arena_alloc(arena, fresh->host_count + 1, sizeof(*hosts));

    if (hosts == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < fresh->host_count; i++) {
        const struct script_host *host = &fresh->hosts[i];

        if (!comparison->is_known[host->run] &&
            !sketch_has_domain(comparison->old, host_domain(host->name))) {
            hosts[diff->host_count++] = host->name;
        }
    }
    diff->hosts = hosts;
    return 0;
}

int script_diff_make(const struct script_sketch *old, const struct script_sketch *fresh,
                     struct arena *arena, struct script_diff *ret_diff)
{
    struct comparison comparison = {.old = old, .fresh = fresh};
    struct script_diff diff = {0};
    int r = compare_runs(&comparison, arena);

    if (r < 0) {
        return r;
    }
    diff.added = fresh->tokens > comparison.known ? fresh->tokens - comparison.known : 0;
    diff.gone = old->tokens > comparison.known ? old->tokens - comparison.known : 0;
    diff.is_addition =
        diff.gone <= old->tokens / 2 && (diff.added <= LITTLE || diff.added <= old->tokens / 2);
    compare_calls(&comparison, &diff);
    r = compare_hosts(&comparison, arena, &diff);
    if (r == 0) {
        *ret_diff = diff;
    }
    return r;
}
