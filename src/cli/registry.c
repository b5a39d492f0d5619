/* Finds a subcommand in the table and lets its rows parse the rest. */
#include "cli/registry.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "base/utf8.h"
#include "sys/fd.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COMMAND(name) extern const struct command name##_command;
#include "cli/commands.def"
#undef COMMAND

const struct command *const registry[] = {
#define COMMAND(name) &name##_command,
#include "cli/commands.def"
#undef COMMAND
    NULL,
};

#define REGISTRY_HELP_LIMIT   (256U << 10)
#define REGISTRY_CONFIG_LIMIT (1U << 20)
#define REGISTRY_COLUMNS      80 /* where nobody says how wide it is */
#define REGISTRY_COLUMNS_MAX  100
#define REGISTRY_NAME_WIDTH   12

static const struct command *registry_verb(const struct command *command, const char *word)
{
    for (const struct command *verb = command->verbs; verb != NULL && verb->name != NULL; verb++) {
        if (str_is_text(str_from(word), verb->name)) {
            return verb;
        }
    }
    return NULL;
}

const struct command *registry_find(const char *const *words, size_t count, size_t *ret_taken)
{
    const struct command *command = NULL;
    const struct command *verb;

    for (size_t i = 0; count != 0 && registry[i] != NULL; i++) {
        if (str_is_text(str_from(words[0]), registry[i]->name)) {
            command = registry[i];
        }
    }
    if (command == NULL) {
        return NULL;
    }
    *ret_taken = 1;
    verb = count > 1 ? registry_verb(command, words[1]) : NULL;
    if (verb != NULL) {
        *ret_taken = 2;
    }
    return verb != NULL ? verb : command;
}

static void registry_put_usage(const struct command *command, const char *name, struct buf *buf)
{
    buf_putf(buf, _("Usage: canhgac %s"), name);
    if (command->verbs != NULL) {
        buf_putf(buf, command->run != NULL ? " [%s]" : " %s", _("VERB"));
    }
    if (command->rows != NULL) {
        buf_putf(buf, " [%s]", _("OPTION…"));
    }
    if (command->operands != NULL) {
        buf_putf(buf, " %s", text_get(command->operands));
    }
    buf_putf(buf, "\n\n%s.\n", text_get(command->summary));
}

/* Of the terminal that help goes to, within what reads well. */
static size_t registry_columns(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return REGISTRY_COLUMNS;
    }
    return size.ws_col < REGISTRY_COLUMNS_MAX ? size.ws_col : REGISTRY_COLUMNS_MAX;
}

/* A name and what it does. */
static void registry_put_row(const struct command *command, size_t columns, struct buf *buf)
{
    buf_putf(buf, "  %-*s ", REGISTRY_NAME_WIDTH, command->name);
    utf8_put_wrapped(buf, str_from(text_get(command->summary)), REGISTRY_NAME_WIDTH + 3, columns);
    buf_put_byte(buf, '\n');
}

static void registry_put_paragraph(const char *text, size_t columns, struct buf *buf)
{
    utf8_put_wrapped(buf, str_from(text), 0, columns);
    buf_put_byte(buf, '\n');
}

void registry_print_list(void)
{
    size_t columns = registry_columns();
    CLEANUP(buf_done) struct buf buf;

    buf_init(&buf, REGISTRY_HELP_LIMIT);
    registry_put_paragraph(_("Canh Gác keeps watch over a province's servers, PCs and websites."),
                           columns, &buf);
    buf_putf(&buf, "\n%s\n\n", _("Usage: canhgac [--lang vi|en] COMMAND …"));
    for (size_t i = 0; registry[i] != NULL; i++) {
        registry_put_row(registry[i], columns, &buf);
    }
    buf_put_byte(&buf, '\n');
    registry_put_paragraph(
        _("canhgac COMMAND --help tells more. Exit status: 0 nothing found, 1 something found, "
          "2 asked wrongly, 3 could not do it."),
        columns, &buf);
    (void)fwrite(buf.ptr, 1, buf.len, stdout);
}

void registry_print_help(const struct command *command, const char *name)
{
    size_t columns = registry_columns();
    CLEANUP(buf_done) struct buf buf;

    buf_init(&buf, REGISTRY_HELP_LIMIT);
    registry_put_usage(command, name, &buf);
    if (command->details != NULL) {
        buf_put_byte(&buf, '\n');
        registry_put_paragraph(text_get(command->details), columns, &buf);
    }
    if (command->verbs != NULL) {
        buf_putf(&buf, "\n%s\n", _("Verbs:"));
        for (const struct command *verb = command->verbs; verb->name != NULL; verb++) {
            registry_put_row(verb, columns, &buf);
        }
    }
    if (command->rows != NULL) {
        buf_putf(&buf, "\n%s\n", _("Options:"));
        settings_write_help(command->rows, columns, &buf);
    }
    (void)fwrite(buf.ptr, 1, buf.len, stdout);
}

static bool registry_is_help_word(const char *word)
{
    return str_is_text(str_from(word), "--help") || str_is_text(str_from(word), "-h");
}

static bool registry_wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc && !str_is_text(str_from(argv[i]), "--"); i++) {
        if (registry_is_help_word(argv[i])) {
            return true;
        }
    }
    return false;
}

/* Defaults, then the command's settings file, then the command line. The line is read twice: first
 * to learn which file, then to win over it. */
static int registry_parse(struct command_call *call, char **argv, struct diag *diag)
{
    static const struct setting no_rows[] = {{}};
    const struct command *command = call->command;
    const struct setting *rows = command->rows != NULL ? command->rows : no_rows;
    CLEANUP(buf_done) struct buf text;
    char here[PATH_MAX];
    const char *path;
    int r;

    buf_init(&text, REGISTRY_CONFIG_LIMIT);
    r = settings_default(rows, call->settings, call->arena);
    call->operands.here = getcwd(here, sizeof(here)); /* NULL: it is gone, or too deep */
    if (r == 0) {
        r = settings_parse_args(rows, call->settings, argv, &call->operands, call->arena, diag);
    }
    path = r == 0 && command->config != NULL ? command->config(call->settings) : NULL;
    if (path == NULL) {
        return r;
    }
    r = file_read_all(AT_FDCWD, path, &text);
    if (r == -ERR_NOENT) {
        return 0;
    }
    if (r < 0) {
        return diag_set(diag, r, _("cannot read %s: %s"), path, err_text(r));
    }
    r = settings_default(rows, call->settings, call->arena);
    if (r == 0) {
        r = settings_parse(rows, call->settings, path, buf_str(&text), call->arena, diag);
    }
    return r < 0 ? r
                 : settings_parse_args(rows, call->settings, argv, &call->operands, call->arena,
                                       diag);
}

static int registry_call(const struct command *command, int argc, char **argv, struct arena *arena)
{
    struct command_call call = {.command = command, .arena = arena};
    struct diag diag = {0};
    int r;

    call.settings = arena_alloc(arena, 1, command->settings_size + 1);
    call.operands.items = arena_alloc(arena, (size_t)argc + 1, sizeof(char *));
    if (call.settings == NULL || call.operands.items == NULL) {
        return command_fail(EXIT_STATUS_FAILED, _("out of memory"));
    }
    r = registry_parse(&call, argv, &diag);
    if (r < 0) {
        return command_fail(EXIT_STATUS_USAGE, "%s", diag_text(&diag, r));
    }
    if (command->operands == NULL && call.operands.count != 0 && command->verbs != NULL) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("'%s' has no verb '%s'; canhgac %s --help lists them"), command->name,
                            call.operands.items[0], command->name);
    }
    if (command->operands == NULL && call.operands.count != 0) {
        return command_fail(EXIT_STATUS_USAGE, _("'%s' takes no '%s'; see canhgac help"),
                            command->name, call.operands.items[0]);
    }
    return command->run(&call);
}

int registry_run(int argc, char **argv, struct arena *arena)
{
    const struct command *command;
    int status = EXIT_STATUS_CLEAN;
    size_t taken = 0;
    struct str name;
    int r;

    if (argc == 0 || registry_is_help_word(argv[0])) {
        static char help_word[] = "help";
        static char *help_argv[] = {help_word, NULL};

        argv = help_argv;
        status = argc == 0 ? EXIT_STATUS_USAGE : EXIT_STATUS_CLEAN;
        argc = 1;
    }
    if (str_is_text(str_from(argv[0]), "--version")) {
        printf("canhgac %s\n", CANHGAC_VERSION);
        return EXIT_STATUS_CLEAN;
    }
    command = registry_find((const char *const *)argv, (size_t)argc, &taken);
    if (command == NULL) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("there is no command '%s'; canhgac help lists them"), argv[0]);
    }
    name = arena_printf(arena, "%s%s%s", argv[0], taken > 1 ? " " : "", taken > 1 ? argv[1] : "");
    argc -= (int)taken;
    argv += taken;
    if (registry_wants_help(argc, argv)) {
        registry_print_help(command, name.ptr);
        return EXIT_STATUS_CLEAN;
    }
    if (command->run == NULL && argc != 0) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("'%s' has no verb '%s'; canhgac %s --help lists them"), name.ptr,
                            argv[0], name.ptr);
    }
    if (command->run == NULL) {
        return command_fail(EXIT_STATUS_USAGE, _("'%s' wants a verb; canhgac %s --help lists them"),
                            name.ptr, name.ptr);
    }
    r = registry_call(command, argc, argv, arena);
    return r != EXIT_STATUS_CLEAN ? r : status;
}
