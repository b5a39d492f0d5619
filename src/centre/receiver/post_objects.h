/* JSON objects that stand one behind another in a post, or in lists, cut apart as pieces come. What
 * lies between is passed over; a line there that begins with none of it is told as such. A newline
 * before a '{' in the first column starts the next object whatever the last one lacks, so that one
 * broken entry costs no other (codec/ndjson_walk.h has the same rule). Pure; hostile bytes. */
#ifndef CENTRE_RECEIVER_POST_OBJECTS_H
#define CENTRE_RECEIVER_POST_OBJECTS_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum post_object_fault {
    POST_OBJECT_CUT = 1,  /* longer than the maximum: these are its first bytes */
    POST_OBJECT_OPEN = 2, /* it has no end */
    POST_OBJECT_NONE = 4, /* a line that is no object */
};

/* text: borrowed for the call. A negative answer ends the feeding with it. */
typedef int post_object_fn(void *context, struct str text, unsigned faults);

struct post_objects {
    struct buf text; /* of what is cut, as far as it came */
    post_object_fn *fn;
    void *context;
    size_t depth; /* brackets that are open; 0: between objects */
    bool is_line; /* in a line that is no object */
    bool is_string;
    bool is_escaped; /* the next byte of the string */
    bool is_cut;
    char last; /* the byte before */
};

/* max: bytes of an object that are kept. */
void post_objects_init(struct post_objects *objects, size_t max, post_object_fn *fn, void *context);
void post_objects_done(struct post_objects *objects);
/* -ERR_NOMEM, or what fn answered: the rest of the piece is then lost. */
[[nodiscard]] int post_objects_feed(struct post_objects *objects, struct str piece);
/* No more comes: hands on what has no end. */
[[nodiscard]] int post_objects_end(struct post_objects *objects);

#endif
