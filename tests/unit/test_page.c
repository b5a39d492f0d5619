/* What a page says: hiding in each of its ways, links by every spelling of a host, forms, scripts,
 * and bytes that were made to break a reader. Portals as they are in Vietnam are quoted in small.
 */
#include "harness.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/prng.h"
#include "detect/deface/page.h"
#include "detect/deface/page_sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;

static struct page read_with(struct page_options options, struct str body)
{
    struct page page;

    options.url = STR("https://www.tinh.gov.vn/tin/bai-1.aspx");
    arena_reset(arena);
    assert_int_equal(page_read(&options, body, arena, &page), 0);
    return page;
}

static struct page read_page(const char *html)
{
    return read_with((struct page_options){0}, str_from(html));
}

static const struct page_block *block_of(const struct page *page, const char *text)
{
    for (size_t i = 0; i < page->block_count; i++) {
        if (str_is_text(page->blocks[i].text, text)) {
            return &page->blocks[i];
        }
    }
    fail_msg("no block '%s'", text);
    return NULL;
}

static void assert_blocks(const char *html, const char *blocks)
{
    struct page page = read_page(html);
    struct buf out;

    buf_init(&out, 1 << 16);
    for (size_t i = 0; i < page.block_count; i++) {
        buf_putf(&out, "%s%.*s", i != 0 ? "|" : "", STR_ARG(page.blocks[i].text));
    }
    assert_str(buf_str(&out), blocks);
    buf_done(&out);
}

static void test_blocks(void **state)
{
    (void)state;
    assert_blocks("<p>Một <b>hai</b>\n ba<p>bốn<br>năm", "Một hai ba|bốn|năm");
    assert_blocks("a&nbsp;&#160; b\xe3\x80\x80"
                  "c",
                  "a b c");
    assert_blocks("<ul><li>a<li>b</ul>c", "a|b|c");
    assert_blocks("<table><tr><td>a<td>b<tr><td>c</table>", "a|b|c");
    assert_blocks("<script>x</script>a<style>y</style> b<!-- c -->d", "a bd");
    assert_blocks("Ủy  ban\xc2\xa0xã\xe2\x80\x89y\xcc\x89 ban\xcc\x81 \xcc\x81 \xe1\xba ạ\xe1",
                  "Ủy ban xã ỷ ba\xc5\x84 \xcc\x81 \xef\xbf\xbd\xef\xbf\xbd ạ\xef\xbf\xbd");
    assert_blocks("Đ\xc3\xa2\xcc\x81t e\xcc\xa3\xcc\x82 a&#769;", "Đất ệ á");
    assert_blocks("<meta charset=utf-8>a\xff\xfe"
                  "b",
                  "a\xef\xbf\xbd\xef\xbf\xbd"
                  "b");
    assert_blocks("<textarea>a &amp; <b></textarea><title>t</title>", "a & <b>");
    assert_blocks("<svg><title>x</title></svg><iframe>no</iframe>y", "y");
    assert_blocks("x&ampy&lt", "x&y<");
}

static void test_hash_is_of_what_is_read(void **state)
{
    uint64_t hash = read_page("<p>T&#7881;nh  <i>Đồng</i> Nai</p>").blocks[0].hash;

    (void)state;
    assert_true(hash ==
                read_page("<div>Ti\xcc\x89nh\n\xc4\x90\xc3\xb4\xcc\x80ng&nbsp;Nai").blocks[0].hash);
    assert_true(hash != read_page("<p>Tỉnh Đồng Nay</p>").blocks[0].hash);
}

static void test_hiding(void **state)
{
    static const struct {
        const char *html; /* hides "kín" */
        uint32_t hiding;
    } rows[] = {
        {"<div style='display:none'>kín</div>", PAGE_HIDING_DISPLAY},
        {"<div style='DISPLAY : NONE !important'><p><b>kín", PAGE_HIDING_DISPLAY},
        {"<div style='dis\\70lay:/**/none'>kín</div>", PAGE_HIDING_DISPLAY},
        {"<div style='color:red;visibility:hidden'>kín</div>", PAGE_HIDING_DISPLAY},
        {"<p hidden>kín</p>", PAGE_HIDING_DISPLAY},
        {"<template>kín</template>", PAGE_HIDING_DISPLAY},
        {"<dialog>kín</dialog>", PAGE_HIDING_DISPLAY},
        {"<div style='position:absolute;left:-9999px'>kín</div>", PAGE_HIDING_PLACE},
        {"<div style='position:fixed;top:-2000em'>kín</div>", PAGE_HIDING_PLACE},
        {"<div style='text-indent:-9999px'>kín</div>", PAGE_HIDING_PLACE},
        {"<div style='margin:0 0 0 -5000px'>kín</div>", PAGE_HIDING_PLACE},
        {"<div style='position:absolute;clip:rect(0,0,0,0)'>kín</div>", PAGE_HIDING_PLACE},
        {"<div style='transform:scale(0)'>kín</div>", PAGE_HIDING_PLACE},
        {"<div style='font-size:0'>kín</div>", PAGE_HIDING_SIZE},
        {"<div style='font-size:1px'><a>kín", PAGE_HIDING_SIZE},
        {"<div style='width:1px;height:0'>kín</div>", PAGE_HIDING_SIZE},
        {"<body bgcolor=white><font color='#FFFFFF'>kín</font>", PAGE_HIDING_COLOUR},
        {"<div style='color:#fff'>kín</div>", PAGE_HIDING_COLOUR},
        {"<div style='background:#123456'><p style='color:rgb(18,52,86)'>kín", PAGE_HIDING_COLOUR},
        {"<div style='opacity:0'>kín</div>", PAGE_HIDING_COLOUR},
        {"<div style='color:transparent'>kín</div>", PAGE_HIDING_COLOUR},
        {"<noscript>kín</noscript>", PAGE_HIDING_NOSCRIPT},
        {"<div style='height:0;overflow:hidden'>kín</div>", PAGE_HIDING_OVERFLOW},
        {"<marquee width=1 height=1>kín</marquee>", PAGE_HIDING_OVERFLOW},
        {"<style>.a{display:none}</style><p class='b a'>kín</p>",
         PAGE_HIDING_DISPLAY | PAGE_HIDING_SHEET},
        {"<style>#q .a{position:absolute} .a{left:-999em}</style><div id=q><p class=a>kín</div>",
         PAGE_HIDING_PLACE | PAGE_HIDING_SHEET},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct page page = read_page(rows[i].html);
        const struct page_block *block = block_of(&page, "kín");

        if (block->hiding != rows[i].hiding) {
            fail_msg("%s: %#x", rows[i].html, block->hiding);
        }
        assert_int_equal(page.word_count, 0);
        assert_int_equal(page.hidden_word_count, 1);
    }
}

static void test_shown(void **state)
{
    static const char *const rows[] = {
        "<div style='display:none'>x</div>hở",
        "<p style='display:none'>x<p>hở",
        "<ul style='font-size:0'><li style='font-size:14px'>hở",
        "<div style='color:#fff;background:#000'>hở",
        "<div style='background:url(a.png)'><p style='color:white'>hở",
        "<style>.w{color:#fff}</style><p class=w>hở",
        "<style>@media print{.a{display:none}} @media (max-width:9px){.a{display:none}}</style>"
        "<p class=a>hở",
        "<style>.a:hover,.b>.a{display:none}</style><p class=a>hở",
        "<style>.a{display:none}.a{display:block}</style><p class=a>hở",
        "<style>.a{display:none}</style><p class=a style='display:block'>hở",
        "<style>.no-js .a{display:none}</style><p class=a>hở",
        "<dialog open>hở",
        "<div style='margin:-20px;left:-5px;text-indent:-1em;width:1px'>hở",
        "<table style='display:none'><tr><td>x</div></table>hở",
        "<div style='background:url(data:image/png;base64,display:none;)'>hở",
        "<li hidden>x<li>hở",
        "<option hidden>x<option>hở",
        "<table><tr hidden><td>x<tr><td>hở",
        "<b hidden>x</b>hở",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct page page = read_page(rows[i]);

        if (block_of(&page, "hở")->hiding != 0) {
            fail_msg("%s: %#x", rows[i], block_of(&page, "hở")->hiding);
        }
    }
}

static void test_hiding_parts_a_block(void **state)
{
    struct page page = read_page("<p>Tin <span style='display:none'>kubet</span> mới</p>");

    (void)state;
    assert_int_equal(page.block_count, 3);
    assert_int_equal(block_of(&page, "kubet")->hiding, PAGE_HIDING_DISPLAY);
    assert_int_equal(page.word_count, 2);
}

struct given_sheet {
    const char *url;
    const char *text;
    const char *base; /* of the last that was asked for */
};

static bool find_given(void *context, struct str url, struct str base, struct str *ret_sheet)
{
    struct given_sheet *given = context;

    given->base = base.len != 0 ? "given" : "";
    *ret_sheet = str_from(given->text);
    return str_is_text(url, given->url);
}

static uint32_t hiding_with_sheet(const char *html)
{
    struct given_sheet given = {"/a.css?v=2", ".kin{left:-9999px;position:absolute}", ""};
    const struct page_sheets sheets = {&given, find_given};
    struct page page = read_with((struct page_options){.sheets = &sheets}, str_from(html));

    assert_int_equal(page.block_count, 1);
    return page.blocks[0].hiding;
}

static void test_linked_sheets(void **state)
{
#define KIN "<div class='kin'>x</div>"
    static const char *const shown[] = {
        KIN "<link rel=stylesheet href=/a.css?v=2>", /* too late for what stands before it */
        "<link rel=stylesheet href=/b.css>" KIN,
        "<link rel=stylesheet href=/a.css?v=2 media=print>" KIN,
        "<link rel='alternate stylesheet' href=/a.css?v=2>" KIN,
        "<link rel=stylesheet href=/a.css?v=2 disabled>" KIN,
        "<link rel=preload as=style href=/a.css?v=2>" KIN,
        "<noscript><link rel=stylesheet href=/a.css?v=2></noscript>" KIN,
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        if (hiding_with_sheet(shown[i]) != 0) {
            fail_msg("%s", shown[i]);
        }
    }
    assert_int_equal(hiding_with_sheet("<link rel=stylesheet href='/a.css?v=2'>" KIN),
                     PAGE_HIDING_PLACE | PAGE_HIDING_SHEET);
    assert_int_equal(hiding_with_sheet("<link rel=stylesheet media='screen' href=/a.css?v=2>" KIN),
                     PAGE_HIDING_PLACE | PAGE_HIDING_SHEET);
#undef KIN
}

static const char *distilled(const char *sheet, size_t limit)
{
    static struct buf buf;

    buf_done(&buf);
    buf_init(&buf, limit);
    assert_int_equal(page_sheet_distil(str_from(sheet), &buf), 0);
    return buf.len != 0 ? buf.ptr : "";
}

static void test_distilled_sheets(void **state)
{
    (void)state;
    assert_string_equal(distilled("a{margin:0;font-size:12px}", 999), "");
    assert_string_equal(distilled("@media print{.a{display:none}}", 999), "");
    assert_string_equal(distilled(".a:hover,[x]{display:none}", 999), "");
    assert_string_equal(distilled("/* menu */ .a , .b:hover,\n.c > .d{display : none;width:20%}"
                                  ".e{display:block;content:'}'}p{margin:1em}",
                                  999),
                        ".a,.c > .d{display:none;}.e{display:block;}");
    assert_string_equal(distilled("@media screen{.a{height:0}} .a{overflow:hidden}", 999),
                        ".a{height:0;}.a{overflow:hidden;}");
    assert_string_equal(distilled(".a{display:none}.long{display:none}.b{display:none}", 36),
                        ".a{display:none;}.b{display:none;}");
}

static void test_hosts(void **state)
{
    static const struct {
        const char *url;
        const char *host;
    } rows[] = {
        {"/tin/2.aspx", ""},
        {"?a=//x.com", ""},
        {"#", ""},
        {"", ""},
        {"mailto:a@kubet.net", ""},
        {"javascript:location='//kubet.net'", ""},
        {"https://www.tinh.gov.vn/a", ""},
        {"http://tinh.gov.vn:8080", ""},
        {"http://tinh.gov.vn.kubet.net/", "tinh.gov.vn.kubet.net"},
        {"HTTPS://KuBet.Net", "kubet.net"},
        {"//kubet.net/x", "kubet.net"},
        {"\\\\kubet.net\\x", "kubet.net"},
        {"https:kubet.net", "kubet.net"},
        {"https:/\\/kubet.net", "kubet.net"},
        {" \n https://ku\tbet.net", "kubet.net"},
        {"ht\ntps://kubet.net", "kubet.net"},
        {"https://tinh.gov.vn@kubet.net:443/", "kubet.net"},
        {"https://tinh.gov.vn:x@kubet.net.", "kubet.net"},
        {"https://%6bubet%2enet/", "kubet.net"},
        {"https://ｋｕＢｅｔ。ｎｅｔ/", "kubet.net"},
        {"https://ku&#98;et.net", "kubet.net"},
        {"https://ku\xe2\x80\x8b"
         "bet.net",
         "kubet.net"},
        {"https://nhàcái.net/", "nhàcái.net"},
        {"https://[::1]:80/", "[::1]"},
        {"ftp://kubet.net?x", "kubet.net"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char html[512];
        struct page page;

        (void)snprintf(html, sizeof(html), "<a href=\"%s\">x</a>", rows[i].url);
        page = read_page(html);
        assert_int_equal(page.link_count, 1);
        assert_str(page.links[0].host, rows[i].host);
    }
}

static void test_links(void **state)
{
    struct page page = read_page(
        "<link rel='shortcut icon' href=i><link rel=stylesheet href=s><link rel=canonical href=c>"
        "<meta property=og:url content=o><meta http-equiv=Refresh content=\"0;URL='//a.net/'\">"
        "<a href=1>  Trang <b>chủ</b> </a><a name=x>y</a><iframe src=f width=0></iframe>"
        "<img src=p alt=' Ảnh  bìa '><script src=j></script><video src=v></video>"
        "<object data=d></object><form action=//b.net/><input type=Password></form>");
    static const enum page_link_kind kinds[] = {
        PAGE_LINK_IMAGE,   PAGE_LINK_STYLE,  PAGE_LINK_CANONICAL, PAGE_LINK_CANONICAL,
        PAGE_LINK_REFRESH, PAGE_LINK_ANCHOR, PAGE_LINK_FRAME,     PAGE_LINK_IMAGE,
        PAGE_LINK_SCRIPT,  PAGE_LINK_MEDIA,  PAGE_LINK_FRAME,     PAGE_LINK_FORM};

    (void)state;
    assert_int_equal(page.link_count, ARRAY_LEN(kinds));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        assert_int_equal(page.links[i].kind, kinds[i]);
    }
    assert_str(page.links[4].host, "a.net");
    assert_str(page.links[5].text, "Trang chủ");
    assert_int_equal(page.links[6].hiding, PAGE_HIDING_SIZE);
    assert_str(page.links[7].text, "Ảnh bìa");
    assert_str(page.links[11].host, "b.net");
    assert_true(page.links[11].has_password);
    assert_int_equal(page.password_count, 1);
    assert_int_equal(page.form_count, 1);
    assert_int_equal(page.image_count, 1);
}

static void test_base_moves_relative_links(void **state)
{
    struct page page = read_page("<base href=//b.net/><form action=/login><input type=password>");

    (void)state;
    assert_str(page.links[1].host, "b.net");
}

static void test_script_targets(void **state)
{
    static const struct {
        const char *script;
        const char *url;
    } rows[] = {
        {"location='//k.net'", "//k.net"},
        {"window.location.href = \"https:\\/\\/k.net\\/a\"", "https://k.net/a"},
        {"top.location.replace( `//k.net` )", "//k.net"},
        {"document.location . assign('//k.net')", "//k.net"},
        {"if(location=='//k.net')x", NULL},
        {"my_location='//k.net'", NULL},
        {"location.hash='//k.net'", NULL},
        {"location=u", NULL},
        {"location='", NULL},
        {"location", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char html[256];
        struct page page;

        (void)snprintf(html, sizeof(html), "<script>%s</script>", rows[i].script);
        page = read_page(html);
        assert_int_equal(page.link_count, rows[i].url != NULL);
        if (rows[i].url != NULL) {
            assert_int_equal(page.links[0].kind, PAGE_LINK_REFRESH);
            assert_str(page.links[0].url, rows[i].url);
        }
    }
    assert_int_equal(read_page("<img onerror=\"location='//k.net'\">").link_count, 1);
    assert_int_equal(read_page("<b onclick=\"location='//k.net'\">").link_count, 0);
}

static uint64_t script_hash_of(const char *script)
{
    char html[512];

    (void)snprintf(html, sizeof(html), "<script>%s</script>", script);
    return read_page(html).scripts[0].hash;
}

static void test_script_hash(void **state)
{
    uint64_t hash = script_hash_of("var nonce='9f8e7d6c', t=1764000000; go(nonce);");

    (void)state;
    assert_true(hash == script_hash_of("var nonce = 'a1b2c3d4',\n t = 1764000061;\tgo(nonce);"));
    assert_true(hash != script_hash_of("var nonce='9f8e7d6c', t=1764000000; send(nonce);"));
    assert_true(script_hash_of("ab") != script_hash_of("ba"));
    assert_true(read_page("<script type='application/ld+json'>{}</script>").scripts[0].is_data);
    assert_false(read_page("<script type=module>{}</script>").scripts[0].is_data);
}

/* A portal as ASP.NET makes it: the view state and the counter change, nothing else does. */
static struct page read_portal(const char *view_state, unsigned visitors)
{
    char html[2048];

    (void)snprintf(
        html, sizeof(html),
        "<!DOCTYPE html><html lang=\"vi-VN\"><head><title>\r\n\tCổng thông tin điện tử</title>"
        "<meta name=\"GENERATOR\" content=\"Microsoft SharePoint\" /></head><body>"
        "<form method=\"post\" action=\"./\" id=\"aspnetForm\"><div class=\"aspNetHidden\">"
        "<input type=\"hidden\" name=\"__VIEWSTATE\" value=\"%s\" /></div>"
        "<script type=\"text/javascript\">//<![CDATA[\nvar theForm=document.forms['aspnetForm'];"
        "var stamp=%u;//]]>\n</script><h1>UBND tỉnh</h1><p>Thông báo về việc nghỉ Tết</p>"
        "<p>Lượt truy cập: <span>%u</span></p></form></body></html>",
        view_state, visitors * 7, visitors);
    return read_page(html);
}

static void test_portal(void **state)
{
    struct page before = read_portal("/wEPDwUKLTI2NjY=", 123456);
    uint64_t structure = before.structure_simhash;
    uint64_t script = before.scripts[0].hash;
    uint64_t text = before.text_simhash;
    uint64_t hash = before.text_hash;
    struct page after = read_portal("/wEPDwULLTE5NTY3ODkzNg9kFgJmD2Q=", 123999);

    (void)state;
    assert_str(after.title, "Cổng thông tin điện tử");
    assert_str(after.language, "vi-VN");
    assert_str(after.generator, "Microsoft SharePoint");
    assert_true(after.structure_simhash == structure);
    assert_true(after.scripts[0].hash == script);
    assert_true(after.text_hash != hash);
    assert_true(__builtin_popcountll(after.text_simhash ^ text) < 20);
}

static void test_windows_1258(void **state)
{
    struct page page = read_page("<meta charset=windows-1258><title>T\xf4\xcc</title>"
                                 "<p>T\xf4\xe0 \xf0\xef \xd0\xf4\xcc"
                                 "ng</p>");

    (void)state;
    assert_str(page.title, "Tồ");
    assert_str(page.blocks[0].text, "Tôà đï Đồng");
    assert_true(page.source.ptr[page.blocks[0].offset] == 'T');
}

static void fill(struct buf *buf, const char *piece, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_put_text(buf, piece);
    }
    assert_int_equal(buf_error(buf), 0);
}

/* Each piece again and again, up to what a body may hold: limits hold and it ends soon. */
static void test_hostile(void **state)
{
    static const char *const pieces[] = {
        "<div>",
        "<b>",
        "</b>",
        "<a href=x>",
        "<p hidden>",
        "<",
        "<!--",
        "&",
        "&#",
        "&nGt;",
        "<script>",
        "<table><td>",
        "<li>x",
        "\xff",
        "e\xcc\x81",
        "<style>",
        "<a b='",
        "<x-y>x",
        "<form>",
        "<svg>",
        "location='",
        "<td></b>",
        "<style>a{b{c{",
        "<style>.a{width:0}</style>",
        "<b class='a b c d e f g h i j k l m n o p q r s t'>",
    };
    struct buf body;

    (void)state;
    buf_init(&body, PAGE_SIZE_MAX + 1024);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct page page;

        buf_reset(&body);
        fill(&body, pieces[i], (PAGE_SIZE_MAX / 4 + 512) / strlen(pieces[i]));
        page = read_with((struct page_options){0}, buf_str(&body));
        assert_true(page.block_count <= PAGE_BLOCKS_MAX && page.link_count <= PAGE_LINKS_MAX);
        assert_true(page.script_count <= PAGE_SCRIPTS_MAX);
    }
    buf_reset(&body);
    fill(&body, "x", PAGE_SIZE_MAX + 1);
    assert_true(read_with((struct page_options){0}, buf_str(&body)).is_cut);
    buf_done(&body);
}

static void test_lists_are_cut(void **state)
{
    struct buf body;
    struct page page;

    (void)state;
    buf_init(&body, 4 << 20);
    fill(&body, "<p>a<a href=x>b</a>", PAGE_LINKS_MAX + 10);
    page = read_with((struct page_options){0}, buf_str(&body));
    assert_true(page.is_cut);
    assert_int_equal(page.link_count, PAGE_LINKS_MAX);
    assert_int_equal(page.block_count, PAGE_BLOCKS_MAX);
    buf_done(&body);
}

static int read_once(void *context)
{
    const char *html =
        "<title>a</title><style>.a{display:none}</style><p class=a>x<a href=\"?a&amp;b\">y"
        "</a><img src=q alt=z><script>location='a\\/b'</script>";
    struct page_options options = {.url = STR("http://A.vn")};
    struct arena *own = NULL;
    struct page page;
    int r = arena_new(1 << 20, &own);

    (void)context;
    if (r == 0) {
        r = page_read(&options, str_from(html), own, &page);
    }
    arena_free(own);
    return r;
}

static void test_no_memory(void **state)
{
    struct page_options options = {0};
    struct arena *small = NULL;
    struct page page;

    (void)state;
    assert_survives_no_memory(read_once, NULL);
    assert_int_equal(arena_new(4096, &small), 0);
    assert_true(page_read(&options, STR("<p>x"), small, &page) < 0);
    arena_free(small);
}

static int set_up(void **state)
{
    (void)state;
    return arena_new(PAGE_ARENA_MAX, &arena);
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_hash_is_of_what_is_read),
        cmocka_unit_test(test_hiding),
        cmocka_unit_test(test_shown),
        cmocka_unit_test(test_hiding_parts_a_block),
        cmocka_unit_test(test_linked_sheets),
        cmocka_unit_test(test_distilled_sheets),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_base_moves_relative_links),
        cmocka_unit_test(test_script_targets),
        cmocka_unit_test(test_script_hash),
        cmocka_unit_test(test_portal),
        cmocka_unit_test(test_windows_1258),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_lists_are_cut),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
