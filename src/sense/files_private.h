/* What the files of the files sensor share; for nobody else. */
#ifndef SENSE_FILES_PRIVATE_H
#define SENSE_FILES_PRIVATE_H

#include "sense/files.h"
#include "sense/strays.h"
#include "sys/fd.h"

#include <pthread.h>

#define FILES_SLOTS       128  /* opens being looked at; one thread waits in each */
#define FILES_PARKED      1024 /* opens that wait for a slot */
#define FOLDER_CACHE_ROWS 256
#define STRAY_FILES       16384
#define STRAY_FOLDERS     64

enum open_state {
    OPEN_STATE_FREE,
    OPEN_STATE_WAITING,
    OPEN_STATE_ANSWERED,
};

/* Opens that wait for a thread to take them; a ring. */
struct files_line {
    pthread_cond_t has_work;
    struct files_open *slots[FILES_SLOTS];
    size_t head;
    size_t count;
};

/* An open that was read and found no slot. */
struct files_parked {
    struct gate_open open;
    int64_t arrived;
};

/* One mount of a file system. The same one may be mounted at several places, whole or in part (bind
 * mounts, /home and /srv of one disk): what a handle leads to has its path only below the mount
 * through which it is opened. */
struct files_root {
    int fd; /* a folder on it, for handles */
    dev_t dev;
    uint64_t mount;
    uint64_t fsid;
    bool has_twin; /* another mount of this file system is among the roots */
};

/* Where a folder's handle leads, remembered until any folder is moved or removed. */
struct folder_row {
    struct file_handle_id handle;
    char *path; /* NULL: empty row */
};

struct files {
    struct files_port port;
    int gate;
    int names;
    int doze;
    int asked_fd;
    struct procwatch *processes; /* the caller's; NULL: none */
    uint64_t processes_lost;     /* names thread */
    int end_fd;
    struct fd_paths paths; /* reader only */
    unsigned row;          /* reader only: opens that came one upon the other, */
    int64_t row_at;        /* and the last of them; ns, monotonic */
    bool is_awake;         /* reader only: processors may not sleep */
    int64_t awake_at;      /* reader only: until then it is counted */
    int64_t awake_spent;   /* reader only: how long they were kept awake, less their rest; ns */
    bool is_awake_spent;   /* reader only: it was too long, and all of it is to be rested */
    const struct files_place *places;
    size_t place_count;
    struct files_root roots[FILES_PLACES_MAX];
    size_t root_count;

    pthread_mutex_t lock; /* of what follows, held for a few instructions only */
    struct files_open *free_slots[FILES_SLOTS];
    size_t free_count;
    struct files_line unsafe; /* the workers' */
    struct files_line safe;   /* the weigher's */

    atomic_int worker_clocks[FILES_WORKERS]; /* 0: has not begun */
    atomic_int workers_begun;
    int64_t work;      /* reader only: ns of processor time that the workers had when last asked, */
    int64_t worked_at; /* when that had grown, */
    int64_t work_asked; /* and when it was asked for; ns, monotonic */

    atomic_int waiting; /* slots that the workers and the weigher have */

    atomic_bool is_ending; /* workers end; the reader lets everything go, so that none waits */
    atomic_bool is_reader_ending;
    atomic_bool is_names_ending;
    atomic_ullong opens;
    atomic_ullong late;
    atomic_llong progress; /* of any open; ns, monotonic */
    atomic_ullong names_lost;
    pthread_t reader;
    bool has_reader;
    pthread_t threads[FILES_WORKERS + 2];
    size_t thread_count;

    pthread_mutex_t names_lock; /* of is_naming, names_read and names_told */
    pthread_cond_t names_rest;
    bool is_naming;        /* what was read is being handed on */
    uint64_t names_read;   /* events of names, */
    uint64_t names_told;   /* and of those that were handed on */
    atomic_ullong namings; /* times that all was handed on */
    atomic_ullong named;   /* names that were handed on */
    struct strays *strays;
    struct files_parked parked[FILES_PARKED]; /* reader only; a ring */
    size_t parked_head;
    size_t parked_count;

    struct name_reader name_batch;                /* names thread only */
    struct folder_row folders[FOLDER_CACHE_ROWS]; /* names thread only */
    char path[FILES_PATH_MAX];                    /* names thread only */
    char target_path[FILES_PATH_MAX];
    char home_path[FILES_PATH_MAX]; /* names thread only: where they lie for everyone else */
    char target_home_path[FILES_PATH_MAX];
    int named_fd; /* names thread only: of what is told now; -1: not asked for, or gone */
    bool is_named_sought;
    struct files_open slots[FILES_SLOTS];
};

/* Lies in a place that is left out although it may be on a protected file system: settled at once.
 */
bool files_is_private(const struct files *files, struct str path);
const struct files_root *files_root_of_dev(const struct files *files, dev_t dev);
/* Where path lies at home, in room, or path itself when it is in no folder that was moved. */
struct str files_home(const struct files *files, struct str path, char room[FILES_PATH_MAX]);
/* No name waits, and none has been handed on since named was read. */
bool files_is_quiet(struct files *files, uint64_t named);
void *files_names_run(void *context);
void *files_reader_run(void *context);
void *files_worker_run(void *context);
void *files_weigher_run(void *context);
/* Reader: count opens came at once, or none (0 or less). While many come one upon the other, a
 * processor that waits for the next of them, or for the answer, is not to fall asleep: to wake it
 * takes longer than to answer. */
void files_note_row(struct files *files, int count, int64_t now);
int64_t files_check_deadlines(struct files *files, int64_t now);
int64_t files_serve_parked(struct files *files, int64_t now);

#endif
