/* A rule in words: what it looks for, in each log source it is looked for in. */
#ifndef CLI_HUNT_WORDS_H
#define CLI_HUNT_WORDS_H

#include "base/buf.h"
#include "detect/sigma/engine.h"
#include "detect/sigma/rule.h"

void words_put_rule(const struct sigma_rule *rule, struct buf *out);
/* What the rule of that place waits for. */
void words_put_waits(const struct sigma_engine *engine, size_t rule, struct buf *out);
void words_put_correlation(const struct sigma_set *set, const struct sigma_correlation *correlation,
                           struct buf *out);
/* "windows, process_creation". */
void words_put_source(const struct logsource *source, struct buf *out);

#endif
