/* A growing byte buffer with a ceiling. */
#include "base/buf.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"

void buf_init(struct buf *buf, size_t limit)
{
    *buf = (struct buf){.limit = limit};
}

void buf_done(struct buf *buf)
{
    mem_free(buf->ptr);
    *buf = (struct buf){.limit = buf->limit};
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->error = 0;
    if (buf->ptr != NULL) {
        buf->ptr[0] = '\0';
    }
}

static int buf_fail(struct buf *buf, int error)
{
    if (buf->error == 0) {
        buf->error = error;
    }
    return buf->error;
}

void *buf_reserve(struct buf *buf, size_t len)
{
    size_t need;
    size_t room;
    char *ptr;

    if (buf->error != 0) {
        return NULL;
    }
    if (__builtin_add_overflow(buf->len, len, &need) || need > buf->limit) {
        (void)buf_fail(buf, -ERR_LIMIT);
        return NULL;
    }
    if (need <= buf->room && buf->ptr != NULL) {
        return buf->ptr + buf->len;
    }
    room = buf->room < 64 ? 64 : buf->room;
    while (room < need) {
        room = room > SIZE_MAX / 2 ? need : room * 2;
    }
    if (room > buf->limit) {
        room = buf->limit;
    }
    ptr = mem_resize(buf->ptr, room + 1, 1);
    if (ptr == NULL) {
        (void)buf_fail(buf, -ERR_NOMEM);
        return NULL;
    }
    buf->ptr = ptr;
    buf->room = room;
    return buf->ptr + buf->len;
}

void buf_commit(struct buf *buf, size_t len)
{
    buf->len += len;
    buf->ptr[buf->len] = '\0';
}

int buf_put(struct buf *buf, const void *bytes, size_t len)
{
    void *where = buf_reserve(buf, len);

    if (where == NULL) {
        return buf->error;
    }
    if (len != 0) {
        memcpy(where, bytes, len);
    }
    buf_commit(buf, len);
    return 0;
}

int buf_put_str(struct buf *buf, struct str s)
{
    return buf_put(buf, s.ptr, s.len);
}

int buf_put_text(struct buf *buf, const char *text)
{
    return buf_put_str(buf, str_from(text));
}

int buf_put_plain(struct buf *buf, struct str s)
{
    while (s.len != 0) {
        uint32_t rune = 0;
        size_t width = utf8_decode(s, &rune);
        bool is_control = width == 0 || rune < 0x20 || (rune >= 0x7f && rune < 0xa0);

        width = width != 0 ? width : 1;
        (void)(is_control ? buf_put_byte(buf, '?') : buf_put(buf, s.ptr, width));
        s = str_slice(s, width, s.len);
    }
    return buf->error;
}

int buf_put_byte(struct buf *buf, unsigned char byte)
{
    return buf_put(buf, &byte, 1);
}

int buf_vputf(struct buf *buf, const char *format, va_list args)
{
    va_list again;
    char *where;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0) {
        return buf_fail(buf, -ERR_INVAL);
    }
    where = buf_reserve(buf, (size_t)len);
    if (where == NULL) {
        return buf->error;
    }
    (void)vsnprintf(where, (size_t)len + 1, format, args);
    buf_commit(buf, (size_t)len);
    return 0;
}

int buf_putf(struct buf *buf, const char *format, ...)
{
    va_list args;
    int r;

    va_start(args, format);
    r = buf_vputf(buf, format, args);
    va_end(args);
    return r;
}

void buf_consume(struct buf *buf, size_t len)
{
    if (len >= buf->len) {
        buf->len = 0;
    } else if (len != 0) {
        memmove(buf->ptr, buf->ptr + len, buf->len - len);
        buf->len -= len;
    }
    if (buf->ptr != NULL) {
        buf->ptr[buf->len] = '\0';
    }
}

struct str buf_str(const struct buf *buf)
{
    return str_of(buf->ptr, buf->len);
}
