/* Every route of routes.def with bad input of every kind that its arguments allow: each refusal is
 * problem+json, says in the reader's language what is wrong, where, and what to do. */
#include "../harness.h"
#include "rig.h"

#include "base/banned.h"
#include "base/text.h"

extern const char catalogue_vi_start[]; /* po/meson.build links it */
extern const char catalogue_vi_end[];

static struct rig rig;
static char admin[256];
static unsigned asked;

static int start(void **state)
{
    (void)state;
    assert_int_equal(
        text_load(LANGUAGE_VI,
                  str_of(catalogue_vi_start, (size_t)(catalogue_vi_end - catalogue_vi_start))),
        0);
    rig_start(&rig);
    rig_login(&rig, "admin", admin);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

/* What would end the session or never ends has tests of its own; so have the routes of shippers,
 * which take no session and answer as shippers expect (tests/logs/post). */
static bool is_apart(const struct route *route)
{
    return strcmp(route->path, "/api/v1/logout") == 0 ||
           strcmp(route->path, "/api/v1/events/stream") == 0 || route->access == ACCESS_SENDER;
}

/* The route's path with acceptable values, but for the argument `bad`, which gets `value`. */
static void fill_path(const struct route *route, const char *bad, const char *value,
                      char ret_path[512])
{
    struct str rest = str_from(route->path);
    struct str part;
    size_t len = 0;

    (void)str_cut(&rest, '/', &part);
    while (str_cut(&rest, '/', &part)) {
        struct str name = str_slice(part, 1, part.len - 1);
        bool is_number = str_is_text(name, "number") || str_is_text(name, "window") ||
                         str_is_text(name, "change") || str_is_text(name, "picture");
        const char *fill = is_number                 ? "424242"
                           : str_is_text(name, "id") ? "00000000-0000-4000-8000-000000000009"
                                                     : "nobody";

        if (part.ptr[0] != '{') {
            len += (size_t)snprintf(ret_path + len, 512 - len, "/%.*s", STR_ARG(part));
        } else {
            len += (size_t)snprintf(ret_path + len, 512 - len, "/%s",
                                    bad != NULL && str_is_text(name, bad) ? value : fill);
        }
    }
}

/* The language of the one who is logged in counts more than the browser's. */
static void read_in(enum language language)
{
    struct store_user user;
    uint64_t number;

    arena_reset(rig.core->arena);
    assert_int_equal(core_batch_begin(rig.core), 0);
    assert_int_equal(store_user_get(rig.store, STR("admin"), rig.core->arena, &user), 0);
    user.language = language;
    assert_int_equal(store_user_put(rig.store, &user, &number), 0);
    assert_int_equal(core_batch_commit(rig.core), 0);
}

static void expect_refusal(const struct route *route, const char *path, const char *body,
                           const char *field)
{
    static const char *const languages[] = {"vi", "en"};
    char titles[2][128] = {""};

    for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
        char headers[400];
        struct answer answer;
        struct str detail;

        (void)snprintf(headers, sizeof(headers), "%sAccept-Language: %s\r\n",
                       route->access == ACCESS_OPEN ? "" : admin, languages[i]);
        read_in(i == 0 ? LANGUAGE_VI : LANGUAGE_EN);
        rig_http(&rig, method_name(route->method), path, headers, body, &answer);
        asked++;
        detail = json_member_str(answer.json, "detail", STR(""));
        if (answer.status < 400 || answer.status >= 500 || detail.len < 10 ||
            strcmp(answer_header(&answer, "Content-Type"), "application/problem+json") != 0 ||
            (field != NULL &&
             !str_is_text(json_member_str(answer.json, "field", STR("")), field))) {
            fail_msg("%s %s %s: %d %.*s", method_name(route->method), path,
                     body != NULL ? body : "", answer.status, (int)answer.body.len,
                     answer.body.ptr);
        }
        if (field != NULL) {
            assert_true(str_find(detail, str_from(field)) < detail.len); /* says where */
        }
        assert_string_equal(answer_header(&answer, "Content-Language"), languages[i]);
        (void)snprintf(titles[i], sizeof(titles[i]), "%.*s", STR_ARG(detail));
        answer_done(&answer);
    }
    if (strcmp(titles[0], titles[1]) == 0) {
        fail_msg("not translated: %s", titles[0]);
    }
}

/* Something that the row's type does not take. */
static const char *wrong_type(const struct argument *row)
{
    bool is_text = row->type == ARGUMENT_TYPE_TEXT || row->type == ARGUMENT_TYPE_SECRET ||
                   row->type == ARGUMENT_TYPE_CHOICE || row->type == ARGUMENT_TYPE_ID;

    if (row->place == ARGUMENT_PLACE_BODY) {
        return is_text ? "7" : "\"seven\"";
    }
    return is_text ? NULL : "seven";
}

static void ask_query(const struct route *route, const struct argument *row, const char *value)
{
    char path[512];
    size_t len;

    fill_path(route, NULL, NULL, path);
    len = strlen(path);
    (void)snprintf(path + len, sizeof(path) - len, "?%s=%.300s", row->name, value);
    expect_refusal(route, path, NULL, row->name);
}

static void ask_body(const struct route *route, const struct argument *row, const char *value)
{
    static char body[8192];
    char path[512];

    fill_path(route, NULL, NULL, path);
    (void)snprintf(body, sizeof(body), "{\"%s\":%s}", row->name, value);
    expect_refusal(route, path, body, row->name);
}

static void ask_path(const struct route *route, const struct argument *row, const char *value)
{
    char path[512];

    fill_path(route, row->name, value, path);
    expect_refusal(route, path, NULL, row->name);
}

static void ask(const struct route *route, const struct argument *row, const char *value)
{
    if (row->place == ARGUMENT_PLACE_QUERY) {
        ask_query(route, row, value);
    } else if (row->place == ARGUMENT_PLACE_BODY) {
        ask_body(route, row, value);
    } else {
        ask_path(route, row, value);
    }
}

static void ask_limits(const struct route *route, const struct argument *row)
{
    static char text[8192];
    bool is_body = row->place == ARGUMENT_PLACE_BODY;
    size_t most = (size_t)row->maximum;

    if (row->type == ARGUMENT_TYPE_NUMBER) {
        ask(route, row, "-1");
        ask(route, row, "99999999999999999999");
    } else if (row->type == ARGUMENT_TYPE_CHOICE) {
        ask(route, row, is_body ? "\"purple\"" : "purple");
    } else if (row->type == ARGUMENT_TYPE_ID) {
        ask(route, row, is_body ? "\"not-an-id\"" : "not-an-id");
    } else if (row->type != ARGUMENT_TYPE_BOOL && most < 4096 && (is_body || most < 256)) {
        size_t len = most + 1;

        text[0] = '"';
        memset(text + 1, 'a', len);
        (void)snprintf(text + 1 + len, sizeof(text) - 1 - len, "\"");
        if (!is_body) {
            text[1 + len] = '\0';
        }
        ask(route, row, is_body ? text : text + 1);
    }
}

static void test_wrong_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        for (const struct argument *row = routes[i].arguments;
             !is_apart(&routes[i]) && row != NULL && row->name != NULL; row++) {
            const char *value = wrong_type(row);

            if (value != NULL) {
                ask(&routes[i], row, value);
            }
            ask_limits(&routes[i], row);
        }
    }
    assert_true(asked > 150);
}

static void test_unknown_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *route = &routes[i];
        char path[512];
        size_t len;

        if (is_apart(route)) {
            continue;
        }
        fill_path(route, NULL, NULL, path);
        if (arguments_has_place(route->arguments, ARGUMENT_PLACE_BODY)) {
            expect_refusal(route, path, "{\"shoe\":1}", "shoe");
        } else if (route->method != METHOD_GET) {
            expect_refusal(route, path, "{\"shoe\":1}", NULL);
        }
        len = strlen(path);
        (void)snprintf(path + len, sizeof(path) - len, "?shoe=1");
        expect_refusal(route, path, NULL, "shoe");
    }
}

static void test_missing_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        const struct argument *first = NULL;
        char path[512];

        for (const struct argument *row = routes[i].arguments; row != NULL && row->name != NULL;
             row++) {
            if (row->place == ARGUMENT_PLACE_BODY && row->is_required) {
                first = first != NULL ? first : row;
            }
        }
        if (first != NULL) {
            fill_path(&routes[i], NULL, NULL, path);
            expect_refusal(&routes[i], path, "{}", first->name);
            expect_refusal(&routes[i], path, "{\"", NULL);
            expect_refusal(&routes[i], path, "[]", NULL);
            expect_refusal(&routes[i], path, "\xff\xfe", NULL);
        }
    }
}

/* The wrong role, nobody at all, and cursors that point nowhere any more. */
static void test_role_and_cursor(void **state)
{
    char viewer[256];
    struct answer answer;

    (void)state;
    rig_login(&rig, "viewer", viewer);
    rig_http(&rig, "GET", "/api/v1/users", viewer, NULL, &answer);
    assert_int_equal(answer.status, 403);
    assert_true(json_member_str(answer.json, "detail", STR("")).len > 10);
    answer_done(&answer);
    rig_http(&rig, "GET", "/api/v1/users", "", NULL, &answer);
    assert_int_equal(answer.status, 401);
    assert_true(json_member_str(answer.json, "detail", STR("")).len > 10);
    answer_done(&answer);
    rig_http(&rig, "GET", "/api/v1/alerts?cursor=1", viewer, NULL, &answer);
    assert_int_equal(answer.status, 200); /* nothing lies behind it: an empty page, no error */
    assert_int_equal(json_member(answer.json, "items")->count, 0);
    answer_done(&answer);
    rig_http(&rig, "GET", "/api/v1/hosts?cursor=zz-gone", viewer, NULL, &answer);
    assert_int_equal(answer.status, 200);
    answer_done(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_unknown_fields),
        cmocka_unit_test(test_missing_values),
        cmocka_unit_test(test_role_and_cursor),
    };

    return cmocka_run_group_tests_name("refusal", tests, start, stop);
}
