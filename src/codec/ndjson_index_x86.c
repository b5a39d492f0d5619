/* Marks of 64 bytes with the vectors that x86 processors have: SSE2 is in all of them, AVX2 is
 * asked for. See codec/ndjson_index.h. */
#include "codec/ndjson_index.h"

#include "base/banned.h"

#include <immintrin.h>

static uint64_t equal_sse2(const __m128i lanes[4], char byte)
{
    __m128i wanted = _mm_set1_epi8(byte);
    uint64_t mask = 0;

    for (unsigned lane = 0; lane < 4; lane++) {
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(lanes[lane], wanted))
                << (16 * lane);
    }
    return mask;
}

static void marks_sse2(const char *bytes, size_t words, struct ndjson_marks *marks)
{
    for (size_t word = 0; word < words; word++) {
        __m128i lanes[4];

        for (unsigned lane = 0; lane < 4; lane++) {
            lanes[lane] = _mm_loadu_si128((const void *)(bytes + word * 64 + (size_t)lane * 16));
        }
        marks[word].quotes = equal_sse2(lanes, '"');
        marks[word].newlines = equal_sse2(lanes, '\n');
        marks[word].slashes = equal_sse2(lanes, '\\');
    }
}

__attribute__((target("avx2"))) static uint64_t equal_avx2(const __m256i lanes[2], char byte)
{
    __m256i wanted = _mm256_set1_epi8(byte);
    uint64_t low = (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(lanes[0], wanted));
    uint64_t high = (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(lanes[1], wanted));

    return low | high << 32;
}

__attribute__((target("avx2"))) static void marks_avx2(const char *bytes, size_t words,
                                                       struct ndjson_marks *marks)
{
    for (size_t word = 0; word < words; word++) {
        __m256i lanes[2] = {
            _mm256_loadu_si256((const void *)(bytes + word * 64)),
            _mm256_loadu_si256((const void *)(bytes + word * 64 + 32)),
        };

        marks[word].quotes = equal_avx2(lanes, '"');
        marks[word].newlines = equal_avx2(lanes, '\n');
        marks[word].slashes = equal_avx2(lanes, '\\');
    }
}

ndjson_marks_fn *ndjson_marks_best(void)
{
    return __builtin_cpu_supports("avx2") ? marks_avx2 : marks_sse2;
}
