/* See shield_fixture.h. */
#include "shield_fixture.h"

#include "agent/page.h"
#include "agent/settings.h"
#include "base/arena.h"
#include "sys/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The kernel's, as the vault notes it, or where the file system has none, what is as good here. */
static struct file_handle_id handle_for(int fd, const struct stat *stat)
{
    struct file_handle_id handle = {.fsid = 7, .type = 1, .len = sizeof(stat->st_ino)};

    if (handle_of(fd, handle.fsid, &handle) < 0) {
        memcpy(handle.bytes, &stat->st_ino, sizeof(stat->st_ino));
    }
    return handle;
}

void stage_begin(struct stage *stage)
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

void stage_end(struct stage *stage)
{
    shield_free(stage->shield);
    files_free(stage->files);
    page_free(stage->page);
    (void)close(stage->wake_fd);
    assert_int_equal(rmdir(stage->folder), 0);
}

struct file_handle_id visit(struct stage *stage, const char *path, int fd, bool is_write)
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
    visit.handle = handle_for(fd, &open->stat);
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

void read_file(struct stage *stage, const char *path)
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

void fill(int fd, bool is_noise)
{
    char bytes[SIZE];

    text_or_noise(bytes, is_noise);
    assert_int_equal(write(fd, bytes, SIZE), SIZE);
}

void path_of(const struct stage *stage, char letter, int number, char out[64])
{
    (void)snprintf(out, 64, "%s/%c%d", stage->folder, letter, number);
}

void put_over(struct stage *stage, const char *path, struct made *made)
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

void replace(struct stage *stage, const char *path, struct made *made)
{
    read_file(stage, path);
    put_over(stage, path, made);
}

void tell(struct stage *stage, const struct made *made)
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

void tell_of(struct stage *stage, enum name_change change, const char *path,
             const struct file_handle_id *handle)
{
    struct files_name name = {.change = change,
                              .is_inside = true,
                              .pid = getpid(),
                              .file = handle,
                              .path = str_from(path)};

    shield_named(stage->shield, &name);
}

void answer(struct stage *stage, struct file_key file, bool is_noise)
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
    shield_job_free(job); /* announce tells of it once more */
}

void announce(struct stage *stage, struct shield_job **ret_job)
{
    pthread_mutex_lock(&stage->shield->lock);
    assert_true(judge_announce(stage->shield->judge, stage->who));
    assert_int_equal(shield_job_new(stage->shield, ret_job), 0);
    pthread_mutex_unlock(&stage->shield->lock);
}

void assert_all_told(struct stage *stage, const struct made *made, size_t count, bool are_pairs)
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

void end_told(struct stage *stage, const struct made *made, bool are_pairs)
{
    for (int i = 0; i < 2 * PAIRS; i++) {
        tell(stage, &made[i]);
    }
    assert_all_told(stage, made, (size_t)2 * PAIRS, are_pairs);
    for (int i = 0; i < 2 * PAIRS; i++) {
        assert_int_equal(unlink(made[i].target), 0);
    }
    stage_end(stage);
}

void make(const struct stage *stage, int number, bool has_two)
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
