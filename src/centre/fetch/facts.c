/* See centre/fetch/facts.h. */
#include "centre/fetch/facts.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/map.h"
#include "codec/cbor.h"

#define FACTS_VERSION  1
#define FACTS_LEARNED  50 /* looks until something new is news */
#define FACTS_HASH     0x6661637473ULL
#define SCORE_ISSUER   1.5
#define SCORE_REDIRECT 1.5

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

static bool facts_has_issuer(const struct facts *facts, uint64_t issuer)
{
    for (unsigned i = 0; i < facts->issuer_count; i++) {
        if (facts->issuers[i] == issuer) {
            return true;
        }
    }
    return false;
}

/* True when it is news. The one known longest makes room. */
static bool facts_take_issuer(struct facts *facts, struct str issuer)
{
    uint64_t hash = map_hash(issuer, FACTS_HASH);
    bool is_news = facts->looks >= FACTS_LEARNED;

    if (facts_has_issuer(facts, hash)) {
        return false;
    }
    if (facts->issuer_count == FACTS_ISSUERS_MAX) {
        memmove(facts->issuers, facts->issuers + 1, sizeof(hash) * (FACTS_ISSUERS_MAX - 1));
        facts->issuer_count--;
    }
    facts->issuers[facts->issuer_count++] = hash;
    return is_news;
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

static void facts_take_place(struct facts *facts, const struct fetcher_answer *answer)
{
    if (answer->status != 0 && facts->place == FACTS_PLACE_UNKNOWN) {
        facts->place =
            (answer->facts & FETCHER_FACT_PRIVATE) != 0 ? FACTS_PLACE_PRIVATE : FACTS_PLACE_PUBLIC;
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
        if (facts_take_issuer(facts, issuer)) {
            facts_add(&list, check->view, "issuer", issuer);
            facts_raise(check, &list, SCORE_ISSUER);
        }
        facts->looks += facts->looks < FACTS_LEARNED ? 1 : 0;
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
    check->reasons = list.items;
    check->reason_count = list.count;
    return 0;
}

void facts_encode(const struct facts *facts, struct buf *buf)
{
    cbor_put_array(buf, 5);
    cbor_put_u64(buf, FACTS_VERSION);
    cbor_put_u64(buf, facts->place);
    cbor_put_u64(buf, facts->looks);
    cbor_put_bool(buf, facts->has_downgrade);
    cbor_put_array(buf, facts->issuer_count);
    for (unsigned i = 0; i < facts->issuer_count; i++) {
        cbor_put_u64(buf, facts->issuers[i]);
    }
}

int facts_decode(struct str bytes, struct facts *ret_facts)
{
    struct facts facts = {0};
    struct cbor_reader reader;
    uint64_t version;
    uint64_t place;
    uint64_t looks;
    size_t members;
    size_t count;
    int r;

    cbor_open(&reader, bytes);
    members = cbor_get_array(&reader);
    version = cbor_get_u64(&reader);
    if (reader.error == 0 && (members != 5 || version != FACTS_VERSION)) {
        return -ERR_VERSION;
    }
    place = cbor_get_u64(&reader);
    looks = cbor_get_u64(&reader);
    facts.has_downgrade = cbor_get_bool(&reader);
    count = cbor_get_array(&reader);
    if (count > FACTS_ISSUERS_MAX || place >= FACTS_PLACE_COUNT || looks > FACTS_LEARNED) {
        return -ERR_SYNTAX;
    }
    for (size_t i = 0; i < count; i++) {
        facts.issuers[facts.issuer_count++] = cbor_get_u64(&reader);
    }
    facts.place = (enum facts_place)place;
    facts.looks = (unsigned)looks;
    r = cbor_close(&reader);
    if (r == 0) {
        *ret_facts = facts;
    }
    return r;
}
