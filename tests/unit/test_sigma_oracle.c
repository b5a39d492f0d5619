/* What each modifier and each trap of the standard means, as detection, entry, verdict. */
#include "harness.h"

#include "base/arena.h"
#include "base/utf8.h"
#include "detect/sigma/load.h"
#include "detect/sigma/oracle.h"
#include "detect/sigma/text.h"

#include <stdio.h>
#include <string.h>

static struct arena *arena;

/* "name=value" by ';'; '#' before the value: a number, '?': a bool, '!': null, '"': JSON's escapes
 * stand in it. Without any '=': raw text of an entry without structure. */
static void make_entry(const char *text, struct entry *entry)
{
    struct str rest = str_from(text);
    struct str pair;

    entry_init(entry);
    entry->source.product = STR("x");
    if (str_find_byte(rest, '=') == rest.len) {
        entry->raw = rest;
        return;
    }
    entry->is_structured = true;
    while (str_cut(&rest, ';', &pair)) {
        size_t at = str_find_byte(pair, '=');
        struct entry_field field = {.name = str_slice(pair, 0, at),
                                    .value = str_slice(pair, at + 1, pair.len)};
        char mark = field.value.len != 0 ? field.value.ptr[0] : '\0';

        field.type = mark == '#'   ? ENTRY_TYPE_NUMBER
                     : mark == '?' ? ENTRY_TYPE_BOOL
                     : mark == '!' ? ENTRY_TYPE_NULL
                                   : ENTRY_TYPE_TEXT;
        field.is_escaped = mark == '"';
        if (field.type != ENTRY_TYPE_TEXT || field.is_escaped) {
            field.value = str_slice(field.value, 1, field.value.len);
        }
        assert_int_equal(entry_add(entry, &field), 0);
    }
}

static bool holds(const struct sigma_set *set, const char *text)
{
    struct entry entry;
    bool is_match = false;

    arena_reset(arena);
    make_entry(text, &entry);
    assert_int_equal(sigma_oracle(&set->rules[0], &entry, arena, &is_match), 0);
    entry_done(&entry);
    return is_match;
}

struct vector {
    const char *detection; /* in flow style, without the condition when it is "s" */
    const char *yes[4];
    const char *no[5];
};

static void check(const struct vector *vector)
{
    struct sigma_loader *loader;
    const struct sigma_set *set;
    char text[4096];
    bool is_whole = strstr(vector->detection, "condition") != NULL;

    (void)snprintf(text, sizeof(text), "title: t\nlogsource: {product: x}\ndetection:\n  %s%s\n%s",
                   is_whole ? "" : "s: ", vector->detection, is_whole ? "" : "  condition: s\n");
    assert_int_equal(sigma_loader_new(true, &loader), 0);
    assert_int_equal(sigma_loader_add(loader, STR("t.yml"), str_from(text)), 0);
    assert_int_equal(sigma_loader_finish(loader, &set), 0);
    if (set->refusal_count != 0) {
        fail_msg("%s: %.*s", vector->detection, STR_ARG(set->refusals[0].reason));
    }
    assert_int_equal(set->rule_count, 1);
    for (size_t i = 0; i < 4 && vector->yes[i] != NULL; i++) {
        if (!holds(set, vector->yes[i])) {
            fail_msg("%s should hold for %s", vector->detection, vector->yes[i]);
        }
    }
    for (size_t i = 0; i < 5 && vector->no[i] != NULL; i++) {
        if (holds(set, vector->no[i])) {
            fail_msg("%s should not hold for %s", vector->detection, vector->no[i]);
        }
    }
    sigma_loader_free(loader);
}

static void check_all(const struct vector *vectors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check(&vectors[i]);
    }
}

#define CHECK_ALL(vectors) check_all(vectors, sizeof(vectors) / sizeof((vectors)[0]))

static void test_text(void **state)
{
    static const struct vector vectors[] = {
        {"{A: whoami}",
         {"A=whoami", "A=WhoAmI", "A=no;A=whoami"},
         {"A=whoami ", "B=whoami", "A=!"}},
        {"{A: Đồng Nai}", {"A=đồng nai", "A=ĐỒNG NAI"}, {"A=dong nai"}},
        {"{A|cased: Whoami}", {"A=Whoami"}, {"A=whoami"}},
        {"{A|contains: b}", {"A=abc", "A=B"}, {"A=ac", "A="}},
        {"{A|startswith: ab}", {"A=abc", "A=AB"}, {"A=cab"}},
        {"{A|endswith: '\\cmd.exe'}", {"A=C:\\x\\CMD.exe"}, {"A=C:\\xcmd.exe", "A=\\cmd.exe "}},
        {"{A|contains|all: [a, b]}", {"A=ba"}, {"A=a", "A=b"}},
        {"{A|contains: [a, b]}", {"A=a", "A=b"}, {"A=c"}},
        {"{A: 'a*c?e'}", {"A=abcde", "A=accce", "A=acđe"}, {"A=ace", "A=abcdef"}},
        {"{A: '*?'}", {"A=é", "A=ab"}, {"A="}},
        {"{A: '*?\?'}", {"A=ab"}, {"A=€"}},
        {"{A: 'a*b*c'}", {"A=abc", "A=aXbXbXc"}, {"A=acb", "A=ab"}},
        {"{A: '*a*ab'}", {"A=aab", "A=XaXab"}, {"A=ab"}},
        {"{A: '*'}", {"A=x", "A="}, {"A=!", "B=x"}},
        {"{a.b: x}", {"a.b=x"}, {"a=x"}},
        {"{A: \"x\\\"y\"}", {"A=\"x\\\"y"}, {"A=xy"}},
    };

    (void)state;
    CHECK_ALL(vectors);
}

/* The standard's four cases of the backslash, and what stands around them. */
static void test_backslashes(void **state)
{
    static const struct vector vectors[] = {
        {"{A: 'C:\\Windows'}", {"A=C:\\Windows"}, {"A=C:Windows"}},
        {"{A: 'a\\*b'}", {"A=a*b"}, {"A=aXb", "A=a\\b", "A=a\\*b"}},
        {"{A: 'a\\\\*b'}", {"A=a\\b", "A=a\\XXb"}, {"A=a*b"}},
        {"{A: 'a\\\\\\*b'}", {"A=a\\*b"}, {"A=a\\Xb", "A=a*b"}},
        {"{A: '\\\\\\\\srv'}", {"A=\\\\srv"}, {"A=\\srv", "A=\\\\\\\\srv"}},
        {"{A: 'a\\'}", {"A=a\\"}, {"A=a"}},
        {"{A: 'a\\?'}", {"A=a?"}, {"A=ab"}},
    };

    (void)state;
    CHECK_ALL(vectors);
}

static void test_types(void **state)
{
    static const struct vector vectors[] = {
        {"{A: 1}", {"A=#1", "A=1", "A=#1.0", "A=01"}, {"A=#10", "A=0x1", "A=one"}},
        {"{A: '1'}", {"A=1", "A=#1"}, {"A=01", "A=#1.0"}},
        {"{A: 0x10}", {"A=#16", "A=16"}, {"A=0x10"}},
        {"{A: '0x10'}", {"A=0x10"}, {"A=16"}},
        {"{A: 9007199254740993}", {"A=#9007199254740993"}, {"A=#9007199254740992"}},
        {"{A: -1.5}", {"A=#-1.5", "A=#-15e-1"}, {"A=#1.5"}},
        {"{A: true}", {"A=?true", "A=True"}, {"A=?false", "A=#1"}},
        {"{A: null}", {"A=!", "B=x"}, {"A=", "A=null", "A=#0"}},
        {"{A: ''}", {"A="}, {"A=!", "B=x", "A= "}},
        {"{A|exists: true}", {"A=x", "A=", "A=!"}, {"B=x"}},
        {"{A|exists: false}", {"B=x"}, {"A=x", "A=!"}},
        {"{A: [null, '']}", {"A=", "A=!", "B=x"}, {"A=x"}},
        {"{A|neq: x}", {"A=y", "B=x"}, {"A=x", "A=X"}},
        {"{A|neq: [x, y]}", {"A=z"}, {"A=x", "A=y"}},
        {"{A|neq|contains: x}", {"A=y"}, {"A=axb"}},
        {"{A|contains: 44}", {"A=144", "A=#443"}, {"A=4"}},
    };

    (void)state;
    CHECK_ALL(vectors);
}

static void test_regexes(void **state)
{
    static const struct vector vectors[] = {
        {"{A|re: 'b+c'}", {"A=abbcd"}, {"A=aBc", "A=ac"}},
        {"{A|re|i: 'b+c'}", {"A=aBBC"}, {"A=ac"}},
        {"{A|re: '^b'}", {"A=b"}, {"A=a\nb"}},
        {"{A|re|m: '^b'}", {"A=a\nb"}, {"A=ab"}},
        {"{A|re: 'a.b'}", {"A=aXb"}, {"A=a\nb"}},
        {"{A|re|s: 'a.b'}", {"A=a\nb"}, {"A=ab"}},
        {"{A|re|i|s: 'A.B'}", {"A=a\nb"}, {"A=ab"}},
        {"{A|re: '\\\\\\\\a\\*'}", {"A=\\\\a*"}, {"A=\\a"}},
        {"{A|re: ['x', 'y']}", {"A=y"}, {"A=z"}},
        {"{A|re: '(a+)+$'}", {"A=aaaa"}, {"A=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"}},
        {"{A|re|startswith: 'b|c'}", {"A=bx"}, {"A=ab", "A=ac"}},
    };

    (void)state;
    CHECK_ALL(vectors);
}

static void test_numbers_and_times(void **state)
{
    static const struct vector vectors[] = {
        {"{A|lt: 5}", {"A=#4", "A=4.9"}, {"A=#5", "A=x", "A=?true"}},
        {"{A|lte: 5}", {"A=#5"}, {"A=#6"}},
        {"{A|gt: 5}", {"A=#6", "A=1e3"}, {"A=#5"}},
        {"{A|gte: '5'}", {"A=#5"}, {"A=#4"}},
        {"{A|minute: 30}", {"A=2024-02-29T23:30:00Z"}, {"A=2024-02-29T23:31:00Z", "A=x"}},
        {"{A|hour: 23}", {"A=2024-02-29 23:30:00.123"}, {"A=2024-02-29T22:30:00Z"}},
        {"{A|hour|gte: 22}",
         {"A=2024-02-29T22:00:00Z", "A=2024-02-29T23:00:00Z"},
         {"A=2024-02-29T21:59:59Z"}},
        {"{A|day: 29}", {"A=2024-02-29T23:30:00+07:00"}, {"A=2024-02-29T00:30:00+07:00"}},
        {"{A|month: 2}", {"A=2024-02-29T23:30:00Z"}, {"A=2024-03-01T00:00:00Z"}},
        {"{A|year: 1970}", {"A=#1"}, {"A=2024-03-01T00:00:00Z"}},
        {"{A|week: 1}",
         {"A=2024-12-30T00:00:00Z", "A=2024-01-01T00:00:00Z"},
         {"A=2024-12-29T00:00:00Z", "A=2021-01-01T00:00:00Z"}},
        {"{A|week: 53}",
         {"A=2021-01-03T00:00:00Z", "A=2020-12-31T00:00:00Z"},
         {"A=2021-01-04T00:00:00Z"}},
        {"{A|cidr: 10.1.0.0/20}",
         {"A=10.1.0.0", "A=10.1.15.255", "A=::ffff:10.1.2.3"},
         {"A=10.1.16.0", "A=10.1.0", "A=::1"}},
        {"{A|cidr: [127.0.0.0/8, 'fe80::/10']}",
         {"A=febf::1", "A=127.0.0.1"},
         {"A=fec0::1", "A=128.0.0.1"}},
        {"{A|cidr: 10.0.0.1}", {"A=10.0.0.1"}, {"A=10.0.0.2"}},
    };

    (void)state;
    CHECK_ALL(vectors);
}

static void test_writings(void **state)
{
    static const struct vector vectors[] = {
        {"{A|windash|contains: ' -enc'}",
         {"A=x -enc", "A=x /ENC",
          "A=x \xe2\x80\x93"
          "enc",
          "A=x \xe2\x80\x95"
          "enc"},
         {"A=x enc", "A=x +enc"}},
        {"{A|contains|windash: '/f /q'}",
         {"A=-f -q", "A=/f -q",
          "A=\xe2\x80\x94"
          "f /q"},
         {"A=f q"}},
        {"{A|windash: 'a-b'}", {"A=a-b"}, {"A=a/b"}},
        {"{A|contains|all|windash: ['-a ', '-b ']}",
         {"A=/a -b ", "A=-b -a "},
         {"A=/a /a ", "A=-b "}},
        {"{A|base64offset|contains|all: [foobar, 'xyz123']}",
         {"A=Zm9vYmFy.eHl6MTIz", "A=IGZvb2Jhcg.eHl6MTIz"},
         {"A=Zm9vYmFy", "A=IGZvb2Jhcg.Zm9vYmFy"}},
        {"{A|all|neq|windash: ['-a', '-b']}", {"A=-a"}, {}},
        {"{A|base64|contains: foobar}", {"A=xxZm9vYmFyyy"}, {"A=foobar", "A=Zm9v"}},
        {"{A|base64offset|contains: foobar}",
         {"A=Zm9vYmFy", "A=IGZvb2Jhcg", "A=ICBmb29iYXI"},
         {"A=Zm9v"}},
        {"{A|wide|base64offset|contains: 'ab'}", {"A=YQBiA"}, {"A=YWI="}},
        {"{A|utf16le|base64: 'ab'}", {"A=YQBiAA=="}, {"A=AGEAYg=="}},
        {"{A|utf16be|base64: 'ab'}", {"A=AGEAYg=="}, {"A=YQBiAA=="}},
        {"{A|utf16|base64: 'ab'}", {"A=//5hAGIA"}, {"A=YQBiAA=="}},
        {"{A|fieldref: B}", {"A=x;B=X", "A=x;B=y;B=x"}, {"A=x;B=y", "A=x", "A=!;B=!"}},
        {"{A|fieldref|startswith: B}", {"A=xy;B=x"}, {"A=yx;B=x"}},
        {"{A|startswith|fieldref: B}", {"A=xy;B=x"}, {"A=yx;B=x"}},
        {"{A|fieldref|endswith: B}", {"A=yx;B=x"}, {"A=xy;B=x"}},
        {"{A|fieldref|contains: B}", {"A=yxz;B=x"}, {"A=y;B=x"}},
        {"{A|fieldref|neq: B}", {"A=x;B=y"}, {"A=x;B=x"}},
        {"{A|fieldref|cased: B}", {"A=x;B=x"}, {"A=x;B=X"}},
    };

    (void)state;
    CHECK_ALL(vectors);
}

static void test_keywords(void **state)
{
    static const struct vector vectors[] = {
        {"[evil, bad]", {"this is EVIL", "A=so bad"}, {"fine", "evil=x"}},
        {"evil", {"an evil line"}, {"fine"}},
        {"{'|all': [evil, bad]}", {"bad and evil", "A=evil;B=bad"}, {"evil", "A=bad"}},
        {"['ev*l']", {"x eviil x"}, {"ev"}},
        {"{'|re': 'ev.l'}", {"x evXl"}, {"evl"}},
        {"[4625]", {"id 4625 failed", "A=#4625"}, {"A=#462"}},
        {"[{A: x}, {B: y}]", {"A=x", "B=y"}, {"A=y"}},
        {"[{A: x, B: y}, {C: z}]", {"A=x;B=y", "C=z"}, {"A=x", "B=y"}},
        {"[evil, {A: x}]", {"A=x", "B=evil"}, {"A=y"}},
    };

    (void)state;
    CHECK_ALL(vectors);
}

static void test_conditions(void **state)
{
    static const struct vector vectors[] = {
        {"{a: {A: 1}, b: {B: 1}, condition: a and not b}", {"A=1"}, {"A=1;B=1", "B=1", "C=1"}},
        {"{a: {A: 1}, b: {B: 1}, c: {C: 1}, condition: a or b and c}", {"A=1", "B=1;C=1"}, {"B=1"}},
        {"{a: {A: 1}, b: {B: 1}, c: {C: 1}, condition: (a or b) and c}", {"A=1;C=1"}, {"A=1"}},
        {"{s_a: {A: 1}, s_b: {B: 1}, condition: 1 of s_*}", {"A=1", "B=1"}, {"C=1"}},
        {"{s_a: {A: 1}, s_b: {B: 1}, condition: all of s_*}", {"A=1;B=1"}, {"A=1"}},
        {"{s_a: {A: 1}, s_b: {B: 1}, condition: any of them}", {"A=1"}, {"C=1"}},
        {"{s_a: {A: 1}, _b: {B: 1}, condition: all of them}", {"A=1"}, {"B=1"}},
        {"{s_a: {A: 1}, _b: {B: 1}, condition: 1 of _*}", {"B=1"}, {"A=1"}},
        {"{a: {A: 1}, b: {B: 1}, c: {C: 1}, d: {D: 1}, condition: 2 of them}",
         {"A=1;B=1", "B=1;D=1", "A=1;B=1;C=1;D=1", "C=1;D=1"},
         {"A=1", "D=1"}},
        {"{a: {A: 1}, b: {B: 1}, condition: [a, b]}", {"A=1", "B=1"}, {"C=1"}},
        {"{a: {A: 1}, b: {B: 1}, condition: a AND NOT b}", {"A=1"}, {"A=1;B=1"}},
        {"{a: {A: 1}, b: {B: 1}, condition: not a and not 1 of b*}", {"C=1"}, {"A=1", "B=1"}},
        {"{not_a: {A: 1}, condition: not not_a}", {"B=1"}, {"A=1"}},
        {"{all: {A: 1}, condition: all}", {"A=1"}, {"B=1"}},
    };

    (void)state;
    CHECK_ALL(vectors);
}

static void test_sources(void **state)
{
    const struct logsource way = {.product = STR("windows"), .service = STR("sysmon")};
    struct logsource entry = {0};

    (void)state;
    assert_true(sigma_source_fits(&way, &entry));
    entry.product = STR("Windows");
    assert_false(sigma_source_fits(&way, &entry));
    entry.service = STR("sysmon");
    entry.category = STR("process_creation");
    assert_true(sigma_source_fits(&way, &entry));
}

static void test_source_needed(void **state)
{
    static const struct {
        const char *detection;
        const char *text;
        bool holds_unknown;
    } rows[] = {
        {"{s: {ip|cidr: 10.0.0.0/8}, condition: not s}", "ip=203.0.113.5", false},
        {"{s: {ip: null}, condition: s}", "name=any licence", false},
        {"{s: {ip|exists: false}, condition: s}", "name=any licence", false},
        {"{s: {ip: '*'}, t: {ip|cidr: 10.0.0.0/8}, condition: s and not t}", "ip=203.0.113.5",
         true},
        {"{s: {a: b}, t: {ip: null}, condition: s and t}", "a=b", true},
        {"{s: [evil.exe], condition: s}", "so evil.exe", true},
        {"{s: [evil], condition: s}", "so evil", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sigma_loader *loader;
        const struct sigma_set *set;
        struct entry entry;
        bool is_match = false;
        char text[512];

        (void)snprintf(text, sizeof(text), "title: t\nlogsource: {product: x}\ndetection: %s\n",
                       rows[i].detection);
        assert_int_equal(sigma_loader_new(true, &loader), 0);
        assert_int_equal(sigma_loader_add(loader, STR("t.yml"), str_from(text)), 0);
        assert_int_equal(sigma_loader_finish(loader, &set), 0);
        assert_int_equal(set->rule_count, 1);
        assert_true(holds(set, rows[i].text));
        make_entry(rows[i].text, &entry);
        entry.source = (struct logsource){0};
        assert_int_equal(sigma_oracle(&set->rules[0], &entry, arena, &is_match), 0);
        if (is_match != rows[i].holds_unknown) {
            fail_msg("%s of an unknown source", rows[i].detection);
        }
        entry_done(&entry);
        sigma_loader_free(loader);
    }
}

static void folds_to(uint32_t rune, uint32_t wanted)
{
    char text[5] = "";
    char out[8];
    char small[5] = "";
    size_t len = utf8_encode(rune, text);

    len = sigma_fold(str_of(text, len), out);
    (void)utf8_encode(wanted, small);
    assert_str(str_of(out, len), small);
}

static void test_folding(void **state)
{
    char out[64];

    (void)state;
    for (uint32_t rune = 0x100; rune < 0x130;
         rune += 2) { /* pairs of Latin letters, Đ among them */
        folds_to(rune, rune + 1);
        folds_to(rune + 1, rune + 1);
    }
    for (uint32_t rune = 0x1ea0; rune < 0x1f00; rune += 2) { /* of Vietnamese */
        folds_to(rune, rune + 1);
        folds_to(rune + 1, rune + 1);
    }
    folds_to(0x130, 0x130); /* Turkish: it has no small letter of its own here */
    assert_str(str_of(out, sigma_fold(STR("ABCxyz ĂÂĐÊÔƠƯẠ \xff"), out)), "abcxyz ăâđêôơưạ \xff");
    assert_str(str_of(out, sigma_fold(STR("ΣςЯ\xe1\xba\x9e\xe2\x84\xaa"), out)), "σσя\xc3\x9fk");
    assert_str(str_of(out, sigma_fold(STR(""), out)), "");
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
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_backslashes),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_regexes),
        cmocka_unit_test(test_numbers_and_times),
        cmocka_unit_test(test_writings),
        cmocka_unit_test(test_keywords),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_source_needed),
        cmocka_unit_test(test_folding),
    };

    return cmocka_run_group_tests_name("sigma_oracle", tests, setup, teardown);
}
