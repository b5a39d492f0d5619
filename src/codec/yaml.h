/* YAML 1.2, core schema, one document after the other, as a tree in an arena that knows where each
 * node stood. Strict: keys are scalars and stand once, depth, nodes, members and anchors are
 * limited, aliases count with all that they stand for, so that none can blow a text up; `<<` merges
 * as everywhere. A document that is broken does not take the others of its file with it. Pure. */
#ifndef CODEC_YAML_H
#define CODEC_YAML_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define YAML_DEPTH_MAX   32
#define YAML_NODES_MAX   (1u << 18) /* of a document, aliases written out */
#define YAML_MEMBERS_MAX 512        /* of a mapping; a sequence may have as many as nodes */
#define YAML_ANCHORS_MAX 64         /* of a document */

enum yaml_type {
    YAML_TYPE_NULL,
    YAML_TYPE_BOOL,
    YAML_TYPE_INT,   /* that fits in integer */
    YAML_TYPE_FLOAT, /* finite, or a whole number that does not fit */
    YAML_TYPE_STRING,
    YAML_TYPE_SEQUENCE,
    YAML_TYPE_MAPPING,
    YAML_TYPE_COUNT,
};

struct yaml_value {
    enum yaml_type type;
    bool boolean;
    int64_t integer;
    double number;         /* of INT too */
    struct str text;       /* of a scalar, as written, without quotes */
    struct str key;        /* as a member of a mapping */
    uint32_t line, column; /* from 1 */
    uint32_t key_line, key_column;
    struct yaml_value *first; /* of a sequence or mapping */
    struct yaml_value *next;  /* the following sibling */
    size_t count;             /* of children */
    size_t weight;            /* nodes of the tree under it, itself too */
};

/* Where the reader stands in a text. */
struct yaml_reader {
    struct str rest;
    uint32_t line;                     /* of the first byte of rest */
    uint32_t fault_line, fault_column; /* of the document that was refused last */
};

/* text: must outlive the reader; nothing of the trees borrows it. */
void yaml_open(struct yaml_reader *reader, struct str text);
/* 1: a document, in the arena; 0: there is no more; -ERR_SYNTAX, -ERR_DUPLICATE or -ERR_LIMIT with
 * a sentence in diag: this document is refused, go on with the next; -ERR_NOMEM. */
[[nodiscard]] int yaml_next(struct yaml_reader *reader, struct arena *arena,
                            struct yaml_value **ret_value, struct diag *diag);
/* NULL when value is NULL, no mapping, or has no member of that name. */
struct yaml_value *yaml_member(const struct yaml_value *value, const char *key);
/* Any scalar but null. */
bool yaml_is_text(const struct yaml_value *value);

/* The type of a plain scalar: sets type, boolean, integer and number from text. */
void yaml_scalar(struct yaml_value *value);

#endif
