/* What several name servers say of a watched site's name, as part of a look at its first page: they
 * are asked while the page is fetched, news is asked for a second time before it counts, and what
 * stands is weighed with what the page shows. Neighbours: fetch/survey.c asks, fetch/zone.c knows
 * what was before, look.c waits for the end of it before it tells core. */
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "centre/fetch/private.h"
#include "detect/deface/hosts.h"

#define SURVEY_EVERY (300 * NS_PER_S)
#define SURVEY_AGAIN (30 * NS_PER_S) /* the least between two */
#define SPEAKS       6.9             /* one look in a thousand meets an attack: this outweighs it */
#define COMPANIONS   0.15            /* as detect/deface/judge.c: what comes along counts so much */

static const struct {
    bool is_intent;
    double weight;
    const char *word;
} names_rows[ZONE_NEWS_COUNT] = {
#define INTENT                              true
#define CHANGE                              false
#define NAMES(constant, kind, weight, word) {kind, weight, word},
#include "centre/fetch/names.def"
#undef NAMES
#undef INTENT
#undef CHANGE
};

static void names_on_survey(void *context, const struct survey *survey);

static struct zone_sight names_sight(const struct fetch_look *look)
{
    const struct facts *facts = &look->watch->facts;

    return (struct zone_sight){.host = url_host(str_from(look->watch->url)),
                               .is_public = facts->place == FACTS_PLACE_PUBLIC,
                               .now = clock_wall(look->watch->fetch->clock)};
}

static void names_put(struct fetch_look *look)
{
    struct fetch_watch *watch = look->watch;
    struct str host = url_host(str_from(watch->url));

    if (surveyor_ask(watch->fetch->surveyor, host, host_domain(host), look->is_survey_second,
                     names_on_survey, look, &look->survey) < 0) {
        look->survey = NULL;
        watch->surveyed = 0; /* with the next look, then */
    }
}

static bool names_is_due(const struct fetch_look *look, bool must)
{
    const struct fetch_watch *watch = look->watch;
    int64_t passed = clock_mono(watch->fetch->clock) - watch->surveyed;
    bool is_apart = watch->facts.zone.apart_until != 0 &&
                    clock_wall(watch->fetch->clock) >= watch->facts.zone.apart_until;
    bool is_answered = look->is_own_change && watch->news != NULL && watch->news->bits != 0;

    if (watch->surveyed == 0 || is_answered) {
        return true;
    }
    return passed >= SURVEY_EVERY || ((must || is_apart) && passed >= SURVEY_AGAIN);
}

void fetch_names_ask(struct fetch_look *look, bool must)
{
    if (look->survey == NULL && look->page->kind == SITE_PAGE_LISTED && names_is_due(look, must)) {
        look->watch->surveyed = clock_mono(look->watch->fetch->clock);
        look->is_survey_second = false;
        names_put(look);
    }
}

/* Whether all of it was known to stand, or was said the first time too. */
static bool names_is_settled(const struct fetch_look *look, const struct zone_news *news)
{
    const struct zone_news *before = look->watch->news;

    return look->is_survey_second || (news->bits & ~before->bits) == 0;
}

static void names_on_survey(void *context, const struct survey *survey)
{
    struct fetch_look *look = context;
    struct fetch_watch *watch = look->watch;
    struct zone_sight sight = names_sight(look);
    struct zone_news news;

    look->survey = NULL;
    watch->news = watch->news != NULL ? watch->news : mem_alloc(1, sizeof(*watch->news));
    if (watch->news != NULL) {
        zone_judge(&watch->facts.zone, &sight, survey, &news);
        if (!look->is_own_change && !names_is_settled(look, &news)) {
            look->news_first = news.bits;
            look->is_survey_second = true;
            names_put(look);
        } else {
            zone_take(&watch->facts.zone, &sight, survey, look->is_own_change, &news);
            /* what came up only now is neither told nor learned */
            news.bits &= look->is_survey_second ? look->news_first : ~0U;
            *watch->news = news;
            watch->is_learned = true;
        }
    }
    if (look->survey == NULL && look->is_waiting) {
        fetch_look_tell(look);
    }
}

/* A name that nobody holds behind a page that is not there: the alias leads to where it can be
 * taken. */
static void names_find_claimable(const struct fetch_look *look, struct zone_news *news)
{
    if (look->check.status == 404 && look->check.verdict == SITE_VERDICT_UNKNOWN &&
        zone_is_claimable(str_from(look->alias))) {
        news->bits |= 1U << ZONE_NEWS_CLAIMABLE;
        (void)snprintf(news->values[ZONE_NEWS_CLAIMABLE], ZONE_VALUE_SIZE, "%.*s",
                       ZONE_VALUE_SIZE - 1, look->alias);
    }
}

/* One layer: the heaviest, and a little of the others. Red wants the page to say something of its
 * own, for an owner who moves changes his name servers, addresses and certificate together. */
static void names_judge(struct site_check *check, double heaviest, double sum, bool has_intent)
{
    const uint32_t others = 1U << SITE_LAYER_TLS | 1U << SITE_LAYER_REACH | 1U << SITE_LAYER_SAME;
    double part = heaviest + COMPANIONS * (sum - heaviest);

    check->score += part;
    if (part < SPEAKS) {
        return;
    }
    if (check->verdict == SITE_VERDICT_OK || check->verdict == SITE_VERDICT_CHANGED) {
        check->verdict = SITE_VERDICT_YELLOW;
        check->is_confirmed = true;
    } else if (check->verdict == SITE_VERDICT_YELLOW && has_intent &&
               (check->layers & ~others) != 0) {
        check->verdict = SITE_VERDICT_RED;
        check->is_confirmed = true;
    }
}

void fetch_names_weigh(struct fetch_look *look)
{
    struct zone_news news = {0};
    bool has_intent = false;
    double heaviest = 0;
    double sum = 0;

    if (look->page->kind != SITE_PAGE_LISTED || look->watch->news == NULL) {
        return;
    }
    news = *look->watch->news;
    names_find_claimable(look, &news);
    for (unsigned i = 0; i < ZONE_NEWS_COUNT; i++) {
        const struct site_reason reason = {.layer = SITE_LAYER_TLS,
                                           .what = str_from(names_rows[i].word),
                                           .value = str_from(news.values[i]),
                                           .score = names_rows[i].weight};

        if ((news.bits & 1U << i) == 0) {
            continue;
        }
        fetch_look_reason(look, &reason);
        sum += reason.score;
        heaviest = reason.score > heaviest ? reason.score : heaviest;
        has_intent |= names_rows[i].is_intent;
    }
    if (sum > 0) {
        names_judge(&look->check, heaviest, sum, has_intent);
    }
}
