/* With the 64-byte vectors that x86 servers have had since 2019 (AVX-512 VBMI2): see engine_fold.h.
 */
#include "base/banned.h"
#include "detect/sigma/engine_fold.h"

#include <immintrin.h>

#define FOLD_TARGET __attribute__((target("avx512bw,avx512vbmi2,bmi2,popcnt")))
#define LANE        64
#define ODD_BITS    0xaaaaaaaaaaaaaaaaULL

static inline uint64_t bits_below(size_t count)
{
    return count < LANE ? ((uint64_t)1 << count) - 1 : UINT64_MAX;
}

/* What is to be done with 64 bytes. */
struct cut {
    uint64_t kept;
    size_t taken;  /* of them; then comes what is for fold_char, */
    bool is_whole; /* unless all were taken */
};

/* Backslashes that begin an escape are left out. See codec/ndjson_index.c for the arithmetic. */
FOLD_TARGET static inline struct cut cut_of(__m512i bytes, size_t count, uint64_t slashes,
                                            uint64_t others)
{
    uint64_t taken = (((slashes << 1) | ODD_BITS) - slashes) ^ ODD_BITS;
    uint64_t meant = taken ^ slashes; /* bytes behind such a backslash */
    uint64_t starts = taken & slashes;
    uint64_t same = slashes | _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('"')) |
                    _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('/'));
    uint64_t stops = others | (meant & ~same) >> 1 | (starts & (uint64_t)1 << (count - 1));
    size_t end = stops != 0 ? (size_t)__builtin_ctzll(stops) : count;

    return (struct cut){~starts & bits_below(end), end, stops == 0};
}

FOLD_TARGET static bool fold_avx512(struct str text, bool is_escaped, char *out, size_t *ret_len,
                                    bool *ret_is_plain)
{
    bool is_plain = true;
    size_t len = 0;

    for (size_t at = 0; at < text.len;) {
        size_t count = text.len - at < LANE ? text.len - at : LANE;
        __m512i bytes = _mm512_maskz_loadu_epi8(bits_below(count), text.ptr + at);
        uint64_t letters = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8('A')),
                                                  _mm512_set1_epi8(26));
        __m512i folded = _mm512_mask_add_epi8(bytes, letters, bytes, _mm512_set1_epi8(0x20));
        uint64_t slashes = is_escaped ? _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\\')) : 0;
        uint64_t others = _mm512_movepi8_mask(bytes);
        struct cut cut = {bits_below(count), count, true};
        size_t kept = count;

        if ((slashes | others) != 0) {
            cut = cut_of(bytes, count, slashes, others);
            kept = (size_t)__builtin_popcountll(cut.kept);
            folded = _mm512_maskz_compress_epi8(cut.kept, folded);
        }
        _mm512_mask_storeu_epi8(out + len, bits_below(kept), folded);
        at += cut.taken;
        len += kept;
        for (bool is_next = !cut.is_whole; is_next;
             is_next = at < text.len && (unsigned char)text.ptr[at] >= 0x80) {
            size_t taken = fold_char(text, at, is_escaped, out, &len);

            if (taken == 0) {
                return false;
            }
            is_plain = is_plain && (unsigned char)text.ptr[at] < 0x80;
            at += taken;
        }
    }
    *ret_is_plain = is_plain;
    *ret_len = len;
    return true;
}

fold_fn *fold_way(unsigned rank)
{
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi2") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") && rank-- == 0) {
        return fold_avx512;
    }
    return rank == 0 ? fold_by_lanes : NULL;
}
