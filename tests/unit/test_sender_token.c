/* Tokens of senders of logs: what a request carries, what the store keeps, what counts. */
#include "store_fixture.h"

#include "base/err.h"
#include "centre/sender_token.h"
#include "store/logsources.h"

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    fixture_init(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_done(&fixture);
    return 0;
}

static struct store *open_store(void)
{
    struct store *store;
    struct diag diag = {0};

    assert_int_equal(
        store_open(&(struct store_options){.folder = fixture.folder, .clock = &fixture.clock},
                   &store, &diag),
        0);
    return store;
}

static void test_header(void **state)
{
    static const struct {
        const char *header;
        const char *text;
    } cases[] = {
        {"Bearer abc", "abc"},
        {"bearer  abc ", "abc"},
        {"Splunk abc", "abc"},
        {"ApiKey aWQ6YWJj", "abc"},    /* id:abc */
        {"ApiKey YWJj", "abc"},        /* abc: some write it without an id */
        {"Basic bmFtZTphYmM=", "abc"}, /* name:abc */
        {"Basic bmFtZTphOmI=", "a:b"},
        {"Basic not-base64", ""},
        {"Basic ", ""},
        {"Bearer", ""},
        {"Digest abc", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str text;

        assert_int_equal(sender_authorization(str_from(cases[i].header), fixture.arena, &text), 0);
        assert_str(text, cases[i].text);
    }
}

/* More than a header's words may be is no token, whatever it says. */
static void test_header_is_bounded(void **state)
{
    char header[4096] = "Basic ";
    struct str text;

    (void)state;
    memset(header + 6, 'A', 4000);
    assert_int_equal(sender_authorization(str_from(header), fixture.arena, &text), 0);
    assert_int_equal(text.len, 0);
}

static void test_names(void **state)
{
    char longest[SENDER_NAME_MAX + 2];

    (void)state;
    memset(longest, 'a', sizeof(longest));
    assert_true(sender_is_name(STR("web-01.tinh_A")));
    assert_true(sender_is_name(str_of(longest, SENDER_NAME_MAX)));
    assert_false(sender_is_name(str_of(longest, SENDER_NAME_MAX + 1)));
    assert_false(sender_is_name(STR("")));
    assert_false(sender_is_name(STR("192.0.2.7")));
    assert_false(sender_is_name(STR("a@b")));
    assert_false(sender_is_name(STR("m\xc3\xa1y")));
}

static int put(struct store *store, const char *name, const char *text, uint64_t *ret_number)
{
    struct store_sender_token row = {
        .name = str_from(name), .created = FIXTURE_NOW, .created_by = STR("admin")};
    int r;

    sender_token_sha256(str_from(text), row.secret_sha256);
    assert_int_equal(store_begin(store), 0);
    r = store_sender_token_put(store, &row, ret_number);
    assert_int_equal(store_commit(store), 0); /* also after -ERR_EXIST: nothing was half done */
    return r;
}

static int find(struct store *store, const char *text)
{
    struct store_sender_token token;

    return sender_find(store, str_from(text), fixture.arena, &token);
}

static void revoke_token(struct store *store, uint64_t number, int64_t time)
{
    assert_int_equal(store_begin(store), 0);
    assert_int_equal(store_sender_token_revoke(store, number, time), 0);
    assert_int_equal(store_commit(store), 0);
}

static void test_life(void **state)
{
    char text[SENDER_TOKEN_SIZE];
    char other[SENDER_TOKEN_SIZE];
    CLEANUP(store_closep) struct store *store = open_store();
    uint64_t number;
    uint64_t again;

    (void)state;
    assert_int_equal(sender_token_new(text), 0);
    assert_int_equal(sender_token_new(other), 0);
    assert_int_equal(strlen(text), SENDER_TOKEN_SIZE - 1);
    assert_string_not_equal(text, other);
    assert_int_equal(find(store, text), -ERR_DENIED);
    assert_int_equal(put(store, "a", text, &number), 0);
    assert_int_equal(find(store, text), 0);
    assert_int_equal(find(store, other), -ERR_DENIED);
    assert_int_equal(find(store, ""), -ERR_DENIED);
    assert_int_equal(put(store, "a", other, &again), -ERR_EXIST);
    assert_int_equal(find(store, other), -ERR_DENIED);

    revoke_token(store, number, FIXTURE_NOW);
    assert_int_equal(find(store, text), -ERR_DENIED);
    revoke_token(store, number, 0);
    assert_int_equal(find(store, text), 0);
    revoke_token(store, number, FIXTURE_NOW);
    assert_int_equal(put(store, "a", other, &again), 0);
    assert_int_equal(again, number);
    assert_int_equal(find(store, other), 0);
    assert_int_equal(find(store, text), -ERR_DENIED);
}

static void test_list(void **state)
{
    CLEANUP(store_closep) struct store *store = open_store();
    struct store_sender_token *tokens;
    uint64_t numbers[3];
    size_t count;

    (void)state;
    assert_int_equal(put(store, "c", "1", &numbers[0]), 0);
    assert_int_equal(put(store, "b", "2", &numbers[1]), 0);
    assert_int_equal(put(store, "a", "3", &numbers[2]), 0);
    revoke_token(store, numbers[2], FIXTURE_NOW);
    assert_int_equal(store_begin(store), 0);
    assert_int_equal(store_sender_token_used(store, numbers[1], FIXTURE_NOW + 1), 0);
    assert_int_equal(store_commit(store), 0);
    assert_int_equal(store_sender_token_list(store, fixture.arena, &tokens, &count), 0);
    assert_int_equal(count, 3);
    assert_str(tokens[0].name, "b");
    assert_int_equal(tokens[0].used, FIXTURE_NOW + 1);
    assert_str(tokens[1].name, "c");
    assert_int_equal(tokens[1].used, 0);
    assert_str(tokens[2].name, "a"); /* those that count no longer come last */
    assert_int_equal(tokens[2].revoked, FIXTURE_NOW);
}

static int drop(struct store *store, const struct id *host)
{
    int r;

    assert_int_equal(store_begin(store), 0);
    r = store_sender_drop(store, host);
    assert_int_equal(store_commit(store), 0);
    return r;
}

/* A sender's row goes, unless its token counts, or people were told of it or said something. */
static void test_drop(void **state)
{
    struct store_host host = {
        .id = {{1}}, .name = STR("loa"), .kind = STORE_HOST_SENDER, .via = STR("loa")};
    struct store_logsource source = {.host = host.id, .name = STR("sshd"), .format = STR("syslog")};
    const struct store_sender_token token = {.name = STR("loa")};
    struct store *store = open_store();
    struct store_host got;
    uint64_t number;
    uint64_t counting;

    (void)state;
    assert_int_equal(store_begin(store), 0);
    assert_int_equal(store_host_put(store, &host), 0);
    assert_int_equal(store_logsource_put(store, &source, &number), 0);
    assert_int_equal(store_sender_token_put(store, &token, &counting), 0);
    assert_int_equal(store_commit(store), 0);
    assert_int_equal(drop(store, &host.id), -ERR_CONFLICT);

    assert_int_equal(store_begin(store), 0);
    assert_int_equal(store_sender_token_revoke(store, counting, FIXTURE_NOW), 0);
    assert_int_equal(store_logsource_mute(store, number, 1, STR("duty"), STR("đã gỡ")), 0);
    assert_int_equal(store_commit(store), 0);
    assert_int_equal(drop(store, &host.id), -ERR_CONFLICT);

    assert_int_equal(store_begin(store), 0);
    assert_int_equal(store_logsource_mute(store, number, 0, STR("duty"), STR("")), 0);
    assert_int_equal(store_commit(store), 0);
    assert_int_equal(store_host_get(store, &host.id, fixture.arena, &got), 0);
    assert_int_equal(drop(store, &host.id), 0);
    assert_int_equal(store_host_get(store, &host.id, fixture.arena, &got), -ERR_NOENT);

    host.kind = STORE_HOST_AGENT;
    assert_int_equal(store_begin(store), 0);
    assert_int_equal(store_host_put(store, &host), 0);
    assert_int_equal(store_commit(store), 0);
    assert_int_equal(drop(store, &host.id), -ERR_CONFLICT);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_header_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_life, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_list, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_drop, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("sender_token", tests, NULL, NULL);
}
