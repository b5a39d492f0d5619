/* How Sigma compares texts: without case, by the simple case folding of Unicode (one character for
 * one), bytes that are not UTF-8 as they are. Rules' literals are folded when they are loaded,
 * values when they are matched; folding never makes a text longer than SIGMA_FOLD_GROWTH times. */
#ifndef DETECT_SIGMA_TEXT_H
#define DETECT_SIGMA_TEXT_H

#include "base/str.h"
#include "detect/sigma/rule.h"

#define SIGMA_FOLD_GROWTH 2

/* Folds into out, which has text.len * SIGMA_FOLD_GROWTH + 1 bytes; returns the length. */
size_t sigma_fold(struct str text, char *out);
/* The same of the character at `at`; returns how much of text it took. */
size_t sigma_fold_char(struct str text, size_t at, char *out, size_t *len);
/* text: folded unless the pattern is cased. Never more than text.len * parts steps. */
bool sigma_pattern_matches(const struct sigma_part *parts, size_t count, struct str text);

#endif
