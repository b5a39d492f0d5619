/* What the files of the engine share. Compiling (engine_build.c): trees of ways → atoms, each kept
 * once (engine_atom.c) → clues, which are what can be seen of an entry cheaply (engine_clue.c) →
 * for each way the cheapest clues without which it cannot hold, and its tree as steps
 * (engine_tree.c) → tables of keys and of needles (engine_scan.c). Matching (engine_match.c): entry
 * → plan (engine_plan.c) → values (engine_value.c) → clues seen, or known to be (engine_memo.c) →
 * ways asked (engine_ask.c). */
#ifndef DETECT_SIGMA_ENGINE_PART_H
#define DETECT_SIGMA_ENGINE_PART_H

#include "base/arena.h"
#include "base/map.h"
#include "detect/sigma/engine.h"
#include "detect/sigma/engine_fold.h"
#include "detect/sigma/engine_memo.h"
#include "detect/sigma/engine_regex.h"
#include "detect/sigma/engine_sift.h"

#define ENGINE_NONE       UINT32_MAX
#define ENGINE_YES        (UINT32_MAX - 1) /* steps end here, or */
#define ENGINE_NO         (UINT32_MAX - 2)
#define ENGINE_DEPTH_MAX  64
#define ENGINE_EVENTS_MAX 16    /* values of EventID that a way may name */
#define ENGINE_FIELDS_MAX 65536 /* names that rules may ask for */
#define NEEDLE_MIN        3     /* bytes */
#define PART_MAX          256   /* of a part of a log source */

struct list_u32 {
    uint32_t *items;
    size_t count;
    size_t room;
};

[[nodiscard]] int list_u32_add(struct list_u32 *list, uint32_t item);
void list_u32_done(struct list_u32 *list);

/* Makes room for one more; NULL: no memory, the old block stands. */
[[nodiscard]] void *items_grow(void *items, size_t count, size_t *room, size_t size);

/* ---- atoms ---- */

/* What is looked for in a field's values. */
struct probe {
    uint16_t kinds; /* bits of enum clue_kind */
    uint16_t starts;
    uint16_t ends;
    uint16_t bytes; /* bits of places in clue_bytes */
};

enum ask {
    ASK_THERE, /* any value will do */
    ASK_EQUAL,
    ASK_START,
    ASK_END,
    ASK_INSIDE,
    ASK_PATTERN, /* all parts */
    ASK_REGEX,
    ASK_VALUE, /* number, network, comparison, part of a time: the oracle's own predicate */
    ASK_EXISTS,
    ASK_NULL,
    ASK_FIELD,
    ASK_SET, /* one of many, of a field and told by the same kind of clue */
};

/* All that is needed to ask most of them lies in one line of the processor's cache. */
struct engine_atom {
    const struct sigma_atom *atom;
    struct str text; /* EQUAL, START, END, INSIDE */
    void *regex;
    uint32_t field; /* 0: a keyword */
    uint32_t clue;
    union {
        uint32_t other; /* FIELD */
        uint32_t first; /* SET: its members */
        uint32_t least; /* REGEX: bytes, in fewer it is not found */
    };
    uint32_t count;      /* SET */
    struct probe wanted; /* its clue is seen where a plan looks for this; kinds 0: no way waits */
    uint8_t ask;         /* enum ask */
    char rare;           /* INSIDE: a byte of its text; REGEX: one that must stand there, or 0 */
    uint8_t rare_at;     /* INSIDE: where */
    bool is_cased;
    bool is_waited; /* SET: ways wait for the clue of each member */
    bool is_needle; /* its clue is all of it */
    bool is_dear;   /* PATTERN: there may be a try at each byte */
};

struct set_member {
    uint32_t clue; /* members stand in its order */
    uint32_t atom;
};

/* ---- clues ---- */

enum clue_kind {
    CLUE_NONE,
    CLUE_EQUAL,
    CLUE_BASE,  /* behind the last slash, with it */
    CLUE_START, /* so many bytes */
    CLUE_END,
    CLUE_NUMBER,
    CLUE_THERE,
    CLUE_NEEDLE,
    CLUE_HIGH, /* any character that is not ASCII */
    CLUE_BYTE, /* one of clue_bytes */
};

struct clue {
    enum clue_kind kind;
    uint32_t field;
    struct str text; /* folded */
    uint64_t hash;
    uint32_t uses;  /* atoms of ways that have it */
    uint32_t first; /* of the ways that wait for it */
    uint32_t count;
    bool is_whole; /* a needle that is an atom of its own */
};

/* Lengths of starts and ends that are looked up: the longest that fits is taken. */
#define CLUE_LENGTHS 12
extern const uint8_t clue_lengths[CLUE_LENGTHS];

/* What is seldom in logs and folding leaves as it is, the rarest first. */
#define CLUE_BYTES 16
extern const char clue_bytes[CLUE_BYTES];

uint64_t clue_hash(enum clue_kind kind, uint32_t field, struct str text);
uint64_t clue_hash_number(uint32_t field, double number);
/* The part behind the last slash with the slash; empty: none, or too long to be asked for. */
struct str clue_base(struct str text);

/* That it be looked for too. */
void probe_add(struct probe *probe, const struct clue *clue);

struct key_slot {
    uint32_t tag; /* upper half of the hash */
    uint32_t clue;
};

struct key_table {
    struct key_slot *slots;
    size_t room;
    uint64_t *front; /* a bit for each hash's upper half: says no nearly always, and is small */
};

#define KEY_FRONT_BITS 17

/* ---- needles ---- */

struct needle_spot {
    const char *text;
    uint32_t len;
    uint32_t at; /* of the word in the needle */
    uint32_t word;
    uint32_t clue;
};

struct scan {
    struct sieve sieve;
    uint32_t *heads; /* first spot by bucket; one more than buckets */
    struct needle_spot *spots;
    uint32_t head_shift;
    uint32_t count;
    teddy_find_fn *find; /* NULL: too many for it */
    sieve_find_fn *find_many;
    struct teddy teddy;
    struct scan *next; /* of the needles of three bytes */
};

typedef void scan_fn(void *context, uint32_t clue);

/* Whom a scan tells what it sees. */
struct scan_teller {
    scan_fn *fn;
    void *context;
    uint32_t *places;     /* room for FIND_ROOM */
    const uint32_t *seen; /* by clue: those that bear the stamp need no second look */
    uint32_t stamp;
};

/* How often four bytes stand in the needles of all rules, by their hash. */
#define GRAM_BITS 16
struct grams {
    uint16_t counts[1 << GRAM_BITS];
    uint16_t words[1 << GRAM_BITS]; /* whole texts */
};
void grams_add(struct grams *grams, struct str text);
/* How often the rarest four bytes of the text were added, and where they are. */
uint32_t grams_rarest(const struct grams *grams, struct str text, uint32_t *ret_at);

/* clues: numbers of needles. */
[[nodiscard]] int scan_new(const struct clue *clues, const struct list_u32 *needles,
                           const struct grams *grams, struct scan **ret_scan);
void scan_free(struct scan *scan);
size_t scan_size(const struct scan *scan);
/* Tells each needle that stands in the text. text: folded, with FIND_PAD bytes behind it that may
 * be read. */
void scan_text(const struct scan *scan, struct str text, const struct scan_teller *teller);

/* ---- ways ---- */

struct step {
    uint32_t atom;
    uint32_t yes;
    uint32_t no;
};

/* A way that waits for a clue. */
struct waiter {
    uint32_t way;
    uint32_t group;
};

struct engine_way {
    uint32_t rule;
    uint32_t group;
    uint32_t start; /* its first step */
    bool is_always; /* no clue: asked whenever its group is */
    bool needs_source;
};

/* Ways of one log source and the same values of EventID. */
struct engine_group {
    struct logsource source;
    uint32_t events[ENGINE_EVENTS_MAX];
    uint32_t event_count; /* 0: any */
    struct list_u32 always;
    struct list_u32 clues; /* that its ways wait for */
};

/* A product, category or service that rules name. */
struct source_part {
    struct str text; /* in small letters */
    uint32_t number; /* from 1 */
};

struct sigma_engine {
    const struct sigma_set *set;
    struct entry_names *names;
    struct arena *arena; /* texts of clues */
    struct engine_atom *atoms;
    size_t atom_count;
    size_t atom_room;
    struct clue *clues;
    size_t clue_count;
    size_t clue_room;
    struct set_member *members; /* of sets of atoms */
    size_t member_count;
    size_t member_room;
    struct step *steps;
    size_t step_count;
    size_t step_room;
    struct engine_way *ways;
    size_t way_count;
    size_t way_room;
    struct engine_group *groups;
    size_t group_count;
    size_t group_room;
    struct waiter *waiting; /* by clue */
    size_t waiting_count;
    struct key_table keys;
    struct scan **narrow; /* by field: the needles that ways wait for */
    struct scan **broad;  /* and all that are atoms, for long values */
    size_t field_count;   /* numbers of fields are below it */
    uint32_t event_field; /* EventID; 0: nobody asks */
    uint32_t *events;     /* its values that groups name */
    size_t event_count;
    size_t event_room;
    struct map parts; /* of log sources: struct source_part by text */
    struct source_part **part_list;
    size_t part_count;
    size_t part_room;
    size_t memory;
};

/* ---- plans ---- */

struct plan_key {
    uint32_t product;
    uint32_t category;
    uint32_t service;
    uint32_t event;
};

/* What is done for entries of one log source and EventID. */
struct plan {
    struct plan_key key;
    uint32_t number;  /* no other of the matcher has had it */
    bool is_known;    /* the log source */
    uint64_t *groups; /* bits */
    uint32_t *always;
    size_t always_count;
    struct probe *probes; /* by field; 0: keywords */
    struct sift *sift;    /* of the keywords that are waited for; NULL: there is none */
};

/* A log source that was met, and its parts' numbers. */
struct known_source {
    struct logsource source; /* in text */
    struct plan_key key;
    char text[256];
    bool is_known;
};

#define KNOWN_SOURCES 16
#define PLAN_SLOTS    256
#define EVENT_NONE    UINT32_MAX       /* the entry has none */
#define EVENT_ANY     (UINT32_MAX - 1) /* it has several, or one that is no plain number */
#define EVENT_OTHER   (UINT32_MAX - 2) /* that no rule names */

/* ---- matching ---- */

/* A value of the entry: what was made of it so far. */
struct value {
    struct str text;   /* unescaped; ptr NULL: not yet */
    struct str folded; /* the same */
    uint32_t next;     /* of the same field; ENGINE_NONE: the last */
    bool is_plain;     /* it was ASCII; told when it is folded */
};

struct head {
    uint32_t stamp;
    uint32_t first;
    uint32_t broad; /* stamp of the entry in which the broad scan was made */
    uint32_t asks;  /* of needles, that are left in the entry of this stamp */
    uint32_t asks_stamp;
};

struct sigma_matcher {
    const struct sigma_engine *engine;
    const struct entry *entry;
    struct arena *arena;
    bool is_arena_used;
    bool is_beside;      /* a value does not lie in the entry's raw bytes */
    uint32_t stamp;      /* of this entry: whatever bears another is of an older one */
    struct head *heads;  /* by field */
    uint32_t *seen;      /* by clue: stamp */
    uint32_t *seen_list; /* clues seen in this entry */
    struct scan_teller teller;
    uint32_t places[FIND_ROOM];
    size_t seen_count;
    uint32_t *asked;      /* by way: stamp */
    uint32_t *held;       /* by rule: stamp */
    uint32_t *answers;    /* by atom: stamp << 1 | answer */
    struct value *values; /* by place in the entry; the last is all of it */
    size_t value_room;
    fold_fn *fold;
    char *text; /* folded values, with room to read past each */
    size_t text_room;
    size_t text_used;
    uint32_t *found; /* ways to be asked */
    size_t found_count;
    uint32_t *rules;
    size_t rule_count;
    const struct plan *plan;
    struct plan *plans[PLAN_SLOTS];
    uint32_t plan_count; /* made so far */
    struct memo *memo;
    struct known_source sources[KNOWN_SOURCES]; /* by the lengths of their parts */
    struct regex_bench bench;
    uint64_t work; /* that is left for this entry; see WORK_MAX */
    int error;
    struct sigma_engine_stats stats;
};
#endif
