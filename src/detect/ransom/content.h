/* What bytes alone tell: is this ciphertext, and did a change destroy a readable file? Pure; no
 * parser runs here, only counting, so it may stand where rights are. Formats are recognised in the
 * scanner process, and its answer comes in as enum content_format. Measured basis
 * (docs/decisions.md): chi-square below 330.5 at 255 degrees of freedom ("random", p > .001) holds
 * for 0.31 % of benign files of 8 KB and more; Shannon entropy is not used. */
#ifndef DETECT_RANSOM_CONTENT_H
#define DETECT_RANSOM_CONTENT_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the scanner made of a file, best knowledge first. */
enum content_format {
    CONTENT_FORMAT_UNASKED, /* the scanner was not asked, or did not answer in time: unknown, not
                               fine */
    CONTENT_FORMAT_UNKNOWN, /* nothing recognised */
    CONTENT_FORMAT_PLAIN,   /* a known format whose structure was checked: readable without a key */
    CONTENT_FORMAT_DAMAGED, /* begins like a known format, but its structure does not hold */
    CONTENT_FORMAT_ENCRYPTED, /* a container that needs a key: zip flag bit 0, 7z AES, OpenPGP,
                                 Salted__, age, LUKS */
    CONTENT_FORMAT_TEXT,      /* text in a known encoding */
    CONTENT_FORMAT_COUNT,
};

const char *content_format_name(enum content_format format);

/* Counts over one pass. */
struct content_stats {
    uint64_t len;
    uint64_t histogram[256];
};

void content_count(struct content_stats *stats, struct str bytes);
/* Pearson's statistic against the uniform distribution over 256 values; 0 when nothing was counted.
 */
double content_chi_square(const struct content_stats *stats);
/* Whether the bytes counted look like ciphertext; needs 512 of them at least, below that it says
 * no. */
bool content_is_random(const struct content_stats *stats);
/* Text in ASCII or UTF-8 (a cut character at either end allowed), with few control characters. */
bool content_is_text(struct str bytes);
/* Encrypted containers known by their first bytes alone: OpenPGP, Salted__, age, LUKS, ccrypt has
 * none. zip and 7z need the scanner. */
bool content_has_encrypted_magic(struct str head);
/* Names that ransom notes carry, in English and Vietnamese, folded; only a hint that never decides.
 */
bool content_is_note_name(struct str file_name);

/* One window of a file before and after, at the same offset. */
struct content_change {
    struct content_stats
        changed; /* the new bytes at places where old and new differ, or where old ended */
    struct content_stats after; /* all new bytes seen */
    uint64_t compared;          /* bytes present in both */
    uint64_t equal;             /* of them, the same */
    uint64_t size_before;       /* of the whole file */
    uint64_t size_after;
    bool was_text;
    bool is_text;
    bool is_after_encrypted_magic;
};

void content_change_init(struct content_change *change, uint64_t size_before, uint64_t size_after);
/* Adds a window; either side may be shorter or empty. is_head: it starts at offset 0. */
void content_change_add(struct content_change *change, struct str before, struct str after,
                        bool is_head);

#endif
