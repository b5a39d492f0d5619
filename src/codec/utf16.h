/* UTF-16, little end first as Windows writes it, to UTF-8. Pure. */
#ifndef CODEC_UTF16_H
#define CODEC_UTF16_H

#include <stddef.h>

#define UTF16_GROWTH 3 /* bytes of UTF-8 for each unit, at most */

/* units: count times two bytes, not aligned. Half a pair becomes U+FFFD. Writes at most
 * UTF16_GROWTH * count bytes and returns how many. */
size_t utf16_decode(const void *units, size_t count, char *out);

#endif
