/* A page's words from its blocks to the wire and back, within the limits. */
#include "harness.h"

#include "base/arena.h"
#include "detect/deface/passages.h"
#include "model/passage.h"

#include <string.h>

static struct arena *arena;

static void encode(const struct page *page, struct buf *buf)
{
    buf_init(buf, PASSAGES_SIZE_MAX);
    assert_int_equal(page_write_passages(page, arena, buf), 0);
}

static void test_round_trip(void **state)
{
    static const struct page_block blocks[] = {
        {.text = STR("Tin tức"), .offset = 120, .is_link = true},
        {.text = STR("nổ hũ"), .offset = 400, .hiding = PAGE_HIDING_DISPLAY},
    };
    const struct page page = {.title = STR("Cổng"), .blocks = blocks, .block_count = 2};
    struct passage *passages;
    struct buf buf;
    size_t count;

    (void)state;
    encode(&page, &buf);
    assert_int_equal(passages_decode(buf_str(&buf), arena, &passages, &count), 0);
    assert_int_equal(count, 3);
    assert_str(passages[0].text, "Cổng");
    assert_true(passages[1].is_link && passages[1].offset == 120);
    assert_int_equal(passages[2].hiding, PAGE_HIDING_DISPLAY);
    assert_int_equal(
        passages_decode(str_slice(buf_str(&buf), 0, buf.len - 1), arena, &passages, &count),
        -ERR_TRUNCATED);
    buf_done(&buf);
}

/* The largest page there is: fewer passages, none cut within a letter, and still readable. */
static void test_limits(void **state)
{
    static struct page_block blocks[PAGE_BLOCKS_MAX];
    static char text[PASSAGE_TEXT_MAX + 2];
    const struct page page = {.blocks = blocks, .block_count = PAGE_BLOCKS_MAX};
    struct passage *passages;
    struct buf buf;
    size_t count;

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text + PASSAGE_TEXT_MAX - 1, "\xc3\xa0", 2); /* à across the limit */
    for (size_t i = 0; i < PAGE_BLOCKS_MAX; i++) {
        blocks[i].text = str_of(text, sizeof(text));
    }
    encode(&page, &buf);
    assert_int_equal(passages_decode(buf_str(&buf), arena, &passages, &count), 0);
    assert_in_range(count, 900, PASSAGES_MAX);
    assert_int_equal(passages[0].text.len, PASSAGE_TEXT_MAX - 1);
    buf_done(&buf);
    for (size_t i = 0; i < PAGE_BLOCKS_MAX; i++) {
        blocks[i].text = STR("a");
    }
    encode(&page, &buf);
    assert_int_equal(passages_decode(buf_str(&buf), arena, &passages, &count), 0);
    assert_int_equal(count, PASSAGES_MAX - 1);
    buf_done(&buf);
}

static int start(void **state)
{
    (void)state;
    return arena_new(8U << 20, &arena);
}

static int stop(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip),
                                       cmocka_unit_test(test_limits)};

    return cmocka_run_group_tests_name("passage", tests, start, stop);
}
