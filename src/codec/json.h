/* JSON, RFC 8259. The writer puts commas and quotes itself and replaces bytes that are not UTF-8
 * with U+FFFD; the reader is strict (no duplicate keys, depth and size limits, valid UTF-8) and
 * builds a tree in an arena. Pure. The event path of later detectors has its own on-demand walker.
 */
#ifndef CODEC_JSON_H
#define CODEC_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 32

struct json_writer {
    struct buf *buf; /* its sticky error is the writer's */
    unsigned depth;
    uint32_t has_item; /* bit d: a value stands already at depth d */
    bool is_after_key;
};

void json_begin(struct json_writer *json, struct buf *buf);
void json_open_object(struct json_writer *json);
void json_close_object(struct json_writer *json);
void json_open_array(struct json_writer *json);
void json_close_array(struct json_writer *json);
void json_put_key(struct json_writer *json, const char *key);
void json_put_key_str(struct json_writer *json, struct str key);
void json_put_str(struct json_writer *json, struct str value);
void json_put_text(struct json_writer *json, const char *value); /* NULL becomes null */
void json_put_i64(struct json_writer *json, int64_t value);
void json_put_u64(struct json_writer *json, uint64_t value);
void json_put_double(struct json_writer *json,
                     double value); /* shortest form; NaN and infinities: null */
void json_put_bool(struct json_writer *json, bool value);
void json_put_null(struct json_writer *json);
/* Bytes that are JSON already. */
void json_put_raw(struct json_writer *json, struct str value);

/* A member of an object: its key, and its value or what opens it. */
void json_add_object(struct json_writer *json, const char *key);
void json_add_array(struct json_writer *json, const char *key);
void json_add_str(struct json_writer *json, const char *key, struct str value);
void json_add_text(struct json_writer *json, const char *key, const char *value);
void json_add_i64(struct json_writer *json, const char *key, int64_t value);
void json_add_u64(struct json_writer *json, const char *key, uint64_t value);
void json_add_double(struct json_writer *json, const char *key, double value);
void json_add_bool(struct json_writer *json, const char *key, bool value);
void json_add_null(struct json_writer *json, const char *key);
void json_add_raw(struct json_writer *json, const char *key, struct str value);

enum json_type {
    JSON_TYPE_NULL,
    JSON_TYPE_BOOL,
    JSON_TYPE_NUMBER,
    JSON_TYPE_STRING,
    JSON_TYPE_ARRAY,
    JSON_TYPE_OBJECT,
    JSON_TYPE_COUNT,
};

struct json_value {
    enum json_type type;
    bool boolean;
    bool is_integer; /* number holds without a fraction and fits in integer */
    int64_t integer;
    double number;
    struct str string;        /* unescaped, valid UTF-8, may hold NUL */
    struct str key;           /* as a member of an object */
    struct json_value *first; /* of an array or object */
    struct json_value *next;  /* the following sibling */
    size_t count;             /* of children */
};

/* Parses one value and nothing behind it. The tree lives in the arena (strings too).
 * -ERR_SYNTAX with the line and column in diag, -ERR_LIMIT (depth, arena), -ERR_DUPLICATE for a key
 * twice. */
[[nodiscard]] int json_parse(struct str text, struct arena *arena, struct json_value **ret_value,
                             struct diag *diag);
/* Members: NULL when value is NULL, no object, or has none of that name. */
const struct json_value *json_member(const struct json_value *value, const char *key);
/* The member's string, or fallback. */
struct str json_member_str(const struct json_value *value, const char *key, struct str fallback);
int64_t json_member_i64(const struct json_value *value, const char *key, int64_t fallback);
bool json_member_bool(const struct json_value *value, const char *key, bool fallback);

#endif
