/* What every fuzz target includes: libFuzzer's entry point, memory for one input, and the check of
 * a property. A target is one file fuzz_NAME.c and one line in meson.build; its seeds lie in
 * corpus/NAME/. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program where the property is broken. */
#define fuzz_check(holds)                                                                          \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds);       \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* One arena for all inputs of a run. */
static inline struct arena *fuzz_arena(void)
{
    static struct arena *arena;

    if (arena == NULL) {
        fuzz_check(arena_new(1 << 20, &arena) == 0);
    }
    arena_reset(arena);
    return arena;
}

static inline struct str fuzz_input(const uint8_t *data, size_t size)
{
    return str_of(size != 0 ? (const char *)data : "", size);
}

#endif
