/* canhgac manual: the manual page in roff, made from the command table and its rows. */
#include "base/banned.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/registry.h"

/* Text in roff: a leading dot or quote, backslashes and hyphens mean something there. */
static void manual_put(const char *text)
{
    bool is_line_start = true;

    for (; *text != '\0'; text++) {
        if (is_line_start && (*text == '.' || *text == '\'')) {
            fputs("\\&", stdout);
        }
        if (strncmp(text, "…", 3) == 0) { /* no terminal is without dots */
            fputs("...", stdout);
            text += 2;
        } else if (*text == '\\') {
            fputs("\\e", stdout);
        } else if (*text == '-') {
            fputs("\\-", stdout);
        } else {
            putchar(*text);
        }
        is_line_start = *text == '\n';
    }
}

static void manual_put_row(const struct setting *row)
{
    printf(".TP\n.B ");
    if (row->letter != 0) {
        printf("\\-%c, ", row->letter);
    }
    printf("\\-\\-%s", row->name);
    if (row->type != SETTING_FLAG) {
        printf(" \\fI");
        manual_put(row->value_name != NULL ? text_get(row->value_name) : _("VALUE"));
        printf("\\fR");
    }
    putchar('\n');
    manual_put(text_get(row->help));
    if (row->type == SETTING_CHOICE) {
        printf(" (%s)", row->maximum);
    }
    if (row->fallback != NULL && row->type != SETTING_FLAG) {
        printf(" [%s]", row->fallback);
    }
    putchar('\n');
}

/* above: the command whose verb this is, or NULL. */
static void manual_put_command(const struct command *command, const char *above)
{
    printf(".SS canhgac %s%s%s", above != NULL ? above : "", above != NULL ? " " : "",
           command->name);
    if (command->operands != NULL) {
        putchar(' ');
        manual_put(text_get(command->operands));
    }
    putchar('\n');
    manual_put(text_get(command->summary));
    printf(".\n");
    if (command->details != NULL) {
        printf(".PP\n");
        manual_put(text_get(command->details));
        putchar('\n');
    }
    for (const struct setting *row = command->rows; row != NULL && row->name != NULL; row++) {
        manual_put_row(row);
    }
}

static void manual_put_family(const struct command *command)
{
    manual_put_command(command, NULL);
    for (const struct command *verb = command->verbs; verb != NULL && verb->name != NULL; verb++) {
        manual_put_command(verb, command->name);
    }
}

static int manual_run(const struct command_call *call)
{
    (void)call;
    printf(".TH CANHGAC 8 \"\" \"canhgac %s\"\n.SH \"", CANHGAC_VERSION);
    manual_put(_("NAME"));
    printf("\"\ncanhgac \\- ");
    manual_put(_("Canh Gác keeps watch over a province's servers, PCs and websites."));
    printf("\n.SH \"");
    manual_put(_("COMMANDS"));
    printf("\"\n");
    for (size_t i = 0; registry[i] != NULL; i++) {
        manual_put_family(registry[i]);
    }
    printf(".SH \"");
    manual_put(_("EXIT STATUS"));
    printf("\"\n");
    manual_put(_("0 nothing found, 1 something found, 2 asked wrongly, 3 could not do it."));
    putchar('\n');
    return EXIT_STATUS_CLEAN;
}

const struct command manual_command = {
    .name = "manual",
    .summary = N_("Print the manual page, for man"),
    .run = manual_run,
};
