/* See centre/sender_token.h. A token is looked up by its SHA-256: what a comparison's time tells is
 * about bytes that a guesser cannot choose. */
#include "centre/sender_token.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"
#include "codec/base64.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/random.h>

#define SENDER_SECRET 24
#define SENDER_MARK   "cgs_"
#define SENDER_HEADER 512 /* bytes of a header's words after base64 */

int sender_token_new(char ret_text[SENDER_TOKEN_SIZE])
{
    uint8_t secret[SENDER_SECRET];

    if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret)) {
        return -ERR_IO;
    }
    memcpy(ret_text, SENDER_MARK, sizeof(SENDER_MARK));
    hex_encode(secret, sizeof(secret), ret_text + sizeof(SENDER_MARK) - 1);
    OPENSSL_cleanse(secret, sizeof(secret));
    return 0;
}

void sender_token_sha256(struct str text, uint8_t ret_sha256[32])
{
    (void)SHA256((const unsigned char *)text.ptr, text.len, ret_sha256);
}

bool sender_is_name(struct str name)
{
    bool has_letter = false;

    for (size_t i = 0; i < name.len; i++) {
        char byte = name.ptr[i];
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        bool is_digit = byte >= '0' && byte <= '9';

        if (!is_letter && !is_digit && byte != '.' && byte != '-' && byte != '_') {
            return false;
        }
        has_letter |= is_letter;
    }
    return has_letter && name.len <= SENDER_NAME_MAX;
}

/* What stands behind the first colon of the decoded words; the whole when there is none. */
static int sender_decode(struct str words, struct arena *arena, struct str *ret_text)
{
    CLEANUP(buf_done) struct buf plain;
    struct str text;
    size_t colon;

    buf_init(&plain, SENDER_HEADER);
    if (base64_decode(words, &plain) < 0) {
        return 0;
    }
    text = buf_str(&plain);
    colon = str_find_byte(text, ':');
    if (colon < text.len) {
        text = str_slice(text, colon + 1, text.len);
    }
    *ret_text = arena_copy(arena, text);
    OPENSSL_cleanse(plain.ptr, plain.len);
    return ret_text->ptr == NULL ? -ERR_NOMEM : 0;
}

int sender_authorization(struct str header, struct arena *arena, struct str *ret_text)
{
    struct str rest = str_trim(header);
    struct str scheme = STR("");

    *ret_text = STR("");
    if (!str_cut(&rest, ' ', &scheme)) {
        return 0;
    }
    rest = str_trim(rest);
    if (rest.len == 0) {
        return 0;
    }
    if (str_is_nocase(scheme, STR("Bearer")) || str_is_nocase(scheme, STR("Splunk"))) {
        *ret_text = rest;
        return 0;
    }
    if (str_is_nocase(scheme, STR("ApiKey")) || str_is_nocase(scheme, STR("Basic"))) {
        return sender_decode(rest, arena, ret_text);
    }
    return 0;
}

int sender_find(struct store *store, struct str text, struct arena *arena,
                struct store_sender_token *ret_token)
{
    struct store_sender_token token;
    uint8_t sha256[32];
    int r;

    if (text.len == 0) {
        return -ERR_DENIED;
    }
    sender_token_sha256(text, sha256);
    r = store_sender_token_find(store, sha256, arena, &token);
    if (r == -ERR_NOENT || r == -ERR_REVOKED) {
        return -ERR_DENIED;
    }
    if (r < 0) {
        return r;
    }
    if (CRYPTO_memcmp(sha256, token.secret_sha256, sizeof(sha256)) != 0) {
        return -ERR_DENIED;
    }
    *ret_token = token;
    return 0;
}
