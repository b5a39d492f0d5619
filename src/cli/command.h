/* A subcommand: one const struct, one file, one line in commands.def. From its rows come the
 * parser, --help, the manual page and shell completion. Exit status of every command: see enum
 * exit_status. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/arena.h"
#include "model/setting.h"

#include <stddef.h>

enum exit_status {
    EXIT_STATUS_CLEAN = 0,  /* done, nothing found */
    EXIT_STATUS_FOUND = 1,  /* done, something found */
    EXIT_STATUS_USAGE = 2,  /* asked wrongly */
    EXIT_STATUS_FAILED = 3, /* could not do it */
};

struct command_call {
    const struct command *command;
    void *settings; /* the command's struct, filled from its rows */
    struct setting_operands operands;
    struct arena *arena; /* for the call's whole life */
};

/* "vault list": a command may have verbs, each a command of its own; verbs ends with an empty name.
 */
struct command {
    const char *name;
    const char *summary;  /* one line for lists */
    const char *operands; /* as --help shows them: "HOST TOKEN", "[PATH…]", NULL: none */
    const char *details;  /* paragraphs for --help and the manual page */
    const struct setting *rows;
    size_t settings_size;
    const struct command *verbs;
    /* The settings file that stands between defaults and command line, or NULL for none; a missing
     * file is passed over. settings: as the command line alone gives them. */
    const char *(*config)(const void *settings);
    int (*run)(const struct command_call *call); /* an enum exit_status */
};

/* Prints "canhgac: sentence" to stderr, without control characters, and returns status. */
int command_fail(enum exit_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
