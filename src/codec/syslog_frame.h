/* A stream of syslog over TCP or TLS cut into messages (RFC 6587, RFC 5425): each is counted in
 * octets ("83 <34>1 …") or ends with a newline, and a sender may mix them: a digit from 1 to 9 in
 * front begins a count, for a message begins with '<'. A message over the maximum is handed on as
 * its first bytes and counted; the rest of it is passed over. Whole messages inside a piece are not
 * copied. Hostile bytes. */
#ifndef CODEC_SYSLOG_FRAME_H
#define CODEC_SYSLOG_FRAME_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define SYSLOG_FRAME_MAX (1u << 20) /* bytes; the largest that may be asked for */

/* message: borrowed for the call, without its newline; empty ones are not handed on. A negative
 * answer ends the feeding with it. */
typedef int syslog_frame_fn(void *context, struct str message, bool is_cut);

struct syslog_frames {
    struct buf rest; /* the front of a message whose end has not come, with its count */
    size_t max;
    uint64_t passing; /* bytes of a counted message that are passed over */
    bool is_passing_line;
    syslog_frame_fn *fn;
    void *context;
    uint64_t count; /* messages handed on */
    uint64_t cut;   /* of them too long */
};

void syslog_frames_init(struct syslog_frames *frames, size_t max, syslog_frame_fn *fn,
                        void *context);
void syslog_frames_done(struct syslog_frames *frames);
/* -ERR_NOMEM, -ERR_PROTO for a count that no sender means (the stream cannot be found again: close
 * it), or what fn answered. */
[[nodiscard]] int syslog_frames_feed(struct syslog_frames *frames, struct str piece);
/* The stream has ended: hands on what stands there without its end, as cut if it was counted. */
[[nodiscard]] int syslog_frames_end(struct syslog_frames *frames);

#endif
