/* A judge's steps as NDJSON, one object a line: recorded by the sensor, replayed by tests and by
 * whoever asks why a program was stopped. A content step keeps its signs, not its bytes; reading it
 * makes up histograms that have the same signs, so that a replay gives the same rulings. Pure. */
#ifndef DETECT_RANSOM_TRACE_H
#define DETECT_RANSOM_TRACE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "detect/ransom/judge.h"

/* A step that was read: .step points into the rest, so it must not be copied. */
struct trace_step {
    struct judge_step step;
    struct actor actor;
    struct content_change change;
};

/* Appends one line; the buffer's sticky error tells a failure. */
void trace_write(struct buf *buf, const struct judge_step *step);
/* Reads one line; texts live in the arena. -ERR_SYNTAX with a sentence, -ERR_LIMIT, -ERR_NOMEM. */
[[nodiscard]] int trace_read(struct str line, struct arena *arena, struct trace_step *ret_step,
                             struct diag *diag);

#endif
