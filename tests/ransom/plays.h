/* Programs, good and bad, as acts in the judge's world. */
#ifndef TESTS_RANSOM_PLAYS_H
#define TESTS_RANSOM_PLAYS_H

#include "world.h"

#define VICTIMS 20
#define SHELL   50 /* leads the session; its child 60 is the program that was started */
#define SIZE    100000

struct play {
    const char *name;
    void (*play)(struct world *world);
    unsigned touched_max; /* 0: must never be stopped */
};

extern const struct play plays[];
extern const size_t play_count;

/* A mixed folder: texts, pictures, archives. */
void make_victims(struct world *world, uint64_t *victims, size_t count);
/* The folder, a login daemon, the shell and the program. */
void start(struct world *world, uint64_t *victims);
const struct play *play_named(const char *name);

#endif
