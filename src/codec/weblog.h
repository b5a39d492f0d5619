/* Access logs of web servers. A format is data, not code: it is compiled from the very line that
 * the server's own configuration has (Apache's LogFormat, nginx's log_format) or from the #Fields
 * line of a W3C extended log, so a server's own layout needs no change here. Pure; hostile bytes.
 * Sources: Apache mod_log_config, nginx ngx_http_log_module, W3C WD-logfile. */
#ifndef CODEC_WEBLOG_H
#define CODEC_WEBLOG_H

#include "base/diag.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEBLOG_LINE_MAX    (64u << 10) /* bytes; a longer line is refused: -ERR_LIMIT */
#define WEBLOG_PATTERN_MAX 1024
#define WEBLOG_STEPS_MAX   40

enum weblog_field {
    WEBLOG_FIELD_OTHER, /* passed over */
    WEBLOG_FIELD_ADDRESS,
    WEBLOG_FIELD_USER,
    WEBLOG_FIELD_TIME, /* day/month/year:h:m:s zone, RFC 3339, or seconds since 1970 */
    WEBLOG_FIELD_DATE, /* W3C: one half of the time each */
    WEBLOG_FIELD_CLOCK,
    WEBLOG_FIELD_REQUEST, /* method, target and protocol in one */
    WEBLOG_FIELD_METHOD,
    WEBLOG_FIELD_TARGET, /* path with query */
    WEBLOG_FIELD_PATH,
    WEBLOG_FIELD_QUERY,
    WEBLOG_FIELD_PROTOCOL,
    WEBLOG_FIELD_STATUS,
    WEBLOG_FIELD_SIZE,
    WEBLOG_FIELD_REFERRER,
    WEBLOG_FIELD_AGENT,
    WEBLOG_FIELD_HOST,
    WEBLOG_FIELD_COUNT,
};

struct weblog_step {
    enum weblog_field field;
    struct str literal; /* what stands behind the field up to the next; borrows the format's text */
};

struct weblog_format {
    char text[WEBLOG_PATTERN_MAX];
    struct str lead; /* what stands before the first field */
    struct weblog_step steps[WEBLOG_STEPS_MAX];
    size_t count;
    bool is_w3c; /* the next #Fields line makes it anew */
};

/* One request. Texts borrow the line, as written there (escapes stay); "-" is empty. */
struct weblog_line {
    struct str address;
    struct str user;
    struct str host;
    struct str method;
    struct str path; /* without the query; all of the request where it is no HTTP */
    struct str query;
    struct str protocol;
    struct str referrer;
    struct str agent;
    int64_t time; /* ns since 1970 UTC; 0: none */
    uint32_t status;
    uint64_t size;          /* of the answer's body as sent, bytes */
    struct str status_text; /* both as written */
    struct str size_text;
};

/* pattern: the name of a known format (common, combined, vhost_combined, nginx, w3c) or a pattern
 * of
 * %-directives or $variables. -ERR_SYNTAX with a sentence that names the place. The format must not
 * be moved afterwards. */
[[nodiscard]] int weblog_format_init(struct weblog_format *format, struct str pattern,
                                     struct diag *diag);
/* line: without its newline. 1: a request, 0: a comment or a heading (a #Fields line of W3C is
 * taken in), -ERR_SYNTAX: does not fit the format, -ERR_LIMIT: too long. */
[[nodiscard]] int weblog_read(struct weblog_format *format, struct str line,
                              struct weblog_line *ret_line);

#endif
