/* How matches are printed: NDJSON for programs, a table for people. Made once, shared by threads
 * from then on; what is printed goes to the caller's buffer. */
#ifndef CLI_HUNT_SHEET_H
#define CLI_HUNT_SHEET_H

#include "base/arena.h"
#include "base/buf.h"
#include "cli/hunt/crew.h"
#include "codec/json.h"
#include "detect/intel/screen.h"
#include "detect/sigma/correlate.h"

#define SHEET_LEVEL_WIDTH     14
#define SHEET_INDICATOR_LEVEL SIGMA_LEVEL_HIGH

enum sheet_kind { SHEET_KIND_TABLE, SHEET_KIND_JSON, SHEET_KIND_SUMMARY };

struct sheet {
    const struct sigma_set *set;
    enum sheet_kind kind;
    bool is_coloured;
    int32_t zone;                /* seconds east of UTC, for people */
    struct sheet_fields *fields; /* worth showing, by rule */
};

struct sheet_fields {
    const struct str *names;
    size_t count;
};

/* Works out what fields each rule shows; they live in the arena. -ERR_NOMEM. */
[[nodiscard]] int sheet_init(struct sheet *sheet, const struct sigma_set *set, struct arena *arena);
/* One entry and the rules that held; where they are very many for a large entry, JSON has it whole
 * with the first of them only. arena: for texts of this entry. -ERR_NOMEM, -ERR_LIMIT. */
[[nodiscard]] int sheet_put_matches(const struct sheet *sheet, const struct entry *entry,
                                    const struct hunt_file *file, const uint32_t *rules,
                                    size_t count, struct arena *arena, struct buf *out);

/* One entry and the indicators in it. */
[[nodiscard]] int sheet_put_hits(const struct sheet *sheet, const struct entry *entry,
                                 const struct hunt_file *file, const struct screen_hit *hits,
                                 size_t count, struct arena *arena, struct buf *out);

/* Where a cause of a correlation stands. */
struct sheet_place {
    const char *path;
    uint64_t line;
};

[[nodiscard]] int sheet_put_correlated(const struct sheet *sheet,
                                       const struct sigma_correlated *correlated,
                                       const struct sheet_place *places, struct buf *out);
/* A level's word padded to its column, coloured where colours are. */
void sheet_put_level(const struct sheet *sheet, enum sigma_level level, struct buf *out);
void sheet_put_time(const struct sheet *sheet, int64_t time, struct buf *out);
/* "key": "…Z", or null for a time that is not known. */
void sheet_put_json_time(struct json_writer *json, const char *key, int64_t time);

#endif
