/* Words by masks, and simhash by carry-save adders. On the data's way: page_text.c and
 * page_script.c ask here for each word. */
#include "detect/deface/page_words.h"

#include "base/banned.h"
#include "detect/deface/page_lanes.h"

#include <xxhash.h>

#define WINDOW 64

/* Bit i is set where byte i is 0xff; the others are 0. */
static uint64_t mask_of(page_bytes bytes)
{
    page_lanes lanes = (page_lanes)(bytes & 1);

    return lanes[0] * 0x0102040810204080U >> 56 | lanes[1] * 0x0102040810204080U >> 56 << 8;
}

static page_bytes are_digits(page_bytes bytes)
{
    return (page_bytes)((bytes - (uint8_t)'0') < 10);
}

static page_bytes are_in_words(page_bytes bytes)
{
    return (page_bytes)(((bytes | 0x20) - (uint8_t)'a') < 26) | are_digits(bytes) |
           (page_bytes)(bytes >= 0x80) | (page_bytes)(bytes == '_') | (page_bytes)(bytes == '$');
}

/* Looks at the window that begins at words->at. */
static void words_look(struct page_words *words)
{
    size_t len = words->text.len - words->at;
    const char *ptr = words->text.ptr + words->at;
    uint64_t mask = 0;
    char rest[WINDOW];

    if (len < WINDOW) {
        memset(rest, ' ', sizeof(rest));
        memcpy(rest, ptr, len);
        ptr = rest;
    }
    for (unsigned i = 0; i < WINDOW && i < len; i += LANES) {
        mask |= mask_of(are_in_words(lanes_load(ptr + i))) << i;
    }
    words->words = mask;
}

size_t page_count_signs(struct str text)
{
    size_t count = 0;
    size_t at = 0;

    while (text.len - at >= LANES) {
        size_t end = text.len - at < 255UL * LANES ? text.len : at + 255UL * LANES;
        page_bytes sums = {0};

        for (; end - at >= LANES; at += LANES) {
            page_bytes bytes = lanes_load(text.ptr + at);

            sums -= ~are_in_words(bytes) & (page_bytes)(bytes > ' ') & (page_bytes)(bytes != '+') &
                    (page_bytes)(bytes != '/') & (page_bytes)(bytes != '=');
        }
        for (size_t i = 0; i < LANES; i++) {
            count += sums[i];
        }
    }
    for (; at < text.len; at++) {
        char c = text.ptr[at];

        count += c > ' ' && c != '+' && c != '/' && c != '=' && c != '_' && c != '$' &&
                 !(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    }
    return count;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\t';
}

static page_bytes are_blanks(page_bytes bytes)
{
    return (page_bytes)(bytes == ' ') | (page_bytes)(bytes == '\n') | (page_bytes)(bytes == '\t');
}

/* A word begins where a blank stood. */
uint32_t page_count_spaced(struct str text)
{
    uint32_t count = text.len != 0 && !is_blank(text.ptr[0]);
    size_t at = 1;

    while (text.len > LANES && text.len - at >= LANES) {
        size_t end = text.len - at < 255UL * LANES ? text.len : at + 255UL * LANES;
        page_bytes sums = {0};

        for (; end - at >= LANES; at += LANES) {
            sums -=
                ~are_blanks(lanes_load(text.ptr + at)) & are_blanks(lanes_load(text.ptr + at - 1));
        }
        for (size_t i = 0; i < LANES; i++) {
            count += sums[i];
        }
    }
    for (; at < text.len; at++) {
        count += !is_blank(text.ptr[at]) && is_blank(text.ptr[at - 1]);
    }
    return count;
}

void page_words_open(struct page_words *words, struct str text)
{
    *words = (struct page_words){.text = text};
    if (text.len != 0) {
        words_look(words);
    }
}

static size_t words_end_of(struct str text, size_t at)
{
    struct page_words rest = {.text = text, .at = at};

    while (rest.at < text.len) {
        words_look(&rest);
        if (~rest.words != 0) {
            return rest.at + (size_t)__builtin_ctzll(~rest.words);
        }
        rest.at += WINDOW;
    }
    return text.len;
}

/* Up to eight bytes as a number. Where the text goes on they are loaded at once. */
static uint64_t word_load(struct str text, size_t at, size_t len)
{
    uint64_t word = 0;

    if (text.len - at >= sizeof(word) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        memcpy(&word, text.ptr + at, sizeof(word));
        return len == sizeof(word) ? word : word & (((uint64_t)1 << (len * 8)) - 1);
    }
    for (size_t i = len; i-- != 0;) {
        word = word << 8 | (unsigned char)text.ptr[at + i];
    }
    return word;
}

static uint64_t word_hash(struct str text, size_t at, size_t len)
{
    uint64_t word;

    if (len > 2 * sizeof(word)) {
        return XXH3_64bits(text.ptr + at, len) | 1;
    }
    word = word_load(text, at, len < sizeof(word) ? len : sizeof(word));
    if (len > sizeof(word)) {
        word = page_mix(word, word_load(text, at + len - sizeof(word), sizeof(word)) + len);
    }
    word = (word ^ word >> 32) * 0xd6e8feb86659fd93U;
    word = (word ^ word >> 32) * 0xd6e8feb86659fd93U;
    return (word ^ word >> 32) | 1;
}

/* A word that reaches out of its window begins the next one; one that fills a window is measured by
 * itself. */
static bool words_take_long(struct page_words *words, size_t start, struct page_word *ret_word)
{
    size_t end = words_end_of(words->text, start);
    struct str text = str_slice(words->text, start, end);

    ret_word->text = text;
    ret_word->hash = word_hash(words->text, start, text.len);
    words->at = end;
    words->words = 0;
    if (end < words->text.len) {
        words_look(words);
    }
    return true;
}

bool page_words_next(struct page_words *words, struct page_word *ret_word)
{
    unsigned start;
    unsigned len;

    while (words->words == 0) {
        if (words->text.len - words->at <= WINDOW) {
            words->at = words->text.len;
            return false;
        }
        words->at += WINDOW;
        words_look(words);
    }
    start = (unsigned)__builtin_ctzll(words->words);
    if (~(words->words >> start) == 0 ||
        start + (unsigned)__builtin_ctzll(~(words->words >> start)) >= WINDOW) {
        return words_take_long(words, words->at + start, ret_word);
    }
    len = (unsigned)__builtin_ctzll(~(words->words >> start));
    ret_word->text = str_of(words->text.ptr + words->at + start, len);
    ret_word->hash = word_hash(words->text, words->at + start, len);
    words->words &= UINT64_MAX << (start + len);
    return true;
}

bool page_word_has_digit(struct str word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] >= '0' && word.ptr[i] <= '9') {
            return true;
        }
    }
    return false;
}

/* A full adder of 64 columns: a + b + c = 2·ret_high + result. */
static uint64_t carry_save(uint64_t a, uint64_t b, uint64_t c, uint64_t *ret_high)
{
    uint64_t half = a ^ b;

    *ret_high = (a & b) | (half & c);
    return half ^ c;
}

/* Harley and Seal's tree: eight features need seven adders, and only what leaves the tree ripples
 * through the counters. */
void page_simhash_add_batch(struct page_simhash *simhash)
{
    const uint64_t *f = simhash->batch;
    uint64_t *planes = simhash->planes;
    uint64_t twos[4];
    uint64_t fours[2];
    uint64_t carry;

    planes[0] = carry_save(planes[0], f[0], f[1], &twos[0]);
    planes[0] = carry_save(planes[0], f[2], f[3], &twos[1]);
    planes[0] = carry_save(planes[0], f[4], f[5], &twos[2]);
    planes[0] = carry_save(planes[0], f[6], f[7], &twos[3]);
    planes[1] = carry_save(planes[1], twos[0], twos[1], &fours[0]);
    planes[1] = carry_save(planes[1], twos[2], twos[3], &fours[1]);
    planes[2] = carry_save(planes[2], fours[0], fours[1], &carry);
    for (size_t i = 3; carry != 0 && i < 32; i++) {
        uint64_t both = planes[i] & carry;

        planes[i] ^= carry;
        carry = both;
    }
    simhash->count += simhash->waiting;
    simhash->waiting = 0;
    memset(simhash->batch, 0, sizeof(simhash->batch));
}

uint64_t page_simhash_result(struct page_simhash *simhash)
{
    uint64_t result = 0;

    page_simhash_add_batch(simhash);
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t sum = 0;

        for (unsigned i = 0; i < 32; i++) {
            sum |= (simhash->planes[i] >> bit & 1) << i;
        }
        result |= (uint64_t)(sum * 2 > simhash->count) << bit;
    }
    return result;
}
