/* Writing the journal anew when most of it is dead. */
#ifndef STORE_VAULT_COMPACT_H
#define STORE_VAULT_COMPACT_H

#include "store/vault/state.h"

/* Does nothing while it is not worth it. Wants the file lock and an index that is up to date. */
[[nodiscard]] int vault_compact(struct vault *vault);

#endif
