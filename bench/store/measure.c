/* Figures of the store, for bench/store/run: what a page of alerts costs at a million, how fast the
 * archive takes events and answers. The peer keeps one SQLite row an event and searches it with
 * SQLite's own trigram index; both commit, synced, every thousand events. */
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/prng.h"
#include "base/time.h"
#include "base/utf8.h"
#include "store/archive.h"
#include "store/sqlite/sqlite.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HOSTS       1000
#define QUERIES     300
#define BATCH       1000
#define PAGE        50
#define LEFT_OPEN   2000
#define NOW         (1764000000LL * NS_PER_S)
#define ARENA_LIMIT (64U << 20)

struct settings {
    const char *folder;
    bool is_json;
    uint64_t alerts;
    uint64_t events;
};

static void must(int r, const char *what)
{
    if (r < 0) {
        (void)fprintf(stderr, "measure: %s: %s\n", what, err_text(r));
        exit(3);
    }
}

static void tell(const struct settings *settings, const char *name, double value, const char *unit,
                 const char *goal)
{
    if (settings->is_json) {
        printf("{\"bench\":\"store\",\"name\":\"%s\",\"value\":%.3f,\"unit\":\"%s\",\"goal\":\"%"
               "s\"}\n",
               name, value, unit, goal);
    } else {
        printf("| %-58s | %12.2f %-8s | %-10s |\n", name, value, unit, goal);
    }
    (void)fflush(stdout);
}

static double ms_since(int64_t start)
{
    return (double)(clock_mono(&clock_real) - start) / 1e6;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static struct id make_id(uint64_t number)
{
    struct id id = {{0xb0}};

    memcpy(&id.bytes[4], &number, sizeof(number));
    return id;
}

/* ---- alerts */

static const char *const titles[] = {
    "Files are being encrypted",      "A process of the agent died",
    "The protected folder is full",   "A host has been silent",
    "Many files were deleted",        "A web page was changed",
    "An unknown program was started", "The clock of a host is wrong",
};

static void fill_alerts(struct store *store, uint64_t count)
{
    for (uint64_t i = 0; i < HOSTS; i++) {
        char name[32];
        struct store_host host = {.id = make_id(i)};

        (void)snprintf(name, sizeof(name), "xa-%03llu-pc%02llu", (unsigned long long)(i / 10),
                       (unsigned long long)(i % 10));
        host.name = str_from(name);
        must(i == 0 ? store_begin(store) : 0, "begin");
        must(store_host_put(store, &host), "host");
    }
    must(store_commit(store), "commit");
    for (uint64_t i = 0; i < count; i++) {
        struct id host = make_id(i * 7919 % HOSTS);
        uint64_t number;
        struct finding finding = {
            .id = make_id(1000000000 + i),
            .revision = 1,
            .time = NOW + (int64_t)i * NS_PER_S * 8,
            .detector = STR("ransom"),
            .severity = i % 997 == 0 ? SEVERITY_CRITICAL : (enum severity)(i % 3),
            .is_drill = i % 5003 == 0,
            .title = str_from(titles[i * 31 % ARRAY_LEN(titles)]),
        };

        must(i % BATCH == 0 ? store_begin(store) : 0, "begin");
        must(store_alert_fold(store, &host, &finding, &number), "fold");
        must(i % BATCH == BATCH - 1 || i + 1 == count ? store_commit(store) : 0, "commit");
    }
}

/* Nearly all alerts of a real site are closed; one statement stands for years of work. */
static void close_old(struct store *store)
{
    char sql[128];

    (void)snprintf(
        sql, sizeof(sql),
        "UPDATE alerts SET state = 2 WHERE number <= (SELECT max(number) FROM alerts) - %d",
        LEFT_OPEN);
    must(store_begin(store), "begin");
    must(sqlite3_exec(database_handle(store->database), sql, NULL, NULL, NULL) == SQLITE_OK
             ? 0
             : -ERR_IO,
         "close");
    must(store_commit(store), "commit");
}

struct page_kind {
    const char *name;
    struct store_alert_filter filter;
    bool has_host;
    bool is_anywhere; /* the page starts at a random number */
};

static const struct page_kind kinds[] = {
    {"alert page: all, any place",
     {.state = -1, .severity_least = -1, .is_drill = -1},
     false,
     true},
    {"alert page: open", {.state = -2, .severity_least = -1, .is_drill = -1}, false, false},
    {"alert page: closed, any place",
     {.state = 2, .severity_least = -1, .is_drill = -1},
     false,
     true},
    {"alert page: high and worse, any place",
     {.state = -1, .severity_least = 3, .is_drill = -1},
     false,
     true},
    {"alert page: closed critical drills",
     {.state = 2, .severity_least = 4, .is_drill = 1},
     false,
     false},
    {"alert page: one host", {.state = -1, .severity_least = -1, .is_drill = -1}, true, false},
    {"alert page: two words, none has both",
     {.state = -1, .severity_least = -1, .is_drill = -1, .words = {"encrypted deleted", 17}},
     false,
     false},
    {"alert page: 'encrypted xa-042'",
     {.state = -1, .severity_least = -1, .is_drill = -1, .words = {"encrypted xa-042", 16}},
     false,
     true},
    {"alert page: closed 'deleted', any place",
     {.state = 2, .severity_least = -1, .is_drill = -1, .words = {"deleted", 7}},
     false,
     true},
};

static void measure_pages(const struct settings *settings, struct store *store,
                          const struct page_kind *kind, struct prng *prng)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    static double times[QUERIES];
    char name[128];

    must(arena_new(ARENA_LIMIT, &arena), "arena");
    for (size_t i = 0; i < QUERIES; i++) {
        struct store_alert_filter filter = kind->filter;
        struct store_alert *alerts;
        struct id host = make_id(prng_below(prng, HOSTS));
        size_t count;
        int64_t start;

        filter.limit = PAGE;
        filter.host = kind->has_host ? &host : NULL;
        filter.before = kind->is_anywhere ? 1 + prng_below(prng, settings->alerts) : 0;
        arena_reset(arena);
        start = clock_mono(&clock_real);
        must(store_alert_list(store, &filter, arena, &alerts, &count), "list");
        times[i] = ms_since(start);
    }
    qsort(times, QUERIES, sizeof(times[0]), compare);
    (void)snprintf(name, sizeof(name), "%s, p99 of %d", kind->name, QUERIES);
    tell(settings, name, times[QUERIES * 99 / 100], "ms", "<= 50 ms");
}

static void measure_alerts(const struct settings *settings)
{
    struct store_options options = {.folder = settings->folder};
    CLEANUP(store_closep) struct store *store = NULL;
    struct prng prng;
    int64_t start = clock_mono(&clock_real);

    prng_init(&prng, 1);
    must(store_open(&options, &store, NULL), "store");
    fill_alerts(store, settings->alerts);
    tell(settings, "findings folded, synced every 1,000",
         (double)settings->alerts / ms_since(start) * 1000, "/s", ">= 3000/s");
    close_old(store);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        measure_pages(settings, store, &kinds[i], &prng);
    }
}

/* ---- events */

static const char *const programs[] = {"/usr/bin/bash", "/usr/bin/sed",   "/usr/sbin/cron",
                                       "/usr/bin/ssh",  "/usr/bin/rsync", "/usr/bin/python3",
                                       "/usr/bin/git",  "/bin/tar"};

static void make_event(struct prng *prng, uint64_t number, struct event *event, char texts[4][160])
{
    const char *program = programs[prng_below(prng, ARRAY_LEN(programs))];

    event_init(event, EVENT_KIND_PROCESS_START, NOW + (int64_t)number * 5 * NS_PER_MS);
    (void)snprintf(
        texts[0], 160, "%s --in /srv/ho-so/%llu/bao-cao-%llu.docx --user xa%llu%s", program,
        (unsigned long long)prng_below(prng, 900), (unsigned long long)prng_below(prng, 100000),
        (unsigned long long)prng_below(prng, 400), number == 777 ? " ccencrypt-rare" : "");
    (void)snprintf(texts[1], 160, "/srv/ho-so/%llu", (unsigned long long)prng_below(prng, 900));
    (void)snprintf(texts[2], 160, "nguyễn.văn.%llu", (unsigned long long)prng_below(prng, 300));
    must(event_add_number(event, EVENT_FIELD_PROCESS_PID, (int64_t)prng_below(prng, 4000000)),
         "event");
    must(event_add_text(event, EVENT_FIELD_PROCESS_EXECUTABLE, str_from(program)), "event");
    must(event_add_text(event, EVENT_FIELD_PROCESS_COMMAND_LINE, str_from(texts[0])), "event");
    must(event_add_text(event, EVENT_FIELD_PROCESS_WORKING_DIRECTORY, str_from(texts[1])), "event");
    must(event_add_text(event, EVENT_FIELD_USER_NAME, str_from(texts[2])), "event");
}

static double sum_size;

static int add_size(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)path;
    (void)ftw;
    sum_size += kind == FTW_F ? (double)st->st_size : 0;
    return 0;
}

static double folder_size(const char *folder, const char *name)
{
    char path[STORE_PATH_SIZE];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    sum_size = 0;
    (void)nftw(path, add_size, 8, FTW_PHYS);
    return sum_size;
}

static int count_event(void *context, const struct archive_key *key, const struct event *event)
{
    (void)key;
    (void)event;
    ++*(size_t *)context;
    return 0;
}

static void measure_search(const struct settings *settings, struct archive *archive,
                           const char *words, const char *name)
{
    struct archive_query query = {
        .from = 0, .to = INT64_MAX, .words = str_from(words), .limit = 100};
    struct archive_stats before;
    struct archive_stats after;
    char text[128];
    size_t found = 0;
    int64_t start = clock_mono(&clock_real);
    double took;

    archive_stats(archive, &before);
    must(archive_search(archive, &query, count_event, &found), "search");
    took = ms_since(start);
    archive_stats(archive, &after);
    (void)snprintf(text, sizeof(text), "archive search: %s (%zu found, %llu of %llu blocks)", name,
                   found, (unsigned long long)(after.blocks_opened - before.blocks_opened),
                   (unsigned long long)(after.blocks_met - before.blocks_met));
    tell(settings, text, took, "ms", "");
}

static void measure_archive(const struct settings *settings)
{
    struct archive_options options = {.folder = settings->folder};
    CLEANUP(archive_closep) struct archive *archive = NULL;
    static char texts[4][160];
    struct prng prng;
    int64_t start = clock_mono(&clock_real);

    prng_init(&prng, 2);
    must(archive_open(&options, &archive, NULL), "archive");
    for (uint64_t i = 0; i < settings->events; i++) {
        struct id host = make_id(i % 50);
        struct event event;

        make_event(&prng, i, &event, texts);
        must(archive_add(archive, &host, i + 1, &event), "add");
        must(i % BATCH == BATCH - 1 ? archive_commit(archive) : 0, "commit");
    }
    must(archive_commit(archive), "commit");
    tell(settings, "archive: events added, synced every 1,000",
         (double)settings->events / ms_since(start) * 1000, "/s", "");
    tell(settings, "archive: bytes an event",
         folder_size(settings->folder, "events") / (double)settings->events, "B", "");
    measure_search(settings, archive, "ccencrypt-rare", "a word in one event");
    measure_search(settings, archive, "nguyen.van.7 rsync", "common words, newest 100");
    measure_search(settings, archive, "khong-co-tu-nay", "a word in none");
}

/* ---- the peer */

static void peer_insert(sqlite3 *handle, sqlite3_stmt *insert, const struct id *host,
                        uint64_t number, const struct event *event)
{
    CLEANUP(buf_done) struct buf body;
    CLEANUP(buf_done) struct buf words;

    buf_init(&body, 1 << 16);
    buf_init(&words, 1 << 16);
    event_encode(event, &body);
    for (size_t i = 0; i < event->field_count; i++) {
        struct str text = event->fields[i].text;
        char *out = buf_reserve(&words, text.len + 2);

        buf_commit(&words, utf8_fold(text, out, text.len + 1));
        (void)buf_put_byte(&words, '\n');
    }
    (void)sqlite3_bind_blob(insert, 1, host, sizeof(*host), SQLITE_STATIC);
    (void)sqlite3_bind_int64(insert, 2, (sqlite3_int64)number);
    (void)sqlite3_bind_int64(insert, 3, event->time);
    (void)sqlite3_bind_blob(insert, 4, body.ptr, (int)body.len, SQLITE_STATIC);
    (void)sqlite3_bind_text(insert, 5, words.ptr, (int)words.len, SQLITE_STATIC);
    must(sqlite3_step(insert) == SQLITE_DONE && sqlite3_reset(insert) == SQLITE_OK
             ? 0
             : database_error(handle),
         "peer");
}

static const char peer_tables[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    "CREATE TABLE events (number INTEGER PRIMARY KEY, host BLOB, sequence INTEGER, time INTEGER, "
    "body BLOB,"
    " words TEXT); CREATE UNIQUE INDEX events_once ON events (host, sequence);"
    "CREATE INDEX events_time ON events (time);"
    "CREATE VIRTUAL TABLE word_index USING fts5 (words, content = 'events', content_rowid = "
    "'number',"
    " tokenize = 'trigram');"
    "CREATE TRIGGER events_words AFTER INSERT ON events BEGIN"
    " INSERT INTO word_index (rowid, words) VALUES (new.number, new.words); END;";

static void peer_open(const struct settings *settings, sqlite3 **ret_handle)
{
    char path[STORE_PATH_SIZE];

    (void)snprintf(path, sizeof(path), "%s/peer.db", settings->folder);
    must(sqlite3_open(path, ret_handle) == SQLITE_OK ? 0 : -ERR_IO, "peer");
    must(sqlite3_exec(*ret_handle, peer_tables, NULL, NULL, NULL) == SQLITE_OK ? 0 : -ERR_IO,
         "peer");
}

static void measure_peer(const struct settings *settings)
{
    uint64_t count = settings->events / 10;
    sqlite3_stmt *insert = NULL;
    sqlite3 *handle = NULL;
    static char texts[4][160];
    struct prng prng;
    int64_t start;

    prng_init(&prng, 2);
    peer_open(settings, &handle);
    must(sqlite3_prepare_v2(
             handle,
             "INSERT INTO events (host, sequence, time, body, words) VALUES (?, ?, ?, ?, ?)", -1,
             &insert, NULL) == SQLITE_OK
             ? 0
             : -ERR_IO,
         "peer");
    start = clock_mono(&clock_real);
    for (uint64_t i = 0; i < count; i++) {
        struct id host = make_id(i % 50);
        struct event event;

        make_event(&prng, i, &event, texts);
        (void)(i % BATCH == 0 ? sqlite3_exec(handle, "BEGIN", NULL, NULL, NULL) : 0);
        peer_insert(handle, insert, &host, i + 1, &event);
        (void)(i % BATCH == BATCH - 1 || i + 1 == count
                   ? sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL)
                   : 0);
    }
    tell(settings, "peer, a row an event: added (a tenth of the events)",
         (double)count / ms_since(start) * 1000, "/s", "");
    (void)sqlite3_finalize(insert);
    (void)sqlite3_close(handle);
    tell(settings, "peer, a row an event: bytes an event",
         folder_size(settings->folder, "peer.db") / (double)count, "B", "");
}

int main(int argc, char **argv)
{
    struct settings settings = {
        .folder = argc > 1 ? argv[1] : NULL, .alerts = 1000000, .events = 1000000};

    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            settings.is_json = true;
        } else if (strcmp(argv[i], "--alerts") == 0 && i + 1 < argc) {
            must(str_to_u64(str_from(argv[++i]), &settings.alerts), argv[i]);
        } else if (strcmp(argv[i], "--events") == 0 && i + 1 < argc) {
            must(str_to_u64(str_from(argv[++i]), &settings.events), argv[i]);
        } else {
            settings.folder = NULL;
        }
    }
    if (settings.folder == NULL) {
        (void)fprintf(stderr, "usage: measure FOLDER [--json] [--alerts N] [--events N]\n");
        return 2;
    }
    if (!settings.is_json) {
        printf("| store | measured | goal |\n|---|---|---|\n");
    }
    measure_alerts(&settings);
    measure_archive(&settings);
    measure_peer(&settings);
    return 0;
}
