/* The inside of the cutter of posts, shared by post*.c only: post.c knows the four forms and
 * counts, post_objects.c tells objects apart, post_hec.c opens the collector's envelope, post_say.c
 * asks a format's reader who wrote an entry. */
#ifndef CENTRE_RECEIVER_POST_PART_H
#define CENTRE_RECEIVER_POST_PART_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "centre/receiver/post_objects.h"
#include "centre/receiver/private.h"
#include "codec/lines.h"
#include "codec/logs.h"

#define POST_OBJECT_MAX (256U << 10) /* bytes of an object with its envelope */

/* What is to come of _bulk. */
enum post_bulk {
    POST_BULK_ACTION, /* a line of what to do */
    POST_BULK_ENTRY,
    POST_BULK_PASSED, /* an entry whose action was refused */
};

struct post_unpack;

struct post_cutter {
    enum receiver_form form;
    post_entry_fn *fn;
    void *context;
    char token[RECEIVER_VIA_MAX + 1];
    char host[RECEIVER_HOST_MAX + 1];
    uint32_t number; /* of what is in hand, from 1 */
    enum post_bulk bulk;
    uint64_t action;            /* a hash of the line of what to do: it may name the entry */
    struct post_unpack *unpack; /* NULL: it comes as it is */
    struct lines lines;
    struct post_objects objects;
    struct log_reading reading;
    struct arena *arena; /* of the entry in hand */
    struct post_counts counts;
};

/* Hands an entry on: fills in what it does not say yet (format, host, source) and counts it. */
[[nodiscard]] int post_take(struct post_cutter *cutter, struct receiver_entry *entry);
/* Counts one that is not taken. Negative: there were too many. */
[[nodiscard]] int post_refuse(struct post_cutter *cutter, enum post_fault fault);

/* post_hec.c: one object of the collector. */
[[nodiscard]] int post_hec_take(struct post_cutter *cutter, struct str text);

/* post_hec.c: the next member of an object of which rest is what stands behind its '{' or behind
 * the member before. key without its quotes, value as it is written. False: there is none. */
bool post_member(struct str *rest, struct str *ret_key, struct str *ret_value);

/* post_unpack.c: gzip (members one behind another) or zlib, in pieces as they come. */
typedef int post_unpacked_fn(void *context, struct str piece);
/* limit: bytes that may come out. -ERR_NOMEM. */
[[nodiscard]] int post_unpack_new(uint64_t limit, post_unpacked_fn *fn, void *context,
                                  struct post_unpack **ret_unpack);
void post_unpack_free(struct post_unpack *unpack);
/* What fn answered; -ERR_SYNTAX for what was not packed so, or ends too early; -ERR_FBIG past the
 * limit; -ERR_NOMEM; POST_CUTTER_MORE as post_cutter_feed says. */
[[nodiscard]] int post_unpack_feed(struct post_unpack *unpack, struct str *piece, bool is_last);

/* post_say.c: fills in format, host and source where they are empty. Texts live in the reading
 * until the next entry. -ERR_NOMEM. */
[[nodiscard]] int post_say(struct post_cutter *cutter, struct receiver_entry *entry);

#endif
