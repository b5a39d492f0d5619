/* canhgac audit verify|list: the centre's log of who did what, checked and shown without the centre
 * running. Reads state.db and audit.anchors in the centre's folder and changes neither. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/text.h"
#include "cli/command.h"
#include "codec/json.h"
#include "store/store.h"

#define AUDIT_CENTRE      "/var/lib/canhgac/centre"
#define AUDIT_ARENA_LIMIT (64U << 20)
#define AUDIT_LINE_LIMIT  (4U << 20)
#define AUDIT_LOCAL_S     25200 /* Viet Nam has one time zone and no summer time */

struct audit_settings {
    const char *centre;
    int64_t limit;
    bool is_json;
};

static const struct setting verify_rows[] = {
    {"centre", 0, SETTING_PATH, AUDIT_CENTRE, NULL, NULL, offsetof(struct audit_settings, centre),
     N_("DIR"), N_("folder of the centre")},
    {"json", 0, SETTING_FLAG, NULL, NULL, NULL, offsetof(struct audit_settings, is_json), NULL,
     N_("print one JSON object a line")},
    {},
};

static const struct setting list_rows[] = {
    {"centre", 0, SETTING_PATH, AUDIT_CENTRE, NULL, NULL, offsetof(struct audit_settings, centre),
     N_("DIR"), N_("folder of the centre")},
    {"limit", 'n', SETTING_NUMBER, "50", "0", NULL, offsetof(struct audit_settings, limit),
     N_("COUNT"), N_("show this many, the newest first; 0 shows all")},
    {"json", 0, SETTING_FLAG, NULL, NULL, NULL, offsetof(struct audit_settings, is_json), NULL,
     N_("print one JSON object a line")},
    {},
};

static int audit_open(const struct audit_settings *settings, struct store **ret_store)
{
    struct store_options options = {.folder = settings->centre, .is_read_only = true};
    struct diag diag = {{0}};
    int r = store_open(&options, ret_store, &diag);

    return r < 0 ? command_fail(EXIT_STATUS_FAILED,
                                _("%s; as root, name the centre's folder with --centre"),
                                diag_text(&diag, r))
                 : 0;
}

/* ---- verify */

static void verify_print_json(int code, uint64_t rows, const uint8_t head[32], const char *what)
{
    CLEANUP(buf_done) struct buf line;
    struct json_writer json;
    char text[65];

    buf_init(&line, AUDIT_LINE_LIMIT);
    json_begin(&json, &line);
    json_open_object(&json);
    json_add_bool(&json, "intact", code == 0);
    if (code == 0) {
        hex_encode(head, 32, text);
        json_add_u64(&json, "rows", rows);
        json_add_text(&json, "head", text);
    } else {
        json_add_text(&json, "why", what);
    }
    json_close_object(&json);
    printf("%.*s\n", STR_ARG(buf_str(&line)));
}

static int verify_run(const struct command_call *call)
{
    const struct audit_settings *settings = call->settings;
    CLEANUP(store_closep) struct store *store = NULL;
    struct diag diag = {{0}};
    uint8_t head[32] = {0};
    char text[65];
    uint64_t rows = 0;
    int r = audit_open(settings, &store);

    if (r != 0) {
        return r;
    }
    r = store_audit_verify(store, &rows, head, &diag);
    if (r < 0 && r != -ERR_CORRUPT) {
        return command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r));
    }
    if (settings->is_json) {
        verify_print_json(r, rows, head, diag_text(&diag, r));
    } else if (r < 0) {
        printf("%s\n", diag_text(&diag, r));
    } else {
        hex_encode(head, sizeof(head), text);
        printf(_("The audit log is intact: %llu rows, head %s."), (unsigned long long)rows, text);
        putchar('\n');
    }
    return r < 0 ? EXIT_STATUS_FOUND : EXIT_STATUS_CLEAN;
}

/* ---- list */

static void list_put_row(struct buf *line, const struct store_audit *row)
{
    const struct str columns[] = {row->actor, row->act, row->object, row->detail};
    char when[TIME_TEXT_SIZE];

    time_format_offset(row->time, AUDIT_LOCAL_S, when);
    (void)buf_putf(line, "%llu  %s", (unsigned long long)row->number, when);
    for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
        (void)buf_put_text(line, "  ");
        (void)buf_put_plain(line, columns[i]);
    }
}

static void list_put_json(struct buf *line, const struct store_audit *row)
{
    struct json_writer json;
    char text[65];
    char when[TIME_TEXT_SIZE];

    time_format_utc(row->time, when);
    hex_encode(row->chain, sizeof(row->chain), text);
    json_begin(&json, line);
    json_open_object(&json);
    json_add_u64(&json, "number", row->number);
    json_add_text(&json, "time", when);
    json_add_str(&json, "actor", row->actor);
    json_add_str(&json, "act", row->act);
    json_add_str(&json, "object", row->object);
    json_add_str(&json, "detail", row->detail);
    json_add_text(&json, "chain", text);
    json_close_object(&json);
}

static int list_print(const struct audit_settings *settings, const struct store_audit *rows,
                      size_t count)
{
    CLEANUP(buf_done) struct buf line;

    buf_init(&line, AUDIT_LINE_LIMIT);
    for (size_t i = 0; i < count; i++) {
        buf_reset(&line);
        if (settings->is_json) {
            list_put_json(&line, &rows[i]);
        } else {
            list_put_row(&line, &rows[i]);
        }
        if (buf_put_byte(&line, '\n') < 0) {
            return buf_error(&line);
        }
        (void)fwrite(line.ptr, 1, line.len, stdout);
    }
    return ferror(stdout) ? -ERR_IO : 0;
}

static int list_walk(struct store *store, const struct audit_settings *settings)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct store_audit *rows;
    uint64_t left = settings->limit == 0 ? UINT64_MAX : (uint64_t)settings->limit;
    uint64_t before = 0;
    size_t count = 1;
    int r = arena_new(AUDIT_ARENA_LIMIT, &arena);

    while (r == 0 && left != 0 && count != 0 && before != 1) {
        arena_reset(arena);
        r = store_audit_list(store, before, left < STORE_PAGE_MAX ? (size_t)left : STORE_PAGE_MAX,
                             arena, &rows, &count);
        r = r < 0 ? r : list_print(settings, rows, count);
        if (r == 0 && count != 0) {
            before = rows[count - 1].number;
            left -= count;
        }
    }
    return r;
}

static int list_run(const struct command_call *call)
{
    const struct audit_settings *settings = call->settings;
    CLEANUP(store_closep) struct store *store = NULL;
    int r = audit_open(settings, &store);

    if (r != 0) {
        return r;
    }
    r = list_walk(store, settings);
    return r < 0 ? command_fail(EXIT_STATUS_FAILED, _("cannot list the audit log: %s"), err_text(r))
                 : EXIT_STATUS_CLEAN;
}

static const struct command audit_verbs[] = {
    {
        .name = "verify",
        .summary = N_("Check that no row was changed, moved or cut off"),
        .details = N_("Each row carries the SHA-256 of all rows before it; audit.anchors names the "
                      "head every "
                      "ten minutes. The first row that does not follow is named. Exit status 1 "
                      "when there is one."),
        .rows = verify_rows,
        .settings_size = sizeof(struct audit_settings),
        .run = verify_run,
    },
    {
        .name = "list",
        .summary = N_("Show who did what, the newest first"),
        .rows = list_rows,
        .settings_size = sizeof(struct audit_settings),
        .run = list_run,
    },
    {},
};

const struct command audit_command = {
    .name = "audit",
    .summary = N_("The centre's log of who did what"),
    .verbs = audit_verbs,
};
