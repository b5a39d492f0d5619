/* Pages pictured by a real browser: what is given is painted, what is not is not fetched, and a
 * page that never comes to rest does not hold anybody up. */
#include "browser_place.h"

#include "base/time.h"
#include "centre/browser.h"
#include "codec/png.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHOT_NS (12 * NS_PER_S)

static struct browser *browser;

static int begin(void **state)
{
    struct browser_options options = {.program = BROWSER_PROGRAM};

    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    return has_browser_place() ? browser_start(&options, &browser, NULL) : 0;
}

static int end(void **state)
{
    (void)state;
    browser_stop(browser);
    return 0;
}

static int give(void *context, struct str url, struct buf *body, char *type, size_t type_size)
{
    unsigned *asked = context;

    (*asked)++;
    if (!str_is_text(url, "https://xa.example.vn/portal.css")) {
        return -ERR_NOENT;
    }
    (void)snprintf(type, type_size, "text/css");
    return buf_put_text(body, "body{margin:0;background:#00ff00} h1{visibility:hidden}");
}

static void shoot(const char *html, browser_give_fn *fn, unsigned *asked, struct picture *picture)
{
    struct browser_page page = {.url = STR("https://xa.example.vn/"),
                                .body = str_from(html),
                                .type = STR("text/html; charset=utf-8"),
                                .width = 320,
                                .height = 200,
                                .give = fn,
                                .context = asked};
    struct buf png;

    if (browser == NULL) {
        skip();
    }
    buf_init(&png, BROWSER_PNG_MAX);
    assert_int_equal(browser_shoot(browser, &page, SHOT_NS, &png), 0);
    assert_int_equal(picture_decode_png(buf_str(&png), 1 << 20, picture), 0);
    assert_int_equal(picture->width, 320);
    assert_int_equal(picture->height, 200);
    buf_done(&png);
}

static uint32_t colour_at(const struct picture *picture, uint32_t x, uint32_t y)
{
    const uint8_t *pixel = picture->rgb + ((size_t)y * picture->width + x) * 3;

    return (uint32_t)pixel[0] << 16 | (uint32_t)pixel[1] << 8 | pixel[2];
}

static void test_paints(void **state)
{
    struct picture picture;
    unsigned asked = 0;

    (void)state;
    shoot("<body style='margin:0;background:#c00000'><p "
          "style='background:#000;height:50px;margin:0'>",
          NULL, &asked, &picture);
    assert_int_equal(colour_at(&picture, 5, 5), 0x000000);
    assert_int_equal(colour_at(&picture, 300, 190), 0xc00000);
    picture_done(&picture);
}

static void test_resources(void **state)
{
    struct picture picture;
    unsigned asked = 0;

    (void)state;
    shoot("<link rel=stylesheet href=/portal.css><h1>Cổng thông tin</h1>"
          "<script src=https://elsewhere.example/x.js></script><img src=/no.png hidden>"
          "<iframe src=https://frame.example/ hidden></iframe>",
          give, &asked, &picture);
    assert_int_equal(colour_at(&picture, 5, 5), 0x00ff00);
    assert_in_range(asked, 2, 4);
    picture_done(&picture);
}

/* Leaving, dialogs, work without end: the picture is taken all the same. */
static void test_restless(void **state)
{
    struct picture picture;
    unsigned asked = 0;

    (void)state;
    shoot("<body style='background:#0000c0'><script>setInterval(()=>{document.body.append('x')},1);"
          "location='https://gambling.example/';window.open('https://other.example/')</script>",
          give, &asked, &picture);
    assert_int_equal(colour_at(&picture, 310, 150), 0x0000c0);
    picture_done(&picture);
}

static void test_many(void **state)
{
    char html[128];

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        struct picture picture;
        unsigned asked = 0;

        (void)snprintf(html, sizeof(html), "<body style='background:rgb(%u,0,0)'>", 50 * i);
        shoot(html, give, &asked, &picture);
        assert_int_equal(colour_at(&picture, 200, 100), 50 * i << 16);
        picture_done(&picture);
    }
}

static void test_not_there(void **state)
{
    struct browser_options options = {.program = "/nowhere/chromium"};
    struct browser *none = NULL;
    struct diag diag = {0};

    (void)state;
    assert_int_equal(browser_start(&options, &none, &diag), -ERR_NOENT);
    assert_non_null(strstr(diag.text, "/nowhere/chromium"));
}

/* A browser that ends, or was none, is told from one that is slow. */
static void test_no_browser(void **state)
{
    struct browser_options options = {.program = "/bin/true"};
    struct browser_page page = {.url = STR("https://xa.example.vn/"), .width = 10, .height = 10};
    struct browser *none = NULL;
    struct buf png;

    (void)state;
    buf_init(&png, 1000);
    assert_int_equal(browser_start(&options, &none, NULL), 0);
    assert_int_equal(browser_shoot(none, &page, SHOT_NS, &png), -ERR_PIPE);
    browser_stop(none);
    buf_done(&png);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paints),    cmocka_unit_test(test_resources),
        cmocka_unit_test(test_restless),  cmocka_unit_test(test_many),
        cmocka_unit_test(test_not_there), cmocka_unit_test(test_no_browser),
    };

    return cmocka_run_group_tests_name("browser", tests, begin, end);
}
