/* RFC 6238 and the part of RFC 4648 that goes with it. Pure but for OpenSSL's HMAC. */
#include "centre/totp.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define TOTP_DIGITS 6

static const char base32_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

int totp_code(struct str secret, uint64_t step, uint32_t *ret_code)
{
    uint8_t counter[8];
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned mac_len = 0;
    unsigned at;
    uint32_t word;

    for (unsigned i = 0; i < sizeof(counter); i++) {
        counter[i] = (uint8_t)(step >> (56 - 8 * i));
    }
    if (secret.len == 0 || secret.len > INT32_MAX ||
        HMAC(EVP_sha1(), secret.ptr, (int)secret.len, counter, sizeof(counter), mac, &mac_len) ==
            NULL) {
        return -ERR_INVAL;
    }
    at = mac[mac_len - 1] & 15U; /* RFC 4226 §5.3: dynamic truncation */
    word = ((uint32_t)(mac[at] & 0x7f) << 24) | ((uint32_t)mac[at + 1] << 16) |
           ((uint32_t)mac[at + 2] << 8) | mac[at + 3];
    *ret_code = word % 1000000;
    return 0;
}

int totp_check(struct str secret, struct str code, int64_t wall_ns, uint64_t *step_used)
{
    uint64_t now = (uint64_t)(wall_ns / NS_PER_S / TOTP_STEP_S);
    uint64_t fits = 0;

    if (code.len != TOTP_DIGITS || wall_ns < TOTP_STEP_S * NS_PER_S) {
        return -ERR_DENIED;
    }
    for (uint64_t step = now - 1; step <= now + 1; step++) {
        char text[16];
        uint32_t expected;

        if (totp_code(secret, step, &expected) < 0) {
            return -ERR_DENIED;
        }
        (void)snprintf(text, sizeof(text), "%06u", expected);
        if (CRYPTO_memcmp(text, code.ptr, TOTP_DIGITS) == 0 && step > *step_used) {
            fits = step;
        }
    }
    if (fits == 0) {
        return -ERR_DENIED;
    }
    *step_used = fits;
    return 0;
}

void totp_secret_format(const uint8_t secret[TOTP_SECRET_BYTES], char ret_text[TOTP_BASE32_SIZE])
{
    for (size_t i = 0; i < TOTP_BASE32_SIZE - 1; i++) {
        size_t bit = i * 5;
        unsigned pair = (unsigned)secret[bit / 8] << 8;

        if (bit / 8 + 1 < TOTP_SECRET_BYTES) {
            pair |= secret[bit / 8 + 1];
        }
        ret_text[i] = base32_alphabet[(pair >> (11 - bit % 8)) & 31];
    }
    ret_text[TOTP_BASE32_SIZE - 1] = '\0';
}

int totp_secret_parse(struct str text, uint8_t ret_secret[TOTP_SECRET_BYTES])
{
    uint8_t secret[TOTP_SECRET_BYTES + 1] = {0};

    if (text.len != TOTP_BASE32_SIZE - 1) {
        return -ERR_SYNTAX;
    }
    for (size_t i = 0; i < text.len; i++) {
        const char *place = memchr(base32_alphabet, text.ptr[i], sizeof(base32_alphabet) - 1);
        size_t bit = i * 5;
        unsigned pair;

        if (place == NULL) {
            return -ERR_SYNTAX;
        }
        pair = (unsigned)(place - base32_alphabet) << (11 - bit % 8);
        secret[bit / 8] |= (uint8_t)(pair >> 8);
        secret[bit / 8 + 1] |= (uint8_t)pair;
    }
    memcpy(ret_secret, secret, TOTP_SECRET_BYTES);
    return 0;
}
