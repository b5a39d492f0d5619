/* What a service manager and an administrator want of a long-running program: sd_notify by hand,
 * and a file with the process's number that only one process can hold. */
#ifndef SYS_SERVICE_H
#define SYS_SERVICE_H

#include "base/diag.h"

#include <sys/types.h>

/* Tells systemd; nothing happens without it. state: "READY=1", "STOPPING=1", "STATUS=…". */
void service_notify(const char *state);

/* Locks FOLDER/pid and writes our number into it; the descriptor holds the lock. -ERR_BUSY, and
 * diag then says who holds it. */
[[nodiscard]] int service_claim(const char *folder, struct diag *diag);

#endif
