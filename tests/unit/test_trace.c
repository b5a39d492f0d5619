/* Golden traces: what was recorded once must be judged alike for ever. `test_trace record` writes
 * them anew from the plays. */
#include "ransom/plays.h"

#include "harness.h"

#include "detect/ransom/trace.h"

#include <stdio.h>
#include <string.h>

static struct world world; /* large */
static char text[4 << 20];

static FILE *open_trace(const char *name, const char *mode)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/ransom/traces/%s.ndjson", TESTS_FOLDER, name);
    return fopen(path, mode);
}

static int record_all(void)
{
    for (size_t i = 0; i < play_count; i++) {
        FILE *file = open_trace(plays[i].name, "w");
        struct str trace;
        size_t written;

        if (file == NULL) {
            return 3;
        }
        world_init(&world);
        plays[i].play(&world);
        trace = buf_str(&world.trace);
        written = fwrite(trace.ptr, 1, trace.len, file);
        if (fclose(file) != 0 || written != trace.len) {
            return 3;
        }
        world_done(&world);
    }
    return 0;
}

/* Replays; how many rulings it gave, and what the first one held. */
static unsigned replay(struct str trace, struct arena *arena, size_t *ret_damage)
{
    struct judge *judge;
    struct str line;
    unsigned rulings = 0;

    assert_int_equal(judge_new(&judge_limits_default, &judge), 0);
    while (str_cut(&trace, '\n', &line)) {
        struct trace_step step = {0};
        struct diag diag = {0};
        bool is_ruling;

        if (line.len == 0) {
            continue;
        }
        arena_reset(arena);
        if (trace_read(line, arena, &step, &diag) < 0) {
            fail_msg("%s", diag.text);
        }
        assert_int_equal(judge_step(judge, &step.step, &is_ruling), 0);
        if (is_ruling && rulings++ == 0) {
            struct judge_ruling ruling;

            assert_int_equal(judge_ruling(judge, arena, &ruling), 0);
            *ret_damage = ruling.damage_count;
        }
    }
    judge_free(judge);
    return rulings;
}

static void test_golden(void **state)
{
    struct arena *arena;
    unsigned wrong = 0;

    (void)state;
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    for (size_t i = 0; i < play_count; i++) {
        FILE *file = open_trace(plays[i].name, "r");
        size_t damage = 0;
        unsigned rulings;
        size_t len;

        assert_non_null(file);
        len = fread(text, 1, sizeof(text), file);
        (void)fclose(file);
        assert_true(len != 0 && len < sizeof(text));
        rulings = replay(str_of(text, len), arena, &damage);
        if ((rulings != 0) != (plays[i].touched_max != 0) || (rulings != 0 && damage < 3)) {
            print_error("%s: %u rulings, %zu files\n", plays[i].name, rulings, damage);
            wrong++;
        }
    }
    arena_free(arena);
    assert_int_equal(wrong, 0);
}

static void test_bad_lines(void **state)
{
    static const char *const lines[] = {"", "{", "[]", "{\"step\":\"no\"}", "{}", "{\"step\":7}"};
    struct arena *arena;

    (void)state;
    assert_int_equal(arena_new(1 << 16, &arena), 0);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct trace_step step = {0};
        struct diag diag = {0};

        assert_int_equal(trace_read(str_from(lines[i]), arena, &step, &diag), -ERR_SYNTAX);
        assert_true(diag.text[0] != '\0');
    }
    arena_free(arena);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_bad_lines),
    };

    if (argc == 2 && strcmp(argv[1], "record") == 0) {
        return record_all();
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
