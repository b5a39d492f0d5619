/* A search by what people type finds what a naive look at every stored entry finds: samples of all
 * formats of logs, and such as say their values in a code, under words, phrases, fields, ranges,
 * NOT, OR and time. */
#include "prop.h"
#include "store_fixture.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "codec/logs.h"
#include "store/database.h"
#include "store/find.h"
#include "sys/fd.h"

#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#define EVENTS_MAX   6000
#define SAMPLE_MAX   (64 << 10)
#define BLOCK_EVENTS 40
#define RUNS         400

struct stored {
    struct str format;
    struct str raw;
    struct str head;
    int64_t time;
};

static struct stored events[EVENTS_MAX];
static size_t event_count;
static struct fixture fixture;
static struct archive *archive;
static struct store *store;
static struct arena *kept;

/* Values in codes, letters with and without dấu, in both cases. */
static const char *const coded[][2] = {
    {"ndjson", "{\"user\":\"Nguy\\u1ec5n V\\u0103n An\",\"bytes\":1500000}"},
    {"ndjson", "{\"user\":\"Nguyễn Văn An\",\"bytes\":15}"},
    {"ndjson", "{\"user\":\"NGUYEN VAN \\u0041N\",\"bytes\":\"900\"}"},
    {"ndjson", "{\"message\":\"{\\\"user\\\":\\\"l\\\\u1ea1n\\\",\\\"n\\\":7}\"}"},
    {"ndjson", "{\"Image\":\"C:\\\\Windows\\\\System32\\\\udp.exe\",\"EventID\":4625}"},
    {"ndjson", "{\"log\":\"type=EXECVE msg=audit(1364481363.243:24287): a0=6C73\"}"},
    {"weblog",
     "1.2.3.4 - - [10/Oct/2026:13:55:36 +0700] \"GET /\\x61dmin HTTP/1.1\" 200 2326 \"-\" \"-\""},
    {"weblog",
     "1.2.3.4 - - [10/Oct/2026:13:55:36 +0700] \"GET /\\xc4\\x91ong HTTP/1.1\" 404 9 \"-\" \"-\""},
    {"cef", "CEF:0|x|fw|1|100|drop|5|src=10.0.0.1 filePath=C:\\Windows\\cmd.exe"},
    {"audit",
     "type=EXECVE msg=audit(1364481363.243:24287): argc=2 a0=\"ls\" a1=2F746D702F7175E1BAA36E"},
    {"audit", "type=PROCTITLE msg=audit(1364481363.243:24288): proctitle=726D002D7266002F6574"},
    {"winxml", "<Event><System><EventID>4624</EventID></System><EventData><Data Name=\"User\">"
               "qu&#7843;n &#116;ri</Data></EventData></Event>"},
    {"syslog", "<13>Oct 10 13:55:36 web app[7]: bytes=2000000 user=root"},
};

static void keep(struct str format, struct str raw, struct str head)
{
    struct stored *event = &events[event_count];

    if (event_count == EVENTS_MAX || raw.len == 0 || raw.len > SAMPLE_MAX) {
        return;
    }
    *event = (struct stored){.format = format,
                             .raw = arena_copy(kept, raw),
                             .head = arena_copy(kept, head),
                             .time = clock_wall(&fixture.clock) -
                                     (int64_t)(event_count % 97) * NS_PER_S};
    assert_non_null(event->raw.ptr);
    event_count++;
}

struct sample {
    const struct log_format *format;
    struct str head;
};

static int keep_entry(void *context, const struct entry *entry)
{
    const struct sample *sample = context;

    keep(str_from(sample->format->name), entry->raw, sample->head);
    return 0;
}

static int keep_file(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    static char bytes[SAMPLE_MAX];
    CLEANUP(closep) int fd = -1;
    struct log_reading reading;
    struct sample sample;
    struct str text;

    (void)walk;
    if (kind != FTW_F || info->st_size > SAMPLE_MAX ||
        !str_has_suffix(str_from(path), STR(".log"))) {
        return 0;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, bytes, (size_t)info->st_size), info->st_size);
    text = str_of(bytes, (size_t)info->st_size);
    sample.format = log_format_guess(text);
    sample.head = sample.format->has_head ? text : STR("");
    assert_int_equal(log_reading_init(&reading, NULL), 0);
    reading.head = sample.head;
    assert_int_equal(sample.format->read(&reading, text, keep_entry, &sample), 0);
    log_reading_done(&reading);
    return 0;
}

static struct event make_event(const struct stored *stored, size_t number)
{
    struct event event;

    event_init(&event, EVENT_KIND_LOG, stored->time);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, stored->raw), 0);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_MODULE, stored->format), 0);
    if (stored->head.len != 0) {
        assert_int_equal(event_add_text(&event, EVENT_FIELD_LOG_HEAD, stored->head), 0);
    }
    assert_int_equal(event_add_number(&event, EVENT_FIELD_LOG_OFFSET, (int64_t)number), 0);
    return event;
}

/* ---- the naive look, which is the searcher's reader too */

struct look {
    const struct terms *terms;
    const struct event *event;
    struct log_reading reading;
    bool is_found;
};

static int look_entry(void *context, const struct entry *entry)
{
    struct look *look = context;

    /* the store knows no name of the host that all of them are of */
    look->is_found = look->is_found || terms_judge(look->terms, look->event, STR(""), entry,
                                                   look->reading.arena) == TERMS_YES;
    return 0;
}

static bool matches(const struct terms *terms, const struct event *event)
{
    const struct event_field *head = event_find(event, EVENT_FIELD_LOG_HEAD);
    struct look look = {.terms = terms, .event = event};
    const struct log_format *format =
        log_format_find(event_find(event, EVENT_FIELD_EVENT_MODULE)->text);

    assert_int_equal(log_reading_init(&look.reading, NULL), 0);
    look.reading.around = event->time;
    look.reading.head = head != NULL ? head->text : STR("");
    assert_int_equal(format->read(&look.reading,
                                  event_find(event, EVENT_FIELD_EVENT_ORIGINAL)->text, look_entry,
                                  &look),
                     0);
    log_reading_done(&look.reading);
    return look.is_found;
}

static int judge(void *context, const struct terms *terms, struct find_candidate *candidates,
                 size_t count)
{
    (void)context;
    for (size_t i = 0; i < count; i++) {
        struct cbor_reader reader;
        struct event event;

        cbor_open(&reader, candidates[i].event);
        assert_int_equal(event_decode(&reader, &event), 0);
        if (candidates[i].verdict == TERMS_UNREAD) {
            candidates[i].verdict = matches(terms, &event) ? TERMS_YES : TERMS_NO;
        }
    }
    return 0;
}

/* ---- what is asked */

struct pick {
    struct prop *prop;
    struct str name;
    struct str value;
};

static int pick_field(void *context, const struct entry *entry)
{
    struct pick *pick = context;
    const struct entry_field *field;

    if (entry->count == 0) {
        return 0;
    }
    field = &entry->fields[prop_below(pick->prop, entry->count)];
    pick->name = arena_copy(pick->prop->arena, field->name);
    return entry_field_text(field, pick->prop->arena, &pick->value) < 0 ||
                   (pick->value = arena_copy(pick->prop->arena, pick->value)).ptr == NULL
               ? -ERR_NOMEM
               : 0;
}

/* A part of the value, at times in other letters, that a person could type between quotes. */
static void put_part(struct prop *prop, struct str value, bool is_whole, struct buf *typed)
{
    size_t from = is_whole || value.len == 0 ? 0 : prop_below(prop, value.len);
    size_t len = is_whole ? value.len : prop_below(prop, 24) + 1;
    bool is_upper = prop_below(prop, 3) == 2;
    struct str part = str_slice(value, from, from + len);

    for (size_t i = 0; i < part.len && i < 200; i++) {
        char c = part.ptr[i];

        if (c != '"' && c != '\\') {
            buf_put_byte(typed, (unsigned char)(is_upper && c >= 'a' && c <= 'z' ? c - 32 : c));
        }
    }
}

static void draw_field(struct prop *prop, const struct pick *pick, struct buf *typed)
{
    int64_t number;

    if (str_to_i64(pick->value, &number) == 0 && prop_bool(prop)) {
        static const char *const relations[] = {">", "<", ">=", "<="};

        buf_putf(typed, "%.*s:%s%lld", STR_ARG(pick->name), relations[prop_below(prop, 4)],
                 (long long)number);
        return;
    }
    buf_putf(typed, "%.*s:\"", STR_ARG(pick->name));
    if (prop_bool(prop)) {
        put_part(prop, pick->value, true, typed);
    } else {
        buf_put_byte(typed, '*');
        put_part(prop, pick->value, false, typed);
        buf_put_byte(typed, '*');
    }
    buf_put_byte(typed, '"');
}

static void draw_term(struct prop *prop, struct buf *typed)
{
    const struct stored *stored = &events[prop_below(prop, event_count)];
    const struct log_format *format = log_format_find(stored->format);
    struct pick pick = {.prop = prop};
    struct log_reading reading;

    buf_put_text(typed, prop_below(prop, 5) == 4 ? "NOT " : "");
    if (prop_below(prop, 4) == 3) {
        buf_put_byte(typed, '"');
        buf_put_byte(typed, 'o');
        put_part(prop, stored->raw, false, typed);
        buf_put_byte(typed, '"');
        return;
    }
    assert_int_equal(log_reading_init(&reading, NULL), 0);
    reading.around = stored->time;
    reading.head = stored->head;
    assert_int_equal(format->read(&reading, stored->raw, pick_field, &pick), 0);
    log_reading_done(&reading);
    draw_field(prop, &pick, typed);
}

/* ---- both, side by side */

struct seen {
    bool numbers[EVENTS_MAX];
    bool is_twice;
};

static int see(void *context, const struct id *id, struct str host, const struct event *event)
{
    struct seen *seen = context;
    size_t number = (size_t)event_find(event, EVENT_FIELD_LOG_OFFSET)->number;

    (void)id;
    (void)host;
    seen->is_twice = seen->is_twice || seen->numbers[number];
    seen->numbers[number] = true;
    return 0;
}

static void search(struct prop *prop, const struct terms *terms, const int64_t times[2],
                   struct seen *seen)
{
    const struct find_reader reader = {.judge = judge};
    struct find_query query = {
        .terms = terms, .reader = &reader, .from = times[0], .cursor = {.time = times[1]}};
    int r = 1;

    *seen = (struct seen){0};
    query.limit = 300;
    while (r == 1) {
        query.until = prop_bool(prop) ? 1 : 0; /* the time is up at once, or never */
        r = find_events(archive, store, prop->arena, &query, &query.cursor, see, seen);
        assert_true(r >= 0);
    }
}

static const char *search_is_naive_look(struct prop *prop)
{
    static struct seen seen;
    int64_t now = clock_wall(&fixture.clock);
    int64_t times[2] = {now - (int64_t)prop_below(prop, 120) * NS_PER_S,
                        now - (int64_t)prop_below(prop, 60) * NS_PER_S};
    const char *broke = NULL;
    struct terms terms;
    struct buf typed;

    buf_init(&typed, 4096);
    draw_term(prop, &typed);
    for (uint64_t more = prop_below(prop, 3); more != 0; more--) {
        buf_put_text(&typed, prop_bool(prop) ? " " : " OR ");
        draw_term(prop, &typed);
    }
    if (terms_parse(buf_str(&typed), prop->arena, &terms, NULL) == 0) {
        search(prop, &terms, times, &seen);
        broke = seen.is_twice ? "an event came twice" : NULL;
        for (size_t i = 0; i < event_count && broke == NULL; i++) {
            struct event event = make_event(&events[i], i);
            bool is_wanted =
                events[i].time >= times[0] && events[i].time <= times[1] && matches(&terms, &event);

            if (is_wanted != seen.numbers[i]) {
                broke = arena_printf(prop->arena, "%s by '%.*s': %.*s (%.*s)",
                                     is_wanted ? "hidden" : "shown", STR_ARG(buf_str(&typed)),
                                     STR_ARG(events[i].raw), STR_ARG(events[i].format))
                            .ptr;
            }
        }
    }
    buf_done(&typed);
    return broke;
}

static void test_search_is_naive_look(void **state)
{
    (void)state;
    assert_true(event_count > 500);
    prop_check("search", search_is_naive_look, RUNS);
}

/* ---- damage */

static void damage(int64_t number)
{
    CLEANUP(database_closep) struct database *database = NULL;
    CLEANUP(query_done) struct query query = {0};
    char path[4200];
    char when[TIME_TEXT_SIZE];

    time_format_utc(clock_wall(&fixture.clock), when);
    (void)snprintf(path, sizeof(path), "%s/events/%.10s.db", fixture.folder, when);
    assert_int_equal(database_open(&(struct database_options){.path = path,
                                                              .application_id = 0x43474145U,
                                                              .steps = NULL,
                                                              .step_count = 4},
                                   &database, NULL),
                     0);
    query_init(&query, database,
               "UPDATE blocks SET body = substr(body, 1, length(body) / 2) WHERE number = ?1");
    query_bind_i64(&query, 1, number);
    assert_int_equal(query_run(&query), 0);
}

/* A search that comes upon what it cannot read says so, and does not pass over it. */
static void test_damage_is_told(void **state)
{
    const struct find_reader reader = {.judge = judge};
    static struct seen seen;
    struct terms terms;
    struct find_query query = {
        .terms = &terms, .reader = &reader, .cursor = {.time = INT64_MAX}, .limit = SIZE_MAX};

    (void)state;
    assert_int_equal(terms_parse(STR(""), kept, &terms, NULL), 0);
    damage(2);
    assert_int_equal(find_events(archive, store, kept, &query, &query.cursor, see, &seen),
                     -ERR_CORRUPT);
}

static int start(void **state)
{
    struct archive_options options = {.clock = &fixture.clock, .block_events = BLOCK_EVENTS};
    struct id host = fixture_id(1);

    (void)state;
    fixture_init(&fixture);
    options.folder = fixture.folder;
    assert_int_equal(arena_new(64 << 20, &kept), 0);
    for (size_t i = 0; i < sizeof(coded) / sizeof(coded[0]); i++) {
        keep(str_from(coded[i][0]), str_from(coded[i][1]), STR(""));
    }
    assert_int_equal(nftw(TESTS_FOLDER "/../rules/logs", keep_file, 8, FTW_PHYS), 0);
    assert_int_equal(archive_open(&options, &archive, NULL), 0);
    assert_int_equal(
        store_open(&(struct store_options){.folder = fixture.folder, .clock = &fixture.clock},
                   &store, NULL),
        0);
    for (size_t i = 0; i < event_count; i++) {
        struct event event = make_event(&events[i], i);

        assert_int_equal(archive_add(archive, &host, i + 1, &event), 0);
    }
    return archive_commit(archive);
}

static int end(void **state)
{
    (void)state;
    archive_close(archive);
    store_close(store);
    arena_free(kept);
    fixture_done(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search_is_naive_look),
        cmocka_unit_test(test_damage_is_told),
    };

    return cmocka_run_group_tests(tests, start, end);
}
