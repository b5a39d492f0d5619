/* Watched sites from what a person enters to what a person sees, with looks as the process that
 * fetches pages sends them. */
#include "../harness.h"
#include "rig.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "centre/fetch_wire.h"
#include "model/passage.h"
#include "sys/fd.h"

#include <sys/mman.h>

#define HOME "https://so.example.gov.vn/"

static struct rig rig;
static char duty[256];
static char admin[256];
static char viewer[256];

static int start(void **state)
{
    (void)state;
    rig_start(&rig);
    rig_login(&rig, "duty", duty);
    rig_login(&rig, "admin", admin);
    rig_login(&rig, "viewer", viewer);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

/* Asks and hands the answer on; status is checked. */
static void ask(const char *method, const char *path, const char *cookie, const char *body,
                int status, struct answer *answer)
{
    rig_http(&rig, method, path, cookie, body, answer);
    if (answer->status != status) {
        fail_msg("%s %s: %d, not %d: %.*s", method, path, answer->status, status,
                 (int)answer->body.len, answer->body.len != 0 ? answer->body.ptr : "");
    }
}

static void expect(const char *method, const char *path, const char *cookie, const char *body,
                   int status)
{
    struct answer answer;

    ask(method, path, cookie, body, status, &answer);
    answer_done(&answer);
}

static const char *path_of(const char *format, ...)
{
    static char path[200];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    return path;
}

static int64_t add_site(const char *name, const char *url, const char *service)
{
    char body[600];
    struct answer answer;
    int64_t number;

    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"%s\",\"url\":\"%s\",\"unit\":\"Sở Nội vụ\",\"service\":\"%s\","
                   "\"permission\":\"Công văn 12/STTTT\"}",
                   name, url, service);
    ask("POST", "/api/v1/sites", admin, body, 200, &answer);
    number = json_member_i64(answer.json, "number", 0);
    answer_done(&answer);
    assert_true(number > 0);
    return number;
}

/* The next message of a type that core has sent to fetch; the others are dropped. */
static void fetch_receive(uint16_t type, struct channel_packet *packet)
{
    for (int i = 0; i < 2000; i++) {
        int r = channel_receive(rig.fetch, packet);

        if (r == -ERR_AGAIN) {
            rig_step(&rig);
            continue;
        }
        assert_int_equal(r, 0);
        if (packet->msg.type == type) {
            return;
        }
        channel_packet_done(packet);
    }
    fail_msg("core has not sent message %u", type);
}

static void fetch_send(struct msg_writer *msg, const int *fds, unsigned count)
{
    assert_int_equal(msg_end(msg), 0);
    assert_int_equal(channel_send(rig.fetch, msg, fds, count), 0);
    for (int i = 0; i < 20; i++) { /* taken, and its batch committed */
        rig_step(&rig);
    }
    rig.mono_offset += 100 * NS_PER_MS;
    (void)core_batch_commit(rig.core);
    for (int i = 0; i < 5; i++) {
        rig_step(&rig);
    }
}

static int memory_of(struct str bytes)
{
    int fd = memfd_create("part", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_full(fd, bytes.ptr, bytes.len), 0);
    return fd;
}

/* A look as fetch sends it; text: passages parted by |, or NULL. */
static void look(const struct site_check *check, const char *text, struct str memory)
{
    static struct msg_writer msg;
    struct buf bytes;
    struct buf passages;
    struct fetch_check sent = {.site = check->site};
    struct passage list[16];
    int fds[2];
    unsigned count = 0;
    size_t len = 0;

    buf_init(&bytes, 1U << 16);
    buf_init(&passages, PASSAGES_SIZE_MAX);
    site_check_encode(check, &bytes);
    sent.check = buf_str(&bytes);
    if (memory.len != 0) {
        sent.parts |= FETCH_PART_PAGE;
        fds[count++] = memory_of(memory);
    }
    if (text != NULL) {
        struct str rest = str_from(text);
        struct str part;

        while (str_cut(&rest, '|', &part)) {
            list[len++] = (struct passage){.text = part};
        }
        passages_encode(list, len, &passages);
        sent.parts |= FETCH_PART_TEXT;
        fds[count++] = memory_of(buf_str(&passages));
    }
    fetch_check_put(&msg, &sent);
    fetch_send(&msg, fds, count);
    for (unsigned i = 0; i < count; i++) {
        closep(&fds[i]);
    }
    buf_done(&bytes);
    buf_done(&passages);
}

static struct site_check fine(int64_t site, const char *url)
{
    struct site_check check = {.site = (uint64_t)site,
                               .url = str_from(url),
                               .url_final = str_from(url),
                               .time = clock_wall(&rig.clock),
                               .verdict = SITE_VERDICT_OK,
                               .status = 200,
                               .timing = {.done = 180 * NS_PER_MS},
                               .size = 4000,
                               .title = STR("Sở Nội vụ")};

    check.body_sha256[0] = 1;
    return check;
}

static const struct site_reason gambling = {.layer = SITE_LAYER_CONTENT,
                                            .view = SITE_VIEW_CRAWLER,
                                            .what = STR("gambling"),
                                            .value = STR("nhà cái"),
                                            .score = 4.5,
                                            .snippet = STR("đăng ký nhà cái <b>uy tín</b>")};

static struct site_check red(int64_t site, const char *url)
{
    struct site_check check = fine(site, url);

    check.verdict = SITE_VERDICT_RED;
    check.is_confirmed = true;
    check.score = 9;
    check.layers = 1U << SITE_LAYER_CONTENT | 1U << SITE_LAYER_PROFILE;
    check.reasons = &gambling;
    check.reason_count = 1;
    check.body_sha256[0] = 2;
    return check;
}

/* The newest alert of a site, with its state checked. */
static int64_t alert_of(int64_t site, const char *state, const char *severity, struct str title)
{
    struct answer answer;
    const struct json_value *item;
    int64_t number;

    ask("GET", path_of("/api/v1/alerts?state=all&site=%lld", (long long)site), viewer, NULL, 200,
        &answer);
    item = json_member(answer.json, "items")->first;
    assert_non_null(item);
    assert_str(json_member_str(item, "state", STR("")), state);
    assert_str(json_member_str(item, "severity", STR("")), severity);
    assert_true(str_is(json_member_str(item, "title", STR("")), title));
    assert_int_equal(json_member_i64(item, "site", 0), site);
    number = json_member_i64(item, "number", 0);
    answer_done(&answer);
    return number;
}

static uint64_t count_alerts(int64_t site)
{
    struct answer answer;
    uint64_t count;

    ask("GET", path_of("/api/v1/alerts?state=all&site=%lld", (long long)site), viewer, NULL, 200,
        &answer);
    count = json_member(answer.json, "items")->count;
    answer_done(&answer);
    return count;
}

static void test_enter(void **state)
{
    struct answer answer;
    int64_t number = add_site("Cổng Sở Nội vụ", "https://enter.example.gov.vn", "portal");
    static const char *const wrong[] = {"ftp://so.gov.vn/", "https://", "https://a b.vn/",
                                        "https://u:p@so.gov.vn/", "https://so/"};

    (void)state;
    ask("GET", path_of("/api/v1/sites/%lld", (long long)number), viewer, NULL, 200, &answer);
    assert_str(json_member_str(answer.json, "url", STR("")), "https://enter.example.gov.vn/");
    assert_str(json_member_str(answer.json, "permitted_by", STR("")), "admin");
    assert_str(json_member_str(answer.json, "verdict", STR("")), "unknown");
    assert_int_equal(json_member(answer.json, "views")->count, SITE_VIEW_COUNT);
    answer_done(&answer);

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        char body[300];

        (void)snprintf(body, sizeof(body),
                       "{\"name\":\"x\",\"url\":\"%s\",\"unit\":\"u\",\"service\":\"mail\","
                       "\"permission\":\"p\"}",
                       wrong[i]);
        ask("POST", "/api/v1/sites", admin, body, 400, &answer);
        assert_str(json_member_str(answer.json, "code", STR("")), "bad-request");
        answer_done(&answer);
    }
    expect("POST", "/api/v1/sites", admin,
           "{\"name\":\"x\",\"url\":\"https://x.vn/\",\"unit\":\"u\",\"service\":\"mail\"}", 422);
    expect("POST", "/api/v1/sites", admin,
           "{\"name\":\"x\",\"url\":\"https://enter.example.gov.vn/\",\"unit\":\"u\","
           "\"service\":\"mail\",\"permission\":\"p\"}",
           409);
    expect("PATCH", path_of("/api/v1/sites/%lld", (long long)number), admin,
           "{\"unit\":\"Sở Y tế\",\"paused\":true,\"views\":\"desktop crawler\","
           "\"reason\":\"chuyển đơn vị\"}",
           204);
    ask("GET", "/api/v1/sites?q=so+y+te", viewer, NULL, 200, &answer);
    assert_int_equal(json_member(answer.json, "items")->count, 1);
    assert_str(json_member_str(json_member(answer.json, "items")->first, "state", STR("")),
               "paused");
    answer_done(&answer);
}

static void test_drop_and_take_back(void **state)
{
    int64_t number = add_site("Thư điện tử", "https://drop.example.gov.vn/", "mail");

    (void)state;
    expect("POST", path_of("/api/v1/sites/%lld/drop", (long long)number), admin,
           "{\"reason\":\"nhầm\"}", 204);
    expect("GET", path_of("/api/v1/sites/%lld", (long long)number), viewer, NULL, 404);
    expect("POST", path_of("/api/v1/sites/%lld/drop", (long long)number), admin,
           "{\"reason\":\"nhầm\"}", 404);
    expect("POST", path_of("/api/v1/sites/%lld/restore", (long long)number), admin, NULL, 204);
    expect("GET", path_of("/api/v1/sites/%lld", (long long)number), viewer, NULL, 200);
    expect("POST", path_of("/api/v1/sites/%lld/restore", (long long)number), admin, NULL, 409);
}

static void test_import(void **state)
{
    struct answer answer;
    struct str why;

    (void)state;
    ask("POST", "/api/v1/sites/import", admin,
        "{\"permission\":\"QĐ 5\",\"csv\":\"Tên;Địa chỉ;Đơn vị;Dịch vụ\\r\\n"
        "\\\"Cổng; chính\\\";https://i1.example.vn;UBND tỉnh;portal\\r\\n"
        "Sai;kh\xc3\xb4ng phải;UBND tỉnh;portal\\n\\n"
        "Một cửa;https://i2.example.vn/;UBND tỉnh;one-stop\\n"
        "Lạ;https://i3.example.vn/;UBND tỉnh;game\\n\"}",
        200, &answer);
    assert_int_equal(json_member_i64(answer.json, "added", -1), 2);
    assert_int_equal(json_member_i64(answer.json, "refused", -1), 2);
    why = json_member_str(answer.json, "why", STR(""));
    assert_true(str_find(why, STR("line 3:")) < why.len);
    assert_true(str_find(why, STR("line 6:")) < why.len);
    answer_done(&answer);
    ask("POST", "/api/v1/sites/import", admin,
        "{\"csv\":\"name,url,unit\\nCổng,https://i1.example.vn,UBND tỉnh\\n\"}", 200, &answer);
    assert_int_equal(json_member_i64(answer.json, "changed", -1), 1);
    answer_done(&answer);
    ask("POST", "/api/v1/sites/import", admin, "{\"csv\":\"a,b,c\\n1,2,3\\n\"}", 400, &answer);
    answer_done(&answer);
    ask("GET", "/api/v1/sites?service=one-stop&q=mot+cua", viewer, NULL, 200, &answer);
    assert_int_equal(json_member(answer.json, "items")->count, 1);
    answer_done(&answer);
}

/* What fetch is told to watch, and that it is told again when people change it. */
static void test_fetch_is_told(void **state)
{
    static struct channel_packet packet;
    static struct msg_writer msg;
    int64_t number = add_site("Văn bản", "https://told.example.gov.vn/", "document");
    struct fetch_site site = {0};
    bool is_last = false;
    bool is_there = false;
    int r;

    (void)state;
    fetch_receive(CENTRE_MESSAGE_SITES_CHANGED, &packet);
    channel_packet_done(&packet);
    expect("POST", path_of("/api/v1/sites/%lld/windows", (long long)number), duty,
           "{\"minutes\":30,\"reason\":\"nâng cấp\"}", 200);
    fetch_sites_ask(&msg, 0);
    fetch_send(&msg, NULL, 0);
    fetch_receive(CENTRE_MESSAGE_SITES, &packet);
    assert_int_equal(fetch_sites_after(&packet.msg), 0);
    while ((r = fetch_sites_get(&packet.msg, &site, &is_last)) > 0) {
        if (site.number == (uint64_t)number) {
            is_there = str_is_text(site.url, "https://told.example.gov.vn/") &&
                       site.service == SITE_SERVICE_DOCUMENT && site.is_window_open;
        }
    }
    assert_int_equal(r, 0);
    assert_true(is_last);
    assert_true(is_there);
    channel_packet_done(&packet);
    expect("POST", path_of("/api/v1/sites/%lld/windows/1/close", (long long)number), duty, NULL,
           204);
    expect("POST", path_of("/api/v1/sites/%lld/windows/1/close", (long long)number), duty, NULL,
           404);
    expect("POST", path_of("/api/v1/sites/%lld/look", (long long)number), duty, NULL, 204);
    fetch_receive(CENTRE_MESSAGE_LOOK, &packet);
    channel_packet_done(&packet);
}

static void test_memory_comes_back(void **state)
{
    static struct channel_packet packet;
    static struct msg_writer msg;
    int64_t number = add_site("Nhớ", "https://memory.example.gov.vn/", "portal");
    struct site_check check = fine(number, "https://memory.example.gov.vn/");
    char bytes[64] = "";
    uint64_t site;
    struct str url;

    (void)state;
    look(&check, NULL, STR("what was learned"));
    fetch_profile_ask(&msg, (uint64_t)number, check.url);
    fetch_send(&msg, NULL, 0);
    fetch_receive(CENTRE_MESSAGE_PROFILE, &packet);
    assert_int_equal(fetch_profile_get(&packet.msg, &site, &url), 0);
    assert_int_equal(packet.fd_count, 1);
    assert_int_equal(read(packet.fds[0], bytes, sizeof(bytes)), 16);
    assert_string_equal(bytes, "what was learned");
    channel_packet_done(&packet);
    fetch_profile_ask(&msg, (uint64_t)number, STR("https://memory.example.gov.vn/other"));
    fetch_send(&msg, NULL, 0);
    fetch_receive(CENTRE_MESSAGE_PROFILE, &packet);
    assert_int_equal(packet.fd_count, 0);
    channel_packet_done(&packet);
}

/* The newest change of a site. */
static int64_t change_of(int64_t site, struct answer *answer)
{
    ask("GET", path_of("/api/v1/sites/%lld/changes?limit=1", (long long)site), viewer, NULL, 200,
        answer);
    assert_non_null(json_member(answer->json, "items")->first);
    return json_member_i64(json_member(answer->json, "items")->first, "number", 0);
}

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
    (void)alert_of(number, "taken", "critical", STR("The page is in order again"));

    ask("GET", "/api/v1/sites?verdict=grave&service=one-stop", viewer, NULL, 200, &answer);
    assert_int_equal(json_member(answer.json, "items")->count, 1);
    answer_done(&answer);
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
    (void)alert_of(number, "new", "high", STR("The site can be reached again"));
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
    struct answer answer;

    (void)state;
    (void)add_site("Im lặng", "https://silent.example.gov.vn/", "portal");
    rig.mono_offset += 301 * NS_PER_S;
    core_watch_tick(rig.core);
    (void)core_batch_commit(rig.core);
    ask("GET", "/api/v1/alerts?q=watch+is+silent", viewer, NULL, 200, &answer);
    assert_int_equal(json_member(answer.json, "items")->count, 1);
    answer_done(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_enter),
        cmocka_unit_test(test_drop_and_take_back),
        cmocka_unit_test(test_import),
        cmocka_unit_test(test_fetch_is_told),
        cmocka_unit_test(test_memory_comes_back),
        cmocka_unit_test(test_defaced),
        cmocka_unit_test(test_incident_and_recovery),
        cmocka_unit_test(test_outage),
        cmocka_unit_test(test_certificate),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_hostile_fetch),
        cmocka_unit_test(test_silent_watch),
    };

    return cmocka_run_group_tests_name("site", tests, start, stop);
}
