/* The user's words. Source sentences are English; po/vi.po holds the Vietnamese, compiled by msgfmt
 * and linked into the program, so that one binary speaks both and a request can be answered in its
 * reader's language. Vietnamese is the language of a process that was told nothing. Thread-safe
 * after text_set_language. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/str.h"

#include <stdbool.h>

enum language {
    LANGUAGE_VI,
    LANGUAGE_EN,
    LANGUAGE_COUNT,
};

/* Marks a sentence for translation and translates it into the process's language. */
#define _(sentence) text_get(sentence)
/* Marks it only: for tables. */
#define N_(sentence) sentence

/* Chooses the language of the process. Call once, before threads start. */
void text_set_language(enum language language);
enum language text_language(void);
/* "vi" or "en"; false for anything else. */
bool text_parse_language(struct str name, enum language *ret_language);
const char *text_language_name(enum language language);

/* The sentence in the process's language, or itself when there is no translation. */
const char *text_get(const char *sentence) __attribute__((format_arg(1)));
/* The same in a given language. */
const char *text_in(enum language language, const char *sentence) __attribute__((format_arg(2)));
/* Of words that are not in the program, such as a rule's title. */
struct str text_str(struct str sentence);

/* Hands over a compiled catalogue (GNU .mo bytes, either byte order, which must outlive the
 * process). -ERR_SYNTAX when it is not one, and the language then stays untranslated. */
[[nodiscard]] int text_load(enum language language, struct str catalogue);

#endif
