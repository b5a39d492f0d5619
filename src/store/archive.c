/* The archive's writer. Core adds events here and commits before it commits the store (the order is
 * told in sqlite.c); api searches (archive/search.c).
 *
 * Nothing is kept twice, exactly: for each host the spans of sequences of every day are held in
 * memory. A sequence above all of them is new. One below is looked for in the days whose span
 * covers it, there in the blocks whose span covers it, there among the entries themselves. So the
 * files are the only truth, and a death at any point leaves nothing to mend. */
#include "store/archive.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/archive/private.h"
#include "sys/fd.h"

#include <errno.h>
#include <sys/stat.h>

#define ARCHIVE_STRAY_NS (7 * NS_PER_DAY) /* an event's clock may be this wrong */
#define ARCHIVE_MODE     0750
#define ARCHIVE_SCRATCH  (4U << 20)

static int64_t archive_day_of(int64_t time)
{
    int64_t day = time / NS_PER_DAY;

    return time % NS_PER_DAY < 0 ? day - 1 : day;
}

/* ---- what is known of hosts */

static void archive_host_free(struct archive_host *host)
{
    if (host != NULL) {
        mem_free(host->spans);
        mem_free(host);
    }
}

static int archive_host(struct archive *archive, const struct id *id,
                        struct archive_host **ret_host)
{
    struct archive_host *host = map_get(&archive->hosts, MAP_KEY(*id));
    int r;

    if (host == NULL) {
        host = mem_alloc(1, sizeof(*host));
        if (host == NULL) {
            return -ERR_NOMEM;
        }
        host->id = *id;
        r = map_put(&archive->hosts, MAP_KEY(host->id), host);
        if (r < 0) {
            archive_host_free(host);
            return r;
        }
    }
    *ret_host = host;
    return 0;
}

/* Widens the host's span of a day. A span that is wider than the truth costs a look and no more. */
static int archive_host_widen(struct archive_host *host, int64_t day, uint64_t first, uint64_t last)
{
    struct span *span = NULL;

    for (size_t i = host->span_count; i != 0 && span == NULL; i--) {
        span = host->spans[i - 1].day == day ? &host->spans[i - 1] : NULL;
    }
    if (span == NULL) {
        if (host->span_count == host->span_room) {
            struct span *grown = mem_resize(host->spans, 2 * host->span_room + 4, sizeof(*grown));

            if (grown == NULL) {
                return -ERR_NOMEM;
            }
            host->spans = grown;
            host->span_room = 2 * host->span_room + 4;
        }
        span = &host->spans[host->span_count++];
        *span = (struct span){.day = day, .first = first, .last = last};
    }
    span->first = first < span->first ? first : span->first;
    span->last = last > span->last ? last : span->last;
    host->high = last > host->high ? last : host->high;
    return 0;
}

static int archive_learn_day(struct archive *archive, int64_t day, struct database *database)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, database, "SELECT host, first, last FROM hosts");
    while ((r = query_next(&query)) > 0) {
        struct archive_host *host = NULL;
        struct id id;

        query_copy(&query, 0, id.bytes, sizeof(id.bytes));
        r = archive_host(archive, &id, &host);
        r = r < 0 ? r : archive_host_widen(host, day, query_u64(&query, 1), query_u64(&query, 2));
        if (r < 0) {
            return r;
        }
    }
    return r;
}

static void archive_forget_day(struct archive *archive, int64_t day)
{
    struct archive_host *host;
    size_t cursor = 0;

    while ((host = map_next(&archive->hosts, &cursor)) != NULL) {
        for (size_t i = 0; i < host->span_count; i++) {
            if (host->spans[i].day == day) {
                host->spans[i--] = host->spans[--host->span_count];
            }
        }
    }
}

/* What the day holds is not known again when it comes twice: nor can anybody read it. */
static int archive_set_aside(struct archive *archive, int64_t day, int error)
{
    struct day_file file = {.day = day};
    int r = day_set_aside(archive, day, &file.aside);

    if (r == 0) {
        const struct archive_damage damage = damage_of_aside(archive, &file, error);

        archive_forget_day(archive, day);
        archive_note_damage(archive, &damage);
    }
    return r < 0 ? -ERR_CORRUPT : 0; /* whatever is in its way, the file stays what it is */
}

/* Opened for writing, so that a day whose making was cut short is finished. */
static int archive_learn_file(struct archive *archive, int64_t day, struct diag *diag)
{
    CLEANUP(database_closep) struct database *database = NULL;
    int r = day_open_file(archive, day, false, &database, diag);

    r = r < 0 ? r : archive_recall_blocks(archive, database, day);
    return r < 0 ? r : archive_learn_day(archive, day, database);
}

/* Before a day is opened that a power cut has parted from its log. */
static int archive_finish_asides(struct archive *archive)
{
    CLEANUP(mem_freep) struct day_file *files = NULL;
    size_t count = 0;
    int r = day_list(archive, &files, &count);

    for (size_t i = count; i != 0 && r == 0; i--) { /* a log is of the one that went last */
        r = day_finish_aside(archive, &files[i - 1]);
    }
    return r;
}

/* Whoever was to be told of it may have died before. */
static void archive_learn_aside(struct archive *archive, const struct day_file *file)
{
    if ((file->parts & (DAY_PART_FILE | DAY_PART_LOG)) != 0) {
        const struct archive_damage damage = damage_of_aside(archive, file, -ERR_CORRUPT);

        archive_note_damage(archive, &damage);
    }
}

static int archive_learn(struct archive *archive, struct diag *diag)
{
    CLEANUP(mem_freep) struct day_file *files = NULL;
    size_t count = 0;
    int r = archive_finish_asides(archive);

    r = r < 0 ? r : day_list(archive, &files, &count);
    for (size_t i = 0; i < count && r == 0; i++) {
        struct diag found = {0};

        if (files[i].aside != 0) {
            archive_learn_aside(archive, &files[i]);
            continue;
        }
        if ((files[i].parts & DAY_PART_FILE) == 0) {
            continue;
        }
        r = archive_learn_file(archive, files[i].day, &found);
        if (damage_stays(r)) {
            r = archive_set_aside(archive, files[i].day, r);
        }
        if (r < 0) {
            return diag_set(diag, r, "%s", diag_text(&found, r));
        }
    }
    return r;
}

/* ---- life */

static int archive_prepare(struct archive *archive, const struct archive_options *options,
                           struct diag *diag)
{
    int r;

    if (snprintf(archive->folder, sizeof(archive->folder), "%s/" ARCHIVE_FOLDER, options->folder) >=
        (int)sizeof(archive->folder)) {
        return diag_set(diag, -ERR_NAMETOOLONG, _("the path '%s' is too long"), options->folder);
    }
    if (options->is_read_only) {
        return 0;
    }
    r = mkdir(archive->folder, ARCHIVE_MODE) < 0 && errno != EEXIST ? -errno : 0;
    r = r < 0 ? r : database_sync_folder(options->folder);
    if (r < 0) {
        return diag_set(diag, r, _("cannot make the folder '%s': %s"), archive->folder,
                        err_text(r));
    }
    r = archive_learn(archive, diag);
    return r < 0 ? diag_set(diag, r, _("cannot read '%s': %s"), archive->folder, err_text(r)) : 0;
}

int archive_open(const struct archive_options *options, struct archive **ret_archive,
                 struct diag *diag)
{
    CLEANUP(archive_closep) struct archive *archive = mem_alloc(1, sizeof(*archive));
    int r;

    if (archive == NULL) {
        return -ERR_NOMEM;
    }
    archive->is_read_only = options->is_read_only;
    archive->clock = options->clock != NULL ? options->clock : &clock_real;
    archive->block_events =
        options->block_events != 0 ? options->block_events : ARCHIVE_BLOCK_EVENTS;
    buf_init(&archive->scratch, ARCHIVE_SCRATCH);
    buf_init(&archive->folded, ARCHIVE_FOLD_LIMIT);
    map_init(&archive->hosts, ARCHIVE_HOSTS_MAX, 0);
    archive->packer = options->is_read_only ? NULL : block_packer_new();
    r = archive->packer == NULL && !options->is_read_only ? -ERR_NOMEM
                                                          : archive_prepare(archive, options, diag);
    if (r < 0) {
        return r;
    }
    *ret_archive = TAKE_PTR(archive);
    return 0;
}

static void archive_close_day(struct day *day)
{
    if (day->database != NULL) {
        block_done(&day->block);
        database_close(day->database);
    }
    *day = (struct day){0};
}

void archive_close(struct archive *archive)
{
    struct archive_host *host;
    size_t cursor = 0;

    if (archive == NULL) {
        return;
    }
    for (size_t i = 0; i < ARCHIVE_DAYS_OPEN; i++) {
        archive_close_day(&archive->days[i]);
    }
    while ((host = map_next(&archive->hosts, &cursor)) != NULL) {
        (void)map_remove(&archive->hosts, MAP_KEY(host->id));
        archive_host_free(host);
    }
    map_done(&archive->hosts);
    buf_done(&archive->scratch);
    buf_done(&archive->folded);
    ZSTD_freeCCtx(archive->packer);
    mem_free(archive);
}

void archive_closep(struct archive **archive)
{
    archive_close(*archive);
    *archive = NULL;
}

/* ---- adding */

static bool archive_day_waits(const struct day *day)
{
    return day->database != NULL && (day->is_begun || day->block.is_dirty);
}

/* A free slot, or the one unused for longest that has nothing to commit. */
static struct day *archive_take_slot(struct archive *archive)
{
    struct day *oldest = NULL;

    for (size_t i = 0; i < ARCHIVE_DAYS_OPEN; i++) {
        struct day *day = &archive->days[i];

        if (day->database == NULL) {
            return day;
        }
        if (!archive_day_waits(day) && (oldest == NULL || day->used < oldest->used)) {
            oldest = day;
        }
    }
    if (oldest != NULL) {
        archive_close_day(oldest);
    }
    return oldest;
}

/* A block that cannot be read stays as it is, and the next stands behind it. */
static int archive_load_last(struct archive *archive, struct day *day, int64_t number)
{
    struct block *block = &day->block;
    int64_t last = 0;
    int r = block_find_last(day->database, block->room, &last);

    if (r < 0 || last == 0) {
        return r;
    }
    r = block_load(block, day->database, last, &archive->scratch, &archive->folded);
    if (damage_is(r)) {
        archive_note_block(archive, day->database, number, last);
        block_reset(block);
        r = 0;
    }
    return r;
}

static int archive_load_day(struct archive *archive, struct day *day, int64_t number)
{
    int r = block_init(&day->block, archive->block_events);

    if (r < 0) {
        return r;
    }
    r = day_open_file(archive, number, false, &day->database, NULL);
    r = r < 0 ? r : archive_load_last(archive, day, number);
    if (r < 0) {
        block_done(&day->block);
        database_closep(&day->database);
        return r;
    }
    day->number = number;
    return 0;
}

static int archive_open_day(struct archive *archive, int64_t number, struct day **ret_day)
{
    struct day *day = archive_take_slot(archive);
    int r;

    if (day == NULL) {
        return -ERR_LIMIT;
    }
    r = archive_load_day(archive, day, number);
    if (damage_stays(r)) {
        r = archive_set_aside(archive, number, r);
        r = r < 0 ? r : archive_load_day(archive, day, number);
    }
    if (r == 0) {
        *ret_day = day;
    }
    return r;
}

static int archive_day(struct archive *archive, int64_t number, struct day **ret_day)
{
    struct day *found = NULL;
    int r;

    for (size_t i = 0; i < ARCHIVE_DAYS_OPEN && found == NULL; i++) {
        struct day *day = &archive->days[i];

        found = day->database != NULL && day->number == number ? day : NULL;
    }
    if (found == NULL) {
        r = archive_open_day(archive, number, &found);
        if (r < 0) {
            return r;
        }
    }
    found->used = ++archive->turn;
    *ret_day = found;
    return 0;
}

/* Errors of the day's file go through here. */
static int archive_note(struct day *day, int error)
{
    day->is_broken = day->is_broken || damage_stays(error);
    return error;
}

/* Whether an entry stands in a stored block. */
static int archive_look_in(struct archive *archive, struct day *day, int64_t number,
                           const struct archive_key *wanted, bool *ret_is_found)
{
    struct cbor_reader reader;
    struct archive_key key;
    int r = block_read(day->database, number, &archive->scratch);

    if (r < 0) {
        return r;
    }
    cbor_open(&reader, buf_str(&archive->scratch));
    while ((r = block_next(&reader, &key, NULL)) > 0) {
        if (key.sequence == wanted->sequence && id_is(&key.host, &wanted->host)) {
            *ret_is_found = true;
            return 0;
        }
    }
    return r;
}

/* Looks among the entries of the stored blocks of a day. What cannot be read holds nothing: an
 * entry of it that comes again is kept again. */
static int archive_find_stored(struct archive *archive, struct day *day, const struct id *id,
                               uint64_t sequence, bool *ret_is_found)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, day->database,
               "SELECT block FROM host_blocks WHERE host = ?1 AND first <= ?2 AND last >= ?2"
               " ORDER BY block DESC");
    query_bind_id(&query, 1, id);
    query_bind_u64(&query, 2, sequence);
    while ((r = query_next(&query)) > 0) {
        int64_t number = query_i64(&query, 0);

        if (number == day->block.number) {
            continue; /* it lies in memory and was looked at */
        }
        r = archive_look_in(archive, day, number, &(struct archive_key){*id, sequence},
                            ret_is_found);
        if (damage_is(r)) {
            archive_note_block(archive, day->database, day->number, number);
            r = 0;
        }
        if (r < 0 || *ret_is_found) {
            return r;
        }
    }
    return archive_note(day, r);
}

/* 0: it is new; -ERR_EXIST. */
static int archive_check_new(struct archive *archive, const struct archive_host *host,
                             uint64_t sequence)
{
    bool is_found = false;
    int r = 0;

    if (host->span_count == 0 || sequence > host->high) {
        return 0;
    }
    for (size_t i = host->span_count; i != 0 && r == 0 && !is_found; i--) {
        const struct span *span = &host->spans[i - 1];
        struct day *day = NULL;

        if (sequence < span->first || sequence > span->last) {
            continue;
        }
        r = archive_day(archive, span->day, &day);
        if (r < 0) {
            return r;
        }
        is_found = block_has(&day->block, &host->id, sequence);
        if (!is_found) {
            r = archive_find_stored(archive, day, &host->id, sequence, &is_found);
        }
    }
    if (r == 0 && is_found) {
        return -ERR_EXIST;
    }
    return r;
}

static int archive_flush_block(struct archive *archive, struct day *day)
{
    int r = 0;

    if (!day->block.is_dirty) {
        return 0;
    }
    if (!day->is_begun) {
        r = database_begin(day->database);
        if (r < 0) {
            return archive_note(day, r);
        }
        day->is_begun = true;
    }
    return archive_note(
        day, block_write(&day->block, day->database, archive->packer, &archive->scratch));
}

static int archive_add_new(struct archive *archive, struct archive_host *host,
                           const struct block_entry *entry)
{
    const struct event *event = entry->event;
    int64_t now = clock_wall(archive->clock);
    int64_t away;
    bool is_stray = __builtin_sub_overflow(event->time, now, &away) || away > ARCHIVE_STRAY_NS ||
                    away < -ARCHIVE_STRAY_NS;
    int64_t number = archive_day_of(is_stray ? now : event->time);
    struct day *day = NULL;
    int r = archive_day(archive, number, &day);

    if (r == 0 && block_is_full(&day->block)) {
        r = archive_flush_block(archive, day);
        if (r == 0) {
            block_reset(&day->block);
        }
    }
    r = r < 0 ? r : block_add(&day->block, entry, &archive->folded);
    return r < 0 ? r : archive_host_widen(host, number, entry->key.sequence, entry->key.sequence);
}

int archive_add(struct archive *archive, const struct id *host, uint64_t sequence,
                const struct event *event)
{
    return archive_add_encoded(archive, host, sequence, event, STR(""));
}

int archive_add_encoded(struct archive *archive, const struct id *host, uint64_t sequence,
                        const struct event *event, struct str encoded)
{
    const struct block_entry entry = {{*host, sequence}, event, encoded};
    struct archive_host *known = NULL;
    int r;

    if (archive->is_read_only || sequence > INT64_MAX || id_is_none(host)) {
        return archive->is_read_only ? -ERR_ROFS : -ERR_INVAL;
    }
    if (archive->failed < 0) {
        return archive->failed;
    }
    r = archive_host(archive, host, &known);
    r = r < 0 ? r : archive_check_new(archive, known, sequence);
    if (r == -ERR_EXIST) {
        return r;
    }
    r = r < 0 ? r : archive_add_new(archive, known, &entry);
    if (r < 0) {
        archive->failed = r;
    }
    return r;
}

/* ---- committing */

/* Drops the open block; the next use loads what the file has. A file that cannot be set aside is
 * met again then. */
static void archive_drop_day(struct archive *archive, struct day *day)
{
    int64_t number = day->number;
    bool is_broken = day->is_broken;

    database_rollback(day->database);
    archive_close_day(day);
    if (is_broken) {
        (void)archive_set_aside(archive, number, -ERR_CORRUPT);
    }
}

void archive_rollback(struct archive *archive)
{
    for (size_t i = 0; i < ARCHIVE_DAYS_OPEN; i++) {
        if (archive_day_waits(&archive->days[i]) || archive->days[i].is_broken) {
            archive_drop_day(archive, &archive->days[i]);
        }
    }
    archive->failed = 0;
    archive->damages_told = 0;
}

static int archive_commit_day(struct archive *archive, struct day *day)
{
    int r = archive_flush_block(archive, day);

    r = r < 0 ? r : archive_note(day, database_commit(day->database));
    if (r == 0) {
        day->is_begun = false;
    }
    return r;
}

int archive_commit(struct archive *archive)
{
    int r = archive->failed;

    for (size_t i = 0; i < ARCHIVE_DAYS_OPEN && r == 0; i++) {
        if (archive_day_waits(&archive->days[i])) {
            r = archive_commit_day(archive, &archive->days[i]);
        }
    }
    if (r < 0) {
        archive_rollback(archive);
    }
    return r;
}

/* ---- retention */

/* The file first: a reader that finds it gone passes over the day, while the log alone means
 * nothing. */
static int archive_remove_file(struct archive *archive, const struct day_file *file)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char path[ARCHIVE_PATH_SIZE];

    for (size_t i = 0; i < ARCHIVE_DAYS_OPEN; i++) {
        if (archive->days[i].database != NULL && archive->days[i].number == file->day) {
            archive_close_day(&archive->days[i]);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        day_path(archive, file, suffixes[i], path);
        if (unlink(path) < 0 && errno != ENOENT) {
            return -errno;
        }
    }
    archive_forget_day(archive, file->day);
    return 0;
}

int archive_expire(struct archive *archive, int64_t before, unsigned *ret_days)
{
    CLEANUP(mem_freep) struct day_file *files = NULL;
    size_t count = 0;
    unsigned removed = 0;
    int r;

    if (archive->is_read_only) {
        return -ERR_ROFS;
    }
    for (size_t i = 0; i < ARCHIVE_DAYS_OPEN; i++) {
        if (archive_day_waits(&archive->days[i])) {
            return -ERR_BUSY;
        }
    }
    r = day_list(archive, &files, &count);
    for (size_t i = 0; i < count && r == 0 && files[i].day < archive_day_of(before); i++) {
        r = archive_remove_file(archive, &files[i]);
        removed += r == 0;
    }
    if (r == 0) {
        *ret_days = removed;
    }
    return r;
}

void archive_stats(const struct archive *archive, struct archive_stats *ret_stats)
{
    *ret_stats = archive->stats;
}
