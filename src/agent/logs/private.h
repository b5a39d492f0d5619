/* What the files of the logs' process share; for nobody else. */
#ifndef AGENT_LOGS_PRIVATE_H
#define AGENT_LOGS_PRIVATE_H

#include "agent/follower.h"
#include "agent/logs.h"
#include "agent/rotation.h"
#include "codec/logs.h"

#include <limits.h>

#define LOGS_MAX   64
#define LOGS_HEAD  2048                 /* bytes: the lines that name a file's columns */
#define LOGS_PIECE (2 * ENTRY_SIZE_MAX) /* read at most: the longest entry fits */
#define LOGS_READ  (256U << 10)         /* read at a time, if an entry ends in it */

/* One file that is read on from a place. */
struct log_file {
    int fd;                   /* -1: not there */
    struct position position; /* what stands before it was handed on */
};

struct log_source {
    char path[PATH_MAX];
    struct log_file now;
    struct log_file old;             /* rotated away before all of it was read */
    bool is_noted;                   /* the place in `now` has been sent at least once */
    uint64_t unjudged;               /* bytes a new log came with, until its first entry is seen */
    const struct log_format *format; /* NULL: nothing has been read yet */
    char head[LOGS_HEAD];            /* of the file, for formats that need it */
    size_t head_len;
};

struct logs {
    const struct logs_config *config;
    struct follower follower;
    struct rotation rotation;
    struct log_source sources[LOGS_MAX];
    size_t count;
    struct log_reading reading;
    int32_t zone; /* seconds east of UTC, of the host */
    char *piece;
    int64_t reopen;
};

/* logs/follow.c: what the settings name, each at the place that was noted; one that was never read
 * at its end, or from its beginning when it came to be while logs were watched and is no copy.
 * Needs the rights that are given up afterwards. */
[[nodiscard]] int logs_open(struct logs *logs, struct diag *diag);
void logs_close(struct logs *logs);
/* Hands on what has come; whether there is more. */
bool logs_read(struct logs *logs);

/* logs/send.c: takes one entry, with the place behind it. It is sent with others of its file, at
 * the latest by logs_flush, which moves the file's position behind what was sent. -ERR_AGAIN: the
 * outlet takes nothing now, and what waited is to be read again. */
[[nodiscard]] int logs_send(struct logs *logs, const struct log_source *source,
                            struct log_file *file, const struct entry *entry,
                            const struct position *position);
[[nodiscard]] int logs_flush(struct logs *logs, struct log_file *file);

#endif
