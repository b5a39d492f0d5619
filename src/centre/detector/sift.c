/* What people have said about rules, as it counts for an entry: where it is from, which rules are
 * off, what filters keep back. Neighbours: answer.c, between matching and correlating. */
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "centre/detector/private.h"

#include <string.h>

/* An entry must not be able to say that it is from elsewhere: its own fields of that name go. */
int detector_place(struct detector *detector, struct str host, const struct entry *entry,
                   struct entry *ret_entry)
{
    uint32_t id = detector->now.host_field;
    size_t count = 0;

    *ret_entry = *entry;
    if (id == 0) {
        return 0;
    }
    if (detector->field_room < entry->count + 1) {
        size_t room = 2 * (entry->count + 1);
        struct entry_field *fields = mem_resize(detector->fields, room, sizeof(*fields));

        if (fields == NULL) {
            return -ERR_NOMEM;
        }
        detector->fields = fields;
        detector->field_room = room;
    }
    for (size_t i = 0; i < entry->count; i++) {
        if (entry->fields[i].id != id) {
            detector->fields[count++] = entry->fields[i];
        }
    }
    detector->fields[count++] =
        (struct entry_field){.name = STR(DETECTOR_HOST_FIELD), .value = host, .id = id};
    ret_entry->fields = detector->fields;
    ret_entry->count = count;
    return 0;
}

static bool is_kept_back(struct detector_set *now, const uint32_t *rules, size_t count,
                         uint32_t rule)
{
    bool is_kept = false;

    for (size_t i = count; i > 0 && rules[i - 1] > rule; i--) { /* twins stand behind the rules */
        const struct sigma_rule *twin = &now->set->rules[rules[i - 1]];

        if (twin->filter.len != 0 && twin->copy_of == rule) {
            now->kept[rules[i - 1]]++;
            is_kept = true;
        }
    }
    return is_kept;
}

/* A stand-in goes where its rule went, which stands before it. */
static bool is_left(const struct detector_set *now, size_t stay, uint32_t rule)
{
    while (stay != 0 && now->sifted[stay - 1] != rule) {
        stay--;
    }
    return stay != 0;
}

const uint32_t *detector_sift(struct detector_set *now, const uint32_t *rules, size_t *count)
{
    size_t stay = 0;

    if (!now->is_sifting) {
        return rules;
    }
    for (size_t i = 0; i < *count; i++) {
        const struct sigma_rule *rule = &now->set->rules[rules[i]];

        if (rule->filter.len != 0 || now->is_off[rules[i]] ||
            (rule->is_stand_in && !is_left(now, stay, rule->copy_of))) {
            continue;
        }
        if (is_kept_back(now, rules, *count, rules[i])) {
            now->kept[rules[i]] += rule->is_stand_in ? 0 : 1; /* the rule itself counts the entry */
            now->has_kept = true;
        } else {
            now->sifted[stay++] = rules[i];
        }
    }
    *count = stay;
    return now->sifted;
}
