/* A stream of bytes, given a piece at a time, cut into lines: '\n' ends one, a '\r' before it falls
 * away. A line over the maximum is handed on as its first bytes and counted, the rest of it is
 * passed over: nobody's long line makes memory grow or hides the next one. Whole lines inside a
 * piece are not copied. */
#ifndef CODEC_LINES_H
#define CODEC_LINES_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* line: borrowed for the call. A negative answer ends lines_feed with it. */
typedef int lines_fn(void *context, struct str line, bool is_cut);

struct lines {
    struct buf rest; /* the beginning of a line whose end has not come */
    size_t max;
    bool is_passing; /* over the rest of a line that was too long */
    lines_fn *fn;
    void *context;
    uint64_t count; /* lines handed on */
    uint64_t cut;   /* of them too long */
};

void lines_init(struct lines *lines, size_t max, lines_fn *fn, void *context);
void lines_done(struct lines *lines);
/* -ERR_NOMEM, or what fn answered: the rest of the piece is then lost. */
[[nodiscard]] int lines_feed(struct lines *lines, struct str piece);
/* The stream has ended: hands on a last line without its newline. */
[[nodiscard]] int lines_end(struct lines *lines);

#endif
