/* The judge of logs as others build it: entries are rows of SQLite, each rule is a query over all
 * of them. sigma-sqlite RULES LOG [entries]: prints entries a second of processor time, by the
 * rules that can be said in SQL (patterns, numbers, null; no keywords, regexes or networks). */
#include "base/buf.h"
#include "base/cleanup.h"
#include "codec/logs.h"
#include "detect/sigma/engine.h"
#include "load.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUERY_MAX   (4U << 20)
#define COLUMNS_MAX 1900 /* of the 2,000 that SQLite takes */
#define BLOCK_SIZE  (4U << 20)

struct table {
    sqlite3 *base;
    sqlite3_stmt *insert;
    const struct entry_names *names;
    struct arena *arena;
    uint32_t columns;
    unsigned long left;
    unsigned long rows;
};

static void must(bool is_so, const char *what)
{
    if (!is_so) {
        (void)fprintf(stderr, "sigma-sqlite: %s\n", what);
        exit(3);
    }
}

/* ---- queries ---- */

static void put_literal(struct buf *out, struct str text)
{
    for (size_t at = 0; at < text.len; at++) {
        if (memchr("%_~", (unsigned char)text.ptr[at], 3) != NULL) {
            buf_put_byte(out, '~');
        }
        buf_put_byte(out, (unsigned char)text.ptr[at]);
        if (text.ptr[at] == '\'') {
            buf_put_byte(out, '\'');
        }
    }
}

static bool put_atom(struct buf *out, const struct table *table, const struct sigma_atom *atom)
{
    uint32_t id = atom->field.len != 0 ? entry_names_find(table->names, atom->field) : 0;

    if (id == 0 || id > table->columns) {
        return false;
    }
    if (atom->match == SIGMA_MATCH_NUMBER) {
        buf_putf(out, "c%u = '%.17g'", id, atom->number);
    } else if (atom->match == SIGMA_MATCH_NULL) {
        buf_putf(out, "c%u IS NULL", id);
    } else if (atom->match == SIGMA_MATCH_PATTERN) {
        buf_putf(out, "c%u LIKE '", id);
        for (size_t i = 0; i < atom->part_count; i++) {
            if (atom->parts[i].kind == SIGMA_PART_LITERAL) {
                put_literal(out, atom->parts[i].text);
            } else {
                buf_put_byte(out, atom->parts[i].kind == SIGMA_PART_ANY ? '%' : '_');
            }
        }
        buf_put_text(out, "' ESCAPE '~'");
    } else {
        return false;
    }
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): the loader limits the depth */
static bool put_node(struct buf *out, const struct table *table, const struct sigma_node *node)
{
    bool is_and = node->kind == SIGMA_NODE_AND;

    if (node->kind == SIGMA_NODE_ATOM) {
        return put_atom(out, table, node->atom);
    }
    if (node->kind == SIGMA_NODE_NOT) {
        buf_put_text(out, "NOT ifnull((");
    } else {
        buf_put_text(out, is_and ? "(1" : "(0");
    }
    for (size_t i = 0; i < node->child_count; i++) {
        if (node->kind != SIGMA_NODE_NOT) {
            buf_put_text(out, is_and ? " AND " : " OR ");
        }
        if (!put_node(out, table, node->children[i])) {
            return false;
        }
    }
    buf_put_text(out, node->kind == SIGMA_NODE_NOT ? "), 0)" : ")");
    return true;
}

static void put_part(struct buf *out, const char *column, struct str part)
{
    if (part.len != 0) {
        buf_putf(out, " AND %s = '%.*s'", column, STR_ARG(part));
    }
}

static bool put_rule(struct buf *out, const struct table *table, const struct sigma_rule *rule)
{
    buf_put_text(out, "SELECT count(*) FROM entries WHERE 0");
    for (size_t i = 0; i < rule->way_count; i++) {
        buf_put_text(out, " OR (1");
        put_part(out, "product", rule->ways[i].source.product);
        put_part(out, "category", rule->ways[i].source.category);
        put_part(out, "service", rule->ways[i].source.service);
        buf_put_text(out, " AND ");
        if (!put_node(out, table, rule->ways[i].root)) {
            return false;
        }
        buf_put_byte(out, ')');
    }
    buf_put_byte(out, '\0');
    return buf_error(out) == 0;
}

/* Matches; -1: this rule cannot be said. */
static int64_t rule_ask(const struct table *table, const struct sigma_rule *rule)
{
    CLEANUP(buf_done) struct buf text;
    sqlite3_stmt *query = NULL;
    int64_t found = -1;

    buf_init(&text, QUERY_MAX);
    if (put_rule(&text, table, rule) &&
        sqlite3_prepare_v2(table->base, buf_str(&text).ptr, -1, &query, NULL) == SQLITE_OK &&
        sqlite3_step(query) == SQLITE_ROW) {
        found = sqlite3_column_int64(query, 0);
    }
    (void)sqlite3_finalize(query);
    return found;
}

/* ---- rows ---- */

static void table_open(struct table *table)
{
    CLEANUP(buf_done) struct buf create;
    CLEANUP(buf_done) struct buf insert;
    size_t count = entry_names_count(table->names);

    buf_init(&create, QUERY_MAX);
    buf_init(&insert, QUERY_MAX);
    table->columns = (uint32_t)(count < COLUMNS_MAX ? count : COLUMNS_MAX);
    buf_put_text(&create, "CREATE TABLE entries (product, category, service");
    buf_put_text(&insert, "INSERT INTO entries VALUES (?, ?, ?");
    for (uint32_t id = 1; id <= table->columns; id++) {
        buf_putf(&create, ", c%u", id);
        buf_put_text(&insert, ", ?");
    }
    buf_put_str(&create, str_of(")", 2));
    buf_put_str(&insert, str_of(")", 2));
    must(sqlite3_open(":memory:", &table->base) == SQLITE_OK &&
             sqlite3_exec(table->base, buf_str(&create).ptr, NULL, NULL, NULL) == SQLITE_OK &&
             sqlite3_prepare_v2(table->base, buf_str(&insert).ptr, -1, &table->insert, NULL) ==
                 SQLITE_OK,
         "no table");
}

static void bind(struct table *table, int column, struct str text)
{
    must(sqlite3_bind_text(table->insert, column, text.ptr != NULL ? text.ptr : "", (int)text.len,
                           SQLITE_TRANSIENT) == SQLITE_OK,
         "no value");
}

static int take(void *context, const struct entry *entry)
{
    struct table *table = context;

    if (table->left == 0) {
        return 0;
    }
    table->left--;
    table->rows++;
    arena_reset(table->arena);
    (void)sqlite3_reset(table->insert);
    (void)sqlite3_clear_bindings(table->insert);
    bind(table, 1, entry->source.product);
    bind(table, 2, entry->source.category);
    bind(table, 3, entry->source.service);
    for (size_t i = 0; i < entry->count; i++) {
        const struct entry_field *field = &entry->fields[i];
        struct str text;

        if (field->id != 0 && field->id <= table->columns && field->type != ENTRY_TYPE_NULL &&
            entry_field_text(field, table->arena, &text) == 0) {
            bind(table, (int)field->id + 3, text);
        }
    }
    must(sqlite3_step(table->insert) == SQLITE_DONE, "no row");
    return 0;
}

static void rows_take(struct table *table, struct str log)
{
    const struct log_format *format = log_format_guess(str_slice(log, 0, LOG_HEAD_SIZE));
    struct log_reading reading;

    must(log_reading_init(&reading, table->names) == 0, "no reading");
    while (log.len > 0 && table->left != 0) {
        size_t len = format->cut(str_slice(log, 0, BLOCK_SIZE), log.len <= BLOCK_SIZE);

        if (len == 0 || format->read(&reading, str_slice(log, 0, len), take, table) < 0) {
            break;
        }
        log = str_slice(log, len, log.len);
    }
    log_reading_done(&reading);
}

int main(int argc, char **argv)
{
    CLEANUP(sigma_engine_freep) struct sigma_engine *engine = NULL;
    struct table table = {.left = argc > 3 ? strtoul(argv[3], NULL, 10) : 20000};
    const struct sigma_set *set;
    int64_t start;
    int64_t spent;
    size_t said = 0;
    int64_t matches = 0;

    must(argc > 2, "usage: sigma-sqlite RULES LOG [entries]");
    set = bench_rules(argv[1]);
    must(set != NULL && sigma_engine_new(set, &engine, &(struct diag){{0}}) == 0, "no rules");
    must(arena_new(64U << 20, &table.arena) == 0, "no memory");
    table.names = sigma_engine_names(engine);
    table_open(&table);
    start = bench_now();
    rows_take(&table, bench_map(argv[2]));
    for (size_t i = 0; i < set->rule_count; i++) {
        int64_t found = rule_ask(&table, &set->rules[i]);

        said += found >= 0;
        matches += found > 0 ? found : 0;
    }
    spent = bench_now() - start;
    printf("%.0f entries/s, %lu entries, %zu of %zu rules can be said, %lld matches\n",
           (double)table.rows * 1e9 / (double)spent, table.rows, said, set->rule_count,
           (long long)matches);
    (void)sqlite3_finalize(table.insert);
    (void)sqlite3_close(table.base);
    arena_free(table.arena);
    return 0;
}
