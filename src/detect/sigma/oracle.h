/* The naive judge: walks a rule's tree and asks each atom of the entry as it stands. Slow and
 * plain: what the engine says is measured against it. */
#ifndef DETECT_SIGMA_ORACLE_H
#define DETECT_SIGMA_ORACLE_H

#include "base/arena.h"
#include "detect/sigma/rule.h"

/* Whether one of the rule's ways holds. An entry whose log source is wholly unknown is of every log
 * source, but of ways that would hold of any entry there ("not a private address", "copy"): those
 * ask for a source that is known. Else each part that a way names must be the entry's own.
 * *ret_is_match is untouched on -ERR_NOMEM. */
[[nodiscard]] int sigma_oracle(const struct sigma_rule *rule, const struct entry *entry,
                               struct arena *arena, bool *ret_is_match);
bool sigma_source_is_known(const struct logsource *source);
bool sigma_source_fits(const struct logsource *way, const struct logsource *entry);
/* Whether the tree holds of an entry without a field and without a text. -ERR_NOMEM. */
[[nodiscard]] int sigma_oracle_of_nothing(const struct sigma_node *root, struct arena *arena,
                                          bool *ret_holds);

#endif
