/* Base64, RFC 4648 §4: the alphabet with + and /, padded; decoding is strict (no white space, no
 * stray bits, padding where it belongs). Pure. */
#ifndef CODEC_BASE64_H
#define CODEC_BASE64_H

#include "base/buf.h"
#include "base/str.h"

/* Appends; the buffer's sticky error tells. */
void base64_encode(struct str bytes, struct buf *out);
/* Appends the bytes. -ERR_SYNTAX; -ERR_LIMIT, -ERR_NOMEM of the buffer, which then holds a part. */
[[nodiscard]] int base64_decode(struct str text, struct buf *out);

#endif
