/* Sessions and users, read. Neighbours: api/http.c before each handler, core/request.c before each
 * write. */
#include "centre/account.h"

#include "base/banned.h"
#include "base/err.h"

#include <openssl/sha.h>
#include <sys/random.h>

const char *access_name(enum access access)
{
    static const char *const names[ACCESS_COUNT] = {
        [ACCESS_OPEN] = "open",     [ACCESS_SESSION] = "session", [ACCESS_VIEWER] = "viewer",
        [ACCESS_DUTY] = "duty",     [ACCESS_ADMIN] = "admin",     [ACCESS_LOCAL] = "local",
        [ACCESS_SENDER] = "sender",
    };

    return names[access];
}

int account_session_new(uint8_t ret_secret[ACCOUNT_SESSION_BYTES])
{
    return getrandom(ret_secret, ACCOUNT_SESSION_BYTES, 0) == ACCOUNT_SESSION_BYTES ? 0 : -ERR_IO;
}

void account_session_sha256(struct str secret, uint8_t ret_sha256[32])
{
    (void)SHA256((const unsigned char *)secret.ptr, secret.len, ret_sha256);
}

int account_find(struct store *store, struct str secret, int64_t now, struct arena *arena,
                 struct account *ret_account)
{
    uint8_t sha256[32];
    struct account account;
    int r;

    if (secret.len != ACCOUNT_SESSION_BYTES) {
        return -ERR_DENIED;
    }
    account_session_sha256(secret, sha256);
    r = store_session_get(store, sha256, arena, &account.session);
    if (r < 0) {
        return r == -ERR_NOENT || r == -ERR_EXPIRED ? -ERR_DENIED : r;
    }
    if (now >= account.session.expires || now - account.session.used >= ACCOUNT_IDLE) {
        return -ERR_DENIED;
    }
    r = store_user_get_number(store, account.session.user, arena, &account.user);
    if (r < 0) {
        return r == -ERR_NOENT ? -ERR_DENIED : r;
    }
    if (account.user.is_disabled) {
        return -ERR_DENIED;
    }
    *ret_account = account;
    return 0;
}

int account_check(const struct account *account, enum access access)
{
    if (access <= ACCESS_SESSION) {
        return 0;
    }
    if (access == ACCESS_SENDER) {
        return -ERR_ACCES;
    }
    if (account->user.must_change_password) {
        return -ERR_EXPIRED;
    }
    if (access == ACCESS_LOCAL) {
        access = ACCESS_ADMIN;
    }
    return (int)account->user.role + ACCESS_VIEWER < (int)access ? -ERR_ACCES : 0;
}
