/* canhgac agent: the watch on one machine. */
#include "agent/printer.h"
#include "agent/settings.h"
#include "agent/supervisor.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"

static int agent_run(const struct command_call *call)
{
    struct agent_settings *settings = call->settings;
    struct diag diag = {0};
    int r;

    if (geteuid() != 0) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("the agent must be started by root: it guards files of all users"));
    }
    if (!settings->is_standalone) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("this machine is not enrolled at a centre; use --standalone, or "
                              "canhgac agent enrol HOST TOKEN first"));
    }
    log_init("agent", LOG_LEVEL_INFO);
    r = agent_supervise(settings, printer_run, &diag);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r));
    }
    return r;
}

const struct command agent_command = {
    .name = "agent",
    .summary = N_("Guard this machine's files against encryption"),
    .details = N_("Holds back each first write to a guarded file until a copy of it is safe, stops "
                  "programs that destroy files, and puts the files back. With --standalone it needs no "
                  "centre: findings are printed, and SIGTERM or Ctrl+C ends it."),
    .rows = agent_setting_rows,
    .settings_size = sizeof(struct agent_settings),
    .run = agent_run,
};
