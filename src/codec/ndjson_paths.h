/* The names that JSON logs use, remembered with what they mean, so that a name is joined, looked up
 * and told by its shape once and then only recognised: logs repeat a few dozen names for ever. A
 * path is a name in its place: root 0, its members, their members. Numbers hold until
 * ndjson_paths_trim. Not thread-safe. */
#ifndef CODEC_NDJSON_PATHS_H
#define CODEC_NDJSON_PATHS_H

#include "codec/entry.h"
#include "codec/ndjson_shapes.h"
#include "codec/ndjson_words.h"

#define NDJSON_PATHS_KEPT 4096       /* from one entry to the next; an entry may have more */
#define NDJSON_PATHS_TEXT (4u << 20) /* bytes of joined names */

struct ndjson_path {
    struct str key;  /* the name as it stands in its object, escapes and all */
    struct str name; /* joined with dots, without wrappers; the root's is empty */
    uint32_t hash;
    uint32_t parent;
    uint32_t next;  /* which path came behind it the last time */
    uint32_t first; /* which of its members came first the last time */
    struct ndjson_tells tells;
    bool is_known;           /* it may mean something: ndjson_words */
    bool is_wanted;          /* somebody may ask for it as a whole, when it is an object */
    bool is_wrapper;         /* its members are named without it */
    struct ndjson_call call; /* what it is called in the shape that was last asked for */
};

struct ndjson_paths {
    const struct entry_names *names;
    struct arena *arena;
    struct ndjson_path *list;
    uint32_t *slots; /* bits of a path's hash above its number; 0: free */
    uint32_t count;
    uint32_t room;   /* of slots, a power of two; list has three quarters of it */
    uint32_t before; /* how many there were before this entry */
    unsigned parts;  /* that may fall off a name */
    uint64_t seed;
    struct ndjson_words words;
};

/* names may be NULL and must outlive it. -ERR_NOMEM. */
[[nodiscard]] int ndjson_paths_init(struct ndjson_paths *paths, const struct entry_names *names);
void ndjson_paths_done(struct ndjson_paths *paths);
/* Before each entry: forgets all when they have become many, and gives memory back when the last
 * entry did not need it. -ERR_NOMEM. */
[[nodiscard]] int ndjson_paths_trim(struct ndjson_paths *paths);
/* The number of the parent's member. -ERR_NOMEM, -ERR_LIMIT: more text than names may have. */
[[nodiscard]] int ndjson_paths_member(struct ndjson_paths *paths, uint32_t parent, struct str key,
                                      uint32_t *ret_path);

#endif
