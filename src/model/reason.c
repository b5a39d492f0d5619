/* The table of reasons: see model/reason.h. Neighbours: finding.c and site_check.c write them. */
#include "model/reason.h"

#include "base/banned.h"
#include "base/text.h"

struct reason_row {
    const char *word;
    const char *sentence;
};

static const struct reason_row reason_rows[] = {
#define REASON(reason_word, reason_sentence) {.word = (reason_word), .sentence = (reason_sentence)},
#include "model/reasons.def"
#undef REASON
};

struct str reason_text(struct str what)
{
    for (size_t i = 0; i < sizeof(reason_rows) / sizeof(reason_rows[0]); i++) {
        if (str_is_text(what, reason_rows[i].word)) {
            return str_from(text_get(reason_rows[i].sentence));
        }
    }
    return what;
}
