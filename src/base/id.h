/* 128-bit random names of things that live in more than one place (findings, hosts, actions,
 * cases): UUID version 4 by RFC 9562. Written in the usual 36 characters. */
#ifndef BASE_ID_H
#define BASE_ID_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define ID_TEXT_SIZE 37

struct id {
    uint8_t bytes[16];
};

/* From the kernel's generator. -ERR_IO when it gives nothing. */
[[nodiscard]] int id_new(struct id *ret_id);
void id_format(const struct id *id, char out[ID_TEXT_SIZE]);
/* -ERR_SYNTAX. */
[[nodiscard]] int id_parse(struct str text, struct id *ret_id);
bool id_is(const struct id *a, const struct id *b);
bool id_is_none(const struct id *id);

#endif
