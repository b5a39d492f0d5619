/* canhgac watch: so far, stored versions of pages. See watch_replay.h. */
#include "base/banned.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/watch_replay.h"

struct watch_settings {
    const char *replay;
    const char *domains;
    bool json;
};

static const struct setting watch_rows[] = {
    {"replay", 0, SETTING_TEXT, NULL, NULL, NULL, offsetof(struct watch_settings, replay),
     N_("DIR"), N_("judge stored versions: DIR/PAGE/EPOCH.html and DIR/PAGE/EPOCH.VIEW.html")},
    {"domains", 0, SETTING_TEXT, NULL, NULL, NULL, offsetof(struct watch_settings, domains),
     N_("FILE"), N_("betting domains, one a line: a link to one of them is an attack")},
    {"json", 'j', SETTING_FLAG, NULL, NULL, NULL, offsetof(struct watch_settings, json), NULL,
     N_("one JSON object a version")},
    {},
};

static int watch_run(const struct command_call *call)
{
    const struct watch_settings *settings = call->settings;
    const struct watch_replay_options options = {settings->replay, settings->domains,
                                                 settings->json};

    if (settings->replay == NULL) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("give the folder of stored versions: --replay DIR"));
    }
    return watch_replay(&options);
}

const struct command watch_command = {
    .name = "watch",
    .summary = N_("Judge what became of web pages"),
    .rows = watch_rows,
    .settings_size = sizeof(struct watch_settings),
    .run = watch_run,
};
