/* The access-log view as a hand tool: see cli/watch/log.h. On the data's way: file → codec/lines →
 * codec/weblog → detect/deface/crawl → here. */
#include "cli/watch/log.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "codec/json.h"
#include "codec/lines.h"
#include "detect/deface/crawl.h"
#include "sys/fd.h"
#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#define LOG_FILES_MAX    256
#define LOG_PIECE        (256U << 10)
#define LOG_CLOAKS_MAX   1000
#define LOG_ARENA_LIMIT  (16U << 20)
#define LOG_LINE_LIMIT   (64U << 10)
#define LOG_LOCAL_S      25200 /* Viet Nam has one time zone and no summer time */
#define LOG_MEMORY_LIMIT (1ULL << 30)

static const char *const audience_names[] = {[CRAWL_AUDIENCE_PEOPLE] = "people",
                                             [CRAWL_AUDIENCE_SEARCH] = "search",
                                             [CRAWL_AUDIENCE_ENGINE] = "engine"};

struct watch_log {
    int fds[LOG_FILES_MAX];
    size_t count;
    struct weblog_format format;
    struct crawl *crawl;
    uint64_t refused; /* lines that do not fit the format */
};

static void watch_log_done(struct watch_log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        closep(&log->fds[i]);
    }
    crawl_free(log->crawl);
}

static int watch_log_open(struct watch_log *log, const struct setting_operands *files)
{
    if (files->count == 0 || files->count > LOG_FILES_MAX) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("give 1 to %d access logs, or - for standard input"), LOG_FILES_MAX);
    }
    for (size_t i = 0; i < files->count; i++) {
        bool is_input = str_is_text(STR("-"), files->items[i]);
        int fd =
            is_input ? dup(STDIN_FILENO) : open(files->items[i], O_RDONLY | O_CLOEXEC | O_NOCTTY);

        if (fd < 0) {
            return command_fail(EXIT_STATUS_FAILED, _("cannot read %s: %s"), files->items[i],
                                err_text(-errno));
        }
        log->fds[log->count++] = fd;
    }
    return 0;
}

/* Root's rights are not for lines that visitors wrote. */
static int watch_log_lock(void)
{
    struct sandbox sandbox = {.user = geteuid() == 0 ? "nobody" : NULL,
                              .calls = SANDBOX_CALLS_IO,
                              .memory_more = LOG_MEMORY_LIMIT};
    struct diag diag = {0};
    int r = sandbox_enter(&sandbox, NULL, &diag);

    return r < 0 ? command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r)) : 0;
}

static int watch_log_line(void *context, struct str line, bool is_cut)
{
    struct watch_log *log = context;
    struct weblog_line entry;
    int r = is_cut ? -ERR_SYNTAX : weblog_read(&log->format, line, &entry);

    if (r == 1) {
        return crawl_add(log->crawl, &entry);
    }
    log->refused += r < 0;
    return 0;
}

static int watch_log_read(struct watch_log *log, int fd)
{
    static char piece[LOG_PIECE];
    struct lines lines;
    ssize_t got = 0;
    int r = 0;

    lines_init(&lines, WEBLOG_LINE_MAX, watch_log_line, log);
    while (r == 0 && (got = read(fd, piece, sizeof(piece))) > 0) {
        r = lines_feed(&lines, str_of(piece, (size_t)got));
    }
    r = r == 0 && got < 0 ? -errno : r;
    r = r == 0 ? lines_end(&lines) : r;
    lines_done(&lines);
    return r;
}

/* ---- what is told */

static void put_side(struct json_writer *json, const char *key, const struct crawl_counts *counts,
                     uint64_t size)
{
    json_put_key(json, key);
    json_open_object(json);
    json_put_key(json, "served");
    json_put_u64(json, counts->served);
    json_put_key(json, "moved");
    json_put_u64(json, counts->moved);
    json_put_key(json, "missing");
    json_put_u64(json, counts->missing);
    json_put_key(json, "size");
    json_put_u64(json, size);
    json_close_object(json);
}

static void cloak_put_json(const struct crawl_cloak *cloak, struct buf *line)
{
    struct json_writer json;
    char when[TIME_TEXT_SIZE];

    time_format_utc(cloak->last, when);
    json_begin(&json, line);
    json_open_object(&json);
    json_put_key(&json, "host");
    json_put_str(&json, cloak->host);
    json_put_key(&json, "path");
    json_put_str(&json, cloak->path);
    json_put_key(&json, "pages");
    json_put_u64(&json, cloak->pages != 0 ? cloak->pages : 1);
    json_put_key(&json, "audience");
    json_put_text(&json, audience_names[cloak->audience]);
    json_put_key(&json, "engine");
    json_put_str(&json, cloak->engine);
    json_put_key(&json, "differs_by");
    json_put_text(&json, cloak->is_by_size ? "size" : "status");
    put_side(&json, "theirs", &cloak->theirs, cloak->their_size);
    put_side(&json, "people", &cloak->people, cloak->people_size);
    json_put_key(&json, "score");
    json_put_double(&json, cloak->score);
    json_put_key(&json, "last");
    json_put_text(&json, when);
    json_close_object(&json);
}

/* Of a folder no usual size is known: its pages differ. */
static void cloak_put_side(struct buf *line, const char *who, const struct crawl_counts *counts,
                           uint64_t size)
{
    (void)buf_putf(line, "\n    %s: ", who);
    (void)buf_putf(line, _("served %llu, sent on %llu, refused %llu"),
                   (unsigned long long)counts->served, (unsigned long long)counts->moved,
                   (unsigned long long)counts->missing);
    if (size != 0) {
        (void)buf_putf(line, _("; %llu bytes"), (unsigned long long)size);
    }
}

static void cloak_put_plain(const struct crawl_cloak *cloak, struct buf *line)
{
    char engine[64];
    char when[TIME_TEXT_SIZE];

    (void)snprintf(engine, sizeof(engine), "%.*s", STR_ARG(cloak->engine));
    time_format_offset(cloak->last, LOG_LOCAL_S, when);
    (void)buf_put_text(line, "▲ ");
    (void)buf_put_plain(line, cloak->host);
    (void)buf_put_plain(line, cloak->path);
    (void)buf_putf(line, "  %s", when);
    if (cloak->pages != 0) {
        (void)buf_putf(line, _("  %u pages that people do not get"), cloak->pages);
    }
    cloak_put_side(line, cloak->engine.len != 0 ? engine : _("people from a search"),
                   &cloak->theirs, cloak->their_size);
    cloak_put_side(line, _("people"), &cloak->people, cloak->people_size);
}

static int watch_log_tell(const struct watch_log *log, bool is_json)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    CLEANUP(buf_done) struct buf line;
    const struct crawl_cloak *cloaks = NULL;
    size_t count = 0;
    int r = arena_new(LOG_ARENA_LIMIT, &arena);

    buf_init(&line, LOG_LINE_LIMIT);
    r = r < 0 ? r : crawl_report(log->crawl, LOG_CLOAKS_MAX, arena, &cloaks, &count);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", err_text(r));
    }
    for (size_t i = 0; i < count; i++) {
        buf_reset(&line);
        if (is_json) {
            cloak_put_json(&cloaks[i], &line);
        } else {
            cloak_put_plain(&cloaks[i], &line);
        }
        printf("%.*s\n", STR_ARG(buf_str(&line)));
    }
    return count != 0 ? EXIT_STATUS_FOUND : EXIT_STATUS_CLEAN;
}

/* What was read, and what of it nobody can judge. */
static int watch_log_sum_up(const struct watch_log *log, bool is_json, int status)
{
    struct crawl_totals totals = crawl_totals(log->crawl);
    uint64_t engines = totals.visits[CRAWL_AUDIENCE_ENGINE];
    uint64_t searches = totals.visits[CRAWL_AUDIENCE_SEARCH];
    uint64_t people = totals.visits[CRAWL_AUDIENCE_PEOPLE];

    if (!is_json) {
        printf(_("%llu requests: %llu by search engines, %llu from a search, %llu by people"),
               (unsigned long long)totals.lines, (unsigned long long)engines,
               (unsigned long long)searches, (unsigned long long)people);
        putchar('\n');
    }
    (void)fflush(stdout);
    if (log->refused != 0) {
        (void)command_fail(EXIT_STATUS_FAILED,
                           _("%llu lines do not fit the log format and were passed over; give the "
                             "server's own with --format"),
                           (unsigned long long)log->refused);
    }
    if (totals.forgotten != 0) {
        (void)command_fail(EXIT_STATUS_FAILED, _("%llu pages were forgotten for want of room"),
                           (unsigned long long)totals.forgotten);
    }
    if (people == 0 || engines + searches == 0) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("nothing could be compared: the log lacks visits of people, or of "
                              "search engines and from searches"));
    }
    return status;
}

int watch_log(const struct watch_log_options *options)
{
    CLEANUP(watch_log_done) struct watch_log log = {0};
    struct diag diag = {0};
    uint64_t seed = 0;
    int r = weblog_format_init(&log.format, str_from(options->format), &diag);

    if (r < 0) {
        return command_fail(EXIT_STATUS_USAGE, "%s", diag_text(&diag, r));
    }
    r = watch_log_open(&log, &options->files);
    if (r != 0) {
        return r;
    }
    (void)!getrandom(&seed, sizeof(seed), 0);
    r = crawl_new(&crawl_limits_default, seed, &log.crawl);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", err_text(r));
    }
    r = watch_log_lock();
    if (r != 0) {
        return r;
    }
    for (size_t i = 0; i < log.count; i++) {
        r = watch_log_read(&log, log.fds[i]);
        if (r < 0) {
            return command_fail(EXIT_STATUS_FAILED, _("cannot read %s: %s"),
                                options->files.items[i], err_text(r));
        }
    }
    return watch_log_sum_up(&log, options->is_json, watch_log_tell(&log, options->is_json));
}
