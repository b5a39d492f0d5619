/* What is known of each protected file: the saved version and the state it was saved in, the
 * descriptor by which its inode is held, who wrote it last. Bounded rows and bounded descriptors.
 *
 * A file that is deleted while it is held has no version yet; until it is saved, or let go, it is
 * named by a token, which stands wherever a version may stand (shelf_is_token).
 *
 * Not thread-safe: the shield's lock guards it. */
#ifndef AGENT_SHELF_H
#define AGENT_SHELF_H

#include "base/list.h"
#include "base/str.h"
#include "detect/ransom/judge.h"
#include "sys/notify.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct shelf;

/* What changes whenever content does. */
struct file_state {
    uint64_t size;
    int64_t modified; /* ns */
    int64_t changed;  /* ns; content, owner, mode, links */
};

struct file_row {
    struct list order; /* of all rows, oldest use first */
    struct list holds; /* of rows with a descriptor, oldest first */
    struct list place; /* of rows seen at the same path, newest first; it has no head */
    struct file_key key;
    uint64_t serial;  /* its own for good; not 0 */
    uint64_t version; /* 0: none */
    struct file_state saved;
    struct file_state closed; /* when a close after writing was told last */
    uint64_t size;            /* when it was last seen */
    int fd;                   /* -1: not held */
    unsigned reads;           /* opens for reading while it was held */
    bool is_deleted;          /* its last name is gone; nothing but fd keeps it */
    bool is_product;          /* was empty when it was first opened for writing */
    bool is_kept;             /* being saved by the keeper just now */
    bool has_many;            /* names, at one open at least */
    int64_t deleted;          /* ns, monotonic */
    struct actor_key writer;
    struct actor_key instance; /* the program the writer belongs to */
    uint64_t path_hash;
    uint64_t seen; /* when it was first seen there, by the caller's count */
};

[[nodiscard]] int shelf_new(size_t rows_max, size_t holds_max, struct shelf **ret_shelf);
void shelf_free(struct shelf *shelf);

/* Each NULL when there is none; borrowed until the next shelf_take. */
struct file_row *shelf_by_handle(struct shelf *shelf, const struct file_handle_id *handle);
struct file_row *shelf_by_key(struct shelf *shelf, struct file_key key);
/* The file that was last opened, created or moved there. */
struct file_row *shelf_by_path(struct shelf *shelf, struct str path);
bool shelf_is_at(const struct file_row *row, struct str path);
/* Goes through all that were seen there and nowhere else since, from NULL to NULL: those before
 * row, newest first, then those after it, which may not be there itself: then all, newest first. */
struct file_row *shelf_next_at(struct shelf *shelf, struct str path, const struct file_row *row,
                               const struct file_row *last);
/* Goes through all that were seen there, oldest first, from NULL to NULL. */
struct file_row *shelf_after_at(struct shelf *shelf, struct str path, const struct file_row *last);
struct file_row *shelf_by_token(struct shelf *shelf, uint64_t token);
struct file_row *shelf_by_serial(struct shelf *shelf, uint64_t serial);

/* Finds or adds, and makes it the youngest. May forget the oldest. -ERR_NOMEM. */
[[nodiscard]] int shelf_take(struct shelf *shelf, const struct file_handle_id *handle,
                             struct file_key key, struct file_row **ret_row);
void shelf_handle(const struct file_row *row, struct file_handle_id *ret_handle);
/* seen: remembered if it was elsewhere. */
void shelf_set_path(struct shelf *shelf, struct file_row *row, struct str path, uint64_t seen);
/* It is nowhere. */
void shelf_leave_path(struct shelf *shelf, struct file_row *row);
/* Takes the descriptor over; closes it when the row has one. */
void shelf_hold(struct shelf *shelf, struct file_row *row, int fd);
/* What its descriptor tells now; the row's size is renewed from it. */
bool shelf_is_held(struct file_row *row, struct stat *ret_stat);
/* The descriptor waits for shelf_take_drop, while there is room for it: closing the last one of a
 * removed file frees its blocks, which may take a while. */
void shelf_let_go(struct shelf *shelf, struct file_row *row);
/* One that was let go, the caller's to close; -1 when there is none. */
int shelf_take_drop(struct shelf *shelf);
/* Its last name is gone. */
void shelf_set_deleted(struct shelf *shelf, struct file_row *row, int64_t now);
bool shelf_is_crowded(const struct shelf *shelf);
/* The one held longest whose file still has a name; NULL when none. Both pass over is_kept. */
struct file_row *shelf_oldest_hold(struct shelf *shelf);
/* The one deleted first, if before that time. */
struct file_row *shelf_oldest_deleted(struct shelf *shelf, int64_t before);

uint64_t shelf_token(const struct file_row *row);
bool shelf_is_token(uint64_t version);

void file_state_of(const struct stat *stat, struct file_state *ret_state);
bool file_state_is(const struct file_state *a, const struct file_state *b);

#endif
