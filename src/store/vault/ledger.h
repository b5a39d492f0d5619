/* Cases in memory: what vault/state.c does with records that speak of a case. Wants the mutex held.
 */
#ifndef STORE_VAULT_LEDGER_H
#define STORE_VAULT_LEDGER_H

#include "store/vault/state.h"

/* Applies one record of a case. -ERR_NOMEM, -ERR_LIMIT. */
[[nodiscard]] int vault_ledger_apply(struct vault *vault, const struct vault_record *record);
void vault_ledger_free(struct vault_case *item);

#endif
