/* The ledger: one row a file, in exactly one list that is its state. Bounded: when it is full, the
 * oldest rows that settle nothing are forgotten. A deleted file's row leaves the index (its inode
 * number will be used again) but may stay in a list. Part of the judge. */
#ifndef DETECT_RANSOM_LEDGER_H
#define DETECT_RANSOM_LEDGER_H

#include "base/list.h"
#include "base/map.h"
#include "detect/ransom/judge.h"
#include "detect/ransom/kin.h"
#include "detect/ransom/verdict.h"

enum row_state {
    ROW_STATE_SEEN,    /* read, or looked at and found whole */
    ROW_STATE_MADE,    /* created, and nobody has reason yet to look at it */
    ROW_STATE_ASKED,   /* an open question, counted */
    ROW_STATE_WATCHED, /* looked at, fine so far, still open for writing */
    ROW_STATE_PRODUCT, /* ciphertext that somebody made */
    ROW_STATE_GONE,    /* a read file that was deleted; no ciphertext known that covers it */
    ROW_STATE_CHARGED, /* destroyed, counted against its group */
    ROW_STATE_WIPED, /* destroyed without a ciphertext: told and restored with the rest, not counted
                      */
    ROW_STATE_RULED, /* in a ruling's list */
    ROW_STATE_COUNT,
};

/* Who read a file, as two numbers that outlive the process: its session and its executable under
 * its user. */
struct reader {
    uint64_t session;
    uint64_t exe;
};

#define ROW_READERS 2

struct row {
    struct list node; /* in the list of its state, oldest first */
    struct file_key key;
    uint64_t version;
    uint64_t size;        /* of the original, or of the product */
    uint64_t cover;       /* bytes of originals that a product may still stand for */
    uint64_t claimed;     /* bytes of removed originals that may be in a product */
    char *path;           /* where the original belongs, or the product is; NULL: not needed yet */
    char *path_now;       /* where the inode is, when it was renamed */
    struct relative *who; /* last writer or remover; held */
    struct relative *maker; /* who made the ciphertext that covers it; held */
    struct scope *session;  /* of who, when the row came to it; held */
    struct scope *exe;
    struct ruling *ruling;
    struct reader readers[ROW_READERS];
    int64_t time_read;  /* last read, ns */
    int64_t time_first; /* first destructive step, or creation */
    int64_t time_look;  /* asked or answered last */
    double score;
    struct kin_key made_by; /* the process that created it, in numbers that outlive it */
    uint64_t made_exe;      /* by which executable under which user, as in struct reader */
    uint32_t made_session;  /* session in which it was created, 0: existed before */
    uint16_t writers;
    uint8_t links; /* names beyond the first that were made for it */
    uint8_t looks; /* answers while it stayed open */
    enum row_state state : 8;
    enum judge_look look : 8;
    enum file_outcome outcome : 8;
    enum verdict_reason reason : 8;
    bool is_indexed : 1;
    bool is_made : 1; /* created while we watched */
    bool is_closed : 1;
    bool is_out : 1;       /* somebody looks at it now */
    bool is_stale : 1;     /* it was closed since that look began */
    bool is_replacing : 1; /* took the name of the original in version */
    bool is_victim_read : 1;
    bool is_note : 1;
    bool is_due : 1;       /* asked about because its group has read much, not because it removed */
    bool is_self_made : 1; /* created by the very process that wrote or removed it last */
    bool is_unsure : 1;    /* let pass without the scanner's word, which is still wanted */
};

struct ledger {
    struct map index;
    struct list states[ROW_STATE_COUNT];
    struct list chunks;
    struct list spare;
    size_t rows;
    size_t limit;
    struct kin *kin;
};

void ledger_init(struct ledger *ledger, size_t limit, struct kin *kin);
void ledger_done(struct ledger *ledger);

struct row *ledger_find(const struct ledger *ledger, struct file_key key);
/* Finds it or makes one in ROW_STATE_SEEN. -ERR_NOMEM, -ERR_LIMIT. */
[[nodiscard]] int ledger_get(struct ledger *ledger, struct file_key key, struct row **ret_row);
/* Takes it out of the index: the inode is gone, or its number means another file now. */
void ledger_unindex(struct ledger *ledger, struct row *row);
/* Moves it to the end of another state's list and keeps the scopes' counters. Entering SEEN drops
 * what it held. */
void ledger_move(struct ledger *ledger, struct row *row, enum row_state state);
/* Into a ruling's own list. */
void ledger_move_to(struct ledger *ledger, struct row *row, struct list *list,
                    struct ruling *ruling);
/* Lays the row to a process. */
void ledger_own(struct ledger *ledger, struct row *row, struct relative *who);
void ledger_set_maker(struct ledger *ledger, struct row *row, struct relative *maker);
void ledger_forget(struct ledger *ledger, struct row *row);

/* Copies a path; an empty one leaves what stands there. -ERR_NOMEM. */
[[nodiscard]] int row_set_path(char **path, struct str value);
void row_add_reader(struct row *row, const struct relative *who, int64_t time);
/* Who it is, as it is kept in rows. */
struct reader reader_of(const struct relative *who);
/* Whether a process akin to who has read the file. */
bool row_was_read_by(const struct row *row, const struct relative *who);

#endif
