/* See chain.h. A packed match is a struct chain_link, its rules, and for each field a struct
 * chain_field with the value behind it. */
#include "cli/hunt/chain.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"

#include <sys/random.h>

#define CHAIN_KEEP_MAX  (256u << 20) /* bytes of packed matches that wait to be sorted */
#define CHAIN_COUNT_MAX (8u << 20)
#define CHAIN_NAMES_MAX 65536
#define CHAIN_FILES_MAX (1u << 20)
#define FIELD_VALUE_MAX 4096 /* bytes of a value that groups; two that differ behind it are one */

struct chain_link {
    uint32_t size; /* with all that stands behind */
    uint32_t rule_count;
    uint32_t field_count;
    uint64_t line;
    int64_t time;
};

struct chain_field {
    uint32_t name; /* its number in `wanted` */
    uint32_t len;
    uint32_t type;
};

struct chain_kept {
    int64_t time;
    size_t offset;
    uint64_t tag; /* in the order of reading */
};

/* Where the match of a tag stands: tags are given in turn. */
struct chain_place {
    const char *path;
    uint64_t line;
};

struct hunt_chain {
    const struct sigma_set *set;
    const struct entry_names *names;
    struct chain_port port;
    struct sigma_correlator *correlator; /* NULL: the set has no correlation */
    struct entry_names *wanted;
    bool *is_wanted; /* by rule */
    struct buf packed;
    struct buf kept;   /* struct chain_kept */
    struct buf places; /* struct chain_place, by tag */
    struct buf paths;  /* char *, owned */
    int64_t last;      /* of the file being read: for entries without a time */
    size_t last_file;
    struct entry entry;
    struct sigma_correlator_stats stats;
};

/* ---- what correlations ask for */

static int want_names(struct hunt_chain *chain, const struct str *names, size_t count)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        uint32_t id;

        r = names[i].len != 0 ? entry_names_add(chain->wanted, names[i], &id) : 0;
    }
    return r;
}

static int want_correlation(struct hunt_chain *chain, const struct sigma_correlation *correlation)
{
    int r = want_names(chain, correlation->group_by, correlation->group_count);

    r = r == 0 ? want_names(chain, correlation->bounds.fields, correlation->bounds.field_count) : r;
    for (size_t i = 0; r == 0 && i < correlation->alias_count; i++) {
        r = want_names(chain, correlation->aliases[i].fields, correlation->part_count);
    }
    for (size_t i = 0; i < correlation->part_count; i++) {
        if (!correlation->parts[i].is_correlation) {
            chain->is_wanted[correlation->parts[i].index] = true;
        }
    }
    return r;
}

int hunt_chain_new(const struct sigma_set *set, const struct entry_names *names,
                   const struct chain_port *port, struct hunt_chain **ret_chain)
{
    struct hunt_chain *chain = mem_alloc(1, sizeof(*chain));
    struct sigma_correlator_options options = {0};
    int r;

    if (chain == NULL) {
        return -ERR_NOMEM;
    }
    (void)!getrandom(&options.seed, sizeof(options.seed), 0); /* of a hash: zeroes do too */
    chain->set = set;
    chain->names = names;
    chain->port = *port;
    chain->last_file = SIZE_MAX;
    buf_init(&chain->packed, CHAIN_KEEP_MAX);
    buf_init(&chain->kept, CHAIN_COUNT_MAX * sizeof(struct chain_kept));
    buf_init(&chain->places, CHAIN_COUNT_MAX * sizeof(struct chain_place));
    buf_init(&chain->paths, CHAIN_FILES_MAX * sizeof(char *));
    entry_init(&chain->entry);
    chain->is_wanted = mem_alloc(set->rule_count + 1, sizeof(bool));
    r = chain->is_wanted == NULL ? -ERR_NOMEM : entry_names_new(CHAIN_NAMES_MAX, &chain->wanted);
    for (size_t i = 0; r == 0 && i < set->correlation_count; i++) {
        r = want_correlation(chain, &set->correlations[i]);
    }
    if (r == 0 && set->correlation_count != 0) {
        r = sigma_correlator_new(set, names, &options, &chain->correlator);
    }
    if (r < 0) {
        hunt_chain_free(chain);
        return r;
    }
    *ret_chain = chain;
    return 0;
}

static void chain_forget_paths(struct hunt_chain *chain)
{
    char **paths = (char **)(void *)chain->paths.ptr;

    for (size_t i = 0; i < chain->paths.len / sizeof(*paths); i++) {
        mem_free(paths[i]);
    }
    buf_reset(&chain->paths);
    chain->last_file = SIZE_MAX;
}

void hunt_chain_free(struct hunt_chain *chain)
{
    if (chain == NULL) {
        return;
    }
    chain_forget_paths(chain);
    sigma_correlator_free(chain->correlator);
    entry_names_free(chain->wanted);
    mem_free(chain->is_wanted);
    buf_done(&chain->packed);
    buf_done(&chain->kept);
    buf_done(&chain->places);
    buf_done(&chain->paths);
    entry_done(&chain->entry);
    mem_free(chain);
}

void hunt_chain_freep(struct hunt_chain **chain)
{
    hunt_chain_free(*chain);
}

/* ---- packing */

static int pack_fields(const struct hunt_chain *chain, const struct entry *entry,
                       struct arena *arena, struct buf *links, uint32_t *ret_count)
{
    uint32_t count = 0;

    for (size_t i = 0; i < entry->count; i++) {
        uint32_t name = entry_names_find(chain->wanted, entry->fields[i].name);
        struct chain_field field = {.name = name, .type = entry->fields[i].type};
        struct str value;
        int r;

        if (name == 0) {
            continue;
        }
        r = entry_field_text(&entry->fields[i], arena, &value);
        if (r < 0) {
            return r;
        }
        value = str_slice(value, 0, FIELD_VALUE_MAX);
        field.len = (uint32_t)value.len;
        (void)buf_put(links, &field, sizeof(field));
        (void)buf_put_str(links, value);
        count++;
    }
    *ret_count = count;
    return buf_error(links);
}

int hunt_chain_pack(const struct hunt_chain *chain, const struct entry *entry, struct arena *arena,
                    const uint32_t *rules, size_t count, struct buf *links)
{
    struct chain_link link = {.line = entry->number, .time = entry->time};
    size_t start = links->len;
    int r;

    if (chain->correlator == NULL) {
        return 0;
    }
    (void)buf_put(links, &link, sizeof(link));
    for (size_t i = 0; i < count; i++) {
        if (chain->is_wanted[rules[i]]) {
            (void)buf_put(links, &rules[i], sizeof(rules[i]));
            link.rule_count++;
        }
    }
    if (link.rule_count == 0) {
        links->len = start;
        return buf_error(links);
    }
    r = pack_fields(chain, entry, arena, links, &link.field_count);
    (void)buf_put(links, "\0\0\0\0\0\0\0",
                  (8 - (links->len - start) % 8) % 8); /* the next is aligned */
    if (r == 0) {
        r = buf_error(links);
    }
    if (r == 0) {
        link.size = (uint32_t)(links->len - start);
        memcpy(links->ptr + start, &link, sizeof(link));
    }
    return r;
}

/* ---- correlating */

static int chain_told(void *context, const struct sigma_correlated *correlated)
{
    struct hunt_chain *chain = context;
    const struct chain_place *places = (const struct chain_place *)(void *)chain->places.ptr;
    const char *paths[SIGMA_KEEP_MAX];
    uint64_t lines[SIGMA_KEEP_MAX];

    for (size_t i = 0; i < correlated->cause_count; i++) {
        paths[i] = places[correlated->causes[i].tag].path;
        lines[i] = places[correlated->causes[i].tag].line;
    }
    return chain->port.told(chain->port.context, correlated, paths, lines);
}

static int chain_feed(struct hunt_chain *chain, const struct chain_kept *kept)
{
    const char *at = chain->packed.ptr + kept->offset;
    const uint32_t *rules;
    struct chain_link link;

    memcpy(&link, at, sizeof(link));
    rules = (const uint32_t *)(const void *)(at + sizeof(link));
    at += sizeof(link) + link.rule_count * sizeof(*rules);
    entry_reset(&chain->entry);
    chain->entry.time = kept->time;
    chain->entry.number = link.line;
    for (uint32_t i = 0; i < link.field_count; i++) {
        struct chain_field field;
        struct entry_field given = {0};
        int r;

        memcpy(&field, at, sizeof(field));
        given.name = entry_names_get(chain->wanted, field.name);
        given.id = entry_names_find(chain->names, given.name);
        given.type = (uint8_t)field.type;
        given.value = str_of(at + sizeof(field), field.len);
        at += sizeof(field) + field.len;
        r = entry_add(&chain->entry, &given);
        if (r < 0) {
            return r;
        }
    }
    return sigma_correlate(chain->correlator, &chain->entry, kept->tag, rules, link.rule_count,
                           chain_told, chain);
}

static int kept_compare(const void *left, const void *right)
{
    const struct chain_kept *a = left;
    const struct chain_kept *b = right;

    if (a->time != b->time) {
        return a->time < b->time ? -1 : 1;
    }
    return a->tag < b->tag ? -1 : 1;
}

/* Tags stay with the correlator as long as it keeps their matches, so places stay too. */
static int chain_flush(struct hunt_chain *chain)
{
    struct chain_kept *kept = (struct chain_kept *)(void *)chain->kept.ptr;
    size_t count = chain->kept.len / sizeof(*kept);
    int r = 0;

    if (count > 1) {
        qsort(kept, count, sizeof(*kept), kept_compare);
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = chain_feed(chain, &kept[i]);
    }
    buf_reset(&chain->kept);
    buf_reset(&chain->packed);
    return r;
}

static const char *chain_path(struct hunt_chain *chain, const struct hunt_file *file)
{
    char *const *paths;
    char *path;

    if (chain->last_file != file->place) {
        path = mem_dup(file->path, strlen(file->path));
        if (path == NULL || buf_put(&chain->paths, &path, sizeof(path)) < 0) {
            mem_free(path);
            return NULL;
        }
        chain->last_file = file->place;
        chain->last = 0;
    }
    paths = (char *const *)(void *)(chain->paths.ptr + chain->paths.len - sizeof(path));
    return *paths;
}

static int chain_keep(struct hunt_chain *chain, const struct chain_link *link, const char *bytes,
                      const struct hunt_file *file)
{
    struct chain_place place = {.path = chain_path(chain, file), .line = link->line};
    struct chain_kept kept = {.time = link->time, .tag = chain->places.len / sizeof(place)};

    if (place.path == NULL) {
        return -ERR_NOMEM;
    }
    kept.time = kept.time != 0 ? kept.time : chain->last;
    chain->last = kept.time;
    kept.offset = chain->packed.len;
    (void)buf_put(&chain->packed, bytes, link->size);
    (void)buf_put(&chain->kept, &kept, sizeof(kept));
    (void)buf_put(&chain->places, &place, sizeof(place));
    if (buf_error(&chain->packed) < 0 || buf_error(&chain->kept) < 0) {
        return -ERR_LIMIT;
    }
    return buf_error(&chain->places);
}

int hunt_chain_take(struct hunt_chain *chain, struct str links, const struct hunt_file *file,
                    bool is_live)
{
    int r = 0;

    while (r == 0 && links.len != 0) {
        struct chain_link link;

        memcpy(&link, links.ptr, sizeof(link));
        if (chain->packed.len + link.size > chain->packed.limit) {
            r = chain_flush(chain);
        }
        r = r == 0 ? chain_keep(chain, &link, links.ptr, file) : r;
        links = str_slice(links, link.size, links.len);
    }
    return r == 0 && is_live ? chain_flush(chain) : r;
}

int hunt_chain_finish(struct hunt_chain *chain)
{
    return chain_flush(chain);
}

void hunt_chain_stats(const struct hunt_chain *chain, struct sigma_correlator_stats *ret_stats)
{
    *ret_stats = (struct sigma_correlator_stats){0};
    if (chain->correlator != NULL) {
        sigma_correlator_stats(chain->correlator, ret_stats);
    }
}
