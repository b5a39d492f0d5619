/* Any bytes as the kept state of correlations of each kind: what is refused leaves nothing behind,
 * what is taken is saved as it was understood and goes on with further matches. */
#include "fuzz.h"

#include "../correlations.h"

#include "base/err.h"

static int take_result(void *context, const struct sigma_correlated *correlated)
{
    (void)context;
    fuzz_check(correlated->cause_count != 0 && correlated->cause_count <= SIGMA_KEEP_MAX);
    return 0;
}

static void make_set(struct correlations *all)
{
    correlations_init(all);
    for (unsigned kind = 0; kind < SIGMA_CORRELATION_COUNT; kind++) {
        struct sigma_correlation *rule =
            correlations_add(all, (enum sigma_correlation_kind)kind, 1, 1000);

        correlation_bound(rule, kind % 2 == 0 ? SIGMA_ORDER_GTE : SIGMA_ORDER_LT, 3);
        if (kind != SIGMA_CORRELATION_EVENT_COUNT) {
            correlation_counts(rule, 2);
        }
    }
    correlation_bound(correlations_add(all, SIGMA_CORRELATION_EVENT_COUNT, 0, 1000),
                      SIGMA_ORDER_LTE, 9); /* counted by a tally */
}

static struct sigma_correlator *make(const struct sigma_set *set)
{
    struct sigma_correlator_options options = {.seed = 7};
    struct sigma_correlator *correlator = NULL;

    fuzz_check(sigma_correlator_new(set, NULL, &options, &correlator) == 0);
    return correlator;
}

static void go_on(struct sigma_correlator *correlator)
{
    struct entry_field fields[] = {{.name = correlation_fields[0], .value = STR("an")},
                                   {.name = correlation_fields[2], .value = STR("3")}};
    struct entry entry = {.fields = fields, .count = 2};

    for (uint32_t rule = 0; rule < CORRELATION_RULES; rule++) {
        (void)sigma_correlate(correlator, &entry, rule, &rule, 1, take_result, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct correlations all;
    struct sigma_correlator *correlator;
    struct sigma_correlator *again;
    struct sigma_correlator_stats stats;
    struct buf first;
    struct buf second;
    struct diag diag = {{0}};
    int r;

    make_set(&all);
    correlator = make(&all.set);
    again = make(&all.set);
    buf_init(&first, 8U << 20);
    buf_init(&second, 8U << 20);
    r = sigma_correlator_load(correlator, fuzz_input(data, size), &diag);
    sigma_correlator_stats(correlator, &stats);
    fuzz_check(r == 0 || diag.text[0] != '\0');
    fuzz_check(r == 0 || r == -ERR_VERSION || stats.groups == 0);
    if (r == 0 || r == -ERR_VERSION) {
        fuzz_check(sigma_correlator_save(correlator, &first) == 0);
        fuzz_check(sigma_correlator_load(again, buf_str(&first), &diag) == 0);
        fuzz_check(sigma_correlator_save(again, &second) == 0);
        fuzz_check(str_is(buf_str(&first), buf_str(&second)));
    }
    go_on(correlator);
    sigma_correlator_free(correlator);
    sigma_correlator_free(again);
    buf_done(&first);
    buf_done(&second);
    return 0;
}
