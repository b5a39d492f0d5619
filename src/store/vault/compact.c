/* Compaction of the journal. Neighbours: vault/tend.c calls it, vault/journal.c holds the protocol.
 * The long part (every live version, then every case) runs while others go on appending; they wait
 * only while what they appended meanwhile is copied behind it and the new file takes the name.
 * Records may come twice that way: each kind means the same when it is said again. */
#include "store/vault/compact.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "sys/fd.h"

#include <errno.h>

#define COMPACT_LEAST  (1U << 20)
#define COMPACT_BUFFER (4U << 20)
#define COMPACT_FLUSH  (1U << 20)

struct compaction {
    struct vault *vault;
    int fd;
    struct buf out;
    struct buf record;
    uint64_t written;
};

static int compact_flush(struct compaction *work)
{
    int r = buf_error(&work->out);

    r = r < 0 ? r : fd_write_full(work->fd, work->out.ptr, work->out.len);
    work->written += work->out.len;
    buf_reset(&work->out);
    return r;
}

static int compact_put(struct compaction *work, const struct vault_record *record)
{
    buf_reset(&work->record);
    vault_record_encode(record, &work->record);
    if (buf_error(&work->record) < 0) {
        return buf_error(&work->record);
    }
    vault_journal_put(&work->vault->journal, &work->out, buf_str(&work->record));
    return work->out.len > COMPACT_FLUSH || buf_error(&work->out) < 0 ? compact_flush(work) : 0;
}

static int compact_pools(struct compaction *work)
{
    const struct vault_pools *pools = &work->vault->pools;
    int r = 0;

    for (size_t i = 1; r == 0 && i < pools->count; i++) {
        const struct vault_record record = {
            .kind = VAULT_RECORD_POOL,
            .id = pools->pools[i]->number,
            .path = str_from(pools->pools[i]->path),
        };

        r = compact_put(work, &record);
    }
    return r;
}

static int compact_version(struct compaction *work, uint64_t id)
{
    CLEANUP(buf_done) struct buf bytes;
    struct vault_entry entry;
    struct vault_record record;
    struct vault_record hash = {.kind = VAULT_RECORD_HASH, .id = id};
    int r;

    buf_init(&bytes, VAULT_RECORD_MAX);
    r = vault_entry_copy(work->vault, id, &entry);
    r = r < 0 ? r : vault_describe(work->vault, id, &bytes, &record);
    r = r < 0 ? r : compact_put(work, &record);
    if (r < 0 || !entry.is_hashed) {
        return r;
    }
    memcpy(hash.sha256, entry.sha256, sizeof(hash.sha256));
    hash.other = entry.is_shared ? id : 0; /* that it is shared counts, not with whom */
    return compact_put(work, &hash);
}

static int compact_versions(struct compaction *work)
{
    uint64_t id = 0;
    int r = 0;

    while (r == 0) {
        const struct vault_entry *entry;

        pthread_mutex_lock(&work->vault->mutex);
        entry = vault_next_locked(work->vault, id);
        id = entry != NULL ? entry->id : 0;
        pthread_mutex_unlock(&work->vault->mutex);
        if (id == 0) {
            break;
        }
        r = compact_version(work, id);
    }
    return r;
}

/* With the mutex. */
static int compact_folders(struct compaction *work, const struct map *folders,
                           struct vault_record *record)
{
    const struct vault_folder_row *row;
    size_t cursor = 0;
    int r = 0;

    while (r == 0 && (row = map_next(folders, &cursor)) != NULL) {
        record->folder = row->folder;
        record->folder_now = row->now;
        record->folder_stage = row->stage;
        r = compact_put(work, record);
    }
    return r;
}

static int compact_case(struct compaction *work, const struct vault_case *item)
{
    struct vault_record record = {.kind = VAULT_RECORD_CASE_OPEN, .finding = item->finding};
    int r = compact_put(work, &record);

    for (size_t i = 0; r == 0 && i < item->count; i++) {
        record.kind = VAULT_RECORD_CASE_FILE;
        record.damage = item->files[i].damage;
        r = compact_put(work, &record);
    }
    for (size_t i = 0; r == 0 && i < item->count; i++) {
        record.kind = VAULT_RECORD_CASE_STEP;
        record.index = (uint32_t)i;
        record.step = item->files[i].step;
        r = compact_put(work, &record);
    }
    record.kind = VAULT_RECORD_CASE_FOLDER;
    r = r < 0 ? r : compact_folders(work, &item->folders, &record);
    record.kind = VAULT_RECORD_CASE_BEGUN;
    record.boot = item->boot;
    r = r < 0 ? r : compact_put(work, &record);
    record.kind = VAULT_RECORD_CASE_SYNCED;
    return r < 0 || !item->is_synced ? r : compact_put(work, &record);
}

static int compact_cases(struct compaction *work)
{
    struct vault_record folder = {.kind = VAULT_RECORD_FOLDER};
    const struct vault_case *item;
    size_t cursor = 0;
    int r;

    pthread_mutex_lock(&work->vault->mutex);
    r = compact_folders(work, &work->vault->folders, &folder);
    while (r == 0 && (item = map_next(&work->vault->cases, &cursor)) != NULL) {
        r = compact_case(work, item);
    }
    pthread_mutex_unlock(&work->vault->mutex);
    return r;
}

static int compact_copy(void *context, uint64_t where, struct str bytes)
{
    struct compaction *work = context;

    (void)where;
    vault_journal_put(&work->vault->journal, &work->out, bytes);
    return work->out.len > COMPACT_FLUSH || buf_error(&work->out) < 0 ? compact_flush(work) : 0;
}

/* What others appended since `from`, then the new file takes the name. */
static int compact_replace(struct compaction *work, uint64_t from)
{
    struct vault *vault = work->vault;
    struct vault_journal tail;
    int r;

    vault_journal_freeze(&vault->journal);
    pthread_mutex_lock(&vault->mutex);
    tail = vault->journal;
    tail.read_to = from;
    r = vault_journal_read(&tail, compact_copy, work);
    r = r < 0 ? r : compact_flush(work);
    r = r < 0 ? r : vault_journal_commit(&vault->journal);
    if (r < 0) {
        vault_journal_cancel(&vault->journal);
    }
    pthread_mutex_unlock(&vault->mutex);
    return r;
}

static int compact_run(struct compaction *work, uint64_t from)
{
    int r = compact_pools(work);

    r = r < 0 ? r : compact_versions(work);
    r = r < 0 ? r : compact_cases(work);
    r = r < 0 ? r : compact_flush(work);
    if (r == 0 && fdatasync(work->fd) != 0) {
        r = -errno;
    }
    return r < 0 ? r : compact_replace(work, from);
}

int vault_compact(struct vault *vault)
{
    CLEANUP(closep) int fd = -1;
    struct compaction work = {.vault = vault};
    uint64_t from;
    uint64_t live;
    int r;

    pthread_mutex_lock(&vault->mutex);
    from = vault->journal.read_to;
    live = vault->live;
    pthread_mutex_unlock(&vault->mutex);
    if (from < COMPACT_LEAST || from / 4 < live || from / 2 < vault->compacted) {
        return 0;
    }
    r = vault_journal_begin(&vault->journal, &fd);
    if (r < 0) {
        return r;
    }
    work.fd = fd;
    buf_init(&work.out, COMPACT_BUFFER);
    buf_init(&work.record, VAULT_RECORD_MAX);
    r = compact_run(&work, from);
    vault->compacted = work.written;
    buf_done(&work.out);
    buf_done(&work.record);
    return r < 0 ? r : vault_refresh(vault);
}
