/* Looking at files the judge asks about: windows of the file now beside the same windows of its
 * original, head and tail always, and the scanner's word where bytes alone do not decide. One
 * looker at a time. */
#include "agent/scanner.h"
#include "agent/shield/private.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>

#define LOOK_TIME_NS (120 * NS_PER_MS) /* that one open may wait for looks */
#define LOOK_BATCH   4
#define LOOK_ROUNDS  8
#define LOOK_SCAN_MS 100
#define LOOK_ALL     16

struct look {
    struct judge_question question;
    int now_fd;              /* -1: none */
    int before_fd;           /* -1: none */
    bool holds;              /* whoever is asked about is held while the scanner is asked */
    uint64_t before_version; /* the question's, or what has become of its token; 0: none */
    char path[SHIELD_PATH_MAX];
};

static void look_done(struct look *look)
{
    closep(&look->now_fd);
    closep(&look->before_fd);
}

static int look_open_path(const char *path, struct file_key file)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME | O_NOFOLLOW | O_NONBLOCK);
    struct stat stat;

    if (fd < 0 || fstat(fd, &stat) != 0 || stat.st_dev != file.dev || stat.st_ino != file.ino) {
        return -ERR_NOENT;
    }
    return TAKE_FD(fd);
}

/* With the lock: duplicates of what the shelf holds, since rows may let go meanwhile. */
static void look_take_held(struct shield *shield, struct look *look)
{
    const struct file_row *row = shelf_by_key(shield->shelf, look->question.file);

    if (row != NULL && row->fd >= 0 && look->question.look != JUDGE_LOOK_ORIGINAL) {
        look->now_fd = fcntl(row->fd, F_DUPFD_CLOEXEC, 0);
    }
    look->before_version = look->question.version;
    if (shelf_is_token(look->question.version)) {
        row = shelf_by_token(shield->shelf, look->question.version);
        look->before_version = row != NULL ? row->version : 0;
        if (row != NULL && row->fd >= 0) {
            look->before_fd = fcntl(row->fd, F_DUPFD_CLOEXEC, 0);
        }
    }
}

static void look_open_rest(struct shield *shield, struct look *look)
{
    if (look->now_fd < 0 && look->question.look != JUDGE_LOOK_ORIGINAL) {
        look->now_fd = look_open_path(look->path, look->question.file);
    }
    if (look->before_fd < 0 && look->before_version != 0) {
        look->before_fd = vault_content(shield->vault, look->before_version);
    }
}

static uint64_t look_size(int fd)
{
    struct stat stat;

    return fd >= 0 && fstat(fd, &stat) == 0 ? (uint64_t)stat.st_size : 0;
}

static struct str look_window(int fd, uint64_t offset, uint8_t room[SHIELD_WINDOW], size_t len)
{
    ssize_t got = fd >= 0 ? pread(fd, room, len, (off_t)offset) : 0;

    return str_of((const char *)room, got > 0 ? (size_t)got : 0);
}

/* Head, tail, and evenly spread windows between; all of a small file. */
static void look_compare(struct shield *shield, const struct look *look,
                         struct content_change *change)
{
    uint64_t before = look_size(look->before_fd);
    uint64_t after = look_size(look->now_fd);
    uint64_t longest = before > after ? before : after;
    uint64_t count = (longest + SHIELD_WINDOW - 1) / SHIELD_WINDOW;
    uint64_t step = SHIELD_WINDOW;

    content_change_init(change, before, after);
    if (look->question.look == JUDGE_LOOK_ORIGINAL && count > 1) {
        count = 1; /* whether it was readable shows at its head, and unlinks come fast */
    }
    if (count > SHIELD_WINDOWS) {
        count = SHIELD_WINDOWS;
        step = (longest - SHIELD_WINDOW) / (SHIELD_WINDOWS - 1);
    }
    for (uint64_t i = 0; i < count; i++) {
        content_change_add(
            change,
            look_window(look->before_fd, i * step, shield->look_room->before, SHIELD_WINDOW),
            look_window(look->now_fd, i * step, shield->look_room->after, SHIELD_WINDOW), i == 0);
    }
}

static void look_scan(struct shield *shield, const struct look *look,
                      const struct content_change *change, struct judge_step *step)
{
    struct content_signs signs;
    struct scan_verdict verdict = {0};
    bool is_gone = look->question.look == JUDGE_LOOK_ORIGINAL;

    if (!look->question.needs_format) {
        return;
    }
    content_change_signs(change, &signs);
    if (!content_needs_format(&signs)) {
        return;
    }
    if (look->holds) { /* it may remove a hundred files meanwhile */
        shield_tether(shield, step->who);
    }
    if (is_gone ? scan_ask(shield->scanner, look->before_fd, -1, LOOK_SCAN_MS, &verdict) < 0
                : scan_ask(shield->scanner, look->now_fd, look->before_fd, LOOK_SCAN_MS, &verdict) <
                      0) {
        return; /* unasked stays unknown */
    }
    step->format = is_gone ? CONTENT_FORMAT_UNASKED : verdict.now;
    step->format_before = is_gone ? verdict.now : verdict.before;
}

/* With look_lock. Answers one question, or says that it could not be answered now. */
static void look_answer(struct shield *shield, struct look *look, struct actor_key who)
{
    struct content_change change;
    struct judge_step step = {.kind = JUDGE_STEP_CONTENT,
                              .who = who,
                              .file = look->question.file,
                              .version = look->question.version};
    struct shield_job *job = NULL;

    look_open_rest(shield, look);
    if (look->question.look == JUDGE_LOOK_ORIGINAL ? look->before_fd >= 0 : look->now_fd >= 0) {
        look_compare(shield, look, &change);
        look_scan(shield, look, &change, &step);
        step.change = &change;
        step.size = change.size_after;
    }
    pthread_mutex_lock(&shield->lock);
    shield_step(shield, &step, &job);
    pthread_mutex_unlock(&shield->lock);
    shield_act(shield, job);
    files_advance(shield->files);
    shield_tell_weighing(shield, who);
}

/* With the lock: questions into looks that stand alone. */
static void look_take(struct shield *shield, const struct judge_question *questions, size_t count,
                      struct look *looks)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = questions[i].path.len < SHIELD_PATH_MAX ? questions[i].path.len : 0;

        looks[i].question = questions[i];
        looks[i].now_fd = looks[i].before_fd = -1;
        looks[i].holds = false;
        if (len != 0) {
            memcpy(looks[i].path, questions[i].path.ptr, len);
        }
        looks[i].path[len] = '\0';
        look_take_held(shield, &looks[i]);
    }
}

/* One batch; returns how many questions there were. is_all: also those that are not in excess. */
static size_t look_round(struct shield *shield, struct actor_key who, bool is_all, bool holds)
{
    struct judge_question questions[LOOK_BATCH];
    struct look looks[LOOK_BATCH];
    size_t count = 0;

    pthread_mutex_lock(&shield->look_lock);
    pthread_mutex_lock(&shield->lock);
    if (is_all || judge_excess(shield->judge, who) != 0) {
        count = judge_undecided(shield->judge, who, questions, LOOK_BATCH);
        look_take(shield, questions, count, looks);
    }
    pthread_mutex_unlock(&shield->lock);
    for (size_t i = 0; i < count; i++) {
        looks[i].holds = holds;
        look_answer(shield, &looks[i], who);
        look_done(&looks[i]);
    }
    pthread_mutex_unlock(&shield->look_lock);
    return count;
}

void shield_look(struct shield *shield, struct actor_key who)
{
    int64_t deadline = shield_now() + LOOK_TIME_NS;

    for (int round = 0; round < LOOK_ROUNDS && shield_now() < deadline; round++) {
        if (look_round(shield, who, false, false) == 0) {
            break;
        }
    }
}

static void look_all(struct shield *shield, struct actor_key who, bool holds)
{
    for (int round = 0; round < LOOK_ALL; round++) {
        if (look_round(shield, who, true, holds) == 0) {
            break;
        }
    }
}

void shield_look_all(struct shield *shield, struct actor_key who)
{
    look_all(shield, who, false);
}

void shield_look_holding(struct shield *shield, struct actor_key who)
{
    look_all(shield, who, true);
    shield_loosen_unless_armed(shield, who);
}

/* One at a time: somebody who stands may wait for the next look. */
void shield_look_overdue(struct shield *shield, int64_t age_ns)
{
    struct judge_question question;
    struct look look;
    size_t count = 1;

    for (int round = 0; round < LOOK_BATCH && count != 0; round++) {
        pthread_mutex_lock(&shield->look_lock);
        pthread_mutex_lock(&shield->lock);
        count = judge_overdue(shield->judge, shield_now(), age_ns, &question, 1);
        look_take(shield, &question, count, &look);
        pthread_mutex_unlock(&shield->lock);
        if (count != 0) {
            look_answer(shield, &look, (struct actor_key){0});
            look_done(&look);
            shield_stir(shield, shield_now()); /* there may be more: no rest before all are done */
        }
        pthread_mutex_unlock(&shield->look_lock);
    }
}
