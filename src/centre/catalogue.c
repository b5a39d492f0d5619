/* See centre/catalogue.h. Neighbours: detector/rulebook.c writes, core/rule.c and api/rule.c read.
 */
#include "centre/catalogue.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "centre/detector.h"
#include "codec/cbor.h"
#include "detect/sigma/pack.h"

#define CATALOGUE_VERSION 2
#define RULES_UNDER_MAX   64
#define CHAIN_MAX         16
#define PACK_FILES_MAX    4096
#define FLAG_CORRELATION  1U
#define FLAG_SILENT       2U

/* ---- writing ---- */

struct pack_names {
    struct str names[PACK_FILES_MAX];
    size_t count;
};

static void pack_names_read(struct pack_names *pack)
{
    struct str rest = sigma_pack();
    struct str text;

    pack->count = 0;
    while (pack->count < PACK_FILES_MAX &&
           sigma_pack_next(&rest, &pack->names[pack->count], &text)) {
        pack->count++;
    }
}

static enum catalogue_source source_of(const struct pack_names *pack, struct str file)
{
    if (str_has_prefix(file, STR(DETECTOR_OWN_PREFIX))) {
        return CATALOGUE_SOURCE_OWN;
    }
    for (size_t i = 0; i < pack->count; i++) {
        if (str_is(pack->names[i], file)) {
            return CATALOGUE_SOURCE_BUILT_IN;
        }
    }
    return CATALOGUE_SOURCE_FILE;
}

/* Rules under a correlation, and what each calls a field of its groups. */
struct under {
    const struct sigma_set *set;
    uint32_t rules[RULES_UNDER_MAX];
    size_t rule_count;
    struct str fields[RULES_UNDER_MAX];
    size_t field_count;
};

static void under_add_field(struct under *under, struct str field)
{
    for (size_t i = 0; i < under->field_count; i++) {
        if (str_is(under->fields[i], field)) {
            return;
        }
    }
    if (under->field_count < RULES_UNDER_MAX) {
        under->fields[under->field_count++] = field;
    }
}

static struct str part_field(const struct sigma_correlation *rule, size_t part, struct str name)
{
    for (size_t i = 0; i < rule->alias_count; i++) {
        if (str_is(rule->aliases[i].name, name) && rule->aliases[i].fields[part].len != 0) {
            return rule->aliases[i].fields[part];
        }
    }
    return name;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most CHAIN_MAX deep */
static void under_gather(struct under *under, const struct sigma_correlation *rule,
                         struct str field, size_t depth)
{
    for (size_t i = 0; i < rule->part_count && depth < CHAIN_MAX; i++) {
        const struct sigma_part_of *part = &rule->parts[i];
        struct str own = field.len != 0 ? part_field(rule, i, field) : field;
        bool is_known = part->is_correlation;

        if (part->is_correlation) {
            under_gather(under, &under->set->correlations[part->index], own, depth + 1);
        } else if (own.len != 0) {
            under_add_field(under, own);
        }
        for (size_t j = 0; j < under->rule_count; j++) {
            is_known = is_known || under->rules[j] == part->index;
        }
        if (!is_known && under->rule_count < RULES_UNDER_MAX) {
            under->rules[under->rule_count++] = part->index;
        }
    }
}

static void write_under(const struct sigma_set *set, const struct sigma_correlation *rule,
                        struct buf *buf)
{
    struct under under = {.set = set};

    under_gather(&under, rule, STR(""), 0);
    cbor_put_array(buf, under.rule_count);
    for (size_t i = 0; i < under.rule_count; i++) {
        const struct sigma_rule *part = &set->rules[under.rules[i]];

        cbor_put_text(buf, part->id.len != 0 ? part->id : part->name);
    }
    cbor_put_array(buf, rule->group_count);
    for (size_t i = 0; i < rule->group_count; i++) {
        under.field_count = 0;
        under_gather(&under, rule, rule->group_by[i], 0);
        cbor_put_array(buf, 2);
        cbor_put_text(buf, rule->group_by[i]);
        cbor_put_array(buf, under.field_count);
        for (size_t j = 0; j < under.field_count; j++) {
            cbor_put_text(buf, under.fields[j]);
        }
    }
}

struct heading {
    enum catalogue_source source;
    struct str id, title, description, file;
    const struct str *false_positives, *tags;
    size_t false_positive_count, tag_count;
    enum sigma_level level;
    uint32_t line;
    unsigned flags;
    struct logsource logsource;
};

static void write_text(struct str text, struct buf *buf)
{
    struct str cut = str_slice(text, 0, CATALOGUE_TEXT_MAX);

    cbor_put_text(buf, str_slice(cut, 0, utf8_valid_prefix(cut)));
}

static void write_texts(const struct str *texts, size_t count, struct buf *buf)
{
    count = count < CATALOGUE_LIST_MAX ? count : CATALOGUE_LIST_MAX;
    cbor_put_array(buf, count);
    for (size_t i = 0; i < count; i++) {
        write_text(texts[i], buf);
    }
}

static void write_heading(const struct heading *heading, struct buf *buf)
{
    cbor_put_array(buf, 15);
    cbor_put_text(buf, heading->id);
    cbor_put_text(buf, heading->title);
    write_text(heading->description, buf);
    write_texts(heading->false_positives, heading->false_positive_count, buf);
    write_texts(heading->tags, heading->tag_count, buf);
    cbor_put_u64(buf, heading->level);
    cbor_put_u64(buf, heading->source);
    cbor_put_text(buf, heading->file);
    cbor_put_u64(buf, heading->line);
    cbor_put_u64(buf, heading->flags);
    cbor_put_text(buf, heading->logsource.product);
    cbor_put_text(buf, heading->logsource.category);
    cbor_put_text(buf, heading->logsource.service);
}

static void write_rule(const struct sigma_rule *rule, enum catalogue_source source, struct buf *buf)
{
    write_heading(&(struct heading){.source = source,
                                    .id = rule->id,
                                    .title = rule->title,
                                    .description = rule->description,
                                    .false_positives = rule->false_positives,
                                    .false_positive_count = rule->false_positive_count,
                                    .tags = rule->tags,
                                    .tag_count = rule->tag_count,
                                    .file = rule->file,
                                    .level = rule->level,
                                    .line = rule->line,
                                    .flags = rule->is_silent ? FLAG_SILENT : 0,
                                    .logsource = rule->source},
                  buf);
    cbor_put_array(buf, 0);
    cbor_put_array(buf, 0);
}

static void write_correlation(const struct sigma_set *set, const struct sigma_correlation *rule,
                              enum catalogue_source source, struct buf *buf)
{
    write_heading(
        &(struct heading){.source = source,
                          .id = rule->id,
                          .title = rule->title,
                          .description = rule->description,
                          .false_positives = rule->false_positives,
                          .false_positive_count = rule->false_positive_count,
                          .tags = rule->tags,
                          .tag_count = rule->tag_count,
                          .file = rule->file,
                          .level = rule->level,
                          .line = rule->line,
                          .flags = FLAG_CORRELATION | (rule->is_silent ? FLAG_SILENT : 0)},
        buf);
    write_under(set, rule, buf);
}

static void write_refusals(const struct sigma_set *set, struct buf *buf)
{
    size_t named =
        set->refusal_count < DETECTOR_REFUSED_MAX ? set->refusal_count : DETECTOR_REFUSED_MAX;
    uint64_t refused = 0;

    for (size_t i = 0; i < set->refusal_count; i++) {
        refused += set->refusals[i].is_warning ? 0U : 1U;
    }
    cbor_put_u64(buf, refused);
    cbor_put_array(buf, named);
    for (size_t i = 0; i < named; i++) {
        const struct sigma_refusal *refusal = &set->refusals[i];

        cbor_put_array(buf, 6);
        cbor_put_text(buf, refusal->file);
        cbor_put_u64(buf, refusal->line);
        cbor_put_text(buf, refusal->title);
        cbor_put_text(buf, refusal->reason);
        cbor_put_text(buf, refusal->remedy);
        cbor_put_bool(buf, refusal->is_warning);
    }
}

int catalogue_write(const struct sigma_set *set, uint64_t content, struct buf *buf)
{
    CLEANUP(mem_freep) struct pack_names *pack = mem_alloc(1, sizeof(*pack));

    if (pack == NULL) {
        return -ERR_NOMEM;
    }
    pack_names_read(pack);
    cbor_put_array(buf, 6);
    cbor_put_u64(buf, CATALOGUE_VERSION);
    cbor_put_u64(buf, content);
    cbor_put_u64(buf, set->version);
    write_refusals(set, buf);
    cbor_put_array(buf, sigma_set_written(set) + set->correlation_count);
    for (size_t i = 0; i < set->rule_count; i++) {
        if (sigma_rule_is_written(&set->rules[i])) {
            write_rule(&set->rules[i], source_of(pack, set->rules[i].file), buf);
        }
    }
    for (size_t i = 0; i < set->correlation_count; i++) {
        write_correlation(set, &set->correlations[i], source_of(pack, set->correlations[i].file),
                          buf);
    }
    return buf_error(buf);
}

/* ---- reading ---- */

static const struct str *read_texts(struct cbor_reader *reader, struct arena *arena,
                                    size_t *ret_count)
{
    size_t count = cbor_get_array(reader);
    struct str *texts = arena_alloc(arena, count + 1, sizeof(*texts));

    if (texts == NULL) {
        cbor_fail(reader, -ERR_NOMEM);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        texts[i] = cbor_get_text(reader);
    }
    *ret_count = count;
    return texts;
}

static void read_groups(struct cbor_reader *reader, struct arena *arena,
                        struct catalogue_rule *rule)
{
    size_t count = cbor_get_array(reader);
    struct catalogue_group *groups = arena_alloc(arena, count + 1, sizeof(*groups));

    if (groups == NULL) {
        cbor_fail(reader, -ERR_NOMEM);
        return;
    }
    for (size_t i = 0; i < count && reader->error == 0; i++) {
        if (cbor_get_array(reader) != 2) {
            cbor_fail(reader, -ERR_CORRUPT);
        }
        groups[i].name = cbor_get_text(reader);
        groups[i].fields = read_texts(reader, arena, &groups[i].field_count);
    }
    rule->groups = groups;
    rule->group_count = count;
}

static void read_rule(struct cbor_reader *reader, struct arena *arena, struct catalogue_rule *rule)
{
    size_t items = cbor_get_array(reader);
    uint64_t level;
    uint64_t source;
    uint64_t flags;

    rule->id = cbor_get_text(reader);
    rule->title = cbor_get_text(reader);
    rule->description = cbor_get_text(reader);
    rule->false_positives = read_texts(reader, arena, &rule->false_positive_count);
    rule->tags = read_texts(reader, arena, &rule->tag_count);
    level = cbor_get_u64(reader);
    source = cbor_get_u64(reader);
    rule->file = cbor_get_text(reader);
    rule->line = (uint32_t)cbor_get_u64(reader);
    flags = cbor_get_u64(reader);
    rule->logsource.product = cbor_get_text(reader);
    rule->logsource.category = cbor_get_text(reader);
    rule->logsource.service = cbor_get_text(reader);
    rule->rules = read_texts(reader, arena, &rule->rule_count);
    read_groups(reader, arena, rule);
    if (items != 15 || level >= SIGMA_LEVEL_COUNT || source >= CATALOGUE_SOURCE_COUNT) {
        cbor_fail(reader, -ERR_CORRUPT);
        return;
    }
    rule->level = (uint32_t)level;
    rule->source = (enum catalogue_source)source;
    rule->is_correlation = (flags & FLAG_CORRELATION) != 0;
    rule->is_silent = (flags & FLAG_SILENT) != 0;
}

static void read_refusals(struct cbor_reader *reader, struct arena *arena,
                          struct catalogue *catalogue)
{
    struct catalogue_refusal *refusals;

    catalogue->refused = cbor_get_u64(reader);
    catalogue->refusal_count = cbor_get_array(reader);
    refusals = arena_alloc(arena, catalogue->refusal_count + 1, sizeof(*refusals));
    if (refusals == NULL) {
        cbor_fail(reader, -ERR_NOMEM);
        return;
    }
    for (size_t i = 0; i < catalogue->refusal_count && reader->error == 0; i++) {
        if (cbor_get_array(reader) != 6) {
            cbor_fail(reader, -ERR_CORRUPT);
        }
        refusals[i].file = cbor_get_text(reader);
        refusals[i].line = (uint32_t)cbor_get_u64(reader);
        refusals[i].title = cbor_get_text(reader);
        refusals[i].reason = cbor_get_text(reader);
        refusals[i].remedy = cbor_get_text(reader);
        refusals[i].is_warning = cbor_get_bool(reader);
    }
    catalogue->refusals = refusals;
}

int catalogue_read(struct str bytes, struct arena *arena, struct catalogue *ret_catalogue)
{
    struct catalogue catalogue = {0};
    struct catalogue_rule *rules;
    struct cbor_reader reader;

    cbor_open(&reader, bytes);
    if (cbor_get_array(&reader) != 6) {
        return -ERR_CORRUPT;
    }
    if (cbor_get_u64(&reader) != CATALOGUE_VERSION) {
        *ret_catalogue = catalogue;
        return reader.error;
    }
    catalogue.content = cbor_get_u64(&reader);
    catalogue.version = cbor_get_u64(&reader);
    read_refusals(&reader, arena, &catalogue);
    catalogue.rule_count = cbor_get_array(&reader);
    rules = arena_alloc(arena, catalogue.rule_count + 1, sizeof(*rules));
    if (rules == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < catalogue.rule_count && reader.error == 0; i++) {
        read_rule(&reader, arena, &rules[i]);
    }
    catalogue.rules = rules;
    if (reader.error == -ERR_NOMEM) {
        return -ERR_NOMEM;
    }
    if (cbor_close(&reader) < 0) {
        return -ERR_CORRUPT;
    }
    *ret_catalogue = catalogue;
    return 0;
}

const struct catalogue_rule *catalogue_find(const struct catalogue *catalogue, struct str id)
{
    for (size_t i = 0; i < catalogue->rule_count && id.len != 0; i++) {
        const struct catalogue_rule *rule = &catalogue->rules[i];

        if (str_is(rule->id.len != 0 ? rule->id : rule->title, id)) {
            return rule;
        }
    }
    return NULL;
}
