/* Between the files of the EVTX reader. A chunk is read by itself: evtx_chunk.c finds its records,
 * evtx_compile.c turns each template of binary XML into a list of fields with holes,
 * evtx_run.c fills the holes from a record, evtx_value.c writes values as Windows does. Offsets
 * are of the chunk. Source: libevtx's format description (J. Metz), checked against it. */
#ifndef CODEC_EVTX_PART_H
#define CODEC_EVTX_PART_H

#include "codec/logs.h"
#include "codec/winevent.h"

#include <string.h>

#define EVTX_FILE_HEAD    4096U
#define EVTX_CHUNK_SIZE   65536U
#define EVTX_CHUNK_HEAD   512U
#define EVTX_RECORD_HEAD  24U
#define EVTX_MODEL_HEAD   24U /* of a template, before its fragment */

#define EVTX_ELEMENTS_MAX 64U    /* one within the other */
#define EVTX_FRAMES_MAX   8U     /* fragments, one within the other */
#define EVTX_OPS_MAX      16384U /* of a fragment */
#define EVTX_VALUES_MAX   16384U /* of a record, all fragments together */
#define EVTX_FIELDS_MAX   16384U
#define EVTX_STEPS_MAX    131072U
#define EVTX_MEMORY_MAX   (8U << 20) /* names and programs of a chunk */
#define EVTX_TEMPLATES    256U       /* slots of the chunk's table */

enum evtx_type {
    EVTX_TYPE_NULL,
    EVTX_TYPE_STRING,
    EVTX_TYPE_ANSI,
    EVTX_TYPE_I8,
    EVTX_TYPE_U8,
    EVTX_TYPE_I16,
    EVTX_TYPE_U16,
    EVTX_TYPE_I32,
    EVTX_TYPE_U32,
    EVTX_TYPE_I64,
    EVTX_TYPE_U64,
    EVTX_TYPE_FLOAT,
    EVTX_TYPE_DOUBLE,
    EVTX_TYPE_BOOL,
    EVTX_TYPE_BINARY,
    EVTX_TYPE_GUID,
    EVTX_TYPE_SIZE,
    EVTX_TYPE_FILETIME,
    EVTX_TYPE_SYSTEMTIME,
    EVTX_TYPE_SID,
    EVTX_TYPE_HEX32,
    EVTX_TYPE_HEX64,
    EVTX_TYPE_HANDLE = 0x20,
    EVTX_TYPE_XML = 0x21, /* a fragment of binary XML */
    EVTX_TYPE_TEXT_XML = 0x23,
    EVTX_TYPE_ARRAY = 0x80, /* a bit */
};

struct evtx_value {
    const uint8_t *ptr;
    uint32_t len;
    uint8_t type; /* enum evtx_type */
};

enum evtx_op_kind {
    EVTX_OP_TEXT,  /* of the template itself */
    EVTX_OP_VALUE, /* a hole */
    EVTX_OP_INNER, /* an instance of another template, at `at` */
};

/* What a template makes of a record, one piece of a field's value each. */
struct evtx_op {
    struct str name;
    struct str text;
    uint32_t id; /* in the asker's names */
    uint32_t at;
    uint16_t index;       /* of the hole's value */
    uint16_t label;       /* of the value that holds the name, plus one; 0: name is the name */
    uint8_t kind;         /* enum evtx_op_kind */
    uint8_t role;         /* enum winevent_role */
    uint8_t place;        /* enum winevent_place of elements that the value brings */
    uint8_t field_kind;   /* of the name */
    bool is_joined;       /* to the piece before it, which is of the same field */
    bool is_silent_empty; /* no field where there is no value */
};

struct evtx_program {
    const struct evtx_op *ops;
    size_t count;
};

struct evtx_template {
    struct evtx_template *next; /* in its slot */
    uint32_t at;
    uint8_t place;
    struct evtx_program program;
};

/* Of a reading. */
struct evtx_state {
    struct log_reading *reading;
    const uint8_t *chunk;
    size_t size;
    struct arena *arena; /* of the chunk */
    struct evtx_template *templates[EVTX_TEMPLATES];
    struct evtx_op *ops; /* of the fragment being compiled */
    size_t op_room;
    struct evtx_value *values; /* of the record, a stack */
    size_t value_count;
    char *text; /* of the record */
    size_t text_len;
    size_t steps;
    struct winevent_roles roles;
    struct winevent_source source;
};

/* Where a template's instance has its parts. */
struct evtx_instance {
    size_t definition; /* of the template */
    size_t values;     /* their descriptors */
    size_t value_count;
    size_t data;
    size_t end;
};

static inline uint16_t evtx_u16(const uint8_t *ptr)
{
    uint16_t value;

    memcpy(&value, ptr, sizeof(value));
    return value;
}

static inline uint32_t evtx_u32(const uint8_t *ptr)
{
    uint32_t value;

    memcpy(&value, ptr, sizeof(value));
    return value;
}

static inline uint64_t evtx_u64(const uint8_t *ptr)
{
    uint64_t value;

    memcpy(&value, ptr, sizeof(value));
    return value;
}

/* A stretch of a chunk as evtx_chunk_next finds it. */
struct evtx_stretch {
    size_t at;
    size_t len;
    bool is_record; /* else bytes that are none, where one should be */
};

struct evtx_walk {
    const uint8_t *chunk;
    size_t size;
    size_t at;
    size_t used; /* what the chunk's head says is in use */
    uint64_t id; /* of the last record */
    unsigned faults;
};

/* chunk: at most EVTX_CHUNK_SIZE bytes. */
void evtx_walk_begin(struct evtx_walk *walk, struct str chunk);
bool evtx_walk_next(struct evtx_walk *walk, struct evtx_stretch *ret_stretch);
/* Compares checksums into faults; reads the whole chunk. */
void evtx_walk_check(struct evtx_walk *walk);

/* The instance whose token stands at `at`. -ERR_SYNTAX. */
[[nodiscard]] int evtx_instance_read(const struct evtx_state *state, size_t at, size_t end,
                                     struct evtx_instance *ret_instance);
/* Fragment or template between at and end, in a place. -ERR_SYNTAX, -ERR_LIMIT, -ERR_NOMEM; what
 * could be read up to there is in the program all the same. */
[[nodiscard]] int evtx_compile(struct evtx_state *state, size_t at, size_t end,
                               enum winevent_place place, struct evtx_program *ret_program);
/* Adds the fields of a record's fragment to the entry. -ERR_NOMEM; what is wrong is in the entry's
 * faults. */
[[nodiscard]] int evtx_run(struct evtx_state *state, size_t at, size_t end);
/* The value, no list and no fragment, as text in out of room bytes: its length. -ERR_LIMIT. */
[[nodiscard]] int evtx_value_text(const struct evtx_value *value, char *out, size_t room,
                                  size_t *ret_len, enum entry_type *ret_type);
/* Takes the next item off the front of a list; false at its end. */
bool evtx_value_item(struct evtx_value *list, struct evtx_value *ret_item);
/* FILETIME in ns since 1970; 0 when it is no time that fits. */
int64_t evtx_time(uint64_t filetime);

#endif
