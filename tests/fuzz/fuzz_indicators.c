/* Any bytes as the file of a list: what is taken can be found, what is refused says why; any text
 * is an allow list or names its line. */
#include "fuzz.h"

#include "detect/intel/indicators.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_input(data, size);
    struct indicators *indicators = NULL;
    struct diag diag = {{0}};
    struct indicator_hit hit;

    if (indicators_new(text, &indicators, &diag) == 0) {
        indicators_free(indicators);
    } else {
        fuzz_check(diag.text[0] != '\0');
    }
    diag.text[0] = '\0';
    fuzz_check(indicators_new(str_of(NULL, 0), &indicators, &diag) == 0);
    if (indicators_add_file(indicators, text, &diag) == 0) {
        fuzz_check(indicators_list_count(indicators) == 1);
        fuzz_check(indicators_is_name(indicators_list(indicators, 0)->name));
    } else {
        fuzz_check(diag.text[0] != '\0');
    }
    (void)indicators_find_host(indicators, text, &hit);
    for (size_t at = 0; indicators_find_phrase(indicators, text, at, &hit); at = hit.at + 1) {
        fuzz_check(hit.at >= at && str_has_prefix(str_slice(text, hit.at, text.len), hit.value));
    }
    indicators_free(indicators);
    return 0;
}
