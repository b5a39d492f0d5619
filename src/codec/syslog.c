/* Headers of syslog lines: see codec/syslog.h. The format's file is syslog_format.c. */
#include "codec/syslog.h"

#include "base/banned.h"
#include "codec/log_text.h"
#include "codec/log_time.h"

#define HOST_MAX     255
#define TAG_MAX      128 /* RFC 3164 says 32, programs say more */
#define SEQUENCE_MAX 10

static const struct str facilities[] = {
    {"kern", 4},   {"user", 4},   {"mail", 4},   {"daemon", 6}, {"auth", 4},     {"syslog", 6},
    {"lpr", 3},    {"news", 4},   {"uucp", 4},   {"cron", 4},   {"authpriv", 8}, {"ftp", 3},
    {"ntp", 3},    {"audit", 5},  {"alert", 5},  {"clock", 5},  {"local0", 6},   {"local1", 6},
    {"local2", 6}, {"local3", 6}, {"local4", 6}, {"local5", 6}, {"local6", 6},   {"local7", 6},
};

static const struct str severities[] = {
    {"emerg", 5},   {"alert", 5},  {"crit", 4}, {"err", 3},
    {"warning", 7}, {"notice", 6}, {"info", 4}, {"debug", 5},
};

struct str syslog_facility(int priority)
{
    return priority < 0 || priority > SYSLOG_PRIORITY_MAX ? STR("") : facilities[priority / 8];
}

struct str syslog_severity(int priority)
{
    return priority < 0 || priority > SYSLOG_PRIORITY_MAX ? STR("") : severities[priority % 8];
}

static void drop(struct str *rest, size_t len)
{
    rest->ptr += len;
    rest->len -= len;
}

static void drop_spaces(struct str *rest)
{
    while (rest->len > 0 && rest->ptr[0] == ' ') {
        drop(rest, 1);
    }
}

/* <0> … <191>; -1 and nothing taken where there is none. */
static int take_priority(struct str *rest)
{
    int priority = 0;
    size_t at = 1;

    if (rest->len < 3 || rest->ptr[0] != '<') {
        return -1;
    }
    for (; at < rest->len && at < 4 && log_is_digit(rest->ptr[at]); at++) {
        priority = priority * 10 + (rest->ptr[at] - '0');
    }
    if (at == 1 || at >= rest->len || rest->ptr[at] != '>' || priority > SYSLOG_PRIORITY_MAX) {
        return -1;
    }
    drop(rest, at + 1);
    return priority;
}

static struct str take_word(struct str *rest)
{
    size_t len = str_find_byte(*rest, ' ');
    struct str word = str_slice(*rest, 0, len);

    drop(rest, len < rest->len ? len + 1 : len);
    return word;
}

/* As take_word; "-" is empty. */
static struct str take_value(struct str *rest)
{
    struct str word = take_word(rest);

    return word.len == 1 && word.ptr[0] == '-' ? str_slice(word, 0, 0) : word;
}

/* Length of the elements at the front: a bracket in a quoted value does not close one. */
static size_t data_length(struct str rest)
{
    bool is_quoted = false;
    bool is_inside = false;
    size_t at = 0;

    for (; at < rest.len; at++) {
        char c = rest.ptr[at];

        if (is_quoted && c == '\\') {
            at++;
        } else if (c == '"') {
            is_quoted = !is_quoted;
        } else if (!is_quoted && c == ']') {
            is_inside = false;
        } else if (!is_inside && c != '[') {
            return at;
        } else if (!is_quoted && c == '[') {
            is_inside = true;
        }
    }
    return rest.len;
}

/* What stands behind "<PRI>1 ". */
static bool parse_5424(struct str rest, const struct log_reading *reading, struct syslog_line *line)
{
    struct str time = take_value(&rest);
    size_t len;

    if (time.len != 0 && log_time_take_iso(time, reading, &line->time) != time.len) {
        return false;
    }
    line->host = take_value(&rest);
    line->program = take_value(&rest);
    line->pid = take_value(&rest);
    line->msgid = take_value(&rest);
    if (rest.len > 0 && rest.ptr[0] == '[') {
        len = data_length(rest);
        line->data = str_slice(rest, 0, len);
        drop(&rest, len);
    } else {
        (void)take_value(&rest);
    }
    drop_spaces(&rest);
    if (log_starts(rest, STR("\xef\xbb\xbf"))) {
        drop(&rest, 3);
    }
    line->is_5424 = true;
    line->is_tagged = true;
    line->message = rest;
    return true;
}

static bool is_tag_end(char c)
{
    return c == ':' || c == '[' || c == ' ' || c == '(';
}

static struct str take_to(struct str *rest, char close)
{
    size_t len = str_find_byte(*rest, close);
    struct str inside = str_slice(*rest, 1, len);

    if (len == rest->len) {
        return str_slice(*rest, 0, 0);
    }
    drop(rest, len + 1);
    return inside;
}

/* "sshd[7]:", "su(pam_unix)[7]:", "kernel:", "postfix/smtpd[7]:"; where there is none of the
 * signs, the first word. */
static void take_tag(struct str *rest, struct syslog_line *line)
{
    size_t len = 0;

    while (len < rest->len && len < TAG_MAX && !is_tag_end(rest->ptr[len])) {
        len++;
    }
    if (len == 0 || len == TAG_MAX || len == rest->len) {
        return; /* a message without a tag */
    }
    line->program = str_slice(*rest, 0, len);
    line->is_tagged = rest->ptr[len] != ' ';
    drop(rest, len);
    if (rest->len > 0 && rest->ptr[0] == '(') {
        line->module = take_to(rest, ')');
    }
    if (rest->len > 0 && rest->ptr[0] == '[') {
        line->pid = take_to(rest, ']');
    }
    if (rest->len > 0 && rest->ptr[0] == ':') {
        drop(rest, 1);
    }
}

/* The word behind the time is the host, unless it is a tag already: devices leave the host out. */
static void take_host(struct str *rest, struct syslog_line *line)
{
    size_t len = str_find_byte(*rest, ' ');
    struct str word = str_slice(*rest, 0, len);

    if (len == 0 || len > HOST_MAX || len == rest->len || word.ptr[len - 1] == ':' ||
        (word.ptr[0] != '[' && str_find_byte(word, '[') < len)) {
        return;
    }
    line->host = word;
    drop(rest, len + 1);
}

/* IOS puts a number, its host, and a star or a dot for an unsure clock before the time:
 * "29: r1: *Nov 25 22:41:06.123: %SYS-5-CONFIG_I: …". The line from the time on; itself when it is
 * not so. */
static struct str skip_sequence(struct str line, struct str *ret_host)
{
    struct str rest = line;
    struct str part;

    if (line.len == 0 || !log_is_digit(line.ptr[0]) || !str_cut(&rest, ':', &part) ||
        part.len > SEQUENCE_MAX || rest.len < 2 || rest.ptr[0] != ' ') {
        return line;
    }
    rest = str_slice(rest, 1, rest.len);
    if (str_find(rest, STR(": ")) < str_find_byte(rest, ' ')) {
        *ret_host = str_slice(rest, 0, str_find_byte(rest, ':'));
        rest = str_slice(rest, ret_host->len + 2, rest.len);
    }
    return str_slice(rest, rest.len > 0 && log_is_one_of(rest.ptr[0], STR("*.")), rest.len);
}

/* What looks like a tag and is the message. */
static bool has_no_tag(struct str rest)
{
    return log_starts(rest, STR("last message repeated ")) || log_starts(rest, STR("CEF:")) ||
           log_starts(rest, STR("LEEF:"));
}

/* is_device: a colon behind the time, as Cisco's have it; no host comes then, and the tag is
 * "%ASA-6-302013:". */
static void parse_tail(struct str rest, bool is_device, struct syslog_line *line)
{
    if (!is_device) {
        take_host(&rest, line);
    }
    drop_spaces(&rest);
    if (log_starts(rest, STR(": %"))) {
        drop(&rest, 2); /* the same behind a host */
    }
    line->is_tagged = has_no_tag(rest);
    if (!line->is_tagged) {
        take_tag(&rest, line);
    }
    drop_spaces(&rest);
    line->message = rest;
}

bool syslog_parse(struct str line, const struct log_reading *reading, struct syslog_line *ret_line)
{
    struct syslog_line result = {.priority = take_priority(&line)};
    bool is_whole = false;
    size_t len;

    result.message = line;
    if (result.priority >= 0 && log_starts(line, STR("1 "))) {
        is_whole = parse_5424(str_slice(line, 2, line.len), reading, &result);
    } else if (line.len > 0) {
        line = result.priority >= 0 ? skip_sequence(line, &result.host) : line;
        len = log_time_take_bsd(line, reading, &result.time);
        len = len != 0 ? len : log_time_take(line, reading, &result.time);
        is_whole = len != 0 && len < line.len && log_is_one_of(line.ptr[len], STR(" :"));
        if (is_whole) {
            parse_tail(str_slice(line, len + 1, line.len), line.ptr[len] == ':', &result);
        } else {
            result.time = 0;
        }
    }
    *ret_line = result;
    return is_whole;
}
