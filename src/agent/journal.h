/* The process that follows systemd's journal and hands each entry on, in the export form, to the
 * centre's rules. On an entry's way: journal file → journal/read.c → journal/entry.c →
 * agent/follower.h → outlet → spool → centre. libsystemd reads the files. Every right but to read
 * what lies in the journal's folders is given up before the first byte. Each file is read by
 * itself, in the order of the numbers that journald gives entries, and how far each numbering was
 * handed on is noted by whoever has the entry safe, so a kill at any point loses nothing. */
#ifndef AGENT_JOURNAL_H
#define AGENT_JOURNAL_H

#include "agent/settings.h"

struct journal_config {
    const struct agent_settings *settings;
    int supervisor; /* channel: that it is ready */
    int outlet;     /* channel: entries */
};

/* Process body; returns the exit status: 0 when the folders are to be opened anew. */
int journal_run(const struct journal_config *config);

/* Whether the settings want the journal followed and there is a file of one. Needs the right to
 * list its folders. */
bool journal_is_there(const struct agent_settings *settings);

#endif
