/* The bit set, and two open-addressed tables: heads of four bytes with the lengths behind them, and
 * whole literals. Both are seeded by nothing: who chooses literals is trusted not to want the scan
 * slow, and who chooses the text cannot make it probe more than 61 lengths a place. */
#include "base/literals.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#define ROOM_BITS_MIN 10
#define ROOM_MIN      (1U << ROOM_BITS_MIN)
#define SIEVE_TIMES   3 /* as a power of two */

struct literal_head {
    uint32_t bytes;
    uint64_t lengths; /* bit l - 1: a literal of l bytes; 0: free */
    uint64_t fifth;   /* bit b % 64: a literal whose next byte is b */
};

struct literal {
    uint32_t at; /* in bytes, + 1; 0: free */
    uint32_t value;
    uint8_t len;
};

struct literals {
    uint64_t *sieve; /* eight bits for each place of the tables */
    unsigned sieve_bits;
    struct literal_head *heads;
    struct literal *table;
    size_t room; /* of both tables, a power of two */
    size_t count;
    size_t limit;
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
    *ret_literals = literals;
    return 0;
}

void literals_free(struct literals *literals)
{
    if (literals == NULL) {
        return;
    }
    mem_free(literals->sieve);
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

static uint64_t fifth_bit(const char *ptr)
{
    return (uint64_t)1 << ((unsigned char)ptr[LITERAL_MIN] % 64);
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

static uint32_t sieve_bit(const struct literals *literals, uint32_t bytes)
{
    return head_hash(bytes) >> (32 - literals->sieve_bits);
}

static void sieve_add(struct literals *literals, uint32_t bytes)
{
    uint32_t bit = sieve_bit(literals, bytes);

    literals->sieve[bit / 64] |= (uint64_t)1 << (bit % 64);
}

static int literals_grow(struct literals *literals)
{
    struct literals old = *literals;
    size_t room = old.room != 0 ? old.room * 2 : ROOM_MIN;
    struct literal_head *heads = mem_alloc(room, sizeof(*heads));
    struct literal *table = mem_alloc(room, sizeof(*table));
    uint64_t *sieve = mem_alloc((room << SIEVE_TIMES) / 64, sizeof(*sieve));

    if (heads == NULL || table == NULL || sieve == NULL) {
        mem_free(heads);
        mem_free(table);
        mem_free(sieve);
        return -ERR_NOMEM;
    }
    literals->sieve = sieve;
    literals->sieve_bits = old.room != 0 ? old.sieve_bits + 1 : ROOM_BITS_MIN + SIEVE_TIMES;
    literals->heads = heads;
    literals->table = table;
    literals->room = room;
    for (size_t i = 0; i < old.room; i++) {
        if (old.heads[i].lengths != 0) {
            *head_find(literals, old.heads[i].bytes) = old.heads[i];
            sieve_add(literals, old.heads[i].bytes);
        }
        if (old.table[i].at != 0) {
            *literal_find(literals, old.bytes + old.table[i].at - 1, old.table[i].len) =
                old.table[i];
        }
    }
    mem_free(old.sieve);
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
    head->fifth |= literal.len > LITERAL_MIN ? fifth_bit(literal.ptr) : 0;
    sieve_add(literals, bytes);
    literals->count++;
    return 0;
}

/* The longest literal at `at`. */
static bool literals_match(const struct literals *literals, struct str text, size_t at,
                           struct literals_hit *ret_hit)
{
    const struct literal_head *head = head_find(literals, head_of(text.ptr + at));
    uint64_t lengths = head->lengths;

    if (at + LITERAL_MIN >= text.len || (head->fifth & fifth_bit(text.ptr + at)) == 0) {
        lengths &= (uint64_t)1 << (LITERAL_MIN - 1);
    }
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
    if (literals->count == 0 || text.len < LITERAL_MIN) {
        return false;
    }
    for (size_t at = from; at <= text.len - LITERAL_MIN; at++) {
        uint32_t bit = sieve_bit(literals, head_of(text.ptr + at));

        if ((literals->sieve[bit / 64] >> (bit % 64) & 1) != 0 &&
            literals_match(literals, text, at, ret_hit)) {
            return true;
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
           literals->room *
               (sizeof(struct literal) + sizeof(struct literal_head) + (1U << SIEVE_TIMES) / 8);
}
