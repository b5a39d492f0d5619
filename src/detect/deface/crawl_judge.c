/* Whether one audience gets another page than people do: see detect/deface/crawl.h. Neighbour:
 * crawl.c. By status: a G-test of served, moved and missing against each other, and a gap between
 * the shares wide enough to be a policy; by size: the medians' distance against the spread of
 * either side. */
#include "base/banned.h"
#include "detect/deface/crawl_private.h"

#include <math.h>
#include <stdlib.h>

#define STATUS_GAP_MIN 0.6  /* http→https sends half of all visits on: less than this */
#define SIZE_GAP_MIN   2048 /* bytes: a greeting or a token may differ */
#define SIZE_RATIO_MIN 1.3
#define SIZE_SPREADS   3

void crawl_counts_add(struct crawl_counts *counts, const struct crawl_counts *more)
{
    counts->served += more->served;
    counts->moved += more->moved;
    counts->missing += more->missing;
}

struct crawl_counts crawl_side_counts(const struct crawl_side *side)
{
    struct crawl_counts counts = side->counts[CRAWL_DEVICE_DESK];

    crawl_counts_add(&counts, &side->counts[CRAWL_DEVICE_HAND]);
    return counts;
}

/* Without those sent on by a device for which the other audience was not served: phones that are
 * sent on to pages of their own where engines came as desktops. */
static struct crawl_counts side_counts_beside(const struct crawl_side *side,
                                              const struct crawl_side *other)
{
    struct crawl_counts counts = crawl_side_counts(side);

    for (size_t i = 0; i < CRAWL_DEVICE_COUNT; i++) {
        if (other->counts[i].served <= other->counts[i].moved) {
            counts.moved -= side->counts[i].moved;
        }
    }
    return counts;
}

static uint64_t side_total(const struct crawl_counts *counts)
{
    return counts->served + counts->moved + counts->missing;
}

static double g_term(uint64_t seen, uint64_t row, uint64_t column, uint64_t all)
{
    double expected = (double)row * (double)column / (double)all;

    return seen == 0 ? 0 : 2 * (double)seen * log((double)seen / expected);
}

double crawl_status_score(const struct crawl_counts *a, const struct crawl_counts *b)
{
    uint64_t total_a = side_total(a);
    uint64_t total_b = side_total(b);
    uint64_t all = total_a + total_b;

    return g_term(a->served, total_a, a->served + b->served, all) +
           g_term(b->served, total_b, a->served + b->served, all) +
           g_term(a->moved, total_a, a->moved + b->moved, all) +
           g_term(b->moved, total_b, a->moved + b->moved, all) +
           g_term(a->missing, total_a, a->missing + b->missing, all) +
           g_term(b->missing, total_b, a->missing + b->missing, all);
}

/* Engines are served what people are not, or people from a search are sent on where others are not.
 */
static double status_gap(enum crawl_audience audience, const struct crawl_counts *theirs,
                         const struct crawl_counts *people)
{
    double their_total = (double)side_total(theirs);
    double people_total = (double)side_total(people);

    return audience == CRAWL_AUDIENCE_ENGINE
               ? (double)theirs->served / their_total - (double)people->served / people_total
               : (double)theirs->moved / their_total - (double)people->moved / people_total;
}

static int compare_sizes(const void *a, const void *b)
{
    const uint32_t *x = a;
    const uint32_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

struct size_band {
    uint32_t low;
    uint32_t median;
    uint32_t high;
};

/* All 0 where nothing was served. */
static struct size_band size_band(const struct crawl_side *side, size_t device)
{
    uint64_t served = side->counts[device].served;
    size_t count = served < CRAWL_SIZES ? served : CRAWL_SIZES;
    uint32_t sorted[CRAWL_SIZES];

    if (count == 0) {
        return (struct size_band){0};
    }
    memcpy(sorted, side->sizes[device], sizeof(sorted));
    qsort(sorted, count, sizeof(sorted[0]), compare_sizes);
    return (struct size_band){sorted[0], sorted[count / 2], sorted[count - 1]};
}

static double band_score(struct size_band a, struct size_band b)
{
    double gap = fabs((double)a.median - (double)b.median);
    double spread_a = (double)a.high - (double)a.low;
    double spread_b = (double)b.high - (double)b.low;
    double spread = fmax(fmax(spread_a, spread_b), SIZE_GAP_MIN / (double)SIZE_SPREADS);
    double least = fmax(1, fmin(a.median, b.median));

    return gap > SIZE_SPREADS * spread && fmax(a.median, b.median) > SIZE_RATIO_MIN * least
               ? gap / spread
               : 0;
}

static double size_score(const struct crawl_side *a, const struct crawl_side *b, size_t device,
                         unsigned visits_min)
{
    return a->counts[device].served >= visits_min && b->counts[device].served >= visits_min
               ? band_score(size_band(a, device), size_band(b, device))
               : 0;
}

/* By the answers' status alone. A page that was removed, or has moved for good, is served to
 * engines before people miss it, and never after. */
static double status_score(const struct crawl_page *page, enum crawl_audience audience,
                           unsigned visits_min)
{
    bool is_engine = audience == CRAWL_AUDIENCE_ENGINE;
    const struct crawl_side *them = &page->sides[audience];
    const struct crawl_side *others = &page->sides[CRAWL_AUDIENCE_PEOPLE];
    struct crawl_counts theirs =
        is_engine ? crawl_side_counts(them) : side_counts_beside(them, others);
    struct crawl_counts people =
        is_engine ? side_counts_beside(others, them) : crawl_side_counts(others);
    double score = crawl_status_score(&theirs, &people);

    if (side_total(&theirs) < visits_min || side_total(&people) < visits_min ||
        (is_engine && page->given < page->barred)) {
        return 0;
    }
    return score >= CRAWL_G_MIN && status_gap(audience, &theirs, &people) >= STATUS_GAP_MIN ? score
                                                                                            : 0;
}

/* The usual one for the device; if none of it was served, for the other. */
static uint64_t side_size(const struct crawl_side *side, bool is_hand)
{
    enum crawl_device device = is_hand ? CRAWL_DEVICE_HAND : CRAWL_DEVICE_DESK;

    return size_band(side,
                     side->counts[device].served != 0 ? device : CRAWL_DEVICE_COUNT - 1 - device)
        .median;
}

bool crawl_compare(const struct crawl_page *page, enum crawl_audience audience, unsigned visits_min,
                   struct crawl_cloak *ret_cloak)
{
    const struct crawl_side *theirs = &page->sides[audience];
    const struct crawl_side *people = &page->sides[CRAWL_AUDIENCE_PEOPLE];
    struct crawl_cloak cloak = {.audience = audience,
                                .theirs = crawl_side_counts(theirs),
                                .people = crawl_side_counts(people),
                                .last = page->last};
    double desk;
    double hand;

    if (side_total(&cloak.theirs) < visits_min || side_total(&cloak.people) < visits_min) {
        return false;
    }
    desk = size_score(theirs, people, CRAWL_DEVICE_DESK, visits_min);
    hand = size_score(theirs, people, CRAWL_DEVICE_HAND, visits_min);
    cloak.engine = audience == CRAWL_AUDIENCE_ENGINE ? page->engine : (struct str){0};
    cloak.their_size = side_size(theirs, hand > desk);
    cloak.people_size = side_size(people, hand > desk);
    cloak.score = status_score(page, audience, visits_min);
    if (cloak.score == 0) {
        cloak.is_by_size = true;
        cloak.score = fmax(desk, hand);
    }
    *ret_cloak = cloak;
    return cloak.score > 0;
}
