/* Measures what is common in logs: clues RULES LOG. Writes detect/sigma/engine_common.def: of all
 * that rules could wait for, what stands in more than 15 of 1,000 values of a field. A bench of the
 * engine's speed takes the logs of other hosts. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/logs.h"
#include "detect/sigma/engine_part.h"
#include "load.h"

#include <stdio.h>
#include <string.h>

#define OFTEN      15 /* in 1,000 */
#define SEEN_MIN   3  /* times, so that few values do not say much */
#define FOLDED_MAX (2u << 20)

struct survey {
    const struct sigma_engine *engine;
    uint32_t *values; /* by field */
    uint32_t *seen;   /* by clue */
    char *folded;
    uint64_t entries;
};

static bool is_seen(const struct clue *clue, struct str value)
{
    switch ((int)clue->kind) {
    case CLUE_EQUAL:
        return str_is(value, clue->text);
    case CLUE_BASE:
    case CLUE_END:
        return str_has_suffix(value, clue->text);
    case CLUE_START:
        return str_has_prefix(value, clue->text);
    case CLUE_NEEDLE:
        return memmem(value.ptr, value.len, clue->text.ptr, clue->text.len) != NULL;
    default:
        return false;
    }
}

static int take(void *context, const struct entry *entry)
{
    struct survey *survey = context;

    survey->entries++;
    for (size_t i = 0; i < entry->count; i++) {
        const struct entry_field *field = &entry->fields[i];
        struct str value;
        bool is_plain;

        if (field->id == 0 || field->type == ENTRY_TYPE_NULL || field->value.len > FOLDED_MAX / 4 ||
            !fold_by_lanes(field->value, field->is_escaped, survey->folded, &value.len,
                           &is_plain)) {
            continue;
        }
        value.ptr = survey->folded;
        survey->values[field->id]++;
        for (size_t k = 0; k < survey->engine->clue_count; k++) {
            const struct clue *clue = &survey->engine->clues[k];

            survey->seen[k] += clue->field == field->id && is_seen(clue, value);
        }
    }
    return 0;
}

static unsigned often_of(const struct survey *survey, size_t at)
{
    uint32_t values = survey->values[survey->engine->clues[at].field];

    return survey->seen[at] < SEEN_MIN ? 0 : (unsigned)((uint64_t)survey->seen[at] * 1000 / values);
}

/* Whether no other clue of the kind and text is seen oftener; of equals the first. */
static bool is_oftenest(const struct survey *survey, size_t at)
{
    const struct clue *clue = &survey->engine->clues[at];

    for (size_t i = 0; i < survey->engine->clue_count; i++) {
        const struct clue *other = &survey->engine->clues[i];
        unsigned more = often_of(survey, i);

        if (i != at && other->kind == clue->kind && more >= often_of(survey, at) &&
            (more > often_of(survey, at) || i < at) && str_is(other->text, clue->text)) {
            return false;
        }
    }
    return true;
}

static void put_text(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        printf(text.ptr[i] == '"' || text.ptr[i] == '\\' ? "\\%c" : "%c", text.ptr[i]);
    }
}

static void tell(const struct survey *survey)
{
    static const char *const kinds[] = {
        [CLUE_EQUAL] = "EQUAL", [CLUE_BASE] = "BASE",     [CLUE_START] = "START",
        [CLUE_END] = "END",     [CLUE_NEEDLE] = "NEEDLE",
    };

    for (unsigned kind = CLUE_EQUAL; kind <= CLUE_NEEDLE; kind++) {
        for (unsigned often = 1000; often > OFTEN; often--) {
            for (size_t i = 0; i < survey->engine->clue_count; i++) {
                const struct clue *clue = &survey->engine->clues[i];

                if (clue->kind == kind && clue->text.len != 0 && often_of(survey, i) == often &&
                    is_oftenest(survey, i)) {
                    printf("COMMON(%s, %u, \"", kinds[kind], often);
                    put_text(clue->text);
                    printf("\")\n");
                }
            }
        }
    }
}

int main(int argc, char **argv)
{
    const struct sigma_set *set = argc == 3 ? bench_rules(argv[1]) : NULL;
    struct sigma_engine *engine = NULL;
    struct log_reading reading;
    struct survey survey = {0};

    if (set == NULL || sigma_engine_new(set, &engine, &(struct diag){{0}}) < 0 ||
        log_reading_init(&reading, sigma_engine_names(engine)) < 0) {
        (void)fprintf(stderr, "usage: clues RULES LOG\n");
        return 2;
    }
    survey = (struct survey){
        .engine = engine,
        .values = mem_alloc(engine->field_count, sizeof(uint32_t)),
        .seen = mem_alloc(engine->clue_count, sizeof(uint32_t)),
        .folded = mem_alloc(FOLDED_MAX, 1),
    };
    if (survey.values == NULL || survey.seen == NULL || survey.folded == NULL ||
        log_format_find(STR("ndjson"))->read(&reading, bench_map(argv[2]), take, &survey) < 0) {
        return 1;
    }
    tell(&survey);
    return 0;
}
