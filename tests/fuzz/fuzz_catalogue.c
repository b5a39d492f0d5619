/* The rules in force, as a process without rights tells them to one that has some: whatever comes,
 * what is read lies within its bounds, and looking a rule up finds one that is there. */
#include "fuzz.h"

#include "centre/catalogue.h"

static size_t read_all(const struct catalogue_rule *rule)
{
    size_t bytes =
        rule->title.len + rule->description.len + rule->file.len + rule->logsource.product.len;

    fuzz_check(rule->level < SIGMA_LEVEL_COUNT && rule->source < CATALOGUE_SOURCE_COUNT);
    for (size_t i = 0; i < rule->false_positive_count; i++) {
        bytes += rule->false_positives[i].len;
    }
    for (size_t i = 0; i < rule->tag_count; i++) {
        bytes += rule->tags[i].len;
    }
    for (size_t i = 0; i < rule->rule_count; i++) {
        bytes += rule->rules[i].len;
    }
    for (size_t i = 0; i < rule->group_count; i++) {
        bytes += rule->groups[i].name.len;
        for (size_t j = 0; j < rule->groups[i].field_count; j++) {
            bytes += rule->groups[i].fields[j].len;
        }
    }
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct catalogue catalogue;

    if (catalogue_read(fuzz_input(data, size), fuzz_arena(), &catalogue) < 0) {
        return 0;
    }
    for (size_t i = 0; i < catalogue.rule_count; i++) {
        const struct catalogue_rule *rule = &catalogue.rules[i];

        fuzz_check(read_all(rule) <= size);
        fuzz_check(rule->id.len == 0 || catalogue_find(&catalogue, rule->id) != NULL);
    }
    for (size_t i = 0; i < catalogue.refusal_count; i++) {
        fuzz_check(catalogue.refusals[i].reason.len <= size);
    }
    return 0;
}
