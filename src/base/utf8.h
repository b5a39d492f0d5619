/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past U+10FFFF. Pure. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the leading run that is well formed; s.len when all of it is. */
size_t utf8_valid_prefix(struct str s);
bool utf8_is_valid(struct str s);

/* One character from the front: its length in bytes, or 0 when the front is not well formed. */
size_t utf8_decode(struct str s, uint32_t *ret_rune);
/* Writes 1 to 4 bytes and returns how many; 0 for what is not a character. */
size_t utf8_encode(uint32_t rune, char out[4]);

/* Spaces that bring text to so many columns of a terminal, 0 when it is as wide already: printf's
 * own widths count bytes, and a Vietnamese letter has up to three. For "%s%*s". */
int utf8_pad(const char *text, int columns);
/* Puts text that begins at column hang of a terminal so wide; what does not fit goes on below, from
 * that column on. A word that is wider than the rest of a line stands alone. */
void utf8_put_wrapped(struct buf *buf, struct str text, size_t hang, size_t columns);

/* The plain letter under a Vietnamese one, or one of Latin-1, in lower case; 0 for all others. */
char utf8_fold_letter(uint32_t rune);
/* Lower-case ASCII without dấu, đ as d, for search: "Đồng Nai" becomes "dong nai". Understands both
 * composed letters and combining marks; other scripts pass unchanged. Writes at most size bytes
 * with the NUL and returns the length it would have needed, as snprintf does. */
size_t utf8_fold(struct str s, char *out, size_t size);

#endif
