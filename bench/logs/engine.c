/* Measures the judge of logs: engine RULES LOG [times [verdicts [indicators]]]. Prints what it
 * costs to compile the rules in a folder, and events a second of processor time for reading alone,
 * for reading with verdicts, and for both with so many drawn indicators screened beside; then, for
 * so many drawn verdicts, whether the oracle says the same. */
#include "detect/sigma/engine.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/prng.h"
#include "codec/logs.h"
#include "detect/intel/screen.h"
#include "detect/sigma/oracle.h"
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE (4u << 20)

struct pass {
    const struct sigma_set *set;
    struct sigma_matcher *matcher; /* NULL: read only */
    struct screen *screen;         /* NULL: no indicators */
    struct arena *arena;           /* not NULL: ask the oracle too */
    struct prng prng;
    uint64_t share; /* of verdicts in 2^32 that are compared */
    uint64_t events;
    uint64_t matches;
    uint64_t compared;
    uint64_t different;
};

static void compare_one(struct pass *pass, const struct entry *entry, uint32_t rule, bool is_said)
{
    bool is_match = false;

    arena_reset(pass->arena);
    pass->compared++;
    if (sigma_oracle(&pass->set->rules[rule], entry, pass->arena, &is_match) < 0 ||
        is_match != is_said) {
        if (pass->different++ < 20) {
            printf("  different: entry %llu, %.*s: the oracle says %s\n",
                   (unsigned long long)entry->number, STR_ARG(pass->set->rules[rule].title),
                   is_match ? "yes" : "no");
        }
    }
}

/* All rules that hold, and a share of the others. */
static void compare(struct pass *pass, const struct entry *entry, const uint32_t *rules,
                    size_t count)
{
    size_t next = 0;

    for (uint32_t i = 0; i < pass->set->rule_count; i++) {
        bool is_said = next < count && rules[next] == i;

        next += is_said;
        if (is_said || (prng_next(&pass->prng) >> 32) < pass->share) {
            compare_one(pass, entry, i, is_said);
        }
    }
}

static int take(void *context, const struct entry *entry)
{
    struct pass *pass = context;
    const uint32_t *rules = NULL;
    size_t count = 0;
    int r = 0;

    pass->events++;
    if (pass->matcher != NULL) {
        r = sigma_match(pass->matcher, entry, &rules, &count);
        pass->matches += count;
    }
    if (pass->screen != NULL && r != -ERR_NOMEM) {
        const struct screen_hit *hits;
        size_t hit_count;

        r = screen_entry(pass->screen, entry, &hits, &hit_count);
    }
    if (pass->arena != NULL) {
        compare(pass, entry, rules, count);
    }
    return r == -ERR_LIMIT ? 0 : r;
}

static double pass_run(struct pass *pass, struct log_reading *reading, struct str log)
{
    const struct log_format *format = log_format_guess(str_slice(log, 0, LOG_HEAD_SIZE));
    int64_t start = bench_now();

    while (log.len > 0) {
        size_t len = format->cut(str_slice(log, 0, BLOCK_SIZE), log.len <= BLOCK_SIZE);

        if (len == 0 || format->read(reading, str_slice(log, 0, len), take, pass) < 0) {
            break;
        }
        log = str_slice(log, len, log.len);
    }
    return (double)(bench_now() - start) / 1e9;
}

static int by_size(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;

    return (*left > *right) - (*left < *right);
}

static void measure(const struct sigma_engine *engine, const struct sigma_set *set, struct str log,
                    unsigned times)
{
    double reads[64];
    double verdicts[64];
    struct sigma_engine_stats stats = {0};
    double events = 0;

    for (unsigned i = 0; i < times; i++) {
        struct log_reading reading;
        struct pass pass = {.set = set};

        if (log_reading_init(&reading, sigma_engine_names(engine)) < 0) {
            return;
        }
        reads[i] = pass_run(&pass, &reading, log);
        if (sigma_matcher_new(engine, &pass.matcher) == 0) {
            verdicts[i] = pass_run(&pass, &reading, log);
            sigma_engine_stats(pass.matcher, &stats);
        }
        events = (double)stats.entries;
        sigma_matcher_free(pass.matcher);
        log_reading_done(&reading);
    }
    qsort(reads, times, sizeof(reads[0]), by_size);
    qsort(verdicts, times, sizeof(verdicts[0]), by_size);
    printf("events %.0f, matches %llu, candidates an event %.2f, regexes an event %.3f, at their "
           "limit %llu, not judged in full %llu, without log source %llu\n",
           events, (unsigned long long)stats.matches, (double)stats.candidates / events,
           (double)stats.regexes / events, (unsigned long long)stats.regex_limits,
           (unsigned long long)stats.costly, (unsigned long long)stats.unrouted);
    printf("reading %.0f events/s, with verdicts %.0f events/s, verdicts alone %.2f us an event "
           "(medians of %u)\n",
           events / reads[times / 2], events / verdicts[times / 2],
           (verdicts[times / 2] - reads[times / 2]) / events * 1e6, times);
    printf("engine %.1f MiB\n", (double)stats.memory / 1048576);
}

/* A list of hosts, addresses and hashes that are in no log. */
static struct indicators *indicators_draw(unsigned long count)
{
    CLEANUP(buf_done) struct buf text;
    struct indicators *indicators = NULL;
    struct prng prng;

    prng_init(&prng, 7);
    buf_init(&text, INDICATORS_FILE_MAX);
    buf_put_text(&text, "canhgac-list 1\nname drawn\nlabel c2\nsource drawn\n\n");
    for (unsigned long i = 0; i < count; i++) {
        unsigned long long number = prng_next(&prng);

        if (i % 4 < 2) {
            buf_putf(&text, "domain %016llx.example\n", number);
        } else if (i % 4 == 2) {
            buf_putf(&text, "address %llu.%llu.%llu.%llu\n", 11 + number % 200, number >> 8 & 255,
                     number >> 16 & 255, number >> 24 & 255);
        } else {
            buf_putf(&text, "hash %016llx%016llx\n", number, (unsigned long long)prng_next(&prng));
        }
    }
    buf_putf(&text, "end %lu\n", count);
    if (indicators_new(indicators_popular(), &indicators, &(struct diag){{0}}) < 0 ||
        indicators_add_file(indicators, buf_str(&text), &(struct diag){{0}}) < 0) {
        indicators_freep(&indicators);
    }
    return indicators;
}

/* Passes with and without, in turn. */
static void measure_screen(const struct sigma_engine *engine, struct str log, unsigned times,
                           unsigned long count)
{
    CLEANUP(indicators_freep) struct indicators *indicators = indicators_draw(count);
    CLEANUP(screen_freep) struct screen *screen = NULL;
    struct screen_stats stats = {0};
    double without[64];
    double with[64];

    if (indicators == NULL || screen_new(indicators, &screen) < 0) {
        (void)fprintf(stderr, "no indicators\n");
        return;
    }
    for (unsigned i = 0; i < times; i++) {
        struct log_reading reading;
        struct pass pass = {0};

        if (log_reading_init(&reading, sigma_engine_names(engine)) < 0 ||
            sigma_matcher_new(engine, &pass.matcher) < 0) {
            return;
        }
        without[i] = pass_run(&pass, &reading, log);
        pass.screen = screen;
        with[i] = pass_run(&pass, &reading, log);
        sigma_matcher_free(pass.matcher);
        log_reading_done(&reading);
    }
    qsort(without, times, sizeof(without[0]), by_size);
    qsort(with, times, sizeof(with[0]), by_size);
    screen_stats(screen, &stats);
    printf("with %lu indicators %.2f times as long, %.2f values asked an event, %.1f MiB\n", count,
           with[times / 2] / without[times / 2], (double)stats.asked / (double)stats.entries,
           (double)indicators_size(indicators) / 1048576);
}

static void judge_both(const struct sigma_engine *engine, const struct sigma_set *set,
                       struct str log, double verdicts)
{
    struct log_reading reading;
    struct pass pass = {.set = set};
    uint64_t events = 0;

    if (log_reading_init(&reading, sigma_engine_names(engine)) < 0) {
        return;
    }
    (void)pass_run(&pass, &reading, log);
    events = pass.events;
    prng_init(&pass.prng, 1);
    pass.share = (uint64_t)(verdicts / ((double)events * (double)set->rule_count) * 4294967296.0);
    if (arena_new(64u << 20, &pass.arena) == 0 && sigma_matcher_new(engine, &pass.matcher) == 0) {
        (void)pass_run(&pass, &reading, log);
        printf("verdicts compared %llu, different %llu, matches %llu\n",
               (unsigned long long)pass.compared, (unsigned long long)pass.different,
               (unsigned long long)pass.matches);
    }
    sigma_matcher_free(pass.matcher);
    arena_free(pass.arena);
    log_reading_done(&reading);
}

int main(int argc, char **argv)
{
    const struct sigma_set *set;
    CLEANUP(sigma_engine_freep) struct sigma_engine *engine = NULL;
    struct diag diag = {0};
    struct str log;
    unsigned times;
    int64_t start = bench_now();
    int64_t loaded;

    if (argc < 3) {
        (void)fprintf(stderr, "usage: engine RULES LOG [times [verdicts [indicators]]]\n");
        return 2;
    }
    set = bench_rules(argv[1]);
    loaded = bench_now();
    if (set == NULL || sigma_engine_new(set, &engine, &diag) < 0) {
        (void)fprintf(stderr, "%s\n", set == NULL ? "no rules" : diag.text);
        return 1;
    }
    printf("rules %zu, loaded in %.1f ms, compiled in %.1f ms\n", set->rule_count,
           (double)(loaded - start) / 1e6, (double)(bench_now() - loaded) / 1e6);
    log = bench_map(argv[2]);
    times = argc > 3 ? (unsigned)(strtoul(argv[3], NULL, 10) % 64) : 5;
    measure(engine, set, log, times);
    if (argc > 5) {
        measure_screen(engine, log, times, strtoul(argv[5], NULL, 10));
    }
    if (argc > 4) {
        judge_both(engine, set, log, strtod(argv[4], NULL));
    }
    return 0;
}
