/* Pages of alerts. Each kind of filter has the index that answers it: the narrowest one that
 * applies is walked, from the newest or in order of change, and the rest of the filter is asked of
 * each row, so that a page costs the same at a thousand alerts and at a million. Neighbours:
 * sqlite/alert.c writes them. */
#include "store/sqlite/sqlite.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/utf8.h"
#include "store/words.h"

#define LIST_MATCH_LIMIT   8192
#define LIST_TRIGRAM_RUNES 3
#define LIST_SEVERE        3 /* SEVERITY_HIGH: from there on an index helps */

/* ?1 below this number, ?2 changed after, ?3 state or -1 all or -2 open, ?4 least severity, ?5
 * drill or -1, ?6 host or NULL, ?7 words for the trigram index, ?8 a word too short for it, or
 * NULL, ?9 site or 0. The plus signs keep the planner from walking another index than the plan's
 * own. */
#define LIST_COLUMNS                                                                               \
    "SELECT " STORE_ALERT_COLUMNS ", (SELECT body FROM findings WHERE id = a.finding),"            \
    " a.title_words, a.host_words FROM "
#define LIST_JOIN STORE_ALERT_JOINS "WHERE "
#define LIST_REST                                                                                  \
    " AND +a.changed > ?2 AND (?3 = -1 OR a.state = ?3 OR (?3 = -2 AND a.state < 2))"              \
    " AND +a.severity >= ?4 AND (?5 = -1 OR a.is_drill = ?5) AND (?6 IS NULL OR +a.host = ?6)"     \
    " AND (?8 IS NULL OR instr(a.title_words, ?8) OR instr(a.host_words, ?8))"                     \
    " AND (?9 = 0 OR +a.site = ?9)"
#define LIST_NEWEST " AND a.number < ?1" LIST_REST " ORDER BY a.number DESC"

enum list_plan {
    LIST_PLAN_CHANGED,
    LIST_PLAN_WORDS,
    LIST_PLAN_HOST,
    LIST_PLAN_SITE,
    LIST_PLAN_OPEN,
    LIST_PLAN_STATE,
    LIST_PLAN_DRILL,
    LIST_PLAN_SEVERE,
    LIST_PLAN_ALL,
    LIST_PLAN_COUNT,
};

static const char *const list_plans[LIST_PLAN_COUNT] = {
    [LIST_PLAN_CHANGED] = LIST_COLUMNS
    "alerts a" LIST_JOIN "a.changed > ?2 AND +a.number < ?1" LIST_REST " ORDER BY a.changed",
    [LIST_PLAN_WORDS] =
        LIST_COLUMNS "alert_words w CROSS JOIN alerts a ON a.number = w.rowid" LIST_JOIN
                     "w.alert_words MATCH ?7 AND w.rowid < ?1" LIST_REST " ORDER BY w.rowid DESC",
    [LIST_PLAN_HOST] =
        LIST_COLUMNS "alerts a INDEXED BY alerts_host" LIST_JOIN "a.host = ?6" LIST_NEWEST,
    [LIST_PLAN_SITE] =
        LIST_COLUMNS "alerts a INDEXED BY alerts_site" LIST_JOIN "a.site = ?9" LIST_NEWEST,
    [LIST_PLAN_OPEN] =
        LIST_COLUMNS "alerts a INDEXED BY alerts_open" LIST_JOIN "a.state < 2" LIST_NEWEST,
    [LIST_PLAN_STATE] =
        LIST_COLUMNS "alerts a INDEXED BY alerts_state" LIST_JOIN "a.state = ?3" LIST_NEWEST,
    [LIST_PLAN_DRILL] =
        LIST_COLUMNS "alerts a INDEXED BY alerts_drill" LIST_JOIN "a.is_drill = 1" LIST_NEWEST,
    [LIST_PLAN_SEVERE] =
        LIST_COLUMNS "alerts a INDEXED BY alerts_severe" LIST_JOIN "a.severity >= 3" LIST_NEWEST,
    [LIST_PLAN_ALL] = LIST_COLUMNS "alerts a NOT INDEXED" LIST_JOIN "1" LIST_NEWEST,
};

static enum list_plan list_choose(const struct store_alert_filter *filter, bool has_match)
{
    if (filter->changed_after != 0) {
        return LIST_PLAN_CHANGED;
    }
    if (has_match) {
        return LIST_PLAN_WORDS;
    }
    if (filter->host != NULL) {
        return LIST_PLAN_HOST;
    }
    if (filter->site != 0) {
        return LIST_PLAN_SITE;
    }
    if (filter->state == -2) {
        return LIST_PLAN_OPEN;
    }
    if (filter->is_drill == 1) {
        return LIST_PLAN_DRILL;
    }
    if (filter->severity_least >= LIST_SEVERE) {
        return LIST_PLAN_SEVERE;
    }
    return filter->state >= 0 ? LIST_PLAN_STATE : LIST_PLAN_ALL;
}

static size_t list_runes(struct str word)
{
    size_t count = 0;

    for (size_t at = 0; at < word.len; count++) {
        uint32_t rune;
        size_t width = utf8_decode(str_slice(word, at, word.len), &rune);

        at += width != 0 ? width : 1;
    }
    return count;
}

/* The words that the trigram index can look up, as its query language quotes them. */
static int list_put_match(const struct words *words, struct buf *match)
{
    for (size_t i = 0; i < words->count; i++) {
        struct str word = words->list[i];

        if (list_runes(word) < LIST_TRIGRAM_RUNES || !utf8_is_valid(word) ||
            str_find_byte(word, '\0') < word.len) {
            continue;
        }
        (void)buf_put_byte(match, '"');
        for (size_t at = 0; at < word.len; at++) {
            (void)buf_put(match, "\"", word.ptr[at] == '"' ? 1 : 0);
            (void)buf_put(match, word.ptr + at, 1);
        }
        (void)buf_put_text(match, "\" ");
    }
    return buf_error(match);
}

/* A word that only a look at each row can find, or nothing. */
static struct str list_short_word(const struct words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        if (list_runes(words->list[i]) < LIST_TRIGRAM_RUNES) {
            return words->list[i];
        }
    }
    return (struct str){0};
}

static void list_bind(struct query *query, const struct store_alert_filter *filter,
                      struct str match, struct str short_word)
{
    query_bind_u64(query, 1,
                   filter->before == 0 || filter->before > INT64_MAX ? INT64_MAX : filter->before);
    query_bind_u64(query, 2, filter->changed_after);
    query_bind_i64(query, 3, filter->state);
    query_bind_i64(query, 4, filter->severity_least);
    query_bind_i64(query, 5, filter->is_drill);
    query_bind_id(query, 6, filter->host);
    query_bind_u64(query, 9, filter->site);
    if (match.len != 0) {
        query_bind_text(query, 7, match);
    }
    if (short_word.len != 0) {
        query_bind_text(query, 8, short_word);
    }
}

/* Steps until the page is full; the words are asked again of each row, the index only narrows. */
static int list_walk(struct query *query, const struct words *words, size_t limit,
                     struct arena *arena, struct store_alert *alerts, size_t *ret_count)
{
    size_t count = 0;
    int r = 0;

    while (count < limit && (r = query_next(query)) > 0) {
        struct str texts[2] = {query_bytes(query, STORE_ALERT_COLUMN_COUNT + 1),
                               query_bytes(query, STORE_ALERT_COLUMN_COUNT + 2)};

        if (!words_stand_in(words, texts, ARRAY_LEN(texts))) {
            continue;
        }
        r = store_alert_read(query, arena, &alerts[count]);
        alerts[count].body = query_text(query, STORE_ALERT_COLUMN_COUNT, arena);
        r = r < 0 ? r : query->error;
        if (r < 0) {
            return r;
        }
        count++;
    }
    *ret_count = count;
    return r < 0 ? r : 0;
}

static int list_search(struct store *store, const struct store_alert_filter *filter,
                       struct arena *arena, struct store_alert *alerts, size_t *ret_count)
{
    CLEANUP(query_done) struct query query = {0};
    CLEANUP(buf_done) struct buf match;
    struct words words;
    int r;

    buf_init(&match, LIST_MATCH_LIMIT);
    r = words_parse(filter->words, arena, &words);
    r = r < 0 ? r : list_put_match(&words, &match);
    if (r < 0) {
        return r;
    }
    query_init(&query, store->database, list_plans[list_choose(filter, match.len != 0)]);
    list_bind(&query, filter, buf_str(&match), list_short_word(&words));
    return list_walk(&query, &words, store_page(filter->limit), arena, alerts, ret_count);
}

int store_alert_list(struct store *store, const struct store_alert_filter *filter,
                     struct arena *arena, struct store_alert **ret_alerts, size_t *ret_count)
{
    struct store_alert *alerts = arena_alloc(arena, store_page(filter->limit), sizeof(*alerts));
    size_t count = 0;
    int r;

    if (alerts == NULL) {
        return -ERR_NOMEM;
    }
    r = list_search(store, filter, arena, alerts, &count);
    if (r == 0) {
        *ret_alerts = alerts;
        *ret_count = count;
    }
    return r;
}
