/* The slow half of a vault: what vault_save leaves for later, and what frees room. */
#ifndef STORE_VAULT_TEND_H
#define STORE_VAULT_TEND_H

#include "store/vault/state.h"

/* Evicts what may be evicted until bytes more fit, unless another process is tending; of a user who
 * holds more than half of the quota, younger ones too. */
[[nodiscard]] int vault_make_room(struct vault *vault, uint64_t bytes);
/* Removes one version and its object. Wants the file lock. */
[[nodiscard]] int vault_remove(struct vault *vault, const struct vault_entry *entry);

#endif
