/* See centre/fetch/unpack.h: libdeflate into one room, which keeps what was once used of it. */
#include "centre/fetch/unpack.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#include <libdeflate.h>

#define GZIP_MAGIC  "\x1f\x8b"
#define MEMBERS_MAX 16

struct unpacker {
    struct libdeflate_decompressor *inflater;
    size_t most;
    char room[];
};

enum unpack_encoding unpack_encoding_of(struct str value)
{
    value = str_trim(value);
    if (value.len == 0 || str_is_nocase(value, STR("identity"))) {
        return UNPACK_NONE;
    }
    if (str_is_nocase(value, STR("gzip")) || str_is_nocase(value, STR("x-gzip"))) {
        return UNPACK_GZIP;
    }
    return str_is_nocase(value, STR("deflate")) ? UNPACK_DEFLATE : UNPACK_UNKNOWN;
}

int unpacker_new(size_t most, struct unpacker **ret_unpacker)
{
    struct unpacker *unpacker = mem_alloc(1, sizeof(*unpacker) + most);

    if (unpacker == NULL) {
        return -ERR_NOMEM;
    }
    unpacker->most = most;
    unpacker->inflater = libdeflate_alloc_decompressor();
    if (unpacker->inflater == NULL) {
        mem_free(unpacker);
        return -ERR_NOMEM;
    }
    *ret_unpacker = unpacker;
    return 0;
}

void unpacker_free(struct unpacker *unpacker)
{
    if (unpacker != NULL) {
        libdeflate_free_decompressor(unpacker->inflater);
        mem_free(unpacker);
    }
}

static int unpack_error(enum libdeflate_result result)
{
    if (result == LIBDEFLATE_SUCCESS) {
        return 0;
    }
    return result == LIBDEFLATE_INSUFFICIENT_SPACE ? -ERR_LIMIT : -ERR_SYNTAX;
}

/* Members one behind the other (RFC 1952); what follows and is none, or one too many, is passed
 * over. */
static int unpack_gzip(struct unpacker *unpacker, struct str packed, size_t bound, size_t *ret_len)
{
    unsigned members = 0;
    size_t len = 0;
    int r;

    do {
        size_t taken = 0;
        size_t made = 0;

        r = unpack_error(libdeflate_gzip_decompress_ex(unpacker->inflater, packed.ptr, packed.len,
                                                       unpacker->room + len, bound - len, &taken,
                                                       &made));
        packed = str_slice(packed, taken, packed.len);
        len += made;
    } while (r == 0 && ++members < MEMBERS_MAX && str_has_prefix(packed, STR(GZIP_MAGIC)));
    *ret_len = len;
    return r;
}

static int unpack_deflate(struct unpacker *unpacker, struct str packed, size_t bound,
                          size_t *ret_len)
{
    int r = unpack_error(libdeflate_zlib_decompress(unpacker->inflater, packed.ptr, packed.len,
                                                    unpacker->room, bound, ret_len));

    return r != -ERR_SYNTAX
               ? r
               : unpack_error(libdeflate_deflate_decompress(
                     unpacker->inflater, packed.ptr, packed.len, unpacker->room, bound, ret_len));
}

int unpacker_run(struct unpacker *unpacker, enum unpack_encoding encoding, struct str packed,
                 size_t bound, struct str *ret_body)
{
    size_t len = 0;
    int r;

    bound = bound < unpacker->most ? bound : unpacker->most;
    switch (encoding) {
    case UNPACK_NONE:
        *ret_body = packed;
        return packed.len <= bound ? 0 : -ERR_LIMIT;
    case UNPACK_GZIP:
        r = unpack_gzip(unpacker, packed, bound, &len);
        break;
    case UNPACK_DEFLATE:
        r = unpack_deflate(unpacker, packed, bound, &len);
        break;
    case UNPACK_UNKNOWN:
    default:
        return -ERR_SYNTAX;
    }
    if (r == 0) {
        *ret_body = str_of(unpacker->room, len);
    }
    return r;
}
