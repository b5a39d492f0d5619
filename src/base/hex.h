/* Bytes as lower-case hexadecimal and back. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

/* Writes 2·len digits and a NUL: out must hold 2·len + 1 bytes. */
void hex_encode(const uint8_t *bytes, size_t len, char *out);
/* Exactly len bytes from 2·len digits of either case; -ERR_SYNTAX otherwise, out untouched past the
 * fault. */
[[nodiscard]] int hex_decode(struct str text, uint8_t *out, size_t len);

#endif
