/* Real rules and real events of ../shared/data (or CANHGAC_DATA): the engine says what the oracle
 * says, and a matcher that has seen thousands of events says what a new one of another engine says.
 */
#include "harness.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/prng.h"
#include "codec/logs.h"
#include "detect/sigma/engine.h"
#include "detect/sigma/load.h"
#include "detect/sigma/oracle.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define EVENTS_MAX  (16U << 20) /* bytes of the events that are read */
#define STRIDE      7           /* events from one that is judged to the next */
#define OTHERS      150         /* rules that do not hold, asked of the oracle for each event */
#define COLD_EVENTS 200         /* judged by a new matcher, then by the next */

static char events[EVENTS_MAX];

static const char *data_path(const char *name)
{
    static char path[1024];
    const char *folder = getenv("CANHGAC_DATA");

    (void)snprintf(path, sizeof(path), "%s/%s",
                   folder != NULL ? folder : TESTS_FOLDER "/../../shared/data", name);
    return path;
}

static struct str file_read(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = arena_alloc(arena, 1, SIGMA_FILE_MAX);
    size_t len;

    assert_true(file != NULL && text != NULL);
    len = fread(text, 1, SIGMA_FILE_MAX, file);
    (void)fclose(file);
    return str_of(text, len);
}

/* The first events of the file, whole lines. */
static struct str events_read(void)
{
    FILE *file = fopen(data_path("logs/windows-security-datasets.ndjson.zst"), "rb");
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_outBuffer out = {events, sizeof(events), 0};
    static char packed[65536];
    size_t len;

    assert_true(file != NULL && context != NULL);
    assert_false(ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 27)));
    while (out.pos < out.size && (len = fread(packed, 1, sizeof(packed), file)) > 0) {
        ZSTD_inBuffer in = {packed, len, 0};

        while (in.pos < in.size && out.pos < out.size) {
            assert_false(ZSTD_isError(ZSTD_decompressStream(context, &out, &in)));
        }
    }
    ZSTD_freeDCtx(context);
    (void)fclose(file);
    return str_slice(str_of(events, out.pos), 0, log_cut_lines(str_of(events, out.pos), false));
}

/* every: takes each so many-th file. */
static const struct sigma_set *rules_read(struct sigma_loader *loader, struct arena *texts,
                                          unsigned every)
{
    static char folder[1024];
    char *roots[] = {folder, NULL};
    const struct sigma_set *set = NULL;
    unsigned files = 0;
    FTSENT *file;
    FTS *tree;

    (void)snprintf(folder, sizeof(folder), "%s", data_path("sigma/rules"));
    tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    assert_non_null(tree);
    while ((file = fts_read(tree)) != NULL) {
        if (file->fts_info == FTS_F && strstr(file->fts_name, ".yml") != NULL &&
            files++ % every == 0) {
            struct str name = arena_copy(texts, str_from(file->fts_name));
            struct arena *once = NULL;

            assert_int_equal(arena_new(2 * SIGMA_FILE_MAX, &once), 0);
            assert_int_equal(sigma_loader_add(loader, name, file_read(once, file->fts_path)), 0);
            arena_free(once);
        }
    }
    (void)fts_close(tree);
    assert_int_equal(sigma_loader_finish(loader, &set), 0);
    return set;
}

struct court {
    const struct sigma_set *set;
    struct sigma_engine *twin;
    struct sigma_matcher *warm;
    struct sigma_matcher *cold;
    struct arena *arena;
    struct prng prng;
    uint64_t seen;
    uint64_t judged;
    uint64_t matches;
};

static void ask_oracle(struct court *court, const struct entry *entry, uint32_t rule, bool is_said)
{
    bool is_match = false;

    arena_reset(court->arena);
    assert_int_equal(sigma_oracle(&court->set->rules[rule], entry, court->arena, &is_match), 0);
    if (is_match != is_said) {
        fail_msg("event %llu, %.*s: the oracle says %s", (unsigned long long)entry->number,
                 STR_ARG(court->set->rules[rule].title), is_match ? "yes" : "no");
    }
}

static void ask_twin(struct court *court, const struct entry *entry, const uint32_t *rules,
                     size_t count)
{
    const uint32_t *others = NULL;
    size_t other_count = 0;

    if (court->judged % COLD_EVENTS == 0) {
        sigma_matcher_freep(&court->cold);
        assert_int_equal(sigma_matcher_new(court->twin, &court->cold), 0);
    }
    assert_int_equal(sigma_match(court->cold, entry, &others, &other_count), 0);
    assert_int_equal(other_count, count);
    assert_true(count == 0 || memcmp(rules, others, count * sizeof(*rules)) == 0);
}

static int judge(void *context, const struct entry *entry)
{
    struct court *court = context;
    const uint32_t *rules = NULL;
    size_t count = 0;

    if (court->seen++ % STRIDE != 0) {
        return 0;
    }
    assert_int_equal(sigma_match(court->warm, entry, &rules, &count), 0);
    ask_twin(court, entry, rules, count);
    for (size_t i = 0; i < count; i++) {
        ask_oracle(court, entry, rules[i], true);
    }
    for (size_t i = 0; i < OTHERS; i++) {
        uint32_t rule = (uint32_t)prng_below(&court->prng, court->set->rule_count);
        bool is_said = false;

        for (size_t k = 0; k < count; k++) {
            is_said = is_said || rules[k] == rule;
        }
        ask_oracle(court, entry, rule, is_said);
    }
    court->judged++;
    court->matches += count;
    return 0;
}

static void test_real_events(void **state)
{
    FILE *probe = fopen(data_path("logs/windows-security-datasets.ndjson.zst"), "rb");
    struct court court = {.seen = 0};
    struct sigma_loader *loader = NULL;
    struct sigma_engine *engine = NULL;
    struct arena *texts = NULL;
    struct log_reading reading;
    struct diag diag = {{0}};

    (void)state;
    if (probe == NULL) {
        print_message("no real events: skipped\n");
        skip();
    }
    (void)fclose(probe);
    assert_int_equal(arena_new(16U << 20, &texts), 0);
    assert_int_equal(arena_new(64U << 20, &court.arena), 0);
    assert_int_equal(sigma_loader_new(false, &loader), 0);
    court.set = rules_read(loader, texts, 1);
    assert_true(court.set->rule_count > 3000);
    assert_int_equal(sigma_engine_new(court.set, &engine, &diag), 0);
    assert_int_equal(sigma_engine_new(court.set, &court.twin, &diag), 0);
    assert_int_equal(sigma_matcher_new(engine, &court.warm), 0);
    prng_init(&court.prng, 4);
    assert_int_equal(log_reading_init(&reading, sigma_engine_names(engine)), 0);
    assert_int_equal(log_format_find(STR("ndjson"))->read(&reading, events_read(), judge, &court),
                     0);
    assert_true(court.judged > 500);
    assert_true(court.matches > 0);
    log_reading_done(&reading);
    sigma_matcher_free(court.warm);
    sigma_matcher_free(court.cold);
    sigma_engine_free(engine);
    sigma_engine_free(court.twin);
    sigma_loader_free(loader);
    arena_free(court.arena);
    arena_free(texts);
}

/* What a set of rules says of all events. */
struct rule_book {
    struct arena *texts;
    struct sigma_loader *loader;
    const struct sigma_set *set;
    struct sigma_engine *engine;
    struct sigma_matcher *matcher;
    struct buf said;
};

static void book_open(struct rule_book *book, unsigned every)
{
    assert_int_equal(arena_new(16U << 20, &book->texts), 0);
    assert_int_equal(sigma_loader_new(false, &book->loader), 0);
    book->set = rules_read(book->loader, book->texts, every);
    assert_int_equal(sigma_engine_new(book->set, &book->engine, &(struct diag){{0}}), 0);
    assert_int_equal(sigma_matcher_new(book->engine, &book->matcher), 0);
    buf_init(&book->said, 4U << 20);
}

static void book_close(struct rule_book *book)
{
    sigma_matcher_free(book->matcher);
    sigma_engine_free(book->engine);
    sigma_loader_free(book->loader);
    arena_free(book->texts);
    buf_done(&book->said);
}

static int note(void *context, const struct entry *entry)
{
    struct rule_book *book = context;
    const uint32_t *rules = NULL;
    size_t count = 0;

    assert_int_equal(sigma_match(book->matcher, entry, &rules, &count), 0);
    for (size_t i = 0; i < count; i++) {
        buf_putf(&book->said, "%llu %.*s\n", (unsigned long long)entry->number,
                 STR_ARG(book->set->rules[rules[i]].id));
    }
    return 0;
}

static void book_judge(struct rule_book *book, struct str text)
{
    struct log_reading reading;

    assert_int_equal(log_reading_init(&reading, sigma_engine_names(book->engine)), 0);
    assert_int_equal(log_format_find(STR("ndjson"))->read(&reading, text, note, book), 0);
    assert_int_equal(book->said.error, 0);
    log_reading_done(&reading);
}

/* Rules that took the place of others say what they say where they are the first. */
static void test_reloaded(void **state)
{
    FILE *probe = fopen(data_path("logs/windows-security-datasets.ndjson.zst"), "rb");
    struct rule_book cold = {0};
    struct rule_book others = {0};
    struct rule_book reloaded = {0};
    struct str text;

    (void)state;
    if (probe == NULL) {
        print_message("no real events: skipped\n");
        skip();
    }
    (void)fclose(probe);
    text = events_read();
    book_open(&cold, 1);
    book_judge(&cold, text);
    book_open(&others, 3);
    book_judge(&others, text);
    book_open(&reloaded, 1); /* beside those that judge, as the detector does it */
    book_judge(&others, str_slice(text, 0, text.len / 2));
    book_close(&others);
    book_judge(&reloaded, text);
    assert_true(cold.said.len > 0);
    assert_true(str_is(buf_str(&reloaded.said), buf_str(&cold.said)));
    book_close(&reloaded);
    book_close(&cold);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_events),
        cmocka_unit_test(test_reloaded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
