/* What the files of the shield share; for nobody else. */
#ifndef AGENT_SHIELD_PRIVATE_H
#define AGENT_SHIELD_PRIVATE_H

#include "agent/actors.h"
#include "agent/aliases.h"
#include "agent/facts.h"
#include "agent/folders.h"
#include "agent/openers.h"
#include "agent/shelf.h"
#include "agent/shield.h"
#include "base/arena.h"
#include "base/map.h"

#include <dirent.h>
#include <pthread.h>

#define SHIELD_CASES_MAX 64
#define SHIELD_HOT_MAX   64
#define SHIELD_HELD_MAX  64
#define SHIELD_HOMES_MAX 64
#define SHIELD_HOT_READS 4
#define SHIELD_WINDOW    65536U
#define SHIELD_WINDOWS   6U
#define SHIELD_PATH_MAX  4096
#define SHIELD_STIR_NS   (3 * NS_PER_S) /* by then all that a step has left open was looked at */

/* A ruling on its way from the thread that met it, and has stopped the group, to the owner's. */
struct shield_job {
    struct list link;
    struct arena *arena;
    struct judge_ruling ruling;
    struct freeze_group group;
    int64_t stopped; /* ns, monotonic; 0: nobody was stopped */
};

/* Tells one piece of damage from another of the same case. */
struct damage_mark {
    uint64_t version; /* or token */
    uint64_t dev;
    uint64_t ino;
    uint64_t path; /* its hash */
};

/* The first half of an exchange of two names: a file has taken the name of one that still lives. */
struct shield_swap {
    pid_t pid; /* 0: none */
    struct file_key file;
    uint64_t victim; /* serial of its row */
    char path[SHIELD_PATH_MAX];
    char target_path[SHIELD_PATH_MAX];
};

/* The groups whose damage goes into one case: the one that the case began with, and the one that
 * was ruled against now, which may have been taken into it. */
struct shield_guilty {
    struct actor_key first;
    struct actor_key now;
};

/* Where a file is protected that was met by a name that is not. */
struct shield_home {
    struct file_key key;
    struct str path; /* empty: nowhere that was found */
};

/* One group that was ruled against. */
struct shield_case {
    struct id id;
    uint32_t revision;
    struct arena *arena; /* of what the finding says */
    struct freeze_group group;
    struct actor_key root;
    struct actor_key culprit;
    struct finding_process process;
    struct finding_process ancestors[FINDING_ANCESTORS_MAX];
    size_t ancestor_count;
    struct finding_file *files; /* FINDING_FILES_MAX rows in the arena */
    size_t file_count;
    size_t damage_count; /* of all files, also those that are not named in files */
    struct map marks;    /* struct damage_mark, owned, by key */
    struct shield_home homes[SHIELD_HOMES_MAX]; /* sought once each; paths in the arena */
    size_t home_count;
    struct finding_reason reasons[FINDING_WHY_MAX];
    size_t reason_count;
    double score;
    enum finding_action action;
    int result;
    int64_t action_ns;
    uint64_t restored;
    bool is_restoring; /* asked for, and not told of yet */
    bool is_restore_due;
    unsigned restless; /* times that a restore was put off since somebody still ran */
    bool is_open;      /* in the vault */
    bool is_forgiven;
    bool is_drill; /* so far */
    uint32_t drill_uid;
    struct str drill_folder; /* with its last '/'; empty: not found yet */
    size_t drill_checked;    /* files */
};

/* One open as shelf and judge take it. */
struct visit {
    struct files_open *open;
    struct files_open *waiter; /* the same, when it is held at the gate; or NULL */
    struct actor_key who;
    struct file_handle_id handle;
    struct file_key file;
    struct file_state state;
    struct str path;
    uint64_t version; /* the saved original; 0: none */
    bool is_write;
};

struct look_room {
    uint8_t before[SHIELD_WINDOW];
    uint8_t after[SHIELD_WINDOW];
};

struct shield {
    pid_t pid; /* ours */
    const struct agent_settings *settings;
    enum agent_mode mode;
    struct page *page;
    struct shield_port port;
    struct files *files;
    struct vault *vault;
    int scanner;
    int leash;
    int wake_fd;
    int watch_fd;
    uint64_t seed;
    uint64_t own_dev; /* of our executable */
    uint64_t own_ino;

    pthread_mutex_t lock; /* judge, actors, shelf, hot */
    struct judge *judge;
    struct actors *actors;
    struct shelf *shelf;
    struct aliases *aliases;
    struct facts *facts;
    struct folders *folders;
    struct file_key hot[SHIELD_HOT_MAX];
    size_t hot_count;

    struct shield_swap swap; /* names thread only */
    struct openers *openers; /* the gate's reader only */

    pthread_mutex_t look_lock; /* the scanner's channel and look_room; taken before lock */
    struct look_room *look_room;

    pthread_mutex_t jobs_lock;
    struct list jobs;

    pthread_t walker;
    bool has_walker;
    atomic_bool is_walk_ending;
    const struct files_place *walk_places;
    size_t walk_place_count;

    pthread_t keeper;
    bool has_keeper;
    pthread_mutex_t keeper_lock;
    pthread_cond_t keeper_wake;
    bool is_keeper_ending;

    atomic_llong stirred;          /* something happened then; ns, monotonic */
    atomic_llong files_stirred;    /* the same, to files */
    atomic_llong weighing_told;    /* the leash heard of it then; ns, monotonic */
    atomic_bool is_resting;        /* the owner turns seldom until something happens */
    atomic_bool is_keeper_resting; /* and the keeper until something happens to files */

    atomic_ullong save_failures;
    atomic_int save_error;  /* the last one, negative */
    atomic_ullong unheld;   /* deleted or crowded out before they could be saved */
    atomic_ullong unjudged; /* steps the judge had no room for */

    /* names thread only */
    struct files_open truncated; /* by one who stood before that call; fd -1: none */
    struct actor_key truncated_by;
    struct actor_key held[SHIELD_HELD_MAX]; /* by the leash; a ring */
    size_t held_next;
    atomic_uint held_count; /* asked for and not told loose yet; read by all */

    /* owner's thread only */
    struct shield_case *cases[SHIELD_CASES_MAX];
    size_t case_count;
    uint64_t failures_told;
    int64_t failures_told_at;
    int64_t next_news;
};

/* shield.c */
int64_t shield_now(void);
/* Without the lock: something happens to files, and whoever rests is woken. */
void shield_stir(struct shield *shield, int64_t now);
[[nodiscard]] int shield_who(struct shield *shield, pid_t tid, struct actor_key *ret_who);
/* Also for a process that has gone; by its thread group. */
[[nodiscard]] int shield_who_was(struct shield *shield, pid_t pid, struct actor_key *ret_who);
/* With the lock. A job is made when a group was ruled against just now. */
void shield_step(struct shield *shield, struct judge_step *step, struct shield_job **ret_job);
/* More of the ruling against who's group is to be added up. Takes the lock. */
void shield_note_news(struct shield *shield, struct actor_key who);
void shield_describe(struct shield *shield, struct actor_key who, struct arena *arena,
                     struct finding_process *ret_process);
void shield_process_changed(void *context, const struct procwatch_event *event);

/* shield/glance.c, shield/open.c, shield/names.c: the port */
bool shield_glanced(void *context, struct files_open *open);
bool shield_opened(void *context, struct files_open *open);
void shield_weighed(void *context, struct files_open *open);
bool shield_held(void *context, const struct file_handle_id *file, struct stat *ret_stat);
void shield_named(void *context, const struct files_name *name);
/* shield/open.c */
/* Whether a thread that stands in an open opens for writing, or is about to stand there: that is
 * waited for, some 50 ms at most, and no longer once others wait for a worker (files NULL: whoever
 * waits). What cannot be told is a write: openat2 and io_uring keep their flags where they may be
 * changed meanwhile. */
bool shield_is_write(pid_t tid, struct files *files, const struct files_open *open);
/* With who and is_write told. */
[[nodiscard]] int shield_visit_init(struct visit *visit, struct files_open *open);
/* With the lock: writes the visit into the shelf and tells the judge. */
void shield_note_visit(struct shield *shield, struct visit *visit, struct shield_job **ret_job);
/* With the lock: the row takes the descriptor over while there is room for one more. */
void shield_hold(struct shield *shield, struct file_row *row, int *fd);
/* What an open for reading or writing means to shelf and judge, with who and is_write told: the
 * original is safe afterwards, and whoever is ruled against stands still. True: there is something
 * to look at before it goes on. */
[[nodiscard]] bool shield_take_visit(struct shield *shield, struct visit *visit);
/* No more opens of it until it is modified. The mark does not stand if it has changed since it was
 * saved, or has several names: the next open may be by another. */
void shield_settle(struct shield *shield, int fd, const struct file_state *saved);
/* Saves fd; 0 when it failed, which is counted. waiter: the open that is held for it, or NULL. */
uint64_t shield_save(struct shield *shield, int fd, struct str path, struct actor_key who,
                     struct files_open *waiter);

/* shield/facts.c. Those that take a path or a name want no lock. */
void shield_visit_folder(struct shield *shield, struct str file_path, struct actor_key who);
/* With the lock. */
bool shield_knows_folder(struct shield *shield, struct str file_path, struct actor_key who);
/* As shield_visit_folder, but waits for nothing: neither for another's gate nor for a mount that
 * does not answer. False: that takes a worker, or it has attributes, which only an open one gives.
 */
bool shield_glance_folder(struct shield *shield, const struct visit *visit);
void shield_visit_facts(struct shield *shield, const struct file_handle_id *handle,
                        const struct stat *stat);
void shield_folder_named(struct shield *shield, const struct files_name *name,
                         struct actor_key who);
void shield_file_named(struct shield *shield, const struct files_name *name, struct actor_key who,
                       bool is_own);
/* Writes down what the vault does not know yet. */
void shield_keep_folders(struct shield *shield);
bool shield_folder_facts(struct shield *shield, struct str path, struct arena *arena,
                         struct vault_folder *ret_folder);
/* With the lock: whether a process belongs to one of the groups. */
bool shield_is_guilty(const struct shield *shield, const struct shield_guilty *guilty,
                      struct actor_key who);
/* The next folder that the guilty removed. */
bool shield_next_removed(struct shield *shield, const struct shield_guilty *guilty, size_t *cursor,
                         struct arena *arena, struct str *ret_path);
/* What a stopped group had changed before the copy was made. */
bool shield_facts_before(struct shield *shield, const struct vault_version *copy, int64_t since,
                         struct vault_facts *ret_facts);
/* The next file whose owner, mode or times they changed. */
bool shield_next_changed(struct shield *shield, const struct shield_guilty *guilty, int64_t since,
                         size_t *cursor, struct arena *arena, struct str *ret_path);
void shield_walk_stop(struct shield *shield);

/* shield/look.c: answers the judge's questions about who's group until none is in excess or the
 * time is over. Takes both locks. */
void shield_look(struct shield *shield, struct actor_key who);
/* All of them, at most a bound. */
void shield_look_all(struct shield *shield, struct actor_key who);
/* The same on the names thread, and whoever it is about may remove nothing while the scanner is
 * asked, nor afterwards if its group is armed by the answer. */
void shield_look_holding(struct shield *shield, struct actor_key who);
void shield_look_overdue(struct shield *shield, int64_t age_ns);

/* shield/stop.c */
[[nodiscard]] int shield_job_new(struct shield *shield, struct shield_job **ret_job);
void shield_job_free(struct shield_job *job);
/* Without the lock: stops the group and hands the job on; takes NULL. */
void shield_act(struct shield *shield, struct shield_job *job);
void shield_stop_straggler(struct shield *shield, struct actor_key who);
bool shield_is_spared(void *context, pid_t pid);

/* shield/leash.c */
/* Names thread: from now on who removes one file at a time; nothing when it is held already. */
void shield_tether(struct shield *shield, struct actor_key who);
/* The same, if it belongs to a group with ciphertext of what it has read; but if that was stopped,
 * it is to stand still like the others. Held, it would not be seen to rest, and the restore waits
 * for that. */
void shield_brake(struct shield *shield, struct actor_key who);
/* The same after a look; who was held for it is let go if it is not. */
void shield_loosen_unless_armed(struct shield *shield, struct actor_key who);
/* Any thread: a look is done, and whoever stands meanwhile is not forgotten. */
void shield_tell_weighing(struct shield *shield, struct actor_key who);
/* The members stop where they stand, or run again. */
void shield_let_loose(struct shield *shield, const struct freeze_group *group);
void shield_asked(void *context);

/* shield/case.c */
void shield_case_take(struct shield *shield, struct shield_job *job);
void shield_case_free(struct shield_case *shield_case);
struct shield_case *shield_case_find(struct shield *shield, const struct id *id);
/* shield/damage.c: binds what a ruling tells of in the vault; returns how many pieces are new and
 * can be undone. is_heard: all that the group has done to names was. */
size_t shield_case_bind(struct shield *shield, struct shield_case *known,
                        const struct shield_job *job, bool is_heard);
/* shield/walk.c: through the protected places; may take long. */
struct shield_walker {
    void *context;
    bool (*is_over)(void *context);                 /* asked before each item */
    void (*folder)(void *context, struct str path); /* NULL: nothing is done with them */
    /* folder: open; item: a file, or of no known kind */
    void (*file)(void *context, int folder, const struct dirent *item, struct str path);
};
void shield_walk_places(const struct shield *shield, const struct shield_walker *walker);
/* shield/homes.c: fills in the paths; may take seconds where places hold millions of files. */
void shield_find_homes(struct shield *shield, struct shield_home *homes, size_t count,
                       struct arena *arena);
/* shield/drill.c */
void shield_know_own_program(struct shield *shield);
/* With the lock: for the culprit and each above it. */
void shield_case_meet(struct shield *shield, struct shield_case *known,
                      const struct actor_row *row);
/* Looks at what was damaged since the last call. */
bool shield_case_is_drill(struct shield_case *known);
/* shield/finding.c */
void shield_case_tell(struct shield *shield, struct shield_case *known);
void shield_tell_failures(struct shield *shield, int64_t now);

/* shield/keep.c */
[[nodiscard]] int shield_keeper_start(struct shield *shield);
void shield_keeper_stop(struct shield *shield);
void shield_keeper_wake(struct shield *shield);
/* The version that a token stands for, saved now if need be; 0 when it is lost. Versions pass
 * unchanged. */
uint64_t shield_resolve(struct shield *shield, uint64_t version, struct str path);

#endif
