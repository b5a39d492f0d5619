/* Days and their files: events/YYYY-MM-DD.db, by UTC. Neighbours: archive.c writes them,
 * archive/search.c reads them. */
#include "store/archive/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>

#define DAY_NAME_SIZE 10
#define DAY_LIST_MAX  100000

/* hosts: the span of sequences of each host in this day; host_blocks: in each block. */
static const char day_tables[] = "CREATE TABLE blocks ("
                                 "  number INTEGER PRIMARY KEY,"
                                 "  first INTEGER NOT NULL,"
                                 "  last INTEGER NOT NULL,"
                                 "  count INTEGER NOT NULL,"
                                 "  bytes INTEGER NOT NULL,"
                                 "  filter BLOB NOT NULL,"
                                 "  body BLOB NOT NULL"
                                 ") STRICT;"
                                 "CREATE INDEX blocks_time ON blocks (last, first);"
                                 "CREATE TABLE host_blocks ("
                                 "  host BLOB NOT NULL CHECK (length(host) = 16),"
                                 "  block INTEGER NOT NULL REFERENCES blocks (number),"
                                 "  first INTEGER NOT NULL,"
                                 "  last INTEGER NOT NULL,"
                                 "  PRIMARY KEY (host, block)"
                                 ") STRICT, WITHOUT ROWID;"
                                 "CREATE TABLE hosts ("
                                 "  host BLOB PRIMARY KEY CHECK (length(host) = 16),"
                                 "  first INTEGER NOT NULL,"
                                 "  last INTEGER NOT NULL"
                                 ") STRICT, WITHOUT ROWID;";

/* What is in the filters of blocks that are written from then on: enum filter_pieces. */
static const char day_addresses[] =
    "ALTER TABLE blocks ADD COLUMN has_addresses INTEGER NOT NULL DEFAULT 0;";

/* What filters cannot know of values (model/coded.h): bits. NULL: a block of before. */
static const char day_coded[] = "ALTER TABLE blocks ADD COLUMN coded INTEGER;";

static const char *const day_steps[] = {day_tables, day_addresses, day_coded};

void day_path(const struct archive *archive, int64_t day, const char *suffix,
              char out[ARCHIVE_PATH_SIZE])
{
    char when[TIME_TEXT_SIZE];

    time_format_utc(day * NS_PER_DAY, when);
    /* archive_open left room for the name. */
    (void)snprintf(out, ARCHIVE_PATH_SIZE, "%s/%.*s.db%s", archive->folder, DAY_NAME_SIZE, when,
                   suffix);
}

void archive_file(int64_t day, char out[ARCHIVE_FILE_SIZE])
{
    char when[TIME_TEXT_SIZE];

    time_format_utc(day * NS_PER_DAY, when);
    (void)snprintf(out, ARCHIVE_FILE_SIZE, ARCHIVE_FOLDER "/%.*s.db", DAY_NAME_SIZE, when);
}

int day_open_file(const struct archive *archive, int64_t day, bool is_read_only,
                  struct database **ret_database, struct diag *diag)
{
    char path[ARCHIVE_PATH_SIZE];
    struct database_options options = {
        .path = path,
        .application_id = ARCHIVE_APPLICATION_ID,
        .steps = day_steps,
        .step_count = sizeof(day_steps) / sizeof(day_steps[0]),
        .is_read_only = is_read_only,
    };

    day_path(archive, day, "", path);
    return database_open(&options, ret_database, diag);
}

/* False for a name that is no day's. */
static bool day_parse(struct str name, int64_t *ret_day)
{
    char text[] = "YYYY-MM-DDT00:00:00Z";
    int64_t time;

    if (name.len != DAY_NAME_SIZE + 3 || !str_has_suffix(name, STR(".db"))) {
        return false;
    }
    memcpy(text, name.ptr, DAY_NAME_SIZE);
    if (time_parse(str_from(text), &time) < 0) {
        return false;
    }
    *ret_day = time / NS_PER_DAY;
    return true;
}

static int day_compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static int day_put(int64_t **days, size_t *room, size_t count, int64_t day)
{
    int64_t *grown;

    if (count == *room) {
        if (count >= DAY_LIST_MAX) {
            return -ERR_LIMIT;
        }
        grown = mem_resize(*days, 2 * count + 64, sizeof(**days));
        if (grown == NULL) {
            return -ERR_NOMEM;
        }
        *days = grown;
        *room = 2 * count + 64;
    }
    (*days)[count] = day;
    return 0;
}

static int day_read_folder(DIR *folder, int64_t **days, size_t *ret_count)
{
    size_t room = 0;
    size_t count = 0;
    int64_t day;
    int r;

    for (;;) {
        struct dirent *entry;

        errno = 0;
        entry = readdir(folder); /* one stream, one thread */
        if (entry == NULL) {
            *ret_count = count;
            return -errno;
        }
        if (!day_parse(str_from(entry->d_name), &day)) {
            continue;
        }
        r = day_put(days, &room, count, day);
        if (r < 0) {
            return r;
        }
        count++;
    }
}

int day_list(const struct archive *archive, int64_t **ret_days, size_t *ret_count)
{
    DIR *folder = opendir(archive->folder);
    int64_t *days = NULL;
    size_t count = 0;
    int r;

    if (folder == NULL) {
        return -errno;
    }
    r = day_read_folder(folder, &days, &count);
    (void)closedir(folder);
    if (r < 0) {
        mem_free(days);
        return r;
    }
    if (count != 0) {
        qsort(days, count, sizeof(*days), day_compare);
    }
    *ret_days = days;
    *ret_count = count;
    return 0;
}
