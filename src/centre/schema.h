/* The shapes of answers, as rows: from them come the schemas of the OpenAPI file, and a test holds
 * what the handlers write against them. */
#ifndef CENTRE_SCHEMA_H
#define CENTRE_SCHEMA_H

#include "codec/json.h"

#include <stddef.h>

enum schema_type {
    SCHEMA_TYPE_TEXT,
    SCHEMA_TYPE_WORDS, /* text, or null where there is none */
    SCHEMA_TYPE_ANY,
    SCHEMA_TYPE_TIME, /* RFC 3339, or null */
    SCHEMA_TYPE_ID,   /* UUID, or null */
    SCHEMA_TYPE_NUMBER,
    SCHEMA_TYPE_CURSOR, /* hand it back as it is; null at the end */
    SCHEMA_TYPE_BOOL,
    SCHEMA_TYPE_OBJECT, /* of the schema in `of`; NULL: not described further */
    SCHEMA_TYPE_LIST,   /* of them */
    SCHEMA_TYPE_COUNT,
};

struct schema_member {
    const char *name;
    enum schema_type type;
    const char *of;
    const char *choices; /* words parted by |, or NULL */
};

struct schema {
    const char *name;
    const struct schema_member *members; /* ended by an empty row */
};

/* Ended by an empty row. */
extern const struct schema schemas[];
/* NULL when there is none. */
const struct schema *schema_find(const char *name);
void schema_write(const struct schema *schema, struct json_writer *json);

#endif
