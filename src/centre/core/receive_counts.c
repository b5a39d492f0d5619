/* Figures of what was received, as core hands them to the api: one list, in the order of its
 * members. */
#include "base/banned.h"
#include "base/err.h"
#include "centre/core/receive.h"
#include "codec/cbor.h"

#define OWN_COUNTS 5 /* beside the receiver's */

void receive_counts_put(struct buf *out, const struct core_receive_counts *counts)
{
    cbor_put_array(out, RECEIVER_COUNT_COUNT + OWN_COUNTS);
    for (size_t i = 0; i < RECEIVER_COUNT_COUNT; i++) {
        cbor_put_u64(out, counts->receiver.of[i]);
    }
    cbor_put_u64(out, counts->taken);
    cbor_put_u64(out, counts->merged);
    cbor_put_u64(out, counts->refused);
    cbor_put_u64(out, counts->again);
    cbor_put_u64(out, counts->lapsed);
}

int receive_counts_get(struct cbor_reader *reader, struct core_receive_counts *ret_counts)
{
    struct core_receive_counts counts;

    if (cbor_get_array(reader) != RECEIVER_COUNT_COUNT + OWN_COUNTS) {
        return -ERR_PROTO;
    }
    for (size_t i = 0; i < RECEIVER_COUNT_COUNT; i++) {
        counts.receiver.of[i] = cbor_get_u64(reader);
    }
    counts.taken = cbor_get_u64(reader);
    counts.merged = cbor_get_u64(reader);
    counts.refused = cbor_get_u64(reader);
    counts.again = cbor_get_u64(reader);
    counts.lapsed = cbor_get_u64(reader);
    *ret_counts = counts;
    return 0;
}
