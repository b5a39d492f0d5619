/* Declarations and their values: the few properties that hide. On the data's way: style attributes
 * and the braces of css.c → here. */
#include "codec/css_part.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "codec/css.h"
#include "codec/html.h"

#include <string.h>

#define NUMBER_MAX   10000000 /* pixels that a length may have; larger ones are as far out */
#define FAR          40000    /* hundredths of a pixel: a translation this far out is away */
#define NUMBERS_MAX  4
#define OPAQUE_LEAST 5 /* hundredths of alpha */

int css_digit(char c, unsigned base)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct css_unit {
    const char *name;
    int32_t hundredths;
};

static const struct css_unit css_units[] = {
    {"px", 100},  {"em", 1600}, {"rem", 1600}, {"%", 1000},  {"pt", 133},  {"vw", 1000},
    {"vh", 1000}, {"ex", 800},  {"ch", 800},   {"in", 9600}, {"cm", 3780}, {"mm", 378},
};

static int32_t css_unit_size(struct str unit)
{
    for (size_t i = 0; i < ARRAY_LEN(css_units); i++) {
        if (str_is_nocase(unit, str_from(css_units[i].name))) {
            return css_units[i].hundredths;
        }
    }
    return 100;
}

/* A length at the front of text in hundredths of pixels; its bytes, 0 when none stands there. */
static size_t css_read_length(struct str text, int32_t *ret_length)
{
    bool is_negative = text.len != 0 && text.ptr[0] == '-';
    size_t at = text.len != 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
    size_t start = at;
    int64_t thousandths = 0;
    int64_t scale = 100;
    size_t unit;

    for (; at < text.len && css_digit(text.ptr[at], 10) >= 0; at++) {
        thousandths = thousandths < NUMBER_MAX * 1000LL
                          ? thousandths * 10 + css_digit(text.ptr[at], 10) * 1000
                          : thousandths;
    }
    if (at < text.len && text.ptr[at] == '.') {
        for (at++; at < text.len && css_digit(text.ptr[at], 10) >= 0; at++) {
            thousandths += css_digit(text.ptr[at], 10) * scale;
            scale /= 10;
        }
    }
    if (at == start || (at == start + 1 && text.ptr[start] == '.')) {
        return 0;
    }
    unit = at;
    while (at < text.len && (((text.ptr[at] | 0x20) >= 'a' && (text.ptr[at] | 0x20) <= 'z') ||
                             text.ptr[at] == '%')) {
        at++;
    }
    thousandths = thousandths > NUMBER_MAX * 1000LL ? NUMBER_MAX * 1000LL : thousandths;
    thousandths = thousandths * css_unit_size(str_slice(text, unit, at)) / 1000;
    thousandths = thousandths > INT32_MAX ? INT32_MAX : thousandths;
    *ret_length = (int32_t)(is_negative ? -thousandths : thousandths);
    return at;
}

/* All lengths of a value, up to NUMBERS_MAX; other words are passed over. */
static size_t css_read_lengths(struct str text, int32_t lengths[NUMBERS_MAX])
{
    size_t count = 0;
    size_t at = 0;

    while (at < text.len && count < NUMBERS_MAX) {
        size_t len = css_read_length(str_slice(text, at, text.len), &lengths[count]);

        count += len != 0;
        at += len != 0 ? len : 1;
    }
    return count;
}

struct css_named {
    const char *name;
    uint32_t colour;
};

static const struct css_named css_colours[] = {
    {"white", 0xffffff},
    {"black", 0},
    {"transparent", CSS_COLOUR_NONE},
    {"red", 0xff0000},
    {"green", 0x008000},
    {"blue", 0x0000ff},
    {"yellow", 0xffff00},
    {"gray", 0x808080},
    {"grey", 0x808080},
    {"silver", 0xc0c0c0},
    {"lime", 0x00ff00},
    {"snow", 0xfffafa},
    {"ivory", 0xfffff0},
    {"whitesmoke", 0xf5f5f5},
    {"orange", 0xffa500},
};

/* "fff", "ffffff", with alpha behind; CSS_COLOUR_UNKNOWN for anything else. */
static uint32_t css_read_hex(struct str digits)
{
    uint32_t nibbles[8] = {0};
    bool is_short = digits.len == 3 || digits.len == 4;

    if (!is_short && digits.len != 6 && digits.len != 8) {
        return CSS_COLOUR_UNKNOWN;
    }
    for (size_t i = 0; i < digits.len; i++) {
        int digit = css_digit(digits.ptr[i], 16);

        if (digit < 0) {
            return CSS_COLOUR_UNKNOWN;
        }
        nibbles[is_short ? i * 2 : i] = (uint32_t)digit;
        nibbles[is_short ? i * 2 + 1 : i] = (uint32_t)digit;
    }
    if ((digits.len == 4 || digits.len == 8) && nibbles[6] == 0) {
        return CSS_COLOUR_NONE;
    }
    return nibbles[0] << 20 | nibbles[1] << 16 | nibbles[2] << 12 | nibbles[3] << 8 |
           nibbles[4] << 4 | nibbles[5];
}

/* "rgb(255, 255, 255)", "rgba(0 0 0 / 0)". */
static uint32_t css_read_rgb(struct str text)
{
    int32_t parts[NUMBERS_MAX];
    size_t count = css_read_lengths(text, parts);
    uint32_t colour = 0;

    if (count < 3) {
        return CSS_COLOUR_UNKNOWN;
    }
    if (count == 4 && parts[3] < OPAQUE_LEAST) {
        return CSS_COLOUR_NONE;
    }
    for (size_t i = 0; i < 3; i++) {
        int32_t part = parts[i] / 100;

        part = part < 255 ? part : 255;
        colour = colour << 8 | (uint32_t)(part < 0 ? 0 : part);
    }
    return colour;
}

uint32_t css_read_colour(struct str text)
{
    text = str_trim(text);
    if (text.len != 0 && text.ptr[0] == '#') {
        return css_read_hex(str_slice(text, 1, text.len));
    }
    if (text.len > 4 && (text.ptr[0] | 0x20) == 'r' && (text.ptr[1] | 0x20) == 'g') {
        return css_read_rgb(str_slice(text, 4, text.len));
    }
    for (size_t i = 0; i < ARRAY_LEN(css_colours); i++) {
        if (str_is_nocase(text, str_from(css_colours[i].name))) {
            return css_colours[i].colour;
        }
    }
    return css_read_hex(text); /* bgcolor=FFFFFF */
}

static bool css_has_word(struct str text, const char *word)
{
    size_t len = strlen(word);

    return text.len >= len && str_is_nocase(str_slice(text, 0, len), str_of(word, len));
}

/* The first colour among the words of a background; a picture covers it. */
static uint32_t css_read_background(struct str text)
{
    struct str word;

    if (str_find(text, STR("url(")) != text.len || str_find(text, STR("gradient")) != text.len) {
        return CSS_COLOUR_UNKNOWN;
    }
    if (css_has_word(text, "none")) {
        return CSS_COLOUR_NONE;
    }
    if (css_has_word(text, "rgb")) {
        return css_read_colour(text);
    }
    while (str_cut(&text, ' ', &word)) {
        uint32_t colour = css_read_colour(word);

        if (colour != CSS_COLOUR_UNKNOWN) {
            return colour;
        }
    }
    return CSS_COLOUR_UNKNOWN;
}

/* rect() of no size, inset() that leaves nothing. */
static bool css_is_clip_empty(struct str text)
{
    int32_t parts[NUMBERS_MAX];
    size_t count = css_read_lengths(text, parts);

    if (css_has_word(text, "inset(")) {
        return count != 0 && parts[0] >= 50000;
    }
    if (!css_has_word(text, "rect(") && !css_has_word(text, "circle(") &&
        !css_has_word(text, "polygon(")) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (parts[i] > 100 || parts[i] < -100) {
            return false;
        }
    }
    return true;
}

static bool css_is_away(struct str text)
{
    int32_t parts[NUMBERS_MAX];
    size_t count = css_read_lengths(text, parts);

    if (css_has_word(text, "scale")) {
        return count != 0 && parts[0] == 0;
    }
    for (size_t i = 0; css_has_word(text, "translate") && i < count; i++) {
        if (parts[i] <= -FAR * 10 || parts[i] >= FAR * 10) {
            return true;
        }
    }
    return false;
}

/* The length that lies farthest out of the screen: the smallest. */
static bool css_read_farthest(struct str value, int32_t *ret_length)
{
    int32_t parts[NUMBERS_MAX];
    size_t count = css_read_lengths(value, parts);

    if (count == 0) {
        return false;
    }
    *ret_length = parts[0];
    for (size_t i = 1; i < count; i++) {
        *ret_length = parts[i] < *ret_length ? parts[i] : *ret_length;
    }
    return true;
}

static void css_set_length(struct css_style *style, enum css_property property, int32_t *field,
                           struct str value)
{
    int32_t length;
    bool is_joined = property == CSS_LEFT || property == CSS_MARGIN;

    if (!css_read_farthest(value, &length)) {
        style->known &= ~(uint32_t)(is_joined ? 0 : property);
        return;
    }
    if (is_joined && (style->known & property) != 0 && *field < length) {
        return;
    }
    *field = length;
    style->known |= property;
}

static void css_set_flag(struct css_style *style, enum css_property property, bool *field,
                         bool value)
{
    *field = value;
    style->known |= property;
}

static enum css_property css_property_of_key(uint64_t key)
{
    switch (key) {
    case HTML_KEY('d', 'i', 's', 'p', 'l', 'a', 'y'):
        return CSS_DISPLAY;
    case HTML_KEY('v', 'i', 's', 'i', 'b', 'i', 'l', 'i', 't', 'y'):
        return CSS_VISIBILITY;
    case HTML_KEY('o', 'v', 'e', 'r', 'f', 'l', 'o', 'w'):
    case HTML_KEY('o', 'v', 'e', 'r', 'f', 'l', 'o', 'w', '-', 'y'):
        return CSS_OVERFLOW;
    case HTML_KEY('p', 'o', 's', 'i', 't', 'i', 'o', 'n'):
        return CSS_POSITION;
    case HTML_KEY('c', 'l', 'i', 'p'):
    case HTML_KEY('c', 'l', 'i', 'p', '-', 'p', 'a', 't', 'h'):
        return CSS_CLIP;
    case HTML_KEY('o', 'p', 'a', 'c', 'i', 't', 'y'):
        return CSS_OPACITY;
    case HTML_KEY('t', 'r', 'a', 'n', 's', 'f', 'o', 'r', 'm'):
        return CSS_TRANSFORM;
    case HTML_KEY('c', 'o', 'l', 'o', 'r'):
        return CSS_COLOUR;
    case HTML_KEY('b', 'a', 'c', 'k', 'g', 'r', 'o', 'u', 'n', 'd'):
    case HTML_KEY('b', 'a', 'c', 'k', 'g', 'r', 'o', 'u', 'n', 'd', '-', 'c', 'o', 'l', 'o', 'r'):
        return CSS_BACKGROUND;
    case HTML_KEY('f', 'o', 'n', 't', '-', 's', 'i', 'z', 'e'):
        return CSS_FONT_SIZE;
    case HTML_KEY('w', 'i', 'd', 't', 'h'):
        return CSS_WIDTH;
    case HTML_KEY('h', 'e', 'i', 'g', 'h', 't'):
    case HTML_KEY('m', 'a', 'x', '-', 'h', 'e', 'i', 'g', 'h', 't'):
        return CSS_HEIGHT;
    case HTML_KEY('l', 'e', 'f', 't'):
    case HTML_KEY('t', 'o', 'p'):
    case HTML_KEY('r', 'i', 'g', 'h', 't'):
    case HTML_KEY('b', 'o', 't', 't', 'o', 'm'):
        return CSS_LEFT;
    case HTML_KEY('t', 'e', 'x', 't', '-', 'i', 'n', 'd', 'e', 'n', 't'):
        return CSS_INDENT;
    case HTML_KEY('m', 'a', 'r', 'g', 'i', 'n'):
    case HTML_KEY('m', 'a', 'r', 'g', 'i', 'n', '-', 'l', 'e', 'f', 't'):
    case HTML_KEY('m', 'a', 'r', 'g', 'i', 'n', '-', 't', 'o', 'p'):
        return CSS_MARGIN;
    default:
        return 0;
    }
}

enum css_property css_property_of(struct str name)
{
    return css_property_of_key(html_key(name));
}

static void css_set(struct css_style *style, enum css_property property, struct str value)
{
    int32_t number;

    switch (property) {
    case CSS_DISPLAY:
        css_set_flag(style, property, &style->is_undisplayed, css_has_word(value, "none"));
        break;
    case CSS_VISIBILITY:
        css_set_flag(style, property, &style->is_invisible,
                     css_has_word(value, "hidden") || css_has_word(value, "collapse"));
        break;
    case CSS_OVERFLOW:
        css_set_flag(style, property, &style->is_clipped_over,
                     css_has_word(value, "hidden") || css_has_word(value, "clip"));
        break;
    case CSS_POSITION:
        css_set_flag(style, property, &style->is_placed,
                     css_has_word(value, "absolute") || css_has_word(value, "fixed"));
        break;
    case CSS_CLIP:
        css_set_flag(style, property, &style->is_clipped, css_is_clip_empty(value));
        break;
    case CSS_OPACITY:
        css_set_flag(style, property, &style->is_transparent,
                     css_read_length(value, &number) != 0 && number < OPAQUE_LEAST);
        break;
    case CSS_TRANSFORM:
        css_set_flag(style, property, &style->is_moved_away, css_is_away(value));
        break;
    case CSS_COLOUR:
        style->colour = css_read_colour(value);
        style->known |= CSS_COLOUR;
        break;
    case CSS_BACKGROUND:
        style->background = css_read_background(value);
        style->known |= CSS_BACKGROUND;
        break;
    case CSS_FONT_SIZE:
        css_set_length(style, property, &style->font_size, value);
        break;
    case CSS_WIDTH:
        css_set_length(style, property, &style->width, value);
        break;
    case CSS_HEIGHT:
        css_set_length(style, property, &style->height, value);
        break;
    case CSS_LEFT:
        css_set_length(style, property, &style->left, value);
        break;
    case CSS_INDENT:
        css_set_length(style, property, &style->indent, value);
        break;
    case CSS_MARGIN:
        css_set_length(style, property, &style->margin, value);
        break;
    default:
        break;
    }
}

bool css_next_declaration(struct str *text, struct css_declaration *ret_declaration)
{
    struct css_declaration *declaration = ret_declaration;

    while (text->len != 0) {
        size_t end = css_find(*text, 0, ";");
        struct str value = str_slice(*text, 0, end);
        struct str name;

        *text = str_slice(*text, end + 1, text->len);
        if (!str_cut(&value, ':', &name) || value.len == 0) {
            continue;
        }
        declaration->name =
            str_trim(css_plain(name, declaration->name_room, sizeof(declaration->name_room)));
        declaration->value =
            str_trim(css_plain(value, declaration->value_room, sizeof(declaration->value_room)));
        return true;
    }
    return false;
}

void css_read_declarations(struct str text, struct css_style *style)
{
    struct css_declaration declaration;

    while (css_next_declaration(&text, &declaration)) {
        css_set(style, css_property_of(declaration.name), declaration.value);
    }
}

void css_merge(struct css_style *style, const struct css_style *over)
{
    struct css_style merged = *over;
    uint32_t known = over->known;

#define KEEP(property, field) merged.field = (known & (property)) != 0 ? over->field : style->field
    KEEP(CSS_DISPLAY, is_undisplayed);
    KEEP(CSS_VISIBILITY, is_invisible);
    KEEP(CSS_OVERFLOW, is_clipped_over);
    KEEP(CSS_POSITION, is_placed);
    KEEP(CSS_CLIP, is_clipped);
    KEEP(CSS_OPACITY, is_transparent);
    KEEP(CSS_TRANSFORM, is_moved_away);
    KEEP(CSS_COLOUR, colour);
    KEEP(CSS_BACKGROUND, background);
    KEEP(CSS_FONT_SIZE, font_size);
    KEEP(CSS_WIDTH, width);
    KEEP(CSS_HEIGHT, height);
    KEEP(CSS_LEFT, left);
    KEEP(CSS_INDENT, indent);
    KEEP(CSS_MARGIN, margin);
#undef KEEP
    merged.known = style->known | known;
    *style = merged;
}
