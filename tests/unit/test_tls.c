/* The authority, tokens, identities, and TLS between them over socket pairs. */
#include "harness.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/prng.h"
#include "base/time.h"
#include "link/authority.h"
#include "link/identity.h"
#include "link/token.h"
#include "sys/fd.h"
#include "sys/tls.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define PEM_LIMIT (32U << 10)

struct world {
    struct authority *authority;
    struct buf ca, ca_key, server, server_key;
    struct buf host; /* certificate of identity */
    struct identity identity;
    uint8_t host_key[32];
    struct id host_id;
    int64_t now;
};

static void world_init(struct world *world, int64_t made_at)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "::1", "canh-gac.example.vn"};
    struct authority_server server = {.names = names, .name_count = ARRAY_LEN(names)};
    CLEANUP(buf_done) struct buf request;

    *world = (struct world){.host_id = {.bytes = {9, 8, 7}}};
    world->now = clock_wall(&clock_real);
    server.now = made_at;
    buf_init(&request, PEM_LIMIT);
    buf_init(&world->ca, PEM_LIMIT);
    buf_init(&world->ca_key, PEM_LIMIT);
    buf_init(&world->server, PEM_LIMIT);
    buf_init(&world->server_key, PEM_LIMIT);
    buf_init(&world->host, PEM_LIMIT);
    identity_init(&world->identity);
    assert_int_equal(authority_new(STR("Tỉnh Đồng Nai"), made_at, &world->authority), 0);
    assert_int_equal(authority_write(world->authority, &world->ca, &world->ca_key), 0);
    assert_int_equal(
        authority_sign_server(world->authority, &server, &world->server, &world->server_key), 0);
    assert_int_equal(identity_request(&world->identity, &request), 0);
    assert_int_equal(authority_sign_host(world->authority, buf_str(&request), &world->host_id,
                                         made_at, &world->host, world->host_key),
                     0);
    assert_int_equal(identity_check(&world->identity, buf_str(&world->host)), 0);
}

static void world_done(struct world *world)
{
    authority_free(world->authority);
    buf_done(&world->ca);
    buf_done(&world->ca_key);
    buf_done(&world->server);
    buf_done(&world->server_key);
    buf_done(&world->host);
    identity_done(&world->identity);
}

static const struct tls_alpn rules[] = {
    {LINK_ALPN_AGENT, true}, {LINK_ALPN_ENROL, false}, {LINK_ALPN_BROWSER, false}, {}};

struct meeting {
    int fds[2];
    struct tls_context *server_context, *client_context;
    struct tls *server, *client;
    int server_result, client_result;
};

/* Steps both sides until each has its result. */
static void meet(struct meeting *meeting, const struct world *server,
                 const struct tls_client_options *client)
{
    struct tls_server_options options = {.certificate = buf_str(&server->server),
                                         .key = buf_str(&server->server_key),
                                         .client_authority = buf_str(&server->ca),
                                         .alpn = rules};
    char byte;
    size_t n;

    *meeting = (struct meeting){.server_result = -ERR_AGAIN, .client_result = -ERR_AGAIN};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, meeting->fds), 0);
    assert_int_equal(tls_context_new_server(&options, &meeting->server_context, NULL), 0);
    assert_int_equal(tls_context_new_client(client, &meeting->client_context, NULL), 0);
    assert_int_equal(tls_new(meeting->server_context, meeting->fds[0], &meeting->server), 0);
    assert_int_equal(tls_new(meeting->client_context, meeting->fds[1], &meeting->client), 0);
    for (int i = 0; i < 20; i++) {
        if (meeting->client_result == -ERR_AGAIN) {
            meeting->client_result = tls_handshake(meeting->client);
        }
        if (meeting->server_result == -ERR_AGAIN) {
            meeting->server_result = tls_handshake(meeting->server);
        }
    }
    if (meeting->client_result ==
        0) { /* TLS 1.3: a refusal of our certificate arrives after the handshake */
        int r = tls_read(meeting->client, &byte, 1, &n);

        meeting->client_result = r == -ERR_AGAIN ? 0 : r;
    }
}

static void part(struct meeting *meeting)
{
    tls_free(meeting->server);
    tls_free(meeting->client);
    tls_context_free(meeting->server_context);
    tls_context_free(meeting->client_context);
    (void)close(meeting->fds[0]);
    (void)close(meeting->fds[1]);
}

static struct tls_client_options agent_of(const struct world *world)
{
    return (struct tls_client_options){.alpn = LINK_ALPN_AGENT,
                                       .authority = buf_str(&world->ca),
                                       .certificate = buf_str(&world->host),
                                       .key = buf_str(&world->identity.key)};
}

static void test_agent_is_known_by_its_key(void **state)
{
    struct world world;
    struct meeting meeting;
    struct tls_client_options client;
    uint8_t key[32];
    char bytes[16];
    size_t n = 0;

    (void)state;
    world_init(&world, clock_wall(&clock_real));
    client = agent_of(&world);
    meet(&meeting, &world, &client);
    assert_int_equal(meeting.server_result, 0);
    assert_int_equal(meeting.client_result, 0);
    assert_str(tls_alpn_name(meeting.server), LINK_ALPN_AGENT);
    assert_int_equal(tls_peer_key_sha256(meeting.server, key), 0);
    assert_memory_equal(key, world.host_key, sizeof(key));
    assert_int_equal(tls_write(meeting.client, "xin chào", 9, &n), 0);
    assert_int_equal(tls_read(meeting.server, bytes, sizeof(bytes), &n), 0);
    assert_str(str_of(bytes, n), "xin chào");
    tls_close(meeting.client);
    assert_int_equal(tls_read(meeting.server, bytes, sizeof(bytes), &n), -ERR_PIPE);
    part(&meeting);
    world_done(&world);
}

static void test_browser_needs_no_certificate(void **state)
{
    struct world world;
    struct meeting meeting;
    struct tls_client_options client;
    uint8_t key[32];

    (void)state;
    world_init(&world, clock_wall(&clock_real));
    client =
        (struct tls_client_options){.alpn = LINK_ALPN_BROWSER, .authority = buf_str(&world.ca)};
    meet(&meeting, &world, &client);
    assert_int_equal(meeting.server_result, 0);
    assert_int_equal(meeting.client_result, 0);
    assert_int_equal(tls_peer_key_sha256(meeting.server, key), -ERR_NOENT);
    part(&meeting);
    world_done(&world);
}

static void test_agent_without_certificate(void **state)
{
    struct world world;
    struct meeting meeting;
    struct tls_client_options client;

    (void)state;
    world_init(&world, clock_wall(&clock_real));
    client = (struct tls_client_options){.alpn = LINK_ALPN_AGENT, .authority = buf_str(&world.ca)};
    meet(&meeting, &world, &client);
    assert_int_equal(meeting.server_result, -ERR_UNTRUSTED);
    assert_int_equal(meeting.client_result, -ERR_UNTRUSTED);
    part(&meeting);
    world_done(&world);
}

static void test_strangers(void **state)
{
    struct world world;
    struct world other;
    struct meeting meeting;
    struct tls_client_options client;

    (void)state;
    world_init(&world, clock_wall(&clock_real));
    world_init(&other, clock_wall(&clock_real));
    client = agent_of(&other); /* another centre's agent, which also trusts only that centre */
    meet(&meeting, &world, &client);
    assert_int_equal(meeting.client_result, -ERR_UNTRUSTED);
    assert_true(meeting.server_result < 0);
    part(&meeting);
    client.authority = buf_str(&world.ca);
    meet(&meeting, &world, &client);
    assert_int_equal(meeting.server_result, -ERR_UNTRUSTED);
    assert_int_equal(meeting.client_result, -ERR_UNTRUSTED);
    part(&meeting);
    client = (struct tls_client_options){.alpn = "h2", .authority = buf_str(&world.ca)};
    meet(&meeting, &world, &client);
    assert_true(meeting.server_result < 0 && meeting.server_result != -ERR_AGAIN);
    part(&meeting);
    world_done(&world);
    world_done(&other);
}

/* An agent's certificate must not serve as a centre's, though the same authority signed it. */
static void test_agent_is_no_server(void **state)
{
    struct world world;
    struct world liar;
    struct meeting meeting;
    struct tls_client_options client;

    (void)state;
    world_init(&world, clock_wall(&clock_real));
    world_init(&liar, clock_wall(&clock_real));
    buf_reset(&liar.server);
    buf_reset(&liar.server_key);
    buf_put_str(&liar.server, buf_str(&world.host));
    buf_put_str(&liar.server, buf_str(&world.ca));
    buf_put_str(&liar.server_key, buf_str(&world.identity.key));
    client = agent_of(&world);
    meet(&meeting, &liar, &client);
    assert_int_equal(meeting.client_result, -ERR_UNTRUSTED);
    part(&meeting);
    client = (struct tls_client_options){.alpn = LINK_ALPN_ENROL};
    meet(&meeting, &liar, &client);
    assert_int_equal(meeting.client_result, 0); /* nobody is trusted yet */
    {
        uint8_t pin[32];
        char pem[4096];

        assert_int_equal(authority_fingerprint(world.authority, pin), 0);
        assert_int_equal(
            tls_pin(meeting.client, str_of((const char *)pin, TOKEN_PIN_SIZE), pem, sizeof(pem)),
            -ERR_UNTRUSTED);
    }
    part(&meeting);
    world_done(&world);
    world_done(&liar);
}

static void test_expired(void **state)
{
    struct world world;
    struct meeting meeting;
    struct tls_client_options client;
    int64_t six_years = 6LL * 365 * 86400 * NS_PER_S;

    (void)state;
    world_init(&world, clock_wall(&clock_real) - six_years); /* the authority lives 20 years */
    client = agent_of(&world);
    meet(&meeting, &world, &client);
    assert_int_equal(meeting.client_result, -ERR_EXPIRED); /* the server's */
    part(&meeting);
    /* an old host at a centre that has renewed its own */
    {
        static const char *const names[] = {"localhost"};
        struct authority_server server = {names, 1, clock_wall(&clock_real)};

        assert_int_equal(
            authority_is_server_stale(world.authority, buf_str(&world.server), &server), 1);
        buf_reset(&world.server);
        buf_reset(&world.server_key);
        assert_int_equal(
            authority_sign_server(world.authority, &server, &world.server, &world.server_key), 0);
        assert_int_equal(
            authority_is_server_stale(world.authority, buf_str(&world.server), &server), 0);
    }
    meet(&meeting, &world, &client);
    assert_int_equal(meeting.server_result, -ERR_EXPIRED);
    assert_int_equal(meeting.client_result, -ERR_EXPIRED);
    part(&meeting);
    world_done(&world);
}

static void test_pinning(void **state)
{
    struct world world;
    struct world other;
    struct meeting meeting;
    struct tls_client_options client = {.alpn = LINK_ALPN_ENROL};
    uint8_t sha256[32];
    struct token token;
    char pem[4096] = "";

    (void)state;
    world_init(&world, clock_wall(&clock_real));
    world_init(&other, clock_wall(&clock_real));
    assert_int_equal(authority_fingerprint(world.authority, sha256), 0);
    assert_int_equal(token_new(sha256, &token), 0);
    assert_true(token_is_pin(&token, sha256));
    meet(&meeting, &world, &client);
    assert_int_equal(tls_pin(meeting.client, str_of((const char *)token.pin, sizeof(token.pin)),
                             pem, sizeof(pem)),
                     0);
    assert_str(str_from(pem), world.ca.ptr);
    part(&meeting);
    meet(&meeting, &other, &client);
    assert_int_equal(tls_pin(meeting.client, str_of((const char *)token.pin, sizeof(token.pin)),
                             pem, sizeof(pem)),
                     -ERR_UNTRUSTED);
    part(&meeting);
    world_done(&world);
    world_done(&other);
}

static void test_server_names(void **state)
{
    static const char *const asked[] = {"localhost", "10.0.0.7"};
    struct authority_server server = {asked, 2, 0};
    struct world world;

    (void)state;
    world_init(&world, clock_wall(&clock_real));
    server.now = world.now;
    assert_int_equal(authority_is_server_stale(world.authority, buf_str(&world.server), &server),
                     1);
    server.name_count = 1;
    assert_int_equal(authority_is_server_stale(world.authority, buf_str(&world.server), &server),
                     0);
    assert_int_equal(authority_is_server_stale(world.authority, STR("no certificate"), &server), 1);
    world_done(&world);
}

static void test_requests_refused(void **state)
{
    struct world world;
    CLEANUP(buf_done) struct buf request;
    CLEANUP(buf_done) struct buf out;
    uint8_t key[32];

    (void)state;
    buf_init(&request, PEM_LIMIT);
    buf_init(&out, PEM_LIMIT);
    world_init(&world, clock_wall(&clock_real));
    assert_int_equal(identity_request(&world.identity, &request), 0);
    assert_int_equal(identity_check(&world.identity, buf_str(&world.host)),
                     -ERR_UNTRUSTED);             /* another key now */
    for (size_t i = 0; i < request.len; i += 3) { /* one flipped bit anywhere */
        request.ptr[i] ^= 4;
        assert_true(authority_sign_host(world.authority, buf_str(&request), &world.host_id,
                                        world.now, &out, key) < 0);
        request.ptr[i] ^= 4;
    }
    assert_int_equal(out.len, 0);
    world_done(&world);
}

static void test_token_text(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, 5);
    for (int i = 0; i < 500; i++) {
        struct token token;
        struct token again;
        char text[TOKEN_TEXT_SIZE];
        size_t at;

        prng_fill(&prng, &token, sizeof(token));
        token_format(&token, text);
        assert_int_equal(strlen(text), TOKEN_TEXT_SIZE - 1);
        assert_int_equal(token_parse(str_from(text), &again), 0);
        assert_memory_equal(&token, &again, sizeof(token));
        for (char *c = text; *c != '\0'; c++) { /* read aloud and typed in lower case */
            *c = *c == '0' ? 'o' : *c == '1' ? 'l' : *c == '-' ? ' ' : *c;
        }
        assert_int_equal(token_parse(str_from(text), &again), 0);
        at = prng_below(&prng, 5);
        text[at] = text[at] == 'A' ? 'B' : 'A';
        if (token_parse(str_from(text), &again) ==
            0) { /* one slip in 256 passes; it must be another token */
            assert_memory_not_equal(&token, &again, sizeof(token));
        }
    }
    assert_int_equal(token_parse(STR(""), &(struct token){0}), -ERR_SYNTAX);
    assert_int_equal(token_parse(STR("ABCDE-FGHJK"), &(struct token){0}), -ERR_SYNTAX);
    assert_int_equal(token_parse(STR("ABCDE-FGHJ!"), &(struct token){0}), -ERR_SYNTAX);
}

static void test_identity_files(void **state)
{
    char folder[] = "/tmp/canhgac-identity-XXXXXX";
    struct world world;
    struct identity loaded;
    struct diag diag = {0};
    struct stat info;
    char path[64];

    (void)state;
    assert_non_null(mkdtemp(folder));
    world_init(&world, clock_wall(&clock_real));
    identity_init(&loaded);
    assert_int_equal(identity_load(&loaded, folder, &diag), -ERR_NOENT);
    assert_non_null(strstr(diag.text, "canhgac"));
    buf_put_str(&world.identity.certificate, buf_str(&world.host));
    buf_put_str(&world.identity.authority, buf_str(&world.ca));
    world.identity.host = world.host_id;
    assert_int_equal(identity_set_centre(&world.identity, STR("10.0.0.1:9443")), 0);
    assert_int_equal(identity_save(&world.identity, folder, &diag), 0);
    assert_int_equal(identity_load(&loaded, folder, &diag), 0);
    assert_str(str_from(loaded.centre), "10.0.0.1");
    assert_int_equal(loaded.port, 9443);
    assert_true(id_is(&loaded.host, &world.host_id));
    assert_int_equal(identity_check(&loaded, buf_str(&loaded.certificate)), 0);
    (void)snprintf(path, sizeof(path), "%s/host.key", folder);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    identity_done(&loaded);
    world_done(&world);
    (void)unlink(path);
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = {"host.crt", "centre.crt", "centre"};

        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(folder), 0);
}

static void test_centre_addresses(void **state)
{
    static const struct {
        const char *text;
        const char *host;
        unsigned port; /* 0: refused */
    } cases[] = {
        {"centre", "centre", 8443},
        {"centre:1", "centre", 1},
        {"10.1.2.3:443", "10.1.2.3", 443},
        {"[::1]:9", "::1", 9},
        {"[fe80::1]", "fe80::1", 8443},
        {"fe80::1", "fe80::1", 8443},
        {"", NULL, 0},
        {":8443", NULL, 0},
        {"centre:", "centre", 8443},
        {"centre:0", NULL, 0},
        {"centre:70000", NULL, 0},
        {"centre:x", NULL, 0},
        {"[::1", NULL, 0},
        {"[::1]9", NULL, 0},
        {"two words", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct identity identity = {0};
        int r = identity_set_centre(&identity, str_from(cases[i].text));

        if (cases[i].port == 0) {
            assert_int_equal(r, -ERR_SYNTAX);
        } else {
            assert_int_equal(r, 0);
            assert_str(str_from(identity.centre), cases[i].host);
            assert_int_equal(identity.port, cases[i].port);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agent_is_known_by_its_key),
        cmocka_unit_test(test_browser_needs_no_certificate),
        cmocka_unit_test(test_agent_without_certificate),
        cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_agent_is_no_server),
        cmocka_unit_test(test_expired),
        cmocka_unit_test(test_pinning),
        cmocka_unit_test(test_server_names),
        cmocka_unit_test(test_requests_refused),
        cmocka_unit_test(test_token_text),
        cmocka_unit_test(test_identity_files),
        cmocka_unit_test(test_centre_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
