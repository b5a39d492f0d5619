/* The tables: routes are found, arguments hold their limits, refusals are worded, the OpenAPI file
 * is theirs. */
#include "../harness.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "centre/api/private.h"
#include "centre/openapi.h"
#include "centre/schema.h"
#include "sys/fd.h"

#include <fcntl.h>

#define OPENAPI_MAX (1U << 20)

static void test_find(void **state)
{
    unsigned allowed;
    const struct route *route;

    (void)state;
    route = route_find(METHOD_POST, STR("/api/v1/alerts/17/take"), &allowed);
    assert_non_null(route);
    assert_string_equal(route->verb, "alert.take");
    assert_null(route_find(METHOD_GET, STR("/api/v1/alerts/17/take"), &allowed));
    assert_int_equal(allowed, 1U << METHOD_POST);
    assert_null(route_find(METHOD_GET, STR("/api/v1/alerts/17/take/more"), &allowed));
    assert_int_equal(allowed, 0);
    assert_null(route_find(METHOD_GET, STR("/api/v1/alerts//take"), &allowed));
    assert_null(route_find(METHOD_GET, STR(""), &allowed));
    assert_null(route_find(METHOD_GET, STR("api/v1/me"), &allowed));
    assert_non_null(route_find(METHOD_DELETE, STR("/api/v1/me/totp"), &allowed));
}

static bool has_limit(const struct route *route, bool *ret_has_cursor)
{
    bool is_paged = false;

    *ret_has_cursor = false;
    for (const struct argument *row = route->arguments; row != NULL && row->name != NULL; row++) {
        is_paged = is_paged || strcmp(row->name, "limit") == 0;
        *ret_has_cursor = *ret_has_cursor || strcmp(row->name, "cursor") == 0;
    }
    return is_paged;
}

/* Every list that comes in pages goes on by the same word. */
static void test_pages(void **state)
{
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        bool has_cursor;

        if (has_limit(&routes[i], &has_cursor)) {
            assert_true(has_cursor);
            count++;
        }
    }
    assert_true(count >= 6);
}

/* What the table promises of itself. */
static void test_table_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *route = &routes[i];
        size_t rows = 0;

        assert_true(route->method == METHOD_GET || route->verb != NULL ||
                    route->access == ACCESS_SENDER); /* only core writes */
        assert_true(route->answer == NULL || strchr(route->answer, '/') != NULL ||
                    schema_find(route->answer) != NULL);
        for (const struct argument *row = route->arguments; row != NULL && row->name != NULL;
             row++) {
            char part[64];

            (void)snprintf(part, sizeof(part), "{%s}", row->name);
            assert_int_equal(row->place == ARGUMENT_PLACE_PATH, strstr(route->path, part) != NULL);
            assert_true(row->type != ARGUMENT_TYPE_CHOICE || row->choices != NULL);
            rows++;
        }
        assert_true(rows <= ARGUMENTS_MAX);
        for (size_t k = 0; k < i; k++) {
            assert_true(routes[k].method != route->method ||
                        strcmp(routes[k].path, route->path) != 0);
        }
    }
}

/* What the api process lets through, core lets through, and the other way round. */
static void test_arguments_travel(void **state)
{
    struct arguments sent;
    struct arguments got;
    struct diag diag = {0};
    struct buf bytes;
    struct arena *arena;
    struct json_value *value;

    (void)state;
    buf_init(&bytes, 4096);
    assert_int_equal(arena_new(1U << 20, &arena), 0);
    assert_int_equal(
        json_parse(STR("{\"verdict\":\"true\",\"reason\":\"mã độc \\u0111\\u00e3 chặn\"}"), arena,
                   &value, &diag),
        0);
    arguments_init(&sent, arguments_alert_close);
    assert_int_equal(arguments_set(&sent, ARGUMENT_PLACE_PATH, STR("number"), STR("12"), &diag), 0);
    assert_int_equal(arguments_set_json(&sent, value, &diag), 0);
    assert_int_equal(arguments_check(&sent, &diag), 0);
    arguments_encode(&sent, &bytes);
    assert_int_equal(buf_error(&bytes), 0);
    arguments_init(&got, arguments_alert_close);
    assert_int_equal(arguments_decode(&got, buf_str(&bytes), &diag), 0);
    assert_int_equal(arguments_number(&got, "number", 0), 12);
    assert_str(arguments_text(&got, "verdict"), "true");
    assert_str(arguments_text(&got, "reason"), "mã độc đã chặn");
    for (size_t cut = 0; cut < bytes.len; cut++) {
        arguments_init(&got, arguments_alert_close);
        assert_true(arguments_decode(&got, str_slice(buf_str(&bytes), 0, cut), &diag) < 0);
    }
    arguments_init(&got, arguments_login); /* another table's */
    assert_int_equal(arguments_decode(&got, buf_str(&bytes), &diag), -ERR_NOENT);
    arguments_init(&got, NULL);
    assert_int_equal(arguments_decode(&got, buf_str(&bytes), &diag), -ERR_NOENT);
    buf_done(&bytes);
    arena_free(arena);
}

static void test_problem(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 4096);
    text_set_language(LANGUAGE_EN);
    problem_write(PROBLEM_CONFLICT,
                  &(struct problem_words){.detail = "somebody was \"faster\"",
                                          .instance = STR("/api/v1/alerts/1/take")},
                  &buf);
    assert_str(buf_str(&buf),
               "{\"type\":\"urn:canhgac:problem:conflict\",\"title\":\"It has changed meanwhile\","
               "\"status\":409,\"code\":\"conflict\",\"detail\":\"somebody was \\\"faster\\\"\","
               "\"instance\":\"/api/v1/alerts/1/take\"}");
    assert_int_equal(problem_of(-ERR_CONFLICT), PROBLEM_CONFLICT);
    assert_int_equal(problem_of(-ERR_CORRUPT), PROBLEM_INTERNAL);
    buf_done(&buf);
}

static void test_language_and_address(void **state)
{
    (void)state;
    assert_int_equal(api_choose_language(NULL, LANGUAGE_VI), LANGUAGE_VI);
    assert_int_equal(api_choose_language("en-US,en;q=0.9,vi;q=0.8", LANGUAGE_VI), LANGUAGE_EN);
    assert_int_equal(api_choose_language("fr;q=1, de", LANGUAGE_EN), LANGUAGE_EN);
    assert_int_equal(api_choose_language("en;q=0, vi", LANGUAGE_EN), LANGUAGE_VI);
    assert_true(api_is_local(STR("127.0.0.1")));
    assert_true(api_is_local(STR("::1")));
    assert_false(api_is_local(STR("10.127.0.1")));
    assert_false(api_is_local(STR("")));
}

/* docs/openapi.json is what `canhgac centre openapi` prints. */
static void test_openapi_file_is_current(void **state)
{
    CLEANUP(closep) int root = open(SOURCE_ROOT, O_DIRECTORY | O_CLOEXEC);
    struct buf made;
    struct buf kept;
    struct arena *arena;
    struct json_value *value;
    struct diag diag = {0};

    (void)state;
    buf_init(&made, OPENAPI_MAX);
    buf_init(&kept, OPENAPI_MAX);
    openapi_write(&made);
    assert_int_equal(buf_error(&made), 0);
    assert_int_equal(arena_new(8U << 20, &arena), 0);
    assert_int_equal(json_parse(buf_str(&made), arena, &value, &diag), 0);
    assert_str(json_member_str(value, "openapi", STR("")), "3.1.0");
    assert_int_equal(file_read_all(root, "docs/openapi.json", &kept), 0);
    assert_true(str_is(buf_str(&made), buf_str(&kept)));
    arena_free(arena);
    buf_done(&made);
    buf_done(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_table_is_sound),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_arguments_travel),
        cmocka_unit_test(test_problem),
        cmocka_unit_test(test_language_and_address),
        cmocka_unit_test(test_openapi_file_is_current),
    };

    return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
