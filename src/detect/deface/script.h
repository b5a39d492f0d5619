/* What a script of the site is made of, kept small enough to be kept: its tokens cut into runs,
 * each a keyed hash, beside the hosts that its strings name and the calls that injected code lives
 * by. Runs end where the tokens themselves say so (content-defined chunks: Manber 1994, LBFS 2001),
 * so code put anywhere into a minified line changes the runs around it and no other, and two
 * versions are compared by tokens with neither at hand. On the data's way: centre/reader/scripts.c
 * → here → layer_scripts.c. Pure; hostile bytes: call it only where there are no rights. */
#ifndef DETECT_DEFACE_SCRIPT_H
#define DETECT_DEFACE_SCRIPT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "codec/cbor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPT_SIZE_MAX  (4U << 20)
#define SCRIPT_RUNS_MAX  512 /* of one script; all that is behind is the last run */
#define SCRIPT_HOSTS_MAX 32  /* further ones are not kept, has_more_hosts says so */
#define SCRIPT_HOST_MAX  128 /* bytes of one */

enum script_call {
    SCRIPT_CALL_LOADS,  /* writes a script or frame into the page */
    SCRIPT_CALL_SENDS,  /* sets location */
    SCRIPT_CALL_RUNS,   /* eval, Function or atob beside a long string */
    SCRIPT_CALL_SPELLS, /* String.fromCharCode beside a chain of numbers, or again and again */
    SCRIPT_CALL_ASKS,   /* referrer or userAgent beside the name of a search engine */
    SCRIPT_CALL_COUNT,
};

struct script_run {
    uint32_t hash;
    uint32_t tokens;
    uint32_t calls; /* bits of enum script_call */
};

struct script_host {
    struct str name; /* as struct page_link has it */
    uint32_t run;    /* where it is named first */
};

struct script_sketch {
    uint64_t version; /* of all tokens in their order, keyed */
    uint32_t tokens;
    uint32_t bits; /* a run has about so many doublings of tokens */
    uint32_t calls[SCRIPT_CALL_COUNT];
    const struct script_run *runs;
    size_t run_count;
    const struct script_host *hosts;
    size_t host_count;
    bool has_more_hosts;
};

/* text: at most SCRIPT_SIZE_MAX of it is read. old: the sketch that it will be compared with, NULL:
 * none. What is made lies in the arena. -ERR_NOMEM. */
[[nodiscard]] int script_sketch_make(struct str text, uint64_t key, const struct script_sketch *old,
                                     struct arena *arena, struct script_sketch *ret_sketch);

/* The most bytes that it is encoded to. */
size_t script_sketch_size(const struct script_sketch *sketch);
void script_sketch_encode(const struct script_sketch *sketch, struct buf *buf);
/* Failures stick in the reader, and in -ERR_NOMEM; hosts borrow its bytes. */
[[nodiscard]] int script_sketch_decode(struct cbor_reader *reader, struct arena *arena,
                                       struct script_sketch *ret_sketch);

struct script_diff {
    uint32_t added; /* tokens, to the runs that they stand in */
    uint32_t gone;
    bool is_addition;        /* most of the old is still there, and the new is little */
    uint32_t calls;          /* bits: made in what is new, more often than ever */
    uint32_t first_calls;    /* of these, not made at all before */
    const struct str *hosts; /* named in what is new, their domain nowhere in the old */
    size_t host_count;
};

/* Borrows both. -ERR_NOMEM. */
[[nodiscard]] int script_diff_make(const struct script_sketch *old,
                                   const struct script_sketch *fresh, struct arena *arena,
                                   struct script_diff *ret_diff);

#endif
