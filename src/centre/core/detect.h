/* The core's side of the detector (centre/detector.h): see core/detect.c for what it promises. */
#ifndef CENTRE_CORE_DETECT_H
#define CENTRE_CORE_DETECT_H

#include "base/id.h"
#include "base/str.h"
#include "centre/detector.h"
#include "model/event.h"

#include <stdbool.h>
#include <stdint.h>

struct core;
struct core_call;
struct core_host;
struct core_detect;

[[nodiscard]] int core_detect_new(struct core *core, uint64_t seed,
                                  struct core_detect **ret_detect);
void core_detect_free(struct core_detect *detect);
/* Takes an entry for the open batch. time: that it is to be judged by, ns since 1970; 0: its own.
 * Negative only for failures of the store. */
[[nodiscard]] int core_detect_put(struct core_detect *detect, const struct core_host *host,
                                  const struct event *event, int64_t time);
/* Waits until all that was put has been answered, and writes what was found. */
[[nodiscard]] int core_detect_settle(struct core_detect *detect);
/* The batch is durable. */
void core_detect_committed(struct core_detect *detect);
/* The batch came to nothing: answers under way are not taken, and a detector that has seen entries
 * of it is replaced by one that has not. */
void core_detect_forget(struct core_detect *detect);
void core_detect_count(const struct core_detect *detect, struct detector_counts *ret_counts);

/* Takes what the detector says while nothing is asked of it; core's loop calls it. */
void core_on_detector(void *context, int fd, unsigned events);
/* Filters that have ended go, windows are kept, who waits too long is told so; on each tick. */
void core_detect_tick(struct core_detect *detect);
/* People have changed something: the detector is to know. */
void core_detect_renew(struct core_detect *detect);

/* What it is loaded with. */
struct detect_ready {
    uint32_t rules;
    uint32_t correlations;
    uint32_t refused;
    uint64_t content; /* version of what people added */
    uint64_t version; /* of all; 0: none is ready */
};
void core_detect_ready(const struct core_detect *detect, struct detect_ready *ret_ready);

/* What a call waited for. */
struct detect_answer {
    int result; /* -ERR_TIMEDOUT: nothing came */
    struct detect_ready ready;
    uint32_t count; /* of a check: rules in the text */
    char id[DETECTOR_VALUE_MAX + 1];
    char title[DETECTOR_VALUE_MAX + 1];
    char why[4 * DETECTOR_VALUE_MAX + 1]; /* it was not taken; empty: it was */
};
typedef int core_detect_then_fn(struct core_call *call, const struct detect_answer *answer);
/* Has a text looked at beside all that is in force, and calls then, in a transaction. CORE_LATER;
 * -ERR_BUSY. */
[[nodiscard]] int core_detect_check(struct core_detect *detect, struct core_call *call,
                                    struct str name, struct str text, core_detect_then_fn *then);
/* Has the detector end in good order, so that another reads the files of rules anew, and calls then
 * when that one is ready. */
[[nodiscard]] int core_detect_reload(struct core_detect *detect, struct core_call *call,
                                     core_detect_then_fn *then);

#endif
