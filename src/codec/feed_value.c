/* Values of lists brought to their one form: see feed.h. Whoever looks for a value brings it to the
 * same form first. */
#include "base/banned.h"
#include "base/network.h"
#include "base/utf8.h"
#include "codec/feed_part.h"

#include <arpa/inet.h>
#include <string.h>

#define ADDRESS_TEXT_MAX 64
#define NETWORK_BITS_MIN 8  /* of IPv4: wider ones are a slip */
#define NETWORK_SIX_MIN  16 /* of IPv6 */
#define URL_SCHEME_MAX   16

static bool is_host_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c >= 0x80;
}

/* Labels of 1 to 63 bytes parted by dots, at least two of them. */
static bool is_host(struct str host)
{
    struct str label;
    size_t labels = 0;

    if (host.len == 0 || host.len > FEED_HOST_MAX || host.ptr[host.len - 1] == '.' ||
        !utf8_is_valid(host)) {
        return false;
    }
    while (str_cut(&host, '.', &label)) {
        if (label.len == 0 || label.len > 63 || label.ptr[0] == '-') {
            return false;
        }
        for (size_t i = 0; i < label.len; i++) {
            if (!is_host_byte((unsigned char)label.ptr[i])) {
                return false;
            }
        }
        labels++;
    }
    return labels >= 2;
}

/* Cuts what stands around a host: scheme, user, port, path, "*.", "||" and "^" of ad blockers. */
static struct str host_bare(struct str text)
{
    size_t scheme = str_find(text, STR("://"));
    size_t end = 0;

    text = scheme != text.len ? str_slice(text, scheme + 3, text.len) : text;
    text = str_has_prefix(text, STR("||")) ? str_slice(text, 2, text.len) : text;
    text = str_has_prefix(text, STR("*.")) ? str_slice(text, 2, text.len) : text;
    while (end < text.len && strchr("/?#^", text.ptr[end]) == NULL) {
        end++;
    }
    text = str_slice(text, 0, end);
    for (size_t at = text.len; at != 0; at--) {
        if (text.ptr[at - 1] == '@') {
            text = str_slice(text, at, text.len);
            break;
        }
    }
    text = str_slice(text, 0, str_find_byte(text, ':'));
    return str_has_suffix(text, STR(".")) ? str_slice(text, 0, text.len - 1) : text;
}

bool feed_read_host(struct str text, char *room, struct str *ret_host)
{
    struct str host = host_bare(str_trim(text));

    if (host.len > FEED_HOST_MAX) {
        return false;
    }
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];

        room[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    *ret_host = str_of(room, host.len);
    return is_host(*ret_host);
}

bool feed_read_hash(struct str text, char *room, struct str *ret_hash)
{
    text = str_trim(text);
    if (text.len != 32 && text.len != 40 && text.len != 64) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        char lower = (char)(c | 0x20);

        if (!(c >= '0' && c <= '9') && !(lower >= 'a' && lower <= 'f')) {
            return false;
        }
        room[i] = c >= '0' && c <= '9' ? c : lower;
    }
    *ret_hash = str_of(room, text.len);
    return true;
}

bool feed_read_phrase(struct str text, char *room, struct str *ret_phrase)
{
    size_t len;

    text = str_trim(text);
    len = utf8_fold(text, NULL, 0);
    if (!utf8_is_valid(text) || len < FEED_PHRASE_MIN || len > FEED_PHRASE_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < ' ') {
            return false;
        }
    }
    (void)utf8_fold(text, room, FEED_LINE_MAX);
    *ret_phrase = str_of(room, len);
    return true;
}

/* Shown to people and kept in lines: valid, and no control characters. */
static bool is_printable(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c < ' ' || c == 0x7f ||
            (c == 0xc2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] < 0xa0)) {
            return false;
        }
    }
    return utf8_is_valid(text);
}

bool feed_parse_address(struct str text, uint8_t ret_address[16], unsigned *ret_bits)
{
    struct str trimmed = str_trim(text);
    bool is_four = str_find_byte(trimmed, ':') == trimmed.len;
    struct network network;

    if (!network_parse(trimmed, &network) ||
        network.bits < (is_four ? NETWORK_MAPPED_BITS + NETWORK_BITS_MIN : NETWORK_SIX_MIN)) {
        return false;
    }
    memcpy(ret_address, network.address, sizeof(network.address));
    *ret_bits = network.bits;
    return true;
}

struct str feed_format_address(const uint8_t address[16], unsigned bits, char *room)
{
    bool is_four = network_is_mapped(address) && bits >= NETWORK_MAPPED_BITS + NETWORK_BITS_MIN;
    size_t len;

    if (inet_ntop(is_four ? AF_INET : AF_INET6, is_four ? address + 12 : address, room,
                  ADDRESS_TEXT_MAX) == NULL) {
        return str_of(room, 0);
    }
    len = strlen(room);
    if (bits < 128) {
        len += (size_t)snprintf(room + len, 8, "/%u", is_four ? bits - NETWORK_MAPPED_BITS : bits);
    }
    return str_of(room, len);
}

bool feed_read_address(struct str text, char *room, struct str *ret_address)
{
    uint8_t address[16];
    unsigned bits = 0;

    if (!feed_parse_address(text, address, &bits)) {
        return false;
    }
    *ret_address = feed_format_address(address, bits, room);
    return ret_address->len != 0;
}

/* A host name, an IPv4 address, or an IPv6 address in brackets. */
static bool is_url_host(struct str host)
{
    uint8_t address[16];

    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') {
        return network_address(str_slice(host, 1, host.len - 1), address);
    }
    return is_host(host);
}

static struct str url_authority(struct str text, struct str *ret_rest)
{
    size_t scheme = str_find(text, STR("://"));
    size_t end = 0;

    while (end < text.len && strchr("/?#", text.ptr[end]) == NULL) {
        end++;
    }
    if (scheme < URL_SCHEME_MAX && scheme < end) { /* one behind it is of another URL in the path */
        text = str_slice(text, scheme + 3, text.len);
        end = 0;
        while (end < text.len && strchr("/?#", text.ptr[end]) == NULL) {
            end++;
        }
    }
    *ret_rest = str_slice(text, end, text.len);
    text = str_slice(text, 0, end);
    for (size_t at = text.len; at != 0; at--) {
        if (text.ptr[at - 1] == '@') {
            return str_slice(text, at, text.len);
        }
    }
    return text;
}

bool feed_read_url(struct str text, char *room, struct str *ret_url)
{
    struct str path = {0};
    struct str host = url_authority(str_trim(text), &path);
    size_t port = host.len;
    size_t len = 0;

    path = str_slice(path, 0, str_find_byte(path, '#'));
    if (host.len == 0 || host.len > FEED_HOST_MAX + 8 || path.len > FEED_URL_MAX || path.len < 2 ||
        !is_printable(path) || str_find_byte(path, ' ') != path.len) {
        return false;
    }
    while (port != 0 && host.ptr[port - 1] >= '0' && host.ptr[port - 1] <= '9') {
        port--;
    }
    port = port != 0 && port != host.len && host.ptr[port - 1] == ':' ? port - 1 : host.len;
    for (; len < host.len; len++) {
        char c = host.ptr[len];

        room[len] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    if (!is_url_host(str_of(room, port))) {
        return false;
    }
    if (str_is(str_slice(host, port, host.len), STR(":80")) ||
        str_is(str_slice(host, port, host.len), STR(":443"))) {
        len = port;
    }
    if (path.ptr[0] == '?') {
        room[len++] = '/';
    }
    memcpy(room + len, path.ptr, path.len);
    *ret_url = str_of(room, len + path.len);
    return true;
}

bool feed_read_agent(struct str text, char *room, struct str *ret_agent)
{
    text = str_trim(text);
    if (text.len < FEED_AGENT_MIN || text.len > FEED_AGENT_MAX || !is_printable(text)) {
        return false;
    }
    memcpy(room, text.ptr, text.len);
    *ret_agent = str_of(room, text.len);
    return true;
}

bool feed_read_email(struct str text, char *room, struct str *ret_email)
{
    struct str local;
    struct str host = str_trim(text);
    struct str read;
    size_t len;

    (void)str_cut(&host, '@', &local);
    if (local.len == 0 || local.len > 64 || host.len == 0 || host.len > FEED_HOST_MAX ||
        !is_printable(local)) {
        return false;
    }
    for (len = 0; len < local.len; len++) {
        char c = local.ptr[len];

        if (c == ' ' || c == ':' || c == '/') {
            return false;
        }
        room[len] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    room[len++] = '@';
    if (!feed_read_host(host, room + len, &read) || read.len != host.len) {
        return false;
    }
    *ret_email = str_of(room, len + read.len);
    return true;
}

bool feed_read_value(enum feed_kind kind, struct str text, char *room, struct str *ret_value)
{
    static bool (*const readers[FEED_KIND_COUNT])(struct str text, char *room, struct str *ret) = {
        feed_read_host, feed_read_phrase, feed_read_hash, feed_read_address,
        feed_read_url,  feed_read_agent,  feed_read_email};

    return text.len < FEED_LINE_MAX && readers[kind](text, room, ret_value);
}

struct str feed_refang(struct str text, char *room)
{
    size_t len = 0;

    if (text.len >= FEED_LINE_MAX) {
        return text;
    }
    for (size_t at = 0; at < text.len;) {
        struct str rest = str_slice(text, at, text.len);

        if (str_has_prefix(rest, STR("[.]")) || str_has_prefix(rest, STR("(.)")) ||
            str_has_prefix(rest, STR("[:]")) || str_has_prefix(rest, STR("[@]"))) {
            room[len++] = rest.ptr[1];
            at += 3;
        } else if (str_has_prefix(rest, STR("[://]"))) {
            room[len++] = ':';
            room[len++] = '/';
            room[len++] = '/';
            at += 5;
        } else {
            room[len++] = text.ptr[at++];
        }
    }
    return str_of(room, len);
}
