/* See engine_sift.h. Of each keyword a piece is looked for that JSON never escapes; what may be a
 * letter in disguise (\u006d, and the three characters that fold to ASCII) counts as found. */
#include "detect/sigma/engine_sift.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_MIN   4 /* bytes */
#define PIECE_MAX   16
#define PIECES_MAX  128 /* with more it says yes too often */
#define SIEVE_WORDS 16
#define DISGUISES   (TEDDY_GROUPS - 1) /* their group */

struct sift {
    struct teddy teddy;
    teddy_find_fn *find;
    uint64_t sieve[SIEVE_WORDS]; /* of the pieces' four bytes */
    uint32_t count;
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
    return ((word | 0x20202020U) * 0x9e3779b1U) >> 22;
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
    uint32_t bit = word_of(piece.ptr);

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
    sift->find = teddy_best();
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

struct sift_look {
    const struct sift *sift;
    struct str text;
    bool is_found;
};

static bool is_disguise(const char *bytes)
{
    return (bytes[0] == '\\' && bytes[1] == 'u' && (bytes[2] == '0' || bytes[2] == '2')) ||
           memcmp(bytes, "\xe2\x84\xaa", 3) == 0 || memcmp(bytes, "\xc5\xbf", 2) == 0;
}

static void look_at(void *context, size_t at)
{
    struct sift_look *look = context;
    const struct sift *sift = look->sift;
    uint32_t bit;

    if (look->is_found || is_disguise(look->text.ptr + at)) {
        look->is_found = true;
        return;
    }
    if (look->text.len - at < PIECE_MIN) {
        return;
    }
    bit = word_of(look->text.ptr + at);
    if ((sift->sieve[bit / 64] >> (bit % 64) & 1) == 0) {
        return;
    }
    for (uint32_t i = 0; i < sift->count; i++) {
        struct str piece = str_of(sift->pieces[i], sift->lengths[i]);

        if (str_is_nocase(str_slice(look->text, at, at + piece.len), piece)) {
            look->is_found = true;
        }
    }
}

bool sift_may_hold(const struct sift *sift, struct str value)
{
    struct sift_look look = {.sift = sift, .text = value};

    sift->find(&sift->teddy, value, look_at, &look);
    return look.is_found ||
           (value.len >= 2 && memcmp(value.ptr + value.len - 2, "\xc5\xbf", 2) == 0);
}
