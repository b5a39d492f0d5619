/* What a piece of text is about, as a linear model sees it: words, pairs of words, parts of words,
 * phrases of lexicon.def and what leads out of the site become hashed features; one weight each a
 * model (weights.def, fitted by tools/fit-deface with this very code). On the data's way: fold.h,
 * page.h → content_features → news.c. Pure. The score is a log-odds against ordinary pages, before
 * any prior. */
#ifndef DETECT_DEFACE_CONTENT_H
#define DETECT_DEFACE_CONTENT_H

#include "base/str.h"
#include "detect/deface/fold.h"
#include "detect/deface/manner.h"
#include "detect/deface/page.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTENT_BUCKETS 32768
/* Buckets below this one are of what the lexicon and the page's shape say and count double; words,
 * above it, speak only for a topic, never against one (but for host names): text in words that were
 * never seen must not be called harmless for that. */
#define CONTENT_MEANT        4096
#define CONTENT_FEATURES_MAX 1024 /* of one piece; later ones are left out */

enum content_class { /* of phrases; the first six are topics */
                     CONTENT_CLASS_GAMBLING,
                     CONTENT_CLASS_PHARMA,
                     CONTENT_CLASS_ADULT,
                     CONTENT_CLASS_LOAN,
                     CONTENT_CLASS_CRYPTO,
                     CONTENT_CLASS_BOAST,
                     CONTENT_CLASS_CALL,
                     CONTENT_CLASS_NEWS,
                     CONTENT_CLASS_GANG,  /* what bands of intruders call themselves */
                     CONTENT_CLASS_OWNER, /* the reader as the one who keeps the site */
                     CONTENT_CLASS_MEND,  /* holes, and the advice to close them */
                     CONTENT_CLASS_SELF,  /* who writes, as "we" and "I" */
                     CONTENT_CLASS_COUNT,
};

#define CONTENT_TOPICS 6
/* A page boasts by how it is made and by its boldest piece: its score and so much of that one's. */
#define CONTENT_BOAST_SHARE 1.0

enum content_model { /* the topics, then: */
                     CONTENT_MODEL_PAGE =
                         CONTENT_TOPICS, /* a whole page that somebody put there to boast */
                     CONTENT_MODEL_HOST, /* a host name as betting sites choose them */
                     CONTENT_MODEL_COUNT,
};

struct content_lexicon;

struct content_features {
    uint16_t ids[CONTENT_FEATURES_MAX];
    size_t count;
    unsigned phrases[CONTENT_CLASS_COUNT];   /* how many different ones */
    struct str phrase[CONTENT_CLASS_COUNT];  /* the longest, from the lexicon */
    uint32_t phrase_at[CONTENT_CLASS_COUNT]; /* its offset, as the words have it */
    unsigned outward;                        /* links out of the site */
    unsigned masked;                         /* words written so that machines miss them */
    unsigned leet;                           /* words with digits for letters */
    struct manner manner;
    uint8_t seen[CONTENT_BUCKETS / 8];
};

[[nodiscard]] int content_lexicon_new(struct content_lexicon **ret_lexicon);
void content_lexicon_free(struct content_lexicon *lexicon);

void content_begin(struct content_features *features);
/* is_outward: they stand inside a link that leads out of the site. */
void content_add_words(struct content_features *features, const struct content_lexicon *lexicon,
                       const struct fold_word *words, size_t count, bool is_outward);
/* How the words that were added are written. */
void content_add_manner(struct content_features *features, struct str text);
/* The host of a link that leads out of the site to where it never led. */
void content_add_host(struct content_features *features, struct str host);
void content_add_hiding(struct content_features *features);
/* What the parts make together; after everything was added. */
void content_end(struct content_features *features);
/* The whole of a page: its title, the first words, and how much there is of what. */
void content_of_page(struct content_features *features, const struct content_lexicon *lexicon,
                     const struct page *page, struct fold *fold);
/* A host name alone, for CONTENT_MODEL_HOST. */
void content_of_host(struct content_features *features, struct str host);

double content_score(const struct content_features *features, unsigned model);
/* How many of the marks of a boast there are: a claim, a band or a made-up name, the reader and the
 * writer spoken of, scorn, ornaments. News of a break-in have one, seldom two. */
unsigned content_boast_marks(const struct content_features *features);
/* The topic with the highest score, boasts aside: what somebody wants to sell or lend. */
enum content_class content_topic(const struct content_features *features, double *ret_score);
const char *content_class_name(enum content_class topic);

#endif
