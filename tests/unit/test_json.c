/* JSON: what RFC 8259 allows and forbids, limits, places in error sentences, and writer to reader.
 */
#include "prop.h"

#include "base/text.h"
#include "codec/json.h"

#include <math.h>

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    text_set_language(LANGUAGE_EN);
    return arena_new(1 << 20, &arena);
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static int parse(struct str text, struct json_value **ret_value, struct diag *diag)
{
    arena_reset(arena);
    return json_parse(text, arena, ret_value, diag);
}

static void assert_string_value(struct str text, struct str expected)
{
    struct json_value *value = NULL;

    assert_int_equal(parse(text, &value, NULL), 0);
    assert_int_equal(value->type, JSON_TYPE_STRING);
    assert_true(str_is(value->string, expected));
}

static void test_strings(void **state)
{
    (void)state;
    assert_string_value(STR("\"\""), STR(""));
    assert_string_value(STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), STR("\"\\/\b\f\n\r\t"));
    assert_string_value(STR("\"\\u0041\\u00e9\\u20AC\""), STR("A\xc3\xa9\xe2\x82\xac"));
    assert_string_value(STR("\"\\ud83d\\ude00\""), STR("\xf0\x9f\x98\x80"));
    assert_string_value(STR("\"a\\u0000b\""), STR("a\0b"));
    assert_string_value(STR("\"Trực ban \x7f\""), STR("Trực ban \x7f"));
}

static void assert_number(const char *text, bool is_integer, int64_t integer, double number)
{
    struct json_value *value = NULL;

    assert_int_equal(parse(str_from(text), &value, NULL), 0);
    assert_int_equal(value->type, JSON_TYPE_NUMBER);
    assert_int_equal(value->is_integer, is_integer);
    assert_true(value->integer == (is_integer ? integer : 0));
    assert_true(fabs(value->number - number) <= fabs(number) * 1e-15);
}

static void test_numbers(void **state)
{
    (void)state;
    assert_number("0", true, 0, 0);
    assert_number("-0", true, 0, 0);
    assert_number("9223372036854775807", true, INT64_MAX, 9223372036854775807.0);
    assert_number("-9223372036854775808", true, INT64_MIN, -9223372036854775808.0);
    assert_number("9223372036854775808", false, 0, 9223372036854775808.0);
    assert_number("1.5", false, 0, 1.5);
    assert_number("-12.25e-2", false, 0, -0.1225);
    assert_number("1E+2", false, 0, 100);
    assert_number("1e-999", false, 0, 0);
    assert_number("0.1000000000000000055511151231257827", false, 0, 0.1);
}

static void test_tree(void **state)
{
    struct json_value *value = NULL;
    const struct json_value *list;

    (void)state;
    assert_int_equal(
        parse(STR(" {\"a\" : [1, {\"b\":null}, []] ,\r\n\t\"c\":{},\"yes\":true,\"\":\"x\"} "),
              &value, NULL),
        0);
    assert_int_equal(value->type, JSON_TYPE_OBJECT);
    assert_int_equal(value->count, 4);
    list = json_member(value, "a");
    assert_int_equal(list->type, JSON_TYPE_ARRAY);
    assert_int_equal(list->count, 3);
    assert_int_equal(list->first->integer, 1);
    assert_int_equal(json_member(list->first->next, "b")->type, JSON_TYPE_NULL);
    assert_int_equal(list->first->next->next->count, 0);
    assert_null(list->first->next->next->next);
    assert_int_equal(json_member(value, "c")->count, 0);
    assert_true(json_member_bool(value, "yes", false));
    assert_str(json_member_str(value, "", STR("?")), "x");
    assert_str(json_member_str(value, "a", STR("?")), "?");
    assert_int_equal(json_member_i64(value, "none", -7), -7);
    assert_int_equal(json_member_i64(list->first->next, "b", -7), -7);
    assert_null(json_member(list, "a"));
    assert_null(json_member(NULL, "a"));
}

static void test_refuses(void **state)
{
    static const struct {
        struct str text;
        int error;
    } rows[] = {
        {{"", 0}, -ERR_SYNTAX},
        {{" ", 1}, -ERR_SYNTAX},
        {{"nul", 3}, -ERR_SYNTAX},
        {{"True", 4}, -ERR_SYNTAX},
        {{"truex", 5}, -ERR_SYNTAX},
        {{"1 2", 3}, -ERR_SYNTAX},
        {{"\0", 1}, -ERR_SYNTAX},
        {{"1\0", 2}, -ERR_SYNTAX},
        {{"\xef\xbb\xbf"
          "1",
          4},
         -ERR_SYNTAX}, /* a byte order mark */
        {{"01", 2}, -ERR_SYNTAX},
        {{"-", 1}, -ERR_SYNTAX},
        {{"+1", 2}, -ERR_SYNTAX},
        {{".5", 2}, -ERR_SYNTAX},
        {{"1.", 2}, -ERR_SYNTAX},
        {{"1e", 2}, -ERR_SYNTAX},
        {{"1e+", 3}, -ERR_SYNTAX},
        {{"0x10", 4}, -ERR_SYNTAX},
        {{"NaN", 3}, -ERR_SYNTAX},
        {{"-Infinity", 9}, -ERR_SYNTAX},
        {{"1e999", 5}, -ERR_LIMIT},
        {{"[1,]", 4}, -ERR_SYNTAX},
        {{"[,1]", 4}, -ERR_SYNTAX},
        {{"[1 2]", 5}, -ERR_SYNTAX},
        {{"[1}", 3}, -ERR_SYNTAX},
        {{"[", 1}, -ERR_SYNTAX},
        {{"]", 1}, -ERR_SYNTAX},
        {{"[1]]", 4}, -ERR_SYNTAX},
        {{"{\"a\":1,}", 8}, -ERR_SYNTAX},
        {{"{\"a\"}", 5}, -ERR_SYNTAX},
        {{"{\"a\" 1}", 7}, -ERR_SYNTAX},
        {{"{a:1}", 5}, -ERR_SYNTAX},
        {{"{1:1}", 5}, -ERR_SYNTAX},
        {{"{'a':1}", 7}, -ERR_SYNTAX},
        {{"{\"a\":1]", 7}, -ERR_SYNTAX},
        {{"/* */1", 6}, -ERR_SYNTAX},
        {{"\"a", 2}, -ERR_SYNTAX},
        {{"\"\\\"", 3}, -ERR_SYNTAX},
        {{"\"\\x41\"", 6}, -ERR_SYNTAX},
        {{"\"\\u12\"", 6}, -ERR_SYNTAX},
        {{"\"\\u12g4\"", 8}, -ERR_SYNTAX},
        {{"\"\\ud83d\"", 8}, -ERR_SYNTAX}, /* half a pair */
        {{"\"\\ude00\"", 8}, -ERR_SYNTAX},
        {{"\"\\ud83d\\u0041\"", 14}, -ERR_SYNTAX},
        {{"\"\n\"", 3}, -ERR_SYNTAX}, /* a raw control character */
        {{"\"\x1f\"", 3}, -ERR_SYNTAX},
        {{"\"\xc0\x80\"", 4}, -ERR_SYNTAX}, /* overlong */
        {{"\"\xe0\x80\xaf\"", 5}, -ERR_SYNTAX},
        {{"\"\xed\xa0\x80\"", 5}, -ERR_SYNTAX},     /* a surrogate */
        {{"\"\xf4\x90\x80\x80\"", 6}, -ERR_SYNTAX}, /* past U+10FFFF */
        {{"\"\xff\"", 3}, -ERR_SYNTAX},
        {{"\"\xc3\"", 3}, -ERR_SYNTAX}, /* cut by the quote */
        {{"{\"a\":1,\"a\":2}", 13}, -ERR_DUPLICATE},
        {{"{\"a\":1,\"\\u0061\":2}", 18}, -ERR_DUPLICATE},
        {{"{\"c\":1,\"a\":{},\"b\":2,\"d\":3,\"\":0,\"b\":2}", 38}, -ERR_DUPLICATE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct json_value *value = NULL;
        int r = parse(rows[i].text, &value, NULL);

        if (r != rows[i].error || value != NULL) {
            fail_msg("'%.*s' gave %d, not %d", STR_ARG(rows[i].text), r, rows[i].error);
        }
    }
}

static void test_error_names_the_place(void **state)
{
    struct json_value *value = NULL;
    struct diag diag = {0};

    (void)state;
    assert_int_equal(parse(STR("{\n  \"tên\": \"đ\", x}"), &value, &diag), -ERR_SYNTAX);
    assert_string_equal(diag.text, "line 2, column 15: a key in quotes is missing here");
    diag.text[0] = '\0';
    assert_int_equal(parse(STR("{\"a\":1,\"a\":1}"), &value, &diag), -ERR_DUPLICATE);
    assert_string_equal(diag.text, "the key 'a' is given twice");
}

static int parse_nested(size_t depth, char open, char close)
{
    static char text[1 << 16];
    struct json_value *value = NULL;
    size_t len = 0;

    for (size_t i = 0; i < depth; i++) {
        text[len++] = open;
        if (open == '{') {
            memcpy(text + len, "\"\":", 3);
            len += 3;
        }
    }
    text[len++] = '1';
    for (size_t i = 0; i < depth; i++) {
        text[len++] = close;
    }
    return parse(str_of(text, len), &value, NULL);
}

static void test_depth(void **state)
{
    (void)state;
    assert_int_equal(parse_nested(JSON_DEPTH_MAX, '[', ']'), 0);
    assert_int_equal(parse_nested(JSON_DEPTH_MAX + 1, '[', ']'), -ERR_LIMIT);
    assert_int_equal(parse_nested(JSON_DEPTH_MAX, '{', '}'), 0);
    assert_int_equal(parse_nested(10000, '{', '}'), -ERR_LIMIT);
}

static void test_arena_limit(void **state)
{
    struct arena *small = NULL;
    struct json_value *value = NULL;

    (void)state;
    assert_int_equal(arena_new(300, &small), 0);
    assert_int_equal(json_parse(STR("[1]"), small, &value, NULL), 0);
    value = NULL;
    arena_reset(small);
    assert_int_equal(json_parse(STR("[1,2,3,4,5]"), small, &value, NULL), -ERR_LIMIT);
    assert_null(value);
    arena_free(small);
}

static void test_writer_golden(void **state)
{
    struct json_writer json;
    struct buf buf;

    (void)state;
    buf_init(&buf, 4096);
    json_begin(&json, &buf);
    json_open_object(&json);
    json_put_key(&json, "a\"");
    json_open_array(&json);
    json_put_i64(&json, INT64_MIN);
    json_put_u64(&json, UINT64_MAX);
    json_put_double(&json, 0.1);
    json_put_double(&json, -0.0);
    json_put_double(&json, (double)NAN);
    json_put_text(&json, NULL);
    json_put_bool(&json, false);
    json_open_object(&json);
    json_close_object(&json);
    json_put_raw(&json, STR("{}"));
    json_close_array(&json);
    json_put_key(&json, "b");
    json_put_str(&json, STR("\x01\x7f\n\xff\xc3\xa9"));
    json_close_object(&json);
    assert_int_equal(buf_error(&buf), 0);
    assert_str(buf_str(&buf),
               "{\"a\\\"\":[-9223372036854775808,18446744073709551615,0.1,-0.0,null,null,false,{},"
               "{}],\"b\":\"\\u0001\\u007f\\n\xef\xbf\xbd\xc3\xa9\"}");
    buf_done(&buf);
}

static void test_members(void **state)
{
    struct json_writer json;
    struct buf buf;

    (void)state;
    buf_init(&buf, 4096);
    json_begin(&json, &buf);
    json_open_object(&json);
    json_add_str(&json, "s", STR("Sở Y tế"));
    json_add_text(&json, "t", NULL);
    json_add_i64(&json, "i", -1);
    json_add_u64(&json, "u", UINT64_MAX);
    json_add_object(&json, "o");
    json_add_double(&json, "d", 0.5);
    json_add_bool(&json, "b", true);
    json_close_object(&json);
    json_add_array(&json, "a");
    json_put_null(&json);
    json_close_array(&json);
    json_add_null(&json, "n");
    json_add_raw(&json, "r", STR("[1]"));
    json_close_object(&json);
    assert_int_equal(buf_error(&buf), 0);
    assert_str(buf_str(&buf), "{\"s\":\"Sở Y tế\",\"t\":null,\"i\":-1,\"u\":18446744073709551615,"
                              "\"o\":{\"d\":0.5,\"b\":true},\"a\":[null],\"n\":null,\"r\":[1]}");
    buf_done(&buf);
}

#define DRAWN_MAX 80

/* What was put, in order, so that the tree can be walked against it. */
struct drawn {
    enum json_type type;
    size_t children;
    int64_t integer;
    double number;
    bool is_integer;
    bool boolean;
    struct str string;
};

static struct drawn drawn[DRAWN_MAX];
static size_t drawn_count;

static void draw_scalar(struct prop *prop, struct json_writer *json, struct drawn *value)
{
    value->boolean = prop_bool(prop);
    value->is_integer = prop_bool(prop);
    value->integer = prop_i64(prop);
    value->number = prop_double(prop);
    value->string = prop_text(prop, 20);
    if (value->type == JSON_TYPE_NUMBER && !value->is_integer && !isfinite(value->number)) {
        value->type = JSON_TYPE_NULL; /* as the writer's contract says */
        json_put_double(json, value->number);
    } else if (value->type == JSON_TYPE_NUMBER && value->is_integer) {
        json_put_i64(json, value->integer);
    } else if (value->type == JSON_TYPE_NUMBER) {
        json_put_double(json, value->number);
    } else if (value->type == JSON_TYPE_BOOL) {
        json_put_bool(json, value->boolean);
    } else if (value->type == JSON_TYPE_STRING) {
        json_put_str(json, value->string);
    } else {
        json_put_null(json);
    }
}

static void draw_value(struct prop *prop, struct json_writer *json, unsigned depth)
{
    bool is_leaf = depth == 5 || DRAWN_MAX - drawn_count < 40;
    struct drawn *value = &drawn[drawn_count++];
    size_t children;

    value->type = (enum json_type)prop_below(prop, is_leaf ? JSON_TYPE_ARRAY : JSON_TYPE_COUNT);
    value->children = 0;
    if (value->type < JSON_TYPE_ARRAY) {
        draw_scalar(prop, json, value);
        return;
    }
    children = prop_below(prop, 6);
    value->children = children;
    if (value->type == JSON_TYPE_ARRAY) {
        json_open_array(json);
    } else {
        json_open_object(json);
    }
    for (size_t i = 0; i < children; i++) {
        char key[2] = {(char)('a' + i)};

        if (value->type == JSON_TYPE_OBJECT) {
            json_put_key(json, key);
        }
        draw_value(prop, json, depth + 1);
    }
    if (value->type == JSON_TYPE_ARRAY) {
        json_close_array(json);
    } else {
        json_close_object(json);
    }
}

static bool is_as_drawn(const struct json_value *value, size_t *at)
{
    const struct drawn *expected = &drawn[(*at)++];

    if (value->type != expected->type || value->count != expected->children) {
        return false;
    }
    switch (value->type) {
    case JSON_TYPE_BOOL:
        return value->boolean == expected->boolean;
    case JSON_TYPE_NUMBER:
        return expected->is_integer
                   ? value->is_integer && value->integer == expected->integer
                   : !(value->number < expected->number) && !(value->number > expected->number);
    case JSON_TYPE_STRING:
        return str_is(value->string, expected->string);
    case JSON_TYPE_NULL:
    case JSON_TYPE_ARRAY:
    case JSON_TYPE_OBJECT:
    case JSON_TYPE_COUNT:
        break;
    }
    for (const struct json_value *child = value->first; child != NULL; child = child->next) {
        if (!is_as_drawn(child, at)) {
            return false;
        }
    }
    return true;
}

static const char *written_is_read(struct prop *prop)
{
    struct json_value *value = NULL;
    struct json_writer json;
    struct buf buf;
    const char *broke = NULL;
    size_t at = 0;

    drawn_count = 0;
    buf_init(&buf, 1 << 16);
    json_begin(&json, &buf);
    draw_value(prop, &json, 0);
    if (json_parse(buf_str(&buf), prop->arena, &value, NULL) != 0) {
        broke = "the reader refused what the writer wrote";
    } else if (!is_as_drawn(value, &at)) {
        broke = "a value came back changed";
    }
    /* A text that is cut is never taken, unless what remains is a number. */
    for (size_t cut = 0; broke == NULL && value->type != JSON_TYPE_NUMBER && cut < buf.len; cut++) {
        struct json_value *part = NULL;

        if (json_parse(str_slice(buf_str(&buf), 0, cut), prop->arena, &part, NULL) == 0) {
            broke = "a truncation was taken";
        }
    }
    buf_done(&buf);
    return broke;
}

static void test_round_trip(void **state)
{
    (void)state;
    prop_check("written is read", written_is_read, 300);
}

static int parse_document(void *context)
{
    struct arena *own = NULL;
    struct json_value *value = NULL;
    int r = arena_new(1 << 20, &own);

    (void)context;
    if (r < 0) {
        return r;
    }
    r = json_parse(STR("{\"a\":[1,2.5,\"x\\n\"],\"b\":{\"c\":null,\"d\":true}}"), own, &value,
                   NULL);
    arena_free(own);
    return r;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(parse_document, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_error_names_the_place),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_arena_limit),
        cmocka_unit_test(test_writer_golden),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests_name("json", tests, setup, teardown);
}
