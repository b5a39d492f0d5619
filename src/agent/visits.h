/* The process that follows the web server's access logs and tells when search engines, or people
 * who come from a search, get another page than everybody else: no fetch from outside can see what
 * is shown to the engines' own addresses only. On the lines' way: file → visits/logs.c →
 * codec/weblog.c → detect/deface/crawl.c → visits/tell.c → supervisor → outlet.
 * The logs are opened first; every right is given up before the first line, which visitors wrote,
 * is read. When a log is rotated or a new one appears the process ends, and the next one opens them
 * anew, so that none needs the right to open anything later. Nothing is kept over that: the log
 * and the one before it (NAME.1) are read again. */
#ifndef AGENT_VISITS_H
#define AGENT_VISITS_H

#include "agent/settings.h"

struct visits_config {
    const struct agent_settings *settings;
    int supervisor; /* channel */
};

/* Process body; returns the exit status: 0 when the logs are to be opened anew. */
int visits_run(const struct visits_config *config);

#endif
