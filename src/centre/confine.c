/* See centre/confine.h. */
#include "centre/confine.h"

#include "base/banned.h"
#include "base/log.h"

#include <pwd.h>

int confine(const struct sandbox *sandbox, struct diag *diag)
{
    unsigned missing = 0;
    int r = sandbox_enter(sandbox, &missing, diag);

    if (r == 0 && missing != 0) {
        log_warn("this kernel lacks part of the sandbox missing=%u", missing);
    }
    return r;
}

int confine_parser(const char *name, const char *user, const struct sandbox *sandbox)
{
    struct sandbox whole = *sandbox;
    struct diag diag = {0};
    int r;

    whole.user = user == NULL || getpwnam(user) != NULL ? user : "nobody";
    r = confine(&whole, &diag);
    if (r < 0) {
        log_error("%s: %s", name, diag_text(&diag, r));
    }
    return r;
}
