/* With the vectors of x86 processors, where they have AVX2: see engine_teddy.h. */
#include "base/banned.h"
#include "detect/sigma/engine_teddy.h"

#include <immintrin.h>
#include <string.h>

#define LANE 32

struct tables {
    __m256i low[TEDDY_BYTES];
    __m256i high[TEDDY_BYTES];
};

__attribute__((target("avx2"))) static inline __m256i table_load(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)table));
}

__attribute__((target("avx2"))) static inline __m256i groups_of(const struct tables *tables,
                                                                unsigned i, const char *bytes)
{
    __m256i nibble = _mm256_set1_epi8(15);
    __m256i text = _mm256_loadu_si256((const void *)bytes);
    __m256i high = _mm256_and_si256(_mm256_srli_epi16(text, 4), nibble);

    return _mm256_and_si256(_mm256_shuffle_epi8(tables->low[i], _mm256_and_si256(text, nibble)),
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

/* The last bytes, fewer than a lane and the two behind it. */
__attribute__((target("avx2"))) static void find_rest(const struct tables *tables, struct str text,
                                                      size_t at, teddy_fn *fn, void *context)
{
    char rest[2 * LANE + TEDDY_BYTES] = {0};
    size_t left = text.len - at;

    memcpy(rest, text.ptr + at, left);
    for (size_t from = 0; from < left; from += LANE) {
        for (uint32_t places = places_of(tables, rest + from); places != 0; places &= places - 1) {
            size_t place = from + (size_t)__builtin_ctz(places);

            if (place + TEDDY_BYTES <= left) {
                fn(context, at + place);
            }
        }
    }
}

__attribute__((target("avx2"))) static void find_avx2(const struct teddy *teddy, struct str text,
                                                      teddy_fn *fn, void *context)
{
    struct tables tables;
    size_t at = 0;

    for (unsigned i = 0; i < TEDDY_BYTES; i++) {
        tables.low[i] = table_load(teddy->low[i]);
        tables.high[i] = table_load(teddy->high[i]);
    }
    for (; at + LANE + TEDDY_BYTES - 1 <= text.len; at += LANE) {
        for (uint32_t places = places_of(&tables, text.ptr + at); places != 0;
             places &= places - 1) {
            fn(context, at + (size_t)__builtin_ctz(places));
        }
    }
    if (at < text.len) {
        find_rest(&tables, text, at, fn, context);
    }
}

teddy_find_fn *teddy_best(void)
{
    return __builtin_cpu_supports("avx2") ? find_avx2 : teddy_find_plainly;
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

__attribute__((target("avx2"))) static void sieve_avx2(const struct sieve *sieve, struct str text,
                                                       teddy_fn *fn, void *context)
{
    for (size_t at = 0; at + sieve->width <= text.len; at += 8) {
        size_t left = text.len - at - sieve->width + 1;
        unsigned words = words_of(sieve, text.ptr + at);

        words &= left < 8 ? (1U << left) - 1 : 0xffU;
        for (; words != 0; words &= words - 1) {
            fn(context, at + (size_t)__builtin_ctz(words));
        }
    }
}

sieve_find_fn *sieve_best(void)
{
    return __builtin_cpu_supports("avx2") ? sieve_avx2 : sieve_find_plainly;
}
