/* JSON logs: whatever shape they come in, fields have the names that rules use and the values that
 * were written; what is broken is kept and costs no other record. */
#include "log_fixture.h"
#include "prop.h"

#include "codec/json.h"
#include "codec/ndjson_index.h"
#include "codec/ndjson_time.h"

#include <stdio.h>
#include <string.h>

static struct seen seen;

/* All of an entry's fields, unescaped, as name=value lines. */
static void put_fields(struct buf *buf, const struct entry *entry)
{
    for (size_t i = 0; i < entry->count; i++) {
        struct str text;

        assert_int_equal(entry_field_text(&entry->fields[i], seen.arena, &text), 0);
        (void)buf_put_str(buf, entry->fields[i].name);
        (void)buf_put_byte(buf, '=');
        (void)buf_put_str(buf, text);
        (void)buf_put_byte(buf, '\n');
    }
}

static void assert_fields(size_t at, const char *expected)
{
    struct buf buf;

    assert_true(at < seen.count);
    buf_init(&buf, 4 << 20);
    put_fields(&buf, &seen.entries[at]);
    assert_str(buf_str(&buf), expected);
    buf_done(&buf);
}

static unsigned faults(size_t at)
{
    assert_true(at < seen.count);
    return seen.entries[at].faults & ~(unsigned)ENTRY_FAULT_TIME;
}

static void read_all(const char *text, size_t expected)
{
    read_text(&seen, "ndjson", text);
    assert_int_equal(seen.count, expected);
}

static void test_values(void **state)
{
    (void)state;
    read_all("{\"a\":\"x\\\\y\\u0111\",\"n\":-1.5e3 , \"t\":true,\"f\":false,\"z\":null,\"e\":\"\","
             "\"o\":{\"p\":{\"q\":1}},\"l\":[1,\"2\",{\"m\":3},[4]],\"none\":[],\"empty\":{}}",
             1);
    assert_fields(0, "a=x\\yđ\nn=-1.5e3\nt=true\nf=false\nz=\ne=\no.p.q=1\nl=1\nl=2\nl.m=3\nl=4\n");
    assert_int_equal(faults(0), 0);
    check_source(&seen, 0, "", "", "");
    assert_int_equal(entry_find(&seen.entries[0], STR("n"))->type, ENTRY_TYPE_NUMBER);
    assert_int_equal(entry_find(&seen.entries[0], STR("t"))->type, ENTRY_TYPE_BOOL);
    assert_int_equal(entry_find(&seen.entries[0], STR("z"))->type, ENTRY_TYPE_NULL);
    assert_false(entry_find(&seen.entries[0], STR("e"))->is_escaped);
    assert_true(seen.entries[0].is_structured);
}

static void test_same_names(void **state)
{
    (void)state;
    read_all("{\"a\":1,\"a\":2,\"b\":{\"a\":3},\"b\":{\"a\":4}}", 1);
    assert_fields(0, "a=1\na=2\nb.a=3\nb.a=4\n");
}

static void test_layouts(void **state)
{
    (void)state;
    read_all("{\n  \"a\": {\n    \"b\": 1\n  }\n}\n{\n  \"a\": 2\n}\n", 2);
    assert_fields(0, "a.b=1\n");
    assert_fields(1, "a=2\n");
    assert_int_equal(seen.entries[1].number, 6);
    read_all("{\"a\":1}{\"a\":2} {\"a\":3}\n\n{\"a\":4}", 4);
    assert_fields(2, "a=3\n");
    assert_int_equal(seen.entries[3].number, 3);
    read_all("\xef\xbb\xbf[{\"a\":1},\r\n {\"a\":2}\r\n]\r\n", 2);
    assert_fields(1, "a=2\n");
    read_all("{\"Records\":[{\"a\":1},{\"a\":{\"b\":[]}}]}", 2);
    assert_str(seen.entries[1].raw, "{\"a\":{\"b\":[]}}");
    read_all("{\"@odata.context\":\"x\",\"value\":[{\"a\":1}\n,{\"a\":2}]}\n", 2);
    read_all("{\"Records\":[1,2]}", 1);
    assert_fields(0, "Records=1\nRecords=2\n");
}

static void test_broken(void **state)
{
    (void)state;
    read_all("{\"a\":1,\"b\":}\n{\"a\":2}\n", 2);
    assert_fields(0, "a=1\n");
    assert_int_equal(faults(0), ENTRY_FAULT_SYNTAX);
    assert_str(seen.entries[0].raw, "{\"a\":1,\"b\":}");
    assert_fields(1, "a=2\n");
    assert_int_equal(faults(1), 0);

    read_all("{\"a\":1,\"b\":\"cut o\n{\"a\":2}\nplain words\n{\"a\":3", 4);
    assert_fields(0, "a=1\n");
    assert_str(seen.entries[0].raw, "{\"a\":1,\"b\":\"cut o");
    assert_fields(1, "a=2\n");
    assert_str(seen.entries[2].raw, "plain words");
    assert_int_equal(faults(2), ENTRY_FAULT_SYNTAX);
    assert_fields(3, "a=3\n");
    assert_int_equal(faults(3), ENTRY_FAULT_SYNTAX | ENTRY_FAULT_CUT);

    read_all("{\"a\":1\n{\"a\":{\n{\"a\":3}\n", 3);
    assert_fields(2, "a=3\n");
    assert_int_equal(seen.entries[2].number, 3);

    read_all("{\n \"a\": 1\n \"b\": 2\n}\n{\n \"a\": 3\n}\n", 2);
    assert_fields(0, "a=1\n");
    assert_fields(1, "a=3\n");
    assert_int_equal(seen.entries[1].number, 5);

    read_all("{\"a\":1,}\n{\"a\":NaN,\"b\":\"\xff\xfe\"}", 2);
    assert_int_equal(faults(0), ENTRY_FAULT_SYNTAX);
    assert_fields(1, "a=NaN\nb=\xff\xfe\n");
}

static void test_depth(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 1 << 20);
    for (unsigned depth = 0; depth < 1000; depth++) {
        (void)buf_putf(&buf, "{\"a\":");
    }
    (void)buf_putf(&buf, "1");
    for (unsigned depth = 0; depth < 1000; depth++) {
        (void)buf_putf(&buf, "}");
    }
    (void)buf_put_str(&buf, str_of("\n{\"a\":2}\n", 10));
    read_all(buf_str(&buf).ptr, 2);
    assert_int_equal(faults(0), ENTRY_FAULT_DEPTH);
    assert_true(str_has_suffix(seen.entries[0].fields[0].value, STR("{\"a\":1}}}}}}}")) ||
                str_find(seen.entries[0].fields[0].value, STR("{\"a\":1}}}")) > 0);
    assert_fields(1, "a=2\n");
    buf_done(&buf);
}

static void test_cut(void **state)
{
    const struct log_format *format = log_format_find(STR("ndjson"));
    static char longer[ENTRY_SIZE_MAX + 16];

    (void)state;
    assert_int_equal(format->cut(STR("{\"a\":1}\n{\"a\":2"), false), 8);
    assert_int_equal(format->cut(STR("{\"a\":1}\n{\"a\":2}\n"), false), 16);
    assert_int_equal(format->cut(STR("{\"a\":1}\n{\"a\":2"), true), 14);
    assert_int_equal(format->cut(STR("{\n \"a\": 1\n}\n{\n \"a\": 2\n"), false), 12);
    assert_int_equal(format->cut(STR("{\"a\":1"), false), 0);
    assert_int_equal(format->cut(STR("{\"a\":\"}"), false), 0);
    assert_int_equal(format->cut(STR("{\"Records\":[{\"a\":1},{\"a\":"), false), 19);
    assert_int_equal(format->cut(STR("[\n  {\"a\": 1},\n  {\"a\""), false), 12);
    memset(longer, 'a', sizeof(longer));
    memcpy(longer, "{\"a\":\"", 6);
    assert_int_equal(format->cut(str_of(longer, ENTRY_SIZE_MAX), false), 0);
    assert_int_equal(format->cut(str_of(longer, sizeof(longer)), false), sizeof(longer));
}

static void test_weigh(void **state)
{
    (void)state;
    assert_string_equal(log_format_guess(STR("{\"a\":1}\n{\"a\":2}\n"))->name, "ndjson");
    assert_string_equal(log_format_guess(STR("\xef\xbb\xbf{\r\n  \"Event\": {\r\n"))->name,
                        "ndjson");
    assert_string_equal(log_format_guess(STR("[{\"a\":1}]"))->name, "ndjson");
    assert_string_equal(log_format_guess(STR("{Nov 26} something"))->name, "lines");
}

/* Cut anywhere, a stream gives the same records. */
static void test_blocks(void **state)
{
    (void)state;
    check_blocks("ndjson",
                 STR("{\"a\":\"{\\\"\"}\n{\"b\":[1,{\"c\":2}]}\n\n{\n  \"d\": {\n  \"e\": 1}\n}\n"
                     "{\"f\":1}{\"g\":2}\nwords\n{\"h\":\n{\"i\":1}\n"));
    check_blocks("ndjson", STR("[\n  {\"a\": 1},\n  {\"b\": {\"c\": []}}\n]\n"));
}

static void test_survives(void **state)
{
    (void)state;
    check_survives(
        "ndjson",
        "{\"a\":{\"b\":1,\"c\\u0041\":\"\\\\\"},\"MESSAGE\":\"\\u0041 x\",\"SYSLOG_IDENTIFIER\":"
        "\"sshd\",\"__REALTIME_TIMESTAMP\":\"1\"}\n{\"remote_addr\":\"1\",\"status\":2,"
        "\"request\":\"GET \\/x?y HTTP\"}\nbad\n"
        "{\"log\":\"{\\\"a\\\":1}\",\"stream\":\"x\"}\n{\"date\":1,\"log\":\"Nov 25 22:00:00 web1 "
        "sshd[7]: Failed password for root from 203.0.113.9 port 5 ssh2\"}\n");
}

/* Every name is new: what is remembered of names stays bounded, and nothing is lost. */
static void test_many_names(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 4 << 20);
    for (unsigned record = 0; record < 4; record++) {
        (void)buf_put_byte(&buf, '{');
        for (unsigned i = 0; i < 10000; i++) {
            (void)buf_putf(&buf, "\"n%u.%u\":{\"x\":%u},", record, i, i);
        }
        (void)buf_put_text(&buf, "\"last\":1}\n");
    }
    read_all(buf_str(&buf).ptr, 4);
    for (size_t at = 0; at < 4; at++) {
        assert_int_equal(faults(at), 0);
        assert_int_equal(seen.entries[at].count, 10001);
    }
    check_field(&seen, 3, "n3.9999.x", "9999");
    buf_done(&buf);
}

static void test_long_values(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 4 << 20);
    (void)buf_put_text(&buf, "{\"a\":\"");
    for (unsigned i = 0; i < ENTRY_SIZE_MAX; i++) {
        (void)buf_put_byte(&buf, 'x');
    }
    (void)buf_put_text(&buf, "\",\"b\":1}\n{\"a\":2}\n");
    read_all(buf_str(&buf).ptr, 2);
    assert_int_equal(faults(0), ENTRY_FAULT_CUT);
    assert_int_equal(seen.entries[0].raw.len, ENTRY_SIZE_MAX);
    assert_int_equal(seen.entries[0].count, 0);
    assert_fields(1, "a=2\n");
    buf_done(&buf);
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        int64_t ns; /* -1: none */
    } rows[] = {
        {"2026-11-25T15:00:00.123456789Z", 1795618800123456789},
        {"2026-11-25T15:00:00.1234567Z", 1795618800123456700},
        {"2026-11-25 22:00:00", 1795618800000000000}, /* no zone: the reader's */
        {"2026/11/25 22:00:00,5", 1795618800500000000},
        {"2026-11-25T22:00:00+07:00", 1795618800000000000},
        {"2026-11-25t10:30:00.5-0430", 1795618800500000000},
        {"2026-11-25 15:00:00 UTC", 1795618800000000000},
        {"2026-11-25T22:00:00+07", 1795618800000000000},
        {"/Date(1795618800123)/", 1795618800123000000},
        {"\\/Date(1795618800123)\\/", 1795618800123000000},
        {"1795618800", 1795618800000000000},
        {"1795618800.25", 1795618800250000000},
        {"1795618800123", 1795618800123000000},
        {"1795618800123.5", 1795618800123500000},
        {"1795618800123456", 1795618800123456000},
        {"1795618800123456789", 1795618800123456789},
        {"", -1},
        {"yesterday", -1},
        {"2026-11-25", -1},
        {"2026-13-25T15:00:00Z", -1},
        {"2026-11-25T25:00:00Z", -1},
        {"2026-11-25T15:00:00Zulu", -1},
        {"2026-11-25T15:00:00+99:00", -1},
        {"99999999999999999999999999", -1},
        {"-5", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ns = -1;

        if (ndjson_time_read(str_from(rows[i].text), 25200, &ns) < 0) {
            ns = -1;
        }
        if (ns != rows[i].ns) {
            fail_msg("'%s' is %lld", rows[i].text, (long long)ns);
        }
    }
}

/* The processor's way marks what the plain way marks. */
static const char *marks_are_alike(struct prop *prop)
{
    static const char alphabet[] = "\"\\\nab,{}";
    struct ndjson_marks plain[4];
    struct ndjson_marks best[4];
    char bytes[256];

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = alphabet[prop_below(prop, sizeof(alphabet) - 1)];
    }
    ndjson_marks_plain(bytes, 4, plain);
    ndjson_marks_best()(bytes, 4, best);
    return memcmp(plain, best, sizeof(plain)) == 0 ? NULL : "marks differ";
}

/* Where strings end, found byte by byte. */
static const char *stops_are_right(struct prop *prop)
{
    static const char alphabet[] = "\\\\\\\"\na";
    struct ndjson_index index;
    size_t len = prop_below(prop, 3 * NDJSON_INDEX_BYTES);
    char *bytes = arena_alloc(prop->arena, len + 1, 1);
    bool is_escaped = false;
    bool is_slashed = false;
    size_t from = 0;

    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = alphabet[prop->count < PROP_CHOICES_MAX - 1 ? prop_below(prop, 6) : i % 6];
    }
    ndjson_index_init(&index, str_of(bytes, len));
    for (size_t i = 0; i <= len; i++) {
        bool was_slashed = false;

        if (i == len || bytes[i] == '\n' || (bytes[i] == '"' && !is_escaped)) {
            if (ndjson_index_stop(&index, from, &was_slashed) != i || was_slashed != is_slashed) {
                return "a stop was missed, or made up";
            }
            from = i + 1;
            is_slashed = false;
            is_escaped = false;
        } else {
            is_slashed |= bytes[i] == '\\';
            is_escaped = bytes[i] == '\\' && !is_escaped;
        }
    }
    return NULL;
}

static void test_index(void **state)
{
    (void)state;
    prop_check("marks", marks_are_alike, 300);
    prop_check("stops", stops_are_right, 100);
}

/* What a drawn object holds, as put_fields writes it. */
struct drawn {
    struct buf fields;
    struct str name;
};

static void draw_value(struct prop *prop, struct json_writer *json, struct drawn *drawn,
                       unsigned depth);

static void draw_members(struct prop *prop, struct json_writer *json, struct drawn *drawn,
                         unsigned depth)
{
    struct str outer = drawn->name;

    json_open_object(json);
    for (size_t left = prop_below(prop, 6); left > 0; left--) {
        struct str key = prop_text(prop, 6);

        for (size_t i = 0; i < key.len; i++) { /* the writer takes keys that end with a NUL */
            key.len = key.ptr[i] == '\0' ? i : key.len;
        }
        key = arena_copy(prop->arena, key);
        drawn->name = outer.ptr == NULL
                          ? key
                          : arena_printf(prop->arena, "%.*s.%.*s", STR_ARG(outer), STR_ARG(key));
        json_put_key(json, key.ptr);
        draw_value(prop, json, drawn, depth + 1);
    }
    json_close_object(json);
    drawn->name = outer;
}

static void draw_text(struct prop *prop, struct json_writer *json, struct drawn *drawn)
{
    struct str text = prop_text(prop, 90);

    json_put_str(json, text);
    (void)buf_put_str(&drawn->fields, text);
}

static void draw_scalar(struct prop *prop, struct json_writer *json, struct drawn *drawn)
{
    size_t start = json->buf->len;
    size_t kind = prop_below(prop, 5);
    struct str written;

    (void)buf_put_str(&drawn->fields, drawn->name);
    (void)buf_put_byte(&drawn->fields, '=');
    if (kind == 0) {
        json_put_null(json);
    } else if (kind == 1) {
        draw_text(prop, json, drawn);
    } else if (kind == 2) {
        json_put_bool(json, prop_bool(prop));
    } else if (kind == 3) {
        json_put_i64(json, prop_i64(prop));
    } else {
        json_put_double(json, (double)prop_i64(prop) / 8);
    }
    if (kind > 1) {
        written = str_slice(buf_str(json->buf), start, json->buf->len);
        (void)buf_put_str(&drawn->fields,
                          str_slice(written, written.ptr[0] == ',' ? 1 : 0, written.len));
    }
    (void)buf_put_byte(&drawn->fields, '\n');
}

static void draw_value(struct prop *prop, struct json_writer *json, struct drawn *drawn,
                       unsigned depth)
{
    size_t kind = depth > 6 ? 0 : prop_below(prop, 6);

    if (kind == 5) {
        draw_members(prop, json, drawn, depth);
    } else if (kind == 4) {
        json_open_array(json);
        for (size_t left = prop_below(prop, 4); left > 0; left--) {
            draw_value(prop, json, drawn, depth + 1);
        }
        json_close_array(json);
    } else {
        draw_scalar(prop, json, drawn);
    }
}

static const char *written_is_read(struct prop *prop)
{
    struct drawn drawn = {.name = {NULL, 0}};
    struct json_writer json;
    const char *broke = NULL;
    struct buf text;
    struct buf fields;

    buf_init(&text, 1 << 20);
    buf_init(&fields, 1 << 20);
    buf_init(&drawn.fields, 1 << 20);
    for (unsigned record = 0; record < 3; record++) {
        json_begin(&json, &text);
        draw_members(prop, &json, &drawn, 0);
        (void)buf_put_text(&text, prop_bool(prop) ? "\n" : " ");
    }
    assert_int_equal(seen_read(&seen, "ndjson", buf_str(&text), 0), 0);
    for (size_t i = 0; i < seen.count; i++) {
        put_fields(&fields, &seen.entries[i]);
        if (faults(i) != 0) {
            broke = "a fault was found";
        }
    }
    if (seen.count != 3 || !str_is(buf_str(&fields), buf_str(&drawn.fields))) {
        broke = "a value came back changed";
    }
    buf_done(&text);
    buf_done(&fields);
    buf_done(&drawn.fields);
    return broke;
}

static void test_written_is_read(void **state)
{
    (void)state;
    prop_check("written is read", written_is_read, 1000);
}

static int finish(void **state)
{
    (void)state;
    seen_done(&seen);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),      cmocka_unit_test(test_same_names),
        cmocka_unit_test(test_layouts),     cmocka_unit_test(test_broken),
        cmocka_unit_test(test_depth),       cmocka_unit_test(test_cut),
        cmocka_unit_test(test_weigh),       cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_survives),    cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_long_values), cmocka_unit_test(test_times),
        cmocka_unit_test(test_index),       cmocka_unit_test(test_written_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, finish);
}
