/* For tests of readers of logs: a text is read by a format, all at once or in pieces, and what came
 * out is kept, so that a test names what a user would look for. */
#ifndef TESTS_LOG_FIXTURE_H
#define TESTS_LOG_FIXTURE_H

#include "harness.h"

#include "base/buf.h"
#include "base/time.h"
#include "codec/logs.h"

#include <stdlib.h>
#include <string.h>

#define SEEN_MAX 4096

/* 25 November 2026, 16:00 UTC, in Viet Nam. */
#define LOG_AROUND (1795622400LL * NS_PER_S)
#define LOG_ZONE   25200

struct seen {
    struct arena *arena;
    struct entry entries[SEEN_MAX];
    size_t count;
    struct log_counts counts;
};

static inline int seen_take(void *context, const struct entry *entry)
{
    struct seen *seen = context;
    struct entry *kept = &seen->entries[seen->count];

    assert_true(seen->count < SEEN_MAX);
    *kept = *entry;
    kept->raw = arena_copy(seen->arena, entry->raw);
    kept->host = arena_copy(seen->arena, entry->host);
    kept->source.product = arena_copy(seen->arena, entry->source.product);
    kept->source.category = arena_copy(seen->arena, entry->source.category);
    kept->source.service = arena_copy(seen->arena, entry->source.service);
    kept->fields = arena_alloc(seen->arena, entry->count + 1, sizeof(*kept->fields));
    assert_non_null(kept->fields);
    for (size_t i = 0; i < entry->count; i++) {
        kept->fields[i] = entry->fields[i];
        kept->fields[i].name = arena_copy(seen->arena, entry->fields[i].name);
        kept->fields[i].value = arena_copy(seen->arena, entry->fields[i].value);
    }
    seen->count++;
    return 0;
}

static inline void seen_done(struct seen *seen)
{
    arena_freep(&seen->arena);
    seen->count = 0;
}

/* block_max: most bytes that are looked at at once, as a reader of a stream has them; 0: all. */
static inline int seen_read(struct seen *seen, const char *name, struct str text, size_t block_max)
{
    const struct log_format *format = log_format_find(str_from(name));
    struct log_reading reading;
    size_t from = 0;
    size_t until = block_max;
    int r;

    assert_non_null(format);
    seen_done(seen);
    assert_int_equal(arena_new(256U << 20, &seen->arena), 0);
    assert_int_equal(log_reading_init(&reading, NULL), 0);
    reading.around = LOG_AROUND;
    reading.zone = LOG_ZONE;
    reading.head = str_slice(text, 0, LOG_HEAD_SIZE);
    r = 0;
    while (r == 0 && from < text.len) {
        bool is_end = block_max == 0 || until >= text.len;
        struct str piece = str_slice(text, from, is_end ? text.len : until);
        size_t len = format->cut(piece, is_end);

        assert_true(len <= piece.len && (len > 0 || !is_end));
        if (len > 0) {
            r = format->read(&reading, str_slice(piece, 0, len), seen_take, seen);
        }
        from += len;
        until += block_max;
    }
    seen->counts = reading.counts;
    log_reading_done(&reading);
    return r;
}

static inline void read_text(struct seen *seen, const char *name, const char *text)
{
    assert_int_equal(seen_read(seen, name, str_from(text), 0), 0);
}

/* NULL: no such field. */
static inline void check_field(const struct seen *seen, size_t at, const char *name,
                               const char *expected)
{
    const struct entry_field *field;

    assert_true(at < seen->count);
    field = entry_find(&seen->entries[at], str_from(name));
    if (field == NULL && expected == NULL) {
        return;
    }
    if (field == NULL || expected == NULL || !str_is_text(field->value, expected)) {
        fail_msg("entry %zu (%.*s): %s is '%.*s', not '%s'", at, STR_ARG(seen->entries[at].raw),
                 name, STR_ARG(field == NULL ? STR("absent") : field->value),
                 expected == NULL ? "absent" : expected);
    }
}

static inline void check_source(const struct seen *seen, size_t at, const char *product,
                                const char *category, const char *service)
{
    assert_true(at < seen->count);
    assert_str(seen->entries[at].source.product, product);
    assert_str(seen->entries[at].source.category, category);
    assert_str(seen->entries[at].source.service, service);
}

static inline void check_time(const struct seen *seen, size_t at, const char *expected)
{
    char text[TIME_TEXT_SIZE];

    assert_true(at < seen->count);
    time_format_utc(seen->entries[at].time, text);
    assert_string_equal(text, expected);
}

static inline bool entries_are_alike(const struct entry *a, const struct entry *b)
{
    bool is_alike = a->time == b->time && str_is(a->raw, b->raw) && str_is(a->host, b->host) &&
                    a->number == b->number && a->faults == b->faults && a->count == b->count &&
                    str_is(a->source.product, b->source.product) &&
                    str_is(a->source.service, b->source.service);

    for (size_t i = 0; is_alike && i < a->count; i++) {
        is_alike = str_is(a->fields[i].name, b->fields[i].name) &&
                   str_is(a->fields[i].value, b->fields[i].value);
    }
    return is_alike;
}

/* The text cut into blocks of any size gives what it gives at once. */
static inline void check_blocks(const char *name, struct str text)
{
    static struct seen whole;
    static struct seen pieces;

    assert_int_equal(seen_read(&whole, name, text, 0), 0);
    for (size_t size = 1; size < text.len + 7; size += 1 + size / 3) {
        assert_int_equal(seen_read(&pieces, name, text, size), 0);
        assert_int_equal(pieces.count, whole.count);
        for (size_t i = 0; i < whole.count; i++) {
            if (!entries_are_alike(&whole.entries[i], &pieces.entries[i])) {
                fail_msg("%s: entry %zu differs in blocks of %zu bytes", name, i, size);
            }
        }
    }
    seen_done(&whole);
    seen_done(&pieces);
}

struct memory_case {
    const char *name;
    struct str text;
};

static inline int pass_entry(void *context, const struct entry *entry)
{
    (void)context;
    (void)entry;
    return 0;
}

static inline int read_without_memory(void *context)
{
    const struct memory_case *memory_case = context;
    struct log_reading reading;
    int r = log_reading_init(&reading, NULL);

    if (r < 0) {
        return r;
    }
    r = log_format_find(str_from(memory_case->name))
            ->read(&reading, memory_case->text, pass_entry, NULL);
    log_reading_done(&reading);
    return r;
}

static inline void check_survives(const char *name, const char *text)
{
    struct memory_case memory_case = {name, str_from(text)};

    assert_survives_no_memory(read_without_memory, &memory_case);
}

#endif
