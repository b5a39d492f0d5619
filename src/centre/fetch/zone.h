/* What a site's name has been like in the DNS, and what is new about it. Kept with the site's
 * facts; pure: it is handed surveys and the time. Name servers and mail count by their owner's
 * domain, since an owner adds and numbers his hosts; addresses by the block that one operator is
 * given (/16, /32 of IPv6), since networks for content answer from another host each time. Where
 * even the blocks change all the time, addresses say nothing. Nothing here is told of one answer:
 * who asks has it confirmed (fetch/names.c).
 *
 * Answers that part ways are what a poisoned name server looks like, and also a move under way: the
 * one who still names the old place may have it in memory. So they count only once his answer had
 * to be asked for anew and came out the same. What stands for seven days and nobody answered is
 * learned, but for what cannot be in order. */
#ifndef CENTRE_FETCH_ZONE_H
#define CENTRE_FETCH_ZONE_H

#include "base/buf.h"
#include "centre/fetch/survey.h"
#include "codec/cbor.h"

#include <stdbool.h>
#include <stdint.h>

#define ZONE_LEARNED      50 /* surveys until something new is news */
#define ZONE_OWNERS_MAX   8
#define ZONE_PREFIXES_MAX 32
#define ZONE_VALUE_SIZE   128
#define ZONE_HASH         0x6661637473ULL /* of what is kept with a site's facts */

enum zone_news_kind {
#define NAMES(constant, kind, weight, word) ZONE_NEWS_##constant,
#include "centre/fetch/names.def"
#undef NAMES
    ZONE_NEWS_COUNT,
};

struct zone_news {
    uint32_t bits; /* of enum zone_news_kind */
    char values[ZONE_NEWS_COUNT][ZONE_VALUE_SIZE];
};

struct zone_set {
    unsigned count;
    uint64_t hashes[ZONE_PREFIXES_MAX];
};

struct zone {
    unsigned surveys;           /* learned, up to ZONE_LEARNED */
    unsigned novelty;           /* of 65535: in how many of the last a new block came up */
    bool had_private;           /* a private address is usual */
    struct zone_set aliases;    /* hashes of the strangers' domains it led to, ZONE_OWNERS_MAX */
    struct zone_set servers;    /* hashes of their owners, ZONE_OWNERS_MAX */
    struct zone_set exchangers; /* the same */
    struct zone_set prefixes;
    int64_t since[ZONE_NEWS_COUNT]; /* it stands, ns since 1970; 0: it does not */
    int64_t apart_until;            /* when answers that part ways begin to count; 0: they agree */
};

/* What a survey is seen against, beside the zone itself. */
struct zone_sight {
    struct str host;
    bool is_public; /* it answered from a public address */
    int64_t now;    /* ns since 1970 */
};

/* Changes nothing. */
void zone_judge(const struct zone *zone, const struct zone_sight *sight,
                const struct survey *survey, struct zone_news *ret_news);
/* Learns what is no news, and how long news stands; what has stood too long is learned too, and
 * taken off. is_own: all of it is its owner's work. */
void zone_take(struct zone *zone, const struct zone_sight *sight, const struct survey *survey,
               bool is_own, struct zone_news *news);
/* Whether an alias leads to where anybody may take a name that is free. */
bool zone_is_claimable(struct str alias);

/* One item. */
void zone_encode(const struct zone *zone, struct buf *buf);
/* Failures stick in the reader. */
void zone_decode(struct cbor_reader *reader, struct zone *ret_zone);

/* zone_judge.c's, for zone.c too: a word whose addresses are where the site is known to be, or
 * whose alias leads to an owner who is known. */
bool zone_knows_word(const struct zone *zone, const struct survey_word *word);
/* Whether a word's alias leads to a stranger's name. */
bool zone_leads_away(const struct zone_sight *sight, const struct survey_word *word);
/* Of a name server or a mail server; of an alias, by the widest domain: networks for content lead
 * to another of their hosts each time. */
uint64_t zone_hash_owner(struct str name);
uint64_t zone_hash_alias(struct str name);
bool zone_set_has(const struct zone_set *set, uint64_t hash);
uint64_t zone_hash_prefix(const char *address);
bool zone_is_restless(const struct zone *zone);
/* When every name server that knows the site must have asked anew, if their answers part ways: ns
 * from now, else 0. */
int64_t zone_apart_wait(const struct zone *zone, const struct survey *survey);

#endif
