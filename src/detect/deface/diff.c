/* Each block and link is asked for in the sets; each stable row is asked whether the look still has
 * it. A page seen through another view counts as known what people's view knows. */
#include "detect/deface/diff.h"

#include "base/banned.h"
#include "base/err.h"
#include "detect/deface/hosts.h"
#include "detect/deface/page_words.h"

#define WORDS_MIN 60 /* below it two texts may be near by chance */
#define FRESH     4 /* looks: a row seen last before that was edited away and is no longer stable */

static bool view_has_text(const struct profile_view *view, uint32_t hash)
{
    return view != NULL && items_has(&view->texts, hash);
}

static bool view_has_lasting(const struct profile_view *view, uint32_t hash)
{
    const struct item *item = view != NULL ? items_find(&view->texts, hash) : NULL;

    return item != NULL && item->share >= ITEMS_STABLE;
}

static void diff_texts(struct diff *diff)
{
    const struct deface_hashes *hashes = diff->hashes;

    for (size_t i = 0; i < diff->page->block_count; i++) {
        diff->words += hashes->words[i];
        if (!view_has_text(diff->desktop, hashes->texts[i])) {
            diff->apart_words += hashes->words[i];
            diff->text_is_new[i] = !view_has_text(diff->view, hashes->texts[i]);
        }
        if (diff->text_is_new[i]) {
            diff->new_texts++;
            diff->new_words += hashes->words[i];
        }
    }
}

static void diff_lasting_texts(struct diff *diff)
{
    for (size_t i = 0; i < diff->page->block_count; i++) {
        diff->text_is_lasting[i] = view_has_lasting(diff->view, diff->hashes->texts[i]);
    }
}

static bool view_has_link(const struct profile_view *view, uint32_t hash)
{
    return view != NULL && items_has(&view->links, hash);
}

static void diff_link(struct diff *diff, size_t at, uint32_t hash)
{
    const struct page_link *link = &diff->page->links[at];
    struct diff_link *out = &diff->links[at];
    enum site_role role = site_role_of(link->kind);

    out->domain = host_domain(link->host);
    out->is_new = !view_has_link(diff->view, hash) && !view_has_link(diff->desktop, hash);
    if (!out->is_new || out->domain.len == 0) {
        return;
    }
    out->is_outward = !site_knows_domain(diff->site, out->domain) && !host_is_common(out->domain) &&
                      !host_is_public_body(link->host);
    out->is_strange = !site_has_domain(diff->site, out->domain, role) &&
                      !host_is_common(out->domain) && !host_is_public_body(link->host);
}

static void diff_links(struct diff *diff)
{
    const struct deface_hashes *hashes = diff->hashes;
    size_t count = diff->page->link_count;
    size_t shared = 0;

    for (size_t i = 0; i < count; i++) {
        diff_link(diff, i, hashes->links[i]);
        shared += diff->site != NULL && items_has(&diff->site->parts, hashes->parts[i]);
    }
    diff->site_links = count != 0 ? (double)shared / (double)count : 0;
}

struct kept {
    size_t stable;
    size_t kept;
    size_t lost_images;
};

/* How many of the stable rows are among the hashes, sorted as the rows are. */
static struct kept rows_kept(const struct items *items, uint32_t look, const uint32_t *hashes,
                             size_t count)
{
    struct kept kept = {0};
    size_t at = 0;

    for (size_t i = 0; i < items->count; i++) {
        const struct item *item = &items->rows[i];
        bool is_there;

        if (item->share < ITEMS_STABLE || (uint16_t)(look - item->last) > FRESH) {
            continue;
        }
        while (at < count && hashes[at] < item->hash) {
            at++;
        }
        is_there = at < count && hashes[at] == item->hash;
        kept.stable++;
        kept.kept += is_there;
        kept.lost_images +=
            !is_there && (item->hash & ((1U << PROFILE_KIND_BITS) - 1)) == PAGE_LINK_IMAGE;
    }
    return kept;
}

static double kept_part(const struct kept *kept)
{
    return kept->stable != 0 ? (double)kept->kept / (double)kept->stable : 1;
}

static int diff_lasting(struct diff *diff, struct arena *arena)
{
    const struct profile_view *view = diff->view;
    const struct page *page = diff->page;
    size_t texts = page->block_count;
    size_t links = page->link_count + page->script_count;
    size_t most = texts > links ? texts : links;
    uint32_t *sorted = arena_alloc(arena, most + 1, sizeof(*sorted));
    uint32_t *room = arena_alloc(arena, most + 1, sizeof(*room));
    struct kept kept;

    if (sorted == NULL || room == NULL) {
        return -ERR_NOMEM;
    }
    if (view == NULL) {
        return 0;
    }
    memcpy(sorted, diff->hashes->texts, texts * sizeof(*sorted));
    hashes_sort(sorted, texts, room);
    kept = rows_kept(&view->texts, view->looks, sorted, texts);
    diff->stable_texts = kept.stable;
    diff->kept_texts = kept_part(&kept);
    memcpy(sorted, diff->hashes->links, links * sizeof(*sorted));
    hashes_sort(sorted, links, room);
    kept = rows_kept(&view->links, view->looks, sorted, links);
    diff->stable_links = kept.stable;
    diff->kept_links = kept_part(&kept);
    diff->lost_images = kept.lost_images;
    return 0;
}

static void diff_head(struct diff *diff, uint64_t key)
{
    const struct profile_view *view = diff->view;
    const struct page *page = diff->page;
    uint32_t title = profile_hash_text(key, page->title);
    uint32_t language = profile_hash_text(key, page->language);

    diff->is_description_new =
        page->description.len != 0 &&
        !view_has_text(view, profile_hash_text(key, page->description)) &&
        !view_has_text(diff->desktop, profile_hash_text(key, page->description));
    diff->is_title_new =
        !(view != NULL && items_find(&view->titles, title) != NULL) &&
        !(diff->desktop != NULL && items_find(&diff->desktop->titles, title) != NULL);
    diff->is_title_of_site =
        diff->site != NULL && page->title.len != 0 &&
        items_find(&diff->site->titles, profile_hash_text(diff->site->key, page->title)) != NULL;
    if (view != NULL && view->looks != 0) {
        diff->is_language_new =
            view->language != 0 && page->language.len != 0 && view->language != language;
        diff->has_old_words =
            page->word_count >= WORDS_MIN &&
            __builtin_popcountll(view->text_simhash ^ page->text_simhash) <= PROFILE_SAME_WORDS;
        diff->distance = profile_view_distance(view, page->structure_simhash);
        diff->usual_words = profile_view_words(view);
    }
}

static int hashes_make(const struct page *page, const uint64_t keys[2], struct arena *arena,
                       struct deface_hashes **ret_hashes)
{
    struct deface_hashes *hashes = arena_alloc(arena, 1, sizeof(*hashes));
    size_t links = page->link_count + page->script_count;

    if (hashes == NULL) {
        return -ERR_NOMEM;
    }
    *hashes = (struct deface_hashes){
        .page = page,
        .keys = {keys[0], keys[1]},
        .texts = arena_alloc(arena, page->block_count + 1, sizeof(*hashes->texts)),
        .words = arena_alloc(arena, page->block_count + 1, sizeof(*hashes->words)),
        .links = arena_alloc(arena, links + 1, sizeof(*hashes->links)),
        .parts = arena_alloc(arena, page->link_count + 1, sizeof(*hashes->parts)),
    };
    if (hashes->texts == NULL || hashes->words == NULL || hashes->links == NULL ||
        hashes->parts == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < page->block_count; i++) {
        hashes->texts[i] = profile_hash_text(keys[0], page->blocks[i].text);
        hashes->words[i] = page_count_spaced(page->blocks[i].text);
    }
    for (size_t i = 0; i < page->link_count; i++) {
        uint32_t both[2];

        profile_hash_link(keys, &page->links[i], both);
        hashes->links[i] = both[0];
        hashes->parts[i] = both[1];
    }
    for (size_t i = 0; i < page->script_count; i++) {
        hashes->links[page->link_count + i] = profile_hash_script(keys[0], &page->scripts[i]);
    }
    *ret_hashes = hashes;
    return 0;
}

static double part_of(uint32_t part, uint32_t whole)
{
    return whole != 0 ? (double)part / (double)whole : 0;
}

/* The hashes, and which texts are new. */
static int diff_begin(const struct deface_site *site, const struct deface_profile *profile,
                      const struct deface_look *look, struct arena *arena, struct diff *diff)
{
    const uint64_t keys[2] = {profile != NULL ? profile->key : 0, site != NULL ? site->key : 0};
    const struct page *page = look->page;
    int r;

    *diff = (struct diff){
        .page = page,
        .view = profile_view_of(profile, look->view),
        .desktop = profile_view_of(profile, SITE_VIEW_DESKTOP),
        .site = site,
        .text_is_new = arena_alloc(arena, page->block_count + 1, sizeof(bool)),
        .kept_texts = 1,
        .kept_links = 1,
    };
    r = diff->text_is_new != NULL ? hashes_make(page, keys, arena, &diff->hashes) : -ERR_NOMEM;
    if (r < 0) {
        return r;
    }
    diff_texts(diff);
    diff->hashes->novelty = part_of(diff->new_words, diff->words);
    diff->hashes->apart = part_of(diff->apart_words, diff->words);
    return 0;
}

int diff_make_hashes(const struct deface_site *site, const struct deface_profile *profile,
                     const struct deface_look *look, struct arena *arena,
                     const struct deface_hashes **ret_hashes)
{
    struct diff diff;
    int r = diff_begin(site, profile, look, arena, &diff);

    if (r == 0) {
        *ret_hashes = diff.hashes;
    }
    return r;
}

int diff_make(const struct deface_site *site, const struct deface_profile *profile,
              const struct deface_look *look, struct arena *arena, struct diff *ret_diff)
{
    struct diff diff;
    int r = diff_begin(site, profile, look, arena, &diff);

    if (r < 0) {
        return r;
    }
    diff.text_is_lasting = arena_alloc(arena, look->page->block_count + 1, sizeof(bool));
    diff.links = arena_alloc(arena, look->page->link_count + 1, sizeof(*diff.links));
    if (diff.text_is_lasting == NULL || diff.links == NULL) {
        return -ERR_NOMEM;
    }
    diff_lasting_texts(&diff);
    diff_links(&diff);
    diff_head(&diff, diff.hashes->keys[0]);
    r = diff_lasting(&diff, arena);
    if (r == 0) {
        *ret_diff = diff;
    }
    return r;
}
