/* The event archive: what goes in comes out once, in order, found by any part of a word. */
#include "archive_fixture.h"

#include "base/prng.h"

#include <fcntl.h>
#include <sys/wait.h>

static size_t count_all(struct archive *archive)
{
    struct archive_query query = everything();

    return search(archive, &query)->count;
}

/* ---- tests */

static void test_round_trip(void **state)
{
    struct bench *bench = *state;
    struct event event =
        make_event(FIXTURE_NOW, "openssl enc -in Báo_cáo.docx", "/srv/dữ-liệu/Báo cáo.docx");
    struct event later = make_event(FIXTURE_NOW + 5, "bash", "/bin/bash");
    struct archive_query query = everything();
    struct answer *answer;
    struct archive *reader;

    assert_int_equal(add(bench->archive, 1, 1, &event), 0);
    assert_int_equal(count_all(bench->archive), 0); /* not committed yet */
    assert_int_equal(add(bench->archive, 1, 2, &later), 0);
    assert_int_equal(add(bench->archive, 1, 2, &later), -ERR_EXIST);
    assert_int_equal(archive_commit(bench->archive), 0);
    assert_int_equal(add(bench->archive, 1, 1, &event), -ERR_EXIST);
    assert_int_equal(add(bench->archive, 2, 1, &event), 0); /* another host's 1 */
    assert_int_equal(archive_commit(bench->archive), 0);
    reader = open_archive(&bench->fixture, true, 0);
    answer = search(reader, &query);
    assert_int_equal(answer->count, 3);
    assert_string_equal(answer->texts[0], "bash");
    query.needles = wanted("BAO CAO openssl");
    assert_int_equal(search(reader, &query)->count, 2);
    query.needles = wanted("dữ-liệu");
    assert_int_equal(search(reader, &query)->count, 2);
    query.needles = wanted("du lieu");
    assert_int_equal(search(reader, &query)->count, 2);
    query.needles = wanted("4242");
    assert_int_equal(search(reader, &query)->count, 0);
    query.limit = 0;
    assert_int_equal(archive_search(reader, &query, collect, NULL), -ERR_LIMIT);
    assert_int_equal(add(reader, 1, 9, &event), -ERR_ROFS);
    archive_close(reader);
}

static void test_duplicates(void **state)
{
    struct bench *bench = *state;

    for (unsigned pass = 0; pass < 3; pass++) {
        for (uint64_t sequence = 1; sequence <= 100; sequence++) {
            struct event event =
                make_event(FIXTURE_NOW + (int64_t)(sequence % 7) * DAY / 2, "cmd", "/x");
            bool is_odd = sequence % 2 != 0;

            /* First the odd ones, then all, then, in a new life, all again. */
            if (pass == 0 && !is_odd) {
                continue;
            }
            assert_int_equal(add(bench->archive, 1, sequence, &event),
                             pass == 0 || (pass == 1 && !is_odd) ? 0 : -ERR_EXIST);
            if (sequence % 10 == 3) {
                assert_int_equal(archive_commit(bench->archive), 0);
            }
        }
        assert_int_equal(archive_commit(bench->archive), 0);
        reopen(bench);
        assert_int_equal(count_all(bench->archive), pass == 0 ? 50 : 100);
    }
}

/* An event whose clock is off goes to its own day, and when it is far off to today's, with its
 * time. */
static void test_stray_times(void **state)
{
    static const int64_t times[] = {FIXTURE_NOW, FIXTURE_NOW - 6 * DAY,   FIXTURE_NOW + 6 * DAY,
                                    0,           4102444800LL * NS_PER_S, INT64_MIN,
                                    INT64_MAX};
    struct bench *bench = *state;
    struct archive_query query = everything();
    struct answer *answer;
    struct day_file *files = NULL;
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct event event = make_event(times[i], "cmd", "/x");

        assert_int_equal(add(bench->archive, 1, i + 1, &event), 0);
    }
    assert_int_equal(archive_commit(bench->archive), 0);
    assert_int_equal(day_list(bench->archive, &files, &count), 0);
    assert_int_equal(count, 3);
    mem_free(files);
    answer = search(bench->archive, &query);
    assert_int_equal(answer->count, ARRAY_LEN(times));
    assert_true(answer->times[0] == INT64_MAX && answer->times[6] == INT64_MIN);
    query.from = query.to = 0; /* found by the time it claims, wherever it lies */
    assert_int_equal(search(bench->archive, &query)->count, 1);
}

static void test_filter_saves_work(void **state)
{
    struct bench *bench = *state;
    struct archive_query query = everything();
    struct archive_stats stats;

    for (uint64_t i = 1; i <= 640; i++) {
        struct event event =
            make_event(FIXTURE_NOW + (int64_t)i, i == 333 ? "ccencrypt -r" : "/bin/true", "/y");

        assert_int_equal(add(bench->archive, 1, i, &event), 0);
    }
    assert_int_equal(archive_commit(bench->archive), 0);
    query.needles = wanted("ccencrypt");
    assert_int_equal(search(bench->archive, &query)->count, 1);
    archive_stats(bench->archive, &stats);
    assert_int_equal(stats.blocks_met, 40);
    assert_in_range(stats.blocks_opened, 1, 2);

    /* The newest ten lie in the last block: no other is met. */
    query.needles = wanted("");
    query.limit = 10;
    assert_int_equal(search(bench->archive, &query)->count, 10);
    archive_stats(bench->archive, &stats);
    assert_in_range(stats.blocks_met, 41, 42);
}

static void test_expire(void **state)
{
    struct bench *bench = *state;
    struct event old = make_event(FIXTURE_NOW - 5 * DAY, "old", "/x");
    struct event new = make_event(FIXTURE_NOW, "new", "/x");
    unsigned days = 9;

    assert_int_equal(add(bench->archive, 1, 1, &old), 0);
    assert_int_equal(add(bench->archive, 1, 2, &new), 0);
    assert_int_equal(archive_expire(bench->archive, FIXTURE_NOW, &days), -ERR_BUSY);
    assert_int_equal(archive_commit(bench->archive), 0);
    assert_int_equal(archive_expire(bench->archive, FIXTURE_NOW - 5 * DAY, &days), 0);
    assert_int_equal(days, 0); /* that day has not ended */
    assert_int_equal(archive_expire(bench->archive, FIXTURE_NOW, &days), 0);
    assert_int_equal(days, 1);
    assert_int_equal(count_all(bench->archive), 1);
    assert_int_equal(add(bench->archive, 1, 2, &new), -ERR_EXIST);
}

static void test_rollback(void **state)
{
    struct bench *bench = *state;
    struct event event = make_event(FIXTURE_NOW, "cmd", "/x");

    for (uint64_t i = 1; i <= 50; i++) { /* blocks are closed on the way */
        assert_int_equal(add(bench->archive, 1, i, &event), 0);
        if (i == 20) {
            assert_int_equal(archive_commit(bench->archive), 0);
        }
    }
    archive_rollback(bench->archive);
    assert_int_equal(count_all(bench->archive), 20);
    for (uint64_t i = 1; i <= 50; i++) {
        assert_int_equal(add(bench->archive, 1, i, &event), i <= 20 ? -ERR_EXIST : 0);
    }
    assert_int_equal(archive_commit(bench->archive), 0);
    assert_int_equal(count_all(bench->archive), 50);
}

/* ---- search = looking at everything */

static const char *const vocabulary[] = {
    "đồng",     "DONG",  "Nai",   "báo",         "cáo",     "kế", "toán",   "tar",
    "zstd",     "rm",    "-rf",   "Xã",          "xa",      "ử",  "văn",    "thư",
    "passw",    "a",     "ab",    "abc",         "/",       "",   "日本",   "\xff\xfe",
    "10.0.0.1", "0.0.1", "110.0", "203.0.113.9", "3.0.113", "..", "1.1.1.1"};

struct oracle {
    struct id host;
    uint64_t sequence;
    int64_t time;
    char text[48];
};

static void make_text(struct prng *prng, char *out, size_t size)
{
    size_t len = 0;

    out[0] = '\0';
    for (uint64_t words = 1 + prng_below(prng, 3); words != 0; words--) {
        len += (size_t)snprintf(out + len, size - len, "%s%s",
                                vocabulary[prng_below(prng, ARRAY_LEN(vocabulary))],
                                prng_below(prng, 2) != 0 ? "_" : "");
    }
}

static bool oracle_holds(const char *folded, const char *typed)
{
    char words[256];
    char *save = NULL;

    (void)utf8_fold(str_from(typed), words, sizeof(words));
    for (char *word = strtok_r(words, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save)) {
        if (strstr(folded, word) == NULL) {
            return false;
        }
    }
    return true;
}

static bool oracle_admits(const struct oracle *event, const struct archive_query *query,
                          const char *words, const char *or_words)
{
    char folded[128];

    if (event->time < query->from || event->time > query->to ||
        (query->host != NULL && !id_is(query->host, &event->host))) {
        return false;
    }
    (void)utf8_fold(str_from(event->text), folded, sizeof(folded));
    return oracle_holds(folded, words) || (or_words != NULL && oracle_holds(folded, or_words));
}

static int oracle_compare(const void *a, const void *b)
{
    const struct oracle *x = a;
    const struct oracle *y = b;
    int hosts = memcmp(&x->host, &y->host, sizeof(x->host));

    if (x->time != y->time) {
        return x->time > y->time ? -1 : 1;
    }
    return hosts != 0 ? hosts : x->sequence > y->sequence ? -1 : 1;
}

static void check_query(struct bench *bench, const struct oracle *events, size_t count,
                        const struct archive_query *query, const char *words, const char *or_words)
{
    struct answer *answer = search(bench->archive, query);
    size_t at = 0;

    for (size_t i = 0; i < count && at < query->limit; i++) {
        if (!oracle_admits(&events[i], query, words, or_words)) {
            continue;
        }
        if (at >= answer->count || answer->times[at] != events[i].time ||
            !id_is(&answer->hosts[at], &events[i].host) ||
            strcmp(answer->texts[at], events[i].text) != 0) {
            fail_msg("'%s' or '%s': place %zu differs", words, or_words != NULL ? or_words : "",
                     at);
        }
        at++;
    }
    assert_int_equal(answer->count, at);
}

static void test_search_is_naive_scan(void **state)
{
    static struct oracle events[1500];
    struct bench *bench = *state;

    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct prng prng;

        prng_init(&prng, seed);
        for (size_t i = 0; i < ARRAY_LEN(events); i++) {
            struct oracle *made = &events[i];
            struct event event;

            made->host = fixture_id((unsigned)prng_below(&prng, 4) + (unsigned)seed * 10);
            made->sequence = i + 1;
            made->time = FIXTURE_NOW + (int64_t)seed * 100 * DAY +
                         (int64_t)prng_below(&prng, 3 * DAY) - (int64_t)(i % 10) * DAY / 3;
            made->time -= made->time % (DAY / 50); /* many at the same moment */
            make_text(&prng, made->text, sizeof(made->text));
            bench->fixture.wall = made->time;
            event_init(&event, EVENT_KIND_PROCESS_START, made->time);
            assert_int_equal(
                event_add_text(&event, EVENT_FIELD_PROCESS_COMMAND_LINE, str_from(made->text)), 0);
            assert_int_equal(archive_add(bench->archive, &made->host, made->sequence, &event), 0);
            if (prng_below(&prng, 90) == 0) {
                assert_int_equal(archive_commit(bench->archive), 0);
            }
        }
        assert_int_equal(archive_commit(bench->archive), 0);
        qsort(events, ARRAY_LEN(events), sizeof(events[0]), oracle_compare);
        for (unsigned i = 0; i < 60; i++) {
            const char *or_words =
                i % 3 == 1 ? vocabulary[prng_below(&prng, ARRAY_LEN(vocabulary))] : NULL;
            char words[64];
            char typed[128];
            int64_t from =
                FIXTURE_NOW + (int64_t)seed * 100 * DAY + (int64_t)prng_below(&prng, 3 * DAY) - DAY;
            struct id host = fixture_id((unsigned)prng_below(&prng, 5) + (unsigned)seed * 10);
            struct archive_query query = {
                .from = i % 3 == 0 ? from : FIXTURE_NOW + (int64_t)seed * 100 * DAY - 40 * DAY,
                .to = i % 3 == 0 ? from + (int64_t)prng_below(&prng, DAY) : INT64_MAX,
                .host = i % 4 == 0 ? &host : NULL,
                .limit = i % 5 == 0 ? 1 + prng_below(&prng, 20) : 4000,
            };

            query.to = query.to == INT64_MAX ? FIXTURE_NOW + (int64_t)seed * 100 * DAY + 40 * DAY
                                             : query.to;
            (void)snprintf(words, sizeof(words), "%s %s",
                           vocabulary[prng_below(&prng, ARRAY_LEN(vocabulary))],
                           i % 2 != 0 ? vocabulary[prng_below(&prng, ARRAY_LEN(vocabulary))] : "");
            (void)snprintf(typed, sizeof(typed), "%s%s%s", words, or_words != NULL ? "|" : "",
                           or_words != NULL ? or_words : "");
            query.needles = wanted(typed);
            check_query(bench, events, ARRAY_LEN(events), &query, words, or_words);
        }
    }
}

/* ---- memory */

static int run_everything(void *context)
{
    struct fixture *fixture = context;
    struct archive_options options = {
        .folder = fixture->folder, .clock = &fixture->clock, .block_events = 4};
    CLEANUP(archive_closep) struct archive *archive = NULL;
    struct archive_query query = everything();
    struct answer answer = {0};
    int r = archive_open(&options, &archive, NULL);

    query.limit = 10;
    query.needles = wanted("cmd");
    for (uint64_t i = 1; i <= 6 && r == 0; i++) {
        struct event event = make_event(FIXTURE_NOW + (int64_t)i, "cmd", "/x");

        r = add(archive, 1, i, &event);
        r = r == -ERR_EXIST ? 0 : r;
    }
    r = r < 0 ? r : archive_commit(archive);
    r = r < 0 ? r : archive_search(archive, &query, collect, &answer);
    if (r == 0) {
        assert_int_equal(answer.count, 6);
    }
    return r;
}

static void test_no_memory(void **state)
{
    struct bench *bench = *state;

    assert_survives_no_memory(run_everything, &bench->fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_duplicates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stray_times, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_filter_saves_work, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_expire, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rollback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_search_is_naive_scan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
