/* What was taken of posts of logs whose senders may not know it yet, so that one which comes again
 * is known whatever died in between. Only the receiver understands the hashes; they are written in
 * the transaction of the entries that they speak of. The rules of store/store.h hold. */
#ifndef STORE_TAKEN_H
#define STORE_TAKEN_H

#include "base/arena.h"
#include "base/str.h"
#include "store/store.h"

#include <stdint.h>

#define STORE_TAKEN_ROW 256

struct store_taken {
    uint64_t number; /* of the row, rising */
    uint64_t post;
    int64_t time; /* when it was put, ns since 1970 UTC */
    struct str hashes;
};

/* More was taken of a post, at most INT64_MAX. */
[[nodiscard]] int store_taken_add(struct store *store, uint64_t post, struct str hashes);
/* Nobody will post that one again. */
[[nodiscard]] int store_taken_forget(struct store *store, uint64_t post);
/* Takes away what was not put between these times, then the oldest past so many bytes, of which
 * each row counts STORE_TAKEN_ROW beside its hashes. */
[[nodiscard]] int store_taken_expire(struct store *store, int64_t from, int64_t to, uint64_t most);
/* The row behind *taken by post, then by number; from {0} on all of them. -ERR_NOENT. */
[[nodiscard]] int store_taken_next(struct store *store, struct arena *arena,
                                   struct store_taken *taken);

#endif
