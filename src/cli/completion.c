/* canhgac completion SHELL: a completion script made from the command table and its rows. */
#include "base/banned.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/registry.h"

static void completion_put_words(const struct command *command)
{
    for (const struct command *verb = command->verbs; verb != NULL && verb->name != NULL; verb++) {
        printf("%s ", verb->name);
    }
    for (const struct setting *row = command->rows; row != NULL && row->name != NULL; row++) {
        printf("--%s ", row->name);
    }
    printf("--help");
}

/* One line of a case: the words that may follow these. */
static void completion_put_case(const struct command *command, const char *above)
{
    printf("    '%s%s%s') words='", above != NULL ? above : "", above != NULL ? " " : "",
           command->name);
    completion_put_words(command);
    printf("' ;;\n");
}

static void completion_put_choices(const struct command *command)
{
    for (const struct setting *row = command->rows; row != NULL && row->name != NULL; row++) {
        if (row->type != SETTING_CHOICE) {
            continue;
        }
        printf("    '--%s') words='", row->name);
        for (const char *at = row->maximum; *at != '\0'; at++) {
            putchar(*at == '|' ? ' ' : *at);
        }
        printf("' ;;\n");
    }
}

static void completion_put_bash(void)
{
    printf("_canhgac() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
           "    local at=\"${COMP_WORDS[1]}\"\n"
           "    [ \"$COMP_CWORD\" -gt 2 ] && case \"${COMP_WORDS[2]}\" in -*) ;; *) "
           "at=\"$at ${COMP_WORDS[2]}\" ;; esac\n"
           "    [ \"$COMP_CWORD\" = 1 ] && at=\n"
           "    case \"$before\" in\n");
    for (size_t i = 0; registry[i] != NULL; i++) {
        completion_put_choices(registry[i]);
        for (const struct command *verb = registry[i]->verbs; verb != NULL && verb->name != NULL;
             verb++) {
            completion_put_choices(verb);
        }
    }
    printf("    '--lang') words='vi en' ;;\n"
           "    esac\n    [ -n \"$words\" ] || case \"$at\" in\n    '' | help) words='");
    for (size_t i = 0; registry[i] != NULL; i++) {
        printf("%s ", registry[i]->name);
    }
    printf("--help --version --lang' ;;\n");
    for (size_t i = 0; registry[i] != NULL; i++) {
        completion_put_case(registry[i], NULL);
        for (const struct command *verb = registry[i]->verbs; verb != NULL && verb->name != NULL;
             verb++) {
            completion_put_case(verb, registry[i]->name);
        }
        printf("    '%s '*) [ -n \"$words\" ] || words='", registry[i]->name);
        completion_put_words(registry[i]);
        printf("' ;;\n");
    }
    printf("    esac\n"
           "    # shellcheck disable=SC2207\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
           "}\n"
           "complete -o default -F _canhgac canhgac\n");
}

static int completion_run(const struct command_call *call)
{
    if (call->operands.count != 1 || !str_is_text(str_from(call->operands.items[0]), "bash")) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("completion is made for bash: canhgac completion bash"));
    }
    completion_put_bash();
    return EXIT_STATUS_CLEAN;
}

const struct command completion_command = {
    .name = "completion",
    .summary = N_("Print what lets bash complete commands with Tab"),
    .operands = "bash",
    .run = completion_run,
};
