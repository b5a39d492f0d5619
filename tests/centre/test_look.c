/* Looks at websites as the process that fetches pages sends them, to what a person sees and says.
 */
#include "site_bench.h"

#include "base/banned.h"

#define HOME "https://so.example.gov.vn/"

static void test_defaced(void **state)
{
    static struct channel_packet packet;
    int64_t number = add_site("Cổng tỉnh", HOME, "portal");
    struct site_check good = fine(number, HOME);
    struct site_check bad = red(number, HOME);
    struct answer answer;
    const struct json_value *check;
    uint64_t site;
    struct str url;
    bool is_ours = false;
    int64_t change;
    int64_t alert;

    (void)state;
    look(&good, "Tin tức|Lịch công tác", STR(""));
    rig.offset += 15 * NS_PER_S;
    bad.time = clock_wall(&rig.clock);
    look(&bad, "Tin tức|Nhà cái uy tín <script>", STR(""));
    alert = alert_of(number, "new", "critical", STR("The home page was defaced"));
    assert_int_equal(count_alerts(number), 1);

    change = change_of(number, &answer);
    answer_done(&answer);
    ask("GET", path_of("/api/v1/sites/%lld/changes/%lld", (long long)number, (long long)change),
        viewer, NULL, 200, &answer);
    assert_string_equal(answer_header(&answer, "Content-Type"), "application/json");
    assert_int_equal(json_member_i64(answer.json, "alert", 0), alert);
    assert_int_equal(json_member(answer.json, "before")->count, 2);
    assert_str(json_member_str(json_member(answer.json, "after")->first->next, "text", STR("")),
               "Nhà cái uy tín <script>");
    check = json_member(answer.json, "check");
    assert_str(json_member_str(json_member(check, "why")->first, "snippet", STR("")),
               "đăng ký nhà cái <b>uy tín</b>");
    assert_str(json_member_str(json_member(check, "why")->first, "view", STR("")), "crawler");
    answer_done(&answer);

    look(&bad, NULL, STR("")); /* the same again is the same thing */
    assert_int_equal(count_alerts(number), 1);

    expect("POST",
           path_of("/api/v1/sites/%lld/changes/%lld/ours", (long long)number, (long long)change),
           viewer, "{}", 403);
    expect("POST",
           path_of("/api/v1/sites/%lld/changes/%lld/ours", (long long)number, (long long)change),
           duty, "{\"reason\":\"ban biên tập\"}", 204);
    (void)alert_of(number, "closed", "critical", STR("The home page was defaced"));
    expect(
        "POST",
        path_of("/api/v1/sites/%lld/changes/%lld/undecide", (long long)number, (long long)change),
        duty, NULL, 204);
    (void)alert_of(number, "taken", "critical", STR("The home page was defaced"));

    expect("POST",
           path_of("/api/v1/sites/%lld/changes/%lld/ours", (long long)number, (long long)change),
           duty, "{}", 204);
    rig.offset += 11 * NS_PER_S;
    core_watch_tick(rig.core);
    fetch_receive(CENTRE_MESSAGE_LOOK, &packet);
    assert_int_equal(fetch_look_get(&packet.msg, &site, &url, &is_ours), 0);
    assert_true(is_ours && site == (uint64_t)number && str_is_text(url, HOME));
    channel_packet_done(&packet);
    (void)core_batch_commit(rig.core);
    expect(
        "POST",
        path_of("/api/v1/sites/%lld/changes/%lld/undecide", (long long)number, (long long)change),
        duty, NULL, 409); /* learned by now */
}

/* Seen first by the crawler's view, it is held against what people's view was like. */
static void test_first_seen_by_another_view(void **state)
{
    const char *url = "https://view.example.gov.vn/";
    int64_t number = add_site("Cổng khác", url, "portal");
    struct site_check good = fine(number, url);
    struct site_check bad = red(number, url);
    const struct json_value *before;
    struct answer answer;
    int64_t change;

    (void)state;
    good.view = SITE_VIEW_MOBILE;
    look(&good, "Tin tức|Lịch công tác", STR(""));
    bad.view = SITE_VIEW_CRAWLER;
    bad.time += 15 * NS_PER_S;
    look(&bad, "Nhà cái uy tín", STR(""));
    change = change_of(number, &answer);
    answer_done(&answer);
    ask("GET", path_of("/api/v1/sites/%lld/changes/%lld", (long long)number, (long long)change),
        viewer, NULL, 200, &answer);
    before = json_member(answer.json, "before");
    assert_int_equal(before->count, 2);
    assert_str(json_member_str(before->first, "text", STR("")), "Tin tức");
    answer_done(&answer);
}

static void test_incident_and_recovery(void **state)
{
    const char *url = "https://incident.example.gov.vn/";
    int64_t number = add_site("Một cửa", url, "one-stop");
    struct site_check good = fine(number, url);
    struct site_check bad = red(number, url);
    struct site_check under = red(number, "https://incident.example.gov.vn/tin/1");
    struct answer answer;
    int64_t change;

    (void)state;
    look(&good, "Một", STR(""));
    bad.is_confirmed = false;
    look(&bad, "Hai", STR(""));
    (void)alert_of(number, "new", "medium", STR("A page has changed in an unusual way"));
    bad.is_confirmed = true;
    bad.time += NS_PER_S;
    bad.body_sha256[0] = 3;
    look(&bad, "Hai", STR(""));
    (void)alert_of(number, "new", "critical", STR("The home page was defaced"));
    under.page = SITE_PAGE_HIDDEN;
    under.layers |= 1U << SITE_LAYER_HIDING;
    look(&under, "Ba", STR(""));
    (void)alert_of(number, "new", "critical", STR("Foreign content was planted in a page"));
    assert_int_equal(count_alerts(number), 3);

    change = change_of(number, &answer);
    answer_done(&answer);
    expect(
        "POST",
        path_of("/api/v1/sites/%lld/changes/%lld/incident", (long long)number, (long long)change),
        duty, "{}", 204);
    (void)alert_of(number, "taken", "critical", STR("Foreign content was planted in a page"));
    expect("POST",
           path_of("/api/v1/sites/%lld/changes/%lld/ours", (long long)number, (long long)change),
           duty, "{}", 409);
    under.verdict = SITE_VERDICT_OK;
    under.time += 60 * NS_PER_S;
    look(&under, "Một", STR(""));
    (void)alert_of(number, "taken", "critical", STR("The page shows nothing odd any more"));

    ask("GET", "/api/v1/sites?verdict=grave&service=one-stop", viewer, NULL, 200, &answer);
    assert_int_equal(json_member(answer.json, "items")->count, 1);
    answer_done(&answer);
}

/* Each kind of attack is told in its own words. */
static void test_kinds(void **state)
{
    static const struct {
        enum site_layer layer;
        const char *what;
        const char *title;
    } kinds[] = {
        {SITE_LAYER_HOSTS, "password_away", "A form sends passwords to a stranger's host"},
        {SITE_LAYER_HOSTS, "sent_away", "Visitors are sent on to a stranger's host"},
        {SITE_LAYER_HOSTS, "listed_host", "Foreign content was planted in a page"},
        {SITE_LAYER_CLOAK, "other_view", "Search engines are shown another page than people"},
        {SITE_LAYER_PROFILE, "boast_page", "A page was defaced"},
    };
    int64_t number = add_site("Các kiểu", "https://kinds.example.gov.vn/", "portal");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        char url[80];
        struct site_reason reason = {.layer = kinds[i].layer, .what = str_from(kinds[i].what)};
        struct site_check bad;

        (void)snprintf(url, sizeof(url), "https://kinds.example.gov.vn/%zu", i);
        bad = red(number, url);
        bad.reasons = &reason;
        bad.layers = 1U << kinds[i].layer;
        look(&bad, NULL, STR(""));
        (void)alert_of(number, "new", "high", str_from(kinds[i].title));
    }
    assert_int_equal(count_alerts(number), ARRAY_LEN(kinds));
}

static void test_outage(void **state)
{
    const char *url = "https://outage.example.gov.vn/";
    int64_t number = add_site("Thư", url, "mail");
    struct site_check check = fine(number, url);
    struct answer answer;

    (void)state;
    look(&check, NULL, STR(""));
    check.verdict = SITE_VERDICT_UNKNOWN;
    check.failure = SITE_FAILURE_TIMEOUT;
    check.timing = (struct site_timing){0};
    check.time += 15 * NS_PER_S;
    look(&check, NULL, STR(""));
    assert_int_equal(count_alerts(number), 0); /* once is nothing */
    check.time += 15 * NS_PER_S;
    look(&check, NULL, STR(""));
    (void)alert_of(number, "new", "high", STR("The site cannot be reached"));
    ask("GET", path_of("/api/v1/sites/%lld", (long long)number), viewer, NULL, 200, &answer);
    assert_str(json_member_str(answer.json, "failure", STR("")), "timeout");
    answer_done(&answer);
    check = fine(number, url);
    check.time += 60 * NS_PER_S;
    look(&check, NULL, STR(""));
    (void)alert_of(number, "new", "info", STR("The site can be reached again"));
    assert_int_equal(count_alerts(number), 1);
    check.verdict = SITE_VERDICT_UNKNOWN;
    check.failure = SITE_FAILURE_TIMEOUT;
    check.is_confirmed = true;
    check.time += 60 * NS_PER_S;
    look(&check, NULL, STR(""));
    (void)alert_of(number, "new", "high", STR("The site cannot be reached"));
    assert_int_equal(count_alerts(number), 1);
}

static void test_certificate(void **state)
{
    const char *url = "https://cert.example.gov.vn/";
    int64_t number = add_site("Chứng thư", url, "portal");
    struct site_check check = fine(number, url);

    (void)state;
    check.certificate_end = check.time + 30 * 86400 * NS_PER_S;
    look(&check, NULL, STR(""));
    assert_int_equal(count_alerts(number), 0);
    check.certificate_end = check.time + 10 * 86400 * NS_PER_S;
    look(&check, NULL, STR(""));
    look(&check, NULL, STR(""));
    (void)alert_of(number, "new", "medium", STR("The certificate ends within 14 days"));
    assert_int_equal(count_alerts(number), 1);
    check.certificate_end = check.time - 1;
    look(&check, NULL, STR(""));
    (void)alert_of(number, "new", "high", STR("The certificate has ended"));
}

/* A deploy window quiets what is odd, never what is an attack. */
static void test_window(void **state)
{
    const char *url = "https://window.example.gov.vn/";
    int64_t number = add_site("Cửa sổ", url, "portal");
    struct site_check check = fine(number, url);
    struct site_check bad = red(number, url);

    (void)state;
    look(&check, NULL, STR(""));
    expect("POST", path_of("/api/v1/sites/%lld/windows", (long long)number), duty,
           "{\"minutes\":30,\"reason\":\"đổi giao diện\"}", 200);
    expect("POST", path_of("/api/v1/sites/%lld/windows", (long long)number), duty,
           "{\"minutes\":30,\"begins\":\"2020-01-01T00:00:00Z\",\"reason\":\"x\"}", 422);
    bad.time = clock_wall(&rig.clock);
    bad.verdict = SITE_VERDICT_YELLOW;
    look(&bad, NULL, STR(""));
    assert_int_equal(count_alerts(number), 0);
    bad.verdict = SITE_VERDICT_RED;
    bad.time = clock_wall(&rig.clock);
    look(&bad, NULL, STR(""));
    assert_int_equal(count_alerts(number), 1);
}

/* Nonsense from fetch is refused and costs nobody anything. */
static void test_hostile_fetch(void **state)
{
    static struct msg_writer msg;
    const char *url = "https://hostile.example.gov.vn/";
    int64_t number = add_site("Lạ", url, "portal");
    struct site_check check = fine(number + 1000, url);
    struct site_check good = fine(number, url);
    struct answer answer;
    int pipe_fds[2];

    (void)state;
    look(&check, NULL, STR("x")); /* no such site */
    fetch_check_put(&msg, &(struct fetch_check){.site = (uint64_t)number, .check = STR("\xff")});
    fetch_send(&msg, NULL, 0);
    assert_int_equal(pipe(pipe_fds), 0);
    fetch_check_put(&msg, &(struct fetch_check){.site = (uint64_t)number,
                                                .check = STR("\x80"),
                                                .parts = FETCH_PART_PAGE});
    fetch_send(&msg, pipe_fds, 1);
    closep(&pipe_fds[0]);
    closep(&pipe_fds[1]);
    ask("GET", path_of("/api/v1/sites/%lld", (long long)number), viewer, NULL, 200, &answer);
    assert_int_equal(json_member(answer.json, "looks")->count, 0);
    answer_done(&answer);
    look(&good, NULL, STR(""));
    ask("GET", path_of("/api/v1/sites/%lld", (long long)number), viewer, NULL, 200, &answer);
    assert_int_equal(json_member(answer.json, "looks")->count, 1);
    answer_done(&answer);
}

static void test_silent_watch(void **state)
{
    struct site_check check = fine(1, "https://x.example.gov.vn/");
    struct answer answer;

    (void)state;
    (void)add_site("Im lặng", "https://silent.example.gov.vn/", "portal");
    rig.mono_offset += 301 * NS_PER_S;
    core_watch_tick(rig.core);
    (void)core_batch_commit(rig.core);
    ask("GET", "/api/v1/alerts?q=watch+is+silent", viewer, NULL, 200, &answer);
    assert_int_equal(json_member(answer.json, "items")->count, 1);
    answer_done(&answer);
    look(&check, NULL, STR("")); /* whatever it says, it is at work again */
    core_watch_tick(rig.core);
    (void)core_batch_commit(rig.core);
    ask("GET", "/api/v1/alerts?q=watch+is+silent", viewer, NULL, 200, &answer);
    assert_str(json_member_str(json_member(answer.json, "items")->first, "title", STR("")),
               "The website watch is at work again");
    assert_str(json_member_str(json_member(answer.json, "items")->first, "severity", STR("")),
               "info");
    answer_done(&answer);
}

/* Our own line down is told once, of nobody's site. */
static void test_own_network(void **state)
{
    const char *url = "https://line.example.gov.vn/";
    int64_t number = add_site("Đường truyền", url, "portal");
    struct site_check check = fine(number, url);
    struct answer answer;

    (void)state;
    check.verdict = SITE_VERDICT_UNKNOWN;
    check.failure = SITE_FAILURE_OWN_NETWORK;
    look(&check, NULL, STR(""));
    look(&check, NULL, STR(""));
    look(&check, NULL, STR(""));
    assert_int_equal(count_alerts(number), 0);
    ask("GET", "/api/v1/alerts?q=own+network", viewer, NULL, 200, &answer);
    assert_int_equal(json_member(answer.json, "items")->count, 1);
    assert_int_equal(json_member_i64(json_member(answer.json, "items")->first, "count", 0), 1);
    answer_done(&answer);
    check = fine(number, url);
    look(&check, NULL, STR(""));
    ask("GET", "/api/v1/alerts?q=own+network", viewer, NULL, 200, &answer);
    assert_str(json_member_str(json_member(answer.json, "items")->first, "title", STR("")),
               "The centre's own network works again");
    assert_str(json_member_str(json_member(answer.json, "items")->first, "severity", STR("")),
               "info");
    answer_done(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaced),       cmocka_unit_test(test_incident_and_recovery),
        cmocka_unit_test(test_kinds),         cmocka_unit_test(test_outage),
        cmocka_unit_test(test_certificate),   cmocka_unit_test(test_window),
        cmocka_unit_test(test_hostile_fetch), cmocka_unit_test(test_silent_watch),
        cmocka_unit_test(test_own_network),   cmocka_unit_test(test_first_seen_by_another_view),
    };

    return cmocka_run_group_tests_name("look", tests, start, stop);
}
