/* Links and the hosts behind them, read as browsers read addresses (WHATWG URL), so that no
 * spelling of a host looks like none: white space and line ends inside, backslashes, user names,
 * upper case, percent signs, full-width letters. On the data's way: page.c → here → page.links. */
#include "detect/deface/page_part.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/utf8.h"

#include <string.h>

static bool url_is_control(char c)
{
    return (unsigned char)c <= ' ';
}

/* Browsers drop these wherever they stand. */
static bool url_is_dropped(char c)
{
    return c == '\t' || c == '\n' || c == '\r';
}

static bool url_is_slash(char c)
{
    return c == '/' || c == '\\';
}

static struct str url_trim(struct str url)
{
    while (url.len != 0 && url_is_control(url.ptr[0])) {
        url = str_slice(url, 1, url.len);
    }
    while (url.len != 0 && url_is_control(url.ptr[url.len - 1])) {
        url.len--;
    }
    return url;
}

/* Behind "scheme:"; 0 when none stands there. *ret_is_special: one that has a host. */
static size_t url_skip_scheme(struct str url, bool *ret_is_special)
{
    static const char *const special[] = {"http", "https", "ftp", "ws", "wss"};
    char scheme[8];
    size_t len = 0;

    *ret_is_special = false;
    for (size_t at = 0; at < url.len; at++) {
        char c = url.ptr[at];
        bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

        if (c == ':' && len != 0) {
            for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
                *ret_is_special |= str_is_text(str_of(scheme, len < 8 ? len : 8), special[i]);
            }
            return at + 1;
        }
        if (url_is_dropped(c)) {
            continue;
        }
        if (!is_letter &&
            (len == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'))) {
            return 0;
        }
        if (len < sizeof(scheme)) {
            scheme[len] = is_letter ? (char)(c | 0x20) : c;
        }
        len++;
    }
    return 0;
}

static int url_hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Full-width forms are their ASCII, the ideographic full stop is a dot. */
static size_t host_put_high(struct str s, char *out, size_t *ret_taken)
{
    uint32_t rune = 0;
    size_t width = utf8_decode(s, &rune);

    *ret_taken = width != 0 ? width : 1;
    if (width == 0) {
        return 0;
    }
    if (rune >= 0xff01 && rune <= 0xff5e) {
        rune -= 0xfee0;
        rune = rune >= 'A' && rune <= 'Z' ? rune | 0x20 : rune;
    } else if (rune == 0x3002 || rune == 0xff61) {
        rune = '.';
    } else if (rune == 0xad || (rune >= 0x200b && rune <= 0x200d) || rune == 0x2060 ||
               rune == 0xfeff) {
        return 0;
    }
    return utf8_encode(rune, out);
}

/* One character of a host, lower case, percent sign undone; how many bytes it wrote. */
static size_t host_put(struct str s, char *out, size_t *ret_taken)
{
    char c = s.ptr[0];

    *ret_taken = 1;
    if (c == '%' && s.len >= 3 && url_hex(s.ptr[1]) >= 0 && url_hex(s.ptr[2]) >= 0) {
        *ret_taken = 3;
        c = (char)(url_hex(s.ptr[1]) << 4 | url_hex(s.ptr[2]));
    } else if ((unsigned char)c >= 0x80) {
        return host_put_high(s, out, ret_taken);
    }
    if (url_is_dropped(c)) {
        return 0;
    }
    *out = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    return 1;
}

/* The end of the authority, and its host without user and port. */
static struct str url_authority_host(struct str rest)
{
    size_t end = 0;
    size_t at;
    size_t port;

    while (end < rest.len && !url_is_slash(rest.ptr[end]) && rest.ptr[end] != '?' &&
           rest.ptr[end] != '#') {
        end++;
    }
    rest = str_slice(rest, 0, end);
    for (at = rest.len; at != 0 && rest.ptr[at - 1] != '@'; at--) {
    }
    rest = str_slice(rest, at, rest.len);
    if (rest.len != 0 && rest.ptr[0] == '[') { /* IPv6 */
        return str_slice(rest, 0, str_find_byte(rest, ']') + 1);
    }
    port = str_find_byte(rest, ':');
    return str_slice(rest, 0, port);
}

struct str page_url_host(struct str url, struct arena *arena)
{
    char host[PAGE_HOST_MAX + 4];
    size_t len = 0;
    bool is_special;
    bool is_plain = true;
    size_t at;
    size_t slashes = 0;
    struct str written;

    url = url_trim(url);
    at = url_skip_scheme(url, &is_special);
    if (at != 0 && !is_special) {
        return str_of("", 0);
    }
    url = str_slice(url, at, url.len);
    for (at = 0; at < url.len && (url_is_slash(url.ptr[at]) || url_is_dropped(url.ptr[at])); at++) {
        slashes += url_is_slash(url.ptr[at]);
    }
    if (slashes < 2 && !is_special) { /* "//host" and "http:host" have one, "/path" has none */
        return str_of("", 0);
    }
    written = url_authority_host(str_slice(url, at, url.len));
    for (at = 0; at < written.len && len < PAGE_HOST_MAX;) {
        size_t taken;
        size_t put = host_put(str_slice(written, at, written.len), host + len, &taken);

        is_plain = is_plain && put == 1 && taken == 1 && host[len] == written.ptr[at];
        len += put;
        at += taken;
    }
    while (len != 0 && host[len - 1] == '.') {
        len--;
    }
    if (is_plain) {
        return str_slice(written, 0, len);
    }
    written = str_of(host, len < PAGE_HOST_MAX ? len : PAGE_HOST_MAX);
    return arena_copy(arena, str_slice(written, 0, utf8_valid_prefix(written)));
}

static struct str host_without_www(struct str host)
{
    return str_has_prefix(host, STR("www.")) ? str_slice(host, 4, host.len) : host;
}

/* Whether an address is relative to the page's own: it has neither scheme nor host. */
static bool url_is_relative(struct str url)
{
    bool is_special;

    return url_skip_scheme(url_trim(url), &is_special) == 0;
}

/* The host of a link as page_link.host has it. */
static struct str link_host(struct page_reader *reader, struct str url)
{
    struct str host = page_url_host(url, reader->arena);

    if (host.ptr == NULL) {
        reader->error = -ERR_NOMEM;
        return str_of("", 0);
    }
    if (host.len == 0 && url_is_relative(url)) {
        host = reader->base_host;
    }
    return str_is(host_without_www(host), host_without_www(reader->own_host)) ? str_of("", 0)
                                                                              : host;
}

/* Cut, but not inside a letter. */
static struct str url_cut(struct str url)
{
    struct str cut = str_slice(url, 0, PAGE_URL_MAX);

    while (cut.len != 0 && cut.len < url.len && ((unsigned char)url.ptr[cut.len] & 0xc0) == 0x80) {
        cut.len--;
    }
    return cut;
}

size_t page_link_add(struct page_reader *reader, enum page_link_kind kind, struct str raw_url,
                     size_t offset, uint32_t hiding)
{
    struct page *page = &reader->page;
    struct page_link link = {.kind = kind, .offset = (uint32_t)offset, .hiding = hiding};
    /* References make an address shorter or little longer: what is behind the cut is not decoded.
     */
    struct str url = html_decode(str_slice(raw_url, 0, PAGE_URL_MAX * 8), reader->arena);

    reader->links = page_grow(reader, reader->links, page->link_count, &reader->link_room,
                              sizeof(link), PAGE_LINKS_MAX);
    if (url.ptr == NULL) {
        reader->error = -ERR_NOMEM;
    }
    if (reader->error != 0 || reader->link_room == page->link_count) {
        return PAGE_NO_LINK;
    }
    link.url = url_cut(url_trim(url));
    link.host = link_host(reader, url);
    reader->links[page->link_count] = link;
    return page->link_count++;
}

void page_link_take_text(struct page_reader *reader)
{
    struct page_link *link;
    struct str text;

    if (reader->anchor == PAGE_NO_LINK || reader->line_len <= reader->anchor_from) {
        return;
    }
    link = &reader->links[reader->anchor];
    if (link->text.len != 0) {
        return;
    }
    text = str_trim(str_slice(str_of(reader->line, reader->line_len), reader->anchor_from,
                              reader->anchor_from + PAGE_LINK_TEXT_MAX));
    link->text = arena_copy(reader->arena, str_slice(text, 0, utf8_valid_prefix(text)));
    if (link->text.ptr == NULL) {
        link->text = str_of("", 0);
        reader->error = -ERR_NOMEM;
    }
}

void page_link_set_base(struct page_reader *reader, struct str raw_url)
{
    struct str url = html_decode(str_slice(raw_url, 0, PAGE_URL_MAX), reader->arena);

    if (reader->base_host.len == 0 && url.ptr != NULL) {
        reader->base_host = link_host(reader, url);
        reader->base_url = url;
    }
}
