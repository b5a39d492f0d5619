/* UTF-8 checks and the folding that search uses. */
#include "base/utf8.h"

#include "base/banned.h"

#include <endian.h>

#define UTF8_BLOCK  64
#define UTF8_BEFORE 3  /* bytes that a character may begin before its last */
#define UTF8_REST   16 /* fewer bytes than that are sooner looked at one by one */

static bool utf8_is_tail(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Bytes that a lead byte announces, 0 when it cannot lead. */
static size_t utf8_width(unsigned char lead)
{
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
        return 2;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        return 3;
    }
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

size_t utf8_decode(struct str s, uint32_t *ret_rune)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    static const unsigned char lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const unsigned char *bytes = (const unsigned char *)s.ptr;
    size_t width = s.len != 0 ? utf8_width(bytes[0]) : 0;
    uint32_t rune;

    if (width == 0 || width > s.len) {
        return 0;
    }
    rune = bytes[0] & lead_mask[width];
    for (size_t i = 1; i < width; i++) {
        if (!utf8_is_tail(bytes[i])) {
            return 0;
        }
        rune = rune << 6 | (bytes[i] & 0x3f);
    }
    if (rune < smallest[width] || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff)) {
        return 0;
    }
    *ret_rune = rune;
    return width;
}

/* Whether the bytes of a block cannot follow each other and the three before them: Unicode, table
 * 3-7, in arithmetic that the compiler does for many bytes at once. Its end may cut a character. */
static bool utf8_is_broken(const unsigned char *block)
{
    unsigned char broken = 0;

    for (int i = 0; i < UTF8_BLOCK; i++) {
        unsigned char byte = block[i];
        unsigned char last = block[i - 1];
        unsigned char is_due =
            (unsigned char)((last >= 0xc0) | (block[i - 2] >= 0xe0) | (block[i - 3] >= 0xf0));

        broken |= (unsigned char)(((byte & 0xc0) == 0x80) ^ is_due);
        broken |= (unsigned char)((byte >= 0xf5) | ((byte & 0xfe) == 0xc0));
        broken |=
            (unsigned char)(((last == 0xe0) & (byte < 0xa0)) | ((last == 0xed) & (byte >= 0xa0)));
        broken |=
            (unsigned char)(((last == 0xf0) & (byte < 0x90)) | ((last == 0xf4) & (byte >= 0x90)));
    }
    return broken != 0;
}

/* Where the last whole character ends of text that is sound up to at, but for its end. */
static size_t utf8_step_back(struct str s, size_t at)
{
    size_t lead = at;

    while (lead != 0 && at - lead < UTF8_BEFORE && utf8_is_tail((unsigned char)s.ptr[lead - 1])) {
        lead--;
    }
    return lead != 0 ? lead - 1 : 0;
}

/* With the three bytes before, so that no character is cut short there. */
static bool utf8_is_ascii(const unsigned char *block)
{
    unsigned char high = block[-1] | block[-2] | block[-3];

    for (int i = 0; i < UTF8_BLOCK; i++) {
        high |= block[i];
    }
    return high < 0x80;
}

/* Whether the bytes behind at, too few for a block, are sound together with the three before. */
static bool utf8_is_sound_rest(struct str s, size_t at)
{
    unsigned char room[UTF8_BEFORE + UTF8_BLOCK] = {0};

    memcpy(room, s.ptr + at - UTF8_BEFORE, s.len - at + UTF8_BEFORE);
    return utf8_is_ascii(room + UTF8_BEFORE) || !utf8_is_broken(room + UTF8_BEFORE);
}

/* Blocks that are sound, from the end of a sound character on. What a cut character lacks at the
 * end of the text is 0, which cannot follow it. */
static size_t utf8_skip_blocks(struct str s, size_t at)
{
    const unsigned char *bytes = (const unsigned char *)s.ptr;

    while (s.len - at >= UTF8_BLOCK && (utf8_is_ascii(bytes + at) || !utf8_is_broken(bytes + at))) {
        at += UTF8_BLOCK;
    }
    if (s.len - at >= UTF8_REST && s.len - at < UTF8_BLOCK && utf8_is_sound_rest(s, at)) {
        return s.len;
    }
    return utf8_step_back(s, at);
}

size_t utf8_valid_prefix(struct str s)
{
    bool has_skipped = false;
    size_t at = 0;

    while (at < s.len) {
        uint32_t rune;
        size_t width;

        if (!has_skipped && at >= UTF8_BEFORE) {
            at = utf8_skip_blocks(s, at);
            has_skipped = true;
            continue;
        }
        if ((unsigned char)s.ptr[at] < 0x80) { /* most bytes of most texts */
            at++;
            continue;
        }
        width = utf8_decode((struct str){s.ptr + at, s.len - at}, &rune);
        if (width == 0) {
            break;
        }
        at += width;
    }
    return at;
}

bool utf8_is_valid(struct str s)
{
    return utf8_valid_prefix(s) == s.len;
}

/* Columns of a terminal: marks stand above a letter, what is not well formed is a sign a byte. */
static size_t utf8_columns(struct str s)
{
    size_t columns = 0;

    while (s.len != 0) {
        uint32_t rune = 0;
        size_t width = utf8_decode(s, &rune);

        columns += width != 0 && rune >= 0x300 && rune <= 0x36f ? 0 : 1;
        s = str_slice(s, width != 0 ? width : 1, s.len);
    }
    return columns;
}

int utf8_pad(const char *text, int columns)
{
    size_t width = utf8_columns(str_from(text));

    return columns > 0 && width < (size_t)columns ? columns - (int)width : 0;
}

static void put_wrapped_line(struct buf *buf, struct str line, size_t hang, size_t columns)
{
    size_t at = hang;
    struct str word;

    while (str_cut(&line, ' ', &word)) {
        size_t width = utf8_columns(word);

        if (at != hang && at + 1 + width > columns) {
            buf_putf(buf, "\n%*s", (int)hang, "");
            at = hang;
        } else if (at != hang) {
            buf_put_byte(buf, ' ');
            at++;
        }
        buf_put_str(buf, word);
        at += width;
    }
}

void utf8_put_wrapped(struct buf *buf, struct str text, size_t hang, size_t columns)
{
    struct str line;

    for (bool is_first = true; str_cut(&text, '\n', &line); is_first = false) {
        if (!is_first) {
            buf_putf(buf, "\n%*s", (int)hang, "");
        }
        put_wrapped_line(buf, line, hang, columns);
    }
}

size_t utf8_encode(uint32_t rune, char out[4])
{
    if (rune < 0x80) {
        out[0] = (char)rune;
        return 1;
    }
    if (rune < 0x800) {
        out[0] = (char)(0xc0 | rune >> 6);
        out[1] = (char)(0x80 | (rune & 0x3f));
        return 2;
    }
    if (rune >= 0xd800 && rune <= 0xdfff) {
        return 0;
    }
    if (rune < 0x10000) {
        out[0] = (char)(0xe0 | rune >> 12);
        out[1] = (char)(0x80 | (rune >> 6 & 0x3f));
        out[2] = (char)(0x80 | (rune & 0x3f));
        return 3;
    }
    if (rune > 0x10ffff) {
        return 0;
    }
    out[0] = (char)(0xf0 | rune >> 18);
    out[1] = (char)(0x80 | (rune >> 12 & 0x3f));
    out[2] = (char)(0x80 | (rune >> 6 & 0x3f));
    out[3] = (char)(0x80 | (rune & 0x3f));
    return 4;
}

/* The letters Vietnamese is written with, and their Latin-1 neighbours. */
static const char fold_low[] = {
    [0x00c0 - 0xc0 ... 0x00c5 - 0xc0] = 'a',
    [0x00c7 - 0xc0] = 'c',
    [0x00c8 - 0xc0 ... 0x00cb - 0xc0] = 'e',
    [0x00cc - 0xc0 ... 0x00cf - 0xc0] = 'i',
    [0x00d0 - 0xc0] = 'd',
    [0x00d1 - 0xc0] = 'n',
    [0x00d2 - 0xc0 ... 0x00d6 - 0xc0] = 'o',
    [0x00d9 - 0xc0 ... 0x00dc - 0xc0] = 'u',
    [0x00dd - 0xc0] = 'y',
    [0x00e0 - 0xc0 ... 0x00e5 - 0xc0] = 'a',
    [0x00e7 - 0xc0] = 'c',
    [0x00e8 - 0xc0 ... 0x00eb - 0xc0] = 'e',
    [0x00ec - 0xc0 ... 0x00ef - 0xc0] = 'i',
    [0x00f1 - 0xc0] = 'n',
    [0x00f2 - 0xc0 ... 0x00f6 - 0xc0] = 'o',
    [0x00f9 - 0xc0 ... 0x00fc - 0xc0] = 'u',
    [0x00fd - 0xc0] = 'y',
    [0x00ff - 0xc0] = 'y',
    [0x0102 - 0xc0 ... 0x0103 - 0xc0] = 'a',
    [0x0110 - 0xc0 ... 0x0111 - 0xc0] = 'd',
    [0x0128 - 0xc0 ... 0x0129 - 0xc0] = 'i',
    [0x0168 - 0xc0 ... 0x0169 - 0xc0] = 'u',
    [0x01a0 - 0xc0 ... 0x01a1 - 0xc0] = 'o',
    [0x01af - 0xc0 ... 0x01b0 - 0xc0] = 'u',
};

static const char fold_high[] = {
    [0x1ea0 - 0x1ea0 ... 0x1eb7 - 0x1ea0] = 'a', [0x1eb8 - 0x1ea0 ... 0x1ec7 - 0x1ea0] = 'e',
    [0x1ec8 - 0x1ea0 ... 0x1ecb - 0x1ea0] = 'i', [0x1ecc - 0x1ea0 ... 0x1ee3 - 0x1ea0] = 'o',
    [0x1ee4 - 0x1ea0 ... 0x1ef1 - 0x1ea0] = 'u', [0x1ef2 - 0x1ea0 ... 0x1ef9 - 0x1ea0] = 'y',
};

char utf8_fold_letter(uint32_t rune)
{
    if (rune - 0xc0 < sizeof(fold_low)) {
        return fold_low[rune - 0xc0];
    }
    return rune - 0x1ea0 < sizeof(fold_high) ? fold_high[rune - 0x1ea0] : '\0';
}

/* Most text is plain: these need no decoding and no search. */
static bool utf8_fold_plain(unsigned char byte, char *out)
{
    if (byte == 0 || byte >= 0x80) {
        return false;
    }
    *out = (char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
    return true;
}

/* The folded letter, 0 for a combining mark that disappears, or the rune itself. */
static uint32_t utf8_fold_rune(uint32_t rune)
{
    char letter;

    if (rune >= 'A' && rune <= 'Z') {
        return rune - 'A' + 'a';
    }
    if (rune >= 0x300 && rune <= 0x36f) {
        return 0;
    }
    letter = utf8_fold_letter(rune);
    if (letter != '\0') {
        return (unsigned char)letter;
    }
    return rune;
}

#define BYTES(byte) ((byte) * 0x0101010101010101U)

/* Folds the plain letters among eight bytes up to the first that is none; how many. Writes eight.
 */
static size_t utf8_fold_eight(const char *in, char *out)
{
    uint64_t word;
    uint64_t capitals;
    uint64_t stops;

    memcpy(&word, in, sizeof(word));
    word = le64toh(word);
    /* What a byte that is not plain carries over reaches only those behind it. */
    stops = (word | (word - BYTES(1))) & BYTES(0x80);
    capitals = ((word + BYTES(0x80 - 'A')) ^ (word + BYTES(0x7f - 'Z'))) & BYTES(0x80);
    word = htole64(word | (capitals & ~word) >> 2);
    memcpy(out, &word, sizeof(word));
    return stops != 0 ? (size_t)__builtin_ctzll(stops) / 8 : 8;
}

size_t utf8_fold(struct str s, char *out, size_t size)
{
    size_t need = 0;
    size_t at = 0;
    size_t written = 0;

    while (at < s.len) {
        char bytes[4] = {s.ptr[at]};
        uint32_t rune = 0;
        size_t out_width = 1; /* a byte that is not UTF-8 passes as it is */
        bool is_plain;
        size_t width;

        if (s.len - at >= 8 && need == written && size - written > 8 && size != 0) {
            size_t run = utf8_fold_eight(s.ptr + at, out + written);

            at += run;
            need += run;
            written += run;
            if (run != 0) {
                continue;
            }
        }
        is_plain = utf8_fold_plain((unsigned char)s.ptr[at], bytes);
        width = is_plain ? 1 : utf8_decode(str_slice(s, at, s.len), &rune);
        if (width != 0 && !is_plain) {
            uint32_t folded = utf8_fold_rune(rune);

            out_width = folded != 0 ? utf8_encode(folded, bytes) : 0;
        }
        at += width != 0 ? width : 1;
        need += out_width;
        if (need < size && out_width != 0) {
            memcpy(out + written, bytes, out_width);
            written += out_width;
        }
    }
    if (size != 0) {
        out[written] = '\0';
    }
    return need;
}
