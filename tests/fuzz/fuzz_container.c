/* Any bytes may claim to be a container: each inspector ends, stays in its bytes, and answers in
 * its range. */
#include "fuzz.h"

#include "codec/container_part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = fuzz_input(data, size);
    struct container_source source = {container_read_memory, &bytes, size};
    struct container_report report;
    struct container_report again;
    /* as much of it as is looked at: further on it may contradict itself */
    bool has_said = container_is_encrypted_head(str_slice(bytes, 0, CONTAINER_HEAD_MAX));

    container_inspect(&source, &report);
    container_inspect(&source, &again);
    fuzz_check(report.kind < CONTAINER_KIND_COUNT && report.state < CONTAINER_STATE_COUNT);
    fuzz_check(report.kind == again.kind && report.state == again.state);
    fuzz_check((report.kind == CONTAINER_KIND_NONE) == (report.state == CONTAINER_STATE_NONE));
    fuzz_check(report.kind != CONTAINER_KIND_KEYED || has_said);
    return 0;
}
