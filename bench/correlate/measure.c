/* Rates of correlations on one core, and the memory of a group: one line a case as soon as it is
 * known, in events a second of processor time. Streams are the same in each run. All cases take
 * about 30 s of a processor; with WORDS only those in whose name they stand.
 * Usage: measure-correlate [WORDS] */
#include "base/prng.h"
#include "base/time.h"
#include "detect/sigma/correlate.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define EVENTS 2000000
#define GROUPS 1000000

struct stream {
    const char *name;
    enum sigma_correlation_kind kind;
    double at_least;
    uint64_t groups; /* different ones, evenly drawn */
    uint64_t values; /* in turn, so that each is seen again after as many */
    unsigned late;   /* in a thousand, by up to five seconds */
    int64_t timespan;
    unsigned copies; /* correlations that ask for the same rule */
    uint64_t events; /* 0: EVENTS */
};

static const struct stream streams[] = {
    {"event_count, 1,000 groups", SIGMA_CORRELATION_EVENT_COUNT, 20, 1000, 1, 0, 300, 1, 0},
    {"event_count, 1,000 groups, 1 % late", SIGMA_CORRELATION_EVENT_COUNT, 20, 1000, 1, 10, 300, 1,
     0},
    {"event_count, 1,000,000 groups of one", SIGMA_CORRELATION_EVENT_COUNT, 20, GROUPS, 1, 0, 3600,
     1, GROUPS},
    {"event_count, 1,000,000 groups of some", SIGMA_CORRELATION_EVENT_COUNT, 20, GROUPS, 1, 0, 3600,
     1, 0},
    {"value_count, 7,200 values", SIGMA_CORRELATION_VALUE_COUNT, 10000, 1, 7200, 0, 3600, 1, 0},
    {"value_count, 7,200 values, 1 % late", SIGMA_CORRELATION_VALUE_COUNT, 10000, 1, 7200, 10, 3600,
     1, 0},
    {"value_count of 20, 1,000 groups", SIGMA_CORRELATION_VALUE_COUNT, 20, 1000, 7200, 0, 300, 1,
     0},
    {"value_sum, 1,000 groups", SIGMA_CORRELATION_VALUE_SUM, 1e12, 1000, 100, 0, 300, 1, 0},
    {"value_percentile, 1,000 groups", SIGMA_CORRELATION_VALUE_PERCENTILE, 1e12, 1000, 100, 0, 300,
     1, 0},
    {"value_max, 1,000 groups", SIGMA_CORRELATION_VALUE_MAX, 1e12, 1000, 100, 0, 300, 1, 0},
    {"temporal, 1,000 groups", SIGMA_CORRELATION_TEMPORAL, 0, 1000, 1, 0, 300, 1, 0},
    {"temporal_ordered, 1,000 groups", SIGMA_CORRELATION_TEMPORAL_ORDERED, 0, 1000, 1, 0, 300, 1,
     0},
    {"event_count, ten correlations", SIGMA_CORRELATION_EVENT_COUNT, 20, 1000, 1, 0, 300, 10, 0},
};

static const struct str fields[] = {{"src_ip", 6}, {"amount", 6}};
static const struct sigma_part_of parts[] = {{false, 0}, {false, 1}, {false, 2}};
static const struct sigma_rule rules[3];

static int count_result(void *context, const struct sigma_correlated *correlated)
{
    (void)correlated;
    ++*(uint64_t *)context;
    return 0;
}

static double now(void)
{
    struct timespec spec;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spec);
    return (double)spec.tv_sec + (double)spec.tv_nsec / 1e9;
}

static struct sigma_correlation correlation_of(const struct stream *stream)
{
    struct sigma_correlation rule = {
        .kind = stream->kind,
        .parts = parts,
        .part_count = stream->kind == SIGMA_CORRELATION_TEMPORAL ||
                              stream->kind == SIGMA_CORRELATION_TEMPORAL_ORDERED
                          ? 3
                          : 1,
        .group_by = &fields[0],
        .group_count = 1,
        .timespan = stream->timespan * NS_PER_S,
        .bounds = {.percentile = 95},
    };

    if (stream->at_least > 0) {
        rule.bounds.asked = 1U << SIGMA_ORDER_GTE;
        rule.bounds.limits[SIGMA_ORDER_GTE] = stream->at_least;
    }
    if (stream->kind != SIGMA_CORRELATION_EVENT_COUNT && rule.part_count == 1) {
        rule.bounds.fields = &fields[1];
        rule.bounds.field_count = 1;
    }
    return rule;
}

/* Writes the entry at that place of the stream: a hundred microseconds behind the one before. */
static void entry_at(const struct stream *stream, uint64_t at, struct prng *prng,
                     struct entry *entry, char texts[2][24])
{
    uint64_t group = prng_below(prng, stream->groups);

    group = stream->groups == GROUPS && at < GROUPS ? at : group; /* each of them lives */
    (void)snprintf(texts[0], 24, "10.%u.%u.%u", (unsigned)(group >> 16 & 255),
                   (unsigned)(group >> 8 & 255), (unsigned)(group & 255));
    (void)snprintf(texts[1], 24, "%llu", (unsigned long long)(at % stream->values));
    entry->time = 1700000000 * NS_PER_S + (int64_t)at * 100 * NS_PER_US;
    if (prng_below(prng, 1000) < stream->late) {
        entry->time -= (int64_t)prng_below(prng, 5 * NS_PER_S);
    }
    entry->fields[0].value = str_from(texts[0]);
    entry->fields[1].value = str_from(texts[1]);
}

static uint64_t events_of(const struct stream *stream)
{
    return stream->events != 0 ? stream->events : EVENTS;
}

static int run(const struct stream *stream, bool is_judged, double *ret_seconds,
               struct sigma_correlator_stats *ret_stats)
{
    struct sigma_correlation list[16];
    struct sigma_set set = {.rules = rules, .rule_count = 3, .correlations = list};
    struct sigma_correlator_options options = {.memory = (size_t)1 << 30, .seed = 42};
    struct sigma_correlator *correlator = NULL;
    struct entry entry;
    struct prng prng;
    char texts[2][24];
    uint64_t results = 0;
    double start;
    int r;

    for (; set.correlation_count < stream->copies; set.correlation_count++) {
        list[set.correlation_count] = correlation_of(stream);
    }
    prng_init(&prng, 1);
    entry_init(&entry);
    r = sigma_correlator_new(&set, NULL, &options, &correlator);
    for (size_t i = 0; i < 2 && r == 0; i++) {
        r = entry_add(&entry, &(struct entry_field){.name = fields[i]});
    }
    start = now();
    for (uint64_t i = 0; i < events_of(stream) && r == 0; i++) {
        uint32_t rule = (uint32_t)(i % list[0].part_count);

        entry_at(stream, i, &prng, &entry, texts);
        r = is_judged ? sigma_correlate(correlator, &entry, i, &rule, 1, count_result, &results)
                      : 0;
    }
    *ret_seconds = now() - start;
    if (r == 0) {
        sigma_correlator_stats(correlator, ret_stats);
    }
    sigma_correlator_free(correlator);
    entry_done(&entry);
    return r;
}

int main(int argc, char **argv)
{
    const char *words = argc > 1 ? argv[1] : "";
    int r = 0;

    printf("%-40s %12s %10s %12s %10s\n", "case", "events/s", "groups", "bytes/group", "evicted");
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]) && r == 0; i++) {
        struct sigma_correlator_stats stats = {0};
        struct sigma_correlator_stats none;
        double making; /* of the stream itself */
        double all;

        if (strstr(streams[i].name, words) == NULL) {
            continue;
        }
        r = run(&streams[i], false, &making, &none);
        if (r == 0) {
            r = run(&streams[i], true, &all, &stats);
        }
        if (r == 0) {
            printf("%-40s %12.0f %10llu %12.0f %10llu\n", streams[i].name,
                   (double)events_of(&streams[i]) / (all - making),
                   (unsigned long long)stats.groups, (double)stats.memory / (double)stats.groups,
                   (unsigned long long)stats.evicted);
            (void)fflush(stdout); /* a pipe would keep it to the end */
        }
    }
    return r < 0 ? 3 : 0;
}
