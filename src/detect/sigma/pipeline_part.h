/* Between the files of the pipelines: pipeline_read.c makes transformations of YAML, pipeline.c
 * asks their conditions and applies them, pipeline_tree.c rewrites trees. */
#ifndef DETECT_SIGMA_PIPELINE_PART_H
#define DETECT_SIGMA_PIPELINE_PART_H

#include "codec/yaml.h"
#include "detect/sigma/pipeline.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define PIPELINE_NODES_MAX (4 * 65536) /* visited in one rewriting of a tree */

enum pipeline_kind {
#define TRANSFORMATION(name, kind, reader) PIPELINE_##kind,
#include "detect/sigma/pipeline.def"
#undef TRANSFORMATION
    PIPELINE_COUNT,
};

struct pipeline_pair {
    struct str from;
    const struct str *to;
    size_t to_count;
};

enum pipeline_question_kind {
    PIPELINE_ASK_LOGSOURCE,
    PIPELINE_ASK_ID,
    PIPELINE_ASK_TITLE,
    PIPELINE_ASK_TAG,
    PIPELINE_ASK_FIELD, /* whether the rule asks for it */
};

struct pipeline_question {
    enum pipeline_question_kind kind;
    struct logsource source;
    struct str text;
};

/* Conditions on the rule; none hold always. */
struct pipeline_questions {
    const struct pipeline_question *items;
    size_t count;
    bool is_any;
    bool is_not;
};

struct pipeline_names {
    const struct str *items;
    size_t count;
    bool is_exclude;
};

/* Conditions on a field's name. */
struct pipeline_fields {
    const struct pipeline_names *items;
    size_t count;
    bool is_any;
    bool is_not;
};

struct pipeline_item {
    enum pipeline_kind kind;
    struct pipeline_questions questions;
    struct pipeline_fields fields;
    const struct pipeline_pair *pairs; /* names, or strings */
    size_t pair_count;
    struct sigma_node *root;           /* add_condition */
    struct logsource source;           /* change_logsource */
    struct str text;                   /* prefix, suffix, replacement, message */
    pcre2_code *regex;                 /* replace_string */
    const struct pipeline_list *lists; /* nest has one, ways has several */
    size_t list_count;
};

struct pipeline_list {
    const struct pipeline_item *items;
    size_t count;
};

struct pipeline_variable {
    struct str name;
    const struct str *values;
    size_t count;
};

struct pipeline {
    struct pipeline *next;
    int64_t priority;
    struct pipeline_list list;
    const struct pipeline_variable *variables;
    size_t variable_count;
};

/* Regexes lie outside the arena. */
struct pipeline_regex {
    struct pipeline_regex *next;
    pcre2_code *code;
};

struct sigma_pipelines {
    struct arena *arena;
    struct pipeline *first; /* by priority, then as added */
    struct pipeline_regex *regexes;
    size_t item_count;
};

/* Context of pipeline_change_atom. */
struct pipeline_change {
    const struct pipeline_item *item;
    struct arena *arena;
};

/* What becomes of an atom's node: itself, another, or NULL when it is to go. */
typedef int pipeline_atom_fn(void *context, struct sigma_node *node, struct sigma_node **ret_node);

/* Copies what changes. *ret_root is NULL when nothing is left. -ERR_LIMIT, -ERR_NOMEM, or what fn
 * answered. */
[[nodiscard]] int pipeline_rewrite(struct sigma_node *root, struct arena *arena,
                                   pipeline_atom_fn *fn, void *context,
                                   struct sigma_node **ret_root);
/* A node over children, which are copied. NULL without memory. */
struct sigma_node *pipeline_node(struct arena *arena, enum sigma_node_kind kind,
                                 struct sigma_node *const *children, size_t count);
struct sigma_node *pipeline_leaf(struct arena *arena, const struct sigma_atom *atom);

bool pipeline_wants_field(const struct pipeline_item *item, struct str field);
/* What a transformation makes of one atom. */
[[nodiscard]] int pipeline_change_atom(void *context, struct sigma_node *node,
                                       struct sigma_node **ret_node);
/* The pattern of a text with wildcards, '\\' before them or itself takes their meaning away;
 * folded. -ERR_NOMEM. */
[[nodiscard]] int pipeline_pattern(struct arena *arena, struct str text, struct sigma_atom *atom);

/* A file being read. */
struct pipeline_reading {
    struct sigma_pipelines *pipelines;
    struct arena *arena; /* of the pipelines */
    struct str file;
    struct diag *diag;
};

/* -ERR_SYNTAX with the place and the reason in diag. */
int pipeline_refuse(struct pipeline_reading *reading, const struct yaml_value *at,
                    const char *reason);
/* A member's text; *ret_text is untouched when it is not there. */
[[nodiscard]] int pipeline_read_text(struct pipeline_reading *reading,
                                     const struct yaml_value *parent, const char *key,
                                     struct str *ret_text);
/* One text, or a list of them. */
[[nodiscard]] int pipeline_read_texts(struct pipeline_reading *reading,
                                      const struct yaml_value *value, const struct str **ret_texts,
                                      size_t *ret_count);
[[nodiscard]] int pipeline_read_pairs(struct pipeline_reading *reading,
                                      const struct yaml_value *map,
                                      struct pipeline_pair **ret_pairs, size_t *ret_count);
[[nodiscard]] int pipeline_read_source(struct pipeline_reading *reading,
                                       const struct yaml_value *node, struct logsource *source);
/* What the item's kind needs. */
[[nodiscard]] int pipeline_read_settings(struct pipeline_reading *reading,
                                         const struct yaml_value *node, struct pipeline_item *item);
const char *pipeline_kind_name(enum pipeline_kind kind);

/* Behind those of its priority. */
void pipeline_insert(struct sigma_pipelines *pipelines, struct pipeline *pipeline);
[[nodiscard]] int pipeline_read(struct sigma_pipelines *pipelines, struct str file, struct str text,
                                struct diag *diag, struct pipeline **ret_pipeline);

#endif
