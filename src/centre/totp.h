/* Time-based one-time codes: RFC 6238 over HMAC-SHA-1, 30 s, six digits: what every authenticator
 * speaks. */
#ifndef CENTRE_TOTP_H
#define CENTRE_TOTP_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

#define TOTP_STEP_S       30
#define TOTP_SECRET_BYTES 20
#define TOTP_BASE32_SIZE  33

/* The code of a step, 0 … 999999. -ERR_INVAL for an empty secret. */
[[nodiscard]] int totp_code(struct str secret, uint64_t step, uint32_t *ret_code);
/* Takes the code of the present step, the one before and the one after, but none of a step that was
 * used: *step_used is raised to the step that fitted. -ERR_DENIED. */
[[nodiscard]] int totp_check(struct str secret, struct str code, int64_t wall_ns,
                             uint64_t *step_used);

/* RFC 4648 base32 without padding, as authenticators take it typed. */
void totp_secret_format(const uint8_t secret[TOTP_SECRET_BYTES], char ret_text[TOTP_BASE32_SIZE]);
/* -ERR_SYNTAX. */
[[nodiscard]] int totp_secret_parse(struct str text, uint8_t ret_secret[TOTP_SECRET_BYTES]);

#endif
