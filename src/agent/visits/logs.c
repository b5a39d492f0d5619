/* The logs: found, opened, followed. A log that is rotated away is read to its end first; one that
 * is cut to nothing in place is begun again. Neighbours: visits.c calls, crawl.c takes the lines.
 */
#include "agent/visits/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE        (256U << 10)
#define PIECES_A_LOG 64 /* at a time: then the others have their turn, and the channel */

static int log_line(void *context, struct str line, bool is_cut)
{
    struct visits_log *log = context;
    struct weblog_line entry;
    int r = is_cut ? -ERR_SYNTAX : weblog_read(&log->format, line, &entry);

    if (log->is_mid_line) {
        log->is_mid_line = false;
        return 0;
    }
    log->refused += r < 0 ? 1U : 0U;
    if (r != 1) {
        return 0;
    }
    log->taken++;
    return crawl_add(log->crawl, &entry);
}

static void log_free(struct visits_log *log)
{
    closep(&log->fd);
    closep(&log->old_fd);
    lines_done(&log->lines);
    crawl_free(log->crawl);
    mem_free(log);
}

void visits_close(struct visits *visits)
{
    for (size_t i = 0; i < visits->count; i++) {
        log_free(visits->logs[i]);
    }
    visits->count = 0;
}

/* At the end less VISITS_TAIL: what is older says little about today. */
static int log_open_file(const char *path, bool *ret_is_mid)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat stat;

    if (fd < 0 || fstat(fd, &stat) != 0) {
        return -errno;
    }
    if (!S_ISREG(stat.st_mode)) {
        return -ERR_INVAL;
    }
    *ret_is_mid = stat.st_size > VISITS_TAIL;
    if (*ret_is_mid && lseek(fd, stat.st_size - VISITS_TAIL, SEEK_SET) < 0) {
        return -errno;
    }
    return TAKE_FD(fd);
}

static int log_open(struct visits_log *log)
{
    char old[PATH_MAX + 2];
    bool is_mid = false;

    log->fd = log_open_file(log->path, &is_mid);
    if (log->fd < 0) {
        int r = log->fd;

        log->fd = -1;
        if (r != -ENOENT) {
            log_warn(_("the access log '%s' cannot be read: %s"), log->path, err_text(r));
        }
    }
    log->is_mid_line = is_mid;
    (void)snprintf(old, sizeof(old), "%s.1", log->path);
    if (!is_mid) { /* else the log itself is long enough */
        log->old_fd = log_open_file(old, &log->is_mid_line);
        log->old_fd = log->old_fd < 0 ? -1 : log->old_fd;
    }
    return 0;
}

static int visits_add(struct visits *visits, const char *path, size_t pages, struct diag *diag)
{
    struct crawl_limits limits = crawl_limits_default;
    struct visits_log *log;
    uint64_t seed = 0;
    int r;

    for (size_t i = 0; i < visits->count; i++) {
        if (str_is_text(str_from(path), visits->logs[i]->path)) {
            return 0;
        }
    }
    if (visits->count == VISITS_LOGS_MAX) {
        return diag_set(
            diag, -ERR_LIMIT,
            _("access-log names more than %d logs; name those of sites that are public"),
            VISITS_LOGS_MAX);
    }
    log = mem_alloc(1, sizeof(*log));
    if (log == NULL) {
        return -ERR_NOMEM;
    }
    log->fd = log->old_fd = -1;
    lines_init(&log->lines, WEBLOG_LINE_MAX, log_line, log);
    visits->logs[visits->count++] = log;
    (void)snprintf(log->path, sizeof(log->path), "%s", path);
    limits.pages_max = pages < limits.pages_max ? pages : limits.pages_max;
    (void)!getrandom(&seed, sizeof(seed), 0);
    r = weblog_format_init(&log->format, str_from(visits->config->settings->access_log_format),
                           diag);
    r = r < 0 ? r : crawl_new(&limits, seed, &log->crawl);
    return r < 0 ? r : log_open(log);
}

int visits_open(struct visits *visits, struct diag *diag)
{
    const struct setting_list *list = &visits->config->settings->access_logs;
    glob_t found = {0};
    size_t pages;
    int r = 0;

    rotation_watch(&visits->rotation, list, "access-log");
    for (size_t i = 0; i < list->count; i++) {
        if (glob(list->items[i], GLOB_NOCHECK | (i != 0 ? GLOB_APPEND : 0), NULL, &found) != 0) {
            globfree(&found);
            return -ERR_NOMEM;
        }
    }
    pages = found.gl_pathc != 0 ? VISITS_PAGES_MAX / found.gl_pathc : 0;
    for (size_t i = 0; r == 0 && i < found.gl_pathc; i++) {
        r = visits_add(visits, found.gl_pathv[i], pages, diag);
    }
    if (list->count != 0) {
        globfree(&found);
    }
    return r;
}

/* copytruncate: what stood there has been read, or is in the copy. A log that has grown past the
 * place again meanwhile is known by what stands before it. */
static void log_rewind_cut(struct visits_log *log)
{
    char mark[VISITS_MARK];
    off_t at = lseek(log->fd, 0, SEEK_CUR);

    if (at >= (off_t)log->mark_len &&
        (pread(log->fd, mark, log->mark_len, at - (off_t)log->mark_len) != (ssize_t)log->mark_len ||
         memcmp(mark, log->mark, log->mark_len) != 0)) {
        (void)lseek(log->fd, 0, SEEK_SET);
    }
}

static void log_mark(struct visits_log *log)
{
    off_t at = lseek(log->fd, 0, SEEK_CUR);
    size_t len = at < VISITS_MARK ? (size_t)at : VISITS_MARK;
    ssize_t got = at > 0 ? pread(log->fd, log->mark, len, at - (off_t)len) : -1;

    log->mark_len = got == (ssize_t)len ? len : 0;
}

/* Whether it may have more. */
static bool log_read(struct visits_log *log, int fd)
{
    static char piece[PIECE];
    ssize_t got = 1;
    int r = 0;

    for (unsigned i = 0; i < PIECES_A_LOG && got > 0 && r == 0; i++) {
        got = read(fd, piece, sizeof(piece));
        r = got > 0 ? lines_feed(&log->lines, str_of(piece, (size_t)got)) : 0;
    }
    if (r < 0) {
        log_warn("%s: %s", log->path, err_text(r));
    }
    return got > 0;
}

bool visits_read(struct visits *visits)
{
    bool has_more = false;

    for (size_t i = 0; i < visits->count; i++) {
        struct visits_log *log = visits->logs[i];

        if (log->old_fd >= 0) {
            if (!log_read(log, log->old_fd)) {
                (void)!lines_end(&log->lines);
                closep(&log->old_fd);
            }
            has_more = true;
        } else if (log->fd >= 0) {
            log_rewind_cut(log);
            has_more = log_read(log, log->fd) || has_more;
            log_mark(log);
        }
    }
    return has_more;
}
