/* A correlator for the tests, and what it has told. */
#ifndef TESTS_TELLINGS_H
#define TESTS_TELLINGS_H

#include "correlations.h"
#include "harness.h"

#define TELLINGS_MAX 2048

struct told {
    size_t correlation;
    int64_t time;
    int64_t first;
    double value;
    char group[64];
};

struct tellings {
    struct told list[TELLINGS_MAX];
    size_t count;
};

static inline int tell(void *context, const struct sigma_correlated *correlated)
{
    struct tellings *tellings = context;
    struct told *told = &tellings->list[tellings->count++];

    assert_true(tellings->count < TELLINGS_MAX);
    assert_true(correlated->cause_count != 0 && correlated->cause_count <= SIGMA_KEEP_MAX);
    for (size_t i = 1; i < correlated->cause_count; i++) {
        assert_true(correlated->causes[i].time >= correlated->causes[i - 1].time);
    }
    *told = (struct told){.correlation = correlated->correlation,
                          .time = correlated->time,
                          .first = correlated->first,
                          .value = correlated->value};
    return 0;
}

static inline struct sigma_correlator *make(const struct sigma_set *set, int64_t lateness,
                                            size_t memory)
{
    struct sigma_correlator_options options = {
        .memory = memory, .lateness = lateness, .seed = 0x5eed};
    struct sigma_correlator *correlator = NULL;

    assert_int_equal(sigma_correlator_new(set, NULL, &options, &correlator), 0);
    return correlator;
}

#endif
