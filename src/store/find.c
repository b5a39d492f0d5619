/* Neighbours: store/archive.h gives what may match, centre/searcher.c and cli/search.c ask. What
 * matches is handed on in the order of the archive: events that wait for a reader hold those behind
 * them back. */
#include "store/find.h"

#include "base/banned.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"

#define VISIT_MAX   2000 /* events asked of the archive at a time */
#define ROUNDS_MAX  200  /* of that in one call, for terms that the archive cannot choose by */
#define BATCH_BYTES (256U << 10)
#define BATCH_ROOM  (512U << 10) /* an event is no longer than a record: one fits behind BYTES */

/* A search under way. */
struct find {
    struct archive *archive;
    struct store *store;
    struct arena *arena;
    const struct find_query *query;
    find_fn *fn;
    void *context;
    struct needles needles;
    struct find_cursor at; /* behind what was handed on or passed over last */
    size_t found;
    size_t visited; /* in this round */
    struct id host; /* whose name is at hand */
    struct str name;
    struct find_candidate batch[FIND_BATCH_MAX];
    size_t starts[FIND_BATCH_MAX]; /* of their events in bytes */
    size_t count;
    struct buf bytes;
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

static bool find_is_canceled(const struct find *find)
{
    return find->query->is_canceled != NULL && *find->query->is_canceled;
}

/* The event is done with: a cursor may stand behind it. */
static int find_settle(struct find *find, const struct archive_key *key, struct str host,
                       const struct event *event, bool is_match)
{
    int r = is_match ? find->fn(find->context, &key->host, host, event) : 0;

    if (r < 0) {
        return r;
    }
    find->at = (struct find_cursor){.time = event->time, .behind = *key};
    find->found += is_match ? 1U : 0U;
    return is_match && find->found == find->query->limit ? -ERR_CANCELED : 0;
}

static int find_batch_hand_on(struct find *find, const struct find_candidate *candidate)
{
    struct cbor_reader reader;
    struct event event;
    int r;

    cbor_open(&reader, candidate->event);
    r = event_decode(&reader, &event);
    return r < 0 ? r
                 : find_settle(find, &candidate->key, candidate->host, &event,
                               candidate->verdict == TERMS_YES);
}

/* Has the batch judged and hands it on. */
static int find_flush(struct find *find)
{
    const struct find_reader *reader = find->query->reader;
    size_t count = find->count;
    int r = 0;

    find->count = 0;
    for (size_t i = 0; i < count; i++) {
        size_t end = i + 1 < count ? find->starts[i + 1] : find->bytes.len;

        find->batch[i].event = str_slice(buf_str(&find->bytes), find->starts[i], end);
    }
    if (reader != NULL && count != 0) {
        r = reader->judge(reader->context, find->query->terms, find->batch, count);
    }
    for (size_t i = 0; i < count && r == 0; i++) {
        r = find_batch_hand_on(find, &find->batch[i]);
    }
    buf_reset(&find->bytes);
    return r;
}

static int find_keep(struct find *find, const struct find_candidate *candidate,
                     const struct event *event)
{
    find->starts[find->count] = find->bytes.len;
    find->batch[find->count++] = *candidate;
    event_encode(event, &find->bytes);
    if (buf_error(&find->bytes) < 0) {
        return buf_error(&find->bytes);
    }
    return find->count == FIND_BATCH_MAX || find->bytes.len > BATCH_BYTES ? find_flush(find) : 0;
}

static enum terms_verdict find_judge(const struct find *find, struct str host,
                                     const struct event *event)
{
    const struct find_reader *reader = find->query->reader;
    bool is_entry = event_find(event, EVENT_FIELD_EVENT_ORIGINAL) != NULL;
    enum terms_verdict verdict;

    if (reader != NULL && reader->is_rule) {
        return is_entry ? TERMS_UNREAD : TERMS_NO;
    }
    verdict = terms_judge(find->query->terms, event, host, NULL, NULL);
    return verdict == TERMS_YES && is_entry && reader != NULL && reader->is_thorough ? TERMS_UNREAD
                                                                                     : verdict;
}

static int find_event(void *context, const struct archive_key *key, const struct event *event)
{
    struct find *find = context;
    struct find_candidate candidate = {.key = *key};

    if (find_is_canceled(find)) {
        return -ERR_CANCELED;
    }
    find->visited++;
    candidate.host = find_host(find, &key->host);
    candidate.verdict = find_judge(find, candidate.host, event);
    if (find->count != 0 || candidate.verdict == TERMS_UNREAD) {
        return find_keep(find, &candidate, event);
    }
    return find_settle(find, key, candidate.host, event, candidate.verdict == TERMS_YES);
}

/* 1 when there may be more events in the time asked for. */
static int find_round(struct find *find)
{
    const struct find_cursor from = find->at;
    const struct archive_query query = {.from = find->query->from,
                                        .to = from.time,
                                        .behind =
                                            id_is_none(&from.behind.host) ? NULL : &from.behind,
                                        .needles = &find->needles,
                                        .limit = VISIT_MAX,
                                        .until = find->query->until,
                                        .is_canceled = find->query->is_canceled,
                                        .damages = find->query->damages};
    int64_t reached;
    int r;

    find->visited = 0;
    r = archive_search_until(find->archive, &query, &reached, find_event, find);
    r = r < 0 ? r : find_flush(find);
    if (r < 0) {
        return r;
    }
    if (find->visited == query.limit) {
        return 1; /* and what was not looked at lies behind them */
    }
    if (reached != ARCHIVE_REACHED_ALL) {
        find->at = (struct find_cursor){.time = reached};
        return 1;
    }
    return 0;
}

static bool find_is_over(const struct find *find)
{
    return find->query->until != 0 && clock_mono(&clock_real) >= find->query->until;
}

int find_events(struct archive *archive, struct store *store, struct arena *arena,
                const struct find_query *query, struct find_cursor *ret_next, find_fn *fn,
                void *context)
{
    CLEANUP(mem_freep) struct find *find = mem_alloc(1, sizeof(*find));
    int r = 1;

    if (find == NULL) {
        return -ERR_NOMEM;
    }
    *find = (struct find){.archive = archive,
                          .store = store,
                          .arena = arena,
                          .query = query,
                          .fn = fn,
                          .context = context,
                          .at = query->cursor};
    buf_init(&find->bytes, BATCH_ROOM);
    terms_needles(query->terms, &find->needles);
    for (unsigned i = 0; r == 1 && i < ROUNDS_MAX && (i == 0 || !find_is_over(find)); i++) {
        r = find_is_canceled(find) ? -ERR_CANCELED : find_round(find);
    }
    buf_done(&find->bytes);
    *ret_next = find->at;
    return r == -ERR_CANCELED && find->found == query->limit ? 1 : r;
}

/* "time", or "time.host.sequence". */
void find_cursor_format(const struct find_cursor *cursor, char out[FIND_CURSOR_SIZE])
{
    char host[ID_TEXT_SIZE];

    if (id_is_none(&cursor->behind.host)) {
        (void)snprintf(out, FIND_CURSOR_SIZE, "%lld", (long long)cursor->time);
        return;
    }
    id_format(&cursor->behind.host, host);
    (void)snprintf(out, FIND_CURSOR_SIZE, "%lld.%s.%llu", (long long)cursor->time, host,
                   (unsigned long long)cursor->behind.sequence);
}

int find_cursor_parse(struct str text, struct find_cursor *ret_cursor)
{
    struct find_cursor cursor = {0};
    struct str rest = text;
    struct str time;
    struct str host;
    bool has_key;

    if (!str_cut(&rest, '.', &time) || str_to_i64(time, &cursor.time) < 0) {
        return -ERR_SYNTAX;
    }
    has_key = time.len != text.len;
    if (has_key &&
        (!str_cut(&rest, '.', &host) || id_parse(host, &cursor.behind.host) < 0 ||
         id_is_none(&cursor.behind.host) || str_to_u64(rest, &cursor.behind.sequence) < 0)) {
        return -ERR_SYNTAX;
    }
    *ret_cursor = cursor;
    return 0;
}
