/* Entries: names get their numbers, JSON's escapes mean what they say, and lines that nothing knows
 * are entries all the same. */
#include "prop.h"

#include "base/err.h"
#include "codec/entry.h"
#include "codec/logs.h"

#include <stdio.h>
#include <string.h>

static void test_names(void **state)
{
    struct entry_names *names = NULL;
    char text[16];
    uint32_t id = 0;

    (void)state;
    assert_int_equal(entry_names_new(1000, &names), 0);
    assert_int_equal(entry_names_find(names, STR("Image")), 0);
    for (uint32_t i = 1; i <= 1000; i++) {
        (void)snprintf(text, sizeof(text), "field%u", i);
        assert_int_equal(entry_names_add(names, str_from(text), &id), 0);
        assert_int_equal(id, i);
    }
    assert_int_equal(entry_names_add(names, STR("field7"), &id), 0);
    assert_int_equal(id, 7);
    assert_int_equal(entry_names_add(names, STR("one too many"), &id), -ERR_LIMIT);
    for (uint32_t i = 1; i <= 1000; i++) {
        (void)snprintf(text, sizeof(text), "field%u", i);
        assert_int_equal(entry_names_find(names, str_from(text)), i);
        assert_true(str_is(entry_names_get(names, i), str_from(text)));
    }
    assert_int_equal(entry_names_find(names, STR("Field7")), 0);
    assert_int_equal(entry_names_find(names, STR("")), 0);
    assert_int_equal(entry_names_find(NULL, STR("field7")), 0);
    entry_names_freep(&names);
}

static void assert_unescaped(struct arena *arena, const char *written, const char *meant)
{
    struct entry_field field = {.value = str_from(written), .is_escaped = true};
    struct str text;

    assert_int_equal(entry_field_text(&field, arena, &text), 0);
    assert_true(str_is(text, str_from(meant)));
}

static void test_escapes(void **state)
{
    struct arena *arena = NULL;

    (void)state;
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    assert_unescaped(arena, "C:\\\\Windows\\/x", "C:\\Windows/x");
    assert_unescaped(arena, "\\u0111\\u1ed3ng \\ud83d\\ude00!", "đồng 😀!");
    assert_unescaped(arena, "a\\tb\\nc\\\"", "a\tb\nc\"");
    assert_unescaped(arena, "\\ud83d.", "\xef\xbf\xbd.");
    assert_unescaped(arena, "\\x41\\u12", "\\x41\\u12");
    assert_unescaped(arena, "end\\", "end\\");
    arena_free(arena);
}

struct seen {
    size_t count;
    uint64_t number;
    struct str product;
    unsigned faults;
    size_t raw;
};

static int see(void *context, const struct entry *entry)
{
    struct seen *seen = context;

    seen->count++;
    seen->number = entry->number;
    seen->product = entry->source.product;
    seen->faults = entry->faults;
    seen->raw = entry->raw.len;
    return seen->count == 3 ? -ERR_CANCELED : 0;
}

static void test_lines(void **state)
{
    const struct log_format *format = log_format_guess(STR("\x01\x02 nobody knows"));
    struct log_reading reading;
    struct seen seen = {0};

    (void)state;
    assert_string_equal(format->name, "lines");
    assert_int_equal(log_reading_init(&reading, NULL), 0);
    reading.source.product = STR("linux");
    assert_int_equal(format->cut(STR("one\r\n\ntwo"), false), 6);
    assert_int_equal(format->cut(STR("two"), false), 0);
    assert_int_equal(format->cut(STR("two"), true), 3);
    assert_int_equal(format->read(&reading, STR("one\r\n\ntwo"), see, &seen), 0);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.number, 3);
    assert_int_equal(seen.raw, 3);
    assert_true(str_is_text(seen.product, "linux"));
    assert_int_equal(reading.counts.passed, 1);
    assert_int_equal(reading.counts.entries, 2);
    assert_int_equal(format->read(&reading, STR("three\nfour\n"), see, &seen), -ERR_CANCELED);
    assert_int_equal(seen.count, 3);
    log_reading_done(&reading);
}

static void test_long_line(void **state)
{
    static char text[ENTRY_SIZE_MAX + 2];
    struct log_reading reading;
    struct seen seen = {0};

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(log_reading_init(&reading, NULL), 0);
    assert_int_equal(log_cut_lines(str_of(text, ENTRY_SIZE_MAX), false), 0);
    assert_int_equal(log_cut_lines(str_of(text, sizeof(text)), false), sizeof(text));
    assert_int_equal(
        log_format_find(STR("lines"))->read(&reading, str_of(text, sizeof(text)), see, &seen), 0);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.raw, ENTRY_SIZE_MAX);
    assert_true((seen.faults & ENTRY_FAULT_CUT) != 0);
    log_reading_done(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_long_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
