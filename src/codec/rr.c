/* See codec/rr.h. Invariant: a name's pointers only lead to before the place they stand at, so
 * following them ends. */
#include "codec/rr.h"

#include "base/banned.h"
#include "base/err.h"

#include <stdbool.h>

#define HEAD_SIZE   12
#define IS_ANSWER   0x8000U
#define CODE_MASK   0xfU
#define CLASS_IN    1U
#define POINTER     0xc0U
#define FIXED_SIZE  10 /* type, class, time to live, length */
#define QUESTION    4  /* type and class behind its name */
#define LABEL_MAX   63U
#define JUMPS_MOST  64U
#define MX_PRIORITY 2

static unsigned rr_u16(struct str message, size_t at)
{
    return (unsigned)(unsigned char)message.ptr[at] << 8 | (unsigned char)message.ptr[at + 1];
}

static char rr_letter(char byte)
{
    bool is_plain =
        (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';

    if (byte >= 'A' && byte <= 'Z') {
        return (char)(byte - 'A' + 'a');
    }
    return is_plain ? byte : '?';
}

/* Takes the next label's place, following pointers; len 0: the name's end. *behind becomes where
 * the record goes on. */
static int rr_label(struct str message, size_t *at, size_t *behind, struct str *ret_label)
{
    for (unsigned jumps = 0; jumps < JUMPS_MOST; jumps++) {
        unsigned len;
        size_t to;

        if (*at >= message.len) {
            return -ERR_TRUNCATED;
        }
        len = (unsigned char)message.ptr[*at];
        if (len <= LABEL_MAX) {
            if (message.len - *at - 1 < len) {
                return -ERR_TRUNCATED;
            }
            *ret_label = str_slice(message, *at + 1, *at + 1 + len);
            *at += 1 + len;
            *behind = *behind != 0 ? *behind : (len == 0 ? *at : 0);
            return 0;
        }
        if ((len & POINTER) != POINTER) {
            return -ERR_SYNTAX;
        }
        if (message.len - *at < 2) {
            return -ERR_TRUNCATED;
        }
        to = rr_u16(message, *at) & 0x3fffU;
        if (to >= *at) {
            return -ERR_SYNTAX;
        }
        *behind = *behind != 0 ? *behind : *at + 2;
        *at = to;
    }
    return -ERR_SYNTAX;
}

/* Reads the name at *at, which moves behind it. out: RR_NAME_MAX + 1. */
static int rr_name(struct str message, size_t *at, char *out)
{
    size_t place = *at;
    size_t behind = 0;
    size_t len = 0;
    struct str label;
    int r;

    while ((r = rr_label(message, &place, &behind, &label)) == 0 && label.len != 0) {
        if (label.len + 1 > RR_NAME_MAX - len) {
            return -ERR_SYNTAX;
        }
        if (len != 0) {
            out[len++] = '.';
        }
        for (size_t i = 0; i < label.len; i++) {
            out[len++] = rr_letter(label.ptr[i]);
        }
    }
    out[len] = '\0';
    *at = behind;
    return r;
}

int rr_open(struct str message, struct rr_reader *ret_reader)
{
    struct rr_reader reader = {.message = message, .at = HEAD_SIZE};
    char name[RR_NAME_MAX + 1];
    unsigned questions;

    if (message.len < HEAD_SIZE) {
        return -ERR_TRUNCATED;
    }
    if ((rr_u16(message, 2) & IS_ANSWER) == 0) {
        return -ERR_SYNTAX;
    }
    reader.code = rr_u16(message, 2) & CODE_MASK;
    questions = rr_u16(message, 4);
    reader.left = rr_u16(message, 6);
    for (; questions != 0; questions--) {
        int r = rr_name(message, &reader.at, name);

        if (r < 0 || message.len - reader.at < QUESTION) {
            return r < 0 ? r : -ERR_TRUNCATED;
        }
        reader.at += QUESTION;
    }
    *ret_reader = reader;
    return 0;
}

/* What stands in the record, of the types that count here. */
static int rr_content(struct str message, size_t at, size_t len, struct rr *record)
{
    size_t end = at + len;
    bool has_priority = record->type == RR_TYPE_MX;
    int r;

    switch (record->type) {
    case RR_TYPE_A:
    case RR_TYPE_AAAA:
        if (len != (record->type == RR_TYPE_A ? 4U : RR_ADDRESS_MAX)) {
            return -ERR_SYNTAX;
        }
        memcpy(record->address, message.ptr + at, len);
        record->address_len = len;
        return 0;
    case RR_TYPE_NS:
    case RR_TYPE_CNAME:
    case RR_TYPE_MX:
        if (has_priority && len < MX_PRIORITY) {
            return -ERR_SYNTAX;
        }
        at += has_priority ? MX_PRIORITY : 0;
        r = rr_name(message, &at, record->name);
        return r == 0 && at != end ? -ERR_SYNTAX : r;
    default:
        return 0;
    }
}

int rr_next(struct rr_reader *reader, struct rr *ret_record)
{
    struct str message = reader->message;
    struct rr record = {0};
    size_t at = reader->at;
    size_t len;
    int r;

    if (reader->left == 0) {
        return 0;
    }
    reader->left--;
    r = rr_name(message, &at, record.owner);
    if (r == 0 && message.len - at < FIXED_SIZE) {
        r = -ERR_TRUNCATED;
    }
    if (r < 0) {
        reader->left = 0;
        return r;
    }
    record.type = rr_u16(message, at + 2) == CLASS_IN ? rr_u16(message, at) : 0;
    record.ttl = (uint32_t)rr_u16(message, at + 4) << 16 | rr_u16(message, at + 6);
    len = rr_u16(message, at + 8);
    at += FIXED_SIZE;
    r = message.len - at < len ? -ERR_TRUNCATED : rr_content(message, at, len, &record);
    if (r < 0) {
        reader->left = 0;
        return r;
    }
    reader->at = at + len;
    *ret_record = record;
    return 1;
}
