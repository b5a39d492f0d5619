/* Process events on their way to the centre: what a record says, who is passed over, and the bound.
 */
#include "harness.h"

#include "agent/process_feed.h"

#include <stdio.h>

#define BUSY_PID 100
#define OWN_PID  77

struct heard {
    size_t starts;
    size_t ends;
    size_t losses;
    int64_t lost;
    char line[2048]; /* the last event as JSON */
};

static int64_t now_ns(void *context)
{
    return *(const int64_t *)context;
}

static void on_record(void *context, const struct record *record)
{
    struct heard *heard = context;
    const struct event_field *lost = event_find(&record->event, EVENT_FIELD_EVENT_COUNT_LOST);
    struct buf buf;
    struct json_writer json;

    assert_int_equal(record->kind, RECORD_KIND_EVENT);
    heard->starts += record->event.kind == EVENT_KIND_PROCESS_START ? 1 : 0;
    heard->ends += record->event.kind == EVENT_KIND_PROCESS_END ? 1 : 0;
    heard->losses += lost != NULL ? 1 : 0;
    heard->lost += lost != NULL ? lost->number : 0;
    buf_init(&buf, sizeof(heard->line));
    json_begin(&json, &buf);
    event_write_json(&record->event, &json);
    assert_int_equal(buf_error(&buf), 0);
    (void)snprintf(heard->line, sizeof(heard->line), "%.*s", STR_ARG(buf_str(&buf)));
    buf_done(&buf);
}

struct stage {
    int64_t now;
    struct clock clock;
    struct page *page;
    struct process_feed *feed;
    struct heard heard;
};

static int set_up(void **state)
{
    struct stage *stage = mem_alloc(1, sizeof(*stage));
    struct process_feed_config config = {.record = on_record};

    assert_non_null(stage);
    stage->now = 1000 * NS_PER_S;
    stage->clock = (struct clock){now_ns, now_ns, &stage->now};
    stage->page = page_new();
    assert_non_null(stage->page);
    atomic_store(&stage->page->own[0], OWN_PID);
    config.page = stage->page;
    config.clock = &stage->clock;
    config.context = &stage->heard;
    assert_int_equal(process_feed_new(&config, &stage->feed), 0);
    *state = stage;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;

    process_feed_free(stage->feed);
    page_free(stage->page);
    mem_free(stage);
    return 0;
}

static void put_start(struct stage *stage, int32_t pid, int32_t ppid, const char *exe,
                      const char *arguments)
{
    const struct procwatch_event event = {.kind = PROCWATCH_START,
                                          .pid = pid,
                                          .ppid = ppid,
                                          .time = 1700000000 * NS_PER_S,
                                          .executable = str_from(exe),
                                          .arguments = str_from(arguments)};

    process_feed_put(stage->feed, &event);
}

static void put_end(struct stage *stage, int32_t pid, int32_t exit_status)
{
    const struct procwatch_event event = {.kind = PROCWATCH_END,
                                          .pid = pid,
                                          .time = 1700000001 * NS_PER_S,
                                          .exit_status = exit_status,
                                          .executable = STR(""),
                                          .arguments = STR("")};

    process_feed_put(stage->feed, &event);
}

static void assert_says(const struct heard *heard, const char *part)
{
    struct str line = str_from(heard->line);

    if (str_find(line, str_from(part)) == line.len) {
        fail_msg("'%s' does not say '%s'", heard->line, part);
    }
}

static void test_a_start_says_who_and_from_where(void **state)
{
    struct stage *stage = *state;

    put_start(stage, BUSY_PID, 0, "/bin/bash", "bash");
    put_start(stage, BUSY_PID + 1, BUSY_PID, "/usr/bin/vssadmin", "vssadmin xóa bản-sao");
    process_feed_send(stage->feed);
    assert_int_equal(stage->heard.starts, 2);
    assert_says(&stage->heard, "\"event.action\":\"process_start\"");
    assert_says(&stage->heard, "\"process.pid\":101");
    assert_says(&stage->heard, "\"process.executable\":\"/usr/bin/vssadmin\"");
    assert_says(&stage->heard, "\"process.command_line\":\"vssadmin xóa bản-sao\"");
    assert_says(&stage->heard, "\"process.parent.pid\":100");
    assert_says(&stage->heard, "\"process.parent.executable\":\"/bin/bash\"");
    assert_says(&stage->heard, "\"user.id\":0");
    assert_says(&stage->heard, "\"user.name\":\"root\"");
}

static void test_an_end_says_what_ended_and_how(void **state)
{
    struct stage *stage = *state;

    put_start(stage, BUSY_PID, 0, "/bin/true", "true");
    put_end(stage, BUSY_PID, 3 << 8);
    process_feed_send(stage->feed);
    assert_says(&stage->heard, "\"process.executable\":\"/bin/true\"");
    assert_says(&stage->heard, "\"process.exit_code\":3");
    put_start(stage, BUSY_PID, 0, "/bin/true", "true");
    put_end(stage, BUSY_PID, 9);
    process_feed_send(stage->feed);
    assert_says(&stage->heard, "\"process.exit_code\":137");
    assert_int_equal(stage->heard.ends, 2);
}

/* A subshell ends without having started a program; what is ours is nobody's business. */
static void test_who_is_passed_over(void **state)
{
    const struct procwatch_event fork = {.kind = PROCWATCH_FORK, .pid = 5, .ppid = 4};
    struct stage *stage = *state;

    process_feed_put(stage->feed, &fork);
    put_end(stage, 5, 0);
    put_start(stage, OWN_PID, 1, "/usr/bin/canhgac", "canhgac agent");
    put_end(stage, OWN_PID, 0);
    process_feed_send(stage->feed);
    assert_int_equal(stage->heard.starts + stage->heard.ends + stage->heard.losses, 0);
}

static void test_a_flood_is_cut_counted_and_told_once(void **state)
{
    enum { FLOOD = PROCESS_FEED_RATE + 500 };
    struct stage *stage = *state;

    for (int i = 0; i < FLOOD; i++) {
        put_start(stage, 1000 + i, 0, "/bin/true", "true");
    }
    process_feed_send(stage->feed);
    assert_int_equal(stage->heard.starts, PROCESS_FEED_RATE);
    assert_int_equal(process_feed_dropped(stage->feed), 500);
    assert_int_equal(stage->heard.losses, 1);
    assert_int_equal(stage->heard.lost, 500);
    stage->now += NS_PER_S;
    put_start(stage, BUSY_PID, 0, "/bin/true", "true");
    process_feed_send(stage->feed);
    assert_int_equal(stage->heard.starts, PROCESS_FEED_RATE + 1);
    assert_int_equal(stage->heard.losses, 1);
}

/* Nobody empties the queue: it stays bounded, and what did not fit is counted. */
static void test_a_queue_that_is_full_counts(void **state)
{
    enum { MANY = 40000 };
    struct stage *stage = *state;

    for (int i = 0; i < MANY; i++) {
        put_start(stage, BUSY_PID, 0, "/usr/bin/a-program-with-a-long-path",
                  "and arguments that take some room as well");
    }
    process_feed_send(stage->feed);
    assert_int_equal(stage->heard.starts, PROCESS_FEED_RATE);
    assert_int_equal(process_feed_dropped(stage->feed), MANY - PROCESS_FEED_RATE);
}

static void test_an_end_whose_start_was_cut_is_not_told(void **state)
{
    struct stage *stage = *state;

    for (unsigned i = 0; i < PROCESS_FEED_RATE; i++) {
        put_start(stage, 1000, 0, "/bin/true", "true");
    }
    put_start(stage, BUSY_PID, 0, "/bin/true", "true");
    process_feed_send(stage->feed);
    stage->now += NS_PER_S;
    put_end(stage, BUSY_PID, 0);
    process_feed_send(stage->feed);
    assert_int_equal(stage->heard.ends, 0);
}

#define FEED_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FEED_TEST(test_a_start_says_who_and_from_where),
        FEED_TEST(test_an_end_says_what_ended_and_how),
        FEED_TEST(test_who_is_passed_over),
        FEED_TEST(test_a_flood_is_cut_counted_and_told_once),
        FEED_TEST(test_a_queue_that_is_full_counts),
        FEED_TEST(test_an_end_whose_start_was_cut_is_not_told),
    };

    return cmocka_run_group_tests_name("process_feed", tests, NULL, NULL);
}
