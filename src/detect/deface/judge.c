/* From signals to a verdict. Signals that hang together give the heaviest of them and a little of
 * the others: those of intent within their layer, those of change all together, since one redesign
 * sets off title, structure and hosts at once. These sums are taken as independent and added to the
 * odds that a look meets an attack at all. Red wants two layers of which one shows intent.
 * On its way: page_read → deface_judge → diff.c → news.c → layer_*.c → here. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "detect/deface/absence.h"
#include "detect/deface/layers.h"

#define PRIOR         (-6.9) /* one look in a thousand */
#define SPEAKS        2.5    /* of a layer: enough to be one of two */
#define INTENT_SPEAKS 5.0    /* of a layer: enough to show intent */
#define RED           3.0
#define YELLOW        0.0
#define STAYS         1.5 /* an alarm ends only so far below what raises it */
#define COMPANIONS    0.15
#define SETTLED_NS    (7 * 24 * 3600 * NS_PER_S)
#define SNIPPET_CUT   80 /* bytes shown before the place */

static const struct {
    enum site_layer layer;
    enum signal_kind kind;
    const char *word;
} signal_rows[SIGNAL_COUNT] = {
#define SIGNAL(constant, layer, kind, word) {SITE_LAYER_##layer, SIGNAL_KIND_##kind, word},
#include "detect/deface/signals.def"
#undef SIGNAL
};

int deface_model_new(const struct deface_lists *lists, struct deface_model **ret_model)
{
    struct deface_model *model = mem_alloc(1, sizeof(*model));
    int r = model != NULL ? content_lexicon_new(&model->lexicon) : -ERR_NOMEM;

    if (r < 0) {
        mem_free(model);
        return r;
    }
    model->lists = lists != NULL ? *lists : (struct deface_lists){0};
    *ret_model = model;
    return 0;
}

void deface_model_free(struct deface_model *model)
{
    if (model != NULL) {
        content_lexicon_free(model->lexicon);
        mem_free(model);
    }
}

void layers_say(struct layers *layers, enum signal signal, double measure, struct str value,
                struct spot spot)
{
    struct said *said = &layers->said[signal];

    if (!said->is_said || measure > said->measure) {
        *said = (struct said){true, measure, value, spot};
    }
}

static bool byte_is_inside(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* What is quoted must not move a terminal or a page: control characters become blanks. */
static struct str snippet_make(struct arena *arena, const struct spot *spot, size_t *ret_from)
{
    size_t from = spot->at > SNIPPET_CUT ? spot->at - SNIPPET_CUT : 0;
    size_t upto =
        from + SITE_SNIPPET_MAX < spot->text.len ? from + SITE_SNIPPET_MAX : spot->text.len;
    struct str copy;

    while (from < upto && byte_is_inside(spot->text.ptr[from])) {
        from++;
    }
    while (upto > from && upto < spot->text.len && byte_is_inside(spot->text.ptr[upto])) {
        upto--;
    }
    copy = arena_copy(arena, str_slice(spot->text, from, upto));
    for (size_t i = 0; copy.ptr != NULL && i < copy.len; i++) {
        bool is_control = (unsigned char)copy.ptr[i] < 0x20 || copy.ptr[i] == 0x7f ||
                          ((unsigned char)copy.ptr[i] == 0xc2 && i + 1 < copy.len &&
                           (unsigned char)copy.ptr[i + 1] < 0xa0);

        if (is_control && (unsigned char)copy.ptr[i] == 0xc2) {
            ((char *)(uintptr_t)copy.ptr)[i++] = ' ';
        }
        if (is_control) {
            ((char *)(uintptr_t)copy.ptr)[i] = ' ';
        }
    }
    *ret_from = from;
    return copy;
}

static int reason_compare(const void *a, const void *b)
{
    double x = ((const struct site_reason *)a)->score;
    double y = ((const struct site_reason *)b)->score;

    return x > y ? -1 : x < y;
}

/* Of a page that is no alarm, what weighs next to nothing would read like a charge: "the page reads
 * like one that an intruder left". */
static bool reason_is_worth_telling(const struct deface_verdict *verdict, unsigned signal,
                                    double score)
{
    double least = signal_rows[signal].kind == SIGNAL_KIND_INTENT ? INTENT_SPEAKS : SPEAKS;

    return verdict->verdict == SITE_VERDICT_YELLOW || verdict->verdict == SITE_VERDICT_RED ||
           score >= least;
}

/* Every signal with what it adds, the heaviest first. */
static int verdict_put_reasons(const struct layers *layers, struct deface_verdict *verdict)
{
    struct site_reason *reasons = arena_alloc(layers->arena, SIGNAL_COUNT, sizeof(*reasons));
    size_t count = 0;

    if (reasons == NULL) {
        return -ERR_NOMEM;
    }
    for (unsigned i = 0; i < SIGNAL_COUNT; i++) {
        const struct said *said = &layers->said[i];
        size_t from = 0;
        struct str snippet;
        struct str value;

        if (!said->is_said ||
            !reason_is_worth_telling(verdict, i, fusion_weight(i) * said->measure)) {
            continue;
        }
        snippet = snippet_make(layers->arena, &said->spot, &from);
        /* The page's bytes may go before the verdict does. */
        value = arena_copy(layers->arena, str_slice(said->value, 0, SITE_URL_MAX));
        if (snippet.ptr == NULL || value.ptr == NULL) {
            return -ERR_NOMEM;
        }
        reasons[count++] = (struct site_reason){
            .layer = signal_rows[i].layer,
            .view = layers->look->view,
            .what = str_from(signal_rows[i].word),
            .value = value,
            .score = fusion_weight(i) * said->measure,
            .snippet = snippet,
            .offset = said->spot.offset + from,
        };
    }
    qsort(reasons, count, sizeof(*reasons), reason_compare);
    verdict->reasons = reasons;
    verdict->reason_count = count < SITE_REASONS_MAX ? count : SITE_REASONS_MAX;
    return 0;
}

struct tally {
    double heaviest;
    double sum;
};

static void tally_add(struct tally *tally, double part)
{
    tally->sum += part;
    tally->heaviest = part > tally->heaviest ? part : tally->heaviest;
}

static double tally_total(const struct tally *tally)
{
    return tally->heaviest + COMPANIONS * (tally->sum - tally->heaviest);
}

static void verdict_add_up(const struct layers *layers, struct deface_verdict *verdict,
                           bool *ret_has_intent)
{
    struct tally intents[SITE_LAYER_COUNT] = {0};
    struct tally change = {0};

    verdict->score = PRIOR;
    verdict->layers = 0;
    for (unsigned i = 0; i < SIGNAL_COUNT; i++) {
        double part = layers->said[i].is_said ? fusion_weight(i) * layers->said[i].measure : 0;

        tally_add(signal_rows[i].kind == SIGNAL_KIND_INTENT ? &intents[signal_rows[i].layer]
                                                            : &change,
                  part);
        verdict->layers |= part >= SPEAKS ? 1U << signal_rows[i].layer : 0;
    }
    verdict->score += tally_total(&change);
    *ret_has_intent = false;
    for (unsigned layer = 0; layer < SITE_LAYER_COUNT; layer++) {
        verdict->score += tally_total(&intents[layer]);
        *ret_has_intent = *ret_has_intent || intents[layer].heaviest >= INTENT_SPEAKS;
    }
}

static bool look_is_same(const struct diff *diff)
{
    return diff->new_texts == 0 && !diff->is_title_new && !diff->is_description_new;
}

static bool view_is_alarmed(const struct profile_view *view)
{
    return view != NULL &&
           (view->verdict == SITE_VERDICT_YELLOW || view->verdict == SITE_VERDICT_RED);
}

/* A yellow of nothing but the page's own title, structure and size that nobody answered for a week
 * ends, and what it was about is learned: the alarm was given, and a profile that knows only what
 * was is blind to what comes. A stranger's program or form waits for a person, however long. */
static bool view_is_settled(const struct profile_view *view, const struct deface_look *look,
                            uint32_t layers)
{
    return view != NULL && view->verdict == SITE_VERDICT_YELLOW && view->alarmed != 0 &&
           look->time - view->alarmed >= SETTLED_NS && (layers & ~(1U << SITE_LAYER_PROFILE)) == 0;
}

static enum site_verdict verdict_choose(const struct layers *layers,
                                        const struct deface_verdict *verdict, bool has_intent)
{
    double lower = view_is_alarmed(layers->diff->view) ? STAYS : 0;

    if (layers->is_impossible) {
        return SITE_VERDICT_RED;
    }
    if (verdict->score >= RED - lower && has_intent && __builtin_popcount(verdict->layers) >= 2) {
        return SITE_VERDICT_RED;
    }
    if (verdict->score >= YELLOW - lower &&
        (has_intent || !view_is_settled(layers->diff->view, layers->look, verdict->layers))) {
        return SITE_VERDICT_YELLOW;
    }
    if (verdict->failure != SITE_FAILURE_NONE) {
        return SITE_VERDICT_UNKNOWN;
    }
    return layers->diff->view != NULL && look_is_same(layers->diff) ? SITE_VERDICT_OK
                                                                    : SITE_VERDICT_CHANGED;
}

/* A look that says nothing else than the last one needs no second opinion. */
static bool verdict_is_doubtful(const struct deface_verdict *verdict,
                                const struct profile_view *view)
{
    bool is_alarm = verdict->verdict == SITE_VERDICT_YELLOW || verdict->verdict == SITE_VERDICT_RED;
    bool is_torn = verdict->failure == SITE_FAILURE_PARTIAL ||
                   verdict->failure == SITE_FAILURE_BLANK ||
                   verdict->failure == SITE_FAILURE_STATUS;

    return (is_alarm || (verdict->verdict == SITE_VERDICT_UNKNOWN && is_torn)) &&
           (view == NULL || view->verdict != verdict->verdict);
}

static bool view_saw_this(const struct profile_view *view, const struct page *page)
{
    return view != NULL && view->looks != 0 && view->body_hash == page->body_hash &&
           (view->verdict == SITE_VERDICT_OK || view->verdict == SITE_VERDICT_CHANGED);
}

/* A path that must not exist and does not is as it should be, and so is a folder of uploads that
 * shows nobody what lies in it. */
static bool look_is_rightly_missing(const struct deface_look *look, const struct profile_view *view)
{
    bool is_refused = look->status >= 400 && look->status < 500;

    return (is_refused && (look->kind == SITE_PAGE_MISSING || look->kind == SITE_PAGE_UPLOADS)) ||
           absence_is_of_extra(look, view);
}

static int layers_read(struct layers *layers, struct deface_verdict *verdict)
{
    struct news news;
    int r = news_read(layers->model->lexicon, layers->diff, NULL, layers->arena, &news);

    if (r < 0) {
        return r;
    }
    layers->news = &news;
    layer_profile_read(layers);
    layer_hosts_read(layers);
    layer_cloak_read(layers);
    r = layer_scripts_read(layers);
    r = r < 0 ? r : layer_content_read(layers);
    r = r < 0 ? r : absence_read(layers->look, layers->diff, layers->arena, &verdict->failure);
    return r;
}

/* What a profile says about a page that did not come whole is about nothing. */
static void layers_hush_profile(struct layers *layers)
{
    for (unsigned i = 0; i < SIGNAL_COUNT; i++) {
        if (signal_rows[i].layer == SITE_LAYER_PROFILE) {
            layers->said[i].is_said = false;
        }
    }
}

static int judge_page(struct layers *layers, struct deface_verdict *verdict)
{
    bool has_intent = false;
    int r = layers_read(layers, verdict);

    if (r < 0) {
        return r;
    }
    verdict->is_impossible = layers->is_impossible;
    verdict_add_up(layers, verdict, &has_intent);
    if (verdict->failure != SITE_FAILURE_NONE && !has_intent) {
        layers_hush_profile(layers);
        verdict_add_up(layers, verdict, &has_intent);
    }
    verdict->verdict = verdict_choose(layers, verdict, has_intent);
    if (verdict->verdict != SITE_VERDICT_UNKNOWN) {
        verdict->failure = SITE_FAILURE_NONE;
    }
    if (verdict->verdict == SITE_VERDICT_UNKNOWN &&
        look_is_rightly_missing(layers->look, layers->diff->view)) {
        verdict->verdict = SITE_VERDICT_OK;
        verdict->failure = SITE_FAILURE_NONE;
    }
    return verdict_put_reasons(layers, verdict);
}

int deface_judge(const struct deface_model *model, const struct deface_site *site,
                 const struct deface_profile *profile, const struct deface_look *look,
                 struct arena *arena, struct deface_verdict *ret_verdict)
{
    const struct profile_view *view = profile_view_of(profile, look->view);
    struct deface_verdict verdict = {
        .is_learning = view == NULL || view->looks < DEFACE_LEARN_LOOKS,
        .score = PRIOR,
    };
    struct layers *layers;
    struct diff diff;
    int r = 0;

    if (look->page == NULL) {
        r = absence_read(look, NULL, arena, &verdict.failure);
    } else if (view_saw_this(view, look->page) && look->failure == SITE_FAILURE_NONE &&
               look->status < 400 && !layer_scripts_has_news(look)) {
        verdict.verdict = SITE_VERDICT_OK;
        verdict.layers = 1U << SITE_LAYER_SAME;
    } else {
        layers = arena_alloc(arena, 1, sizeof(*layers));
        r = layers != NULL ? diff_make(site, profile, look, arena, &diff) : -ERR_NOMEM;
        if (r == 0) {
            layers->model = model;
            layers->look = look;
            layers->diff = &diff;
            layers->arena = arena;
            verdict.hashes = diff.hashes;
            r = judge_page(layers, &verdict);
        }
    }
    if (r < 0) {
        return r;
    }
    verdict.needs_confirmation = verdict_is_doubtful(&verdict, view);
    *ret_verdict = verdict;
    return 0;
}
