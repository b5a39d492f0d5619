/* The process that reads hostile pages: what it names of a site, and that it can do nothing else.
 */
#include "harness.h"

#include "base/arena.h"
#include "base/err.h"
#include "centre/reader/page.h"
#include "codec/cbor.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <zlib.h>

struct bench {
    struct arena *arena;
    struct deface_model *model;
};

static int bench_open(void **state)
{
    static struct bench bench;

    assert_int_equal(arena_new(256U << 20, &bench.arena), 0);
    assert_int_equal(deface_model_new(NULL, &bench.model), 0);
    *state = &bench;
    return 0;
}

static int bench_close(void **state)
{
    struct bench *bench = *state;

    deface_model_free(bench->model);
    arena_free(bench->arena);
    return 0;
}

static int body_of(struct str text)
{
    int fd = memfd_create("body", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_full(fd, text.ptr, text.len), 0);
    return fd;
}

static void look_make(struct bench *bench, struct reader_look *look, enum site_page page,
                      struct str body)
{
    arena_reset(bench->arena);
    reader_look_init(look, bench->model, bench->arena);
    look->check = (struct site_check){.site = 1,
                                      .url = STR("https://tinh.gov.vn/"),
                                      .url_final = STR("https://www.tinh.gov.vn/vi/"),
                                      .page = page,
                                      .time = 1800000000LL * 1000000000,
                                      .status = 200};
    look->flags = READER_FLAG_LINKS;
    look->body = body_of(body);
}

static bool has_link(const struct reader_look *look, enum reader_link kind, const char *url)
{
    for (size_t i = 0; i < look->links.count; i++) {
        if (look->links.items[i].kind == kind && str_is_text(look->links.items[i].url, url)) {
            return true;
        }
    }
    return false;
}

/* kept: of the reader's making, empty: none; address, text … of those that came. */
static int sheets_of(struct str kept, const char *const *given, size_t count)
{
    struct buf buf;
    int fd;

    buf_init(&buf, 1 << 20);
    cbor_put_array(&buf, 2);
    cbor_put_bytes(&buf, kept);
    cbor_put_array(&buf, count);
    for (size_t i = 0; i < count; i++) {
        cbor_put_bytes(&buf, str_from(given[i]));
    }
    fd = body_of(buf_str(&buf));
    buf_done(&buf);
    return fd;
}

static const char page_with_sheets[] =
    "<html><head><base href=/giao-dien/><link rel=stylesheet href=a.css>"
    "<link rel=stylesheet href=https://cdn.example/b.css><link rel=stylesheet "
    "href='//tinh.gov.vn/c.css'>"
    "</head><body><h1>Tin</h1><div class=kin>giấu</div></body></html>";

static void test_sheets_of_a_page(void **state)
{
    static const char *const given[] = {"https://www.tinh.gov.vn/giao-dien/a.css",
                                        ".kin{display:none;color:red}p{margin:0}",
                                        "https://tinh.gov.vn/c.css", ""};
    struct reader_look look;
    struct buf kept;

    look_make(*state, &look, SITE_PAGE_LISTED, str_from(page_with_sheets));
    assert_int_equal(reader_look_judge(&look), 0);
    assert_true(look.needs_sheets);
    assert_int_equal(look.page_out, -1);
    assert_int_equal(look.links.count, 2);
    assert_true(has_link(&look, READER_LINK_SHEET, given[0]));
    assert_true(has_link(&look, READER_LINK_SHEET, given[2]));
    reader_look_done(&look);

    look_make(*state, &look, SITE_PAGE_LISTED, str_from(page_with_sheets));
    look.sheets_in = sheets_of(STR(""), given, ARRAY_LEN(given));
    assert_int_equal(reader_look_judge(&look), 0);
    assert_false(look.needs_sheets);
    assert_true(look.page_out >= 0 && look.sheets_out >= 0);
    buf_init(&kept, READER_SHEETS_KEPT);
    assert_int_equal(lseek(look.sheets_out, 0, SEEK_SET), 0);
    assert_int_equal(fd_read_all(look.sheets_out, &kept), 0);
    assert_true(str_find(buf_str(&kept), STR(".kin{display:none;color:red;}")) < kept.len);
    assert_true(str_find(buf_str(&kept), STR("margin")) == kept.len);
    reader_look_done(&look);

    look_make(*state, &look, SITE_PAGE_LISTED, str_from(page_with_sheets));
    look.sheets_in = sheets_of(buf_str(&kept), NULL, 0);
    assert_int_equal(reader_look_judge(&look), 0);
    assert_false(look.needs_sheets);
    assert_int_equal(look.sheets_out, -1);
    reader_look_done(&look);
    buf_done(&kept);
}

static void test_sheets_that_are_not_to_be_had(void **state)
{
    struct reader_look look;

    look_make(*state, &look, SITE_PAGE_LISTED, str_from(page_with_sheets));
    look.flags |= READER_FLAG_SHEETS_LAST;
    assert_int_equal(reader_look_judge(&look), 0);
    assert_false(look.needs_sheets);
    assert_true(look.page_out >= 0);
    reader_look_done(&look);
}

/* All of them have to fit; what has no room is not asked for again. */
static void test_sheets_without_room(void **state)
{
    static char big[40000];
    const char *given[READER_SHEETS_GIVEN * 2];
    char urls[READER_SHEETS_GIVEN][64];
    struct reader_look look;
    struct stat stat;
    size_t len = 0;

    while (len + 32 < sizeof(big)) {
        len += (size_t)snprintf(big + len, sizeof(big) - len, ".kin%zu{display:none}", len);
    }
    for (size_t i = 0; i < READER_SHEETS_GIVEN; i++) {
        (void)snprintf(urls[i], sizeof(urls[i]), "https://www.tinh.gov.vn/giao-dien/%zu.css", i);
        given[i * 2] = urls[i];
        given[i * 2 + 1] = big;
    }
    look_make(*state, &look, SITE_PAGE_LISTED,
              STR("<html><base href=/giao-dien/><link rel=stylesheet href=0.css>"
                  "<link rel=stylesheet href=7.css><p>Tin</p></html>"));
    look.sheets_in = sheets_of(STR(""), given, ARRAY_LEN(given));
    assert_int_equal(reader_look_judge(&look), 0);
    assert_false(look.needs_sheets);
    assert_int_equal(fstat(look.sheets_out, &stat), 0);
    assert_in_range(stat.st_size, 1, READER_SHEETS_KEPT);
    reader_look_done(&look);
}

static const char page_with_scripts[] =
    "<html><head><base href=/giao-dien/><script src=kho.js?v=1></script>"
    "<script src=https://cdn.example/b.js></script></head><body><h1>Tin</h1><p>Thông "
    "báo</p></body></html>";

/* What is kept of scripts, taken from the look. */
static struct str scripts_kept(const struct reader_look *look, struct buf *buf)
{
    buf_init(buf, READER_SCRIPTS_KEPT);
    assert_true(look->scripts_out >= 0);
    assert_int_equal(lseek(look->scripts_out, 0, SEEK_SET), 0);
    assert_int_equal(fd_read_all(look->scripts_out, buf), 0);
    return buf_str(buf);
}

static void test_scripts_of_a_page(void **state)
{
    static const char *const given[] = {"https://www.tinh.gov.vn/giao-dien/kho.js?v=1",
                                        "function f(a){return a+1}"};
    struct reader_look look;
    struct buf kept;

    look_make(*state, &look, SITE_PAGE_LISTED, str_from(page_with_scripts));
    assert_int_equal(reader_look_judge(&look), 0);
    assert_true(look.needs_sheets);
    assert_int_equal(look.links.count, 1);
    assert_true(has_link(&look, READER_LINK_SCRIPT, given[0]));
    reader_look_done(&look);

    look_make(*state, &look, SITE_PAGE_LISTED, str_from(page_with_scripts));
    look.scripts_in = sheets_of(STR(""), given, ARRAY_LEN(given));
    assert_int_equal(reader_look_judge(&look), 0);
    assert_false(look.needs_sheets);
    assert_true(has_link(&look, READER_LINK_SCRIPT_KNOWN, given[0]));
    assert_true(str_find(scripts_kept(&look, &kept), STR("kho.js")) < kept.len);
    reader_look_done(&look);

    look_make(*state, &look, SITE_PAGE_LISTED, str_from(page_with_scripts));
    look.scripts_in = sheets_of(buf_str(&kept), NULL, 0);
    assert_int_equal(reader_look_judge(&look), 0);
    assert_false(look.needs_sheets);
    assert_int_equal(look.scripts_out, -1);
    reader_look_done(&look);

    look_make(*state, &look, SITE_PAGE_LISTED, str_from(page_with_scripts));
    look.scripts_in = sheets_of(str_slice(buf_str(&kept), 0, kept.len / 2), NULL, 0);
    assert_int_equal(reader_look_judge(&look), 0);
    assert_true(look.needs_sheets); /* damaged: begun anew */
    reader_look_done(&look);

    look_make(*state, &look, SITE_PAGE_LISTED, str_from(page_with_scripts));
    look.flags |= READER_FLAG_SHEETS_LAST;
    assert_int_equal(reader_look_judge(&look), 0);
    assert_false(look.needs_sheets);
    assert_true(look.page_out >= 0);
    reader_look_done(&look);
    buf_done(&kept);
}

static void test_links_of_a_page(void **state)
{
    struct reader_look look;

    look_make(*state, &look, SITE_PAGE_LISTED,
              STR("<html><body><a href=/a.html>a</a><a href='b.html#x'>b</a>"
                  "<a href='//tinh.gov.vn/c'>c</a><a href='https://kubet.example/'>d</a>"
                  "<a href='javascript:void(0)'>e</a><a href='mailto:a@b.vn'>f</a><a href=#>g</a>"
                  "<img src=/sites/default/files/2026/x.png><a href=/a.html>again</a>"));
    assert_int_equal(reader_look_judge(&look), 0);
    assert_true(has_link(&look, READER_LINK_PAGE, "https://www.tinh.gov.vn/a.html"));
    assert_true(has_link(&look, READER_LINK_PAGE, "https://www.tinh.gov.vn/vi/b.html"));
    assert_true(has_link(&look, READER_LINK_PAGE, "https://tinh.gov.vn/c"));
    assert_true(
        has_link(&look, READER_LINK_UPLOADS, "https://www.tinh.gov.vn/sites/default/files/"));
    assert_int_equal(look.links.count, 4);
    assert_true(look.page_out >= 0 && look.site_out >= 0);
    reader_look_done(&look);
}

static void test_links_of_robots_and_sitemaps(void **state)
{
    struct reader_look look;

    look_make(*state, &look, SITE_PAGE_ROBOTS,
              STR("User-agent: *\r\nDisallow: /admin\r\nsitemap: https://tinh.gov.vn/s.xml\r\n"
                  "Sitemap: https://kubet.example/s.xml\n"));
    assert_int_equal(reader_look_judge(&look), 0);
    assert_int_equal(look.links.count, 1);
    assert_true(has_link(&look, READER_LINK_SITEMAP, "https://tinh.gov.vn/s.xml"));
    reader_look_done(&look);
    look_make(*state, &look, SITE_PAGE_SITEMAP,
              STR("<?xml version='1.0'?><x:urlset xmlns:x='http://www.sitemaps.org/schemas/0.9'>"
                  "<x:url><x:loc> https://tinh.gov.vn/p/nha-cai-uy-tin.html </x:loc></x:url>"
                  "<x:url><x:loc>https://kubet.example/</x:loc></x:url><broken"));
    assert_int_equal(reader_look_judge(&look), 0);
    assert_int_equal(look.links.count, 1);
    assert_true(has_link(&look, READER_LINK_PAGE, "https://tinh.gov.vn/p/nha-cai-uy-tin.html"));
    reader_look_done(&look);
}

/* Ten entities of ten of the one before: a billion letters to whoever expands them. */
static void test_a_sitemap_that_swells(void **state)
{
    struct reader_look look;

    look_make(*state, &look, SITE_PAGE_SITEMAP,
              STR("<!DOCTYPE u [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
                  "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><urlset><url><loc>&c;</loc></url>"
                  "<url><loc>https://tinh.gov.vn/x</loc></url></urlset>"));
    assert_int_equal(reader_look_judge(&look), 0);
    assert_int_equal(look.links.count, 0);
    reader_look_done(&look);
}

/* first, then so many blanks, then last, as one gzip. */
static struct str pressed(const char *first, size_t blanks, const char *last, struct arena *arena)
{
    static char blank[1U << 16];
    const size_t room = 1U << 20;
    z_stream stream = {.next_out = arena_alloc(arena, room, 1), .avail_out = (uInt)room};

    memset(blank, ' ', sizeof(blank));
    assert_non_null(stream.next_out);
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    stream.next_in = (z_const Bytef *)(uintptr_t)first;
    stream.avail_in = (uInt)strlen(first);
    assert_int_equal(deflate(&stream, Z_NO_FLUSH), Z_OK);
    for (; blanks >= sizeof(blank); blanks -= sizeof(blank)) {
        stream.next_in = (z_const Bytef *)blank;
        stream.avail_in = sizeof(blank);
        assert_int_equal(deflate(&stream, Z_NO_FLUSH), Z_OK);
    }
    stream.next_in = (z_const Bytef *)(uintptr_t)last;
    stream.avail_in = (uInt)strlen(last);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    (void)deflateEnd(&stream);
    return str_of((const char *)stream.next_out - stream.total_out, stream.total_out);
}

/* A pressed sitemap is read; of one that swells, what stands within the limit. */
static void test_a_pressed_sitemap(void **state)
{
    static const struct {
        size_t blanks;
        size_t links;
        size_t cut; /* bytes that are missing at the end */
    } sitemaps[] = {{0, 2, 0}, {64U << 20, 1, 0}, {1U << 20, 1, 200}};
    struct reader_look look;
    struct arena *arena;

    assert_int_equal(arena_new(4U << 20, &arena), 0);
    for (size_t i = 0; i < ARRAY_LEN(sitemaps); i++) {
        struct str body = pressed(
            "<urlset><url><loc>https://tinh.gov.vn/p/ca-cuoc</loc></url>", sitemaps[i].blanks,
            "<url><loc>https://tinh.gov.vn/p/no-hu</loc></url></urlset>", arena);

        look_make(*state, &look, SITE_PAGE_SITEMAP, str_slice(body, 0, body.len - sitemaps[i].cut));
        assert_int_equal(reader_look_judge(&look), 0);
        assert_int_equal(look.links.count, sitemaps[i].links);
        assert_true(has_link(&look, READER_LINK_PAGE, "https://tinh.gov.vn/p/ca-cuoc"));
        reader_look_done(&look);
    }
    arena_free(arena);
}

/* A page without words or title, and one that sends people elsewhere. */
static void test_pages_of_nothing(void **state)
{
    struct reader_look look;

    look_make(*state, &look, SITE_PAGE_LISTED, STR(""));
    assert_int_equal(reader_look_judge(&look), 0);
    assert_int_equal(look.check.verdict, SITE_VERDICT_UNKNOWN);
    reader_look_done(&look);
    look_make(*state, &look, SITE_PAGE_LISTED, STR("moved"));
    look.flags |= READER_FLAG_ELSEWHERE;
    look.check.status = 302;
    look.check.url_final = STR("https://kubet.example/");
    assert_int_equal(reader_look_judge(&look), 0);
    assert_true(look.check.verdict != SITE_VERDICT_OK);
    reader_look_done(&look);
}

/* What a second look finds can confirm the first, never outdo it. */
static void test_a_second_look_is_no_worse_than_the_first(void **state)
{
    struct reader_look look;

    look_make(*state, &look, SITE_PAGE_LISTED,
              STR("<title>Hacked by X</title><h1>Hacked by X</h1> greetz to all crew"));
    look.flags |= READER_FLAG_SECOND;
    look.check.verdict = SITE_VERDICT_CHANGED;
    assert_int_equal(reader_look_judge(&look), 0);
    assert_int_equal(look.check.verdict, SITE_VERDICT_CHANGED);
    assert_false(look.check.is_confirmed);
    reader_look_done(&look);
}

/* A byte order mark has the first word, then the Content-Type, then the page's own <meta>. */
static void test_what_a_page_is_written_in(void **state)
{
    static const struct {
        const char *body;
        const char *charset;
    } pages[] = {
        {"<meta charset=utf-8><title>Th\xf4ng tin</title>", "windows-1258"},
        {"\xef\xbb\xbf<title>Th\xc3\xb4ng tin</title>", "windows-1258"},
        {"<meta charset=windows-1258><title>Th\xf4ng tin</title>", ""},
        {"<meta charset=windows-1258><title>Th\xc3\xb4ng tin</title>", "utf-8"},
    };

    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        struct reader_look look;

        look_make(*state, &look, SITE_PAGE_LISTED, str_from(pages[i].body));
        look.charset = str_from(pages[i].charset);
        assert_int_equal(reader_look_judge(&look), 0);
        assert_true(str_is_text(look.check.title, "Thông tin"));
        reader_look_done(&look);
    }
}

static int reader_body(void *context)
{
    const struct reader_options options = {.channel = *(const int *)context, .supervisor = -1};

    return reader_run(&options);
}

/* It answers, and ends with its channel; a question that is none ends it at once. */
static void test_the_process(void **state)
{
    static struct channel_packet packet;
    static struct msg_writer msg;
    int ends[2];
    int status;
    pid_t pid;

    (void)state;
    assert_int_equal(channel_pair(ends), 0);
    assert_int_equal(spawn_body("reader", &ends[1], 1, reader_body, &ends[1], &pid), 0);
    closep(&ends[1]);
    assert_int_equal(channel_receive_within(ends[0], 60000, &packet), 0);
    assert_int_equal(packet.msg.type, READER_MESSAGE_READY);
    channel_packet_done(&packet);
    msg_begin(&msg, READER_MESSAGE_ASK);
    msg_put_u64(&msg, 1);
    msg_put_str(&msg, STR("no check"));
    msg_put_u32(&msg, 0);
    msg_put_u32(&msg, 0);
    assert_int_equal(channel_send(ends[0], &msg, NULL, 0), 0);
    assert_int_equal(channel_receive_within(ends[0], 60000, &packet), -ERR_PIPE);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    closep(&ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sheets_of_a_page),
        cmocka_unit_test(test_sheets_that_are_not_to_be_had),
        cmocka_unit_test(test_scripts_of_a_page),
        cmocka_unit_test(test_sheets_without_room),
        cmocka_unit_test(test_links_of_a_page),
        cmocka_unit_test(test_links_of_robots_and_sitemaps),
        cmocka_unit_test(test_a_sitemap_that_swells),
        cmocka_unit_test(test_a_pressed_sitemap),
        cmocka_unit_test(test_pages_of_nothing),
        cmocka_unit_test(test_a_second_look_is_no_worse_than_the_first),
        cmocka_unit_test(test_what_a_page_is_written_in),
        cmocka_unit_test(test_the_process),
    };

    return cmocka_run_group_tests(tests, bench_open, bench_close);
}
