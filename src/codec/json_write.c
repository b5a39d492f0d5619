/* JSON writer: commas, quotes and escapes. The reader is json_read.c. */
#include "codec/json.h"

#include "base/banned.h"
#include "base/utf8.h"

#include <math.h>

void json_begin(struct json_writer *json, struct buf *buf)
{
    *json = (struct json_writer){.buf = buf};
}

/* What stands between this value and the one before it. */
static void json_separate(struct json_writer *json)
{
    uint32_t bit = 1U << (json->depth & 31);

    if (json->is_after_key) {
        json->is_after_key = false;
        return;
    }
    if ((json->has_item & bit) != 0 && json->depth != 0) {
        buf_put_byte(json->buf, ',');
    }
    json->has_item |= bit;
}

static void json_open(struct json_writer *json, unsigned char bracket)
{
    json_separate(json);
    buf_put_byte(json->buf, bracket);
    json->depth++;
    json->has_item &= ~(1U << (json->depth & 31));
}

static void json_close(struct json_writer *json, unsigned char bracket)
{
    json->depth--;
    buf_put_byte(json->buf, bracket);
}

void json_open_object(struct json_writer *json)
{
    json_open(json, '{');
}

void json_close_object(struct json_writer *json)
{
    json_close(json, '}');
}

void json_open_array(struct json_writer *json)
{
    json_open(json, '[');
}

void json_close_array(struct json_writer *json)
{
    json_close(json, ']');
}

/* Length of the run that can be copied as it is. */
static size_t json_plain_run(struct str s)
{
    size_t at = 0;

    while (at < s.len) {
        unsigned char byte = (unsigned char)s.ptr[at];
        uint32_t rune;
        size_t width = 1;

        if (byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7f) {
            break;
        }
        if (byte >= 0x80) {
            width = utf8_decode(str_slice(s, at, s.len), &rune);
            if (width == 0) {
                break;
            }
        }
        at += width;
    }
    return at;
}

static void json_put_escaped(struct buf *buf, unsigned char byte)
{
    static const char *const short_forms[128] = {
        ['"'] = "\\\"", ['\\'] = "\\\\", ['\n'] = "\\n", ['\r'] = "\\r",
        ['\t'] = "\\t", ['\b'] = "\\b",  ['\f'] = "\\f"};

    if (byte >= 0x80) {
        buf_put_text(buf, "\xef\xbf\xbd"); /* not UTF-8: the replacement character */
    } else if (short_forms[byte] != NULL) {
        buf_put_text(buf, short_forms[byte]);
    } else {
        buf_putf(buf, "\\u%04x", byte);
    }
}

static void json_put_quoted(struct buf *buf, struct str s)
{
    buf_put_byte(buf, '"');
    while (s.len != 0) {
        size_t run = json_plain_run(s);

        buf_put(buf, s.ptr, run);
        s = str_slice(s, run, s.len);
        if (s.len != 0) {
            json_put_escaped(buf, (unsigned char)s.ptr[0]);
            s = str_slice(s, 1, s.len);
        }
    }
    buf_put_byte(buf, '"');
}

void json_put_key(struct json_writer *json, const char *key)
{
    json_put_key_str(json, str_from(key));
}

void json_put_key_str(struct json_writer *json, struct str key)
{
    json_separate(json);
    json_put_quoted(json->buf, key);
    buf_put_byte(json->buf, ':');
    json->is_after_key = true;
}

void json_put_str(struct json_writer *json, struct str value)
{
    json_separate(json);
    json_put_quoted(json->buf, value);
}

void json_put_text(struct json_writer *json, const char *value)
{
    if (value == NULL) {
        json_put_null(json);
    } else {
        json_put_str(json, str_from(value));
    }
}

void json_put_i64(struct json_writer *json, int64_t value)
{
    json_separate(json);
    buf_putf(json->buf, "%lld", (long long)value);
}

void json_put_u64(struct json_writer *json, uint64_t value)
{
    json_separate(json);
    buf_putf(json->buf, "%llu", (unsigned long long)value);
}

void json_put_double(struct json_writer *json, double value)
{
    if (!isfinite(value)) {
        json_put_null(json);
        return;
    }
    json_separate(json);
    if (value == 0 &&
        signbit(value)) { /* "-0" would be read as a whole number, which has no sign at zero */
        buf_put_text(json->buf, "-0.0");
        return;
    }
    for (int digits = 6; digits <= 17; digits++) {
        char text[40];

        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value || digits == 17) {
            buf_put_text(json->buf, text);
            return;
        }
    }
}

void json_put_bool(struct json_writer *json, bool value)
{
    json_separate(json);
    buf_put_text(json->buf, value ? "true" : "false");
}

void json_put_null(struct json_writer *json)
{
    json_separate(json);
    buf_put_text(json->buf, "null");
}

void json_put_raw(struct json_writer *json, struct str value)
{
    json_separate(json);
    buf_put_str(json->buf, value);
}

void json_add_object(struct json_writer *json, const char *key)
{
    json_put_key(json, key);
    json_open_object(json);
}

void json_add_array(struct json_writer *json, const char *key)
{
    json_put_key(json, key);
    json_open_array(json);
}

void json_add_str(struct json_writer *json, const char *key, struct str value)
{
    json_put_key(json, key);
    json_put_str(json, value);
}

void json_add_text(struct json_writer *json, const char *key, const char *value)
{
    json_put_key(json, key);
    json_put_text(json, value);
}

void json_add_i64(struct json_writer *json, const char *key, int64_t value)
{
    json_put_key(json, key);
    json_put_i64(json, value);
}

void json_add_u64(struct json_writer *json, const char *key, uint64_t value)
{
    json_put_key(json, key);
    json_put_u64(json, value);
}

void json_add_double(struct json_writer *json, const char *key, double value)
{
    json_put_key(json, key);
    json_put_double(json, value);
}

void json_add_bool(struct json_writer *json, const char *key, bool value)
{
    json_put_key(json, key);
    json_put_bool(json, value);
}

void json_add_null(struct json_writer *json, const char *key)
{
    json_put_key(json, key);
    json_put_null(json);
}

void json_add_raw(struct json_writer *json, const char *key, struct str value)
{
    json_put_key(json, key);
    json_put_raw(json, value);
}
