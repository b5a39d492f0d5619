/* Each block and link is asked for in the sets; each stable row is asked whether the look still has
 * it. A page seen through another view counts as known what people's view knows. */
#include "detect/deface/diff.h"

#include "base/banned.h"
#include "base/err.h"
#include "detect/deface/hosts.h"

#define WORDS_MIN 60 /* below it two texts may be near by chance */
#define FRESH     4 /* looks: a row seen last before that was edited away and is no longer stable */

uint32_t text_count_words(struct str text)
{
    uint32_t count = 0;
    bool is_inside = false;

    for (size_t i = 0; i < text.len; i++) {
        bool is_space = text.ptr[i] == ' ' || text.ptr[i] == '\n' || text.ptr[i] == '\t';

        count += !is_space && !is_inside;
        is_inside = !is_space;
    }
    return count;
}

static int hash_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static bool view_has_text(const struct profile_view *view, uint32_t hash)
{
    return view != NULL && items_has(&view->texts, hash);
}

static bool view_has_lasting(const struct profile_view *view, uint32_t hash)
{
    const struct item *item = view != NULL ? items_find(&view->texts, hash) : NULL;

    return item != NULL && item->share >= ITEMS_STABLE;
}

static void diff_texts(struct diff *diff, uint64_t key, uint32_t *hashes)
{
    for (size_t i = 0; i < diff->page->block_count; i++) {
        struct str text = diff->page->blocks[i].text;
        uint32_t words = text_count_words(text);

        hashes[i] = profile_hash_text(key, text);
        diff->words += words;
        if (!view_has_text(diff->desktop, hashes[i])) {
            diff->apart_words += words;
            diff->text_is_new[i] = !view_has_text(diff->view, hashes[i]);
        }
        if (diff->text_is_new[i]) {
            diff->new_texts++;
            diff->new_words += words;
        }
    }
}

static void diff_lasting_texts(struct diff *diff, const uint32_t *hashes)
{
    for (size_t i = 0; i < diff->page->block_count; i++) {
        diff->text_is_lasting[i] = view_has_lasting(diff->view, hashes[i]);
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

static void diff_links(struct diff *diff, uint64_t key, uint32_t *hashes)
{
    size_t shared = 0;
    size_t asked = 0;

    for (size_t i = 0; i < diff->page->link_count; i++) {
        const struct page_link *link = &diff->page->links[i];

        hashes[i] = profile_hash_link(key, link);
        diff_link(diff, i, hashes[i]);
        if (diff->site != NULL) {
            asked++;
            shared += items_has(&diff->site->parts, profile_hash_link(diff->site->key, link));
        }
    }
    diff->site_links = asked != 0 ? (double)shared / (double)asked : 0;
}

struct kept {
    size_t stable;
    size_t kept;
    size_t lost_images;
};

/* How many of the stable rows are among the hashes, which get sorted. */
static struct kept rows_kept(const struct items *items, uint32_t look, uint32_t *hashes,
                             size_t count)
{
    struct kept kept = {0};

    qsort(hashes, count, sizeof(*hashes), hash_compare);
    for (size_t i = 0; i < items->count; i++) {
        const struct item *item = &items->rows[i];
        bool is_there;

        if (item->share < ITEMS_STABLE || (uint16_t)(look - item->last) > FRESH) {
            continue;
        }
        is_there = count != 0 &&
                   bsearch(&item->hash, hashes, count, sizeof(*hashes), hash_compare) != NULL;
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

/* texts, links: hashes of the look's blocks, and of its links and scripts. */
static void diff_lasting(struct diff *diff, uint32_t *texts, uint32_t *links)
{
    const struct profile_view *view = diff->view;
    const struct page *page = diff->page;
    struct kept kept;

    if (view == NULL) {
        return;
    }
    kept = rows_kept(&view->texts, view->looks, texts, page->block_count);
    diff->stable_texts = kept.stable;
    diff->kept_texts = kept_part(&kept);
    kept = rows_kept(&view->links, view->looks, links, page->link_count + page->script_count);
    diff->stable_links = kept.stable;
    diff->kept_links = kept_part(&kept);
    diff->lost_images = kept.lost_images;
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

int diff_make_words(const struct deface_profile *profile, const struct deface_look *look,
                    struct arena *arena, struct diff *ret_diff, uint32_t *ret_hashes)
{
    struct diff diff = {
        .page = look->page,
        .view = profile_view_of(profile, look->view),
        .desktop = profile_view_of(profile, SITE_VIEW_DESKTOP),
        .text_is_new = arena_alloc(arena, look->page->block_count + 1, sizeof(bool)),
    };

    if (diff.text_is_new == NULL) {
        return -ERR_NOMEM;
    }
    diff_texts(&diff, profile->key, ret_hashes);
    *ret_diff = diff;
    return 0;
}

int diff_make(const struct deface_site *site, const struct deface_profile *profile,
              const struct deface_look *look, struct arena *arena, struct diff *ret_diff)
{
    const struct page *page = look->page;
    uint64_t key = profile != NULL ? profile->key : 0;
    uint32_t *texts = arena_alloc(arena, page->block_count + 1, sizeof(*texts));
    uint32_t *links = arena_alloc(arena, page->link_count + page->script_count + 1, sizeof(*links));
    struct diff diff = {
        .page = page,
        .view = profile_view_of(profile, look->view),
        .desktop = profile_view_of(profile, SITE_VIEW_DESKTOP),
        .site = site,
        .text_is_new = arena_alloc(arena, page->block_count + 1, sizeof(bool)),
        .text_is_lasting = arena_alloc(arena, page->block_count + 1, sizeof(bool)),
        .links = arena_alloc(arena, page->link_count + 1, sizeof(struct diff_link)),
        .kept_texts = 1,
        .kept_links = 1,
    };

    if (texts == NULL || links == NULL || diff.text_is_new == NULL ||
        diff.text_is_lasting == NULL || diff.links == NULL) {
        return -ERR_NOMEM;
    }
    diff_texts(&diff, key, texts);
    diff_lasting_texts(&diff, texts); /* while the hashes are in the blocks' order */
    diff_links(&diff, key, links);
    for (size_t i = 0; i < page->script_count; i++) {
        links[page->link_count + i] = profile_hash_script(key, &page->scripts[i]);
    }
    diff_head(&diff, key);
    diff_lasting(&diff, texts, links);
    *ret_diff = diff;
    return 0;
}
