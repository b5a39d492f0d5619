/* What inotify tells, as the name events that fanotify would give. */
#include "harness.h"

#include "sys/notify.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char folder[64];
    int fd;
    int group;
    struct file_handle_id handle;
    struct name_reader reader;
};

static int place_init(void **state)
{
    static struct place place; /* its reader is large */

    place.reader.len = place.reader.at = 0;
    snprintf(place.folder, sizeof(place.folder), "/tmp/canhgac-notify-XXXXXX");
    assert_non_null(mkdtemp(place.folder));
    place.fd = open(place.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    place.group = inotify_folders_new();
    assert_true(place.fd >= 0 && place.group >= 0);
    assert_int_equal(inotify_folder_mark(place.group, place.fd, &place.handle), 0);
    *state = &place;
    return 0;
}

static int place_done(void **state)
{
    struct place *place = *state;

    (void)unlinkat(place->fd, "a.html", 0);
    (void)unlinkat(place->fd, "old", AT_REMOVEDIR);
    (void)unlinkat(place->fd, "new", AT_REMOVEDIR);
    close(place->fd);
    close(place->group);
    return rmdir(place->folder);
}

static bool next(struct place *place, struct name_event *event)
{
    if (inotify_reader_next(&place->reader, event)) {
        return true;
    }
    return name_reader_fill(&place->reader, place->group) == 0 &&
           inotify_reader_next(&place->reader, event);
}

/* All changes of a name until nothing more is told. */
static unsigned heard(struct place *place, const char *name)
{
    struct name_event event;
    unsigned changes = 0;

    while (next(place, &event)) {
        assert_true(str_is(handle_str(&event.folder), handle_str(&place->handle)));
        changes |= str_is_text(event.name, name) ? event.changes : 0;
    }
    return changes;
}

static void a_write_is_heard_before_the_file_is_closed(void **state)
{
    struct place *place = *state;
    int fd = openat(place->fd, "a.html", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(heard(place, "a.html"), NAME_CHANGE_CREATE | NAME_CHANGE_MODIFY);
    close(fd);
    assert_int_equal(heard(place, "a.html"), NAME_CHANGE_CLOSE);
    assert_int_equal(fchmodat(place->fd, "a.html", 0644, 0), 0);
    assert_int_equal(heard(place, "a.html"), NAME_CHANGE_ATTRIB);
    assert_int_equal(unlinkat(place->fd, "a.html", 0), 0);
    assert_true((heard(place, "a.html") & NAME_CHANGE_DELETE) != 0);
}

static void a_move_is_one_event_and_the_folder_keeps_its_handle(void **state)
{
    struct place *place = *state;
    struct file_handle_id before;
    struct file_handle_id after;
    struct name_event event;
    int fd;

    assert_int_equal(mkdirat(place->fd, "old", 0700), 0);
    assert_int_equal(heard(place, "old"), NAME_CHANGE_CREATE);
    fd = openat(place->fd, "old", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(inotify_folder_mark(place->group, fd, &before), 0);
    assert_int_equal(renameat(place->fd, "old", place->fd, "new"), 0);
    assert_true(next(place, &event));
    assert_int_equal(event.changes, NAME_CHANGE_RENAME);
    assert_true(event.is_folder);
    assert_str(event.name, "old");
    assert_str(event.target_name, "new");
    assert_true(str_is(handle_str(&event.target_folder), handle_str(&place->handle)));
    assert_int_equal(inotify_folder_mark(place->group, fd, &after), 0);
    assert_true(str_is(handle_str(&before), handle_str(&after)));
    close(fd);
}

static void what_is_moved_in_from_elsewhere_was_created(void **state)
{
    struct place *place = *state;
    char outside[80];
    int fd;

    snprintf(outside, sizeof(outside), "%s.outside", place->folder);
    fd = open(outside, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    close(fd);
    assert_int_equal(renameat(AT_FDCWD, outside, place->fd, "a.html"), 0);
    assert_int_equal(heard(place, "a.html"), NAME_CHANGE_CREATE);
}

/* The end of a batch may cut a record off; what is not whole is not read. */
static void half_a_record_is_no_event(void **state)
{
    struct place *place = *state;
    struct name_event event;
    size_t whole;

    assert_int_equal(mkdirat(place->fd, "old", 0700), 0);
    assert_int_equal(name_reader_fill(&place->reader, place->group), 0);
    whole = place->reader.len;
    for (size_t len = 0; len < whole; len++) {
        place->reader.at = 0;
        place->reader.len = len;
        assert_false(inotify_reader_next(&place->reader, &event));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_write_is_heard_before_the_file_is_closed, place_init,
                                        place_done),
        cmocka_unit_test_setup_teardown(a_move_is_one_event_and_the_folder_keeps_its_handle,
                                        place_init, place_done),
        cmocka_unit_test_setup_teardown(what_is_moved_in_from_elsewhere_was_created, place_init,
                                        place_done),
        cmocka_unit_test_setup_teardown(half_a_record_is_no_event, place_init, place_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
