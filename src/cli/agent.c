/* canhgac agent: the watch on one machine. */
#include "agent/link.h"
#include "agent/printer.h"
#include "agent/settings.h"
#include "agent/supervisor.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/agent_decide.h"
#include "cli/agent_enrol.h"
#include "cli/command.h"
#include "link/identity.h"

/* Whether this host has a centre; diag says what to do when it has none. */
static int agent_check_enrolled(const struct agent_settings *settings, struct arena *arena,
                                struct diag *diag)
{
    struct str folder = arena_printf(arena, "%s/" LINK_IDENTITY_FOLDER, settings->folder);
    struct identity identity;
    int r;

    if (folder.ptr == NULL) {
        return -ERR_NOMEM;
    }
    identity_init(&identity);
    r = identity_load(&identity, folder.ptr, diag);
    identity_done(&identity);
    return r;
}

/* What somebody without rights may start is said in one sentence, so that nobody takes it for more.
 */
static int agent_check_rights(const struct agent_settings *settings, struct diag *diag)
{
    if (settings->is_guard_only && settings->webroots.count == 0) {
        return diag_set(diag, -ERR_SYNTAX,
                        _("--guard-only guards document roots: name one with --webroot"));
    }
    if (settings->is_guard_only) {
        log_warn("%s", _("only document roots are guarded: no file is kept from encryption, no "
                         "program is stopped"));
        return 0;
    }
    return geteuid() == 0 ? 0
                          : diag_set(diag, -ERR_ACCES,
                                     _("the agent must be started by root: it guards files of all "
                                       "users; without, --guard-only keeps a website as it was "
                                       "signed"));
}

static int agent_run(const struct command_call *call)
{
    struct agent_settings *settings = call->settings;
    struct diag diag = {0};
    int r;

    log_init("agent", LOG_LEVEL_INFO);
    r = agent_check_rights(settings, &diag);
    if (r < 0) {
        return command_fail(r == -ERR_SYNTAX ? EXIT_STATUS_USAGE : EXIT_STATUS_FAILED, "%s",
                            diag_text(&diag, r));
    }
    r = settings->is_standalone ? 0 : agent_check_enrolled(settings, call->arena, &diag);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("%s; or use --standalone"), diag_text(&diag, r));
    }
    r = agent_supervise(settings, settings->is_standalone ? printer_run : link_run, &diag);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r));
    }
    return r;
}

static const char *agent_config(const void *settings)
{
    return ((const struct agent_settings *)settings)->config;
}

static const struct command agent_verbs[] = {
    {.name = "enrol",
     .summary = N_("Make this host known to a centre"),
     .operands = N_("HOST[:PORT] TOKEN"),
     .details = N_("The token comes from 'canhgac centre token' on the centre and is good once. It "
                   "carries the "
                   "centre's fingerprint: nothing is sent to anybody else. The host's key is made "
                   "here and never "
                   "leaves it."),
     .rows = agent_enrol_rows,
     .settings_size = sizeof(struct agent_enrol_settings),
     .run = agent_enrol_run},
    {.name = "decide",
     .summary = N_("Say what becomes of a stopped program, on a host without a centre"),
     .operands = N_("FINDING resume|kill|restore|undo-restore"),
     .details = N_("The number of the finding is in what the agent prints with --json. 'resume' "
                   "lets the program go on and first gives it back its own versions of the files; "
                   "'kill' ends it; 'restore' and 'undo-restore' only change the files."),
     .rows = agent_decide_rows,
     .settings_size = sizeof(struct agent_decide_settings),
     .run = agent_decide_run},
    {},
};

const struct command agent_command = {
    .name = "agent",
    .summary = N_("Guard this machine's files against encryption"),
    .details =
        N_("Holds back each first write to a guarded file until a copy of it is safe, stops "
           "programs that destroy files, and puts the files back. With --standalone it needs no "
           "centre: findings are printed, and SIGTERM or Ctrl+C ends it."),
    .rows = agent_setting_rows,
    .settings_size = sizeof(struct agent_settings),
    .verbs = agent_verbs,
    .config = agent_config,
    .run = agent_run,
};
