/* Tokens of senders of logs: what a shipper without an agent proves itself with when it posts. The
 * token itself is shown once and never stored. The rules of store/store.h hold. */
#ifndef STORE_SENDERS_H
#define STORE_SENDERS_H

#include "base/arena.h"
#include "base/str.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

struct store_sender_token {
    uint64_t number;
    struct str name; /* unique; by it the entries' hosts are named ("HOST@NAME") */
    uint8_t secret_sha256[32];
    int64_t created;
    struct str created_by;
    int64_t used;    /* 0: not yet */
    int64_t revoked; /* 0: it counts */
};

/* A new one; also one in the place of a revoked one of that name, which keeps its number: it is the
 * same sender with another secret. -ERR_EXIST: one of that name counts. */
[[nodiscard]] int store_sender_token_put(struct store *store,
                                         const struct store_sender_token *token,
                                         uint64_t *ret_number);
/* -ERR_NOENT. The one that counts for a secret: -ERR_REVOKED when it did once. */
[[nodiscard]] int store_sender_token_get(struct store *store, uint64_t number, struct arena *arena,
                                         struct store_sender_token *ret_token);
[[nodiscard]] int store_sender_token_find(struct store *store, const uint8_t secret_sha256[32],
                                          struct arena *arena,
                                          struct store_sender_token *ret_token);
/* By name, the revoked ones last. At most STORE_PAGE_MAX. */
[[nodiscard]] int store_sender_token_list(struct store *store, struct arena *arena,
                                          struct store_sender_token **ret_tokens,
                                          size_t *ret_count);
/* time 0: it counts again. */
[[nodiscard]] int store_sender_token_revoke(struct store *store, uint64_t number, int64_t time);
[[nodiscard]] int store_sender_token_used(struct store *store, uint64_t number, int64_t time);

/* Takes a sender's row away, with those of its sources. -ERR_CONFLICT, and nothing is changed, when
 * an alert, an action, a token that counts or what a person said of it needs it. */
[[nodiscard]] int store_sender_drop(struct store *store, const struct id *host);

#endif
