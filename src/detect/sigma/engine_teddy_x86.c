/* With the vectors of x86 processors, where they have AVX2: see engine_teddy.h. */
#include "base/banned.h"
#include "detect/sigma/engine_teddy.h"

#include <immintrin.h>
#include <string.h>

#define LANE  32
#define WORDS 8 /* of a vector */

struct tables {
    __m256i low[TEDDY_BYTES];
    __m256i high[TEDDY_BYTES];
    __m256i nibble;
};

__attribute__((target("avx2"))) static inline __m256i table_load(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)table));
}

__attribute__((target("avx2"))) static inline __m256i groups_of(const struct tables *tables,
                                                                unsigned i, const char *bytes)
{
    __m256i text = _mm256_loadu_si256((const void *)bytes);
    __m256i low = _mm256_and_si256(text, tables->nibble);
    __m256i high = _mm256_and_si256(_mm256_srli_epi16(text, 4), tables->nibble);

    return _mm256_and_si256(_mm256_shuffle_epi8(tables->low[i], low),
                            _mm256_shuffle_epi8(tables->high[i], high));
}

/* Places in the 32 bytes at which a needle may stand; two bytes more are read. */
__attribute__((target("avx2"))) static inline uint32_t places_of(const struct tables *tables,
                                                                 const char *bytes)
{
    __m256i groups = groups_of(tables, 0, bytes);

    groups = _mm256_and_si256(groups, groups_of(tables, 1, bytes + 1));
    groups = _mm256_and_si256(groups, groups_of(tables, 2, bytes + 2));
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, _mm256_setzero_si256()));
}

/* The lowest `count` bits; all from 32 on. */
static inline uint32_t bits_below(size_t count)
{
    return count < LANE ? (1U << count) - 1 : UINT32_MAX;
}

static inline size_t places_put(uint32_t bits, size_t at, uint32_t *places, size_t count)
{
    for (; bits != 0; bits &= bits - 1) {
        places[count++] = (uint32_t)at + (uint32_t)__builtin_ctz(bits);
    }
    return count;
}

__attribute__((target("avx2"))) static size_t find_avx2(const struct teddy *teddy, struct str text,
                                                        size_t *from,
                                                        uint32_t ret_places[FIND_ROOM])
{
    const struct tables tables = {
        {table_load(teddy->low[0]), table_load(teddy->low[1]), table_load(teddy->low[2])},
        {table_load(teddy->high[0]), table_load(teddy->high[1]), table_load(teddy->high[2])},
        _mm256_set1_epi8(15),
    };
    size_t starts = text.len >= TEDDY_BYTES ? text.len - TEDDY_BYTES + 1 : 0;
    size_t count = 0;
    size_t at = *from;

    for (; at < starts && count <= FIND_ROOM - LANE; at += LANE) {
        uint32_t places = places_of(&tables, text.ptr + at);

        if (places != 0) {
            count = places_put(places & bits_below(starts - at), at, ret_places, count);
        }
    }
    *from = at < starts ? at : text.len;
    return count;
}

#define WIDE_TARGET __attribute__((target("avx512bw,avx512vbmi2,bmi2,popcnt")))
#define WIDE        64

struct wide_tables {
    __m512i low[TEDDY_BYTES];
    __m512i high[TEDDY_BYTES];
    __m512i nibble;
};

WIDE_TARGET static inline __m512i wide_load(const uint8_t table[16])
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)table));
}

WIDE_TARGET static inline __m512i wide_groups(const struct wide_tables *tables, unsigned i,
                                              __m512i text)
{
    __m512i low = _mm512_and_si512(text, tables->nibble);
    __m512i high = _mm512_and_si512(_mm512_srli_epi16(text, 4), tables->nibble);

    return _mm512_and_si512(_mm512_shuffle_epi8(tables->low[i], low),
                            _mm512_shuffle_epi8(tables->high[i], high));
}

/* Bytes are loaded only where starts are. */
WIDE_TARGET static inline uint64_t wide_places(const struct wide_tables *tables, const char *bytes,
                                               uint64_t starts)
{
    __m512i groups = wide_groups(tables, 0, _mm512_maskz_loadu_epi8(starts, bytes));

    groups = _mm512_and_si512(groups,
                              wide_groups(tables, 1, _mm512_maskz_loadu_epi8(starts, bytes + 1)));
    groups = _mm512_and_si512(groups,
                              wide_groups(tables, 2, _mm512_maskz_loadu_epi8(starts, bytes + 2)));
    return _mm512_mask_test_epi8_mask(starts, groups, groups);
}

WIDE_TARGET static size_t find_avx512(const struct teddy *teddy, struct str text, size_t *from,
                                      uint32_t ret_places[FIND_ROOM])
{
    const struct wide_tables tables = {
        {wide_load(teddy->low[0]), wide_load(teddy->low[1]), wide_load(teddy->low[2])},
        {wide_load(teddy->high[0]), wide_load(teddy->high[1]), wide_load(teddy->high[2])},
        _mm512_set1_epi8(15),
    };
    size_t starts = text.len >= TEDDY_BYTES ? text.len - TEDDY_BYTES + 1 : 0;
    size_t count = 0;
    size_t at = *from;

    for (; at < starts && count <= FIND_ROOM - WIDE; at += WIDE) {
        size_t left = starts - at;
        uint64_t places = wide_places(&tables, text.ptr + at,
                                      left < WIDE ? ((uint64_t)1 << left) - 1 : UINT64_MAX);

        for (; places != 0; places &= places - 1) {
            ret_places[count++] = (uint32_t)at + (uint32_t)__builtin_ctzll(places);
        }
    }
    *from = at < starts ? at : text.len;
    return count;
}

teddy_find_fn *teddy_way(unsigned rank)
{
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi2") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") && rank-- == 0) {
        return find_avx512;
    }
    if (__builtin_cpu_supports("avx2") && rank-- == 0) {
        return find_avx2;
    }
    return rank == 0 ? teddy_find_plainly : NULL;
}

/* Of the eight words that begin in the first eight of sixteen bytes, those that are in the set. */
__attribute__((target("avx2"))) static inline unsigned words_of(const struct sieve *sieve,
                                                                const char *bytes)
{
    const __m256i spread = _mm256_setr_epi8(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6, 4, 5, 6,
                                            7, 5, 6, 7, 8, 6, 7, 8, 9, 7, 8, 9, 10);
    __m256i text = _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)bytes));
    __m256i words =
        _mm256_and_si256(_mm256_shuffle_epi8(text, spread), _mm256_set1_epi32((int)sieve->mask));
    __m256i hashes = _mm256_mullo_epi32(words, _mm256_set1_epi32((int)sieve_hash(1)));
    __m256i places = _mm256_srl_epi32(hashes, _mm_cvtsi32_si128((int)sieve->shift));
    __m256i bits = _mm256_i32gather_epi32((const int *)(const void *)sieve->bits,
                                          _mm256_srli_epi32(places, 5), 4);
    __m256i found = _mm256_srlv_epi32(bits, _mm256_and_si256(places, _mm256_set1_epi32(31)));

    return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_slli_epi32(found, 31)));
}

__attribute__((target("avx2"))) static size_t sieve_avx2(const struct sieve *sieve, struct str text,
                                                         size_t *from,
                                                         uint32_t ret_places[FIND_ROOM])
{
    size_t starts = text.len >= sieve->width ? text.len - sieve->width + 1 : 0;
    size_t count = 0;
    size_t at = *from;

    for (; at < starts && count <= FIND_ROOM - WORDS; at += WORDS) {
        unsigned words = words_of(sieve, text.ptr + at);

        count = places_put(words & bits_below(starts - at), at, ret_places, count);
    }
    *from = at < starts ? at : text.len;
    return count;
}

sieve_find_fn *sieve_way(unsigned rank)
{
    if (__builtin_cpu_supports("avx2") && rank-- == 0) {
        return sieve_avx2;
    }
    return rank == 0 ? sieve_find_plainly : NULL;
}
