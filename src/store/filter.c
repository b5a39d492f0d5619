/* The trigram filter of a block. Neighbours: archive/block.c fills it, archive/search.c asks it.
 * The hash is part of the file format: it never changes. */
#include "store/filter.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#define FILTER_BITS_EACH 10
#define FILTER_PROBES    7
#define TRIGRAMS         (1U << 24) /* that there can be */
#define ADDRESS_SIGNS    11U        /* ten digits and the dot */
#define ADDRESS_DOT      10U
#define ADDRESS_HEADS    14641U               /* that a piece can begin with: 11 to the fourth */
#define NUMBERS          (TRIGRAMS + 161051U) /* behind those of addresses: 11 to the fifth */
#define NUMBER_EXACT     6U                   /* digits: longer ones share their pieces */
#define NUMBERS_LONG     (NUMBERS + 1111111U) /* behind all of up to six, those with zeros too */
#define NUMBER_BITS      20U
#define PIECES           (NUMBERS_LONG + (1U << NUMBER_BITS))
#define TRIGRAMS_ROOM    4096
#define WORD_BITS        64U
#define WORD_SIZE        8U
#define WORD_TRIGRAMS    (WORD_SIZE - TRIGRAM_SIZE + 1)
#define LATELY_BITS      15U
#define LATELY_SIZE      (1U << LATELY_BITS)

void trigrams_init(struct trigrams *set)
{
    *set = (struct trigrams){0};
}

void trigrams_done(struct trigrams *set)
{
    mem_free(set->bits);
    mem_free(set->lately);
    mem_free(set->list);
    *set = (struct trigrams){0};
}

void trigrams_reset(struct trigrams *set)
{
    for (size_t i = 0; i < set->count; i++) {
        set->bits[set->list[i] / WORD_BITS] = 0;
    }
    if (set->lately != NULL) {
        memset(set->lately, 0, LATELY_SIZE * sizeof(*set->lately));
    }
    set->count = 0;
}

static uint32_t trigram_at(const char *bytes)
{
    const unsigned char *at = (const unsigned char *)bytes;

    return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}

static uint32_t address_sign(char c)
{
    return c >= '0' && c <= '9' ? (uint32_t)(c - '0') : c == '.' ? ADDRESS_DOT : ADDRESS_SIGNS;
}

/* A number above all trigrams, 0 when the five bytes are no piece of an address. */
static uint32_t address_at(const char *bytes)
{
    uint32_t number = 0;
    bool has_dot = false;

    for (size_t i = 0; i < ADDRESS_SIZE; i++) {
        uint32_t sign = address_sign(bytes[i]);

        if (sign == ADDRESS_SIGNS) {
            return 0;
        }
        has_dot = has_dot || sign == ADDRESS_DOT;
        number = number * ADDRESS_SIGNS + sign;
    }
    return has_dot ? TRIGRAMS + number : 0;
}

/* The finisher of SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t trigram_hash(uint64_t trigram)
{
    uint64_t x = trigram + 0x9e3779b97f4a7c15U;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    return x ^ x >> 31;
}

/* One that is not in yet. */
static int trigrams_put(struct trigrams *set, uint32_t trigram)
{
    if (set->count == set->room) {
        size_t room = set->room != 0 ? 2 * set->room : TRIGRAMS_ROOM;
        uint32_t *list = mem_resize(set->list, room, sizeof(*list));

        if (list == NULL) {
            return -ERR_NOMEM;
        }
        set->list = list;
        set->room = room;
    }
    set->list[set->count++] = trigram;
    set->bits[trigram / WORD_BITS] |= 1ULL << trigram % WORD_BITS;
    return 0;
}

static int trigrams_note(struct trigrams *set, uint32_t piece)
{
    return (set->bits[piece / WORD_BITS] >> piece % WORD_BITS & 1U) != 0 ? 0
                                                                         : trigrams_put(set, piece);
}

/* A run of digits and dots: each five of them with a dot among them, as address_at has it. */
static int trigrams_add_run(struct trigrams *set, struct str run)
{
    uint32_t number = 0;
    size_t dots = 0; /* one behind the last */
    int r = 0;

    for (size_t i = 0; i < run.len && r == 0; i++) {
        uint32_t sign = address_sign(run.ptr[i]);

        number = number % ADDRESS_HEADS * ADDRESS_SIGNS + sign;
        dots = sign == ADDRESS_DOT ? i + 1 : dots;
        if (i + 1 >= ADDRESS_SIZE && dots + ADDRESS_SIZE > i + 1) {
            r = trigrams_note(set, TRIGRAMS + number);
        }
    }
    return r;
}

/* Runs are looked for from their dots: most texts have few. */
static int trigrams_add_addresses(struct trigrams *set, struct str folded)
{
    size_t end = 0; /* of what was looked at */
    size_t dot;
    int r = 0;

    while (r == 0 &&
           (dot = end + str_find_byte(str_slice(folded, end, folded.len), '.')) < folded.len) {
        size_t from = dot;

        while (from > end && dot - from < ADDRESS_SIZE - 1 &&
               address_sign(folded.ptr[from - 1]) != ADDRESS_SIGNS) {
            from--;
        }
        for (end = dot + 1; end < folded.len && address_sign(folded.ptr[end]) != ADDRESS_SIGNS;) {
            end++;
        }
        r = trigrams_add_run(set, str_slice(folded, from, end));
    }
    return r;
}

/* ---- numbers */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Where the digits from `at` on end. */
static size_t digits_end(struct str text, size_t at)
{
    while (at < text.len && is_digit(text.ptr[at])) {
        at++;
    }
    return at;
}

/* The piece of a run of digits, of its zeros in front too. */
static uint32_t number_piece(struct str digits)
{
    uint64_t number = 0;
    uint32_t base = 0; /* as many as there are of fewer digits */

    for (size_t i = 0; i < digits.len; i++) {
        number = number * 10 + (uint64_t)(digits.ptr[i] - '0');
        base = base * 10 + 1;
    }
    return digits.len <= NUMBER_EXACT
               ? NUMBERS + base + (uint32_t)number
               : NUMBERS_LONG + (uint32_t)(trigram_hash(number) >> (WORD_BITS - NUMBER_BITS));
}

/* Of "\u0020" and "\x20" readers make a sign: what they cut out of the text may begin behind it.
 * How many digits at the front of those from `from` on belong to one; 0: none. */
static size_t escape_digits(struct str text, size_t from)
{
    for (size_t back = 2; back <= 5 && back <= from; back++) {
        const char *sign = text.ptr + from - back;

        if (sign[0] == '\\' && (sign[1] == 'u' || (sign[1] == 'x' && back < 4))) {
            return (sign[1] == 'u' ? 6 : 4) - back;
        }
    }
    return 0;
}

static int trigrams_add_number(struct trigrams *set, struct str folded, size_t from, size_t end)
{
    size_t escape = escape_digits(folded, from);
    int r = trigrams_note(set, number_piece(str_slice(folded, from, end)));

    if (r == 0 && escape != 0 && from + escape + NUMBER_SIZE <= end) {
        r = trigrams_note(set, number_piece(str_slice(folded, from + escape, end)));
    }
    return r;
}

/* The first digit from `at` on; folded.len: there is none. Eight bytes at a time. */
static size_t find_digit(struct str folded, size_t at)
{
    const uint64_t ones = 0x0101010101010101U;

    for (; folded.len - at >= WORD_SIZE; at += WORD_SIZE) {
        uint64_t word;

        memcpy(&word, folded.ptr + at, sizeof(word));
        word ^= '0' * ones;
        if ((~(((word & 0x7f * ones) + 0x76 * ones) | word) & 0x80 * ones) != 0) {
            break;
        }
    }
    while (at < folded.len && !is_digit(folded.ptr[at])) {
        at++;
    }
    return at;
}

static int trigrams_add_numbers(struct trigrams *set, struct str folded)
{
    size_t end = 0;
    int r = 0;

    for (size_t from = find_digit(folded, 0); from < folded.len && r == 0;
         from = find_digit(folded, end)) {
        end = digits_end(folded, from);
        if (end - from >= NUMBER_SIZE) {
            r = trigrams_add_number(set, folded, from, end);
        }
    }
    return r;
}

static int trigrams_prepare(struct trigrams *set)
{
    if (set->bits == NULL) {
        set->bits = mem_alloc(PIECES / WORD_BITS + 1, sizeof(*set->bits));
    }
    if (set->lately == NULL) {
        set->lately = mem_alloc(LATELY_SIZE, sizeof(*set->lately));
    }
    return set->bits != NULL && set->lately != NULL ? 0 : -ERR_NOMEM;
}

/* The first `count` trigrams of the text. */
static int trigrams_add_first(struct trigrams *set, const char *text, size_t count)
{
    int r = 0;

    for (size_t at = 0; at < count && r == 0; at++) {
        r = trigrams_note(set, trigram_at(text + at));
    }
    return r;
}

static int trigrams_add_word(struct trigrams *set, const char *text)
{
    uint64_t *lately;
    uint64_t word;
    int r;

    memcpy(&word, text, sizeof(word));
    lately = &set->lately[word * 0x9e3779b97f4a7c15U >> (WORD_BITS - LATELY_BITS)];
    if (*lately == word && word != 0) {
        return 0;
    }
    r = trigrams_add_first(set, text, WORD_TRIGRAMS);
    if (r == 0) {
        *lately = word;
    }
    return r;
}

int trigrams_add(struct trigrams *set, struct str folded)
{
    size_t at = 0;
    int r = trigrams_prepare(set);

    for (; folded.len - at >= WORD_SIZE && r == 0; at += WORD_TRIGRAMS) {
        r = trigrams_add_word(set, folded.ptr + at);
    }
    if (r == 0 && folded.len - at >= TRIGRAM_SIZE) {
        r = trigrams_add_first(set, folded.ptr + at, folded.len - at - (TRIGRAM_SIZE - 1));
    }
    r = r < 0 ? r : trigrams_add_addresses(set, folded);
    return r < 0 ? r : trigrams_add_numbers(set, folded);
}

/* A trigram's bits, one after another, by double hashing (Kirsch, Mitzenmacher 2008). */
struct probe {
    size_t bit;
    size_t step;
    size_t bits; /* of the filter */
};

static struct probe probe_first(uint64_t hash, size_t bits)
{
    return (struct probe){(hash & UINT32_MAX) % bits, (hash >> 32 | 1) % bits, bits};
}

static void probe_next(struct probe *probe)
{
    probe->bit += probe->step;
    probe->bit -= probe->bit >= probe->bits ? probe->bits : 0;
}

void filter_write(const struct trigrams *set, struct buf *buf)
{
    size_t len = (set->count * FILTER_BITS_EACH + 7) / 8;
    unsigned char *bytes;

    if (len == 0) {
        return;
    }
    bytes = buf_reserve(buf, len);
    if (bytes == NULL) {
        return;
    }
    memset(bytes, 0, len);
    for (size_t i = 0; i < set->count; i++) {
        struct probe probe = probe_first(trigram_hash(set->list[i]), 8 * len);

        for (unsigned n = 0; n < FILTER_PROBES; n++, probe_next(&probe)) {
            bytes[probe.bit / 8] = (unsigned char)(bytes[probe.bit / 8] | 1U << probe.bit % 8);
        }
    }
    buf_commit(buf, len);
}

static bool filter_has(struct str filter, uint64_t hash)
{
    struct probe probe = probe_first(hash, 8 * filter.len);

    for (unsigned n = 0; n < FILTER_PROBES; n++, probe_next(&probe)) {
        if (((unsigned)(unsigned char)filter.ptr[probe.bit / 8] >> probe.bit % 8 & 1U) == 0) {
            return false;
        }
    }
    return true;
}

static bool filter_has_addresses(struct str filter, struct str word)
{
    for (size_t at = 0; at + ADDRESS_SIZE <= word.len; at++) {
        uint32_t piece = address_at(word.ptr + at);

        if (piece != 0 && !filter_has(filter, trigram_hash(piece))) {
            return false;
        }
    }
    return true;
}

/* Whether a run of digits of the needle is whole in every text that holds it. */
static bool is_whole(const struct needle *needle, size_t from, size_t end)
{
    return (from != 0 || (needle->ends & NEEDLE_END_FRONT) != 0) &&
           (end != needle->text.len || (needle->ends & NEEDLE_END_BACK) != 0);
}

static bool filter_has_numbers(struct str filter, const struct needle *needle)
{
    struct str text = needle->text;
    size_t end = 0;

    for (size_t from = find_digit(text, 0); from < text.len; from = find_digit(text, end)) {
        end = digits_end(text, from);
        if (end - from >= NUMBER_SIZE && is_whole(needle, from, end) &&
            !filter_has(filter, trigram_hash(number_piece(str_slice(text, from, end))))) {
            return false;
        }
    }
    return true;
}

bool filter_admits(struct str filter, enum filter_pieces pieces, const struct needle *needle)
{
    struct str word = needle->text;

    if (filter.len == 0) {
        return word.len < TRIGRAM_SIZE;
    }
    for (size_t at = 0; at + TRIGRAM_SIZE <= word.len; at++) {
        if (!filter_has(filter, trigram_hash(trigram_at(word.ptr + at)))) {
            return false;
        }
    }
    return (pieces < FILTER_PIECES_ADDRESSES || filter_has_addresses(filter, word)) &&
           (pieces < FILTER_PIECES_NUMBERS || filter_has_numbers(filter, needle));
}
