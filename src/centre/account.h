/* Who asks: sessions and users as both core and the api process look them up. A session is 32
 * random bytes that only its browser knows; the store keeps their SHA-256. Reads the store, writes
 * nothing. */
#ifndef CENTRE_ACCOUNT_H
#define CENTRE_ACCOUNT_H

#include "base/arena.h"
#include "base/str.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

#define ACCOUNT_SESSION_BYTES 32
#define ACCOUNT_IDLE          (12 * 3600 * NS_PER_S)
#define ACCOUNT_LIFE          (7 * 86400 * NS_PER_S)
#define ACCOUNT_TOUCH         (300 * NS_PER_S) /* a session's last use is written no more often */

/* What a request needs of who asks. Roles follow in the order of enum role. */
enum access {
    ACCESS_OPEN,    /* nobody need be logged in */
    ACCESS_SESSION, /* anybody who is, even with a password that must be changed first */
    ACCESS_VIEWER,
    ACCESS_DUTY,
    ACCESS_ADMIN,
    ACCESS_LOCAL,  /* an admin, or anybody on the centre's own machine */
    ACCESS_SENDER, /* a token of a sender of logs (centre/sender_token.h), and no session */
    ACCESS_COUNT,
};
const char *access_name(enum access access);

struct account {
    struct store_session session;
    struct store_user user;
};

[[nodiscard]] int account_session_new(uint8_t ret_secret[ACCOUNT_SESSION_BYTES]);
void account_session_sha256(struct str secret, uint8_t ret_sha256[32]);
/* The session of a secret and its user, in the arena. -ERR_DENIED when there is none, it has ended
 * (idle or life), or the user is locked out. */
[[nodiscard]] int account_find(struct store *store, struct str secret, int64_t now,
                               struct arena *arena, struct account *ret_account);
/* 0, -ERR_ACCES when the role is too low, -ERR_EXPIRED when the password must be changed first. */
[[nodiscard]] int account_check(const struct account *account, enum access access);

#endif
