/* See detect/deface/page_sheet.h. Two walks: which properties hide anything at all, then the rules
 * that set them. Neighbours: codec/css.h reads sheets, page_style.c says what a style hides. */
#include "detect/deface/page_sheet.h"

#include "base/banned.h"
#include "base/err.h"
#include "detect/deface/page_part.h"

#define RULE_MAX 2048 /* bytes of a rule that is kept */

struct distillery {
    uint32_t useful; /* bits of enum css_property */
    struct buf rule;
    struct buf *buf;
};

static uint32_t hides_if(bool holds, uint32_t properties)
{
    return holds ? properties : 0;
}

/* The properties that hide, or help to, in this style. */
static uint32_t style_hiding(const struct css_style *style)
{
    uint32_t known = style->known;
    bool is_flat = (known & CSS_HEIGHT) != 0 && style->height <= PAGE_SPECK;
    bool is_thin = (known & CSS_WIDTH) != 0 && style->width <= PAGE_SPECK;
    bool is_left = (known & CSS_LEFT) != 0 && style->left <= PAGE_FAR;

    return hides_if(style->is_undisplayed, CSS_DISPLAY) |
           hides_if(style->is_invisible, CSS_VISIBILITY) |
           hides_if(is_flat || is_thin, CSS_WIDTH | CSS_HEIGHT | CSS_OVERFLOW) |
           hides_if(is_left, CSS_LEFT | CSS_POSITION) |
           hides_if(style->is_clipped, CSS_CLIP | CSS_POSITION) |
           hides_if(style->is_transparent, CSS_OPACITY) |
           hides_if(style->is_moved_away, CSS_TRANSFORM) |
           hides_if((known & CSS_COLOUR) != 0, CSS_COLOUR | CSS_BACKGROUND) |
           hides_if((known & CSS_FONT_SIZE) != 0 && style->font_size <= PAGE_TINY, CSS_FONT_SIZE) |
           hides_if((known & CSS_INDENT) != 0 && style->indent <= PAGE_FAR, CSS_INDENT) |
           hides_if((known & CSS_MARGIN) != 0 && style->margin <= PAGE_FAR, CSS_MARGIN);
}

static int distil_weigh(void *context, struct str selectors, struct str body)
{
    struct distillery *distillery = context;
    struct css_style style = {0};

    (void)selectors;
    css_read_declarations(body, &style);
    distillery->useful |= style_hiding(&style);
    return 0;
}

/* What would end a rule or a value early is not a value that hides. */
static bool distil_is_plain(struct str text)
{
    static const char bad[] = "{};\"'\\";

    for (size_t i = 0; i < text.len; i++) {
        if (memchr(bad, text.ptr[i], sizeof(bad) - 1) != NULL) {
            return false;
        }
    }
    return true;
}

static void distil_selectors(struct buf *rule, struct str selectors)
{
    struct css_rule read;
    struct str text;

    while (css_next_selector(&selectors, &read, &text)) {
        (void)buf_put_text(rule, rule->len != 0 ? "," : "");
        (void)buf_put_str(rule, text);
    }
}

static bool distil_declarations(struct buf *rule, struct str body, uint32_t useful)
{
    struct css_declaration declaration;
    bool has_any = false;

    (void)buf_put_byte(rule, '{');
    while (css_next_declaration(&body, &declaration)) {
        if ((css_property_of(declaration.name) & useful) != 0 &&
            distil_is_plain(declaration.value)) {
            (void)buf_putf(rule, "%.*s:%.*s;", STR_ARG(declaration.name),
                           STR_ARG(declaration.value));
            has_any = true;
        }
    }
    (void)buf_put_byte(rule, '}');
    return has_any;
}

static int distil_rule(void *context, struct str selectors, struct str body)
{
    struct distillery *distillery = context;
    struct buf *rule = &distillery->rule;
    struct buf *buf = distillery->buf;

    buf_reset(rule);
    distil_selectors(rule, selectors);
    if (rule->len == 0 || !distil_declarations(rule, body, distillery->useful) ||
        rule->len > buf->limit - buf->len) {
        return rule->error == -ERR_NOMEM ? -ERR_NOMEM : 0;
    }
    return rule->error != 0 ? 0 : buf_put_str(buf, buf_str(rule));
}

int page_sheet_distil(struct str sheet, struct buf *buf)
{
    struct distillery distillery = {.buf = buf};
    int r = css_each_rule(sheet, distil_weigh, &distillery);

    buf_init(&distillery.rule, RULE_MAX);
    if (r == 0 && distillery.useful != 0) {
        r = css_each_rule(sheet, distil_rule, &distillery);
    }
    buf_done(&distillery.rule);
    return r;
}
