/* What the files of the visits' process share; for nobody else. */
#ifndef AGENT_VISITS_PRIVATE_H
#define AGENT_VISITS_PRIVATE_H

#include "agent/outbox.h"
#include "agent/rotation.h"
#include "agent/visits.h"
#include "base/map.h"
#include "codec/lines.h"
#include "codec/weblog.h"
#include "detect/deface/crawl.h"
#include "sys/channel.h"
#include "sys/loop.h"

#include <limits.h>

#define VISITS_LOGS_MAX  64
#define VISITS_PAGES_MAX 40000       /* compared at a time, over all logs */
#define VISITS_TAIL      (64U << 20) /* of a log's end is read when it is opened, bytes */
#define VISITS_MARK      64          /* bytes before the place read up to, kept to know it again */

/* One log: what it says is judged apart from the others, since few formats name the host. */
struct visits_log {
    char path[PATH_MAX];
    int fd;           /* -1: it is not there yet */
    int old_fd;       /* the one before it, until it has been read; -1: none */
    bool is_mid_line; /* the first line read is the rest of one */
    size_t mark_len;
    char mark[VISITS_MARK];
    struct lines lines;
    struct weblog_format format;
    struct crawl *crawl;
    uint64_t taken;   /* lines that fit the format */
    uint64_t refused; /* lines that do not */
    uint64_t told_at; /* taken, when it was judged last */
    bool is_refusal_told;
};

struct visits {
    const struct visits_config *config;
    struct outbox supervisor;
    struct msg_writer msg;
    struct loop *loop;
    struct rotation rotation;
    struct visits_log *logs[VISITS_LOGS_MAX];
    size_t count;
    struct map told; /* finding's id → struct visits_told */
    int64_t judged;  /* monotonic */
    int64_t reopen;  /* monotonic, when the process ends to have the logs opened anew; 0: not */
};

/* visits/logs.c: what the settings name, patterns in the last part of a path written out. Needs the
 * rights that are given up afterwards. */
[[nodiscard]] int visits_open(struct visits *visits, struct diag *diag);
void visits_close(struct visits *visits);
/* Reads what has come, at most a good piece of each log; whether there is more. */
bool visits_read(struct visits *visits);

/* visits/tell.c: judges the logs that have new lines and tells what was not told yet. */
void visits_judge(struct visits *visits);
void visits_forget_told(struct visits *visits);

#endif
