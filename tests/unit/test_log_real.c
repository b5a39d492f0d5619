/* The text logs in ../shared/data/logs (or CANHGAC_DATA), which nobody here wrote: each is known
 * for what it is, no line is lost, and the forms say what nearly all lines mean. */
#include "log_fixture.h"

#include <stdio.h>

#define FILE_MAX (1U << 20)

static char bytes[FILE_MAX];
static struct seen seen;

/* False when the data is not here. */
static bool load(const char *name, struct str *ret_text)
{
    const char *folder = getenv("CANHGAC_DATA");
    char path[1024];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/logs/%s",
                   folder != NULL ? folder : TESTS_FOLDER "/../../shared/data", name);
    file = fopen(path, "rb");
    if (file == NULL) {
        print_message("%s: not here, skipped\n", path);
        return false;
    }
    *ret_text = str_of(bytes, fread(bytes, 1, sizeof(bytes), file));
    assert_int_equal(fclose(file), 0);
    return true;
}

/* field: that at least so many of the entries must have. */
static void check_file(const char *name, const char *format, const char *field, size_t least)
{
    struct str text = {0};
    size_t count = 0;

    if (!load(name, &text)) {
        skip();
    }
    assert_string_equal(log_format_guess(str_slice(text, 0, LOG_HEAD_SIZE))->name, format);
    assert_int_equal(seen_read(&seen, format, text, 0), 0);
    assert_int_equal(seen.count, 2000);
    assert_int_equal(seen.counts.faulty, 0);
    for (size_t i = 0; i < seen.count; i++) {
        count += entry_find(&seen.entries[i], str_from(field)) != NULL;
        assert_int_equal(seen.entries[i].number, i + 1);
    }
    assert_in_range(count, least, seen.count);
    seen_done(&seen);
    check_blocks(format, str_slice(text, 0, 20000));
}

static void test_openssh(void **state)
{
    (void)state;
    check_file("OpenSSH.log", "syslog", "action", 1999);
}

static void test_linux(void **state)
{
    (void)state;
    check_file("Linux.log", "syslog", "action", 1800);
}

static void test_apache(void **state)
{
    (void)state;
    check_file("Apache.log", "stamped", "severity", 2000);
}

static int done(void **state)
{
    (void)state;
    seen_done(&seen);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openssh),
        cmocka_unit_test(test_linux),
        cmocka_unit_test(test_apache),
    };

    return cmocka_run_group_tests_name("log_real", tests, NULL, done);
}
