/* See centre/fetch/facts.h. */
#include "centre/fetch/facts.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/map.h"
#include "codec/cbor.h"

#define FACTS_VERSION  4
#define FACTS_KEYLESS  1  /* the first version: no keys, no names */
#define FACTS_ZONELESS 2  /* the second: of the name only where it led */
#define FACTS_LAX      3  /* the third: nothing of HSTS */
#define FACTS_LEARNED  50 /* looks until something new is news */
#define SCORE_ISSUER   1.5
#define SCORE_REDIRECT 1.5
#define SCORE_KEY      1.5
#define SCORE_LAX      1.5

struct facts_list {
    struct site_reason *items;
    size_t count;
};

static void facts_add(struct facts_list *list, enum site_view view, const char *what,
                      struct str value)
{
    if (list->count < SITE_REASONS_MAX) {
        list->items[list->count++] =
            (struct site_reason){.layer = SITE_LAYER_TLS,
                                 .view = view,
                                 .what = str_from(what),
                                 .value = str_slice(value, 0, SITE_NAME_MAX)};
    }
}

/* False when the list has it. The one known longest makes room. */
static bool facts_learn(uint64_t *list, unsigned *count, unsigned most, uint64_t hash)
{
    for (unsigned i = 0; i < *count; i++) {
        if (list[i] == hash) {
            return false;
        }
    }
    if (*count == most) {
        memmove(list, list + 1, sizeof(hash) * (most - 1));
        --*count;
    }
    list[(*count)++] = hash;
    return true;
}

static void facts_raise(struct site_check *check, struct facts_list *list, double score)
{
    list->items[list->count - 1].score = score;
    check->score += score;
    check->layers |= 1U << SITE_LAYER_TLS;
    if (check->verdict == SITE_VERDICT_OK || check->verdict == SITE_VERDICT_CHANGED) {
        check->verdict = SITE_VERDICT_YELLOW;
    }
}

/* What the certificate says, when it is trusted: else anybody may have made it. */
static void facts_take_certificate(struct facts *facts, const struct fetcher_certificate *seen,
                                   struct str issuer, struct facts_list *list,
                                   struct site_check *check)
{
    bool is_learned = facts->looks >= FACTS_LEARNED;
    bool has_keys = facts->key_count != 0; /* what was kept before keys were has none */
    bool holds = check->time < facts->end;
    bool is_new_issuer = facts_learn(facts->issuers, &facts->issuer_count, FACTS_ISSUERS_MAX,
                                     map_hash(issuer, ZONE_HASH));
    uint64_t key;
    bool is_new_key;

    memcpy(&key, seen->key_sha256, sizeof(key));
    is_new_key = facts_learn(facts->keys, &facts->key_count, FACTS_KEYS_MAX, key);
    if (is_learned && is_new_issuer) {
        facts_add(list, check->view, "issuer", issuer);
        facts_raise(check, list, SCORE_ISSUER);
    }
    if (is_learned && is_new_issuer && is_new_key && has_keys && holds) {
        facts_add(list, check->view, "new_key", issuer);
        facts_raise(check, list, SCORE_KEY);
    }
    facts->end = seen->end;
    facts->looks += facts->looks < FACTS_LEARNED ? 1 : 0;
}

static void facts_take_place(struct facts *facts, const struct fetcher_answer *answer)
{
    if (answer->status != 0 && facts->place == FACTS_PLACE_UNKNOWN) {
        facts->place =
            (answer->facts & FETCHER_FACT_PRIVATE) != 0 ? FACTS_PLACE_PRIVATE : FACTS_PLACE_PUBLIC;
    }
}

/* Only of a whole answer of the first page over TLS that proves itself, and only when it was
 * judged: servers leave the header out of errors, of what is unchanged and of plain files. */
static void facts_take_strict(struct facts *facts, const struct fetcher_answer *answer,
                              struct facts_list *list, struct site_check *check)
{
    if (check->page != SITE_PAGE_LISTED || check->verdict == SITE_VERDICT_UNKNOWN ||
        answer->status != 200 || answer->certificate.error != NULL || facts->was_lax ||
        !str_has_prefix(check->url_final, STR("https:"))) {
        return;
    }
    if ((answer->facts & FETCHER_FACT_STRICT) != 0) {
        facts->strict += facts->strict < FACTS_LEARNED ? 1 : 0;
        return;
    }
    facts->was_lax = true;
    if (facts->strict == FACTS_LEARNED) {
        facts_add(list, check->view, "hsts_gone", url_host(check->url_final));
        facts_raise(check, list, SCORE_LAX);
    }
}

int facts_take(struct facts *facts, const struct fetcher_answer *answer, struct arena *arena,
               struct site_check *check)
{
    struct facts_list list = {.count = check->reason_count};
    struct str issuer = arena_copy(arena, str_from(answer->certificate.issuer));

    list.items = arena_alloc(arena, SITE_REASONS_MAX, sizeof(*list.items));
    if (list.items == NULL || issuer.ptr == NULL) {
        return -ERR_NOMEM;
    }
    if (check->reason_count != 0) {
        memcpy(list.items, check->reasons, check->reason_count * sizeof(*list.items));
    }
    facts_take_place(facts, answer);
    if (answer->certificate.error != NULL) {
        facts_add(&list, check->view, "certificate", str_from(answer->certificate.error));
        check->layers |= 1U << SITE_LAYER_TLS;
    } else if (answer->certificate.end != 0) {
        facts_take_certificate(facts, &answer->certificate, issuer, &list, check);
    }
    if ((answer->facts & FETCHER_FACT_DOWNGRADED) != 0) {
        facts_add(&list, check->view, "downgrade", check->url_final);
        if (!facts->has_downgrade && facts->looks >= FACTS_LEARNED) {
            facts_raise(check, &list, SCORE_REDIRECT);
        }
        facts->has_downgrade = true;
    }
    if ((answer->facts & FETCHER_FACT_ELSEWHERE) != 0) {
        facts_add(&list, check->view, "elsewhere", url_host(check->url_final));
    }
    facts_take_strict(facts, answer, &list, check);
    check->reasons = list.items;
    check->reason_count = list.count;
    return 0;
}

static void facts_put_hashes(struct buf *buf, const uint64_t *list, unsigned count)
{
    cbor_put_array(buf, count);
    for (unsigned i = 0; i < count; i++) {
        cbor_put_u64(buf, list[i]);
    }
}

static void facts_get_hashes(struct cbor_reader *reader, uint64_t *list, unsigned most,
                             unsigned *ret_count)
{
    size_t count = cbor_get_array(reader);

    if (count > most) {
        reader->error = -ERR_SYNTAX;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        list[i] = cbor_get_u64(reader);
    }
    *ret_count = (unsigned)count;
}

static size_t members_of(uint64_t version)
{
    static const size_t members[] = {
        [FACTS_KEYLESS] = 5, [FACTS_ZONELESS] = 9, [FACTS_LAX] = 8, [FACTS_VERSION] = 10};

    return version < ARRAY_LEN(members) ? members[version] : 0;
}

void facts_encode(const struct facts *facts, struct buf *buf)
{
    cbor_put_array(buf, members_of(FACTS_VERSION));
    cbor_put_u64(buf, FACTS_VERSION);
    cbor_put_u64(buf, facts->place);
    cbor_put_u64(buf, facts->looks);
    cbor_put_bool(buf, facts->has_downgrade);
    facts_put_hashes(buf, facts->issuers, facts->issuer_count);
    facts_put_hashes(buf, facts->keys, facts->key_count);
    cbor_put_i64(buf, facts->end);
    zone_encode(&facts->zone, buf);
    cbor_put_u64(buf, facts->strict);
    cbor_put_bool(buf, facts->was_lax);
}

/* The second version's: the looks that its name was asked in, and where it led. */
static void facts_get_names(struct cbor_reader *reader, struct facts *facts)
{
    if (cbor_get_u64(reader) > FACTS_LEARNED) {
        cbor_fail(reader, -ERR_SYNTAX);
    }
    facts_get_hashes(reader, facts->zone.aliases.hashes, ZONE_OWNERS_MAX,
                     &facts->zone.aliases.count);
}

int facts_decode(struct str bytes, struct facts *ret_facts)
{
    struct facts facts = {0};
    struct cbor_reader reader;
    uint64_t version;
    uint64_t place;
    uint64_t looks;
    uint64_t strict = 0;
    size_t members;
    int r;

    cbor_open(&reader, bytes);
    members = cbor_get_array(&reader);
    version = cbor_get_u64(&reader);
    if (reader.error == 0 && (members == 0 || members != members_of(version))) {
        return -ERR_VERSION;
    }
    place = cbor_get_u64(&reader);
    looks = cbor_get_u64(&reader);
    facts.has_downgrade = cbor_get_bool(&reader);
    facts_get_hashes(&reader, facts.issuers, FACTS_ISSUERS_MAX, &facts.issuer_count);
    if (version >= FACTS_ZONELESS) {
        facts_get_hashes(&reader, facts.keys, FACTS_KEYS_MAX, &facts.key_count);
        facts.end = cbor_get_i64(&reader);
    }
    if (version == FACTS_ZONELESS) {
        facts_get_names(&reader, &facts);
    } else if (version > FACTS_ZONELESS) {
        zone_decode(&reader, &facts.zone);
    }
    if (version == FACTS_VERSION) {
        strict = cbor_get_u64(&reader);
        facts.was_lax = cbor_get_bool(&reader);
    }
    if (place >= FACTS_PLACE_COUNT || looks > FACTS_LEARNED || strict > FACTS_LEARNED) {
        return -ERR_SYNTAX;
    }
    facts.strict = (unsigned)strict;
    facts.place = (enum facts_place)place;
    facts.looks = (unsigned)looks;
    r = cbor_close(&reader);
    if (r == 0) {
        *ret_facts = facts;
    }
    return r;
}
