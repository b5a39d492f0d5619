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
    CONTENT_FORMAT_KNOWN,     /* begins like a known format; nothing deeper could be checked */
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

/* What a histogram looks like, by counting alone. */
enum content_texture {
    CONTENT_TEXTURE_NONE,     /* no bytes */
    CONTENT_TEXTURE_ORDINARY, /* none of the others: text, code, tables, pictures, most compressed
                                 files */
    CONTENT_TEXTURE_RANDOM,   /* content_is_random */
    CONTENT_TEXTURE_SPREAD,   /* 32 to 511 bytes with as few repeats as ciphertext has */
    CONTENT_TEXTURE_CODED,    /* ciphertext in base64 or hex, or thinned with one filler byte */
    CONTENT_TEXTURE_CONSTANT, /* one value fills it */
    CONTENT_TEXTURE_COUNT,
};

const char *content_texture_name(enum content_texture texture);
enum content_texture content_texture(const struct content_stats *stats);

/* Text in ASCII or UTF-8 (a cut character at either end allowed), with few control characters. */
bool content_is_text(struct str bytes);
/* Encrypted containers known by their first bytes alone: OpenPGP, Salted__, age, LUKS, zip; ccrypt
 * has none. 7z needs the scanner. */
bool content_has_encrypted_magic(struct str head);
/* Names that ransom notes carry, in English and Vietnamese, folded; only a hint that never decides.
 */
bool content_is_note_name(struct str file_name);

/* A file before and after, window by window. */
struct content_change {
    struct content_stats before; /* all old bytes seen */
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
/* Adds one window of both, at the same offset; either side may be shorter or empty. is_head: it
 * starts at offset 0. */
void content_change_add(struct content_change *change, struct str before, struct str after,
                        bool is_head);

/* All that a verdict rests on: small enough to be written into a trace. */
struct content_signs {
    enum content_texture before;
    enum content_texture changed;
    enum content_texture after;
    uint64_t changed_len;
    uint64_t compared;
    uint64_t equal;
    uint64_t size_before;
    uint64_t size_after;
    bool was_text;
    bool is_text;
    bool is_after_encrypted_magic;
};

void content_change_signs(const struct content_change *change, struct content_signs *ret_signs);
/* Whether the scanner must be asked what the file (and its original) is before a verdict can be
 * trusted. */
bool content_needs_format(const struct content_signs *signs);

#endif
