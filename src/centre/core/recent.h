/* Lines of streams that were committed last, for when the receiver dies under its senders: one that
 * was not told by TCP or TLS that its last lines arrived sends them again (rsyslog: 128). Only
 * lines count whose bytes tell them from all others (RECEIVER_MARK_ONCE), and only those of
 * receivers before this one: so no line is taken for another's repeat. Of bounded size; core's
 * death forgets them, and the lines come twice then. */
#ifndef CENTRE_CORE_RECENT_H
#define CENTRE_CORE_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECENT_MAX 65536U /* lines of all senders */

struct recent {
    uint64_t lines[RECENT_MAX];  /* hashes; a ring */
    uint64_t durable;            /* so many went in and were committed … */
    uint64_t pending;            /* … and so many with the open batch */
    uint64_t before[RECENT_MAX]; /* of receivers before this one, sorted */
    size_t before_count;
    int64_t until; /* monotonic; nobody sends again later */
};

/* A receiver begins; what is there is committed. */
void recent_begin(struct recent *recent, int64_t now);
/* Whether a receiver before this one had that line committed. */
bool recent_has(const struct recent *recent, uint64_t hash, int64_t now);
/* In the open batch. */
void recent_add(struct recent *recent, uint64_t hash);
void recent_commit(struct recent *recent);
/* The open batch came to nothing. */
void recent_forget(struct recent *recent);

#endif
