/* Any sheet is a list of rules within their limits; any style has defined values; what is distilled
 * of a sheet keeps its limit and is all that would be distilled of it again. */
#include "fuzz.h"

#include "codec/css.h"
#include "detect/deface/page_sheet.h"

#define DISTILLED_MAX 2048

static void check_distilled(struct str text)
{
    struct buf once;
    struct buf twice;

    buf_init(&once, DISTILLED_MAX);
    buf_init(&twice, DISTILLED_MAX);
    fuzz_check(page_sheet_distil(text, &once) == 0 && once.len <= DISTILLED_MAX);
    fuzz_check(page_sheet_distil(buf_str(&once), &twice) == 0 && twice.len <= once.len);
    buf_done(&once);
    buf_done(&twice);
}

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
    check_distilled(text);
    css_read_declarations(text, &style);
    fuzz_check(style.colour <= 0xffffff || style.colour == CSS_COLOUR_NONE ||
               style.colour == CSS_COLOUR_UNKNOWN);
    return 0;
}
