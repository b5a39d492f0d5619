/* What a browser sees: log-in, alerts, roles, refusals, headers. */
#include "../harness.h"
#include "rig.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/hex.h"
#include "centre/totp.h"
#include "sys/fd.h"

#include <sys/socket.h>

static struct rig rig;
static struct id host;

static int start(void **state)
{
    (void)state;
    rig_start(&rig);
    host = rig_add_host(&rig, "kt-pc07", 7);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

static struct str member(const struct answer *answer, const char *name)
{
    return json_member_str(answer->json, name, STR(""));
}

static void expect(const char *method, const char *path, const char *cookie, const char *body,
                   int status)
{
    struct answer answer;

    rig_http(&rig, method, path, cookie, body, &answer);
    if (answer.status != status) {
        fail_msg("%s %s: %d, not %d: %.*s", method, path, answer.status, status,
                 (int)answer.body.len, answer.body.len != 0 ? answer.body.ptr : "");
    }
    answer_done(&answer);
}

static void expect_code(const char *method, const char *path, const char *headers, const char *body,
                        const char *code)
{
    struct answer answer;

    rig_http(&rig, method, path, headers, body, &answer);
    assert_str(member(&answer, "code"), code);
    assert_string_equal(answer_header(&answer, "Content-Type"), "application/problem+json");
    answer_done(&answer);
}

/* The whole way of a person on duty. */
static void test_watch(void **state)
{
    char cookie[256];
    char path[128];
    struct answer answer;
    uint64_t number = rig_add_alert(&rig, &host, "Data encryption was stopped", SEVERITY_CRITICAL);
    const struct json_value *items;

    (void)state;
    rig_login(&rig, "duty", cookie);
    rig_http(&rig, "GET", "/api/v1/alerts?severity=high&q=encryption", cookie, NULL, &answer);
    assert_int_equal(answer.status, 200);
    items = json_member(answer.json, "items");
    assert_int_equal(items->count, 1);
    assert_int_equal(json_member_i64(items->first, "number", 0), (int64_t)number);
    assert_str(json_member_str(items->first, "host_name", STR("")), "kt-pc07");
    assert_str(json_member_str(items->first, "state", STR("")), "new");
    answer_done(&answer);

    (void)snprintf(path, sizeof(path), "/api/v1/alerts/%llu/take", (unsigned long long)number);
    rig_http(&rig, "POST", path, cookie, NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_str(member(&answer, "state"), "taken");
    assert_str(member(&answer, "taken_by"), "duty");
    answer_done(&answer);
    expect("POST", path, cookie, NULL, 409); /* taken already */

    (void)snprintf(path, sizeof(path), "/api/v1/alerts/%llu", (unsigned long long)number);
    rig_http(&rig, "GET", path, cookie, NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(json_member(answer.json, "findings")->count, 1);
    answer_done(&answer);

    (void)snprintf(path, sizeof(path), "/api/v1/alerts/%llu/close", (unsigned long long)number);
    rig_http(&rig, "POST", path, cookie, "{\"verdict\":\"false-alarm\",\"reason\":\"sao lưu\"}",
             &answer);
    assert_str(member(&answer, "state"), "closed");
    assert_str(member(&answer, "close_reason"), "false-alarm: sao lưu");
    answer_done(&answer);
    rig_http(&rig, "GET", "/api/v1/alerts", cookie, NULL, &answer);
    assert_int_equal(json_member(answer.json, "items")->count, 0);
    answer_done(&answer);
    expect("POST", "/api/v1/alerts/999999/take", cookie, NULL, 404);
    expect("POST", "/api/v1/logout", cookie, NULL, 204);
    expect("GET", "/api/v1/me", cookie, NULL, 401);
}

static void test_paging(void **state)
{
    char cookie[256];
    char path[160];
    struct answer answer;
    int64_t cursor = 0;
    int64_t last = INT64_MAX;
    unsigned seen = 0;

    (void)state;
    for (int i = 0; i < 25; i++) {
        char title[64];

        (void)snprintf(title, sizeof(title), "Alert of paging %d", i);
        (void)rig_add_alert(&rig, &host, title, SEVERITY_LOW);
    }
    rig_login(&rig, "viewer", cookie);
    do {
        (void)snprintf(path, sizeof(path), "/api/v1/alerts?state=all&q=paging&limit=10&cursor=%lld",
                       (long long)cursor);
        rig_http(&rig, "GET", path, cookie, NULL, &answer);
        assert_int_equal(answer.status, 200);
        for (const struct json_value *item = json_member(answer.json, "items")->first; item != NULL;
             item = item->next) {
            assert_true(json_member_i64(item, "number", 0) < last);
            last = json_member_i64(item, "number", 0);
            seen++;
        }
        cursor = json_member_i64(answer.json, "next", 0);
        answer_done(&answer);
    } while (cursor != 0);
    assert_int_equal(seen, 25);
}

/* Every route asked by nobody, by every role, and by one who must change the password. */
static void test_every_route_by_every_role(void **state)
{
    static const char *const users[] = {"", "viewer", "duty", "admin", "fresh"};
    char cookies[ARRAY_LEN(users)][256] = {""};
    unsigned asked = 0;

    (void)state;
    for (size_t u = 1; u < ARRAY_LEN(users); u++) {
        rig_login(&rig, users[u], cookies[u]);
    }
    for (size_t i = 0; i < route_count; i++) {
        const struct route *route = &routes[i];
        const char *brace = strchr(route->path, '{');
        char path[160];

        if (strcmp(route->path, "/api/v1/logout") == 0 ||
            strcmp(route->path, "/api/v1/events/stream") == 0) {
            continue; /* the one would end the session, the other never ends; both have tests of
                         their own */
        }
        (void)snprintf(path, sizeof(path), "%s", route->path);
        if (brace != NULL) {
            const char *rest = strchr(brace, '}') + 1;
            const char *value = strstr(route->path, "{number}") != NULL ? "424242"
                                : strstr(route->path, "{id}") != NULL
                                    ? "00000000-0000-4000-8000-000000000009"
                                    : "nobody";

            (void)snprintf(path, sizeof(path), "%.*s%s%s", (int)(brace - route->path), route->path,
                           value, rest);
        }
        for (size_t u = 0; u < ARRAY_LEN(users); u++) {
            struct answer answer;
            bool is_let_in;

            rig_http(&rig, method_name(route->method), path, cookies[u],
                     route->method == METHOD_GET ? NULL : "{}", &answer);
            is_let_in = answer.status != 401 && answer.status != 403;
            if (u == 0) {
                assert_int_equal(is_let_in, route->access == ACCESS_OPEN);
            } else if (u == 4) {
                assert_int_equal(is_let_in, route->access <= ACCESS_SESSION);
                if (!is_let_in && route->access != ACCESS_SENDER) {
                    assert_str(member(&answer, "code"), "password-first");
                }
            } else {
                enum access need = route->access == ACCESS_LOCAL ? ACCESS_ADMIN : route->access;

                assert_int_equal(is_let_in, (int)need <= (int)ACCESS_VIEWER + (int)u - 1);
            }
            assert_true(answer.status < 500);
            answer_done(&answer);
            asked++;
        }
    }
    assert_true(asked > 100);
}

/* Core does not believe the api process: a viewer's session is refused there too. */
static void test_core_checks_again(void **state)
{
    static struct msg_writer msg;
    static struct channel_packet packet;
    char cookie[256];
    uint8_t secret[ACCOUNT_SESSION_BYTES];
    uint64_t number = rig_add_alert(&rig, &host, "Alert of doubt", SEVERITY_HIGH);
    struct buf body;
    CLEANUP(closep) int mine = -1;
    CLEANUP(closep) int theirs = -1;
    int pair[2];

    (void)state;
    rig_login(&rig, "viewer", cookie);
    assert_int_equal(hex_decode(str_of(strchr(cookie, '=') + 1, 64), secret, sizeof(secret)), 0);
    assert_int_equal(channel_pair(pair), 0);
    mine = pair[0];
    theirs = pair[1];
    buf_init(&body, 100);
    cbor_put_map(&body, 1);
    cbor_put_text(&body, STR("number"));
    cbor_put_i64(&body, (int64_t)number);
    for (int round = 0; round < 2; round++) {
        msg_begin(&msg, CENTRE_MESSAGE_REQUEST);
        msg_put_u64(&msg, 5);
        msg_put_str(&msg, round == 0 ? str_of((const char *)secret, sizeof(secret)) : STR("admin"));
        msg_put_str(&msg, STR("alert.take"));
        msg_put_str(&msg, buf_str(&body));
        msg_put_str(&msg, STR("198.51.100.7"));
        msg_put_u32(&msg, LANGUAGE_EN);
        assert_int_equal(channel_send(mine, &msg, NULL, 0), 0);
        assert_int_equal(channel_receive(theirs, &packet), 0);
        core_request_receive(rig.core, theirs, &packet);
        assert_int_equal(channel_receive(mine, &packet), 0);
        assert_int_equal(msg_get_u64(&packet.msg), 5);
        assert_int_equal(msg_get_i64(&packet.msg), round == 0 ? -ERR_ACCES : -ERR_DENIED);
    }
    buf_done(&body);
}

static void test_bad_requests(void **state)
{
    char cookie[256];
    char long_body[70000];

    (void)state;
    rig_login(&rig, "admin", cookie);
    expect_code("GET", "/api/v1/nothing", cookie, NULL, "not-found");
    expect_code("GET", "/api/v1/alerts/", cookie, NULL, "not-found");
    expect_code("PATCH", "/api/v1/alerts", cookie, "{}", "method");
    expect_code("GET", "/api/v1/alerts/x", cookie, NULL, "not-found");
    expect_code("GET", "/api/v1/alerts?limit=0", cookie, NULL, "not-valid");
    expect_code("GET", "/api/v1/alerts?limit=9999", cookie, NULL, "not-valid");
    expect_code("GET", "/api/v1/alerts?limit=ten", cookie, NULL, "bad-request");
    expect_code("GET", "/api/v1/alerts?colour=red", cookie, NULL, "bad-request");
    expect_code("GET", "/api/v1/alerts?state=new&state=all", cookie, NULL, "bad-request");
    expect_code("POST", "/api/v1/users", cookie, "{\"name\":", "bad-request");
    expect_code("POST", "/api/v1/users", cookie, "[]", "bad-request");
    expect_code("POST", "/api/v1/users", cookie, "{\"name\":7,\"role\":\"duty\"}", "bad-request");
    expect_code("POST", "/api/v1/users", cookie, "{\"name\":\"a\",\"role\":\"god\"}", "not-valid");
    expect_code("POST", "/api/v1/users", cookie, "{\"name\":\"a\"}", "not-valid");
    expect_code("POST", "/api/v1/users", cookie,
                "{\"name\":\"a\",\"name\":\"b\",\"role\":\"duty\"}", "bad-request");
    expect_code("POST", "/api/v1/users", cookie, "{\"name\":\"Trần\",\"role\":\"duty\"}",
                "not-valid");
    expect_code("POST", "/api/v1/users", cookie, "{\"name\":\"a\",\"role\":\"duty\",\"shoe\":1}",
                "bad-request");
    expect_code("POST", "/api/v1/logout", cookie, "{}", "bad-request");
    memset(long_body, ' ', sizeof(long_body) - 1);
    long_body[sizeof(long_body) - 1] = '\0';
    expect_code("POST", "/api/v1/users", cookie, long_body, "too-large");
}

static void raw(const char *bytes, size_t len, struct answer *answer)
{
    CLEANUP(closep) int fd = rig_browser(&rig, "198.51.100.7");

    rig_send(fd, bytes, len);
    rig_receive(&rig, fd, answer);
}

static void test_malformed_http(void **state)
{
    static const char *const bad[] = {
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /api/v1/me HTTP/1.1\r\n\r\n", /* no Host */
        "POST /api/v1/login HTTP/1.1\r\nHost: h\r\nContent-Length: nine\r\n\r\n",
        "POST /api/v1/login HTTP/1.1\r\nHost: h\r\nX-Canhgac: 1\r\nTransfer-Encoding: "
        "chunked\r\n\r\nZZ\r\n",
        "GET /%00%ff%fe HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /api/v1/alerts?q=%ff HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /api/v1/me HTTP/1.1\r\nHost: h\r\nCookie: __Host-canhgac=zz\r\n\r\n",
        "GET /api/v1/me HTTP/1.1\r\nHost: h\r\nCookie: =;;,\x01\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct answer answer;

        CLEANUP(closep) int fd = rig_browser(&rig, "198.51.100.7");

        rig_send(fd, bad[i], strlen(bad[i]));
        assert_int_equal(shutdown(fd, SHUT_WR),
                         0); /* or it would be waited for more, for half a minute */
        rig_receive(&rig, fd, &answer);
        assert_true(answer.status < 500 || answer.status == 505); /* cut, refused, or harmless */
        answer_done(&answer);
    }
    expect("GET", "/healthz", "", NULL, 200); /* it still serves */
}

/* A body that names no length and never ends is cut. */
static void test_endless_body(void **state)
{
    static const char head[] =
        "POST /api/v1/login HTTP/1.1\r\nHost: h\r\nX-Canhgac: 1\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    static char chunk[4096 + 16];
    CLEANUP(closep) int fd = rig_browser(&rig, "198.51.100.7");
    int sent = 0;
    char byte;

    (void)state;
    (void)snprintf(chunk, sizeof(chunk), "1000\r\n%4096s\r\n", "");
    rig_send(fd, head, sizeof(head) - 1);
    while (sent < 4096 && recv(fd, &byte, 1, MSG_DONTWAIT) != 0) {
        rig_send(fd, chunk, strlen(chunk));
        rig_step(&rig);
        sent++;
    }
    assert_true(sent < 1024); /* 1 MiB is 256 chunks */
}

static void test_headers_and_assets(void **state)
{
    struct answer answer;

    (void)state;
    rig_http(&rig, "GET", "/canh-bao?x=1", "", NULL,
             &answer); /* a screen of the console: its page */
    assert_int_equal(answer.status, 200);
    assert_string_equal(
        answer_header(&answer, "Content-Security-Policy"),
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; "
        "frame-ancestors 'none'");
    assert_string_equal(answer_header(&answer, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(answer_header(&answer, "Referrer-Policy"), "no-referrer");
    assert_string_equal(answer_header(&answer, "Cross-Origin-Opener-Policy"), "same-origin");
    assert_string_equal(answer_header(&answer, "Cross-Origin-Resource-Policy"), "same-origin");
    assert_string_equal(answer_header(&answer, "Strict-Transport-Security"), "max-age=31536000");
    answer_done(&answer);
    rig_http(&rig, "GET", "/app-1a2b.js", "Accept-Encoding: gzip, br\r\n", NULL, &answer);
    assert_string_equal(answer_header(&answer, "Content-Encoding"), "br");
    assert_string_equal(answer_header(&answer, "Cache-Control"),
                        "public, max-age=31536000, immutable");
    assert_str(buf_str(&answer.body), "BROTLI");
    answer_done(&answer);
    rig_http(&rig, "GET", "/app-1a2b.js", "Accept-Encoding: br;q=0\r\n", NULL, &answer);
    assert_str(buf_str(&answer.body), "plain();");
    answer_done(&answer);
    rig_http(&rig, "GET", "/app-1a2b.js", "If-None-Match: \"x\", W/\"e3\"\r\n", NULL, &answer);
    assert_int_equal(answer.status, 304);
    answer_done(&answer);
    expect("GET", "/gone-1a2b.js", "", NULL, 404);
    expect("POST", "/", "", NULL, 405);
    expect("PUT", "/api/v1/me", "", NULL, 405); /* a method that no route has */
    expect("OPTIONS", "/api/v1/alerts", "", NULL, 405);
    expect("PUT", "/api/v1/khong-co", "", NULL, 404);
}

static void test_other_origins(void **state)
{
    static const char body[] = "{\"user\":\"duty\",\"password\":\"x\"}";
    struct answer answer;
    char request[512];

    (void)state;
    expect_code("POST", "/api/v1/login", "Origin: https://evil.example\r\n", body, "origin");
    expect_code("POST", "/api/v1/login", "Origin: http://centre.example\r\n", body, "origin");
    expect_code("POST", "/api/v1/login", "Origin: null\r\n", body, "origin");
    expect_code("POST", "/api/v1/login", "Sec-Fetch-Site: cross-site\r\n", body, "origin");
    expect_code("POST", "/api/v1/login", "Origin: https://centre.example\r\n", body,
                "log-in-wrong");
    (void)snprintf(request, sizeof(request),
                   "POST /api/v1/login HTTP/1.1\r\nHost: h\r\nContent-Type: "
                   "application/json\r\nContent-Length: %zu\r\n\r\n%s",
                   sizeof(body) - 1, body);
    raw(request, strlen(request), &answer); /* without X-Canhgac */
    assert_int_equal(answer.status, 403);
    answer_done(&answer);
    (void)snprintf(request, sizeof(request),
                   "POST /api/v1/login HTTP/1.1\r\nHost: h\r\nX-Canhgac: 1\r\nContent-Type: "
                   "text/plain\r\nContent-Length: %zu\r\n\r\n%s",
                   sizeof(body) - 1, body);
    raw(request, strlen(request), &answer);
    assert_int_equal(answer.status, 415);
    answer_done(&answer);
}

static void test_guessing_is_slowed(void **state)
{
    struct answer answer;

    (void)state;
    for (int i = 0; i < 5; i++) {
        expect_code("POST", "/api/v1/login", "", "{\"user\":\"khong-co\",\"password\":\"sai\"}",
                    "log-in-wrong");
    }
    rig_http(&rig, "POST", "/api/v1/login", "", "{\"user\":\"khong-co\",\"password\":\"sai\"}",
             &answer);
    assert_int_equal(answer.status, 429);
    assert_string_equal(answer_header(&answer, "Retry-After"), "1");
    answer_done(&answer);
    rig.mono_offset += 3600 * NS_PER_S;
    expect_code("POST", "/api/v1/login", "", "{\"user\":\"khong-co\",\"password\":\"sai\"}",
                "log-in-wrong");
    rig.mono_offset += 3600 * NS_PER_S;
}

static void test_languages(void **state)
{
    struct answer answer;

    (void)state;
    rig_http(&rig, "GET", "/api/v1/me", "Accept-Language: fr, vi;q=0.9, en;q=0.8\r\n", NULL,
             &answer);
    assert_string_equal(answer_header(&answer, "Content-Language"), "vi");
    answer_done(&answer);
    rig_http(&rig, "GET", "/api/v1/me", "Accept-Language: en-GB\r\n", NULL, &answer);
    assert_string_equal(answer_header(&answer, "Content-Language"), "en");
    assert_str(member(&answer, "title"), "Please log in");
    assert_str(member(&answer, "type"), "urn:canhgac:problem:log-in");
    assert_str(member(&answer, "instance"), "/api/v1/me");
    answer_done(&answer);
}

static void test_first_password(void **state)
{
    char cookie[256];
    char other[256];

    (void)state;
    rig_login(&rig, "fresh", cookie);
    rig_login(&rig, "fresh", other);
    expect_code("GET", "/api/v1/alerts", cookie, NULL, "password-first");
    expect_code("POST", "/api/v1/me/password", cookie,
                "{\"old\":\"" RIG_PASSWORD "\",\"new\":\"ngắn\"}", "not-valid");
    expect_code("POST", "/api/v1/me/password", cookie,
                "{\"old\":\"" RIG_PASSWORD "\",\"new\":\"FRESH fresh fresh\"}", "not-valid");
    expect_code("POST", "/api/v1/me/password", cookie,
                "{\"old\":\"wrong wrong wrong\",\"new\":\"một mật khẩu dài\"}", "not-valid");
    expect("POST", "/api/v1/me/password", cookie,
           "{\"old\":\"" RIG_PASSWORD "\",\"new\":\"một mật khẩu dài\"}", 204);
    expect("GET", "/api/v1/alerts", cookie, NULL, 200);
    expect("GET", "/api/v1/me", other, NULL, 401); /* the other session has ended */
}

static void test_users(void **state)
{
    char cookie[256];
    char body[256];
    char theirs[256];
    struct answer answer;

    (void)state;
    rig_login(&rig, "admin", cookie);
    rig_http(&rig, "POST", "/api/v1/users", cookie,
             "{\"name\":\"lan\",\"role\":\"duty\",\"full_name\":\"Lan\"}", &answer);
    assert_int_equal(answer.status, 200);
    (void)snprintf(body, sizeof(body), "{\"user\":\"lan\",\"password\":\"%.*s\"}",
                   STR_ARG(member(&answer, "password")));
    answer_done(&answer);
    expect("POST", "/api/v1/users", cookie, "{\"name\":\"lan\",\"role\":\"duty\"}", 409);
    rig_http(&rig, "POST", "/api/v1/login", "", body, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(json_member_bool(answer.json, "must_change_password", false));
    (void)snprintf(theirs, sizeof(theirs), "Cookie: %.79s\r\n",
                   answer_header(&answer, "Set-Cookie"));
    answer_done(&answer);
    expect("GET", "/api/v1/me", theirs, NULL, 200);
    expect("PATCH", "/api/v1/users/lan", cookie, "{\"disabled\":true}", 204);
    expect("GET", "/api/v1/me", theirs, NULL, 401);
    expect_code("POST", "/api/v1/login", "", body, "log-in-wrong");
    expect("PATCH", "/api/v1/users/fresh", cookie, "{\"disabled\":true}", 204);
    expect_code("PATCH", "/api/v1/users/admin", cookie, "{\"role\":\"viewer\"}",
                "conflict"); /* the last admin */
    rig_http(&rig, "GET", "/api/v1/users", cookie, NULL, &answer);
    assert_true(json_member(answer.json, "items")->count >= 5);
    assert_int_equal(str_find(buf_str(&answer.body), STR("argon2")), answer.body.len);
    answer_done(&answer);
}

static void test_authenticator(void **state)
{
    char cookie[256];
    char body[512];
    uint8_t secret[TOTP_SECRET_BYTES];
    char text[TOTP_BASE32_SIZE];
    uint32_t code;
    struct answer answer;

    (void)state;
    rig_login(&rig, "duty", cookie);
    rig_http(&rig, "POST", "/api/v1/me/totp/secret", cookie, NULL, &answer);
    (void)snprintf(text, sizeof(text), "%.*s", STR_ARG(member(&answer, "secret")));
    assert_int_equal(totp_secret_parse(str_from(text), secret), 0);
    answer_done(&answer);
    assert_int_equal(totp_code(str_of((char *)secret, sizeof(secret)),
                               (uint64_t)(clock_wall(&rig.clock) / NS_PER_S / TOTP_STEP_S), &code),
                     0);
    (void)snprintf(body, sizeof(body), "{\"secret\":\"%s\",\"code\":\"%06u\",\"password\":\"%s\"}",
                   text, (code + 1) % 1000000, RIG_PASSWORD);
    expect_code("POST", "/api/v1/me/totp", cookie, body, "not-valid");
    (void)snprintf(body, sizeof(body), "{\"secret\":\"%s\",\"code\":\"%06u\",\"password\":\"%s\"}",
                   text, code, RIG_PASSWORD);
    expect("POST", "/api/v1/me/totp", cookie, body, 204);
    expect_code("POST", "/api/v1/login", "",
                "{\"user\":\"duty\",\"password\":\"" RIG_PASSWORD "\"}", "code-needed");
    (void)snprintf(body, sizeof(body), "{\"user\":\"duty\",\"password\":\"%s\",\"code\":\"%06u\"}",
                   RIG_PASSWORD, code);
    expect_code("POST", "/api/v1/login", "", body, "log-in-wrong"); /* that code was used */
    rig_restart_core(&rig);
    expect_code("POST", "/api/v1/login", "", body, "log-in-wrong"); /* and stays so */
    rig.offset += 60 * NS_PER_S;
    assert_int_equal(totp_code(str_of((char *)secret, sizeof(secret)),
                               (uint64_t)(clock_wall(&rig.clock) / NS_PER_S / TOTP_STEP_S), &code),
                     0);
    (void)snprintf(body, sizeof(body), "{\"user\":\"duty\",\"password\":\"%s\",\"code\":\"%06u\"}",
                   RIG_PASSWORD, code);
    expect("POST", "/api/v1/login", "", body, 200);
    rig_restart_core(&rig);
    expect_code("POST", "/api/v1/login", "", body, "log-in-wrong");
    expect("DELETE", "/api/v1/me/totp", cookie, "{\"password\":\"" RIG_PASSWORD "\"}", 204);
    expect("POST", "/api/v1/login", "", "{\"user\":\"duty\",\"password\":\"" RIG_PASSWORD "\"}",
           200);
}

static void test_sessions_end(void **state)
{
    char cookie[256];
    int64_t before = rig.offset;

    (void)state;
    rig_login(&rig, "viewer", cookie);
    rig.offset += 11 * 3600 * NS_PER_S;
    expect("GET", "/api/v1/me", cookie, NULL, 200); /* and this is a use of it, which core writes */
    rig_step(&rig);
    rig_step(&rig);
    rig.offset += 11 * 3600 * NS_PER_S;
    expect("GET", "/api/v1/me", cookie, NULL, 200);
    rig.offset += 13 * 3600 * NS_PER_S;
    expect("GET", "/api/v1/me", cookie, NULL, 401);
    rig.offset = before;
}

static void test_metrics_and_health(void **state)
{
    struct answer answer;
    CLEANUP(closep) int fd = -1;

    (void)state;
    expect("GET", "/metrics", "", NULL, 401);
    fd = rig_browser(&rig, "127.0.0.1");
    rig_send(fd, "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n", 35);
    rig_receive(&rig, fd, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(str_find(buf_str(&answer.body), STR("\ncanhgac_hosts 1\n")) < answer.body.len);
    answer_done(&answer);
    rig_http(&rig, "GET", "/healthz", "", NULL, &answer);
    assert_int_equal(answer.status, 200);
    answer_done(&answer);
    rig.mono_offset += 60 * NS_PER_S; /* core has not been heard since */
    rig_http(&rig, "GET", "/healthz", "", NULL, &answer);
    assert_int_equal(answer.status, 503);
    assert_str(member(&answer, "core"), "does not answer");
    answer_done(&answer);
}

/* What was done stands in the audit log, with who did it. */
static void test_audit(void **state)
{
    char cookie[256];
    struct answer answer;
    bool has_read = false;
    bool has_login = false;
    uint64_t rows;
    uint8_t head[32];
    struct diag diag = {0};

    (void)state;
    rig_login(&rig, "admin", cookie);
    expect("GET", "/api/v1/tokens", cookie, NULL, 200);
    expect("POST", "/api/v1/tokens", cookie, "{\"note\":\"xã A\"}", 200);
    rig_http(&rig, "GET", "/api/v1/audit?limit=200", cookie, NULL, &answer);
    assert_int_equal(answer.status, 200);
    for (const struct json_value *item = json_member(answer.json, "items")->first; item != NULL;
         item = item->next) {
        bool is_admin = str_is_text(json_member_str(item, "actor", STR("")), "admin");

        has_read |= is_admin && str_is_text(json_member_str(item, "act", STR("")), "read.tokens");
        has_login |= is_admin && str_is_text(json_member_str(item, "act", STR("")), "login");
    }
    assert_true(has_read && has_login);
    answer_done(&answer);
    assert_int_equal(store_audit_verify(rig.reader, &rows, head, &diag), 0);
}

static void test_overview_and_hosts(void **state)
{
    char cookie[256];
    char path[96];
    char id[ID_TEXT_SIZE];
    struct answer answer;

    (void)state;
    rig_login(&rig, "viewer", cookie);
    rig_http(&rig, "GET", "/api/v1/overview", cookie, NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(json_member_i64(json_member(answer.json, "counts"), "hosts", 0), 1);
    answer_done(&answer);
    id_format(&host, id);
    (void)snprintf(path, sizeof(path), "/api/v1/hosts/%s", id);
    rig_http(&rig, "GET", path, cookie, NULL, &answer);
    assert_str(member(&answer, "name"), "kt-pc07");
    answer_done(&answer);
    rig_http(&rig, "GET", "/api/v1/hosts?limit=1", cookie, NULL, &answer);
    assert_int_equal(json_member(answer.json, "items")->count, 1);
    answer_done(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watch),
        cmocka_unit_test(test_paging),
        cmocka_unit_test(test_every_route_by_every_role),
        cmocka_unit_test(test_core_checks_again),
        cmocka_unit_test(test_bad_requests),
        cmocka_unit_test(test_malformed_http),
        cmocka_unit_test(test_endless_body),
        cmocka_unit_test(test_headers_and_assets),
        cmocka_unit_test(test_other_origins),
        cmocka_unit_test(test_guessing_is_slowed),
        cmocka_unit_test(test_languages),
        cmocka_unit_test(test_first_password),
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_authenticator),
        cmocka_unit_test(test_sessions_end),
        cmocka_unit_test(test_overview_and_hosts),
        cmocka_unit_test(test_audit),
        cmocka_unit_test(test_metrics_and_health),
    };

    return cmocka_run_group_tests_name("console", tests, start, stop);
}
