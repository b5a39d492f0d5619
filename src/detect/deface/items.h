/* Things that a page has had, each as a keyed hash with how often and when last: bounded memory of
 * text blocks, links, titles, domains. How often is a running mean over the looks so far, and after
 * 32 of them over about the last 32, so that what a page no longer has fades. What does not fit
 * goes into a filter of bits that only answers "seen, most likely". Not thread-safe. */
#ifndef DETECT_DEFACE_ITEMS_H
#define DETECT_DEFACE_ITEMS_H

#include "base/buf.h"
#include "base/str.h"
#include "codec/cbor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ITEMS_SHARE_ONE    65535U
#define ITEMS_STABLE       52428U /* 0.8 of the looks */
#define ITEMS_FILTER_BYTES 2048

struct item {
    uint32_t hash;
    uint16_t share; /* of the looks that had it, of ITEMS_SHARE_ONE */
    uint16_t last;  /* low bits of the number of the look that had it last */
};

struct items {
    struct item *rows; /* by hash */
    size_t count;
    size_t room;
    size_t limit;
    uint8_t *filter; /* NULL until something did not fit */
    size_t filtered; /* put into it since it was last emptied */
};

/* Allocates nothing yet. */
void items_init(struct items *items, size_t limit);
void items_done(struct items *items);

const struct item *items_find(const struct items *items, uint32_t hash);
/* Also what is only in the filter. */
bool items_has(const struct items *items, uint32_t hash);
/* Takes one look's things, in any order and with repetitions (the array is sorted in place). look:
 * its number, from 1. has_filter: keep what does not fit in the filter, else forget the weakest.
 * -ERR_NOMEM leaves the set as it was. */
[[nodiscard]] int items_learn(struct items *items, uint32_t *hashes, size_t count, uint32_t look,
                              bool has_filter);

/* Ascending. room: for as many. */
void hashes_sort(uint32_t *hashes, size_t count, uint32_t *room);

void items_encode(const struct items *items, struct buf *buf);
/* Failures stick in the reader, and in -ERR_NOMEM. */
[[nodiscard]] int items_decode(struct items *items, struct cbor_reader *reader);

#endif
