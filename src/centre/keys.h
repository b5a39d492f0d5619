/* The centre's folder and keys, made at the first start and renewed in time; done by the supervisor
 * with the rights it started with. */
#ifndef CENTRE_KEYS_H
#define CENTRE_KEYS_H

#include "base/diag.h"
#include "base/time.h"
#include "centre/settings.h"

/* Makes FOLDER for its users: core owns it, api may read, nobody else. diag names a missing user's
 * remedy. */
[[nodiscard]] int centre_make_folder(const struct centre_settings *settings, struct diag *diag);

/* Makes what is missing of the authority and the server's certificate, and a new server certificate
 * when the old one is about to end or lacks a name. 1 when the server's was made anew, 0 when all
 * was there. */
[[nodiscard]] int centre_make_keys(const struct centre_settings *settings,
                                   const struct clock *clock, struct diag *diag);

#endif
