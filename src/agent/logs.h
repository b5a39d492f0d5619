/* The process that follows the host's logs and hands each entry on, as it was written, to the
 * centre's rules. On an entry's way: file → logs/follow.c → logs/send.c → outlet → spool → centre.
 * The logs are opened first; every right is given up before the first byte, which anybody may have
 * caused, is read. When a log is rotated or a new one appears the process ends, and the next one
 * opens them anew. Nothing is dropped here: while the spool takes nothing, reading waits, and the
 * file keeps what has not been read. How far each log was read is noted by whoever has the entry
 * safe (agent/positions.h), so a kill at any point loses nothing. */
#ifndef AGENT_LOGS_H
#define AGENT_LOGS_H

#include "agent/settings.h"

struct logs_config {
    const struct agent_settings *settings;
    int supervisor; /* channel: that it is ready */
    int outlet;     /* channel: entries */
    int64_t since;  /* logs that came to be later are read whole: ns since 1970; 0: none are */
};

/* Process body; returns the exit status: 0 when the logs are to be opened anew. */
int logs_run(const struct logs_config *config);

#endif
