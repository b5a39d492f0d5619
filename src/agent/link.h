/* The link process of an agent: takes records from the sensor, keeps them in the spool until the
 * centre has committed them, and hands actions from the centre to the supervisor. The only process
 * of an agent on the network's side; it reads no file but its own. */
#ifndef AGENT_LINK_H
#define AGENT_LINK_H

#include "agent/supervisor.h"
#include "base/time.h"

#include <stdint.h>

struct link_settings {
    const char *identity;      /* folder, see link/identity.h */
    const char *spool;         /* folder; made when it is missing */
    int64_t spool_bytes;       /* most on disk */
    const char *user;          /* system account, NULL: stay the user that started it */
    const struct clock *clock; /* &clock_real but in tests */
};

/* Below the agent's folder. */
#define LINK_IDENTITY_FOLDER "agent"
#define LINK_SPOOL_FOLDER    "spool"
#define LINK_USER            "canhgac-link"

/* Process body (agent/supervisor.h: agent_outlet_fn): an exit status. Ends on SIGTERM, after what
 * waits in its channels is in the spool, or when the supervisor has gone. */
int link_run(const struct agent_outlet *outlet);
/* The same with everything given; the settings of outlet are not looked at. */
int link_serve(const struct link_settings *settings, const struct agent_outlet *outlet);

#endif
