/* One hop of a fetch: what libcurl is told, what it hands over piece by piece, and what its end
 * means. Neighbours: fetcher.c starts it and takes its end, fetch/fetcher_trust.c looks at the
 * certificate. Invariant: every limit is enforced while bytes come, and what they may become is
 * bounded before they are unpacked. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "centre/fetch/fetcher_inside.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define RATIO_FROM    (1U << 20) /* small pages of one repeated byte are no bombs */
#define SLOW_BYTES    64L        /* a second … */
#define SLOW_SECONDS  10L        /* … for so long: given up */
#define RECEIVE_BYTES (64L << 10)

/* The first says who we are; the others are what they claim, since a kit shows its pages only to
 * them. Sites are watched by their owners' leave. */
static const char *const view_agents[] = {
    [SITE_VIEW_DESKTOP] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                          "Chrome/140.0.0.0 Safari/537.36 CanhGac/" CANHGAC_VERSION,
    [SITE_VIEW_CRAWLER] = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; "
                          "Googlebot/2.1; +http://www.google.com/bot.html) Chrome/140.0.0.0 "
                          "Safari/537.36",
    [SITE_VIEW_SEARCH] = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, "
                         "like Gecko) Chrome/140.0.0.0 Safari/537.36",
    [SITE_VIEW_MOBILE] = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like "
                         "Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"};

static size_t fetcher_refuse(struct fetcher_get *get, enum site_failure failure)
{
    get->refusal = failure;
    return 0; /* libcurl takes fewer bytes than it gave for an end */
}

static size_t fetcher_on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct fetcher_get *get = context;
    size_t len = size * count;

    fetcher_brake_ease(get);
    if (get->encoding != UNPACK_NONE && get->packed.len + len > FETCHER_PACKED_MAX) {
        return fetcher_refuse(get, SITE_FAILURE_SIZE);
    }
    if (buf_put(&get->packed, bytes, len) < 0) {
        return fetcher_refuse(get, get->packed.error == -ERR_LIMIT ? SITE_FAILURE_SIZE
                                                                   : SITE_FAILURE_OWN_NETWORK);
    }
    return len;
}

/* What stands behind "name:", without white space at either end. */
static bool fetcher_is_header(struct str line, struct str name, struct str *ret_value)
{
    if (line.len <= name.len || line.ptr[name.len] != ':' ||
        !str_is_nocase(str_slice(line, 0, name.len), name)) {
        return false;
    }
    *ret_value = str_trim(str_slice(line, name.len + 1, line.len));
    return true;
}

/* Only what looks like a label is handed on: it will stand in a header again. */
static void fetcher_take_type(struct fetcher_get *get, struct str type)
{
    struct str charset = charset_in_content(type);

    get->answer_charset[0] = '\0';
    if (charset_is_label(charset)) {
        (void)snprintf(get->answer_charset, sizeof(get->answer_charset), "%.*s", STR_ARG(charset));
    }
    get->answer.charset = str_from(get->answer_charset);
}

/* Strict-Transport-Security: an age of 0 takes back what was said before. */
static void fetcher_take_strict(struct fetcher_get *get, struct str value)
{
    struct str part;
    struct str name;
    uint64_t age;

    while (str_cut(&value, ';', &part)) {
        if (!str_cut(&part, '=', &name) || !str_is_nocase(str_trim(name), STR("max-age"))) {
            continue;
        }
        part = str_trim(part);
        if (part.len > 1 && part.ptr[0] == '"') {
            part = str_slice(part, 1, part.len - 1);
        }
        if (str_to_u64(part, &age) == 0 && age != 0) {
            get->answer.facts |= FETCHER_FACT_STRICT;
        }
    }
}

bool fetcher_is_tag(struct str tag)
{
    for (size_t i = 0; i < tag.len; i++) {
        if ((unsigned char)tag.ptr[i] < ' ' || tag.ptr[i] == 0x7f) {
            return false;
        }
    }
    return tag.len != 0 && tag.len <= FETCHER_ETAG_MAX;
}

static size_t fetcher_on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct fetcher_get *get = context;
    struct str line = str_of(bytes, size * count);
    struct str value;

    fetcher_brake_ease(get);
    get->header_bytes += line.len;
    if (get->header_bytes > FETCHER_HEADERS_MAX) {
        return fetcher_refuse(get, SITE_FAILURE_SIZE);
    }
    if (str_has_prefix(line, STR("HTTP/")) && !get->has_certificate) {
        fetcher_trust_read(get);
    }
    if (fetcher_is_header(line, STR("etag"), &value) && fetcher_is_tag(value)) {
        (void)snprintf(get->answer_etag, sizeof(get->answer_etag), "%.*s", STR_ARG(value));
        get->answer.etag = str_from(get->answer_etag);
    } else if (fetcher_is_header(line, STR("content-encoding"), &value)) {
        get->encoding = get->encoding == UNPACK_NONE ? unpack_encoding_of(value) : UNPACK_UNKNOWN;
    } else if (fetcher_is_header(line, STR("content-type"), &value)) {
        fetcher_take_type(get, value);
    } else if (fetcher_is_header(line, STR("strict-transport-security"), &value)) {
        fetcher_take_strict(get, value);
    } else if (fetcher_is_header(line, STR("last-modified"), &value)) {
        char date[64];

        (void)snprintf(date, sizeof(date), "%.*s", STR_ARG(value));
        get->answer.modified = curl_getdate(date, NULL);
        get->answer.modified = get->answer.modified > 0 ? get->answer.modified : 0;
    }
    return line.len;
}

static bool fetcher_may_be_private(const struct fetcher_get *get)
{
    if (get->hops == 0) {
        return !get->is_private_barred;
    }
    return get->is_private_own || (get->answer.facts & FETCHER_FACT_PRIVATE) != 0;
}

/* The last word on where a connection goes, whatever the resolver said and however a redirect wrote
 * it. */
static curl_socket_t fetcher_on_open(void *context, curlsocktype purpose,
                                     struct curl_sockaddr *address)
{
    struct fetcher_get *get = context;
    char text[DNS_ADDRESS_SIZE] = "";

    (void)purpose;
    dns_address_text(&address->addr, text);
    if (dns_is_private(text)) {
        if (!fetcher_may_be_private(get)) {
            get->refusal = SITE_FAILURE_REDIRECTS;
            return CURL_SOCKET_BAD;
        }
        get->answer.facts |= get->hops == 0 ? (unsigned)FETCHER_FACT_PRIVATE : 0;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                  address->protocol);
}

static int fetcher_add_header(struct fetcher_get *get, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int fetcher_add_header(struct fetcher_get *get, const char *format, ...)
{
    char line[FETCHER_ETAG_MAX + 64];
    struct curl_slist *grown;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    grown = curl_slist_append(get->headers, line);
    if (grown == NULL) {
        return -ERR_NOMEM;
    }
    get->headers = grown;
    return 0;
}

static int fetcher_set_headers(struct fetcher_get *get)
{
    int r = fetcher_add_header(get, "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,"
                                    "*/*;q=0.8");

    if (r == 0) {
        r = fetcher_add_header(get, "Accept-Language: vi-VN,vi;q=0.9,en;q=0.5");
    }
    if (r == 0) {
        r = fetcher_add_header(get, "Accept-Encoding: " UNPACK_ACCEPTS);
    }
    if (r == 0 && get->etag[0] != '\0') {
        r = fetcher_add_header(get, "If-None-Match: %s", get->etag);
    }
    if (r < 0) {
        return r;
    }
    curl_easy_setopt(get->easy, CURLOPT_HTTPHEADER, get->headers);
    curl_easy_setopt(get->easy, CURLOPT_USERAGENT, view_agents[get->view]);
    curl_easy_setopt(get->easy, CURLOPT_REFERER,
                     get->view == SITE_VIEW_SEARCH ? "https://www.google.com.vn/" : NULL);
    if (get->modified != 0) {
        curl_easy_setopt(get->easy, CURLOPT_TIMECONDITION, CURL_TIMECOND_IFMODSINCE);
        curl_easy_setopt(get->easy, CURLOPT_TIMEVALUE_LARGE, (curl_off_t)get->modified);
    }
    return 0;
}

/* Hands our resolver's answer to libcurl, which then never asks by itself. */
static int fetcher_set_addresses(struct fetcher_get *get, const struct dns_answer *answer)
{
    struct str host = url_host(str_from(get->url));
    char line[FETCHER_NAME_MAX + 32 + DNS_ADDRESSES_MAX * (DNS_ADDRESS_SIZE + 3)];
    char *port = NULL;
    CURLU *parts = curl_url();
    int len = 0;

    if (parts != NULL && curl_url_set(parts, CURLUPART_URL, get->url, 0) == CURLUE_OK) {
        (void)!curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    }
    curl_url_cleanup(parts);
    if (port != NULL) {
        len = snprintf(line, sizeof(line), "+%.*s:%s:", STR_ARG(host), port);
        curl_free(port);
    }
    for (size_t i = 0; len > 0 && i < answer->count && (size_t)len < sizeof(line); i++) {
        bool is_v6 = strchr(answer->addresses[i], ':') != NULL;

        len += snprintf(line + len, sizeof(line) - (size_t)len, "%s%s%s%s", i != 0 ? "," : "",
                        is_v6 ? "[" : "", answer->addresses[i], is_v6 ? "]" : "");
    }
    if (len <= 0 || (size_t)len >= sizeof(line)) {
        return -ERR_NOMEM;
    }
    get->addresses = curl_slist_append(NULL, line);
    curl_easy_setopt(get->easy, CURLOPT_RESOLVE, get->addresses);
    return get->addresses != NULL ? 0 : -ERR_NOMEM;
}

static void fetcher_set_limits(struct fetcher_get *get)
{
    const struct fetcher_options *options = &get->fetcher->options;

    curl_easy_setopt(get->easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(options->connect_time / NS_PER_MS));
    curl_easy_setopt(get->easy, CURLOPT_TIMEOUT_MS, (long)(options->whole_time / NS_PER_MS));
    curl_easy_setopt(get->easy, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
    curl_easy_setopt(get->easy, CURLOPT_LOW_SPEED_TIME, SLOW_SECONDS);
    curl_easy_setopt(get->easy, CURLOPT_BUFFERSIZE, RECEIVE_BYTES);
    curl_easy_setopt(get->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(get->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(get->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(get->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(get->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(get->easy, CURLOPT_FRESH_CONNECT, get->is_fresh ? 1L : 0L);
}

int fetcher_transfer_begin(struct fetcher_get *get, const struct dns_answer *addresses)
{
    int r;

    for (size_t i = 0; i < addresses->count; i++) {
        if (dns_is_private(addresses->addresses[i]) && !fetcher_may_be_private(get)) {
            get->refusal = SITE_FAILURE_REDIRECTS;
            return -ERR_DENIED;
        }
    }
    buf_init(&get->packed, FETCHER_SIZE_MAX);
    curl_easy_setopt(get->easy, CURLOPT_URL, get->url);
    curl_easy_setopt(get->easy, CURLOPT_PRIVATE, get);
    curl_easy_setopt(get->easy, CURLOPT_HTTP_VERSION,
                     get->is_plain ? (long)CURL_HTTP_VERSION_1_1 : (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(get->easy, CURLOPT_ERRORBUFFER, get->error);
    curl_easy_setopt(get->easy, CURLOPT_WRITEFUNCTION, fetcher_on_body);
    curl_easy_setopt(get->easy, CURLOPT_WRITEDATA, get);
    curl_easy_setopt(get->easy, CURLOPT_HEADERFUNCTION, fetcher_on_header);
    curl_easy_setopt(get->easy, CURLOPT_HEADERDATA, get);
    curl_easy_setopt(get->easy, CURLOPT_OPENSOCKETFUNCTION, fetcher_on_open);
    curl_easy_setopt(get->easy, CURLOPT_OPENSOCKETDATA, get);
    fetcher_set_limits(get);
    fetcher_trust_set(get);
    r = fetcher_set_headers(get);
    return r < 0 ? r : fetcher_set_addresses(get, addresses);
}

static enum site_failure fetcher_failure(const struct fetcher_get *get, CURLcode code)
{
    if (get->refusal != SITE_FAILURE_NONE) {
        return get->refusal;
    }
    switch ((int)code) { /* an enum of another's making: the list grows */
    case CURLE_OK:
        return SITE_FAILURE_NONE;
    case CURLE_COULDNT_RESOLVE_HOST:
        return SITE_FAILURE_NAME;
    case CURLE_COULDNT_CONNECT:
        return SITE_FAILURE_REFUSED;
    case CURLE_OPERATION_TIMEDOUT:
        return SITE_FAILURE_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_PEER_FAILED_VERIFICATION:
        return SITE_FAILURE_TLS;
    default:
        return SITE_FAILURE_PROTOCOL;
    }
}

/* Since the start of the fetch; what did not happen, on a connection that stood, is 0. */
static int64_t fetcher_since(const struct fetcher_get *get, CURLINFO info)
{
    curl_off_t us = 0;

    if (curl_easy_getinfo(get->easy, info, &us) != CURLE_OK || us <= 0) {
        return 0;
    }
    return get->hop_time - get->started + get->resolved + us * NS_PER_US;
}

static void fetcher_read_timing(struct fetcher_get *get)
{
    struct site_timing *timing = &get->answer.timing;
    bool is_reused = (get->answer.facts & FETCHER_FACT_REUSED) != 0;

    timing->resolved = get->hop_time - get->started + get->resolved;
    timing->connected = is_reused ? 0 : fetcher_since(get, CURLINFO_CONNECT_TIME_T);
    timing->secured = is_reused ? 0 : fetcher_since(get, CURLINFO_APPCONNECT_TIME_T);
    timing->first_byte = fetcher_since(get, CURLINFO_STARTTRANSFER_TIME_T);
    timing->done = fetcher_since(get, CURLINFO_TOTAL_TIME_T);
}

/* The reader maps what it is given: it must not shrink under its eyes. */
static int fetcher_seal(struct str body)
{
    CLEANUP(closep) int fd = memfd_create("page", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0 || fd_write_full(fd, body.ptr, body.len) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
        return -1;
    }
    return TAKE_FD(fd);
}

/* Half a page is what the whole one begins with; what begins in another way is another page. */
static bool fetcher_begins_with(struct str body, const struct fetcher_answer *half)
{
    uint8_t sha256[sizeof(half->sha256)];

    return body.len >= half->size &&
           EVP_Digest(body.ptr, half->size, sha256, NULL, EVP_sha256(), NULL) == 1 &&
           memcmp(sha256, half->sha256, sizeof(sha256)) == 0;
}

static enum site_failure fetcher_unpack(struct fetcher_get *get)
{
    struct fetcher_answer *answer = &get->answer;
    struct str packed = buf_str(&get->packed);
    size_t bound = RATIO_FROM + FETCHER_RATIO_MAX * packed.len;
    struct str body;
    int r = unpacker_run(get->fetcher->unpacker, packed.len != 0 ? get->encoding : UNPACK_NONE,
                         packed, bound, &body);

    if (r < 0) {
        answer->why = err_text(r);
        return r == -ERR_LIMIT ? SITE_FAILURE_SIZE : SITE_FAILURE_PROTOCOL;
    }
    if (EVP_Digest(body.ptr, body.len, answer->sha256, NULL, EVP_sha256(), NULL) != 1) {
        return SITE_FAILURE_OWN_NETWORK;
    }
    answer->size = body.len;
    get->is_rest_known = get->doubtful.status != 0 && fetcher_begins_with(body, &get->doubtful);
    if (body.len != 0) {
        answer->body_fd = fetcher_seal(body);
    }
    return body.len == 0 || answer->body_fd >= 0 ? SITE_FAILURE_NONE : SITE_FAILURE_OWN_NETWORK;
}

/* On a connection that another fetch has opened nobody was asked where it goes. */
static void fetcher_note_place(struct fetcher_get *get)
{
    char *address = NULL;

    if (get->hops == 0 && curl_easy_getinfo(get->easy, CURLINFO_PRIMARY_IP, &address) == CURLE_OK &&
        address != NULL && address[0] != '\0' && dns_is_private(address)) {
        get->answer.facts |= FETCHER_FACT_PRIVATE;
    }
}

void fetcher_transfer_end(struct fetcher_get *get, CURLcode code)
{
    struct fetcher_answer *answer = &get->answer;
    curl_off_t retry = 0;
    long status = 0;
    long connects = 0;
    long unmet = 0;

    (void)curl_easy_getinfo(get->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(get->easy, CURLINFO_NUM_CONNECTS, &connects);
    (void)curl_easy_getinfo(get->easy, CURLINFO_RETRY_AFTER, &retry);
    (void)curl_easy_getinfo(get->easy, CURLINFO_CONDITION_UNMET, &unmet);
    answer->failure = fetcher_failure(get, code);
    answer->why = get->error[0] != '\0' || code == CURLE_OK ? get->error : curl_easy_strerror(code);
    answer->status = (uint32_t)status;
    answer->retry_after = retry;
    answer->facts |= connects == 0 && status != 0 ? (unsigned)FETCHER_FACT_REUSED : 0;
    answer->facts |= status == 304 || unmet != 0 ? (unsigned)FETCHER_FACT_UNCHANGED : 0;
    fetcher_note_place(get);
    fetcher_read_timing(get);
    if (answer->failure == SITE_FAILURE_NONE) {
        answer->failure = fetcher_unpack(get);
    }
}

/* libcurl takes a stream for whole when its connection ends over a frame that breaks HTTP/2 (RFC
 * 9113, 5.4.1), and closes the connection: so do servers that close theirs behind an answer, which
 * is why this is a doubt and no failure. A length, or the end of a pressed body, would have told.
 */
bool fetcher_transfer_is_unsure(const struct fetcher_get *get)
{
    curl_socket_t kept = CURL_SOCKET_BAD;
    curl_off_t length = -1;
    long version = 0;

    (void)curl_easy_getinfo(get->easy, CURLINFO_HTTP_VERSION, &version);
    (void)curl_easy_getinfo(get->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (get->answer.failure != SITE_FAILURE_NONE || get->packed.len == 0 ||
        (get->answer.facts & FETCHER_FACT_ELSEWHERE) != 0 || version < CURL_HTTP_VERSION_2_0 ||
        length >= 0 || get->encoding != UNPACK_NONE) {
        return false;
    }
    return curl_easy_getinfo(get->easy, CURLINFO_ACTIVESOCKET, &kept) != CURLE_OK ||
           kept == CURL_SOCKET_BAD;
}

bool fetcher_transfer_redirect(struct fetcher_get *get, char *out)
{
    char *where = NULL;

    if (get->answer.status < 300 || get->answer.status > 399 ||
        curl_easy_getinfo(get->easy, CURLINFO_REDIRECT_URL, &where) != CURLE_OK || where == NULL) {
        return false;
    }
    return url_canonical(str_from(where), out, NULL) == 0;
}

void fetcher_transfer_done(struct fetcher_get *get)
{
    curl_slist_free_all(TAKE_PTR(get->headers));
    curl_slist_free_all(TAKE_PTR(get->addresses));
    buf_done(&get->packed);
    get->encoding = UNPACK_NONE;
    closep(&get->answer.body_fd);
    get->answer.size = 0;
    get->header_bytes = 0;
    get->has_certificate = false;
    get->error[0] = get->answer_etag[0] = '\0';
    get->answer.etag = get->answer.charset = STR("");
    get->answer.modified = 0;
    get->answer.facts &= ~(unsigned)FETCHER_FACT_STRICT;
}
