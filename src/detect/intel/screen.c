/* The hits of an entry: see screen.h. Which values are asked at
 * all is in screen_value.c. On the data's way: codec/logs.h → here → who raises findings. */
#include "detect/intel/screen.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "detect/intel/screen_part.h"

#define SCRATCH_LIMIT (1U << 20)
#define KEPT_LIMIT    (16U << 20)
#define HOUR_NS       (3600 * NS_PER_S)

int screen_new(const struct indicators *indicators, struct screen **ret_screen)
{
    CLEANUP(screen_freep) struct screen *screen = mem_alloc(1, sizeof(*screen));
    int r;

    if (screen == NULL) {
        return -ERR_NOMEM;
    }
    screen->indicators = indicators;
    for (unsigned kind = 0; kind < FEED_KIND_COUNT; kind++) {
        screen->has[kind] = indicators_count(indicators, (enum feed_kind)kind) != 0;
    }
    screen->has_names = screen->has[FEED_KIND_DOMAIN] || screen->has[FEED_KIND_URL] ||
                        screen->has[FEED_KIND_EMAIL] || screen->has[FEED_KIND_ADDRESS];
    screen->seed = (uintptr_t)screen * 0x9e3779b97f4a7c15ULL;
    r = arena_new(SCRATCH_LIMIT, &screen->scratch);
    r = r == 0 ? arena_new(KEPT_LIMIT, &screen->kept) : r;
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
    arena_free(screen->scratch);
    arena_free(screen->kept);
    mem_free(screen);
}

void screen_freep(struct screen **screen)
{
    screen_free(*screen);
    *screen = NULL;
}

int screen_add(struct screen *screen, const struct indicator_hit *hit, size_t field,
               struct str found)
{
    struct screen_hit *shown = &screen->hits[screen->hit_count];

    screen->stats.hits++;
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

/* What the entry is asked as of. An entry from before an indicator's end is hit whenever it is
 * read; but its time is the word of whoever wrote it, and one from the future would end every
 * indicator: now is the latest it can be from. One dated back is asked for more than it need be,
 * not for less. To the hour, so that quiet values stay so for as long. */
static int64_t time_of(const struct screen *screen, const struct entry *entry)
{
    int64_t now = indicators_time(screen->indicators);
    int64_t at = entry->time <= 0 || (now != 0 && entry->time > now) ? now : entry->time;

    return at - at % HOUR_NS;
}

int screen_entry(struct screen *screen, const struct entry *entry,
                 const struct screen_hit **ret_hits, size_t *ret_count)
{
    int r = 0;

    arena_reset(screen->kept);
    screen->has_looked_beside = false;
    screen->joined = 0;
    screen->entry = entry;
    screen->at = time_of(screen, entry);
    /* What is quiet at one time may be a hit at another: before its end, or when the allow list
     * that spoke for it has ended. */
    screen->quiet_seed =
        screen->seed + (uint64_t)(screen->at / HOUR_NS) * 0x9e3779b97f4a7c15ULL +
        (uint64_t)(indicators_time(screen->indicators) / HOUR_NS) * 0xc2b2ae3d27d4eb4fULL;
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

void screen_stats(const struct screen *screen, struct screen_stats *ret_stats)
{
    *ret_stats = screen->stats;
}
