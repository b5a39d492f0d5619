/* The index of versions and cases, grown from the journal. Neighbours: vault/journal.c hands
 * records up, vault.c, vault/tend.c and vault_case*.c ask and append. Invariants: entries are
 * sorted by id; `bytes` is the sum of `stored` over versions that are not shared; a record that
 * speaks of a version or case that is not there is passed over. */
#include "store/vault/state.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/vault/folder.h"
#include "store/vault/ledger.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

static size_t state_search(const struct vault *vault, uint64_t id)
{
    size_t low = 0;
    size_t high = vault->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (vault->entries[middle]->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct vault_entry *vault_entry_locked(const struct vault *vault, uint64_t id)
{
    size_t at = state_search(vault, id);

    return at < vault->count && vault->entries[at]->id == id ? vault->entries[at] : NULL;
}

struct vault_entry *vault_next_locked(const struct vault *vault, uint64_t after)
{
    size_t at = after == UINT64_MAX ? vault->count : state_search(vault, after + 1);

    return at < vault->count ? vault->entries[at] : NULL;
}

struct vault_case *vault_case_locked(const struct vault *vault, const struct id *finding)
{
    return map_get(&vault->cases, MAP_KEY(*finding));
}

static int state_grow(struct vault *vault)
{
    size_t room = vault->room != 0 ? vault->room * 2 : 256;
    struct vault_entry **entries;

    if (vault->count < vault->room) {
        return 0;
    }
    if (vault->count >= VAULT_VERSIONS_MAX) {
        return -ERR_LIMIT;
    }
    entries = mem_resize(vault->entries, room, sizeof(struct vault_entry *));
    if (entries == NULL) {
        return -ERR_NOMEM;
    }
    vault->entries = entries;
    vault->room = room;
    return 0;
}

/* Only what certainly had these bytes when its inode had these times may stand for a later save. */
static void state_remember_inode(struct vault *vault, struct vault_entry *entry)
{
    if (entry->is_settled && !entry->is_partial && entry->kind == VAULT_KIND_BEFORE) {
        (void)map_remove(&vault->by_inode, MAP_KEY(entry->inode));
        (void)!map_put(&vault->by_inode, MAP_KEY(entry->inode),
                       entry); /* without it: saved twice */
    }
}

static void state_place(struct vault_entry *entry, uint64_t where, uint32_t len)
{
    entry->where = where;
    entry->len = len;
}

static int state_add_version(struct vault *vault, const struct vault_record *record, uint64_t where,
                             uint32_t len)
{
    const struct vault_version *version = &record->version;
    size_t at = state_search(vault, record->id);
    struct vault_entry *entry;
    int r;

    if (at < vault->count && vault->entries[at]->id == record->id) {
        if (where != 0 && vault->entries[at]->where == 0) {
            vault->live += len;
            state_place(vault->entries[at], where, len);
        }
        return 0;
    }
    r = state_grow(vault);
    entry = r == 0 ? mem_alloc(1, sizeof(*entry)) : NULL;
    if (entry == NULL) {
        return r < 0 ? r : -ERR_NOMEM;
    }
    *entry = (struct vault_entry){
        .inode = {version->dev, version->ino},
        .id = record->id,
        .pool = record->meta.pool,
        .time = version->time,
        .mtime = version->mtime,
        .changed = record->meta.changed,
        .size = version->size,
        .stored = version->stored,
        .holder = version->process.pid != 0 ? version->process.uid : -1,
        .kind = version->kind,
        .is_settled = record->meta.is_settled,
        .is_partial = version->is_partial,
        .is_inode = record->meta.is_inode,
    };
    state_place(entry, where, len);
    memmove(&vault->entries[at + 1], &vault->entries[at],
            (vault->count - at) * sizeof(struct vault_entry *));
    vault->entries[at] = entry;
    vault->count++;
    vault->bytes += entry->stored;
    vault->live += where != 0 ? len : 0;
    state_remember_inode(vault, entry);
    return 0;
}

int vault_insert_locked(struct vault *vault, const struct vault_record *record)
{
    return state_add_version(vault, record, 0, 0);
}

static void state_set_hash(struct vault *vault, const struct vault_record *record)
{
    struct vault_entry *entry = vault_entry_locked(vault, record->id);

    if (entry == NULL || entry->is_hashed) {
        return;
    }
    memcpy(entry->sha256, record->sha256, sizeof(entry->sha256));
    entry->is_hashed = true;
    entry->is_shared = record->other != 0;
    if (entry->is_shared) {
        vault->bytes -= entry->stored;
    } else if (!entry->is_inode && !entry->is_partial) {
        (void)map_remove(&vault->by_hash, MAP_KEY(entry->sha256));
        (void)!map_put(&vault->by_hash, MAP_KEY(entry->sha256), entry); /* without it: kept twice */
    }
}

static void state_drop(struct vault *vault, const struct vault_record *record)
{
    size_t at = state_search(vault, record->id);
    struct vault_entry *heir = record->other != 0 ? vault_entry_locked(vault, record->other) : NULL;
    struct vault_entry *entry;

    if (at == vault->count || vault->entries[at]->id != record->id) {
        return;
    }
    entry = vault->entries[at];
    if (map_get(&vault->by_inode, MAP_KEY(entry->inode)) == entry) {
        (void)map_remove(&vault->by_inode, MAP_KEY(entry->inode));
    }
    if (map_get(&vault->by_hash, MAP_KEY(entry->sha256)) == entry) {
        (void)map_remove(&vault->by_hash, MAP_KEY(entry->sha256));
    }
    vault->bytes -= entry->is_shared ? 0 : entry->stored;
    vault->live -= entry->where != 0 ? entry->len : 0;
    if (heir != NULL && heir->is_shared) {
        heir->is_shared = false;
        vault->bytes += heir->stored;
        (void)!map_put(&vault->by_hash, MAP_KEY(heir->sha256), heir);
    }
    vault->count--;
    memmove(&vault->entries[at], &vault->entries[at + 1],
            (vault->count - at) * sizeof(struct vault_entry *));
    mem_free(entry);
}

static int state_apply(struct vault *vault, const struct vault_record *record, uint64_t where,
                       uint32_t len)
{
    struct vault_entry *entry;
    int r;

    switch (record->kind) {
    case VAULT_RECORD_VERSION:
        vault_journal_claim(&vault->journal, record->id);
        return state_add_version(vault, record, where, len);
    case VAULT_RECORD_TOUCH:
        entry = vault_entry_locked(vault, record->id);
        if (entry != NULL && entry->time < record->time) {
            entry->time = record->time;
        }
        return 0;
    case VAULT_RECORD_HASH:
        state_set_hash(vault, record);
        return 0;
    case VAULT_RECORD_DROP:
        state_drop(vault, record);
        return 0;
    case VAULT_RECORD_POOL: {
        CLEANUP(mem_freep) char *path = mem_dup(record->path.ptr, record->path.len);

        vault_journal_claim(&vault->journal, record->id);
        r = path == NULL ? -ERR_NOMEM : 0;
        /* A disk that is not there now takes only its own versions with it. */
        (void)!(r < 0 ? r : vault_pool_add(&vault->pools, record->id, path, false, &vault->owner));
        return r;
    }
    case VAULT_RECORD_CASE_OPEN:
    case VAULT_RECORD_CASE_FILE:
    case VAULT_RECORD_CASE_STEP:
    case VAULT_RECORD_CASE_BEGUN:
    case VAULT_RECORD_CASE_SYNCED:
    case VAULT_RECORD_CASE_CLOSE:
    case VAULT_RECORD_CASE_FOLDER:
        return vault_ledger_apply(vault, record);
    case VAULT_RECORD_FOLDER:
        return vault_folders_put(&vault->folders, record);
    case VAULT_RECORD_COUNT:
        break;
    }
    return 0;
}

int vault_apply(void *context, uint64_t where, struct str bytes)
{
    struct vault *vault = context;
    struct vault_record record;

    if (vault_record_decode(bytes, &record) < 0) {
        vault->journal.damaged++;
        return 0;
    }
    return state_apply(vault, &record, where, (uint32_t)bytes.len);
}

void vault_state_reset(struct vault *vault)
{
    size_t cursor = 0;
    struct vault_case *item;

    for (size_t i = 0; i < vault->count; i++) {
        mem_free(vault->entries[i]);
    }
    while ((item = map_next(&vault->cases, &cursor)) != NULL) {
        vault_ledger_free(item);
    }
    vault->count = 0;
    vault->bytes = 0;
    vault->live = 0;
    vault->unhashed_after = 0;
    map_done(&vault->by_inode);
    map_done(&vault->by_hash);
    map_done(&vault->cases);
    vault_folders_done(&vault->folders);
}

void vault_state_done(struct vault *vault)
{
    vault_state_reset(vault);
    mem_free(vault->entries);
    vault->entries = NULL;
    vault->room = 0;
}

int vault_refresh_locked(struct vault *vault)
{
    if (vault_journal_is_replaced(&vault->journal)) {
        int r = vault_journal_reopen(&vault->journal);

        if (r < 0) {
            return r;
        }
        vault_state_reset(vault);
    }
    return vault_journal_read(&vault->journal, vault_apply, vault);
}

int vault_refresh(struct vault *vault)
{
    int r;

    pthread_mutex_lock(&vault->mutex);
    r = vault_refresh_locked(vault);
    pthread_mutex_unlock(&vault->mutex);
    return r;
}

int vault_lock(struct vault *vault, bool is_waiting)
{
    CLEANUP(closep)
    int fd = openat(vault->folder, VAULT_LOCK_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        return -errno;
    }
    while (flock(fd, LOCK_EX | (is_waiting ? 0 : LOCK_NB)) != 0) {
        if (errno != EINTR) {
            return errno == EWOULDBLOCK ? -ERR_BUSY : -errno;
        }
    }
    vault_journal_cancel(&vault->journal); /* whoever held the lock before may have been killed */
    return TAKE_FD(fd);
}

static int state_append_once(struct vault *vault, const struct buf *buf,
                             const struct vault_record *applied)
{
    int r = 0;

    pthread_mutex_lock(&vault->mutex);
    if (applied != NULL || vault_journal_is_replaced(&vault->journal)) {
        r = vault_refresh_locked(vault);
    }
    r = r < 0 ? r : vault_journal_append(&vault->journal, buf_str(buf));
    if (r == 0 && applied != NULL) {
        r = vault_refresh_locked(vault);
    }
    pthread_mutex_unlock(&vault->mutex);
    return r;
}

static int state_append(struct vault *vault, const struct vault_record *record, bool is_applied)
{
    CLEANUP(buf_done) struct buf buf;
    int r;

    buf_init(&buf, VAULT_RECORD_MAX);
    vault_record_encode(record, &buf);
    r = buf_error(&buf);
    if (r < 0) {
        return r;
    }
    for (;;) {
        CLEANUP(closep) int lock = -1;

        r = state_append_once(vault, &buf, is_applied ? record : NULL);
        if (r != -ERR_AGAIN) {
            return r;
        }
        lock = vault_lock(vault, true);
        if (lock < 0) {
            return lock;
        }
    }
}

int vault_append(struct vault *vault, const struct vault_record *record)
{
    return state_append(vault, record, false);
}

int vault_write(struct vault *vault, const struct vault_record *record)
{
    return state_append(vault, record, true);
}

int vault_entry_copy(struct vault *vault, uint64_t id, struct vault_entry *ret_entry)
{
    struct vault_entry *entry;
    int r = 0;

    pthread_mutex_lock(&vault->mutex);
    entry = vault_entry_locked(vault, id);
    if (entry == NULL || entry->where == 0 || vault_journal_is_replaced(&vault->journal)) {
        r = vault_refresh_locked(vault);
        entry = vault_entry_locked(vault, id);
    }
    if (r == 0 && (entry == NULL || entry->where == 0)) {
        r = -ERR_NOENT;
    }
    if (r == 0) {
        *ret_entry = *entry;
    }
    pthread_mutex_unlock(&vault->mutex);
    return r;
}

static void state_complete(struct vault_record *record, const struct vault_entry *entry)
{
    record->version.time = entry->time;
    record->version.handle = record->meta.handle;
    if (entry->is_hashed) {
        memcpy(record->version.sha256, entry->sha256, sizeof(record->version.sha256));
    }
    if (entry->pin != NULL) {
        record->version.finding = entry->pin->finding;
    }
}

int vault_describe(struct vault *vault, uint64_t id, struct buf *buf,
                   struct vault_record *ret_record)
{
    struct vault_record record = {};
    struct vault_entry *entry;
    int r = 0;

    buf_reset(buf);
    pthread_mutex_lock(&vault->mutex);
    entry = vault_entry_locked(vault, id);
    if (entry == NULL || entry->where == 0 || vault_journal_is_replaced(&vault->journal)) {
        r = vault_refresh_locked(vault);
        entry = vault_entry_locked(vault, id);
    }
    if (r == 0 && (entry == NULL || entry->where == 0)) {
        r = -ERR_NOENT;
    }
    r = r < 0 ? r : vault_journal_fetch(&vault->journal, entry->where, entry->len, buf);
    r = r < 0 ? r : vault_record_decode(buf_str(buf), &record);
    if (r == 0) {
        state_complete(&record, entry);
        *ret_record = record;
    }
    pthread_mutex_unlock(&vault->mutex);
    return r;
}

struct vault_pool *vault_pool_of(struct vault *vault, uint64_t number)
{
    struct vault_pool *pool;

    pthread_mutex_lock(&vault->mutex);
    pool = vault_pool_by_number(&vault->pools, number);
    pthread_mutex_unlock(&vault->mutex);
    return pool;
}

int vault_open_object(struct vault *vault, uint64_t id, struct vault_entry *ret_entry)
{
    for (int attempt = 0;; attempt++) {
        struct vault_pool *pool;
        int r = vault_entry_copy(vault, id, ret_entry);

        if (r < 0) {
            return r;
        }
        pool = vault_pool_of(vault, ret_entry->pool);
        r = pool != NULL ? vault_object_open(pool, id) : -ERR_NODEV;
        if (r != -ERR_NOENT || attempt == 1) {
            return r;
        }
        r = vault_refresh(vault);
        if (r < 0) {
            return r;
        }
    }
}
