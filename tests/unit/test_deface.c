/* The judge of watched pages on a small portal of our own: what its editors do is no alarm, what
 * intruders do is, and a page that did not come whole is unknown. Profiles come back from bytes as
 * they were, and hostile bytes are refused. */
#include "prop.h"

#include "base/cleanup.h"
#include "base/time.h"
#include "detect/deface/deface.h"
#include "detect/deface/profile.h"

#define DAY_NS (24 * 3600 * NS_PER_S)

struct world {
    struct deface_model *model;
    struct deface_site *site;
    struct deface_profile *profile;
    struct arena *arena;
    char portal[8192];
    int64_t time;
    unsigned tick;
};

static bool listed(void *context, struct str host, struct str *ret_list)
{
    (void)context;
    *ret_list = STR("gambling");
    return str_is(host, STR("bet.example")) || str_has_suffix(host, STR(".bet.example"));
}

static void world_open(struct world *world)
{
    static const struct deface_lists lists = {.has_host = listed};
    FILE *file = fopen(TESTS_FOLDER "/data/deface/portal.html", "rb");

    *world = (struct world){.time = 1700000000 * NS_PER_S};
    assert_non_null(file);
    assert_true(fread(world->portal, 1, sizeof(world->portal) - 1, file) > 0);
    (void)fclose(file);
    assert_int_equal(deface_model_new(&lists, &world->model), 0);
    assert_int_equal(deface_site_new(&world->site), 0);
    assert_int_equal(deface_profile_new(&world->profile), 0);
    assert_int_equal(arena_new(PAGE_ARENA_MAX * 2, &world->arena), 0);
}

static void world_close(struct world *world)
{
    deface_model_free(world->model);
    deface_site_free(world->site);
    deface_profile_free(world->profile);
    arena_free(world->arena);
}

/* The portal with %TICK% as a running number and %NEW% as what is new. */
static struct str portal_with(struct world *world, const char *more)
{
    struct str rest = str_from(world->portal);
    struct buf buf;
    struct str whole;

    buf_init(&buf, 1 << 20);
    world->tick++;
    while (rest.len != 0) {
        size_t at = str_find(rest, STR("%"));

        (void)buf_put_str(&buf, str_slice(rest, 0, at));
        rest = str_slice(rest, at, rest.len);
        if (str_has_prefix(rest, STR("%TICK%"))) {
            (void)buf_putf(&buf, "%u", world->tick);
            rest = str_slice(rest, 6, rest.len);
        } else if (str_has_prefix(rest, STR("%NEW%"))) {
            (void)buf_put_text(&buf, more);
            rest = str_slice(rest, 5, rest.len);
        } else if (rest.len != 0) {
            (void)buf_put_byte(&buf, '%');
            rest = str_slice(rest, 1, rest.len);
        }
    }
    whole = arena_copy(world->arena, buf_str(&buf));
    buf_done(&buf);
    return whole;
}

static struct deface_look look_at(struct world *world, struct str body, enum site_view view)
{
    const struct page_options options = {.url = STR("https://binhan.example/")};
    struct page *page = arena_alloc(world->arena, 1, sizeof(*page));

    assert_non_null(page);
    assert_int_equal(page_read(&options, body, world->arena, page), 0);
    world->time += DAY_NS / 2;
    return (struct deface_look){.page = page, .view = view, .status = 200, .time = world->time};
}

static struct deface_verdict judge(struct world *world, const struct deface_look *look)
{
    struct deface_verdict verdict;

    assert_int_equal(
        deface_judge(world->model, world->site, world->profile, look, world->arena, &verdict), 0);
    return verdict;
}

static struct deface_verdict see(struct world *world, struct str body, enum site_view view)
{
    struct deface_look look = look_at(world, body, view);
    struct deface_verdict verdict = judge(world, &look);

    assert_int_equal(deface_learn(world->site, world->profile, &look, &verdict), 0);
    return verdict;
}

static void world_learn(struct world *world)
{
    for (unsigned i = 0; i < DEFACE_LEARN_LOOKS; i++) {
        struct deface_verdict verdict;

        arena_reset(world->arena);
        verdict = see(world, portal_with(world, ""), SITE_VIEW_DESKTOP);
        assert_true(verdict.is_learning);
        assert_true(verdict.verdict == SITE_VERDICT_OK || verdict.verdict == SITE_VERDICT_CHANGED);
    }
}

static bool has_reason(const struct deface_verdict *verdict, const char *what)
{
    for (size_t i = 0; i < verdict->reason_count; i++) {
        if (str_is_text(verdict->reasons[i].what, what)) {
            return true;
        }
    }
    return false;
}

/* A calm page with a charge below it would alarm whoever reads it. */
static void test_quiet_pages_are_not_charged(void **state)
{
    static const char *const pages[] = {
        "<p>tin 0</p><p>tin 1</p><p>tin 2</p><p>tin 3</p><p>tin 4</p><p>tin 5</p>",
        "<title>Just a moment...</title><p>Checking your browser</p>"};
    struct world world;

    (void)state;
    world_open(&world);
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        struct deface_look look = look_at(&world, str_from(pages[i]), SITE_VIEW_DESKTOP);
        struct deface_verdict verdict = judge(&world, &look);

        assert_true(verdict.verdict < SITE_VERDICT_YELLOW);
        assert_false(has_reason(&verdict, "boast_page"));
    }
    world_close(&world);
}

static const struct golden {
    const char *more;
    enum site_verdict verdict;
    const char *reason; /* NULL: none is asked for */
} goldens[] = {
    {"", SITE_VERDICT_OK, NULL},
    {"<p>Thông báo tuyển dụng viên chức năm nay của xã</p>", SITE_VERDICT_CHANGED, NULL},
    {"<p>Tòa án xét xử đường dây cá độ, lô đề; công an khởi tố 5 bị can</p>", SITE_VERDICT_CHANGED,
     NULL},
    {"<p>Ngân hàng Chính sách giải ngân vốn vay ưu đãi cho hộ nghèo</p>", SITE_VERDICT_CHANGED,
     NULL},
    {"<p>Website của huyện bị tin tặc tấn công, công an đang điều tra</p>", SITE_VERDICT_CHANGED,
     NULL},
    {"<p>Quản trị viên cần cập nhật bản vá lỗ hổng bảo mật máy chủ</p>", SITE_VERDICT_CHANGED,
     NULL},
    {"<p>Hacked by Gió Đêm. Patch your system, admin!</p>", SITE_VERDICT_RED, "boast"},
    {"<p>Trang web này đã bị hack bởi Gió Đêm, vá lỗ hổng đi admin</p>", SITE_VERDICT_RED, "boast"},
    {"<p>trang web nay da bi chiem quyen boi Gio Dem Team</p>", SITE_VERDICT_RED, "boast"},
    {"<p>Situs ini telah diretas oleh Gio Dem Crew, maaf admin</p>", SITE_VERDICT_RED, "boast"},
    {"<p>H4ck3d by G10 D3m - gr33tz to all</p>", SITE_VERDICT_RED, "boast"},
    {"<p>Selamat malam dari laut</p>", SITE_VERDICT_YELLOW, "new_place"},
    {"<p>Tin tặc đánh sập trang của một trường, công an huyện đã khôi phục</p>",
     SITE_VERDICT_CHANGED, NULL},
    {"<link rel='stylesheet' href='https://fonts.nha-cung-cap.example/a.css'>", SITE_VERDICT_OK,
     NULL},
    {"<link rel='stylesheet' href='https://nhacai-uytin88.example/a.css'>", SITE_VERDICT_YELLOW,
     "odd_host"},
    {"<p><a href='https://youtu.be/abc'>Video lễ hội</a></p>", SITE_VERDICT_CHANGED, NULL},
    {"<a href='https://www.bet.example/vn'>tin</a>", SITE_VERDICT_RED, "listed_host"},
    {"<p><a href='https://nhacai79.vip/'>Nhà cái uy tín</a> <a href='https://nhacai79.vip/a'>nổ hũ "
     "đổi thưởng</a> đăng ký nhận 100k</p>",
     SITE_VERDICT_RED, "topic"},
    {"<p><a href='https://nhacai79.vip/'>n.h.à c.á.i u.y t.í.n</a> <a "
     "href='https://nhacai79.vip/b'>"
     "n\u200bổ h\u200bũ đ\u043ei thưởng</a></p>",
     SITE_VERDICT_RED, "topic"},
    {"<div style='display:none'><a href='https://nhacai79.vip/'>nhà cái uy tín, cá cược bóng đá"
     "</a></div>",
     SITE_VERDICT_RED, "hidden_link"},
    {"<form action='https://thu.example/x'><input type='password' name='p'></form>",
     SITE_VERDICT_RED, "password_away"},
};

static void test_goldens(void **state)
{
    struct world world;

    (void)state;
    world_open(&world);
    world_learn(&world);
    for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
        struct deface_look look =
            look_at(&world, portal_with(&world, goldens[i].more), SITE_VIEW_DESKTOP);
        struct deface_verdict verdict = judge(&world, &look);

        if (verdict.verdict != goldens[i].verdict) {
            fail_msg("%s: %s at %.2f", goldens[i].more, site_verdict_name(verdict.verdict),
                     verdict.score);
        }
        assert_false(verdict.is_learning);
        assert_true(goldens[i].reason == NULL || has_reason(&verdict, goldens[i].reason));
        assert_int_equal(verdict.needs_confirmation, verdict.verdict >= SITE_VERDICT_YELLOW);
    }
    world_close(&world);
}

/* A page that was never learned has only itself to tell. */
static void test_strangers(void **state)
{
    static const struct golden strangers[] = {
        {"<title>hello</title><body bgcolor=black text=red><center><h1>Gio Dem</h1>"
         "<p>nothing personal</p></center>",
         SITE_VERDICT_YELLOW, "boast_page"},
        {"<title>Nhật ký</title><body bgcolor=black text=white><center><h1>Gió Đêm</h1>"
         "<p>Xin chào các bạn, hôm nay trời đẹp.</p></center>",
         SITE_VERDICT_CHANGED, NULL},
        {"<title>Tin</title><p>Website của huyện bị tin tặc tấn công, công an đang điều tra</p>",
         SITE_VERDICT_CHANGED, NULL},
    };
    struct world world;

    (void)state;
    world_open(&world);
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        struct deface_look look = look_at(&world, str_from(strangers[i].more), SITE_VIEW_DESKTOP);
        struct deface_verdict verdict = judge(&world, &look);

        if (verdict.verdict != strangers[i].verdict) {
            fail_msg("%s: %s at %.2f", strangers[i].more, site_verdict_name(verdict.verdict),
                     verdict.score);
        }
        assert_true(verdict.is_learning);
        assert_true(strangers[i].reason == NULL || has_reason(&verdict, strangers[i].reason));
    }
    world_close(&world);
}

static void test_replaced(void **state)
{
    struct deface_verdict verdict;
    struct world world;

    (void)state;
    world_open(&world);
    world_learn(&world);
    verdict = see(&world,
                  STR("<html><head><title>Hacked by Bóng Ma</title></head><body bgcolor=black>"
                      "<h1>HACKED BY BÓNG MA</h1>Chào admin, bảo mật quá kém</body></html>"),
                  SITE_VIEW_DESKTOP);
    assert_int_equal(verdict.verdict, SITE_VERDICT_RED);
    assert_true(has_reason(&verdict, "boast_page"));
    assert_true(verdict.reasons[0].snippet.len != 0);
    verdict = see(&world, portal_with(&world, ""), SITE_VIEW_DESKTOP);
    assert_true(verdict.verdict == SITE_VERDICT_OK); /* nothing was learned from the red one */
    world_close(&world);
}

static void test_unknown(void **state)
{
    static const struct {
        const char *body;
        enum site_failure failure;
    } cases[] = {
        {"", SITE_FAILURE_BLANK},
        {"<html><title>Just a moment...</title><body>Checking your browser</body></html>",
         SITE_FAILURE_CAPTCHA},
        {"<html><title>Access Denied</title><body>Your support ID is 5</body></html>",
         SITE_FAILURE_FIREWALL},
        {"<html><body>Hệ thống đang bảo trì, vui lòng quay lại sau</body></html>",
         SITE_FAILURE_STATUS},
        {"<html lang=vi><title>Cổng thông tin điện tử xã Bình An</title><script src=/js/trang.js>"
         "</script><body>Trang chủ</body></html>",
         SITE_FAILURE_PARTIAL},
    };
    struct deface_look nothing = {.failure = SITE_FAILURE_TIMEOUT};
    struct world world;

    (void)state;
    world_open(&world);
    world_learn(&world);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct deface_look look = look_at(&world, str_from(cases[i].body), SITE_VIEW_DESKTOP);
        struct deface_verdict verdict = judge(&world, &look);

        assert_int_equal(verdict.verdict, SITE_VERDICT_UNKNOWN);
        assert_int_equal(verdict.failure, cases[i].failure);
    }
    assert_int_equal(judge(&world, &nothing).verdict, SITE_VERDICT_UNKNOWN);
    assert_int_equal(judge(&world, &nothing).failure, SITE_FAILURE_TIMEOUT);
    world_close(&world);
}

static void test_views(void **state)
{
    struct deface_verdict verdict;
    struct deface_look missing;
    struct world world;

    (void)state;
    world_open(&world);
    world_learn(&world);
    verdict = see(&world, portal_with(&world, ""), SITE_VIEW_CRAWLER);
    assert_true(verdict.verdict == SITE_VERDICT_OK || verdict.verdict == SITE_VERDICT_CHANGED);
    verdict =
        see(&world,
            portal_with(&world, "<h2>Nhà cái uy tín số 1</h2><p>Đăng ký chơi tài xỉu, nạp rút "
                                "nhanh, tặng 100k cho thành viên mới</p>"),
            SITE_VIEW_CRAWLER);
    assert_int_equal(verdict.verdict, SITE_VERDICT_RED);
    assert_true((verdict.layers & 1U << SITE_LAYER_CLOAK) != 0);
    missing = look_at(&world, STR("<h1>404</h1>"), SITE_VIEW_CRAWLER);
    missing.kind = SITE_PAGE_MISSING;
    missing.status = 404;
    assert_int_equal(judge(&world, &missing).verdict, SITE_VERDICT_OK);
    missing = look_at(&world, STR("<h1>403 Forbidden</h1>"), SITE_VIEW_CRAWLER);
    missing.kind = SITE_PAGE_UPLOADS;
    missing.status = 403;
    verdict = judge(&world, &missing);
    assert_int_equal(verdict.verdict, SITE_VERDICT_OK);
    assert_false(verdict.needs_confirmation);
    missing.status = 503;
    assert_int_equal(judge(&world, &missing).verdict, SITE_VERDICT_UNKNOWN);
    world_close(&world);
}

/* Most sites have neither robots.txt nor a sitemap: that is as it should be, however often it is
 * seen, and is not asked twice. One that goes is another thing. */
static void test_extras_that_a_site_lacks(void **state)
{
    static const struct {
        enum site_page kind;
        uint32_t status;
        enum site_verdict verdict;
    } cases[] = {{SITE_PAGE_ROBOTS, 404, SITE_VERDICT_OK},
                 {SITE_PAGE_SITEMAP, 410, SITE_VERDICT_OK},
                 {SITE_PAGE_ROBOTS, 404, SITE_VERDICT_OK},
                 {SITE_PAGE_ROBOTS, 403, SITE_VERDICT_UNKNOWN},
                 {SITE_PAGE_SITEMAP, 503, SITE_VERDICT_UNKNOWN},
                 {SITE_PAGE_LISTED, 404, SITE_VERDICT_UNKNOWN}};
    struct deface_verdict verdict;
    struct profile_view *view = NULL;
    struct deface_look look;
    struct world world;

    (void)state;
    world_open(&world);
    look = look_at(&world, STR("<h1>404 Not Found</h1>"), SITE_VIEW_CRAWLER);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        look.kind = cases[i].kind;
        look.status = cases[i].status;
        verdict = judge(&world, &look);
        assert_int_equal(verdict.verdict, cases[i].verdict);
        assert_int_equal(verdict.needs_confirmation, cases[i].verdict == SITE_VERDICT_UNKNOWN);
        assert_int_equal(deface_learn(world.site, world.profile, &look, &verdict), 0);
        assert_int_equal(profile_view_make(world.profile, SITE_VIEW_CRAWLER, &view), 0);
        assert_int_equal(view->looks, 0);
        view->verdict = SITE_VERDICT_OK; /* each is news */
    }
    world_learn(&world); /* one that was there has gone */
    look = look_at(&world, STR("<h1>404 Not Found</h1>"), SITE_VIEW_DESKTOP);
    look.kind = SITE_PAGE_ROBOTS;
    look.status = 404;
    assert_int_equal(judge(&world, &look).verdict, SITE_VERDICT_UNKNOWN);
    assert_true(judge(&world, &look).needs_confirmation);
    world_close(&world);
}

static void test_ours(void **state)
{
    static const char news[] =
        "<form action='https://thu.example/x'><input type='password'></form>";
    struct deface_verdict verdict;
    struct deface_look look;
    struct world world;

    (void)state;
    world_open(&world);
    world_learn(&world);
    look = look_at(&world, portal_with(&world, news), SITE_VIEW_DESKTOP);
    verdict = judge(&world, &look);
    assert_int_equal(verdict.verdict, SITE_VERDICT_RED);
    look.is_own_change = true; /* a person said so */
    assert_int_equal(deface_learn(world.site, world.profile, &look, &verdict), 0);
    verdict = see(&world, portal_with(&world, news), SITE_VIEW_DESKTOP);
    assert_true(verdict.verdict == SITE_VERDICT_OK || verdict.verdict == SITE_VERDICT_CHANGED);
    world_close(&world);
}

static void encode(const struct world *world, struct buf *profile, struct buf *site)
{
    buf_init(profile, DEFACE_PROFILE_MAX * SITE_VIEW_COUNT);
    buf_init(site, DEFACE_SITE_MAX);
    assert_int_equal(deface_profile_encode(world->profile, profile), 0);
    assert_int_equal(deface_site_encode(world->site, site), 0);
}

/* Learning goes on from bytes as it would have from memory. */
static const char *prop_codec(struct prop *prop)
{
    struct buf first[2];
    struct buf second[2];
    struct world world;
    const char *broke = NULL;

    world_open(&world);
    for (uint64_t looks = 1 + prop_below(prop, 8); looks != 0; looks--) {
        enum site_view view = (enum site_view)prop_below(prop, SITE_VIEW_COUNT);
        struct str text = prop_text(prop, 40);

        (void)see(&world, portal_with(&world, arena_copy(prop->arena, text).ptr), view);
        if (looks == 1 || prop_bool(prop)) {
            encode(&world, &first[0], &first[1]);
            deface_profile_free(world.profile);
            deface_site_free(world.site);
            assert_int_equal(deface_profile_decode(buf_str(&first[0]), &world.profile), 0);
            assert_int_equal(deface_site_decode(buf_str(&first[1]), &world.site), 0);
            encode(&world, &second[0], &second[1]);
            if (!str_is(buf_str(&first[0]), buf_str(&second[0])) ||
                !str_is(buf_str(&first[1]), buf_str(&second[1]))) {
                broke = "what was decoded encodes as something else";
            }
            for (unsigned i = 0; i < 2; i++) {
                buf_done(&first[i]);
                buf_done(&second[i]);
            }
        }
    }
    world_close(&world);
    return broke;
}

static void test_codec(void **state)
{
    (void)state;
    prop_check("codec", prop_codec, 60);
}

/* Two worlds with one key: one goes through bytes after each look. */
static void test_learns_alike(void **state)
{
    struct buf bytes[4];
    struct world a;
    struct world b;

    (void)state;
    world_open(&a);
    world_open(&b);
    b.profile->key = a.profile->key;
    b.site->key = a.site->key;
    for (unsigned i = 0; i < 12; i++) {
        const char *more = i % 3 == 0 ? "<p>Tin mới trong ngày</p>" : "";

        (void)see(&a, portal_with(&a, more), SITE_VIEW_DESKTOP);
        (void)see(&b, portal_with(&b, more), SITE_VIEW_DESKTOP);
        encode(&b, &bytes[0], &bytes[1]);
        deface_profile_free(b.profile);
        deface_site_free(b.site);
        assert_int_equal(deface_profile_decode(buf_str(&bytes[0]), &b.profile), 0);
        assert_int_equal(deface_site_decode(buf_str(&bytes[1]), &b.site), 0);
        encode(&a, &bytes[2], &bytes[3]);
        assert_true(str_is(buf_str(&bytes[0]), buf_str(&bytes[2])));
        assert_true(str_is(buf_str(&bytes[1]), buf_str(&bytes[3])));
        for (unsigned j = 0; j < 4; j++) {
            buf_done(&bytes[j]);
        }
    }
    world_close(&a);
    world_close(&b);
}

/* A page of thousands of different blocks and links each time stays within its bytes. */
static char long_text[1101];

static void fill_long_text(void)
{
    for (size_t i = 0; i + 1 < sizeof(long_text); i++) {
        long_text[i] = "ngày: tin;"[i % 11];
    }
}

/* A counter that has moved on is the same text, wherever it stands; a word is not. */
/* What a look teaches is the same whether its hashes are handed on or made again. */
static void test_hashes(void **state)
{
    struct deface_profile *profile = NULL;
    struct deface_site *site = NULL;
    struct deface_verdict verdict;
    struct deface_look look;
    struct buf handed;
    struct buf made;
    struct world world;

    (void)state;
    world_open(&world);
    buf_init(&handed, 1 << 20);
    buf_init(&made, 1 << 20);
    world_learn(&world);
    assert_int_equal(deface_profile_encode(world.profile, &made), 0);
    assert_int_equal(deface_profile_decode(buf_str(&made), &profile), 0);
    buf_reset(&made);
    assert_int_equal(deface_site_encode(world.site, &made), 0);
    assert_int_equal(deface_site_decode(buf_str(&made), &site), 0);
    buf_reset(&made);

    look = look_at(&world, portal_with(&world, "<p>Lịch mới</p><a href=/m.html>M</a>"),
                   SITE_VIEW_DESKTOP);
    verdict = judge(&world, &look);
    assert_int_equal(verdict.verdict, SITE_VERDICT_CHANGED);
    assert_non_null(verdict.hashes);
    assert_int_equal(deface_learn(world.site, world.profile, &look, &verdict), 0);
    verdict.hashes = NULL;
    assert_int_equal(deface_learn(site, profile, &look, &verdict), 0);
    assert_int_equal(deface_profile_encode(world.profile, &handed), 0);
    assert_int_equal(deface_site_encode(world.site, &handed), 0);
    assert_int_equal(deface_profile_encode(profile, &made), 0);
    assert_int_equal(deface_site_encode(site, &made), 0);
    assert_true(str_is(buf_str(&handed), buf_str(&made)));
    deface_profile_free(profile);
    deface_site_free(site);
    buf_done(&handed);
    buf_done(&made);
    world_close(&world);
}

static void test_counters(void **state)
{
    static const size_t lengths[] = {0, 1, 7, 8, 9, 64, 1100};

    (void)state;
    fill_long_text();
    for (size_t at = 0; at < 1100; at++) {
        for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
            char texts[3][2300];
            uint32_t hashes[3];
            static const char *const middles[] = {"9", "20261", "x"};

            for (size_t j = 0; j < 3; j++) {
                int len = snprintf(texts[j], sizeof(texts[j]), "%.*s%s%.*s", (int)at, long_text,
                                   middles[j], (int)lengths[i], long_text);

                hashes[j] = profile_hash_text(7, str_of(texts[j], (size_t)len));
            }
            assert_int_equal(hashes[0], hashes[1]);
            assert_int_not_equal(hashes[0], hashes[2]);
        }
    }
}

static void test_size(void **state)
{
    struct buf page;
    struct buf profile;
    struct buf site;
    struct world world;

    (void)state;
    world_open(&world);
    buf_init(&page, 4 << 20);
    for (unsigned look = 0; look < 8; look++) {
        buf_reset(&page);
        arena_reset(world.arena);
        for (unsigned i = 0; i < 3000; i++) {
            unsigned long long mixed = (look * 3000ULL + i) * 0x9e3779b97f4a7c15ULL;

            (void)buf_putf(&page, "<p>");
            for (unsigned letter = 0; letter < 12; letter++) {
                (void)buf_put_byte(&page, (unsigned char)('a' + (mixed >> 5 * letter) % 26));
            }
            (void)buf_putf(&page, "<a href='/%c%c%c%c'>x</a></p>", (int)('a' + mixed % 26),
                           (int)('a' + mixed / 26 % 26), (int)('a' + mixed / 676 % 26),
                           (int)('a' + mixed / 17576 % 26));
        }
        (void)see(&world, buf_str(&page), SITE_VIEW_DESKTOP);
    }
    encode(&world, &profile, &site);
    assert_true(profile.len <= DEFACE_PROFILE_MAX);
    assert_true(site.len <= DEFACE_SITE_MAX);
    buf_done(&profile);
    buf_done(&site);
    buf_done(&page);
    world_close(&world);
}

static void test_refused(void **state)
{
    struct deface_profile *profile;
    struct deface_site *site;

    (void)state;
    assert_int_equal(deface_profile_decode(STR(""), &profile), -ERR_TRUNCATED);
    assert_int_equal(deface_profile_decode(STR("\x83\x18\x63\x00\x84\xf6\xf6\xf6\xf6"), &profile),
                     -ERR_VERSION);
    assert_int_equal(deface_profile_decode(STR("\x83\x01\x00\x84\xf6\xf6\xf6"), &profile),
                     -ERR_TRUNCATED);
    assert_int_equal(deface_site_decode(STR("\x86\x01\x00\x00\x83\x43"
                                            "abc\x40\x00"),
                                        &site),
                     -ERR_SYNTAX);
    /* the rows as text: the same set would have two forms */
    assert_int_equal(deface_site_decode(STR("\x86\x01\x00\x00\x83\x60\x40\x00\x83\x40\x40\x00"
                                            "\x83\x40\x40\x00"),
                                        &site),
                     -ERR_SYNTAX);
}

static int no_memory_body(void *context)
{
    struct world *world = context;
    struct deface_verdict verdict;
    struct deface_look look;
    struct page page;
    const struct page_options options = {.url = STR("https://binhan.example/")};
    int r;

    arena_reset(world->arena);
    r = page_read(&options, STR("<title>Hacked by X</title><p>hacked by x <a href=//a.top>b</a>"),
                  world->arena, &page);
    if (r < 0) {
        return r;
    }
    look = (struct deface_look){.page = &page, .status = 200};
    r = deface_judge(world->model, world->site, world->profile, &look, world->arena, &verdict);
    verdict.verdict = SITE_VERDICT_OK;
    return r < 0 ? r : deface_learn(world->site, world->profile, &look, &verdict);
}

static void test_no_memory(void **state)
{
    struct world world;

    (void)state;
    world_open(&world);
    assert_survives_no_memory(no_memory_body, &world);
    world_close(&world);
}

/* The centre's reader lets go of a page before it tells of it. */
static void test_reasons_outlive_the_page(void **state)
{
    struct world world;
    struct deface_verdict verdict;
    struct str body;
    char *bytes;

    (void)state;
    world_open(&world);
    world_learn(&world);
    body = portal_with(&world, "<div style=\"position:absolute;left:-9999px\">"
                               "<a href=\"https://nohu-x.example/\">Nổ hũ đổi thưởng, nạp rút "
                               "nhanh</a></div>");
    bytes = mem_dup(body.ptr, body.len);
    assert_non_null(bytes);
    verdict = see(&world, str_of(bytes, body.len), SITE_VIEW_DESKTOP);
    memset(bytes, '?', body.len);
    assert_int_equal(verdict.verdict, SITE_VERDICT_RED);
    for (size_t i = 0; i < verdict.reason_count; i++) {
        assert_true(str_find_byte(verdict.reasons[i].value, '?') == verdict.reasons[i].value.len);
        assert_true(verdict.reasons[i].value.ptr < bytes ||
                    verdict.reasons[i].value.ptr >= bytes + body.len);
    }
    mem_free(bytes);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quiet_pages_are_not_charged),
        cmocka_unit_test(test_goldens),
        cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_extras_that_a_site_lacks),
        cmocka_unit_test(test_ours),
        cmocka_unit_test(test_codec),
        cmocka_unit_test(test_learns_alike),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_reasons_outlive_the_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
