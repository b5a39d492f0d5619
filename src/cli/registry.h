/* The list of subcommands and how one is found and run. */
#ifndef CLI_REGISTRY_H
#define CLI_REGISTRY_H

#include "base/arena.h"
#include "cli/command.h"

/* All of them, ended by NULL. */
extern const struct command *const registry[];

/* The command or verb that words[0 … count-1] name, and how many words that took; NULL when none
 * does. */
const struct command *registry_find(const char *const *words, size_t count, size_t *ret_taken);
/* Finds, parses, runs; an enum exit_status. */
int registry_run(int argc, char **argv, struct arena *arena);
/* Prints the list of commands to stdout. */
void registry_print_list(void);
/* Prints --help of one command to stdout. name: its words, as "vault list". */
void registry_print_help(const struct command *command, const char *name);

#endif
