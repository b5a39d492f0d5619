/* The restoring, or the undoing, of one damaged file of a case: its facts, how far it has come, and
 * the acts that both directions share. Used by one thread, under the vault's file lock. */
#ifndef STORE_VAULT_WORK_H
#define STORE_VAULT_WORK_H

#include "store/vault/place.h"
#include "store/vault/state.h"

/* All names of one inode in a case. What it held first is the original of each of them: a name that
 * was saved later may have been saved damaged already. */
struct vault_group {
    struct str key;    /* the kernel's handle of the inode */
    uint64_t version;  /* the oldest */
    uint32_t leader;   /* index + 1 of the name that mends the inode in place, or 0 */
    uint32_t restored; /* index + 1 of a name that is back, or 0 */
};

struct vault_work {
    struct vault *vault;
    struct id finding;
    uint32_t index;
    struct buf text; /* holds the damage's paths */
    struct vault_damage damage;
    struct vault_step step;
    struct buf bytes;             /* holds the original's texts */
    struct vault_record original; /* kind 0 for a product */
    bool is_in_place;             /* the original's own inode was damaged */
    struct vault_group *group;    /* NULL for a product */
};

void vault_work_init(struct vault_work *work, struct vault *vault, const struct id *finding);
void vault_work_done(struct vault_work *work);
/* Takes up one file of the case. -ERR_NOENT when there is none of that index. */
[[nodiscard]] int vault_work_load(struct vault_work *work, uint32_t index);
/* Makes it one name of a group. */
[[nodiscard]] int vault_work_join(struct vault_work *work, struct vault_group *group);
bool vault_work_is_leader(const struct vault_work *work);
/* What tells the original's inode from all others, also from a later one of the same number.
 * Borrowed. */
struct str vault_work_key(const struct vault_work *work);
/* Writes down that a stage is reached. */
[[nodiscard]] int vault_work_reach(struct vault_work *work, enum vault_stage stage);

struct vault_inode vault_work_original_inode(const struct vault_work *work);
struct vault_inode vault_work_damaged_inode(const struct vault_work *work);

/* Keeps what fd holds as a new version. */
[[nodiscard]] int vault_work_keep(struct vault_work *work, int fd, struct str path,
                                  enum vault_kind kind, uint64_t *ret_id);

/* One of the two files that a restore may have to set aside. */
struct vault_aside {
    uint64_t *id;
    bool *has_moved;
    enum vault_stage moving;
    enum vault_stage done;
};
struct vault_aside vault_work_evidence(struct vault_work *work);
struct vault_aside vault_work_occupant(struct vault_work *work);
/* Takes the file of that inode away from path and into the vault: the inode itself where a pool
 * lies on its file system, else a copy. Nothing there: done, with id 0. */
[[nodiscard]] int vault_work_set_aside(struct vault_work *work, struct str path,
                                       struct vault_inode inode, const struct vault_aside *aside);
/* The way back. Whatever stands at path meanwhile is kept as a version first. */
[[nodiscard]] int vault_work_bring_back(struct vault_work *work, struct str path,
                                        const struct vault_aside *aside);

/* Makes the content and attributes of an open file those of a version, with facts (which may be
 * NULL) before its own; the head and tail alone when
 * only they had been kept. */
[[nodiscard]] int vault_work_fill(struct vault *vault, int target, bool is_old, uint64_t id,
                                  const struct vault_facts *facts);
/* Makes a new file with a version's content at a place; the inode is told before it gets its name.
 */
[[nodiscard]] int vault_work_create(struct vault *vault, const struct vault_place *place,
                                    uint64_t id, const struct vault_facts *facts);

/* Both directions, one file. */
[[nodiscard]] int vault_restore_file(struct vault_work *work, bool is_doubted);
[[nodiscard]] int vault_undo_file(struct vault_work *work);

#endif
