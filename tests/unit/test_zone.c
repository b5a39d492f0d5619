/* What a site's name has been like: what is news, what rotates, what settles, and what is kept. */
#include "harness.h"

#include "base/prng.h"
#include "base/time.h"
#include "centre/fetch/facts.h"
#include "centre/fetch/zone.h"

#include <stdio.h>
#include <string.h>

#define BIT(kind) (1U << ZONE_NEWS_##kind)
#define HOUR      (3600 * NS_PER_S)
#define START     (1800000000LL * NS_PER_S)

struct world {
    struct zone zone;
    struct zone_sight sight;
    struct zone_news news;
};

static struct survey_word word_of(const char *address, const char *server, const char *exchanger)
{
    struct survey_word word = {.server = "10.0.0.1",
                               .state = SURVEY_THERE,
                               .ttl = 300,
                               .address_count = 1,
                               .server_count = 1,
                               .exchanger_count = 1};

    (void)snprintf(word.addresses[0], sizeof(word.addresses[0]), "%s", address);
    (void)snprintf(word.servers[0], sizeof(word.servers[0]), "%s", server);
    (void)snprintf(word.exchangers[0], sizeof(word.exchangers[0]), "%s", exchanger);
    return word;
}

static struct survey survey_of(const char *first, const char *second)
{
    struct survey survey = {.word_count = 2};

    survey.words[0] = word_of(first, "ns1.vnpt.vn", "mail.tinh.gov.vn");
    survey.words[1] = word_of(second, "ns2.vnpt.vn", "mail.tinh.gov.vn");
    return survey;
}

static uint32_t see(struct world *world, const struct survey *survey, bool is_own)
{
    zone_judge(&world->zone, &world->sight, survey, &world->news);
    zone_take(&world->zone, &world->sight, survey, is_own, &world->news);
    world->sight.now += 300 * NS_PER_S;
    return world->news.bits;
}

static struct world world_learned(void)
{
    struct world world = {.sight = {.is_public = true, .now = START}};
    struct survey survey = survey_of("113.160.5.10", "113.160.5.10");

    for (int i = 0; i < ZONE_LEARNED; i++) {
        assert_int_equal(see(&world, &survey, false), 0);
    }
    return world;
}

static void test_owners(void **state)
{
    struct world world = world_learned();
    struct survey survey = survey_of("113.160.5.10", "113.160.5.10");

    (void)state;
    (void)snprintf(survey.words[1].servers[0], RR_NAME_MAX, "ns9.vnpt.vn");
    (void)snprintf(survey.words[1].exchangers[0], RR_NAME_MAX, "mx2.tinh.gov.vn");
    assert_int_equal(see(&world, &survey, false), 0); /* the same owners' */
    survey.words[0].server_count = 0;
    survey.words[0].exchanger_count = 0;
    assert_int_equal(see(&world, &survey, false), 0); /* one that did not say */
    (void)snprintf(survey.words[1].servers[0], RR_NAME_MAX, "ns1.park.com");
    assert_int_equal(see(&world, &survey, false), BIT(SERVERS));
    assert_string_equal(world.news.values[ZONE_NEWS_SERVERS], "ns1.park.com");
    (void)snprintf(survey.words[1].exchangers[0], RR_NAME_MAX, "mx.box.com");
    assert_int_equal(see(&world, &survey, false), BIT(SERVERS) | BIT(EXCHANGERS));
    assert_int_equal(see(&world, &survey, true), 0); /* the owner says that it is his */
    assert_int_equal(see(&world, &survey, false), 0);
}

/* What stands for a week is as it is now; answers that part ways never are. */
static void test_settling(void **state)
{
    struct world world = world_learned();
    struct world other = world;
    struct survey survey = survey_of("113.160.5.10", "113.160.5.10");
    struct survey apart = survey_of("113.160.5.10", "45.76.8.9");
    unsigned told = 0;

    (void)state;
    (void)snprintf(survey.words[0].servers[0], RR_NAME_MAX, "ns1.park.com");
    while (see(&world, &survey, false) != 0) {
        assert_true(++told < 3000);
    }
    assert_true(world.sight.now - START > 7 * 24 * HOUR);
    assert_int_equal(see(&world, &survey, false), 0);
    apart.words[0].ttl = 60;
    assert_int_equal(see(&other, &apart, false), 0);
    for (int i = 0; i < 3000; i++) {
        assert_int_equal(see(&other, &apart, false), BIT(APART));
    }
}

static void test_parting_waits_for_what_is_remembered(void **state)
{
    struct world world = world_learned();
    struct survey apart = survey_of("113.160.5.10", "45.76.8.9");
    struct survey moved = survey_of("45.76.8.9", "45.76.8.9");

    (void)state;
    apart.words[0].ttl = 3600;
    for (int i = 0; i < 12; i++) { /* for an hour of looks the first may go on by memory */
        assert_int_equal(see(&world, &apart, false), 0);
    }
    assert_int_equal(see(&world, &moved, false), BIT(ADDRESSES)); /* it asked: it was a move */
    assert_int_equal(see(&world, &apart, false), 0); /* and from there it is counted anew */
    world.sight.now += HOUR;
    assert_int_equal(see(&world, &apart, false), BIT(APART));
    assert_string_equal(world.news.values[ZONE_NEWS_APART], "10.0.0.1: 45.76.8.9");
}

static void test_private(void **state)
{
    struct world world = world_learned();
    struct world inside = {.sight = {.is_public = true, .now = START}};
    struct survey survey = survey_of("113.160.5.10", "169.254.1.1");

    (void)state;
    assert_int_equal(see(&world, &survey, false) & BIT(PRIVATE), BIT(PRIVATE));
    world.sight.is_public = false;
    assert_int_equal(see(&world, &survey, false) & BIT(PRIVATE), 0);
    for (int i = 0; i < ZONE_LEARNED + 10; i++) { /* a name server of the house says it always */
        assert_int_equal(see(&inside, &survey, false), 0);
    }
}

static void test_absence(void **state)
{
    struct world world = {.sight = {.now = START}};
    struct survey survey = {.word_count = 2};

    (void)state;
    assert_int_equal(see(&world, &survey, false), 0); /* silence says nothing */
    survey.words[0].state = SURVEY_BROKEN;
    assert_int_equal(see(&world, &survey, false), BIT(BROKEN));
    survey.words[1].state = SURVEY_ABSENT;
    assert_int_equal(see(&world, &survey, false), BIT(ABSENT));
    (void)snprintf(survey.words[1].alias, RR_NAME_MAX, "old.cdn.example");
    assert_int_equal(see(&world, &survey, false), BIT(DANGLING));
    (void)snprintf(survey.words[1].alias, RR_NAME_MAX, "tinh.github.io");
    assert_int_equal(see(&world, &survey, false), BIT(CLAIMABLE));
    survey.words[0].state = SURVEY_THERE;
    assert_int_equal(see(&world, &survey, false), 0); /* somebody knows it */
    assert_false(zone_is_claimable(STR("github.io")));
    assert_false(zone_is_claimable(STR("notgithub.io")));
    assert_true(zone_is_claimable(STR("a.b.azurewebsites.net")));
}

/* Networks for content as they are: each name server answers from another host of a pool, over
 * some blocks or over more than are kept; now and then a block is new. Never is anything told. */
static void test_rotation_is_quiet(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, 7);
    for (unsigned blocks = 2; blocks <= 128; blocks *= 2) {
        struct world world = {.sight = {.is_public = true, .now = START}};

        for (unsigned i = 0; i < 20000; i++) {
            struct survey survey = survey_of("1.1.1.1", "1.1.1.1");
            unsigned grown = blocks + (i > 5000 ? 1 : 0);

            for (unsigned w = 0; w < 2; w++) {
                survey.words[w].address_count = 2;
                for (unsigned a = 0; a < 2; a++) {
                    (void)snprintf(survey.words[w].addresses[a], DNS_ADDRESS_SIZE, "104.%u.%u.%u",
                                   (unsigned)prng_below(&prng, a == 0 ? grown : blocks),
                                   (unsigned)prng_below(&prng, 256),
                                   (unsigned)prng_below(&prng, 256));
                }
            }
            if (see(&world, &survey, false) != 0) {
                fail_msg("%u blocks, survey %u: %s %s", blocks, i,
                         world.news.values[ZONE_NEWS_APART],
                         world.news.values[ZONE_NEWS_ADDRESSES]);
            }
        }
    }
}

/* An alias to an owner who is known vouches for wherever he answers from; another owner is news. */
static void test_aliases(void **state)
{
    struct world world = {
        .sight = {.host = STR("www.tinh.gov.vn"), .is_public = true, .now = START}};
    struct survey survey = survey_of("113.160.5.10", "113.160.5.10");

    (void)state;
    for (int i = 0; i < ZONE_LEARNED; i++) {
        (void)snprintf(survey.words[i % 2].alias, RR_NAME_MAX, "e%d.cdn-of-the-office.com", i);
        assert_int_equal(see(&world, &survey, false), 0);
    }
    survey = survey_of("113.160.5.10", "45.76.8.9");
    (void)snprintf(survey.words[1].alias, RR_NAME_MAX, "e999.cdn-of-the-office.com");
    for (int i = 0; i < 10; i++) {
        assert_int_equal(see(&world, &survey, false), 0);
    }
    (void)snprintf(survey.words[0].alias, RR_NAME_MAX, "may-chu-2.tinh.gov.vn"); /* its own */
    assert_int_equal(see(&world, &survey, false), 0);
    (void)snprintf(survey.words[0].alias, RR_NAME_MAX, "kubet.pages-for-all.com");
    assert_int_equal(see(&world, &survey, false), BIT(ALIAS));
    assert_string_equal(world.news.values[ZONE_NEWS_ALIAS], "kubet.pages-for-all.com");
    assert_int_equal(see(&world, &survey, false), BIT(ALIAS));
    assert_int_equal(see(&world, &survey, true), 0);
    assert_int_equal(see(&world, &survey, false), 0);
}

/* More owners than are kept: one is always forgotten, so that none is news. */
static void test_too_many_owners(void **state)
{
    struct world world = world_learned();
    struct survey survey = survey_of("113.160.5.10", "113.160.5.10");

    (void)state;
    world.zone.surveys = 0;
    for (int i = 0; i < 4 * ZONE_LEARNED; i++) {
        (void)snprintf(survey.words[0].servers[0], RR_NAME_MAX, "ns.a%d.com", i % 10);
        assert_int_equal(see(&world, &survey, false), 0);
    }
}

static void test_kept(void **state)
{
    struct facts facts = {.zone = world_learned().zone, .looks = 50};
    struct facts again;
    struct buf buf;
    struct buf second;

    (void)state;
    for (unsigned i = 0; i < ZONE_PREFIXES_MAX; i++) {
        facts.zone.prefixes.hashes[i] = facts.zone.servers.hashes[i % ZONE_OWNERS_MAX] =
            facts.zone.exchangers.hashes[i % ZONE_OWNERS_MAX] =
                facts.zone.aliases.hashes[i % ZONE_OWNERS_MAX] = ~(uint64_t)i;
        facts.issuers[i % 8] = facts.keys[i % 8] = ~(uint64_t)i;
    }
    facts.zone.prefixes.count = ZONE_PREFIXES_MAX;
    facts.zone.servers.count = facts.zone.exchangers.count = facts.zone.aliases.count =
        ZONE_OWNERS_MAX;
    facts.issuer_count = facts.key_count = 8;
    facts.zone.since[ZONE_NEWS_SERVERS] = START;
    facts.zone.apart_until = START;
    buf_init(&buf, FACTS_SIZE_MAX);
    buf_init(&second, FACTS_SIZE_MAX);
    facts_encode(&facts, &buf);
    assert_int_equal(buf_error(&buf), 0);
    assert_true(buf.len < 1024); /* beside a site's 12 KiB of profile */
    assert_int_equal(facts_decode(buf_str(&buf), &again), 0);
    facts_encode(&again, &second);
    assert_true(str_is(buf_str(&buf), buf_str(&second)));
    for (size_t cut = 0; cut < buf.len; cut++) {
        assert_true(facts_decode(str_of(buf.ptr, cut), &again) < 0);
    }
    buf_done(&buf);
    buf_done(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_owners),
        cmocka_unit_test(test_settling),
        cmocka_unit_test(test_parting_waits_for_what_is_remembered),
        cmocka_unit_test(test_private),
        cmocka_unit_test(test_absence),
        cmocka_unit_test(test_rotation_is_quiet),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_too_many_owners),
        cmocka_unit_test(test_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
