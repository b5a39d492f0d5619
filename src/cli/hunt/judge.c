/* See judge.h. */
#include "cli/hunt/judge.h"

#include "base/arena.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "detect/sigma/engine.h"
#include "detect/sigma/oracle.h"

#define NAIVE_ARENA (16u << 20)

struct hunt_judge {
    const struct sigma_set *set;
    struct sigma_engine *engine; /* NULL: the naive walk */
};

struct hunt_bench {
    const struct hunt_judge *judge;
    struct sigma_matcher *matcher;
    uint64_t limits;
    struct arena *arena; /* of the naive walk */
    uint32_t *rules;
};

int hunt_judge_new(const struct sigma_set *set, bool is_naive, struct hunt_judge **ret_judge,
                   struct diag *diag)
{
    struct hunt_judge *judge = mem_alloc(1, sizeof(*judge));
    int r;

    if (judge == NULL) {
        return -ERR_NOMEM;
    }
    judge->set = set;
    r = is_naive ? 0 : sigma_engine_new(set, &judge->engine, diag);
    if (r < 0) {
        hunt_judge_free(judge);
        return r;
    }
    *ret_judge = judge;
    return 0;
}

void hunt_judge_free(struct hunt_judge *judge)
{
    if (judge != NULL) {
        sigma_engine_free(judge->engine);
        mem_free(judge);
    }
}

const struct entry_names *hunt_judge_names(const struct hunt_judge *judge)
{
    return judge->engine != NULL ? sigma_engine_names(judge->engine) : NULL;
}

int hunt_bench_new(const struct hunt_judge *judge, struct hunt_bench **ret_bench)
{
    struct hunt_bench *bench = mem_alloc(1, sizeof(*bench));
    int r = 0;

    if (bench == NULL) {
        return -ERR_NOMEM;
    }
    bench->judge = judge;
    if (judge->engine != NULL) {
        r = sigma_matcher_new(judge->engine, &bench->matcher);
    } else {
        bench->rules = mem_alloc(judge->set->rule_count + 1, sizeof(*bench->rules));
        r = bench->rules == NULL ? -ERR_NOMEM : arena_new(NAIVE_ARENA, &bench->arena);
    }
    if (r < 0) {
        hunt_bench_free(bench);
        return r;
    }
    *ret_bench = bench;
    return 0;
}

void hunt_bench_free(struct hunt_bench *bench)
{
    if (bench != NULL) {
        sigma_matcher_free(bench->matcher);
        arena_free(bench->arena);
        mem_free(bench->rules);
        mem_free(bench);
    }
}

static int bench_ask_all(struct hunt_bench *bench, const struct entry *entry, size_t *ret_count)
{
    const struct sigma_set *set = bench->judge->set;
    size_t count = 0;

    for (size_t i = 0; i < set->rule_count; i++) {
        bool is_match = false;
        int r;

        arena_reset(bench->arena);
        r = sigma_oracle(&set->rules[i], entry, bench->arena, &is_match);
        if (r < 0) {
            return r;
        }
        if (is_match) {
            bench->rules[count++] = (uint32_t)i;
        }
    }
    *ret_count = count;
    return 0;
}

int hunt_judge_entry(struct hunt_bench *bench, const struct entry *entry,
                     const uint32_t **ret_rules, size_t *ret_count)
{
    int r;

    if (bench->matcher != NULL) {
        r = sigma_match(bench->matcher, entry, ret_rules, ret_count);
    } else {
        r = bench_ask_all(bench, entry, ret_count);
        *ret_rules = bench->rules;
    }
    if (r == -ERR_LIMIT) {
        bench->limits++;
        return 0;
    }
    return r;
}

uint64_t hunt_bench_limits(const struct hunt_bench *bench)
{
    return bench->limits;
}
