/* Lines of other logs inside a record: what shippers and container runtimes wrap in JSON, and what
 * is sent through syslog, is read by the line's own format, as if it had come by itself. */
#ifndef CODEC_NDJSON_LINE_H
#define CODEC_NDJSON_LINE_H

#include "codec/logs.h"

/* Remembers from line to line; starts zeroed. */
struct ndjson_line {
    struct log_reading *reading;     /* NULL: no line was met */
    const struct log_format *format; /* of the last one that some format knew */
};

void ndjson_line_done(struct ndjson_line *line);
/* Reads the first line of text. 1: a format knew it and found one whole record; its fields, and of
 * time, host and source what it tells, are in outer's entry until the next one; 0: none did, and
 * the entry is as it was; -ERR_NOMEM. */
[[nodiscard]] int ndjson_line_read(struct ndjson_line *line, struct log_reading *outer,
                                   struct str text);

#endif
