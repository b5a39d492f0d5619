/* The ransom judge: a pure state machine from steps (what processes did to protected files, as the
 * gate and the names group saw it) to rulings. It holds no descriptor, clock or lock; the same
 * steps give the same rulings, so a recorded trace can be replayed (trace.h).
 *
 * The question, per file: was a readable original destroyed, and does its content survive anywhere
 * in the clear? The score of a destroyed file is added to everyone it can be laid to: the process,
 * each ancestor up to its session's leader, the session, the cgroup, (executable, uid). The
 * narrowest that passes its threshold is stopped. Rates, renames, deletes and names alone never
 * decide.
 *
 * Synchronous bound: at each gated open the caller asks judge_undecided; while files of the same
 * group have been opened for writing or deleted and not yet been looked at, the caller looks first
 * (content steps), so that at most `undecided_max` files are ever open questions when the next one
 * is let through.
 *
 * Sources: docs/decisions.md; ideas of Minerva (per-file evidence), ERW-Radar (chi-square),
 * CryptoDrop. */
#ifndef DETECT_RANSOM_JUDGE_H
#define DETECT_RANSOM_JUDGE_H

#include "base/arena.h"
#include "base/str.h"
#include "detect/ransom/content.h"
#include "model/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct judge;

/* A process, for good: pid alone is re-used. */
struct actor_key {
    int32_t pid; /* thread group */
    uint64_t start;
};

struct actor {
    struct actor_key key;
    struct actor_key parent; /* pid 0 when unknown or outside */
    int32_t session;
    uint32_t uid;
    uint64_t exe_dev;
    uint64_t exe_ino;
    uint64_t cgroup; /* 0: root group or unknown, not used as a key */
    bool is_exempt;  /* our own processes: never scored, never stopped */
};

struct file_key {
    uint64_t dev;
    uint64_t ino;
};

enum judge_step_kind {
    JUDGE_STEP_ACTOR, /* a process seen first or after exec: .actor is filled */
    JUDGE_STEP_EXIT,
    JUDGE_STEP_READ,  /* opened for reading; the inode is held */
    JUDGE_STEP_WRITE, /* opened for writing; .version is its saved original (0: nothing was kept) */
    JUDGE_STEP_CREATE,  /* a new file that this process made */
    JUDGE_STEP_CLOSE,   /* closed after writing */
    JUDGE_STEP_RENAME,  /* .path to .target_path; .victim is the inode whose name it took, ino 0 if
                           none */
    JUDGE_STEP_DELETE,  /* .version: saved from the held inode, 0 if nothing could be saved */
    JUDGE_STEP_UNLINK,  /* a name of a file that lives on was taken or moved: no damage by itself,
                           but who did it must be known when the group is ruled against */
    JUDGE_STEP_CONTENT, /* the answer to a question: .file, .version, .change, .format,
                           .format_before */
    JUDGE_STEP_COUNT,
};

struct judge_step {
    enum judge_step_kind kind;
    int64_t time; /* ns, monotonic */
    struct actor_key who;
    struct file_key file;
    struct file_key victim;
    uint64_t version;
    uint64_t victim_version;
    uint64_t size;
    struct str path;
    struct str target_path;
    const struct actor *actor;
    const struct content_change *change;
    enum content_format format;
    enum content_format format_before;
};

struct judge_limits {
    double stop_score;      /* of the narrowest groups; 3.0 */
    unsigned undecided_max; /* open questions a group may have; 2 */
    size_t files_max;       /* ledger rows; the oldest settled ones are forgotten first */
    size_t actors_max;
};

extern const struct judge_limits judge_limits_default;

/* How a file must be looked at. */
enum judge_look {
    JUDGE_LOOK_CHANGE,   /* version is its original: give both sides to content_change_add */
    JUDGE_LOOK_PRODUCT,  /* no original: give the file alone, before empty */
    JUDGE_LOOK_ORIGINAL, /* the file is gone: give the version alone, after empty; its format is
                            format_before */
};

/* A file that must be looked at. Feed JUDGE_STEP_CONTENT with the same file and version afterwards,
 * also when it could not be done (change NULL): the question then waits for judge_overdue. */
struct judge_question {
    struct file_key file;
    uint64_t version; /* 0 when nothing was kept */
    enum judge_look look;
    bool needs_format; /* ask the scanner too where content_needs_format says so */
    struct str path;   /* where it is now, borrowed until the next step */
};

struct judge_damage {
    struct file_key file_now; /* ino 0 when the inode is gone */
    uint64_t version;
    enum file_outcome outcome;
    struct str path; /* where the original belongs */
    struct str path_now;
};

/* The decision to stop a group. Arrays are in the arena given to judge_ruling. */
struct judge_ruling {
    struct actor_key culprit; /* who did the last destroyed file */
    struct actor_key root;    /* lowest common ancestor of all who took part, inside one session */
    const struct actor_key
        *group; /* all live members: root's subtree and every other contributor's */
    size_t group_count;
    const struct judge_damage *damage; /* destroyed files and products, in order */
    size_t damage_count;
    const struct finding_reason *reasons;
    size_t reason_count;
    double score;
    int64_t first_time; /* of the first destructive step */
};

[[nodiscard]] int judge_new(const struct judge_limits *limits, struct judge **ret_judge);
void judge_free(struct judge *judge);

/* Takes one step. *ret_is_ruling: a group has passed its threshold; fetch it with judge_ruling.
 * -ERR_NOMEM, -ERR_LIMIT (the step is not counted; say so). */
[[nodiscard]] int judge_step(struct judge *judge, const struct judge_step *step,
                             bool *ret_is_ruling);
/* The open questions of the group `who` belongs to, oldest first, at most max. */
size_t judge_undecided(struct judge *judge, struct actor_key who,
                       struct judge_question *ret_questions, size_t max);
/* The group who belongs to was ruled against and stands still: what its members have open for
 * writing is as it will be, and becomes an open question once more. */
void judge_ask_stopped(struct judge *judge, struct actor_key who);
/* All open questions older than age_ns, for the timer that looks at long-open and mapped files. */
size_t judge_overdue(struct judge *judge, int64_t now, int64_t age_ns,
                     struct judge_question *ret_questions, size_t max);
/* Whether one of the open questions is about this file; and whether whoever made it should be held
 * until it is answered: it may be about to remove, and has not begun. */
bool judge_has_question(const struct judge *judge, struct file_key file);
bool judge_is_due(const struct judge *judge, struct file_key file);
/* Whether the file's content was changed, or may still be: that is to be looked at, is watched, or
 * counts against somebody. */
bool judge_is_changed(const struct judge *judge, struct file_key file);
/* Whether the group has read files and, not long ago, made ciphertext that may stand for them:
 * what it removes now is worth holding it for. */
bool judge_is_armed(const struct judge *judge, struct actor_key who, int64_t now);
/* How many undecided files the group has beyond what it may: 0 means the open may pass now. */
unsigned judge_excess(const struct judge *judge, struct actor_key who);
/* The ruling just announced. Later destroyed files of the same group are added to the same ruling:
 * call again after each step that announces. */
[[nodiscard]] int judge_ruling(struct judge *judge, struct arena *arena,
                               struct judge_ruling *ret_ruling);
/* Announces the ruling against who's group once more, so that judge_ruling adds it up; false when
 * there is none. */
bool judge_announce(struct judge *judge, struct actor_key who);
/* The same for the next ruling that was announced and not told of since: several may grow by turns.
 * False when there is none. */
bool judge_announce_news(struct judge *judge);
/* Whether two may be in one job: the same session, or the same executable under the same user, or
 * one descends from the other under one user. Also of processes that have ended, while they are
 * known.
 */
bool judge_is_akin(const struct judge *judge, struct actor_key a, struct actor_key b);
/* Whether a process belongs to a group that was ruled against and not forgiven. */
bool judge_is_stopped(const struct judge *judge, struct actor_key who);
/* Whether two processes belong to one such group. */
bool judge_is_one_group(const struct judge *judge, struct actor_key a, struct actor_key b);
/* The original of a file that a stopped group has opened for writing, whatever is known of it by
 * now; 0: none. */
uint64_t judge_original(const struct judge *judge, struct file_key file);
/* Whether no destroyed file was laid to anybody in the last age_ns. */
bool judge_is_calm(const struct judge *judge, int64_t now, int64_t age_ns);
/* A person called it a false alarm: the group's score is wiped and its executable and root are
 * trusted with these files until they exit. */
void judge_forgive(struct judge *judge, struct actor_key who);

#endif
