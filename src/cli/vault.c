/* canhgac vault list|show|verify|restore|drop|case: the copies that the shield made before files
 * were changed, looked at and brought back by hand. Works with or without an agent running: the
 * vault takes several processes at once. Neighbours: store/vault.h below, cli/vault_print.c for
 * what is shown. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/vault_print.h"
#include "sys/fd.h"

#include <fcntl.h>

#define VAULT_FOLDER       "/var/lib/canhgac/vault"
#define VAULT_RETENTION_NS (24 * 3600 * NS_PER_S)

struct vault_settings {
    const char *folder;
    const char *prefix;
    const char *finding;
    const char *to;
    int64_t after;
    int64_t limit;
    bool is_json;
    bool is_forced;
    bool is_restore;
    bool is_undo;
    bool is_close;
};

#define ROW_VAULT                                                                                  \
    {"vault",                                                                                      \
     0,                                                                                            \
     SETTING_PATH,                                                                                 \
     VAULT_FOLDER,                                                                                 \
     NULL,                                                                                         \
     NULL,                                                                                         \
     offsetof(struct vault_settings, folder),                                                      \
     N_("DIR"),                                                                                    \
     N_("folder of the vault")}
#define ROW_JSON                                                                                   \
    {"json",                                                                                       \
     0,                                                                                            \
     SETTING_FLAG,                                                                                 \
     NULL,                                                                                         \
     NULL,                                                                                         \
     NULL,                                                                                         \
     offsetof(struct vault_settings, is_json),                                                     \
     NULL,                                                                                         \
     N_("print one JSON object a line")}

static const struct setting list_rows[] = {
    ROW_VAULT,
    {"prefix", 0, SETTING_PATH, NULL, NULL, NULL, offsetof(struct vault_settings, prefix),
     N_("PATH"), N_("only files whose path begins with this")},
    {"case", 0, SETTING_TEXT, NULL, NULL, NULL, offsetof(struct vault_settings, finding), N_("ID"),
     N_("only versions that this open case holds")},
    {"after", 0, SETTING_NUMBER, "0", "0", NULL, offsetof(struct vault_settings, after),
     N_("VERSION"), N_("only versions above this number")},
    {"limit", 'n', SETTING_NUMBER, "0", "0", NULL, offsetof(struct vault_settings, limit),
     N_("COUNT"), N_("show this many at most; 0 shows all")},
    ROW_JSON,
    {},
};

static const struct setting plain_rows[] = {ROW_VAULT, ROW_JSON, {}};

static const struct setting restore_rows[] = {
    ROW_VAULT,
    {"to", 0, SETTING_PATH, NULL, NULL, NULL, offsetof(struct vault_settings, to), N_("PATH"),
     N_("restore to this path instead of the file's own")},
    {"force", 'f', SETTING_FLAG, NULL, NULL, NULL, offsetof(struct vault_settings, is_forced), NULL,
     N_("replace what is there; it is kept in the vault first")},
    ROW_JSON,
    {},
};

static const struct setting case_rows[] = {
    ROW_VAULT,
    {"restore", 0, SETTING_FLAG, NULL, NULL, NULL, offsetof(struct vault_settings, is_restore),
     NULL, N_("put back every file of the case")},
    {"undo", 0, SETTING_FLAG, NULL, NULL, NULL, offsetof(struct vault_settings, is_undo), NULL,
     N_("take the restore back, as if it had never been: for a false alarm")},
    {"close", 0, SETTING_FLAG, NULL, NULL, NULL, offsetof(struct vault_settings, is_close), NULL,
     N_("let the case's versions age out like any other")},
    ROW_JSON,
    {},
};

/* Opens what is there; a mistyped folder must not become a new vault. */
static int call_open(const struct command_call *call, struct vault **ret_vault)
{
    const struct vault_settings *settings = call->settings;
    const struct vault_limits limits = {
        .bytes = INT64_MAX, .retention_ns = VAULT_RETENTION_NS, .whole_bytes = INT64_MAX};
    CLEANUP(closep) int folder = open(settings->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct diag diag = {{0}};
    int r;

    if (folder < 0 || faccessat(folder, "format", F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
        return command_fail(
            EXIT_STATUS_FAILED,
            _("there is no vault in %s, or you may not enter it; name it with --vault, as root"),
            settings->folder);
    }
    r = vault_open(settings->folder, &limits, &clock_real, ret_vault, &diag);
    return r < 0 ? command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r)) : 0;
}

static int call_id(const struct command_call *call, size_t index, uint64_t *ret_id)
{
    if (str_to_u64(str_from(call->operands.items[index]), ret_id) < 0 || *ret_id == 0) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("'%s' is no version number; canhgac vault list shows them"),
                            call->operands.items[index]);
    }
    return 0;
}

static int call_finding(const char *text, struct id *ret_finding)
{
    if (id_parse(str_from(text), ret_finding) < 0) {
        return command_fail(EXIT_STATUS_USAGE, _("'%s' is no case; canhgac vault case lists them"),
                            text);
    }
    return 0;
}

static int id_fail(uint64_t id, int code)
{
    if (code == -ERR_NOENT) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("there is no version %llu; canhgac vault list shows them"),
                            (unsigned long long)id);
    }
    if (code == -ERR_BUSY) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("version %llu is held by an open case; close it first: canhgac vault "
                              "case ID --close"),
                            (unsigned long long)id);
    }
    return command_fail(EXIT_STATUS_FAILED, _("version %llu: %s"), (unsigned long long)id,
                        err_text(code));
}

static int vault_fail(int code)
{
    return command_fail(EXIT_STATUS_FAILED, _("the vault could not be read: %s"), err_text(code));
}

/* ---- list */

static int list_each(void *context, const struct vault_version *version)
{
    const struct vault_settings *settings = context;

    if (settings->is_json) {
        vault_print_json(version);
    } else {
        vault_print_row(version);
    }
    return 0;
}

static void list_print_usage(struct vault *vault)
{
    struct vault_usage usage;
    char bytes[VAULT_SIZE_TEXT];

    if (vault_usage(vault, &usage) < 0) {
        return;
    }
    vault_print_size(usage.bytes, bytes);
    printf(_("%llu versions, %s kept, %llu held by open cases (!), ~ in part only"),
           (unsigned long long)usage.versions, bytes, (unsigned long long)usage.pinned);
    putchar('\n');
    if (usage.refused != 0) {
        printf(_("%llu copies were refused or given up early because the vault was full: raise "
                 "vault-bytes"),
               (unsigned long long)usage.refused);
        putchar('\n');
    }
    if (usage.damaged != 0) {
        printf(_("%llu records of the journal are damaged: check the disk; the versions they named "
                 "are not listed"),
               (unsigned long long)usage.damaged);
        putchar('\n');
    }
}

static int list_run(const struct command_call *call)
{
    struct vault_settings *settings = call->settings;
    CLEANUP(vault_closep) struct vault *vault = NULL;
    struct vault_filter filter = {
        .path_prefix = str_from(settings->prefix),
        .after = (uint64_t)settings->after,
        .limit = settings->limit != 0 ? (size_t)settings->limit : SIZE_MAX,
    };
    struct id finding;
    int r = settings->finding != NULL ? call_finding(settings->finding, &finding) : 0;

    r = r != 0 ? r : call_open(call, &vault);
    if (r != 0) {
        return r;
    }
    filter.finding = settings->finding != NULL ? &finding : NULL;
    r = vault_list(vault, &filter, list_each, settings);
    if (r < 0) {
        return vault_fail(r);
    }
    if (!settings->is_json) {
        list_print_usage(vault);
    }
    return EXIT_STATUS_CLEAN;
}

/* ---- show */

static int show_run(const struct command_call *call)
{
    const struct vault_settings *settings = call->settings;
    CLEANUP(vault_closep) struct vault *vault = NULL;
    struct vault_version version;
    uint64_t id = 0;
    int r;

    if (call->operands.count != 1) {
        return command_fail(EXIT_STATUS_USAGE, _("'%s' wants %s"), "vault show", _("VERSION"));
    }
    r = call_id(call, 0, &id);
    r = r != 0 ? r : call_open(call, &vault);
    if (r != 0) {
        return r;
    }
    r = vault_version(vault, id, call->arena, &version);
    if (r < 0) {
        return id_fail(id, r);
    }
    if (settings->is_json) {
        vault_print_json(&version);
    } else {
        vault_print_page(&version);
    }
    return EXIT_STATUS_CLEAN;
}

/* ---- verify */

struct verify_view {
    const struct vault_settings *settings;
    struct vault *vault;
    struct vault_bar bar;
    uint64_t good;
    uint64_t partial; /* as they were kept, which was not the whole original */
    uint64_t waiting; /* no hash to compare with yet */
    uint64_t bad;
};

static void verify_one(struct verify_view *run, const struct vault_version *version)
{
    int r = vault_verify(run->vault, version->id);

    run->good += r == 0 && !version->is_partial ? 1 : 0;
    run->partial += r == 0 && version->is_partial ? 1 : 0;
    run->waiting += r == -ERR_AGAIN ? 1 : 0;
    run->bad += r < 0 && r != -ERR_AGAIN ? 1 : 0;
    vault_bar_step(&run->bar);
    if (run->settings->is_json) {
        vault_print_verified_json(version, r);
    } else if ((r < 0 && r != -ERR_AGAIN) || version->is_partial) {
        printf("%8llu  %s  ", (unsigned long long)version->id,
               r < 0 ? err_text(r) : vault_print_part(version));
        vault_print_plain(version->path);
        putchar('\n');
    }
}

static int verify_each(void *context, const struct vault_version *version)
{
    verify_one(context, version);
    return 0;
}

static int verify_some(const struct command_call *call, struct verify_view *run)
{
    const struct vault_filter all = {.limit = SIZE_MAX};

    if (call->operands.count == 0) {
        return vault_list(run->vault, &all, verify_each, run);
    }
    for (size_t i = 0; i < call->operands.count; i++) {
        struct vault_version version = {};
        uint64_t id = 0;
        int r = call_id(call, i, &id);

        if (r != 0) {
            return r;
        }
        (void)!vault_version(run->vault, id, call->arena, &version);
        version.id = id; /* also of one that is not there: verifying tells */
        verify_one(run, &version);
    }
    return 0;
}

static int verify_run(const struct command_call *call)
{
    CLEANUP(vault_closep) struct vault *vault = NULL;
    struct verify_view run = {.settings = call->settings};
    struct vault_usage usage = {};
    int r = call_open(call, &vault);

    if (r != 0) {
        return r;
    }
    run.vault = vault;
    r = vault_usage(vault, &usage);
    vault_bar_start(&run.bar, call->operands.count != 0 ? call->operands.count : usage.versions,
                    !run.settings->is_json);
    r = r < 0 ? r : verify_some(call, &run);
    vault_bar_end(&run.bar);
    if (r > 0) {
        return r;
    }
    if (r < 0) {
        return vault_fail(r);
    }
    if (!run.settings->is_json) {
        printf(
            _("%llu versions are intact, %llu were kept in part only, %llu are damaged, %llu have "
              "no checksum yet"),
            (unsigned long long)run.good, (unsigned long long)run.partial,
            (unsigned long long)run.bad, (unsigned long long)run.waiting);
        putchar('\n');
    }
    return run.bad != 0 || usage.damaged != 0 ? EXIT_STATUS_FOUND : EXIT_STATUS_CLEAN;
}

/* ---- restore */

static int restore_run(const struct command_call *call)
{
    const struct vault_settings *settings = call->settings;
    CLEANUP(vault_closep) struct vault *vault = NULL;
    struct vault_version version;
    struct diag diag = {{0}};
    struct str path;
    uint64_t id = 0;
    int r;

    if (call->operands.count != 1) {
        return command_fail(EXIT_STATUS_USAGE, _("'%s' wants %s"), "vault restore", _("VERSION"));
    }
    r = call_id(call, 0, &id);
    r = r != 0 ? r : call_open(call, &vault);
    if (r != 0) {
        return r;
    }
    r = vault_version(vault, id, call->arena, &version);
    if (r < 0) {
        return id_fail(id, r);
    }
    path = settings->to != NULL ? str_from(settings->to) : version.path;
    r = vault_restore(vault, id, path, settings->is_forced, &diag);
    if (settings->is_json) {
        vault_print_result_json(id, path, r);
    }
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r));
    }
    if (!settings->is_json) {
        printf(_("Version %llu is back at "), (unsigned long long)id);
        vault_print_plain(path);
        if (version.is_partial) {
            printf(" (%s)", vault_print_part(&version));
        }
        putchar('\n');
    }
    return EXIT_STATUS_CLEAN;
}

/* ---- drop */

static int drop_run(const struct command_call *call)
{
    const struct vault_settings *settings = call->settings;
    CLEANUP(vault_closep) struct vault *vault = NULL;
    int r;

    if (call->operands.count == 0) {
        return command_fail(EXIT_STATUS_USAGE, _("'%s' wants %s"), "vault drop", _("VERSION…"));
    }
    r = call_open(call, &vault);
    for (size_t i = 0; r == 0 && i < call->operands.count; i++) {
        uint64_t id = 0;
        int dropped;

        r = call_id(call, i, &id);
        if (r != 0) {
            return r;
        }
        dropped = vault_drop(vault, id);
        if (settings->is_json) {
            vault_print_result_json(id, (struct str){}, dropped);
        }
        r = dropped < 0 ? id_fail(id, dropped) : 0;
    }
    return r;
}

/* ---- case */

static int case_each(void *context, const struct vault_case_state *state)
{
    const struct vault_settings *settings = context;
    char text[ID_TEXT_SIZE];

    id_format(&state->finding, text);
    if (settings->is_json) {
        printf("{\"finding\":\"%s\",\"files\":%llu,\"restored\":%llu,\"synced\":%s}\n", text,
               (unsigned long long)state->files, (unsigned long long)state->restored,
               state->is_synced ? "true" : "false");
    } else {
        printf(_("%s  %llu files, %llu restored"), text, (unsigned long long)state->files,
               (unsigned long long)state->restored);
        putchar('\n');
    }
    return 0;
}

struct case_view {
    const struct vault_settings *settings;
    struct vault_bar bar;
};

static void case_progress(void *context, const struct vault_damage *damage, int result)
{
    struct case_view *run = context;
    struct str path = damage->path.len != 0 ? damage->path : damage->path_now;

    vault_bar_step(&run->bar);
    if (run->settings->is_json) {
        vault_print_result_json(damage->version, path, result);
    } else if (result < 0) {
        vault_print_plain(path);
        printf(": %s\n", err_text(result));
    }
}

struct case_search {
    struct id finding;
    uint64_t files;
    bool is_found;
};

static int case_find(void *context, const struct vault_case_state *state)
{
    struct case_search *search = context;

    if (id_is(&search->finding, &state->finding)) {
        search->files = state->files;
        search->is_found = true;
    }
    return 0;
}

static int case_act(struct vault *vault, const struct id *finding,
                    const struct vault_settings *settings, uint64_t files)
{
    struct case_view run = {.settings = settings};
    struct vault_report report = {};
    int r;

    vault_bar_start(&run.bar, files, !settings->is_json);
    r = settings->is_undo ? vault_case_undo(vault, finding, case_progress, &run, &report)
                          : vault_case_restore(vault, finding, case_progress, &run, &report);
    vault_bar_end(&run.bar);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("the case could not be carried out: %s"),
                            err_text(r));
    }
    if (!settings->is_json) {
        printf(settings->is_undo ? _("%llu files taken back, %llu failed")
                                 : _("%llu files done, %llu failed"),
               (unsigned long long)(report.files - report.failed),
               (unsigned long long)report.failed);
        putchar('\n');
    }
    return report.failed != 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}

/* What is asked of one case, which must be there. */
static int case_one(struct vault *vault, const struct id *finding, struct vault_settings *settings)
{
    const struct vault_filter mine = {.finding = finding, .limit = SIZE_MAX};
    struct case_search search = {.finding = *finding};
    char text[ID_TEXT_SIZE];
    int r = vault_case_list(vault, case_find, &search);

    if (r == 0 && !search.is_found) {
        id_format(finding, text);
        return command_fail(EXIT_STATUS_FAILED,
                            _("there is no open case %s; canhgac vault case lists them"), text);
    }
    if (r == 0 && (settings->is_restore || settings->is_undo)) {
        return case_act(vault, finding, settings, search.files);
    }
    if (r == 0) {
        r = settings->is_close ? vault_case_close(vault, finding)
                               : vault_list(vault, &mine, list_each, settings);
    }
    return r < 0 ? vault_fail(r) : EXIT_STATUS_CLEAN;
}

static int case_run(const struct command_call *call)
{
    struct vault_settings *settings = call->settings;
    CLEANUP(vault_closep) struct vault *vault = NULL;
    struct id finding;
    int acts = settings->is_restore + settings->is_undo + settings->is_close;
    int r;

    if (acts > 1 || call->operands.count > 1 || (acts == 1 && call->operands.count != 1)) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("name one case and one of --restore, --undo, --close"));
    }
    r = call->operands.count == 1 ? call_finding(call->operands.items[0], &finding) : 0;
    r = r != 0 ? r : call_open(call, &vault);
    if (r != 0) {
        return r;
    }
    if (call->operands.count == 1) {
        return case_one(vault, &finding, settings);
    }
    r = vault_case_list(vault, case_each, settings);
    return r < 0 ? vault_fail(r) : EXIT_STATUS_CLEAN;
}

static const struct command vault_verbs[] = {
    {
        .name = "list",
        .summary = N_("List the versions that are kept"),
        .rows = list_rows,
        .settings_size = sizeof(struct vault_settings),
        .run = list_run,
    },
    {
        .name = "show",
        .summary = N_("Show everything about one version"),
        .operands = N_("VERSION"),
        .rows = plain_rows,
        .settings_size = sizeof(struct vault_settings),
        .run = show_run,
    },
    {
        .name = "verify",
        .summary = N_("Read versions and compare them with their checksums"),
        .operands = N_("[VERSION…]"),
        .details = N_("Without a number all versions are read. Exit status 1 when one is damaged."),
        .rows = plain_rows,
        .settings_size = sizeof(struct vault_settings),
        .run = verify_run,
    },
    {
        .name = "restore",
        .summary = N_("Bring one version back"),
        .operands = N_("VERSION"),
        .details = N_(
            "Content, owner, mode, times, attributes and access list come back. What stands at the "
            "path already is replaced only with --force, and is kept in the vault first."),
        .rows = restore_rows,
        .settings_size = sizeof(struct vault_settings),
        .run = restore_run,
    },
    {
        .name = "drop",
        .summary = N_("Remove versions for good"),
        .operands = N_("VERSION…"),
        .rows = plain_rows,
        .settings_size = sizeof(struct vault_settings),
        .run = drop_run,
    },
    {
        .name = "case",
        .summary = N_("List open cases, or restore, undo or close one"),
        .operands = N_("[ID]"),
        .details = N_(
            "A case binds all files of one finding. Restoring may be repeated and interrupted: it "
            "always comes to the same end. Undo puts back the very files the program had made."),
        .rows = case_rows,
        .settings_size = sizeof(struct vault_settings),
        .run = case_run,
    },
    {},
};

const struct command vault_command = {
    .name = "vault",
    .summary = N_("List, check and restore the copies made before files were changed"),
    .verbs = vault_verbs,
};
