/* An archive of a test's own: made, filled, searched. */
#ifndef TESTS_UNIT_ARCHIVE_FIXTURE_H
#define TESTS_UNIT_ARCHIVE_FIXTURE_H

#include "store_fixture.h"

#include "base/utf8.h"
#include "store/archive.h"
#include "store/archive/private.h"

#define DAY (86400 * NS_PER_S)

struct bench {
    struct fixture fixture;
    struct archive *archive;
};

static inline struct archive *open_archive(struct fixture *fixture, bool is_read_only,
                                           size_t block_events)
{
    struct archive_options options = {.folder = fixture->folder,
                                      .is_read_only = is_read_only,
                                      .clock = &fixture->clock,
                                      .block_events = block_events};
    struct archive *archive = NULL;
    struct diag diag = {{0}};

    if (archive_open(&options, &archive, &diag) < 0) {
        fail_msg("%s", diag.text);
    }
    return archive;
}

static inline int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    fixture_init(&bench->fixture);
    bench->archive = open_archive(&bench->fixture, false, 16);
    *state = bench;
    return 0;
}

static inline int tear_down(void **state)
{
    struct bench *bench = *state;

    archive_close(bench->archive);
    fixture_done(&bench->fixture);
    free(bench);
    return 0;
}

static inline void reopen(struct bench *bench)
{
    archive_close(bench->archive);
    bench->archive = open_archive(&bench->fixture, false, 16);
}

static inline struct event make_event(int64_t time, const char *command, const char *path)
{
    struct event event;

    event_init(&event, EVENT_KIND_PROCESS_START, time);
    assert_int_equal(event_add_number(&event, EVENT_FIELD_PROCESS_PID, 4242), 0);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_PROCESS_COMMAND_LINE, str_from(command)),
                     0);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_FILE_PATH, str_from(path)), 0);
    return event;
}

static inline int add(struct archive *archive, unsigned host, uint64_t sequence,
                      const struct event *event)
{
    struct id id = fixture_id(host);

    return archive_add(archive, &id, sequence, event);
}

/* ---- what a search gave */

struct answer {
    size_t count;
    int64_t times[4096];
    struct id hosts[4096];
    char texts[4096][48];
};

static inline int collect(void *context, const struct archive_key *key, const struct event *event)
{
    struct answer *answer = context;
    const struct event_field *field = event_find(event, EVENT_FIELD_PROCESS_COMMAND_LINE);

    assert_true(answer->count < 4096);
    answer->times[answer->count] = event->time;
    answer->hosts[answer->count] = key->host;
    (void)snprintf(answer->texts[answer->count], 48, "%.*s",
                   STR_ARG(field != NULL ? field->text : STR("")));
    answer->count++;
    return 0;
}

static inline struct archive_query everything(void)
{
    return (struct archive_query){.from = INT64_MIN, .to = INT64_MAX, .limit = 4000};
}

static inline struct answer *search(struct archive *archive, const struct archive_query *query)
{
    static struct answer answer;

    answer.count = 0;
    assert_int_equal(archive_search(archive, query, collect, &answer), 0);
    return &answer;
}

/* "a b | c": events that hold a and b, or c. Lives until the next call. */
static inline const struct needles *wanted(const char *words)
{
    static struct needles needles;
    static char folded[256];
    struct str rest = str_of(folded, utf8_fold(str_from(words), folded, sizeof(folded)));
    struct str group;
    struct str word;
    uint16_t any = 0;

    needles_init(&needles);
    for (bool is_first = true; str_cut(&rest, '|', &group); is_first = false) {
        uint16_t all = 0;

        while (str_cut(&group, ' ', &word)) {
            all = needles_join(&needles, NEEDLE_AND, all, needles_text(&needles, word, 0));
        }
        any = is_first ? all : needles_join(&needles, NEEDLE_OR, any, all);
    }
    needles.root = any;
    return &needles;
}

#endif
