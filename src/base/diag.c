/* One sentence for a person. */
#include "base/diag.h"

#include "base/banned.h"
#include "base/err.h"

#include <stdarg.h>

int diag_set(struct diag *diag, int code, const char *format, ...)
{
    va_list args;

    if (diag == NULL || diag->text[0] != '\0') {
        return code;
    }
    va_start(args, format);
    (void)vsnprintf(diag->text, sizeof(diag->text), format, args);
    va_end(args);
    return code;
}

const char *diag_text(const struct diag *diag, int code)
{
    return diag != NULL && diag->text[0] != '\0' ? diag->text : err_text(code);
}
