/* The sockets that the supervisor opens for its children and keeps: a child that comes back takes
 * up the same ones, and what came meanwhile waits in them. */
#ifndef CENTRE_LISTENERS_H
#define CENTRE_LISTENERS_H

#include "base/diag.h"
#include "centre/settings.h"

#include <stddef.h>

#define LISTENERS_MAX 16 /* of a kind */

enum listener_kind {
    LISTENER_TLS,        /* agents and browsers */
    LISTENER_SYSLOG_TLS, /* these two are front's */
    LISTENER_SYSLOG_UDP,
    LISTENER_SYSLOG_TCP, /* these two are the receiver's */
    LISTENER_KIND_COUNT,
};

struct listeners {
    int fds[LISTENER_KIND_COUNT][LISTENERS_MAX];
    size_t counts[LISTENER_KIND_COUNT];
};

/* Whether the settings name addresses, and not too many; diag says where they do not. */
[[nodiscard]] int listeners_check(const struct centre_settings *settings, struct diag *diag);
/* diag names the setting or the address, and the remedy. What was opened before a failure is closed
 * by listeners_close. */
[[nodiscard]] int listeners_open(struct listeners *listeners,
                                 const struct centre_settings *settings, struct diag *diag);
/* Puts those of a kind behind each other and says how many. */
size_t listeners_put(const struct listeners *listeners, enum listener_kind kind, int *ret_fds);
void listeners_close(struct listeners *listeners);

#endif
