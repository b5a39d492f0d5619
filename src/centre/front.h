/* The front process: the only one on the network's side of a centre. It takes off TLS and hands
 * plain streams to core (agents) and api (browsers); it parses nothing above TLS. */
#ifndef CENTRE_FRONT_H
#define CENTRE_FRONT_H

#include "centre/listeners.h"
#include "centre/settings.h"

struct front_channels {
    const struct listeners *listeners; /* those of TLS; who connects for syslog says nothing of
                                          itself (RFC 5425) */
    int core;                          /* CENTRE_MESSAGE_AGENT leaves */
    int api;                           /* CENTRE_MESSAGE_BROWSER leaves */
    int receiver;                      /* RECEIVER_MESSAGE_STREAM leaves; -1: none */
    int supervisor;                    /* READY leaves; its end means: finish */
};

/* As core_run (centre/core.h). */
int front_run(const struct centre_settings *settings, struct front_channels channels);

#endif
