/* Style sheets as far as they keep something from people's eyes: which simple selectors set those
 * few properties. Lenient, one pass, never fails: what is not understood is passed over as browsers
 * do (CSS Syntax 3). Rules in @media count only for screens of any size; pseudo-classes, attribute
 * selectors and sibling combinators make a selector be passed over. Pure. */
#ifndef CODEC_CSS_H
#define CODEC_CSS_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSS_RULES_MAX   4096 /* of all sheets of a page; further ones are not read */
#define CSS_KEYS_MAX    8    /* names in one selector */
#define CSS_NESTING_MAX 8    /* of @media and @supports */

/* The properties; bits of css_style.known. */
enum css_property {
    CSS_DISPLAY = 1 << 0,
    CSS_VISIBILITY = 1 << 1,
    CSS_OVERFLOW = 1 << 2,
    CSS_POSITION = 1 << 3,
    CSS_CLIP = 1 << 4,
    CSS_OPACITY = 1 << 5,
    CSS_TRANSFORM = 1 << 6,
    CSS_COLOUR = 1 << 7,
    CSS_BACKGROUND = 1 << 8,
    CSS_FONT_SIZE = 1 << 9,
    CSS_WIDTH = 1 << 10,
    CSS_HEIGHT = 1 << 11,
    CSS_LEFT = 1 << 12, /* and right, top, bottom: the farthest out */
    CSS_INDENT = 1 << 13,
    CSS_MARGIN = 1 << 14, /* left and top: the farthest out */
};

/* Colours are 0xrrggbb, or one of these. */
#define CSS_COLOUR_NONE    0xff000000U /* transparent */
#define CSS_COLOUR_UNKNOWN 0xfe000000U /* a picture, a variable, inherit … */

struct css_style {
    uint32_t known; /* bits of enum css_property that were set */
    bool is_undisplayed;
    bool is_invisible; /* visibility */
    bool is_clipped_over;
    bool is_placed; /* absolute or fixed */
    bool is_clipped;
    bool is_transparent; /* opacity 0 */
    bool is_moved_away;  /* scale(0), or translate far out */
    uint32_t colour;
    uint32_t background;
    /* Hundredths of pixels; a percentage counts as of a screen of 1,000 pixels. */
    int32_t font_size;
    int32_t width;
    int32_t height;
    int32_t left;
    int32_t indent;
    int32_t margin;
};

/* The property of that name, 0 for one that hides nothing. */
enum css_property css_property_of(struct str name);
struct css_declaration {
    struct str name; /* both without comments and escapes, cut at their rooms where they had any */
    struct str value;
    char name_room[32];
    char value_room[256];
};

/* Takes declarations from the front up to and with the first that has a name and a value; it
 * borrows the text and its own rooms. False when there is none. */
bool css_next_declaration(struct str *text, struct css_declaration *ret_declaration);
/* The declarations of a style attribute or of a rule's braces; later ones win over what style held.
 */
void css_read_declarations(struct str text, struct css_style *style);
/* Lays what over says over style. */
void css_merge(struct css_style *style, const struct css_style *over);
/* A value of the old attributes: "#fff", "white", "FFFFFF". */
uint32_t css_read_colour(struct str text);

enum css_key_kind {
    CSS_KEY_TAG,
    CSS_KEY_CLASS,
    CSS_KEY_ID,
};

/* A name of a selector as one number; of a tag it is html_key. */
uint64_t css_key(enum css_key_kind kind, struct str name);

/* One selector: an element that has all of `own`, inside elements that have all of `outer`. */
struct css_rule {
    uint64_t own[CSS_KEYS_MAX]; /* own[0]: the id, else the first class, else the tag */
    uint64_t outer[CSS_KEYS_MAX];
    uint8_t own_count; /* 0: "*" */
    uint8_t outer_count;
    const struct css_style *style;
};

struct css_sheet {
    struct css_rule *rules; /* in the arena, in their order */
    size_t count;
    size_t room;
};

/* Hands on each rule of a sheet that counts on any screen: its selectors without comments and
 * escapes, and what stands in its braces. A negative return ends the walk and is its return. */
typedef int css_rule_fn(void *context, struct str selectors, struct str body);
[[nodiscard]] int css_each_rule(struct str text, css_rule_fn *rule, void *context);
/* Takes selectors from the front up to and with the first that is understood: what it asks for, but
 * for a style, and its text. False when there is none. */
bool css_next_selector(struct str *selectors, struct css_rule *ret_rule, struct str *ret_text);
/* Whether a sheet for that medium ("screen") counts on any screen. */
bool css_is_for_all(struct str medium);

/* Adds the rules of a sheet's text that set something above. -ERR_NOMEM, -ERR_LIMIT of the arena;
 * past CSS_RULES_MAX the rest is passed over. */
[[nodiscard]] int css_read_sheet(struct str text, struct arena *arena, struct css_sheet *sheet);

#endif
