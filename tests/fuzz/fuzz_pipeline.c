/* A pipeline that somebody wrote: it is taken or refused with a place, and a rule passes through
 * what was taken. */
#include "fuzz.h"

#include "base/err.h"
#include "detect/sigma/pipeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sigma_part part = {SIGMA_PART_LITERAL, {"c:\\x", 4}};
    struct sigma_atom atom = {
        .match = SIGMA_MATCH_PATTERN, .field = STR("a"), .parts = &part, .part_count = 1};
    const struct sigma_node node = {.kind = SIGMA_NODE_ATOM, .atom = &atom};
    const struct sigma_way way = {{.product = STR("windows")}, &node};
    const struct sigma_rule rule = {.id = STR("id-1"), .ways = &way, .way_count = 1};
    struct sigma_pipelines *pipelines = NULL;
    const struct sigma_way *ways = NULL;
    struct diag diag = {{0}};
    size_t count = 0;

    fuzz_check(sigma_pipelines_new(&pipelines) == 0);
    if (sigma_pipelines_add(pipelines, STR("p"), fuzz_input(data, size), &diag) < 0) {
        fuzz_check(diag.text[0] != '\0');
    } else if (sigma_pipelines_ways(pipelines, &rule, fuzz_arena(), &ways, &count, NULL) == 0) {
        fuzz_check(count >= 1 && count <= SIGMA_WAYS_MAX);
        for (size_t i = 0; i < count; i++) {
            fuzz_check(ways[i].root != NULL);
        }
    }
    sigma_pipelines_free(pipelines);
    return 0;
}
