/* What the vault's journal says, one record at a time: structs to bytes and back. Pure. Numbers are
 * little endian; a decoder of this version refuses kinds it does not know (-ERR_VERSION) and bytes
 * that do not add up (-ERR_CORRUPT). Texts of a decoded record borrow the bytes. */
#ifndef STORE_VAULT_RECORD_H
#define STORE_VAULT_RECORD_H

#include "base/buf.h"
#include "store/vault.h"

#define VAULT_HANDLE_MAX 128
#define VAULT_XATTRS_MAX (768U << 10) /* names and values of one file; more is cut, and said so */
#define VAULT_RECORD_MAX (1U << 20)

enum vault_record_kind {
    VAULT_RECORD_VERSION = 1, /* version, meta */
    VAULT_RECORD_TOUCH,       /* id, time: saved again unchanged, retention starts anew */
    VAULT_RECORD_HASH,        /* id, other (whose bytes it shares now, or 0), sha256 */
    VAULT_RECORD_DROP,        /* id, other (who inherits the shared bytes, or 0) */
    VAULT_RECORD_POOL,        /* id (of the pool), path */
    VAULT_RECORD_CASE_OPEN,   /* finding */
    VAULT_RECORD_CASE_FILE,   /* finding, damage */
    VAULT_RECORD_CASE_STEP,   /* finding, index, step */
    VAULT_RECORD_CASE_BEGUN,  /* finding, boot: a restore works on it during that boot */
    VAULT_RECORD_CASE_SYNCED, /* finding: everything done so far is on the disk */
    VAULT_RECORD_CASE_CLOSE,  /* finding */
    VAULT_RECORD_FOLDER,      /* folder */
    VAULT_RECORD_CASE_FOLDER, /* finding, folder, folder_now, folder_stage */
    VAULT_RECORD_COUNT,
};

/* What an inode is beyond its content. */
struct vault_meta {
    int64_t changed;
    uint64_t pool;     /* where the bytes lie; 0: the vault's own folder */
    bool is_settled;   /* nothing could have changed unseen while it was copied */
    bool is_cut;       /* some extended attributes did not fit */
    bool is_inode;     /* the object is the damaged inode itself, not a copy */
    struct str xattrs; /* packed: u16 name length, u32 value length, name, value */
    struct str handle; /* i32 type, then the kernel's bytes; empty when it gives none */
};

/* How far the restoring of one damaged file has come. Each stage is written before the next act,
 * and each act can be repeated, so a killed run is finished by running again. */
enum vault_stage {
    VAULT_STAGE_DAMAGED,  /* nothing done, or undone */
    VAULT_STAGE_MOVING,   /* the damaged inode moves to object `evidence` */
    VAULT_STAGE_KEPT,     /* the damage is safe as version `evidence`, or there was none to keep */
    VAULT_STAGE_CLEARING, /* what else stood in the way moves to object `occupant` */
    VAULT_STAGE_CLEARED,
    VAULT_STAGE_RESTORED,
    VAULT_STAGE_UNDOING, /* the restored file was saved and is being taken back */
    VAULT_STAGE_COUNT,
};

enum vault_manner {
    VAULT_MANNER_NONE,    /* nothing belongs at the path (a product) */
    VAULT_MANNER_INPLACE, /* same inode, content written back */
    VAULT_MANNER_CREATED, /* new inode */
    VAULT_MANNER_LINKED,  /* another name of an inode that lives */
    VAULT_MANNER_COUNT,
};

struct vault_step {
    enum vault_stage stage;
    enum vault_manner manner;
    bool has_moved; /* evidence is the inode itself */
    bool has_moved_occupant;
    bool is_stray;    /* in place, but its present name was not known: the path was added */
    uint32_t folders; /* missing parents that were made */
    uint64_t evidence;
    uint64_t occupant;
    uint64_t dev; /* of what stands at the path after the restore */
    uint64_t ino;
    int64_t changed;
};

/* What a restore has done to a folder. */
enum vault_folder_stage {
    VAULT_FOLDER_AS_FOUND,
    VAULT_FOLDER_MADE,
    VAULT_FOLDER_CHANGED, /* from what folder_now says */
    VAULT_FOLDER_COUNT,
};

struct vault_record {
    enum vault_record_kind kind;
    uint64_t id;
    uint64_t other;
    int64_t time;
    uint64_t boot;
    uint32_t index;
    struct id finding;
    uint8_t sha256[32];
    struct str path;
    struct vault_version version;
    struct vault_meta meta;
    struct vault_damage damage;
    struct vault_step step;
    struct vault_folder folder;
    struct vault_folder folder_now; /* without path and times */
    enum vault_folder_stage folder_stage;
};

/* Appends the record's bytes; the buffer's sticky error tells. */
void vault_record_encode(const struct vault_record *record, struct buf *buf);
[[nodiscard]] int vault_record_decode(struct str bytes, struct vault_record *ret_record);

#endif
