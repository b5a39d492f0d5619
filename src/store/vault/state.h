/* An open vault: what the journal has told this process so far, by version and by case. Every
 * process holds its own copy and brings it up to date by reading what others appended.
 *
 * Locks: `mutex` guards everything in the struct for moments (never while content is copied); the
 * file lock (vault_lock) is held by whoever tends, drops or restores, against other processes and
 * threads alike, and is taken before the mutex. Functions below named *_locked want the mutex held.
 */
#ifndef STORE_VAULT_STATE_H
#define STORE_VAULT_STATE_H

#include "base/map.h"
#include "store/vault.h"
#include "store/vault/hash.h"
#include "store/vault/journal.h"
#include "store/vault/pool.h"
#include "store/vault/record.h"

#include <pthread.h>

#define VAULT_LOCK_NAME      "lock"
#define VAULT_VERSIONS_MAX   (8U << 20)
#define VAULT_CASES_MAX      4096U
#define VAULT_CASE_FILES_MAX 1000000U
#define VAULT_FOLDERS_MAX    16384U

struct vault_inode {
    uint64_t dev;
    uint64_t ino;
};

struct vault_entry {
    struct vault_inode inode;
    uint64_t id;
    uint64_t pool;
    int64_t time; /* retention runs from here */
    int64_t mtime;
    int64_t changed;
    uint64_t size;
    uint64_t stored;
    int64_t holder; /* the user who caused it; -1: not known */
    uint64_t where; /* of its record in the journal; 0: not read back yet */
    uint32_t len;
    uint8_t sha256[32];
    struct vault_case *pin;
    enum vault_kind kind;
    bool is_settled;
    bool is_partial;
    bool is_inode;
    bool is_hashed;
    bool is_shared; /* its object is a link to one that is charged to another version */
};

struct vault_case_file {
    char *text; /* holds the damage's paths */
    struct vault_damage damage;
    struct vault_step step;
};

struct vault_folder_row {
    struct vault_folder folder; /* its texts lie in text */
    struct vault_folder now;
    enum vault_folder_stage stage;
    char text[];
};

struct vault_case {
    struct id finding;
    struct vault_case_file *files;
    size_t count;
    size_t room;
    struct map by_path; /* of files + 1 as pointers; keys are in the texts */
    struct map folders; /* struct vault_folder_row by path */
    uint64_t boot;      /* in which a restore was last begun */
    bool is_synced;
};

struct vault {
    pthread_mutex_t mutex;
    int folder;
    struct stat owner;
    uint64_t boot;
    struct vault_limits limits;
    struct clock clock;
    struct vault_journal journal;
    struct vault_pools pools;
    struct vault_entry **entries; /* by id, growing */
    size_t count;
    size_t room;
    struct map by_inode; /* the newest version that the same bytes may be taken from */
    struct map by_hash;  /* the version that an object is charged to */
    struct map cases;
    struct map folders;             /* struct vault_folder_row by path */
    struct vault_confines confines; /* count 0: none */
    uint64_t unset;                 /* set-id bits withheld */
    uint64_t bytes;
    uint64_t pending;             /* of saves under way */
    uint64_t live;                /* journal bytes of versions that still are */
    uint64_t unhashed_after;      /* versions up to this id are hashed */
    uint64_t compacted;           /* size of the journal after the last compaction here */
    unsigned swept;               /* subfolders looked through for objects that no record names */
    struct vault_hashing hashing; /* of a version, across slices of vault_tend */
};

/* Reads what is new in the journal. */
[[nodiscard]] int vault_refresh_locked(struct vault *vault);
[[nodiscard]] int vault_refresh(struct vault *vault);
/* Appends a record. Takes and leaves the mutex; may wait for a compaction to end. */
[[nodiscard]] int vault_append(struct vault *vault, const struct vault_record *record);
/* Appends, and applies it here at once. */
[[nodiscard]] int vault_write(struct vault *vault, const struct vault_record *record);

/* The file lock: a descriptor to close, -ERR_BUSY when it is taken and is_waiting is false. */
[[nodiscard]] int vault_lock(struct vault *vault, bool is_waiting);

struct vault_entry *vault_entry_locked(const struct vault *vault, uint64_t id);
/* First entry with an id above after, or NULL. */
struct vault_entry *vault_next_locked(const struct vault *vault, uint64_t after);
struct vault_case *vault_case_locked(const struct vault *vault, const struct id *finding);
/* A copy of what the index knows. -ERR_NOENT. */
[[nodiscard]] int vault_entry_copy(struct vault *vault, uint64_t id, struct vault_entry *ret_entry);
/* The journal's whole record of a version; the record borrows buf. Later facts (hash, case) are
 * filled in. */
[[nodiscard]] int vault_describe(struct vault *vault, uint64_t id, struct buf *buf,
                                 struct vault_record *ret_record);
/* Adds a version that this process just saved, before its record was read back. */
[[nodiscard]] int vault_insert_locked(struct vault *vault, const struct vault_record *record);
struct vault_pool *vault_pool_of(struct vault *vault, uint64_t number);
/* Opens a version's object; looks again when another process replaced or moved it meanwhile. */
[[nodiscard]] int vault_open_object(struct vault *vault, uint64_t id,
                                    struct vault_entry *ret_entry);

/* What a version may take of the quota and the disk. */
enum vault_share {
    VAULT_SHARE_BOUND, /* the quota holds; a large file may be kept as head and tail */
    VAULT_SHARE_EDGES, /* a restore's evidence: a full vault must not keep anything from being
                          restored */
    VAULT_SHARE_WHOLE, /* the same, and never in part */
};
/* vault_save with a choice. */
[[nodiscard]] int vault_keep(struct vault *vault, int fd, const struct vault_origin *origin,
                             enum vault_share share, uint64_t *ret_id);

void vault_state_done(struct vault *vault);
/* Forgets everything read, for reading anew. */
void vault_state_reset(struct vault *vault);
int vault_apply(void *context, uint64_t where, struct str bytes);

#endif
