/* The access-log view: cloaks by status, by size and by referrer are told; log-ins, redirects to
 * https, false robots, caches and busy pages are not; nor what sites do to phones, foreigners and
 * pages that moved, were sold out or removed. */
#include "harness.h"

#include "base/prng.h"
#include "codec/weblog.h"
#include "detect/deface/crawl.h"

#include <stdio.h>

#define GOOGLE "66.249.66.7"
#define BOT    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
#define PEOPLE "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Gecko/20100101 Firefox/140.0"
#define SEARCH "https://www.google.com.vn/search?q=cong+thong+tin"

#define BOT_HAND                                                                                   \
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like "   \
    "Gecko) Chrome/141.0.7390.122 Mobile Safari/537.36 (compatible; Googlebot/2.1; "               \
    "+http://www.google.com/bot.html)"
#define PHONE                                                                                      \
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "    \
    "Gecko) Mobile/15E148 Zalo iOS/24110 ZaloTheme/light ZaloLanguage/vn"

struct visit {
    const char *address;
    const char *agent;
    const char *referrer;
    const char *path;
    unsigned status;
    uint64_t size;
};

static struct crawl *crawl;
static struct arena *arena;

static void begin(size_t pages_max)
{
    struct crawl_limits limits = crawl_limits_default;

    limits.pages_max = pages_max;
    assert_int_equal(crawl_new(&limits, 7, &crawl), 0);
    assert_int_equal(arena_new(1 << 20, &arena), 0);
}

static void end(void)
{
    crawl_free(crawl);
    arena_free(arena);
}

static int64_t now = 5;

static void see(struct visit visit, unsigned times)
{
    struct weblog_line line = {.address = str_from(visit.address),
                               .agent = str_from(visit.agent),
                               .referrer = str_from(visit.referrer),
                               .host = STR("xa.example.vn"),
                               .path = str_from(visit.path),
                               .method = STR("GET"),
                               .status = visit.status,
                               .size = visit.size,
                               .time = now};

    for (unsigned i = 0; i < times; i++) {
        assert_int_equal(crawl_add(crawl, &line), 0);
    }
}

static size_t report(const struct crawl_cloak **ret_cloaks)
{
    size_t count = 0;

    assert_int_equal(crawl_report(crawl, 10, arena, ret_cloaks, &count), 0);
    return count;
}

static void test_cloak_by_status(void **state)
{
    const struct crawl_cloak *cloaks = NULL;

    (void)state;
    begin(100);
    see((struct visit){GOOGLE, BOT, "", "/uploads/no-hu.html", 200, 60000}, 6);
    see((struct visit){"113.160.1.1", PEOPLE, "", "/uploads/no-hu.html", 302, 0}, 5);
    see((struct visit){"113.160.1.2", PEOPLE, "", "/", 200, 5000}, 50);
    see((struct visit){GOOGLE, BOT, "", "/", 200, 5000}, 10);
    assert_int_equal(report(&cloaks), 1);
    assert_str(cloaks[0].path, "/uploads/no-hu.html");
    assert_str(cloaks[0].host, "xa.example.vn");
    assert_str(cloaks[0].engine, "Google");
    assert_int_equal(cloaks[0].audience, CRAWL_AUDIENCE_ENGINE);
    assert_false(cloaks[0].is_by_size);
    assert_int_equal(cloaks[0].theirs.served, 6);
    assert_int_equal(cloaks[0].people.moved, 5);
    end();
}

/* Phones are sent on, where an engine as a phone is not. */
static void test_cloak_of_phones(void **state)
{
    const struct crawl_cloak *cloaks = NULL;

    (void)state;
    begin(100);
    see((struct visit){GOOGLE, BOT_HAND, "", "/uploads/no-hu.html", 200, 60000}, 6);
    see((struct visit){"113.160.1.1", PHONE, "", "/uploads/no-hu.html", 302, 0}, 5);
    see((struct visit){GOOGLE, BOT, "", "/tin.html", 200, 60000}, 6);
    see((struct visit){"113.160.1.1", PHONE, "", "/tin.html", 302, 0}, 5);
    assert_int_equal(report(&cloaks), 1);
    assert_str(cloaks[0].path, "/uploads/no-hu.html");
    assert_int_equal(cloaks[0].people.moved, 5);
    end();
}

static void test_cloak_by_referrer(void **state)
{
    const struct crawl_cloak *cloaks = NULL;

    (void)state;
    begin(100);
    see((struct visit){"113.160.1.1", PEOPLE, "", "/", 200, 9000}, 20);
    see((struct visit){"113.160.1.9", PEOPLE, SEARCH, "/", 302, 0}, 8);
    assert_int_equal(report(&cloaks), 1);
    assert_int_equal(cloaks[0].audience, CRAWL_AUDIENCE_SEARCH);
    assert_str(cloaks[0].engine, "");
    end();
}

static void test_cloak_by_size(void **state)
{
    const struct crawl_cloak *cloaks = NULL;

    (void)state;
    begin(100);
    for (unsigned i = 0; i < 8; i++) {
        see((struct visit){GOOGLE, BOT, "", "/gioi-thieu", 200, 41000 + 10 * i}, 1);
        see((struct visit){"113.160.1.1", PEOPLE, "", "/gioi-thieu", 200, 18000 + 7 * i}, 1);
    }
    assert_int_equal(report(&cloaks), 1);
    assert_true(cloaks[0].is_by_size);
    assert_in_range(cloaks[0].their_size, 41000, 41080);
    assert_in_range(cloaks[0].people_size, 18000, 18060);
    end();
}

/* One visit of an engine and one of somebody: 0 is none. Of every other page the engine comes
 * first. */
static void see_page(const char *folder, const char *tail, unsigned number, unsigned engine,
                     unsigned people)
{
    char path[64];
    char address[32];

    (void)snprintf(path, sizeof(path), "%s%u%s", folder, number, tail);
    (void)snprintf(address, sizeof(address), "113.160.1.%u", 1 + number % 200);
    for (unsigned i = 0; i < 2; i++) {
        now++;
        if (number % 2 == i && people != 0) {
            see((struct visit){address, PEOPLE, number % 3 != 0 ? SEARCH : "", path, people, 0}, 1);
        } else if (number % 2 != i && engine != 0) {
            see((struct visit){GOOGLE, BOT, "", path, engine, 30000}, 1);
        }
    }
}

/* Thousands of planted pages, each asked for once: none could be compared by itself. */
static void check_cloak_by_folder(const char *tail)
{
    const struct crawl_cloak *cloaks = NULL;
    char other[32];

    begin(1000);
    for (unsigned i = 0; i < 300; i++) { /* folders of one page each */
        (void)snprintf(other, sizeof(other), "/khac/%u/", i);
        see_page(other, tail, 0, 200, 404);
    }
    for (unsigned i = 0; i < 30; i++) {
        see_page("/uploads/no-hu/", tail, i, 200, i % 3 != 0 ? 302 : 0);
        see_page("/tin/", tail, i, 200, 200);
    }
    assert_int_equal(report(&cloaks), 1);
    assert_str(cloaks[0].host, "xa.example.vn");
    assert_str(cloaks[0].path, "/uploads/no-hu/");
    assert_str(cloaks[0].engine, "Google");
    assert_int_equal(cloaks[0].audience, CRAWL_AUDIENCE_ENGINE);
    assert_int_equal(cloaks[0].pages, 10); /* where the engine came last */
    assert_int_equal(cloaks[0].theirs.served, 10);
    assert_int_equal(cloaks[0].people.moved, 10);
    assert_true(cloaks[0].score > 13.8);
    end();
}

static void test_cloak_by_folder(void **state)
{
    (void)state;
    check_cloak_by_folder(".html");
    check_cloak_by_folder("/");
}

static const char *path_of(unsigned number)
{
    static char path[64];

    (void)snprintf(path, sizeof(path), "/quet/%u.html", number);
    return path;
}

/* Folders that were removed, and those of which a few old pages are gone. */
static void test_honest_folders(void **state)
{
    const struct crawl_cloak *cloaks = NULL;

    (void)state;
    begin(1000);
    for (unsigned i = 0; i < 40; i++) {
        see_page("/cu/", ".html", i, 200, 0);
    }
    for (unsigned i = 0; i < 40; i++) {
        see_page("/cu/", ".html", i, 0, 404);
    }
    for (unsigned i = 0; i < 100; i++) { /* one after the other, as they are found to be stale */
        see_page("/tin/", ".html", i, 200, i % 5 == 0 ? 404 : 200);
    }
    for (unsigned i = 0; i < 100; i++) { /* what scanners look for engines were never told of */
        see_page("/wp-content/", ".html", i, i % 2 == 0 ? 200 : 0, i % 2 == 0 ? 0 : 404);
    }
    for (unsigned i = 0; i < 100; i++) { /* adverts, each taken down while new ones come */
        see_page("/viec-lam/", ".html", i, 200, 0);
        see_page("/viec-lam/", ".html", i < 20 ? 500 : i - 20, 0, 404);
    }
    for (unsigned i = 0; i < 100; i++) { /* a wall before strangers; http before https */
        see_page("/thu-tuc/", ".html", i, 200, i % 3 == 0 ? 200 : 403);
        see_page("/van-ban/", ".html", i, 200, 301);
    }
    for (unsigned i = 0; i < 100; i++) { /* one scanner alone */
        now++;
        see((struct visit){"198.51.100.9", PEOPLE, "", path_of(i), 404, 0}, 1);
        now++;
        see((struct visit){GOOGLE, BOT, "", path_of(i), 200, 30000}, 1);
    }
    assert_int_equal(report(&cloaks), 0);
    end();
}

/* Everything that honest sites do every day. */
static void test_honest(void **state)
{
    const struct crawl_cloak *cloaks = NULL;
    struct prng prng;

    (void)state;
    begin(1000);
    prng_init(&prng, 3);
    see((struct visit){GOOGLE, BOT, "", "/admin", 302, 0}, 9); /* log in first */
    see((struct visit){"10.0.0.4", PEOPLE, "", "/admin", 200, 30000}, 40);
    see((struct visit){GOOGLE, BOT, "", "/old", 200, 8000}, 20); /* http → https, then served */
    see((struct visit){"10.0.0.4", PEOPLE, "", "/old", 301, 0}, 20);
    see((struct visit){"10.0.0.4", PEOPLE, "", "/old", 200, 8000}, 20);
    see((struct visit){GOOGLE, BOT, "", "/style.css", 304, 0}, 20); /* cached */
    see((struct visit){"10.0.0.4", PEOPLE, "", "/style.css", 200, 90000}, 20);
    see((struct visit){"8.8.4.4", BOT, "", "/shop", 403, 0}, 20); /* says that it is Google */
    see((struct visit){"10.0.0.4", PEOPLE, "", "/shop", 200, 100}, 20);
    see((struct visit){GOOGLE, BOT, "", "/down", 503, 0}, 20); /* ill for a while */
    see((struct visit){"10.0.0.4", PEOPLE, "", "/down", 200, 100}, 20);
    see((struct visit){GOOGLE, BOT, "", "/le-hoi-2025", 200, 8000}, 8);
    see((struct visit){GOOGLE, BOT, "", "/tin-cu", 200, 8000}, 8);
    now++; /* then one was removed and one has moved, and no engine came since */
    see((struct visit){"10.0.0.4", PEOPLE, "", "/le-hoi-2025", 404, 0}, 20);
    see((struct visit){"10.0.0.4", PEOPLE, "", "/tin-cu", 301, 0}, 20);
    see((struct visit){GOOGLE, BOT, "", "/few", 200, 1}, 4); /* too few to tell */
    see((struct visit){"10.0.0.4", PEOPLE, "", "/few", 302, 1}, 4);
    for (unsigned i = 0; i < 400; i++) { /* a front page that is never twice the same */
        see((struct visit){GOOGLE, BOT, "", "/", 200, 40000 + prng_below(&prng, 30000)}, 1);
        see((struct visit){"10.0.0.4", PEOPLE, "", "/", 200, 40000 + prng_below(&prng, 30000)}, 1);
    }
    assert_int_equal(report(&cloaks), 0);
    end();
}

static void test_bounded(void **state)
{
    const struct crawl_cloak *cloaks = NULL;
    char path[64];

    (void)state;
    begin(50);
    see((struct visit){GOOGLE, BOT, "", "/kept", 200, 60000}, 6);
    see((struct visit){"10.0.0.4", PEOPLE, "", "/kept", 404, 0}, 6);
    for (unsigned i = 0; i < 500; i++) {
        (void)snprintf(path, sizeof(path), "/scan/%u", i);
        see((struct visit){"10.0.0.5", PEOPLE, "", path, 404, 0}, 1);
        see((struct visit){"10.0.0.4", PEOPLE, "", "/kept", 404, 0}, 1);
    }
    assert_int_equal(crawl_totals(crawl).pages, 50);
    assert_int_equal(crawl_totals(crawl).forgotten, 451);
    assert_int_equal(crawl_totals(crawl).lines, 1012);
    assert_int_equal(report(&cloaks), 1);
    end();
}

static void test_audience(void **state)
{
    static const struct {
        const char *address;
        const char *agent;
        const char *referrer;
        enum crawl_audience audience;
    } cases[] = {
        {"66.249.95.255", BOT, "", CRAWL_AUDIENCE_ENGINE},
        {"66.249.96.0", BOT, "", CRAWL_AUDIENCE_NONE},
        {"::ffff:66.249.64.1", BOT, "", CRAWL_AUDIENCE_ENGINE},
        {"2001:4860:4801:10::1", BOT, "", CRAWL_AUDIENCE_ENGINE},
        {"2001:4860:4802::1", BOT, "", CRAWL_AUDIENCE_NONE},
        {"not an address", BOT, "", CRAWL_AUDIENCE_NONE},
        {"1.2.3.4", PEOPLE, SEARCH, CRAWL_AUDIENCE_SEARCH},
        {"1.2.3.4", PEOPLE, "https://coccoc.com/search?query=x", CRAWL_AUDIENCE_SEARCH},
        {"1.2.3.4", PEOPLE, "https://notgoogle.example/google.com", CRAWL_AUDIENCE_PEOPLE},
        {"1.2.3.4", PEOPLE, "google.com", CRAWL_AUDIENCE_PEOPLE},
        {"1.2.3.4", "", "", CRAWL_AUDIENCE_NONE},
        {"1.2.3.4", "python-requests/2.28", "", CRAWL_AUDIENCE_NONE},
    };

    (void)state;
    begin(10);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weblog_line line = {.address = str_from(cases[i].address),
                                   .agent = str_from(cases[i].agent),
                                   .referrer = str_from(cases[i].referrer)};
        struct str engine;

        assert_int_equal(crawl_audience(crawl, &line, &engine), cases[i].audience);
        assert_int_equal(engine.len != 0, cases[i].audience == CRAWL_AUDIENCE_ENGINE);
    }
    end();
}

/* No number of folders makes the report fail for want of room. */
static void test_many_folders(void **state)
{
    const struct crawl_cloak *cloaks = NULL;
    struct arena *small = NULL;
    char path[64];
    size_t count = 0;

    (void)state;
    begin(40000);
    assert_int_equal(arena_new(8U << 20, &small), 0); /* as the agent's */
    for (unsigned i = 0; i < 40000; i++) {
        (void)snprintf(path, sizeof(path), "/%u/no-hu/0.html", i);
        now++;
        see((struct visit){"113.160.1.1", PEOPLE, "", path, 404, 0}, 1);
        now++;
        see((struct visit){GOOGLE, BOT, "", path, 200, 30000}, 1);
    }
    assert_int_equal(crawl_report(crawl, 500, small, &cloaks, &count), 0);
    assert_int_equal(count, 0);
    arena_free(small);
    end();
}

static void test_out_of_memory(void **state)
{
    struct crawl *none = NULL;
    struct weblog_line line = {.method = STR("GET"),
                               .path = STR("/"),
                               .status = 200,
                               .agent = STR("Firefox"),
                               .address = STR("1.2.3.4")};

    (void)state;
    mem_fail_at(1);
    assert_int_equal(crawl_new(&crawl_limits_default, 1, &none), -ERR_NOMEM);
    assert_int_equal(crawl_new(&crawl_limits_default, 1, &none), 0);
    for (uint64_t nth = 1; nth <= 2; nth++) {
        mem_fail_at(nth);
        assert_int_equal(crawl_add(none, &line), -ERR_NOMEM);
        assert_int_equal(crawl_totals(none).pages, 0);
    }
    mem_fail_at(0);
    assert_int_equal(crawl_add(none, &line), 0);
    crawl_free(none);
}

/* ---- a month of whole sites, written and read as an access log */

#define SITE_SEEDS 20

struct asker {
    unsigned page;
    unsigned day; /* of 30 */
    bool is_engine;
    bool is_hand;
    bool is_search;
    bool is_foreign; /* one in five */
    bool is_member;  /* logged in: one in four */
};

struct site {
    const char *name;
    const char *path; /* of a page: before and behind its number */
    const char *tail;
    unsigned pages;
    unsigned visits;   /* of people, a page */
    bool has_hand_bot; /* half of the engine's visits, of which there are three a page */
    unsigned (*answer)(const struct asker *asker);
    bool is_fluid;    /* phones get a smaller page at the same address */
    const char *told; /* folder; NULL: it is honest */
};

static unsigned answer_all(const struct asker *asker)
{
    (void)asker;
    return 200;
}

static unsigned answer_phones_sent(const struct asker *asker)
{
    return asker->is_hand ? 302 : 200;
}

static unsigned answer_desktops_sent(const struct asker *asker)
{
    return asker->is_hand ? 200 : 302;
}

static unsigned answer_language(const struct asker *asker)
{
    return asker->is_foreign && !asker->is_engine ? 302 : 200;
}

static unsigned answer_log_in(const struct asker *asker)
{
    return asker->is_member && !asker->is_engine ? 200 : 302;
}

static unsigned answer_log_in_but_engines(const struct asker *asker)
{
    return asker->is_member || asker->is_engine ? 200 : 302;
}

static unsigned answer_moved(const struct asker *asker)
{
    return asker->day >= 12 ? 301 : 200;
}

static unsigned answer_moved_for_once(const struct asker *asker)
{
    return asker->day >= 12 ? 302 : 200;
}

static unsigned answer_sold_out(const struct asker *asker)
{
    return asker->day >= asker->page * 7 % 30 ? 404 : 200;
}

/* Engines ask for what is gone less and less; people follow old links. */
static unsigned answer_removed(const struct asker *asker)
{
    return asker->day >= 10 && !asker->is_engine ? 404 : asker->day >= 10 ? 503 : 200;
}

static unsigned answer_failed_for_a_day(const struct asker *asker)
{
    return asker->day == 12 ? 404 : 200;
}

static unsigned answer_cloak_home(const struct asker *asker)
{
    return asker->is_engine ? 200 : 302;
}

static unsigned answer_cloak_script(const struct asker *asker)
{
    return asker->is_engine || asker->is_search ? 200 : 404;
}

static unsigned answer_cloak_missing(const struct asker *asker)
{
    return asker->is_engine ? 200 : 404;
}

static unsigned answer_cloak_search_sent(const struct asker *asker)
{
    return asker->is_engine ? 200 : asker->is_search ? 302 : 404;
}

static unsigned answer_cloak_phones(const struct asker *asker)
{
    return asker->is_engine ? 200 : asker->is_hand && asker->is_search ? 302 : 404;
}

static const struct site sites[] = {
    {"phones to m.", "/tin-tuc/", ".html", 60, 1, false, answer_phones_sent, false, NULL},
    {"phones to m., busy", "/tin-tuc/", ".html", 20, 40, false, answer_phones_sent, false, NULL},
    {"phones to m., engines too", "/tin-tuc/", ".html", 60, 2, true, answer_phones_sent, false,
     NULL},
    {"m. sends desktops away", "/tin/", ".html", 60, 1, true, answer_desktops_sent, false, NULL},
    {"small pages for phones", "/tin/", ".html", 20, 20, false, answer_all, true, NULL},
    {"small pages for phones, engines too", "/tin/", ".html", 20, 20, true, answer_all, true, NULL},
    {"foreigners to /en/", "/gioi-thieu/", ".html", 60, 2, true, answer_language, false, NULL},
    {"foreigners to /en/, seldom", "/gioi-thieu/", ".html", 60, 1, true, answer_language, false,
     NULL},
    {"log-in", "/ho-so/", "", 60, 3, true, answer_log_in, false, NULL},
    {"log-in, not for engines", "/bao/", ".html", 60, 2, true, answer_log_in_but_engines, false,
     NULL},
    {"moved for good", "/cu/", ".html", 60, 2, true, answer_moved, false, NULL},
    {"moved for good, busy", "/cu/", ".html", 20, 40, true, answer_moved, false, NULL},
    {"moved by 302", "/cu/", ".html", 60, 2, true, answer_moved_for_once, false, NULL},
    {"sold out", "/san-pham/", "", 100, 2, true, answer_sold_out, false, NULL},
    {"sold out, busy", "/san-pham/", "", 20, 40, true, answer_sold_out, false, NULL},
    {"removed", "/su-kien/", ".html", 20, 40, true, answer_removed, false, NULL},
    {"failed for a day", "/van-ban/", ".html", 100, 2, true, answer_failed_for_a_day, false, NULL},
    {"a folder a page", "/chuyen-muc-", "/index.html", 100, 2, true, answer_failed_for_a_day, false,
     NULL},
    {"home", "/no-hu/", ".html", 100, 1, true, answer_cloak_home, false, "/no-hu/"},
    {"home, engine as desktop", "/no-hu/", ".html", 100, 1, false, answer_cloak_home, false,
     "/no-hu/"},
    {"script for searchers", "/no-hu/", ".html", 200, 2, true, answer_cloak_script, false,
     "/no-hu/"},
    {"missing", "/no-hu/", ".html", 100, 1, true, answer_cloak_missing, false, "/no-hu/"},
    {"searchers sent on", "/no-hu/", ".html", 100, 2, true, answer_cloak_search_sent, false,
     "/no-hu/"},
    {"phones sent on", "/no-hu/", ".html", 100, 2, false, answer_cloak_phones, false, "/no-hu/"},
    {"folders", "/no-hu-", "/index.html", 100, 1, true, answer_cloak_missing, false, "/"},
    {"folders below", "/tai/no-hu-", "/x.php", 100, 2, true, answer_cloak_script, false, "/tai/"},
};

static void site_log(struct weblog_format *format, const struct site *site,
                     const struct asker *asker)
{
    char line[1024];
    char address[32] = GOOGLE;
    unsigned status = site->answer(asker);
    unsigned served = site->is_fluid && asker->is_hand ? 17204 : 41830;
    const char *agent =
        asker->is_engine ? (asker->is_hand ? BOT_HAND : BOT) : (asker->is_hand ? PHONE : PEOPLE);
    struct weblog_line entry;

    if (!asker->is_engine) {
        (void)snprintf(address, sizeof(address), "113.160.%u.%u", asker->page % 50,
                       1 + asker->day * 7 % 200);
    }
    (void)snprintf(
        line, sizeof(line),
        "%s - - [%02u/Oct/2026:%02u:10:00 +0700] \"GET %s%u%s HTTP/1.1\" %u %u \"%s\" \"%s\"",
        address, 1 + asker->day, asker->page % 24, site->path, asker->page, site->tail, status,
        status == 200 ? served : 162, asker->is_search ? SEARCH : "-", agent);
    assert_int_equal(weblog_read(format, str_from(line), &entry), 1);
    assert_int_equal(crawl_add(crawl, &entry), 0);
}

static void site_visit(struct weblog_format *format, const struct site *site, struct prng *prng,
                       bool is_engine)
{
    struct asker asker = {.page = (unsigned)prng_below(prng, site->pages),
                          .day = (unsigned)prng_below(prng, 30),
                          .is_engine = is_engine,
                          .is_hand = is_engine ? site->has_hand_bot && prng_below(prng, 2) == 0
                                               : prng_below(prng, 10) < 7,
                          .is_search = !is_engine && prng_below(prng, 2) == 0,
                          .is_foreign = prng_below(prng, 5) == 0,
                          .is_member = prng_below(prng, 4) == 0};

    site_log(format, site, &asker);
}

static bool site_is_judged_well(const struct site *site, uint64_t seed)
{
    const struct crawl_cloak *cloaks = NULL;
    struct weblog_format format;
    struct prng prng;
    bool is_well;
    size_t count;

    begin(1000);
    prng_init(&prng, seed);
    assert_int_equal(weblog_format_init(&format, STR("combined"), NULL), 0);
    for (unsigned i = 0; i < site->pages * 3; i++) {
        site_visit(&format, site, &prng, true);
    }
    for (unsigned i = 0; i < site->pages * site->visits; i++) {
        site_visit(&format, site, &prng, false);
    }
    count = report(&cloaks);
    is_well = site->told == NULL ? count == 0 : false;
    for (size_t i = 0; i < count && site->told != NULL; i++) {
        is_well = is_well || (cloaks[i].pages >= 5 && str_is_text(cloaks[i].path, site->told));
    }
    end();
    return is_well;
}

static void test_sites(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
        unsigned well = 0;

        for (uint64_t seed = 1; seed <= SITE_SEEDS; seed++) {
            well += site_is_judged_well(&sites[i], seed);
        }
        if (well != SITE_SEEDS) {
            print_error("%s: judged well %u times of %d\n", sites[i].name, well, SITE_SEEDS);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cloak_by_status), cmocka_unit_test(test_cloak_by_referrer),
        cmocka_unit_test(test_cloak_of_phones), cmocka_unit_test(test_cloak_by_size),
        cmocka_unit_test(test_cloak_by_folder), cmocka_unit_test(test_honest_folders),
        cmocka_unit_test(test_honest),          cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_audience),        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_sites),           cmocka_unit_test(test_many_folders),
    };

    return cmocka_run_group_tests_name("crawl", tests, NULL, NULL);
}
