/* Regexes of rules by PCRE2, compiled to machine code where the processor and the sandbox allow it,
 * with a limit on the steps of each search. A compiled regex is shared by threads, a bench is a
 * thread's own. */
#ifndef DETECT_SIGMA_ENGINE_REGEX_H
#define DETECT_SIGMA_ENGINE_REGEX_H

#include "base/diag.h"
#include "detect/sigma/rule.h"

/* -ERR_SYNTAX with diag, -ERR_NOMEM. */
[[nodiscard]] int regex_compile(const struct sigma_atom *atom, struct diag *diag, void **ret_regex);
void regex_free(void *regex);
size_t regex_size(const void *regex);
/* In fewer characters it is not found. */
uint32_t regex_least(const void *regex);

struct regex_bench {
    void *data;
    void *context;
};

[[nodiscard]] int regex_bench_init(struct regex_bench *bench);
void regex_bench_done(struct regex_bench *bench);
/* Takes what it costs from *work: the bytes of the text and the steps beyond them. -ERR_LIMIT: its
 * own steps or all of the work were used up; -ERR_NOMEM. */
[[nodiscard]] int regex_find(const void *regex, const struct regex_bench *bench, struct str text,
                             uint64_t *work, bool *ret_is_found);

#endif
