/* What every unit test includes: cmocka with its prerequisites, and the allocation-failure loop. */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#define assert_str(actual, expected)                                                               \
    do {                                                                                           \
        struct str assert_actual = (actual);                                                       \
        struct str assert_expected = str_from(expected);                                           \
        if (!str_is(assert_actual, assert_expected)) {                                             \
            fail_msg("'%.*s' is not '%.*s'", STR_ARG(assert_actual), STR_ARG(assert_expected));    \
        }                                                                                          \
    } while (0)

/* Runs body(context) again and again, failing the 1st, 2nd, 3rd … allocation in it, until it gets
 * through without meeting the fault. Every failed run must return -ERR_NOMEM (or a code body turns
 * it into) and leave nothing behind, which the sanitizer build proves. body returns 0 or a negative
 * error. */
static inline void assert_survives_no_memory(int (*body)(void *context), void *context)
{
    for (uint64_t nth = 1; nth < 100000; nth++) {
        uint64_t asked;
        int r;

        (void)mem_fail_at(nth);
        r = body(context);
        asked = mem_fail_at(0);
        if (asked < nth) {
            assert_int_equal(r, 0);
            return;
        }
        if (r == 0) {
            continue; /* the fault was met and handled without loss */
        }
        assert_true(r < 0);
    }
    fail_msg("body never ran without a fault");
}

#endif
