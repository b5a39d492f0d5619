/* The layers of one look: each reads the difference and says signals, which judge.c adds up. Inside
 * detect/deface/ only. A signal is said once a look, with the heaviest of its causes. */
#ifndef DETECT_DEFACE_LAYERS_H
#define DETECT_DEFACE_LAYERS_H

#include "detect/deface/content.h"
#include "detect/deface/deface.h"
#include "detect/deface/diff.h"
#include "detect/deface/news.h"

enum signal {
#define SIGNAL(constant, layer, kind, word) SIGNAL_##constant,
#include "detect/deface/signals.def"
#undef SIGNAL
    SIGNAL_COUNT,
};

enum signal_kind {
    SIGNAL_KIND_CHANGE,
    SIGNAL_KIND_INTENT,
};

struct deface_model {
    struct deface_lists lists; /* has_host NULL: none */
    struct content_lexicon *lexicon;
};

/* The place in the page that shows it: text to quote, a byte in it, where text lies in the body. */
struct spot {
    struct str text;
    size_t at;
    uint64_t offset;
};

struct said {
    bool is_said;
    double measure; /* 0 … 1: how much of it, times the signal's weight */
    struct str value;
    struct spot spot;
};

struct layers {
    const struct deface_model *model;
    const struct deface_look *look;
    const struct diff *diff;
    const struct news *news;
    struct arena *arena;
    struct said said[SIGNAL_COUNT];
    bool is_impossible;
};

/* value.ptr NULL: it could not be made, which ends the judging as -ERR_NOMEM; what is merely absent
 * is given through str_said. */
void layers_say(struct layers *layers, enum signal signal, double measure, struct str value,
                struct spot spot);

/* The text, or an empty one where there is none. */
static inline struct str str_said(struct str text)
{
    return text.len != 0 ? text : STR("");
}

void layer_profile_read(struct layers *layers);
void layer_hosts_read(struct layers *layers);
/* -ERR_NOMEM. */
[[nodiscard]] int layer_scripts_read(struct layers *layers);
/* Whether a script that the page links is not what it was, so that the same page is another look.
 */
bool layer_scripts_has_news(const struct deface_look *look);
/* Content and hiding: both come from the pieces of news. -ERR_NOMEM. */
[[nodiscard]] int layer_content_read(struct layers *layers);
void layer_cloak_read(struct layers *layers);

double fusion_weight(enum signal signal);
/* Part of the signal's weight that a model's score stands for. pieces: among how many it is the
 * highest. */
double fusion_topic(double score, size_t pieces);
double fusion_claim(double score, size_t pieces);
/* is_stranger: nothing is known of the page, so that no other layer can speak. */
double fusion_boast(double score, bool is_stranger);

#endif
