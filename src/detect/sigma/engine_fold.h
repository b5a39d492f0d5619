/* A value of JSON, or of any text, made into what atoms compare: escapes taken out, letters folded.
 * Nearly all are ASCII with no escape but that of the backslash, and are done many bytes at a time.
 * Pure. */
#ifndef DETECT_SIGMA_ENGINE_FOLD_H
#define DETECT_SIGMA_ENGINE_FOLD_H

#include "base/str.h"

#include <stdbool.h>

#define FOLD_PAD 16 /* bytes behind what is written that may be written too */

/* out: room for text.len * SIGMA_FOLD_GROWTH + FOLD_PAD bytes. *ret_is_plain: all of it was ASCII.
 * False: an escape stands for more than an ASCII character, and nothing is said. */
typedef bool fold_fn(struct str text, bool is_escaped, char *out, size_t *ret_len,
                     bool *ret_is_plain);

bool fold_by_lanes(struct str text, bool is_escaped, char *out, size_t *ret_len,
                   bool *ret_is_plain);
/* The ways that this processor has; 0 is the fastest, NULL: there is none of that rank. */
fold_fn *fold_way(unsigned rank);

/* The character at `at` into out. How much of text it took; 0: it is an escape of another kind. */
size_t fold_char(struct str text, size_t at, bool is_escaped, char *out, size_t *len);

#endif
