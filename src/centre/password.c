/* Argon2id through libargon2. Neighbours: worker.c calls it off the loop, core/login.c decides. */
#include "centre/password.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <argon2.h>
#include <sys/random.h>

#define PASSWORD_PASSES     3
#define PASSWORD_MEMORY_KIB (64U << 10)
#define PASSWORD_LANES      1
#define PASSWORD_SALT_BYTES 16
#define PASSWORD_HASH_BYTES 32

/* Crockford's alphabet: no I L O U, so that nothing is misread. */
static const char once_alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

static int password_random(void *out, size_t len)
{
    return getrandom(out, len, 0) == (ssize_t)len ? 0 : -ERR_IO;
}

int password_hash(struct str password, char ret_encoded[PASSWORD_ENCODED_SIZE])
{
    uint8_t salt[PASSWORD_SALT_BYTES];
    int r = password_random(salt, sizeof(salt));

    if (r < 0) {
        return r;
    }
    r = argon2id_hash_encoded(PASSWORD_PASSES, PASSWORD_MEMORY_KIB, PASSWORD_LANES, password.ptr,
                              password.len, salt, sizeof(salt), PASSWORD_HASH_BYTES, ret_encoded,
                              PASSWORD_ENCODED_SIZE);
    if (r != ARGON2_OK) {
        return r == ARGON2_MEMORY_ALLOCATION_ERROR ? -ERR_NOMEM : -ERR_INVAL;
    }
    return 0;
}

bool password_is(struct str password, const char *encoded)
{
    char unused[PASSWORD_ENCODED_SIZE];

    if (encoded[0] == '\0') {
        (void)password_hash(password, unused);
        return false;
    }
    return argon2id_verify(encoded, password.ptr, password.len) == ARGON2_OK;
}

int password_make_once(char ret_password[PASSWORD_ONCE_SIZE])
{
    uint8_t random[16];
    char *out = ret_password;
    int r = password_random(random, sizeof(random));

    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < sizeof(random); i++) {
        if (i != 0 && i % 4 == 0) {
            *out++ = '-';
        }
        *out++ = once_alphabet[random[i] & 31];
    }
    *out = '\0';
    mem_wipe(random, sizeof(random));
    return 0;
}

int password_check(struct str password, struct str user)
{
    char folded[PASSWORD_MAX_BYTES + 1];
    char name[PASSWORD_MAX_BYTES + 1];
    size_t folded_len = utf8_fold(password, folded, sizeof(folded));
    size_t name_len = utf8_fold(user, name, sizeof(name));
    bool has_other = false;

    if (folded_len >= sizeof(folded) || name_len >= sizeof(name)) {
        return -ERR_INVAL;
    }
    for (size_t i = 1; i < password.len; i++) {
        has_other |= password.ptr[i] != password.ptr[0];
    }
    if (!has_other || (name_len >= 3 && str_find(str_of(folded, folded_len),
                                                 str_of(name, name_len)) != folded_len)) {
        mem_wipe(folded, sizeof(folded));
        return -ERR_INVAL;
    }
    mem_wipe(folded, sizeof(folded));
    return 0;
}
