/* The process that pictures pages, as fetch speaks to it: a page and what it is made of go in, what
 * it looks like comes out, and one that ends badly says so by ending. */
#include "browser_place.h"

#include "base/cleanup.h"
#include "base/time.h"
#include "centre/browser.h"
#include "centre/render.h"
#include "codec/cbor.h"
#include "codec/png.h"
#include "detect/deface/visual.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOME "http://xa.example.vn/"

static struct channel_packet packet;
static struct msg_writer msg;
static uint64_t last;
static int near = -1;
static int far = -1;
static pid_t pid;

static int body(void *context)
{
    const struct render_options options = {.program = context, .channel = far, .supervisor = -1};

    return render_run(&options);
}

static void start(const char *program)
{
    int pair[2];

    assert_int_equal(channel_pair(pair), 0);
    near = pair[0];
    far = pair[1];
    assert_int_equal(spawn_body("render", &far, 1, body, (void *)(uintptr_t)program, &pid), 0);
    closep(&far);
}

static int end(void)
{
    int status = 0;

    closep(&near);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void start_or_skip(void)
{
    if (!has_browser_place()) {
        skip();
    }
    start(BROWSER_PROGRAM);
    assert_int_equal(channel_receive(near, &packet), 0);
    assert_int_equal(packet.msg.type, RENDER_MESSAGE_READY);
    channel_packet_done(&packet);
}

static int memory(struct str bytes)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    assert_int_equal(fd_write_full(fd, bytes.ptr, bytes.len), 0);
    return fd;
}

static const char *charset = ""; /* of the Content-Type of what is sent */

static void send_page(struct str html, struct str given)
{
    int fds[2] = {memory(html), given.len != 0 ? memory(given) : -1};

    msg_begin(&msg, RENDER_MESSAGE_ASK);
    msg_put_u64(&msg, ++last);
    msg_put_str(&msg, STR(HOME));
    msg_put_str(&msg, str_from(charset));
    msg_put_u32(&msg, 0);
    msg_put_u32(&msg, given.len != 0 ? 1 : 0);
    assert_int_equal(channel_send(near, &msg, fds, given.len != 0 ? 2 : 1), 0);
    closep(&fds[0]);
    closep(&fds[1]);
}

/* Number of addresses that the page missed; the first is copied. */
static uint32_t take(struct visual *visual, struct picture *picture, char wanted[256])
{
    struct buf png;
    uint32_t count;

    assert_int_equal(channel_receive(near, &packet), 0);
    assert_int_equal(packet.msg.type, RENDER_MESSAGE_ANSWER);
    assert_int_equal(msg_get_u64(&packet.msg), last);
    assert_int_equal(visual_decode(msg_get_str(&packet.msg), visual), 0);
    count = msg_get_u32(&packet.msg);
    wanted[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        struct str url = msg_get_str(&packet.msg);

        if (i == 0) {
            (void)snprintf(wanted, 256, "%.*s", STR_ARG(url));
        }
    }
    assert_int_equal(msg_close(&packet.msg), 0);
    buf_init(&png, RENDER_PICTURE_MAX);
    assert_int_equal(lseek(packet.fds[0], 0, SEEK_SET), 0);
    assert_int_equal(fd_read_all(packet.fds[0], &png), 0);
    assert_int_equal(picture_decode_png(buf_str(&png), 1 << 20, picture), 0);
    buf_done(&png);
    channel_packet_done(&packet);
    return count;
}

static void test_missing_piece_comes(void **state)
{
    struct str html =
        STR("<body style='margin:0;background:#fff'><link rel=stylesheet href=/a.css>");
    struct visual bare;
    struct visual whole;
    struct visual_distance distance;
    struct picture picture;
    struct buf given;
    char wanted[256];

    (void)state;
    start_or_skip();
    send_page(html, STR(""));
    assert_int_equal(take(&bare, &picture, wanted), 1);
    assert_string_equal(wanted, HOME "a.css");
    assert_int_equal(picture.width, RENDER_SMALL);
    assert_int_equal(picture.rgb[0], 0xff);
    picture_done(&picture);

    buf_init(&given, 1 << 16);
    cbor_put_array(&given, 1);
    cbor_put_array(&given, 3);
    cbor_put_bytes(&given, STR(HOME "a.css"));
    cbor_put_bytes(&given, STR("text/css"));
    cbor_put_bytes(&given, STR("body{background:#000!important}"));
    send_page(html, buf_str(&given));
    assert_int_equal(take(&whole, &picture, wanted), 0);
    assert_int_equal(picture.rgb[0], 0);
    picture_done(&picture);
    buf_done(&given);
    distance = visual_compare(&bare, &whole);
    assert_true(visual_score(&distance) >= VISUAL_ODD);
    assert_int_equal(end(), 0);
}

/* A page is pictured in the charset that its answer named, as people's browsers show it. */
static void test_charset_of_the_answer(void **state)
{
    static const char *const charsets[] = {"windows-1258", "", "utf-8\r\nX: y"};
    struct visual visual;
    struct picture picture;
    char wanted[256];

    (void)state;
    start_or_skip();
    for (size_t i = 0; i < ARRAY_LEN(charsets); i++) {
        charset = charsets[i];
        send_page(STR("<meta charset=utf-8><body style='margin:0' title='\xf4'>"
                      "<style>[title='\\f4 ']{background:#000}</style>"),
                  STR(""));
        assert_int_equal(take(&visual, &picture, wanted), 0);
        assert_int_equal(picture.rgb[0], i == 0 ? 0 : 0xff); /* else what its <meta> says counts */
        picture_done(&picture);
    }
    charset = "";
    assert_int_equal(end(), 0);
}

/* What was asked wrongly, or is no page, ends it; who started it starts another. */
static void test_ends(void **state)
{
    (void)state;
    start_or_skip();
    msg_begin(&msg, RENDER_MESSAGE_ANSWER);
    assert_int_equal(channel_send(near, &msg, NULL, 0), 0);
    assert_int_equal(channel_receive(near, &packet), -ERR_PIPE);
    assert_int_not_equal(end(), 0);
    start("/nowhere/chromium");
    assert_int_equal(channel_receive(near, &packet), -ERR_PIPE);
    assert_int_not_equal(end(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing_piece_comes),
        cmocka_unit_test(test_charset_of_the_answer),
        cmocka_unit_test(test_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
