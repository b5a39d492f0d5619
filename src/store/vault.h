/* The vault: copies of files made before they were changed, the damaged versions kept as evidence,
 * and the cases that bind both together, so that a whole attack can be undone, and the undoing
 * undone.
 *
 * One folder, mode 0700. Versions are content-addressed blobs (same content is kept once) with
 * metadata: path, inode, owner, mode, times, extended attributes (ACLs are among them), links. On a
 * file system that can clone (btrfs, xfs) and is not the vault's own, a pool folder `.canhgac` at
 * its root takes the blobs, so that a copy is a clone. Several processes use a vault at once: the
 * sensor saves, the supervisor restores, the command line reads. kill -9 at any point loses no
 * version that vault_save had returned and leaves nothing half-restored that a second
 * vault_case_restore does not finish.
 *
 * Bounds: byte quota and retention. Versions bound to an open case are never evicted, nor are those
 * younger than the retention, but for one user's who alone holds more than half of the quota: what
 * that user caused first gives way, to anybody. When the rest fills the quota, saving fails with
 * -ERR_FULL, which must be reported loudly. */
#ifndef STORE_VAULT_H
#define STORE_VAULT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/id.h"
#include "base/str.h"
#include "base/time.h"
#include "model/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct vault;

enum vault_kind {
    VAULT_KIND_BEFORE,   /* a readable file before somebody changed or removed it */
    VAULT_KIND_EVIDENCE, /* the damaged version, or what the attacker made */
    VAULT_KIND_QUARANTINE,
    VAULT_KIND_COUNT,
};

struct vault_limits {
    uint64_t bytes;       /* quota over all pools */
    int64_t retention_ns; /* at least this long; 24 h or more by default */
    uint64_t whole_bytes; /* a larger file without clone support is kept as head and tail only */
    uint64_t edge_bytes;  /* size of that head and that tail */
};

/* Who is kept from writing while a file is saved. */
struct vault_waiter {
    void *context;
    const struct stat *stat; /* of the file, when it was held already */
    /* After each piece that was copied; waits for nobody. False: it was let go, and the file may be
     * written from now on. */
    bool (*is_held)(void *context);
};

/* What the caller knows about a version beyond the open descriptor. */
struct vault_origin {
    const struct vault_waiter *waiter; /* NULL: nobody waits */
    struct str path;                   /* full path at the time */
    enum vault_kind kind;
    struct finding_process process; /* who was about to change it; may be empty */
};

struct vault_version {
    uint64_t id; /* grows; never 0 */
    enum vault_kind kind;
    int64_t time; /* ns since 1970 UTC, when saved */
    struct str path;
    uint64_t dev;
    uint64_t ino;
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    uint32_t links;
    uint64_t size;   /* of the original */
    uint64_t stored; /* bytes kept */
    int64_t mtime;   /* ns */
    int64_t atime;   /* ns */
    bool is_partial; /* head and tail of the same length, unless one of the next two says more */
    bool is_head;    /* of the partial: its first `stored` bytes; a write was let go after them */
    bool is_torn; /* of the partial: all, but not surely of one moment, as it changed meanwhile */
    bool is_clone;
    uint8_t sha256[32]; /* of the content; zero until the background pass reached it */
    struct id finding;  /* the open case that pins it, or none */
    struct finding_process process;
    struct str handle; /* the kernel's: i32 type, then its bytes; empty when it gives none */
};

struct vault_usage {
    uint64_t versions;
    uint64_t bytes;  /* stored, after dedup */
    uint64_t pinned; /* of them, in open cases */
    uint64_t limit;
    int64_t oldest;   /* time of the oldest version, 0 when empty */
    uint64_t refused; /* saves that failed, and versions that went too young, as it was full; ever
                       */
    uint64_t damaged; /* journal records that the disk has spoiled; their versions are not listed */
};

/* Opens or makes the folder. -ERR_FOREIGN when it holds something else or others may enter it,
 * -ERR_VERSION, -ERR_CORRUPT with the place. Journal records that a disk error spoiled do not keep
 * it from opening: a shield with most of its copies is better than none; vault_usage counts them.
 */
[[nodiscard]] int vault_open(const char *folder, const struct vault_limits *limits,
                             const struct clock *clock, struct vault **ret_vault,
                             struct diag *diag);
/* Whether vault_open could open a folder that is there, as far as its format tells: with the same
 * errors, and without making or changing anything in it. */
[[nodiscard]] int vault_check(const char *folder, struct diag *diag);
void vault_close(struct vault *vault);
void vault_closep(struct vault **vault);

/* Keeps what fd refers to, as it is now; fd needs only be open for reading, may be unlinked, its
 * offset is not used. Thread-safe, no shared lock is held while bytes are copied, nothing is
 * logged. The same content saved again for the same inode returns the earlier id when nothing
 * changed in between. A file that changes meanwhile becomes a partial version, and -ERR_CONFLICT
 * when nothing of it is certain. -ERR_FULL, -ERR_NOSPC, -ERR_IO. */
[[nodiscard]] int vault_save(struct vault *vault, int fd, const struct vault_origin *origin,
                             uint64_t *ret_id);
/* Makes a pool for the file system that fd lies on, if it can clone and is not the vault's own;
 * else does nothing useful and says -ERR_OPNOTSUPP. vault_save tries by itself: this is for root to
 * call beforehand where the saving process may not write at a mount point. */
[[nodiscard]] int vault_pool_make(struct vault *vault, int fd);
/* Opens a version's bytes for reading. */
[[nodiscard]] int vault_content(struct vault *vault, uint64_t id);
[[nodiscard]] int vault_version(struct vault *vault, uint64_t id, struct arena *arena,
                                struct vault_version *ret_version);

struct vault_filter {
    struct str path_prefix;   /* empty: all */
    const struct id *finding; /* NULL: all */
    uint64_t after;           /* only ids above this */
    size_t limit;
};
typedef int vault_version_fn(void *context,
                             const struct vault_version *version); /* negative ends the walk */
[[nodiscard]] int vault_list(struct vault *vault, const struct vault_filter *filter,
                             vault_version_fn *fn, void *context);
/* Reads the whole blob and compares; -ERR_CORRUPT. -ERR_AGAIN while it has not been hashed yet
 * (vault_tend). */
[[nodiscard]] int vault_verify(struct vault *vault, uint64_t id);
/* Removes a version; -ERR_BUSY while an open case pins it. */
[[nodiscard]] int vault_drop(struct vault *vault, uint64_t id);
[[nodiscard]] int vault_usage(struct vault *vault, struct vault_usage *ret_usage);
/* Whether half of the limit is taken, as this process knows it: without a walk over the versions.
 */
bool vault_is_half_full(struct vault *vault);
/* Background work, a slice at a time: hashes and dedups new versions, syncs, evicts past retention
 * when the quota nears its end, compacts the journal. *ret_is_idle tells whether nothing is left to
 * do, or another process is at it. */
[[nodiscard]] int vault_tend(struct vault *vault, bool *ret_is_idle);

/* Owner, mode and time that a file had before the group first changed them, where that was before
 * its original was saved. */
struct vault_facts {
    bool is_set;
    uint32_t mode; /* permission bits */
    uint32_t uid;
    uint32_t gid;
    int64_t mtime; /* ns */
};

/* One damaged file of a case. */
struct vault_damage {
    enum file_outcome outcome;
    uint64_t version; /* the readable original; 0 for FILE_OUTCOME_PRODUCT */
    struct str path;  /* where the original belongs */
    struct str
        path_now;     /* where the damaged inode (or the product) is now; empty when it is gone */
    uint64_t dev_now; /* that inode; what is found elsewhere is left alone */
    uint64_t ino_now;
    struct vault_facts facts;
};

/* What a folder is beyond its names. */
struct vault_folder {
    struct str path;
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    int64_t mtime;     /* ns */
    int64_t atime;     /* ns */
    struct str xattrs; /* packed, as in vault/record.h; ACLs are among them */
};

struct vault_report {
    uint64_t files;
    uint64_t restored;
    uint64_t partial;
    uint64_t failed;
    uint64_t evidence; /* damaged versions and products kept */
    uint64_t unset;    /* set-id bits or capabilities that were not given back, see vault_confine */
    uint64_t folders;  /* that are as they were again */
};
/* Called once a file, in restore and undo; result 0 or negative. */
typedef void vault_progress_fn(void *context, const struct vault_damage *damage, int result);

/* Opens a case for a finding (once; again is harmless) and adds damage to it. Pins the versions. */
[[nodiscard]] int vault_case_open(struct vault *vault, const struct id *finding);
[[nodiscard]] int vault_case_add(struct vault *vault, const struct id *finding,
                                 const struct vault_damage *damage, size_t count);
struct vault_case_state {
    struct id finding;
    uint64_t files;
    uint64_t restored; /* files that are back, products set aside among them */
    bool is_synced;    /* the last restore or undo ended, and is on the disk */
};
typedef int vault_case_fn(void *context, const struct vault_case_state *state);
/* The open cases, in no order. */
[[nodiscard]] int vault_case_list(struct vault *vault, vault_case_fn *fn, void *context);
/* A folder that is to be as it was: made if it is gone. Its first facts count. Folders above it are
 * added apart. */
[[nodiscard]] int vault_case_add_folder(struct vault *vault, const struct id *finding,
                                        const struct vault_folder *folder);

/* Remembers a folder for restores that know nothing better; written down when anything but its
 * times differs from what is known. */
[[nodiscard]] int vault_folder_keep(struct vault *vault, const struct vault_folder *folder);
/* The facts of a folder without attributes. */
void vault_folder_of(const struct stat *stat, struct str path, struct vault_folder *ret_folder);
/* Reads a folder's facts from an open one. room holds the attributes. */
[[nodiscard]] int vault_folder_read(int fd, struct str path, struct buf *room,
                                    struct vault_folder *ret_folder);

/* A folder in which restores may write, or one in it that is left out. */
struct vault_allowed {
    const char *path; /* canonical */
    int folder;       /* open; -1: left out */
};
/* Whether root itself knows that the original rightly had its set-id bits or capabilities. */
typedef bool vault_set_id_fn(void *context, const struct vault_version *version);
struct vault_confines {
    const struct vault_allowed *places;
    size_t count;
    vault_set_id_fn *set_id; /* NULL: never */
    void *context;
};
/* From here on restores and undoings of this vault trust its journal no further than this: paths
 * lie in these places, walked from their open folders, with no link and no `..` on the way, and
 * only while the place's path still leads to that folder; no set-id bit and no capability is given
 * but what the file still has or set_id vouches for. What lies outside fails with -ERR_PERM. For
 * root, whose vault an unprivileged process writes. Everything pointed to stays the caller's. */
void vault_confine(struct vault *vault, const struct vault_confines *confines);

/* Puts every original back: content, mode, owner, times, extended attributes, ACL, links,
 * sparseness. Needs root. A file damaged in place keeps its inode (its ciphertext is copied out as
 * evidence first), so that hard links and open descriptors stay true; where the inode was removed
 * or replaced, a new one takes the name and the damaged inode itself moves aside as evidence.
 * Products move aside too. Paths are walked without following links. Idempotent, and finishes what
 * a killed run left. */
[[nodiscard]] int vault_case_restore(struct vault *vault, const struct id *finding,
                                     vault_progress_fn *fn, void *context,
                                     struct vault_report *ret_report);
/* The exact reverse, for a false alarm: the programs find the very bytes and inodes they had made.
 */
[[nodiscard]] int vault_case_undo(struct vault *vault, const struct id *finding,
                                  vault_progress_fn *fn, void *context,
                                  struct vault_report *ret_report);
/* Unpins: the versions age out like any other. */
[[nodiscard]] int vault_case_close(struct vault *vault, const struct id *finding);
/* Restores one version to a path (its own when empty), refusing to overwrite unless force. */
[[nodiscard]] int vault_restore(struct vault *vault, uint64_t id, struct str path, bool is_forced,
                                struct diag *diag);

#endif
