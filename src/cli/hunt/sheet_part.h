/* What the files of the sheet share; for nobody else. */
#ifndef CLI_HUNT_SHEET_PART_H
#define CLI_HUNT_SHEET_PART_H

#include "cli/hunt/sheet.h"

/* Views the page's entry, once. -ERR_NOMEM. */
[[nodiscard]] int sheet_page_view(struct sheet_page *page);

/* sheet_json.c */

/* What is the same in all matches of the rule. */
void sheet_json_head(const struct sigma_rule *rule, struct buf *out);
[[nodiscard]] int sheet_json_matches(struct sheet_page *page, const uint32_t *rules, size_t count,
                                     struct buf *out);
[[nodiscard]] int sheet_json_hits(struct sheet_page *page, const struct screen_hit *hits,
                                  size_t count, struct buf *out);
void sheet_json_correlated(const struct sheet *sheet, const struct sigma_correlated *correlated,
                           const struct sheet_place *places, struct buf *out);

#endif
