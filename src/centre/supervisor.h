/* The centre's first process: makes folder, keys, sockets and channels, forks front, core and api,
 * and starts again what dies. It parses nothing that comes from outside. */
#ifndef CENTRE_SUPERVISOR_H
#define CENTRE_SUPERVISOR_H

#include "base/diag.h"
#include "centre/settings.h"

/* Runs until SIGTERM or SIGINT; 0 after a clean end. -ERR_CANCELED: core or api cannot serve
 * over this folder and has said why. */
[[nodiscard]] int centre_supervise(const struct centre_settings *settings, struct diag *diag);

#endif
