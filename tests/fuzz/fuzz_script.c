/* Any program has a sketch within its limits, which comes back from its bytes; two programs, cut at
 * the first NUL, compare; and any bytes are a sketch or are refused. */
#include "fuzz.h"

#include "detect/deface/script.h"

#define KEY        7
#define ENCODED    (16U << 10)
#define SIZE_MOST  65536
#define ARENA_MOST (8U << 20)

static struct arena *big_arena(void)
{
    static struct arena *arena;

    if (arena == NULL) {
        fuzz_check(arena_new(ARENA_MOST, &arena) == 0);
    }
    arena_reset(arena);
    return arena;
}

static void check_sketch(const struct script_sketch *sketch)
{
    uint64_t tokens = 0;

    fuzz_check(sketch->run_count <= SCRIPT_RUNS_MAX && sketch->host_count <= SCRIPT_HOSTS_MAX);
    for (size_t i = 0; i < sketch->run_count; i++) {
        fuzz_check(sketch->runs[i].tokens != 0);
        fuzz_check(sketch->runs[i].calls < 1U << SCRIPT_CALL_COUNT);
        tokens += sketch->runs[i].tokens;
    }
    fuzz_check(tokens == sketch->tokens);
    for (size_t i = 0; i < sketch->host_count; i++) {
        fuzz_check(sketch->hosts[i].name.len <= SCRIPT_HOST_MAX);
        fuzz_check(sketch->hosts[i].run < sketch->run_count);
    }
}

static void check_kept(const struct script_sketch *sketch, struct arena *arena)
{
    struct script_sketch again;
    struct script_diff diff;
    struct cbor_reader reader;
    struct buf buf;

    buf_init(&buf, ENCODED);
    script_sketch_encode(sketch, &buf);
    fuzz_check(buf_error(&buf) == 0);
    cbor_open(&reader, buf_str(&buf));
    fuzz_check(script_sketch_decode(&reader, arena, &again) == 0 && cbor_close(&reader) == 0);
    fuzz_check(script_diff_make(sketch, &again, arena, &diff) == 0);
    fuzz_check(diff.added == 0 && diff.gone == 0 && diff.calls == 0 && diff.host_count == 0);
    buf_done(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = fuzz_input(data, size);
    size_t cut = str_find_byte(input, '\0');
    struct arena *arena = big_arena();
    struct script_sketch any;
    struct script_sketch old;
    struct script_sketch fresh;
    struct script_diff diff;
    struct cbor_reader reader;

    if (size > SIZE_MOST) {
        return 0;
    }
    fuzz_check(script_sketch_make(str_slice(input, 0, cut), KEY, NULL, arena, &old) == 0);
    fuzz_check(script_sketch_make(str_slice(input, cut + 1, size), KEY, &old, arena, &fresh) == 0);
    check_sketch(&old);
    check_sketch(&fresh);
    check_kept(&old, arena);
    fuzz_check(script_diff_make(&old, &fresh, arena, &diff) == 0);
    fuzz_check(diff.added <= fresh.tokens && diff.gone <= old.tokens);
    cbor_open(&reader, input);
    if (script_sketch_decode(&reader, arena, &any) == 0) {
        fuzz_check(script_diff_make(&any, &old, arena, &diff) == 0);
        fuzz_check(script_diff_make(&old, &any, arena, &diff) == 0);
    }
    return 0;
}
