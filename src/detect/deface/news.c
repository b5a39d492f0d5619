/* Cuts the new blocks into pieces. Borders: so many words, so many blocks, a known stretch between.
 * Links belong to the piece between whose neighbours they stand; those of a known stretch, such as
 * an address changed behind an old word, make pieces of their own. */
#include "detect/deface/news.h"

#include "base/banned.h"
#include "base/err.h"
#include "detect/deface/vocabulary.h"

#define PIECE_WORDS  48
#define PIECE_BLOCKS 16
#define PIECE_GAP    3
#define PIECE_LONG   72 /* words of a block that is cut up itself */
#define FOLD_ROOM    512
#define HASHES_MAX   128    /* words of a piece that are asked for */
#define KNOWN_MIN    64     /* words of known text below which nothing is strange */
#define SUSPECT      0.0    /* score below which a piece is no boast */
#define MARKS_MIN    2      /* of a boast that is no report */
#define FAINT        (-3.0) /* and below which it has nothing of one */

struct reading {
    const struct content_lexicon *lexicon;
    const struct diff *diff;
    const struct news_listener *listener;
    struct news *news;
    struct fold fold;
    struct content_features features;
    struct news_piece piece;
    struct news_sense first;     /* where the piece begins */
    size_t link;                 /* next to be given to a piece */
    uint32_t hashes[HASHES_MAX]; /* of the piece's words */
    size_t hash_count;
    struct arena *arena;
    struct vocabulary *vocabulary; /* NULL until asked for */
    int error;
};

static void reading_begin(struct reading *reading)
{
    content_begin(&reading->features);
    reading->piece = (struct news_piece){0};
    reading->first = (struct news_sense){0};
    reading->hash_count = 0;
}

/* The block that holds a byte of the body: words carry their place as offset + place in text. */
static struct str text_at(const struct page *page, size_t first, size_t last, uint64_t place,
                          uint64_t *ret_offset)
{
    for (size_t i = first; i <= last && i < page->block_count; i++) {
        const struct page_block *block = &page->blocks[i];

        if (place >= block->offset && place < (uint64_t)block->offset + block->text.len) {
            *ret_offset = block->offset;
            return block->text;
        }
    }
    return str_of("", 0);
}

static void reading_sense(struct reading *reading, enum content_class topic, double score,
                          struct news_sense *ret_sense)
{
    const struct content_features *features = &reading->features;

    *ret_sense = reading->first;
    ret_sense->topic = topic;
    ret_sense->score = score;
    ret_sense->phrases = features->phrases[topic];
    ret_sense->phrase = features->phrase[topic];
}

static void reading_place(struct reading *reading, struct news_sense *sense, size_t first,
                          size_t last)
{
    uint64_t place = reading->features.phrase_at[sense->topic];
    uint64_t offset = 0;
    struct str text = text_at(reading->diff->page, first, last, place, &offset);

    if (text.len != 0 && sense->phrases != 0) {
        sense->text = text;
        sense->offset = offset;
        sense->at = (uint32_t)(place - offset);
    }
}

/* Whether a lasting block stands on either side, or the page ends there. */
static bool blocks_are_amid(const struct diff *diff, size_t first, size_t last)
{
    return (first == 0 || diff->text_is_lasting[first - 1]) &&
           (last + 1 >= diff->page->block_count || diff->text_is_lasting[last + 1]);
}

/* How many of the piece's words the page does not use elsewhere. */
static void reading_count_strange(struct reading *reading)
{
    struct news_piece *piece = &reading->piece;

    if (reading->vocabulary == NULL && reading->error == 0) {
        reading->error =
            vocabulary_make(reading->diff, &reading->fold, reading->arena, &reading->vocabulary);
    }
    if (reading->error < 0 || reading->vocabulary == NULL ||
        reading->vocabulary->count < KNOWN_MIN) {
        return;
    }
    piece->words = (unsigned)reading->hash_count;
    for (size_t i = 0; i < reading->hash_count; i++) {
        piece->strange += !vocabulary_has(reading->vocabulary, reading->hashes[i]);
    }
}

/* Weighs what was gathered; first > last: no blocks in it. */
static void reading_end(struct reading *reading, size_t first, size_t last)
{
    struct news *news = reading->news;
    struct news_piece *piece = &reading->piece;
    enum content_class topic;
    double score;

    if (reading->features.count == 0 || news->count == NEWS_PIECES_MAX) {
        return;
    }
    content_end(&reading->features);
    if (reading->listener != NULL) {
        reading->listener->hear(reading->listener->context, &reading->features);
    }
    topic = content_topic(&reading->features, &score);
    reading_sense(reading, topic, score, &piece->sale);
    reading_place(reading, &piece->sale, first, last);
    score = content_score(&reading->features, CONTENT_CLASS_BOAST);
    reading_sense(reading, CONTENT_CLASS_BOAST, score, &piece->boast);
    reading_place(reading, &piece->boast, first, last);
    piece->is_boast = piece->boast.score > SUSPECT && piece->boast.score >= piece->sale.score;
    piece->is_told = content_boast_marks(&reading->features) < MARKS_MIN ||
                     reading->features.phrases[CONTENT_CLASS_NEWS] != 0;
    piece->outward = reading->features.outward;
    piece->is_amid = first <= last && blocks_are_amid(reading->diff, first, last);
    if (reading->diff->view != NULL &&
        (piece->is_boast || (piece->boast.score > FAINT && (piece->is_amid || piece->is_head)))) {
        reading_count_strange(reading);
    }
    news->pieces[news->count++] = *piece;
}

static void reading_add(struct reading *reading, struct str text, uint32_t offset, bool is_outward)
{
    reading->fold.count = 0;
    fold_add(&reading->fold, text, offset);
    content_add_words(&reading->features, reading->lexicon, reading->fold.words,
                      reading->fold.count, is_outward);
    content_add_manner(&reading->features, text);
    for (size_t i = 0;
         reading->diff->view != NULL && i < reading->fold.count && reading->hash_count < HASHES_MAX;
         i++) { /* nothing is strange where nothing is known */
        uint32_t hash = vocabulary_hash(&reading->fold.words[i]);

        reading->hashes[reading->hash_count] = hash;
        reading->hash_count += hash != 0;
    }
    if (reading->first.text.len == 0) {
        reading->first.text = text;
        reading->first.offset = offset;
    }
}

static void reading_hide(struct reading *reading)
{
    reading->piece.is_hidden = true;
    content_add_hiding(&reading->features);
}

static void reading_add_link(struct reading *reading, size_t at)
{
    const struct page_link *link = &reading->diff->page->links[at];
    const struct diff_link *known = &reading->diff->links[at];

    if (!known->is_new || (!known->is_outward && link->kind != PAGE_LINK_IMAGE)) {
        return;
    }
    if (known->is_outward && link->kind != PAGE_LINK_IMAGE && link->kind != PAGE_LINK_STYLE) {
        content_add_host(&reading->features, link->host);
    }
    if (link->text.len != 0) {
        reading_add(reading, link->text, link->offset, known->is_outward);
    } else if (reading->first.text.len == 0) {
        reading->first.text = link->url;
        reading->first.offset = link->offset;
    }
    if (link->hiding != 0) {
        reading_hide(reading);
    }
}

/* Links that stand before `end`, each into the piece being gathered. */
static void reading_take_links(struct reading *reading, uint64_t end)
{
    const struct page *page = reading->diff->page;

    while (reading->link < page->link_count && page->links[reading->link].offset < end) {
        reading_add_link(reading, reading->link++);
    }
}

/* Those that stand before `end` and in no piece: each run of them is one. */
static void reading_strays(struct reading *reading, uint64_t end)
{
    const struct page *page = reading->diff->page;
    unsigned taken = 0;

    reading_begin(reading);
    while (reading->link < page->link_count && page->links[reading->link].offset < end) {
        reading_add_link(reading, reading->link++);
        if (reading->features.outward > PIECE_BLOCKS) {
            reading_end(reading, 1, 0);
            reading_begin(reading);
        }
        taken++;
    }
    if (taken != 0) {
        reading_end(reading, 1, 0);
    }
}

static void reading_head(struct reading *reading)
{
    const struct page *page = reading->diff->page;

    if (!reading->diff->is_title_new && !reading->diff->is_description_new) {
        return;
    }
    reading_begin(reading);
    reading->piece.is_head = true;
    if (reading->diff->is_title_new && page->title.len != 0) {
        reading_add(reading, page->title, 0, false);
    }
    if (reading->diff->is_description_new) {
        reading_add(reading, page->description, 0, false);
    }
    reading_end(reading, 1, 0);
}

/* The front of text, of so many words at most. */
static struct str text_front(struct str text, uint32_t words)
{
    size_t at = 0;

    while (at < text.len && words != 0) {
        while (at < text.len && text.ptr[at] == ' ') {
            at++;
        }
        while (at < text.len && text.ptr[at] != ' ') {
            at++;
        }
        words--;
    }
    return str_slice(text, 0, at);
}

/* A block too long for one piece, in pieces: a few words among hundreds would not weigh. */
static void reading_long(struct reading *reading, size_t at)
{
    const struct page_block *block = &reading->diff->page->blocks[at];
    uint32_t from = 0;

    while (from < block->text.len) {
        struct str part = text_front(str_slice(block->text, from, block->text.len), PIECE_WORDS);

        reading_begin(reading);
        reading_add(reading, part, block->offset + from, false);
        if (block->hiding != 0) {
            reading_hide(reading);
        }
        reading_end(reading, at, at);
        from += (uint32_t)(part.len != 0 ? part.len : 1);
    }
}

/* From the new block at `at`; returns behind the last that was taken. */
static size_t reading_piece(struct reading *reading, size_t at)
{
    const struct page *page = reading->diff->page;
    const bool *is_new = reading->diff->text_is_new;
    const uint32_t *counts = reading->diff->hashes->words;
    size_t last = at;
    size_t blocks = 0;
    uint32_t words = 0;
    uint64_t end;

    reading_strays(reading, at != 0 ? page->blocks[at - 1].offset + 1 : 0);
    reading_begin(reading);
    for (size_t i = at; i < page->block_count && i - last <= PIECE_GAP; i++) {
        uint32_t more = is_new[i] ? counts[i] : 0;

        if (!is_new[i]) {
            continue;
        }
        if (blocks == PIECE_BLOCKS || more > PIECE_LONG ||
            (words != 0 && words + more > PIECE_WORDS)) {
            break;
        }
        reading_add(reading, page->blocks[i].text, page->blocks[i].offset, false);
        if (page->blocks[i].hiding != 0) {
            reading_hide(reading);
        }
        words += more;
        blocks++;
        last = i;
    }
    end = last + 1 < page->block_count ? page->blocks[last + 1].offset : UINT64_MAX;
    reading_take_links(reading, end);
    reading_end(reading, at, last);
    return last + 1;
}

int news_read(const struct content_lexicon *lexicon, const struct diff *diff,
              const struct news_listener *listener, struct arena *arena, struct news *ret_news)
{
    struct reading *reading = arena_alloc(arena, 1, sizeof(*reading));
    struct news news = {
        .pieces = arena_alloc(arena, NEWS_PIECES_MAX, sizeof(struct news_piece)),
    };

    if (reading == NULL || news.pieces == NULL || fold_init(&reading->fold, arena, FOLD_ROOM) < 0) {
        return -ERR_NOMEM;
    }
    reading->lexicon = lexicon;
    reading->diff = diff;
    reading->listener = listener;
    reading->news = &news;
    reading->arena = arena;
    reading_head(reading);
    for (size_t at = 0; at < diff->page->block_count;) {
        if (diff->text_is_new[at] && diff->hashes->words[at] > PIECE_LONG) {
            reading_long(reading, at++);
        } else {
            at = diff->text_is_new[at] ? reading_piece(reading, at) : at + 1;
        }
    }
    reading_strays(reading, UINT64_MAX);
    *ret_news = news;
    return reading->error;
}
