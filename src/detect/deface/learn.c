/* Taking a look into the profile and the site, once its verdict stands. What was judged suspicious
 * teaches nothing, unless its editors said that it is theirs. */
#include "detect/deface/deface.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "detect/deface/absence.h"
#include "detect/deface/diff.h"
#include "detect/deface/hosts.h"

#define MEAN_LOOKS  32
#define LEARN_ARENA (8U << 20) /* the most that a page within its limits needs */

static void view_learn_structure(struct profile_view *view, uint64_t simhash)
{
    struct cluster *at = NULL;
    uint32_t over = view->looks < MEAN_LOOKS ? view->looks : MEAN_LOOKS;

    for (size_t i = 0; i < view->cluster_count; i++) {
        struct cluster *cluster = &view->clusters[i];

        cluster->share = (uint16_t)(cluster->share - cluster->share / over);
        if (at == NULL && __builtin_popcountll(cluster->simhash ^ simhash) <= PROFILE_NEAR) {
            at = cluster;
        }
    }
    if (at == NULL && view->cluster_count < PROFILE_CLUSTERS_MAX) {
        at = &view->clusters[view->cluster_count++];
        *at = (struct cluster){0};
    }
    for (size_t i = 0; at == NULL && i < view->cluster_count; i++) {
        at = &view->clusters[i];
        for (size_t j = 1; j < view->cluster_count; j++) {
            at = view->clusters[j].share < at->share ? &view->clusters[j] : at;
        }
        *at = (struct cluster){0};
    }
    if (at != NULL) {
        at->simhash = simhash; /* a page that drifts takes its cluster along */
        at->share = (uint16_t)(at->share + (ITEMS_SHARE_ONE - at->share) / over);
        at->last = (uint16_t)view->looks;
    }
}

static double mean_next(double mean, double value, uint32_t look)
{
    double over = look < MEAN_LOOKS ? (double)look : MEAN_LOOKS;

    return mean + (value - mean) / over;
}

/* In scratch: learning sorts what it is given. */
static int view_learn_texts(struct profile_view *view, const struct deface_hashes *hashes,
                            uint32_t *scratch)
{
    const struct page *page = hashes->page;
    size_t count = page->block_count;

    memcpy(scratch, hashes->texts, count * sizeof(*scratch));
    if (page->description.len != 0) {
        scratch[count++] = profile_hash_text(hashes->keys[0], page->description);
    }
    return items_learn(&view->texts, scratch, count, view->looks, true);
}

static int view_learn_links(struct profile_view *view, const struct deface_hashes *hashes,
                            uint32_t *scratch)
{
    size_t count = hashes->page->link_count + hashes->page->script_count;

    memcpy(scratch, hashes->links, count * sizeof(*scratch));
    return items_learn(&view->links, scratch, count, view->looks, true);
}

static int view_learn(struct profile_view *view, const struct deface_look *look,
                      const struct deface_hashes *hashes, uint32_t *scratch)
{
    const struct page *page = look->page;
    uint64_t key = hashes->keys[0];
    uint32_t title = profile_hash_text(key, page->title);
    int r;

    view->looks += view->looks < UINT32_MAX;
    r = view_learn_texts(view, hashes, scratch);
    r = r < 0 ? r : view_learn_links(view, hashes, scratch);
    r = r < 0 ? r : items_learn(&view->titles, &title, 1, view->looks, false);
    if (r < 0) {
        return r;
    }
    view_learn_structure(view, page->structure_simhash);
    view->sizes[(view->looks - 1) % PROFILE_SIZES_MAX] = page->word_count;
    view->language = page->language.len != 0 ? profile_hash_text(key, page->language) : 0;
    view->novelty = mean_next(view->novelty, hashes->novelty, view->looks);
    view->apart = mean_next(view->apart, hashes->apart, view->looks);
    view->first = view->looks == 1 ? look->time : view->first;
    view->last = look->time;
    view->body_hash = page->body_hash;
    view->text_simhash = page->text_simhash;
    return 0;
}

static int site_learn(struct deface_site *site, const struct deface_hashes *hashes,
                      uint32_t *scratch)
{
    const struct page *page = hashes->page;
    uint32_t title = profile_hash_text(site->key, page->title);
    size_t count = 0;
    int r;

    site->looks += site->looks < UINT32_MAX;
    for (size_t i = 0; i < page->link_count; i++) {
        const struct page_link *link = &page->links[i];

        if (link->host.len != 0) {
            scratch[count++] =
                site_hash_domain(site->key, host_domain(link->host), site_role_of(link->kind));
        }
    }
    r = items_learn(&site->domains, scratch, count, site->looks, false);
    memcpy(scratch, hashes->parts, page->link_count * sizeof(*scratch));
    r = r < 0 ? r : items_learn(&site->parts, scratch, page->link_count, site->looks, false);
    return r < 0 ? r : items_learn(&site->titles, &title, 1, site->looks, false);
}

/* A robots.txt that is not there leaves nothing to know: else one that was there before it is not
 * could not be told from one that never was. */
static bool look_teaches(const struct deface_look *look, const struct profile_view *view,
                         const struct deface_verdict *verdict)
{
    bool is_fine = verdict->verdict == SITE_VERDICT_OK || verdict->verdict == SITE_VERDICT_CHANGED;

    return look->page != NULL && !absence_is_of_extra(look, view) &&
           (is_fine || look->is_own_change) && verdict->verdict != SITE_VERDICT_UNKNOWN;
}

static void view_note(struct profile_view *view, const struct deface_look *look,
                      const struct deface_verdict *verdict)
{
    bool is_alarm = verdict->verdict == SITE_VERDICT_YELLOW || verdict->verdict == SITE_VERDICT_RED;

    if (!is_alarm && verdict->verdict != SITE_VERDICT_UNKNOWN) {
        view->alarmed = 0;
    } else if (is_alarm && view->alarmed == 0) {
        view->alarmed = look->time;
    }
    view->verdict = verdict->verdict;
    view->failure = verdict->failure;
    if (verdict->verdict == SITE_VERDICT_UNKNOWN) {
        view->failures += view->failures < UINT32_MAX;
    } else {
        view->failures = 0;
    }
}

static int look_learn(struct deface_site *site, struct deface_profile *profile,
                      const struct deface_look *look, const struct deface_hashes *hashes,
                      struct profile_view *view)
{
    size_t room = look->page->block_count + look->page->link_count + look->page->script_count + 2;
    uint32_t *scratch = mem_alloc(room, sizeof(*scratch));
    struct arena *arena = NULL;
    int r = scratch != NULL ? 0 : -ERR_NOMEM;

    if (r == 0 && hashes == NULL) {
        r = arena_new(LEARN_ARENA, &arena);
        r = r < 0 ? r : diff_make_hashes(site, profile, look, arena, &hashes);
    }
    r = r < 0 ? r : view_learn(view, look, hashes, scratch);
    if (r == 0 && (look->kind == SITE_PAGE_LISTED || look->kind == SITE_PAGE_LINKED)) {
        r = site_learn(site, hashes, scratch);
    }
    arena_free(arena);
    mem_free(scratch);
    return r;
}

/* What another page or profile was judged with is of no use. */
static const struct deface_hashes *hashes_of(const struct deface_verdict *verdict,
                                             const struct deface_look *look,
                                             const struct deface_site *site,
                                             const struct deface_profile *profile)
{
    const struct deface_hashes *hashes = verdict->hashes;
    bool is_ours = hashes != NULL && hashes->page == look->page &&
                   hashes->keys[0] == profile->key && hashes->keys[1] == site->key;

    return is_ours ? hashes : NULL;
}

int deface_learn(struct deface_site *site, struct deface_profile *profile,
                 const struct deface_look *look, const struct deface_verdict *verdict)
{
    struct profile_view *view;
    int r = profile_view_make(profile, look->view, &view);

    if (r < 0) {
        return r;
    }
    if (look_teaches(look, view, verdict)) {
        if (look->scripts != NULL) {
            deface_scripts_learn(look->scripts);
        }
        r = look_learn(site, profile, look, hashes_of(verdict, look, site, profile), view);
        if (r < 0) {
            return r;
        }
    }
    view_note(view, look, verdict);
    return 0;
}
