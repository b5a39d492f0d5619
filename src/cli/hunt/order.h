/* What a hunt was asked for, checked: made by hunt.c from its settings before anything is opened,
 * followed by reader.c. */
#ifndef CLI_HUNT_ORDER_H
#define CLI_HUNT_ORDER_H

#include "cli/hunt/crew.h"
#include "cli/hunt/sheet.h"
#include "codec/logs.h"

/* Past so many a hunt is given up. */
#define HUNT_SKIPS_MAX    16
#define HUNT_SUSPECTS_MAX (HUNT_SKIPS_MAX + CREW_JOBS_MAX)

enum hunt_skip_kind {
    HUNT_SKIP_READ,  /* the rest of a file, from its block of that record */
    HUNT_SKIP_LINE,  /* the line of that number: its block cannot be parsed with it */
    HUNT_SKIP_ENTRY, /* the record of that number */
    HUNT_SKIP_BLOCK, /* all records of the block that begins with it */
};

/* What a reader before this one ended over. */
struct hunt_skip {
    enum hunt_skip_kind kind;
    uint64_t file; /* its place in the order of reading */
    uint64_t number;
};

/* A block over which a reader before this one ended: its lines are tried one by one. */
struct hunt_suspect {
    uint64_t file;
    uint64_t block;
};

struct hunt_order {
    enum sheet_kind kind;
    bool is_json; /* with SHEET_KIND_SUMMARY: its rows as NDJSON */
    bool is_naive;
    bool is_bare;     /* without the rules that are built in */
    bool is_again;    /* another reader told what of the rules cannot be read */
    bool is_terminal; /* stderr: progress is shown */
    bool is_coloured; /* stdout */
    size_t jobs;
    int64_t patience;       /* ns on a processor over one entry, in which a reader goes on */
    int64_t from;           /* ns since 1970 UTC; INT64_MIN: no bound */
    int64_t to;             /* the last moment that counts; INT64_MAX: no bound */
    int32_t zone;           /* seconds east of UTC */
    enum sigma_level level; /* the least that is shown */
    const struct log_format *format; /* NULL: guessed for each file */
    struct logsource source;
    struct hunt_skip skips[HUNT_SKIPS_MAX];
    size_t skip_count;
    struct hunt_suspect suspects[HUNT_SUSPECTS_MAX];
    size_t suspect_count;
};

bool order_skips(const struct hunt_order *order, enum hunt_skip_kind kind, uint64_t file,
                 uint64_t number);
bool order_suspects(const struct hunt_order *order, uint64_t file, uint64_t block);

/* "2026-11-20", "2026-11-20 08:30", "2026-11-20T08:30:00", RFC 3339. What names no zone is in zone;
 * a date alone as an end lasts to its last moment. -ERR_SYNTAX, -ERR_RANGE. */
[[nodiscard]] int order_parse_time(struct str text, int32_t zone, bool is_end, int64_t *ret_time);
/* "+07:00", "-03:30", "Z". */
[[nodiscard]] int order_parse_zone(struct str text, int32_t *ret_zone);

#endif
