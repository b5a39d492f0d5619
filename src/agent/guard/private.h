/* What the files of the webroot guard share; for nobody else. */
#ifndef AGENT_GUARD_PRIVATE_H
#define AGENT_GUARD_PRIVATE_H

#include "agent/guard.h"
#include "agent/inspector.h"
#include "agent/outbox.h"
#include "agent/webroot.h"
#include "base/list.h"
#include "base/map.h"
#include "detect/integrity/loops.h"
#include "model/finding.h"
#include "sys/channel.h"
#include "sys/loop.h"
#include "sys/notify.h"
#include "sys/process.h"

#define GUARD_INCIDENTS_MAX 32
#define GUARD_WAITING_MAX                                                                          \
    65536 /* files whose turn comes later; beyond it the rescan finds them                         \
           */
#define GUARD_BURIALS_MAX 65536
#define GUARD_OPEN_MAX    1024 /* of them, held by descriptor */
#define GUARD_FOLDERS_MAX 1000000
#define GUARD_FILES_MAX   200000 /* known by handle, for writes through links outside the root */
#define GUARD_NUMBERS_MAX 8      /* pieces of evidence named in one finding */

#define GUARD_JUDGED_MAX  32768
#define GUARD_SHELLS_MAX  6 /* webshells described in one finding */

struct guard;

struct guard_root {
    struct guard *guard;
    struct webroot_config config;
    struct webroot webroot;
    bool is_open;
    int claim; /* descriptor; says that it is guarded */
    uint64_t fsid;
    bool has_names;   /* the whole file system is marked; else each folder for all changes */
    bool has_watches; /* inotify hears it */
    bool is_deaf;     /* not all of it is heard: rescans find the rest */
    struct loops *loops;
    struct webroot_scan *scan;
    bool is_scanning;  /* a scan is under way */
    bool is_whole;     /* of all of it */
    bool is_hasty;     /* what is wrong may be seen by visitors */
    bool is_guarded;   /* it was compared at least once */
    int64_t next_scan; /* monotonic ns */
    uint64_t round;    /* of whole scans; folders not met in the last are forgotten */
    struct webroot_window window;
    struct timespec manifests_seen; /* mtime of the folder */
    bool is_away;                   /* its folder is not in place; told */
    char refusal[512];              /* told last */
    uint64_t folders;
    size_t marked; /* files handed to the refuser, since the last whole scan began */
};

/* A folder, or a fixed file, by the kernel's handle. */
struct guard_known {
    struct guard_root *root;
    uint64_t round;
    bool is_folder;
    struct file_handle_id handle;
    size_t len;
    char path[];
};

/* Put back later: somebody fights over it, or the disk was full. */
struct guard_waiting {
    struct list link;
    struct guard_root *root;
    int64_t due;
    pid_t pid;
    size_t len; /* of key */
    char key[]; /* a byte for the root, then the path */
};

/* What was taken out of a root and waits in its stage to become evidence: whoever made it may still
 * be writing. */
struct guard_burial {
    struct list link;
    struct guard_root *root;
    int64_t due;
    int64_t time;
    uint64_t incident;
    const char *what;
    int fd; /* where the store lies apart: it has lost its name already; else -1 */
    char name[WEBROOT_STAGE_NAME];
    size_t len;
    char path[];
};

/* What one process does in one root within a while: one finding, told again as it grows. */
struct guard_incident {
    bool is_used;
    uint64_t number;
    struct guard_root *root;
    bool is_plant; /* something that runs was put among uploads */
    pid_t pid;
    struct id id;
    uint32_t revision;
    int64_t first; /* monotonic ns */
    int64_t last;
    int64_t told;    /* 0: not yet */
    bool is_changed; /* since it was told */
    int64_t took;    /* ns from hearing of it to its being put back; the longest */
    uint64_t total;
    uint64_t restored;
    int result; /* of the last that failed */
    bool is_fight;
    struct arena *arena;
    struct finding_file *files; /* FINDING_FILES_MAX */
    size_t file_count;
    uint64_t counts[16];                 /* by enum guard_reason */
    struct str shells[GUARD_SHELLS_MAX]; /* where, by which rule, and the code; in the arena */
    double shell_scores[GUARD_SHELLS_MAX];
    size_t shell_count;
    uint64_t numbers[GUARD_NUMBERS_MAX];
    size_t number_count;
    struct finding_process process; /* its texts in the arena */
    char user[64];
};

enum guard_reason {
    GUARD_REASON_CHANGED,
    GUARD_REASON_DELETED,
    GUARD_REASON_ADDED,
    GUARD_REASON_KIND,
    GUARD_REASON_ATTRIBUTES,
    GUARD_REASON_SCRIPT,
    GUARD_REASON_DOUBLE,
    GUARD_REASON_HANDLER,
    GUARD_REASON_CODE,
    GUARD_REASON_PROGRAM,
    GUARD_REASON_BACKDATED,
    GUARD_REASON_SHELL,
    GUARD_REASON_SHELL_LEFT, /* where the site's own programs write */
    GUARD_REASON_FIGHT,
    GUARD_REASON_REFUSED,
    GUARD_REASON_COUNT,
};

/* A file that the inspector found harmless as it stands. */
struct guard_judged {
    dev_t dev;
    ino_t ino;
    int64_t changed; /* ctime, ns */
    off_t size;
};

struct guard {
    const struct guard_config *config;
    char store[MANIFEST_PATH_MAX];
    int store_fd;
    struct loop *loop;
    struct outbox supervisor;
    struct loop_source *work; /* timer: goes on with scans */
    struct loop_source *more; /* timer: goes on with burials */
    int group;                /* fanotify; -1: none */
    int watches;              /* inotify; -1: no root needs it */
    int refuser;              /* channel; -1: nothing is refused */
    struct map known;
    size_t known_files;
    struct guard_root roots[WEBROOT_MAX];
    size_t root_count;
    struct evidence evidence;
    struct list waiting;
    struct map waiting_keys;
    struct list burials;
    size_t burial_count;
    size_t open_burials;
    struct list asked; /* struct guard_asked */
    size_t asked_count;
    size_t asked_ahead;
    uint64_t asked_last;         /* question; no two guards ask the same */
    struct guard_judged *judged; /* GUARD_JUDGED_MAX, by inode */
    uint64_t incidents_ever;
    struct guard_incident incidents[GUARD_INCIDENTS_MAX];
    bool has_reserve;
    bool is_urgent;
    unsigned events; /* since the last tick */
    int64_t heard;   /* monotonic ns, when the event at hand was read */
    struct name_reader reader;
    struct channel_packet packet;
    struct msg_writer msg;
};

#define GUARD_URGENT_MAX 2000 /* events between two ticks; more are heard at ordinary priority */

/* guard.c */
void guard_hurry(struct guard *guard, bool is_urgent);

/* guard/ears.c */

/* Begins to hear of a root, by the best that its file system has. */
void guard_watch(struct guard *guard, struct guard_root *root);
/* Marks an open folder of the root, and gives its handle. */
[[nodiscard]] int guard_mark_folder(struct guard *guard, struct guard_root *root, int fd,
                                    struct file_handle_id *ret_handle);
/* The handle of a folder that was moved to now, where an event brings none. */
void guard_find_moved(struct guard *guard, const struct guard_root *root, struct str now,
                      struct file_handle_id *handle);
/* What it is heard by, as one word or two. */
const char *guard_hearing(const struct guard_root *root);

/* guard/folders.c */
void guard_on_events(void *context, int fd, unsigned events);
/* Remembers a folder of a root by its handle and marks it. False: it is not there any more. */
bool guard_know_folder(struct guard *guard, struct guard_root *root, struct str path);
void guard_know_file(struct guard *guard, struct guard_root *root, struct str path);
void guard_forget_old(struct guard *guard, struct guard_root *root);
void guard_forget_all(struct guard *guard);

/* guard/look.c */
/* Compares a path with the manifest and acts. is_event: it is heard of now, and what is large waits
 * a little. True when it is a folder that may be gone into. */
bool guard_look(struct guard *guard, struct guard_root *root, struct str path, pid_t pid,
                bool is_event);
bool guard_move_back(struct guard *guard, struct guard_root *root, struct str now,
                     struct str before, pid_t pid);
bool guard_met(void *context, struct str path, bool is_folder, bool is_there);

/* What the inspector found: taken out of uploads, told where the site's own programs write. False:
 * it may be forgotten until it changes. */
bool guard_found_shell(struct guard *guard, struct guard_root *root, struct str path,
                       const struct stat *st, const struct inspection *inspection, pid_t pid);

/* guard/inspect.c */
/* Has a file that stays where it is looked into. */
void guard_inspect(struct guard *guard, struct guard_root *root, struct str path,
                   const struct stat *st, pid_t pid);
/* Has a file looked into that was taken out, so that its incident can say what it was. Takes fd. */
void guard_inspect_taken(struct guard *guard, struct guard_root *root, struct str path, int fd,
                         uint64_t incident);
void guard_on_inspector(void *context, int fd, unsigned events);
void guard_do_asked(struct guard *guard, int64_t now);
void guard_forget_asked(struct guard *guard);

/* guard/keep.c */
/* What a webroot_taken_fn of the guard is told with. */
struct guard_taking {
    struct guard *guard;
    struct guard_root *root;
    uint64_t incident;
    const char *what;
};
void guard_on_taken(void *context, struct str path, int folder, const char *name);
/* Looks at a path again when it is due; one that waits already waits on. */
void guard_wait(struct guard *guard, struct guard_root *root, struct str path, pid_t pid,
                int64_t due);
void guard_do_waiting(struct guard *guard, int64_t now);
void guard_forget_waiting(struct guard *guard);
void guard_do_burials(struct guard *guard, int64_t now);
/* Left in a stage by a guard that was killed. */
void guard_bury_left(struct guard *guard, struct guard_root *root);
/* Room that is ours when an attacker fills the disk before he changes a page; false: it is given up
 * already. */
void guard_keep_reserve(struct guard *guard);
bool guard_free_reserve(struct guard *guard);

/* guard/root.c */
[[nodiscard]] int guard_open_roots(struct guard *guard, struct diag *diag);
void guard_close_roots(struct guard *guard);
/* Begins to compare all of it. */
void guard_scan(struct guard *guard, struct guard_root *root, bool is_hasty);
/* Something was added to its scan. */
void guard_scan_on(struct guard *guard, struct guard_root *root);
void guard_tend_root(struct guard *guard, struct guard_root *root, int64_t now);
/* Whether a scan is under way that takes all the time it gets. */
bool guard_is_hasty(const struct guard *guard);
/* A slice of what is to be scanned; sees to the next. Between slices events are heard. */
void guard_scan_some(struct guard *guard);

/* guard/refuse.c: all of it does nothing where writes are not refused. */
struct guard_refuser {
    int channel;
    pid_t guard;
    pid_t supervisor;
    size_t root_count;
    const char *roots[WEBROOT_MAX];
};
/* Before rights are given up. */
void guard_refuse_start(struct guard *guard);
/* From now on this file, as it stands at its path, is not to be opened for writing. */
void guard_refuse_file(struct guard *guard, struct guard_root *root,
                       const struct manifest_entry *entry);
/* Another manifest is in force in this root: what it no longer fixes is free. */
void guard_refuse_anew(struct guard *guard, const struct guard_root *root);
/* The root's window was opened or closed. */
void guard_refuse_window(struct guard *guard, const struct guard_root *root);
void guard_on_refuser(void *context, int fd, unsigned events);
/* guard/refuser.c: process body. context: struct guard_refuser. */
int guard_refuser_run(void *context);

/* guard/tell.c */
struct guard_incident *guard_incident(struct guard *guard, struct guard_root *root, pid_t pid,
                                      bool is_plant);
void guard_incident_add(struct guard *guard, struct guard_incident *incident, struct str path,
                        enum guard_reason reason, int result);
/* Adds what was found in one of its files. incident: its number. */
void guard_incident_shell(struct guard *guard, uint64_t incident, struct str path,
                          const struct inspection *inspection);
void guard_incident_evidence(struct guard *guard, uint64_t incident, uint64_t number);
void guard_take_whose(struct guard *guard, struct msg_reader *msg);
void guard_tell_due(struct guard *guard, int64_t now, bool is_end);
/* A finding of its own. title: English source sentence; why: a sentence, may be NULL. */
void guard_tell(struct guard *guard, struct guard_root *root, enum severity severity,
                const char *title, const char *why);
const char *guard_reason_word(enum guard_reason reason);
void guard_incidents_done(struct guard *guard);

#endif
