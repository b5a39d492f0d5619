/* The program: chooses a language, finds the subcommand, parses what follows by its rows, runs it.
 */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/registry.h"

#include <locale.h>

#define CALL_ARENA_LIMIT (64U << 20)

/* Made by po/meson.build from the .mo files. */
extern const char catalogue_vi_start[];
extern const char catalogue_vi_end[];

static void main_choose_language(void)
{
    const char *wanted = secure_getenv("CANHGAC_LANG");
    enum language language;

    (void)text_load(LANGUAGE_VI,
                    str_of(catalogue_vi_start, (size_t)(catalogue_vi_end - catalogue_vi_start)));
    if (text_parse_language(str_from(wanted), &language)) {
        text_set_language(language);
    }
}

/* Takes `--lang XX` or `--lang=XX` wherever it stands before the subcommand. */
static int main_take_options(int *argc, char ***argv)
{
    while (*argc > 0 && str_has_prefix(str_from((*argv)[0]), STR("--lang"))) {
        struct str value = str_slice(str_from((*argv)[0]), 7, SIZE_MAX);
        int taken = 1;
        enum language language;

        if (str_is_text(str_from((*argv)[0]), "--lang") && *argc > 1) {
            value = str_from((*argv)[1]);
            taken = 2;
        }
        if (!text_parse_language(value, &language)) {
            return command_fail(EXIT_STATUS_USAGE, _("--lang wants vi or en, not '%.*s'"),
                                STR_ARG(value));
        }
        text_set_language(language);
        *argc -= taken;
        *argv += taken;
    }
    return 0;
}

int main(int argc, char **argv)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    int r;

    (void)setlocale(LC_CTYPE, "C.UTF-8");
    log_init("canhgac", LOG_LEVEL_INFO);
    main_choose_language();
    argc--;
    argv++;
    r = main_take_options(&argc, &argv);
    if (r != 0) {
        return r;
    }
    if (arena_new(CALL_ARENA_LIMIT, &arena) < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("out of memory"));
    }
    return registry_run(argc, argv, arena);
}
