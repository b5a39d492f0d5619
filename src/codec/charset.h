/* What a page is written in, brought to UTF-8. Pages say it by a byte order mark, else in the
 * Content-Type, else in a <meta>; who says nothing and is not UTF-8 is read as windows-1258, as
 * browsers in Vietnamese do (WHATWG HTML 13.2.3 and Encoding). Known are UTF-8, UTF-16,
 * windows-1258 and windows-1252 with the names that the Encoding standard gives them; bytes of
 * anything else are read as if they were UTF-8, so that its ASCII stays readable. Pure. */
#ifndef CODEC_CHARSET_H
#define CODEC_CHARSET_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define CHARSET_LABEL_MAX 40

enum charset {
    CHARSET_UTF8,
    CHARSET_UTF16LE,
    CHARSET_UTF16BE,
    CHARSET_1252,
    CHARSET_1258,
    CHARSET_OTHER, /* known to exist, not to us */
    CHARSET_COUNT,
};

/* label: of a Content-Type or <meta>, "UTF-8", "iso-8859-1" …; empty: nothing was said. */
enum charset charset_find(struct str body, struct str label);

/* What stands behind "charset=" in a Content-Type, quotes off; empty when nothing does. */
struct str charset_in_content(struct str content);
/* Whether it has the form of a label, known or not: it can stand in a header as it is. */
bool charset_is_label(struct str label);

/* The body as UTF-8, without its mark. UTF-8 is handed back as it is, with what is not well formed
 * in it; the rest is written to the arena: .ptr is NULL without room there (three bytes for each
 * of the body at most). */
[[nodiscard]] struct str charset_decode(struct str body, enum charset charset, struct arena *arena);

/* The character of a byte of windows-1252, which is also what &#128; to &#159; mean to browsers. */
uint32_t charset_1252(unsigned char byte);

#endif
