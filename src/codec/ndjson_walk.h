/* Walks JSON objects that stand one behind another in a text and lays their values out as fields,
 * without copying them and without recursion. A record is an object; a newline before a '{' in the
 * first column always starts the next one, whatever the last one lacks, so that one broken record
 * costs no other. Pure. Source: RFC 8259; what breaks it is flagged and walked on where it can be.
 */
#ifndef CODEC_NDJSON_WALK_H
#define CODEC_NDJSON_WALK_H

#include "codec/entry.h"
#include "codec/ndjson_index.h"
#include "codec/ndjson_paths.h"

#define NDJSON_DEPTH_MAX 64
/* The type of an object that is also a field as a whole, its value the object's text, because
 * somebody may ask for its name (Sigma's rules look for words in requestParameters …). */
#define NDJSON_TYPE_WHOLE ENTRY_TYPE_COUNT

/* An object or list that is not closed yet. */
struct ndjson_frame {
    uint32_t path;
    uint32_t last; /* the path of the member that came last, for what follows it */
    size_t start;
    bool is_list;
    bool is_kept; /* also a field as a whole */
};

struct ndjson_walk {
    struct ndjson_index index;
    struct str text;
    size_t at;
    struct ndjson_paths *paths;
    struct entry *entry;
    size_t limit;   /* fields lie before it */
    uint64_t lines; /* newlines between its values */
    bool is_broken; /* walk->at is where it could not be read on */
    struct ndjson_frame frames[NDJSON_DEPTH_MAX];
    size_t depth;
    bool is_comma;             /* one stands before walk->at */
    struct ndjson_tells tells; /* of all names met in the record */
};

void ndjson_walk_init(struct ndjson_walk *walk, struct str text, struct ndjson_paths *paths);
/* Reads the object that starts at walk->at. Its fields' ids are numbers of paths, and walk->at lies
 * behind it, or where it broke. -ERR_NOMEM. */
[[nodiscard]] int ndjson_walk_record(struct ndjson_walk *walk, struct entry *entry);
/* Where the object or list that starts at `at` ends (behind its bracket); 0: it does not. */
size_t ndjson_walk_end(struct ndjson_index *index, size_t at);
/* Newlines from `from` up to `to`. */
uint64_t ndjson_walk_lines(struct str text, size_t from, size_t to);

#endif
