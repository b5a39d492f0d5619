/* Pipelines: where and under which names the entries are found that a rule asks for. pySigma's
 * processing pipelines in YAML, as far as they change rules, and one transformation of our own,
 * `ways`, whose alternatives each make one struct sigma_way. Compiled into the rule, so an entry
 * costs nothing more. Between load.h's loader and whoever writes rules/pipelines/. Not thread-safe
 * while it is built. Source: pySigma 1.5, processing pipelines. */
#ifndef DETECT_SIGMA_PIPELINE_H
#define DETECT_SIGMA_PIPELINE_H

#include "base/arena.h"
#include "base/diag.h"
#include "detect/sigma/rule.h"

#define SIGMA_PIPELINE_MAX   (1u << 20) /* bytes of a file */
#define SIGMA_PIPELINE_ITEMS 4096       /* transformations of all pipelines */
#define SIGMA_WAYS_MAX       16         /* of a rule */

struct sigma_pipelines;

[[nodiscard]] int sigma_pipelines_new(struct sigma_pipelines **ret_pipelines);
void sigma_pipelines_free(struct sigma_pipelines *pipelines);
void sigma_pipelines_freep(struct sigma_pipelines **pipelines);

/* Behind those built in, by priority and then in turn. text: borrowed for the call. -ERR_SYNTAX
 * with file, line, reason and remedy in diag; nothing of the file is taken then. -ERR_LIMIT,
 * -ERR_NOMEM. */
[[nodiscard]] int sigma_pipelines_add(struct sigma_pipelines *pipelines, struct str file,
                                      struct str text, struct diag *diag);
/* Those built in. */
[[nodiscard]] int sigma_pipelines_add_own(struct sigma_pipelines *pipelines);

/* The ways of a rule, whose own ways are as written (one); in the arena, with what did not change
 * shared. The rule is left as it is. -ERR_DENIED with the reason in diag when a pipeline refuses
 * it (rule_failure, or nothing is left of its conditions), -ERR_LIMIT (depth, size, ways),
 * -ERR_NOMEM. */
[[nodiscard]] int sigma_pipelines_ways(const struct sigma_pipelines *pipelines,
                                       const struct sigma_rule *rule, struct arena *arena,
                                       const struct sigma_way **ret_ways, size_t *ret_count,
                                       struct diag *diag);

/* What stands for %name% in values with the modifier `expand`: variables of pipelines that have
 * value_placeholders for it. 0 when nobody knows. */
size_t sigma_pipelines_values(const struct sigma_pipelines *pipelines, struct str name,
                              const struct str **ret_values);

#endif
