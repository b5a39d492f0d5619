/* What the files of the supervisor share; for nobody else. */
#ifndef CENTRE_SUPERVISOR_PRIVATE_H
#define CENTRE_SUPERVISOR_PRIVATE_H

#include "base/diag.h"
#include "centre/listeners.h"
#include "centre/settings.h"
#include "sys/channel.h"
#include "sys/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SUPERVISOR_KEEP_MAX (2 * LISTENERS_MAX + 8)
#define SUPERVISOR_READERS  2 /* pages are read beside each other on so many processors */
#define SUPERVISOR_PAIRS    (10 + SUPERVISOR_READERS) /* channels between children */

enum supervisor_child {
    SUPERVISOR_CORE, /* first: the others read what it has made */
    SUPERVISOR_API,
    SUPERVISOR_FRONT,
    SUPERVISOR_FETCH, /* from here on the centre is on watch without them */
    SUPERVISOR_DETECTOR,
    SUPERVISOR_RECEIVER,
    SUPERVISOR_SIFTER,
    SUPERVISOR_READER, /* the first of SUPERVISOR_READERS */
    SUPERVISOR_RENDER = SUPERVISOR_READER + SUPERVISOR_READERS, /* where there is a browser */
    SUPERVISOR_COUNT,
};

struct supervisor;

struct child {
    struct supervisor *supervisor;
    enum supervisor_child which;
    pid_t pid;       /* 0: not running */
    int channel;     /* our end, -1 */
    int far_channel; /* the child's end, while it is being started */
    bool is_ready;
    int64_t started; /* monotonic ns, 0: never yet */
    uint64_t deaths; /* within a minute of each other */
    struct loop_source *source;
    struct loop_source *timer;
};

struct supervisor {
    const struct centre_settings *settings; /* what it was started with */
    struct centre_settings next;            /* what its children are started with */
    struct loop *loop;
    struct listeners listeners;
    int control;
    int front_core[2];
    int front_api[2];
    int api_core[2];
    int api_sifter[2];
    int detector_core[2];
    int receiver_core[2];
    int receiver_api[2];
    int front_receiver[2];
    int fetch_core[2];
    int fetch_reader[SUPERVISOR_READERS][2];
    int fetch_render[2];
    struct child children[SUPERVISOR_COUNT];
    struct loop_source *end_timer;
    bool is_ending;
    bool is_announced;
    int result;        /* of the whole */
    struct diag *diag; /* why it ends by itself */
    struct msg_writer msg;
    struct channel_packet packet;
};

/* supervisor/children.c */
const char *supervisor_name(enum supervisor_child which);
/* Body of a struct child. */
int supervisor_body(void *context);
/* Which descriptors a child gets to keep. */
size_t supervisor_keep(const struct child *child, int keep[SUPERVISOR_KEEP_MAX]);
void supervisor_list_pairs(struct supervisor *supervisor, int (*ret_pairs[SUPERVISOR_PAIRS])[2]);

#endif
