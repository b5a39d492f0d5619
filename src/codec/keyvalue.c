/* See codec/keyvalue.h. */
#include "codec/keyvalue.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "codec/log_text.h"
#include "codec/log_time.h"

#define PAIRS_SURE 4

static const struct {
    struct str own;
    enum log_name name;
} twins[] = {
    {{"srcip", 5}, LOG_NAME_SRC_IP},
    {{"dstip", 5}, LOG_NAME_DST_IP},
    {{"src", 3}, LOG_NAME_SRC_IP},
    {{"dst", 3}, LOG_NAME_DST_IP},
    {{"srcport", 7}, LOG_NAME_SRC_PORT},
    {{"dstport", 7}, LOG_NAME_DST_PORT},
    {{"proto", 5}, LOG_NAME_PROTOCOL},
    {{"srcintf", 7}, LOG_NAME_INTERFACE},
    {{"dstintf", 7}, LOG_NAME_OUT_INTERFACE},
    {{"level", 5}, LOG_NAME_SEVERITY},
    {{"msg", 3}, LOG_NAME_MESSAGE},
    {{"qname", 5}, LOG_NAME_QUERY},
    {{"qtype", 5}, LOG_NAME_RECORD_TYPE},
    {{"url", 3}, LOG_NAME_CS_URI},
    {{"agent", 5}, LOG_NAME_CS_USER_AGENT},
    {{"remip", 5}, LOG_NAME_SRC_IP},
    {{"dstuser", 7}, LOG_NAME_TARGET_USER},
    {{"policyid", 8}, LOG_NAME_RULE},
    {{"sentbyte", 8}, LOG_NAME_BYTES_OUT},
    {{"rcvdbyte", 8}, LOG_NAME_BYTES_IN},
};

static bool is_key_byte(char c)
{
    return log_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '-' ||
           c == '.';
}

/* key=value at the front; false for anything else. A quote in a quoted value has a backslash. */
static bool take_pair(struct str *rest, struct str *ret_key, struct str *ret_value)
{
    size_t at = 0;
    size_t from;

    while (at < rest->len && is_key_byte(rest->ptr[at])) {
        at++;
    }
    if (at == 0 || at > ENTRY_NAME_MAX || at == rest->len || rest->ptr[at] != '=') {
        return false;
    }
    *ret_key = str_slice(*rest, 0, at);
    from = at + 1;
    if (from < rest->len && rest->ptr[from] == '"') {
        for (at = ++from; at < rest->len && rest->ptr[at] != '"'; at++) {
            at += rest->ptr[at] == '\\' && at + 1 < rest->len;
        }
        *ret_value = str_slice(*rest, from, at);
        *rest = str_slice(*rest, at + 1, rest->len);
    } else {
        at = from + str_find_byte(str_slice(*rest, from, rest->len), ' ');
        *ret_value = str_slice(*rest, from, at);
        *rest = str_slice(*rest, at, rest->len);
    }
    while (rest->len > 0 && (rest->ptr[0] == ' ' || rest->ptr[0] == ',')) {
        *rest = str_slice(*rest, 1, rest->len);
    }
    return true;
}

bool keyvalue_is(struct str text)
{
    struct str key;
    struct str value;

    for (size_t i = 0; i < PAIRS_SURE; i++) {
        if (!take_pair(&text, &key, &value)) {
            return false;
        }
    }
    return true;
}

static int add_pair(struct log_reading *reading, struct str key, struct str value)
{
    int r = log_add_own(reading, key, value);

    for (size_t i = 0; r == 0 && i < ARRAY_LEN(twins); i++) {
        if (log_is(key, twins[i].own)) {
            return log_add(reading, twins[i].name, value);
        }
    }
    return r;
}

static struct str value_of(const struct entry *entry, struct str name)
{
    const struct entry_field *field = entry_find(entry, name);

    return field == NULL ? (struct str){0} : field->value;
}

/* date=2026-11-25 time=22:41:06 tz="+0700"; else time= or timestamp= of any kind. */
static void take_time(struct log_reading *reading)
{
    struct entry *entry = &reading->entry;
    struct str date = value_of(entry, STR("date"));
    struct str clock = value_of(entry, STR("time"));
    struct str zone = value_of(entry, STR("tz"));
    char text[64];

    if (date.len == 10 && clock.len >= 8 && clock.len <= 16 && zone.len <= 6) {
        int len = snprintf(text, sizeof(text), "%.*s %.*s%.*s", STR_ARG(date), STR_ARG(clock),
                           STR_ARG(zone));

        if (log_time_take_iso(str_of(text, (size_t)len), reading, &entry->time) != 0) {
            return;
        }
    }
    clock = clock.len != 0 ? clock : value_of(entry, STR("timestamp"));
    (void)log_time_take(clock, reading, &entry->time);
}

/* FortiGate's log type is Sigma's service. */
static void set_source(struct entry *entry)
{
    struct str type = value_of(entry, STR("type"));

    if (str_has_prefix(value_of(entry, STR("devid")), STR("F")) ||
        value_of(entry, STR("logid")).len != 0) {
        entry->source = (struct logsource){
            STR("fortigate"), str_is(type, STR("traffic")) ? STR("firewall") : STR(""), type};
    }
}

int keyvalue_read(struct log_reading *reading, struct str text)
{
    struct str key;
    struct str value;
    int r = 0;

    while (r == 0 && take_pair(&text, &key, &value)) {
        r = add_pair(reading, key, value);
    }
    if (r == 0) {
        reading->entry.faults |= text.len > 0 ? ENTRY_FAULT_SYNTAX : 0U;
        if (reading->entry.time == 0) {
            take_time(reading);
        }
        set_source(&reading->entry);
        if (reading->entry.host.len == 0) {
            reading->entry.host = value_of(&reading->entry, STR("devname"));
        }
    }
    return r;
}

static int keyvalue_read_line(struct log_reading *reading, struct str line)
{
    int r = keyvalue_read(reading, line);

    reading->entry.faults |= reading->entry.time == 0 ? ENTRY_FAULT_TIME : 0U;
    return r < 0 ? r : 1;
}

static int keyvalue_read_block(struct log_reading *reading, struct str block, entry_fn *fn,
                               void *context)
{
    return log_read_lines(reading, block, keyvalue_read_line, fn, context);
}

static unsigned keyvalue_weigh(struct str head)
{
    return log_weigh_lines(head, keyvalue_is) >= 80 ? 80 : 0;
}

const struct log_format keyvalue_log_format = {
    .name = "keyvalue",
    .title = N_("lines of key=\"value\" (FortiGate and others)"),
    .weigh = keyvalue_weigh,
    .cut = log_cut_lines,
    .read = keyvalue_read_block,
};
