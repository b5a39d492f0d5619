/* The links of the audit log: SHA-256 over the previous link and the row's canonical bytes, which
 * are the deterministic CBOR array [number, time, actor, act, object, detail] (RFC 8949 §4.2).
 * Anybody with the rows can compute it again. The first row follows 32 zero bytes. */
#ifndef STORE_CHAIN_H
#define STORE_CHAIN_H

#include "store/store.h"

#define CHAIN_SIZE 32

/* row->chain is not read. -ERR_NOMEM, -ERR_LIMIT for a row past 1 MiB. */
[[nodiscard]] int chain_link(const uint8_t previous[CHAIN_SIZE], const struct store_audit *row,
                             uint8_t ret_link[CHAIN_SIZE]);

#endif
