/* Neighbours: model/terms_needles.c makes them of what was typed, store/archive/search.c asks. The
 * first node is ANY, so that a place of 0 is always good. */
#include "model/needles.h"

#include "base/banned.h"
#include "base/err.h"
#include "model/coded.h"

/* JSON's and web servers' escapes, XML's references, and formats whose values are hexadecimal or
 * not text: their names stand in event.module. */
const struct str needles_codes[] = {
    {"\\u0", 3}, {"\\u1", 3}, {"\\u2", 3},  {"\\u3", 3}, {"\\u4", 3}, {"\\u5", 3}, {"\\u6", 3},
    {"\\u7", 3}, {"\\u8", 3}, {"\\u9", 3},  {"\\ua", 3}, {"\\ub", 3}, {"\\uc", 3}, {"\\ud", 3},
    {"\\ue", 3}, {"\\uf", 3}, {"\\x0", 3},  {"\\x1", 3}, {"\\x2", 3}, {"\\x3", 3}, {"\\x4", 3},
    {"\\x5", 3}, {"\\x6", 3}, {"\\x7", 3},  {"\\x8", 3}, {"\\x9", 3}, {"\\xa", 3}, {"\\xb", 3},
    {"\\xc", 3}, {"\\xd", 3}, {"\\xe", 3},  {"\\xf", 3}, {"&#x", 3},  {"&#0", 3},  {"&#1", 3},
    {"&#2", 3},  {"&#3", 3},  {"&#4", 3},   {"&#5", 3},  {"&#6", 3},  {"&#7", 3},  {"&#8", 3},
    {"&#9", 3},  {"evtx", 4}, {"audit", 5}, {NULL, 0},
};

void needles_init(struct needles *needles)
{
    needles->count = 1;
    needles->root = 0;
    needles->list[0] = (struct needle){.kind = NEEDLE_ANY};
}

static uint16_t needles_add(struct needles *needles, const struct needle *needle)
{
    if (needles->count == NEEDLES_MAX) {
        return 0;
    }
    needles->list[needles->count] = *needle;
    return (uint16_t)needles->count++;
}

uint16_t needles_text(struct needles *needles, struct str text, unsigned ends)
{
    return text.len == 0
               ? 0
               : needles_add(needles,
                             &(struct needle){.kind = NEEDLE_TEXT, .text = text, .ends = ends});
}

uint16_t needles_run(struct needles *needles, unsigned digits)
{
    return needles_add(needles, &(struct needle){.kind = NEEDLE_RUN, .run = digits});
}

uint16_t needles_coded(struct needles *needles)
{
    return needles_add(needles, &(struct needle){.kind = NEEDLE_CODED});
}

uint16_t needles_join(struct needles *needles, enum needle_kind kind, uint16_t left, uint16_t right)
{
    if (left == 0 || right == 0) {
        return kind == NEEDLE_OR ? 0 : (uint16_t)(left + right);
    }
    return needles_add(needles, &(struct needle){.kind = kind, .left = left, .right = right});
}

bool needles_choose(const struct needles *needles)
{
    return needles->count != 0 && needles->root != 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): a node's children stand before it; a search is no deeper than
 * its terms are many */
static bool needle_holds(const struct needles *needles, uint16_t at,
                         const struct needle_place *place)
{
    const struct needle *needle = &needles->list[at];

    switch (needle->kind) {
    case NEEDLE_TEXT:
    case NEEDLE_RUN:
        return place->holds(place->context, needle);
    case NEEDLE_CODED:
        return place->is_coded(place->context);
    case NEEDLE_AND:
        return needle_holds(needles, needle->left, place) &&
               needle_holds(needles, needle->right, place);
    case NEEDLE_OR:
        return needle_holds(needles, needle->left, place) ||
               needle_holds(needles, needle->right, place);
    case NEEDLE_ANY:
    default:
        return true;
    }
}

bool needles_hold(const struct needles *needles, const struct needle_place *place)
{
    return !needles_choose(needles) || needle_holds(needles, needles->root, place);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* From the end of where a run would stand: a text of few digits is looked at in strides. */
static bool has_run(struct str text, size_t digits)
{
    size_t from = 0; /* the run may begin here */

    while (from + digits <= text.len) {
        size_t at = from + digits;

        while (at > from && is_digit(text.ptr[at - 1])) {
            at--;
        }
        if (at == from) {
            return true;
        }
        from = at;
    }
    return false;
}

bool needle_stands_in(const struct needle *needle, struct str text)
{
    return needle->kind == NEEDLE_RUN ? has_run(text, needle->run)
                                      : str_find(text, needle->text) < text.len;
}

struct needle_texts {
    const struct event *event;
    const struct str *list;
    size_t count;
};

static bool texts_hold(void *context, const struct needle *needle)
{
    const struct needle_texts *texts = context;

    for (size_t i = 0; i < texts->count; i++) {
        if (needle_stands_in(needle, texts->list[i])) {
            return true;
        }
    }
    return false;
}

static bool texts_are_coded(void *context)
{
    const struct needle_texts *texts = context;

    return coded_event(texts->event) != CODED_NONE;
}

bool needles_stand_in(const struct needles *needles, const struct event *event,
                      const struct str *texts, size_t count)
{
    struct needle_texts all = {.event = event, .list = texts, .count = count};

    return needles_hold(needles, &(struct needle_place){texts_hold, texts_are_coded, &all});
}
