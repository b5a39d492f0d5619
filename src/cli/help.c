/* canhgac help [COMMAND…]: the list of commands, or one command's page. */
#include "base/banned.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/registry.h"

static int help_run(const struct command_call *call)
{
    const struct command *command;
    size_t taken = 0;

    if (call->operands.count == 0) {
        registry_print_list();
        return EXIT_STATUS_CLEAN;
    }
    command = registry_find(call->operands.items, call->operands.count, &taken);
    if (command != NULL && taken != call->operands.count) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("'%s' has no verb '%s'; canhgac %s --help lists them"), command->name,
                            call->operands.items[taken], command->name);
    }
    if (command == NULL) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("there is no command '%s'; canhgac help lists them"),
                            call->operands.items[taken]);
    }
    registry_print_help(command, taken > 1
                                     ? arena_printf(call->arena, "%s %s", call->operands.items[0],
                                                    call->operands.items[1])
                                           .ptr
                                     : call->operands.items[0]);
    return EXIT_STATUS_CLEAN;
}

const struct command help_command = {
    .name = "help",
    .summary = N_("List the commands, or explain one"),
    .operands = N_("[COMMAND…]"),
    .run = help_run,
};
