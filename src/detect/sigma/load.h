/* Reads Sigma documents (rules, correlations, filters; several in a file, `action: global` too)
 * and pipelines into a set. Files are handed in as texts; a bad document is refused by file, line,
 * reason and remedy, and the rest loads. Hostile texts: the size of a file, depth, aliases, nodes
 * and atoms of a rule are limited. Not thread-safe while it loads. */
#ifndef DETECT_SIGMA_LOAD_H
#define DETECT_SIGMA_LOAD_H

#include "base/diag.h"
#include "detect/sigma/rule.h"

#define SIGMA_FILE_MAX  (4u << 20)
#define SIGMA_RULES_MAX 100000
#define SIGMA_ATOMS_MAX 65536 /* of a rule */
#define SIGMA_DEPTH_MAX 32

struct sigma_loader;

/* With the pipelines that are built in (rules/pipelines/), unless is_bare. -ERR_NOMEM. */
[[nodiscard]] int sigma_loader_new(bool is_bare, struct sigma_loader **ret_loader);
void sigma_loader_free(struct sigma_loader *loader);
void sigma_loader_freep(struct sigma_loader **loader);

/* Takes a file of rules, correlations and filters. text: borrowed for the call. Only -ERR_NOMEM and
 * -ERR_LIMIT (SIGMA_RULES_MAX): what is wrong with documents is in the set's refusals. */
[[nodiscard]] int sigma_loader_add(struct sigma_loader *loader, struct str file, struct str text);
/* From now on a filter with an id that names its rules is not laid over them: each gets a silent
 * twin, which holds for what the filter keeps back. So that is counted, and what the rule itself
 * says stays the same, with the windows of correlations that stand on it. Whoever matches takes the
 * rule out of what holds where its twin does, and a stand-in where its rule is out (struct
 * sigma_rule's filter, is_stand_in and copy_of). */
void sigma_loader_count_filters(struct sigma_loader *loader);
/* A pipeline of the user's own, to be applied behind those built in; before the files whose values
 * (`expand`) it holds. -ERR_SYNTAX with diag. */
[[nodiscard]] int sigma_loader_add_pipeline(struct sigma_loader *loader, struct str file,
                                            struct str text, struct diag *diag);
/* Applies pipelines and filters, resolves what correlations refer to, and ends the loading. The set
 * lives as long as the loader. -ERR_NOMEM. */
[[nodiscard]] int sigma_loader_finish(struct sigma_loader *loader,
                                      const struct sigma_set **ret_set);

#endif
