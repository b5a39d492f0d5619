/* What was kept of a site's certificate and name: what is read is written as the same bytes, and a
 * survey can be judged and learned with it. The first byte chooses the survey. */
#include "fuzz.h"

#include "base/time.h"
#include "centre/fetch/facts.h"

#include <stdio.h>

static struct survey survey_of(unsigned choice)
{
    static const char *const addresses[] = {"113.160.5.10", "10.0.0.1", "2400:cb00::1", "1.1.1.1"};
    struct survey survey = {.word_count = 2};

    for (unsigned i = 0; i < 2; i++) {
        struct survey_word *word = &survey.words[i];

        word->state = (choice >> 2 * i & 3) != 0 ? SURVEY_THERE : SURVEY_ABSENT;
        word->address_count = word->server_count = word->exchanger_count = 1;
        (void)snprintf(word->addresses[0], sizeof(word->addresses[0]), "%s",
                       addresses[choice >> 2 * i & 3]);
        (void)snprintf(word->servers[0], sizeof(word->servers[0]), "ns%u.a.vn", choice & 7);
        (void)snprintf(word->exchangers[0], sizeof(word->exchangers[0]), "mx.b%u.vn", choice & 7);
    }
    return survey;
}

static void use(struct facts *facts, unsigned choice)
{
    struct survey survey = survey_of(choice);
    struct zone_sight sight = {.host = STR("www.a.vn"),
                               .is_public = facts->place == FACTS_PLACE_PUBLIC,
                               .now = 1800000000LL * NS_PER_S};
    struct zone_news news;
    struct buf buf;

    zone_judge(&facts->zone, &sight, &survey, &news);
    zone_take(&facts->zone, &sight, &survey, (choice & 64) != 0, &news);
    fuzz_check((news.bits >> ZONE_NEWS_COUNT) == 0);
    buf_init(&buf, FACTS_SIZE_MAX);
    facts_encode(facts, &buf);
    fuzz_check(buf_error(&buf) == 0);
    fuzz_check(facts_decode(buf_str(&buf), facts) == 0);
    buf_done(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = str_slice(fuzz_input(data, size), 1, size);
    struct facts facts;
    struct buf again;

    if (size == 0 || facts_decode(bytes, &facts) < 0) {
        return 0;
    }
    buf_init(&again, FACTS_SIZE_MAX);
    facts_encode(&facts, &again);
    fuzz_check(bytes.ptr[1] != 4 || str_is(buf_str(&again), bytes)); /* older ones become ours */
    buf_done(&again);
    use(&facts, data[0]);
    return 0;
}
