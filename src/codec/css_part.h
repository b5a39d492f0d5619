/* What css.c and css_value.c share. */
#ifndef CODEC_CSS_PART_H
#define CODEC_CSS_PART_H

#include "base/str.h"

#include <stddef.h>

/* The first of stops from `at` on that stands outside strings, comments and brackets, or text.len.
 */
size_t css_find(struct str text, size_t at, const char *stops);
/* raw without comments and with escapes resolved: itself when it has none, else in room, cut. */
struct str css_plain(struct str raw, char *room, size_t size);
/* Of base 10 or 16; -1. */
int css_digit(char c, unsigned base);

#endif
