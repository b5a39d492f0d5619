/* One entry of a log, as every reader of logs hands it on and every judge of logs takes it: when,
 * from which log source, the bytes that it was, and its fields under the names that Sigma's rules
 * use. Texts borrow the block that was read, the reader's arena, or tables; an entry lives until
 * the next one is read. Pure. Source: Sigma taxonomy appendix 2.0. */
#ifndef CODEC_ENTRY_H
#define CODEC_ENTRY_H

#include "base/arena.h"
#include "base/str.h"
#include "codec/field_kind.h"
#include "codec/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENTRY_SIZE_MAX (1u << 20) /* bytes of an entry; what is longer is cut there and marked */
#define ENTRY_NAME_MAX 512        /* bytes of a field's name, nested names joined with dots */

/* Names that a judge wants to know of, each with a number from 1. Built once, then shared by
 * threads. */
struct entry_names;

[[nodiscard]] int entry_names_new(size_t limit, struct entry_names **ret_names);
void entry_names_free(struct entry_names *names);
void entry_names_freep(struct entry_names **names);
/* The name's number, now or before. A copy is kept. -ERR_LIMIT, -ERR_NOMEM. */
[[nodiscard]] int entry_names_add(struct entry_names *names, struct str name, uint32_t *ret_id);
/* 0 when nobody wants it. names may be NULL. */
uint32_t entry_names_find(const struct entry_names *names, struct str name);
struct str entry_names_get(const struct entry_names *names, uint32_t id);
size_t entry_names_count(const struct entry_names *names);

/* Sigma's logsource. Empty: not known (of an entry), not asked for (of a rule). */
struct logsource {
    struct str product;
    struct str category;
    struct str service;
};

enum entry_type {
    ENTRY_TYPE_TEXT,
    ENTRY_TYPE_NUMBER, /* value is its text, as written */
    ENTRY_TYPE_BOOL,   /* "true" or "false" */
    ENTRY_TYPE_NULL,   /* value is empty */
    ENTRY_TYPE_COUNT,
};

/* A list's items are fields of the same name. */
struct entry_field {
    struct str name;
    struct str value;
    uint32_t id;     /* of the name in the asker's names; 0: not asked for */
    uint8_t type;    /* enum entry_type */
    uint8_t kind;    /* enum field_kind, of the name */
    bool is_escaped; /* JSON's escapes still stand in value: entry_field_text takes them out */
};

enum entry_fault {
    ENTRY_FAULT_SYNTAX = 1, /* not well formed: fields are those up to there, the rest is in raw */
    ENTRY_FAULT_CUT = 2,    /* longer than ENTRY_SIZE_MAX, or it had no end */
    ENTRY_FAULT_DEPTH = 4,  /* nested too deep: what lies deeper is one field with its raw text */
    ENTRY_FAULT_TIME = 8,   /* no time could be read: time is 0. */
    ENTRY_FAULT_CHECKSUM =
        16, /* the file's own checksum does not agree: changed, or never closed */
};

struct entry {
    int64_t time; /* ns since 1970 UTC; 0: unknown */
    struct logsource source;
    struct str host;    /* who wrote it; empty: unknown */
    struct str raw;     /* all of it: is_binary says whether it is text */
    uint64_t number;    /* in its file: of its first line, or its record, from 1 */
    unsigned faults;    /* bits of enum entry_fault */
    bool is_structured; /* its fields are all of it (JSON, XML, EVTX): keywords look in the values,
                         * else in raw */
    bool is_binary;     /* raw is no text: entry_write_json shows what it says */
    struct entry_field *fields;
    size_t count;
    size_t room;
};

/* Whether more is wrong than that it names no time, which many logs do not. */
static inline bool entry_is_faulty(const struct entry *entry)
{
    return (entry->faults & ~(unsigned)ENTRY_FAULT_TIME) != 0;
}

void entry_init(struct entry *entry);
void entry_done(struct entry *entry);
/* Empties it, keeps the memory. */
void entry_reset(struct entry *entry);
/* -ERR_NOMEM. Empty values are fields too. */
[[nodiscard]] int entry_add(struct entry *entry, const struct entry_field *field);
/* The first field of that name, or NULL. Linear: for tables and tests, not for the judge. */
const struct entry_field *entry_find(const struct entry *entry, struct str name);
/* The value without JSON's escapes: itself when there are none, else a copy in the arena. A
 * broken escape stays as it is. -ERR_NOMEM, -ERR_LIMIT (the arena). */
[[nodiscard]] int entry_field_text(const struct entry_field *field, struct arena *arena,
                                   struct str *ret_text);
/* The same for any text; out: room for as many bytes as it has. Returns how many came of it. */
size_t entry_unescape(struct str text, char *out);
/* All fields as one JSON object, numbers and booleans as such; fields of one name become an array.
 * For those who print. -ERR_NOMEM, -ERR_LIMIT (the arena); the writer's own error stays in it. */
[[nodiscard]] int entry_write_json(const struct entry *entry, struct arena *arena,
                                   struct json_writer *json);

#endif
