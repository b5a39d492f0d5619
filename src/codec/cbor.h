/* CBOR, RFC 8949, the deterministic subset (§4.2): definite lengths, shortest heads, no tags, no
 * floats but binary64, text is valid UTF-8 (bytes that are not are written as a byte string). Pure;
 * a writer appends to a buf and shares its sticky error; a reader walks borrowed bytes. */
#ifndef CODEC_CBOR_H
#define CODEC_CBOR_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CBOR_DEPTH_MAX 16

void cbor_put_u64(struct buf *buf, uint64_t value);
void cbor_put_i64(struct buf *buf, int64_t value);
void cbor_put_bool(struct buf *buf, bool value);
void cbor_put_null(struct buf *buf);
void cbor_put_double(struct buf *buf, double value);
void cbor_put_bytes(struct buf *buf, struct str bytes);
/* Text when it is UTF-8, else a byte string. */
void cbor_put_text(struct buf *buf, struct str text);
/* The head of an array of count items, of a map of count pairs; the items follow. */
void cbor_put_array(struct buf *buf, size_t count);
void cbor_put_map(struct buf *buf, size_t count);

enum cbor_type {
    CBOR_TYPE_UNSIGNED,
    CBOR_TYPE_NEGATIVE,
    CBOR_TYPE_BYTES,
    CBOR_TYPE_TEXT,
    CBOR_TYPE_ARRAY,
    CBOR_TYPE_MAP,
    CBOR_TYPE_BOOL,
    CBOR_TYPE_NULL,
    CBOR_TYPE_DOUBLE,
    CBOR_TYPE_COUNT,
};

struct cbor_reader {
    struct str rest;
    int error; /* first failure, sticks: -ERR_TRUNCATED, -ERR_SYNTAX, -ERR_LIMIT */
};

void cbor_open(struct cbor_reader *reader, struct str bytes);
/* For decoders built on this one: an item was well formed but is not one they know. The first error
 * sticks. */
void cbor_fail(struct cbor_reader *reader, int error);
/* The type of the next item, without taking it; CBOR_TYPE_COUNT at the end or after a failure. */
enum cbor_type cbor_peek(const struct cbor_reader *reader);
/* Each takes one item and gives zero or empty when it is of another type (which sticks as
 * -ERR_SYNTAX). */
uint64_t cbor_get_u64(struct cbor_reader *reader);
int64_t cbor_get_i64(struct cbor_reader *reader); /* also takes an unsigned that fits */
bool cbor_get_bool(struct cbor_reader *reader);
double cbor_get_double(struct cbor_reader *reader);
/* What cbor_put_bytes wrote, and nothing else; borrows. */
struct str cbor_get_bytes(struct cbor_reader *reader);
/* What cbor_put_text wrote, text or bytes; borrows. It takes a byte string of UTF-8 too, which
 * would be written as text: where one thing must have one form, and it is bytes, ask for those. */
struct str cbor_get_text(struct cbor_reader *reader);
/* Number of items or pairs, never more than the bytes that are left. */
size_t cbor_get_array(struct cbor_reader *reader);
size_t cbor_get_map(struct cbor_reader *reader);
/* Takes one item with all that is in it, to CBOR_DEPTH_MAX. */
void cbor_skip(struct cbor_reader *reader);
/* 0 when nothing failed and nothing is left over. */
[[nodiscard]] int cbor_close(const struct cbor_reader *reader);

#endif
