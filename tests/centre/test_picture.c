/* What pages look like, as the process that fetches pages sends it, to what a person is told and
 * may see of it. */
#include "site_bench.h"

#include "codec/png.h"
#include "detect/deface/visual.h"

#include "base/banned.h"

#define WIDTH  64
#define HEIGHT 48

/* One of two pages that have nothing in common. */
static void send_picture(int64_t site, const char *url, bool is_dark, const char *spoilt)
{
    static struct msg_writer msg;
    static uint8_t rgb[WIDTH * HEIGHT * 3];
    struct picture drawn = {.width = WIDTH, .height = HEIGHT, .rgb = rgb};
    struct fetch_picture sent = {
        .site = (uint64_t)site, .url = str_from(url), .time = clock_wall(&rig.clock)};
    struct visual visual;
    struct buf bytes;
    struct buf png;
    int fd;

    for (unsigned i = 0; i < WIDTH * HEIGHT; i++) {
        bool is_ink = is_dark ? i / WIDTH > 30 && i % WIDTH > 40 : i / WIDTH < 9 || i % WIDTH < 12;

        memset(rgb + (size_t)i * 3, is_dark == is_ink ? 230 : 12, 3);
    }
    if (!is_dark) {
        for (unsigned i = 0; i < sizeof(rgb); i++) {
            rgb[i] = (uint8_t)(255 - rgb[i] / 3);
        }
    }
    visual_of(rgb, WIDTH, HEIGHT, &visual);
    buf_init(&bytes, 256);
    buf_init(&png, 1 << 16);
    visual_encode(&visual, &bytes);
    assert_int_equal(picture_encode_png(&drawn, &png), 0);
    fd = memory_of(spoilt != NULL ? str_from(spoilt) : buf_str(&png));
    sent.visual = buf_str(&bytes);
    fetch_picture_put(&msg, &sent);
    fetch_send(&msg, &fd, 1);
    closep(&fd);
    buf_done(&bytes);
    buf_done(&png);
    rig.offset += NS_PER_S;
}

/* The newest picture of a site: its number, with its state checked. */
static int64_t picture_of(int64_t site, size_t count, const char *state)
{
    struct answer answer;
    const struct json_value *items;
    int64_t number;

    ask("GET", path_of("/api/v1/sites/%lld/pictures", (long long)site), viewer, NULL, 200, &answer);
    items = json_member(answer.json, "items");
    assert_int_equal(items->count, count);
    assert_str(json_member_str(items->first, "state", STR("")), state);
    number = json_member_i64(items->first, "number", 0);
    answer_done(&answer);
    return number;
}

static void expect_verdict(int64_t site, const char *verdict)
{
    struct answer answer;

    ask("GET", path_of("/api/v1/sites/%lld", (long long)site), viewer, NULL, 200, &answer);
    assert_str(json_member_str(answer.json, "verdict", STR("")), verdict);
    answer_done(&answer);
}

static int64_t begin(const char *name, const char *url)
{
    int64_t site = add_site(name, url, "portal");
    struct site_check good = fine(site, url);

    look(&good, "Tin tức|Lịch công tác", STR(""));
    send_picture(site, url, false, NULL);
    (void)picture_of(site, 1, "learned");
    rig.offset += 15 * NS_PER_S;
    return site;
}

static void look_fine(int64_t site, const char *url)
{
    struct site_check good = fine(site, url);

    look(&good, NULL, STR(""));
    rig.offset += 15 * NS_PER_S;
}

/* Seen twice before anybody is told, odd and no more; quiet looks in between change nothing. */
static void test_picture_alone(void **state)
{
    const char *url = "https://alone.example.gov.vn/";
    static struct channel_packet packet;
    int64_t site = begin("Cổng một", url);
    struct answer answer;
    uint64_t number;
    struct str where;
    bool is_ours = true;

    (void)state;
    send_picture(site, url, true, NULL);
    (void)picture_of(site, 2, "odd");
    assert_int_equal(count_alerts(site), 0);
    fetch_receive(CENTRE_MESSAGE_LOOK, &packet); /* look again */
    assert_int_equal(fetch_look_get(&packet.msg, &number, &where, &is_ours), 0);
    assert_true(number == (uint64_t)site && !is_ours);
    channel_packet_done(&packet);
    look_fine(site, url);
    expect_verdict(site, "ok");

    send_picture(site, url, true, NULL);
    (void)alert_of(site, "new", "medium", STR("A page has changed in an unusual way"));
    expect_verdict(site, "yellow");
    look_fine(site, url);
    look_fine(site, url);
    expect_verdict(site, "yellow");
    assert_int_equal(count_alerts(site), 1);
    (void)change_of(site, &answer);
    assert_true(json_member_bool(json_member(answer.json, "items")->first, "has_after", false));
    answer_done(&answer);

    send_picture(site, url, false, NULL);
    look_fine(site, url);
    expect_verdict(site, "ok");
    (void)alert_of(site, "new", "medium", STR("The page shows nothing odd any more"));
}

static void look_yellow(int64_t site, const char *url, const struct site_reason *reason)
{
    struct site_check odd = fine(site, url);

    odd.verdict = SITE_VERDICT_YELLOW;
    odd.is_confirmed = true;
    odd.layers = 1U << reason->layer;
    odd.reasons = reason;
    odd.reason_count = 1;
    odd.body_sha256[0] = 7;
    look(&odd, "Tin tức|Bị chiếm", STR(""));
}

static void test_with_another_layer(void **state)
{
    static const struct site_reason boast = {
        .layer = SITE_LAYER_CONTENT, .what = STR("boast_page"), .score = 6};
    static const struct site_reason redesign = {
        .layer = SITE_LAYER_PROFILE, .what = STR("page-replaced"), .score = 7};
    const char *attacked = "https://attacked.example.gov.vn/";
    const char *redesigned = "https://redesigned.example.gov.vn/";
    int64_t one = begin("Cổng hai", attacked);
    int64_t other = begin("Cổng ba", redesigned);
    struct answer answer;

    (void)state;
    look_yellow(one, attacked, &boast);
    expect_verdict(one, "yellow");
    send_picture(one, attacked, true, NULL);
    expect_verdict(one, "red");
    (void)alert_of(one, "new", "critical", STR("Foreign content was planted in a page"));

    look_yellow(other, redesigned, &redesign);
    send_picture(other, redesigned, true, NULL);
    send_picture(other, redesigned, true, NULL);
    expect_verdict(other, "yellow"); /* a redesign changes both: no second layer of intent */

    ask("GET", "/api/v1/pictures", viewer, NULL, 200, &answer);
    assert_in_range(json_member(answer.json, "items")->count, 2, 4);
    answer_done(&answer);
}

static void test_ours_is_learned(void **state)
{
    const char *url = "https://ours.example.gov.vn/";
    int64_t site = begin("Cổng bốn", url);
    struct answer answer;
    int64_t change;

    (void)state;
    send_picture(site, url, true, NULL);
    send_picture(site, url, true, NULL);
    change = change_of(site, &answer);
    answer_done(&answer);
    expect("POST",
           path_of("/api/v1/sites/%lld/changes/%lld/ours", (long long)site, (long long)change),
           duty, "{}", 204);
    rig.offset += 11 * NS_PER_S;
    core_watch_tick(rig.core);
    (void)core_batch_commit(rig.core);
    (void)picture_of(site, 2, "learned");
    look_fine(site, url);
    expect_verdict(site, "ok");
    send_picture(site, url, true, NULL);
    assert_int_equal(count_alerts(site), 1);
}

static void test_who_may_see(void **state)
{
    const char *url = "https://seen.example.gov.vn/";
    int64_t site = begin("Cổng năm", url);
    int64_t other = begin("Cổng sáu", "https://other.example.gov.vn/");
    int64_t number = picture_of(site, 1, "learned");
    struct answer answer;

    (void)state;
    ask("GET", path_of("/api/v1/sites/%lld/pictures/%lld", (long long)site, (long long)number),
        viewer, NULL, 200, &answer);
    assert_string_equal(answer_header(&answer, "Content-Type"), "image/png");
    assert_string_equal(answer_header(&answer, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(answer_header(&answer, "Cross-Origin-Resource-Policy"), "same-origin");
    assert_memory_equal(answer.body.ptr, "\x89PNG", 4);
    answer_done(&answer);
    expect("GET", path_of("/api/v1/sites/%lld/pictures/%lld", (long long)site, (long long)number),
           "", NULL, 401);
    expect("GET", path_of("/api/v1/sites/%lld/pictures/%lld", (long long)other, (long long)number),
           viewer, NULL, 404);
    send_picture(site, url, true, "<svg onload='alert(1)'/>"); /* no PNG: never kept */
    (void)picture_of(site, 1, "learned");
    send_picture(site, "https://seen.example.gov.vn/nowhere", true, NULL);
    (void)picture_of(site, 1, "learned");
    expect("POST", path_of("/api/v1/sites/%lld/drop", (long long)site), admin,
           "{\"reason\":\"thử\"}", 204);
    expect("GET", path_of("/api/v1/sites/%lld/pictures/%lld", (long long)site, (long long)number),
           viewer, NULL, 404);
}

/* Of one page so many are kept, however often it changes; what nothing names goes. */
static void test_few_are_kept(void **state)
{
    const char *url = "https://many.example.gov.vn/";
    int64_t site = begin("Cổng bảy", url);

    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        send_picture(site, url, i % 2 == 0, NULL); /* the same two: no rows of their own */
    }
    (void)picture_of(site, 2, "learned");
    rig.offset += 91 * 86400 * NS_PER_S;
    core_watch_expire(rig.core);
    (void)core_batch_commit(rig.core);
    expect("GET", path_of("/api/v1/sites/%lld/pictures", (long long)site), viewer, NULL, 401);
    rig_login(&rig, "viewer", viewer); /* a session does not last so long */
    {
        struct answer answer;

        ask("GET", path_of("/api/v1/sites/%lld/pictures", (long long)site), viewer, NULL, 200,
            &answer);
        assert_int_equal(json_member(answer.json, "items")->count, 0);
        answer_done(&answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_picture_alone),   cmocka_unit_test(test_with_another_layer),
        cmocka_unit_test(test_ours_is_learned), cmocka_unit_test(test_who_may_see),
        cmocka_unit_test(test_few_are_kept),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
