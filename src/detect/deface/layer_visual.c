/* What a page looks like, beside what the other layers read: see detect/deface/visual.h. Pictures
 * come seldom and late, so they are weighed into a verdict that stands already. A redesign changes
 * title, structure and picture at once: only a layer that shows intent makes red of it. */
#include "base/banned.h"
#include "base/err.h"
#include "detect/deface/visual.h"

#define INTENT_SPEAKS 5.0 /* as for the other layers: judge.c */

static bool reason_is_intent(const struct site_reason *reason)
{
    static const struct {
        bool is_intent;
        const char *word;
    } rows[] = {
#define CHANGE                              false
#define INTENT                              true
#define SIGNAL(constant, layer, kind, word) {kind, word},
#include "detect/deface/signals.def"
#undef SIGNAL
#undef INTENT
#undef CHANGE
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].is_intent && str_is_text(reason->what, rows[i].word)) {
            return reason->score >= INTENT_SPEAKS;
        }
    }
    return false;
}

static bool check_has_intent(const struct site_check *check)
{
    for (size_t i = 0; i < check->reason_count; i++) {
        if (reason_is_intent(&check->reasons[i])) {
            return true;
        }
    }
    return false;
}

/* In front of those there are, or in the place of the lightest. */
static int check_add_reason(struct site_check *check, double score, struct arena *arena)
{
    struct site_reason *reasons = arena_alloc(arena, SITE_REASONS_MAX, sizeof(*reasons));
    size_t kept =
        check->reason_count < SITE_REASONS_MAX ? check->reason_count : SITE_REASONS_MAX - 1;
    struct str value = arena_printf(arena, "%.1f", score);

    if (reasons == NULL || value.ptr == NULL) {
        return -ERR_NOMEM;
    }
    if (kept != 0) {
        memcpy(reasons + 1, check->reasons, kept * sizeof(*reasons));
    }
    reasons[0] = (struct site_reason){.layer = SITE_LAYER_VISUAL,
                                      .view = check->view,
                                      .what = STR("picture"),
                                      .value = value,
                                      .score = score};
    check->reasons = reasons;
    check->reason_count = kept + 1;
    return 0;
}

int visual_weigh(double score, struct arena *arena, struct site_check *check)
{
    int r;

    if (score < VISUAL_ODD || check->verdict == SITE_VERDICT_UNKNOWN) {
        return 0; /* nothing to weigh, or nothing to weigh it against */
    }
    r = check_add_reason(check, score, arena);
    if (r < 0) {
        return r;
    }
    check->layers &= ~(1U << SITE_LAYER_SAME);
    check->layers |= 1U << SITE_LAYER_VISUAL;
    check->score += score;
    if (check->verdict != SITE_VERDICT_RED) {
        check->verdict = check->verdict == SITE_VERDICT_YELLOW && check_has_intent(check)
                             ? SITE_VERDICT_RED
                             : SITE_VERDICT_YELLOW;
    }
    return 0;
}
