/* See core/recent.h. */
#include "centre/core/recent.h"

#include "base/banned.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

#define AGAIN (600 * NS_PER_S)

static int compare(const void *a, const void *b)
{
    uint64_t left;
    uint64_t right;

    memcpy(&left, a, sizeof(left));
    memcpy(&right, b, sizeof(right));
    return left < right ? -1 : left > right;
}

void recent_begin(struct recent *recent, int64_t now)
{
    recent->before_count = recent->durable < RECENT_MAX ? (size_t)recent->durable : RECENT_MAX;
    memcpy(recent->before, recent->lines, recent->before_count * sizeof(recent->before[0]));
    qsort(recent->before, recent->before_count, sizeof(recent->before[0]), compare);
    recent->until = now + AGAIN;
}

bool recent_has(const struct recent *recent, uint64_t hash, int64_t now)
{
    return now < recent->until && bsearch(&hash, recent->before, recent->before_count,
                                          sizeof(recent->before[0]), compare) != NULL;
}

void recent_add(struct recent *recent, uint64_t hash)
{
    recent->lines[recent->pending++ % RECENT_MAX] = hash;
}

void recent_commit(struct recent *recent)
{
    recent->durable = recent->pending;
}

void recent_forget(struct recent *recent)
{
    if (recent->pending != recent->durable) { /* it may have taken the place of older ones */
        recent->durable = 0;
    }
    recent->pending = recent->durable;
}
