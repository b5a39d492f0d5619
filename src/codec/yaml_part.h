/* Between the files of the YAML reader: yaml.c cuts documents and runs libyaml, yaml_build.c makes
 * trees of its events. */
#ifndef CODEC_YAML_PART_H
#define CODEC_YAML_PART_H

#include "codec/yaml.h"

#include <yaml.h>

struct yaml_anchor {
    struct str name;
    struct yaml_value *value; /* NULL while it is open: it would hold itself */
};

struct yaml_level {
    struct yaml_value *value;
    struct yaml_value *last;
    struct yaml_anchor *anchor;
    struct yaml_value key; /* of the member whose value comes next */
    bool has_key;
};

struct yaml_build {
    struct yaml_reader *reader;
    struct arena *arena;
    struct diag *diag;
    struct yaml_value *root;
    size_t depth;
    size_t nodes;
    size_t anchor_count;
    uint32_t first_line; /* of the document, less one */
    struct yaml_anchor anchors[YAML_ANCHORS_MAX];
    struct yaml_level levels[YAML_DEPTH_MAX];
};

/* What is wrong with the document, and where. Returns code. */
int yaml_fault(struct yaml_build *build, int code, const yaml_mark_t *mark, const char *sentence);
[[nodiscard]] int yaml_on_event(struct yaml_build *build, const yaml_event_t *event);

#endif
