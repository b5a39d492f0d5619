/* Days and their files: events/YYYY-MM-DD.db, by UTC. Neighbours: archive.c writes them,
 * archive/search.c reads them. */
#include "store/archive/private.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

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

/* Blocks that the writer could not read, so that they are told of after a restart too; and what
 * rows are known by (block_row_hash; NULL: a block of before). The index spares a search the pages
 * of bodies, behind which those columns lie. Rows of before are not in it: nothing of them but
 * their heads is read to make it. */
static const char day_damages[] = "CREATE TABLE damages ("
                                  "  block INTEGER PRIMARY KEY,"
                                  "  met INTEGER NOT NULL"
                                  ") STRICT;"
                                  "ALTER TABLE blocks ADD COLUMN hash INTEGER;"
                                  "CREATE INDEX blocks_rows ON blocks"
                                  " (number, has_addresses, coded, hash) WHERE hash IS NOT NULL;";

static const char *const day_steps[] = {day_tables, day_addresses, day_coded, day_damages};

static const char *const day_suffixes[] = {"", "-wal", "-shm"}; /* by the bits of enum day_part */

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
    const struct day_file file = {.day = damage->day, .aside = damage->aside};
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

/* Takes the part off the end of a name. */
static enum day_part day_cut_part(struct str *name)
{
    for (size_t i = ARRAY_LEN(day_suffixes) - 1; i != 0; i--) {
        struct str suffix = str_from(day_suffixes[i]);

        if (str_has_suffix(*name, suffix)) {
            *name = str_slice(*name, 0, name->len - suffix.len);
            return (enum day_part)(1U << i);
        }
    }
    return DAY_PART_FILE;
}

/* False for a name that is no day's. */
static bool day_parse(struct str name, struct day_file *ret_file)
{
    char text[] = "YYYY-MM-DDT00:00:00Z";
    enum day_part part = day_cut_part(&name);
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
    *ret_file = (struct day_file){time / NS_PER_DAY, (unsigned)aside, part};
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

/* Sorts them, and makes one of the parts of each. */
static size_t day_join_parts(struct day_file *files, size_t count)
{
    size_t joined = 0;

    if (count != 0) {
        qsort(files, count, sizeof(*files), day_compare);
    }
    for (size_t i = 0; i < count; i++) {
        if (joined != 0 && day_compare(&files[joined - 1], &files[i]) == 0) {
            files[joined - 1].parts |= files[i].parts;
        } else {
            files[joined++] = files[i];
        }
    }
    return joined;
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
    *ret_files = files;
    *ret_count = day_join_parts(files, count);
    return 0;
}

/* ---- setting aside */

static unsigned day_parts(const struct archive *archive, const struct day_file *file)
{
    char path[ARCHIVE_PATH_SIZE];
    unsigned parts = 0;

    for (size_t i = 0; i < ARRAY_LEN(day_suffixes); i++) {
        day_path(archive, file, day_suffixes[i], path);
        parts |= access(path, F_OK) == 0 ? 1U << i : 0;
    }
    return parts;
}

/* A number that nothing is left of. */
static unsigned day_free_aside(const struct archive *archive, int64_t day)
{
    for (unsigned aside = 1; aside <= ARCHIVE_ASIDES_MAX; aside++) {
        if (day_parts(archive, &(struct day_file){.day = day, .aside = aside}) == 0) {
            return aside;
        }
    }
    return 0;
}

static int day_rename(const struct archive *archive, const struct day_file *from,
                      const struct day_file *to, enum day_part part)
{
    const char *suffix = part == DAY_PART_LOG ? "-wal" : "";
    char old[ARCHIVE_PATH_SIZE];
    char new[ARCHIVE_PATH_SIZE];

    day_path(archive, from, suffix, old);
    day_path(archive, to, suffix, new);
    return rename(old, new) < 0 && errno != ENOENT ? -errno : 0;
}

/* The file last: a new one must meet neither the log nor the index of this one. Should it stay, its
 * log comes back to it. */
static int day_move(const struct archive *archive, const struct day_file *file)
{
    const struct day_file place = {.day = file->day};
    char index[ARCHIVE_PATH_SIZE];
    int r = day_rename(archive, &place, file, DAY_PART_LOG);

    if (r < 0) {
        return r;
    }
    day_path(archive, &place, "-shm", index);
    r = unlink(index) < 0 && errno != ENOENT ? -errno : 0;
    r = r < 0 ? r : day_rename(archive, &place, file, DAY_PART_FILE);
    if (r < 0) {
        (void)day_rename(archive, file, &place, DAY_PART_LOG);
        return r;
    }
    return database_sync_folder(archive->folder);
}

int day_set_aside(const struct archive *archive, int64_t day, unsigned *ret_aside)
{
    const struct day_file file = {.day = day, .aside = day_free_aside(archive, day)};
    int r = file.aside != 0 ? day_move(archive, &file) : -ERR_LIMIT;

    if (r == 0) {
        *ret_aside = file.aside;
    }
    return r;
}

/* The names may reach the disk in either order. A day that has both again was begun anew by a
 * program that did not look here: its log is its own. */
static bool day_is_parted(unsigned aside, unsigned place)
{
    const unsigned both = DAY_PART_FILE | DAY_PART_LOG;

    return ((aside & both) == DAY_PART_LOG && (place & both) == DAY_PART_FILE) ||
           ((aside & both) == DAY_PART_FILE && (place & both) == DAY_PART_LOG);
}

/* The last change of the inode, which renaming sets and nobody can set back; INT64_MAX: unknown. */
static int64_t day_changed(const struct archive *archive, const struct day_file *file,
                           const char *suffix)
{
    char path[ARCHIVE_PATH_SIZE];
    struct stat status;

    day_path(archive, file, suffix, path);
    return stat(path, &status) == 0 ? status.st_ctim.tv_sec * NS_PER_S + status.st_ctim.tv_nsec
                                    : INT64_MAX;
}

/* The file was there when its log was renamed. One that changed later came out of a backup: the log
 * is not its own. */
static bool day_is_put_back(const struct archive *archive, const struct day_file *aside)
{
    const struct day_file place = {.day = aside->day};
    int64_t renamed = day_changed(archive, aside, "-wal");

    return renamed != INT64_MAX && day_changed(archive, &place, "") > renamed;
}

int day_finish_aside(const struct archive *archive, const struct day_file *file)
{
    unsigned place = day_parts(archive, &(struct day_file){.day = file->day});

    if (file->aside == 0 || !day_is_parted(day_parts(archive, file), place) ||
        day_is_put_back(archive, file)) {
        return 0;
    }
    return day_move(archive, file);
}
