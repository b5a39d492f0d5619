/* Tokens of senders of logs, as core makes them and the api process looks them up: "cgs_" and 192
 * random bits in hexadecimal. They count for posts of logs and nowhere else. */
#ifndef CENTRE_SENDER_TOKEN_H
#define CENTRE_SENDER_TOKEN_H

#include "base/arena.h"
#include "base/str.h"
#include "store/senders.h"

#include <stdbool.h>
#include <stdint.h>

#define SENDER_TOKEN_SIZE 53 /* with its NUL */
#define SENDER_NAME_MAX   64
#define SENDER_TOUCH      (300 * NS_PER_S) /* a token's last use is written no more often */

/* -ERR_IO. */
[[nodiscard]] int sender_token_new(char ret_text[SENDER_TOKEN_SIZE]);
void sender_token_sha256(struct str text, uint8_t ret_sha256[32]);
/* Letters, digits, dot, dash, underscore, for it becomes part of hosts' names; at least one letter,
 * so that no token has the name of an address. */
bool sender_is_name(struct str name);

/* What a request carries in its Authorization header: "Bearer T", "Splunk T", "ApiKey
 * base64(id:T)", "Basic base64(name:T)"; what stands before T there is not looked at. Empty: none
 * of these. The text lives in the arena. -ERR_NOMEM. */
[[nodiscard]] int sender_authorization(struct str header, struct arena *arena,
                                       struct str *ret_text);
/* The token that the text is. -ERR_DENIED: none, or a revoked one. */
[[nodiscard]] int sender_find(struct store *store, struct str text, struct arena *arena,
                              struct store_sender_token *ret_token);

#endif
