/* CSV as spreadsheets write it. */
#include "harness.h"

#include "base/arena.h"
#include "codec/csv.h"

#include <string.h>

static struct arena *arena;

static void expect(struct csv_reader *reader, const char *row)
{
    struct str fields[CSV_FIELDS_MAX];
    struct str rest = str_from(row);
    struct str wanted;
    int count = csv_next(reader, arena, fields);
    int at = 0;

    while (str_cut(&rest, '|', &wanted)) {
        assert_true(at < count);
        assert_true(str_is(fields[at++], wanted));
    }
    assert_int_equal(at, count);
}

static void test_shapes(void **state)
{
    struct csv_reader reader;
    struct str fields[CSV_FIELDS_MAX];

    (void)state;
    csv_open(&reader, STR("\xef\xbb\xbften;url\r\n\r\n\"a;\"\"b\"\"\nc\" ; d\r\n;\n e ;f"));
    expect(&reader, "ten|url");
    assert_int_equal(csv_next(&reader, arena, fields), -ERR_SYNTAX); /* a blank behind the quote */
    csv_open(&reader, STR("ten;url\r\n\r\n\"a;\"\"b\"\"\nc\"; d\r\n;\n e ;f"));
    expect(&reader, "ten|url");
    expect(&reader, "a;\"b\"\nc|d");
    assert_int_equal(reader.line, 3);
    expect(&reader, "e|f"); /* the row of nothing but separators is passed over */
    assert_int_equal(reader.line, 6);
    assert_int_equal(csv_next(&reader, arena, fields), 0);
    csv_open(&reader, STR(""));
    assert_int_equal(csv_next(&reader, arena, fields), 0);
}

static void test_refused(void **state)
{
    struct csv_reader reader;
    struct str fields[CSV_FIELDS_MAX];
    char wide[200];
    static char tall[CSV_FIELD_MAX + 10];

    (void)state;
    csv_open(&reader, STR("a,b\n\"x\"y,z\nok,1\n\"open"));
    expect(&reader, "a|b");
    assert_int_equal(csv_next(&reader, arena, fields), -ERR_SYNTAX);
    expect(&reader, "ok|1");
    assert_int_equal(csv_next(&reader, arena, fields), -ERR_SYNTAX);
    assert_int_equal(csv_next(&reader, arena, fields), 0);
    memset(wide, ',', sizeof(wide));
    csv_open(&reader, str_of(wide, sizeof(wide)));
    assert_int_equal(csv_next(&reader, arena, fields), -ERR_LIMIT);
    memset(tall, 'x', sizeof(tall));
    csv_open(&reader, str_of(tall, sizeof(tall)));
    assert_int_equal(csv_next(&reader, arena, fields), -ERR_LIMIT);
    tall[0] = '"';
    tall[sizeof(tall) - 1] = '"';
    csv_open(&reader, str_of(tall, sizeof(tall)));
    assert_int_equal(csv_next(&reader, arena, fields), -ERR_LIMIT);
}

static void test_columns(void **state)
{
    const struct str head[] = {STR("Domain"), STR("type"), STR("expires")};
    struct csv_reader reader;
    struct str fields[CSV_FIELDS_MAX];

    (void)state;
    assert_int_equal(csv_column(head, 3, "domain"), 0);
    assert_int_equal(csv_column(head, 3, "expires"), 2);
    assert_int_equal(csv_column(head, 3, "url"), 3);
    csv_open(&reader, STR("\"a\",b\n\"c\"\"d\",e\n"));
    assert_int_equal(csv_next(&reader, NULL, fields), 2); /* no room is needed */
    assert_true(str_is_text(fields[0], "a"));
    assert_int_equal(csv_next(&reader, NULL, fields), -ERR_NOMEM);
}

static int start(void **state)
{
    (void)state;
    return arena_new(1U << 20, &arena);
}

static int stop(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shapes),
                                       cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_columns)};

    return cmocka_run_group_tests_name("csv", tests, start, stop);
}
