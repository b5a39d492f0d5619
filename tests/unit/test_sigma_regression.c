/* SigmaHQ's own regression cases in ../shared/data/sigma (or CANHGAC_DATA): each rule holds for the
 * events that it was written for, out of the EVTX file and out of its JSON twin, with all rules
 * loaded. */
#include "harness.h"

#include "base/arena.h"
#include "base/buf.h"
#include "codec/logs.h"
#include "codec/yaml.h"
#include "detect/sigma/load.h"
#include "detect/sigma/oracle.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASES_MAX   4096
#define CASES       107  /* in the folder */
#define RULES_LEAST 3000 /* of its 3,757 */

static struct sigma_loader *loader;
static const struct sigma_set *set;
static struct arena *arena;
static char *cases[CASES_MAX]; /* info.yml of each */
static size_t case_count;
static struct buf bytes;

static const char *data_folder(void)
{
    static char path[1024];
    const char *folder = getenv("CANHGAC_DATA");

    (void)snprintf(path, sizeof(path), "%s/sigma",
                   folder != NULL ? folder : TESTS_FOLDER "/../../shared/data");
    return path;
}

static int read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char block[65536];
    size_t len;

    buf_reset(&bytes);
    if (file == NULL) {
        return -ERR_NOENT;
    }
    while ((len = fread(block, 1, sizeof(block), file)) > 0) {
        buf_put(&bytes, block, len);
    }
    (void)fclose(file);
    return buf_error(&bytes);
}

static int take_file(const char *path, const struct stat *stat, int type, struct FTW *place)
{
    struct str name = str_from(path);

    (void)stat;
    (void)place;
    if (type != FTW_F || !str_has_suffix(name, STR(".yml"))) {
        return 0;
    }
    if (str_has_suffix(name, STR("/info.yml"))) {
        assert_true(case_count < CASES_MAX);
        cases[case_count++] = mem_dup(path, strlen(path));
        return 0;
    }
    assert_int_equal(read_file(path), 0);
    return sigma_loader_add(loader, name, buf_str(&bytes));
}

static void load_all(void)
{
    static const char *const folders[] = {"rules", "rules-compliance", "rules-emerging-threats",
                                          "rules-threat-hunting", "regression"};
    char path[2048];

    assert_int_equal(sigma_loader_new(false, &loader), 0);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", data_folder(), folders[i]);
        assert_int_equal(nftw(path, take_file, 20, FTW_PHYS), 0);
    }
    assert_int_equal(sigma_loader_finish(loader, &set), 0);
}

static const struct sigma_rule *find_rule(struct str id)
{
    for (size_t i = 0; i < set->rule_count; i++) {
        if (str_is(set->rules[i].id, id)) {
            return &set->rules[i];
        }
    }
    return NULL;
}

struct count {
    const struct sigma_rule *rule;
    struct arena *arena;
    size_t entries;
    size_t matches;
};

static int count_match(void *context, const struct entry *entry)
{
    struct count *count = context;
    bool is_match = false;
    int r = sigma_oracle(count->rule, entry, count->arena, &is_match);

    count->entries++;
    count->matches += is_match;
    return r;
}

/* How many of the file's entries the rule holds for. */
static size_t count_matches(const struct sigma_rule *rule, const char *path)
{
    struct count count = {.rule = rule, .arena = arena};
    const struct log_format *format;
    struct log_reading reading;
    struct str rest;

    if (read_file(path) < 0) {
        return 0;
    }
    rest = buf_str(&bytes);
    format = log_format_guess(str_slice(rest, 0, LOG_HEAD_SIZE));
    assert_int_equal(log_reading_init(&reading, NULL), 0);
    if (str_has_suffix(str_from(path), STR(".raw"))) {
        reading.source = rule->source; /* as who feeds such lines has to say */
    }
    while (rest.len > 0) {
        size_t len = format->cut(rest, true);

        assert_int_equal(format->read(&reading, str_of(rest.ptr, len), count_match, &count), 0);
        rest = str_slice(rest, len, rest.len);
    }
    log_reading_done(&reading);
    return count.matches;
}

/* Both forms of the case that info.yml describes; the number of forms that failed. */
static unsigned run_case(const char *info)
{
    static const char *const forms[] = {"evtx", "json"};
    struct yaml_reader yaml;
    struct yaml_value *document = NULL;
    const struct yaml_value *test;
    const struct yaml_value *wanted;
    const struct sigma_rule *rule;
    struct diag diag = {{0}};
    struct str folder = str_of(info, strlen(info) - strlen("/info.yml"));
    struct str id;
    unsigned failed = 0;
    char path[2048];

    assert_int_equal(read_file(info), 0);
    yaml_open(&yaml, buf_str(&bytes));
    assert_int_equal(yaml_next(&yaml, arena, &document, &diag), 1);
    id = yaml_member(yaml_member(document, "rule_metadata")->first, "id")->text;
    rule = find_rule(id);
    if (rule == NULL) {
        (void)printf("# no rule %.*s: %s\n", STR_ARG(id), info);
        return 2;
    }
    test = yaml_member(document, "regression_tests_info");
    if (test == NULL) { /* the one that is a line of text */
        (void)snprintf(path, sizeof(path), "%.*s/%.*s.raw", STR_ARG(folder), STR_ARG(id));
        return count_matches(rule, path) == 1 ? 0 : 1;
    }
    wanted = yaml_member(test->first, "match_count");
    for (unsigned form = 0; form < 2; form++) {
        size_t least = wanted != NULL ? (size_t)wanted->integer : 1;
        size_t matches;

        (void)snprintf(path, sizeof(path), "%.*s/%.*s.%s", STR_ARG(folder), STR_ARG(id),
                       forms[form]);
        matches = count_matches(rule, path);
        if (matches < least) {
            (void)printf("# %s: %zu of %zu match %.*s\n", path, matches, least,
                         STR_ARG(rule->title));
            failed++;
        }
    }
    return failed;
}

static void test_cases(void **state)
{
    FILE *file;
    unsigned failed = 0;
    char path[2048];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/LICENSE", data_folder());
    file = fopen(path, "rb");
    if (file == NULL) {
        (void)printf("# there is no %s\n", data_folder());
        skip();
    }
    (void)fclose(file);
    buf_init(&bytes, 1U << 28);
    assert_int_equal(arena_new(1U << 30, &arena), 0);
    load_all();
    for (size_t i = 0; i < set->refusal_count; i++) {
        if (!set->refusals[i].is_warning) {
            (void)printf("# refused %.*s:%u: %.*s\n", STR_ARG(set->refusals[i].file),
                         set->refusals[i].line, STR_ARG(set->refusals[i].reason));
        }
    }
    for (size_t i = 0; i < case_count; i++) {
        arena_reset(arena);
        failed += run_case(cases[i]);
        mem_free(cases[i]);
    }
    (void)printf("# %zu rules, %zu cases, %u forms of them without a match\n", set->rule_count,
                 case_count, failed);
    assert_int_equal(failed, 0);
    assert_int_equal(case_count, CASES);
    assert_true(set->rule_count > RULES_LEAST);
    sigma_loader_free(loader);
    arena_free(arena);
    buf_done(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};

    return cmocka_run_group_tests_name("sigma_regression", tests, NULL, NULL);
}
