/* Web addresses: see centre/fetch/fetcher.h. libcurl takes them apart, so that nothing is checked
 * here that is not what is fetched later. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "centre/fetch/fetcher.h"

#include <curl/curl.h>

static void curl_textp(char **text)
{
    curl_free(*text);
}

static void curl_urlp(CURLU **url)
{
    curl_url_cleanup(*url);
}

/* The text, with a scheme: what has none is tried with TLS, as browsers do by now. */
static int url_text(struct str url, char *out)
{
    bool has_scheme = false;
    int len;

    for (size_t i = 0; i + 2 < url.len && !has_scheme; i++) {
        has_scheme = memcmp(url.ptr + i, "://", 3) == 0;
    }
    if (url.len == 0 || url.len > SITE_URL_MAX - 8 || memchr(url.ptr, '\0', url.len) != NULL) {
        return -ERR_SYNTAX;
    }
    len = snprintf(out, SITE_URL_MAX + 1, "%s%.*s", has_scheme ? "" : "https://", STR_ARG(url));
    return len > 0 && len <= SITE_URL_MAX ? 0 : -ERR_SYNTAX;
}

static bool url_is_printable(struct str url)
{
    for (size_t i = 0; i < url.len; i++) {
        if ((unsigned char)url.ptr[i] <= ' ' || url.ptr[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static int url_refuse(struct diag *diag, struct str url, const char *why)
{
    char plain[81];
    struct buf buf;

    buf_init(&buf, SITE_URL_MAX * 4);
    (void)buf_put_plain(&buf, str_slice(url, 0, sizeof(plain) - 1));
    (void)snprintf(plain, sizeof(plain), "%.*s", STR_ARG(buf_str(&buf)));
    buf_done(&buf);
    return diag_set(diag, -ERR_SYNTAX, _("'%s' is no web address: %s"), plain, why);
}

/* Bytes before the host. */
static size_t url_host_start(struct str url)
{
    for (size_t i = 0; i + 2 < url.len; i++) {
        if (memcmp(url.ptr + i, "://", 3) == 0) {
            return i + 3;
        }
    }
    return 0;
}

struct str url_origin(struct str url)
{
    size_t end = url_host_start(url);

    while (end < url.len && url.ptr[end] != '/' && url.ptr[end] != '?' && url.ptr[end] != '#') {
        end++;
    }
    return str_slice(url, 0, end);
}

/* Names are the same in either case; one site must not be two. */
static void url_lower_host(char *url)
{
    size_t end = url_origin(str_from(url)).len;

    for (size_t i = 0; i < end; i++) {
        if (url[i] >= 'A' && url[i] <= 'Z') {
            url[i] = (char)(url[i] - 'A' + 'a');
        }
    }
}

/* libcurl's own sentences are English alone. */
static const char *url_fault(CURLUcode code)
{
    switch ((int)code) { /* an enum of another's making: the list grows */
    case CURLUE_NO_HOST:
        return _("it names no server");
    case CURLUE_BAD_PORT_NUMBER:
        return _("what stands behind the colon is no port number");
    case CURLUE_BAD_IPV6:
        return _("the address in brackets is no IPv6 address");
    case CURLUE_BAD_HOSTNAME:
        return _("the server's name holds what no name may hold, or is too long");
    default:
        return _("it is not written as web addresses are");
    }
}

int url_canonical(struct str url, char *out, struct diag *diag)
{
    CLEANUP(curl_urlp) CURLU *parts = curl_url();
    CLEANUP(curl_textp) char *scheme = NULL;
    CLEANUP(curl_textp) char *user = NULL;
    CLEANUP(curl_textp) char *host = NULL;
    CLEANUP(curl_textp) char *whole = NULL;
    CURLUcode code;

    if (parts == NULL) {
        return -ERR_NOMEM;
    }
    if (url_text(url, out) < 0 || !url_is_printable(url)) {
        return url_refuse(diag, url, _("it is empty, too long or holds spaces"));
    }
    code = curl_url_set(parts, CURLUPART_URL, out, CURLU_NON_SUPPORT_SCHEME);
    if (code == CURLUE_OK) {
        code = curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
    }
    if (code != CURLUE_OK) {
        return url_refuse(diag, url, url_fault(code));
    }
    if (!str_is_text(str_from(scheme), "http") && !str_is_text(str_from(scheme), "https")) {
        return url_refuse(diag, url, _("only http and https are watched"));
    }
    if (curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK) {
        return url_refuse(diag, url, _("it carries a user's name"));
    }
    code = curl_url_get(parts, CURLUPART_HOST, &host, CURLU_PUNYCODE);
    if (code == CURLUE_OK && str_from(host).len > FETCHER_NAME_MAX) {
        code = CURLUE_BAD_HOSTNAME;
    }
    if (code == CURLUE_OK) {
        code = curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0);
    }
    if (code == CURLUE_OK) {
        code = curl_url_get(parts, CURLUPART_URL, &whole, CURLU_PUNYCODE);
    }
    if (code != CURLUE_OK || str_from(whole).len > SITE_URL_MAX) {
        return url_refuse(diag, url, url_fault(code));
    }
    (void)snprintf(out, SITE_URL_MAX + 1, "%s", whole);
    url_lower_host(out);
    return 0;
}

struct str url_host(struct str url)
{
    struct str origin = url_origin(url);
    size_t start = url_host_start(url);
    struct str host = str_slice(origin, start, origin.len);
    const char *bracket =
        host.len != 0 && host.ptr[0] == '[' ? memchr(host.ptr, ']', host.len) : NULL;
    const char *colon;

    if (bracket != NULL) {
        return str_of(host.ptr + 1, (size_t)(bracket - host.ptr) - 1);
    }
    colon = host.len != 0 ? memchr(host.ptr, ':', host.len) : NULL;
    return colon != NULL ? str_of(host.ptr, (size_t)(colon - host.ptr)) : host;
}

static struct str url_without_www(struct str host)
{
    return str_has_prefix(host, STR("www.")) ? str_slice(host, 4, host.len) : host;
}

static bool url_is_below(struct str host, struct str parent)
{
    return host.len > parent.len && str_has_suffix(host, parent) &&
           host.ptr[host.len - parent.len - 1] == '.';
}

/* "a.b.example.vn" → "b.example.vn"; empty where that would be a registry's own domain. */
static struct str url_parent(struct str host)
{
    const char *dot = host.len != 0 ? memchr(host.ptr, '.', host.len) : NULL;
    struct str parent;
    size_t dots = 0;
    size_t end = 0;

    if (dot == NULL) {
        return STR("");
    }
    parent = str_of(dot + 1, host.len - (size_t)(dot - host.ptr) - 1);
    for (size_t i = 0; i < parent.len; i++) {
        dots += parent.ptr[i] == '.' ? 1 : 0;
        end = parent.ptr[i] == '.' ? i + 1 : end;
    }
    return dots >= 2 || (dots == 1 && parent.len - end > 2) ? parent : STR("");
}

static bool url_is_figures(struct str host)
{
    char last = host.len != 0 ? host.ptr[host.len - 1] : '\0';

    return (last >= '0' && last <= '9') ||
           (host.len != 0 && memchr(host.ptr, ':', host.len) != NULL);
}

bool url_is_same_site(struct str host, struct str other)
{
    struct str a = url_without_www(host);
    struct str b = url_without_www(other);
    struct str parent = url_parent(a);

    if (str_is_nocase(a, b)) {
        return true;
    }
    if (url_is_figures(a) || url_is_figures(b)) {
        return false;
    }
    return url_is_below(a, b) || url_is_below(b, a) ||
           (parent.len != 0 && str_is(parent, url_parent(b)));
}

struct str url_domain(struct str host)
{
    struct str domain = host;
    struct str parent = url_is_figures(host) ? STR("") : url_parent(host);

    while (parent.len != 0) {
        domain = parent;
        parent = url_parent(domain);
    }
    return domain;
}
