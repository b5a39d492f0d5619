/* What happens to protected files: opens, held back at the gate until they are answered, and
 * changes of names, told afterwards.
 *
 * Protection follows what is protected: a file or folder that is moved elsewhere, on its file
 * system, is told of by the path that it had (strays.h).
 *
 * Threads: one reader, which answers for our own processes, for everything outside the protected
 * folders and for what port.glanced settles; it takes no lock that anyone holds for long and logs
 * nothing; workers, which run port.opened and so make the original safe; the weigher, which runs
 * port.weighed and may take its time, since no original waits behind it; one for names, which runs
 * port.named. Whatever they do, an open is answered FILES_SAVE_NS after the last progress that was
 * told of it, and FILES_BOUND_NS after it came at the latest; in line for a worker, after that time
 * without any progress, and after FILES_LINE_NS at the latest. That a worker computes is progress
 * too. It is let go then, and counted as late. What is only to be weighed is let go after
 * FILES_DEADLINE_NS without any progress, and FILES_LINE_NS after it came at the latest; nothing
 * can be lost by that.
 *
 * On its way: sys/notify.c → here → agent/shield.c. */
#ifndef SENSE_FILES_H
#define SENSE_FILES_H

#include "base/str.h"
#include "sense/processes.h"
#include "sense/sensor.h"
#include "sys/notify.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define FILES_PLACES_MAX  64
#define FILES_WORKERS     2
#define FILES_DEADLINE_NS (200 * 1000000LL)
#define FILES_SAVE_NS     (800 * 1000000LL) /* agent/watchdog.c waits for a second */
#define FILES_LINE_NS     (2000 * 1000000LL)
#define FILES_BOUND_NS    (5000 * 1000000LL)
#define FILES_PATH_MAX    4096
#define FILES_REST_MS     1000

struct files;

/* A protected folder, or one left out inside a protected one. */
struct files_place {
    const char *path; /* canonical; outlives the sensor */
    bool is_left_out;
};

/* An open that waits. */
struct files_open {
    int fd; /* reading; set to -1 to keep it */
    pid_t tid;
    struct stat stat;
    int64_t arrived; /* ns, monotonic */
    uint64_t fsid;
    atomic_llong progress; /* private: ns, monotonic; 0 until a worker has it */
    atomic_int state;      /* private */
    uint32_t number;  /* private: the descriptor's number, by which the kernel knows the question */
    bool is_doubtful; /* private: seems to lie outside, but not all names have been heard */
    atomic_bool is_safe; /* private: only to be weighed */
    size_t path_len;
    char path[FILES_PATH_MAX]; /* of one that was moved out of a protected folder: its path there */
};

struct files_name {
    enum name_change change; /* one of them */
    bool is_folder;
    bool is_inside;        /* path is protected */
    bool is_target_inside; /* of a rename */
    bool is_left;          /* of a rename or delete: the file lives on where nothing is protected */
    bool is_back;          /* of a rename: comes from where changes may have gone unseen */
    pid_t pid;
    const struct file_handle_id *file;
    struct str path;
    struct str target_path;
};

struct files_port {
    void *context;
    /* Reader thread: our own, or those we must not hold. Wait-free. */
    bool (*is_exempt)(void *context, pid_t tid);
    /* Reader thread: it was woken, and reads opens now; none is read without. Wait-free. */
    void (*begins)(void *context, int64_t now);
    /* Reader thread, after that and at least once in FILES_REST_MS: a sign of life. oldest: since
     * when an open has waited without progress, the longest such time; 0 when none waits.
     * Wait-free. */
    void (*beat)(void *context, int64_t now, int64_t oldest);
    /* Reader thread: an open that needs no waiting for anybody, neither for bytes nor for a lock
     * that is held for long, and opens no file that may be gated. False: a worker's turn. True: it
     * is let go. */
    bool (*glanced)(void *context, struct files_open *open);
    /* Worker threads: whatever may be lost is safe afterwards. True: before it is let go it is to
     * be weighed, which may take long. Should else call files_allow; it is done after the return at
     * the latest. */
    bool (*opened)(void *context, struct files_open *open);
    /* The weigher's thread. fd is what opened has left of it. It is let go afterwards. */
    void (*weighed)(void *context, struct files_open *open);
    /* Names thread: what a descriptor that is held anyway tells of a file; false when none is. */
    bool (*held)(void *context, const struct file_handle_id *file, struct stat *ret_stat);
    /* Names thread. */
    void (*named)(void *context, const struct files_name *name);
    /* Names thread: config.asked_fd can be read, and every name that changed before that has been
     * told. */
    void (*asked)(void *context);
    /* Names thread, after each batch: nothing told so far asks for haste. */
    bool (*is_calm)(void *context);
    struct processes_port processes; /* names thread, before the names that followed */
};

struct files_counts {
    uint64_t opens;
    uint64_t late;       /* let go by the deadline, perhaps before the original was safe */
    uint64_t names_lost; /* times that the kernel had to drop name events or process events */
};

/* gate, names, doze: acquired; processes may be NULL. They stay the caller's. */
struct files_config {
    int gate;
    int names;
    int doze;     /* sys/doze.h; -1: none */
    int asked_fd; /* -1: none */
    struct procwatch *processes;
    const struct files_place *places;
    size_t place_count;
};

[[nodiscard]] int files_new(const struct files_config *config, const struct files_port *port,
                            struct files **ret_files);
/* The reader runs from here on: opens by threads of this process pass at once, others wait in line.
 */
[[nodiscard]] int files_start_reader(struct files *files);
/* Workers, weigher and names. */
[[nodiscard]] int files_start_workers(struct files *files);
/* Joins them. The reader goes on, so that what ends after them may still open files.
 */
void files_stop_workers(struct files *files);
/* Lets everything go and joins the reader too. */
void files_free(struct files *files);

/* Worker thread: a piece of the work for it is done, and the rest may take its time. False when it
 * was let go before. Wait-free. */
bool files_progress(struct files *files, struct files_open *open);
/* Worker thread: whether the open still waits for its answer, and none behind it for a worker. */
bool files_may_linger(struct files *files, const struct files_open *open);
/* Any thread: something was weighed, and whoever waits for that may wait on. Wait-free. */
void files_advance(struct files *files);
/* Thread-safe, and harmless when it was answered already. */
void files_allow(struct files *files, struct files_open *open);
/* No more opens of it until it is modified. */
void files_settle(struct files *files, int fd);
/* The next open comes through the gate again. */
void files_unsettle(struct files *files, int fd);
/* A file that may be protected by another name is written by this one, which is not: from now on
 * what becomes of it is told as if path were protected, also what happens to its other names. */
void files_follow_link(struct files *files, const struct file_handle_id *file, struct str path);
/* A path by which this program may open what the handle means, as an O_PATH descriptor. */
[[nodiscard]] int files_open_handle(struct files *files, const struct file_handle_id *handle);
/* Names thread, while that name is told: its file as an O_PATH descriptor, borrowed, opened once
 * for all who ask. -1 when it is gone. */
int files_named_fd(struct files *files, const struct files_name *name);
struct files_counts files_counts(struct files *files);
/* How often the names thread has handed on all that the kernel had for it. Wait-free. */
uint64_t files_hearings(const struct files *files);
/* Waits until the names thread has handed on all that the kernel has for it now, however much comes
 * after; until (ns, monotonic) at most. False when it has not. Not on the names thread. */
bool files_hear_names(struct files *files, int64_t until);
/* Waits until nobody changes names, until then at most. */
void files_await_silence(struct files *files, int64_t until);
/* Fills in what the gate would of an open of that descriptor; whether it is one of a protected
 * file.
 */
bool files_is_guarded(struct files *files, struct files_open *open);
/* Whether path lies in a protected folder. */
bool files_holds(const struct files *files, struct str path);
/* Longest protected place that holds path and is not left out. Pure. */
bool files_is_protected(const struct files_place *places, size_t count, struct str path);
/* fd_path's answer without the mark that the kernel puts behind names that are gone. Pure. */
struct str files_plain_path(const char *path, bool is_gone);
/* Marks the file system of a folder on both groups; with all rights. */
[[nodiscard]] int files_mark(int gate, int names, const char *folder, struct diag *diag);

extern const struct sensor files_sensor;

#endif
