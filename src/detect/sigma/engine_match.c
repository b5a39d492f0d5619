/* One entry: its fields by number, its plan, the clues that are seen in it, the ways that waited
 * for them asked as a whole. No memory is taken for an entry that is not larger than all before. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "detect/sigma/engine_run.h"
#include "detect/sigma/text.h"
#include "detect/sigma/value.h"

#include <stdlib.h>
#include <string.h>

#define STAMP_LAST (UINT32_MAX >> 1)
#define TEXT_LIMIT (64u << 20) /* bytes of values without their escapes, of an entry */

void sigma_matcher_free(struct sigma_matcher *matcher)
{
    if (matcher == NULL) {
        return;
    }
    for (size_t i = 0; i < PLAN_SLOTS; i++) {
        plan_free(matcher->plans[i]);
    }
    memo_free(matcher->memo);
    regex_bench_done(&matcher->bench);
    arena_free(matcher->arena);
    mem_free(matcher->heads);
    mem_free(matcher->seen);
    mem_free(matcher->seen_list);
    mem_free(matcher->asked);
    mem_free(matcher->held);
    mem_free(matcher->answers);
    mem_free(matcher->values);
    mem_free(matcher->text);
    mem_free(matcher->found);
    mem_free(matcher->rules);
    mem_free(matcher);
}

void sigma_matcher_freep(struct sigma_matcher **matcher)
{
    sigma_matcher_free(*matcher);
    *matcher = NULL;
}

int sigma_matcher_new(const struct sigma_engine *engine, struct sigma_matcher **ret_matcher)
{
    CLEANUP(sigma_matcher_freep) struct sigma_matcher *matcher = mem_alloc(1, sizeof(*matcher));
    int r;

    if (matcher == NULL) {
        return -ERR_NOMEM;
    }
    matcher->engine = engine;
    matcher->fold = fold_way(0);
    matcher->heads = mem_alloc(engine->field_count, sizeof(*matcher->heads));
    matcher->seen = mem_alloc(engine->clue_count, sizeof(*matcher->seen));
    matcher->seen_list = mem_alloc(engine->clue_count, sizeof(*matcher->seen_list));
    matcher->asked = mem_alloc(engine->way_count, sizeof(*matcher->asked));
    matcher->held = mem_alloc(engine->set->rule_count, sizeof(*matcher->held));
    matcher->answers = mem_alloc(engine->atom_count, sizeof(*matcher->answers));
    matcher->found = mem_alloc(engine->way_count, sizeof(*matcher->found));
    matcher->rules = mem_alloc(engine->set->rule_count, sizeof(*matcher->rules));
    if (matcher->heads == NULL || matcher->seen == NULL || matcher->seen_list == NULL ||
        matcher->asked == NULL || matcher->held == NULL || matcher->answers == NULL ||
        matcher->found == NULL || matcher->rules == NULL) {
        return -ERR_NOMEM;
    }
    r = arena_new(TEXT_LIMIT, &matcher->arena);
    r = r == 0 ? memo_new(&matcher->memo) : r;
    r = r == 0 ? regex_bench_init(&matcher->bench) : r;
    if (r < 0) {
        return r;
    }
    *ret_matcher = TAKE_PTR(matcher);
    return 0;
}

/* ---- beginning ---- */

static void stamp_next(struct sigma_matcher *matcher)
{
    const struct sigma_engine *engine = matcher->engine;

    if (++matcher->stamp < STAMP_LAST) {
        return;
    }
    memset(matcher->heads, 0, engine->field_count * sizeof(*matcher->heads));
    memset(matcher->seen, 0, engine->clue_count * sizeof(*matcher->seen));
    memset(matcher->asked, 0, engine->way_count * sizeof(*matcher->asked));
    memset(matcher->held, 0, engine->set->rule_count * sizeof(*matcher->held));
    memset(matcher->answers, 0, engine->atom_count * sizeof(*matcher->answers));
    matcher->stamp = 1;
}

static inline bool is_inside(struct str part, struct str whole)
{
    size_t offset = (uintptr_t)part.ptr - (uintptr_t)whole.ptr;

    return offset <= whole.len && part.len <= whole.len - offset;
}

/* Values of one field are chained in their order, from the last to the first so that each knows
 * the next. Returns the bytes of all values. */
static size_t fields_index(struct sigma_matcher *matcher)
{
    const struct entry *entry = matcher->entry;
    bool is_beside = false;
    size_t bytes = 0;

    for (size_t i = entry->count; i > 0; i--) {
        const struct entry_field *field = &entry->fields[i - 1];
        struct value *value = &matcher->values[i - 1];
        struct head *head = &matcher->heads[field->id];

        bytes += field->value.len;
        is_beside |= field->value.len >= NEEDLE_MIN && !is_inside(field->value, entry->raw);
        value->text.ptr = NULL;
        value->folded.ptr = NULL;
        value->next = ENGINE_NONE;
        if (field->id != 0) {
            value->next = head->stamp == matcher->stamp ? head->first : ENGINE_NONE;
            head->first = (uint32_t)i - 1;
            head->stamp = matcher->stamp;
        }
    }
    matcher->values[entry->count] = (struct value){.next = ENGINE_NONE};
    matcher->is_beside = is_beside;
    return bytes;
}

/* Room for all that will be folded. */
static size_t text_needed(const struct entry *entry, size_t bytes)
{
    return (entry->raw.len + bytes) * SIGMA_FOLD_GROWTH + (entry->count + 1) * VALUE_PAD;
}

/* ---- clues ---- */

static void ways_wake(struct sigma_matcher *matcher, const struct clue *clue)
{
    const struct sigma_engine *engine = matcher->engine;

    for (uint32_t i = 0; i < clue->count; i++) {
        const struct waiter *waiter = &engine->waiting[clue->first + i];

        if ((matcher->plan->groups[waiter->group / 64] >> (waiter->group % 64) & 1) != 0 &&
            matcher->asked[waiter->way] != matcher->stamp) {
            matcher->asked[waiter->way] = matcher->stamp;
            matcher->found[matcher->found_count++] = waiter->way;
        }
    }
}

static void see_needle(void *context, uint32_t clue)
{
    struct sigma_matcher *matcher = context;

    if (matcher->seen[clue] != matcher->stamp) {
        matcher->seen[clue] = matcher->stamp;
        matcher->seen_list[matcher->seen_count++] = clue;
        ways_wake(matcher, &matcher->engine->clues[clue]);
    }
}

/* A clue that was not looked for may be seen too, where hashes meet: that costs a question and
 * changes nothing. It is to be one of this field, or what is remembered of a value (probe_again)
 * would lack what another field had shown before. */
static inline void see_key(struct sigma_matcher *matcher, uint32_t field, uint64_t hash)
{
    const struct sigma_engine *engine = matcher->engine;
    const struct key_table *keys = &engine->keys;
    size_t at = hash >> (64 - KEY_FRONT_BITS);

    if ((keys->front[at / 64] >> (at % 64) & 1) == 0) {
        return;
    }
    at = hash & (keys->room - 1);
    for (; keys->slots[at].clue != ENGINE_NONE; at = (at + 1) & (keys->room - 1)) {
        const struct key_slot *slot = &keys->slots[at];

        if (slot->tag == (uint32_t)(hash >> 32) && engine->clues[slot->clue].field == field) {
            see_needle(matcher, slot->clue);
        }
    }
}

static void probe_ends(struct sigma_matcher *matcher, const struct probe *probe, uint32_t field,
                       struct str text)
{
    for (unsigned left = probe->starts; left != 0; left &= left - 1) {
        size_t len = clue_lengths[__builtin_ctz(left)];

        if (len <= text.len) {
            see_key(matcher, field, clue_hash(CLUE_START, field, str_of(text.ptr, len)));
        }
    }
    for (unsigned left = probe->ends; left != 0; left &= left - 1) {
        size_t len = clue_lengths[__builtin_ctz(left)];

        if (len <= text.len) {
            see_key(matcher, field,
                    clue_hash(CLUE_END, field, str_of(text.ptr + text.len - len, len)));
        }
    }
}

static void probe_bytes(struct sigma_matcher *matcher, const struct probe *probe, uint32_t field,
                        struct str text)
{
    for (unsigned left = text.len > 0 ? probe->bytes : 0; left != 0; left &= left - 1) {
        const char *byte = &clue_bytes[__builtin_ctz(left)];

        if (memchr(text.ptr, *byte, text.len) != NULL) {
            see_key(matcher, field, clue_hash(CLUE_BYTE, field, str_of(byte, 1)));
        }
    }
}

static bool probe_has(const struct probe *probe, enum clue_kind kind)
{
    return (probe->kinds >> kind & 1) != 0;
}

static void probe_value(struct sigma_matcher *matcher, const struct probe *probe, uint32_t field,
                        uint32_t place)
{
    const struct sigma_engine *engine = matcher->engine;
    struct str text = value_folded(matcher, place);
    double number = 0;

    if (probe_has(probe, CLUE_HIGH) && !matcher->values[place].is_plain) {
        see_key(matcher, field, clue_hash(CLUE_HIGH, field, STR("")));
    }
    if (probe_has(probe, CLUE_EQUAL)) {
        see_key(matcher, field, clue_hash(CLUE_EQUAL, field, text));
    }
    if (probe_has(probe, CLUE_BASE)) {
        struct str base = clue_base(text);

        if (base.len != 0) {
            see_key(matcher, field, clue_hash(CLUE_BASE, field, base));
        }
    }
    if ((probe->starts | probe->ends) != 0) {
        probe_ends(matcher, probe, field, text);
    }
    if (probe->bytes != 0) {
        probe_bytes(matcher, probe, field, text);
    }
    if (probe_has(probe, CLUE_NUMBER) && sigma_value_number(text, &number)) {
        see_key(matcher, field, clue_hash_number(field, number));
    }
    if (probe_has(probe, CLUE_NEEDLE)) {
        scan_text(engine->narrow[field], text, &matcher->teller);
    }
}

/* A value of which it may be known what is seen in it. With several values in the field a clue is
 * told of the first that has it only. */
static void probe_again(struct sigma_matcher *matcher, const struct probe *probe, uint32_t field,
                        uint32_t place)
{
    const struct entry_field *value = &matcher->entry->fields[place];
    struct memo_key key = {value->value, matcher->plan->number, field, value->is_escaped, 0};
    bool is_only =
        matcher->heads[field].first == place && matcher->values[place].next == ENGINE_NONE;
    size_t from = matcher->seen_count;
    size_t count = 0;
    struct memo_slot *slot;
    const uint32_t *clues;

    if (!is_only || key.text.len == 0 || key.text.len > MEMO_TEXT) {
        probe_value(matcher, probe, field, place);
        return;
    }
    slot = memo_find(matcher->memo, &key);
    clues = memo_clues(slot, &key, &count);
    for (size_t i = 0; i < count; i++) {
        see_needle(matcher, clues[i]);
    }
    if (clues == NULL) {
        probe_value(matcher, probe, field, place);
        memo_learn(slot, &key, &matcher->seen_list[from], matcher->seen_count - from);
    }
}

static void fields_probe(struct sigma_matcher *matcher)
{
    const struct entry *entry = matcher->entry;
    const struct probe *probes = matcher->plan->probes;
    size_t left = PROBES_MAX;

    for (size_t i = 0; i < entry->count; i++) {
        uint32_t field = entry->fields[i].id;
        const struct probe *probe = &probes[field];

        if (field == 0 || probe->kinds == 0) {
            continue;
        }
        if (probe_has(probe, CLUE_THERE)) {
            see_key(matcher, field, clue_hash(CLUE_THERE, field, STR("")));
        }
        if ((probe->kinds & ~(1U << CLUE_THERE)) != 0 && entry->fields[i].type != ENTRY_TYPE_NULL) {
            if (left-- == 0) {
                matcher->error = -ERR_LIMIT;
                return;
            }
            probe_again(matcher, probe, field, (uint32_t)i);
        }
    }
}

/* False: no keyword that is waited for stands in a value. Most values lie in the entry's raw bytes,
 * which are looked at in one piece. */
static bool keywords_may_be(struct sigma_matcher *matcher, const struct sift *sift)
{
    const struct entry *entry = matcher->entry;

    for (size_t i = 0; matcher->is_beside && i < entry->count; i++) {
        struct str value = entry->fields[i].value;

        if (!is_inside(value, entry->raw) && sift_may_hold(sift, value, matcher->places)) {
            return true;
        }
    }
    return sift_may_hold(sift, entry->raw, matcher->places);
}

static void keywords_probe(struct sigma_matcher *matcher)
{
    const struct entry *entry = matcher->entry;
    const struct sigma_engine *engine = matcher->engine;
    uint32_t from = entry->is_structured ? 0 : (uint32_t)entry->count;
    uint32_t to = (uint32_t)entry->count + (entry->is_structured ? 0 : 1);

    if (!probe_has(&matcher->plan->probes[0], CLUE_NEEDLE) ||
        (entry->is_structured && matcher->plan->sift != NULL &&
         !keywords_may_be(matcher, matcher->plan->sift))) {
        return;
    }
    for (uint32_t i = from; i < to; i++) {
        if (!value_is_null(matcher, i)) {
            scan_text(engine->narrow[0], value_folded(matcher, i), &matcher->teller);
        }
    }
}

/* ---- rules ---- */

static int rule_compare(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;

    return (*left > *right) - (*left < *right);
}

static void way_ask(struct sigma_matcher *matcher, uint32_t index)
{
    const struct engine_way *way = &matcher->engine->ways[index];

    if (matcher->held[way->rule] == matcher->stamp || /* another way of it did */
        (way->needs_source && !matcher->plan->is_known)) {
        return;
    }
    matcher->stats.candidates++;
    if (way_holds(matcher, way)) {
        matcher->held[way->rule] = matcher->stamp;
        matcher->rules[matcher->rule_count++] = way->rule;
    }
}

static void ways_ask(struct sigma_matcher *matcher)
{
    const struct plan *plan = matcher->plan;

    for (size_t i = 0; i < plan->always_count; i++) {
        way_ask(matcher, plan->always[i]);
    }
    for (size_t i = 0; i < matcher->found_count; i++) {
        way_ask(matcher, matcher->found[i]);
    }
    if (matcher->rule_count > 1) {
        qsort(matcher->rules, matcher->rule_count, sizeof(*matcher->rules), rule_compare);
    }
}

/* What the passes take that are made over every entry. */
static uint64_t passes_work(const struct entry *entry)
{
    uint64_t work = entry->raw.len / PASS_BYTES;

    return work < WORK_MAX / 2 ? work : WORK_MAX / 2;
}

static int match_begin(struct sigma_matcher *matcher, const struct entry *entry)
{
    int r;

    matcher->entry = entry;
    matcher->error = 0;
    matcher->found_count = 0;
    matcher->seen_count = 0;
    matcher->rule_count = 0;
    r = values_room(matcher, entry->count + 1);
    if (r < 0) {
        return r;
    }
    stamp_next(matcher);
    matcher->teller = (struct scan_teller){
        see_needle, matcher, matcher->places, matcher->seen, matcher->stamp,
    };
    matcher->work = WORK_MAX - passes_work(entry);
    r = text_room(matcher, text_needed(entry, fields_index(matcher)));
    return r == 0 ? plan_find(matcher, &matcher->plan) : r;
}

static int match_end(struct sigma_matcher *matcher, const uint32_t **ret_rules, size_t *ret_count)
{
    ways_ask(matcher);
    matcher->stats.entries++;
    matcher->stats.matches += matcher->rule_count;
    matcher->stats.costly += matcher->error == -ERR_LIMIT;
    if (matcher->error == -ERR_NOMEM) {
        return matcher->error;
    }
    *ret_rules = matcher->rules;
    *ret_count = matcher->rule_count;
    return matcher->error;
}

int sigma_match(struct sigma_matcher *matcher, const struct entry *entry,
                const uint32_t **ret_rules, size_t *ret_count)
{
    int r = match_begin(matcher, entry);

    if (r < 0) {
        return r;
    }
    fields_probe(matcher);
    keywords_probe(matcher);
    return match_end(matcher, ret_rules, ret_count);
}

int matcher_ask_all(struct sigma_matcher *matcher, const struct entry *entry,
                    const uint32_t **ret_rules, size_t *ret_count)
{
    const struct sigma_engine *engine = matcher->engine;
    CLEANUP(mem_freep) struct probe *none = mem_alloc(engine->field_count, sizeof(*none));
    struct plan bare;
    int r = none != NULL ? match_begin(matcher, entry) : -ERR_NOMEM;

    if (r < 0) {
        return r;
    }
    bare = *matcher->plan;
    bare.probes = none;
    matcher->plan = &bare;
    matcher->work = UINT64_MAX;
    for (size_t i = 0; i < engine->field_count; i++) {
        matcher->heads[i].asks = UINT32_MAX;
        matcher->heads[i].asks_stamp = matcher->stamp;
    }
    for (size_t i = 0; i < engine->clue_count; i++) {
        ways_wake(matcher, &engine->clues[i]);
    }
    r = match_end(matcher, ret_rules, ret_count);
    matcher->plan = NULL;
    return r;
}

void sigma_engine_stats(const struct sigma_matcher *matcher, struct sigma_engine_stats *ret_stats)
{
    *ret_stats = matcher->stats;
    ret_stats->memory = matcher->engine->memory;
}
