/* Borrowed text: a pointer and a length, never owned, never NUL-terminated by promise.
 * Whoever holds a struct str must know that the bytes outlive it. All functions are pure. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *ptr;
    size_t len;
};

/* A string literal as a struct str, also in initialisers. */
#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})

/* For printf's "%.*s". */
#define STR_ARG(s)                                                                                 \
    (int)((s).len > INT32_MAX ? INT32_MAX : (s).len), ((s).ptr != NULL ? (s).ptr : "")

/* The whole of a NUL-terminated text; NULL becomes the empty string. */
struct str str_from(const char *text);
static inline struct str str_of(const char *ptr, size_t len)
{
    return (struct str){ptr, len};
}

bool str_is(struct str a, struct str b);
bool str_is_text(struct str a, const char *text);
/* ASCII letters compare without case. */
bool str_is_nocase(struct str a, struct str b);
bool str_has_prefix(struct str s, struct str prefix);
bool str_has_suffix(struct str s, struct str suffix);
int str_compare(struct str a, struct str b);

/* Index of the first such byte, or s.len. */
size_t str_find_byte(struct str s, char byte);
/* Index of the first occurrence of needle, or s.len. */
size_t str_find(struct str s, struct str needle);

struct str str_trim(struct str s);
/* Clamped to the string; never reads past it. */
static inline struct str str_slice(struct str s, size_t from, size_t to)
{
    to = to < s.len ? to : s.len;
    from = from < to ? from : to;
    return s.ptr == NULL ? s : str_of(s.ptr + from, to - from);
}

/* Cuts up to the next `byte`: *ret_part gets what stands before it, *rest what stands behind.
 * False when nothing is left. A string without the byte yields itself once. */
bool str_cut(struct str *rest, char byte, struct str *ret_part);

/* Whole string as a decimal number; -ERR_SYNTAX when anything else stands in it, -ERR_RANGE when it
 * does not fit. */
[[nodiscard]] int str_to_u64(struct str s, uint64_t *ret_value);
[[nodiscard]] int str_to_i64(struct str s, int64_t *ret_value);

#endif
