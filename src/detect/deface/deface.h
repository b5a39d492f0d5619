/* The judge of watched pages: from what a page says (page.h), what this page and its site have been
 * like so far, and a model of what planted content reads like, to a verdict with its reasons. Pure:
 * no clock, file or socket, so the same code serves the centre, `canhgac watch`, a replay and a
 * test.
 *
 * Red needs two layers of which one shows intent, not mere change (signals.def), or one impossible
 * event (a listed gambling domain, a password form to a new host); that a second fetch says the
 * same is the caller's to see: needs_confirmation. A yellow of the page's own title, structure and
 * size that nobody answered for seven days is judged CHANGED from then on: the alarm was given.
 * Text is judged by what is new in it, never by "it changed". The yardstick is false alarms a
 * page-year.
 *
 * Sources: reference figures and layers in docs/decisions.md; MEERKAT, Goldrake, SEISE, Cloak of
 * Visibility. */
#ifndef DETECT_DEFACE_DEFACE_H
#define DETECT_DEFACE_DEFACE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "detect/deface/page.h"
#include "detect/deface/scripts.h"
#include "model/site.h"

#include <stdbool.h>
#include <stdint.h>

#define DEFACE_PROFILE_MAX (16u << 10) /* bytes of an encoded profile, a page and view */
#define DEFACE_SITE_MAX    (16u << 10)
#define DEFACE_LEARN_LOOKS 50 /* until then a profile only lowers suspicion */

/* Weights, lexicons and lists: made once, read by all. */
struct deface_model;
/* What one page has been like in each of its views. */
struct deface_profile;
/* What the whole site has been like: hosts it uses, titles, forms. */
struct deface_site;

/* What deface_learn need not make again. */
struct deface_hashes;

/* Where a host is listed, and for what ("gambling", "phishing" …): detect/intel/ behind it. The
 * host is lower case; true also for a listed parent domain. */
struct deface_lists {
    void *context;
    bool (*has_host)(void *context, struct str host, struct str *ret_list);
};

struct deface_look {
    const struct page *page; /* NULL when nothing came: failure says why */
    enum site_failure failure;
    enum site_page kind;
    enum site_view view;
    uint32_t status;
    int64_t time;                   /* ns since 1970 UTC */
    bool is_own_change;             /* a deploy window is open, or its editors said so: learn it */
    struct deface_scripts *scripts; /* of the site; NULL: none are known */
};

struct deface_verdict {
    enum site_verdict verdict;
    enum site_failure failure;
    bool is_learning;
    bool is_impossible;      /* one event that cannot be: enough for red by itself */
    bool needs_confirmation; /* fetch again in 2–5 s over another connection, then judge again */
    double score;
    uint32_t layers;
    const struct site_reason *reasons; /* in the arena; heaviest first */
    size_t reason_count;
    const struct deface_hashes *hashes; /* in the arena; NULL: none were made */
};

[[nodiscard]] int deface_model_new(const struct deface_lists *lists,
                                   struct deface_model **ret_model);
void deface_model_free(struct deface_model *model);

[[nodiscard]] int deface_profile_new(struct deface_profile **ret_profile);
void deface_profile_free(struct deface_profile *profile);
/* At most DEFACE_PROFILE_MAX a view seen. What is decoded was written by this program but is
 * treated as hostile: -ERR_SYNTAX, -ERR_LIMIT, -ERR_VERSION. */
[[nodiscard]] int deface_profile_encode(const struct deface_profile *profile, struct buf *buf);
[[nodiscard]] int deface_profile_decode(struct str bytes, struct deface_profile **ret_profile);

[[nodiscard]] int deface_site_new(struct deface_site **ret_site);
void deface_site_free(struct deface_site *site);
[[nodiscard]] int deface_site_encode(const struct deface_site *site, struct buf *buf);
[[nodiscard]] int deface_site_decode(struct str bytes, struct deface_site **ret_site);

/* Judges one look. Changes nothing: what is learned from it is learned by deface_learn, once the
 * verdict stands. */
[[nodiscard]] int deface_judge(const struct deface_model *model, const struct deface_site *site,
                               const struct deface_profile *profile, const struct deface_look *look,
                               struct arena *arena, struct deface_verdict *ret_verdict);
/* Takes a look into the profile, the site and look->scripts. verdict: as it stands after
 * confirmation; UNKNOWN teaches only its failure, YELLOW and RED nothing unless
 * look->is_own_change. Its hashes are those of this look against this profile, not taught since, or
 * NULL. */
[[nodiscard]] int deface_learn(struct deface_site *site, struct deface_profile *profile,
                               const struct deface_look *look,
                               const struct deface_verdict *verdict);

#endif
