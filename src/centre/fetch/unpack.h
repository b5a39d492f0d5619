/* Undoes the content encodings that the fetcher asks for. One call on all that came, not a stream:
 * twice as fast, and the bound on what it may become is known before. On the data's way:
 * fetch/fetcher_transfer.c. */
#ifndef CENTRE_FETCH_UNPACK_H
#define CENTRE_FETCH_UNPACK_H

#include "base/str.h"

#include <stddef.h>

#define UNPACK_ACCEPTS "gzip, deflate"

enum unpack_encoding {
    UNPACK_NONE,
    UNPACK_GZIP,
    UNPACK_DEFLATE, /* zlib's form, or without any, as some servers have it */
    UNPACK_UNKNOWN, /* nobody asked for it */
};

/* Of a Content-Encoding header. */
enum unpack_encoding unpack_encoding_of(struct str value);

struct unpacker;

/* most: bytes that anything may become. */
[[nodiscard]] int unpacker_new(size_t most, struct unpacker **ret_unpacker);
void unpacker_free(struct unpacker *unpacker);
/* bound: bytes that this may become. The result lives until the next call. -ERR_LIMIT past a bound,
 * -ERR_SYNTAX for what is cut short or broken or in an unknown encoding. */
[[nodiscard]] int unpacker_run(struct unpacker *unpacker, enum unpack_encoding encoding,
                               struct str packed, size_t bound, struct str *ret_body);

#endif
