/* Opening a vault, saving into it and asking it. Neighbours: the gate's workers call vault_save
 * while an opener waits; the judge's content checks read vault_content; vault/tend.c does the slow
 * rest later. Invariants: bytes first, record second: what the journal names is whole. A save takes
 * no file lock, and the mutex only for moments before and after the copy. */
#include "store/vault.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/vault/copy.h"
#include "store/vault/meta.h"
#include "store/vault/state.h"
#include "store/vault/tend.h"
#include "store/vault/watch.h"
#include "sys/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>

#define FORMAT_NAME  "format"
#define FORMAT_HEAD  "canhgac vault 2 "
#define FORMAT_OLD   "canhgac vault 1 " /* knew no folders; all it holds is read as it is */
#define FORMAT_LIMIT 64U

static bool folder_holds_strangers(int folder)
{
    static const char *const ours[] = {".", "..", VAULT_LOCK_NAME, "control", "lost+found"};
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    bool has_stranger = dir == NULL;
    const struct dirent *item;

    while (dir != NULL && !has_stranger && (item = readdir(dir)) != NULL) {
        bool is_ours = str_has_prefix(str_from(item->d_name), STR(FORMAT_NAME));

        for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
            is_ours = is_ours || strcmp(item->d_name, ours[i]) == 0;
        }
        has_stranger = !is_ours;
    }
    if (dir != NULL) {
        (void)closedir(dir);
    } else {
        closep(&fd);
    }
    return has_stranger;
}

static int format_write(struct vault *vault, uint64_t secret)
{
    char text[FORMAT_LIMIT];
    uint8_t bytes[8];
    char hex[17];
    int r;

    memcpy(bytes, &secret, sizeof(bytes));
    hex_encode(bytes, sizeof(bytes), hex);
    (void)snprintf(text, sizeof(text), FORMAT_HEAD "%s\n", hex);
    r = file_write_atomic(vault->folder, FORMAT_NAME, str_from(text), 0600);
    if (r < 0 || geteuid() != 0) {
        return r;
    }
    return fchownat(vault->folder, FORMAT_NAME, vault->owner.st_uid, vault->owner.st_gid,
                    AT_SYMLINK_NOFOLLOW) == 0
               ? 0
               : -errno;
}

static int format_make(struct vault *vault)
{
    uint64_t secret;

    if (folder_holds_strangers(vault->folder)) {
        return -ERR_FOREIGN;
    }
    if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret)) {
        return -ERR_IO;
    }
    return format_write(vault, secret);
}

static int format_read(int folder, uint64_t *ret_secret, bool *ret_is_old)
{
    CLEANUP(buf_done) struct buf text;
    uint8_t bytes[8];
    int r;

    buf_init(&text, FORMAT_LIMIT);
    r = file_read_all(folder, FORMAT_NAME, &text);
    if (r < 0) {
        return r == -ERR_LIMIT ? -ERR_FOREIGN : r;
    }
    if (!str_has_prefix(buf_str(&text), STR("canhgac vault "))) {
        return -ERR_FOREIGN;
    }
    *ret_is_old = str_has_prefix(buf_str(&text), STR(FORMAT_OLD));
    if (!*ret_is_old && !str_has_prefix(buf_str(&text), STR(FORMAT_HEAD))) {
        return -ERR_VERSION;
    }
    if (hex_decode(str_trim(str_slice(buf_str(&text), strlen(FORMAT_HEAD), text.len)), bytes,
                   sizeof(bytes)) < 0) {
        return -ERR_CORRUPT;
    }
    memcpy(ret_secret, bytes, sizeof(bytes));
    return 0;
}

/* Whether it is a vault, or may become one. */
static int folder_check(int folder)
{
    uint64_t secret;
    bool is_old;
    int r = format_read(folder, &secret, &is_old);

    if (r == -ERR_NOENT && folder_holds_strangers(folder)) {
        r = format_read(folder, &secret, &is_old); /* another process may just have made it one */
        return r == -ERR_NOENT ? -ERR_FOREIGN : r;
    }
    return r == -ERR_NOENT ? 0 : r;
}

static bool folder_is_open_to_others(const struct stat *stat)
{
    return (stat->st_mode & 077) != 0;
}

static int vault_open_folder(struct vault *vault, const char *folder)
{
    CLEANUP(closep) int lock = -1;
    int r;

    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        return -errno;
    }
    vault->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (vault->folder < 0 || fstat(vault->folder, &vault->owner) != 0) {
        return -errno;
    }
    r = folder_is_open_to_others(&vault->owner) ? -ERR_FOREIGN : folder_check(vault->folder);
    if (r < 0) {
        return r;
    }
    lock = openat(vault->folder, VAULT_LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0) {
        return -errno;
    }
    return geteuid() != 0 || fchown(lock, vault->owner.st_uid, vault->owner.st_gid) == 0 ? 0
                                                                                         : -errno;
}

/* Two processes may open a new vault at once: the second finds what the first made. */
static int vault_open_format(struct vault *vault, uint64_t *ret_secret)
{
    CLEANUP(closep) int lock = -1;
    bool is_old = false;
    int r = format_read(vault->folder, ret_secret, &is_old);

    if (r != -ERR_NOENT && !(r == 0 && is_old)) {
        return r;
    }
    lock = openat(vault->folder, VAULT_LOCK_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (lock < 0 || flock(lock, LOCK_EX) != 0) {
        return -errno;
    }
    r = format_read(vault->folder, ret_secret, &is_old);
    if (r == -ERR_NOENT) {
        r = format_make(vault);
        r = r < 0 ? r : format_read(vault->folder, ret_secret, &is_old);
    } else if (r == 0 && is_old) { /* older programs refuse it from here on */
        r = format_write(vault, *ret_secret);
    }
    return r;
}

static uint64_t boot_number(void)
{
    CLEANUP(buf_done) struct buf text;
    struct id boot;
    uint64_t number = 0;

    buf_init(&text, 128);
    if (file_read_all(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &text) == 0 &&
        id_parse(str_trim(buf_str(&text)), &boot) == 0) {
        memcpy(&number, boot.bytes, sizeof(number));
    }
    return number;
}

static int vault_open_parts(struct vault *vault, const char *folder)
{
    uint64_t secret;
    int r = vault_open_folder(vault, folder);

    r = r < 0 ? r : vault_open_format(vault, &secret);
    if (r < 0) {
        return r;
    }
    map_init(&vault->by_inode, VAULT_VERSIONS_MAX, secret);
    map_init(&vault->by_hash, VAULT_VERSIONS_MAX, secret);
    map_init(&vault->cases, VAULT_CASES_MAX, secret);
    map_init(&vault->folders, VAULT_FOLDERS_MAX, secret);
    r = vault_pools_open(&vault->pools, vault->folder, folder, secret);
    r = r < 0 ? r : vault_journal_open(&vault->journal, vault->folder, secret);
    return r < 0 ? r : vault_refresh(vault);
}

/* Nobody is to close a folder that others may need, only because it was named here. */
static int vault_explain_foreign(int at, const char *folder, struct diag *diag)
{
    struct stat stat;

    if (fstat(at, &stat) == 0 && folder_is_open_to_others(&stat) && folder_check(at) == 0) {
        return diag_set(diag, -ERR_FOREIGN,
                        _("others may enter %s (its mode is %04o), so it cannot be the vault; "
                          "close it to them: chmod 700 %s"),
                        folder, stat.st_mode & 07777U, folder);
    }
    return diag_set(diag, -ERR_FOREIGN,
                    _("%s is not a vault: it holds other files; name an empty or new folder"),
                    folder);
}

static int vault_explain(int code, int at, const char *folder, struct diag *diag)
{
    switch (code) {
    case -ERR_FOREIGN:
        return vault_explain_foreign(at, folder, diag);
    case -ERR_VERSION:
        return diag_set(diag, code, _("the vault %s was made by a newer canhgac; update this one"),
                        folder);
    case -ERR_CORRUPT:
        return diag_set(diag, code, _("the vault %s is damaged at its file 'format' or 'shared'"),
                        folder);
    default:
        return diag_set(diag, code, _("cannot open the vault %s: %s"), folder, err_text(code));
    }
}

int vault_open(const char *folder, const struct vault_limits *limits, const struct clock *clock,
               struct vault **ret_vault, struct diag *diag)
{
    struct vault *vault = mem_alloc(1, sizeof(*vault));
    int r;

    if (vault == NULL) {
        return -ERR_NOMEM;
    }
    pthread_mutex_init(&vault->mutex, NULL);
    vault->folder = -1;
    vault->journal.fd = -1;
    vault->hashing.fd = -1;
    vault->limits = *limits;
    vault->clock = *clock;
    vault->boot = boot_number();
    r = vault_open_parts(vault, folder);
    if (r < 0) {
        r = vault_explain(r, vault->folder, folder, diag);
        vault_close(vault);
        return r;
    }
    *ret_vault = vault;
    return 0;
}

int vault_check(const char *folder, struct diag *diag)
{
    CLEANUP(closep) int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    struct stat stat;
    int r;

    if (at < 0 || fstat(at, &stat) != 0) {
        r = -errno;
    } else {
        r = folder_is_open_to_others(&stat) ? -ERR_FOREIGN : folder_check(at);
    }
    return r < 0 ? vault_explain(r, at, folder, diag) : 0;
}

void vault_close(struct vault *vault)
{
    if (vault == NULL) {
        return;
    }
    vault_hashing_drop(&vault->hashing);
    vault_state_done(vault);
    vault_journal_close(&vault->journal);
    vault_pools_close(&vault->pools);
    closep(&vault->folder);
    pthread_mutex_destroy(&vault->mutex);
    mem_free(vault);
}

void vault_closep(struct vault **vault)
{
    vault_close(*vault);
    *vault = NULL;
}

/* A version that already holds these very bytes: same inode, size and times, and the times were old
 * enough when it was saved that no later change could have left them as they are. Past half of the
 * retention it is not used, so that it cannot be evicted at this moment. */
static uint64_t save_find_earlier(struct vault *vault, const struct stat *st, int64_t now)
{
    const struct vault_inode inode = {st->st_dev, st->st_ino};
    const struct vault_entry *entry;
    uint64_t id = 0;

    pthread_mutex_lock(&vault->mutex);
    entry = map_get(&vault->by_inode, MAP_KEY(inode));
    if (entry != NULL && entry->size == (uint64_t)st->st_size &&
        entry->mtime == vault_time_of(st->st_mtim) &&
        entry->changed == vault_time_of(st->st_ctim) &&
        now - entry->time < vault->limits.retention_ns / 2) {
        id = entry->id;
    }
    pthread_mutex_unlock(&vault->mutex);
    return id;
}

static int save_again(struct vault *vault, uint64_t id, int64_t now, uint64_t *ret_id)
{
    const struct vault_record record = {.kind = VAULT_RECORD_TOUCH, .id = id, .time = now};
    int r = vault_append(vault, &record);

    if (r == 0) {
        *ret_id = id;
    }
    return r;
}

/* Room in the quota; counted in `pending` until the version is in the index. */
static int save_reserve(struct vault *vault, uint64_t bytes, bool is_bound)
{
    bool is_full = true;

    for (int attempt = 0; is_full && attempt < 3; attempt++) {
        pthread_mutex_lock(&vault->mutex);
        is_full = is_bound && vault->bytes + vault->pending + bytes > vault->limits.bytes;
        vault->pending += is_full ? 0 : bytes;
        pthread_mutex_unlock(&vault->mutex);
        if (is_full && (attempt == 0 ? vault_refresh(vault) : vault_make_room(vault, bytes)) < 0) {
            break;
        }
    }
    return is_full ? -ERR_FULL : 0;
}

/* The pool for fd; makes one on a file system seen first. Failing that, the vault's own folder will
 * do. */
static struct vault_pool *save_choose_pool(struct vault *vault, int fd, uint64_t dev)
{
    struct vault_pool *pool;

    pthread_mutex_lock(&vault->mutex);
    pool = vault_pool_known(&vault->pools, dev);
    pthread_mutex_unlock(&vault->mutex);
    if (pool != NULL) {
        return pool;
    }
    (void)!vault_pool_make(vault, fd);
    pthread_mutex_lock(&vault->mutex);
    pool = vault_pool_by_dev(&vault->pools, dev);
    if (pool == NULL) {
        vault_pool_settle(&vault->pools, dev);
        pool = vault->pools.pools[0];
    }
    pthread_mutex_unlock(&vault->mutex);
    return pool;
}

int vault_pool_make(struct vault *vault, int fd)
{
    char path[4096];
    struct vault_record record = {.kind = VAULT_RECORD_POOL};
    struct stat st;
    int r;

    if (fstat(fd, &st) != 0) {
        return -errno;
    }
    r = vault_refresh(vault);
    if (r < 0 || st.st_dev == vault->owner.st_dev) {
        return r;
    }
    pthread_mutex_lock(&vault->mutex);
    r = vault_pool_by_dev(&vault->pools, st.st_dev) != NULL ? 1 : 0;
    pthread_mutex_unlock(&vault->mutex);
    if (r == 1) {
        return 0;
    }
    r = vault_pool_place(&vault->pools, fd, path, sizeof(path));
    if (r < 0) {
        return r;
    }
    record.id = vault_journal_next_id(&vault->journal);
    record.path = str_from(path);
    pthread_mutex_lock(&vault->mutex);
    r = vault_pool_add(&vault->pools, record.id, path, true, &vault->owner);
    pthread_mutex_unlock(&vault->mutex);
    return r < 0 ? r : vault_append(vault, &record);
}

/* How a version will be kept. */
struct save_plan {
    struct vault_pool *pool;
    uint64_t cost; /* reserved in the quota */
    bool is_partial;
};

static int save_copy_edges(const struct vault *vault, int fd, int object, uint64_t size,
                           const struct fd_progress *progress)
{
    uint64_t edge = vault->limits.edge_bytes;
    int r = vault_copy_range(fd, object, 0, edge, progress);

    return r < 0 ? r : vault_copy_range(fd, object, size - edge, edge, progress);
}

/* Clones, else copies; a file too large for that gives its head and tail, at their own offsets. */
static int save_copy(const struct vault *vault, const struct save_plan *plan, int object,
                     struct vault_watch *watch, struct vault_version *version)
{
    struct fd_progress progress = vault_watch_progress(watch);

    if (!plan->is_partial && plan->pool->can_clone && ioctl(object, FICLONE, watch->fd) == 0) {
        version->is_clone = true;
        return 0;
    }
    return plan->is_partial ? save_copy_edges(vault, watch->fd, object, version->size, &progress)
                            : vault_copy_file(watch->fd, object, version->size, &progress);
}

/* Of a copy that came too late, what is certain. A tail without what lies before it is none. */
static int save_cut(const struct vault *vault, const struct save_plan *plan, int object,
                    uint64_t certain, struct vault_version *version)
{
    uint64_t edge = vault->limits.edge_bytes;
    uint64_t head = plan->is_partial && certain > edge ? edge : certain;

    if (head == 0) {
        return -ERR_CONFLICT;
    }
    version->is_clone = false;
    version->is_partial = true;
    version->is_head = true;
    version->stored = head;
    return ftruncate(object, (off_t)head) == 0 && ftruncate(object, (off_t)version->size) == 0
               ? 0
               : -errno;
}

static int save_bytes(const struct vault *vault, const struct save_plan *plan, int object,
                      struct vault_watch *watch, struct vault_version *version)
{
    bool is_torn = false;
    int r = save_copy(vault, plan, object, watch, version);

    version->stored = plan->cost;
    version->is_partial = plan->is_partial;
    r = r < 0 ? r : vault_watch_end(watch, &is_torn);
    if (watch->is_stopped) {
        return save_cut(vault, plan, object, watch->certain, version);
    }
    if (r == 0 && is_torn && !plan->is_partial) {
        version->is_partial = true;
        version->is_torn = true;
    }
    return r;
}

static int save_make_plan(struct vault *vault, int fd, const struct stat *st,
                          enum vault_share share, struct save_plan *ret_plan)
{
    struct vault_pool *pool = save_choose_pool(vault, fd, st->st_dev);
    uint64_t size = (uint64_t)st->st_size;
    uint64_t blocks = (uint64_t)st->st_blocks * 512;
    uint64_t cost = size < blocks ? size : blocks; /* holes take no room */
    uint64_t edges = 2 * vault->limits.edge_bytes;
    bool is_large = size > vault->limits.whole_bytes && edges < cost;
    bool is_bound = share == VAULT_SHARE_BOUND;
    int r = -ERR_FULL;

    if (!is_large || pool->can_clone || share == VAULT_SHARE_WHOLE) {
        r = save_reserve(vault, cost, is_bound);
        *ret_plan = (struct save_plan){.pool = pool, .cost = cost};
    }
    if (r == -ERR_FULL && is_large) { /* better its head and tail than nothing */
        r = save_reserve(vault, edges, is_bound);
        *ret_plan = (struct save_plan){.pool = pool, .cost = edges, .is_partial = true};
    }
    if (r == -ERR_FULL) {
        (void)atomic_fetch_add(&vault->journal.shared->refused, 1);
    }
    return r;
}

static int save_object(struct vault *vault, const struct save_plan *plan, struct vault_watch *watch,
                       struct vault_record *record)
{
    CLEANUP(closep) int object = -1;
    int r;

    do { /* an id whose record a power cut took may still have an object */
        record->id = vault_journal_next_id(&vault->journal);
        object = vault_object_create(plan->pool, record->id);
    } while (object == -ERR_EXIST);
    if (object < 0) {
        return object;
    }
    record->version.id = record->id;
    record->meta.pool = plan->pool->number;
    r = save_bytes(vault, plan, object, watch, &record->version);
    if (r < 0) {
        (void)!vault_object_remove(plan->pool, record->id);
    }
    return r;
}

/* Whether nothing changed while the bytes were copied, nor could have just before. */
static bool save_is_settled(const struct vault_watch *watch)
{
    struct stat after;

    return watch->is_settled && fstat(watch->fd, &after) == 0 &&
           vault_watch_is_same(&after, watch->before);
}

static int save_new(struct vault *vault, struct vault_watch *watch, enum vault_share share,
                    struct vault_record *record)
{
    struct save_plan plan;
    int r = save_make_plan(vault, watch->fd, watch->before, share, &plan);

    if (r < 0) {
        return r;
    }
    r = save_object(vault, &plan, watch, record);
    if (r == 0) {
        record->meta.is_settled = save_is_settled(watch);
        r = vault_append(vault, record);
        if (r < 0) {
            (void)!vault_object_remove(plan.pool, record->id);
        }
    }
    pthread_mutex_lock(&vault->mutex);
    r = r < 0 ? r : vault_insert_locked(vault, record);
    vault->pending -= plan.cost;
    pthread_mutex_unlock(&vault->mutex);
    return r;
}

int vault_keep(struct vault *vault, int fd, const struct vault_origin *origin,
               enum vault_share share, uint64_t *ret_id)
{
    struct vault_record record = {.kind = VAULT_RECORD_VERSION};
    struct vault_meta_room room;
    struct vault_watch watch;
    int64_t now = clock_wall(&vault->clock);
    uint64_t earlier;
    struct stat st;
    int r;

    if (fstat(fd, &st) != 0) {
        return -errno;
    }
    if (!S_ISREG(st.st_mode)) {
        return -ERR_INVAL;
    }
    r = vault_watch_start(&watch, fd, &st, origin->waiter);
    if (r < 0) {
        return r;
    }
    earlier = origin->kind == VAULT_KIND_BEFORE ? save_find_earlier(vault, &st, now) : 0;
    if (earlier != 0) {
        return save_again(vault, earlier, now, ret_id);
    }
    vault_meta_room_init(&room);
    r = vault_meta_read(fd, &st, &room, &record.version, &record.meta);
    if (r == 0) {
        record.version.kind = origin->kind;
        record.version.time = now;
        record.version.path = origin->path;
        record.version.process = origin->process;
        r = save_new(vault, &watch, share, &record);
    }
    vault_meta_room_done(&room);
    if (r == 0) {
        *ret_id = record.id;
    }
    return r;
}

int vault_save(struct vault *vault, int fd, const struct vault_origin *origin, uint64_t *ret_id)
{
    return vault_keep(vault, fd, origin, VAULT_SHARE_BOUND, ret_id);
}
