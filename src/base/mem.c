/* Heap behind one door, with a fault seam: the counter costs one relaxed atomic add an allocation.
 */
#include "base/mem.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint_fast64_t mem_asked;
static atomic_uint_fast64_t mem_fault;

static bool mem_must_fail(void)
{
    uint64_t nth = atomic_fetch_add_explicit(&mem_asked, 1, memory_order_relaxed) + 1;

    return nth == atomic_load_explicit(&mem_fault, memory_order_relaxed);
}

void *mem_alloc(size_t count, size_t size)
{
    if (mem_must_fail()) {
        return NULL;
    }
    return calloc(count != 0 ? count : 1, size != 0 ? size : 1);
}

void *mem_resize(void *block, size_t count, size_t size)
{
    size_t total;

    if (mem_must_fail() || __builtin_mul_overflow(count, size, &total)) {
        return NULL;
    }
    return realloc(block, total != 0 ? total : 1);
}

void mem_free(void *block)
{
    free(block);
}

char *mem_dup(const char *bytes, size_t len)
{
    char *copy = mem_alloc(len + 1, 1);

    if (copy != NULL && len != 0) {
        memcpy(copy, bytes, len);
    }
    return copy;
}

void mem_return_whole(void)
{
    /* naming the threshold also stops it from growing with each block that is freed */
    (void)mallopt(M_MMAP_THRESHOLD, MEM_WHOLE_SIZE);
}

void mem_wipe(void *block, size_t len)
{
    explicit_bzero(block, len);
}

void mem_freep(void *pointer_to_pointer)
{
    void **slot = pointer_to_pointer;

    mem_free(*slot);
    *slot = NULL;
}

uint64_t mem_fail_at(uint64_t nth)
{
    uint64_t asked = atomic_exchange(&mem_asked, 0);

    atomic_store(&mem_fault, nth);
    return asked;
}
