/* What one look has that its page and site did not have, and what it lacks. On the data's way:
 * page.h + profile.h → diff_make → the layers (layers.h). Everything lies in the arena. */
#ifndef DETECT_DEFACE_DIFF_H
#define DETECT_DEFACE_DIFF_H

#include "base/arena.h"
#include "detect/deface/deface.h"
#include "detect/deface/profile.h"

struct diff_link {
    struct str domain; /* registered part of the host; empty: the page's own */
    bool is_new;       /* this address was not on the page */
    bool is_strange;   /* the domain has not had this role on the site, nor do all have it */
    bool is_outward;   /* the site has not referred to that domain at all */
};

/* What judging hashes and learning needs again. */
struct deface_hashes {
    const struct page *page;
    uint64_t keys[2]; /* of the page's profile, of its site; 0: there is none */
    uint32_t *texts;  /* of blocks */
    uint32_t *words;  /* of blocks: how many */
    uint32_t *links;  /* of links, then of scripts */
    uint32_t *parts;  /* of links, with the site's key */
    double novelty;   /* share of the words that are new */
    double apart;     /* share of the words that the desktop's view does not know */
};

struct diff {
    const struct page *page;
    struct deface_hashes *hashes;
    const struct profile_view *view;    /* of this look's view; NULL: never learned */
    const struct profile_view *desktop; /* of people's view; NULL: never learned */
    const struct deface_site *site;
    bool *text_is_new;     /* a block */
    bool *text_is_lasting; /* a block that the last looks had almost all */
    struct diff_link *links;
    size_t new_texts;
    uint32_t words; /* of all blocks */
    uint32_t new_words;
    uint32_t apart_words; /* of blocks the desktop's view does not know */
    bool is_title_new;
    bool is_description_new;
    bool is_title_of_site;
    bool is_language_new;
    unsigned distance;    /* bits to the nearest structure seen; 0 when nothing was learned */
    double kept_texts;    /* part of the stable blocks that are still there; 1: none are stable */
    double kept_links;    /* part of the stable links that are */
    double site_links;    /* part of the look's links that the site has elsewhere too */
    uint32_t usual_words; /* median; 0: nothing was learned */
    size_t stable_texts;
    size_t stable_links;
    size_t lost_images; /* stable ones that are gone */
    bool has_old_words; /* as a whole it says what the last fine look said, however cut up */
};

/* site and profile may be NULL or empty: then everything is new. -ERR_NOMEM. */
[[nodiscard]] int diff_make(const struct deface_site *site, const struct deface_profile *profile,
                            const struct deface_look *look, struct arena *arena,
                            struct diff *ret_diff);
/* Of it only the hashes, for a look that was not compared. -ERR_NOMEM. */
[[nodiscard]] int diff_make_hashes(const struct deface_site *site,
                                   const struct deface_profile *profile,
                                   const struct deface_look *look, struct arena *arena,
                                   const struct deface_hashes **ret_hashes);
#endif
