/* Memory for one batch, one event or one request: given piecewise, taken back all at once. A byte
 * limit is set at creation. Under AddressSanitizer every piece is a heap block of its own, so that
 * an overflow between neighbours is seen. Not thread-safe. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

#include <stddef.h>

struct arena;

/* limit: most bytes it hands out between two resets. -ERR_NOMEM. */
[[nodiscard]] int arena_new(size_t limit, struct arena **ret_arena);
void arena_free(struct arena *arena);
void arena_freep(struct arena **arena);
/* Takes everything back; keeps one block for the next batch. */
void arena_reset(struct arena *arena);

/* Zeroed and aligned for any object; NULL past the limit or out of memory. */
[[nodiscard]] void *arena_alloc(struct arena *arena, size_t count, size_t size);
/* A NUL-terminated copy that lives as long as the batch; .ptr is NULL on failure. */
[[nodiscard]] struct str arena_copy(struct arena *arena, struct str s);
/* printf into the arena; .ptr is NULL on failure. */
[[nodiscard]] struct str arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

size_t arena_used(const struct arena *arena);

#endif
