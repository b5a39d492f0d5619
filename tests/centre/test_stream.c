/* The live stream: changes arrive, a browser that was away misses nothing, one that was away for
 * too long loads anew, one that is logged out hears nothing more. */
#include "../harness.h"
#include "rig.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "sys/fd.h"

static struct rig rig;
static struct id host;

static int start(void **state)
{
    (void)state;
    rig_start(&rig);
    host = rig_add_host(&rig, "kt-pc07", 7);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

static int open_stream(const char *cookie, const char *more, struct buf *buf)
{
    int fd = rig_browser(&rig, "198.51.100.7");
    char request[512];

    (void)snprintf(request, sizeof(request),
                   "GET /api/v1/events/stream HTTP/1.1\r\nHost: h\r\n%s%s\r\n", cookie, more);
    rig_send(fd, request, strlen(request));
    buf_init(buf, 4U << 20);
    rig_wait_text(&rig, fd, buf, "event: hello");
    return fd;
}

/* Live, cut, away, back: nothing is missed and nothing comes twice. */
static void test_stream(void **state)
{
    char cookie[256];
    char more[64];
    struct buf buf;
    struct buf again;
    CLEANUP(closep) int fd = -1;
    CLEANUP(closep) int back = -1;
    struct str rest;
    uint64_t cursor;
    struct str line;
    struct answer answer;

    (void)state;
    rig_login(&rig, "viewer", cookie);
    fd = open_stream(cookie, "", &buf);
    (void)rig_add_alert(&rig, &host, "First of the stream", SEVERITY_HIGH);
    rig_wait_text(&rig, fd, &buf, "First of the stream");
    rest = buf_str(&buf);
    rest = str_slice(rest, str_find(rest, STR("event: alert")) - 32, rest.len);
    rest = str_slice(rest, str_find(rest, STR("id: ")) + 4, rest.len);
    assert_true(str_cut(&rest, '\n', &line));
    assert_int_equal(str_to_u64(line, &cursor), 0);
    closep(&fd);
    (void)rig_add_alert(&rig, &host, "Second while away", SEVERITY_HIGH);
    (void)rig_add_alert(&rig, &host, "Third while away", SEVERITY_HIGH);
    (void)snprintf(more, sizeof(more), "Last-Event-ID: %llu\r\n", (unsigned long long)cursor);
    back = open_stream(cookie, more, &again);
    rig_wait_text(&rig, back, &again, "Third while away");
    assert_true(str_find(buf_str(&again), STR("Second while away")) <
                str_find(buf_str(&again), STR("Third while away")));
    assert_int_equal(str_find(buf_str(&again), STR("First of the stream")), again.len);
    (void)rig_add_alert(&rig, &host, "Fourth, live again", SEVERITY_HIGH);
    rig_wait_text(&rig, back, &again, "Fourth, live again");
    rig_http(&rig, "POST", "/api/v1/logout", cookie, NULL, &answer); /* hears nothing more */
    assert_int_equal(answer.status, 204);
    answer_done(&answer);
    rig_wait_text(&rig, back, &again, "\r\n0\r\n");
    closep(&back);
    buf_done(&buf);
    buf_done(&again);
}

/* Hundreds of changes in one go, more than one page and more than one buffer. */
static void test_storm(void **state)
{
    char cookie[256];
    struct buf buf;
    CLEANUP(closep) int fd = -1;
    const struct str name = STR("\"topic\":\"Storm ");
    size_t seen = 0;
    struct str rest;

    (void)state;
    rig_login(&rig, "viewer", cookie);
    fd = open_stream(cookie, "", &buf);
    for (int i = 0; i < 700; i++) {
        char title[64];

        (void)snprintf(title, sizeof(title), "Storm %d.", i);
        (void)rig_add_alert(&rig, &host, title, SEVERITY_LOW);
    }
    rig_wait_text(&rig, fd, &buf, "Storm 699.");
    for (rest = buf_str(&buf); str_find(rest, name) != rest.len; seen++) {
        rest = str_slice(rest, str_find(rest, name) + name.len, rest.len);
    }
    assert_int_equal(seen, 700); /* each once */
    buf_done(&buf);
}

/* Whoever is thousands of changes behind is told to load anew, and hears what comes after. */
static void test_far_behind(void **state)
{
    char cookie[256];
    struct buf buf;
    CLEANUP(closep) int fd = -1;
    uint64_t number = rig_add_alert(&rig, &host, "Taken and given back", SEVERITY_LOW);

    (void)state;
    assert_int_equal(core_batch_begin(rig.core), 0);
    for (int i = 0; i < 5200; i++) {
        assert_int_equal(store_alert_move(rig.store, number,
                                          i % 2 == 0 ? ALERT_STATE_TAKEN : ALERT_STATE_NEW,
                                          STR("duty"), STR("")),
                         0);
    }
    assert_int_equal(core_batch_commit(rig.core), 0);
    core_tell(rig.core, CENTRE_CHANGED_ALERTS);
    rig_login(&rig, "viewer", cookie);
    fd = open_stream(cookie, "Last-Event-ID: 1\r\n", &buf);
    rig_wait_text(&rig, fd, &buf, "event: reset");
    (void)rig_add_alert(&rig, &host, "After the reset", SEVERITY_LOW);
    rig_wait_text(&rig, fd, &buf, "After the reset");
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_storm),
        cmocka_unit_test(test_far_behind),
    };

    return cmocka_run_group_tests_name("stream", tests, start, stop);
}
