/* One connection of the front process: TLS on the network's side, a plain AF_UNIX stream on the
 * other, bytes pumped both ways through two fixed buffers. A side that does not take bytes stops
 * the other side's reading: memory per connection is constant. */
#ifndef CENTRE_FRONT_STREAM_H
#define CENTRE_FRONT_STREAM_H

#include "base/list.h"
#include "base/str.h"
#include "sys/loop.h"
#include "sys/net.h"
#include "sys/tls.h"

#include <stdbool.h>
#include <stdint.h>

#define FRONT_PIPE_SIZE (16U << 10) /* a TLS record */

struct front_pipe {
    size_t from;
    size_t to;
    bool is_ended; /* the source has no more */
    char bytes[FRONT_PIPE_SIZE];
};

struct front_stream {
    struct list node;
    int net;
    bool is_syslog; /* for the receiver */
    int plain;      /* -1 until the handshake is done */
    struct tls *tls;
    struct loop_source *net_source;
    struct loop_source *plain_source; /* NULL too once the other side has hung up */
    struct front_pipe in;             /* network → plain */
    struct front_pipe out;            /* plain → network */
    unsigned read_wants;              /* what TLS waits for, enum loop_events */
    unsigned write_wants;
    int64_t deadline; /* monotonic ns: cut then */
    struct front_peer *peer;
    char address[NET_ADDRESS_SIZE];
    void *owner;
};

/* Moves what can be moved; sets the events to wait for. 0, or negative when the connection is over.
 * *ret_moved: whether any byte went. */
[[nodiscard]] int front_stream_pump(struct front_stream *stream, bool *ret_moved);
/* Closes both sides. Frees nothing else. */
void front_stream_close(struct front_stream *stream);

#endif
