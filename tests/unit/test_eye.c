/* What `canhgac watch --visual` makes of pictures: what is learned, when an odd one counts, and
 * that it is kept over runs. */
#include "harness.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "centre/render.h"
#include "cli/watch/eye.h"
#include "detect/deface/visual.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIDE 64
#define NOON (1800000000LL * NS_PER_S)

static const char *const urls[] = {"https://tinh.gov.vn/"};

struct bench {
    struct arena *arena;
    char folder[64];
    struct watch_keep keep;
    struct watch_eye *eye;
};

static int bench_open(void **state)
{
    static struct bench bench;
    struct diag diag = {0};

    (void)snprintf(bench.folder, sizeof(bench.folder), "/tmp/canhgac-eye-XXXXXX");
    assert_non_null(mkdtemp(bench.folder));
    assert_int_equal(arena_new(1 << 20, &bench.arena), 0);
    assert_int_equal(watch_keep_open(&bench.keep, bench.folder, &diag), 0);
    *state = &bench;
    return 0;
}

static int bench_close(void **state)
{
    struct bench *bench = *state;
    char command[128];

    watch_eye_free(bench->eye);
    bench->eye = NULL;
    watch_keep_close(&bench->keep);
    arena_free(bench->arena);
    (void)snprintf(command, sizeof(command), "rm -r %s", bench->folder);
    return system(command);
}

/* As another run of the program would begin. */
static void eye_open(struct bench *bench, bool is_hasty)
{
    watch_eye_free(bench->eye);
    assert_int_equal(watch_eye_new(&bench->keep, urls, 1, is_hasty, &bench->eye), 0);
}

static enum site_verdict eye_look(struct bench *bench, enum site_verdict verdict)
{
    struct site_check check = {.site = 1,
                               .url = STR("https://tinh.gov.vn/"),
                               .url_final = STR("https://tinh.gov.vn/"),
                               .page = SITE_PAGE_LISTED,
                               .view = SITE_VIEW_DESKTOP,
                               .time = NOON,
                               .verdict = verdict,
                               .status = 200};

    arena_reset(bench->arena);
    assert_int_equal(watch_eye_weigh(bench->eye, 0, bench->arena, &check), 0);
    return check.verdict;
}

/* A page that is bright but for a stripe, or dark but for a square. */
static enum watch_eye_word eye_see(struct bench *bench, bool is_good, int64_t time,
                                   struct site_check *check)
{
    static uint8_t rgb[SIDE * SIDE * 3];
    struct visual visual;
    struct buf buf;
    enum watch_eye_word word;

    for (size_t i = 0; i < SIDE * SIDE; i++) {
        bool is_inside = is_good ? i / SIDE < 8 : i / SIDE > 30 && i % SIDE > 20 && i % SIDE < 40;

        memset(rgb + i * 3, is_inside == is_good ? 40 : 235, 3);
    }
    visual_of(rgb, SIDE, SIDE, &visual);
    buf_init(&buf, RENDER_VISUAL_SIZE);
    visual_encode(&visual, &buf);
    assert_int_equal(watch_eye_take(bench->eye, 0,
                                    &(struct fetch_picture){.site = 1,
                                                            .url = STR("https://tinh.gov.vn/"),
                                                            .view = SITE_VIEW_DESKTOP,
                                                            .time = time,
                                                            .visual = buf_str(&buf)},
                                    bench->arena, &word, check),
                     0);
    buf_done(&buf);
    return word;
}

static void learn(struct bench *bench)
{
    struct site_check check;

    assert_int_equal(eye_look(bench, SITE_VERDICT_OK), SITE_VERDICT_OK);
    assert_int_equal(eye_see(bench, true, NOON, &check), WATCH_EYE_SAME);
}

static void test_odd_counts_when_seen_twice(void **state)
{
    struct bench *bench = *state;
    struct site_check check = {0};

    eye_open(bench, false);
    learn(bench);
    assert_int_equal(eye_see(bench, false, NOON, &check), WATCH_EYE_DOUBT);
    assert_int_equal(eye_look(bench, SITE_VERDICT_OK), SITE_VERDICT_OK);
    assert_int_equal(eye_see(bench, false, NOON, &check), WATCH_EYE_ODD);
    assert_int_equal(check.verdict, SITE_VERDICT_YELLOW);
    assert_true(str_is_text(check.reasons[0].what, "picture"));
    assert_int_equal(eye_look(bench, SITE_VERDICT_OK), SITE_VERDICT_YELLOW);
    assert_int_equal(eye_see(bench, false, NOON, &check), WATCH_EYE_KNOWN);
    assert_int_equal(eye_see(bench, true, NOON, &check), WATCH_EYE_SAME);
    assert_int_equal(eye_look(bench, SITE_VERDICT_OK), SITE_VERDICT_OK);
}

static void test_odd_counts_at_once_in_haste_and_beside_suspicion(void **state)
{
    struct bench *bench = *state;
    struct site_check check = {0};

    eye_open(bench, true);
    learn(bench);
    assert_int_equal(eye_see(bench, false, NOON, &check), WATCH_EYE_ODD);
    eye_open(bench, false);
    learn(bench);
    assert_int_equal(eye_look(bench, SITE_VERDICT_YELLOW), SITE_VERDICT_YELLOW);
    assert_int_equal(eye_see(bench, false, NOON, &check), WATCH_EYE_ODD);
}

static void test_what_was_learned_outlives_the_run(void **state)
{
    struct bench *bench = *state;
    struct site_check check = {0};

    eye_open(bench, true);
    learn(bench);
    eye_open(bench, true);
    assert_int_equal(eye_look(bench, SITE_VERDICT_OK), SITE_VERDICT_OK);
    assert_int_equal(eye_see(bench, false, NOON, &check), WATCH_EYE_ODD);
    assert_int_equal(eye_see(bench, false, NOON + 8 * 86400 * NS_PER_S, &check), WATCH_EYE_SAME);
    eye_open(bench, true);
    assert_int_equal(eye_look(bench, SITE_VERDICT_OK), SITE_VERDICT_OK);
    assert_int_equal(eye_see(bench, false, NOON, &check), WATCH_EYE_SAME);
}

/* Nothing is learned from a page that is suspicious, and a damaged file is as none. */
static void test_what_is_not_learned(void **state)
{
    struct bench *bench = *state;
    struct site_check check = {0};
    int fd = open(bench->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    eye_open(bench, true);
    assert_int_equal(eye_look(bench, SITE_VERDICT_YELLOW), SITE_VERDICT_YELLOW);
    assert_int_equal(eye_see(bench, false, NOON, &check), WATCH_EYE_SAME);
    learn(bench);
    assert_int_equal(write(fd, "\x84\x81\x41x", 4), 4);
    assert_int_equal(watch_keep_put(&bench->keep, str_from(urls[0]), STR("picture"), fd), 0);
    assert_int_equal(close(fd), 0);
    eye_open(bench, true);
    assert_int_equal(eye_look(bench, SITE_VERDICT_OK), SITE_VERDICT_OK);
    assert_int_equal(eye_see(bench, false, NOON, &check), WATCH_EYE_SAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_odd_counts_when_seen_twice, bench_open, bench_close),
        cmocka_unit_test_setup_teardown(test_odd_counts_at_once_in_haste_and_beside_suspicion,
                                        bench_open, bench_close),
        cmocka_unit_test_setup_teardown(test_what_was_learned_outlives_the_run, bench_open,
                                        bench_close),
        cmocka_unit_test_setup_teardown(test_what_is_not_learned, bench_open, bench_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
