/* What the new text is about, and whether it is kept from people's eyes. Topic words alone are
 * news; what sells has links out of the site or calls to act, which the fitted weights know. */
#include "detect/deface/layers.h"

#include "base/banned.h"
#include "base/err.h"

#define FOLD_ROOM   256
#define WORDS_MIN   2
#define HIDDEN_SAYS 0.0 /* score of a hidden piece from which on hiding it means something */

static struct str piece_value(struct layers *layers, const struct news_piece *piece)
{
    const char *topic = content_class_name(piece->topic);

    return piece->phrases != 0
               ? arena_printf(layers->arena, "%s: %.*s", topic, STR_ARG(piece->phrase))
               : str_from(topic);
}

static struct spot piece_spot(const struct news_piece *piece)
{
    return (struct spot){piece->text, piece->at, piece->offset};
}

static void content_read_pieces(struct layers *layers)
{
    const struct news_piece *best = NULL;
    const struct news_piece *hidden = NULL;

    for (size_t i = 0; i < layers->news->count; i++) {
        const struct news_piece *piece = &layers->news->pieces[i];

        if (best == NULL || piece->score > best->score) {
            best = piece;
        }
        if (piece->is_hidden && (hidden == NULL || piece->score > hidden->score)) {
            hidden = piece;
        }
    }
    if (best != NULL) {
        double part = fusion_topic(best->score, layers->news->count);

        if (part > 0) {
            layers_say(layers, SIGNAL_TOPIC, part, piece_value(layers, best), piece_spot(best));
        }
    }
    if (hidden != NULL && hidden->score > HIDDEN_SAYS) {
        layers_say(layers, SIGNAL_HIDDEN_TEXT, 1, piece_value(layers, hidden), piece_spot(hidden));
    }
}

/* A link out of the site that people are not meant to see: menus hide their own links, not those.
 */
static void hiding_read_links(struct layers *layers)
{
    const struct diff *diff = layers->diff;

    for (size_t i = 0; i < diff->page->link_count; i++) {
        const struct page_link *link = &diff->page->links[i];
        bool is_eye = link->kind == PAGE_LINK_ANCHOR || link->kind == PAGE_LINK_FRAME;

        if (is_eye && (link->hiding & ~(uint32_t)PAGE_HIDING_NOSCRIPT) != 0 &&
            diff->links[i].is_new && diff->links[i].is_outward) {
            layers_say(
                layers, SIGNAL_HIDDEN_LINK, 1, link->host,
                (struct spot){link->text.len != 0 ? link->text : link->url, 0, link->offset});
        }
    }
}

static bool page_is_news(const struct diff *diff)
{
    return diff->view == NULL || diff->is_title_new || diff->new_words * 2 > diff->words;
}

int layer_content_read(struct layers *layers)
{
    const struct page *page = layers->diff->page;
    struct content_features *features = arena_alloc(layers->arena, 1, sizeof(*features));
    struct fold fold;
    double score;
    int r = fold_init(&fold, layers->arena, FOLD_ROOM);

    if (features == NULL || r < 0) {
        return -ERR_NOMEM;
    }
    content_read_pieces(layers);
    if (!layers->look->is_own_change) {
        hiding_read_links(layers);
    }
    if (page->word_count + page->hidden_word_count < WORDS_MIN || !page_is_news(layers->diff)) {
        return 0;
    }
    content_of_page(features, layers->model->lexicon, page, &fold);
    score = fusion_boast(content_score(features, CONTENT_MODEL_PAGE));
    if (score > 0) {
        struct str first = page->block_count != 0 ? page->blocks[0].text : page->title;

        layers_say(layers, SIGNAL_BOAST, score, str_said(page->title),
                   (struct spot){page->title.len != 0 ? page->title : first, 0, 0});
    }
    return 0;
}
