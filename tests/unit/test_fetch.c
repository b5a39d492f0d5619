/* What the website watch decides without a network: which addresses are private, which hosts are
 * one site, what core and fetch say to each other, whose network is down, what is news of a
 * certificate. */
#include "harness.h"

#include "base/arena.h"
#include "base/err.h"
#include "centre/fetch/dns.h"
#include "centre/fetch/facts.h"
#include "centre/fetch/fetcher.h"
#include "centre/fetch/network.h"
#include "centre/fetch/private.h"
#include "centre/fetch/wire.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static void test_private_addresses(void **state)
{
    static const char *const private[] = {"127.0.0.1",
                                          "10.1.2.3",
                                          "172.16.0.1",
                                          "172.31.255.255",
                                          "192.168.0.1",
                                          "169.254.169.254",
                                          "100.64.0.1",
                                          "0.0.0.0",
                                          "224.0.0.1",
                                          "255.255.255.255",
                                          "198.18.0.1",
                                          "::1",
                                          "::",
                                          "fe80::1",
                                          "fd00::1",
                                          "::ffff:127.0.0.1",
                                          "::ffff:10.0.0.1",
                                          "ff02::1",
                                          "2001:db8::1",
                                          "64:ff9b::a00:1",
                                          "2002:7f00:1::",
                                          "example.vn",
                                          "",
                                          "127.1",
                                          "0x7f.0.0.1"};
    static const char *const public[] = {"1.1.1.1",     "113.160.0.1",        "172.32.0.1",
                                         "100.128.0.1", "2001:ee0::1",        "2400:cb00::1",
                                         "8.8.8.8",     "::ffff:113.160.0.1", "192.169.0.1"};

    (void)state;
    for (size_t i = 0; i < sizeof(private) / sizeof(private[0]); i++) {
        assert_true(dns_is_private(private[i]));
    }
    for (size_t i = 0; i < sizeof(public) / sizeof(public[0]); i++) {
        assert_false(dns_is_private(public[i]));
    }
}

static void expect_url(const char *given, const char *wanted)
{
    char out[SITE_URL_MAX + 1];

    assert_int_equal(url_canonical(str_from(given), out, NULL), 0);
    assert_string_equal(out, wanted);
}

static void test_addresses_as_people_write_them(void **state)
{
    static const char *const bad[] = {"",
                                      "ftp://a.vn/",
                                      "file:///etc/passwd",
                                      "javascript:alert(1)",
                                      "http://",
                                      "http://a b/",
                                      "http://u@a.vn/",
                                      "http://a.vn:99999/",
                                      "http://[::1/",
                                      "http://a.vn/\r\nHost: b"};
    static char longest[SITE_URL_MAX + 100];
    char out[SITE_URL_MAX + 1];
    struct diag diag;

    (void)state;
    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* as main does: libcurl reads names by it */
    expect_url("tinh.gov.vn", "https://tinh.gov.vn/");
    expect_url("HTTP://Tinh.gov.vn", "http://tinh.gov.vn/");
    expect_url("http://tinh.gov.vn:8080/a?b=c#d", "http://tinh.gov.vn:8080/a?b=c");
    expect_url("https://xã.vn/", "https://xn--x-yfa.vn/");
    expect_url("http://[::1]:80/", "http://[::1]:80/");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        diag = (struct diag){0};
        assert_int_equal(url_canonical(str_from(bad[i]), out, &diag), -ERR_SYNTAX);
        assert_true(diag.text[0] != '\0');
    }
    memset(longest, 'a', sizeof(longest) - 1);
    assert_int_equal(url_canonical(str_from(longest), out, NULL), -ERR_SYNTAX);
}

static void test_tags_that_may_be_said_again(void **state)
{
    static char longest[FETCHER_ETAG_MAX + 1];

    (void)state;
    memset(longest, 'a', sizeof(longest));
    assert_true(fetcher_is_tag(STR("\"5f3c-61\"")));
    assert_true(fetcher_is_tag(STR("W/\"a b\"")));
    assert_true(fetcher_is_tag(str_of(longest, FETCHER_ETAG_MAX)));
    assert_false(fetcher_is_tag(str_of(longest, FETCHER_ETAG_MAX + 1)));
    assert_false(fetcher_is_tag(STR("")));
    assert_false(fetcher_is_tag(STR("\"a\rX-More: b\"")));
    assert_false(fetcher_is_tag(STR("\"a\nX-More: b\"")));
    assert_false(fetcher_is_tag(str_of("\"a\0b\"", 5)));
    assert_false(fetcher_is_tag(STR("\"a\x7f\"")));
}

static void test_hosts_of_one_site(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool is_same;
    } rows[] = {{"tinh.gov.vn", "www.tinh.gov.vn", true},
                {"tinh.gov.vn", "TINH.gov.vn", true},
                {"tinh.gov.vn", "sso.tinh.gov.vn", true},
                {"a.tinh.gov.vn", "b.tinh.gov.vn", true},
                {"tinh1.gov.vn", "tinh2.gov.vn", false},
                {"a.example.com", "b.example.com", true},
                {"example.com", "example.net", false},
                {"tinh.vn", "kubet.vn", false},
                {"tinh.gov.vn", "tinh.gov.vn.kubet.com", false},
                {"xtinh.gov.vn", "tinh.gov.vn", false},
                {"10.0.0.1", "10.0.0.2", false},
                {"10.0.0.1", "10.0.0.1", true},
                {"", "tinh.gov.vn", false}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(url_is_same_site(str_from(rows[i].a), str_from(rows[i].b)),
                         rows[i].is_same);
        assert_int_equal(url_is_same_site(str_from(rows[i].b), str_from(rows[i].a)),
                         rows[i].is_same);
    }
    assert_true(str_is_text(url_host(STR("http://[::1]:80/x")), "::1"));
    assert_true(str_is_text(url_host(STR("https://a.vn?b")), "a.vn"));
    assert_true(str_is_text(url_origin(STR("https://a.vn:8443/b/c")), "https://a.vn:8443"));
}

static void test_the_list_travels_in_pieces(void **state)
{
    static struct msg_writer msg;
    struct msg_reader reader;
    struct fetch_site site = {.service = SITE_SERVICE_PORTAL, .interval = 15 * NS_PER_S};
    uint64_t next = 1;
    uint64_t seen = 0;
    bool is_last = false;
    int r;

    (void)state;
    site.url = STR("https://mot-cai-ten-rat-dai.cong-thong-tin-dien-tu.tinh.gov.vn/trang-chu");
    while (!is_last) {
        uint64_t after = next - 1;

        fetch_sites_begin(&msg, after);
        for (r = 0; next <= 2000 && r == 0; next += r == 0 ? 1 : 0) {
            site.number = next;
            site.is_window_open = next % 2 == 0;
            r = fetch_sites_put(&msg, &site);
        }
        fetch_sites_end(&msg, next > 2000);
        assert_int_equal(msg_end(&msg), 0);
        msg_open(&reader, str_of((const char *)msg.bytes, msg.len));
        assert_int_equal(fetch_sites_after(&reader), after);
        while ((r = fetch_sites_get(&reader, &site, &is_last)) == 1) {
            assert_int_equal(site.number, ++seen);
            assert_int_equal(site.is_window_open, seen % 2 == 0);
        }
        assert_int_equal(r, 0);
    }
    assert_int_equal(seen, 2000);
}

/* Neither side believes the other. */
static void test_unsound_words_are_refused(void **state)
{
    static struct msg_writer msg;
    const struct fetch_site sound = {.number = 1, .url = STR("https://a.vn/")};
    struct fetch_site unsound[5] = {sound, sound, sound, sound, sound};
    struct fetch_check check = {.site = 1, .check = STR("x"), .parts = 1U << 20};
    struct msg_reader reader;
    struct fetch_site site;
    bool is_last;

    (void)state;
    unsound[0].number = 0;
    unsound[1].url = STR("");
    unsound[2].service = SITE_SERVICE_COUNT;
    unsound[3].views = 1U << SITE_VIEW_COUNT;
    unsound[4].interval = 1;
    for (size_t i = 0; i < 5; i++) {
        fetch_sites_begin(&msg, 0);
        assert_int_equal(fetch_sites_put(&msg, &unsound[i]), 0);
        fetch_sites_end(&msg, true);
        msg_open(&reader, str_of((const char *)msg.bytes, msg.len));
        (void)fetch_sites_after(&reader);
        assert_int_equal(fetch_sites_get(&reader, &site, &is_last), -ERR_PROTO);
    }
    fetch_check_put(&msg, &check);
    msg_open(&reader, str_of((const char *)msg.bytes, msg.len));
    assert_int_equal(fetch_check_get(&reader, &check), -ERR_PROTO);
}

static void test_whose_network_is_down(void **state)
{
    struct fetch_network network = {0};
    int64_t now = 1000 * NS_PER_S;

    (void)state;
    fetch_network_note(&network, now, true);
    assert_false(fetch_network_is_down(&network, now)); /* the only site that is watched */
    for (int i = 0; i < 100; i++) {
        fetch_network_note(&network, now, false);
    }
    for (int i = 0; i < 4; i++) {
        fetch_network_note(&network, now, true);
    }
    assert_false(fetch_network_is_down(&network, now)); /* five of 105 */
    fetch_network_note(&network, now, true);
    assert_true(fetch_network_is_down(&network, now));
    assert_false(fetch_network_is_down(&network, now + 120 * NS_PER_S));
    for (int i = 0; i < 400; i++) {
        fetch_network_note(&network, now + 5 * NS_PER_S, false);
    }
    assert_false(fetch_network_is_down(&network, now + 5 * NS_PER_S));
}

static void tell_look(struct fetch *fetch, struct str url, bool is_ours)
{
    static struct msg_writer msg;
    struct msg_reader reader;

    fetch_look_put(&msg, 1, url, is_ours);
    assert_int_equal(msg_end(&msg), 0);
    msg_open(&reader, str_of((const char *)msg.bytes, msg.len));
    fetch_take_look(fetch, &reader);
}

static void tell_site(struct fetch *fetch, const struct fetch_site *site)
{
    static struct msg_writer msg;
    struct msg_reader reader;

    fetch_sites_begin(&msg, 0);
    assert_int_equal(fetch_sites_put(&msg, site), 0);
    fetch_sites_end(&msg, true);
    assert_int_equal(msg_end(&msg), 0);
    msg_open(&reader, str_of((const char *)msg.bytes, msg.len));
    fetch_take_sites(fetch, &reader);
}

/* "This is ours" of one page is about that page: a stranger's work on the next one is not learned
 * with it. */
static void test_a_look_at_one_page(void **state)
{
    static struct fetch fetch;
    const struct fetch_site site = {.number = 1, .url = STR("https://xa.gov.vn/")};
    struct str story = STR("https://xa.gov.vn/tin/1");
    enum site_view view = SITE_VIEW_COUNT;
    struct fetch_watch *watch;
    struct fetch_page *page;

    (void)state;
    fetch.clock = &clock_real;
    list_init(&fetch.outbox);
    map_init(&fetch.watches, FETCH_SITES_MAX, 1);
    assert_int_equal(loop_new(16, &fetch.loop), 0);
    assert_int_equal(fetch_rota_new(&fetch, &fetch.rota), 0);
    tell_site(&fetch, &site);
    watch = map_get(&fetch.watches, MAP_KEY(site.number));
    assert_non_null(watch);
    tell_look(&fetch, STR("https://elsewhere.vn/tin/1"), true); /* not a page of this site */
    assert_null(watch->next_page);
    assert_int_equal(watch->page_count, 4);

    tell_look(&fetch, story, true);
    for (unsigned looks = 0; looks < 2; looks++) { /* as a crawler, and as one who searched */
        assert_true(fetch_rota_choose(watch, &page, &view));
        assert_true(str_is_text(story, page->url));
        assert_true(view == SITE_VIEW_CRAWLER || view == SITE_VIEW_SEARCH);
        assert_true((page->own_views & 1U << view) != 0);
        page->own_views &= ~(1U << view); /* as the look does that is begun */
    }
    for (unsigned looks = 0; looks < 12; looks++) {
        assert_true(fetch_rota_choose(watch, &page, &view));
        assert_int_equal(page->own_views, 0);
    }
    tell_look(&fetch, STR(""), false);
    assert_true(str_is_text(site.url, watch->next_page->url));
    assert_int_equal(watch->next_view, SITE_VIEW_DESKTOP);
    fetch_sites_done(&fetch);
    fetch_rota_free(fetch.rota);
    loop_free(fetch.loop);
}

/* What a reader says that its page lacks; true when it is asked for, false when the question goes
 * back as it was. */
static bool is_sheet_fetched(struct fetch *fetch, struct fetch_watch *watch, enum reader_link kind,
                             struct str url)
{
    static struct reader_answer answer;
    struct fetch_look look = {.watch = watch, .sheets_fd = -1, .scripts_fd = -1};
    size_t asked = readers_waiting(fetch->readers);
    bool is_fetched;

    answer = (struct reader_answer){.link_count = 1};
    answer.links[0].kind = kind;
    answer.links[0].url = url;
    fetch_sheets_more(&look, &answer);
    is_fetched = fetcher_waiting(fetch->fetcher) != 0;
    assert_int_equal(readers_waiting(fetch->readers), asked + !is_fetched);
    fetch_sheets_job_free(look.sheets_job);
    if (!is_fetched) {
        list_remove(&look.ask.node);
    }
    return is_fetched;
}

/* A reader in other hands must not send fetch, which has the network, wherever it likes. */
static void test_sheets_of_other_sites(void **state)
{
    static struct fetch fetch;
    static const char *const foreign[] = {"https://kubet.vn/x.css",
                                          "https://xa.gov.vn.kubet.vn/x.css",
                                          "https://xa.gov.vn@kubet.vn/x.css",
                                          "https://kubet.vn\\@xa.gov.vn/x.css",
                                          "https://127.0.0.1/x.css",
                                          "http://169.254.169.254/latest/meta-data/",
                                          "file:///etc/passwd",
                                          "//xa.gov.vn/x.css",
                                          "https://xa.gov.vn/x.css\r\nHost: kubet.vn",
                                          ""};
    const struct fetch_site site = {.number = 1, .url = STR("https://xa.gov.vn/")};
    struct fetcher_options options = {.clock = &clock_real, .servers = "127.0.0.1:9", .limit = 1};
    struct fetch_watch *watch;
    struct diag diag = {{0}};

    (void)state;
    fetch.clock = &clock_real;
    list_init(&fetch.outbox);
    map_init(&fetch.watches, FETCH_SITES_MAX, 1);
    assert_int_equal(loop_new(64, &fetch.loop), 0);
    assert_int_equal(fetch_rota_new(&fetch, &fetch.rota), 0);
    options.loop = fetch.loop;
    assert_int_equal(fetcher_new(&options, &fetch.fetcher, &diag), 0);
    assert_int_equal(readers_new(fetch.loop, NULL, 0, NULL, NULL, &fetch.readers), 0);
    tell_site(&fetch, &site);
    watch = map_get(&fetch.watches, MAP_KEY(site.number));
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        if (is_sheet_fetched(&fetch, watch, READER_LINK_SHEET, str_from(foreign[i])) ||
            is_sheet_fetched(&fetch, watch, READER_LINK_SCRIPT, str_from(foreign[i])) ||
            is_sheet_fetched(&fetch, watch, READER_LINK_SCRIPT_KNOWN, str_from(foreign[i]))) {
            fail_msg("%s was asked for", foreign[i]);
        }
    }
    assert_true(is_sheet_fetched(&fetch, watch, READER_LINK_SHEET, STR("https://xa.gov.vn/x.css")));
    assert_true(
        is_sheet_fetched(&fetch, watch, READER_LINK_SHEET, STR("https://www.xa.gov.vn/y.css")));
    assert_true(
        is_sheet_fetched(&fetch, watch, READER_LINK_SCRIPT, STR("https://xa.gov.vn/x.js?v=1")));
    assert_true(
        is_sheet_fetched(&fetch, watch, READER_LINK_SCRIPT, STR("https://xa.gov.vn/x.js?v=2")));
    assert_true(is_sheet_fetched(&fetch, watch, READER_LINK_SCRIPT_KNOWN,
                                 STR("https://xa.gov.vn/kept.js")));
    assert_false(is_sheet_fetched(&fetch, watch, READER_LINK_SCRIPT_KNOWN,
                                  STR("https://xa.gov.vn/kept.js")));
    readers_free(fetch.readers);
    fetch_sites_done(&fetch);
    fetch_rota_free(fetch.rota);
    fetcher_free(fetch.fetcher);
    loop_free(fetch.loop);
}

static struct site_check look_at(struct facts *facts, struct fetcher_answer answer,
                                 struct arena *arena)
{
    struct site_check check = {.verdict = SITE_VERDICT_OK, .url_final = STR("http://a.vn/")};

    answer.status = 200;
    assert_int_equal(facts_take(facts, &answer, arena, &check), 0);
    return check;
}

static void test_news_of_a_certificate(void **state)
{
    struct fetcher_answer answer = {.certificate = {.end = NS_PER_S, .issuer = "Authority A"}};
    struct facts facts = {0};
    struct facts again;
    struct site_check check;
    struct arena *arena;
    struct buf buf;

    (void)state;
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    for (int i = 0; i < 50; i++) {
        check = look_at(&facts, answer, arena);
        assert_int_equal(check.verdict, SITE_VERDICT_OK);
        assert_int_equal(check.reason_count, 0);
    }
    buf_init(&buf, FACTS_SIZE_MAX);
    facts_encode(&facts, &buf);
    assert_int_equal(facts_decode(buf_str(&buf), &again), 0);
    (void)snprintf(answer.certificate.issuer, sizeof(answer.certificate.issuer), "Authority B");
    check = look_at(&again, answer, arena);
    assert_int_equal(check.verdict, SITE_VERDICT_YELLOW);
    assert_true(str_is_text(check.reasons[0].what, "issuer"));
    assert_int_equal(look_at(&again, answer, arena).verdict, SITE_VERDICT_OK); /* told once */
    answer.facts = FETCHER_FACT_DOWNGRADED;
    assert_int_equal(look_at(&again, answer, arena).verdict, SITE_VERDICT_YELLOW);
    assert_int_equal(look_at(&again, answer, arena).verdict, SITE_VERDICT_OK);
    for (size_t cut = 0; cut < buf.len; cut++) {
        assert_true(facts_decode(str_of(buf.ptr, cut), &again) < 0);
    }
    buf_done(&buf);
    arena_free(arena);
}

static struct site_check look_at_key(struct facts *facts, char authority, uint8_t key, int64_t end,
                                     struct arena *arena)
{
    struct fetcher_answer answer = {.certificate = {.end = end}};

    (void)snprintf(answer.certificate.issuer, sizeof(answer.certificate.issuer), "Authority %c",
                   authority);
    answer.certificate.key_sha256[0] = key;
    return look_at(facts, answer, arena);
}

/* Keys are renewed, and issuers changed when a certificate ends; both before its end is odd. */
static void test_news_of_a_key(void **state)
{
    const int64_t end = 1000 * NS_PER_S;
    struct facts learned = {0};
    struct facts facts;
    struct site_check check;
    struct arena *arena;
    struct buf buf;

    (void)state;
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    for (int i = 0; i < 50; i++) { /* two servers, a key each */
        (void)look_at_key(&learned, 'A', i % 2 == 0 ? 1 : 2, end, arena);
    }
    buf_init(&buf, FACTS_SIZE_MAX);
    facts_encode(&learned, &buf);
    assert_int_equal(facts_decode(buf_str(&buf), &facts), 0);
    assert_int_equal(look_at_key(&facts, 'A', 3, end, arena).verdict, SITE_VERDICT_OK);
    check = look_at_key(&facts, 'B', 4, end, arena);
    assert_int_equal(check.verdict, SITE_VERDICT_YELLOW);
    assert_int_equal(check.reason_count, 2);
    assert_true(str_is_text(check.reasons[1].what, "new_key"));
    assert_int_equal(look_at_key(&facts, 'B', 4, end, arena).verdict, SITE_VERDICT_OK);

    facts = learned; /* the same key, signed anew by another */
    assert_int_equal(look_at_key(&facts, 'B', 2, end, arena).reason_count, 1);
    facts = learned;
    facts.end = 0; /* it had ended: the owner got another one, wherever */
    assert_int_equal(look_at_key(&facts, 'B', 4, end, arena).reason_count, 1);
    buf_done(&buf);
    arena_free(arena);
}

static struct site_check look_at_page(struct facts *facts, const char *url, bool is_strict,
                                      struct arena *arena)
{
    struct fetcher_answer answer = {.status = 200, .facts = is_strict ? FETCHER_FACT_STRICT : 0};
    struct site_check check = {
        .page = SITE_PAGE_LISTED, .verdict = SITE_VERDICT_OK, .url_final = str_from(url)};

    assert_int_equal(facts_take(facts, &answer, arena, &check), 0);
    return check;
}

static void test_news_of_strict_transport(void **state)
{
    static const char *const url = "https://a.vn/";
    struct fetcher_answer answer = {.status = 304};
    struct site_check check = {.page = SITE_PAGE_LISTED, .url_final = str_from(url)};
    struct facts facts = {0};
    struct facts learned;
    struct arena *arena;
    struct buf buf;

    (void)state;
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(look_at_page(&facts, url, true, arena).verdict, SITE_VERDICT_OK);
    }
    buf_init(&buf, FACTS_SIZE_MAX);
    facts_encode(&facts, &buf);
    assert_int_equal(facts_decode(buf_str(&buf), &learned), 0);

    facts = learned; /* where browsers would not heed it, or servers leave it out */
    assert_int_equal(look_at_page(&facts, "http://a.vn/", false, arena).verdict, SITE_VERDICT_OK);
    check.verdict = SITE_VERDICT_OK;
    assert_int_equal(facts_take(&facts, &answer, arena, &check), 0);
    assert_int_equal(check.verdict, SITE_VERDICT_OK);
    answer.status = 200;
    check.page = SITE_PAGE_ROBOTS;
    assert_int_equal(facts_take(&facts, &answer, arena, &check), 0);
    assert_int_equal(check.verdict, SITE_VERDICT_OK);
    check.page = SITE_PAGE_LISTED;
    check.verdict = SITE_VERDICT_UNKNOWN;
    assert_int_equal(facts_take(&facts, &answer, arena, &check), 0);
    assert_int_equal(check.reason_count, 0);

    check = look_at_page(&facts, url, false, arena);
    assert_int_equal(check.verdict, SITE_VERDICT_YELLOW);
    assert_int_equal(check.layers, 1U << SITE_LAYER_TLS);
    assert_true(str_is_text(check.reasons[0].what, "hsts_gone"));
    assert_int_equal(look_at_page(&facts, url, false, arena).verdict, SITE_VERDICT_OK); /* once */

    facts = (struct facts){0}; /* one that says it now and then, or never */
    for (int i = 0; i < 200; i++) {
        check = look_at_page(&facts, url, i % 60 != 59, arena);
        assert_true(i == 59 ? check.verdict == SITE_VERDICT_YELLOW : check.reason_count == 0);
    }
    facts = (struct facts){0};
    for (int i = 0; i < 200; i++) {
        assert_int_equal(look_at_page(&facts, url, false, arena).reason_count, 0);
    }
    buf_done(&buf);
    arena_free(arena);
}

static void test_domains_of_owners(void **state)
{
    (void)state;
    assert_true(str_is_text(url_domain(STR("a.b.tinh.gov.vn")), "tinh.gov.vn"));
    assert_true(str_is_text(url_domain(STR("gov.vn")), "gov.vn"));
    assert_true(str_is_text(url_domain(STR("192.0.2.1")), "192.0.2.1"));
}

/* What was learned before keys were kept, or names, is not lost. */
static void test_facts_of_an_older_program(void **state)
{
    static const uint8_t older[] = {0x85, 0x01, 0x01, 0x18, 0x32, 0xf4, 0x81, 0x07};
    static const uint8_t old[] = {0x89, 0x02, 0x01, 0x18, 0x32, 0xf4, 0x81, 0x07,
                                  0x81, 0x08, 0x09, 0x18, 0x32, 0x81, 0x0a};
    struct facts facts;

    (void)state;
    assert_int_equal(facts_decode(str_of((const char *)older, sizeof(older)), &facts), 0);
    assert_int_equal(facts.looks, 50);
    assert_int_equal(facts.issuer_count, 1);
    assert_int_equal(facts.key_count, 0);
    assert_int_equal(facts_decode(str_of((const char *)old, sizeof(old)), &facts), 0);
    assert_int_equal(facts.strict, 0);
    assert_int_equal(facts.keys[0], 8);
    assert_int_equal(facts.zone.aliases.count, 1);
    assert_int_equal(facts.zone.aliases.hashes[0], 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_private_addresses),
        cmocka_unit_test(test_addresses_as_people_write_them),
        cmocka_unit_test(test_tags_that_may_be_said_again),
        cmocka_unit_test(test_hosts_of_one_site),
        cmocka_unit_test(test_the_list_travels_in_pieces),
        cmocka_unit_test(test_unsound_words_are_refused),
        cmocka_unit_test(test_whose_network_is_down),
        cmocka_unit_test(test_a_look_at_one_page),
        cmocka_unit_test(test_sheets_of_other_sites),
        cmocka_unit_test(test_news_of_a_certificate),
        cmocka_unit_test(test_news_of_a_key),
        cmocka_unit_test(test_news_of_strict_transport),
        cmocka_unit_test(test_domains_of_owners),
        cmocka_unit_test(test_facts_of_an_older_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
