/* Another page for robots, or for those who come from a search, than for people: what this view has
 * and people's view never had, less what it has always had more. A page that nobody was meant to
 * find (a made-up path, or one that only robots are told of) is the same trick by address. Cloak of
 * Visibility (Invernizzi 2016), Cloaker Catcher (Duan 2017). */
#include "detect/deface/layers.h"

#include "base/banned.h"

#define APART_MARGIN 0.1
#define APART_WORDS  6 /* new ones that people's view lacks, below which it is a counter */
#define UNASKED_OK   200

static void cloak_read_views(struct layers *layers)
{
    const struct diff *diff = layers->diff;
    const struct profile_view *view = diff->view;
    double apart = diff->words != 0 ? (double)diff->apart_words / (double)diff->words : 0;
    double usual = view != NULL && view->looks != 0 ? view->apart : 0;
    double noise = diff->desktop->novelty;
    double excess = apart - (usual > noise ? usual : noise);

    if (diff->new_words < APART_WORDS || (excess <= 0 && noise > APART_MARGIN)) {
        return;
    }
    for (size_t i = 0; i < diff->page->block_count; i++) {
        if (diff->text_is_new[i]) {
            layers_say(layers, SIGNAL_APART, excess > APART_MARGIN ? 1 : 0.7,
                       arena_printf(layers->arena, "%.0f %%", apart * 100),
                       (struct spot){diff->page->blocks[i].text, 0, diff->page->blocks[i].offset});
            return;
        }
    }
}

static bool kind_is_unasked(enum site_page kind)
{
    return kind == SITE_PAGE_MISSING || kind == SITE_PAGE_HIDDEN || kind == SITE_PAGE_UPLOADS;
}

void layer_cloak_read(struct layers *layers)
{
    const struct deface_look *look = layers->look;
    const struct diff *diff = layers->diff;

    if (look->view != SITE_VIEW_DESKTOP && diff->desktop != NULL && diff->desktop->looks != 0 &&
        !look->is_own_change) {
        cloak_read_views(layers);
    }
    if (kind_is_unasked(look->kind) && look->status == UNASKED_OK && diff->new_words != 0) {
        layers_say(layers, SIGNAL_UNASKED, 1, str_from(site_page_name(look->kind)),
                   (struct spot){.text = diff->page->title});
    }
}
