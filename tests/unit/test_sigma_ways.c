/* All rules of ../shared/data/sigma (or CANHGAC_DATA) over real events, and over events that were
 * made of them and of what rules look for: the judge of logs says the same whether rules wait for
 * clues or all are asked, whether events come together or alone, and in two threads as in one. */
#include "harness.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/prng.h"
#include "codec/logs.h"
#include "detect/sigma/engine.h"
#include "detect/sigma/engine_run.h"
#include "detect/sigma/load.h"
#include "detect/sigma/oracle.h"
#include "detect/sigma/pack.h"
#include "sys/thread.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define EVERY       40 /* of so many real events one is taken */
#define ALONE_EVERY 8  /* of those one is judged alone */
#define DRAWN_MAX   12 /* fields that are put to a real event */
#define TEXT_MAX    512

static struct sigma_loader *loader;
static const struct sigma_set *set;
static struct sigma_engine *engine;
static struct buf events; /* lines */
static size_t event_count;

/* The events come from a folder that a clone alone does not have. */
static void skip_without_data(void)
{
    if (engine == NULL) {
        skip();
    }
}

/* ---- what is judged ---- */

static const char *data_path(const char *name)
{
    static char path[1024];
    const char *folder = getenv("CANHGAC_DATA");

    (void)snprintf(path, sizeof(path), "%s/%s",
                   folder != NULL ? folder : TESTS_FOLDER "/../../shared/data", name);
    return path;
}

static int take_rule(const char *path, const struct stat *stat, int type, struct FTW *place)
{
    CLEANUP(buf_done) struct buf text;
    char block[65536];
    size_t len;
    FILE *file;

    (void)stat;
    (void)place;
    if (type != FTW_F || !str_has_suffix(str_from(path), STR(".yml"))) {
        return 0;
    }
    file = fopen(path, "rb");
    assert_non_null(file);
    buf_init(&text, 1U << 20);
    while ((len = fread(block, 1, sizeof(block), file)) > 0) {
        buf_put(&text, block, len);
    }
    (void)fclose(file);
    return sigma_loader_add(loader, str_from(path), buf_str(&text));
}

static void load_rules(void)
{
    static const char *const folders[] = {"sigma/rules", "sigma/rules-compliance",
                                          "sigma/rules-emerging-threats",
                                          "sigma/rules-threat-hunting"};
    struct diag diag = {{0}};

    assert_int_equal(sigma_loader_new(false, &loader), 0);
    assert_int_equal(sigma_pack_load(loader), 0);
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        assert_int_equal(nftw(data_path(folders[i]), take_rule, 20, FTW_PHYS), 0);
    }
    assert_int_equal(sigma_loader_finish(loader, &set), 0);
    assert_int_equal(sigma_engine_new(set, &engine, &diag), 0);
}

/* Takes one line of EVERY out of what was unpacked; what is left is the beginning of a line. */
static void take_lines(struct buf *text, size_t *at)
{
    struct str rest = buf_str(text);
    size_t end;

    while ((end = str_find_byte(rest, '\n')) != rest.len) {
        if ((*at)++ % EVERY == 0) {
            assert_int_equal(buf_put(&events, rest.ptr, end + 1), 0);
            event_count++;
        }
        rest = str_slice(rest, end + 1, rest.len);
    }
    buf_consume(text, text->len - rest.len);
}

static void load_events(FILE *file)
{
    ZSTD_DCtx *unpacker = ZSTD_createDCtx();
    CLEANUP(buf_done) struct buf text;
    static char packed[1 << 17];
    static char plain[1 << 20];
    size_t at = 0;
    size_t len;

    buf_init(&events, 256U << 20);
    buf_init(&text, 64U << 20);
    assert_non_null(unpacker);
    (void)ZSTD_DCtx_setParameter(unpacker, ZSTD_d_windowLogMax, 27);
    while ((len = fread(packed, 1, sizeof(packed), file)) > 0) {
        ZSTD_inBuffer in = {packed, len, 0};

        while (in.pos < in.size) {
            ZSTD_outBuffer out = {plain, sizeof(plain), 0};

            assert_false(ZSTD_isError(ZSTD_decompressStream(unpacker, &out, &in)));
            assert_int_equal(buf_put(&text, plain, out.pos), 0);
            take_lines(&text, &at);
        }
    }
    (void)ZSTD_freeDCtx(unpacker);
}

/* ---- events that nobody wrote ---- */

struct drawing {
    struct prng prng;
    struct entry entry;
    char texts[DRAWN_MAX][TEXT_MAX];
    size_t count;
};

/* A field with a text that the atom holds for, mostly. */
static void draw_field(struct drawing *drawing, const struct sigma_atom *atom)
{
    char *text = drawing->texts[drawing->count++];
    struct entry_field field = {.name = atom->field.len != 0 ? atom->field : STR("CommandLine")};
    size_t len = 0;

    for (size_t i = 0; i < atom->part_count && len < TEXT_MAX; i++) {
        struct str part = atom->parts[i].kind == SIGMA_PART_LITERAL
                              ? str_slice(atom->parts[i].text, 0, TEXT_MAX - len)
                              : STR("q");

        memcpy(text + len, part.ptr, part.len);
        len += part.len;
    }
    field.value = len != 0 ? str_of(text, len) : str_slice(atom->text, 0, TEXT_MAX);
    field.id = entry_names_find(sigma_engine_names(engine), field.name);
    assert_int_equal(entry_add(&drawing->entry, &field), 0);
}

/* NOLINTNEXTLINE(misc-no-recursion): the loader limits the depth to SIGMA_DEPTH_MAX */
static void draw_node(struct drawing *drawing, const struct sigma_node *node)
{
    bool is_or = node->kind == SIGMA_NODE_OR && node->child_count != 0;
    size_t first = is_or ? prng_below(&drawing->prng, node->child_count) : 0;
    size_t end = is_or ? first + 1 : node->child_count;

    if (drawing->count == DRAWN_MAX || node->kind == SIGMA_NODE_NOT) {
        return;
    }
    if (node->kind == SIGMA_NODE_ATOM) {
        draw_field(drawing, node->atom);
        return;
    }
    for (size_t i = first; i < end; i++) {
        draw_node(drawing, node->children[i]);
    }
}

static const struct sigma_way *draw_way(struct prng *prng, const struct logsource *source)
{
    for (unsigned tries = 0; tries < 1000; tries++) {
        const struct sigma_rule *rule = &set->rules[prng_below(prng, set->rule_count)];

        for (size_t i = 0; i < rule->way_count; i++) {
            if (sigma_source_fits(&rule->ways[i].source, source)) {
                return &rule->ways[i];
            }
        }
    }
    return NULL;
}

/* The real event without some of its fields, and with what a rule of its log source looks for. */
static void draw_entry(struct drawing *drawing, const struct entry *real)
{
    const struct sigma_way *way = draw_way(&drawing->prng, &real->source);

    entry_reset(&drawing->entry);
    drawing->count = 0;
    drawing->entry.source = real->source;
    drawing->entry.raw = real->raw;
    drawing->entry.is_structured = real->is_structured;
    if (way != NULL) {
        draw_node(drawing, way->root);
    }
    for (size_t i = 0; i < real->count; i++) {
        if (prng_below(&drawing->prng, 4) != 0) {
            assert_int_equal(entry_add(&drawing->entry, &real->fields[i]), 0);
        }
    }
}

/* ---- judging ---- */

/* What is said of events, in their order: how many rules, and which. */
struct judging {
    struct sigma_matcher *matcher;
    struct log_reading reading;
    struct buf verdicts;
    uint64_t matches;
};

static void judging_start(struct judging *judging)
{
    *judging = (struct judging){0};
    buf_init(&judging->verdicts, 64U << 20);
    assert_int_equal(sigma_matcher_new(engine, &judging->matcher), 0);
    assert_int_equal(log_reading_init(&judging->reading, sigma_engine_names(engine)), 0);
}

static void judging_done(struct judging *judging)
{
    sigma_matcher_free(judging->matcher);
    log_reading_done(&judging->reading);
    buf_done(&judging->verdicts);
}

static int judge_one(void *context, const struct entry *entry)
{
    struct judging *judging = context;
    const uint32_t *rules = NULL;
    size_t count = 0;
    int r = sigma_match(judging->matcher, entry, &rules, &count);

    judging->matches += count;
    (void)buf_put(&judging->verdicts, &count, sizeof(count));
    (void)buf_put(&judging->verdicts, rules, count * sizeof(*rules));
    return r == -ERR_LIMIT ? buf_error(&judging->verdicts) : r;
}

static int judge(struct judging *judging, struct str text)
{
    return log_format_find(STR("ndjson"))->read(&judging->reading, text, judge_one, judging);
}

/* ---- with and without clues ---- */

struct comparing {
    struct sigma_matcher *waiting;
    struct sigma_matcher *asking;
    struct drawing drawing;
    uint64_t matches;
    uint64_t costly;
};

static int compare_one(struct comparing *comparing, const struct entry *entry)
{
    const uint32_t *rules = NULL;
    const uint32_t *others = NULL;
    size_t count = 0;
    size_t other_count = 0;
    int r = sigma_match(comparing->waiting, entry, &rules, &count);

    if (r == -ERR_LIMIT) {
        comparing->costly++;
        return 0;
    }
    r = r == 0 ? matcher_ask_all(comparing->asking, entry, &others, &other_count) : r;
    assert_int_equal(r, 0);
    comparing->matches += count;
    for (size_t i = 0; i < count || i < other_count; i++) {
        if (i >= count || i >= other_count || rules[i] != others[i]) {
            const struct sigma_rule *rule = &set->rules[i < count ? rules[i] : others[i]];

            fail_msg("clues change what is said by %.*s of %.*s", STR_ARG(rule->title),
                     STR_ARG(entry->raw));
        }
    }
    return 0;
}

static int compare_both(void *context, const struct entry *entry)
{
    struct comparing *comparing = context;
    int r = compare_one(comparing, entry);

    draw_entry(&comparing->drawing, entry);
    return r == 0 ? compare_one(comparing, &comparing->drawing.entry) : r;
}

static void test_clues_change_nothing(void **state)
{
    static struct comparing comparing;
    struct sigma_engine_stats waiting;
    struct sigma_engine_stats asking;
    struct log_reading reading;

    (void)state;
    skip_without_data();
    prng_init(&comparing.drawing.prng, 20261126);
    entry_init(&comparing.drawing.entry);
    assert_int_equal(sigma_matcher_new(engine, &comparing.waiting), 0);
    assert_int_equal(sigma_matcher_new(engine, &comparing.asking), 0);
    assert_int_equal(log_reading_init(&reading, sigma_engine_names(engine)), 0);
    assert_int_equal(
        log_format_find(STR("ndjson"))->read(&reading, buf_str(&events), compare_both, &comparing),
        0);
    sigma_engine_stats(comparing.waiting, &waiting);
    sigma_engine_stats(comparing.asking, &asking);
    (void)printf("# %llu events, %llu matches: %llu rules asked with clues, %llu without\n",
                 (unsigned long long)asking.entries, (unsigned long long)comparing.matches,
                 (unsigned long long)waiting.candidates, (unsigned long long)asking.candidates);
    assert_int_equal(asking.entries + comparing.costly, 2 * event_count);
    assert_true(comparing.costly < event_count / 100);
    assert_true(comparing.matches > event_count / 10);
    assert_true(asking.candidates > 20 * waiting.candidates);
    sigma_matcher_free(comparing.waiting);
    sigma_matcher_free(comparing.asking);
    log_reading_done(&reading);
    entry_done(&comparing.drawing.entry);
}

/* ---- together and alone, in two threads ---- */

static void test_alone(void **state)
{
    struct judging together;
    struct str rest = buf_str(&events);
    struct str said;
    struct str line;
    size_t at = 0;

    (void)state;
    skip_without_data();
    judging_start(&together);
    assert_int_equal(judge(&together, rest), 0);
    assert_true(together.matches > 0);
    said = buf_str(&together.verdicts);
    for (; str_cut(&rest, '\n', &line); at++) {
        struct judging alone;
        size_t count = 0;
        size_t len;

        memcpy(&count, said.ptr, sizeof(count));
        len = sizeof(count) + count * sizeof(uint32_t);
        if (at % ALONE_EVERY == 0) {
            judging_start(&alone);
            assert_int_equal(judge(&alone, line), 0);
            assert_true(str_is(buf_str(&alone.verdicts), str_slice(said, 0, len)));
            judging_done(&alone);
        }
        said = str_slice(said, len, said.len);
    }
    assert_int_equal(said.len, 0);
    judging_done(&together);
}

static void *judge_all(void *context)
{
    struct judging *judging = context;

    return judge(judging, buf_str(&events)) == 0 ? judging : NULL;
}

static void test_threads(void **state)
{
    struct judging one;
    struct judging two[2];
    pthread_t threads[2];

    (void)state;
    skip_without_data();
    judging_start(&one);
    assert_int_equal(judge(&one, buf_str(&events)), 0);
    for (size_t i = 0; i < ARRAY_LEN(two); i++) {
        judging_start(&two[i]);
        assert_int_equal(thread_start("judge", judge_all, &two[i], &threads[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(two); i++) {
        void *judged = NULL;

        assert_int_equal(pthread_join(threads[i], &judged), 0);
        assert_ptr_equal(judged, &two[i]);
        assert_true(str_is(buf_str(&two[i].verdicts), buf_str(&one.verdicts)));
        judging_done(&two[i]);
    }
    judging_done(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clues_change_nothing),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_threads),
    };
    FILE *file = fopen(data_path("logs/windows-security-datasets.ndjson.zst"), "rb");
    int failed;

    if (file != NULL) {
        load_rules();
        load_events(file);
        (void)fclose(file);
    }
    failed = cmocka_run_group_tests_name("sigma_ways", tests, NULL, NULL);
    sigma_engine_free(engine);
    sigma_loader_free(loader);
    buf_done(&events);
    return failed;
}
