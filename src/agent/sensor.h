/* The sensor process: sees, decides, stops. It holds the fanotify groups and the right to read any
 * file and to signal any process; it has no network and, but for the vault, writes nothing. */
#ifndef AGENT_SENSOR_H
#define AGENT_SENSOR_H

#include "agent/page.h"
#include "agent/settings.h"
#include "sense/files.h"

struct sensor_config {
    const struct agent_settings *settings;
    struct page *page;
    int gate;
    int names;
    int doze;                   /* sys/doze.h; -1: none */
    const int *processes;       /* PROCWATCH_FDS of them; the first is -1: none */
    const char *processes_lack; /* why it is not eBPF, or why there is none; "" else */
    int supervisor;             /* channels */
    int outlet;
    int scanner;
    int leash;
    int watch_fd; /* eventfd, for watchdog_stir */
    const struct files_place *places;
    size_t place_count;
    const char *vault_folder;
    const char *user; /* NULL: stay */
};

/* Process body; returns the exit status. */
int sensor_run(const struct sensor_config *config);

#endif
