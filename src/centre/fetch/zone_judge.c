/* What is new in a survey: see centre/fetch/zone.h. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "base/time.h"
#include "centre/fetch/fetcher.h"
#include "centre/fetch/zone.h"
#include "detect/deface/hosts.h"

#include <arpa/inet.h>

#define RESTLESS      3276U /* of 65535: one survey in twenty brings a new block */
#define PREFIX_V4     2     /* bytes */
#define PREFIX_V6     4
#define APART_AT_MOST (24 * 3600 * NS_PER_S)

static const struct str takeover_suffixes[] = {
#define TAKEOVER(suffix) {(suffix), sizeof(suffix) - 1},
#include "centre/fetch/takeover.def"
#undef TAKEOVER
};

uint64_t zone_hash_owner(struct str name)
{
    return map_hash(host_domain(name), ZONE_HASH);
}

uint64_t zone_hash_alias(struct str name)
{
    return map_hash(url_domain(name), ZONE_HASH);
}

uint64_t zone_hash_prefix(const char *address)
{
    uint8_t bytes[16] = {0};
    size_t len = inet_pton(AF_INET, address, bytes) == 1 ? PREFIX_V4 : 0;

    if (len == 0) {
        len = inet_pton(AF_INET6, address, bytes) == 1 ? PREFIX_V6 : 0;
    }
    return map_hash(str_of((const char *)bytes, len), ZONE_HASH);
}

bool zone_set_has(const struct zone_set *set, uint64_t hash)
{
    for (unsigned i = 0; i < set->count; i++) {
        if (set->hashes[i] == hash) {
            return true;
        }
    }
    return false;
}

bool zone_is_restless(const struct zone *zone)
{
    return zone->novelty > RESTLESS;
}

bool zone_is_claimable(struct str alias)
{
    for (size_t i = 0; i < ARRAY_LEN(takeover_suffixes); i++) {
        struct str suffix = takeover_suffixes[i];

        if (alias.len > suffix.len && alias.ptr[alias.len - suffix.len - 1] == '.' &&
            str_is(str_slice(alias, alias.len - suffix.len, alias.len), suffix)) {
            return true;
        }
    }
    return false;
}

bool zone_knows_word(const struct zone *zone, const struct survey_word *word)
{
    if (word->alias[0] != '\0' &&
        zone_set_has(&zone->aliases, zone_hash_alias(str_from(word->alias)))) {
        return true;
    }
    for (unsigned i = 0; i < word->address_count; i++) {
        if (zone_set_has(&zone->prefixes, zone_hash_prefix(word->addresses[i]))) {
            return true;
        }
    }
    return false;
}

bool zone_leads_away(const struct zone_sight *sight, const struct survey_word *word)
{
    return word->state == SURVEY_THERE && word->alias[0] != '\0' &&
           !url_is_same_site(sight->host, str_from(word->alias));
}

static void news_say(struct zone_news *news, enum zone_news_kind kind, struct str value)
{
    news->bits |= 1U << kind;
    (void)snprintf(news->values[kind], ZONE_VALUE_SIZE, "%.*s",
                   (int)(value.len < ZONE_VALUE_SIZE ? value.len : ZONE_VALUE_SIZE - 1), value.ptr);
}

/* Which name server says it, since people's may be another. */
static void news_say_of(struct zone_news *news, enum zone_news_kind kind,
                        const struct survey_word *word, const char *what)
{
    char value[ZONE_VALUE_SIZE];

    (void)snprintf(value, sizeof(value), "%.*s: %.*s", SURVEY_SERVER_SIZE - 1, word->server,
                   ZONE_VALUE_SIZE - SURVEY_SERVER_SIZE - 3, what);
    news_say(news, kind, str_from(value));
}

/* The first whose owner is unknown, where some are known, and not so many that one was forgotten.
 */
static void judge_owners(const struct zone_set *known, const char names[][RR_NAME_MAX + 1],
                         unsigned count, enum zone_news_kind kind, struct zone_news *news)
{
    if (known->count == 0 || known->count == ZONE_OWNERS_MAX) {
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!zone_set_has(known, zone_hash_owner(str_from(names[i])))) {
            news_say(news, kind, str_from(names[i]));
            return;
        }
    }
}

static void judge_alias(const struct zone *zone, const struct zone_sight *sight,
                        const struct survey_word *word, struct zone_news *news)
{
    if (zone->aliases.count < ZONE_OWNERS_MAX && zone_leads_away(sight, word) &&
        !zone_set_has(&zone->aliases, zone_hash_alias(str_from(word->alias)))) {
        news_say(news, ZONE_NEWS_ALIAS, str_from(word->alias));
    }
}

static void judge_private(const struct zone *zone, const struct zone_sight *sight,
                          const struct survey_word *word, struct zone_news *news)
{
    for (unsigned i = 0; sight->is_public && !zone->had_private && i < word->address_count; i++) {
        if (dns_is_private(word->addresses[i])) {
            news_say_of(news, ZONE_NEWS_PRIVATE, word, word->addresses[i]);
            return;
        }
    }
}

/* How many of each kind there are among those that have an address. */
struct sides {
    unsigned known;
    const struct survey_word *stranger; /* the first */
    uint32_t ttl;                       /* of the known ones, at most */
};

static struct sides sides_of(const struct zone *zone, const struct survey *survey)
{
    struct sides sides = {0};

    for (unsigned i = 0; i < survey->word_count; i++) {
        const struct survey_word *word = &survey->words[i];

        if (word->state != SURVEY_THERE) {
            continue;
        }
        if (zone_knows_word(zone, word)) {
            sides.known++;
            sides.ttl = word->ttl > sides.ttl ? word->ttl : sides.ttl;
        } else if (sides.stranger == NULL) {
            sides.stranger = word;
        }
    }
    return sides;
}

int64_t zone_apart_wait(const struct zone *zone, const struct survey *survey)
{
    struct sides sides = sides_of(zone, survey);
    int64_t wait = (int64_t)sides.ttl * NS_PER_S + 1;

    if (sides.known == 0 || sides.stranger == NULL || zone_is_restless(zone)) {
        return 0;
    }
    return wait < APART_AT_MOST ? wait : APART_AT_MOST;
}

static void judge_addresses(const struct zone *zone, const struct zone_sight *sight,
                            const struct survey *survey, struct zone_news *news)
{
    struct sides sides = sides_of(zone, survey);

    if (sides.stranger == NULL || zone->prefixes.count == 0 || zone_is_restless(zone)) {
        return;
    }
    if (sides.known == 0) {
        news_say(news, ZONE_NEWS_ADDRESSES, str_from(sides.stranger->addresses[0]));
    } else if (zone->apart_until != 0 && sight->now >= zone->apart_until) {
        news_say_of(news, ZONE_NEWS_APART, sides.stranger, sides.stranger->addresses[0]);
    }
}

/* What is so whatever was before. Every name server that knows anything must say it: one alone may
 * be behind, or filter. */
static void judge_absence(const struct survey *survey, struct zone_news *news)
{
    const struct survey_word *absent = NULL;
    unsigned counts[SURVEY_THERE + 1] = {0};
    struct str alias;

    for (unsigned i = 0; i < survey->word_count; i++) {
        counts[survey->words[i].state]++;
        absent = survey->words[i].state == SURVEY_ABSENT ? &survey->words[i] : absent;
    }
    if (counts[SURVEY_THERE] != 0 || counts[SURVEY_EMPTY] != 0) {
        return;
    }
    if (absent == NULL && counts[SURVEY_BROKEN] != 0) {
        news_say(news, ZONE_NEWS_BROKEN, STR(""));
    } else if (absent != NULL && absent->alias[0] == '\0') {
        news_say(news, ZONE_NEWS_ABSENT, STR(""));
    } else if (absent != NULL) {
        alias = str_from(absent->alias);
        news_say(news, zone_is_claimable(alias) ? ZONE_NEWS_CLAIMABLE : ZONE_NEWS_DANGLING, alias);
    }
}

void zone_judge(const struct zone *zone, const struct zone_sight *sight,
                const struct survey *survey, struct zone_news *ret_news)
{
    struct zone_news news = {0};

    judge_absence(survey, &news);
    for (unsigned i = 0; zone->surveys >= ZONE_LEARNED && i < survey->word_count; i++) {
        const struct survey_word *word = &survey->words[i];

        judge_owners(&zone->servers, word->servers, word->server_count, ZONE_NEWS_SERVERS, &news);
        judge_owners(&zone->exchangers, word->exchangers, word->exchanger_count,
                     ZONE_NEWS_EXCHANGERS, &news);
        judge_alias(zone, sight, word, &news);
        judge_private(zone, sight, word, &news);
    }
    if (zone->surveys >= ZONE_LEARNED) {
        judge_addresses(zone, sight, survey, &news);
    }
    *ret_news = news;
}
