/* What readers of logs take out of an entry that does not stand in it letter by letter, so that
 * whoever looks for a field's value in the raw entry knows when not to trust its absence:
 *
 *     JSON                     escapes of letters, digits, '_', '.', '\' and all beyond ASCII;
 *                              those of other signs part words, as the signs do in the value
 *     JSON with a line in it   what stands in the line's own code
 *     web servers, XML         escapes and references of such signs; what XML leaves out
 *     CEF, LEEF                a backslash that is left out before a letter
 *     audit                    values in hexadecimal
 *     EVTX, unknown formats    anything
 *
 * All other readers cut values out of the entry as they stand (codec/logs.h). Pure; hostile bytes:
 * one pass. */
#ifndef MODEL_CODED_H
#define MODEL_CODED_H

#include "base/buf.h"
#include "base/str.h"
#include "model/event.h"

#include <stdbool.h>

enum coded {
    CODED_NONE = 0,
    CODED_SIGNS = 1, /* values may hold words that nothing here gives */
    CODED_PLAIN = 2, /* they hold words of the entry, or of what coded_next gives */
};

/* format: its name (codec/logs.def). */
enum coded coded_entry(struct str format, struct str entry);
/* CODED_NONE of an event that has no entry. */
enum coded coded_event(const struct event *event);

/* Texts that an entry with CODED_PLAIN means besides its own, one after another. */
struct coded_walk {
    bool is_audit;
    struct str rest;
    unsigned passes;
    char *out; /* of the next pass, in room */
    struct buf *room;
};

/* room: scratch, into which texts are written. The event must outlive the walk. */
void coded_begin(struct coded_walk *walk, const struct event *event, struct buf *room);
/* 1 with a text that lasts until the next call, 0 at the end, -ERR_NOMEM, -ERR_LIMIT. */
[[nodiscard]] int coded_next(struct coded_walk *walk, struct str *ret_text);

#endif
