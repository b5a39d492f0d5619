/* Any sheet is a list of rules within their limits; any style has defined values. */
#include "fuzz.h"

#include "codec/css.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct css_sheet sheet = {0};
    struct css_style style = {0};
    struct str text = fuzz_input(data, size);

    if (css_read_sheet(text, fuzz_arena(), &sheet) == 0) {
        fuzz_check(sheet.count <= CSS_RULES_MAX && sheet.count <= sheet.room);
        for (size_t i = 0; i < sheet.count; i++) {
            fuzz_check(sheet.rules[i].own_count != 0 && sheet.rules[i].own_count <= CSS_KEYS_MAX);
            fuzz_check(sheet.rules[i].outer_count <= CSS_KEYS_MAX);
            fuzz_check(sheet.rules[i].style->known != 0);
            css_merge(&style, sheet.rules[i].style);
        }
    }
    css_read_declarations(text, &style);
    fuzz_check(style.colour <= 0xffffff || style.colour == CSS_COLOUR_NONE ||
               style.colour == CSS_COLOUR_UNKNOWN);
    return 0;
}
