/* What the compiler of forms (forms_compile.c) and their matcher (forms.c) share. */
#ifndef CODEC_FORMS_PART_H
#define CODEC_FORMS_PART_H

#include "codec/forms.h"

#include <string.h>

enum form_kind {
    FORM_KIND_WORD,
    FORM_KIND_TEXT,
    FORM_KIND_LAST,
    FORM_KIND_TIME,
    FORM_KIND_PAIRS,
};

struct form_pair {
    struct str key;
    enum log_name name;
};

struct form_step {
    struct str literal; /* behind the field */
    enum form_kind kind;
    enum log_name name; /* LOG_NAME_COUNT: passed over */
    bool is_address;
    const struct form_pair *pairs;
    size_t pair_count;
};

struct form_constant {
    enum log_name name;
    struct str value;
};

/* The first bytes of a form's lead, as many as the masks cover: what decides for nearly all rows
 * lies close together. */
struct form_key {
    uint64_t words[2];
    uint64_t masks[2];
};

struct form {
    struct str lead; /* before the first field */
    const struct form_step *steps;
    size_t step_count;
    const struct form_constant *constants;
    size_t constant_count;
    struct logsource source; /* parts that are not the program's */
};

struct form_program {
    const struct form *forms;
    const struct form_key *keys; /* one a form */
    size_t count;
    struct logsource source;
};

/* NULL for a program without rows. */
const struct form_program *forms_program(struct str name);
/* Rows for all programs, and heads of lines. */
const struct form_program *forms_common(void);
const struct form_program *forms_heads(void);

/* The first bytes of a text, the rest zero. */
static inline uint64_t form_word(struct str text)
{
    uint64_t word = 0;

    if (text.len >= sizeof(word)) {
        memcpy(&word, text.ptr, sizeof(word));
    } else if (text.len > 0) {
        memcpy(&word, text.ptr, text.len);
    }
    return word;
}

#endif
