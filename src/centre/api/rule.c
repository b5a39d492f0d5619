/* Rules for logs as JSON: those in force with how often they hit, filters with what they keep back,
 * what is noisy. Neighbours: core/rule.c and core/filter.c change them, centre/catalogue.h names
 * them. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/map.h"
#include "base/utf8.h"
#include "centre/api/private.h"
#include "centre/catalogue.h"
#include "store/log_states.h"
#include "store/rulebook.h"

#include <stdlib.h>

#define RULE_PAGE        100
#define RULE_DAYS        7
#define REPORT_ROWS      10
#define FALSE_ALARM_DAYS 30
#define BOOK_ARENA_LIMIT (256U << 20)
#define WORDS_MAX        512

static const char *const source_names[CATALOGUE_SOURCE_COUNT] = {[CATALOGUE_SOURCE_BUILT_IN] =
                                                                     "built-in",
                                                                 [CATALOGUE_SOURCE_FILE] = "file",
                                                                 [CATALOGUE_SOURCE_OWN] = "own"};

/* All there is to say about rules, read together. */
struct book {
    struct arena *arena;
    struct catalogue catalogue;
    struct store_document *documents;
    size_t document_count;
    struct store_rule_hits *hits;
    size_t hit_count;
    struct map by_rule; /* hits */
};

/* A rule with its hits. */
struct book_row {
    const struct catalogue_rule *rule;
    const struct store_rule_hits *hits; /* NULL: none */
    const struct store_document *off;   /* NULL: it is on */
};

static void book_done(struct book *book)
{
    map_done(&book->by_rule);
    arena_free(book->arena);
}

static int book_open(struct api *api, struct book *book)
{
    int64_t today = store_day(clock_wall(api->options.clock));
    struct store *store = api->options.store;
    struct store_log_state state;
    int r = arena_new(BOOK_ARENA_LIMIT, &book->arena);

    map_init(&book->by_rule, 1U << 20, 1);
    r = r < 0 ? r : store_log_state_get(store, CATALOGUE_STATE, book->arena, &state);
    if (r == -ERR_NOENT) {
        r = 0; /* the detector has not told yet: there are none */
    } else if (r == 0) {
        r = catalogue_read(state.body, book->arena, &book->catalogue);
    }
    r = r < 0 ? r
              : store_document_list(store, false, book->arena, &book->documents,
                                    &book->document_count);
    r = r < 0 ? r
              : store_rule_hits_list(store, today - RULE_DAYS + 1, today, book->arena, &book->hits,
                                     &book->hit_count);
    for (size_t i = 0; r == 0 && i < book->hit_count; i++) {
        r = map_put(&book->by_rule, book->hits[i].rule, &book->hits[i]);
    }
    return r;
}

static struct str rule_key(const struct catalogue_rule *rule)
{
    return rule->id.len != 0 ? rule->id : rule->title;
}

static const struct store_document *book_document(const struct book *book,
                                                  enum rule_document_kind kind, struct str id)
{
    for (size_t i = 0; i < book->document_count; i++) {
        if (book->documents[i].kind == kind && str_is(book->documents[i].id, id)) {
            return book->documents[i].is_on ? &book->documents[i] : NULL;
        }
    }
    return NULL;
}

static void put_change(struct json_writer *json, const struct store_document *document)
{
    api_put_time(json, "changed", document != NULL ? document->time : 0);
    json_add_str(json, "changed_by", document != NULL ? document->actor : STR(""));
    json_add_str(json, "reason", document != NULL ? document->reason : STR(""));
}

static void put_row(struct json_writer *json, const struct book *book, const struct book_row *row)
{
    static const struct store_rule_hits none;
    const struct store_rule_hits *hits = row->hits != NULL ? row->hits : &none;
    const struct catalogue_rule *rule = row->rule;
    const struct store_document *own = rule->source == CATALOGUE_SOURCE_OWN
                                           ? book_document(book, RULE_DOCUMENT_RULE, rule->id)
                                           : NULL;

    json_open_object(json);
    json_add_str(json, "id", rule->id);
    json_add_str(json, "title", text_str(rule->title));
    json_add_text(json, "level", sigma_level_name((enum sigma_level)rule->level));
    json_add_text(json, "source", source_names[rule->source]);
    json_add_str(json, "file", rule->file);
    json_add_u64(json, "line", rule->line);
    json_add_bool(json, "correlation", rule->is_correlation);
    json_add_bool(json, "silent", rule->is_silent);
    json_add_bool(json, "off", row->off != NULL);
    json_add_u64(json, "hits_today", hits->today);
    json_add_u64(json, "hits", hits->hits);
    json_add_u64(json, "told", hits->told);
    json_add_u64(json, "kept_back", hits->kept);
    put_change(json, row->off != NULL ? row->off : own);
    json_close_object(json);
}

/* ---- lists ---- */

static int row_order(const void *left, const void *right)
{
    const struct book_row *a = left;
    const struct book_row *b = right;
    uint64_t told_a = a->hits != NULL ? a->hits->told : 0;
    uint64_t told_b = b->hits != NULL ? b->hits->told : 0;
    uint64_t hits_a = a->hits != NULL ? a->hits->hits : 0;
    uint64_t hits_b = b->hits != NULL ? b->hits->hits : 0;

    if (told_a != told_b) {
        return told_a > told_b ? -1 : 1;
    }
    if (hits_a != hits_b) {
        return hits_a > hits_b ? -1 : 1;
    }
    if (a->rule->level != b->rule->level) {
        return a->rule->level > b->rule->level ? -1 : 1;
    }
    return a->rule < b->rule ? -1 : 1;
}

static bool words_are_in(struct str words, struct str text)
{
    char folded[2 * WORDS_MAX];
    size_t len = utf8_fold(text, folded, sizeof(folded));
    struct str word;

    len = len < sizeof(folded) ? len : sizeof(folded) - 1;
    while (str_cut(&words, ' ', &word)) {
        if (word.len != 0 && str_find(str_of(folded, len), word) == len) {
            return false;
        }
    }
    return true;
}

static bool row_is_wanted(struct api_request *request, const struct book_row *row, struct str words)
{
    struct str show = arguments_text(&request->arguments, "show");
    struct str level = arguments_text(&request->arguments, "level");
    const struct catalogue_rule *rule = row->rule;

    if (level.len != 0 && !str_is_text(level, sigma_level_name((enum sigma_level)rule->level))) {
        return false;
    }
    if ((str_is_text(show, "hit") && (row->hits == NULL || row->hits->hits == 0)) ||
        (str_is_text(show, "off") && row->off == NULL)) {
        return false;
    }
    for (size_t i = 0; i < CATALOGUE_SOURCE_COUNT; i++) {
        if (str_is_text(show, source_names[i]) && rule->source != i) {
            return false;
        }
    }
    return words.len == 0 || str_find(rule->id, words) != rule->id.len ||
           words_are_in(words, text_str(rule->title)) || words_are_in(words, rule->title);
}

static struct book_row *book_rows(struct api_request *request, const struct book *book,
                                  size_t *ret_count)
{
    struct book_row *rows = arena_alloc(book->arena, book->catalogue.rule_count + 1, sizeof(*rows));
    struct str q = str_slice(arguments_text(&request->arguments, "q"), 0, WORDS_MAX / 2);
    char words[WORDS_MAX];
    size_t len = utf8_fold(q, words, sizeof(words));
    size_t count = 0;

    if (rows == NULL) {
        return NULL;
    }
    len = len < sizeof(words) ? len : sizeof(words) - 1;
    for (size_t i = 0; i < book->catalogue.rule_count; i++) {
        const struct catalogue_rule *rule = &book->catalogue.rules[i];
        struct book_row row = {.rule = rule,
                               .hits = map_get(&book->by_rule, rule_key(rule)),
                               .off = book_document(book, RULE_DOCUMENT_OFF, rule_key(rule))};

        if (row_is_wanted(request, &row, str_of(words, len))) {
            rows[count++] = row;
        }
    }
    qsort(rows, count, sizeof(*rows), row_order);
    *ret_count = count;
    return rows;
}

static void put_refusals(struct json_writer *json, const struct catalogue *catalogue)
{
    json_add_array(json, "refusals");
    for (size_t i = 0; i < catalogue->refusal_count; i++) {
        const struct catalogue_refusal *refusal = &catalogue->refusals[i];

        json_open_object(json);
        json_add_str(json, "file", refusal->file);
        json_add_u64(json, "line", refusal->line);
        json_add_str(json, "title", refusal->title);
        json_add_str(json, "reason", refusal->reason);
        json_add_str(json, "remedy", refusal->remedy);
        json_add_bool(json, "warning", refusal->is_warning);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_head(struct json_writer *json, const struct catalogue *catalogue)
{
    char version[17];
    uint64_t correlations = 0;

    for (size_t i = 0; i < catalogue->rule_count; i++) {
        correlations += catalogue->rules[i].is_correlation ? 1U : 0U;
    }
    (void)snprintf(version, sizeof(version), "%016llx", (unsigned long long)catalogue->version);
    json_add_str(json, "version", str_from(version));
    json_add_u64(json, "rules", catalogue->rule_count - correlations);
    json_add_u64(json, "correlations", correlations);
    json_add_u64(json, "refused", catalogue->refused);
    put_refusals(json, catalogue);
}

int api_rule_list(struct api_request *request)
{
    struct json_writer *json = &request->json;
    CLEANUP(book_done) struct book book = {0};
    size_t after = (size_t)arguments_number(&request->arguments, "cursor", 0);
    size_t limit = (size_t)arguments_number(&request->arguments, "limit", RULE_PAGE);
    struct book_row *rows;
    size_t count = 0;
    int r = book_open(request->api, &book);

    if (r < 0) {
        return r;
    }
    rows = book_rows(request, &book, &count);
    if (rows == NULL) {
        return -ERR_NOMEM;
    }
    json_open_object(json);
    put_head(json, &book.catalogue);
    json_add_u64(json, "found", count);
    json_add_array(json, "items");
    for (size_t i = after; i < count && i - after < limit; i++) {
        put_row(json, &book, &rows[i]);
    }
    api_close_page_str(json, after < count && count - after > limit
                                 ? arena_printf(request->arena, "%zu", after + limit)
                                 : STR(""));
    return 0;
}

static void put_texts(struct json_writer *json, const char *name, const struct str *texts,
                      size_t count)
{
    json_add_array(json, name);
    for (size_t i = 0; i < count; i++) {
        json_put_str(json, text_str(texts[i]));
    }
    json_close_array(json);
}

int api_rule_get(struct api_request *request)
{
    struct str id = arguments_text(&request->arguments, "id");
    struct json_writer *json = &request->json;
    const struct catalogue_rule *rule;
    CLEANUP(book_done) struct book book = {0};
    int r = book_open(request->api, &book);

    rule = r == 0 ? catalogue_find(&book.catalogue, id) : NULL;
    if (rule == NULL) {
        return r < 0 ? r : -ERR_NOENT;
    }
    json_open_object(json);
    json_add_str(json, "id", rule->id);
    json_add_str(json, "title", text_str(rule->title));
    json_add_str(json, "description", text_str(rule->description));
    put_texts(json, "false_positives", rule->false_positives, rule->false_positive_count);
    put_texts(json, "tags", rule->tags, rule->tag_count);
    json_close_object(json);
    return 0;
}

/* It was made with its rule's title as the rule has it; that is shown in the reader's language. */
static struct str filter_title(const struct book *book, const struct store_document *filter)
{
    const struct catalogue_rule *rule = catalogue_find(&book->catalogue, filter->rule);
    struct str title = {0};

    if (rule != NULL && str_has_prefix(filter->title, rule->title)) {
        title = arena_printf(book->arena, "%.*s%.*s", STR_ARG(text_str(rule->title)),
                             STR_ARG(str_slice(filter->title, rule->title.len, filter->title.len)));
    }
    return title.ptr != NULL ? title : filter->title;
}

int api_filter_list(struct api_request *request)
{
    int64_t now = clock_wall(request->api->options.clock);
    struct json_writer *json = &request->json;
    CLEANUP(book_done) struct book book = {0};
    int r = book_open(request->api, &book);

    if (r < 0) {
        return r;
    }
    api_open_items(json);
    for (size_t i = 0; i < book.document_count; i++) {
        const struct store_document *filter = &book.documents[i];
        const struct store_rule_hits *hits = map_get(&book.by_rule, filter->id);

        if (filter->kind != RULE_DOCUMENT_FILTER) {
            continue;
        }
        json_open_object(json);
        json_add_str(json, "id", filter->id);
        json_add_str(json, "title", filter_title(&book, filter));
        json_add_str(json, "rule", filter->rule);
        json_add_bool(json, "on", filter->is_on && (filter->until == 0 || filter->until > now));
        json_add_bool(json, "dropped", !filter->is_on);
        api_put_time(json, "until", filter->until);
        json_add_u64(json, "kept_back", hits != NULL ? hits->kept : 0);
        put_change(json, filter);
        json_close_object(json);
    }
    api_close_items(json);
    return 0;
}

/* The whole document, as it can be taken elsewhere. */
int api_document_get(struct api_request *request)
{
    struct store_document document;
    struct str id = arguments_text(&request->arguments, "id");
    struct json_writer *json = &request->json;
    int r = store_document_get(request->api->options.store, RULE_DOCUMENT_FILTER, id,
                               request->arena, &document);

    if (r == -ERR_NOENT) {
        r = store_document_get(request->api->options.store, RULE_DOCUMENT_RULE, id, request->arena,
                               &document);
    }
    if (r < 0) {
        return r;
    }
    json_open_object(json);
    json_add_str(json, "id", document.id);
    json_add_str(json, "title", document.title);
    json_add_str(json, "text", document.text);
    json_add_bool(json, "on", document.is_on);
    put_change(json, &document);
    json_close_object(json);
    return 0;
}

/* ---- what is noisy ---- */

static int by_told(const void *left, const void *right)
{
    const struct store_rule_hits *a = *(const struct store_rule_hits *const *)left;
    const struct store_rule_hits *b = *(const struct store_rule_hits *const *)right;

    return a->told != b->told ? (a->told > b->told ? -1 : 1) : str_compare(a->rule, b->rule);
}

static int by_kept(const void *left, const void *right)
{
    const struct store_rule_hits *a = *(const struct store_rule_hits *const *)left;
    const struct store_rule_hits *b = *(const struct store_rule_hits *const *)right;

    return a->kept != b->kept ? (a->kept > b->kept ? -1 : 1) : str_compare(a->rule, b->rule);
}

static void put_noisy(struct json_writer *json, struct str id, struct str title, uint64_t count)
{
    json_open_object(json);
    json_add_str(json, "id", id);
    json_add_str(json, "title", text_str(title));
    json_add_u64(json, "count", count);
    json_close_object(json);
}

static void put_most(struct json_writer *json, const struct book *book,
                     const struct store_rule_hits **rows, size_t count, bool is_told)
{
    size_t shown = 0;

    qsort(rows, count, sizeof(struct store_rule_hits *), is_told ? by_told : by_kept);
    json_add_array(json, is_told ? "told" : "kept_back");
    for (size_t i = 0; i < count && shown < REPORT_ROWS; i++) {
        uint64_t value = is_told ? rows[i]->told : rows[i]->kept;

        if (value != 0 && catalogue_find(&book->catalogue, rows[i]->rule) != NULL) {
            put_noisy(json, rows[i]->rule, rows[i]->title, value);
            shown++;
        }
    }
    json_close_array(json);
}

static struct str id_of_title(const struct book *book, struct str title)
{
    for (size_t i = 0; i < book->catalogue.rule_count; i++) {
        if (str_is(book->catalogue.rules[i].title, title)) {
            return book->catalogue.rules[i].id;
        }
    }
    return STR("");
}

int api_rule_report(struct api_request *request)
{
    int64_t now = clock_wall(request->api->options.clock);
    struct json_writer *json = &request->json;
    CLEANUP(book_done) struct book book = {0};
    struct store_false_alarms *alarms = NULL;
    const struct store_rule_hits **rows = NULL;
    size_t count = 0;
    int r = book_open(request->api, &book);

    if (r == 0) {
        r = store_false_alarm_list(request->api->options.store,
                                   now - FALSE_ALARM_DAYS * 86400 * NS_PER_S, REPORT_ROWS,
                                   book.arena, &alarms, &count);
    }
    if (r < 0) {
        return r;
    }
    rows = arena_alloc(book.arena, book.hit_count + 1, sizeof(struct store_rule_hits *));
    if (rows == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < book.hit_count; i++) {
        rows[i] = &book.hits[i];
    }
    json_open_object(json);
    put_most(json, &book, rows, book.hit_count, true);
    put_most(json, &book, rows, book.hit_count, false);
    json_add_array(json, "false_alarms");
    for (size_t i = 0; i < count; i++) {
        put_noisy(json, id_of_title(&book, alarms[i].title), alarms[i].title, alarms[i].count);
    }
    json_close_array(json);
    json_close_object(json);
    return 0;
}
