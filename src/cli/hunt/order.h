/* What a hunt was asked for, checked: made by hunt.c from its settings before anything is opened,
 * followed by reader.c. */
#ifndef CLI_HUNT_ORDER_H
#define CLI_HUNT_ORDER_H

#include "cli/hunt/sheet.h"
#include "codec/logs.h"

struct hunt_order {
    enum sheet_kind kind;
    bool is_json; /* with SHEET_KIND_SUMMARY: its rows as NDJSON */
    bool is_naive;
    bool is_bare;     /* without the rules that are built in */
    bool is_terminal; /* stderr: progress is shown */
    bool is_coloured; /* stdout */
    size_t jobs;
    int64_t from;                    /* ns since 1970 UTC; INT64_MIN: no bound */
    int64_t to;                      /* the last moment that counts; INT64_MAX: no bound */
    int32_t zone;                    /* seconds east of UTC */
    enum sigma_level level;          /* the least that is shown */
    const struct log_format *format; /* NULL: guessed for each file */
    struct logsource source;
};

/* "2026-11-20", "2026-11-20 08:30", "2026-11-20T08:30:00", RFC 3339. What names no zone is in zone;
 * a date alone as an end lasts to its last moment. -ERR_SYNTAX, -ERR_RANGE. */
[[nodiscard]] int order_parse_time(struct str text, int32_t zone, bool is_end, int64_t *ret_time);
/* "+07:00", "-03:30", "Z". */
[[nodiscard]] int order_parse_zone(struct str text, int32_t *ret_zone);

#endif
