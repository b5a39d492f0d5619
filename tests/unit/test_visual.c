/* What pages look like: pictures out and in as PNG, base64 around them, and two looks at one page
 * apart from another page. */
#include "prop.h"

#include "codec/base64.h"
#include "codec/png.h"
#include "detect/deface/visual.h"

#include <string.h>

#define WIDTH  640
#define HEIGHT 450

/* ---- base64 */

static void test_base64(void **state)
{
    static const char *const pairs[][2] = {{"", ""},        {"f", "Zg=="},          {"fo", "Zm8="},
                                           {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}, {"đ", "xJE="}};
    static const char *const wrong[] = {"Z",    "Zg",   "Zg=", "Zg==Zg==", "Zm9v\n",
                                        "Zh==", "Zm9=", "=",   "====",     "Zm-_"};
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        buf_reset(&out);
        base64_encode(str_from(pairs[i][0]), &out);
        assert_str(buf_str(&out), pairs[i][1]);
        buf_reset(&out);
        assert_int_equal(base64_decode(str_from(pairs[i][1]), &out), 0);
        assert_str(buf_str(&out), pairs[i][0]);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        buf_reset(&out);
        assert_int_equal(base64_decode(str_from(wrong[i]), &out), -ERR_SYNTAX);
    }
    buf_done(&out);
}

static const char *base64_round_trip(struct prop *prop)
{
    struct str bytes = prop_bytes(prop, 5000);
    const char *broke = NULL;
    struct buf text;
    struct buf back;

    buf_init(&text, 1 << 20);
    buf_init(&back, 1 << 20);
    base64_encode(bytes, &text);
    if (base64_decode(buf_str(&text), &back) < 0 || !str_is(buf_str(&back), bytes)) {
        broke = "bytes came back changed";
    }
    buf_done(&text);
    buf_done(&back);
    return broke;
}

static void test_base64_round_trip(void **state)
{
    (void)state;
    prop_check("base64 round trips", base64_round_trip, 200);
}

/* ---- pictures */

static uint8_t rgb[WIDTH * HEIGHT * 3];

static void paint(uint32_t left, uint32_t top, uint32_t width, uint32_t height, uint32_t colour)
{
    for (uint32_t y = top; y < top + height && y < HEIGHT; y++) {
        for (uint32_t x = left; x < left + width && x < WIDTH; x++) {
            uint8_t *pixel = rgb + (y * WIDTH + x) * 3;

            pixel[0] = (uint8_t)(colour >> 16);
            pixel[1] = (uint8_t)(colour >> 8);
            pixel[2] = (uint8_t)colour;
        }
    }
}

/* A portal: a red head, a row of news, lines of text that differ by the seed. */
static struct visual portal(unsigned seed, uint32_t banner)
{
    struct visual visual;

    paint(0, 0, WIDTH, HEIGHT, 0xffffff);
    paint(0, 0, WIDTH, 60, 0xb01010);
    paint(20, 80, 280, 60, banner);
    for (uint32_t line = 0; line < 24; line++) {
        paint(20, 160 + 11 * line, 200 + (line * 37 + seed * 53) % 180, 5, 0x303030);
        paint(430, 100 + 13 * line, 150, 6, 0x6080a0);
    }
    visual_of(rgb, WIDTH, HEIGHT, &visual);
    return visual;
}

static struct visual boast(void)
{
    struct visual visual;

    paint(0, 0, WIDTH, HEIGHT, 0x000000);
    paint(170, 120, 300, 140, 0x00ff00);
    paint(200, 320, 240, 20, 0xff0000);
    visual_of(rgb, WIDTH, HEIGHT, &visual);
    return visual;
}

static void test_visual(void **state)
{
    struct visual usual = portal(1, 0x2060c0);
    struct visual other_news = portal(9, 0xd0a020);
    struct visual defaced = boast();
    struct visual_distance near = visual_compare(&usual, &other_news);
    struct visual_distance far = visual_compare(&usual, &defaced);
    struct visual_distance none = visual_compare(&usual, &usual);

    (void)state;
    assert_true(none.hash == 0 && none.fields == 0 && none.dark == 0);
    assert_true(visual_score(&none) == 0);
    assert_true(near.hash < far.hash && near.fields < far.fields);
    assert_true(visual_score(&near) == 0);
    assert_true(visual_score(&far) > 2);
    assert_true(defaced.dark > 150);
    visual_of(NULL, 0, 0, &usual);
    assert_int_equal(usual.hash, 0);
}

static void test_visual_wire(void **state)
{
    struct visual visual = portal(2, 0x123456);
    struct visual back = {0};
    struct buf buf;

    (void)state;
    buf_init(&buf, 1000);
    visual_encode(&visual, &buf);
    assert_int_equal(visual_decode(buf_str(&buf), &back), 0);
    assert_int_equal(back.hash, visual.hash);
    assert_memory_equal(back.fields, visual.fields, VISUAL_FIELDS);
    assert_int_equal(back.dark, visual.dark);
    assert_int_equal(visual_decode(str_slice(buf_str(&buf), 1, buf.len), &back), -ERR_SYNTAX);
    buf_done(&buf);
}

static void test_png(void **state)
{
    struct picture picture = {.width = WIDTH, .height = HEIGHT, .rgb = rgb};
    struct picture back = {0};
    struct picture small = {0};
    struct buf png;

    (void)state;
    (void)portal(3, 0x2060c0);
    buf_init(&png, 4 << 20);
    assert_int_equal(picture_encode_png(&picture, &png), 0);
    assert_int_equal(picture_decode_png(buf_str(&png), (uint64_t)WIDTH * HEIGHT, &back), 0);
    assert_int_equal(back.width, WIDTH);
    assert_memory_equal(back.rgb, rgb, sizeof(rgb));
    assert_int_equal(picture_shrink(&back, 320, &small), 0);
    assert_int_equal(small.width, 320);
    assert_int_equal(small.height, HEIGHT / 2);
    assert_int_equal(small.rgb[0], 0xb0);
    picture_done(&small);
    assert_int_equal(picture_shrink(&back, WIDTH, &small), 0);
    assert_memory_equal(small.rgb, rgb, sizeof(rgb));
    picture_done(&small);
    picture_done(&back);
    assert_int_equal(picture_decode_png(buf_str(&png), WIDTH * HEIGHT - 1, &back), -ERR_LIMIT);
    assert_int_equal(picture_decode_png(STR("no picture"), 100, &back), -ERR_SYNTAX);
    for (size_t cut = 0; cut < png.len; cut += 1 + png.len / 97) {
        assert_true(picture_decode_png(str_slice(buf_str(&png), 0, cut), 1 << 20, &back) < 0);
    }
    buf_done(&png);
}

/* ---- beside the other layers */

static enum site_verdict weigh(enum site_verdict verdict, const char *word, double weight,
                               double score)
{
    struct site_reason reason = {.what = str_from(word), .score = weight};
    struct site_check check = {
        .verdict = verdict, .reasons = &reason, .reason_count = 1, .layers = 1U << SITE_LAYER_SAME};
    struct arena *arena = NULL;
    enum site_verdict weighed;

    assert_int_equal(arena_new(1 << 16, &arena), 0);
    assert_int_equal(visual_weigh(score, arena, &check), 0);
    weighed = check.verdict;
    assert_int_equal((check.layers & 1U << SITE_LAYER_VISUAL) != 0, check.reason_count == 2);
    if (check.reason_count == 2) {
        assert_str(check.reasons[0].what, "picture");
        assert_str(check.reasons[1].what, word);
    }
    arena_free(arena);
    return weighed;
}

/* A picture by itself is odd, whatever it shows; red takes another layer that shows intent. */
static void test_weigh(void **state)
{
    (void)state;
    assert_int_equal(weigh(SITE_VERDICT_OK, "certificate", 1, 4), SITE_VERDICT_YELLOW);
    assert_int_equal(weigh(SITE_VERDICT_OK, "certificate", 1, 1), SITE_VERDICT_OK);
    assert_int_equal(weigh(SITE_VERDICT_UNKNOWN, "unreachable", 1, 4), SITE_VERDICT_UNKNOWN);
    assert_int_equal(weigh(SITE_VERDICT_YELLOW, "page-replaced", 7.5, 4), SITE_VERDICT_YELLOW);
    assert_int_equal(weigh(SITE_VERDICT_YELLOW, "boast_page", 2, 4), SITE_VERDICT_YELLOW);
    assert_int_equal(weigh(SITE_VERDICT_YELLOW, "boast_page", 6, 4), SITE_VERDICT_RED);
    assert_int_equal(weigh(SITE_VERDICT_RED, "boast_page", 6, 4), SITE_VERDICT_RED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weigh),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_base64_round_trip),
        cmocka_unit_test(test_visual),
        cmocka_unit_test(test_visual_wire),
        cmocka_unit_test(test_png),
    };

    return cmocka_run_group_tests_name("visual", tests, NULL, NULL);
}
