/* A list of sites out of a spreadsheet, or that a setting names. Each row stands for itself: the
 * good ones are taken, the others are told by line and reason. A site that is known by its address
 * is brought up to date by a person, and left alone by the setting, under the address that it had
 * before too, but then it says so: it comes again at each start.
 * Neighbours: codec/csv reads, core/site.c writes, core.c reads the setting's file. */
#include "centre/core/site.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "base/utf8.h"
#include "codec/csv.h"

#define IMPORT_ROWS_MAX 1000
#define IMPORT_TOLD_MAX 50
#define IMPORT_WHY_MAX  (12U << 10)

enum import_column {
    IMPORT_COLUMN_NAME,
    IMPORT_COLUMN_URL,
    IMPORT_COLUMN_UNIT,
    IMPORT_COLUMN_SERVICE,
    IMPORT_COLUMN_PERMISSION,
    IMPORT_COLUMN_COUNT,
};

/* Without dấu, as heads of columns are compared. */
static const char *const import_heads[IMPORT_COLUMN_COUNT][2] = {
    [IMPORT_COLUMN_NAME] = {"name", "ten"},
    [IMPORT_COLUMN_URL] = {"url", "dia chi"},
    [IMPORT_COLUMN_UNIT] = {"unit", "don vi"},
    [IMPORT_COLUMN_SERVICE] = {"service", "dich vu"},
    [IMPORT_COLUMN_PERMISSION] = {"permission", "cho phep"},
};

struct import {
    struct core_call *call;
    const char *file;                /* the setting's; NULL: a person's list */
    int places[IMPORT_COLUMN_COUNT]; /* column of each, -1: none */
    uint64_t added;
    uint64_t changed;
    uint64_t known; /* and left as they were */
    uint64_t had;   /* addresses that sites had until somebody changed them: not watched */
    uint64_t refused;
    unsigned skipped; /* lines of the list between its head and what came here */
    struct buf why;
};

static struct str import_field(const struct import *import, const struct str *fields, int count,
                               enum import_column column)
{
    int at = import->places[column];

    return at < 0 || at >= count ? STR("") : fields[at];
}

static bool import_is_head(struct str field, enum import_column column)
{
    char folded[64];
    size_t len = utf8_fold(field, folded, sizeof(folded));
    struct str text = str_of(folded, len < sizeof(folded) ? len : sizeof(folded) - 1);

    return str_is_text(text, import_heads[column][0]) || str_is_text(text, import_heads[column][1]);
}

static int import_take_head(struct import *import, const struct str *fields, int count)
{
    for (int column = 0; column < IMPORT_COLUMN_COUNT; column++) {
        import->places[column] = -1;
        for (int i = 0; i < count; i++) {
            if (import_is_head(fields[i], (enum import_column)column)) {
                import->places[column] = i;
            }
        }
    }
    if (import->places[IMPORT_COLUMN_URL] < 0 || import->places[IMPORT_COLUMN_NAME] < 0 ||
        import->places[IMPORT_COLUMN_UNIT] < 0) {
        return diag_set(&import->call->diag, -ERR_SYNTAX,
                        _("the first line must name the columns: name, url, unit, and if there "
                          "are, service, permission"));
    }
    return 0;
}

static void import_refuse(struct import *import, unsigned line, const char *why)
{
    import->refused++;
    if (import->refused > IMPORT_TOLD_MAX) {
        return;
    }
    if (import->file != NULL) {
        log_warn("%s:%u: %s", import->file, line, why);
    } else {
        (void)buf_putf(&import->why, _("line %u: %s\n"), import->skipped + line, why);
    }
}

static int import_fill(struct import *import, const struct str *fields, int count,
                       struct store_site *site)
{
    struct core_call *call = import->call;
    struct str service = import_field(import, fields, count, IMPORT_COLUMN_SERVICE);
    struct str permission = import_field(import, fields, count, IMPORT_COLUMN_PERMISSION);

    site->name = import_field(import, fields, count, IMPORT_COLUMN_NAME);
    site->unit = import_field(import, fields, count, IMPORT_COLUMN_UNIT);
    if (service.len != 0 && !site_service_parse(service, &site->service)) {
        return diag_set(&call->diag, -ERR_SYNTAX,
                        _("'%.*s' is no service; known are portal, one-stop, mail, document, "
                          "other"),
                        STR_ARG(service));
    }
    permission = permission.len != 0 ? permission : arguments_text(&call->arguments, "permission");
    if (permission.len != 0 && !str_is(permission, site->permission)) {
        site->permission = permission;
        site->permitted_by = call->actor;
        site->permitted = clock_wall(call->core->options.clock);
    }
    if (site->name.len == 0 || site->name.len > SITE_NAME_MAX || site->unit.len == 0 ||
        site->unit.len > SITE_NAME_MAX || site->permission.len == 0 || !utf8_is_valid(site->name) ||
        !utf8_is_valid(site->unit) || !utf8_is_valid(site->permission)) {
        return diag_set(&call->diag, -ERR_SYNTAX,
                        _("a site needs a name, its unit, and the paper that permits the watch"));
    }
    return 0;
}

/* Whoever changed a site's address in the console did not change the setting's list: what it names
 * is left unwatched, and told, for the list may mean another site by now. */
static int import_leave_had(struct import *import, unsigned line, struct str url, bool *ret_had)
{
    int r = store_site_had(import->call->core->options.store, url, ret_had);

    if (r < 0 || !*ret_had) {
        return r;
    }
    if (++import->had <= IMPORT_TOLD_MAX) {
        log_warn(_("%s:%u: %.*s is not watched: it was a site's address until somebody changed it; "
                   "take the line out, or add the site in the console"),
                 import->file, line, STR_ARG(url));
    }
    return 0;
}

/* Whether the setting's list is not to touch the row. */
static int import_leave(struct import *import, unsigned line, const struct store_site *site,
                        struct str url, bool *ret_is_left)
{
    *ret_is_left = import->file != NULL && site->number != 0;
    import->known += *ret_is_left ? 1 : 0;
    return import->file != NULL && site->number == 0
               ? import_leave_had(import, line, url, ret_is_left)
               : 0;
}

static int import_row(struct import *import, unsigned line, const struct str *fields, int count)
{
    struct core_call *call = import->call;
    int64_t now = clock_wall(call->core->options.clock);
    struct store_site site = {.created = now, .state_since = now, .service = SITE_SERVICE_PORTAL};
    struct str url;
    bool is_left = false;
    int r = core_site_take_url(call, import_field(import, fields, count, IMPORT_COLUMN_URL), &url);

    r = r < 0 ? r : store_site_find(call->core->options.store, url, call->arena, &site);
    if (r == 0 || r == -ERR_NOENT) {
        r = import_leave(import, line, &site, url, &is_left);
    }
    if (r < 0 || is_left) {
        return r;
    }
    site.url = url;
    site.state = SITE_STATE_WATCHED; /* a list that names it takes it back */
    r = import_fill(import, fields, count, &site);
    if (r == 0) {
        r = core_site_write(call, &site, site.number == 0 ? "site.create" : "site.change", NULL);
    }
    import->added += r == 0 && site.number == 0 ? 1 : 0;
    import->changed += r == 0 && site.number != 0 ? 1 : 0;
    return r;
}

/* Whether a refusal is of the row alone. */
static bool import_is_of_row(int error)
{
    return error == -ERR_SYNTAX || error == -ERR_CONFLICT || error == -ERR_LIMIT;
}

static int import_rows(struct import *import, struct csv_reader *reader)
{
    struct core_call *call = import->call;
    struct str fields[CSV_FIELDS_MAX];
    unsigned rows = 0;
    int count;

    while ((count = csv_next(reader, call->arena, fields)) != 0) {
        int r = count < 0 ? count : import_row(import, reader->line, fields, count);

        if (r < 0 && !import_is_of_row(r)) {
            return r;
        }
        if (r < 0) {
            import_refuse(import, reader->line,
                          count < 0 ? err_text(count) : diag_text(&call->diag, r));
            call->diag = (struct diag){0};
        }
        if (import->file != NULL) {
            arena_reset(call->arena); /* the file is bounded, its rows are not */
        } else if (++rows > IMPORT_ROWS_MAX) {
            return diag_set(&call->diag, -ERR_LIMIT, _("a list may have 1000 rows at a time"));
        }
    }
    return 0;
}

static int import_read(struct import *import, struct str text)
{
    struct csv_reader reader;
    struct str fields[CSV_FIELDS_MAX];
    int r;

    csv_open(&reader, text);
    r = csv_next(&reader, import->call->arena, fields);
    r = r < 0 ? r : import_take_head(import, fields, r);
    return r < 0 ? r : import_rows(import, &reader);
}

static void import_reply(const struct import *import)
{
    struct buf *reply = &import->call->reply;

    cbor_put_map(reply, 4);
    cbor_put_text(reply, STR("added"));
    cbor_put_u64(reply, import->added);
    cbor_put_text(reply, STR("changed"));
    cbor_put_u64(reply, import->changed);
    cbor_put_text(reply, STR("refused"));
    cbor_put_u64(reply, import->refused);
    cbor_put_text(reply, STR("why"));
    cbor_put_text(reply, buf_str(&import->why));
}

int core_site_import(struct core_call *call)
{
    struct import import = {.call = call,
                            .skipped = (unsigned)arguments_number(&call->arguments, "line", 2) - 2};
    int r;

    buf_init(&import.why, IMPORT_WHY_MAX);
    r = import_read(&import, arguments_text(&call->arguments, "csv"));
    if (r == 0) {
        import_reply(&import);
    }
    buf_done(&import.why);
    return r;
}

/* ---- the setting's list ---- */

struct import_list {
    const char *file;
    struct str text;
};

static int import_list(struct core_call *call)
{
    const struct import_list *list = call->state;
    struct import import = {.call = call, .file = list->file};
    int r = import_read(&import, list->text);

    if (r < 0) {
        log_warn(_("the list of sites %s was not taken: %s"), list->file,
                 diag_text(&call->diag, r));
        return r;
    }
    log_info("the list of sites is read file=%s added=%llu known=%llu had_before=%llu refused=%llu",
             list->file, (unsigned long long)import.added, (unsigned long long)import.known,
             (unsigned long long)import.had, (unsigned long long)import.refused);
    return 0;
}

void core_sites_list(struct core *core, const char *file, struct str text)
{
    struct import_list list = {.file = file, .text = text};
    struct core_call *call;

    if (core_call_new(core, -1, 0, &call) < 0) {
        log_warn(_("the list of sites %s was not taken: %s"), file, err_text(-ERR_NOMEM));
        return;
    }
    call->actor = STR(CENTRE_CONF);
    call->language = text_language();
    call->state = &list;
    core_call_run(call, import_list);
}
