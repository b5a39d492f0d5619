/* Bump allocation in blocks of doubling size; see arena.h for the ASan twin's reason. */
#include "base/arena.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>

#define ARENA_ALIGN       alignof(max_align_t)
#define ARENA_FIRST_BLOCK 4096
#define ARENA_LAST_BLOCK  (4U << 20)

/* Whether each piece is its own heap block, so that the sanitizer sees every border. */
#ifdef __SANITIZE_ADDRESS__
static const bool arena_is_piecewise = true;
#else
static const bool arena_is_piecewise = false;
#endif

struct arena_block {
    struct arena_block *older;
    size_t size;
    size_t used;
    alignas(max_align_t) char bytes[];
};

struct arena {
    struct arena_block *newest;
    size_t limit;
    size_t used;
};

int arena_new(size_t limit, struct arena **ret_arena)
{
    struct arena *arena = mem_alloc(1, sizeof(*arena));

    if (arena == NULL) {
        return -ERR_NOMEM;
    }
    arena->limit = limit;
    *ret_arena = arena;
    return 0;
}

void arena_free(struct arena *arena)
{
    if (arena == NULL) {
        return;
    }
    while (arena->newest != NULL) {
        struct arena_block *older = arena->newest->older;

        mem_free(arena->newest);
        arena->newest = older;
    }
    mem_free(arena);
}

void arena_freep(struct arena **arena)
{
    arena_free(*arena);
    *arena = NULL;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = arena_is_piecewise ? NULL : arena->newest;
    struct arena_block *block = kept != NULL ? kept->older : arena->newest;

    while (block != NULL) {
        struct arena_block *older = block->older;

        mem_free(block);
        block = older;
    }
    if (kept != NULL) {
        kept->older = NULL;
        kept->used = 0;
    }
    arena->newest = kept;
    arena->used = 0;
}

static struct arena_block *arena_grow(struct arena *arena, size_t need)
{
    size_t size = arena->newest != NULL ? arena->newest->size * 2 : ARENA_FIRST_BLOCK;
    struct arena_block *block;

    if (size > ARENA_LAST_BLOCK) {
        size = ARENA_LAST_BLOCK;
    }
    if (size < need || arena_is_piecewise) {
        size = need;
    }
    block = mem_alloc(1, sizeof(*block) + size);
    if (block == NULL) {
        return NULL;
    }
    block->size = size;
    block->older = arena->newest;
    arena->newest = block;
    return block;
}

/* Room that holds whatever stood there before. */
static void *arena_take(struct arena *arena, size_t count, size_t size)
{
    struct arena_block *block = arena->newest;
    size_t need;
    void *piece;

    if (__builtin_mul_overflow(count, size, &need) || need > arena->limit - arena->used) {
        return NULL;
    }
    if (!arena_is_piecewise) {
        need = (need + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
        if (need > arena->limit - arena->used) {
            return NULL;
        }
    }
    if (block == NULL || arena_is_piecewise || block->size - block->used < need) {
        block = arena_grow(arena, need);
        if (block == NULL) {
            return NULL;
        }
    }
    piece = block->bytes + block->used;
    block->used += need;
    arena->used += need;
    return piece;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
    void *piece = arena_take(arena, count, size);

    if (piece != NULL) {
        memset(piece, 0, count * size);
    }
    return piece;
}

struct str arena_copy(struct arena *arena, struct str s)
{
    char *copy = arena_take(arena, s.len + 1, 1);

    if (copy == NULL) {
        return str_of(NULL, 0);
    }
    if (s.len != 0) {
        memcpy(copy, s.ptr, s.len);
    }
    copy[s.len] = '\0';
    return str_of(copy, s.len);
}

struct str arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    char *text;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) {
        return str_of(NULL, 0);
    }
    text = arena_alloc(arena, (size_t)len + 1, 1);
    if (text == NULL) {
        return str_of(NULL, 0);
    }
    va_start(args, format);
    (void)vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return str_of(text, (size_t)len);
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
