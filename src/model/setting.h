/* A setting is a row; from the rows come the parser of files and of the command line, --help, the
 * manual page, shell completion and the console's form. A table ends with a row without a name.
 *
 *     struct agent_settings {
 *         int64_t vault_bytes;
 *     };
 *     static const struct setting agent_rows[] = {
 *         {"vault-bytes", 0, SETTING_SIZE, "10G", "64M", "1P",
 *          offsetof(struct agent_settings, vault_bytes), N_("SIZE"),
 *          N_("most bytes the vault may hold")},
 *         {},
 *     };
 */
#ifndef MODEL_SETTING_H
#define MODEL_SETTING_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/str.h"
#include "codec/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTING_LIST_MAX 256

enum setting_type {
    SETTING_FLAG,      /* bool */
    SETTING_NUMBER,    /* int64_t */
    SETTING_SIZE,      /* int64_t bytes; K M G T P are powers of 1024 */
    SETTING_DURATION,  /* int64_t ns; ms s m h d */
    SETTING_TEXT,      /* const char *, in the arena */
    SETTING_PATH,      /* const char *, absolute, without . and .. */
    SETTING_CHOICE,    /* const char *, one of the words in `choices` */
    SETTING_LIST,      /* struct setting_list of texts: repeat the setting or part with commas */
    SETTING_PATH_LIST, /* the same of absolute paths */
};

struct setting_list {
    const char *items[SETTING_LIST_MAX];
    size_t count;
};

struct setting {
    const char *name; /* "vault-bytes": the same in files and behind -- */
    char letter;      /* short option, or 0 */
    enum setting_type type;
    const char *fallback;   /* default, as text; NULL: false, 0, NULL or empty */
    const char *minimum;    /* as text, or NULL */
    const char *maximum;    /* as text, or NULL; for SETTING_CHOICE the words parted by | */
    size_t offset;          /* in the caller's struct */
    const char *value_name; /* what --help calls the value */
    const char *help;       /* one sentence without a full stop, translated when shown */
    /* What else a text must be, or NULL: -ERR_SYNTAX with a sentence that names the remedy. */
    int (*check)(struct str value, struct diag *diag);
};

/* Fills the struct with all defaults. */
[[nodiscard]] int settings_default(const struct setting *rows, void *target, struct arena *arena);
/* One value. diag says what is allowed. -ERR_SYNTAX, -ERR_RANGE, -ERR_NOENT for an unknown name
 * (diag then names the nearest). */
[[nodiscard]] int settings_set(const struct setting *rows, void *target, struct str name,
                               struct str value, struct arena *arena, struct diag *diag);
/* A file of `name = value` lines, # comments. where: the file's name for diag, which also names the
 * line. */
[[nodiscard]] int settings_parse(const struct setting *rows, void *target, const char *where,
                                 struct str text, struct arena *arena, struct diag *diag);
struct setting_operands {
    const char **items; /* room for argc + 1, the caller's */
    size_t count;
    const char *here; /* absolute: where relative paths begin; NULL: they are refused */
};

/* argv[0 … argc-1] after the subcommand's name; argv[argc] is NULL. What is no option goes to
 * ret_operands; -- ends options. A relative path may begin with . and .. parts. diag speaks to the
 * person. */
[[nodiscard]] int settings_parse_args(const struct setting *rows, void *target, char **argv,
                                      struct setting_operands *ret_operands, struct arena *arena,
                                      struct diag *diag);
/* The option lines of --help, for a terminal so many columns wide. */
void settings_write_help(const struct setting *rows, size_t columns, struct buf *buf);
/* NULL when the rows have none of that name. */
const struct setting *setting_find(const struct setting *rows, struct str name);
/* The value as a file would say it: settings_set reads it back. Empty for a text that is not set.
 */
void setting_write_text(const struct setting *row, const void *target, struct buf *buf);
/* The members of one row and its present value, in an object that the caller opened. */
void setting_write_members(const struct setting *row, const void *target, struct json_writer *json);
/* Rows and present values, as the console's form needs them. */
void settings_write_json(const struct setting *rows, const void *target, struct json_writer *json);

#endif
