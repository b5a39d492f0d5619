/* Watched sites as people enter them, and what the process that fetches pages is told of it. */
#include "site_bench.h"

#include "base/banned.h"

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
    expect("POST", path_of("/api/v1/sites/%lld/drop", (long long)number), admin,
           "{\"reason\":\"nhầm\"}", 204);
    assert_int_equal(add_site("Thư mới", "https://drop.example.gov.vn/", "mail"), number);
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
    ask("POST", "/api/v1/sites/import", admin,
        "{\"line\":1001,\"csv\":\"name,url,unit\\nSai,sai,Sai\\n\"}", 200, &answer);
    why = json_member_str(answer.json, "why", STR(""));
    assert_true(str_find(why, STR("line 1001:")) < why.len);
    answer_done(&answer);
    ask("POST", "/api/v1/sites/import", admin, "{\"csv\":\"a,b,c\\n1,2,3\\n\"}", 400, &answer);
    answer_done(&answer);
    ask("GET", "/api/v1/sites?service=one-stop&q=mot+cua", viewer, NULL, 200, &answer);
    assert_int_equal(json_member(answer.json, "items")->count, 1);
    answer_done(&answer);
}

/* Has core take a list as at its start; what it logs. */
static struct str listed(const char *csv)
{
    static char said[16384];
    CLEANUP(closep) int log = memfd_create("log", MFD_CLOEXEC);
    CLEANUP(closep) int kept = dup(STDERR_FILENO);
    ssize_t len;

    assert_int_equal(dup2(log, STDERR_FILENO), STDERR_FILENO);
    core_sites_list(rig.core, "/etc/trang.csv", str_from(csv));
    assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
    len = pread(log, said, sizeof(said), 0);
    assert_in_range(len, 1, sizeof(said) - 1);
    return str_of(said, (size_t)len);
}

static void assert_said(struct str said, const char *text)
{
    if (str_find(said, str_from(text)) == said.len) {
        fail_msg("'%s' is not in: %.*s", text, STR_ARG(said));
    }
}

/* It comes again at each start: what people have said since then stands. */
static void test_list_of_the_setting(void **state)
{
    static const char csv[] = "Tên;Địa chỉ;Đơn vị;Cho phép\n"
                              "Cổng;https://l1.example.vn;UBND tỉnh;QĐ 7\n"
                              "Sai;khong-phai;UBND tỉnh;QĐ 7\n"
                              "\"Hở;https://l3.example.vn;UBND tỉnh;QĐ 7\n"
                              "Thư;https://l2.example.vn/;UBND tỉnh;QĐ 7\n"
                              "Không phép;https://l4.example.vn/;UBND tỉnh;\n";
    struct answer answer;
    const struct json_value *first;
    int64_t number;
    int64_t moved;
    struct str said = listed(csv);

    (void)state;
    assert_said(said, "/etc/trang.csv:3: ");
    assert_said(said, "/etc/trang.csv:4: ");
    assert_said(said, "/etc/trang.csv:6: ");
    assert_said(said, "added=2 known=0 had_before=0 refused=3");
    ask("GET", "/api/v1/sites?q=l1.example.vn", viewer, NULL, 200, &answer);
    first = json_member(answer.json, "items")->first;
    number = json_member_i64(first, "number", 0);
    assert_str(json_member_str(first, "permission", STR("")), "QĐ 7");
    assert_str(json_member_str(first, "permitted_by", STR("")), CENTRE_CONF);
    answer_done(&answer);
    moved = number;

    expect("PATCH", path_of("/api/v1/sites/%lld", (long long)number), admin,
           "{\"name\":\"Cổng mới\",\"reason\":\"đổi tên\"}", 204);
    ask("GET", "/api/v1/sites?q=l2.example.vn", viewer, NULL, 200, &answer);
    number = json_member_i64(json_member(answer.json, "items")->first, "number", 0);
    answer_done(&answer);
    expect("POST", path_of("/api/v1/sites/%lld/drop", (long long)number), admin,
           "{\"reason\":\"thôi\"}", 204);
    assert_said(listed(csv), "added=0 known=2 had_before=0 refused=3");
    ask("GET", "/api/v1/sites?q=example.vn+moi", viewer, NULL, 200, &answer);
    assert_int_equal(json_member(answer.json, "items")->count, 1);
    answer_done(&answer);
    expect("GET", path_of("/api/v1/sites/%lld", (long long)number), viewer, NULL, 404);
    expect("PATCH", path_of("/api/v1/sites/%lld", (long long)moved), admin,
           "{\"url\":\"https://l1-moi.example.vn/\",\"reason\":\"đổi tên miền\"}", 204);
    said = listed(csv); /* under its address of before */
    assert_said(said, "added=0 known=1 had_before=1 refused=3");
    assert_said(said, "/etc/trang.csv:2: https://l1.example.vn/ ");
    assert_int_equal(add_site("Cổng cũ", "https://l1.example.vn/", "portal") > moved, 1);
    assert_said(listed("a;b\n1;2\n"), "/etc/trang.csv");
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

/* A window that begins later is told to fetch when it begins, by itself. */
static void test_window_turns(void **state)
{
    static struct channel_packet packet;
    int64_t number = add_site("Hẹn giờ", "https://turn.example.gov.vn/", "portal");
    char begins[TIME_TEXT_SIZE];
    char body[200];

    (void)state;
    time_format_utc(clock_wall(&rig.clock) + 600 * NS_PER_S, begins);
    (void)snprintf(body, sizeof(body), "{\"minutes\":30,\"begins\":\"%s\",\"reason\":\"x\"}",
                   begins);
    expect("POST", path_of("/api/v1/sites/%lld/windows", (long long)number), duty, body, 200);
    core_watch_tick(rig.core);
    while (channel_receive(rig.fetch, &packet) == 0) {
        channel_packet_done(&packet);
    }
    core_watch_tick(rig.core);
    assert_int_equal(channel_receive(rig.fetch, &packet), -ERR_AGAIN);
    rig.offset += 601 * NS_PER_S;
    core_watch_tick(rig.core);
    fetch_receive(CENTRE_MESSAGE_SITES_CHANGED, &packet);
    channel_packet_done(&packet);
}

/* Fetch is busy and takes nothing for a while: what it asked for comes all the same, each once. */
static void test_each_question_is_answered(void **state)
{
    static struct channel_packet packet;
    static struct msg_writer msg;
    int64_t number = add_site("Hỏi dồn", "https://ask.example.gov.vn/", "portal");
    unsigned asked = 0;
    unsigned answered = 0;

    (void)state;
    for (int full = 0; asked < 1000 && full < 3;) {
        fetch_profile_ask(&msg, (uint64_t)number, STR("https://ask.example.gov.vn/"));
        if (channel_send(rig.fetch, &msg, NULL, 0) == 0) {
            asked++;
        } else {
            full++;
        }
        rig_step(&rig);
    }
    for (int idle = 0; idle < 20;) {
        int r = channel_receive(rig.fetch, &packet);

        if (r == -ERR_AGAIN) {
            rig_step(&rig);
            idle++;
            continue;
        }
        assert_int_equal(r, 0);
        idle = 0;
        answered += packet.msg.type == CENTRE_MESSAGE_PROFILE ? 1 : 0;
        channel_packet_done(&packet);
    }
    assert_true(asked > 100);
    assert_int_equal(answered, asked);
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

static void test_scripts_come_back(void **state)
{
    static struct channel_packet packet;
    static struct msg_writer msg;
    int64_t number = add_site("Mã", "https://scripts.example.gov.vn/", "portal");
    struct site_check check = fine(number, "https://scripts.example.gov.vn/");
    struct fetch_check sent = {.site = (uint64_t)number, .parts = FETCH_PART_SCRIPTS};
    char bytes[64] = "";
    struct buf encoded;
    int fd = memory_of(STR("what scripts were like"));

    (void)state;
    buf_init(&encoded, 1U << 16);
    site_check_encode(&check, &encoded);
    sent.check = buf_str(&encoded);
    fetch_check_put(&msg, &sent);
    fetch_send(&msg, &fd, 1);
    closep(&fd);
    buf_done(&encoded);
    fetch_profile_ask(&msg, (uint64_t)number, STR(FETCH_SCRIPTS));
    fetch_send(&msg, NULL, 0);
    fetch_receive(CENTRE_MESSAGE_PROFILE, &packet);
    assert_int_equal(packet.fd_count, 1);
    assert_int_equal(read(packet.fds[0], bytes, sizeof(bytes)), 22);
    assert_string_equal(bytes, "what scripts were like");
    channel_packet_done(&packet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_enter),
        cmocka_unit_test(test_drop_and_take_back),
        cmocka_unit_test(test_import),
        cmocka_unit_test(test_list_of_the_setting),
        cmocka_unit_test(test_fetch_is_told),
        cmocka_unit_test(test_each_question_is_answered),
        cmocka_unit_test(test_window_turns),
        cmocka_unit_test(test_memory_comes_back),
        cmocka_unit_test(test_scripts_come_back),
    };

    return cmocka_run_group_tests_name("site", tests, start, stop);
}
