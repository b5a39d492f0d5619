/* Every format of logs behind one port, each `const struct log_format` in a file of its own and a
 * row in codec/logs.def. A file is cut into blocks of whole records and each block is read by
 * itself, so that threads may share a file and a stream needs no more memory than its longest
 * record. Pure; hostile bytes: whoever calls has no rights. Nothing is ever dropped: what does not
 * fit its format comes as an entry with its faults marked and its bytes in raw. */
#ifndef CODEC_LOGS_H
#define CODEC_LOGS_H

#include "codec/entry.h"
#include "codec/log_names.h"

#define LOG_HEAD_SIZE  (64u << 10) /* bytes that are enough to tell the format */
#define LOG_INSIDE_MAX 3           /* a line of syslog in JSON in a line of syslog */

/* entry: borrowed for the call. A negative answer ends the reading with it. */
typedef int entry_fn(void *context, const struct entry *entry);

struct log_counts {
    uint64_t bytes;
    uint64_t entries; /* handed on */
    uint64_t faulty;  /* of them with other faults than that they have no time */
    uint64_t undated; /* of them without a time */
    uint64_t passed;  /* lines that are no entries: headings, comments, empty ones */
};

/* How blocks are read; one a thread. Start from log_reading_init. */
struct log_reading {
    const struct entry_names *names; /* NULL: no field gets a number */
    struct logsource source;         /* parts that the caller knows better: they win */
    int64_t around; /* ns since 1970 UTC: a time without year or zone is taken to lie near it and
                     * at most a day behind it (RFC 3164); 0: 1970 */
    int32_t zone;   /* seconds east of UTC of times that name no zone */
    struct arena *arena; /* reset for each entry by the format */
    struct entry entry;
    struct str head; /* of the file that blocks are from, as weigh saw it: formats whose first lines
                      * describe the others look there. Empty: blocks come in turn from its front */
    uint64_t number; /* of the next record: the caller sets it when blocks are out of turn */
    struct log_counts counts;
    void *state; /* what a format remembers from block to block; its own while state_free is */
    void (*state_free)(void *state);
    const struct entry_names *resolved; /* the readers' own: names that ids are of */
    uint32_t ids[LOG_NAME_COUNT];       /* of the names in log_names.def */
    int64_t year;                       /* in which around lies; 0: not reckoned yet */
    unsigned inside;                    /* records around this one; at most LOG_INSIDE_MAX */
};

/* -ERR_NOMEM. */
[[nodiscard]] int log_reading_init(struct log_reading *reading, const struct entry_names *names);
void log_reading_done(struct log_reading *reading);

struct log_format {
    const char *name;  /* "ndjson", "syslog" …, as options and rows of accounting say */
    const char *title; /* for people */
    /* How sure the first bytes of a file (at most LOG_HEAD_SIZE) make: 0 it is not this … 100. */
    unsigned (*weigh)(struct str head);
    /* Length of the whole records at the front of bytes, 0: more are needed. At the end of the
     * file, or when bytes are longer than a record may be, never 0 for bytes that are not empty. */
    size_t (*cut)(struct str bytes, bool is_end);
    /* Reads a block that cut made. 0, -ERR_NOMEM, or what fn answered. */
    int (*read)(struct log_reading *reading, struct str block, entry_fn *fn, void *context);
    /* Its lines can be read only with those at the head of their file (reading.head). */
    bool has_head;
    /* Records (lines) in a block, for numbers when threads read ahead; NULL: newlines. */
    uint64_t (*count)(struct str block);
};

/* All of them, the surest guess first among equals; ends with NULL. */
extern const struct log_format *const log_formats[];
const struct log_format *log_format_find(struct str name);
/* Never NULL: what nothing else knows is "lines", each line an entry without fields. */
const struct log_format *log_format_guess(struct str head);

/* For formats of lines: cut at the last newline; hand on an entry with the caller's source laid
 * over, its raw cut at ENTRY_SIZE_MAX, and its counts kept. */
size_t log_cut_lines(struct str bytes, bool is_end);
[[nodiscard]] int log_hand_on(struct log_reading *reading, struct entry *entry, entry_fn *fn,
                              void *context);

#endif
