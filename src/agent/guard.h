/* The webroot guard's process: hears what happens in the document roots (fanotify names), compares
 * what changed with the signed manifest, puts it back, keeps the attacker's version as evidence and
 * tells. On its way: kernel → guard/folders.c → guard/look.c → guard/tell.c → supervisor → outlet.
 * Holds: the document roots and its store (Landlock), what it takes to give files their owners
 * back; no network, no other process. */
#ifndef AGENT_GUARD_H
#define AGENT_GUARD_H

#include "agent/settings.h"

struct guard_config {
    const struct agent_settings *settings;
    int supervisor; /* channel */
    int inspector;  /* channel */
};

/* Process body; returns the exit status. */
int guard_run(const struct guard_config *config);

/* The store's folder by the settings: webroot-store, or webroot inside folder. */
void guard_store(const struct agent_settings *settings, char *out, size_t size);

#endif
