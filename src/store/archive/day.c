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
#define DAY_ASIDE     ".damaged-"

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

/* NAME.db, NAME.db.damaged-2. */
static void day_name(const struct day_file *file, char out[ARCHIVE_FILE_SIZE])
{
    char when[TIME_TEXT_SIZE];

    time_format_utc(file->day * NS_PER_DAY, when);
    if (file->aside == 0) {
        (void)snprintf(out, ARCHIVE_FILE_SIZE, "%.*s.db", DAY_NAME_SIZE, when);
    } else {
        (void)snprintf(out, ARCHIVE_FILE_SIZE, "%.*s.db" DAY_ASIDE "%u", DAY_NAME_SIZE, when,
                       file->aside);
    }
}

void day_path(const struct archive *archive, const struct day_file *file, const char *suffix,
              char out[ARCHIVE_PATH_SIZE])
{
    char name[ARCHIVE_FILE_SIZE];

    day_name(file, name);
    /* archive_open left room for the name. */
    (void)snprintf(out, ARCHIVE_PATH_SIZE, "%s/%s%s", archive->folder, name, suffix);
}

void archive_file(const struct archive_damage *damage, char out[ARCHIVE_FILE_SIZE])
{
    const struct day_file file = {damage->day, damage->aside};
    char name[ARCHIVE_FILE_SIZE];

    day_name(&file, name);
    (void)snprintf(out, ARCHIVE_FILE_SIZE, ARCHIVE_FOLDER "/%.32s", name);
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

    day_path(archive, &(struct day_file){.day = day}, "", path);
    return database_open(&options, ret_database, diag);
}

/* False for a name that is no day's. */
static bool day_parse(struct str name, struct day_file *ret_file)
{
    char text[] = "YYYY-MM-DDT00:00:00Z";
    struct str rest;
    uint64_t aside = 0;
    int64_t time;

    if (name.len < DAY_NAME_SIZE + 3 || memcmp(name.ptr + DAY_NAME_SIZE, ".db", 3) != 0) {
        return false;
    }
    rest = str_slice(name, DAY_NAME_SIZE + 3, name.len);
    if (rest.len != 0 &&
        (!str_has_prefix(rest, STR(DAY_ASIDE)) ||
         str_to_u64(str_slice(rest, sizeof(DAY_ASIDE) - 1, rest.len), &aside) < 0 || aside == 0 ||
         aside > ARCHIVE_ASIDES_MAX)) {
        return false;
    }
    memcpy(text, name.ptr, DAY_NAME_SIZE);
    if (time_parse(str_from(text), &time) < 0) {
        return false;
    }
    *ret_file = (struct day_file){time / NS_PER_DAY, (unsigned)aside};
    return true;
}

static int day_compare(const void *a, const void *b)
{
    const struct day_file *left = a;
    const struct day_file *right = b;

    return left->day != right->day ? (left->day > right->day) - (left->day < right->day)
                                   : (left->aside > right->aside) - (left->aside < right->aside);
}

static int day_put(struct day_file **files, size_t *room, size_t count, const struct day_file *file)
{
    struct day_file *grown;

    if (count == *room) {
        if (count >= DAY_LIST_MAX) {
            return -ERR_LIMIT;
        }
        grown = mem_resize(*files, 2 * count + 64, sizeof(**files));
        if (grown == NULL) {
            return -ERR_NOMEM;
        }
        *files = grown;
        *room = 2 * count + 64;
    }
    (*files)[count] = *file;
    return 0;
}

static int day_read_folder(DIR *folder, struct day_file **files, size_t *ret_count)
{
    size_t room = 0;
    size_t count = 0;
    struct day_file file;
    int r;

    for (;;) {
        struct dirent *entry;

        errno = 0;
        entry = readdir(folder); /* one stream, one thread */
        if (entry == NULL) {
            *ret_count = count;
            return -errno;
        }
        if (!day_parse(str_from(entry->d_name), &file)) {
            continue;
        }
        r = day_put(files, &room, count, &file);
        if (r < 0) {
            return r;
        }
        count++;
    }
}

int day_list(const struct archive *archive, struct day_file **ret_files, size_t *ret_count)
{
    DIR *folder = opendir(archive->folder);
    struct day_file *files = NULL;
    size_t count = 0;
    int r;

    if (folder == NULL) {
        return -errno;
    }
    r = day_read_folder(folder, &files, &count);
    (void)closedir(folder);
    if (r < 0) {
        mem_free(files);
        return r;
    }
    if (count != 0) {
        qsort(files, count, sizeof(*files), day_compare);
    }
    *ret_files = files;
    *ret_count = count;
    return 0;
}

/* ---- setting aside */

/* A number that neither a file nor the log of one has. */
static unsigned day_free_aside(const struct archive *archive, int64_t day)
{
    char path[ARCHIVE_PATH_SIZE];
    char log[ARCHIVE_PATH_SIZE];

    for (unsigned aside = 1; aside <= ARCHIVE_ASIDES_MAX; aside++) {
        const struct day_file file = {day, aside};

        day_path(archive, &file, "", path);
        day_path(archive, &file, "-wal", log);
        if (access(path, F_OK) < 0 && access(log, F_OK) < 0) {
            return aside;
        }
    }
    return 0;
}

static int day_rename(const struct archive *archive, const struct day_file *file,
                      const char *suffix)
{
    char from[ARCHIVE_PATH_SIZE];
    char to[ARCHIVE_PATH_SIZE];

    day_path(archive, &(struct day_file){.day = file->day}, suffix, from);
    day_path(archive, file, suffix, to);
    return rename(from, to) < 0 && errno != ENOENT ? -errno : 0;
}

/* The file last: a new one must meet neither the log nor the index of this one. */
int day_set_aside(const struct archive *archive, int64_t day, unsigned *ret_aside)
{
    const struct day_file file = {day, day_free_aside(archive, day)};
    char index[ARCHIVE_PATH_SIZE];
    int r;

    if (file.aside == 0) {
        return -ERR_LIMIT;
    }
    day_path(archive, &(struct day_file){.day = day}, "-shm", index);
    r = day_rename(archive, &file, "-wal");
    r = r == 0 && unlink(index) < 0 && errno != ENOENT ? -errno : r;
    r = r < 0 ? r : day_rename(archive, &file, "");
    r = r < 0 ? r : database_sync_folder(archive->folder);
    if (r == 0) {
        *ret_aside = file.aside;
    }
    return r;
}
