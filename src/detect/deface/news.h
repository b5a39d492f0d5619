/* What is new on a page, cut into pieces of a few dozen words with the links that stand among them,
 * and what each piece is about. On the data's way: diff.h → news_read → layer_content.c. Only what
 * is new is read: a page that spoke of betting for years is not judged for it again. */
#ifndef DETECT_DEFACE_NEWS_H
#define DETECT_DEFACE_NEWS_H

#include "base/arena.h"
#include "detect/deface/content.h"
#include "detect/deface/diff.h"

#define NEWS_PIECES_MAX 1024

/* What a piece may be said to be about. */
struct news_sense {
    enum content_class topic;
    double score;      /* of the topic: log-odds against ordinary pages */
    unsigned phrases;  /* of the topic */
    struct str phrase; /* the longest of the topic, as the lexicon has it */
    struct str text;   /* where it stands, borrowed: a block, a title or a link's text */
    uint32_t at;       /* of the phrase, or of the first word, within text */
    uint64_t offset;   /* of text in the body */
};

struct news_piece {
    struct news_sense sale;  /* what somebody wants to sell or lend */
    struct news_sense boast; /* of a break-in */
    unsigned outward;        /* new links out of the site */
    bool is_hidden;          /* from people's eyes */
    bool is_head;            /* title and description */
    bool is_boast;           /* rather than an offer, as far as it is either */
    bool is_told;            /* a boast that may as well be what the press says of one */
    bool is_amid;            /* between blocks that the last looks had almost all */
    unsigned words;   /* of a boast, or what may be a faint one where nothing ever came, asked
                         for in the known text of the page */
    unsigned strange; /* of them not there */
};

struct news {
    struct news_piece *pieces;
    size_t count;
};

/* Called with the features of each piece; the fitting tool listens in. May be NULL. */
struct news_listener {
    void *context;
    void (*hear)(void *context, const struct content_features *features);
};

/* -ERR_NOMEM. */
[[nodiscard]] int news_read(const struct content_lexicon *lexicon, const struct diff *diff,
                            const struct news_listener *listener, struct arena *arena,
                            struct news *ret_news);

#endif
