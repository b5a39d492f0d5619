/* The sites that fetch watches, as core tells them, and the pages it finds on them. Invariants: the
 * list is asked for in rounds, and who is not in a whole round is dropped; a site keeps what it has
 * learned when only its settings change. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "centre/fetch/private.h"
#include "codec/cbor.h"
#include "sys/fd.h"

#include <sys/random.h>

#define KEPT_VERSION 1

static void fetch_page_free(struct fetch_page *page)
{
    for (size_t i = 0; i < SITE_VIEW_COUNT; i++) {
        mem_free(page->seen[i].etag);
    }
    buf_done(&page->kept);
    mem_free(page->url);
    list_remove(&page->node);
    mem_free(page);
}

void fetch_watch_free(struct fetch_watch *watch)
{
    LIST_EACH (node, &watch->pages) {
        fetch_page_free(LIST_ENTRY(node, struct fetch_page, node));
    }
    fetch_rota_take(watch);
    buf_done(&watch->kept);
    fetch_sheets_free(watch->sheets);
    buf_done(&watch->scripts);
    mem_free(watch->news);
    mem_free(watch->known);
    mem_free(watch->url);
    mem_free(watch);
}

/* A look under way is let come to its end: its answers carry its address. */
static void fetch_watch_drop(struct fetch *fetch, struct fetch_watch *watch)
{
    (void)map_remove(&fetch->watches, MAP_KEY(watch->number));
    watch->is_gone = true;
    if (watch->look == NULL) {
        fetch_watch_free(watch);
    }
}

void fetch_sites_done(struct fetch *fetch)
{
    size_t cursor = 0;
    struct fetch_watch *watch;

    while ((watch = map_next(&fetch->watches, &cursor)) != NULL) {
        if (watch->look != NULL) {
            fetch_look_free(watch->look);
        }
        fetch_watch_free(watch);
    }
    map_done(&fetch->watches);
}

struct fetch_page *fetch_watch_page(struct fetch_watch *watch, enum site_page kind, struct str url)
{
    struct fetch_page *page;

    LIST_EACH (node, &watch->pages) {
        page = LIST_ENTRY(node, struct fetch_page, node);
        if (str_is(str_from(page->url), url)) {
            return page;
        }
    }
    page = watch->page_count < FETCH_PAGES_MAX ? mem_alloc(1, sizeof(*page)) : NULL;
    if (page == NULL) {
        return NULL;
    }
    page->url = mem_dup(url.ptr, url.len);
    if (page->url == NULL) {
        mem_free(page);
        return NULL;
    }
    page->kind = kind;
    buf_init(&page->kept, FETCH_PROFILE_MAX);
    list_append(&watch->pages, &page->node);
    watch->page_count++;
    return page;
}

/* The pages that every site has, whether it knows or not. The name of the missing one is where its
 * profile is kept; what is asked for is another each time. */
static int fetch_watch_make_pages(struct fetch_watch *watch)
{
    static const struct {
        enum site_page kind;
        const char *path;
    } usual[] = {{SITE_PAGE_MISSING, "/missing-page"},
                 {SITE_PAGE_ROBOTS, "/robots.txt"},
                 {SITE_PAGE_SITEMAP, "/sitemap.xml"}};
    struct str origin = url_origin(str_from(watch->url));
    char url[SITE_URL_MAX + 1];
    bool is_whole = fetch_watch_page(watch, SITE_PAGE_LISTED, str_from(watch->url)) != NULL;

    for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
        int len = snprintf(url, sizeof(url), "%.*s%s", STR_ARG(origin), usual[i].path);

        is_whole &= len > 0 && (size_t)len < sizeof(url) &&
                    fetch_watch_page(watch, usual[i].kind, str_from(url)) != NULL;
    }
    return is_whole ? 0 : -ERR_NOMEM;
}

static struct fetch_watch *fetch_watch_new(struct fetch *fetch, const struct fetch_site *site,
                                           struct str url)
{
    struct fetch_watch *watch = mem_alloc(1, sizeof(*watch));
    uint64_t secret = 0;

    if (watch == NULL) {
        return NULL;
    }
    watch->fetch = fetch;
    watch->number = site->number;
    watch->was_good = true;
    list_init(&watch->node);
    list_init(&watch->pages);
    buf_init(&watch->kept, FETCH_PROFILE_MAX);
    buf_init(&watch->scripts, READER_SCRIPTS_KEPT);
    watch->url = mem_dup(url.ptr, url.len);
    if (getrandom(&secret, sizeof(secret), 0) != (ssize_t)sizeof(secret)) {
        secret = fetch->seed ^ prng_next(&fetch->prng);
    }
    prng_init(&watch->prng, secret);
    watch->turn = (unsigned)prng_below(&watch->prng, 6);
    if (watch->url == NULL || fetch_watch_make_pages(watch) < 0 ||
        map_put(&fetch->watches, MAP_KEY(watch->number), watch) < 0) {
        fetch_watch_free(watch);
        return NULL;
    }
    /* not all at once after a start */
    fetch_rota_put(watch,
                   (int64_t)prng_below(&watch->prng, (uint64_t)fetch->options.least_interval + 1));
    return watch;
}

static void fetch_site_set(struct fetch *fetch, const struct fetch_site *site)
{
    struct fetch_watch *watch = map_get(&fetch->watches, MAP_KEY(site->number));
    char url[SITE_URL_MAX + 1];

    if (url_canonical(site->url, url, NULL) < 0) {
        log_warn("a site's address is no web address number=%llu",
                 (unsigned long long)site->number);
        return;
    }
    if (watch != NULL && !str_is_text(str_from(url), watch->url)) {
        fetch_watch_drop(fetch, TAKE_PTR(watch)); /* another site under its number */
    }
    if (watch == NULL) {
        watch = fetch_watch_new(fetch, site, str_from(url));
    }
    if (watch == NULL) {
        log_error("a site cannot be watched: out of memory number=%llu",
                  (unsigned long long)site->number);
        return;
    }
    watch->is_marked = true;
    watch->views = site->views != 0 ? site->views : (1U << SITE_VIEW_COUNT) - 1;
    watch->interval = site->interval;
    watch->is_window_open = site->is_window_open;
}

static void fetch_ask_after(struct fetch *fetch, uint64_t after)
{
    fetch->asked = clock_mono(fetch->clock);
    fetch_sites_ask(&fetch->msg, after);
    (void)!fetch_send(fetch, NULL, 0);
}

void fetch_ask_sites(struct fetch *fetch)
{
    size_t cursor = 0;
    struct fetch_watch *watch;

    if (fetch->is_asking) {
        fetch->must_ask = true;
        return;
    }
    fetch->is_asking = true;
    fetch->must_ask = false;
    while ((watch = map_next(&fetch->watches, &cursor)) != NULL) {
        watch->is_marked = false;
    }
    fetch_ask_after(fetch, 0);
}

static void fetch_sweep(struct fetch *fetch)
{
    size_t cursor = 0;
    struct fetch_watch *watch;

    while ((watch = map_next(&fetch->watches, &cursor)) != NULL) {
        if (!watch->is_marked) {
            fetch_watch_drop(fetch, watch);
        }
    }
    fetch->is_asking = false;
    if (fetch->must_ask) {
        fetch_ask_sites(fetch);
    }
}

void fetch_take_sites(struct fetch *fetch, struct msg_reader *msg)
{
    struct fetch_site site;
    bool is_last = false;
    uint64_t last = fetch_sites_after(msg);
    uint64_t after = last;
    int r;

    while ((r = fetch_sites_get(msg, &site, &is_last)) == 1) {
        if (site.number <= last) {
            r = -ERR_PROTO; /* else a round might never end */
            break;
        }
        last = site.number;
        fetch_site_set(fetch, &site);
    }
    if (r < 0) {
        log_warn("core's list of sites was refused error=%s", err_name(r));
        fetch->is_asking = false;
    } else if (is_last || last == after) {
        fetch_sweep(fetch);
    } else {
        fetch_ask_after(fetch, last);
    }
}

/* What is kept of a site is the reader's, and the facts. */
static void fetch_watch_take_kept(struct fetch_watch *watch, struct str bytes)
{
    struct cbor_reader reader;
    struct str profile;
    struct str facts;

    cbor_open(&reader, bytes);
    if (cbor_get_array(&reader) != 3 || cbor_get_u64(&reader) != KEPT_VERSION) {
        return;
    }
    profile = cbor_get_bytes(&reader);
    facts = cbor_get_bytes(&reader);
    if (cbor_close(&reader) == 0 && facts_decode(facts, &watch->facts) == 0) {
        (void)buf_put_str(&watch->kept, profile);
    }
}

void fetch_watch_put_kept(const struct fetch_watch *watch, struct buf *buf)
{
    struct buf facts;

    buf_init(&facts, FACTS_SIZE_MAX);
    facts_encode(&watch->facts, &facts);
    cbor_put_array(buf, 3);
    cbor_put_u64(buf, KEPT_VERSION);
    cbor_put_bytes(buf, buf_str(&watch->kept));
    cbor_put_bytes(buf, buf_str(&facts));
    buf_done(&facts);
}

void fetch_take_profile(struct fetch *fetch, struct channel_packet *packet)
{
    CLEANUP(closep) int fd = channel_packet_take(packet, 0);
    CLEANUP(buf_done) struct buf bytes;
    struct fetch_watch *watch;
    uint64_t number;
    struct str url;

    buf_init(&bytes, FETCH_PROFILE_MAX);
    if (fetch_profile_get(&packet->msg, &number, &url) < 0) {
        return;
    }
    watch = map_get(&fetch->watches, MAP_KEY(number));
    if (watch == NULL) {
        return;
    }
    if (fd >= 0 && (lseek(fd, 0, SEEK_SET) != 0 || fd_read_all(fd, &bytes) < 0)) {
        log_warn("what is kept of a site cannot be read: it is learned anew number=%llu",
                 (unsigned long long)number);
        buf_reset(&bytes);
    }
    if (url.len == 0 && !watch->is_kept_known) {
        watch->is_kept_known = true;
        fetch_watch_take_kept(watch, buf_str(&bytes));
    }
    if (str_is_text(url, FETCH_SCRIPTS) && !watch->is_scripts_known) {
        watch->is_scripts_known = true;
        (void)buf_put_str(&watch->scripts, buf_str(&bytes));
    }
    LIST_EACH (node, &watch->pages) {
        struct fetch_page *page = LIST_ENTRY(node, struct fetch_page, node);

        if (!page->is_kept_known && str_is(str_from(page->url), url)) {
            page->is_kept_known = true;
            page->has_evidence = bytes.len != 0;
            (void)buf_put_str(&page->kept, buf_str(&bytes));
        }
    }
    if (watch->look == NULL) {
        fetch_rota_put(watch, 0);
    }
}

/* Readers have hostile pages in hand: what they name is checked as what a person types. */
static struct fetch_page *fetch_watch_find(struct fetch_watch *watch, enum site_page kind,
                                           struct str url)
{
    char whole[SITE_URL_MAX + 1];

    if (url_canonical(url, whole, NULL) < 0 ||
        !url_is_same_site(url_host(str_from(whole)), url_host(str_from(watch->url)))) {
        return NULL;
    }
    return fetch_watch_page(watch, kind, str_from(whole));
}

/* The page that is asked for, made anew where a restart has forgotten it; without an address the
 * site's first. */
static struct fetch_page *fetch_watch_asked(struct fetch_watch *watch, struct str url)
{
    return url.len == 0 ? LIST_ENTRY(watch->pages.next, struct fetch_page, node)
                        : fetch_watch_find(watch, SITE_PAGE_HIDDEN, url);
}

static uint32_t fetch_page_views(const struct fetch_watch *watch, const struct fetch_page *page)
{
    static const uint32_t views[SITE_PAGE_COUNT] = {
        [SITE_PAGE_LISTED] = (1U << SITE_VIEW_COUNT) - 1,
        [SITE_PAGE_LINKED] = 1U << SITE_VIEW_DESKTOP,
        [SITE_PAGE_HIDDEN] = 1U << SITE_VIEW_CRAWLER | 1U << SITE_VIEW_SEARCH,
    };

    return watch->views & (views[page->kind] != 0 ? views[page->kind] : 1U << SITE_VIEW_CRAWLER);
}

/* Only that page, once for each view that is concerned: the site's other pages keep their turns,
 * and what happens to them meanwhile is not taken for its editors' work. */
void fetch_take_look(struct fetch *fetch, struct msg_reader *msg)
{
    struct fetch_watch *watch;
    struct fetch_page *page;
    bool is_own_change;
    uint64_t number;
    struct str url;

    if (fetch_look_get(msg, &number, &url, &is_own_change) < 0) {
        return;
    }
    watch = map_get(&fetch->watches, MAP_KEY(number));
    page = watch != NULL ? fetch_watch_asked(watch, url) : NULL;
    if (page == NULL) {
        return;
    }
    if (is_own_change) {
        page->own_views |= fetch_page_views(watch, page);
    }
    if ((fetch_page_views(watch, page) & 1U << SITE_VIEW_DESKTOP) != 0) {
        watch->must_paint |= fetch->paint != NULL && page->kind == SITE_PAGE_LISTED;
        watch->next_page = page; /* whoever asks wants to see it */
        watch->next_view = SITE_VIEW_DESKTOP;
    }
    if (watch->look == NULL) {
        fetch_rota_put(watch, 0);
    }
}

static bool fetch_watch_knows(const struct fetch_watch *watch, uint64_t hash)
{
    for (unsigned i = 0; i < watch->known_count; i++) {
        if (watch->known[i] == hash) {
            return true;
        }
    }
    return false;
}

static void fetch_watch_know(struct fetch_watch *watch, uint64_t hash)
{
    if (watch->known == NULL) {
        watch->known = mem_alloc(FETCH_KNOWN_MAX, sizeof(*watch->known));
    }
    if (watch->known != NULL && !fetch_watch_knows(watch, hash)) {
        unsigned place = watch->known_count < FETCH_KNOWN_MAX
                             ? watch->known_count++
                             : (unsigned)prng_below(&watch->prng, FETCH_KNOWN_MAX);

        watch->known[place] = hash;
    }
}

/* What people's view names is known, and a few of it are looked at too; what only the crawler's
 * view, robots.txt or the sitemap names is looked at for that. */
void fetch_watch_links(struct fetch_watch *watch, enum site_view view,
                       const struct reader_answer *answer)
{
    unsigned linked = 0;

    for (size_t i = 0; i < answer->link_count; i++) {
        struct str url = answer->links[i].url;
        uint64_t hash = map_hash(url, watch->fetch->seed);
        bool is_peoples = view == SITE_VIEW_DESKTOP && answer->check.page == SITE_PAGE_LISTED;

        if (answer->links[i].kind == READER_LINK_UPLOADS) {
            (void)fetch_watch_find(watch, SITE_PAGE_UPLOADS, url);
        } else if (answer->links[i].kind == READER_LINK_SITEMAP) {
            (void)fetch_watch_find(watch, SITE_PAGE_SITEMAP, url);
        } else if (answer->links[i].kind != READER_LINK_PAGE) {
            continue;
        } else if (is_peoples) {
            fetch_watch_know(watch, hash);
            if (linked++ < 3) {
                (void)fetch_watch_find(watch, SITE_PAGE_LINKED, url);
            }
        } else if (watch->known_count != 0 && !fetch_watch_knows(watch, hash)) {
            (void)fetch_watch_find(watch, SITE_PAGE_HIDDEN, url);
        }
    }
}
