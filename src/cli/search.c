/* canhgac search: events of the centre's archive by what a person types, newest first. Reads the
 * centre's folder and changes nothing; works with the centre running or not. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/archives.h"
#include "cli/command.h"
#include "codec/json.h"

#include <string.h>
#include <unistd.h>

#define SEARCH_LINE (1U << 20)
#define SEARCH_DAY  (86400 * NS_PER_S)
#define SEARCH_PAGE 1000
#define SEARCH_TURN NS_PER_S /* after that a person is told how far it has come */

struct search_settings {
    const char *centre;
    const char *from;
    const char *to;
    int64_t last;
    int64_t limit;
    bool is_json;
};

#define ROW(member) offsetof(struct search_settings, member)

static const struct setting search_rows[] = {
    {"centre", 0, SETTING_PATH, ARCHIVES_CENTRE, NULL, NULL, ROW(centre), N_("DIR"),
     N_("folder of the centre")},
    {"last", 0, SETTING_DURATION, NULL, "1s", "3650d", ROW(last), N_("TIME"),
     N_("only what happened so long ago or later: 90s, 15m, 24h, 7d")},
    {"from", 0, SETTING_TEXT, NULL, NULL, NULL, ROW(from), N_("TIME"),
     N_("only what happened then or later: 2026-11-23T19:30:00+07:00")},
    {"to", 0, SETTING_TEXT, NULL, NULL, NULL, ROW(to), N_("TIME"),
     N_("only what happened then or earlier")},
    {"limit", 'n', SETTING_NUMBER, "100", "0", NULL, ROW(limit), N_("COUNT"),
     N_("show this many, the newest first; 0 shows all")},
    {"json", 0, SETTING_FLAG, NULL, NULL, NULL, ROW(is_json), NULL,
     N_("print one JSON object a line")},
    {},
};

struct search_print {
    const struct search_settings *settings;
    struct buf line;
    uint64_t shown;
    bool is_terminal;
    bool has_progress; /* a line of it stands on the terminal */
};

static void progress_show(struct search_print *print, const struct archives *archives,
                          int64_t reached)
{
    struct archive_stats stats;
    char when[TIME_TEXT_SIZE];

    archive_stats(archives->archive, &stats);
    time_format_offset(reached, ARCHIVES_ZONE, when);
    (void)fputs("\r\x1b[K", stderr);
    (void)fprintf(stderr, _("looked back to %s: %llu of %llu blocks opened"), when,
                  (unsigned long long)stats.blocks_opened, (unsigned long long)stats.blocks_met);
    print->has_progress = true;
}

static void progress_end(struct search_print *print)
{
    if (print->has_progress) {
        (void)fputs("\r\x1b[K", stderr);
        print->has_progress = false;
    }
}

static void print_json(struct buf *line, struct str host, const struct event *event)
{
    struct json_writer json;

    json_begin(&json, line);
    json_open_object(&json);
    json_add_str(&json, "host_name", host);
    json_put_key(&json, "event");
    event_write_json(event, &json);
    json_close_object(&json);
}

/* The entry as it was written, else each field with its name. */
static void print_text(struct buf *line, struct str host, const struct event *event)
{
    const struct event_field *entry = event_find(event, EVENT_FIELD_EVENT_ORIGINAL);
    char when[TIME_TEXT_SIZE];

    time_format_offset(event->time, ARCHIVES_ZONE, when);
    buf_putf(line, "%s  ", when);
    buf_put_plain(line, host);
    buf_putf(line, "  %s", event_kind_name(event->kind));
    if (entry != NULL) {
        buf_put_text(line, "  ");
        buf_put_plain(line, entry->text);
        return;
    }
    for (size_t i = 0; i < event->field_count; i++) {
        const struct event_field *field = &event->fields[i];

        buf_putf(line, "  %s=", event_field_name(field->id));
        if (event_field_type(field->id) == EVENT_VALUE_NUMBER) {
            buf_putf(line, "%lld", (long long)field->number);
        } else {
            buf_put_plain(line, field->text);
        }
    }
}

static int print_event(void *context, const struct id *id, struct str host,
                       const struct event *event)
{
    struct search_print *print = context;

    (void)id;
    progress_end(print);
    buf_reset(&print->line);
    if (print->settings->is_json) {
        print_json(&print->line, host, event);
    } else {
        print_text(&print->line, host, event);
    }
    buf_put_byte(&print->line, '\n');
    if (buf_error(&print->line) < 0) {
        return buf_error(&print->line);
    }
    print->shown++;
    return fwrite(print->line.ptr, 1, print->line.len, stdout) == print->line.len ? 0 : -ERR_IO;
}

static int search_walk(const struct search_settings *settings, struct find_query *query,
                       struct archives *archives, struct search_print *print)
{
    uint64_t left = settings->limit == 0 ? UINT64_MAX : (uint64_t)settings->limit;
    int r = 1;

    while (r == 1 && print->shown < left) {
        query->limit =
            left - print->shown < SEARCH_PAGE ? (size_t)(left - print->shown) : SEARCH_PAGE;
        query->until = print->is_terminal ? clock_mono(&clock_real) + SEARCH_TURN : 0;
        r = archives_find(archives, query, print_event, print);
        if (print->is_terminal && r == 1) {
            progress_show(print, archives, query->cursor.time);
        }
    }
    progress_end(print);
    if (archives->sifter->unread != 0) {
        (void)command_fail(0, _("%llu entries could not be read: their fields were not looked at"),
                           (unsigned long long)archives->sifter->unread);
    }
    return r < 0 ? r : 0;
}

/* A word that makes what it stands in more than a phrase: what joins terms, a parenthesis in front,
 * or, behind others, a field's name. */
static bool is_joint(struct str word, bool is_first)
{
    static const char *const joints[] = {"OR", "HOẶC", "AND", "VÀ", "NOT", "KHÔNG"};
    size_t colon = str_find_byte(word, ':');

    for (size_t i = 0; i < sizeof(joints) / sizeof(joints[0]); i++) {
        if (str_is_text(word, joints[i])) {
            return true;
        }
    }
    return str_has_prefix(word, STR("(")) || str_has_prefix(word, STR("-(")) ||
           (!is_first && colon != 0 && colon + 1 < word.len && word.ptr[0] >= 'A');
}

static bool is_phrase(const char *operand)
{
    struct str rest = str_from(operand);
    struct str word;
    bool is_first = true;

    if (strchr(operand, ' ') == NULL || strchr(operand, '"') != NULL) {
        return false;
    }
    while (str_cut(&rest, ' ', &word)) {
        if (is_joint(word, is_first)) {
            return false;
        }
        is_first = false;
    }
    return true;
}

/* What the shell took apart is put together again: an operand with spaces was quoted, and is a
 * phrase unless it is a search of its own. */
static int search_typed(const struct command_call *call, struct buf *typed)
{
    for (size_t i = 0; i < call->operands.count; i++) {
        const char *word = call->operands.items[i];
        const char *quote = is_phrase(word) ? "\"" : "";
        const char *colon = quote[0] != '\0' ? strchr(word, ':') : NULL;
        bool is_field = colon != NULL && memchr(word, ' ', (size_t)(colon - word)) == NULL;

        buf_putf(typed, "%s%.*s%s%s%s", i != 0 ? " " : "", is_field ? (int)(colon + 1 - word) : 0,
                 word, quote, is_field ? colon + 1 : word, quote);
    }
    return buf_error(typed);
}

static int search_time(const char *text, const char *name, int64_t fallback, int64_t *ret_time,
                       struct diag *diag)
{
    *ret_time = fallback;
    if (text == NULL || text[0] == '\0') {
        return 0;
    }
    return time_parse(str_from(text), ret_time) < 0
               ? diag_set(diag, -ERR_SYNTAX,
                          _("--%s wants a time such as 2026-11-23T19:30:00+07:00, not '%s'"), name,
                          text)
               : 0;
}

static int search_prepare(const struct command_call *call, struct terms *terms,
                          struct find_query *query, struct diag *diag)
{
    const struct search_settings *settings = call->settings;
    int64_t now = clock_wall(&clock_real);
    CLEANUP(buf_done) struct buf typed;
    int r;

    buf_init(&typed, TERMS_TEXT_MAX * 2);
    r = search_typed(call, &typed);
    r = r < 0 ? r : terms_parse(buf_str(&typed), call->arena, terms, diag);
    r = r < 0 ? r
              : search_time(settings->from, "from", settings->last != 0 ? now - settings->last : 0,
                            &query->from, diag);
    return r < 0 ? r : search_time(settings->to, "to", now + SEARCH_DAY, &query->cursor.time, diag);
}

static int search_run(const struct command_call *call)
{
    const struct search_settings *settings = call->settings;
    struct archives archives = {0};
    struct search_print print = {.settings = settings, .is_terminal = isatty(STDERR_FILENO) == 1};
    struct terms terms;
    struct find_query query = {.terms = &terms};
    struct diag diag = {0};
    bool is_whole;
    int r = search_prepare(call, &terms, &query, &diag);

    if (r < 0) {
        return command_fail(EXIT_STATUS_USAGE, "%s", diag_text(&diag, r));
    }
    r = archives_open(settings->centre, &archives, &diag);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("%s; as root, name the centre's folder with --centre"),
                            diag_text(&diag, r));
    }
    buf_init(&print.line, SEARCH_LINE);
    r = search_walk(settings, &query, &archives, &print);
    is_whole = !archives_tell_damages(&archives);
    archives_close(&archives);
    buf_done(&print.line);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("the archive cannot be searched: %s"),
                            err_text(r));
    }
    return print.shown != 0 ? EXIT_STATUS_FOUND
           : is_whole       ? EXIT_STATUS_CLEAN
                            : EXIT_STATUS_FAILED; /* it may stand in what could not be read */
}

const struct command search_command = {
    .name = "search",
    .summary = N_("Find events in the centre's archive"),
    .operands = N_("[TERM…]"),
    .details = N_(
        "All terms must hold: word, \"some words\", field:value with * and ?, field:>number, "
        "field:203.0.113.0/24 of an address. NOT term, a OR b and parentheses put them together; "
        "NOT binds closest, OR least. Words are found without case and dấu. Fields have their ECS "
        "names, such as source.ip, which asks all kinds of logs at once, or short ones: host, "
        "kind, user, file, exe, cmd, pid, log, format, entry; any other name is a field of the "
        "log's entry, such as src_ip or EventID. A term that begins with - is taken for an option "
        "unless -- stands before it. Exit status 1 when something was found, 0 when not."),
    .rows = search_rows,
    .settings_size = sizeof(struct search_settings),
    .run = search_run,
};
