/* What the new text is about, and whether it is kept from people's eyes. Topic words alone are
 * news; what sells has links out of the site or calls to act, which the fitted weights know. */
#include "detect/deface/layers.h"

#include "base/banned.h"
#include "base/err.h"

#define FOLD_ROOM   256
#define WORDS_MIN   2
#define TOLD_MOST   0.49 /* of a claim's weight: no report turns a page red */
#define CLAIM_SURE  0.55
#define HIDDEN_SAYS 0.0 /* score of a hidden piece from which on hiding it means something */

static struct str sense_value(struct layers *layers, const struct news_sense *sense)
{
    const char *topic = content_class_name(sense->topic);

    return sense->phrases != 0
               ? arena_printf(layers->arena, "%s: %.*s", topic, STR_ARG(sense->phrase))
               : str_from(topic);
}

static struct spot sense_spot(const struct news_sense *sense)
{
    return (struct spot){sense->text, sense->at, sense->offset};
}

static void content_say(struct layers *layers, enum signal signal, double part,
                        const struct news_sense *sense)
{
    if (part > 0) {
        layers_say(layers, signal, part, sense_value(layers, sense), sense_spot(sense));
    }
}

static void content_read_pieces(struct layers *layers)
{
    const struct news *news = layers->news;

    for (size_t i = 0; i < news->count; i++) {
        const struct news_piece *piece = &news->pieces[i];
        double claim;

        content_say(layers, SIGNAL_TOPIC, fusion_topic(piece->sale.score, news->count),
                    &piece->sale);
        claim = fusion_claim(piece->boast.score, news->count);
        if ((piece->is_told || claim < CLAIM_SURE) && claim > TOLD_MOST) {
            claim = TOLD_MOST;
        }
        content_say(layers, SIGNAL_CLAIM, claim, &piece->boast);
        if (piece->is_hidden && piece->sale.score > HIDDEN_SAYS) {
            content_say(layers, SIGNAL_HIDDEN_TEXT, 1, &piece->sale);
        }
    }
}

/* Whether people will never see it. What a sheet does not display, or lets fade, is as a rule a
 * menu that opens. */
static bool hiding_is_for_good(uint32_t hiding)
{
    if ((hiding & PAGE_HIDING_SHEET) != 0) {
        return (hiding & (PAGE_HIDING_PLACE | PAGE_HIDING_SIZE)) != 0;
    }
    return (hiding & ~(uint32_t)PAGE_HIDING_NOSCRIPT) != 0;
}

/* A link out of the site that people are not meant to see: menus hide their own links, not those.
 */
static void hiding_read_links(struct layers *layers)
{
    const struct diff *diff = layers->diff;

    for (size_t i = 0; i < diff->page->link_count; i++) {
        const struct page_link *link = &diff->page->links[i];
        bool is_eye = link->kind == PAGE_LINK_ANCHOR || link->kind == PAGE_LINK_FRAME;

        if (is_eye && hiding_is_for_good(link->hiding) && diff->links[i].is_new &&
            diff->links[i].is_outward) {
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

/* The score of the piece that boasts most. */
static double news_boast(const struct news *news)
{
    double best = news->count != 0 ? news->pieces[0].boast.score : 0;

    for (size_t i = 1; i < news->count; i++) {
        best = news->pieces[i].boast.score > best ? news->pieces[i].boast.score : best;
    }
    return best;
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
    score = fusion_boast(content_score(features, CONTENT_MODEL_PAGE) +
                             CONTENT_BOAST_SHARE * news_boast(layers->news),
                         layers->diff->view == NULL);
    if (score > 0) {
        struct str first = page->block_count != 0 ? page->blocks[0].text : page->title;

        layers_say(layers, SIGNAL_BOAST, score, str_said(page->title),
                   (struct spot){page->title.len != 0 ? page->title : first, 0, 0});
    }
    return 0;
}
