/* YAML: types, places, what is refused, and that one broken document does not take the others. */
#include "harness.h"

#include "base/arena.h"
#include "codec/yaml.h"

#include <stdio.h>
#include <string.h>

static struct arena *arena;

static const struct yaml_value *parse(const char *text)
{
    struct yaml_reader reader;
    struct yaml_value *value = NULL;
    struct diag diag = {{0}};

    yaml_open(&reader, str_from(text));
    if (yaml_next(&reader, arena, &value, &diag) != 1) {
        fail_msg("%s: %s", text, diag.text);
    }
    return value;
}

static void expect_refused(const char *text, int code, unsigned line, const char *word)
{
    struct yaml_reader reader;
    struct yaml_value *value = NULL;
    struct diag diag = {{0}};

    yaml_open(&reader, str_from(text));
    assert_int_equal(yaml_next(&reader, arena, &value, &diag), -code);
    assert_null(value);
    assert_int_equal(reader.fault_line, line);
    if (strstr(diag.text, word) == NULL) {
        fail_msg("“%s” does not say “%s”", diag.text, word);
    }
}

static void test_types(void **state)
{
    static const struct {
        const char *text;
        enum yaml_type type;
        double number;
    } rows[] = {
        {"1", YAML_TYPE_INT, 1},
        {"-1", YAML_TYPE_INT, -1},
        {"+7", YAML_TYPE_INT, 7},
        {"0x1F", YAML_TYPE_INT, 31},
        {"0o17", YAML_TYPE_INT, 15},
        {"007", YAML_TYPE_INT, 7},
        {"1.5", YAML_TYPE_FLOAT, 1.5},
        {"1e3", YAML_TYPE_FLOAT, 1000},
        {"1.", YAML_TYPE_FLOAT, 1},
        {".5", YAML_TYPE_FLOAT, .5},
        {"true", YAML_TYPE_BOOL, 0},
        {"FALSE", YAML_TYPE_BOOL, 0},
        {"null", YAML_TYPE_NULL, 0},
        {"~", YAML_TYPE_NULL, 0},
        {"", YAML_TYPE_NULL, 0},
        {"yes", YAML_TYPE_STRING, 0},
        {"no", YAML_TYPE_STRING, 0},
        {"'1'", YAML_TYPE_STRING, 0},
        {"\"null\"", YAML_TYPE_STRING, 0},
        {"''", YAML_TYPE_STRING, 0},
        {"!!str 1", YAML_TYPE_STRING, 0},
        {"2024-01-01", YAML_TYPE_STRING, 0},
        {"1_000", YAML_TYPE_STRING, 0},
        {"0x", YAML_TYPE_STRING, 0},
        {".", YAML_TYPE_STRING, 0},
        {"1e", YAML_TYPE_STRING, 0},
        {"1e999", YAML_TYPE_STRING, 0},
        {"tRue", YAML_TYPE_STRING, 0},
        {"99999999999999999999", YAML_TYPE_FLOAT, 1e20},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[64];
        const struct yaml_value *value;

        (void)snprintf(text, sizeof(text), "k: %s", rows[i].text);
        value = yaml_member(parse(text), "k");
        assert_non_null(value);
        if (value->type != rows[i].type || value->number != rows[i].number) {
            fail_msg("%s is read as type %d, %g", rows[i].text, (int)value->type, value->number);
        }
    }
}

static void test_places(void **state)
{
    const struct yaml_value *root = parse("# heading\na: 1\nb:\n  - x\n  - {c: two,\n     d: three"
                                          "    }\n");
    const struct yaml_value *b = yaml_member(root, "b");

    (void)state;
    assert_int_equal(b->key_line, 3);
    assert_int_equal(b->key_column, 1);
    assert_int_equal(b->first->line, 4);
    assert_int_equal(b->first->column, 5);
    assert_int_equal(b->first->next->first->key_line, 5);
}

static void test_aliases(void **state)
{
    const struct yaml_value *root =
        parse("base: &b {x: 1, y: 2}\nlist: &l [a, b]\nuse: *l\nown: {<<: *b, y: 3, z: 4}\n"
              "many: {<<: [*b, {w: 5, x: 6}]}\n");
    const struct yaml_value *own = yaml_member(root, "own");

    (void)state;
    assert_int_equal(yaml_member(root, "use")->count, 2);
    assert_int_equal(own->count, 3);
    assert_int_equal(yaml_member(own, "x")->integer, 1);
    assert_int_equal(yaml_member(own, "y")->integer, 3);
    assert_null(yaml_member(own, "<<"));
    assert_int_equal(yaml_member(yaml_member(root, "many"), "x")->integer, 1);
    assert_int_equal(yaml_member(yaml_member(root, "many"), "w")->integer, 5);
}

static void test_refused(void **state)
{
    (void)state;
    expect_refused("a: 1\nb: 2\na: 3\n", ERR_DUPLICATE, 3, "1");
    expect_refused("a: [1\nb: 2\n", ERR_SYNTAX, 2, "YAML");
    expect_refused("a:\n\t- b\n", ERR_SYNTAX, 2, "YAML");
    expect_refused("a: *none\n", ERR_SYNTAX, 1, "");
    expect_refused("a: &x [*x]\n", ERR_SYNTAX, 1, "");
    expect_refused("? [a]\n: 1\n", ERR_SYNTAX, 1, "");
    expect_refused("a: !!python/object:os.system x\n", ERR_SYNTAX, 1, "!!str");
    expect_refused("a: 1\n...\nb: 2\n", ERR_SYNTAX, 3, "YAML");
}

static void test_bombs(void **state)
{
    char text[4096];
    size_t len;

    (void)state;
    len = (size_t)snprintf(text, sizeof(text), "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i,
                                i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    }
    expect_refused(text, ERR_LIMIT, 6, "");
    memset(text, '[', 1000);
    text[1000] = '\0';
    expect_refused(text, ERR_LIMIT, 1, "");
}

static void test_documents(void **state)
{
    struct yaml_reader reader;
    struct yaml_value *value = NULL;
    struct diag diag = {{0}};

    (void)state;
    yaml_open(&reader,
              STR("\xef\xbb\xbf# only words\n---\na: 1\n---\nb: [\n---\n---\nc: |\n --- x\n"
                  "--- {d: 4}\n"));
    assert_int_equal(yaml_next(&reader, arena, &value, &diag), 1);
    assert_int_equal(yaml_member(value, "a")->line, 3);
    assert_int_equal(yaml_next(&reader, arena, &value, &diag), -ERR_SYNTAX);
    assert_true(reader.fault_line >= 5 && reader.fault_line <= 6);
    assert_int_equal(yaml_next(&reader, arena, &value, &diag), 1);
    assert_str(yaml_member(value, "c")->text, "--- x\n");
    assert_int_equal(yaml_next(&reader, arena, &value, &diag), 1);
    assert_int_equal(yaml_member(value, "d")->line, 10);
    assert_int_equal(yaml_next(&reader, arena, &value, &diag), 0);
}

static int parse_all(void *context)
{
    struct arena *own = NULL;
    struct yaml_reader reader;
    struct yaml_value *value;
    struct diag diag = {{0}};
    int r = arena_new(1 << 20, &own);

    (void)context;
    yaml_open(&reader, STR("a: &x [1, two]\nb: {<<: {c: *x}, d: 1}\n---\ne: f\n"));
    while (r >= 0) {
        r = yaml_next(&reader, own, &value, &diag);
        if (r == 0) {
            break;
        }
    }
    arena_free(own);
    return r;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(parse_all, NULL);
}

static int setup(void **state)
{
    (void)state;
    return arena_new(64 << 20, &arena);
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),     cmocka_unit_test(test_places),
        cmocka_unit_test(test_aliases),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bombs),     cmocka_unit_test(test_documents),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests_name("yaml", tests, setup, teardown);
}
