/* The folder of indicator lists as the readers of web pages take it: what is whole counts, whatever
 * lies beside it. */
#include "harness.h"

#include "base/err.h"
#include "centre/lists.h"
#include "sys/fd.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int setup(void **state)
{
    static char folder[32];

    (void)snprintf(folder, sizeof(folder), "/tmp/canhgac-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    *state = folder;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int teardown(void **state)
{
    return nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void put_file(const char *folder, const char *name, struct str bytes)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(file_write_atomic(AT_FDCWD, path, bytes, 0644), 0);
}

static void put_list(const char *folder, const char *name, const char *host, bool is_whole)
{
    const struct indicator_list list = {
        .name = str_from(name), .label = STR("phishing"), .source = STR("test"), .imported = 1};
    const struct feed_entry entry = {.kind = FEED_KIND_DOMAIN, .value = str_from(host)};
    struct indicator_writer writer;
    struct buf buf;
    char file[64];

    buf_init(&buf, 1 << 16);
    indicator_write_head(&writer, &list, &buf);
    indicator_write_entry(&writer, &entry);
    if (is_whole) {
        indicator_write_end(&writer);
    }
    (void)snprintf(file, sizeof(file), "%s.list", name);
    put_file(folder, file, buf_str(&buf));
    buf_done(&buf);
}

static struct indicators *load(const char *folder)
{
    struct lists_texts *texts = NULL;
    struct indicators *indicators = NULL;

    assert_int_equal(lists_texts_new(&texts), 0);
    lists_texts_open(texts, folder);
    assert_int_equal(lists_indicators(texts, &indicators), 0);
    lists_texts_free(texts);
    return indicators;
}

static bool has_host(struct indicators *indicators, const char *host)
{
    struct deface_lists lists = indicators_for_deface(indicators);
    struct str label;

    return lists.has_host(lists.context, str_from(host), &label);
}

static void test_damaged_lists_do_not_count(void **state)
{
    const char *folder = *state;
    struct indicators *indicators;
    char path[128];

    put_list(folder, "first", "first.example", true);
    put_list(folder, "torn", "torn.example", false);
    put_list(folder, "last", "last.example", true);
    put_list(folder, "worse", "worse.example", false);
    put_file(folder, "garbage.list", STR("\x7f\x45LF\0\0\0"));
    put_file(folder, "empty.list", STR(""));
    put_file(folder, "notes.txt", STR("not a list"));
    (void)snprintf(path, sizeof(path), "%s/folder.list", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    indicators = load(folder);
    assert_int_equal(indicators_list_count(indicators), 2);
    assert_true(has_host(indicators, "www.first.example"));
    assert_true(has_host(indicators, "last.example"));
    assert_false(has_host(indicators, "torn.example"));
    assert_false(has_host(indicators, "worse.example"));
    indicators_free(indicators);
}

static void test_popular_hosts_are_never_listed(void **state)
{
    struct indicators *indicators;

    put_list(*state, "careless", "google.com", true);
    indicators = load(*state);
    assert_int_equal(indicators_list_count(indicators), 1);
    assert_false(has_host(indicators, "google.com"));
    indicators_free(indicators);
}

static void test_a_folder_that_is_not_there(void **state)
{
    struct indicators *indicators;
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/none", (const char *)*state);
    indicators = load(path);
    assert_int_equal(indicators_list_count(indicators), 0);
    assert_false(has_host(indicators, "first.example"));
    indicators_free(indicators);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_damaged_lists_do_not_count, setup, teardown),
        cmocka_unit_test_setup_teardown(test_popular_hosts_are_never_listed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_folder_that_is_not_there, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
