/* The access-log view of cloaking: see detect/deface/crawl.h. Neighbours: codec/weblog.c gives the
 * lines, crawl_audience.c says who asks, crawl_judge.c compares the audiences of a page. Invariant:
 * at most pages_max pages, those longest unseen forgotten first and counted. */
#include "detect/deface/crawl.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "detect/deface/crawl_private.h"

#include <stdlib.h>

const struct crawl_limits crawl_limits_default = {.pages_max = 20000, .visits_min = 5};

int crawl_new(const struct crawl_limits *limits, uint64_t seed, struct crawl **ret_crawl)
{
    struct crawl *crawl = mem_alloc(1, sizeof(*crawl));

    if (crawl == NULL) {
        return -ERR_NOMEM;
    }
    if (!crawl_networks_fill(crawl->networks)) {
        mem_free(crawl);
        return -ERR_SYNTAX;
    }
    crawl->limits = *limits;
    map_init(&crawl->pages, limits->pages_max, seed);
    list_init(&crawl->by_age);
    *ret_crawl = crawl;
    return 0;
}

static struct str crawl_key(const struct crawl_page *page)
{
    return str_of(page->key, page->key_len);
}

static void crawl_forget(struct crawl *crawl, struct crawl_page *page)
{
    (void)map_remove(&crawl->pages, crawl_key(page));
    list_remove(&page->age);
    mem_free(page);
}

void crawl_free(struct crawl *crawl)
{
    if (crawl == NULL) {
        return;
    }
    while (!list_is_empty(&crawl->by_age)) {
        crawl_forget(crawl, LIST_ENTRY(crawl->by_age.next, struct crawl_page, age));
    }
    map_done(&crawl->pages);
    mem_free(crawl);
}

static int crawl_meet(struct crawl *crawl, struct str key, size_t host_len,
                      struct crawl_page **ret_page)
{
    struct crawl_page *page;
    int r;

    if (map_count(&crawl->pages) == crawl->limits.pages_max) {
        crawl_forget(crawl, LIST_ENTRY(crawl->by_age.next, struct crawl_page, age));
        crawl->totals.forgotten++;
    }
    page = mem_alloc(1, sizeof(*page) + key.len);
    if (page == NULL) {
        return -ERR_NOMEM;
    }
    memcpy(page->key, key.ptr, key.len);
    page->key_len = key.len;
    page->host_len = host_len;
    list_init(&page->age);
    r = map_put(&crawl->pages, crawl_key(page), page);
    if (r < 0) {
        mem_free(page);
        return r;
    }
    *ret_page = page;
    return 0;
}

/* The page of a request, at the young end of the list. */
static int crawl_page(struct crawl *crawl, const struct weblog_line *line,
                      struct crawl_page **ret_page)
{
    char room[CRAWL_KEY_MAX] = "";
    struct str key = str_of(room, line->host.len + line->path.len);
    struct crawl_page *page;
    int r = 0;

    if (line->host.len != 0) {
        memcpy(room, line->host.ptr, line->host.len);
    }
    memcpy(room + line->host.len, line->path.ptr, line->path.len);
    page = map_get(&crawl->pages, key);
    if (page == NULL) {
        r = crawl_meet(crawl, key, line->host.len, &page);
    }
    if (r < 0) {
        return r;
    }
    list_remove(&page->age);
    list_append(&crawl->by_age, &page->age);
    *ret_page = page;
    return 0;
}

static void crawl_count(struct crawl_side *side, const struct weblog_line *line)
{
    enum crawl_device device = crawl_device(line->agent);
    struct crawl_counts *counts = &side->counts[device];

    if (line->status == 200) {
        side->sizes[device][counts->served++ % CRAWL_SIZES] =
            line->size < UINT32_MAX ? (uint32_t)line->size : UINT32_MAX;
    } else if (line->status < 400) {
        counts->moved++;
    } else {
        counts->missing++;
    }
}

/* 304 and 206 say nothing about the page, 5xx only that the server is ill. */
static bool crawl_tells(const struct weblog_line *line)
{
    return str_is(line->method, STR("GET")) && line->path.len != 0 && line->path.ptr[0] == '/' &&
           line->host.len <= CRAWL_HOST_MAX && line->host.len + line->path.len <= CRAWL_KEY_MAX &&
           (line->status == 200 || (line->status > 300 && line->status < 500)) &&
           line->status != 304;
}

/* Whether people are told that the page is not there, or are sent elsewhere for once; COUNT:
 * neither. One that has moved for good is tidied (http to https, a slash), and a wall (401, 403,
 * 429) says nothing of the page: scanners meet both where engines do not. */
static enum crawl_denial crawl_denial(const struct weblog_line *line)
{
    if (line->status == 404 || line->status == 410) {
        return CRAWL_DENIAL_GONE;
    }
    return line->status == 302 || line->status == 303 || line->status == 307
               ? (enum crawl_denial)crawl_device(line->agent)
               : CRAWL_DENIAL_COUNT;
}

static void crawl_note_first(int64_t *first, int64_t time)
{
    *first = *first == 0 || time < *first ? time : *first;
}

static void crawl_note_order(struct crawl *crawl, struct crawl_page *page, bool is_engine,
                             const struct weblog_line *line)
{
    enum crawl_denial denial = crawl_denial(line);

    if (is_engine && line->status == 200) {
        page->given = line->time > page->given ? line->time : page->given;
    }
    if (is_engine || line->status == 200) {
        return;
    }
    crawl_note_first(&page->barred, line->time);
    if (denial != CRAWL_DENIAL_COUNT) {
        crawl_note_first(&page->denied[denial], line->time);
        page->deniers[denial] |= 1ULL << map_hash(line->address, crawl->pages.seed) % 64;
    }
}

int crawl_add(struct crawl *crawl, const struct weblog_line *line)
{
    struct str engine = {0};
    struct crawl_page *page;
    enum crawl_audience audience;
    int r;

    crawl->totals.lines++;
    if (!crawl_tells(line)) {
        return 0;
    }
    audience = crawl_audience(crawl, line, &engine);
    if (audience == CRAWL_AUDIENCE_NONE) {
        return 0;
    }
    r = crawl_page(crawl, line, &page);
    if (r < 0) {
        return r;
    }
    crawl->totals.visits[audience]++;
    crawl_count(&page->sides[audience], line);
    page->engine = engine.len != 0 ? engine : page->engine;
    page->last = line->time > page->last ? line->time : page->last;
    crawl_note_order(crawl, page, audience == CRAWL_AUDIENCE_ENGINE, line);
    return 0;
}

struct crawl_totals crawl_totals(const struct crawl *crawl)
{
    struct crawl_totals totals = crawl->totals;

    totals.pages = map_count(&crawl->pages);
    return totals;
}

static int crawl_compare_scores(const void *a, const void *b)
{
    const struct crawl_cloak *x = a;
    const struct crawl_cloak *y = b;

    if (x->score != y->score) {
        return x->score > y->score ? -1 : 1;
    }
    return str_compare(x->path, y->path); /* the same log gives the same report */
}

struct crawl_found {
    struct crawl_cloak *cloaks;
    size_t count;
    size_t max;
};

/* In place of the lightest when there is no room. */
static void crawl_keep(void *context, const struct crawl_cloak *cloak)
{
    struct crawl_found *found = context;
    size_t at = found->count;

    if (found->count < found->max) {
        found->count++;
    } else {
        at = 0;
        for (size_t i = 1; i < found->max; i++) {
            at = found->cloaks[i].score < found->cloaks[at].score ? i : at;
        }
        if (found->cloaks[at].score >= cloak->score) {
            return;
        }
    }
    found->cloaks[at] = *cloak;
}

static void crawl_keep_page(const struct crawl *crawl, const struct crawl_page *page,
                            struct crawl_found *found)
{
    struct crawl_cloak cloak;

    for (unsigned i = CRAWL_AUDIENCE_PEOPLE + 1; i < CRAWL_AUDIENCE_COUNT; i++) {
        if (crawl_compare(page, (enum crawl_audience)i, crawl->limits.visits_min, &cloak)) {
            cloak.host = str_of(page->key, page->host_len);
            cloak.path = str_slice(crawl_key(page), page->host_len, page->key_len);
            crawl_keep(found, &cloak);
        }
    }
}

static int crawl_copy_texts(struct crawl_cloak *cloak, struct arena *arena)
{
    cloak->host = arena_copy(arena, cloak->host);
    cloak->path = arena_copy(arena, cloak->path);
    return cloak->path.ptr != NULL ? 0 : -ERR_NOMEM;
}

int crawl_report(const struct crawl *crawl, size_t max, struct arena *arena,
                 const struct crawl_cloak **ret_cloaks, size_t *ret_count)
{
    struct crawl_found found = {.cloaks = arena_alloc(arena, max, sizeof(*found.cloaks)),
                                .max = max};
    int r;

    if (found.cloaks == NULL) {
        return -ERR_NOMEM;
    }
    LIST_EACH (node, &crawl->by_age) {
        crawl_keep_page(crawl, LIST_ENTRY(node, struct crawl_page, age), &found);
    }
    r = crawl_folders(crawl, arena, crawl_keep, &found);
    for (size_t i = 0; i < found.count && r == 0; i++) {
        r = crawl_copy_texts(&found.cloaks[i], arena);
    }
    if (r < 0) {
        return r;
    }
    qsort(found.cloaks, found.count, sizeof(*found.cloaks), crawl_compare_scores);
    *ret_cloaks = found.cloaks;
    *ret_count = found.count;
    return 0;
}
