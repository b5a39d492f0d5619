/* Enrolment tokens as text: see link/token.h. Made by centre/core.c, typed at cli/agent_enrol.c. */
#include "link/token.h"

#include "base/banned.h"
#include "base/err.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#define TOKEN_BYTES (LINK_SECRET_SIZE + TOKEN_PIN_SIZE + 1)
#define TOKEN_CHARS 40
#define TOKEN_GROUP 5

static_assert(TOKEN_BYTES * 8 == TOKEN_CHARS * 5, "no bit is left over");
static_assert(sizeof(struct token) == TOKEN_BYTES - 1, "no padding");

static const char token_digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static int token_sha256(struct str bytes, uint8_t ret_sha256[32])
{
    return EVP_Digest(bytes.ptr, bytes.len, ret_sha256, NULL, EVP_sha256(), NULL) == 1 ? 0
                                                                                       : -ERR_IO;
}

/* The token and its check byte. */
static void token_spell(const struct token *token, uint8_t out[TOKEN_BYTES])
{
    uint8_t digest[32] = {0};

    memcpy(out, token->secret, LINK_SECRET_SIZE);
    memcpy(out + LINK_SECRET_SIZE, token->pin, TOKEN_PIN_SIZE);
    (void)token_sha256(str_of((const char *)out, TOKEN_BYTES - 1), digest);
    out[TOKEN_BYTES - 1] = digest[0];
}

int token_new(const uint8_t authority_sha256[32], struct token *ret_token)
{
    struct token token;

    if (RAND_bytes(token.secret, sizeof(token.secret)) != 1) {
        return -ERR_IO;
    }
    memcpy(token.pin, authority_sha256, sizeof(token.pin));
    *ret_token = token;
    return 0;
}

void token_format(const struct token *token, char out[TOKEN_TEXT_SIZE])
{
    uint8_t bytes[TOKEN_BYTES];
    size_t len = 0;

    token_spell(token, bytes);
    for (size_t i = 0; i < TOKEN_CHARS; i++) {
        size_t bit = i * 5;
        unsigned pair =
            (unsigned)bytes[bit / 8] << 8 | (bit / 8 + 1 < TOKEN_BYTES ? bytes[bit / 8 + 1] : 0);

        if (i != 0 && i % TOKEN_GROUP == 0) {
            out[len++] = '-';
        }
        out[len++] = token_digits[pair >> (11 - bit % 8) & 31];
    }
    out[len] = '\0';
}

/* The value of a digit, or -1. */
static int token_digit(char c)
{
    const char *at;

    if (c >= 'a' && c <= 'z') {
        c = (char)(c - 'a' + 'A');
    }
    if (c == 'O') {
        return 0;
    }
    if (c == 'I' || c == 'L') {
        return 1;
    }
    at = c == '\0' ? NULL : strchr(token_digits, c);
    return at == NULL ? -1 : (int)(at - token_digits);
}

int token_parse(struct str text, struct token *ret_token)
{
    uint8_t bytes[TOKEN_BYTES] = {0};
    uint8_t again[TOKEN_BYTES];
    struct token token;
    size_t chars = 0;

    for (size_t i = 0; i < text.len; i++) {
        int digit;

        if (text.ptr[i] == '-' || text.ptr[i] == ' ') {
            continue;
        }
        digit = token_digit(text.ptr[i]);
        if (digit < 0 || chars == TOKEN_CHARS) {
            return -ERR_SYNTAX;
        }
        for (size_t k = 0; k < 5; k++) {
            size_t bit = chars * 5 + k;

            bytes[bit / 8] |= (uint8_t)((digit >> (4 - k) & 1) << (7 - bit % 8));
        }
        chars++;
    }
    memcpy(token.secret, bytes, LINK_SECRET_SIZE);
    memcpy(token.pin, bytes + LINK_SECRET_SIZE, TOKEN_PIN_SIZE);
    token_spell(&token, again);
    if (chars != TOKEN_CHARS || again[TOKEN_BYTES - 1] != bytes[TOKEN_BYTES - 1]) {
        return -ERR_SYNTAX;
    }
    *ret_token = token;
    return 0;
}

int token_secret_sha256(struct str secret, uint8_t ret_sha256[32])
{
    return token_sha256(secret, ret_sha256);
}

bool token_is_pin(const struct token *token, const uint8_t authority_sha256[32])
{
    return memcmp(token->pin, authority_sha256, sizeof(token->pin)) == 0;
}
