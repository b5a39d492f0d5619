/* What the files of the loader share. A file's documents (load.c) become rules (load_rule.c):
 * selections (load_detection.c) of values under modifiers (load_value.c, load_modifier.c,
 * load_encode.c), put together by their condition (load_condition.c); filters and correlations
 * (load_filter.c, load_correlation.c) wait until all is read and are then resolved. What a document
 * cannot be taken for is said once, by load_refuse.c. */
#ifndef DETECT_SIGMA_LOAD_PART_H
#define DETECT_SIGMA_LOAD_PART_H

#include "base/arena.h"
#include "base/map.h"
#include "codec/yaml.h"
#include "detect/sigma/load.h"
#include "detect/sigma/pipeline.h"

#define LOAD_VALUES_MAX 65536 /* that one field's values may become by modifiers */

/* A growing array of objects of one size in the loader's keeping. */
struct load_list {
    char *items;
    size_t count;
    size_t room;
};

/* Zeroed room for one more; NULL: out of memory. */
[[nodiscard]] void *load_list_add(struct load_list *list, size_t size);
void load_list_done(struct load_list *list);

/* A rule that filters and pipelines still change. */
struct load_candidate {
    struct sigma_rule rule; /* without ways */
    struct sigma_node *root;
    uint32_t column;
    uint32_t index; /* in the set, unless a pipeline refused it */
    bool is_refused;
    uint32_t copy_of; /* candidate; of a twin or a stand-in, which its rule makes it */
};

#define LOAD_CHAIN_MAX 16 /* correlations of correlations */

/* A filter, or a correlation whose rules are still names. */
struct load_filter {
    const struct str *rules; /* ids or names */
    size_t rule_count;       /* 0: any */
    struct logsource source;
    struct sigma_node *root;
    struct str id;
    struct str title;
    struct str file;
    uint32_t line;
    uint32_t column;
    size_t used; /* rules that it lies over */
};

struct load_correlation {
    struct sigma_correlation correlation; /* without parts */
    const struct str *rules;              /* ids or names, in the order of parts */
    size_t rule_count;
    const uint32_t *stand_ins;        /* candidates, by place in rules; 0: the rule itself;
                                       * NULL: no filter is for this correlation */
    const struct load_filter *filter; /* that was laid over it last */
    bool is_generating;               /* rules it refers to speak for themselves too */
    uint32_t column;
    enum { LOAD_WAITING, LOAD_OPEN, LOAD_DONE, LOAD_REFUSED } state;
    uint32_t index; /* in the set, when it is done */
};

/* What an id or a name stands for. */
struct load_target {
    struct str key;
    struct str file;
    uint32_t line;
    uint32_t index; /* in candidates or correlations */
    bool is_correlation;
    bool is_ambiguous; /* a name that several have */
};

struct sigma_loader {
    struct arena *arena;   /* of the set */
    struct arena *scratch; /* of a document */
    struct sigma_pipelines *pipelines;
    struct load_list candidates;
    struct load_list correlations;
    struct load_list filters;
    struct load_list refusals;
    struct load_list targets; /* pointers, for what suggests names */
    struct map by_key;        /* ids and names */
    struct map texts;         /* names of fields, each kept once */
    struct sigma_set set;
    struct str file;               /* read now */
    struct str title;              /* of the document read now */
    const struct yaml_value *base; /* of `action: global` */
    const struct yaml_value *last; /* for `action: repeat` */
    size_t atoms;                  /* of the rule read now */
    size_t before;                 /* bytes of the set without the document read now */
    size_t compared;               /* words, for suggestions */
    bool is_counting;              /* what filters keep back */
    uint64_t version;
};

/* Whether what the document read now becomes is past all measure: whoever multiplies values asks.
 */
bool load_is_full(const struct sigma_loader *loader);

/* ---- load_refuse.c ---- */

[[nodiscard]] int load_refuse_size(struct sigma_loader *loader, const struct yaml_value *at);

/* Says what is wrong with the document; -ERR_SYNTAX, or -ERR_NOMEM. remedy may be empty. */
[[nodiscard]] int load_refuse(struct sigma_loader *loader, uint32_t line, uint32_t column,
                              struct str reason, struct str remedy);
[[nodiscard]] int load_warn(struct sigma_loader *loader, uint32_t line, uint32_t column,
                            struct str reason, struct str remedy);
/* The reason as printf; at: the node it stands at. */
[[nodiscard]] int load_refuse_at(struct sigma_loader *loader, const struct yaml_value *at,
                                 const char *remedy, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The candidate nearest to word when it is near at all, else empty. */
struct str load_nearest(struct str word, const struct str *candidates, size_t count);
/* "did you mean “…”?"; without one near, all candidates when they are few; else empty. */
struct str load_suggest(struct sigma_loader *loader, struct str word, const struct str *candidates,
                        size_t count);

/* ---- load_rule.c ---- */

[[nodiscard]] int load_rule(struct sigma_loader *loader, const struct yaml_value *document);
[[nodiscard]] int load_logsource(struct sigma_loader *loader, const struct yaml_value *document,
                                 struct logsource *ret_source);
/* Selections and condition of a detection or a filter as one tree. */
[[nodiscard]] int load_detection(struct sigma_loader *loader, const struct yaml_value *detection,
                                 const char *const *skip, struct sigma_node **ret_root);
/* A text of the document, kept; empty when it has none. */
[[nodiscard]] int load_text(struct sigma_loader *loader, const struct yaml_value *document,
                            const char *key, struct str *ret_text);
/* A text or a list of texts, kept. */
[[nodiscard]] int load_texts(struct sigma_loader *loader, const struct yaml_value *document,
                             const char *key, const struct str **ret_texts, size_t *ret_count);
[[nodiscard]] int load_level(struct sigma_loader *loader, const struct yaml_value *document,
                             enum sigma_level *ret_level);
/* Lets correlations and filters find it by its id and its name. */
[[nodiscard]] int load_target_add(struct sigma_loader *loader, const struct yaml_value *document,
                                  struct str id, struct str name, bool is_correlation,
                                  uint32_t index);

/* ---- load_detection.c ---- */

struct load_selection {
    struct str name;
    struct sigma_node *root;
};

/* All selections of a detection or a filter; the keys in `skip` (ends with NULL) are none. */
[[nodiscard]] int load_selections(struct sigma_loader *loader, const struct yaml_value *detection,
                                  const char *const *skip, struct load_selection **ret_selections,
                                  size_t *ret_count);
[[nodiscard]] int load_item(struct sigma_loader *loader, const struct yaml_value *item,
                            struct sigma_node **ret_node);

/* ---- nodes ---- */

struct sigma_node *load_node(struct sigma_loader *loader, enum sigma_node_kind kind, size_t count);
/* The one child itself, else a node over copies of the pointers; NULL: out of memory. */
struct sigma_node *load_join(struct sigma_loader *loader, enum sigma_node_kind kind,
                             struct sigma_node *const *children, size_t count);
size_t load_depth(const struct sigma_node *node, size_t limit);
/* The text as the set keeps it, one copy of each. */
[[nodiscard]] int load_intern(struct sigma_loader *loader, struct str text, struct str *ret_text);

/* ---- load_condition.c ---- */

/* One condition; at is where it stands. */
[[nodiscard]] int load_condition(struct sigma_loader *loader, const struct yaml_value *at,
                                 const struct load_selection *selections, size_t count,
                                 struct sigma_node **ret_root);

/* ---- load_value.c ---- */

enum load_kind {
    LOAD_TEXT, /* parts, not folded */
    LOAD_NUMBER,
    LOAD_BOOL, /* up to here a value has a text that can be written otherwise */
    LOAD_NULL,
    LOAD_REGEX,
    LOAD_NETWORK,
    LOAD_COMPARE,
    LOAD_EXISTS,
    LOAD_FIELD,
    LOAD_TIME,
};

struct load_value {
    enum load_kind kind;
    struct str text; /* as written */
    size_t origin;   /* place of the written value that it came from: `all` asks for one of each */
    struct sigma_part *parts;
    size_t part_count;
    double number;
    bool boolean;
    unsigned regex_flags;
    enum sigma_order order;
    enum sigma_affix affix;
    enum sigma_clock clock;
    struct network network;
};

/* A field's values, while modifiers are laid over them. */
struct load_values {
    const struct yaml_value *at;
    struct load_value *items;
    size_t count;
    size_t room;
    bool is_all;
    bool is_cased;
    bool is_not;
    bool is_modified; /* by something else than all, cased and neq */
};

[[nodiscard]] int load_values_read(struct sigma_loader *loader, const struct yaml_value *item,
                                   bool is_plain, struct load_values *values);
/* Room for one more item; NULL: out of memory or too many. */
struct load_value *load_values_add(struct sigma_loader *loader, struct load_values *values);
/* Sigma's text: `*`, `?`, and the backslash that takes their meaning. */
[[nodiscard]] int load_parts(struct sigma_loader *loader, struct str text,
                             struct load_value *value);
/* Puts parts together from pieces; parts in the set's arena. */
[[nodiscard]] int load_parts_join(struct sigma_loader *loader, const struct sigma_part *parts,
                                  size_t count, struct load_value *value);
/* Whether it has no wildcard; *ret_text its bytes. */
bool load_is_literal(const struct load_value *value, struct str *ret_text);
[[nodiscard]] int load_atom(struct sigma_loader *loader, const struct load_values *values,
                            struct str field, const struct load_value *value,
                            struct sigma_node **ret_node);

/* ---- load_modifier.c, load_meaning.c ---- */

/* The argument is the modifier's own: an affix, an order, a clock, a flag of regexes. */
typedef int load_modifier_fn(struct sigma_loader *loader, int argument, struct load_values *values);

load_modifier_fn load_modify_regex;
load_modifier_fn load_modify_regex_flag;
load_modifier_fn load_modify_compare;
load_modifier_fn load_modify_clock;
load_modifier_fn load_modify_network;
load_modifier_fn load_modify_exists;
load_modifier_fn load_modify_field;

/* Whether a clock or calendar ever shows the value. */
bool load_is_time(const struct load_value *value);
[[nodiscard]] int load_wrong_time(struct sigma_loader *loader, const struct load_values *values);

/* Refusals: a value that is not what the modifier takes, modifiers that do not go together. */
[[nodiscard]] int load_wrong_value(struct sigma_loader *loader, const struct load_values *values,
                                   const struct load_value *value, const char *wanted);
[[nodiscard]] int load_wrong_order(struct sigma_loader *loader, const struct load_values *values,
                                   const char *name);

[[nodiscard]] int load_modify(struct sigma_loader *loader, struct str modifiers,
                              struct load_values *values);

/* ---- load_encode.c, load_expand.c ---- */

/* Runs fn over each value; what it adds to out takes the values' place. */
[[nodiscard]] int load_values_map(struct sigma_loader *loader, struct load_values *values,
                                  int (*fn)(struct sigma_loader *loader,
                                            const struct load_value *value,
                                            struct load_values *out));

[[nodiscard]] int load_windash(struct sigma_loader *loader, struct load_values *values);
[[nodiscard]] int load_base64(struct sigma_loader *loader, struct load_values *values);
[[nodiscard]] int load_base64_offset(struct sigma_loader *loader, struct load_values *values);
enum load_wide { LOAD_WIDE_LE, LOAD_WIDE_BE, LOAD_WIDE_MARKED };
[[nodiscard]] int load_wide(struct sigma_loader *loader, enum load_wide wide,
                            struct load_values *values);
[[nodiscard]] int load_expand(struct sigma_loader *loader, struct load_values *values);

/* ---- load_filter.c, load_ways.c, load_correlation.c, load_bounds.c, load_resolve.c ---- */

[[nodiscard]] int load_filter(struct sigma_loader *loader, const struct yaml_value *document);
[[nodiscard]] int load_filters_apply(struct sigma_loader *loader);
/* Makes the set's rules of the candidates, each with the ways that pipelines find for it. */
[[nodiscard]] int load_ways(struct sigma_loader *loader, struct sigma_rule **ret_rules);
[[nodiscard]] int load_correlation(struct sigma_loader *loader, const struct yaml_value *document);
/* "5m" in ns; false when it is none. */
bool load_timespan(struct str text, int64_t *ret_timespan);
bool load_is_temporal(enum sigma_correlation_kind kind);
/* The rules that an extended condition names; none when the condition is none. */
[[nodiscard]] int load_condition_rules(struct sigma_loader *loader,
                                       const struct yaml_value *condition,
                                       struct load_correlation *made);
[[nodiscard]] int load_correlation_condition(struct sigma_loader *loader,
                                             const struct yaml_value *body,
                                             struct load_correlation *made);
[[nodiscard]] int load_correlations_resolve(struct sigma_loader *loader, struct sigma_rule *rules);
/* What an id or a name stands for, or NULL. */
const struct load_target *load_target_find(const struct sigma_loader *loader, struct str key);

#endif
