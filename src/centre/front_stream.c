/* Pumping between TLS and a plain stream: see centre/front_stream.h. Between sys/tls.c and the
 * streams that centre/front.c hands to core and api. */
#include "centre/front_stream.h"

#include "base/banned.h"
#include "base/err.h"
#include "sys/fd.h"

#include <errno.h>
#include <sys/socket.h>

#define FRONT_ROUNDS 16 /* then others have their turn */

static bool front_pipe_is_empty(const struct front_pipe *pipe)
{
    return pipe->from == pipe->to;
}

static bool front_pipe_has_room(const struct front_pipe *pipe)
{
    return !pipe->is_ended && pipe->to < FRONT_PIPE_SIZE;
}

static void front_pipe_take(struct front_pipe *pipe, size_t len)
{
    pipe->from += len;
    if (pipe->from == pipe->to) {
        pipe->from = 0;
        pipe->to = 0;
    }
}

/* Each step returns 1 when bytes went, 0 when it must wait, negative when the connection is over.
 */
static int front_read_net(struct front_stream *stream)
{
    struct front_pipe *pipe = &stream->in;
    size_t len = 0;
    int r;

    if (!front_pipe_has_room(pipe)) {
        return 0;
    }
    r = tls_read(stream->tls, pipe->bytes + pipe->to, FRONT_PIPE_SIZE - pipe->to, &len);
    if (r == -ERR_AGAIN) {
        stream->read_wants = tls_wants(stream->tls);
        return 0;
    }
    if (r == -ERR_PIPE) {
        pipe->is_ended = true;
        if (front_pipe_is_empty(pipe)) {
            (void)shutdown(stream->plain, SHUT_WR);
        }
        return 1;
    }
    pipe->to += len;
    return r < 0 ? r : 1;
}

static int front_write_plain(struct front_stream *stream)
{
    struct front_pipe *pipe = &stream->in;
    ssize_t n;

    if (front_pipe_is_empty(pipe)) {
        return 0;
    }
    n = send(stream->plain, pipe->bytes + pipe->from, pipe->to - pipe->from,
             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
        if (errno == EPIPE) { /* it reads no more; it may still have something to say */
            front_pipe_take(pipe, pipe->to - pipe->from);
            pipe->is_ended = true;
            return 1;
        }
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    }
    front_pipe_take(pipe, (size_t)n);
    if (pipe->is_ended && front_pipe_is_empty(pipe)) {
        (void)shutdown(stream->plain, SHUT_WR);
    }
    return 1;
}

static int front_read_plain(struct front_stream *stream)
{
    struct front_pipe *pipe = &stream->out;
    ssize_t n;

    if (!front_pipe_has_room(pipe)) {
        return 0;
    }
    n = recv(stream->plain, pipe->bytes + pipe->to, FRONT_PIPE_SIZE - pipe->to, MSG_DONTWAIT);
    if (n < 0) {
        if (errno == EAGAIN || errno == EINTR) {
            return 0;
        }
        n = 0; /* it is gone: send what there is, then end */
    }
    pipe->is_ended = n == 0;
    pipe->to += (size_t)n;
    return 1;
}

static int front_write_net(struct front_stream *stream)
{
    struct front_pipe *pipe = &stream->out;
    size_t len = 0;
    int r;

    if (front_pipe_is_empty(pipe)) {
        return pipe->is_ended ? -ERR_PIPE : 0;
    }
    r = tls_write(stream->tls, pipe->bytes + pipe->from, pipe->to - pipe->from, &len);
    if (r == -ERR_AGAIN) {
        stream->write_wants = tls_wants(stream->tls);
        return 0;
    }
    if (r < 0) {
        return r;
    }
    front_pipe_take(pipe, len);
    return 1;
}

static int front_stream_wait(struct front_stream *stream, bool is_more)
{
    unsigned net = stream->write_wants;
    unsigned plain = 0;
    int r;

    if (front_pipe_has_room(&stream->in)) {
        net |= stream->read_wants | LOOP_READ;
    }
    if (is_more) { /* stopped for fairness: come back at once */
        net |= LOOP_WRITE;
    }
    if (front_pipe_has_room(&stream->out)) {
        plain |= LOOP_READ;
    }
    if (!front_pipe_is_empty(&stream->in)) {
        plain |= LOOP_WRITE;
    }
    r = loop_source_set_events(stream->net_source, net);
    if (r == 0 && stream->plain_source != NULL) {
        r = loop_source_set_events(stream->plain_source, plain);
    }
    return r;
}

int front_stream_pump(struct front_stream *stream, bool *ret_moved)
{
    static int (*const steps[])(struct front_stream *) = {front_write_plain, front_read_net,
                                                          front_read_plain, front_write_net};
    bool is_moving = true;
    int r;

    *ret_moved = false;
    stream->read_wants = 0;
    stream->write_wants = 0;
    for (int round = 0; is_moving && round < FRONT_ROUNDS; round++) {
        is_moving = false;
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
            r = steps[i](stream);
            if (r < 0) {
                return r;
            }
            is_moving = is_moving || r == 1;
        }
        *ret_moved = *ret_moved || is_moving;
    }
    return front_stream_wait(stream, is_moving);
}

void front_stream_close(struct front_stream *stream)
{
    loop_source_free(stream->net_source);
    loop_source_free(stream->plain_source);
    stream->net_source = NULL;
    stream->plain_source = NULL;
    if (stream->tls != NULL) {
        tls_close(stream->tls);
    }
    tls_freep(&stream->tls);
    closep(&stream->net);
    closep(&stream->plain);
}
