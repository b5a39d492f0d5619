/* The kinds of JSON logs that codec/ndjson_shapes.def knows: how a record is told, what its names
 * become and mean. Pure tables; a record's names pass through codec/ndjson_paths, which remembers
 * the answers. */
#ifndef CODEC_NDJSON_SHAPES_H
#define CODEC_NDJSON_SHAPES_H

#include "codec/entry.h"

enum ndjson_role {
    NDJSON_ROLE_NONE,
    NDJSON_ROLE_TIME,
    NDJSON_ROLE_TIME_UTC, /* a time that names no zone and needs none */
    NDJSON_ROLE_HOST,
    NDJSON_ROLE_CHANNEL, /* Windows: see codec/channels.h */
    NDJSON_ROLE_PROVIDER,
    NDJSON_ROLE_KIND,      /* its value picks a SOURCE row */
    NDJSON_ROLE_OS,        /* its value is the product, where Sigma has rules for it */
    NDJSON_ROLE_PROGRAM,   /* who wrote the message */
    NDJSON_ROLE_SEVERITY,  /* 0 … 7, becomes its name */
    NDJSON_ROLE_FACILITY,  /* 0 … 23, likewise */
    NDJSON_ROLE_MESSAGE,   /* what the program wrote */
    NDJSON_ROLE_LINE,      /* a whole line of another log */
    NDJSON_ROLE_URI,       /* of a request: also under Sigma's names for it and its parts */
    NDJSON_ROLE_REQUEST,   /* method, URI and version */
    NDJSON_ROLE_PAIR_NAME, /* the name of the value that follows: {"Name":…,"Value":…} */
    NDJSON_ROLE_PAIR_VALUE,
    NDJSON_ROLE_COUNT,
};

enum ndjson_trait {
    NDJSON_SPACES = 1,          /* "Threat Name" is also ThreatName and Threat_Name */
    NDJSON_CAPITALS = 2,        /* a name is also known with its first letter a capital */
    NDJSON_KIND_IS_SERVICE = 4, /* where no SOURCE row has the kind */
};

enum ndjson_family {
    NDJSON_FAMILY_NONE,
#define FAMILY(family, traits, product, category, service) NDJSON_FAMILY_##family,
#define TELL(tell, name)
#define SHAPE(family, tells, kind)
#define FALLS(family, front)
#define ALSO(family, front)
#define NAME(family, from, to, role)
#define SOURCE(family, kind, product, category, service)
#include "codec/ndjson_shapes.def"
#undef FAMILY
#undef TELL
#undef SHAPE
#undef FALLS
#undef ALSO
#undef NAME
#undef SOURCE
    NDJSON_FAMILY_COUNT,
};

#define NDJSON_ALSO_MAX  2
#define NDJSON_KINDS_MAX 4

/* By whose presence a record is told: bits of TELL rows. */
struct ndjson_tells {
    uint64_t bits[2];
};

/* What a record is. */
struct ndjson_shape {
    enum ndjson_family family;
    struct logsource source;
};

/* What a name is called in a family. */
struct ndjson_call {
    struct str name;
    uint32_t id; /* in the asker's names */
    uint8_t family;
    uint8_t role;
    uint16_t row;  /* its place in the table: the smaller wins */
    uint16_t more; /* rows behind it that give the same value further names */
    uint8_t also_count;
    uint8_t field_kind;                      /* of the name */
    uint32_t also[NDJSON_ALSO_MAX];          /* further names that somebody asks for */
    uint8_t further_kinds[NDJSON_KINDS_MAX]; /* of rows behind it, then of those names */
};

struct ndjson_tells ndjson_shapes_tells(struct str name);
/* Whether an object of that name at the top holds the record and is no part of names. */
bool ndjson_shapes_is_wrapper(struct str name);
struct ndjson_shape ndjson_shapes_find(const struct ndjson_tells *tells);
void ndjson_shapes_call(enum ndjson_family family, struct str name, const struct entry_names *names,
                        struct ndjson_call *ret_call);
/* The same for a name that codec/ndjson_words does not have: only its front may fall. */
void ndjson_shapes_call_unknown(enum ndjson_family family, struct str name,
                                struct ndjson_call *ret_call);
/* Every name of the tables, some more than once: whole ones and those by which records are told. */
typedef void ndjson_shapes_fn(void *context, struct str name);
void ndjson_shapes_each(ndjson_shapes_fn *fn, void *context);
/* The most parts that any family's fronts can take off a name. */
unsigned ndjson_shapes_parts_max(void);
/* The name that row gives; empty: it stays. */
struct str ndjson_shapes_name(unsigned row);
/* False: the family's table has no such kind. */
bool ndjson_shapes_kind(enum ndjson_family family, struct str kind, struct logsource *ret_source);

#endif
