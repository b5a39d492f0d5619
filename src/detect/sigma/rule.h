/* Sigma rules as the loader leaves them and all else takes them: modifiers and lists are lowered
 * into a tree of AND, OR, NOT over atoms, each of which asks one thing of one field. The oracle
 * walks the tree, the engine compiles it; that both say the same of every entry is a test.
 * Everything borrows the set's arena; a set does not change after it is loaded and may be shared by
 * threads. Sources: Sigma rules 2.1.0, correlations 2.0.2, filters 2.1; pySigma 1.5 where they are
 * silent. */
#ifndef DETECT_SIGMA_RULE_H
#define DETECT_SIGMA_RULE_H

#include "base/network.h"
#include "base/str.h"
#include "codec/entry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sigma_level {
    SIGMA_LEVEL_INFORMATIONAL,
    SIGMA_LEVEL_LOW,
    SIGMA_LEVEL_MEDIUM,
    SIGMA_LEVEL_HIGH,
    SIGMA_LEVEL_CRITICAL,
    SIGMA_LEVEL_COUNT,
};

/* What an atom asks. A field with several values answers yes when one of them does. A field that
 * is not there answers no, but for NULL, and EXISTS with want 0; a null answers NULL and EXISTS.
 * Text compares without case unless is_cased: ASCII by bytes, all else by the simple case mapping
 * (detect/sigma/text.h). */
enum sigma_match {
    SIGMA_MATCH_PATTERN, /* text against parts */
    SIGMA_MATCH_NUMBER,  /* equal in value when both are numbers, else as text ("1", 1, 0x1: a
                          * hexadecimal text is text) */
    SIGMA_MATCH_REGEX,   /* found anywhere; PCRE without look-around; cased unless the flag i */
    SIGMA_MATCH_CIDR,
    SIGMA_MATCH_COMPARE, /* a value that is no number answers no */
    SIGMA_MATCH_EXISTS,
    SIGMA_MATCH_NULL,  /* not there, or null */
    SIGMA_MATCH_FIELD, /* against the values of another field, `text` its name */
    SIGMA_MATCH_TIME,  /* a part of a time that the field holds (RFC 3339 or ns), in UTC */
    SIGMA_MATCH_COUNT,
};

enum sigma_part_kind {
    SIGMA_PART_LITERAL,
    SIGMA_PART_ANY, /* '*': any number of characters */
    SIGMA_PART_ONE, /* '?': one character (a whole UTF-8 sequence; a byte that is none) */
};

/* A pattern is matched against the whole value: "contains x" is ANY, x, ANY. Two ANY never stand
 * side by side, neither do two LITERAL; no literal is empty; no part at all matches the empty text.
 */
struct sigma_part {
    enum sigma_part_kind kind;
    struct str text; /* folded (detect/sigma/text.h) unless the atom is_cased */
};

enum sigma_order { SIGMA_ORDER_LT, SIGMA_ORDER_LTE, SIGMA_ORDER_GT, SIGMA_ORDER_GTE };
enum sigma_affix { SIGMA_AFFIX_WHOLE, SIGMA_AFFIX_START, SIGMA_AFFIX_END, SIGMA_AFFIX_INSIDE };
enum sigma_clock {
    SIGMA_CLOCK_MINUTE,
    SIGMA_CLOCK_HOUR,
    SIGMA_CLOCK_DAY,  /* of the month */
    SIGMA_CLOCK_WEEK, /* ISO 8601 */
    SIGMA_CLOCK_MONTH,
    SIGMA_CLOCK_YEAR,
};

#define SIGMA_REGEX_NOCASE    1U
#define SIGMA_REGEX_MULTILINE 2U
#define SIGMA_REGEX_DOTALL    4U

struct sigma_atom {
    enum sigma_match match;
    struct str field; /* empty: a keyword; see struct entry's is_structured for where it looks */
    struct str text;  /* of the rule, for people; the regex, the other field, the network */
    bool is_cased;
    const struct sigma_part *parts;
    size_t part_count;
    unsigned regex_flags;
    double number;          /* NUMBER, COMPARE, TIME */
    enum sigma_order order; /* COMPARE */
    enum sigma_affix affix; /* FIELD */
    enum sigma_clock clock; /* TIME */
    bool want;              /* EXISTS */
    struct network network; /* CIDR */
};

enum sigma_node_kind { SIGMA_NODE_AND, SIGMA_NODE_OR, SIGMA_NODE_NOT, SIGMA_NODE_ATOM };

struct sigma_node {
    enum sigma_node_kind kind;
    struct sigma_atom *atom;            /* ATOM */
    struct sigma_node *const *children; /* NOT has one; AND of none is true, OR of none false */
    size_t child_count;
    struct str name; /* of the selection that this node is the root of; empty: of none */
};

/* One way in which a rule may hold: for entries of this log source, when the tree says so. A rule
 * as written has one; a pipeline makes one of each place where its log source is found (Windows
 * process_creation: Sysmon's event 1, Security's 4688 with other names of fields). */
struct sigma_way {
    struct logsource source;
    const struct sigma_node *root;
    bool needs_source; /* its tree holds of an entry that says nothing, or hardly anything */
};

struct sigma_rule {
    struct str id; /* empty: it has none */
    struct str name;
    struct str title;
    struct str description;
    struct str author;
    struct str status;
    struct str date;
    enum sigma_level level;
    struct logsource source; /* as written */
    const struct str *tags;  /* "attack.t1059.001" */
    size_t tag_count;
    const struct str *references;
    size_t reference_count;
    const struct str *false_positives;
    size_t false_positive_count;
    const struct str *fields; /* worth showing of an entry; empty: those of its atoms */
    size_t field_count;
    const struct sigma_way *ways;
    size_t way_count;
    bool is_silent; /* only correlations ask for it (their generate is false) */
    struct str file;
    uint32_t line;
    struct str filter; /* id of the filter whose work this twin is; empty: no twin */
    bool is_stand_in;  /* one correlation asks for it in the rule's place, for its own filters */
    uint32_t copy_of;  /* of a twin or a stand-in: place in the set of what it was made of */
};

enum sigma_correlation_kind {
    SIGMA_CORRELATION_EVENT_COUNT,
    SIGMA_CORRELATION_VALUE_COUNT,
    SIGMA_CORRELATION_TEMPORAL,
    SIGMA_CORRELATION_TEMPORAL_ORDERED,
    SIGMA_CORRELATION_VALUE_SUM,
    SIGMA_CORRELATION_VALUE_AVG,
    SIGMA_CORRELATION_VALUE_PERCENTILE,
    SIGMA_CORRELATION_VALUE_MEDIAN,
    SIGMA_CORRELATION_VALUE_MIN,
    SIGMA_CORRELATION_VALUE_MAX,
    SIGMA_CORRELATION_COUNT,
};

/* Bounds that all hold: each is asked when its bit of `asked` (1 << order; SIGMA_BOUND_EQ) is set.
 */
#define SIGMA_BOUND_EQ  16U
#define SIGMA_BOUND_NEQ 32U

struct sigma_bounds {
    unsigned asked;
    double limits[6];         /* lt lte gt gte eq neq */
    const struct str *fields; /* whose values are counted or summed; more than one: together */
    size_t field_count;
    double percentile; /* 0 … 100 */
};

/* A field of a group by an alias, with the field's own name in each rule that is referred to. */
struct sigma_alias {
    struct str name;
    const struct str *fields; /* by place in the correlation's parts; empty: the name itself */
};

/* What a correlation refers to, by place in the set. */
struct sigma_part_of {
    bool is_correlation;
    uint32_t index;
};

struct sigma_correlation {
    struct str id, name, title, description, author, status, date;
    enum sigma_level level;
    const struct str *tags;
    size_t tag_count;
    const struct str *false_positives;
    size_t false_positive_count;
    enum sigma_correlation_kind kind;
    const struct sigma_part_of *parts;
    size_t part_count;
    const struct str *group_by;
    size_t group_count;
    const struct sigma_alias *aliases;
    size_t alias_count;
    int64_t timespan; /* ns */
    struct sigma_bounds bounds;
    /* Of an extended condition ("a AND b AND NOT c"): atoms' number is a place in parts; NULL:
     * all of them. */
    const struct sigma_node *root;
    bool is_silent; /* only other correlations ask for it */
    struct str file;
    uint32_t line;
};

/* A document that was refused: the others stand. */
struct sigma_refusal {
    struct str file;
    uint32_t line;
    uint32_t column;
    struct str title;  /* of the rule, where it could be read */
    struct str reason; /* what is wrong, and */
    struct str remedy; /* what to do; may be empty */
    bool is_warning;   /* the rule stands all the same */
};

struct sigma_set {
    const struct sigma_rule *rules; /* in the order of files, then of documents */
    size_t rule_count;
    const struct sigma_correlation *correlations; /* those referred to stand before who refers */
    size_t correlation_count;
    const struct sigma_refusal *refusals;
    size_t refusal_count;
    uint64_t version; /* hash over all that was loaded: rules and pipelines */
};

/* Whether a file says it: no twin and no stand-in. And how many of the set are. */
bool sigma_rule_is_written(const struct sigma_rule *rule);
size_t sigma_set_written(const struct sigma_set *set);
const char *sigma_level_name(enum sigma_level level);
bool sigma_level_parse(struct str name, enum sigma_level *ret_level);
const char *sigma_correlation_name(enum sigma_correlation_kind kind);

#endif
