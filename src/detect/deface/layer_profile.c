/* Title, structure, language and what of the lasting parts is left. Speaks only about a page that
 * was learned: before that it has no word. */
#include "detect/deface/layers.h"

#include "base/banned.h"

#define LANDMARKS_MIN     3   /* lasting rows below which their absence says nothing */
#define GONE              0.3 /* part of the landmarks that is left */
#define REPLACED          0.08
#define ELSE_SAME         0.8
#define IMAGE_IN_REDESIGN 0.2
#define IMAGE_WORDS       8
#define STRANGE_WORDS     3
#define STRANGE_SOME      0.5 /* part of a piece's words that the page has nowhere else */
#define STRANGE_MOST      0.7
#define STRANGE_LESS      0.65
#define STRANGE_ALL       0.9

static bool profile_is_learned(const struct layers *layers)
{
    return layers->diff->view != NULL && layers->diff->view->looks >= DEFACE_LEARN_LOOKS &&
           !layers->look->is_own_change;
}

static struct spot spot_first_new(const struct diff *diff)
{
    for (size_t i = 0; i < diff->page->block_count; i++) {
        if (diff->text_is_new[i]) {
            return (struct spot){diff->page->blocks[i].text, 0, diff->page->blocks[i].offset};
        }
    }
    return (struct spot){.text = diff->page->title};
}

static struct str percent(struct layers *layers, double part)
{
    return arena_printf(layers->arena, "%.0f %%", part * 100);
}

static void profile_read_title(struct layers *layers)
{
    const struct diff *diff = layers->diff;

    if (diff->is_title_new && !diff->is_title_of_site) {
        layers_say(layers, SIGNAL_TITLE, 1, str_said(diff->page->title),
                   (struct spot){.text = diff->page->title});
    }
}

static bool diff_has_landmarks(const struct diff *diff)
{
    return diff->stable_texts + diff->stable_links >= LANDMARKS_MIN;
}

/* Kept is what the better kept of texts and links keeps, so that a site that gets a new look with
 * its old words, or new words in its old look, is not called replaced. */
static double diff_kept(const struct diff *diff)
{
    double texts = diff->stable_texts >= LANDMARKS_MIN ? diff->kept_texts : 0;
    double links = diff->stable_links >= LANDMARKS_MIN ? diff->kept_links : 0;
    double kept = texts > links ? texts : links;

    return kept > diff->site_links ? kept : diff->site_links;
}

static void profile_read_landmarks(struct layers *layers)
{
    const struct diff *diff = layers->diff;
    double kept = diff_kept(diff);

    if (!diff_has_landmarks(diff) || kept >= GONE || diff->has_old_words) {
        return;
    }
    layers_say(layers, SIGNAL_LANDMARKS, 1, percent(layers, kept), spot_first_new(diff));
    if (kept < REPLACED && diff->is_title_new) {
        layers_say(layers, SIGNAL_REPLACED, 1, percent(layers, kept), spot_first_new(diff));
    }
}

/* Part of a piece's words that the page has nowhere else; 0 of so few that it says nothing. */
static double piece_strangeness(const struct news_piece *piece)
{
    return piece->words >= STRANGE_WORDS ? (double)piece->strange / (double)piece->words : 0;
}

/* In the title, or between blocks that stood there all the time. Feeds, clocks and counters have
 * neighbours that come and go as they do. */
static bool piece_is_out_of_place(const struct layers *layers, const struct news_piece *piece)
{
    return layers->diff->kept_texts > ELSE_SAME &&
           (piece->is_amid ||
            (piece->is_head && layers->diff->is_title_new && !layers->diff->is_title_of_site));
}

/* Boasts where nothing ever came, however faint when all their words are strange to the page. What
 * is sold comes in such places by editors' hands too, as news about it. */
static void profile_read_place(struct layers *layers)
{
    for (size_t i = 0; i < layers->news->count; i++) {
        const struct news_piece *piece = &layers->news->pieces[i];

        if (piece_is_out_of_place(layers, piece) &&
            (piece->is_boast || piece_strangeness(piece) >= STRANGE_ALL)) {
            layers_say(layers, SIGNAL_PLACE, 1, str_said(piece->boast.text),
                       (struct spot){piece->boast.text, 0, piece->boast.offset});
        }
    }
}

/* Boasts in words that the page has nowhere else: another language, or another speaker. Where
 * nothing ever came it takes no more than that. */
static void profile_read_words(struct layers *layers)
{
    for (size_t i = 0; i < layers->news->count; i++) {
        const struct news_piece *piece = &layers->news->pieces[i];
        double part = piece_strangeness(piece);
        bool is_alien = part >= STRANGE_ALL && piece_is_out_of_place(layers, piece);

        if ((piece->is_boast && part >= STRANGE_SOME) || is_alien) {
            layers_say(layers, SIGNAL_STRANGE, part >= STRANGE_MOST ? 1 : STRANGE_LESS,
                       percent(layers, part),
                       (struct spot){piece->boast.text, 0, piece->boast.offset});
        }
    }
}

/* A picture from a stranger's host came without words, on a page that is otherwise the same: an
 * emblem exchanged, not a redesign nor a piece of news. One on the page's own host is how editors
 * change pictures; that is for the eye (SITE_LAYER_VISUAL). */
static void profile_read_images(struct layers *layers)
{
    const struct diff *diff = layers->diff;
    bool is_alone = diff->kept_links > ELSE_SAME && diff->kept_texts > ELSE_SAME &&
                    (diff->lost_images != 0 || diff->new_words < IMAGE_WORDS);

    for (size_t i = 0; i < diff->page->link_count; i++) {
        const struct page_link *link = &diff->page->links[i];

        if (link->kind == PAGE_LINK_IMAGE && diff->links[i].is_new && link->hiding == 0 &&
            (diff->links[i].is_strange || diff->links[i].is_outward)) {
            layers_say(layers, SIGNAL_IMAGE, is_alone ? 1 : IMAGE_IN_REDESIGN, link->host,
                       (struct spot){link->url, 0, link->offset});
        }
    }
}

void layer_profile_read(struct layers *layers)
{
    const struct diff *diff = layers->diff;

    if (!profile_is_learned(layers)) {
        return;
    }
    profile_read_title(layers);
    if (diff->distance > PROFILE_NEAR) {
        layers_say(layers, SIGNAL_STRUCTURE, 1, arena_printf(layers->arena, "%u", diff->distance),
                   spot_first_new(diff));
    }
    if (diff->is_language_new) {
        layers_say(layers, SIGNAL_LANGUAGE, 1, str_said(diff->page->language),
                   spot_first_new(diff));
    }
    profile_read_landmarks(layers);
    profile_read_place(layers);
    profile_read_words(layers);
    profile_read_images(layers);
}
