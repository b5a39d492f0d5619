/* Small readers that the model's decoders share: each puts its refusal into the CBOR reader's
 * error, so a decoder checks once at its end. Only for src/model. */
#ifndef MODEL_WIRE_H
#define MODEL_WIRE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "codec/cbor.h"

#include <stdbool.h>
#include <stddef.h>

/* A struct travels as an array of its members. More of them: a newer program (-ERR_VERSION); fewer:
 * -ERR_SYNTAX. */
void wire_open(struct cbor_reader *reader, size_t count);
/* The same for a struct that has grown: `first` members, or those and `more` behind them; whether
 * these are there. */
bool wire_open_grown(struct cbor_reader *reader, size_t first, size_t more);
/* A number below count; others are of a newer program: -ERR_VERSION and 0. */
unsigned wire_get_enum(struct cbor_reader *reader, unsigned count);
/* 0 or a negative error; -ERR_SYNTAX for anything else. */
int wire_get_result(struct cbor_reader *reader);
/* 32 bits; -ERR_SYNTAX past them. */
uint32_t wire_get_u32(struct cbor_reader *reader);

/* Room in the arena for as many items of size bytes as the next array holds, max at most
 * (-ERR_LIMIT); NULL with count 0 when there are none or it failed. */
void *wire_take_array(struct cbor_reader *reader, struct arena *arena, size_t max, size_t size,
                      size_t *ret_count);

void wire_put_id(struct buf *buf, const struct id *id);
struct id wire_get_id(struct cbor_reader *reader);

#endif
