/* The rules in force as one block of bytes: the detector, which alone parses rules, writes it; core
 * keeps it in the store and looks rules up in it; the api process shows it. CBOR, read with the
 * care that bytes from a process without rights need. */
#ifndef CENTRE_CATALOGUE_H
#define CENTRE_CATALOGUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "detect/sigma/rule.h"

#define CATALOGUE_STATE    STR("rules") /* its name among the store's log states */
#define CATALOGUE_SIZE_MAX (64U << 20)
#define CATALOGUE_TEXT_MAX 2048U
#define CATALOGUE_LIST_MAX 32U /* of what a rule says may be no attack, and of its tags */

enum catalogue_source {
    CATALOGUE_SOURCE_BUILT_IN,
    CATALOGUE_SOURCE_FILE,
    CATALOGUE_SOURCE_OWN, /* of the console */
    CATALOGUE_SOURCE_COUNT,
};

/* A field by which a correlation gathers, and what the rules under it call it. */
struct catalogue_group {
    struct str name;
    const struct str *fields;
    size_t field_count;
};

struct catalogue_rule {
    struct str id; /* empty: it has none and can be neither filtered nor switched off */
    struct str title;
    struct str description;            /* at most CATALOGUE_TEXT_MAX, as the rule says it */
    const struct str *false_positives; /* what may be no attack */
    size_t false_positive_count;
    const struct str *tags; /* "attack.t1059.001" */
    size_t tag_count;
    uint32_t level; /* enum sigma_level */
    enum catalogue_source source;
    struct str file;
    uint32_t line;
    bool is_correlation;
    bool is_silent; /* only correlations ask for it */
    struct logsource logsource;
    const struct str *rules; /* of a correlation: ids of the rules under it, chains followed */
    size_t rule_count;
    const struct catalogue_group *groups;
    size_t group_count;
};

struct catalogue_refusal {
    struct str file;
    uint32_t line;
    struct str title;
    struct str reason;
    struct str remedy;
    bool is_warning;
};

struct catalogue {
    uint64_t content; /* version of what people added */
    uint64_t version; /* of all */
    const struct catalogue_refusal *refusals;
    size_t refusal_count; /* that are named; */
    uint64_t refused;     /* in all, without warnings */
    const struct catalogue_rule *rules;
    size_t rule_count;
};

/* set: loaded with filters counted; their twins are left out. */
[[nodiscard]] int catalogue_write(const struct sigma_set *set, uint64_t content, struct buf *buf);
/* Borrows bytes and the arena. One that another version of the program wrote has no rules: the
 * detector tells of them anew whenever it starts. -ERR_CORRUPT, -ERR_NOMEM. */
[[nodiscard]] int catalogue_read(struct str bytes, struct arena *arena,
                                 struct catalogue *ret_catalogue);
/* By id, or by title for a rule without one; NULL. */
const struct catalogue_rule *catalogue_find(const struct catalogue *catalogue, struct str id);

#endif
