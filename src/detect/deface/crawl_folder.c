/* Folders whose pages search engines get and people do not: see detect/deface/crawl.h. Planted
 * pages come by the thousand, each fetched once or twice by an engine, so that hardly one has
 * visits enough to be compared by itself. Neighbours: crawl.c keeps the pages and reports what is
 * found here.
 *
 * Only a page that both asked for counts, and only if an engine was served it after people had
 * missed it: one that was removed was served before. The people must be several: a scanner misses
 * pages by the hundred. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "detect/deface/crawl_private.h"

#define SHARE_MIN 0.6 /* of the pages that both asked for */

struct crawl_folder {
    struct str key;       /* host and path, up to the last slash */
    const char *host_end; /* in it */
    uint64_t deniers;     /* as a page's */
    unsigned apart;       /* pages that an engine is served and nobody else */
    unsigned same;        /* pages that both are served */
    struct crawl_cloak cloak;
};

/* A page's own last slash is none of its folder's: /no-hu/17/ lies in /no-hu/. */
static struct str folder_key(const struct crawl_page *page)
{
    size_t len = page->key_len - (page->key_len > page->host_len + 1);

    while (len > page->host_len + 1 && page->key[len - 1] != '/') {
        len--;
    }
    return str_of(page->key, len);
}

static bool page_is_given(const struct crawl_page *page)
{
    return page->sides[CRAWL_AUDIENCE_ENGINE].counts.served != 0;
}

static bool page_is_people_s(const struct crawl_page *page)
{
    return page->sides[CRAWL_AUDIENCE_PEOPLE].counts.served +
               page->sides[CRAWL_AUDIENCE_SEARCH].counts.served !=
           0;
}

static bool page_is_apart(const struct crawl_page *page)
{
    return page->denied != 0 && page->given > page->denied && !page_is_people_s(page);
}

/* What is compared by itself is not told twice. */
static bool page_stands_alone(const struct crawl *crawl, const struct crawl_page *page)
{
    struct crawl_cloak cloak;

    return crawl_compare(page, CRAWL_AUDIENCE_ENGINE, crawl->limits.visits_min, &cloak);
}

static void counts_add(struct crawl_counts *counts, const struct crawl_counts *more)
{
    counts->served += more->served;
    counts->moved += more->moved;
    counts->missing += more->missing;
}

static int folder_meet(struct map *folders, const struct crawl_page *page, struct arena *arena)
{
    struct str key = folder_key(page);
    struct crawl_folder *folder = map_get(folders, key);
    int r = 0;

    if (folder == NULL) {
        folder = arena_alloc(arena, 1, sizeof(*folder));
        if (folder == NULL) {
            return -ERR_NOMEM;
        }
        *folder = (struct crawl_folder){.key = key, .host_end = key.ptr + page->host_len};
        r = map_put(folders, key, folder);
    }
    return r;
}

static void folder_count(struct crawl_folder *folder, const struct crawl_page *page)
{
    struct crawl_cloak *cloak = &folder->cloak;

    if (!page_is_apart(page)) {
        folder->same += page_is_given(page) && page_is_people_s(page);
        return;
    }
    folder->apart++;
    folder->deniers |= page->deniers;
    counts_add(&cloak->theirs, &page->sides[CRAWL_AUDIENCE_ENGINE].counts);
    counts_add(&cloak->people, &page->sides[CRAWL_AUDIENCE_PEOPLE].counts);
    counts_add(&cloak->people, &page->sides[CRAWL_AUDIENCE_SEARCH].counts);
    cloak->engine = page->engine;
    cloak->last = page->last > cloak->last ? page->last : cloak->last;
}

static bool folder_is_cloaked(struct crawl_folder *folder, unsigned visits_min)
{
    struct crawl_cloak *cloak = &folder->cloak;

    cloak->score = crawl_status_score(&cloak->theirs, &cloak->people);
    if (folder->apart < visits_min || cloak->score < CRAWL_G_MIN ||
        (unsigned)__builtin_popcountll(folder->deniers) < visits_min ||
        folder->apart < SHARE_MIN * (folder->apart + folder->same)) {
        return false;
    }
    cloak->audience = CRAWL_AUDIENCE_ENGINE;
    cloak->host = str_of(folder->key.ptr, (size_t)(folder->host_end - folder->key.ptr));
    cloak->path = str_slice(folder->key, cloak->host.len, folder->key.len);
    cloak->pages = folder->apart;
    return true;
}

int crawl_folders(const struct crawl *crawl, struct arena *arena, crawl_cloak_fn *take,
                  void *context)
{
    CLEANUP(map_done) struct map folders;
    struct crawl_folder *folder;
    size_t cursor = 0;
    int r = 0;

    map_init(&folders, crawl->limits.pages_max, crawl->pages.seed);
    LIST_EACH (node, &crawl->by_age) {
        const struct crawl_page *page = LIST_ENTRY(node, struct crawl_page, age);

        r = r == 0 && page_is_apart(page) && !page_stands_alone(crawl, page)
                ? folder_meet(&folders, page, arena)
                : r;
    }
    LIST_EACH (node, &crawl->by_age) {
        const struct crawl_page *page = LIST_ENTRY(node, struct crawl_page, age);

        folder = map_count(&folders) != 0 ? map_get(&folders, folder_key(page)) : NULL;
        if (folder != NULL && !page_stands_alone(crawl, page)) {
            folder_count(folder, page);
        }
    }
    while (r == 0 && (folder = map_next(&folders, &cursor)) != NULL) {
        if (folder_is_cloaked(folder, crawl->limits.visits_min)) {
            take(context, &folder->cloak);
        }
    }
    return r;
}
