/* What is kept of a site's name, and learning it: see centre/fetch/zone.h. */
#include "centre/fetch/zone.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"

#define ZONE_MEMBERS   9
#define NOVELTY_ONE    65535U
#define NOVELTY_OVER   32U /* surveys that the running mean is over */
#define ZONE_SETTLED   (7 * 24 * 3600 * NS_PER_S)
#define BIT(constant)  (1U << ZONE_NEWS_##constant)
#define NEWS_SETTLING  (BIT(ALIAS) | BIT(SERVERS) | BIT(EXCHANGERS) | BIT(ADDRESSES))
#define NEWS_LEARNABLE (NEWS_SETTLING | BIT(APART) | BIT(PRIVATE))

/* False when it was there. The one known longest makes room. */
static bool set_add(struct zone_set *set, unsigned most, uint64_t hash)
{
    if (zone_set_has(set, hash)) {
        return false;
    }
    if (set->count == most) {
        memmove(set->hashes, set->hashes + 1, sizeof(hash) * (most - 1));
        set->count--;
    }
    set->hashes[set->count++] = hash;
    return true;
}

static void learn_owners(struct zone_set *set, const char names[][RR_NAME_MAX + 1], unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        (void)set_add(set, ZONE_OWNERS_MAX, zone_hash_owner(str_from(names[i])));
    }
}

/* Whether a block is new. */
static bool learn_word(struct zone *zone, const struct survey_word *word)
{
    bool is_new = false;

    for (unsigned i = 0; i < word->address_count; i++) {
        is_new |= set_add(&zone->prefixes, ZONE_PREFIXES_MAX, zone_hash_prefix(word->addresses[i]));
        zone->had_private |= dns_is_private(word->addresses[i]);
    }
    return is_new;
}

static void learn_words(struct zone *zone, const struct survey *survey)
{
    for (unsigned i = 0; i < survey->word_count; i++) {
        (void)learn_word(zone, &survey->words[i]);
    }
}

/* Whether a word's addresses are learned from: later on only when some of it was known before, so
 * that nobody teaches us another place. */
static bool word_teaches(const struct zone *zone, const struct survey_word *word, uint32_t news)
{
    return word->state == SURVEY_THERE && (news & BIT(PRIVATE)) == 0 &&
           (zone->surveys < ZONE_LEARNED || zone_is_restless(zone) || zone_knows_word(zone, word));
}

static void learn(struct zone *zone, const struct zone_sight *sight, const struct survey *survey,
                  uint32_t news)
{
    bool is_there = false;
    bool is_new = false;

    for (unsigned i = 0; i < survey->word_count; i++) {
        const struct survey_word *word = &survey->words[i];

        if ((news & BIT(ALIAS)) == 0 && zone_leads_away(sight, word)) {
            (void)set_add(&zone->aliases, ZONE_OWNERS_MAX, zone_hash_alias(str_from(word->alias)));
        }
        if ((news & BIT(SERVERS)) == 0) {
            learn_owners(&zone->servers, word->servers, word->server_count);
        }
        if ((news & BIT(EXCHANGERS)) == 0) {
            learn_owners(&zone->exchangers, word->exchangers, word->exchanger_count);
        }
        if (word_teaches(zone, word, news)) {
            is_there = true;
            is_new |= learn_word(zone, word);
        }
    }
    if (is_there) {
        zone->novelty -= zone->novelty / NOVELTY_OVER;
        zone->novelty += is_new && zone->surveys != 0 ? NOVELTY_ONE / NOVELTY_OVER : 0;
        zone->surveys += zone->surveys < ZONE_LEARNED ? 1 : 0;
    }
}

/* How long each kind has stood; what is learned by now is taken off. */
static void age(struct zone *zone, int64_t now, struct zone_news *news)
{
    for (unsigned kind = 0; kind < ZONE_NEWS_COUNT; kind++) {
        uint32_t bit = 1U << kind;

        if ((news->bits & bit) == 0) {
            zone->since[kind] = 0;
        } else if (zone->since[kind] == 0) {
            zone->since[kind] = now;
        } else if ((bit & NEWS_SETTLING) != 0 && now - zone->since[kind] >= ZONE_SETTLED) {
            zone->since[kind] = 0;
            news->bits &= ~bit;
        }
    }
}

void zone_take(struct zone *zone, const struct zone_sight *sight, const struct survey *survey,
               bool is_own, struct zone_news *news)
{
    bool is_moved = (news->bits & BIT(ADDRESSES)) != 0;
    int64_t wait = zone->surveys >= ZONE_LEARNED ? zone_apart_wait(zone, survey) : 0;

    if (is_own) {
        learn_words(zone, survey);
        news->bits &= ~NEWS_LEARNABLE;
        wait = 0;
    }
    if (wait == 0) {
        zone->apart_until = 0;
    } else if (zone->apart_until == 0 || zone->apart_until > sight->now + wait) {
        zone->apart_until = sight->now + wait;
    }
    age(zone, sight->now, news);
    if (is_moved && (news->bits & BIT(ADDRESSES)) == 0) {
        learn_words(zone, survey); /* it has stood for long: this is its place now */
    }
    learn(zone, sight, survey, news->bits);
}

static void set_encode(const struct zone_set *set, struct buf *buf)
{
    cbor_put_array(buf, set->count);
    for (unsigned i = 0; i < set->count; i++) {
        cbor_put_u64(buf, set->hashes[i]);
    }
}

static void set_decode(struct cbor_reader *reader, unsigned most, struct zone_set *set)
{
    size_t count = cbor_get_array(reader);

    if (count > most) {
        cbor_fail(reader, -ERR_LIMIT);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        set->hashes[i] = cbor_get_u64(reader);
    }
    set->count = (unsigned)count;
}

static unsigned get_at_most(struct cbor_reader *reader, unsigned most)
{
    uint64_t value = cbor_get_u64(reader);

    if (value > most) {
        cbor_fail(reader, -ERR_SYNTAX);
        return 0;
    }
    return (unsigned)value;
}

static int64_t get_time(struct cbor_reader *reader)
{
    int64_t time = cbor_get_i64(reader);

    if (time < 0) {
        cbor_fail(reader, -ERR_SYNTAX);
        return 0;
    }
    return time;
}

void zone_encode(const struct zone *zone, struct buf *buf)
{
    cbor_put_array(buf, ZONE_MEMBERS);
    cbor_put_u64(buf, zone->surveys);
    cbor_put_u64(buf, zone->novelty);
    cbor_put_bool(buf, zone->had_private);
    set_encode(&zone->aliases, buf);
    set_encode(&zone->servers, buf);
    set_encode(&zone->exchangers, buf);
    set_encode(&zone->prefixes, buf);
    cbor_put_array(buf, ZONE_NEWS_COUNT);
    for (unsigned i = 0; i < ZONE_NEWS_COUNT; i++) {
        cbor_put_i64(buf, zone->since[i]);
    }
    cbor_put_i64(buf, zone->apart_until);
}

void zone_decode(struct cbor_reader *reader, struct zone *ret_zone)
{
    struct zone zone = {0};

    if (cbor_get_array(reader) != ZONE_MEMBERS) {
        cbor_fail(reader, -ERR_SYNTAX);
    }
    zone.surveys = get_at_most(reader, ZONE_LEARNED);
    zone.novelty = get_at_most(reader, NOVELTY_ONE);
    zone.had_private = cbor_get_bool(reader);
    set_decode(reader, ZONE_OWNERS_MAX, &zone.aliases);
    set_decode(reader, ZONE_OWNERS_MAX, &zone.servers);
    set_decode(reader, ZONE_OWNERS_MAX, &zone.exchangers);
    set_decode(reader, ZONE_PREFIXES_MAX, &zone.prefixes);
    if (cbor_get_array(reader) != ZONE_NEWS_COUNT) {
        cbor_fail(reader, -ERR_SYNTAX);
    }
    for (unsigned i = 0; i < ZONE_NEWS_COUNT && reader->error == 0; i++) {
        zone.since[i] = get_time(reader);
    }
    zone.apart_until = get_time(reader);
    if (reader->error == 0) {
        *ret_zone = zone;
    }
}
