/* What the engine's compiler holds while it compiles; see engine_part.h. */
#ifndef DETECT_SIGMA_ENGINE_COMPILE_H
#define DETECT_SIGMA_ENGINE_COMPILE_H

#include "detect/sigma/engine_part.h"

#define SET_MIN        6 /* atoms */
#define CLUE_COST_NONE 1000000000U

/* A node of a way's tree: children stand side by side. */
struct twig {
    enum sigma_node_kind kind;
    uint32_t atom;
    uint32_t first;
    uint32_t count;
    uint32_t weight; /* how dear it is to ask */
    uint64_t kin;    /* atoms that may make a set have the same; 0: none */
    uint32_t cost;   /* of its clues */
};

#define COMMON_BITS 10

struct common_slot {
    uint64_t hash;  /* of kind and text, of no field */
    uint32_t often; /* in how many of 1,000 */
};

struct way_clue {
    uint32_t way;
    uint32_t clue;
};

struct atom_slot {
    uint64_t hash;
    uint32_t number; /* from 1; 0: free */
};

struct compiler {
    struct sigma_engine *engine;
    struct diag *out;  /* the caller's */
    struct diag *diag; /* of the way at hand */
    struct atom_slot *atom_slots;
    size_t atom_slot_room;
    size_t atom_slot_used;
    uint32_t *clue_slots;
    size_t clue_slot_room;
    struct twig *twigs; /* of all ways */
    size_t twig_count;
    size_t twig_room;
    uint32_t *roots; /* twigs, by way */
    size_t root_room;
    struct way_clue *pairs;
    size_t pair_count;
    size_t pair_room;
    struct grams grams;
    struct common_slot common[1U << COMMON_BITS];
};

/* ---- engine_clue.c ---- */

/* Learns what is common in logs. */
void common_learn(struct compiler *compiler);
/* ENGINE_NONE for an atom that may hold of anything. */
[[nodiscard]] int clue_make(struct compiler *compiler, const struct engine_atom *atom,
                            uint32_t *ret_clue);
/* What it is expected to cost to wait for it. */
unsigned clue_cost(const struct compiler *compiler, const struct clue *clue);
/* One more way has it. */
void text_count(struct compiler *compiler, struct str text);

/* ---- engine_set.c ---- */

/* What atoms of one set have in common; 0: the atom is asked by itself. */
uint64_t set_kin(const struct sigma_engine *engine, const struct engine_atom *atom);
/* One atom that holds when one of those of the twigs does. */
[[nodiscard]] int set_add(struct compiler *compiler, const struct twig *twigs, size_t count,
                          uint32_t *ret_atom);
/* When it is known what ways wait for. */
void atoms_settle(struct sigma_engine *engine);

bool atom_is_number(const struct sigma_atom *atom);

/* ---- engine_atom.c ---- */

[[nodiscard]] int atom_intern(struct compiler *compiler, const struct sigma_atom *atom,
                              uint32_t *ret_atom);
/* One that no rule has as it is. */
[[nodiscard]] int atom_add(struct compiler *compiler, const struct engine_atom *atom,
                           uint32_t *ret_atom);

/* ---- engine_regex.c ---- */

/* A text without which the regex cannot be found, as it is written; empty: none is known.
 * *ret_must: a byte likewise, which folding leaves as it is; '\0': none. */
struct str regex_needle(struct str regex, char *ret_must);

/* ---- engine_tree.c ---- */

/* Takes the tree of the engine's last way: its atoms, its steps, its group. */
[[nodiscard]] int way_compile(struct compiler *compiler, const struct sigma_way *way);
/* When all ways are known: what each waits for. */
[[nodiscard]] int ways_settle(struct compiler *compiler);

#endif
