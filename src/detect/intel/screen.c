/* The hits of an entry and what was seen of each indicator: see screen.h. Which values are asked at
 * all is in screen_value.c. On the data's way: codec/logs.h → here → who raises findings. */
#include "detect/intel/screen.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "detect/intel/screen_part.h"

#define SCRATCH_LIMIT   (1U << 20)
#define KEPT_LIMIT      (16U << 20)
#define SIGHTINGS_LIMIT (64U << 20) /* bytes of their values */
#define SIGHTINGS_SEED  0x7369676874U

int screen_new(const struct indicators *indicators, struct screen **ret_screen)
{
    CLEANUP(screen_freep) struct screen *screen = mem_alloc(1, sizeof(*screen));
    int r;

    if (screen == NULL) {
        return -ERR_NOMEM;
    }
    screen->indicators = indicators;
    map_init(&screen->by_value, SCREEN_SIGHTINGS_MAX, SIGHTINGS_SEED);
    for (unsigned kind = 0; kind < FEED_KIND_COUNT; kind++) {
        screen->has[kind] = indicators_count(indicators, (enum feed_kind)kind) != 0;
    }
    screen->has_names = screen->has[FEED_KIND_DOMAIN] || screen->has[FEED_KIND_URL] ||
                        screen->has[FEED_KIND_EMAIL] || screen->has[FEED_KIND_ADDRESS];
    screen->seed = (uintptr_t)screen * 0x9e3779b97f4a7c15ULL;
    r = arena_new(SCRATCH_LIMIT, &screen->scratch);
    r = r == 0 ? arena_new(KEPT_LIMIT, &screen->kept) : r;
    r = r == 0 ? arena_new(SIGHTINGS_LIMIT, &screen->values) : r;
    if (r == 0) {
        *ret_screen = TAKE_PTR(screen);
    }
    return r;
}

void screen_free(struct screen *screen)
{
    if (screen == NULL) {
        return;
    }
    map_done(&screen->by_value);
    arena_free(screen->scratch);
    arena_free(screen->kept);
    arena_free(screen->values);
    mem_free(screen);
}

void screen_freep(struct screen **screen)
{
    screen_free(*screen);
    *screen = NULL;
}

/* The counter of an indicator, by its kind and value; NULL when there are too many. */
static struct sighting *sighting_of(struct screen *screen, const struct indicator_hit *hit)
{
    char *key = screen->key;
    struct str found;
    struct sighting *sighting;

    if (hit->value.len + 1 > sizeof(screen->key)) {
        return NULL;
    }
    key[0] = (char)hit->kind;
    memcpy(key + 1, hit->value.ptr, hit->value.len);
    found = str_of(key, hit->value.len + 1);
    sighting = map_get(&screen->by_value, found);
    if (sighting != NULL) {
        return sighting;
    }
    sighting = arena_alloc(screen->values, 1, sizeof(*sighting));
    found = sighting != NULL ? arena_copy(screen->values, found) : str_of(NULL, 0);
    if (found.ptr == NULL || map_put(&screen->by_value, found, sighting) < 0) {
        return NULL;
    }
    sighting->shown = (struct screen_sighting){.list = hit->list,
                                               .kind = hit->kind,
                                               .value = str_slice(found, 1, found.len),
                                               .first = screen->entry->time};
    *(screen->last != NULL ? &screen->last->next : &screen->first) = sighting;
    screen->last = sighting;
    return sighting;
}

/* An entry from before the indicator's end is hit, one from after is not, whenever it is read. */
static bool hit_is_over(const struct screen *screen, const struct indicator_hit *hit)
{
    return hit->expires != 0 && hit->expires <= screen->entry->time;
}

int screen_add(struct screen *screen, const struct indicator_hit *hit, size_t field,
               struct str found)
{
    struct screen_hit *shown = &screen->hits[screen->hit_count];
    struct sighting *sighting;

    if (hit_is_over(screen, hit)) {
        screen->stats.over++;
        return 0;
    }
    sighting = sighting_of(screen, hit);
    screen->stats.hits++;
    if (sighting != NULL) {
        sighting->shown.count++;
        sighting->shown.last = screen->entry->time;
    } else {
        screen->stats.uncounted++;
    }
    if (screen->hit_count == SCREEN_HITS_MAX) {
        return 0;
    }
    *shown =
        (struct screen_hit){.hit = *hit, .field = field, .found = arena_copy(screen->kept, found)};
    shown->hit.value = arena_copy(screen->kept, hit->value);
    if (shown->found.ptr == NULL || shown->hit.value.ptr == NULL) {
        return -ERR_NOMEM;
    }
    screen->hit_count++;
    return 0;
}

int screen_entry(struct screen *screen, const struct entry *entry,
                 const struct screen_hit **ret_hits, size_t *ret_count)
{
    int r = 0;

    arena_reset(screen->kept);
    screen->has_looked_beside = false;
    screen->joined = 0;
    screen->entry = entry;
    screen->hit_count = 0;
    screen->stats.entries++;
    for (size_t i = 0; i < entry->count && r == 0; i++) {
        const struct entry_field *field = &entry->fields[i];

        if (field->type == ENTRY_TYPE_TEXT && field->kind != FIELD_KIND_DULL &&
            field->value.len >= 4) {
            r = screen_field(screen, i);
        }
    }
    if (r == 0) {
        *ret_hits = screen->hits;
        *ret_count = screen->hit_count;
    }
    return r;
}

void screen_sightings(const struct screen *screen, screen_sighting_fn *fn, void *context)
{
    for (const struct sighting *s = screen->first; s != NULL; s = s->next) {
        fn(context, &s->shown);
    }
}

void screen_stats(const struct screen *screen, struct screen_stats *ret_stats)
{
    *ret_stats = screen->stats;
}
