/* One link of the audit chain. Neighbours: sqlite/audit.c writes and verifies the rows. Pure. */
#include "store/chain.h"

#include "base/banned.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "codec/cbor.h"

#include <openssl/evp.h>

#define CHAIN_ROW_LIMIT (1U << 20)

int chain_link(const uint8_t previous[CHAIN_SIZE], const struct store_audit *row,
               uint8_t ret_link[CHAIN_SIZE])
{
    CLEANUP(buf_done) struct buf buf;
    unsigned size = 0;

    buf_init(&buf, CHAIN_ROW_LIMIT);
    (void)buf_put(&buf, previous, CHAIN_SIZE);
    cbor_put_array(&buf, 6);
    cbor_put_u64(&buf, row->number);
    cbor_put_i64(&buf, row->time);
    cbor_put_text(&buf, row->actor);
    cbor_put_text(&buf, row->act);
    cbor_put_text(&buf, row->object);
    cbor_put_text(&buf, row->detail);
    if (buf_error(&buf) < 0) {
        return buf_error(&buf);
    }
    if (EVP_Digest(buf.ptr, buf.len, ret_link, &size, EVP_sha256(), NULL) != 1 ||
        size != CHAIN_SIZE) {
        return -ERR_NOMEM;
    }
    return 0;
}
