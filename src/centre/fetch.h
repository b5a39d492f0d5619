/* The fetch process: watches websites from outside. It holds outbound network and nothing else; it
 * asks core (or `canhgac watch`) which sites there are and what has been kept of them, fetches
 * their pages politely, has them judged by readers without rights, and tells core what was seen.
 * The supervisor forks it; centre/protocol.h says what comes over the channels. */
#ifndef CENTRE_FETCH_H
#define CENTRE_FETCH_H

#include "base/str.h"
#include "centre/readers.h"
#include "centre/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fetch_channels {
    int core;
    int readers[READERS_MAX];
    size_t reader_count;
    int render;     /* -1: pages are not pictured */
    int supervisor; /* READY and HUNG leave; its end means: finish. -1: none */
};

struct fetch_options {
    const char *user;       /* account to change to; NULL: stay */
    const char *servers;    /* name servers, NULL: the system's */
    struct str authorities; /* PEM of certificate authorities beside the system's */
    bool is_once;           /* each page in each view once, without the usual pause */
    int64_t least_interval; /* ns between two requests to one site … */
    int64_t most_interval;  /* … drawn anew each time; 0: 10 s and 20 s */
    int64_t most_time;      /* ns for one answer; 0: 30 s */
};

/* Returns an exit status. Called in the child, still with its parent's rights: it opens what it
 * must, enters its sandbox, says it is ready, loops. */
int fetch_run(const struct fetch_options *options, const struct fetch_channels *channels);
/* The same with what a centre's settings say. */
int fetch_run_centre(const struct centre_settings *settings, const struct fetch_channels *channels);

#endif
