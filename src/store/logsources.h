/* The store's part about what writes logs: for each host (an agent's or a sender's) and each name
 * under which it writes, what came, what became of it, and what is known of its silences. The rules
 * of store/store.h hold: rows live in the caller's arena, each write happens in the transaction
 * that the caller opened. */
#ifndef STORE_LOGSOURCES_H
#define STORE_LOGSOURCES_H

#include "base/arena.h"
#include "base/id.h"
#include "base/str.h"
#include "store/store.h"
#include "store/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGSOURCE_NAME_MAX    255 /* bytes */
#define LOGSOURCE_FORMAT_MAX  32
#define LOGSOURCE_SILENCE_MAX 512
#define LOGSOURCE_WHOLE       ""  /* name of a row that stands for all that a sender writes */
#define LOGSOURCE_OTHERS      "*" /* of the row for those past what is kept of one host */

/* entries = judged + unjudged; judged = matched + unmatched. */
struct store_logsource {
    uint64_t number; /* 0: not in the store yet */
    struct id host;
    struct str name;
    struct str format; /* codec/logs.def, as the last entry said */
    int64_t first;     /* arrival of its first entry, wall */
    int64_t last;
    int64_t gap; /* ns that it is silent for at most, as a rule; 0: not known yet */
    uint64_t entries;
    uint64_t bytes;
    uint64_t faulty;   /* not well formed: judged by what could be read */
    uint64_t unjudged; /* the rules never saw them */
    uint64_t matched;  /* a rule or correlation held */
    uint64_t dropped;  /* beside them: the store would not take them */
    struct tally tally;
    struct str silence; /* detect/silence/'s memory */
    uint64_t alert;     /* tells that it is silent; 0: it is not */
    int64_t muted;      /* since when its silence is told to nobody; 0: it is told */
    struct str muted_by;
    struct str muted_why;
};

/* A row with what stands about its host. */
struct store_logsource_row {
    struct store_logsource source;
    struct str host_name;
    int64_t host_seen;
    bool is_revoked;
};

enum logsource_state {
    LOGSOURCE_STATE_SILENT,
    LOGSOURCE_STATE_SPEAKING,
    LOGSOURCE_STATE_MUTED,
    LOGSOURCE_STATE_COUNT,
};

const char *logsource_state_name(enum logsource_state state);
enum logsource_state logsource_state_of(const struct store_logsource *source);

struct store_logsource_filter {
    const struct id *host; /* NULL: all that are not revoked */
    int state;             /* enum logsource_state, -1: all */
    struct str words;      /* that name or host must hold, with or without dấu */
    struct str after;      /* logsource_cursor of the last row; empty: from the first */
    size_t limit;
};

/* Inserts when number is 0 (and gives it), else writes all but what mute writes. */
[[nodiscard]] int store_logsource_put(struct store *store, const struct store_logsource *source,
                                      uint64_t *ret_number);
[[nodiscard]] int store_logsource_get(struct store *store, uint64_t number, struct arena *arena,
                                      struct store_logsource_row *ret_row);
/* The longest silent first, those that speak behind them, muted ones last. */
[[nodiscard]] int store_logsource_list(struct store *store,
                                       const struct store_logsource_filter *filter,
                                       struct arena *arena, struct store_logsource_row **ret_rows,
                                       size_t *ret_count);
/* For core's start: in the order of their numbers. */
[[nodiscard]] int store_logsource_load(struct store *store, uint64_t after, size_t limit,
                                       struct arena *arena, struct store_logsource **ret_sources,
                                       size_t *ret_count);
/* muted 0: tell its silence again. -ERR_NOENT. */
[[nodiscard]] int store_logsource_mute(struct store *store, uint64_t number, int64_t muted,
                                       struct str actor, struct str reason);

#define LOGSOURCE_CURSOR_SIZE 64
void logsource_cursor(const struct store_logsource_row *row, char out[LOGSOURCE_CURSOR_SIZE]);

#endif
