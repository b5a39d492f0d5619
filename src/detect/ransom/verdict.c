/* The rules by which one look becomes a verdict. On its way: content_change_signs → here →
 * judge_answer. Invariant: a plain format of any kind is never damage, however random its bytes. */
#include "detect/ransom/verdict.h"

#include "base/banned.h"

#define SCORE_FULL    1.0
#define SCORE_CODED   0.75
#define SCORE_MANGLED 0.5
#define SMALL_MAX     512
/* Ciphertext of compressing containers may stand for ten times its size, other ciphertext for
 * twice. */
#define COVER_CONTAINER 10
#define COVER_RAW       2
#define COVER_SLACK     4096

static const char *const reason_names[VERDICT_REASON_COUNT] = {
    [VERDICT_REASON_NONE] = "none",           [VERDICT_REASON_CHI_SQUARE] = "chi_square",
    [VERDICT_REASON_CONTAINER] = "container", [VERDICT_REASON_FORMAT] = "format",
    [VERDICT_REASON_CODED] = "coded",         [VERDICT_REASON_MANGLED] = "similarity",
    [VERDICT_REASON_WIPED] = "wiped",         [VERDICT_REASON_REMOVED] = "removed",
    [VERDICT_REASON_REPLACED] = "replaced",
};

static const struct verdict verdict_none = {FILE_OUTCOME_INTACT, VERDICT_REASON_NONE, 0};

const char *verdict_reason_name(enum verdict_reason reason)
{
    return reason < VERDICT_REASON_COUNT ? reason_names[reason] : "none";
}

static bool is_noise(enum content_texture texture)
{
    return texture == CONTENT_TEXTURE_RANDOM || texture == CONTENT_TEXTURE_SPREAD;
}

static bool is_recognised(enum content_format format)
{
    return format == CONTENT_FORMAT_PLAIN || format == CONTENT_FORMAT_TEXT ||
           format == CONTENT_FORMAT_KNOWN;
}

bool verdict_is_readable(const struct content_signs *signs, enum content_format format_before)
{
    if (signs->before == CONTENT_TEXTURE_NONE || format_before == CONTENT_FORMAT_ENCRYPTED) {
        return false;
    }
    if (format_before == CONTENT_FORMAT_PLAIN || format_before == CONTENT_FORMAT_KNOWN) {
        return true;
    }
    return !is_noise(signs->before) && signs->before != CONTENT_TEXTURE_CODED &&
           signs->before != CONTENT_TEXTURE_CONSTANT;
}

/* Less than one byte in twenty stood where it stood: nothing of the original was kept on purpose.
 */
static bool is_rewritten(const struct content_signs *signs)
{
    return signs->equal * 20 <= signs->compared || signs->compared == 0;
}

static struct verdict verdict_of_noise(const struct content_signs *signs,
                                       enum content_format format)
{
    if (format == CONTENT_FORMAT_PLAIN) {
        return verdict_none;
    }
    /* Only its head was checked, and its head may have been left alone. A file written anew is what
     * its head says; one that kept its size and parts of itself was overwritten in place. */
    if (format == CONTENT_FORMAT_KNOWN &&
        (signs->size_before != signs->size_after || is_rewritten(signs))) {
        return verdict_none;
    }
    return (struct verdict){FILE_OUTCOME_ENCRYPTED, VERDICT_REASON_CHI_SQUARE, SCORE_FULL};
}

/* Too little changed for counting: what was lost must speak. */
static struct verdict verdict_of_small(const struct content_signs *signs,
                                       enum content_format format,
                                       enum content_format format_before)
{
    bool was_known = signs->was_text || is_recognised(format_before);
    bool is_most =
        signs->changed_len * 2 >= signs->size_after || signs->changed == CONTENT_TEXTURE_SPREAD;

    if (!was_known || signs->is_text || is_recognised(format) || !is_most) {
        return verdict_none;
    }
    if (signs->changed == CONTENT_TEXTURE_SPREAD) {
        return (struct verdict){FILE_OUTCOME_ENCRYPTED, VERDICT_REASON_FORMAT, SCORE_FULL};
    }
    return (struct verdict){FILE_OUTCOME_ENCRYPTED, VERDICT_REASON_MANGLED, SCORE_MANGLED};
}

struct verdict verdict_of_change(const struct content_signs *signs, enum content_format format,
                                 enum content_format format_before, bool is_closed)
{
    bool is_kept = signs->equal == signs->compared && signs->size_after >= signs->size_before;

    if (!verdict_is_readable(signs, format_before) || is_kept) {
        return verdict_none;
    }
    if (signs->size_after == 0 || signs->after == CONTENT_TEXTURE_CONSTANT) {
        return is_closed ? (struct verdict){FILE_OUTCOME_OVERWRITTEN, VERDICT_REASON_WIPED, 0}
                         : verdict_none;
    }
    if (format == CONTENT_FORMAT_ENCRYPTED || signs->is_after_encrypted_magic) {
        return (struct verdict){FILE_OUTCOME_ENCRYPTED, VERDICT_REASON_CONTAINER, SCORE_FULL};
    }
    if (signs->changed == CONTENT_TEXTURE_RANDOM) {
        return verdict_of_noise(signs, format);
    }
    if (format == CONTENT_FORMAT_PLAIN) {
        return verdict_none;
    }
    if (signs->changed == CONTENT_TEXTURE_CODED && is_rewritten(signs)) {
        return (struct verdict){FILE_OUTCOME_ENCRYPTED, VERDICT_REASON_CODED, SCORE_CODED};
    }
    if (!is_closed) {
        return verdict_none;
    }
    if (signs->changed_len < SMALL_MAX) {
        return verdict_of_small(signs, format, format_before);
    }
    if ((signs->was_text || is_recognised(format_before)) && !signs->is_text &&
        (format == CONTENT_FORMAT_UNKNOWN || format == CONTENT_FORMAT_DAMAGED) &&
        signs->equal * 10 < signs->compared * 3) {
        return (struct verdict){FILE_OUTCOME_ENCRYPTED, VERDICT_REASON_MANGLED, SCORE_MANGLED};
    }
    return verdict_none;
}

uint64_t verdict_of_product(const struct content_signs *signs, enum content_format format,
                            bool is_half)
{
    uint64_t size = signs->size_after < UINT64_MAX / 16 ? signs->size_after : UINT64_MAX / 16;
    bool is_coded = signs->after == CONTENT_TEXTURE_CODED;

    if (size == 0) {
        return 0;
    }
    if (format == CONTENT_FORMAT_ENCRYPTED || signs->is_after_encrypted_magic) {
        return size * COVER_CONTAINER + COVER_SLACK;
    }
    if (is_half || format == CONTENT_FORMAT_UNASKED || format == CONTENT_FORMAT_PLAIN ||
        format == CONTENT_FORMAT_KNOWN || (format == CONTENT_FORMAT_TEXT && !is_coded)) {
        return 0;
    }
    return is_coded || is_noise(signs->after) ? size * COVER_RAW + COVER_SLACK : 0;
}
