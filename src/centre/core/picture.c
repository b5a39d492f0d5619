/* What a page looks like, against all that was learned of it: a picture comes from render by way of
 * fetch, is compared, kept, and weighed into the page's last look. Neighbours: core/watch.c hands
 * messages in, core/check.c asks for the weight of what was seen last; detect/deface/visual.h
 * compares. Invariants: a picture alone is told as odd only when it was seen twice, and never as an
 * attack; it is not decoded here. */
#include "centre/core/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "detect/deface/visual.h"
#include "store/pictures.h"

#define PICTURE_TWICE   2
#define PICTURE_SETTLED (7 * 86400 * NS_PER_S) /* nobody answered for so long: it is learned */
#define PICTURE_HEAD    24                     /* bytes up to a PNG's width and height */

struct picture_step {
    struct core *core;
    const struct core_picture *came;
    struct arena *arena;
    struct store_picture *known; /* what was seen last first */
    size_t known_count;
    struct store_look look; /* the page's last */
    struct store_picture picture;
};

/* That it is the kind of file that it will be shown as; the browser's picture was made anew. */
static bool picture_is_png(struct str png)
{
    static const char head[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    return png.len > PICTURE_HEAD && png.len <= STORE_PICTURE_SIZE_MAX &&
           memcmp(png.ptr, head, sizeof(head) - 1) == 0;
}

static struct visual_distance picture_distance(struct str a, struct str b)
{
    struct visual one;
    struct visual other;

    if (visual_decode(a, &one) < 0 || visual_decode(b, &other) < 0) {
        return (struct visual_distance){.hash = 1, .fields = 1, .dark = 1};
    }
    return visual_compare(&one, &other);
}

/* To the nearest that was learned; 0 when none was. */
static double picture_score(const struct picture_step *step)
{
    double least = -1;

    for (size_t i = 0; i < step->known_count; i++) {
        struct visual_distance distance;
        double score;

        if (step->known[i].state != PICTURE_STATE_LEARNED) {
            continue;
        }
        distance = picture_distance(step->known[i].visual, step->came->visual);
        score = visual_score(&distance);
        least = least < 0 || score < least ? score : least;
    }
    return least < 0 ? 0 : least;
}

/* The known one that looks the same; NULL. */
static const struct store_picture *picture_same(const struct picture_step *step)
{
    for (size_t i = 0; i < step->known_count; i++) {
        struct visual_distance distance =
            picture_distance(step->known[i].visual, step->came->visual);

        if (visual_is_same(&distance)) {
            return &step->known[i];
        }
    }
    return NULL;
}

static int picture_state(const struct picture_step *step, enum picture_state *ret_state)
{
    enum site_verdict verdict = step->look.verdict;
    bool is_window = false;
    int r = store_window_is_open(step->core->options.store, step->came->site, step->came->time,
                                 &is_window);

    if (is_window) {
        *ret_state = PICTURE_STATE_LEARNED;
    } else if (step->picture.score >= VISUAL_ODD) {
        *ret_state = PICTURE_STATE_ODD;
    } else {
        *ret_state = verdict == SITE_VERDICT_OK || verdict == SITE_VERDICT_CHANGED
                         ? PICTURE_STATE_LEARNED
                         : PICTURE_STATE_SEEN;
    }
    return r;
}

static int picture_keep(struct picture_step *step)
{
    const struct core_picture *came = step->came;
    const struct store_picture *same = picture_same(step);
    struct store *store = step->core->options.store;
    int r = 0;

    if (same != NULL) {
        step->picture = *same;
        step->picture.count++;
        step->picture.last = came->time;
        return store_picture_put(store, &step->picture, &step->picture.number);
    }
    step->picture = (struct store_picture){.site = came->site,
                                           .url = came->url,
                                           .view = came->view,
                                           .first = came->time,
                                           .last = came->time,
                                           .count = 1,
                                           .visual = came->visual,
                                           .score = picture_score(step)};
    r = picture_state(step, &step->picture.state);
    r = r < 0 ? r : store_evidence_put(store, came->png, step->picture.png);
    return r < 0 ? r : store_picture_put(store, &step->picture, &step->picture.number);
}

/* The page's last look, which the picture is weighed into; -ERR_NOENT. */
static int picture_find_look(struct picture_step *step)
{
    struct store_look *looks;
    size_t count;
    int r =
        store_look_list(step->core->options.store, step->came->site, step->arena, &looks, &count);

    for (size_t i = 0; r == 0 && i < count; i++) {
        if (looks[i].view == step->came->view && str_is(looks[i].url, step->came->url)) {
            step->look = looks[i];
            return 0;
        }
    }
    return r < 0 ? r : -ERR_NOENT;
}

/* One odd picture may be a banner's turn: another is asked for. The second is weighed at once. */
static int picture_follow(struct picture_step *step)
{
    struct cbor_reader reader;
    struct site_check check;
    int r;

    if (step->picture.state != PICTURE_STATE_ODD) {
        return 0;
    }
    cbor_open(&reader, step->look.body);
    r = site_check_decode(&reader, step->arena, &check);
    if (r < 0) {
        return r;
    }
    if (step->picture.count < PICTURE_TWICE && check.verdict < SITE_VERDICT_YELLOW) {
        (void)!core_watch_look(step->core, step->came->site, step->came->url, false);
        return 0;
    }
    if ((check.layers & 1U << SITE_LAYER_VISUAL) != 0) {
        return 0; /* told already */
    }
    check.time = step->came->time;
    return core_check_take(step->core, &(struct core_seen){.check = &check});
}

int core_picture_take(struct core *core, const struct core_picture *came, struct arena *arena)
{
    struct picture_step step = {.core = core, .came = came, .arena = arena};
    struct store *store = core->options.store;
    const struct store_picture_page page = {came->site, came->url, came->view};
    struct visual visual;
    struct store_site site;
    int r = visual_decode(came->visual, &visual);

    if (r < 0 || !picture_is_png(came->png)) {
        return -ERR_PROTO;
    }
    r = store_site_get(store, came->site, arena, &site);
    if (r == 0 && site.state != SITE_STATE_WATCHED) {
        return -ERR_NOENT;
    }
    r = r < 0 ? r : picture_find_look(&step);
    r = r < 0 ? r : store_picture_of(store, &page, arena, &step.known, &step.known_count);
    r = r < 0 ? r : picture_keep(&step);
    core->changed |= CENTRE_CHANGED_SITES;
    return r < 0 ? r : picture_follow(&step);
}

int core_picture_weigh(struct core *core, struct arena *arena, struct site_check *check)
{
    const struct store_picture_page page = {check->site, check->url, check->view};
    struct store *store = core->options.store;
    struct store_picture *pictures;
    size_t count = 0;
    int r = store_picture_of(store, &page, arena, &pictures, &count);

    if (r < 0 || count == 0 || pictures[0].state != PICTURE_STATE_ODD) {
        return r;
    }
    if (check->time - pictures[0].first >= PICTURE_SETTLED) {
        return store_picture_learn(store, check->site, check->url);
    }
    if (pictures[0].count < PICTURE_TWICE && check->verdict < SITE_VERDICT_YELLOW) {
        return 0;
    }
    return visual_weigh(pictures[0].score, arena, check);
}
