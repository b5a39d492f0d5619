/* Names of local users. Read from /etc/passwd by hand: the C library would ask name services over a
 * socket, which a sandboxed process does not have. */
#ifndef SYS_USER_H
#define SYS_USER_H

#include <stddef.h>
#include <sys/types.h>

#define USER_NAME_MAX 64

/* -ERR_NOENT for a user that is not local; out is "" then. */
[[nodiscard]] int user_name(uid_t uid, char *out, size_t size);

#endif
