/* The one table of failures. A function that can fail returns 0 or one of these, negated:
 * -ERR_NOENT. The kernel's numbers are kept, so `return -errno;` is always in the table's spirit.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err {
#define ERR(name, number, sentence) ERR_##name = (number),
#include "base/err.def"
#undef ERR
};

/* The sentence of a failure, in the process's language; takes the negative or the positive number.
 * Never NULL; thread-safe. */
const char *err_text(int code);

/* The table's name of a failure ("NOENT"), for logs and JSON; "UNKNOWN" when it has none. */
const char *err_name(int code);

#endif
