/* From an entry's log source and EventID to its plan: which groups of ways may hold, which of them
 * are asked without a clue, and what is looked for in which fields. Plans are made when they are
 * first needed and kept; what no rule names counts as one and the same, so that entries cannot make
 * ever more of them. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "detect/sigma/engine_run.h"
#include "detect/sigma/oracle.h"

#include <string.h>

#define PLAN_TRIES 8
#define PART_OTHER "\n" /* a part that no rule names; no rule can */

static uint32_t part_number(const struct sigma_engine *engine, struct str text)
{
    const struct source_part *part;
    char lower[PART_MAX];

    if (text.len == 0 || text.len > sizeof(lower)) {
        return text.len == 0 ? 0 : (uint32_t)engine->part_count + 1;
    }
    for (size_t i = 0; i < text.len; i++) {
        lower[i] =
            text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? (char)(text.ptr[i] | 0x20) : text.ptr[i];
    }
    part = map_get(&engine->parts, str_of(lower, text.len));
    return part == NULL ? (uint32_t)engine->part_count + 1 : part->number;
}

static struct str part_text(const struct sigma_engine *engine, uint32_t number)
{
    if (number == 0) {
        return STR("");
    }
    return number <= engine->part_count ? engine->part_list[number - 1]->text : STR(PART_OTHER);
}

/* ---- the key ---- */

static bool source_is(const struct known_source *known, const struct logsource *source)
{
    return known->is_known && str_is(source->product, known->source.product) &&
           str_is(source->category, known->source.category) &&
           str_is(source->service, known->source.service);
}

/* Keeps a copy: what the entry's texts borrow may be overwritten by the next. */
static void source_keep(struct known_source *known, const struct logsource *source)
{
    const struct str parts[] = {source->product, source->category, source->service};
    struct str *copies[] = {&known->source.product, &known->source.category,
                            &known->source.service};
    size_t used = 0;

    known->is_known = false;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].len > sizeof(known->text) - used) {
            return;
        }
        if (parts[i].len != 0) {
            memcpy(known->text + used, parts[i].ptr, parts[i].len);
        }
        *copies[i] = str_of(known->text + used, parts[i].len);
        used += parts[i].len;
    }
    known->is_known = true;
}

static void key_of_source(struct sigma_matcher *matcher, struct plan_key *key)
{
    const struct logsource *source = &matcher->entry->source;
    size_t at = (source->product.len + 3 * source->category.len + 5 * source->service.len) %
                ARRAY_LEN(matcher->sources);
    struct known_source *known = &matcher->sources[at];

    if (!source_is(known, source)) {
        known->key.product = part_number(matcher->engine, source->product);
        known->key.category = part_number(matcher->engine, source->category);
        known->key.service = part_number(matcher->engine, source->service);
        source_keep(known, source);
    }
    *key = known->key;
}

/* A plain decimal number is looked at; with anything else any event may be meant. */
static uint32_t event_of_text(struct str text)
{
    uint32_t id = 0;

    if (text.len == 0 || text.len > 6) {
        return EVENT_ANY;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return EVENT_ANY;
        }
        id = id * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    return id;
}

static uint32_t event_known(const struct sigma_engine *engine, uint32_t id)
{
    size_t low = 0;
    size_t high = engine->event_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (engine->events[middle] == id) {
            return id;
        }
        if (engine->events[middle] < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return EVENT_OTHER;
}

static uint32_t event_of(struct sigma_matcher *matcher)
{
    uint32_t place;
    uint32_t id;

    if (matcher->engine->event_field == 0) {
        return EVENT_NONE;
    }
    place = field_first(matcher, matcher->engine->event_field);
    if (place == ENGINE_NONE) {
        return EVENT_NONE;
    }
    if (matcher->values[place].next != ENGINE_NONE || matcher->entry->fields[place].is_escaped) {
        return EVENT_ANY;
    }
    id = event_of_text(matcher->entry->fields[place].value);
    return id == EVENT_ANY ? id : event_known(matcher->engine, id);
}

/* ---- making a plan ---- */

static bool group_fits(const struct engine_group *group, const struct logsource *source,
                       uint32_t event)
{
    bool is_event = group->event_count == 0 || event == EVENT_ANY;

    for (uint32_t i = 0; !is_event && i < group->event_count; i++) {
        is_event = group->events[i] == event;
    }
    return is_event && sigma_source_fits(&group->source, source);
}

static uint16_t length_bit(size_t len)
{
    unsigned i = 0;

    while (i < CLUE_LENGTHS - 1 && clue_lengths[i] != len) {
        i++;
    }
    return (uint16_t)(1U << i);
}

static uint16_t byte_bit(char byte)
{
    unsigned i = 0;

    while (i < CLUE_BYTES - 1 && clue_bytes[i] != byte) {
        i++;
    }
    return (uint16_t)(1U << i);
}

void probe_add(struct probe *probe, const struct clue *clue)
{
    probe->kinds |= (uint16_t)(1U << clue->kind);
    if (clue->kind == CLUE_START) {
        probe->starts |= length_bit(clue->text.len);
    } else if (clue->kind == CLUE_END) {
        probe->ends |= length_bit(clue->text.len);
    } else if (clue->kind == CLUE_BYTE) {
        probe->bytes |= byte_bit(clue->text.ptr[0]);
    }
}

static void plan_take(struct plan *plan, const struct sigma_engine *engine, size_t index)
{
    const struct engine_group *group = &engine->groups[index];

    plan->groups[index / 64] |= (uint64_t)1 << (index % 64);
    for (size_t i = 0; i < group->always.count; i++) {
        plan->always[plan->always_count++] = group->always.items[i];
    }
    for (size_t i = 0; i < group->clues.count; i++) {
        const struct clue *clue = &engine->clues[group->clues.items[i]];

        probe_add(&plan->probes[clue->field], clue);
    }
}

void plan_free(struct plan *plan)
{
    if (plan != NULL) {
        mem_free(plan->groups);
        mem_free(plan->always);
        mem_free(plan->probes);
        sift_free(plan->sift);
        mem_free(plan);
    }
}

/* The keywords that the plan's groups wait for, as often as they do; texts NULL: only counts them.
 */
static size_t plan_keywords(const struct plan *plan, const struct sigma_engine *engine,
                            struct str *texts)
{
    size_t count = 0;

    for (size_t i = 0; i < engine->group_count; i++) {
        const struct list_u32 *clues = &engine->groups[i].clues;
        bool is_of_plan = (plan->groups[i / 64] >> (i % 64) & 1) != 0;

        for (size_t k = 0; is_of_plan && k < clues->count; k++) {
            const struct clue *clue = &engine->clues[clues->items[k]];

            if (clue->field == 0 && texts != NULL) {
                texts[count] = clue->text;
            }
            count += clue->field == 0;
        }
    }
    return count;
}

static int plan_sift(struct plan *plan, const struct sigma_engine *engine)
{
    size_t count = plan_keywords(plan, engine, NULL);
    struct str *texts = mem_alloc(count, sizeof(*texts));
    int r;

    if (texts == NULL) {
        return -ERR_NOMEM;
    }
    (void)plan_keywords(plan, engine, texts);
    r = sift_new(texts, count, &plan->sift);
    mem_free(texts);
    return r;
}

static int plan_new(const struct sigma_engine *engine, const struct plan_key *key,
                    struct plan **ret_plan)
{
    struct plan *plan = mem_alloc(1, sizeof(*plan));
    const struct logsource source = {part_text(engine, key->product),
                                     part_text(engine, key->category),
                                     part_text(engine, key->service)};
    size_t always = 0;

    if (plan == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < engine->group_count; i++) {
        always += group_fits(&engine->groups[i], &source, key->event)
                      ? engine->groups[i].always.count
                      : 0;
    }
    plan->key = *key;
    plan->is_known = sigma_source_is_known(&source);
    plan->groups = mem_alloc(engine->group_count / 64 + 1, sizeof(*plan->groups));
    plan->always = mem_alloc(always, sizeof(*plan->always));
    plan->probes = mem_alloc(engine->field_count, sizeof(*plan->probes));
    if (plan->groups == NULL || plan->always == NULL || plan->probes == NULL) {
        plan_free(plan);
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < engine->group_count; i++) {
        if (group_fits(&engine->groups[i], &source, key->event)) {
            plan_take(plan, engine, i);
        }
    }
    if (plan_sift(plan, engine) < 0) {
        plan_free(plan);
        return -ERR_NOMEM;
    }
    *ret_plan = plan;
    return 0;
}

static bool key_is(const struct plan_key *a, const struct plan_key *b)
{
    return a->event == b->event && a->product == b->product && a->category == b->category &&
           a->service == b->service;
}

int plan_find(struct sigma_matcher *matcher, const struct plan **ret_plan)
{
    struct plan_key key;
    struct plan **slot = NULL;
    uint64_t hash;
    int r;

    key_of_source(matcher, &key);
    key.event = event_of(matcher);
    matcher->stats.unrouted += key.product == 0 && key.category == 0 && key.service == 0;
    hash = (key.event * 31ULL + key.product * 7919ULL + key.category * 104729ULL + key.service) *
           0x9fb21c651e98df25ULL;
    for (size_t i = 0; i < PLAN_TRIES; i++) {
        slot = &matcher->plans[((hash >> 40) + i) % PLAN_SLOTS];
        if (*slot == NULL) {
            break;
        }
        if (key_is(&(*slot)->key, &key)) {
            *ret_plan = *slot;
            return 0;
        }
    }
    plan_free(*slot);
    *slot = NULL;
    r = plan_new(matcher->engine, &key, slot);
    if (r == 0) {
        (*slot)->number = ++matcher->plan_count;
        *ret_plan = *slot;
    }
    return r;
}
