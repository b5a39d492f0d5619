/* What a request may carry is a table of rows: name, place, type, limits. From the rows come the
 * check of paths, query strings and JSON bodies in the api process, the same check again in core,
 * which does not trust the first one, and the parameters of the OpenAPI file. Between the two they
 * travel as a CBOR map. */
#ifndef CENTRE_ARGUMENT_H
#define CENTRE_ARGUMENT_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/id.h"
#include "base/str.h"
#include "codec/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGUMENTS_MAX 12

enum argument_place {
    ARGUMENT_PLACE_PATH,
    ARGUMENT_PLACE_QUERY,
    ARGUMENT_PLACE_BODY,
    ARGUMENT_PLACE_COUNT,
};

enum argument_type {
    ARGUMENT_TYPE_TEXT,   /* limits count bytes */
    ARGUMENT_TYPE_SECRET, /* the same, never shown again */
    ARGUMENT_TYPE_NUMBER, /* limits are values */
    ARGUMENT_TYPE_BOOL,
    ARGUMENT_TYPE_ID,
    ARGUMENT_TYPE_CHOICE, /* one of the words in choices, parted by | */
    ARGUMENT_TYPE_COUNT,
};

struct argument {
    const char *name;
    enum argument_place place;
    enum argument_type type;
    bool is_required;
    int64_t minimum;
    int64_t maximum;
    const char *choices;
    const char *summary;
};

struct argument_value {
    bool is_given;
    struct str text; /* borrowed from what was parsed */
    int64_t number;
    bool flag;
    struct id id;
};

/* The values of one request, each at the place of its row. */
struct arguments {
    const struct argument *rows; /* ended by a row without a name; NULL: takes none */
    struct argument_value values[ARGUMENTS_MAX];
    struct str wrong; /* the name that a failure is about; borrowed */
};

/* Every table, by name: arguments_NAME. */
#define ARGUMENTS(name) extern const struct argument arguments_##name[];
#include "centre/arguments.def"
#undef ARGUMENTS

void arguments_init(struct arguments *arguments, const struct argument *rows);
/* One value as text, from a path or a query string. -ERR_NOENT for a name that the rows do not have
 * at that place, -ERR_SYNTAX, -ERR_RANGE, -ERR_DUPLICATE; diag names the argument and what is
 * allowed. */
[[nodiscard]] int arguments_set(struct arguments *arguments, enum argument_place place,
                                struct str name, struct str text, struct diag *diag);
/* All members of a body's object. */
[[nodiscard]] int arguments_set_json(struct arguments *arguments, const struct json_value *object,
                                     struct diag *diag);
/* -ERR_INVAL when one that is required was not given. */
[[nodiscard]] int arguments_check(struct arguments *arguments, struct diag *diag);

/* CBOR map of name → value of what was given. */
void arguments_encode(const struct arguments *arguments, struct buf *buf);
/* Reads that map against the rows, with all limits. Texts borrow the bytes. */
[[nodiscard]] int arguments_decode(struct arguments *arguments, struct str bytes,
                                   struct diag *diag);

/* The value of a row that the table has; its is_given is false when the request left it out. */
const struct argument_value *arguments_get(const struct arguments *arguments, const char *name);
struct str arguments_text(const struct arguments *arguments, const char *name);
int64_t arguments_number(const struct arguments *arguments, const char *name, int64_t fallback);
bool arguments_flag(const struct arguments *arguments, const char *name, bool fallback);

/* The JSON Schema (draft 2020-12) of one argument, and of the object that the body's rows make. */
void argument_write_schema(const struct argument *row, struct json_writer *json);
void arguments_write_schema(const struct argument *rows, struct json_writer *json);
bool arguments_has_place(const struct argument *rows, enum argument_place place);

#endif
