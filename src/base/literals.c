/* Two bit sets, which say no nearly always, and two open-addressed tables: heads of four bytes with
 * the lengths behind them, and whole literals. All are seeded by nothing: who chooses literals is
 * trusted not to want the scan slow, and who chooses the text cannot make it probe more than 61
 * lengths a place. */
#include "base/literals.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#define ROOM_BITS_MIN 10
#define ROOM_MIN      (1U << ROOM_BITS_MIN)
#define SIEVE_TIMES   4 /* bits of the first set for a place of the tables, as a power of two */
#define START_TIMES   3 /* and of the second */
#define STEP_MAX      4
#define WINDOW_MAX    5 /* bytes that ask the first set: most groups of four are in a literal */
#define START_MAX     6 /* bytes of a literal that the second set knows */

struct literal_head {
    uint32_t bytes;
    uint64_t lengths; /* bit l - 1: a literal of l bytes; 0: free */
};

struct literal {
    uint32_t at; /* in bytes, + 1; 0: free */
    uint32_t value;
    uint8_t len;
};

struct literals {
    uint64_t *sieve;  /* windows of literals */
    uint64_t *starts; /* their first START_MAX bytes, or all they have */
    unsigned room_bits;
    unsigned start_lengths; /* bit l: some start has l bytes */
    struct literal_head *heads;
    struct literal *table;
    size_t room; /* of both tables, a power of two */
    size_t count;
    size_t limit;
    size_t shortest; /* of them */
    char *bytes;
    size_t bytes_len;
    size_t bytes_room;
};

int literals_new(size_t limit, struct literals **ret_literals)
{
    struct literals *literals = mem_alloc(1, sizeof(*literals));

    if (literals == NULL) {
        return -ERR_NOMEM;
    }
    literals->limit = limit;
    literals->shortest = LITERAL_MAX;
    *ret_literals = literals;
    return 0;
}

void literals_free(struct literals *literals)
{
    if (literals == NULL) {
        return;
    }
    mem_free(literals->sieve);
    mem_free(literals->starts);
    mem_free(literals->heads);
    mem_free(literals->table);
    mem_free(literals->bytes);
    mem_free(literals);
}

void literals_freep(struct literals **literals)
{
    literals_free(*literals);
    *literals = NULL;
}

static uint32_t head_of(const char *ptr)
{
    uint32_t bytes;

    memcpy(&bytes, ptr, sizeof(bytes));
    return bytes;
}

static uint32_t head_hash(uint32_t bytes)
{
    return bytes * 0x9e3779b1U;
}

static uint64_t literal_hash(const char *ptr, size_t len)
{
    uint64_t hash = len;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)ptr[i]) * 0x100000001b3U;
    }
    return hash ^ hash >> 32;
}

static struct literal_head *head_find(const struct literals *literals, uint32_t bytes)
{
    size_t i = (head_hash(bytes) >> 3) & (literals->room - 1);

    while (literals->heads[i].lengths != 0 && literals->heads[i].bytes != bytes) {
        i = (i + 1) & (literals->room - 1);
    }
    return &literals->heads[i];
}

static struct literal *literal_find(const struct literals *literals, const char *ptr, size_t len)
{
    size_t i = literal_hash(ptr, len) & (literals->room - 1);

    for (;; i = (i + 1) & (literals->room - 1)) {
        struct literal *slot = &literals->table[i];

        if (slot->at == 0 ||
            (slot->len == len && memcmp(literals->bytes + slot->at - 1, ptr, len) == 0)) {
            return slot;
        }
    }
}

/* How many bytes of a text ask the sieve together, LITERAL_MIN or more. */
static size_t sieve_window(const struct literals *literals)
{
    return literals->shortest < WINDOW_MAX ? literals->shortest : WINDOW_MAX;
}

static uint64_t sieve_bit(const struct literals *literals, const char *ptr, size_t window)
{
    uint64_t bytes = head_of(ptr) | (uint64_t)head_of(ptr + window - LITERAL_MIN) << 32;

    return bytes * 0x9e3779b97f4a7c15U >> (64 - literals->room_bits - SIEVE_TIMES);
}

static uint64_t start_bit(const struct literals *literals, const char *ptr, size_t len)
{
    uint64_t start = head_of(ptr);

    for (size_t i = LITERAL_MIN; i < len; i++) {
        start |= (uint64_t)(unsigned char)ptr[i] << (8 * i);
    }
    return start * 0x9e3779b97f4a7c15U >> (64 - literals->room_bits - START_TIMES);
}

static bool bits_have(const uint64_t *bits, uint64_t bit)
{
    return (bits[bit / 64] >> (bit % 64) & 1) != 0;
}

static void bits_set(uint64_t *bits, uint64_t bit)
{
    bits[bit / 64] |= (uint64_t)1 << (bit % 64);
}

/* How far a scan may go on at once: no literal lies between two places that it looks at. */
static size_t sieve_step(const struct literals *literals)
{
    size_t step = literals->shortest - sieve_window(literals) + 1;

    return step < STEP_MAX ? step : STEP_MAX;
}

/* The sieve gets the window at each place where a scan in steps may come upon the literal. */
static void sieve_add(struct literals *literals, struct str literal)
{
    size_t start = literal.len < START_MAX ? literal.len : START_MAX;
    size_t window = sieve_window(literals);

    for (size_t at = 0; at < sieve_step(literals); at++) {
        bits_set(literals->sieve, sieve_bit(literals, literal.ptr + at, window));
    }
    bits_set(literals->starts, start_bit(literals, literal.ptr, start));
    literals->start_lengths |= 1U << start;
}

/* All of them anew. */
static void sieve_fill(struct literals *literals)
{
    size_t words = (literals->room << SIEVE_TIMES) / 64;

    memset(literals->sieve, 0, words * sizeof(*literals->sieve));
    for (size_t i = 0; i < literals->room; i++) {
        const struct literal *literal = &literals->table[i];

        if (literal->at != 0) {
            sieve_add(literals, str_of(literals->bytes + literal->at - 1, literal->len));
        }
    }
}

static int literals_grow(struct literals *literals)
{
    struct literals old = *literals;
    size_t room = old.room != 0 ? old.room * 2 : ROOM_MIN;
    struct literal_head *heads = mem_alloc(room, sizeof(*heads));
    struct literal *table = mem_alloc(room, sizeof(*table));
    uint64_t *sieve = mem_alloc((room << SIEVE_TIMES) / 64, sizeof(*sieve));
    uint64_t *starts = mem_alloc((room << START_TIMES) / 64, sizeof(*starts));

    if (heads == NULL || table == NULL || sieve == NULL || starts == NULL) {
        mem_free(heads);
        mem_free(table);
        mem_free(sieve);
        mem_free(starts);
        return -ERR_NOMEM;
    }
    literals->sieve = sieve;
    literals->starts = starts;
    literals->room_bits = old.room != 0 ? old.room_bits + 1 : ROOM_BITS_MIN;
    literals->heads = heads;
    literals->table = table;
    literals->room = room;
    for (size_t i = 0; i < old.room; i++) {
        if (old.heads[i].lengths != 0) {
            *head_find(literals, old.heads[i].bytes) = old.heads[i];
        }
        if (old.table[i].at != 0) {
            struct str literal = str_of(old.bytes + old.table[i].at - 1, old.table[i].len);

            *literal_find(literals, literal.ptr, literal.len) = old.table[i];
        }
    }
    sieve_fill(literals);
    mem_free(old.sieve);
    mem_free(old.starts);
    mem_free(old.heads);
    mem_free(old.table);
    return 0;
}

static int literals_keep(struct literals *literals, struct str literal)
{
    size_t room = literals->bytes_room != 0 ? literals->bytes_room * 2 : 4096;
    char *bytes = literals->bytes;

    if (literals->bytes_room - literals->bytes_len < literal.len) {
        bytes = room <= UINT32_MAX ? mem_resize(bytes, room, 1) : NULL;
        if (bytes == NULL) {
            return -ERR_NOMEM;
        }
        literals->bytes = bytes;
        literals->bytes_room = room;
    }
    memcpy(bytes + literals->bytes_len, literal.ptr, literal.len);
    literals->bytes_len += literal.len;
    return 0;
}

int literals_add(struct literals *literals, struct str literal, uint32_t value)
{
    struct literal_head *head;
    struct literal *slot;
    uint32_t bytes;
    int r;

    if (literal.len < LITERAL_MIN || literal.len > LITERAL_MAX) {
        return -ERR_RANGE;
    }
    if (literals->count >= literals->limit) {
        return -ERR_LIMIT;
    }
    r = (literals->count + 1) * 2 > literals->room ? literals_grow(literals) : 0;
    if (r < 0) {
        return r;
    }
    slot = literal_find(literals, literal.ptr, literal.len);
    if (slot->at != 0) {
        return 0;
    }
    r = literals_keep(literals, literal);
    if (r < 0) {
        return r;
    }
    *slot = (struct literal){.at = (uint32_t)(literals->bytes_len - literal.len) + 1,
                             .value = value,
                             .len = (uint8_t)literal.len};
    bytes = head_of(literal.ptr);
    head = head_find(literals, bytes);
    head->bytes = bytes;
    head->lengths |= (uint64_t)1 << (literal.len - 1);
    literals->count++;
    if (literal.len < literals->shortest) {
        literals->shortest = literal.len;
        sieve_fill(literals); /* windows and steps are others */
    } else {
        sieve_add(literals, literal);
    }
    return 0;
}

static bool literals_may_start(const struct literals *literals, struct str text, size_t at)
{
    bool may_start = false;

    for (size_t len = LITERAL_MIN; len <= START_MAX && len <= text.len - at; len++) {
        may_start |= (literals->start_lengths >> len & 1) != 0 &&
                     bits_have(literals->starts, start_bit(literals, text.ptr + at, len));
    }
    return may_start;
}

/* The longest literal at `at`. */
static bool literals_match(const struct literals *literals, struct str text, size_t at,
                           struct literals_hit *ret_hit)
{
    const struct literal_head *head = head_find(literals, head_of(text.ptr + at));
    uint64_t lengths = head->lengths;

    while (lengths != 0) {
        size_t len = 64 - (size_t)__builtin_clzll(lengths);
        const struct literal *slot;

        lengths &= ~((uint64_t)1 << (len - 1));
        if (len > text.len - at) {
            continue;
        }
        slot = literal_find(literals, text.ptr + at, len);
        if (slot->at != 0) {
            *ret_hit = (struct literals_hit){at, len, slot->value};
            return true;
        }
    }
    return false;
}

bool literals_find(const struct literals *literals, struct str text, size_t from,
                   struct literals_hit *ret_hit)
{
    size_t window = sieve_window(literals);
    size_t step = sieve_step(literals);

    if (literals->count == 0) {
        return false;
    }
    for (size_t at = from + step - 1; at + window <= text.len; at += step) {
        if (!bits_have(literals->sieve, sieve_bit(literals, text.ptr + at, window))) {
            continue;
        }
        for (size_t start = at - (step - 1); start <= at; start++) {
            if (literals_may_start(literals, text, start) &&
                literals_match(literals, text, start, ret_hit)) {
                return true;
            }
        }
    }
    return false;
}

size_t literals_count(const struct literals *literals)
{
    return literals->count;
}

size_t literals_size(const struct literals *literals)
{
    return sizeof(*literals) + literals->bytes_room +
           literals->room * (sizeof(struct literal) + sizeof(struct literal_head) +
                             ((1U << SIEVE_TIMES) + (1U << START_TIMES)) / 8);
}
