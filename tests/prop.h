/* Property tests: a property draws what it needs from a source of choices and says whether it
 * holds. When it does not, the recorded choices are made fewer and smaller, and the property is
 * asked again, until nothing can be taken away; so everything that is drawn shrinks without a word
 * of its own. Zero is the simplest choice. Each run has a new seed, printed on failure;
 * CANHGAC_SEED=n repeats it. */
#ifndef TESTS_PROP_H
#define TESTS_PROP_H

#include "harness.h"

#include "base/arena.h"
#include "base/id.h"
#include "base/prng.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROP_CHOICES_MAX 8192
#define PROP_ARENA_LIMIT (8U << 20)

struct prop {
    struct prng prng;
    struct arena *arena; /* for what is drawn; reset before each run */
    uint64_t choices[PROP_CHOICES_MAX];
    size_t count;      /* recorded */
    size_t at;         /* of the next choice in a replay */
    bool is_replaying; /* past the recorded choices everything is zero */
};

/* NULL when the property holds, else what broke it. */
typedef const char *prop_fn(struct prop *prop);

/* A number below bound, or any when bound is 0. */
static inline uint64_t prop_below(struct prop *prop, uint64_t bound)
{
    uint64_t value;

    if (prop->is_replaying) {
        value = prop->at < prop->count ? prop->choices[prop->at++] : 0;
    } else {
        value = prop->count < PROP_CHOICES_MAX ? prng_next(&prop->prng) : 0;
    }
    value = bound != 0 ? value % bound : value;
    if (!prop->is_replaying && prop->count < PROP_CHOICES_MAX) {
        prop->choices[prop->count++] = value;
    }
    return value;
}

static inline bool prop_bool(struct prop *prop)
{
    return prop_below(prop, 2) != 0;
}

/* All magnitudes alike, and the borders of the widths often. */
static inline uint64_t prop_u64(struct prop *prop)
{
    uint64_t bits = prop_below(prop, 65);
    uint64_t value = prop_below(prop, 0);

    if (bits == 0) {
        return 0;
    }
    if (prop_below(prop, 4) == 3) {
        return (bits == 64 ? 0 : 1ULL << bits) - prop_below(prop, 2);
    }
    return value >> (64 - bits);
}

static inline int64_t prop_i64(struct prop *prop)
{
    uint64_t value = prop_u64(prop);

    return (int64_t)(prop_bool(prop) ? ~value : value);
}

static inline double prop_double(struct prop *prop)
{
    uint64_t bits;
    double value;

    if (prop_below(prop, 4) != 3) {
        return (double)prop_below(prop, 2000) / 8 - 100;
    }
    bits = prop_below(prop, 0);
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline struct id prop_id(struct prop *prop)
{
    struct id id;

    for (size_t i = 0; i < sizeof(id.bytes); i++) {
        id.bytes[i] = (uint8_t)prop_below(prop, 0);
    }
    return id;
}

static inline struct str prop_bytes(struct prop *prop, size_t max)
{
    size_t len = prop_below(prop, max + 1);
    char *bytes = arena_alloc(prop->arena, len + 1, 1);

    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char)prop_below(prop, 0);
    }
    return str_of(bytes, len);
}

/* UTF-8 of all widths, quotes, controls and NUL among it; at most 4·max bytes. */
static inline struct str prop_text(struct prop *prop, size_t max)
{
    static const uint32_t bounds[] = {0x80, 0x80, 0x20, 0x800, 0xd800, 0x110000};
    size_t runes = prop_below(prop, max + 1);
    char *text = arena_alloc(prop->arena, 4 * runes + 4, 1);
    size_t len = 0;

    assert_non_null(text);
    for (size_t i = 0; i < runes; i++) {
        uint32_t bound = bounds[prop_below(prop, sizeof(bounds) / sizeof(bounds[0]))];

        len += utf8_encode((uint32_t)prop_below(prop, bound), text + len);
    }
    return str_of(text, len);
}

static inline const char *prop_run(struct prop *prop, prop_fn *fn)
{
    arena_reset(prop->arena);
    prop->at = 0;
    return fn(prop);
}

/* Replays changed choices and keeps them when the property still fails. */
static inline bool prop_try(struct prop *prop, prop_fn *fn, const struct prop *change)
{
    static struct prop candidate;
    const char *broke;

    memcpy(&candidate, change, sizeof(candidate));
    candidate.is_replaying = true;
    broke = prop_run(&candidate, fn);
    if (broke == NULL) {
        return false;
    }
    memcpy(prop, &candidate, sizeof(*prop));
    prop->count = prop->at < prop->count ? prop->at : prop->count; /* what was not asked for goes */
    return true;
}

static inline bool prop_shrink_once(struct prop *prop, prop_fn *fn)
{
    static struct prop change;
    bool is_smaller = false;

    for (size_t run = 64; run != 0; run /= 2) { /* take whole runs of choices away */
        for (size_t at = 0; at + run <= prop->count;) {
            memcpy(&change, prop, sizeof(change));
            memmove(&change.choices[at], &change.choices[at + run],
                    (prop->count - at - run) * sizeof(change.choices[0]));
            change.count -= run;
            if (prop_try(prop, fn, &change)) {
                is_smaller = true;
            } else {
                at += run;
            }
        }
    }
    for (size_t at = 0; at < prop->count; at++) { /* then make each smaller */
        for (uint64_t less = 0; less < prop->choices[at];
             less = prop->choices[at] - (prop->choices[at] - less) / 2) {
            memcpy(&change, prop, sizeof(change));
            change.choices[at] = less;
            if (prop_try(prop, fn, &change)) {
                is_smaller = true;
                break;
            }
        }
    }
    return is_smaller;
}

static inline uint64_t prop_seed(void)
{
    const char *wanted = secure_getenv("CANHGAC_SEED");
    struct id id;
    uint64_t seed;

    if (wanted != NULL) {
        assert_int_equal(str_to_u64(str_from(wanted), &seed), 0);
        return seed;
    }
    assert_int_equal(id_new(&id), 0);
    memcpy(&seed, id.bytes, sizeof(seed));
    return seed;
}

/* Asks the property `runs` times with new choices; fails the test with the smallest case it can
 * find. */
static inline void prop_check(const char *name, prop_fn *fn, unsigned runs)
{
    static struct prop prop;
    uint64_t seed = prop_seed();
    const char *broke = NULL;
    char shown[512];
    int len = 0;

    memset(&prop, 0, sizeof(prop));
    prng_init(&prop.prng, seed);
    assert_int_equal(arena_new(PROP_ARENA_LIMIT, &prop.arena), 0);
    for (unsigned i = 0; i < runs && broke == NULL; i++) {
        prop.count = 0;
        broke = prop_run(&prop, fn);
    }
    if (broke != NULL) {
        for (unsigned round = 0; round < 32 && prop_shrink_once(&prop, fn); round++) {
        }
        prop.is_replaying = true;
        broke = prop_run(&prop, fn);
        for (size_t i = 0; i < prop.count && len < (int)sizeof(shown) - 24; i++) {
            len += snprintf(shown + len, sizeof(shown) - (size_t)len, " %llu",
                            (unsigned long long)prop.choices[i]);
        }
    }
    arena_free(prop.arena);
    if (broke != NULL) {
        fail_msg("%s: %s; repeat with CANHGAC_SEED=%llu; smallest choices:%.*s", name, broke,
                 (unsigned long long)seed, len, shown);
    }
}

#endif
