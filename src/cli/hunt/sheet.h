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
#include "detect/sigma/shown.h"

#define SHEET_LEVEL_WIDTH     14
#define SHEET_INDICATOR_LEVEL SIGMA_LEVEL_HIGH

enum sheet_kind { SHEET_KIND_TABLE, SHEET_KIND_JSON, SHEET_KIND_SUMMARY };

struct sheet {
    const struct sigma_set *set;
    enum sheet_kind kind;
    bool is_coloured;
    int32_t zone; /* seconds east of UTC, for people */
    struct sigma_shown *shown;
    struct str *heads; /* by rule: what is the same in all its matches as JSON */
};

/* A field of the entry as JSON. */
struct sheet_text {
    uint64_t turn; /* the page's, once it is written … */
    size_t start;  /* … there in its texts */
    size_t len;
};

/* A thread's own: the entry in hand, and what has been written of it for its matches to share. */
struct sheet_page {
    const struct sheet *sheet;
    struct arena *arena; /* texts of this entry */
    const struct entry *entry;
    const struct hunt_file *file;
    uint64_t turn; /* of the entry */
    bool is_viewed;
    struct sigma_view view;
    struct sheet_text *of_name; /* by number of the name */
    struct buf texts;
    struct buf told;  /* JSON members of the entry */
    size_t place_len; /* of them those that say where it stands */
};

/* Works out what each rule's matches show, which lives in the arena. kind is set already.
 * -ERR_NOMEM, -ERR_LIMIT. */
[[nodiscard]] int sheet_init(struct sheet *sheet, const struct sigma_set *set, struct arena *arena);
void sheet_done(struct sheet *sheet);

/* arena: emptied whenever a page wants. -ERR_NOMEM. */
[[nodiscard]] int sheet_page_init(struct sheet_page *page, const struct sheet *sheet,
                                  struct arena *arena);
void sheet_page_done(struct sheet_page *page);
/* Takes the next entry in hand; it lives until the next turn. */
void sheet_page_turn(struct sheet_page *page, const struct entry *entry,
                     const struct hunt_file *file);
/* The entry and the rules that held. Where they are very many for a large entry, only the first of
 * them have all of it. -ERR_NOMEM, -ERR_LIMIT. */
[[nodiscard]] int sheet_put_matches(struct sheet_page *page, const uint32_t *rules, size_t count,
                                    struct buf *out);
/* The entry and the indicators in it. */
[[nodiscard]] int sheet_put_hits(struct sheet_page *page, const struct screen_hit *hits,
                                 size_t count, struct buf *out);

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
