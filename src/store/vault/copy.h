/* Bytes from one file to another: at their own offsets, holes kept. Thread-safe. progress may be
 * NULL. */
#ifndef STORE_VAULT_COPY_H
#define STORE_VAULT_COPY_H

#include "sys/fd.h"

#include <stdbool.h>
#include <stdint.h>

/* The first size bytes into an empty target; clones where that is possible. */
[[nodiscard]] int vault_copy_file(int source, int target, uint64_t size,
                                  const struct fd_progress *progress);
[[nodiscard]] int vault_copy_range(int source, int target, uint64_t from, uint64_t len,
                                   const struct fd_progress *progress);
/* Makes the content of target that of source, keeping target's inode. */
[[nodiscard]] int vault_copy_over(int source, int target, uint64_t size);
/* Whether both hold the same bytes; negative on failure. */
[[nodiscard]] int vault_copy_compare(int a, int b, uint64_t size);

#endif
