/* How much of a stream is read in a turn of the loop: of one address so much, however many
 * connections it has, and of those each in its turn. While some have not had theirs, those that
 * had wait for them. */
#include "base/banned.h"
#include "centre/receiver/body.h"

#define TURN_BYTES_MIN (4U << 10) /* of one stream: less is not worth the call */

/* The loop reports each stream once a turn: one that comes again begins the next. */
static void turn_begin(struct receiver *receiver, struct receiver_stream *stream)
{
    struct receiver_peer *peer = stream->peer;

    receiver->turn += stream->turn == receiver->turn;
    stream->turn = receiver->turn;
    if (peer->turn != receiver->turn) {
        peer->turn = receiver->turn;
        peer->read = 0;
    }
}

size_t receiver_turn(struct receiver *receiver, struct receiver_stream *stream)
{
    struct receiver_peer *peer = stream->peer;
    size_t share = RECEIVER_TURN_BYTES / peer->peer.count;

    turn_begin(receiver, stream);
    if (peer->behind != 0 && !stream->is_behind && stream->round == peer->round) {
        return 0;
    }
    share = share < TURN_BYTES_MIN ? TURN_BYTES_MIN : share;
    if (peer->read + share > RECEIVER_TURN_BYTES) {
        peer->behind += !stream->is_behind;
        stream->is_behind = true;
        return 0;
    }
    peer->read += share;
    stream->round = peer->round;
    receiver_turn_leave(stream);
    return share;
}

void receiver_turn_leave(struct receiver_stream *stream)
{
    struct receiver_peer *peer = stream->peer;

    if (stream->is_behind) {
        stream->is_behind = false;
        peer->behind--;
        peer->round += peer->behind == 0;
    }
}
