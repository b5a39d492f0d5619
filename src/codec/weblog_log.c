/* Access logs as a format of logs, on top of codec/weblog.h, with the names that Sigma's rules for
 * web servers have (W3C's). A line is read by the layout that fitted the one before it, and by the
 * others when it does not fit. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/text.h"
#include "codec/log_text.h"
#include "codec/weblog.h"

#include <threads.h>

#define COMBINED "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\""
#define VHOST    "%v:%p " COMBINED
#define REST     " %{rest}n" /* what an administrator has added at the end, to any length */

/* Of those before LAYOUT_ANY no line fits two, nor of those from LAYOUT_VHOST on. */
static const char *const layouts[] = {
    "combined",       COMBINED REST, "common", "%h %l %u %t \"%r\" %>s %b" REST,
    "vhost_combined", VHOST REST,
};
#define LAYOUT_ANY   3 /* takes the others' lines too, and loses what is behind the size */
#define LAYOUT_VHOST 4

static struct weblog_format formats[ARRAY_LEN(layouts)]; /* not changed once they are compiled */
static once_flag formats_once = ONCE_FLAG_INIT;

static void compile_formats(void)
{
    for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
        if (weblog_format_init(&formats[i], str_from(layouts[i]), NULL) < 0) {
            formats[i].count = 0; /* fits no line then */
        }
    }
}

/* What servers write for a byte that would break the line: \" \\ \n \t \xhh. Itself when there is
 * none; .ptr NULL when memory is out. */
static struct str unescaped(struct arena *arena, struct str text)
{
    size_t len = 0;
    char *out;

    if (str_find_byte(text, '\\') == text.len) {
        return text;
    }
    out = arena_alloc(arena, text.len, 1);
    for (size_t i = 0; out != NULL && i < text.len; i++) {
        uint8_t byte = (uint8_t)text.ptr[i];

        if (byte == '\\' && i + 1 < text.len) {
            char sign = text.ptr[i + 1];

            if (sign == 'x' && i + 3 < text.len &&
                hex_decode(str_slice(text, i + 2, i + 4), &byte, 1) == 0) {
                i += 3;
            } else if (sign == '"' || sign == '\\') {
                byte = (uint8_t)sign;
                i++;
            }
        }
        out[len++] = (char)byte;
    }
    return str_of(out, len);
}

/* Adds fields until one fails. */
struct writer {
    struct log_reading *reading;
    bool has_escapes; /* somewhere in the line: most have none, and no field is searched then */
    int error;
};

static void add_text(struct writer *writer, enum log_name name, struct str value)
{
    struct str text = value;

    if (value.len == 0 || writer->error < 0) {
        return;
    }
    if (writer->has_escapes) {
        text = unescaped(writer->reading->arena, value);
    }
    writer->error = text.ptr == NULL ? -ERR_NOMEM : log_add(writer->reading, name, text);
}

/* Path and query stand beside each other in the line. */
static struct str whole_target(const struct weblog_line *line)
{
    return line->query.len == 0
               ? line->path
               : str_of(line->path.ptr,
                        (size_t)(line->query.ptr + line->query.len - line->path.ptr));
}

static int add_request(struct log_reading *reading, const struct weblog_line *line)
{
    struct str raw = reading->entry.raw;
    struct writer writer = {.reading = reading, .has_escapes = str_find_byte(raw, '\\') < raw.len};

    add_text(&writer, LOG_NAME_C_IP, line->address);
    add_text(&writer, LOG_NAME_CS_METHOD, line->method);
    add_text(&writer, LOG_NAME_CS_URI, whole_target(line));
    add_text(&writer, LOG_NAME_CS_URI_STEM, line->path);
    add_text(&writer, LOG_NAME_CS_URI_QUERY, line->query);
    add_text(&writer, LOG_NAME_CS_VERSION, line->protocol);
    add_text(&writer, LOG_NAME_SC_STATUS, line->status_text);
    add_text(&writer, LOG_NAME_SC_BYTES, line->size_text);
    add_text(&writer, LOG_NAME_CS_REFERER, line->referrer);
    add_text(&writer, LOG_NAME_CS_USER_AGENT, line->agent);
    add_text(&writer, LOG_NAME_CS_USERNAME, line->user);
    add_text(&writer, LOG_NAME_CS_HOST, line->host);
    return writer.error;
}

/* "cong.example.vn:443 …": only layouts of virtual hosts have a port in front. */
static bool is_of_vhost(struct str text)
{
    struct str word = str_slice(text, 0, str_find_byte(text, ' '));

    return str_find_byte(word, ':') < word.len && !log_is_address(word);
}

/* *layout: the one that fitted last, tried first; what comes out does not depend on it. False when
 * none fits. */
static bool read_layout(struct str text, size_t *layout, struct weblog_line *line)
{
    bool is_vhost = is_of_vhost(text);
    size_t from = is_vhost ? LAYOUT_VHOST : 0;
    size_t until = is_vhost ? ARRAY_LEN(layouts) : LAYOUT_VHOST;
    bool is_likely = *layout >= from && *layout < until;

    if (is_likely && weblog_read(&formats[*layout], text, line) == 1) {
        return true;
    }
    for (size_t i = from; i < until; i++) {
        if ((i != *layout || !is_likely) && weblog_read(&formats[i], text, line) == 1) {
            *layout = i != LAYOUT_ANY ? i : *layout;
            return true;
        }
    }
    return false;
}

static int weblog_read_line(struct log_reading *reading, size_t *layout, struct str text)
{
    struct weblog_line line = {0};

    reading->entry.source = (struct logsource){STR(""), STR("webserver"), STR("")};
    if (!read_layout(text, layout, &line)) {
        reading->entry.faults |= ENTRY_FAULT_SYNTAX | ENTRY_FAULT_TIME;
        return log_add(reading, LOG_NAME_MESSAGE, text);
    }
    reading->entry.time = line.time;
    reading->entry.host = line.host;
    return add_request(reading, &line);
}

static int weblog_read_block(struct log_reading *reading, struct str block, entry_fn *fn,
                             void *context)
{
    struct str rest = block;
    struct str line;
    size_t layout = 0;
    int r = 0;

    call_once(&formats_once, compile_formats);
    log_resolve(reading);
    reading->counts.bytes += block.len;
    for (; r == 0 && log_take_line(&rest, &line); reading->number++) {
        if (line.len == 0) {
            reading->counts.passed++;
            continue;
        }
        log_begin(reading, &line);
        r = weblog_read_line(reading, &layout, line);
        r = r < 0 ? r : log_hand_on(reading, &reading->entry, fn, context);
    }
    return r;
}

/* A client's address stands in front, or the dash of what no client tells behind its name: so that
 * a line that came through syslog is not taken for one with an odd client. */
static bool has_client(struct str text)
{
    struct str first = STR("");
    struct str second = STR("");
    struct str third = STR("");

    (void)str_cut(&text, ' ', &first);
    (void)str_cut(&text, ' ', &second);
    (void)str_cut(&text, ' ', &third);
    return log_is_address(first) || str_is_text(second, "-") || str_is_text(third, "-");
}

static bool is_access(struct str text)
{
    struct weblog_line line = {0};
    size_t layout = 0;

    return has_client(text) && read_layout(text, &layout, &line) && line.time != 0;
}

static unsigned weblog_weigh(struct str head)
{
    unsigned hits;

    call_once(&formats_once, compile_formats);
    hits = log_weigh_lines(head, is_access);
    return hits < 50 ? 0 : hits * 95 / 100;
}

const struct log_format weblog_log_format = {
    .name = "weblog",
    .title = N_("access logs of web servers (common, combined, vhost_combined)"),
    .weigh = weblog_weigh,
    .cut = log_cut_lines,
    .read = weblog_read_block,
};
