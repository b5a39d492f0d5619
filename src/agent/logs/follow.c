/* The logs: found, opened at the place that was noted, followed. A log that is rotated away is read
 * to its end first, whatever name rotation gave it; one that is cut to nothing in place, or
 * written anew, is begun again. Reading is by offset: what could not be handed on is simply read
 * again. Neighbours: logs.c calls, codec/logs.h cuts and reads. */
#include "agent/journal.h"
#include "agent/logs/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/fd.h"
#include "sys/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#define MARK_BYTES    64
#define NEW_MAX       (1U << 20) /* bytes at first sight of a new log whose lines tell no time */
#define NEW_LATE_NS   (300 * NS_PER_S) /* an entry tells when it began and is written at its end */
#define PIECES_A_TURN 16 /* of one log: then the others have theirs, and the channel */

/* What stands at the end of an entry; its length in the lowest byte. */
static uint64_t mark_of(struct str bytes)
{
    struct str tail =
        str_slice(bytes, bytes.len > MARK_BYTES ? bytes.len - MARK_BYTES : 0, bytes.len);

    return XXH3_64bits(tail.ptr, tail.len) << 8 | tail.len;
}

/* When the file was made, ns since 1970; 0: its file system does not know. */
static int64_t file_birth(int fd)
{
    struct statx born;

    return statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &born) == 0 &&
                   (born.stx_mask & STATX_BTIME) != 0
               ? born.stx_btime.tv_sec * NS_PER_S + born.stx_btime.tv_nsec
               : 0;
}

/* At a file's beginning nothing stands before the place: its birth tells it from a later file of
 * the same number. The lowest byte is 0, the length of what stands there. */
static uint64_t mark_of_birth(int64_t born)
{
    return born != 0 ? XXH3_64bits(&born, sizeof(born)) << 8 : 0;
}

/* Whether the file is still the one that was read up to the place. */
static bool file_is_same(int fd, const struct stat *stat, const struct position *position)
{
    char bytes[MARK_BYTES];
    size_t len = position->mark & 0xff;

    if (stat->st_dev != position->dev || stat->st_ino != position->ino ||
        (uint64_t)stat->st_size < position->offset) {
        return false;
    }
    if (position->offset == 0) {
        return position->mark == 0 || position->mark == mark_of_birth(file_birth(fd));
    }
    return len == 0 || len > sizeof(bytes) || position->offset < len ||
           (pread(fd, bytes, len, (off_t)(position->offset - len)) == (ssize_t)len &&
            mark_of(str_of(bytes, len)) == position->mark);
}

/* -1 with *stat untouched when it is not there or no log. */
static int file_open(const char *path, struct stat *stat)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0 || fstat(fd, stat) != 0) {
        if (errno != ENOENT) {
            log_warn(_("the log '%s' cannot be read: %s"), path, err_text(-errno));
        }
        return -1;
    }
    if (!S_ISREG(stat->st_mode)) {
        log_warn(_("the log '%s' is not a file and is not read"), path);
        return -1;
    }
    return TAKE_FD(fd);
}

static void file_start(struct log_file *file, int fd, const struct stat *stat, uint64_t log)
{
    file->fd = fd;
    file->position = (struct position){.log = log,
                                       .dev = stat->st_dev,
                                       .ino = stat->st_ino,
                                       .mark = mark_of_birth(file_birth(fd))};
}

/* What stands before the place is history. */
static void file_skip_to(struct log_file *file, uint64_t offset)
{
    char bytes[MARK_BYTES];
    size_t len = offset < sizeof(bytes) ? (size_t)offset : sizeof(bytes);

    if (len != 0) {
        file->position.offset = offset;
        file->position.mark = pread(file->fd, bytes, len, (off_t)(offset - len)) == (ssize_t)len
                                  ? mark_of(str_of(bytes, len))
                                  : 0;
    }
}

/* True when the file of that name is the one that was read last. */
static bool source_try_old(struct log_source *source, const char *path,
                           const struct position *noted)
{
    CLEANUP(closep) int fd = -1;
    struct stat stat;

    fd = file_open(path, &stat);
    if (fd < 0 || !file_is_same(fd, &stat, noted)) {
        return false;
    }
    source->old = (struct log_file){.fd = TAKE_FD(fd), .position = *noted};
    return true;
}

/* The file that was read last, by its number: rotation calls it .1, by the date, or anything else.
 */
static void source_open_old(struct log_source *source, const struct position *noted)
{
    char path[PATH_MAX + NAME_MAX + 2];
    const struct dirent *entry;
    char *slash;
    DIR *folder;

    (void)snprintf(path, sizeof(path), "%s", source->path);
    slash = strrchr(path, '/');
    if (slash == NULL) {
        return;
    }
    slash[1] = '\0';
    folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        (void)snprintf(slash + 1, NAME_MAX + 1, "%s", entry->d_name);
        if (entry->d_ino == noted->ino && source_try_old(source, path, noted)) {
            break;
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
}

/* Whether it was read under another name. */
static bool file_is_known(const struct positions *positions, int fd, const struct stat *stat)
{
    for (size_t i = 0; i < POSITIONS_MAX; i++) {
        if (positions->slots[i].log != 0 && file_is_same(fd, stat, &positions->slots[i])) {
            return true;
        }
    }
    return false;
}

/* Whether the log came to be, and was last written, while logs were watched, and not by another
 * name of one that was read. A copy that keeps its time is old; one that does not is told by its
 * first entry (source_judge). A file system that knows no birth says no. */
static bool file_is_new(const struct logs *logs, int fd, const struct stat *stat,
                        const struct positions *positions)
{
    int64_t since = logs->config->since;

    return since != 0 && file_birth(fd) >= since &&
           stat->st_mtim.tv_sec * NS_PER_S + stat->st_mtim.tv_nsec >= since &&
           !file_is_known(positions, fd, stat);
}

/* A copy, as copytruncate makes one, of a log that was read: *ret_offset, how far. */
static bool file_is_copy(const struct positions *positions, int fd, struct stat stat,
                         uint64_t *ret_offset)
{
    for (size_t i = 0; i < POSITIONS_MAX; i++) {
        const struct position *slot = &positions->slots[i];

        stat.st_dev = slot->dev;
        stat.st_ino = slot->ino;
        if (slot->log != 0 && slot->offset != 0 && (slot->mark & 0xff) == MARK_BYTES &&
            file_is_same(fd, &stat, slot)) {
            *ret_offset = slot->offset;
            return true;
        }
    }
    return false;
}

/* A log of which nothing is noted. */
static void source_begin(const struct logs *logs, struct log_source *source,
                         const struct stat *stat, const struct positions *positions)
{
    uint64_t offset = (uint64_t)stat->st_size;

    if (!file_is_new(logs, source->now.fd, stat, positions)) {
        file_skip_to(&source->now, offset); /* nobody watched: it is history */
    } else if (file_is_copy(positions, source->now.fd, *stat, &offset)) {
        file_skip_to(&source->now, offset);
    } else {
        source->unjudged = offset;
    }
}

static void source_open(const struct logs *logs, struct log_source *source,
                        const struct positions *positions)
{
    uint64_t log = position_log(str_from(source->path));
    const struct position *noted = positions_find(positions, log);
    struct stat stat;
    int fd = file_open(source->path, &stat);

    if (fd >= 0) {
        file_start(&source->now, fd, &stat, log);
    }
    if (noted == NULL && fd >= 0) {
        source_begin(logs, source, &stat, positions);
    } else if (noted == NULL) {
        return;
    } else if (fd >= 0 && file_is_same(fd, &stat, noted)) {
        source->now.position = *noted;
        source->is_noted = true;
    } else {
        source_open_old(source, noted);
    }
}

static int logs_add(struct logs *logs, const char *path, const struct positions *positions,
                    struct diag *diag)
{
    struct log_source *source = &logs->sources[logs->count];

    for (size_t i = 0; i < logs->count; i++) {
        if (str_is_text(str_from(path), logs->sources[i].path)) {
            return 0;
        }
    }
    if (logs->count == LOGS_MAX) {
        return diag_set(diag, -ERR_LIMIT, _("log names more than %d files; name fewer"), LOGS_MAX);
    }
    *source = (struct log_source){.now.fd = -1, .old.fd = -1};
    (void)snprintf(source->path, sizeof(source->path), "%s", path);
    source_open(logs, source, positions);
    logs->count++;
    return 0;
}

/* Seconds east of UTC; its file can be read only now. */
static int32_t zone_of_host(void)
{
    time_t now = (time_t)(clock_wall(&clock_real) / NS_PER_S);
    struct tm local = {0};

    tzset();
    return localtime_r(&now, &local) != NULL ? (int32_t)local.tm_gmtoff : 0;
}

int logs_open(struct logs *logs, struct diag *diag)
{
    const struct agent_settings *settings = logs->config->settings;
    const struct setting_list *list = agent_settings_logs(settings, journal_is_there(settings));
    CLEANUP(positions_done) struct positions positions;
    char path[PATH_MAX];
    glob_t found = {0};
    int r;

    (void)snprintf(path, sizeof(path), "%s/spool/" POSITIONS_FILE, settings->folder);
    r = positions_open(&positions, path, false);
    if (r < 0 && r != -ERR_NOENT) {
        return diag_set(diag, r, _("cannot read how far the logs were read (%s): %s"), path,
                        err_text(r));
    }
    logs->zone = zone_of_host();
    rotation_watch(&logs->rotation, list, "log");
    for (size_t i = 0; i < list->count; i++) {
        if (glob(list->items[i], GLOB_NOCHECK | (i != 0 ? GLOB_APPEND : 0), NULL, &found) != 0) {
            globfree(&found);
            return -ERR_NOMEM;
        }
    }
    r = 0;
    for (size_t i = 0; r == 0 && i < found.gl_pathc; i++) {
        r = logs_add(logs, found.gl_pathv[i], &positions, diag);
    }
    globfree(&found);
    return r;
}

void logs_close(struct logs *logs)
{
    for (size_t i = 0; i < logs->count; i++) {
        closep(&logs->sources[i].now.fd);
        closep(&logs->sources[i].old.fd);
    }
    logs->count = 0;
}

/* A piece that is being read: where it lies in its file. */
struct follow {
    struct logs *logs;
    struct log_source *source;
    struct log_file *file;
    struct str block;
    uint64_t base;
    struct position position; /* behind the entry that was taken last */
};

static int follow_entry(void *context, const struct entry *entry)
{
    struct follow *follow = context;
    const char *end = entry->raw.ptr + entry->raw.len;

    /* a reader may have put an entry's lines together elsewhere: the place is then the next one's
     */
    if (entry->raw.ptr >= follow->block.ptr && end <= follow->block.ptr + follow->block.len) {
        follow->position.offset = follow->base + (uint64_t)(end - follow->block.ptr);
        follow->position.mark = mark_of(entry->raw);
    }
    return logs_send(follow->logs, follow->source, follow->file, entry, &follow->position);
}

/* By the head of the file, whatever place it is read from. False while there is nothing in it. */
static bool source_know_format(struct logs *logs, struct log_source *source, int fd)
{
    ssize_t got = source->format == NULL ? pread(fd, logs->piece, LOG_HEAD_SIZE, 0) : 0;

    if (got > 0) {
        source->format = log_format_guess(str_of(logs->piece, (size_t)got));
        source->head_len = (size_t)got < LOGS_HEAD ? (size_t)got : LOGS_HEAD;
        memcpy(source->head, logs->piece, source->head_len);
    }
    return source->format != NULL;
}

static void file_rewind_changed(struct log_source *source, struct log_file *file)
{
    struct stat stat;

    if (fstat(file->fd, &stat) == 0 && !file_is_same(file->fd, &stat, &file->position)) {
        file->position.offset = file->position.mark = 0;
        source->format = NULL; /* its head is another one too */
    }
}

/* Reads up to `room` bytes; *ret_block: the entries that are whole in them. 1 when there may be
 * more bytes, 0 when not. */
static int file_look(struct logs *logs, const struct log_source *source,
                     const struct log_file *file, size_t room, bool is_last, struct str *ret_block)
{
    ssize_t got = pread(file->fd, logs->piece, room, (off_t)file->position.offset);
    struct str bytes = str_of(logs->piece, got > 0 ? (size_t)got : 0);
    bool is_cut = bytes.len == room;

    if (got < 0) {
        return -errno;
    }
    *ret_block =
        str_slice(bytes, 0, bytes.len != 0 ? source->format->cut(bytes, is_last && !is_cut) : 0);
    return is_cut ? 1 : 0;
}

/* Hands on one piece; 1 when there may be more, 0 when not, -ERR_AGAIN while nothing is taken. */
static int file_read(struct logs *logs, struct log_source *source, struct log_file *file,
                     bool is_last)
{
    struct follow follow = {logs, source, file, {0}, file->position.offset, file->position};
    int r;

    process_limit_work(FOLLOWER_WORK);
    r = file_look(logs, source, file, LOGS_READ, is_last, &follow.block);
    if (r == 1 && follow.block.len == 0) {
        r = file_look(logs, source, file, LOGS_PIECE, is_last, &follow.block);
    }
    if (r < 0 || follow.block.len == 0) {
        return r < 0 ? r : 0;
    }
    logs->reading.around = clock_wall(&clock_real);
    logs->reading.head = str_of(source->head, source->head_len);
    follower_drop(&logs->follower);
    r = source->format->read(&logs->reading, follow.block, follow_entry, &follow);
    r = r < 0 ? r : logs_flush(logs, file);
    if (r == 0) {
        file->position.offset = follow.base + follow.block.len;
        file->position.mark = mark_of(follow.block);
    }
    return r < 0 ? r : 1;
}

static int judge_entry(void *context, const struct entry *entry)
{
    int64_t *time = context;

    *time = entry->time;
    return -ERR_CANCELED; /* one is enough */
}

/* What the file's first entry tells, ns since 1970; 0: nothing. */
static int64_t source_first_time(struct logs *logs, const struct log_source *source)
{
    struct log_reading reading; /* of its own: what a format remembers is not to be there twice */
    struct str block;
    int64_t time = 0;

    process_limit_work(FOLLOWER_WORK);
    if (log_reading_init(&reading, NULL) == 0) {
        reading.around = clock_wall(&clock_real);
        reading.head = str_of(source->head, source->head_len);
        reading.zone = logs->zone;
        if (file_look(logs, source, &source->now, LOGS_READ, false, &block) >= 0) {
            (void)source->format->read(&reading, block, judge_entry, &time);
        }
    }
    log_reading_done(&reading);
    return time;
}

/* A file that is younger than its first entry was copied or brought back: what it held when it was
 * found has been read before, or is history. */
static void source_judge(struct logs *logs, struct log_source *source)
{
    uint64_t size = source->unjudged;
    int64_t time;

    if (size == 0 || !source_know_format(logs, source, source->now.fd)) {
        return;
    }
    source->unjudged = 0;
    time = source_first_time(logs, source);
    if (time != 0 ? time < file_birth(source->now.fd) - NEW_LATE_NS : size > NEW_MAX) {
        log_info(_("the log '%s' came with %llu bytes that look like a copy or an old log; it is "
                   "read from their end"),
                 source->path, (unsigned long long)size);
        file_skip_to(&source->now, size);
    }
}

/* Where the file is begun, so that what is written to a silent log while nobody follows is not
 * taken for history. True while it could not be told. */
static bool source_note(struct logs *logs, struct log_source *source)
{
    int r = source->is_noted ? 0 : follower_send(&logs->follower, NULL, &source->now.position);

    source->is_noted = r == 0;
    logs->follower.is_full = logs->follower.is_full || r == -ERR_AGAIN;
    return r == -ERR_AGAIN;
}

/* True while there may be more. */
static bool source_follow(struct logs *logs, struct log_source *source, struct log_file *file,
                          bool is_last)
{
    int r = 1;

    file_rewind_changed(source, file);
    if (!source_know_format(logs, source, file->fd)) {
        return false;
    }
    for (unsigned i = 0; i < PIECES_A_TURN && r == 1; i++) {
        r = file_read(logs, source, file, is_last);
    }
    if (r == -ERR_AGAIN) {
        logs->follower.is_full = true;
    } else if (r < 0) {
        log_warn("%s: %s", source->path, err_text(r));
    }
    return r == 1 || r == -ERR_AGAIN;
}

bool logs_read(struct logs *logs)
{
    bool has_more = false;

    for (size_t i = 0; i < logs->count && !logs->follower.is_full; i++) {
        struct log_source *source = &logs->sources[i];

        if (source->old.fd >= 0) {
            if (!source_follow(logs, source, &source->old, true)) {
                closep(&source->old.fd);
            }
            has_more = true;
        } else if (source->now.fd >= 0) {
            source_judge(logs, source);
            if (source_note(logs, source)) {
                break;
            }
            has_more = source_follow(logs, source, &source->now, false) || has_more;
        }
    }
    return has_more || logs->follower.is_full;
}
