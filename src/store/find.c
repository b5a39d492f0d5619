/* Neighbours: store/archive.h gives what may match, centre/searcher.c and cli/search.c ask. */
#include "store/find.h"

#include "base/banned.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"

#define VISIT_MAX  2000 /* events asked of the archive at a time */
#define ROUNDS_MAX 200  /* of that in one call, for terms that the archive cannot choose by */

/* A search under way. */
struct find {
    struct archive *archive;
    struct store *store;
    struct arena *arena;
    const struct find_query *query;
    find_fn *fn;
    void *context;
    struct str needles;
    struct find_cursor at; /* event looked at last, and how many of its time */
    uint64_t skip;         /* of the time where this round began, looked at before */
    size_t found;
    size_t visited; /* in this round */
    struct id host; /* whose name is at hand */
    struct str name;
};

static struct str find_host(struct find *find, const struct id *id)
{
    struct store_host host;

    if (find->name.ptr == NULL || !id_is(&find->host, id)) {
        find->host = *id;
        find->name = store_host_get(find->store, id, find->arena, &host) == 0 ? host.name : STR("");
    }
    return find->name;
}

static int find_event(void *context, const struct id *id, const struct event *event)
{
    struct find *find = context;
    struct str host;
    int r;

    find->visited++;
    if (event->time == find->at.time && find->skip != 0) {
        find->skip--; /* looked at in the round before */
        return 0;
    }
    find->skip = 0;
    find->at.pass = event->time == find->at.time ? find->at.pass + 1 : 1;
    find->at.time = event->time;
    host = find_host(find, id);
    if (!terms_match(find->query->terms, event, host)) {
        return 0;
    }
    r = find->fn(find->context, id, host, event);
    find->found += r == 0 ? 1U : 0U;
    return r < 0 ? r : find->found == find->query->limit ? -ERR_CANCELED : 0;
}

/* 1 when there may be more events in the time asked for. */
static int find_round(struct find *find)
{
    const struct archive_query query = {.from = find->query->from,
                                        .to = find->at.time,
                                        .words = find->needles,
                                        .limit = VISIT_MAX + (size_t)find->at.pass};
    int r;

    if (find->at.pass > FIND_PASS_MAX) {
        return -ERR_LIMIT;
    }
    find->visited = 0;
    find->skip = find->at.pass;
    r = archive_search(find->archive, &query, find_event, find);
    if (r < 0) {
        return r;
    }
    return find->visited == query.limit ? 1 : 0;
}

int find_events(struct archive *archive, struct store *store, struct arena *arena,
                const struct find_query *query, struct find_cursor *ret_next, find_fn *fn,
                void *context)
{
    CLEANUP(buf_done) struct buf needles;
    struct find find = {.archive = archive,
                        .store = store,
                        .arena = arena,
                        .query = query,
                        .fn = fn,
                        .context = context,
                        .at = query->cursor};
    int r = 1;

    buf_init(&needles, 2 * TERMS_TEXT_MAX + 2 * TERMS_MAX);
    terms_put_needles(query->terms, &needles);
    find.needles = buf_str(&needles);
    for (unsigned i = 0; r == 1 && i < ROUNDS_MAX; i++) {
        r = find_round(&find);
    }
    *ret_next = find.at;
    return r == -ERR_CANCELED && find.found == query->limit ? 1 : r;
}
