/* What a page (struct deface_profile) and its site (struct deface_site) have been like, as the
 * layers read it. Inside detect/deface/ only; the contract outside is deface.h. Each has a secret
 * key: hashes are made with it, so nobody can make text that is taken for what was there, and which
 * rows share a place in the filters is different for each (Bergadano 2019: who probes one page
 * learns nothing about another).
 * Sizes encoded: a view at most 9.5 KiB of rows and 4 KiB of filters, a site at most 12 KiB. */
#ifndef DETECT_DEFACE_PROFILE_H
#define DETECT_DEFACE_PROFILE_H

#include "detect/deface/deface.h"
#include "detect/deface/items.h"

#define PROFILE_TEXTS_MAX    900
#define PROFILE_LINKS_MAX    288
#define PROFILE_TITLES_MAX   8
#define PROFILE_CLUSTERS_MAX 8
#define PROFILE_SIZES_MAX    32
#define PROFILE_NEAR         10 /* bits by which structures of one page differ */
#define PROFILE_SAME_WORDS   16 /* bits by which texts of the same words, otherwise cut, differ */
#define PROFILE_KIND_BITS    4  /* of a link's hash, the lowest: its kind */
#define SITE_DOMAINS_MAX     768
#define SITE_PARTS_MAX       512
#define SITE_TITLES_MAX      64

struct cluster {
    uint64_t simhash;
    uint16_t share;
    uint16_t last;
};

struct profile_view {
    uint32_t looks; /* learned */
    int64_t first;  /* ns since 1970 UTC */
    int64_t last;
    struct items texts; /* blocks, description */
    struct items links; /* scripts, sheets, images, frames, forms, anchors, inline scripts */
    struct items titles;
    struct cluster clusters[PROFILE_CLUSTERS_MAX];
    size_t cluster_count;
    uint32_t sizes[PROFILE_SIZES_MAX]; /* words of the last looks, a ring */
    uint32_t language;                 /* hash; 0: none said */
    double novelty;                    /* share of a look's words that are new, running mean */
    double apart;          /* share of a look's words that the desktop's view does not know */
    uint64_t body_hash;    /* of the last look that was fine */
    uint64_t text_simhash; /* of the same */
    enum site_verdict verdict;
    enum site_failure failure;
    uint32_t failures; /* in a row */
    int64_t alarmed;   /* since when it has been yellow or red; 0: it is not */
};

struct deface_profile {
    uint64_t key;
    struct profile_view *views[SITE_VIEW_COUNT]; /* NULL: never seen */
};

struct deface_site {
    uint64_t key;
    uint32_t looks;
    struct items domains; /* with their role */
    struct items parts;   /* what its pages share: sheets, scripts, images, anchors */
    struct items titles;
};

/* For whom a domain works. */
enum site_role {
    SITE_ROLE_ANCHOR,
    SITE_ROLE_SCRIPT,
    SITE_ROLE_FRAME,
    SITE_ROLE_FORM,
    SITE_ROLE_REFRESH,
    SITE_ROLE_OTHER,
    SITE_ROLE_COUNT,
};

enum site_role site_role_of(enum page_link_kind kind);

uint32_t profile_hash_text(uint64_t key, struct str text);
/* With the page's key and with its site's. */
void profile_hash_link(const uint64_t keys[2], const struct page_link *link,
                       uint32_t ret_hashes[2]);
uint32_t profile_hash_script(uint64_t key, const struct page_script *script);
uint32_t site_hash_domain(uint64_t key, struct str domain, enum site_role role);

/* NULL when the view was never learned. */
const struct profile_view *profile_view_of(const struct deface_profile *profile,
                                           enum site_view view);
[[nodiscard]] int profile_view_make(struct deface_profile *profile, enum site_view view,
                                    struct profile_view **ret_view);
/* Of the words of the last looks; 0 when there are none. */
uint32_t profile_view_words(const struct profile_view *view);
/* Bits to the nearest structure seen; 64 when there is none. */
unsigned profile_view_distance(const struct profile_view *view, uint64_t simhash);

bool site_has_domain(const struct deface_site *site, struct str domain, enum site_role role);
bool site_knows_domain(const struct deface_site *site, struct str domain);

#endif
