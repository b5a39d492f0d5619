/* The core's side of the detector (centre/detector.h): see core/detect.c for what it promises. */
#ifndef CENTRE_CORE_DETECT_H
#define CENTRE_CORE_DETECT_H

#include "base/id.h"
#include "base/str.h"
#include "centre/detector.h"
#include "model/event.h"

#include <stdint.h>

struct core;
struct core_host;
struct core_detect;

[[nodiscard]] int core_detect_new(struct core *core, uint64_t seed,
                                  struct core_detect **ret_detect);
void core_detect_free(struct core_detect *detect);
/* Takes an entry for the open batch. Negative only for failures of the store. */
[[nodiscard]] int core_detect_put(struct core_detect *detect, const struct core_host *host,
                                  const struct event *event);
/* Waits until all that was put has been answered, and writes what was found. */
[[nodiscard]] int core_detect_settle(struct core_detect *detect);
/* The batch came to nothing: answers under way are not taken. */
void core_detect_forget(struct core_detect *detect);
void core_detect_count(const struct core_detect *detect, struct detector_counts *ret_counts);

#endif
