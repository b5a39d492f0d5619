/* What a person carries from the centre to a new host: `canhgac agent enrol HOST TOKEN`. 25 bytes:
 * a secret of 14 (112 bits), the first 10 (80 bits) of the SHA-256 of the authority's certificate,
 * one check byte; written as 40 characters of Crockford's base32 in groups of five, so that it can
 * be read over a telephone. Pure. */
#ifndef LINK_TOKEN_H
#define LINK_TOKEN_H

#include "base/str.h"
#include "link/message.h"

#include <stdbool.h>
#include <stdint.h>

#define TOKEN_PIN_SIZE  10
#define TOKEN_TEXT_SIZE 48 /* 40 characters, 7 hyphens, NUL */

struct token {
    uint8_t secret[LINK_SECRET_SIZE];
    uint8_t pin[TOKEN_PIN_SIZE];
};

/* A new secret from the kernel's generator. -ERR_IO. */
[[nodiscard]] int token_new(const uint8_t authority_sha256[32], struct token *ret_token);
void token_format(const struct token *token, char out[TOKEN_TEXT_SIZE]);
/* Takes either case, O for 0, I and L for 1, hyphens and blanks anywhere. -ERR_SYNTAX when it is
 * not one or the check byte tells of a slip. */
[[nodiscard]] int token_parse(struct str text, struct token *ret_token);
/* What the store keeps of the secret. -ERR_IO. */
[[nodiscard]] int token_secret_sha256(struct str secret, uint8_t ret_sha256[32]);
bool token_is_pin(const struct token *token, const uint8_t authority_sha256[32]);

#endif
