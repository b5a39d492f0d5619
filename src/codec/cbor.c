/* CBOR heads and items, both ways. Neighbours: model/ encodes events, findings and actions with it,
 * link/ carries the bytes, the centre's core reads them from hosts it does not trust. Invariant:
 * what the reader takes has exactly one encoding, the one the writer gives; every count is at most
 * the number of bytes left, so a caller may size memory by it. */
#include "codec/cbor.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/utf8.h"

#include <endian.h>

enum cbor_major {
    CBOR_MAJOR_UNSIGNED,
    CBOR_MAJOR_NEGATIVE,
    CBOR_MAJOR_BYTES,
    CBOR_MAJOR_TEXT,
    CBOR_MAJOR_ARRAY,
    CBOR_MAJOR_MAP,
    CBOR_MAJOR_TAG,
    CBOR_MAJOR_SIMPLE,
};

#define CBOR_HEAD_MAX   9 /* bytes */
#define CBOR_INFO_1BYTE 24
#define CBOR_INFO_8BYTE 27

#define CBOR_FALSE      0xf4
#define CBOR_TRUE       0xf5
#define CBOR_NULL       0xf6
#define CBOR_DOUBLE     0xfb
#define CBOR_NAN        0x7ff8000000000000U /* the one NaN of RFC 8949 §4.2.2 */

static void cbor_put_big_endian(struct buf *buf, unsigned char first, uint64_t value, size_t width)
{
    unsigned char bytes[CBOR_HEAD_MAX] = {first};
    uint64_t big_endian = htobe64(width != 0 ? value << 8 * (sizeof(value) - width) : 0);

    memcpy(bytes + 1, &big_endian, sizeof(big_endian));
    if (buf_has_room(buf, sizeof(bytes))) { /* all are copied: cheaper than as many as count */
        memcpy(buf->ptr + buf->len, bytes, sizeof(bytes));
        buf_commit(buf, 1 + width);
    } else {
        buf_put(buf, bytes, 1 + width);
    }
}

static void cbor_put_head(struct buf *buf, enum cbor_major major, uint64_t value)
{
    unsigned char first = (unsigned char)(major << 5);

    if (value < CBOR_INFO_1BYTE) {
        cbor_put_big_endian(buf, (unsigned char)(first | value), 0, 0);
    } else if (value <= UINT8_MAX) {
        cbor_put_big_endian(buf, first | CBOR_INFO_1BYTE, value, 1);
    } else if (value <= UINT16_MAX) {
        cbor_put_big_endian(buf, first | (CBOR_INFO_1BYTE + 1), value, 2);
    } else if (value <= UINT32_MAX) {
        cbor_put_big_endian(buf, first | (CBOR_INFO_1BYTE + 2), value, 4);
    } else {
        cbor_put_big_endian(buf, first | CBOR_INFO_8BYTE, value, 8);
    }
}

void cbor_put_u64(struct buf *buf, uint64_t value)
{
    cbor_put_head(buf, CBOR_MAJOR_UNSIGNED, value);
}

void cbor_put_i64(struct buf *buf, int64_t value)
{
    if (value >= 0) {
        cbor_put_head(buf, CBOR_MAJOR_UNSIGNED, (uint64_t)value);
    } else {
        cbor_put_head(buf, CBOR_MAJOR_NEGATIVE, ~(uint64_t)value); /* -1 - value */
    }
}

void cbor_put_bool(struct buf *buf, bool value)
{
    buf_put_byte(buf, value ? CBOR_TRUE : CBOR_FALSE);
}

void cbor_put_null(struct buf *buf)
{
    buf_put_byte(buf, CBOR_NULL);
}

void cbor_put_double(struct buf *buf, double value)
{
    uint64_t bits = CBOR_NAN;

    if (!__builtin_isnan(value)) {
        memcpy(&bits, &value, sizeof(bits));
    }
    cbor_put_big_endian(buf, CBOR_DOUBLE, bits, 8);
}

void cbor_put_bytes(struct buf *buf, struct str bytes)
{
    cbor_put_head(buf, CBOR_MAJOR_BYTES, bytes.len);
    buf_put_str(buf, bytes);
}

void cbor_put_text(struct buf *buf, struct str text)
{
    cbor_put_head(buf, utf8_is_valid(text) ? CBOR_MAJOR_TEXT : CBOR_MAJOR_BYTES, text.len);
    buf_put_str(buf, text);
}

void cbor_put_array(struct buf *buf, size_t count)
{
    cbor_put_head(buf, CBOR_MAJOR_ARRAY, count);
}

void cbor_put_map(struct buf *buf, size_t count)
{
    cbor_put_head(buf, CBOR_MAJOR_MAP, count);
}

void cbor_open(struct cbor_reader *reader, struct str bytes)
{
    *reader = (struct cbor_reader){.rest = bytes};
}

void cbor_fail(struct cbor_reader *reader, int error)
{
    if (reader->error == 0) {
        reader->error = error;
    }
}

enum cbor_type cbor_peek(const struct cbor_reader *reader)
{
    unsigned char first;

    if (reader->error != 0 || reader->rest.len == 0) {
        return CBOR_TYPE_COUNT;
    }
    first = (unsigned char)reader->rest.ptr[0];
    if (first >> 5 < CBOR_MAJOR_TAG) {
        return (enum cbor_type)(first >> 5); /* the first six types are numbered as their majors */
    }
    switch (first) {
    case CBOR_FALSE:
    case CBOR_TRUE:
        return CBOR_TYPE_BOOL;
    case CBOR_NULL:
        return CBOR_TYPE_NULL;
    case CBOR_DOUBLE:
        return CBOR_TYPE_DOUBLE;
    default:
        return CBOR_TYPE_COUNT;
    }
}

static uint64_t cbor_take_big_endian(struct cbor_reader *reader, size_t width)
{
    uint64_t value = 0;

    if (reader->rest.len < width) {
        cbor_fail(reader, -ERR_TRUNCATED);
        return 0;
    }
    for (size_t i = 0; i < width; i++) {
        value = value << 8 | (unsigned char)reader->rest.ptr[i];
    }
    reader->rest = str_of(reader->rest.ptr + width, reader->rest.len - width);
    return value;
}

/* The argument of a head whose type has been looked at; refuses what is not its shortest form. */
static uint64_t cbor_take_argument(struct cbor_reader *reader)
{
    static const uint64_t smallest[] = {CBOR_INFO_1BYTE, UINT8_MAX + 1ULL, UINT16_MAX + 1ULL,
                                        UINT32_MAX + 1ULL};
    unsigned info = (unsigned)cbor_take_big_endian(reader, 1) & 0x1f;
    uint64_t value;

    if (reader->error != 0 || info < CBOR_INFO_1BYTE) {
        return reader->error != 0 ? 0 : info;
    }
    if (info > CBOR_INFO_8BYTE) { /* indefinite length, or a reserved width */
        cbor_fail(reader, -ERR_SYNTAX);
        return 0;
    }
    value = cbor_take_big_endian(reader, (size_t)1 << (info - CBOR_INFO_1BYTE));
    if (value < smallest[info - CBOR_INFO_1BYTE]) {
        cbor_fail(reader, -ERR_SYNTAX);
    }
    return reader->error != 0 ? 0 : value;
}

/* Whether the next item is of the type; what is not sticks. */
static bool cbor_expect(struct cbor_reader *reader, enum cbor_type type)
{
    if (reader->error == 0 && cbor_peek(reader) != type) {
        cbor_fail(reader, reader->rest.len == 0 ? -ERR_TRUNCATED : -ERR_SYNTAX);
    }
    return reader->error == 0;
}

uint64_t cbor_get_u64(struct cbor_reader *reader)
{
    return cbor_expect(reader, CBOR_TYPE_UNSIGNED) ? cbor_take_argument(reader) : 0;
}

int64_t cbor_get_i64(struct cbor_reader *reader)
{
    bool is_negative = cbor_peek(reader) == CBOR_TYPE_NEGATIVE;
    uint64_t value;

    if (!cbor_expect(reader, is_negative ? CBOR_TYPE_NEGATIVE : CBOR_TYPE_UNSIGNED)) {
        return 0;
    }
    value = cbor_take_argument(reader);
    if (value > INT64_MAX) {
        cbor_fail(reader, -ERR_SYNTAX);
    }
    if (reader->error != 0) {
        return 0;
    }
    return is_negative ? -1 - (int64_t)value : (int64_t)value;
}

bool cbor_get_bool(struct cbor_reader *reader)
{
    return cbor_expect(reader, CBOR_TYPE_BOOL) && cbor_take_big_endian(reader, 1) == CBOR_TRUE;
}

double cbor_get_double(struct cbor_reader *reader)
{
    double value = 0;
    uint64_t bits;

    if (!cbor_expect(reader, CBOR_TYPE_DOUBLE)) {
        return 0;
    }
    (void)cbor_take_big_endian(reader, 1);
    bits = cbor_take_big_endian(reader, 8);
    memcpy(&value, &bits, sizeof(value));
    if (__builtin_isnan(value) && bits != CBOR_NAN) {
        cbor_fail(reader, -ERR_SYNTAX);
    }
    return reader->error != 0 ? 0 : value;
}

static struct str cbor_take_string(struct cbor_reader *reader, enum cbor_type type)
{
    uint64_t len = cbor_expect(reader, type) ? cbor_take_argument(reader) : 0;
    struct str string;

    if (len > reader->rest.len) {
        cbor_fail(reader, -ERR_TRUNCATED);
    }
    if (reader->error != 0) {
        return STR("");
    }
    string = str_slice(reader->rest, 0, (size_t)len);
    if (type == CBOR_TYPE_TEXT && !utf8_is_valid(string)) {
        cbor_fail(reader, -ERR_SYNTAX);
        return STR("");
    }
    reader->rest = str_slice(reader->rest, (size_t)len, reader->rest.len);
    return string;
}

struct str cbor_get_bytes(struct cbor_reader *reader)
{
    return cbor_take_string(reader, CBOR_TYPE_BYTES);
}

struct str cbor_get_text(struct cbor_reader *reader)
{
    return cbor_take_string(reader, cbor_peek(reader) == CBOR_TYPE_BYTES ? CBOR_TYPE_BYTES
                                                                         : CBOR_TYPE_TEXT);
}

static size_t cbor_get_count(struct cbor_reader *reader, enum cbor_type type, size_t items_each)
{
    uint64_t count = cbor_expect(reader, type) ? cbor_take_argument(reader) : 0;

    if (count > reader->rest.len / items_each) { /* an item is a byte at least */
        cbor_fail(reader, -ERR_TRUNCATED);
        return 0;
    }
    return (size_t)count;
}

size_t cbor_get_array(struct cbor_reader *reader)
{
    return cbor_get_count(reader, CBOR_TYPE_ARRAY, 1);
}

size_t cbor_get_map(struct cbor_reader *reader)
{
    return cbor_get_count(reader, CBOR_TYPE_MAP, 2);
}

/* Takes what stands alone, or the head of what holds others: *ret_count then says how many items.
 */
static bool cbor_skip_one(struct cbor_reader *reader, size_t *ret_count)
{
    switch (cbor_peek(reader)) {
    case CBOR_TYPE_UNSIGNED:
    case CBOR_TYPE_NEGATIVE:
        (void)cbor_take_argument(reader);
        return false;
    case CBOR_TYPE_BYTES:
    case CBOR_TYPE_TEXT:
        (void)cbor_get_text(reader);
        return false;
    case CBOR_TYPE_BOOL:
    case CBOR_TYPE_NULL:
        (void)cbor_take_big_endian(reader, 1);
        return false;
    case CBOR_TYPE_DOUBLE:
        (void)cbor_get_double(reader);
        return false;
    case CBOR_TYPE_ARRAY:
        *ret_count = cbor_get_array(reader);
        return true;
    case CBOR_TYPE_MAP:
        *ret_count = 2 * cbor_get_map(reader);
        return true;
    case CBOR_TYPE_COUNT:
        break;
    }
    cbor_fail(reader, reader->rest.len == 0 ? -ERR_TRUNCATED : -ERR_SYNTAX);
    return false;
}

void cbor_skip(struct cbor_reader *reader)
{
    size_t left[CBOR_DEPTH_MAX + 1] = {1}; /* items still to take, by depth */
    size_t depth = 0;

    while (reader->error == 0) {
        size_t count = 0;

        while (left[depth] == 0) {
            if (depth == 0) {
                return;
            }
            depth--;
        }
        left[depth]--;
        if (!cbor_skip_one(reader, &count)) {
            continue;
        }
        if (depth == CBOR_DEPTH_MAX) {
            cbor_fail(reader, -ERR_LIMIT);
            return;
        }
        left[++depth] = count;
    }
}

int cbor_close(const struct cbor_reader *reader)
{
    if (reader->error != 0) {
        return reader->error;
    }
    return reader->rest.len == 0 ? 0 : -ERR_SYNTAX;
}
