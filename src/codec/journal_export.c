/* Neighbours: agent/journal/entry.c before, codec/journal_log.c on the other side. */
#include "codec/journal_export.h"

#include "base/banned.h"

#include <stdint.h>

#define LENGTH_SIZE 8
#define END_SIZE    1

static bool is_name(struct str name)
{
    return name.len != 0 && str_find_byte(name, '=') == name.len &&
           str_find_byte(name, '\n') == name.len;
}

static void put_length(struct buf *buf, uint64_t len)
{
    for (unsigned i = 0; i < LENGTH_SIZE; i++) {
        buf_put_byte(buf, (unsigned char)(len >> (8 * i)));
    }
}

bool journal_export_put(struct buf *buf, struct str name, struct str value)
{
    bool is_line = str_find_byte(value, '\n') == value.len;
    size_t frame = is_line ? 2 : 2 + LENGTH_SIZE; /* = or a line's end, and the last one */
    size_t room = buf->limit - buf->len;
    size_t before = buf->len;

    if (!is_name(name) || room < frame + END_SIZE || name.len > room - frame - END_SIZE ||
        value.len > room - frame - END_SIZE - name.len) {
        return false;
    }
    buf_put_str(buf, name);
    if (is_line) {
        buf_put_byte(buf, '=');
    } else {
        buf_put_byte(buf, '\n');
        put_length(buf, value.len);
    }
    buf_put_str(buf, value);
    buf_put_byte(buf, '\n');
    if (buf_error(buf) < 0) { /* out of memory half-way */
        buf->len = before;
    }
    return buf_error(buf) == 0;
}

void journal_export_end(struct buf *buf)
{
    buf_put_byte(buf, '\n');
}
