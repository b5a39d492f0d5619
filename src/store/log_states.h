/* What the received logs' parts of core remember from one batch to the next: bytes under a name,
 * written in the transaction of the entries that they speak of. The rules of store/store.h hold. */
#ifndef STORE_LOG_STATES_H
#define STORE_LOG_STATES_H

#include "base/arena.h"
#include "base/str.h"
#include "store/store.h"

#include <stdint.h>

#define STORE_LOG_STATE_MAX (64U << 20) /* bytes of one */

struct store_log_state {
    int64_t time; /* when it was put, ns since 1970 UTC */
    struct str body;
};

/* Takes the place of what stood under that name. -ERR_LIMIT past the maximum. */
[[nodiscard]] int store_log_state_put(struct store *store, struct str name, struct str body);
/* -ERR_NOENT. */
[[nodiscard]] int store_log_state_get(struct store *store, struct str name, struct arena *arena,
                                      struct store_log_state *ret_state);

#endif
