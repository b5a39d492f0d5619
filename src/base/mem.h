/* The only door to the heap. Out of memory is an ordinary error: every caller handles NULL.
 * Thread-safe. Tests make the n-th allocation fail with mem_fail_at(). */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed memory for count objects of size bytes; NULL when there is none or the product overflows.
 */
[[nodiscard]] void *mem_alloc(size_t count, size_t size);

/* Grows or shrinks; NULL leaves the old block as it was. New bytes are not zeroed. */
[[nodiscard]] void *mem_resize(void *block, size_t count, size_t size);

/* Takes NULL too. */
void mem_free(void *block);

/* A copy of len bytes with a NUL behind it, or NULL. */
[[nodiscard]] char *mem_dup(const char *bytes, size_t len);

/* Blocks of MEM_WHOLE_SIZE and more go back to the system when freed. Without this the C library
 * keeps what a table leaves behind each time it doubles. Before there are threads. */
#define MEM_WHOLE_SIZE (128 << 10)
void mem_return_whole(void);

/* Overwrites secrets in a way the compiler keeps. */
void mem_wipe(void *block, size_t len);

/* For CLEANUP(mem_freep) on any pointer variable. */
void mem_freep(void *pointer_to_pointer);

/* Makes the nth allocation from now fail, once; 0 switches the fault off. Returns how many
 * allocations were asked for since the last call. For allocation-failure loops in tests. */
uint64_t mem_fail_at(uint64_t nth);

#endif
