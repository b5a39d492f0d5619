/* Indicators in the fields of log entries: which values look like an address, a hash, a host, a
 * URL, a user agent or an e-mail address, and whether a list has them. A value is told apart by its
 * length and a few of its bytes, and one that was asked before and is on no list is not asked
 * again, so that an entry without any costs a nanosecond or two a field. Values are asked in the
 * form of codec/feed.h:
 *
 * - an address alone, or in front of a port; a hash alone, or in "SHA256=…,MD5=…";
 * - a name with dots and nothing else, by itself and by the domains above it;
 * - a URL alone, with its host, with and without its query; also the first few of a text (a command
 *   line, a script), and cs-host with cs-uri or cs-uri-stem and cs-uri-query;
 * - the whole of a field whose name ends in "agent"; a value with one '@'.
 *
 * Fields of codec/field_kind.def are passed over. What had expired at the entry's own time, to
 * the hour, is no hit; an entry without a time, or from the future, is taken for one of now, as the
 * indicators were told it.
 *
 * A screen is a thread's own, the indicators may be shared. */
#ifndef DETECT_INTEL_SCREEN_H
#define DETECT_INTEL_SCREEN_H

#include "codec/entry.h"
#include "detect/intel/indicators.h"

#define SCREEN_HITS_MAX   32           /* of an entry; more are counted, not shown */
#define SCREEN_SCAN_MAX   (16u << 10)  /* bytes of a text that are looked through for URLs */
#define SCREEN_JOINED_MAX (512u << 10) /* bytes of URLs put together of an entry's fields */

struct screen;

struct screen_hit {
    struct indicator_hit hit;
    size_t field;     /* place in the entry */
    struct str found; /* of its value: borrows the entry, or the screen until the next entry */
};

/* indicators: borrowed, and not added to meanwhile. -ERR_NOMEM. */
[[nodiscard]] int screen_new(const struct indicators *indicators, struct screen **ret_screen);
void screen_free(struct screen *screen);
void screen_freep(struct screen **screen);

/* The indicators that the entry holds, by the order of its fields; valid until the next call. Hits
 * of one list entry in several fields come each. -ERR_NOMEM. */
[[nodiscard]] int screen_entry(struct screen *screen, const struct entry *entry,
                               const struct screen_hit **ret_hits, size_t *ret_count);

struct screen_stats {
    uint64_t entries;
    uint64_t asked; /* values that looked like something */
    uint64_t hits;
};
void screen_stats(const struct screen *screen, struct screen_stats *ret_stats);

#endif
