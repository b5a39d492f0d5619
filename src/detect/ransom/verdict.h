/* What one look at one file means. A table of thought, pure, without memory: judge.c keeps the
 * files and adds the scores up. Formats come from the scanner; CONTENT_FORMAT_UNASKED is no
 * knowledge, never "fine". */
#ifndef DETECT_RANSOM_VERDICT_H
#define DETECT_RANSOM_VERDICT_H

#include "detect/ransom/content.h"
#include "model/finding.h"

enum verdict_reason {
    VERDICT_REASON_NONE,
    VERDICT_REASON_CHI_SQUARE, /* what changed is evenly random, and no plain format */
    VERDICT_REASON_CONTAINER,  /* it became a container that needs a key */
    VERDICT_REASON_FORMAT, /* too small for counting: it lost its format and turned into noise */
    VERDICT_REASON_CODED,  /* noise in base64 or hex, or thinned with filler, in place of a document
                            */
    VERDICT_REASON_MANGLED,  /* it lost its format, nothing of it is left, and it is no noise either
                              */
    VERDICT_REASON_WIPED,    /* emptied, or filled with one value */
    VERDICT_REASON_REMOVED,  /* deleted after a ciphertext of its size was made from it */
    VERDICT_REASON_REPLACED, /* a ciphertext took its name, and nothing was kept of it to compare */
    VERDICT_REASON_COUNT,
};

const char *verdict_reason_name(enum verdict_reason reason);

struct verdict {
    enum file_outcome outcome; /* FILE_OUTCOME_INTACT: no harm */
    enum verdict_reason reason;
    double score; /* 0 … 1; 0 with an outcome: worth restoring and telling, but no encryption */
};

/* Part of a stop that a deleted or replaced original is: a little below 1, so that a person who
 * encrypts three files and removes them is not stopped. */
#define VERDICT_SCORE_REMOVED 0.9

/* A file and its original. is_closed: nobody writes any more; half-written files are only judged by
 * what more writing cannot mend. */
struct verdict verdict_of_change(const struct content_signs *signs, enum content_format format,
                                 enum content_format format_before, bool is_closed);
/* Whether the original could be read without a key: what cannot be read cannot be destroyed. */
bool verdict_is_readable(const struct content_signs *signs, enum content_format format_before);
/* A new file, alone: how many bytes of originals it can hold as ciphertext; 0 when it is none.
 * is_half: it is being written, so that only a container that says so itself counts. Noise that the
 * scanner gave no word on is none either: every archive is noise. */
uint64_t verdict_of_product(const struct content_signs *signs, enum content_format format,
                            bool is_half);

#endif
