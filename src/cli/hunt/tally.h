/* What a hunt found, counted: by rule, indicator, host and technique of ATT&CK, with first and
 * last. */
#ifndef CLI_HUNT_TALLY_H
#define CLI_HUNT_TALLY_H

#include "base/buf.h"
#include "cli/hunt/sheet.h"

#define TALLY_HOSTS_MAX 65536 /* those beyond are counted together; so are indicators */

struct hunt_tally;

[[nodiscard]] int hunt_tally_new(const struct sigma_set *set, struct hunt_tally **ret_tally);
void hunt_tally_free(struct hunt_tally *tally);
/* Any thread: notes a match for hunt_tally_take. */
[[nodiscard]] int hunt_tally_pack(uint32_t rule, const struct entry *entry, struct buf *hits);
/* The same of an indicator. */
[[nodiscard]] int hunt_tally_pack_indicator(struct str value, const struct entry *entry,
                                            struct buf *hits);
[[nodiscard]] int hunt_tally_take(struct hunt_tally *tally, struct str hits);
void hunt_tally_add_correlated(struct hunt_tally *tally, const struct sigma_correlated *correlated);
/* Writes the tables, or rows of NDJSON; most first. */
[[nodiscard]] int hunt_tally_put(struct hunt_tally *tally, const struct sheet *sheet, bool is_json,
                                 struct buf *out);

#endif
