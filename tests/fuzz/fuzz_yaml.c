/* Any bytes give documents whose weights are true and within the limits, or a reason. */
#include "fuzz.h"

#include "base/err.h"
#include "codec/yaml.h"

/* NOLINTNEXTLINE(misc-no-recursion): the reader refuses what is deeper than YAML_DEPTH_MAX */
static size_t weigh(const struct yaml_value *value, size_t depth)
{
    size_t weight = 1;
    size_t count = 0;

    fuzz_check(depth <= YAML_DEPTH_MAX + YAML_ANCHORS_MAX * YAML_DEPTH_MAX);
    for (const struct yaml_value *child = value->first; child != NULL; child = child->next) {
        weight += weigh(child, depth + 1);
        count++;
    }
    fuzz_check(count == value->count);
    return weight;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = fuzz_arena();
    struct yaml_reader reader;
    int r;

    yaml_open(&reader, fuzz_input(data, size));
    do {
        struct yaml_value *value = NULL;
        struct diag diag = {0};

        arena_reset(arena);
        r = yaml_next(&reader, arena, &value, &diag);
        fuzz_check((r == 1) == (value != NULL));
        fuzz_check(r != 1 || weigh(value, 0) <= YAML_NODES_MAX + YAML_MEMBERS_MAX);
        fuzz_check(r >= 0 || r == -ERR_NOMEM || diag.text[0] != '\0');
    } while (r == 1 || (r < 0 && r != -ERR_NOMEM));
    return 0;
}
