/* What all subcommands share. */
#include "cli/command.h"

#include "base/banned.h"

#include <stdarg.h>

int command_fail(enum exit_status status, const char *format, ...)
{
    va_list args;

    fflush(stdout);
    fputs("canhgac: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return (int)status;
}
