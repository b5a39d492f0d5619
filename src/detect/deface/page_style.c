/* What hides an element: its own attributes, its style, and the rules of local sheets that it
 * meets, in the cascade's order as far as that can be told by tag, class and id. On the data's way:
 * page.c asks for each opening tag. Sheets count from where they stand. */
#include "detect/deface/page_part.h"

#include "base/banned.h"
#include "base/err.h"

#include <string.h>

#define CLASSES_MAX 24 /* of one element */
#define COLOUR_NEAR 12 /* of 255, in each channel */
#define SLOTS_MIN   128

static void names_add(struct page_names *names, uint64_t key)
{
    key *= 0x9e3779b97f4a7c15U;
    names->bits[key >> 62] |= (uint64_t)1 << (key >> 56 & 63);
    names->bits[key >> 54 & 3] |= (uint64_t)1 << (key >> 48 & 63);
}

static bool names_may_have(const struct page_names *names, uint64_t key)
{
    struct page_names one = {0};

    names_add(&one, key);
    for (size_t i = 0; i < 4; i++) {
        if ((names->bits[i] & one.bits[i]) != one.bits[i]) {
            return false;
        }
    }
    return true;
}

static struct page_rule_slot *rules_slot(const struct page_rules *rules, uint64_t key)
{
    size_t i = (key ^ key >> 32) & (rules->slot_count - 1);

    while (rules->slots[i].first != 0 && rules->slots[i].key != key) {
        i = (i + 1) & (rules->slot_count - 1);
    }
    return &rules->slots[i];
}

/* Appends to the chain, so that rules of a key keep their order. */
static void rules_link(struct page_rules *rules, size_t index)
{
    struct page_rule_slot *slot = rules_slot(rules, rules->sheet.rules[index].own[0]);

    if (slot->first == 0) {
        slot->key = rules->sheet.rules[index].own[0];
        slot->first = (uint32_t)index + 1;
    } else {
        rules->next[slot->last - 1] = (uint32_t)index + 1;
    }
    slot->last = (uint32_t)index + 1;
}

int page_rules_add(struct page_reader *reader, struct str sheet)
{
    struct page_rules *rules = &reader->rules;
    size_t slots = rules->slot_count != 0 ? rules->slot_count : SLOTS_MIN;
    int r = css_read_sheet(sheet, reader->arena, &rules->sheet);

    if (r < 0 || rules->indexed == rules->sheet.count) {
        return r;
    }
    while (slots < rules->sheet.count * 2) {
        slots *= 2;
    }
    if (slots != rules->slot_count) {
        rules->slots = arena_alloc(reader->arena, slots, sizeof(*rules->slots));
        rules->next = arena_alloc(reader->arena, slots / 2, sizeof(*rules->next));
        rules->slot_count = slots;
        rules->indexed = 0;
    }
    if (rules->slots == NULL || rules->next == NULL) {
        rules->slot_count = 0;
        return -ERR_NOMEM;
    }
    for (; rules->indexed < rules->sheet.count; rules->indexed++) {
        rules_link(rules, rules->indexed);
    }
    return 0;
}

struct element_keys {
    uint64_t keys[CLASSES_MAX + 2]; /* the tag, classes, the id */
    size_t count;
};

static bool keys_have(const struct element_keys *keys, uint64_t key)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->keys[i] == key) {
            return true;
        }
    }
    return false;
}

static bool rule_is_met(const struct css_rule *rule, const struct element_keys *keys,
                        const struct page_names *around)
{
    for (size_t i = 1; i < rule->own_count; i++) {
        if (!keys_have(keys, rule->own[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < rule->outer_count; i++) {
        if (!names_may_have(around, rule->outer[i])) {
            return false;
        }
    }
    return true;
}

static void rules_apply(const struct page_rules *rules, const struct element_keys *keys,
                        const struct page_names *around, struct css_style *style)
{
    for (size_t i = 0; i < keys->count; i++) {
        const struct page_rule_slot *slot = rules_slot(rules, keys->keys[i]);

        for (uint32_t at = slot->first; at != 0; at = rules->next[at - 1]) {
            const struct css_rule *rule = &rules->sheet.rules[at - 1];

            if (rule_is_met(rule, keys, around)) {
                css_merge(style, rule->style);
            }
        }
    }
}

static bool is_class_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static void keys_of_element(const struct html_token *token, struct element_keys *ret_keys)
{
    const struct html_attribute *attribute =
        html_attribute(token, HTML_KEY('c', 'l', 'a', 's', 's'));
    struct str names = attribute != NULL ? attribute->value : str_of("", 0);
    size_t at = 0;

    ret_keys->count = 1;
    ret_keys->keys[0] = token->key;
    while (at < names.len && ret_keys->count <= CLASSES_MAX) {
        size_t start = at;

        while (at < names.len && !is_class_space(names.ptr[at])) {
            at++;
        }
        if (at != start) {
            ret_keys->keys[ret_keys->count++] = css_key(CSS_KEY_CLASS, str_slice(names, start, at));
        }
        at++;
    }
    attribute = html_attribute(token, HTML_KEY('i', 'd'));
    if (attribute != NULL && attribute->value.len != 0) {
        ret_keys->keys[ret_keys->count++] = css_key(CSS_KEY_ID, attribute->value);
    }
}

/* Hiding that a box does to all that stands in it. */
static uint32_t style_hides(const struct css_style *style)
{
    bool is_flat = (style->known & CSS_HEIGHT) != 0 && style->height <= PAGE_SPECK;
    bool is_thin = (style->known & CSS_WIDTH) != 0 && style->width <= PAGE_SPECK;
    bool is_out = ((style->known & CSS_LEFT) != 0 && style->is_placed && style->left <= PAGE_FAR) ||
                  ((style->known & CSS_INDENT) != 0 && style->indent <= PAGE_FAR) ||
                  ((style->known & CSS_MARGIN) != 0 && style->margin <= PAGE_FAR) ||
                  (style->is_clipped && style->is_placed) || style->is_moved_away;
    uint32_t hiding = 0;

    hiding |= style->is_undisplayed || style->is_invisible ? PAGE_HIDING_DISPLAY : 0U;
    hiding |= is_out ? PAGE_HIDING_PLACE : 0U;
    hiding |= is_flat && is_thin ? PAGE_HIDING_SIZE : 0U;
    hiding |= style->is_clipped_over && (is_flat || is_thin) ? PAGE_HIDING_OVERFLOW : 0U;
    hiding |= style->is_transparent ? PAGE_HIDING_COLOUR : 0U;
    return hiding;
}

static bool colours_are_near(uint32_t a, uint32_t b)
{
    for (unsigned shift = 0; shift < 24; shift += 8) {
        int difference = (int)(a >> shift & 0xff) - (int)(b >> shift & 0xff);

        if (difference > COLOUR_NEAR || difference < -COLOUR_NEAR) {
            return false;
        }
    }
    return true;
}

/* The screen is white where nothing else was said; a sheet that sets white letters counts on
 * something darker behind them, which may stand in a sheet that is not known. */
static bool is_colour_hidden(const struct page_element *element)
{
    if (element->colour == CSS_COLOUR_NONE) {
        return true;
    }
    if (element->colour >= CSS_COLOUR_UNKNOWN || element->background == CSS_COLOUR_UNKNOWN) {
        return false;
    }
    if (element->background == CSS_COLOUR_NONE) {
        return !element->is_colour_by_sheet && colours_are_near(element->colour, 0xffffff);
    }
    return colours_are_near(element->colour, element->background);
}

/* Old attributes, which weigh less than any style. */
static void style_of_attributes(const struct html_token *token, struct css_style *style)
{
    for (size_t i = 0; i < token->attribute_count; i++) {
        const struct html_attribute *attribute = &token->attributes[i];

        if (attribute->key == HTML_KEY('b', 'g', 'c', 'o', 'l', 'o', 'r')) {
            style->background = css_read_colour(attribute->value);
            style->known |= CSS_BACKGROUND;
        } else if (attribute->key == HTML_KEY('b', 'a', 'c', 'k', 'g', 'r', 'o', 'u', 'n', 'd')) {
            style->background = CSS_COLOUR_UNKNOWN;
            style->known |= CSS_BACKGROUND;
        } else if ((attribute->key == HTML_KEY('c', 'o', 'l', 'o', 'r') &&
                    token->tag == HTML_TAG_FONT) ||
                   (attribute->key == HTML_KEY('t', 'e', 'x', 't') &&
                    token->tag == HTML_TAG_BODY)) {
            style->colour = css_read_colour(attribute->value);
            style->known |= CSS_COLOUR;
        } else if (attribute->key == HTML_KEY('h', 'i', 'd', 'd', 'e', 'n')) {
            style->is_undisplayed = true;
            style->known |= CSS_DISPLAY;
        }
    }
}

/* A marquee, frame or picture whose attributes leave it no room. */
static uint32_t size_hides(const struct html_token *token)
{
    static const uint64_t sides[] = {HTML_KEY('w', 'i', 'd', 't', 'h'),
                                     HTML_KEY('h', 'e', 'i', 'g', 'h', 't')};

    if (token->tag != HTML_TAG_MARQUEE && token->tag != HTML_TAG_IFRAME &&
        token->tag != HTML_TAG_EMBED && token->tag != HTML_TAG_OBJECT &&
        token->tag != HTML_TAG_IMG) {
        return 0;
    }
    for (size_t i = 0; i < 2; i++) {
        const struct html_attribute *attribute = html_attribute(token, sides[i]);
        struct str value = attribute != NULL ? str_trim(attribute->value) : str_of("", 0);

        if (value.len != 0 && (value.ptr[0] == '0' || value.ptr[0] == '1') &&
            (value.len == 1 || value.ptr[1] == 'p')) {
            return token->tag == HTML_TAG_MARQUEE ? PAGE_HIDING_OVERFLOW : PAGE_HIDING_SIZE;
        }
    }
    return 0;
}

static uint32_t tag_hides(const struct html_token *token)
{
    uint32_t hiding = size_hides(token);

    if (token->tag == HTML_TAG_NOSCRIPT) {
        hiding |= PAGE_HIDING_NOSCRIPT;
    }
    if ((html_traits(token->tag) & HTML_UNSHOWN) != 0 ||
        (token->tag == HTML_TAG_DIALOG &&
         html_attribute(token, HTML_KEY('o', 'p', 'e', 'n')) == NULL)) {
        hiding |= PAGE_HIDING_DISPLAY;
    }
    return hiding;
}

static void element_take_style(struct page_element *element, const struct css_style *style,
                               bool is_sheet)
{
    if ((style->known & CSS_FONT_SIZE) != 0) {
        element->is_tiny = style->font_size <= PAGE_TINY;
        element->is_tiny_by_sheet = is_sheet;
    }
    if ((style->known & CSS_COLOUR) != 0) {
        element->colour = style->colour;
        element->is_colour_by_sheet = is_sheet;
    }
    if ((style->known & CSS_BACKGROUND) != 0 && style->background != CSS_COLOUR_NONE) {
        element->background = style->background;
    }
}

void page_style_of(const struct page_reader *reader, const struct html_token *token,
                   const struct page_element *parent, struct page_element *ret_element)
{
    const struct html_attribute *inline_style =
        html_attribute(token, HTML_KEY('s', 't', 'y', 'l', 'e'));
    struct page_element *element = ret_element;
    struct css_style style = {0};
    struct css_style own = {0};
    uint32_t firm;
    bool is_by_sheet = false;

    element->names = parent->names;
    element->is_tiny = parent->is_tiny;
    element->is_tiny_by_sheet = parent->is_tiny_by_sheet;
    element->is_colour_by_sheet = parent->is_colour_by_sheet;
    element->colour = parent->colour;
    element->background = parent->background;
    if (token->attribute_count == 0 && reader->rules.indexed == 0) {
        element->firm = parent->firm | tag_hides(token);
        element->hiding = parent->hiding | element->firm;
        return;
    }
    style_of_attributes(token, &own);
    if (reader->rules.indexed != 0) {
        struct element_keys keys;

        keys_of_element(token, &keys);
        rules_apply(&reader->rules, &keys, &parent->names, &style);
        for (size_t i = 0; i < keys.count; i++) {
            names_add(&element->names, keys.keys[i]);
        }
        element_take_style(element, &style, true);
    }
    if (inline_style != NULL) {
        css_read_declarations(inline_style->value, &own);
    }
    element_take_style(element, &own, false);
    firm = own.known != 0 ? style_hides(&own) : 0;
    if (style.known != 0) {
        uint32_t by_own = firm;

        css_merge(&style, &own);
        firm = style_hides(&style);
        is_by_sheet = (firm & ~by_own) != 0;
    }
    element->firm = parent->firm | firm | tag_hides(token) | (is_by_sheet ? PAGE_HIDING_SHEET : 0U);
    element->hiding = element->firm;
    if (element->is_tiny) {
        element->hiding |= PAGE_HIDING_SIZE | (element->is_tiny_by_sheet ? PAGE_HIDING_SHEET : 0U);
    }
    if (is_colour_hidden(element)) {
        element->hiding |=
            PAGE_HIDING_COLOUR | (element->is_colour_by_sheet ? PAGE_HIDING_SHEET : 0U);
    }
}
