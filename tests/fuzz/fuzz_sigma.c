/* Any bytes as a file of rules: each document is a rule within the limits or is refused with a
 * place and a reason, and every rule can be asked of an entry. */
#include "fuzz.h"

#include "base/err.h"
#include "detect/sigma/load.h"
#include "detect/sigma/oracle.h"

static void ask(const struct sigma_set *set, struct arena *arena)
{
    static const struct entry_field fields[] = {
        {.name = {"A", 1}, .value = {"x-y /z 10.0.0.1", 15}},
        {.name = {"B", 1}, .value = {"4", 1}, .type = ENTRY_TYPE_NUMBER},
        {.name = {"C", 1}, .type = ENTRY_TYPE_NULL},
    };
    struct entry entry;
    bool is_match;

    entry_init(&entry);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        fuzz_check(entry_add(&entry, &fields[i]) == 0);
    }
    for (size_t i = 0; i < set->rule_count; i++) {
        int r = sigma_oracle(&set->rules[i], &entry, arena, &is_match);

        fuzz_check(r == 0 || r == -ERR_NOMEM);
        fuzz_check(set->rules[i].way_count > 0 && set->rules[i].title.len > 0);
    }
    entry_done(&entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sigma_loader *loader;
    const struct sigma_set *set = NULL;
    int r;

    fuzz_check(sigma_loader_new(true, &loader) == 0);
    r = sigma_loader_add(loader, STR("fuzz.yml"), fuzz_input(data, size));
    fuzz_check(r == 0);
    fuzz_check(sigma_loader_finish(loader, &set) == 0);
    for (size_t i = 0; i < set->refusal_count; i++) {
        fuzz_check(set->refusals[i].line > 0 && set->refusals[i].column > 0);
        fuzz_check(set->refusals[i].reason.len > 0);
    }
    for (size_t i = 0; i < set->correlation_count; i++) {
        const struct sigma_correlation *correlation = &set->correlations[i];

        for (size_t j = 0; j < correlation->part_count; j++) {
            const struct sigma_part_of *part = &correlation->parts[j];

            fuzz_check(part->index < (part->is_correlation ? i : set->rule_count));
        }
    }
    ask(set, fuzz_arena());
    sigma_loader_free(loader);
    return 0;
}
