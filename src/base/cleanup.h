/* Scope-owned things: `CLEANUP(fn) type x = …;` runs fn(&x) at the end of the scope, and TAKE_*
 * hands on. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stddef.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* The pointer's value; the variable is NULL afterwards, so its cleanup does nothing. */
#define TAKE_PTR(ptr)                                                                              \
    ({                                                                                             \
        typeof(ptr) take_value = (ptr);                                                            \
        (ptr) = NULL;                                                                              \
        take_value;                                                                                \
    })

/* The descriptor's value; the variable is -1 afterwards. */
#define TAKE_FD(fd)                                                                                \
    ({                                                                                             \
        int take_value = (fd);                                                                     \
        (fd) = -1;                                                                                 \
        take_value;                                                                                \
    })

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
