/* Who is looked at when, and as whom. A wheel of lists, a tenth of a second each: with ten thousand
 * sites both putting and taking cost the same as with ten. The site's secret draws the pauses and
 * the order, so that a kit which knows this file still cannot tell when it is looked at. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "centre/fetch/private.h"

#define ROTA_SLOT     (100 * NS_PER_MS)
#define ROTA_SLOTS    1024 /* what is due later goes round again */

#define CONFIRM_LEAST (2 * NS_PER_S)
#define CONFIRM_MOST  (5 * NS_PER_S)
#define BACKOFF_MOST  5U
#define EXTRA_EVERY   4U /* of so many looks one is at something else than the page itself */

struct fetch_rota {
    struct fetch *fetch;
    struct loop_source *timer;
    int64_t turned; /* the slot up to which all was taken, in slots since boot */
    struct list slots[ROTA_SLOTS];
};

static void fetch_rota_on_timer(void *context)
{
    struct fetch_rota *rota = context;
    int64_t now = clock_mono(rota->fetch->clock) / ROTA_SLOT;
    struct list due;

    /* after a long halt each list is gone through once, not once for each turn that was missed */
    if (now - rota->turned > ROTA_SLOTS) {
        rota->turned = now - ROTA_SLOTS;
    }
    list_init(&due);
    while (rota->turned < now) {
        struct list *slot = &rota->slots[++rota->turned % ROTA_SLOTS];

        LIST_EACH (node, slot) {
            const struct fetch_watch *watch = LIST_ENTRY(node, struct fetch_watch, node);

            if (watch->due <= now * ROTA_SLOT) {
                list_remove(node);
                list_append(&due, node);
            }
        }
    }
    while (!list_is_empty(&due)) {
        struct fetch_watch *watch = LIST_ENTRY(due.next, struct fetch_watch, node);

        list_remove(&watch->node);
        fetch_look_go(watch);
    }
}

int fetch_rota_new(struct fetch *fetch, struct fetch_rota **ret_rota)
{
    struct fetch_rota *rota = mem_alloc(1, sizeof(*rota));
    int r;

    if (rota == NULL) {
        return -ERR_NOMEM;
    }
    rota->fetch = fetch;
    rota->turned = clock_mono(fetch->clock) / ROTA_SLOT;
    for (size_t i = 0; i < ROTA_SLOTS; i++) {
        list_init(&rota->slots[i]);
    }
    r = loop_add_timer(fetch->loop, fetch_rota_on_timer, rota, &rota->timer);
    if (r == 0) {
        r = loop_source_set_timer(rota->timer, ROTA_SLOT, ROTA_SLOT);
    }
    if (r < 0) {
        fetch_rota_free(rota);
        return r;
    }
    *ret_rota = rota;
    return 0;
}

void fetch_rota_free(struct fetch_rota *rota)
{
    if (rota != NULL) {
        loop_source_free(rota->timer);
        mem_free(rota);
    }
}

void fetch_rota_put(struct fetch_watch *watch, int64_t delay)
{
    struct fetch_rota *rota = watch->fetch->rota;
    int64_t slot;

    watch->due = clock_mono(watch->fetch->clock) + delay;
    slot = watch->due / ROTA_SLOT + 1;
    if (slot <= rota->turned) {
        slot = rota->turned + 1;
    }
    list_remove(&watch->node);
    list_append(&rota->slots[slot % ROTA_SLOTS], &watch->node);
}

void fetch_rota_take(struct fetch_watch *watch)
{
    list_remove(&watch->node);
}

static int64_t fetch_rota_draw(struct fetch_watch *watch, int64_t least, int64_t most)
{
    return least + (int64_t)prng_below(&watch->prng, (uint64_t)(most - least) + 1);
}

int64_t fetch_rota_interval(struct fetch_watch *watch)
{
    const struct fetch_options *options = &watch->fetch->options;
    int64_t least = watch->interval != 0 ? watch->interval * 2 / 3 : options->least_interval;
    int64_t most = watch->interval != 0 ? watch->interval * 4 / 3 : options->most_interval;
    unsigned doublings = watch->backoff < BACKOFF_MOST ? watch->backoff : BACKOFF_MOST;
    int64_t drawn = fetch_rota_draw(watch, least, most) << doublings;

    return drawn > watch->pause ? drawn : watch->pause;
}

int64_t fetch_rota_confirmation(struct fetch_watch *watch)
{
    const struct fetch_options *options = &watch->fetch->options;

    /* never later than the next look would be */
    return options->most_interval < CONFIRM_MOST
               ? options->least_interval
               : fetch_rota_draw(watch, CONFIRM_LEAST, CONFIRM_MOST);
}

/* People's view most often: what is planted for crawlers stays for weeks, a defaced page is seen by
 * everybody at once. */
static enum site_view fetch_rota_view(struct fetch_watch *watch)
{
    static const enum site_view order[] = {SITE_VIEW_DESKTOP, SITE_VIEW_CRAWLER, SITE_VIEW_DESKTOP,
                                           SITE_VIEW_SEARCH,  SITE_VIEW_MOBILE,  SITE_VIEW_CRAWLER};

    for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
        enum site_view view = order[(watch->turn++) % ARRAY_LEN(order)];

        if ((watch->views & 1U << view) != 0) {
            return view;
        }
    }
    return SITE_VIEW_DESKTOP;
}

static enum site_view fetch_rota_extra_view(struct fetch_watch *watch, enum site_page kind)
{
    if (kind == SITE_PAGE_LINKED) {
        return SITE_VIEW_DESKTOP;
    }
    if (kind == SITE_PAGE_HIDDEN && prng_below(&watch->prng, 2) == 0) {
        return SITE_VIEW_SEARCH;
    }
    return SITE_VIEW_CRAWLER;
}

/* The page after the one whose turn it was goes to the end of the list. */
static struct fetch_page *fetch_rota_extra(struct fetch_watch *watch)
{
    LIST_EACH (node, &watch->pages) {
        struct fetch_page *page = LIST_ENTRY(node, struct fetch_page, node);

        if (page->kind != SITE_PAGE_LISTED) {
            list_remove(node);
            list_append(&watch->pages, node);
            return page;
        }
    }
    return NULL;
}

static struct fetch_page *fetch_rota_listed(struct fetch_watch *watch)
{
    LIST_EACH (node, &watch->pages) {
        struct fetch_page *page = LIST_ENTRY(node, struct fetch_page, node);

        if (page->kind == SITE_PAGE_LISTED) {
            return page;
        }
    }
    return NULL;
}

/* What its editors say is theirs comes first, so that it is not told as strange once more. */
static struct fetch_page *fetch_rota_own(struct fetch_watch *watch, enum site_view *ret_view)
{
    LIST_EACH (node, &watch->pages) {
        struct fetch_page *page = LIST_ENTRY(node, struct fetch_page, node);

        if (page->own_views != 0) {
            *ret_view = (enum site_view)__builtin_ctz(page->own_views);
            return page;
        }
    }
    return NULL;
}

/* The listed page as each of them, then a page that must not exist. */
static bool fetch_rota_choose_once(struct fetch_watch *watch, struct fetch_page **ret_page,
                                   enum site_view *ret_view)
{
    while (watch->step < SITE_VIEW_COUNT) {
        unsigned view = watch->step++;

        if ((watch->views & 1U << view) != 0) {
            *ret_page = fetch_rota_listed(watch);
            *ret_view = (enum site_view)view;
            return *ret_page != NULL;
        }
    }
    if (watch->step++ > SITE_VIEW_COUNT || (watch->views & 1U << SITE_VIEW_CRAWLER) == 0) {
        return false;
    }
    *ret_page = fetch_rota_extra(watch);
    *ret_view = SITE_VIEW_CRAWLER;
    return *ret_page != NULL;
}

bool fetch_rota_choose(struct fetch_watch *watch, struct fetch_page **ret_page,
                       enum site_view *ret_view)
{
    struct fetch_page *extra = NULL;

    if (watch->fetch->options.is_once) {
        return fetch_rota_choose_once(watch, ret_page, ret_view);
    }
    *ret_page = fetch_rota_own(watch, ret_view);
    if (*ret_page != NULL) {
        return true;
    }
    if (watch->step++ % EXTRA_EVERY == EXTRA_EVERY - 1 &&
        (watch->views & 1U << SITE_VIEW_CRAWLER) != 0) {
        extra = fetch_rota_extra(watch);
    }
    *ret_page = extra != NULL ? extra : fetch_rota_listed(watch);
    *ret_view = extra != NULL ? fetch_rota_extra_view(watch, extra->kind) : fetch_rota_view(watch);
    return *ret_page != NULL;
}
