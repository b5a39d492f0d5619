/* The newest of the events that a search has met, as many as it may answer with: a heap, the least
 * wanted on top. */
#ifndef STORE_ARCHIVE_MATCHES_H
#define STORE_ARCHIVE_MATCHES_H

#include "store/archive/private.h"

struct match {
    int64_t time;
    struct archive_key key;
    char *bytes; /* the event, encoded */
    size_t len;
};

struct matches {
    struct match *list;
    size_t count;
    size_t limit;
};

/* Of two of one time: below 0 when a comes before b. */
int archive_key_compare(const struct archive_key *a, const struct archive_key *b);

[[nodiscard]] int matches_init(struct matches *matches, size_t limit);
void matches_done(struct matches *matches);
bool matches_are_full(const struct matches *matches);
/* The oldest one's time; INT64_MIN while there is room. */
int64_t matches_last(const struct matches *matches);
/* Keeps a copy of the event, or not when all are newer and there is no room. */
[[nodiscard]] int matches_keep(struct matches *matches, const struct archive_key *key, int64_t time,
                               struct str encoded);
/* Puts them into the answer's order; nothing may be kept afterwards. */
void matches_sort(struct matches *matches);

#endif
