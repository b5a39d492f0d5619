/* A growing byte buffer with a ceiling. A failed append leaves the buffer as it was and marks it,
 * so a chain of appends needs one check at the end (buf_error). Always NUL-terminated behind its
 * length. Not thread-safe. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *ptr;
    size_t len;
    size_t room;  /* bytes allocated, without the NUL */
    size_t limit; /* most bytes it may ever hold */
    int error;    /* first failure, negative, or 0 */
};

/* Allocates nothing yet. limit: most bytes it may ever hold. */
void buf_init(struct buf *buf, size_t limit);
/* Frees and zeroes; takes a buffer that was only initialised. */
void buf_done(struct buf *buf);
/* Empties, clears the error, keeps the memory. */
void buf_reset(struct buf *buf);

/* -ERR_LIMIT past the ceiling, -ERR_NOMEM; both stick until buf_reset. */
int buf_put(struct buf *buf, const void *bytes, size_t len);
int buf_put_str(struct buf *buf, struct str s);
int buf_put_text(struct buf *buf, const char *text);
int buf_put_byte(struct buf *buf, unsigned char byte);
int buf_putf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
int buf_vputf(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Text from elsewhere for a terminal, which must not obey it: control characters, also those above
 * 0x7f, and bytes that are not UTF-8 become '?'. */
int buf_put_plain(struct buf *buf, struct str s);

/* Whether that many bytes find room without more memory. */
static inline bool buf_has_room(const struct buf *buf, size_t len)
{
    return buf->error == 0 && buf->ptr != NULL && buf->room - buf->len >= len;
}

/* Makes len more bytes at the end writable and returns where; NULL on failure. Call buf_commit with
 * how many were used. */
[[nodiscard]] void *buf_reserve(struct buf *buf, size_t len);
void buf_commit(struct buf *buf, size_t len);
/* Drops len bytes at the front. */
void buf_consume(struct buf *buf, size_t len);

static inline int buf_error(const struct buf *buf)
{
    return buf->error;
}

/* Borrows the contents until the next change. */
struct str buf_str(const struct buf *buf);

#endif
