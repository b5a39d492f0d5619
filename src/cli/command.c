/* What all subcommands share. */
#include "cli/command.h"

#include "base/banned.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"

#include <stdarg.h>

#define SENTENCE_MAX 4096

int command_fail(enum exit_status status, const char *format, ...)
{
    CLEANUP(buf_done) struct buf plain;
    char text[SENTENCE_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    buf_init(&plain, SENTENCE_MAX);
    (void)buf_put_plain(&plain, str_from(text)); /* files, lines and answers may be anybody's */
    fflush(stdout);
    fprintf(stderr, "canhgac: %.*s\n",
            STR_ARG(buf_error(&plain) == 0 ? buf_str(&plain) : str_from(err_text(-ERR_NOMEM))));
    return (int)status;
}
