/* Indicators in entries of logs: what the lists that people imported say of an entry, as the hits
 * of rules are told. Which values are asked is in detect/intel/screen.h; core counts what is told
 * of one indicator on one host as it does for a rule. Neighbours: answer.c before and after. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "centre/detector/private.h"

#define ID_VALUE_MAX 200 /* bytes of an indicator in the name that its hits are counted by */
#define ADDRESS_BITS 128

/* By what it is; a network tells less than an address. */
static enum sigma_level level_of_kind(const struct indicator_hit *hit)
{
    switch (hit->kind) {
    case FEED_KIND_HASH:
        return SIGMA_LEVEL_CRITICAL;
    case FEED_KIND_ADDRESS:
        return hit->bits < ADDRESS_BITS ? SIGMA_LEVEL_MEDIUM : SIGMA_LEVEL_HIGH;
    case FEED_KIND_DOMAIN:
    case FEED_KIND_URL:
        return SIGMA_LEVEL_HIGH;
    case FEED_KIND_PHRASE:
    case FEED_KIND_AGENT:
    case FEED_KIND_EMAIL:
    case FEED_KIND_COUNT:
        break;
    }
    return SIGMA_LEVEL_MEDIUM;
}

static enum sigma_level level_of(const struct indicator_hit *hit)
{
    static const struct {
        const char *label;
        enum sigma_level level;
    } rows[] = {
#define LABEL(label, level) {label, level},
#include "centre/detector/labels.def"
#undef LABEL
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (str_is_nocase(hit->list->label, str_from(rows[i].label))) {
            return rows[i].level;
        }
    }
    return level_of_kind(hit);
}

static const char *title_of(enum feed_kind kind)
{
    switch (kind) {
    case FEED_KIND_DOMAIN:
        return N_("A log names a host that is on a list");
    case FEED_KIND_HASH:
        return N_("A log names a file that is on a list");
    case FEED_KIND_ADDRESS:
        return N_("A log names an address that is on a list");
    case FEED_KIND_URL:
        return N_("A log names a URL that is on a list");
    case FEED_KIND_AGENT:
        return N_("A log names a user agent that is on a list");
    case FEED_KIND_EMAIL:
        return N_("A log names an e-mail address that is on a list");
    case FEED_KIND_PHRASE:
    case FEED_KIND_COUNT:
        break;
    }
    return N_("A log holds what is on a list");
}

static void tell(struct detector_listed *listed, struct str name, struct str value)
{
    if (value.len != 0 && listed->told_count < DETECTOR_FIELDS_MAX) {
        listed->told[listed->told_count].name = name;
        listed->told[listed->told_count++].value = value;
    }
}

static bool is_same(const struct indicator_hit *a, const struct indicator_hit *b)
{
    return a->kind == b->kind && a->list == b->list && str_is(a->value, b->value);
}

/* The fields that it stands in: of hits those from `at` on that are of one indicator. */
static void tell_fields(struct detector_listed *listed, const struct entry *entry,
                        const struct screen_hit *hits, size_t at, size_t count)
{
    for (size_t i = at; i < count; i++) {
        if (is_same(&hits[i].hit, &hits[at].hit)) {
            tell(listed, entry->fields[hits[i].field].name, hits[i].found);
        }
    }
}

static int tell_one(struct detector *detector, const struct entry *entry,
                    const struct screen_hit *hits, size_t at, size_t count, detector_listed_fn *fn,
                    void *context)
{
    const struct indicator_hit *found = &hits[at].hit;
    const struct indicator_list *list = found->list;
    struct arena *arena = detector->now.reading.arena;
    struct detector_listed listed = {.title = str_from(title_of(found->kind)),
                                     .level = level_of(found)};
    struct str label =
        arena_printf(arena, "%.*s (%.*s)", STR_ARG(list->name), STR_ARG(list->label));

    listed.id =
        arena_printf(arena, "list:%.*s:%s:%.*s", STR_ARG(list->name), feed_kind_name(found->kind),
                     STR_ARG(str_slice(found->value, 0, ID_VALUE_MAX)));
    if (listed.id.ptr == NULL || label.ptr == NULL) {
        return -ERR_NOMEM;
    }
    tell(&listed, STR("indicator"), found->value);
    tell(&listed, STR("list"), label);
    tell(&listed, STR("source"), list->source);
    tell_fields(&listed, entry, hits, at, count);
    return fn(context, &listed);
}

static bool is_first(const struct screen_hit *hits, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (is_same(&hits[i].hit, &hits[at].hit)) {
            return false;
        }
    }
    return true;
}

int detector_screen(struct detector *detector, const struct entry *entry, detector_listed_fn *fn,
                    void *context)
{
    const struct screen_hit *hits = NULL;
    size_t count = 0;
    int r = 0;

    if (detector->screen != NULL) {
        r = screen_entry(detector->screen, entry, &hits, &count);
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = is_first(hits, i) ? tell_one(detector, entry, hits, i, count, fn, context) : 0;
    }
    return r;
}

int detector_learn_lists(struct detector *detector, struct lists_texts *texts)
{
    uint64_t values = 0;
    int r = lists_indicators(texts, &detector->indicators);

    for (unsigned kind = 0; r == 0 && kind < FEED_KIND_COUNT; kind++) {
        values += kind != FEED_KIND_PHRASE
                      ? indicators_count(detector->indicators, (enum feed_kind)kind)
                      : 0;
    }
    return r < 0 || values == 0 ? r : screen_new(detector->indicators, &detector->screen);
}
