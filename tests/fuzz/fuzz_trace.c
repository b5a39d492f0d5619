/* A recorded line that is read can be written, and what was written reads as the same line again;
 * no line brings the judge out of step. */
#include "fuzz.h"

#include "detect/ransom/trace.h"

static void round_trip(const struct judge_step *step)
{
    struct buf once;
    struct buf twice;
    struct trace_step again = {0};
    struct str line;

    buf_init(&once, 1 << 20);
    buf_init(&twice, 1 << 20);
    trace_write(&once, step);
    line = buf_str(&once);
    fuzz_check(buf_error(&once) == 0 && line.len != 0);
    fuzz_check(trace_read(str_slice(line, 0, line.len - 1), fuzz_arena(), &again, NULL) == 0);
    trace_write(&twice, &again.step);
    fuzz_check(str_is(buf_str(&once), buf_str(&twice)));
    buf_done(&once);
    buf_done(&twice);
}

/* In an arena of its own: the step's texts lie in the other. */
static void rule(struct judge *judge, const struct judge_step *step)
{
    struct arena *arena;
    struct judge_ruling ruling;

    fuzz_check(arena_new(64 << 20, &arena) == 0);
    fuzz_check(judge_ruling(judge, arena, &ruling) == 0);
    if (step->time % 3 == 0) {
        judge_forgive(judge, ruling.culprit);
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = fuzz_input(data, size);
    struct judge *judge;
    struct str line;
    bool is_ruling;

    fuzz_check(judge_new(&judge_limits_default, &judge) == 0);
    while (str_cut(&rest, '\n', &line)) {
        struct trace_step step = {0};

        if (trace_read(line, fuzz_arena(), &step, NULL) < 0) {
            continue;
        }
        (void)judge_excess(judge, step.step.who);
        if (judge_step(judge, &step.step, &is_ruling) == 0 && is_ruling) {
            rule(judge, &step.step);
        }
        if (step.step.kind != JUDGE_STEP_CONTENT) {
            round_trip(&step.step);
        }
    }
    judge_free(judge);
    return 0;
}
