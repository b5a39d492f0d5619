/* What a post was packed with, taken off piece by piece: memory is one block, work is bounded by
 * the limit of what comes out. Neighbour: post.c. */
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "centre/receiver/post_part.h"

#include <zlib.h>

#define UNPACK_BLOCK (64U << 10)
#define UNPACK_ANY   32 /* for inflateInit2: gzip or zlib, as its head says */

struct post_unpack {
    z_stream stream;
    uint64_t left; /* bytes that may still come out */
    size_t turn;   /* the same, in this turn */
    post_unpacked_fn *fn;
    void *context;
    bool is_end;  /* of a member */
    bool is_full; /* the last block was: more may lie in the stream */
    uint8_t block[UNPACK_BLOCK];
};

int post_unpack_new(uint64_t limit, post_unpacked_fn *fn, void *context,
                    struct post_unpack **ret_unpack)
{
    struct post_unpack *unpack = mem_alloc(1, sizeof(*unpack));

    if (unpack == NULL) {
        return -ERR_NOMEM;
    }
    unpack->left = limit;
    unpack->fn = fn;
    unpack->context = context;
    if (inflateInit2(&unpack->stream, MAX_WBITS + UNPACK_ANY) != Z_OK) {
        mem_free(unpack);
        return -ERR_NOMEM;
    }
    *ret_unpack = unpack;
    return 0;
}

void post_unpack_free(struct post_unpack *unpack)
{
    if (unpack != NULL) {
        (void)inflateEnd(&unpack->stream);
        mem_free(unpack);
    }
}

static int unpack_hand_on(struct post_unpack *unpack, size_t size)
{
    if (size > unpack->left) {
        return -ERR_FBIG;
    }
    unpack->left -= size;
    unpack->turn -= size;
    return size == 0 ? 0 : unpack->fn(unpack->context, str_of((const char *)unpack->block, size));
}

/* One block out of what is there; what came out before a fault counts, however it was cut. */
static int unpack_block(struct post_unpack *unpack)
{
    z_stream *stream = &unpack->stream;
    size_t room = unpack->turn < UNPACK_BLOCK ? unpack->turn : UNPACK_BLOCK;
    int answer;
    int r;

    if (unpack->is_end && inflateReset(stream) != Z_OK) {
        return -ERR_SYNTAX;
    }
    stream->next_out = unpack->block;
    stream->avail_out = (uInt)room;
    answer = inflate(stream, Z_NO_FLUSH);
    unpack->is_end = answer == Z_STREAM_END;
    unpack->is_full = !unpack->is_end && stream->avail_out == 0;
    r = unpack_hand_on(unpack, room - stream->avail_out);
    if (r < 0 || answer == Z_OK || answer == Z_STREAM_END || answer == Z_BUF_ERROR) {
        return r;
    }
    return answer == Z_MEM_ERROR ? -ERR_NOMEM : -ERR_SYNTAX;
}

int post_unpack_feed(struct post_unpack *unpack, struct str *piece, bool is_last)
{
    z_stream *stream = &unpack->stream;
    int r = 0;

    unpack->turn = POST_TURN;
    stream->next_in = (z_const Bytef *)(uintptr_t)piece->ptr;
    stream->avail_in = (uInt)piece->len;
    while (r == 0 && (stream->avail_in != 0 || unpack->is_full)) {
        r = unpack->turn != 0 ? unpack_block(unpack) : POST_CUTTER_MORE;
    }
    *piece = str_slice(*piece, piece->len - stream->avail_in, piece->len);
    return r == 0 && is_last && !unpack->is_end ? -ERR_SYNTAX : r;
}
