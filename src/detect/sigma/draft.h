/* A search (model/terms.h) written down as a Sigma rule, for a person to go on from. The rule holds
 * for the entries for which the search does, but for what the two see differently: a rule tells dấu
 * apart, and looks at entries only: not at hosts, names of files, or events that are no logs. Such
 * terms are left out, and a comment in the rule says so. Pure. */
#ifndef DETECT_SIGMA_DRAFT_H
#define DETECT_SIGMA_DRAFT_H

#include "base/buf.h"
#include "base/diag.h"
#include "codec/entry.h"
#include "model/terms.h"

struct sigma_draft {
    struct str id; /* a UUID; empty: none */
    struct str title;
    struct str date;            /* "2026-11-26" */
    const struct entry *sample; /* one that the search found: gives the log source and the names of
                                 * fields as they are; NULL: none was found */
};

/* Appends the rule's YAML. -ERR_SYNTAX with diag for a search of which a rule can ask nothing. */
[[nodiscard]] int sigma_draft(const struct terms *terms, const struct sigma_draft *draft,
                              struct buf *yaml, struct diag *diag);

#endif
