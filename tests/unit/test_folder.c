/* Names of a folder: sorted, chosen, bounded; the caller's descriptor stays as it is. */
#include "harness.h"

#include "base/err.h"
#include "sys/fd.h"
#include "sys/folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char path[64];
    int fd;
};

static int place_make(void **state)
{
    static struct place place;
    static const char *const files[] = {"b", "a", "đ", ".c"};

    (void)snprintf(place.path, sizeof(place.path), "/tmp/canhgac-folder-XXXXXX");
    assert_non_null(mkdtemp(place.path));
    place.fd = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(place.fd >= 0);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        CLEANUP(closep) int fd = openat(place.fd, files[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
    }
    assert_int_equal(mkdirat(place.fd, "folder", 0700), 0);
    *state = &place;
    return 0;
}

static int place_end(void **state)
{
    static const char *const files[] = {"b", "a", "đ", ".c"};
    struct place *place = *state;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        (void)unlinkat(place->fd, files[i], 0);
    }
    (void)unlinkat(place->fd, "folder", AT_REMOVEDIR);
    closep(&place->fd);
    return rmdir(place->path);
}

static bool is_any(const struct dirent *entry)
{
    (void)entry;
    return true;
}

static bool is_file(const struct dirent *entry)
{
    return entry->d_type == DT_REG;
}

static void assert_names(const struct folder_names *names, const char *const *wanted, size_t count)
{
    assert_int_equal(names->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(names->items[i], wanted[i]);
    }
}

/* Twice, through one descriptor. */
static void test_sorted(void **state)
{
    const struct place *place = *state;
    struct folder_names names;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(folder_names_read(place->fd, is_any, 5, &names), 0);
        assert_names(&names, (const char *const[]){".c", "a", "b", "folder", "đ"}, 5);
        folder_names_done(&names);
    }
}

static void test_chosen(void **state)
{
    const struct place *place = *state;
    struct folder_names names;

    assert_int_equal(folder_names_read(place->fd, is_file, 4, &names), 0);
    assert_names(&names, (const char *const[]){".c", "a", "b", "đ"}, 4);
    folder_names_done(&names);
}

static void test_too_many(void **state)
{
    const struct place *place = *state;
    struct folder_names names;

    assert_int_equal(folder_names_read(place->fd, is_any, 4, &names), -ERR_LIMIT);
    assert_int_equal(names.count, 4);
    folder_names_done(&names);
}

static void test_no_folder(void **state)
{
    const struct place *place = *state;
    CLEANUP(closep) int fd = openat(place->fd, "a", O_RDONLY | O_CLOEXEC);
    struct folder_names names;

    assert_int_equal(folder_names_read(fd, is_any, 4, &names), -ERR_NOTDIR);
    folder_names_done(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorted),
        cmocka_unit_test(test_chosen),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_no_folder),
    };

    return cmocka_run_group_tests(tests, place_make, place_end);
}
