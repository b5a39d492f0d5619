/* What left the protected folders: found by handle or path, led home, bounded, and never forgotten
 * in silence. */
#include "harness.h"

#include "base/time.h"
#include "sense/strays.h"

#include <string.h>

#define HOUR (3600 * NS_PER_S)

static struct strays *strays;

static void begin(size_t files_max, size_t folders_max)
{
    assert_int_equal(strays_new(files_max, folders_max, &strays), 0);
    assert_true(strays_is_none(strays));
}

static struct file_handle_id file(uint64_t number)
{
    struct file_handle_id id = {0};

    id.len = sizeof(number);
    memcpy(id.bytes, &number, sizeof(number));
    return id;
}

static void add(uint64_t number, const char *home, bool is_certain, int64_t now)
{
    struct file_handle_id id = file(number);

    strays_add(strays, &id, str_from(home), is_certain, now);
}

static const char *find(uint64_t number)
{
    static char home[STRAYS_PATH_MAX];
    struct file_handle_id id = file(number);

    return strays_find(strays, &id, home) ? home : "not a stray";
}

static const char *lead(const char *path)
{
    static char home[STRAYS_PATH_MAX];

    return strays_lead_home(strays, str_from(path), home) ? home : "not in a stray";
}

static void test_files(void **state)
{
    struct file_handle_id id = file(1);

    (void)state;
    begin(3, 2);
    add(1, "/srv/Công văn/1.docx", true, 0);
    assert_string_equal(find(1), "/srv/Công văn/1.docx");
    add(1, "/tmp/elsewhere", true, 1); /* its first home stays */
    assert_string_equal(find(1), "/srv/Công văn/1.docx");
    assert_string_equal(find(2), "not a stray");
    strays_drop(strays, &id);
    assert_string_equal(find(1), "not a stray");
    assert_true(strays_is_none(strays));
    strays_free(strays);
}

/* Whoever moves many files out to make one of them forgotten makes all of them strays. */
static void test_crowd(void **state)
{
    (void)state;
    begin(2, 2);
    add(1, "/srv/1", true, 0);
    add(2, "/srv/2", true, 1);
    assert_false(strays_is_crowded(strays, 2));
    add(3, "/srv/3", true, 2);
    assert_string_equal(find(1), "not a stray");
    assert_true(strays_is_crowded(strays, 2));
    assert_true(strays_is_crowded(strays, HOUR));
    assert_false(strays_is_crowded(strays, HOUR + 3));
    add(4, "/srv/4", true, 3 * HOUR); /* what it pushes out left long ago */
    assert_false(strays_is_crowded(strays, 3 * HOUR));
    strays_free(strays);
    begin(1, 1);
    add(1, "/srv/1", false, 0); /* was not protected for certain */
    add(2, "/srv/2", false, 1);
    assert_false(strays_is_crowded(strays, 1));
    strays_free(strays);
}

static void test_folders(void **state)
{
    (void)state;
    begin(2, 4);
    strays_add_folder(strays, STR("/tmp/x"), STR("/srv/docs"), 0);
    assert_string_equal(lead("/tmp/x/a/b.odt"), "/srv/docs/a/b.odt");
    assert_string_equal(lead("/tmp/x"), "/srv/docs");
    assert_string_equal(lead("/tmp/xy/b.odt"), "not in a stray");
    strays_add_folder(strays, STR("/tmp/x/in"), STR("/home/lan/in"), 1); /* the nearest counts */
    assert_string_equal(lead("/tmp/x/in/c"), "/home/lan/in/c");
    assert_true(strays_move_folder(strays, STR("/tmp/x"), STR("/var/y"), 2));
    assert_string_equal(lead("/var/y/in/c"), "/home/lan/in/c");
    assert_string_equal(lead("/var/y/d"), "/srv/docs/d");
    assert_string_equal(lead("/tmp/x/d"), "not in a stray");
    assert_false(strays_move_folder(strays, STR("/var"), STR("/opt"), 3)); /* only what is in it */
    assert_string_equal(lead("/opt/y/d"), "/srv/docs/d");
    strays_drop_folder(strays, STR("/opt/y"));
    assert_true(strays_is_none(strays));
    strays_free(strays);
}

/* A place that no path can name is no way out of the guard. */
static void test_long_paths(void **state)
{
    static char deep[STRAYS_PATH_MAX];
    static char far_home[STRAYS_PATH_MAX];

    (void)state;
    begin(1, 2);
    memset(far_home, 'h', 3000);
    far_home[0] = '/';
    strays_add_folder(strays, STR("/t"), str_from(far_home), 0);
    memset(deep, 'd', 3000);
    memcpy(deep, "/t/", 3);
    assert_string_equal(lead(deep), far_home);
    assert_false(strays_is_crowded(strays, 1));
    strays_add_folder(strays, str_from(deep), STR("/srv/a"), 1);
    assert_true(strays_move_folder(strays, STR("/t"), str_from(far_home), 2));
    assert_true(strays_is_crowded(strays, 2));
    strays_free(strays);
}

static int all_of_it(void *context)
{
    (void)context;
    if (strays_new(4, 4, &strays) < 0) {
        return -ERR_NOMEM;
    }
    add(1, "/srv/1", true, 0);
    strays_add_folder(strays, STR("/tmp/x"), STR("/srv/docs"), 0);
    (void)strays_move_folder(strays, STR("/tmp/x"), STR("/tmp/y"), 0);
    if (strcmp(find(1), "/srv/1") != 0 || strcmp(lead("/tmp/y/a"), "/srv/docs/a") != 0) {
        bool is_told = strays_is_crowded(strays, 1);

        strays_free(strays);
        return is_told ? -ERR_NOMEM : -ERR_CORRUPT; /* forgotten in silence */
    }
    strays_free(strays);
    return 0;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(all_of_it, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),     cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_folders),   cmocka_unit_test(test_long_paths),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests_name("strays", tests, NULL, NULL);
}
