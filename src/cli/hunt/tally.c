/* See tally.h. */
#include "cli/hunt/tally.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

#include <sys/random.h>

#define TECHNIQUES_MAX 4096
#define NO_RULE        UINT32_MAX

struct tally_hit {
    uint32_t rule;          /* NO_RULE: of an indicator */
    uint32_t host_len;      /* the host stands behind */
    uint32_t indicator_len; /* and the indicator behind it */
    int64_t time;
};

struct tally_row {
    uint64_t count;
    int64_t first; /* 0: no match had a time */
    int64_t last;
    struct str name; /* of a host or a technique */
    enum sigma_level level;
    size_t place; /* of a rule or correlation; ties keep its order */
};

/* Rows by name: struct tally_row, the name behind it. */
struct tally_names {
    struct map rows;
    struct tally_row others;
};

struct hunt_tally {
    const struct sigma_set *set;
    struct tally_row *rules; /* those of rules, then those of correlations */
    size_t rule_count;
    struct tally_names hosts;
    struct tally_names indicators;
};

int hunt_tally_new(const struct sigma_set *set, struct hunt_tally **ret_tally)
{
    struct hunt_tally *tally = mem_alloc(1, sizeof(*tally));
    uint64_t seed = 0;

    if (tally == NULL) {
        return -ERR_NOMEM;
    }
    (void)!getrandom(&seed, sizeof(seed), 0); /* of a hash: zeroes do too */
    tally->set = set;
    tally->rule_count = set->rule_count + set->correlation_count;
    tally->rules = mem_alloc(tally->rule_count + 1, sizeof(*tally->rules));
    map_init(&tally->hosts.rows, TALLY_HOSTS_MAX, seed);
    map_init(&tally->indicators.rows, TALLY_HOSTS_MAX, seed);
    if (tally->rules == NULL) {
        hunt_tally_free(tally);
        return -ERR_NOMEM;
    }
    *ret_tally = tally;
    return 0;
}

static void names_done(struct tally_names *names)
{
    struct tally_row *row;
    size_t cursor = 0;

    while ((row = map_next(&names->rows, &cursor)) != NULL) {
        mem_free(row);
    }
    map_done(&names->rows);
}

void hunt_tally_free(struct hunt_tally *tally)
{
    if (tally == NULL) {
        return;
    }
    names_done(&tally->hosts);
    names_done(&tally->indicators);
    mem_free(tally->rules);
    mem_free(tally);
}

static int tally_pack(uint32_t rule, struct str indicator, const struct entry *entry,
                      struct buf *hits)
{
    const struct str host = str_slice(entry->host, 0, ENTRY_NAME_MAX);
    const struct tally_hit hit = {.rule = rule,
                                  .host_len = (uint32_t)host.len,
                                  .indicator_len = (uint32_t)indicator.len,
                                  .time = entry->time};

    (void)buf_put(hits, &hit, sizeof(hit));
    (void)buf_put_str(hits, host);
    return buf_put_str(hits, indicator);
}

int hunt_tally_pack(uint32_t rule, const struct entry *entry, struct buf *hits)
{
    return tally_pack(rule, STR(""), entry, hits);
}

int hunt_tally_pack_indicator(struct str value, const struct entry *entry, struct buf *hits)
{
    return tally_pack(NO_RULE, str_slice(value, 0, ENTRY_NAME_MAX), entry, hits);
}

static void row_count(struct tally_row *row, uint64_t count, int64_t first, int64_t last)
{
    row->count += count;
    if (first != 0 && (row->first == 0 || first < row->first)) {
        row->first = first;
    }
    row->last = last > row->last ? last : row->last;
}

static int names_row(struct tally_names *names, struct str name, struct tally_row **ret_row)
{
    struct tally_row *row = map_get(&names->rows, name);
    int r;

    if (row == NULL && map_count(&names->rows) < TALLY_HOSTS_MAX) {
        row = mem_alloc(1, sizeof(*row) + name.len + 1);
        if (row == NULL) {
            return -ERR_NOMEM;
        }
        if (name.len != 0) {
            memcpy(row + 1, name.ptr, name.len);
        }
        row->name = str_of((const char *)(row + 1), name.len);
        row->place = map_count(&names->rows);
        r = map_put(&names->rows, row->name, row);
        if (r < 0) {
            mem_free(row);
            return r;
        }
    }
    *ret_row = row != NULL ? row : &names->others;
    return 0;
}

static void row_raise(struct tally_row *row, enum sigma_level level)
{
    row->level = level > row->level ? level : row->level;
}

static int names_count(struct tally_names *names, struct str name, int64_t time,
                       enum sigma_level level)
{
    struct tally_row *row = NULL;
    int r = names_row(names, name, &row);

    if (r == 0) {
        row_count(row, 1, time, time);
        row_raise(row, level);
    }
    return r;
}

int hunt_tally_take(struct hunt_tally *tally, struct str hits)
{
    int r = 0;

    while (r == 0 && hits.len != 0) {
        enum sigma_level level = SHEET_INDICATOR_LEVEL;
        struct tally_hit hit;
        struct str host;
        struct str indicator;

        memcpy(&hit, hits.ptr, sizeof(hit));
        hits = str_slice(hits, sizeof(hit), hits.len);
        host = str_slice(hits, 0, hit.host_len);
        indicator = str_slice(hits, hit.host_len, hit.host_len + hit.indicator_len);
        hits = str_slice(hits, hit.host_len + hit.indicator_len, hits.len);
        if (hit.rule == NO_RULE) {
            r = names_count(&tally->indicators, indicator, hit.time, level);
        } else {
            level = tally->set->rules[hit.rule].level;
            row_count(&tally->rules[hit.rule], 1, hit.time, hit.time);
        }
        r = r == 0 ? names_count(&tally->hosts, host, hit.time, level) : r;
    }
    return r;
}

void hunt_tally_add_correlated(struct hunt_tally *tally, const struct sigma_correlated *correlated)
{
    row_count(&tally->rules[tally->set->rule_count + correlated->correlation], 1, correlated->first,
              correlated->time);
}

/* ---- what is shown */

static int row_compare(const void *left, const void *right)
{
    const struct tally_row *a = left;
    const struct tally_row *b = right;

    if (a->level != b->level) {
        return a->level > b->level ? -1 : 1;
    }
    if (a->count != b->count) {
        return a->count > b->count ? -1 : 1;
    }
    return a->place < b->place ? -1 : 1;
}

struct tally_view {
    const struct sheet *sheet;
    const struct sigma_set *set;
    bool is_json;
    struct buf *out;
};

static void put_row_json(const struct tally_view *view, const char *key, struct str name,
                         const struct tally_row *row, struct str title)
{
    struct json_writer json;

    json_begin(&json, view->out);
    json_open_object(&json);
    json_put_key(&json, "summary");
    json_put_text(&json, key);
    json_put_key(&json, "name");
    json_put_str(&json, name);
    if (title.ptr != NULL) {
        json_put_key(&json, "title");
        json_put_str(&json, title);
    }
    json_put_key(&json, "level");
    json_put_text(&json, sigma_level_name(row->level));
    json_put_key(&json, "count");
    json_put_u64(&json, row->count);
    sheet_put_json_time(&json, "first", row->first);
    sheet_put_json_time(&json, "last", row->last);
    json_close_object(&json);
    (void)buf_put_byte(view->out, '\n');
}

static void put_row_table(const struct tally_view *view, struct str name,
                          const struct tally_row *row)
{
    (void)buf_putf(view->out, "%10llu  ", (unsigned long long)row->count);
    sheet_put_level(view->sheet, row->level, view->out);
    sheet_put_time(view->sheet, row->first, view->out);
    (void)buf_put_text(view->out, "  ");
    sheet_put_time(view->sheet, row->last, view->out);
    (void)buf_put_text(view->out, "  ");
    (void)buf_put_plain(view->out, name);
    (void)buf_put_byte(view->out, '\n');
}

static void put_heading(const struct tally_view *view, const char *what)
{
    const char *level = _("highest level");
    const char *first = _("first");
    const char *last = _("last");

    if (!view->is_json) {
        (void)buf_putf(view->out, "%*s%s  %s%*s%s%*s  %s%*s  %s\n", utf8_pad(_("matches"), 10), "",
                       _("matches"), level, utf8_pad(level, SHEET_LEVEL_WIDTH), "", first,
                       utf8_pad(first, 19), "", last, utf8_pad(last, 19), "", what);
    }
}

static void put_rules(const struct tally_view *view, struct tally_row *rows, size_t count)
{
    const struct sigma_set *set = view->set;

    put_heading(view, _("rule"));
    for (size_t i = 0; i < count && rows[i].count != 0; i++) {
        size_t place = rows[i].place;
        bool is_rule = place < set->rule_count;
        struct str id =
            is_rule ? set->rules[place].id : set->correlations[place - set->rule_count].id;
        struct str title =
            is_rule ? set->rules[place].title : set->correlations[place - set->rule_count].title;

        if (view->is_json) {
            put_row_json(view, "rule", id, &rows[i], title);
        } else {
            put_row_table(view, text_str(title), &rows[i]);
        }
    }
}

static void put_names(const struct tally_view *view, const char *key, const char *heading,
                      struct tally_row *rows, size_t count)
{
    if (count == 0) {
        return;
    }
    qsort(rows, count, sizeof(*rows), row_compare);
    (void)buf_put_text(view->out, view->is_json ? "" : "\n");
    put_heading(view, heading);
    for (size_t i = 0; i < count; i++) {
        struct str name = rows[i].name.len != 0 ? rows[i].name : str_from(_("(unknown)"));

        if (view->is_json) {
            put_row_json(view, key, rows[i].name, &rows[i], str_of(NULL, 0));
        } else {
            put_row_table(view, name, &rows[i]);
        }
    }
}

/* "attack.t1059.001", whatever the case. */
static bool is_technique(struct str tag)
{
    return tag.len > 9 && str_is_nocase(str_slice(tag, 0, 8), STR("attack.t")) &&
           tag.ptr[8] >= '0' && tag.ptr[8] <= '9';
}

struct techniques {
    struct tally_row rows[TECHNIQUES_MAX];
    size_t count;
};

static void add_techniques(struct techniques *techniques, const struct tally_row *row,
                           const struct str *tags, size_t tag_count)
{
    for (size_t i = 0; i < tag_count; i++) {
        struct str name = str_slice(tags[i], 7, tags[i].len);
        size_t k = 0;

        if (!is_technique(tags[i])) {
            continue;
        }
        while (k < techniques->count && !str_is_nocase(techniques->rows[k].name, name)) {
            k++;
        }
        if (k == TECHNIQUES_MAX) {
            continue;
        }
        if (k == techniques->count) {
            techniques->rows[techniques->count++] = (struct tally_row){.name = name, .place = k};
        }
        row_count(&techniques->rows[k], row->count, row->first, row->last);
        row_raise(&techniques->rows[k], row->level);
    }
}

static int put_techniques(const struct tally_view *view, const struct tally_row *rows, size_t count)
{
    CLEANUP(mem_freep) struct techniques *techniques = mem_alloc(1, sizeof(*techniques));
    const struct sigma_set *set = view->set;

    if (techniques == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < count && rows[i].count != 0; i++) {
        size_t place = rows[i].place;

        if (place < set->rule_count) {
            add_techniques(techniques, &rows[i], set->rules[place].tags,
                           set->rules[place].tag_count);
        } else {
            place -= set->rule_count;
            add_techniques(techniques, &rows[i], set->correlations[place].tags,
                           set->correlations[place].tag_count);
        }
    }
    put_names(view, "technique", _("technique of ATT&CK"), techniques->rows, techniques->count);
    return 0;
}

static int put_named(const struct tally_view *view, const char *key, const char *heading,
                     struct tally_names *names)
{
    size_t count = map_count(&names->rows);
    CLEANUP(mem_freep) struct tally_row *rows = mem_alloc(count + 2, sizeof(*rows));
    const struct tally_row *row;
    size_t cursor = 0;
    size_t filled = 0;

    if (rows == NULL) {
        return -ERR_NOMEM;
    }
    while ((row = map_next(&names->rows, &cursor)) != NULL) {
        rows[filled++] = *row;
    }
    if (names->others.count != 0) {
        names->others.name = str_from(_("(others)"));
        rows[filled++] = names->others;
    }
    put_names(view, key, heading, rows, filled);
    return 0;
}

int hunt_tally_put(struct hunt_tally *tally, const struct sheet *sheet, bool is_json,
                   struct buf *out)
{
    const struct tally_view view = {
        .sheet = sheet, .set = tally->set, .is_json = is_json, .out = out};
    int r;

    for (size_t i = 0; i < tally->rule_count; i++) {
        tally->rules[i].place = i;
        tally->rules[i].level = i < tally->set->rule_count
                                    ? tally->set->rules[i].level
                                    : tally->set->correlations[i - tally->set->rule_count].level;
        tally->rules[i].level = tally->rules[i].count != 0 ? tally->rules[i].level : 0;
    }
    qsort(tally->rules, tally->rule_count, sizeof(*tally->rules), row_compare);
    put_rules(&view, tally->rules, tally->rule_count);
    r = put_named(&view, "indicator", _("indicator"), &tally->indicators);
    r = r == 0 ? put_named(&view, "host", _("host"), &tally->hosts) : r;
    r = r == 0 ? put_techniques(&view, tally->rules, tally->rule_count) : r;
    return r == 0 ? buf_error(out) : r;
}
