/* Sixteen bytes that every processor of today looks at together; only for page_words.c and
 * page_letters.c. */
#ifndef DETECT_DEFACE_PAGE_LANES_H
#define DETECT_DEFACE_PAGE_LANES_H

#include <stdint.h>
#include <string.h>

#define LANES 16

typedef uint8_t page_bytes __attribute__((vector_size(LANES)));
typedef uint64_t page_lanes __attribute__((vector_size(LANES)));

static inline page_bytes lanes_load(const char *ptr)
{
    page_bytes bytes;

    memcpy(&bytes, ptr, sizeof(bytes));
    return bytes;
}

#endif
