/* The format of an access log, compiled from the words of the server's own configuration: see
 * codec/weblog.h. Neighbour: weblog.c reads lines by it. */
#include "codec/weblog.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"

struct weblog_word {
    const char *word;
    enum weblog_field field;
};

/* Names under which administrators know a layout. */
static const struct {
    const char *name;
    const char *pattern;
} weblog_formats[] = {
    {"common", "%h %l %u %t \"%r\" %>s %b"},
    {"combined", "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\""},
    {"vhost_combined", "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\""},
    {"nginx", "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
              "\"$http_referer\" \"$http_user_agent\""},
};

static const struct weblog_word apache_words[] = {
    {"h", WEBLOG_FIELD_ADDRESS},
    {"a", WEBLOG_FIELD_ADDRESS},
    {"{c}a", WEBLOG_FIELD_OTHER},
    {"u", WEBLOG_FIELD_USER},
    {"r", WEBLOG_FIELD_REQUEST},
    {"m", WEBLOG_FIELD_METHOD},
    {"U", WEBLOG_FIELD_PATH},
    {"q", WEBLOG_FIELD_QUERY},
    {"H", WEBLOG_FIELD_PROTOCOL},
    {"s", WEBLOG_FIELD_STATUS},
    {"b", WEBLOG_FIELD_SIZE},
    {"B", WEBLOG_FIELD_SIZE},
    {"O", WEBLOG_FIELD_SIZE},
    {"v", WEBLOG_FIELD_HOST},
    {"V", WEBLOG_FIELD_HOST},
    {"{Host}i", WEBLOG_FIELD_HOST},
    {"{Referer}i", WEBLOG_FIELD_REFERRER},
    {"{User-agent}i", WEBLOG_FIELD_AGENT},
};

static const struct weblog_word nginx_words[] = {
    {"remote_addr", WEBLOG_FIELD_ADDRESS},
    {"remote_user", WEBLOG_FIELD_USER},
    {"time_local", WEBLOG_FIELD_TIME},
    {"time_iso8601", WEBLOG_FIELD_TIME},
    {"msec", WEBLOG_FIELD_TIME},
    {"request", WEBLOG_FIELD_REQUEST},
    {"request_method", WEBLOG_FIELD_METHOD},
    {"request_uri", WEBLOG_FIELD_TARGET},
    {"uri", WEBLOG_FIELD_PATH},
    {"args", WEBLOG_FIELD_QUERY},
    {"server_protocol", WEBLOG_FIELD_PROTOCOL},
    {"status", WEBLOG_FIELD_STATUS},
    {"body_bytes_sent", WEBLOG_FIELD_SIZE},
    {"bytes_sent", WEBLOG_FIELD_SIZE},
    {"http_referer", WEBLOG_FIELD_REFERRER},
    {"http_user_agent", WEBLOG_FIELD_AGENT},
    {"host", WEBLOG_FIELD_HOST},
    {"http_host", WEBLOG_FIELD_HOST},
    {"server_name", WEBLOG_FIELD_HOST},
};

static const struct weblog_word w3c_words[] = {
    {"date", WEBLOG_FIELD_DATE},
    {"time", WEBLOG_FIELD_CLOCK},
    {"c-ip", WEBLOG_FIELD_ADDRESS},
    {"cs-username", WEBLOG_FIELD_USER},
    {"cs-method", WEBLOG_FIELD_METHOD},
    {"cs-uri", WEBLOG_FIELD_TARGET},
    {"cs-uri-stem", WEBLOG_FIELD_PATH},
    {"cs-uri-query", WEBLOG_FIELD_QUERY},
    {"cs-version", WEBLOG_FIELD_PROTOCOL},
    {"sc-status", WEBLOG_FIELD_STATUS},
    {"sc-bytes", WEBLOG_FIELD_SIZE},
    {"cs(Referer)", WEBLOG_FIELD_REFERRER},
    {"cs(User-Agent)", WEBLOG_FIELD_AGENT},
    {"cs-host", WEBLOG_FIELD_HOST},
};

#define WORDS(table) (table), sizeof(table) / sizeof((table)[0])

static enum weblog_field weblog_find(const struct weblog_word *words, size_t count, struct str word)
{
    for (size_t i = 0; i < count; i++) {
        if (str_is_nocase(word, str_from(words[i].word)) &&
            (word.len > 1 || word.ptr[0] == words[i].word[0])) { /* %u is not %U */
            return words[i].field;
        }
    }
    return WEBLOG_FIELD_OTHER;
}

static int weblog_add(struct weblog_format *format, enum weblog_field field)
{
    if (format->count == WEBLOG_STEPS_MAX) {
        return -ERR_LIMIT;
    }
    format->steps[format->count++] = (struct weblog_step){.field = field};
    return 0;
}

static void weblog_add_literal(struct weblog_format *format, struct str literal)
{
    struct str *last =
        format->count == 0 ? &format->lead : &format->steps[format->count - 1].literal;

    *last = last->len == 0 ? literal : str_of(last->ptr, last->len + literal.len);
}

/* Length of the directive's word behind % or $, with what stands around it; 0: there is none. */
static size_t weblog_word_length(struct str rest, struct str *ret_word)
{
    size_t from = 1;
    size_t at;

    if (rest.ptr[0] == '$') {
        for (at = 1; at < rest.len &&
                     (rest.ptr[at] == '_' || (rest.ptr[at] >= '0' && rest.ptr[at] <= '9') ||
                      (rest.ptr[at] >= 'a' && rest.ptr[at] <= 'z'));
             at++) {
        }
        *ret_word = str_slice(rest, 1, at);
        return ret_word->len != 0 ? at : 0;
    }
    while (from < rest.len && strchr("<>!,0123456789", rest.ptr[from]) != NULL) {
        from++; /* %>s, %!404r */
    }
    at = from;
    if (at < rest.len && rest.ptr[at] == '{') {
        at += str_find_byte(str_slice(rest, at, rest.len), '}') + 1;
    }
    if (at < rest.len && rest.ptr[at] == '^') {
        at += 2;
    }
    if (at >= rest.len) {
        return 0;
    }
    *ret_word = str_slice(rest, from, at + 1);
    return at + 1;
}

/* Two fields with nothing between them could be cut anywhere. */
static int weblog_check(const struct weblog_format *format, struct diag *diag)
{
    for (size_t i = 0; i + 1 < format->count; i++) {
        if (format->steps[i].literal.len == 0) {
            return diag_set(diag, -ERR_SYNTAX,
                            _("the log format has fields %zu and %zu with nothing between them; "
                              "put a space there"),
                            i + 1, i + 2);
        }
    }
    if (format->count == 0) {
        return diag_set(diag, -ERR_SYNTAX,
                        _("the log format names no field; give the line of the server's own "
                          "configuration (LogFormat, log_format), or one of: common, combined, "
                          "vhost_combined, nginx, w3c"));
    }
    return 0;
}

/* Keeps the pattern: %t writes its brackets itself, and a quote may be escaped as it stands in the
 * server's configuration. -ERR_LIMIT. */
static int weblog_keep(struct weblog_format *format, struct str pattern)
{
    size_t len = 0;

    for (size_t i = 0; i < pattern.len; i++) {
        struct str rest = str_slice(pattern, i, pattern.len);
        bool is_time = str_has_prefix(rest, STR("%t"));

        if (len + sizeof("[%t]") > sizeof(format->text)) {
            return -ERR_LIMIT;
        }
        if (is_time) {
            memcpy(format->text + len, "[%t]", 4);
            len += 4;
            i++;
        } else if (!str_has_prefix(rest, STR("\\\""))) {
            format->text[len++] = pattern.ptr[i];
        }
    }
    format->text[len] = '\0';
    return 0;
}

static enum weblog_field weblog_field_of(char sign, struct str word)
{
    if (sign == '$') {
        return weblog_find(WORDS(nginx_words), word);
    }
    return str_is(word, STR("t")) ? WEBLOG_FIELD_TIME : weblog_find(WORDS(apache_words), word);
}

static int weblog_compile(struct weblog_format *format, struct diag *diag)
{
    struct str rest = str_from(format->text);

    while (rest.len != 0) {
        bool is_field = rest.ptr[0] == '%' || rest.ptr[0] == '$';
        struct str word = {0};
        size_t len = is_field ? weblog_word_length(rest, &word) : 1;

        if (len == 0) {
            return diag_set(diag, -ERR_SYNTAX,
                            _("the log format has '%.*s' where a field's name should stand"),
                            STR_ARG(str_slice(rest, 0, 8)));
        }
        if (!is_field) {
            weblog_add_literal(format, str_slice(rest, 0, 1));
        } else if (weblog_add(format, weblog_field_of(rest.ptr[0], word)) < 0) {
            return diag_set(diag, -ERR_LIMIT, _("the log format has more than %d fields"),
                            WEBLOG_STEPS_MAX);
        }
        rest = str_slice(rest, len, rest.len);
    }
    return weblog_check(format, diag);
}

/* "#Fields: date time c-ip …": every field ends at a space. */
static int weblog_compile_w3c(struct weblog_format *format, struct str names)
{
    static const struct str space = {" ", 1};
    struct str name;
    int r = 0;

    while (r == 0 && str_cut(&names, ' ', &name)) {
        if (name.len == 0) {
            continue;
        }
        if (format->count != 0) {
            format->steps[format->count - 1].literal = space;
        }
        r = weblog_add(format, weblog_find(WORDS(w3c_words), name));
    }
    return r;
}

int weblog_format_init(struct weblog_format *format, struct str pattern, struct diag *diag)
{
    memset(format, 0, sizeof(*format));
    if (str_is(pattern, STR("w3c"))) {
        format->is_w3c = true;
        return 0;
    }
    if (str_has_prefix(pattern, STR("#Fields:"))) {
        format->is_w3c = true;
        return weblog_compile_w3c(format, str_slice(pattern, sizeof("#Fields:") - 1, pattern.len));
    }
    for (size_t i = 0; i < sizeof(weblog_formats) / sizeof(weblog_formats[0]); i++) {
        if (str_is_text(pattern, weblog_formats[i].name)) {
            pattern = str_from(weblog_formats[i].pattern);
        }
    }
    if (weblog_keep(format, pattern) < 0) {
        return diag_set(diag, -ERR_LIMIT, _("the log format is longer than %d bytes"),
                        WEBLOG_PATTERN_MAX - 1);
    }
    return weblog_compile(format, diag);
}
