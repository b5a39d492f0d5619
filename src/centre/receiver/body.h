/* The receiver's process as its files share it: sockets, connections, posts, the queue and the
 * channels. For nobody else. */
#ifndef CENTRE_RECEIVER_BODY_H
#define CENTRE_RECEIVER_BODY_H

#include "base/map.h"
#include "centre/peer.h"
#include "centre/receiver/overflow.h"
#include "centre/receiver/private.h"
#include "centre/receiver/queue.h"
#include "centre/receiver/repeats.h"
#include "codec/syslog_frame.h"
#include "sys/channel.h"
#include "sys/loop.h"

#define LISTENERS_MAX          16
#define RECEIVER_STREAMS_MAX   2048
#define RECEIVER_STREAMS_EACH  256         /* of one address */
#define RECEIVER_TURN_BYTES    (64U << 10) /* of one address, in a turn of the loop */
#define RECEIVER_PEERS_MAX     (RECEIVER_STREAMS_MAX + 1) /* with one for whom another yields */
#define RECEIVER_POSTS_MAX     512
#define RECEIVER_QUEUE_SIZE    (64U << 20)
#define RECEIVER_OVERFLOW_SIZE (1ULL << 30)

/* What is remembered of an address that has connections. */
struct receiver_peer {
    struct peer peer;
    uint64_t turn;   /* in which it was read last … */
    size_t read;     /* … and the bytes that were read, or asked for */
    uint64_t round;  /* in which each of its streams has its turn */
    unsigned behind; /* streams that have not had it, though they had something to say */
};

struct receiver_stream {
    struct list node; /* among those that are read, or those that wait for room */
    struct receiver *receiver;
    struct receiver_peer *peer;
    struct loop_source *source; /* NULL while it waits for room */
    struct syslog_frames frames;
    enum receiver_way way;
    int fd;
    int64_t heard;  /* monotonic */
    uint64_t turn;  /* in which it came last */
    uint64_t round; /* in which it was read */
    bool is_behind;
    char address[NET_ADDRESS_SIZE];
};

/* A UDP socket. */
struct receiver_socket {
    struct receiver *receiver;
    struct loop_source *source;
    int fd;
    uint32_t dropped; /* by the kernel, as counted so far */
};

struct receiver {
    const struct receiver_options *options;
    struct loop *loop;
    struct receiver_queue queue;
    struct overflow overflow;
    struct receiver_counts counts;
    struct receiver_counts told;

    struct loop_source *core;
    struct loop_source *api;    /* NULL: there is none */
    struct loop_source *hurry;  /* ends the batch that is filled */
    struct loop_source *end;    /* the time to hand over what is here is over */
    struct loop_source *drain;  /* goes on with what waits in the file */
    struct loop_source *unpack; /* goes on with what is packed */
    bool is_api_waiting;        /* for room: pieces of posts are not read */
    bool is_hurried;
    bool is_hello_due;
    bool is_api_due; /* the api was not greeted yet */
    bool is_greeted;
    bool is_knowing; /* what was taken before: only datagrams are until then */
    bool is_ending;  /* nothing is taken any more; what is here is handed over */

    struct receiver_socket sockets[LISTENERS_MAX];
    struct loop_source *listeners[LISTENERS_MAX];
    struct list streams; /* that are read */
    struct list waiting; /* for room, in their turn */
    unsigned stream_count;
    uint64_t turn; /* of the loop, as streams see it */
    struct map peers;
    uint64_t refused_told;

    struct map posts;
    struct repeats repeats;
    uint64_t post_id;      /* by which core keeps the last one that was new */
    struct list answers;   /* posts that wait until their last batch is durable */
    struct list unpacking; /* posts of which more is to be unpacked, in their turn */

    struct msg_writer msg;
    struct channel_packet packet;
};

/* receiver.c: an entry was put: its batch goes out soon. */
void receiver_hurry(struct receiver *receiver);

/* receiver/datagrams.c */
[[nodiscard]] int receiver_datagrams_start(struct receiver *receiver);
void receiver_datagrams_stop(struct receiver *receiver);
/* Takes from the file what the queue has room for. */
void receiver_datagrams_drain(struct receiver *receiver);
/* Counts what the kernel dropped. */
void receiver_datagrams_count(struct receiver *receiver);

/* receiver/streams.c */
[[nodiscard]] int receiver_streams_start(struct receiver *receiver);
/* Reads no more. */
void receiver_streams_stop(struct receiver *receiver);
/* Takes a stream that front took TLS off. */
void receiver_streams_accept(struct receiver *receiver, int fd, struct str address);
/* There is room again. */
void receiver_streams_resume(struct receiver *receiver);
/* Once a second: cuts who has said nothing for too long. */
void receiver_streams_watch(struct receiver *receiver);
void receiver_streams_done(struct receiver *receiver);

/* receiver/turns.c: a stream has something to say: bytes of it that are read now; 0: others have
 * their turn first, it comes again. */
[[nodiscard]] size_t receiver_turn(struct receiver *receiver, struct receiver_stream *stream);
/* It has had its turn, or goes. */
void receiver_turn_leave(struct receiver_stream *stream);

/* receiver/posts.c */
void receiver_posts_take(struct receiver *receiver, struct msg_reader *msg);
/* Unpacks more of one of those that wait, once there is room. */
void receiver_posts_turn(struct receiver *receiver);
/* Whether pieces may be read on. */
bool receiver_posts_have_room(const struct receiver *receiver);
/* Answers those whose entries are durable now. */
void receiver_posts_settle(struct receiver *receiver);

/* receiver/posts_again.c */
/* Nobody has its answer. */
void receiver_posts_leave(struct receiver *receiver, uint64_t number);
/* Whoever posted it has its answer, of this process or of one before, for which core keeps it as
 * id. */
void receiver_posts_told(struct receiver *receiver, uint64_t number, uint64_t id);
/* The api has just started: nobody has an answer of the one before. */
void receiver_posts_leave_all(struct receiver *receiver);
/* Of too many, or those of which the api says nothing, senders count as told. */
void receiver_posts_doubt(struct receiver *receiver);

/* receiver/posts.c */
/* Says to the api that this process has just begun, if that is still to be said. */
void receiver_posts_greet(struct receiver *receiver);
/* Once a second: forgets those whose pieces stopped coming, and says what was not said yet. */
void receiver_posts_watch(struct receiver *receiver);
void receiver_posts_done(struct receiver *receiver);

#endif
