/* Background work on a vault, a slice a call. Neighbours: a timer of the agent's supervisor calls
 * vault_tend; vault.c asks for room when the quota is reached. Invariants: everything here runs
 * under the file lock. An object is removed after the record that drops it, and shared before the
 * record that says so: a kill in between costs a second try, never a version. */
#include "store/vault/tend.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/mem.h"
#include "store/vault/compact.h"
#include "sys/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#define SLICE_BYTES      (16U << 20)
#define SLICE_VERSIONS   64U
#define SLICE_EVICTIONS  256U
#define ROOM_SLACK       64U   /* of the quota, so that a full vault is not walked at each save */
#define LATECOMERS       1024U /* ids of other processes may come into the journal out of order */
#define SWEEP_AGE_S      3600
#define SWEEP_SUBFOLDERS 256U

/* What a slice hashed: synced together at its end, so that the disk commits once. */
struct tend_slice {
    struct vault_record records[SLICE_VERSIONS];
    int fds[SLICE_VERSIONS];
    size_t count;
    uint64_t bytes;
};

static struct vault_entry *tend_heir(const struct vault *vault, const struct vault_entry *entry)
{
    for (size_t i = 0; i < vault->count; i++) {
        struct vault_entry *other = vault->entries[i];

        if (other->id != entry->id && other->is_shared && other->pool == entry->pool &&
            memcmp(other->sha256, entry->sha256, sizeof(entry->sha256)) == 0) {
            return other;
        }
    }
    return NULL;
}

int vault_remove(struct vault *vault, const struct vault_entry *entry)
{
    struct vault_record record = {.kind = VAULT_RECORD_DROP, .id = entry->id};
    struct vault_pool *pool = vault_pool_of(vault, entry->pool);
    struct stat st;
    int r;

    if (pool != NULL && entry->is_hashed && !entry->is_shared &&
        vault_object_stat(pool, entry->id, &st) == 0 && st.st_nlink > 1) {
        const struct vault_entry *heir;

        pthread_mutex_lock(&vault->mutex);
        heir = tend_heir(vault, entry);
        record.other = heir != NULL ? heir->id : 0;
        pthread_mutex_unlock(&vault->mutex);
    }
    r = vault_write(vault, &record);
    return r < 0 || pool == NULL ? r : vault_object_remove(pool, entry->id);
}

static bool tend_may_evict(const struct vault *vault, const struct vault_entry *entry, int64_t now)
{
    return entry->pin == NULL && entry->kind != VAULT_KIND_QUARANTINE && entry->where != 0 &&
           entry->time < now - vault->limits.retention_ns;
}

/* The first version above after that may go, while more than target is kept. */
static bool tend_next_victim(struct vault *vault, uint64_t target, uint64_t after,
                             struct vault_entry *ret_entry)
{
    int64_t now = clock_wall(&vault->clock);
    const struct vault_entry *entry = NULL;

    pthread_mutex_lock(&vault->mutex);
    if (vault->bytes + vault->pending > target) {
        entry = vault_next_locked(vault, after);
        while (entry != NULL && !tend_may_evict(vault, entry, now)) {
            entry = vault_next_locked(vault, entry->id);
        }
    }
    if (entry != NULL) {
        *ret_entry = *entry;
    }
    pthread_mutex_unlock(&vault->mutex);
    return entry != NULL;
}

static int tend_evict(struct vault *vault, uint64_t target, size_t most, bool *ret_is_done)
{
    struct vault_entry victim = {};
    int r = 0;

    *ret_is_done = false;
    for (size_t i = 0; r == 0 && i < most; i++) {
        if (!tend_next_victim(vault, target, victim.id, &victim)) {
            *ret_is_done = true;
            break;
        }
        r = vault_remove(vault, &victim);
    }
    return r;
}

/* What a version weighs in its user's share. */
static uint64_t tend_weight(const struct vault_entry *entry)
{
    bool is_counted = entry->holder >= 0 && entry->pin == NULL && entry->where != 0 &&
                      entry->kind == VAULT_KIND_BEFORE && !entry->is_shared;

    return is_counted ? entry->stored : 0;
}

static uint64_t tend_share_locked(const struct vault *vault, int64_t holder)
{
    uint64_t share = 0;

    for (size_t i = 0; i < vault->count; i++) {
        share += vault->entries[i]->holder == holder ? tend_weight(vault->entries[i]) : 0;
    }
    return share;
}

/* The only user who may hold more than half of all: the majority vote of Boyer and Moore, by bytes.
 */
static int64_t tend_heaviest_locked(const struct vault *vault)
{
    int64_t holder = -1;
    uint64_t lead = 0;

    for (size_t i = 0; i < vault->count; i++) {
        uint64_t weight = tend_weight(vault->entries[i]);

        if (vault->entries[i]->holder == holder) {
            lead += weight;
        } else if (lead >= weight) {
            lead -= weight;
        } else {
            holder = vault->entries[i]->holder;
            lead = weight - lead;
        }
    }
    return holder;
}

/* The first version above after that its user has to give up. */
static bool tend_next_displaced(struct vault *vault, int64_t holder, uint64_t after,
                                struct vault_entry *ret_entry)
{
    const struct vault_entry *entry;

    pthread_mutex_lock(&vault->mutex);
    entry = vault_next_locked(vault, after);
    while (entry != NULL && (entry->holder != holder || tend_weight(entry) == 0)) {
        entry = vault_next_locked(vault, entry->id);
    }
    if (entry != NULL) {
        *ret_entry = *entry;
    }
    pthread_mutex_unlock(&vault->mutex);
    return entry != NULL;
}

/* So that nobody can keep others' originals out of the vault by filling it. */
static int tend_displace(struct vault *vault, uint64_t bytes)
{
    struct vault_entry victim = {};
    uint64_t freed = 0;
    uint64_t share;
    int64_t holder;
    int r = 0;

    pthread_mutex_lock(&vault->mutex);
    holder = tend_heaviest_locked(vault);
    share = holder >= 0 ? tend_share_locked(vault, holder) : 0;
    pthread_mutex_unlock(&vault->mutex);
    while (r == 0 && freed < bytes && share - freed > vault->limits.bytes / 2 &&
           tend_next_displaced(vault, holder, victim.id, &victim)) {
        r = vault_remove(vault, &victim);
        freed += victim.stored;
        (void)atomic_fetch_add(&vault->journal.shared->refused, 1);
    }
    return r;
}

int vault_make_room(struct vault *vault, uint64_t bytes)
{
    CLEANUP(closep) int lock = vault_lock(vault, false);
    bool is_done;
    bool is_full;
    int r;

    if (lock < 0 || bytes > vault->limits.bytes) {
        return lock < 0 ? lock : -ERR_FULL;
    }
    r = vault_refresh(vault);
    r = r < 0 ? r : tend_evict(vault, vault->limits.bytes - bytes, SIZE_MAX, &is_done);
    pthread_mutex_lock(&vault->mutex);
    is_full = vault->bytes + vault->pending + bytes > vault->limits.bytes;
    pthread_mutex_unlock(&vault->mutex);
    return r < 0 || !is_full ? r : tend_displace(vault, bytes + vault->limits.bytes / ROOM_SLACK);
}

/* The next version to hash, or false. */
static bool tend_next_unhashed(struct vault *vault, struct vault_entry *ret_entry)
{
    const struct vault_entry *entry;

    pthread_mutex_lock(&vault->mutex);
    entry = vault_next_locked(vault, vault->unhashed_after);
    while (entry != NULL && (entry->is_hashed || entry->where == 0)) {
        entry = vault_next_locked(vault, entry->id);
    }
    if (entry != NULL) {
        *ret_entry = *entry;
        vault->unhashed_after = entry->id;
    } else if (vault->count != 0) {
        uint64_t last = vault->entries[vault->count - 1]->id;

        vault->unhashed_after = last > LATECOMERS ? last - LATECOMERS : 0;
    }
    pthread_mutex_unlock(&vault->mutex);
    return entry != NULL;
}

/* Among those of this slice, which are not in the index yet. */
static uint64_t slice_find(const struct tend_slice *slice, const uint8_t sha256[32])
{
    for (size_t i = 0; i < slice->count; i++) {
        const struct vault_record *record = &slice->records[i];

        if (record->other == 0 && memcmp(record->sha256, sha256, sizeof(record->sha256)) == 0) {
            return record->id;
        }
    }
    return 0;
}

/* A damaged inode may still be written through an open descriptor: its object is nobody else's. */
static bool tend_may_share(const struct vault_entry *entry)
{
    return !entry->is_inode && !entry->is_partial;
}

/* Gives the version the bytes of an earlier one with the same content, when there is one. */
static uint64_t tend_share(struct vault *vault, const struct vault_entry *entry,
                           const struct tend_slice *slice, const uint8_t sha256[32])
{
    struct vault_pool *pool = vault_pool_of(vault, entry->pool);
    const struct vault_entry *owner;
    uint64_t from = slice_find(slice, sha256);
    bool is_fit = false;

    pthread_mutex_lock(&vault->mutex);
    owner = from != 0
                ? vault_entry_locked(vault, from)
                : map_get(&vault->by_hash, str_of((const char *)sha256, sizeof(entry->sha256)));
    if (owner != NULL) {
        from = owner->id;
        is_fit = tend_may_share(owner) && tend_may_share(entry) && owner->pool == entry->pool &&
                 owner->size == entry->size && owner->id != entry->id;
    }
    pthread_mutex_unlock(&vault->mutex);
    return is_fit && pool != NULL && vault_object_share(pool, from, entry->id) == 0 ? from : 0;
}

/* Hashes one version, or the next part of a long one, and puts it into the slice when it is done.
 */
static int tend_hash(struct vault *vault, const struct vault_entry *entry, struct tend_slice *slice)
{
    struct vault_hashing *hashing = &vault->hashing;
    struct vault_record *record = &slice->records[slice->count];
    uint64_t before = hashing->at;
    int r = vault_hashing_go(hashing, SLICE_BYTES);

    slice->bytes += hashing->at - before;
    if (r == 0) {
        return 0;
    }
    *record = (struct vault_record){.kind = VAULT_RECORD_HASH, .id = entry->id};
    r = r < 0 ? r : vault_hashing_end(hashing, record->sha256);
    if (r == 0) {
        record->other = tend_share(vault, entry, slice, record->sha256);
        slice->fds[slice->count++] = TAKE_FD(hashing->fd);
    }
    vault_hashing_drop(hashing);
    return r;
}

static int tend_hash_some(struct vault *vault, struct tend_slice *slice, bool *ret_is_done)
{
    struct vault_entry entry;

    *ret_is_done = false;
    while (slice->count < SLICE_VERSIONS && slice->bytes < SLICE_BYTES) {
        int r = 0;

        if (vault->hashing.id == 0) {
            CLEANUP(closep) int fd = -1;

            if (!tend_next_unhashed(vault, &entry)) {
                *ret_is_done = true;
                return 0;
            }
            fd = vault_open_object(vault, entry.id, &entry);
            if (fd < 0 || vault_hashing_start(&vault->hashing, entry.id, &fd) < 0) {
                continue; /* on a disk that is away, or spoiled: verify will tell */
            }
        } else if (vault_entry_copy(vault, vault->hashing.id, &entry) < 0) {
            vault_hashing_drop(&vault->hashing); /* dropped meanwhile */
            continue;
        }
        r = tend_hash(vault, &entry, slice);
        if (r == -ERR_NOMEM) {
            return r;
        }
    }
    return 0;
}

/* What is recorded as hashed is on the disk: the first call starts all writes, so that the rest
 * wait once. */
static int tend_finish_slice(struct vault *vault, struct tend_slice *slice)
{
    int r = 0;

    for (size_t i = 0; i < slice->count; i++) {
        (void)sync_file_range(slice->fds[i], 0, 0, SYNC_FILE_RANGE_WRITE);
    }
    for (size_t i = 0; i < slice->count; i++) {
        if (slice->records[i].other == 0 && fdatasync(slice->fds[i]) != 0) {
            r = -errno;
        }
        closep(&slice->fds[i]);
    }
    for (size_t i = 0; r == 0 && i < slice->count; i++) {
        r = vault_write(vault, &slice->records[i]);
    }
    return r < 0 || slice->count == 0 || fdatasync(vault->journal.fd) == 0 ? r : -errno;
}

/* Whether a restore was about to move something to that object when it was killed. */
static bool sweep_is_awaited(const struct vault *vault, uint64_t id)
{
    const struct vault_case *item;
    size_t cursor = 0;

    while ((item = map_next(&vault->cases, &cursor)) != NULL) {
        for (size_t i = 0; i < item->count; i++) {
            if (item->files[i].step.evidence == id || item->files[i].step.occupant == id) {
                return true;
            }
        }
    }
    return false;
}

static bool sweep_is_old(const struct vault *vault, const struct stat *st)
{
    return clock_wall(&vault->clock) / NS_PER_S - st->st_ctim.tv_sec > SWEEP_AGE_S;
}

/* An object's id from its name; false for any other file. */
static bool sweep_parse(struct str name, uint64_t *ret_id)
{
    uint8_t bytes[sizeof(*ret_id)];

    if (hex_decode(name, bytes, sizeof(bytes)) < 0) {
        return false;
    }
    *ret_id = 0;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        *ret_id = *ret_id << 8 | bytes[i];
    }
    return true;
}

/* folder: the open subfolder that name is in. */
static void sweep_object(struct vault *vault, int folder, const char *name)
{
    struct str text = str_from(name);
    struct stat st;
    uint64_t id = 0;
    bool is_known = false;

    /* A save under way has bytes and no record yet; nothing is copied for an hour. */
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !sweep_is_old(vault, &st)) {
        return;
    }
    if (sweep_parse(text, &id)) {
        pthread_mutex_lock(&vault->mutex);
        is_known = vault_entry_locked(vault, id) != NULL || sweep_is_awaited(vault, id);
        pthread_mutex_unlock(&vault->mutex);
    } else { /* a sharing that was killed half-way leaves its temporary name */
        is_known = !str_has_suffix(text, STR(".new"));
    }
    if (!is_known) {
        (void)unlinkat(folder, name, 0);
    }
}

/* Removes what a killed save, or a power cut, left without a record: one subfolder of each pool.
 * Whether it holds anything. */
static bool tend_sweep(struct vault *vault)
{
    bool has_any = false;
    char name[VAULT_OBJECT_NAME_SIZE];
    size_t count;

    (void)snprintf(name, sizeof(name), "objects/%02x", vault->swept++);
    pthread_mutex_lock(&vault->mutex);
    count = vault->pools.count;
    pthread_mutex_unlock(&vault->mutex);
    for (size_t i = 0; i < count; i++) {
        const struct vault_pool *pool = vault->pools.pools[i];
        int fd = fd_open_beneath(pool->fd, name, O_RDONLY | O_DIRECTORY, 0);
        DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
        const struct dirent *item;

        if (dir == NULL) {
            closep(&fd);
            continue;
        }
        while ((item = readdir(dir)) != NULL) {
            has_any = has_any || item->d_name[0] != '.';
            sweep_object(vault, fd, item->d_name);
        }
        (void)closedir(dir);
    }
    return has_any;
}

static int tend_slice(struct vault *vault, bool *ret_is_idle)
{
    CLEANUP(mem_freep) struct tend_slice *slice = mem_alloc(1, sizeof(*slice));
    uint64_t target = vault->limits.bytes - vault->limits.bytes / 8; /* room for the next attack */
    bool is_hashed = false;
    bool is_evicted = false;
    int finished;
    int r;

    if (slice == NULL) {
        return -ERR_NOMEM;
    }
    r = tend_hash_some(vault, slice, &is_hashed);
    finished = tend_finish_slice(vault, slice);
    r = r < 0 ? r : finished;
    r = r < 0 ? r : tend_evict(vault, target, SLICE_EVICTIONS, &is_evicted);
    r = r < 0 ? r : vault_compact(vault);
    if (r < 0) {
        return r;
    }
    while (is_hashed && is_evicted && vault->swept < SWEEP_SUBFOLDERS && !tend_sweep(vault)) {
    }
    *ret_is_idle = is_hashed && is_evicted && vault->swept == SWEEP_SUBFOLDERS;
    return 0;
}

int vault_tend(struct vault *vault, bool *ret_is_idle)
{
    CLEANUP(closep) int lock = vault_lock(vault, false);
    int r;

    if (lock < 0) {
        *ret_is_idle = true;
        return lock == -ERR_BUSY ? 0 : lock;
    }
    r = vault_refresh(vault);
    return r < 0 ? r : tend_slice(vault, ret_is_idle);
}
