/* Which programs the ransom judge stops, at which file, and which never. */
#include "ransom/plays.h"

#include "harness.h"

#include "base/arena.h"
#include "detect/ransom/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world world; /* large */

static void test_plays(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < play_count; i++) {
        bool is_right;

        world_init(&world);
        plays[i].play(&world);
        is_right = plays[i].touched_max == 0
                       ? world.rulings == 0
                       : world.rulings != 0 && world.touched_at_ruling <= plays[i].touched_max;
        if (!is_right) {
            print_error("%s: %u rulings, %u files touched at the first, %u in all\n", plays[i].name,
                        world.rulings, world.touched_at_ruling, world.touched);
            wrong++;
        }
        world_done(&world);
    }
    assert_int_equal(wrong, 0);
}

static bool group_has(const struct judge_ruling *ruling, int pid)
{
    for (size_t i = 0; i < ruling->group_count; i++) {
        if (ruling->group[i].pid == pid) {
            return true;
        }
    }
    return false;
}

static const struct judge_damage *damage_of(const struct judge_ruling *ruling, const char *path)
{
    for (size_t i = 0; i < ruling->damage_count; i++) {
        if (str_is_text(ruling->damage[i].path, path)) {
            return &ruling->damage[i];
        }
    }
    return NULL;
}

/* The whole team is named, the login shell and the daemon above it are not. */
static void test_group(void **state)
{
    struct judge_ruling ruling;
    struct arena *arena;

    (void)state;
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    world_init(&world);
    play_named("workers-18")->play(&world);
    assert_int_equal(judge_ruling(world.judge, arena, &ruling), 0);
    assert_int_equal(ruling.root.pid, 60);
    assert_int_equal(ruling.group_count, 19);
    assert_true(group_has(&ruling, 60) && group_has(&ruling, 100) && group_has(&ruling, 117));
    assert_false(group_has(&ruling, SHELL) || group_has(&ruling, 40));
    assert_int_equal(ruling.damage_count, 3);
    assert_true(ruling.score >= 3 && ruling.first_time != 0 && ruling.reason_count >= 2);
    for (size_t i = 0; i < ruling.damage_count; i++) {
        assert_int_equal(ruling.damage[i].outcome, FILE_OUTCOME_ENCRYPTED);
        assert_true(ruling.damage[i].version != 0 && ruling.damage[i].file_now.ino != 0);
    }
    assert_true(judge_is_stopped(world.judge, (struct actor_key){105, 105}));
    assert_false(judge_is_stopped(world.judge, (struct actor_key){SHELL, SHELL}));
    world_done(&world);
    arena_free(arena);
}

/* Reader, maker and remover were three: the script above them is the root; products are listed. */
static void test_split_team(void **state)
{
    struct judge_ruling ruling;
    struct arena *arena;
    const struct judge_damage *product;
    uint64_t victims[VICTIMS];

    (void)state;
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    world_init(&world);
    start(&world, victims);
    world_actor(&world, 100, 60, SHELL, 1000, 7);
    world_actor(&world, 101, 60, SHELL, 1000, 8);
    world_actor(&world, 102, 60, SHELL, 1000, 9);
    for (int i = 0; i < 20; i++) {
        (void)world_read(&world, 100, victims[i]);
    }
    (void)world_make(&world, 101, NATURE_TEXT, 900, "/srv/data/HOW_TO_DECRYPT.txt");
    (void)world_make(&world, 101, NATURE_CONTAINER, 20 * SIZE, "/srv/data/all.7z");
    for (int i = 0; i < 20; i++) {
        world_delete(&world, 102, victims[i]);
    }
    assert_int_equal(judge_ruling(world.judge, arena, &ruling), 0);
    assert_int_equal(ruling.root.pid, 60);
    assert_true(group_has(&ruling, 101) && group_has(&ruling, 102) && group_has(&ruling, 100));
    product = damage_of(&ruling, "/srv/data/all.7z");
    assert_non_null(product);
    assert_int_equal(product->outcome, FILE_OUTCOME_PRODUCT);
    assert_non_null(damage_of(&ruling, "/srv/data/HOW_TO_DECRYPT.txt"));
    assert_int_equal(ruling.damage_count, 22); /* every removed file, also those after the ruling */
    assert_int_equal(damage_of(&ruling, "/srv/data/1")->outcome, FILE_OUTCOME_DELETED);
    assert_int_equal(damage_of(&ruling, "/srv/data/1")->file_now.ino, 0);
    world_done(&world);
    arena_free(arena);
}

/* A false alarm: the program goes on and is not stopped again; others still are. */
static void test_forgive(void **state)
{
    uint64_t victims[VICTIMS];

    (void)state;
    world_init(&world);
    play_named("in-place")->play(&world);
    assert_true(judge_is_stopped(world.judge, (struct actor_key){60, 60}));
    judge_forgive(world.judge, (struct actor_key){60, 60});
    assert_false(judge_is_stopped(world.judge, (struct actor_key){60, 60}));
    assert_int_equal(judge_excess(world.judge, (struct actor_key){60, 60}), 0);
    make_victims(&world, victims, VICTIMS);
    for (int i = 0; i < VICTIMS; i++) {
        assert_true(world_rewrite(&world, 60, victims[i], NATURE_CIPHER));
    }
    make_victims(&world, victims, VICTIMS);
    world.rulings = 0;
    world_actor(&world, 61, SHELL, SHELL, 1000, 9);
    for (int i = 0; i < VICTIMS && world_rewrite(&world, 61, victims[i], NATURE_CIPHER); i++) {
    }
    assert_true(world.rulings != 0);
    world_done(&world);
}

/* The same file is a victim again once it was restored and somebody else comes. */
static void test_second_attack(void **state)
{
    uint64_t victims[VICTIMS];

    (void)state;
    world_init(&world);
    start(&world, victims);
    for (int i = 0; i < VICTIMS && world_rewrite(&world, 60, victims[i], NATURE_CIPHER); i++) {
    }
    assert_true(world.rulings != 0);
    world_exit(&world, 60);
    for (int i = 0; i < VICTIMS; i++) {
        world.files[victims[i]].now = NATURE_TEXT;
    }
    world.rulings = 0;
    world_actor(&world, 70, SHELL, SHELL, 1000, 6);
    for (int i = 0; i < VICTIMS && world_rewrite(&world, 70, victims[i], NATURE_CIPHER); i++) {
    }
    assert_true(world.rulings != 0);
    world_done(&world);
}

/* A data base keeps hundreds of files open: asked about once, they hold nobody up. */
static void test_long_open(void **state)
{
    uint64_t victims[VICTIMS];

    (void)state;
    world_init(&world);
    start(&world, victims);
    for (int i = 0; i < VICTIMS; i++) {
        struct judge_step step = {.kind = JUDGE_STEP_WRITE,
                                  .who = {60, 60},
                                  .file = {1, victims[i]},
                                  .version = (uint64_t)i + 1,
                                  .size = SIZE};

        world.versions[i + 1] = world.files[victims[i]].now;
        world.version_sizes[i + 1] = world.files[victims[i]].size;
        assert_true(world_gate(&world, 60));
        world_feed(&world, &step);
    }
    assert_true(world_gate(&world, 60));
    /* Then three of them are changed without another open, as through a mapping. */
    for (int i = 10; i < 13; i++) {
        world.files[victims[i]].now = NATURE_CIPHER;
    }
    for (int i = 0; i < 8 && world.rulings == 0; i++) {
        world_tick(&world);
    }
    assert_int_equal(world.rulings, 1);
    world_done(&world);
}

static int replay(void *context)
{
    struct str trace = *(const struct str *)context;
    struct judge *judge = NULL;
    struct arena *arena = NULL;
    struct str line;
    bool is_ruling = false;
    int r = judge_new(&judge_limits_default, &judge);

    if (r == 0) {
        r = arena_new(1 << 20, &arena);
    }
    while (r == 0 && str_cut(&trace, '\n', &line)) {
        struct trace_step step = {0};

        if (line.len == 0) {
            continue;
        }
        arena_reset(arena);
        r = trace_read(line, arena, &step, NULL);
        if (r == 0) {
            r = judge_step(judge, &step.step, &is_ruling);
        }
        if (r == 0 && is_ruling) {
            struct judge_ruling ruling;

            r = judge_ruling(judge, arena, &ruling);
        }
    }
    judge_free(judge);
    arena_free(arena);
    return r;
}

/* Out of memory at any place: an error, no leak, no broken list. */
static void test_no_memory(void **state)
{
    struct str trace;

    (void)state;
    world_init(&world);
    play_named("7z-sdel")->play(&world);
    trace = buf_str(&world.trace);
    assert_survives_no_memory(replay, &trace);
    world_done(&world);
}

/* What was recorded gives the same rulings when it is replayed. */
static void test_replay(void **state)
{
    (void)state;
    for (size_t i = 0; i < play_count; i++) {
        struct judge *judge;
        struct arena *arena;
        struct str trace;
        struct str line;
        unsigned rulings = 0;

        world_init(&world);
        plays[i].play(&world);
        trace = buf_str(&world.trace);
        assert_int_equal(judge_new(&judge_limits_default, &judge), 0);
        assert_int_equal(arena_new(1 << 20, &arena), 0);
        while (str_cut(&trace, '\n', &line) && line.len != 0) {
            struct trace_step step = {0};
            bool is_ruling;

            arena_reset(arena);
            assert_int_equal(trace_read(line, arena, &step, NULL), 0);
            assert_int_equal(judge_step(judge, &step.step, &is_ruling), 0);
            rulings += is_ruling;
        }
        assert_int_equal(rulings, world.rulings);
        arena_free(arena);
        judge_free(judge);
        world_done(&world);
    }
}

static bool is_armed(int pid)
{
    return judge_is_armed(world.judge, (struct actor_key){pid, (uint64_t)pid}, world.time);
}

/* Who took a name from a file that lives on, and nothing else, is of the group that is ruled
 * against, though it has ended: rm in a loop takes one name a process. */
static void test_taker_of_a_name(void **state)
{
    struct judge_step step = {
        .kind = JUDGE_STEP_UNLINK, .who = {105, 105}, .file = {1, 9}, .path = STR("/data/link")};
    uint64_t victims[VICTIMS];

    (void)state;
    world_init(&world);
    start(&world, victims);
    world_actor(&world, 105, 60, 60, 1000, 9);
    world_feed(&world, &step);
    world_exit(&world, 105);
    for (int i = 0; i < VICTIMS && world.rulings == 0; i++) {
        (void)world_rewrite(&world, 60, victims[i], NATURE_CIPHER);
    }
    assert_int_equal(world.rulings, 1);
    assert_true(judge_is_stopped(world.judge, (struct actor_key){105, 105}));
    assert_false(judge_is_stopped(world.judge, (struct actor_key){SHELL, SHELL}));
    for (int pid = 1000; pid < 1600; pid++) { /* each one more: the oldest are let go */
        world_actor(&world, pid, 60, 60, 1000, 9);
        step.who = (struct actor_key){pid, (uint64_t)pid};
        world_feed(&world, &step);
        world_exit(&world, pid);
    }
    assert_false(judge_is_stopped(world.judge, (struct actor_key){105, 105}));
    assert_true(judge_is_stopped(world.judge, (struct actor_key){1599, 1599}));
    world_done(&world);
}

/* Ciphertext alone holds nobody, nor do reads alone; both do, for whoever is of the group, for a
 * while. */
static void test_armed(void **state)
{
    uint64_t victims[VICTIMS];

    (void)state;
    world_init(&world);
    start(&world, victims);
    (void)world_make(&world, 60, NATURE_CONTAINER, SIZE, "/data/first.gpg");
    world_tick(&world);
    assert_false(is_armed(60));
    for (int i = 0; i < 3; i++) {
        (void)world_read(&world, 60, victims[i]);
    }
    (void)world_make(&world, 60, NATURE_ARCHIVE, SIZE, "/data/all.zip");
    world_tick(&world);
    assert_false(is_armed(60));
    (void)world_make(&world, 60, NATURE_CONTAINER, SIZE, "/data/all.gpg");
    world_tick(&world);
    assert_true(is_armed(60) && is_armed(SHELL));
    world_actor(&world, 61, SHELL, SHELL, 1000, 9);
    assert_true(is_armed(61)); /* the rm that follows */
    world_actor(&world, 80, 40, 80, 1001, 9);
    assert_false(is_armed(80)); /* somebody else's rm */
    world.time += 3600LL * 1000000000;
    assert_false(is_armed(60));
    world_done(&world);
}

/* Of many new files the first few are looked at, then fewer and fewer: a build is not slowed. */
static void test_new_files_of_a_reader(void **state)
{
    uint64_t victims[VICTIMS];
    unsigned asked = 0;

    (void)state;
    world_init(&world);
    start(&world, victims);
    for (int i = 0; i < 3; i++) {
        (void)world_read(&world, 60, victims[i]);
    }
    world.is_late = true;
    for (int i = 0; i < 100; i++) {
        uint64_t ino = world_make(&world, 60, NATURE_TEXT, SIZE, "/data/unit.o");

        asked += judge_has_question(world.judge, (struct file_key){1, ino}) ? 1U : 0U;
        world_tick(&world);
    }
    assert_int_equal(asked, 7);
    world_done(&world);
}

/* The last file of a stopped program: it was whole when it was looked at, and a few bytes of it are
 * not any more. Nobody would call that encryption, but it is put back with the others. */
static void test_last_write_of_a_stopped_group(void **state)
{
    uint64_t victims[VICTIMS];
    struct judge_ruling ruling;
    struct arena *arena;
    struct judge_step open = {
        .kind = JUDGE_STEP_WRITE, .who = {60, 60}, .size = SIZE, .path = STR("/srv/data/last")};

    (void)state;
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    world_init(&world);
    start(&world, victims);
    open.file = (struct file_key){1, victims[7]};
    open.version = world.next_version++;
    world.versions[open.version] = world.files[victims[7]].now;
    world.version_sizes[open.version] = SIZE;
    world_feed(&world, &open);
    world_tick(&world);
    assert_false(judge_has_question(world.judge, open.file));
    judge_ask_stopped(world.judge, open.who);
    assert_false(judge_has_question(world.judge, open.file)); /* nobody was ruled against */
    for (int i = 0; i < 4; i++) {
        (void)world_rewrite(&world, 60, victims[i], NATURE_CIPHER);
    }
    assert_int_equal(world.rulings, 1);
    world.files[victims[7]].size += 5;
    judge_ask_stopped(world.judge, open.who);
    assert_true(judge_has_question(world.judge, open.file));
    world_tick(&world);
    assert_int_equal(judge_ruling(world.judge, arena, &ruling), 0);
    assert_non_null(damage_of(&ruling, "/srv/data/last"));
    assert_int_equal(damage_of(&ruling, "/srv/data/last")->outcome, FILE_OUTCOME_OVERWRITTEN);
    world_done(&world);
    arena_free(arena);
}

/* An archive is random before and after: without the scanner nobody can tell. It was let pass, its
 * writer is gone and its file closed; when its group is stopped for other files it comes back with
 * them. */
static void test_unasked_before_a_ruling(void **state)
{
    uint64_t victims[VICTIMS];
    struct judge_ruling ruling;
    struct arena *arena;
    struct file_key archive = {.dev = 1};
    bool is_named = false;

    (void)state;
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    world_init(&world);
    start(&world, victims);
    archive.ino = world_old_file(&world, NATURE_ARCHIVE, SIZE);
    world_actor(&world, 61, 60, 1, 1000, 9);
    world.is_scanner_dead = true;
    assert_true(world_read(&world, 61, archive.ino));
    assert_true(world_rewrite(&world, 61, archive.ino, NATURE_CIPHER));
    world_exit(&world, 61);
    for (int i = 0; i < 6; i++) {
        world_tick(&world);
    }
    assert_false(judge_has_question(world.judge, archive));
    assert_int_equal(world.rulings, 0);
    world.is_scanner_dead = false;
    for (int i = 0; i < 6 && world.rulings == 0; i++) {
        (void)world_rewrite(&world, 60, victims[i], NATURE_CIPHER);
    }
    assert_int_equal(world.rulings, 1);
    world.is_scanner_dead = true;
    judge_ask_stopped(world.judge, (struct actor_key){60, 60});
    assert_true(judge_has_question(world.judge, archive));
    world_tick(&world);
    assert_int_equal(judge_ruling(world.judge, arena, &ruling), 0);
    for (size_t i = 0; i < ruling.damage_count && !is_named; i++) {
        is_named = ruling.damage[i].file_now.ino == archive.ino;
    }
    assert_true(is_named);
    world_done(&world);
    arena_free(arena);
}

/* A file made while the scanner is silent is in nobody's doubt: whoever changes it next finds an
 * original of his own to destroy, which comes back, and its maker has no part in that. */
static void test_unasked_and_made(void **state)
{
    uint64_t victims[VICTIMS];
    struct judge_ruling ruling;
    struct arena *arena;
    struct file_key made = {.dev = 1};

    (void)state;
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    world_init(&world);
    start(&world, victims);
    world_actor(&world, 62, SHELL, SHELL, 1000, 9);
    world.is_scanner_dead = true;
    for (int i = 0; i < 8; i++) { /* who makes so much after much reading is looked at */
        (void)world_read(&world, 62, victims[i]);
        made.ino = world_make(&world, 62, NATURE_ARCHIVE, SIZE, "/srv/data/made.zip");
    }
    for (int i = 0; i < 6; i++) {
        world_tick(&world);
    }
    world.is_scanner_dead = false;
    assert_true(world_rewrite(&world, 60, made.ino, NATURE_CIPHER));
    for (int i = 0; i < 6 && world.rulings == 0; i++) {
        (void)world_rewrite(&world, 60, victims[i], NATURE_CIPHER);
    }
    assert_int_equal(world.rulings, 1);
    assert_int_equal(judge_ruling(world.judge, arena, &ruling), 0);
    assert_false(group_has(&ruling, 62));
    for (size_t i = 0; i < ruling.damage_count; i++) {
        assert_true(ruling.damage[i].version != 0);
    }
    world_done(&world);
    arena_free(arena);
}

/* Nobody was stopped, but the scanner speaks again: the doubt ends with its word. */
static void test_unasked_is_asked_again(void **state)
{
    uint64_t victims[VICTIMS];
    struct file_key archive = {.dev = 1};

    (void)state;
    world_init(&world);
    start(&world, victims);
    archive.ino = world_old_file(&world, NATURE_ARCHIVE, SIZE);
    world.is_scanner_dead = true;
    assert_true(world_rewrite(&world, 60, archive.ino, NATURE_CIPHER));
    for (int i = 0; i < 6; i++) {
        world_tick(&world);
    }
    world.is_scanner_dead = false;
    for (int i = 0; i < 3; i++) {
        world.time += 10LL * 1000000000;
        world_tick(&world);
    }
    for (int i = 0; i < 6 && world.rulings == 0; i++) {
        (void)world_rewrite(&world, 60, victims[i], NATURE_CIPHER);
    }
    assert_int_equal(world.rulings, 1);
    assert_int_equal(world.touched_at_ruling, 3); /* the archive is one of them */
    world_done(&world);
}

/* What a stopped program had just begun, or finished and not yet put in the original's place, is
 * put aside with the rest. What it had made before it began, and what is no ciphertext, stays. */
static void test_half_made_by_a_stopped_group(void **state)
{
    uint64_t victims[VICTIMS];
    struct judge_ruling ruling;
    struct arena *arena;

    (void)state;
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    world_init(&world);
    start(&world, victims);
    assert_int_not_equal(world_make(&world, 60, NATURE_EMPTY, 0, "/data/before"), 0);
    (void)world_rewrite(&world, 60, victims[0], NATURE_CIPHER);
    world_tick(&world);
    (void)world_rewrite(&world, 60, victims[1], NATURE_CIPHER);
    assert_int_not_equal(world_make(&world, 60, NATURE_EMPTY, 0, "/data/begun.enc"), 0);
    assert_int_not_equal(world_make(&world, 60, NATURE_CIPHER, SIZE, "/data/done.enc"), 0);
    assert_int_not_equal(world_make(&world, 60, NATURE_TEXT, SIZE, "/data/log"), 0);
    for (int i = 2; i < 6 && world.rulings == 0; i++) {
        (void)world_rewrite(&world, 60, victims[i], NATURE_CIPHER);
    }
    assert_int_equal(world.rulings, 1);
    judge_ask_stopped(world.judge, (struct actor_key){60, 60});
    world_tick(&world);
    assert_int_equal(judge_ruling(world.judge, arena, &ruling), 0);
    assert_non_null(damage_of(&ruling, "/data/begun.enc"));
    assert_int_equal(damage_of(&ruling, "/data/begun.enc")->outcome, FILE_OUTCOME_PRODUCT);
    assert_non_null(damage_of(&ruling, "/data/done.enc"));
    assert_null(damage_of(&ruling, "/data/before"));
    assert_null(damage_of(&ruling, "/data/log"));
    world_done(&world);
    arena_free(arena);
}

/* Two groups are stopped, and both destroy one more file: neither is forgotten over the other. */
static void test_two_rulings_grow_by_turns(void **state)
{
    static const struct actor_key groups[] = {{60, 60}, {70, 70}};
    struct judge_ruling ruling;
    struct arena *arena;
    unsigned told = 0;

    (void)state;
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    world_init(&world);
    for (unsigned who = 0; who < 2; who++) {
        world_actor(&world, groups[who].pid, SHELL, groups[who].pid, 1000 + who, 8 + who);
        for (int i = 0; i < VICTIMS && world.rulings == who; i++) {
            uint64_t victim = world_old_file(&world, NATURE_TEXT, SIZE);

            (void)world_rewrite(&world, groups[who].pid, victim, NATURE_CIPHER);
        }
        assert_int_equal(world.rulings, who + 1);
        assert_int_equal(judge_ruling(world.judge, arena, &ruling), 0);
        assert_int_equal(ruling.root.pid, groups[who].pid);
    }
    assert_false(judge_announce_news(world.judge));
    assert_true(judge_announce(world.judge, groups[0]) && judge_announce(world.judge, groups[1]));
    for (; judge_announce_news(world.judge) && told < 2; told++) {
        assert_int_equal(judge_ruling(world.judge, arena, &ruling), 0);
        assert_int_equal(ruling.root.pid, groups[told].pid);
    }
    assert_int_equal(told, 2);
    assert_false(judge_announce_news(world.judge));
    assert_false(judge_announce(world.judge, (struct actor_key){SHELL, SHELL}));
    world_done(&world);
    arena_free(arena);
}

/* One half of a program opens, the other writes and is ruled against first. What is still laid to
 * the half that opened, too little for a ruling of its own, comes back too. */
static void test_late_file_of_the_half_above(void **state)
{
    uint64_t victims[VICTIMS];
    struct judge_ruling ruling;
    struct arena *arena;
    size_t count;

    (void)state;
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    world_init(&world);
    start(&world, victims);
    world_actor(&world, 61, 60, SHELL, 1000, 6);
    for (int i = 1; i < VICTIMS && world.rulings == 0; i++) {
        (void)world_rewrite(&world, 61, victims[i], NATURE_CIPHER);
    }
    assert_int_equal(judge_ruling(world.judge, arena, &ruling), 0);
    assert_int_equal(ruling.root.pid, 61);
    count = ruling.damage_count;
    (void)world_rewrite(&world, 60, victims[0], NATURE_CIPHER);
    world_tick(&world);
    assert_true(judge_announce_news(world.judge));
    assert_int_equal(judge_ruling(world.judge, arena, &ruling), 0);
    assert_int_equal(ruling.damage_count, count + 1);
    assert_false(
        judge_is_stopped(world.judge, (struct actor_key){60, 60})); /* one file is little */
    assert_false(judge_is_stopped(world.judge, (struct actor_key){SHELL, SHELL}));
    world_done(&world);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plays),
        cmocka_unit_test(test_group),
        cmocka_unit_test(test_split_team),
        cmocka_unit_test(test_forgive),
        cmocka_unit_test(test_second_attack),
        cmocka_unit_test(test_long_open),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_replay),
        cmocka_unit_test(test_taker_of_a_name),
        cmocka_unit_test(test_armed),
        cmocka_unit_test(test_new_files_of_a_reader),
        cmocka_unit_test(test_last_write_of_a_stopped_group),
        cmocka_unit_test(test_unasked_before_a_ruling),
        cmocka_unit_test(test_unasked_and_made),
        cmocka_unit_test(test_unasked_is_asked_again),
        cmocka_unit_test(test_half_made_by_a_stopped_group),
        cmocka_unit_test(test_two_rulings_grow_by_turns),
        cmocka_unit_test(test_late_file_of_the_half_above),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
