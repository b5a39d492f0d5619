/* What the files of the journal's process share; for nobody else.
 *
 * journald numbers its entries; files that go on from one another, or are written beside one
 * another, may share a numbering, which has an id of its own and is called a chain here. Within a
 * chain entries are handed on by number, and a number says all that is needed to go on: whatever
 * file holds the next one by then. A chain that is met for the first time is read from a moment:
 * that of the first start. */
#ifndef AGENT_JOURNAL_PRIVATE_H
#define AGENT_JOURNAL_PRIVATE_H

#include "agent/follower.h"
#include "agent/journal.h"
#include "base/list.h"

#include <systemd/sd-journal.h>

#define JOURNAL_NAME        "journal" /* of the process, and of the format in codec/logs.def */
#define JOURNAL_FILES_MAX   1024
#define JOURNAL_CHAINS_MAX  256
#define JOURNAL_FOLDERS_MAX 32
#define JOURNAL_ID_SIZE     33 /* text of an id, with its NUL */

struct journal_folder {
    char *path;
    const char *named; /* the folder of the settings that it is, or lies in */
    uint64_t dev;
    uint64_t ino;    /* 0: not there */
    int64_t changed; /* ns: its time of change when it was listed last */
    int64_t listed;  /* ns: that moment, by the same clock */
    bool is_told;
};

/* A place in a chain, as a cursor says it. */
struct journal_place {
    char id[JOURNAL_ID_SIZE]; /* of the chain */
    uint64_t chain;           /* the id's first half, and so for boot: halves of random numbers */
    uint64_t boot;
    uint64_t number;
    uint64_t time; /* µs since 1970 UTC, when journald took it */
    uint64_t hash; /* of its fields */
};

struct journal_chain {
    uint64_t chain; /* 0: free */
    uint64_t boot;
    uint64_t number; /* handed on last; 0: none yet */
    uint64_t time;
    uint64_t hash;
    unsigned files;    /* that are open */
    const char *named; /* folder of the settings that it came from; NULL: before this process */
    bool is_whole;     /* what follows `number` was seen to follow it: else some may be missing */
};

struct journal_file {
    struct list link;
    char *path;
    struct journal_folder *folder;
    uint64_t dev;
    uint64_t ino;
    sd_journal *journal;         /* NULL: not open */
    struct journal_chain *chain; /* NULL: no entry has been seen in it */
    struct journal_place place;  /* of the entry that it stands at */
    bool has_entry;              /* that is to be handed on */
    bool is_seen;                /* still at its path when the folder was listed last */
    bool is_late;                /* found after a wait: files before it may have come and gone */
    bool is_done;                /* nothing comes any more, or it cannot be read */
    unsigned tries;
    int64_t retry; /* monotonic ns */
    bool is_told;
};

struct journal {
    const struct journal_config *config;
    struct follower follower;
    struct journal_folder folders[JOURNAL_FOLDERS_MAX];
    size_t folder_count;
    size_t root_count; /* the first ones: those of the settings */
    char machine[JOURNAL_ID_SIZE];
    struct list files;
    size_t file_count;
    struct journal_chain chains[JOURNAL_CHAINS_MAX];
    bool has_waited; /* for the outlet, and has not caught up since */
    uint64_t since;  /* µs since 1970 UTC: where a new chain begins */
    bool is_since_noted;
    bool is_audit_read; /* from auditd's own file: then not from here */
    struct buf text;    /* of an entry */
};

/* journal/files.c */

/* The folders of the settings, and which of them are there. */
void journal_find_roots(struct journal *journal, const struct agent_settings *settings);
/* Lists what has changed; is_fresh: also what has not. False when a folder of the settings has come
 * or was replaced: it can be opened only by another process. */
[[nodiscard]] bool journal_list(struct journal *journal);
/* No entry that is there is left unseen: each file has one to hand on or is at its end. */
void journal_look(struct journal *journal);
/* To its next entry. */
void journal_step(struct journal *journal, struct journal_file *file);
void journal_close(struct journal *journal);

/* journal/places.c */

/* What was noted. Needs the rights that are given up afterwards. */
[[nodiscard]] int journal_load(struct journal *journal, struct diag *diag);
/* -ERR_SYNTAX. */
[[nodiscard]] int journal_parse_cursor(struct str cursor, struct journal_place *ret_place);
/* The chain of that id; a new one takes a free place, or that of the one unused for longest. NULL:
 * files of all are open. */
struct journal_chain *journal_find_chain(struct journal *journal, uint64_t chain);
/* Whether the entry was handed on from another folder before journald copied it here, as it does
 * when it goes over from memory to disk. */
bool journal_is_copy(const struct journal *journal, const struct journal_file *file);
/* The chain is handed on up to the place, in the outlet's words. */
struct position journal_position(const struct journal *journal, const struct journal_chain *chain,
                                 const struct journal_place *place);
/* Notes where new chains begin, once. -ERR_AGAIN. */
[[nodiscard]] int journal_note_since(struct journal *journal);

/* journal/entry.c: the file's entry. -ERR_AGAIN: the outlet takes nothing now. */
[[nodiscard]] int journal_send(struct journal *journal, struct journal_file *file);
/* That at most so many entries before the file's are gone. */
[[nodiscard]] int journal_send_missing(struct journal *journal, const struct journal_file *file,
                                       uint64_t count);

/* journal/read.c: a turn, as follower_read_fn. */
bool journal_read(void *context);

#endif
