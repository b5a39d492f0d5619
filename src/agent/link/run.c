/* The link process under an agent's settings: see agent/link.h. Called by agent/supervisor.c. */
#include "agent/link.h"
#include "base/banned.h"

#include <pwd.h>

#define LINK_PATH_SIZE 4096

int link_run(const struct agent_outlet *outlet)
{
    const struct agent_settings *settings = outlet->settings;
    char identity[LINK_PATH_SIZE];
    char spool[LINK_PATH_SIZE];
    const struct link_settings link = {
        .identity = identity,
        .spool = spool,
        .spool_bytes = settings->spool_bytes,
        .user = getpwnam(LINK_USER) != NULL ? LINK_USER : NULL,
        .clock = &clock_real,
    };

    (void)snprintf(identity, sizeof(identity), "%s/" LINK_IDENTITY_FOLDER, settings->folder);
    (void)snprintf(spool, sizeof(spool), "%s/" LINK_SPOOL_FOLDER, settings->folder);
    return link_serve(&link, outlet);
}
