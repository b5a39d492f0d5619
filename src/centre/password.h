/* Passwords: Argon2id (RFC 9106, its second recommended set: 64 MiB, three passes, one lane), and
 * the one-time passwords that an administrator hands on. Each hash or check takes about a tenth of
 * a second and 64 MiB: never on a loop's thread (centre/worker.h). Thread-safe. */
#ifndef CENTRE_PASSWORD_H
#define CENTRE_PASSWORD_H

#include "base/str.h"

#include <stdbool.h>

#define PASSWORD_MIN_BYTES    12
#define PASSWORD_MAX_BYTES    200
#define PASSWORD_ENCODED_SIZE 128
#define PASSWORD_ONCE_SIZE    24

/* $argon2id$… with a fresh salt. -ERR_NOMEM, -ERR_IO when the kernel gives no randomness. */
[[nodiscard]] int password_hash(struct str password, char ret_encoded[PASSWORD_ENCODED_SIZE]);
/* Whether the password is the one; false too for an encoded text that is none. Pass an empty one
 * for a user who does not exist: it takes the same time and is never true. */
bool password_is(struct str password, const char *encoded);
/* A password for one use, easy to read aloud: four groups of letters and digits, 80 bits. */
[[nodiscard]] int password_make_once(char ret_password[PASSWORD_ONCE_SIZE]);
/* -ERR_INVAL for one that anybody would try first: the user's name in it, or one character again
 * and again. */
[[nodiscard]] int password_check(struct str password, struct str user);

#endif
