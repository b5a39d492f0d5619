/* What the parts of script_sketch_make share: script.c cuts runs, script_calls.c finds what a run
 * does and whom it names. */
#ifndef DETECT_DEFACE_SCRIPT_PART_H
#define DETECT_DEFACE_SCRIPT_PART_H

#include "codec/js.h"
#include "detect/deface/script.h"

#define SCRIPT_JOINED_MAX 512 /* bytes of a string, or of several with plus signs between them */

/* The last place of something, as the token's number from 1 on; 0: nowhere. */
struct script_places {
    uint32_t runs;
    uint32_t long_text;
    uint32_t spells;
    uint32_t spell_count; /* close behind each other */
    uint32_t numbers;     /* a chain of them */
    uint32_t asks;
    uint32_t engine;
};

struct script_maker {
    struct arena *arena;
    struct script_sketch sketch;
    struct script_run *runs;
    struct script_host *hosts;
    uint64_t key;
    uint64_t near; /* of the last four tokens */
    uint64_t run_hash;
    int error;

    struct js_token last[2]; /* [0]: the last; text.ptr NULL: none */
    struct script_places places;
    uint32_t number_count; /* of the chain under way */
    unsigned location;     /* how much of a "location.href =" has come */
    char joined[SCRIPT_JOINED_MAX];
    size_t joined_len;
    uint32_t join_count;
    size_t open_host; /* index + 1 of the host that ends where this text does; 0: none */
};

/* What the token, with those before it, says of the run under way. */
void script_note(struct script_maker *maker, const struct js_token *token);

#endif
