/* Names that are told late: what has become of files is put together from events that come when
 * all of it is over, and others have opened what stands there now. */
#include "harness.h"

#include "agent/page.h"
#include "agent/settings.h"
#include "agent/shield/private.h"
#include "base/arena.h"
#include "sense/files.h"
#include "sys/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PAIRS 2
#define SIZE  20000

struct stage {
    char folder[32];
    struct page *page;
    struct files *files; /* knows of no file system, and no thread of it runs */
    struct shield *shield;
    struct actor_key who;
    uint64_t version; /* of what the next visits find saved */
    bool has_waiter;  /* somebody waited for the next visits */
    struct files_place place;
    int wake_fd;
};

/* What a new file was, for the event that tells of its rename. */
struct made {
    struct file_handle_id handle;
    char path[64];
    char target[64];
};

static struct file_handle_id handle_for(const struct stat *stat)
{
    struct file_handle_id handle = {.fsid = 7, .type = 1, .len = sizeof(stat->st_ino)};

    memcpy(handle.bytes, &stat->st_ino, sizeof(stat->st_ino));
    return handle;
}

static void stage_begin(struct stage *stage)
{
    static const struct agent_settings settings = {.mode = "detect-only"};
    struct shield_config config = {
        .settings = &settings, .scanner = -1, .leash = -1, .holds_max = 256};
    struct files_config nowhere = {.gate = -1, .names = -1, .doze = -1, .asked_fd = -1};
    struct files_port port;

    *stage = (struct stage){.folder = "/tmp/canhgac-names-XXXXXX"};
    assert_non_null(mkdtemp(stage->folder));
    stage->place = (struct files_place){.path = stage->folder};
    nowhere.places = &stage->place;
    nowhere.place_count = 1;
    stage->page = page_new();
    stage->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_non_null(stage->page);
    assert_true(stage->wake_fd >= 0);
    config.page = stage->page;
    config.wake_fd = stage->wake_fd;
    assert_int_equal(shield_new(&config, &stage->shield), 0);
    port = shield_files_port(stage->shield);
    assert_int_equal(files_new(&nowhere, &port, &stage->files), 0);
    stage->shield->files = stage->files;
    assert_int_equal(shield_who(stage->shield, getpid(), &stage->who), 0);
}

static void stage_end(struct stage *stage)
{
    shield_free(stage->shield);
    files_free(stage->files);
    page_free(stage->page);
    (void)close(stage->wake_fd);
    assert_int_equal(rmdir(stage->folder), 0);
}

/* As the gate tells of it. Takes the descriptor. */
static struct file_handle_id visit(struct stage *stage, const char *path, int fd, bool is_write)
{
    struct files_open *open = mem_alloc(1, sizeof(*open));
    struct visit visit = {
        .open = open, .who = stage->who, .version = stage->version, .is_write = is_write};
    struct shield_job *job = NULL;

    assert_non_null(open);
    visit.waiter = stage->has_waiter ? open : NULL;
    open->fd = fd;
    assert_int_equal(fstat(fd, &open->stat), 0);
    visit.file = (struct file_key){open->stat.st_dev, open->stat.st_ino};
    visit.handle = handle_for(&open->stat);
    visit.path = str_from(path);
    file_state_of(&open->stat, &visit.state);
    pthread_mutex_lock(&stage->shield->lock);
    shield_note_visit(stage->shield, &visit, &job);
    pthread_mutex_unlock(&stage->shield->lock);
    assert_null(job);
    closep(&open->fd);
    mem_free(open);
    return visit.handle;
}

static void read_file(struct stage *stage, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    (void)visit(stage, path, fd, false);
}

static void text_or_noise(char bytes[SIZE], bool is_noise)
{
    static const char text[] = "Báo cáo tháng 11 của Sở Thông tin và Truyền thông. ";
    uint64_t state = 88172645463325252U;

    for (size_t i = 0; i < SIZE; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = is_noise ? (char)(state >> 32) : text[i % (sizeof(text) - 1)];
    }
}

static void fill(int fd, bool is_noise)
{
    char bytes[SIZE];

    text_or_noise(bytes, is_noise);
    assert_int_equal(write(fd, bytes, SIZE), SIZE);
}

static void path_of(const struct stage *stage, char letter, int number, char out[64])
{
    (void)snprintf(out, 64, "%s/%c%d", stage->folder, letter, number);
}

/* Ciphertext beside a file, renamed over it. Nobody tells of that yet. */
static void put_over(struct stage *stage, const char *path, struct made *made)
{
    int fd;

    (void)snprintf(made->target, sizeof(made->target), "%s", path);
    (void)snprintf(made->path, sizeof(made->path), "%.50s.tmp", path);
    fd = open(made->path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    made->handle = visit(stage, made->path, fcntl(fd, F_DUPFD_CLOEXEC, 0), true);
    fill(fd, true);
    assert_int_equal(rename(made->path, path), 0);
    (void)close(fd);
}

static void replace(struct stage *stage, const char *path, struct made *made)
{
    read_file(stage, path);
    put_over(stage, path, made);
}

static void tell(struct stage *stage, const struct made *made)
{
    struct files_name name = {.change = NAME_CHANGE_RENAME,
                              .is_inside = true,
                              .is_target_inside = true,
                              .pid = getpid(),
                              .file = &made->handle,
                              .path = str_from(made->path),
                              .target_path = str_from(made->target)};

    shield_named(stage->shield, &name);
}

static void announce(struct stage *stage, struct shield_job **ret_job)
{
    pthread_mutex_lock(&stage->shield->lock);
    assert_true(judge_announce(stage->shield->judge, stage->who));
    assert_int_equal(shield_job_new(stage->shield, ret_job), 0);
    pthread_mutex_unlock(&stage->shield->lock);
}

/* Each name must be known as destroyed, with the same original for both of a pair. */
static void assert_all_told(struct stage *stage, const struct made *made, size_t count,
                            bool are_pairs)
{
    struct shield_job *job = NULL;
    uint64_t versions[2 * PAIRS] = {0};

    announce(stage, &job);
    assert_int_equal(job->ruling.damage_count, count);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            const struct judge_damage *damage = &job->ruling.damage[j];

            if (str_is(damage->path, str_from(made[i].target))) {
                assert_int_equal(damage->outcome, FILE_OUTCOME_REPLACED);
                versions[i] = damage->version;
            }
        }
        assert_int_not_equal(versions[i], 0);
        if (are_pairs && i % 2 == 1) {
            assert_int_equal(versions[i], versions[i - 1]);
        }
    }
    shield_job_free(job);
}

static void make(const struct stage *stage, int number, bool has_two)
{
    char path[64];
    char second[64];
    int fd;

    path_of(stage, 'a', number, path);
    path_of(stage, 'b', number, second);
    fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    fill(fd, false);
    (void)close(fd);
    assert_true(!has_two || link(path, second) == 0);
}

/* Both names of a file are gone when the first is told of. */
static void test_both_names_replaced(void **state)
{
    struct made made[2 * PAIRS];
    struct stage stage;

    (void)state;
    stage_begin(&stage);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];

        if (i % 2 == 0) {
            make(&stage, i / 2, true);
        }
        path_of(&stage, i % 2 == 0 ? 'a' : 'b', i / 2, path);
        replace(&stage, path, &made[i]);
    }
    for (int i = 0; i < 2 * PAIRS; i++) {
        tell(&stage, &made[i]);
    }
    assert_all_told(&stage, made, 2 * PAIRS, true);
    for (int i = 0; i < 2 * PAIRS; i++) {
        (void)unlink(made[i].target);
    }
    stage_end(&stage);
}

/* Somebody reads what stands there now before it is told how it got there. */
static void test_replacement_opened_first(void **state)
{
    struct made made[2 * PAIRS];
    struct stage stage;

    (void)state;
    stage_begin(&stage);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];

        make(&stage, i, false);
        path_of(&stage, 'a', i, path);
        replace(&stage, path, &made[i]);
        read_file(&stage, path);
    }
    for (int i = 0; i < 2 * PAIRS; i++) {
        tell(&stage, &made[i]);
    }
    assert_all_told(&stage, made, 2 * PAIRS, false);
    for (int i = 0; i < 2 * PAIRS; i++) {
        (void)unlink(made[i].target);
    }
    stage_end(&stage);
}

/* It has gone on to another name, and was opened there, before anything is told. */
static void test_replacement_moved_on(void **state)
{
    struct made made[2 * PAIRS];
    struct stage stage;

    (void)state;
    stage_begin(&stage);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];

        make(&stage, i, false);
        path_of(&stage, 'a', i, path);
        replace(&stage, path, &made[i]);
        read_file(&stage, path);
        path_of(&stage, 'c', i, path);
        assert_int_equal(rename(made[i].target, path), 0);
        read_file(&stage, path);
    }
    for (int i = 0; i < 2 * PAIRS; i++) {
        struct made onward = {.handle = made[i].handle};

        tell(&stage, &made[i]);
        (void)snprintf(onward.path, sizeof(onward.path), "%s", made[i].target);
        path_of(&stage, 'c', i, onward.target);
        tell(&stage, &onward);
    }
    assert_all_told(&stage, made, 2 * PAIRS, false);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];

        path_of(&stage, 'c', i, path);
        assert_int_equal(unlink(path), 0);
    }
    stage_end(&stage);
}

/* What was renamed over a file is moved on, and the name is made anew and removed, many times: the
 * rename is the only event that tells of the file. comes_back: what was renamed over it stands
 * there now. */
static void removed_and_made_anew(int times, bool comes_back)
{
    struct made made[2 * PAIRS];
    struct stage stage;

    stage_begin(&stage);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];
        char other[64];

        make(&stage, i, false);
        path_of(&stage, 'a', i, path);
        path_of(&stage, 'c', i, other);
        replace(&stage, path, &made[i]);
        assert_int_equal(rename(path, other), 0);
        for (int time = 0; time < times; time++) {
            int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

            assert_true(fd >= 0);
            (void)visit(&stage, path, fd, true);
            assert_int_equal(unlink(path), 0);
        }
        if (comes_back) {
            assert_int_equal(rename(other, path), 0);
            read_file(&stage, path);
        }
    }
    for (int i = 0; i < 2 * PAIRS; i++) {
        tell(&stage, &made[i]);
    }
    assert_all_told(&stage, made, 2 * PAIRS, false);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char other[64];

        path_of(&stage, 'c', i, other);
        assert_int_equal(unlink(comes_back ? made[i].target : other), 0);
    }
    stage_end(&stage);
}

static void test_removed_and_made_anew(void **state)
{
    (void)state;
    removed_and_made_anew(3, false);
    removed_and_made_anew(40, false);
    removed_and_made_anew(40, true);
}

/* Three times in a row; which of the three somebody opened there changes nothing. */
static void replaced_thrice(unsigned opened)
{
    struct made made[2 * PAIRS][3];
    struct made first[2 * PAIRS];
    struct stage stage;

    stage_begin(&stage);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];

        make(&stage, i, false);
        path_of(&stage, 'a', i, path);
        read_file(&stage, path);
        for (unsigned turn = 0; turn < 3; turn++) {
            put_over(&stage, path, &made[i][turn]);
            if ((opened & 1U << turn) != 0) {
                read_file(&stage, path);
            }
        }
        first[i] = made[i][0];
    }
    for (int i = 0; i < 2 * PAIRS; i++) {
        for (int turn = 0; turn < 3; turn++) {
            tell(&stage, &made[i][turn]);
        }
    }
    assert_all_told(&stage, first, 2 * PAIRS, false);
    for (int i = 0; i < 2 * PAIRS; i++) {
        (void)unlink(first[i].target);
    }
    stage_end(&stage);
}

static void test_three_replacements(void **state)
{
    (void)state;
    for (unsigned opened = 0; opened < 8; opened++) {
        replaced_thrice(opened);
    }
}

/* Opened once more by a descriptor when it has no name any more, before that is told. */
static void test_victim_opened_again(void **state)
{
    struct made made[2 * PAIRS];
    struct stage stage;

    (void)state;
    stage_begin(&stage);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];
        char again[80];
        int fd;

        make(&stage, i, false);
        path_of(&stage, 'a', i, path);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        replace(&stage, path, &made[i]);
        (void)snprintf(again, sizeof(again), "%s (deleted)", path);
        (void)visit(&stage, again, fd, false);
    }
    for (int i = 0; i < 2 * PAIRS; i++) {
        tell(&stage, &made[i]);
    }
    assert_all_told(&stage, made, 2 * PAIRS, false);
    for (int i = 0; i < 2 * PAIRS; i++) {
        assert_int_equal(unlink(made[i].target), 0);
    }
    stage_end(&stage);
}

/* Renamed while its open waited, which was told before: it is known where it is now. */
static void test_renamed_while_saved(void **state)
{
    struct made made[2 * PAIRS];
    struct stage stage;

    (void)state;
    stage_begin(&stage);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];
        char now[64];

        make(&stage, i, false);
        path_of(&stage, 'a', i, path);
        path_of(&stage, 'c', i, now);
        assert_int_equal(rename(path, now), 0);
        stage.has_waiter = true;
        (void)visit(&stage, path, open(now, O_RDONLY | O_CLOEXEC), false);
        stage.has_waiter = false;
        put_over(&stage, now, &made[i]);
    }
    for (int i = 0; i < 2 * PAIRS; i++) {
        tell(&stage, &made[i]);
    }
    assert_all_told(&stage, made, 2 * PAIRS, false);
    for (int i = 0; i < 2 * PAIRS; i++) {
        assert_int_equal(unlink(made[i].target), 0);
    }
    stage_end(&stage);
}

/* What came over a file from outside is gone when it is told: each of them is known to be gone when
 * its group is ruled against. */
static void test_replaced_from_outside(void **state)
{
    struct made made[2 * PAIRS];
    struct shield_job *job = NULL;
    struct stage stage;
    unsigned gone = 0;

    (void)state;
    stage_begin(&stage);
    for (int i = 0; i < 2 * PAIRS; i++) {
        struct made outside = {.handle = {.fsid = 9, .len = 1, .bytes = {(uint8_t)i}}};

        make(&stage, i, false);
        path_of(&stage, 'a', i, outside.target);
        (void)snprintf(outside.path, sizeof(outside.path), "/tmp/canhgac-names-none-%d", i);
        read_file(&stage, outside.target);
        assert_int_equal(unlink(outside.target), 0);
        tell(&stage, &outside);
    }
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];

        make(&stage, i, false);
        path_of(&stage, 'a', i, path);
        replace(&stage, path, &made[i]);
        tell(&stage, &made[i]);
        assert_int_equal(unlink(path), 0);
    }
    announce(&stage, &job);
    for (size_t i = 0; i < job->ruling.damage_count; i++) {
        gone += job->ruling.damage[i].outcome == FILE_OUTCOME_DELETED ? 1U : 0U;
    }
    assert_int_equal(gone, 2 * PAIRS);
    shield_job_free(job);
    stage_end(&stage);
}

static void tell_of(struct stage *stage, enum name_change change, const char *path,
                    const struct file_handle_id *handle)
{
    struct files_name name = {.change = change,
                              .is_inside = true,
                              .pid = getpid(),
                              .file = handle,
                              .path = str_from(path)};

    shield_named(stage->shield, &name);
}

/* The judge is told what the file is now: as it was, or ciphertext. */
static void answer(struct stage *stage, struct file_key file, bool is_noise)
{
    struct content_change change;
    struct judge_step step = {.kind = JUDGE_STEP_CONTENT,
                              .who = stage->who,
                              .file = file,
                              .version = stage->version,
                              .change = &change,
                              .format_before = CONTENT_FORMAT_TEXT};
    struct shield_job *job = NULL;
    char before[SIZE];
    char after[SIZE];

    text_or_noise(before, false);
    text_or_noise(after, is_noise);
    content_change_init(&change, SIZE, SIZE);
    content_change_add(&change, str_of(before, SIZE), str_of(after, SIZE), true);
    step.format = is_noise ? CONTENT_FORMAT_UNKNOWN : CONTENT_FORMAT_TEXT;
    pthread_mutex_lock(&stage->shield->lock);
    shield_step(stage->shield, &step, &job);
    pthread_mutex_unlock(&stage->shield->lock);
    assert_null(job);
}

/* Opened for writing and looked at, then it loses the name it was opened by: it lives on by
 * another, and so does what was done to it. */
static void lives_on(bool is_noise)
{
    struct file_handle_id handle;
    struct stage stage;
    struct stat stat;
    char path[64];
    char second[64];
    int fd;

    stage_begin(&stage);
    stage.version = 5;
    make(&stage, 0, false);
    path_of(&stage, 'a', 0, path);
    path_of(&stage, 'b', 0, second);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &stat) == 0);
    handle = visit(&stage, path, fd, true);
    answer(&stage, (struct file_key){stat.st_dev, stat.st_ino}, is_noise);
    assert_int_equal(link(path, second), 0);
    tell_of(&stage, NAME_CHANGE_CREATE, second, &handle);
    assert_int_equal(unlink(path), 0);
    tell_of(&stage, NAME_CHANGE_DELETE, path, &handle);
    assert_true(judge_is_changed(stage.shield->judge, (struct file_key){stat.st_dev, stat.st_ino}));
    assert_int_equal(unlink(second), 0);
    stage_end(&stage);
}

static void test_charged_lives_on(void **state)
{
    (void)state;
    lives_on(true);
}

/* Found whole so far, and still open: what is written through that later must be asked about. */
static void test_watched_lives_on(void **state)
{
    (void)state;
    lives_on(false);
}

/* It is given another name after it has lost the one it is held by: that stays lost. */
static void test_name_lost_before_a_link(void **state)
{
    struct file_handle_id handle;
    const struct file_row *row;
    struct stage stage;
    char paths[3][64];

    (void)state;
    stage_begin(&stage);
    make(&stage, 0, false);
    for (int i = 0; i < 3; i++) {
        path_of(&stage, (char)('a' + i), 0, paths[i]);
    }
    handle = visit(&stage, paths[0], open(paths[0], O_RDONLY | O_CLOEXEC), false);
    assert_int_equal(link(paths[0], paths[1]), 0);
    tell_of(&stage, NAME_CHANGE_CREATE, paths[1], &handle);
    assert_int_equal(unlink(paths[0]), 0);
    tell_of(&stage, NAME_CHANGE_DELETE, paths[0], &handle);
    assert_int_equal(link(paths[1], paths[2]), 0);
    tell_of(&stage, NAME_CHANGE_CREATE, paths[2], &handle);
    row = shelf_by_handle(stage.shield->shelf, &handle);
    assert_non_null(row);
    assert_true(aliases_is_lost(stage.shield->aliases, row->serial, str_from(paths[0])));
    assert_int_equal(aliases_at(stage.shield->aliases, str_from(paths[2])), row->serial);
    assert_int_equal(unlink(paths[1]) + unlink(paths[2]), 0);
    stage_end(&stage);
}

/* Opened twice, of which the gate sees the first only, since nothing was written before: what is
 * written through the second is asked about, and closes that change nothing are not. */
static void test_second_open_unseen(void **state)
{
    struct file_handle_id handle;
    struct file_key key;
    struct stage stage;
    struct stat stat;
    char path[64];
    int fd;

    (void)state;
    stage_begin(&stage);
    stage.version = 5;
    make(&stage, 0, false);
    path_of(&stage, 'a', 0, path);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &stat) == 0);
    key = (struct file_key){stat.st_dev, stat.st_ino};
    handle = visit(&stage, path, fcntl(fd, F_DUPFD_CLOEXEC, 0), true);
    tell_of(&stage, NAME_CHANGE_CLOSE, path, &handle);
    answer(&stage, key, false);
    tell_of(&stage, NAME_CHANGE_CLOSE, path, &handle);
    assert_false(judge_is_changed(stage.shield->judge, key));
    for (int times = 0; times < 2; times++) {
        fill(fd, true);
        tell_of(&stage, NAME_CHANGE_CLOSE, path, &handle);
        assert_true(judge_is_changed(stage.shield->judge, key));
        answer(&stage, key, false);
        tell_of(&stage, NAME_CHANGE_CLOSE, path, &handle);
        assert_false(judge_is_changed(stage.shield->judge, key));
    }
    assert_int_equal(close(fd) + unlink(path), 0);
    stage_end(&stage);
}

/* Our own rename over a name of a file that has others: it does not stand there any more. */
static void test_own_rename_over_a_name(void **state)
{
    static const struct file_handle_id ours = {.fsid = 9, .len = 1};
    struct file_handle_id handle;
    struct stage stage;
    struct files_name name = {.change = NAME_CHANGE_RENAME, .is_inside = true, .file = &ours};
    char paths[2][64];

    (void)state;
    stage_begin(&stage);
    make(&stage, 0, false);
    path_of(&stage, 'a', 0, paths[0]);
    path_of(&stage, 'b', 0, paths[1]);
    handle = visit(&stage, paths[0], open(paths[0], O_RDONLY | O_CLOEXEC), false);
    assert_int_equal(link(paths[0], paths[1]), 0);
    tell_of(&stage, NAME_CHANGE_CREATE, paths[1], &handle);
    assert_true(aliases_at(stage.shield->aliases, str_from(paths[1])) != 0);
    assert_int_equal(unlink(paths[1]), 0);
    atomic_store(&stage.page->own[0], 1);
    name.pid = 1;
    name.path = STR("/tmp/canhgac-names-none");
    name.target_path = str_from(paths[1]);
    shield_named(stage.shield, &name);
    assert_int_equal(aliases_at(stage.shield->aliases, str_from(paths[1])), 0);
    assert_int_equal(unlink(paths[0]), 0);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_names_replaced),
        cmocka_unit_test(test_replacement_opened_first),
        cmocka_unit_test(test_replacement_moved_on),
        cmocka_unit_test(test_removed_and_made_anew),
        cmocka_unit_test(test_three_replacements),
        cmocka_unit_test(test_replaced_from_outside),
        cmocka_unit_test(test_own_rename_over_a_name),
        cmocka_unit_test(test_victim_opened_again),
        cmocka_unit_test(test_renamed_while_saved),
        cmocka_unit_test(test_charged_lives_on),
        cmocka_unit_test(test_watched_lives_on),
        cmocka_unit_test(test_name_lost_before_a_link),
        cmocka_unit_test(test_second_open_unseen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
