/* canhgac rules backtest RULE.yml: what a rule would have raised. The rule's bytes and the
 * archive's are read here; both are parsed in a process without rights (cli/archives.h). */
#include "cli/backtest.h"

#include "base/banned.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/archives.h"
#include "codec/json.h"
#include "detect/sigma/rule.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define LOCAL_S     25200 /* Viet Nam has one time zone and no summer time */
#define DAY         (86400 * NS_PER_S)
#define DAYS_MAX    3650
#define SHOWN_MAX   10
#define LINE_ROOM   (1U << 20)
#define BAR_WIDTH   40
#define STEP        (500 * NS_PER_MS) /* between two lines of progress */

#define ROW(member) offsetof(struct backtest_settings, member)

const struct setting backtest_rows[] = {
    {"folder", 0, SETTING_PATH, ARCHIVES_CENTRE, NULL, NULL, ROW(folder), N_("DIR"),
     N_("folder of the centre")},
    {"days", 0, SETTING_NUMBER, "7", "1", "3650", ROW(days), N_("N"),
     N_("over events of so many days up to now")},
    {"json", 0, SETTING_FLAG, NULL, NULL, NULL, ROW(is_json), NULL,
     N_("one JSON object a line: each hit, then each day, at last the account")},
    {},
};

struct backtest {
    const struct backtest_settings *settings;
    struct archives archives;
    int64_t last_day;               /* by local days */
    uint64_t per_day[DAYS_MAX + 2]; /* from the last one back */
    uint64_t hits;
    struct buf line;  /* one that is printed */
    struct buf shown; /* the newest hits, for people */
    bool is_terminal;
};

static int64_t local_day(int64_t time)
{
    return (time + LOCAL_S * NS_PER_S) / DAY;
}

static int backtest_put_line(struct backtest *test)
{
    buf_put_byte(&test->line, '\n');
    if (buf_error(&test->line) < 0 ||
        fwrite(test->line.ptr, 1, test->line.len, stdout) != test->line.len) {
        return -ERR_IO;
    }
    buf_reset(&test->line);
    return 0;
}

static int hit_print_json(struct backtest *test, struct str host, const struct event *event)
{
    struct json_writer json;

    json_begin(&json, &test->line);
    json_open_object(&json);
    json_add_str(&json, "host_name", host);
    json_put_key(&json, "event");
    event_write_json(event, &json);
    json_close_object(&json);
    return backtest_put_line(test);
}

static void hit_keep(struct backtest *test, struct str host, const struct event *event)
{
    const struct event_field *entry = event_find(event, EVENT_FIELD_EVENT_ORIGINAL);
    char when[TIME_TEXT_SIZE];

    time_format_offset(event->time, LOCAL_S, when);
    buf_putf(&test->shown, "  %s  ", when);
    buf_put_plain(&test->shown, host);
    buf_put_text(&test->shown, "  ");
    buf_put_plain(&test->shown, entry != NULL ? entry->text : STR(""));
    buf_put_byte(&test->shown, '\n');
}

static int backtest_take(void *context, const struct id *id, struct str host,
                         const struct event *event)
{
    struct backtest *test = context;
    int64_t back = test->last_day - local_day(event->time);

    (void)id;
    back = back < 0 ? 0 : back;
    test->per_day[back > DAYS_MAX ? DAYS_MAX + 1 : back]++;
    test->hits++;
    if (test->settings->is_json) {
        return hit_print_json(test, host, event);
    }
    if (test->hits <= SHOWN_MAX) {
        hit_keep(test, host, event);
    }
    return 0;
}

static void day_name(const struct backtest *test, int64_t back, char out[TIME_TEXT_SIZE])
{
    time_format_offset((test->last_day - back) * DAY - LOCAL_S * NS_PER_S, LOCAL_S, out);
    out[sizeof("YYYY-MM-DD") - 1] = '\0';
}

static void progress_show(const struct backtest *test, int64_t reached)
{
    char when[TIME_TEXT_SIZE];

    if (!test->is_terminal) {
        return;
    }
    time_format_offset(reached, LOCAL_S, when);
    (void)fputs("\r\x1b[K", stderr);
    (void)fprintf(stderr, _("looked back to %s: %llu entries, %llu hits"), when,
                  (unsigned long long)test->archives.sifter->judged,
                  (unsigned long long)test->hits);
}

static void progress_end(const struct backtest *test)
{
    if (test->is_terminal) {
        (void)fputs("\r\x1b[K", stderr);
    }
}

static int backtest_walk(struct backtest *test)
{
    static const struct terms everything;
    int64_t now = clock_wall(&clock_real);
    struct find_query query = {.terms = &everything,
                               .from = now - test->settings->days * DAY,
                               .cursor = {.time = now + DAY},
                               .limit = SIZE_MAX};
    int r = 1;

    test->last_day = local_day(now);
    while (r == 1) {
        query.until = clock_mono(&clock_real) + STEP;
        r = archives_find(&test->archives, &query, backtest_take, test);
        progress_show(test, query.cursor.time);
    }
    progress_end(test);
    return r;
}

/* ---- what came of it */

static int backtest_print_json(struct backtest *test)
{
    const struct sifter *sifter = test->archives.sifter;
    struct json_writer json;
    int r = 0;

    for (int64_t back = test->settings->days; back >= 0 && r == 0; back--) {
        char name[TIME_TEXT_SIZE];

        day_name(test, back, name);
        json_begin(&json, &test->line);
        json_open_object(&json);
        json_add_text(&json, "day", name);
        json_add_u64(&json, "hits", test->per_day[back]);
        json_close_object(&json);
        r = backtest_put_line(test);
    }
    json_begin(&json, &test->line);
    json_open_object(&json);
    json_add_text(&json, "title", sifter->title);
    json_add_text(&json, "level", sigma_level_name((enum sigma_level)sifter->level));
    json_add_u64(&json, "hits", test->hits);
    json_add_u64(&json, "entries", sifter->judged);
    json_add_u64(&json, "unread", sifter->unread);
    json_close_object(&json);
    return r < 0 ? r : backtest_put_line(test);
}

static void bar_put(struct buf *line, uint64_t value, uint64_t most)
{
    uint64_t width = most == 0 ? 0 : (value * BAR_WIDTH + most - 1) / most;

    for (uint64_t i = 0; i < width; i++) {
        buf_put_text(line, "▇");
    }
}

static int backtest_print_days(struct backtest *test)
{
    uint64_t most = 0;
    int r = 0;

    for (int64_t back = 0; back <= test->settings->days; back++) {
        most = test->per_day[back] > most ? test->per_day[back] : most;
    }
    for (int64_t back = test->settings->days; back >= 0 && r == 0; back--) {
        char name[TIME_TEXT_SIZE];

        day_name(test, back, name);
        buf_putf(&test->line, "  %s  %9llu  ", name, (unsigned long long)test->per_day[back]);
        bar_put(&test->line, test->per_day[back], most);
        r = backtest_put_line(test);
    }
    return r;
}

static int backtest_print(struct backtest *test)
{
    const struct sifter *sifter = test->archives.sifter;
    int r;

    if (test->settings->is_json) {
        return backtest_print_json(test);
    }
    if (sifter->title[0] != '\0') {
        buf_put_plain(&test->line, str_from(sifter->title));
        buf_putf(&test->line, " (%s)", sigma_level_name((enum sigma_level)sifter->level));
        if (backtest_put_line(test) < 0) {
            return -ERR_IO;
        }
    }
    r = backtest_print_days(test);
    if (test->hits != 0) {
        (void)printf(_("Newest hits:\n%.*s"), STR_ARG(buf_str(&test->shown)));
    }
    (void)printf(_("%llu hits in %llu entries of %lld days\n"), (unsigned long long)test->hits,
                 (unsigned long long)sifter->judged, (long long)test->settings->days);
    if (sifter->unread != 0) {
        (void)printf(_("%llu entries could not be read\n"), (unsigned long long)sifter->unread);
    }
    return r;
}

/* The rule's bytes; nothing looks into them here. */
static int rule_read(const char *path, struct buf *ret_yaml, struct diag *diag)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t got = fd < 0 ? -1 : 1;

    while (got > 0) {
        char bytes[4096];

        got = read(fd, bytes, sizeof(bytes));
        if (got > 0 && buf_put(ret_yaml, bytes, (size_t)got) < 0) {
            return diag_set(diag, -ERR_LIMIT, _("'%s' has more than %u bytes: is it one rule?"),
                            path, SIFTER_RULE_MAX);
        }
    }
    if (got < 0) {
        int r = -errno;

        return diag_set(diag, r, _("cannot read '%s': %s"), path, err_text(r));
    }
    return ret_yaml->len != 0
               ? 0
               : diag_set(diag, -ERR_SYNTAX, _("'%s' is empty; it should hold a rule"), path);
}

static int backtest_finish(struct backtest *test, int r)
{
    const struct sifter *sifter = test->archives.sifter;

    if (r == -ERR_SYNTAX) {
        return command_fail(EXIT_STATUS_USAGE, "%s", diag_text(&sifter->diag, r));
    }
    r = r < 0 ? r : backtest_print(test);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("the archive cannot be searched: %s"),
                            err_text(r));
    }
    if (archives_tell_damages(&test->archives) && test->hits == 0) {
        return EXIT_STATUS_FAILED;
    }
    return test->hits != 0 ? EXIT_STATUS_FOUND : EXIT_STATUS_CLEAN;
}

int backtest_run(const struct command_call *call)
{
    static struct backtest test;
    CLEANUP(buf_done) struct buf yaml;
    struct diag diag = {0};
    int status;
    int r;

    buf_init(&yaml, SIFTER_RULE_MAX);
    test.settings = call->settings;
    test.is_terminal = isatty(STDERR_FILENO) == 1;
    if (call->operands.count != 1) {
        return command_fail(EXIT_STATUS_USAGE, _("'%s' wants %s"), "rules backtest", _("FILE"));
    }
    r = rule_read(call->operands.items[0], &yaml, &diag);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r));
    }
    r = archives_open(test.settings->folder, &test.archives, &diag);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("%s; as root, name the centre's folder with --folder"),
                            diag_text(&diag, r));
    }
    buf_init(&test.line, LINE_ROOM);
    buf_init(&test.shown, LINE_ROOM);
    test.archives.sifter->rule = buf_str(&yaml);
    test.archives.reader.is_rule = true;
    status = backtest_finish(&test, backtest_walk(&test));
    archives_close(&test.archives);
    buf_done(&test.line);
    buf_done(&test.shown);
    return status;
}
