/* The core process: the only writer of the store. The supervisor forks it; see centre/protocol.h
 * for what comes over the channels and link/server.h for what an agent's stream carries. */
#ifndef CENTRE_CORE_H
#define CENTRE_CORE_H

#include "centre/settings.h"

/* Each is one end of a channel (sys/channel.h). The supervisor keeps a copy of both ends of
 * front–core and api–core, so a peer that died and came back speaks over the same channel: no end
 * of file is seen, and a reply to a question that a former process asked may arrive: unknown
 * numbers are ignored. */
struct core_channels {
    int front;    /* CENTRE_MESSAGE_AGENT arrives */
    int api;      /* CENTRE_MESSAGE_REQUEST arrives; REPLY and CHANGED leave */
    int fetch;    /* SITES_ASK, PROFILE_ASK and CHECK arrive; SITES, PROFILE, LOOK and SITES_CHANGED
                     leave. -1 in a test that has none */
    int detector; /* ENTRIES leave, HITS arrive (centre/detector.h); -1 in a test that has none */
    int receiver; /* HELLO, ENTRIES and COUNTS arrive, GREETED and DURABLE leave
                     (centre/receiver.h); -1 in a test that has none */
    int supervisor; /* READY leaves; OPERATOR and DIED arrive; its end means: finish */
};

/* Returns an exit status when told to end (SIGTERM, or the supervisor has gone). Called in the
 * child, still with the supervisor's rights: it opens what it must, enters its sandbox
 * (settings->core_user), sends READY, loops. The authority (link/authority.h) is read from
 * CENTRE_CA_CERT and CENTRE_CA_KEY before the sandbox. */
int core_run(const struct centre_settings *settings, struct core_channels channels);

#endif
