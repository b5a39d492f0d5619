/* See engine_sift.h. Of each keyword a piece is looked for that JSON never escapes; what may be a
 * letter in disguise (\u006d, and the three characters that fold to ASCII) counts as found. */
#include "detect/sigma/engine_sift.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_MIN   4 /* bytes */
#define PIECE_MAX   16
#define PIECES_MAX  128 /* with more it says yes too often */
#define SIEVE_WORDS 16
#define REST        FIND_PAD           /* bytes of a value that are searched in a copy */
#define DISGUISES   (TEDDY_GROUPS - 1) /* their group */

struct sift {
    struct teddy teddy;
    teddy_find_fn *find;
    uint64_t sieve[SIEVE_WORDS]; /* of the pieces' four bytes */
    bool has[128];               /* characters of the pieces, which are folded */
    uint32_t count;
    uint32_t words[PIECES_MAX];
    uint8_t lengths[PIECES_MAX];
    char pieces[PIECES_MAX][PIECE_MAX];
};

static bool is_plain(char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '/';
}

/* Letters with letters of the other case, and some more with each other: it only sieves. */
static uint32_t word_of(const char *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof(word));
    return word | 0x20202020U;
}

static uint32_t sieve_bit(uint32_t word)
{
    return sieve_hash(word) >> 22;
}

/* How seldom bytes are seen in logs: what is no letter and no digit, and letters that are rare. */
static unsigned rarity(const char *bytes)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < TEDDY_BYTES; i++) {
        sum += strchr("etaoinsrlcdmup -.=,0123456789", bytes[i]) == NULL;
        sum += strchr("qjxzkwvy:;@|<>()!$#~", bytes[i]) != NULL;
    }
    return sum;
}

/* The rarest piece: never too short, and cut where it need not be longer. */
static struct str piece_of(struct str text)
{
    struct str best = STR("");
    unsigned best_rarity = 0;

    for (size_t at = 0; at + PIECE_MIN <= text.len; at++) {
        size_t end = at;

        while (end < text.len && end - at < PIECE_MAX && is_plain(text.ptr[end])) {
            end++;
        }
        if (end - at >= PIECE_MIN && (best.len == 0 || rarity(text.ptr + at) > best_rarity)) {
            best = str_slice(text, at, end);
            best_rarity = rarity(text.ptr + at);
        }
    }
    return best;
}

static void disguises_add(struct teddy *teddy)
{
    teddy_add(teddy, "\\u0", DISGUISES);
    teddy_add(teddy, "\\u2", DISGUISES);
    teddy_add(teddy, "\xe2\x84\xaa", DISGUISES); /* the sign of the kelvin */
    for (unsigned byte = 0; byte < 256; byte++) {
        char start[TEDDY_BYTES] = {'\xc5', '\xbf', (char)byte}; /* the long s */

        teddy_add(teddy, start, DISGUISES);
    }
}

static int piece_compare(const void *a, const void *b)
{
    const struct str *left = a;
    const struct str *right = b;
    size_t len = left->len < right->len ? left->len : right->len;
    int order = memcmp(left->ptr, right->ptr, len);

    return order != 0 ? order : (left->len > right->len) - (left->len < right->len);
}

/* Leaves out those that begin with another; rules like to look for variants of a word. */
static size_t pieces_thin(struct str *pieces, size_t count)
{
    size_t kept = 0;

    qsort(pieces, count, sizeof(*pieces), piece_compare);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !str_has_prefix(pieces[i], pieces[kept - 1])) {
            pieces[kept++] = pieces[i];
        }
    }
    return kept;
}

static void piece_add(struct sift *sift, struct str piece, uint32_t group)
{
    uint32_t bit = sieve_bit(word_of(piece.ptr));

    for (size_t i = 0; i < piece.len; i++) {
        sift->has[(unsigned char)piece.ptr[i]] = true;
    }
    sift->words[sift->count] = word_of(piece.ptr);
    memcpy(sift->pieces[sift->count], piece.ptr, piece.len);
    sift->lengths[sift->count] = (uint8_t)piece.len;
    sift->sieve[bit / 64] |= (uint64_t)1 << (bit % 64);
    teddy_add(&sift->teddy, piece.ptr, group);
    sift->count++;
}

static int sift_build(const struct str *pieces, size_t count, struct sift **ret_sift)
{
    struct sift *sift = mem_alloc(1, sizeof(*sift));

    if (sift == NULL) {
        return -ERR_NOMEM;
    }
    /* those that begin alike are of one group, so that its tables let less else through */
    for (size_t i = 0; i < count; i++) {
        piece_add(sift, pieces[i], (uint32_t)(i * DISGUISES / count));
    }
    disguises_add(&sift->teddy);
    sift->find = teddy_way(0);
    *ret_sift = sift;
    return 0;
}

int sift_new(struct str *texts, size_t count, struct sift **ret_sift)
{
    *ret_sift = NULL;
    for (size_t i = 0; i < count; i++) {
        texts[i] = piece_of(texts[i]);
        if (texts[i].len == 0) {
            return 0;
        }
    }
    count = pieces_thin(texts, count);
    return count == 0 || count > PIECES_MAX ? 0 : sift_build(texts, count, ret_sift);
}

void sift_free(struct sift *sift)
{
    mem_free(sift);
}

/* Whether these are the digits of a character that may stand in a piece. Quotes and angle brackets,
 * which some writers of JSON always escape, are none. */
static bool is_escaped_piece(const struct sift *sift, struct str digits)
{
    uint8_t code[2];

    if (digits.len < 4 || hex_decode(str_slice(digits, 0, 4), code, sizeof(code)) < 0 ||
        code[0] != 0 || code[1] >= 0x80) {
        return true;
    }
    return sift->has[code[1] >= 'A' && code[1] <= 'Z' ? code[1] | 0x20 : code[1]];
}

static bool is_disguise(const struct sift *sift, struct str rest)
{
    const char *bytes = rest.ptr;

    if (bytes[0] == '\\' && bytes[1] == 'u' && (bytes[2] == '0' || bytes[2] == '2')) {
        return is_escaped_piece(sift, str_slice(rest, 2, rest.len));
    }
    return memcmp(bytes, "\xe2\x84\xaa", 3) == 0 || memcmp(bytes, "\xc5\xbf", 2) == 0;
}

static bool piece_stands(const struct sift *sift, struct str rest)
{
    uint32_t word;

    if (rest.len < PIECE_MIN) {
        return false;
    }
    word = word_of(rest.ptr);
    if ((sift->sieve[sieve_bit(word) / 64] >> (sieve_bit(word) % 64) & 1) == 0) {
        return false;
    }
    for (uint32_t i = 0; i < sift->count; i++) {
        struct str piece = str_of(sift->pieces[i], sift->lengths[i]);

        if (sift->words[i] == word && str_is_nocase(str_slice(rest, 0, piece.len), piece)) {
            return true;
        }
    }
    return false;
}

/* Of the places below `starts`; behind text FIND_PAD bytes may be read. */
static bool sift_part(const struct sift *sift, struct str text, size_t starts, uint32_t *places)
{
    struct str part = str_slice(text, 0, starts + TEDDY_BYTES - 1);

    for (size_t from = 0; from < starts;) {
        size_t count = sift->find(&sift->teddy, part, &from, places);

        for (size_t i = 0; i < count; i++) {
            struct str rest = str_slice(text, places[i], text.len);

            if (is_disguise(sift, rest) || piece_stands(sift, rest)) {
                return true;
            }
        }
    }
    return false;
}

bool sift_may_hold(const struct sift *sift, struct str value, uint32_t places[FIND_ROOM])
{
    char rest[3 * FIND_PAD] = {0};
    size_t bulk = value.len > REST ? value.len - REST : 0;

    if (bulk > 0 && sift_part(sift, value, bulk, places)) {
        return true;
    }
    if (value.len != 0) {
        memcpy(rest, value.ptr + bulk, value.len - bulk);
    }
    value = str_of(rest, value.len - bulk);
    return sift_part(sift, value, value.len, places) ||
           (value.len >= 2 && memcmp(value.ptr + value.len - 2, "\xc5\xbf", 2) == 0);
}
