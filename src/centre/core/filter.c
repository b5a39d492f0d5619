/* A filter in one click: the rule of an alert is not to speak of this host, user, address or path
 * any more. It becomes a Sigma filter as any other, so that it can be taken elsewhere. Neighbours:
 * core/request.c calls, catalogue.h knows the rules, core/detect_content.c hands it on. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "base/utf8.h"
#include "centre/core/rule.h"
#include "codec/cbor.h"
#include "model/finding.h"

#define FILTER_TEXT_MAX  (16U << 10)
#define FILTER_TITLE_MAX 200

/* What is to be kept back: entries of these rules whose field has this value. */
struct filter {
    const struct catalogue_rule *rule;
    struct str field; /* as the alert calls it */
    struct str value;
    bool is_cut; /* the value goes on */
    struct str id;
    struct str title;
};

/* Quoted for YAML. With is_sigma also so that no `*`, `?` or backslash means more than itself. */
static void yaml_put(struct buf *buf, struct str text, bool is_sigma)
{
    buf_put_byte(buf, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];

        if (is_sigma && (byte == '*' || byte == '?')) {
            buf_put_text(buf, "\\\\");
            buf_put_byte(buf, byte);
        } else if (byte == '\\') {
            buf_put_text(buf, is_sigma ? "\\\\\\\\" : "\\\\");
        } else if (byte == '"') {
            buf_put_text(buf, "\\\"");
        } else if (byte < 0x20 || byte == 0x7f) {
            buf_putf(buf, "\\x%02x", byte);
        } else {
            buf_put_byte(buf, byte);
        }
    }
    buf_put_byte(buf, '"');
}

static void yaml_put_member(struct buf *buf, const char *key, struct str value)
{
    buf_putf(buf, "%s: ", key);
    yaml_put(buf, value, false);
    buf_put_byte(buf, '\n');
}

static void filter_put_field(const struct filter *filter, struct str field, struct buf *buf)
{
    buf_put_text(buf, "        - \"");
    buf_put_str(buf, field);
    buf_put_text(buf, filter->is_cut ? "|startswith\": " : "\": ");
    yaml_put(buf, filter->value, true);
    buf_put_byte(buf, '\n');
}

/* Rules under a correlation may each have a name of their own for the field. */
static void filter_put_selection(const struct filter *filter, struct buf *buf)
{
    const struct catalogue_rule *rule = filter->rule;

    buf_put_text(buf, "    kept_back:\n");
    for (size_t i = 0; i < rule->group_count; i++) {
        const struct catalogue_group *group = &rule->groups[i];

        if (!str_is(group->name, filter->field)) {
            continue;
        }
        for (size_t j = 0; j < group->field_count; j++) {
            filter_put_field(filter, group->fields[j], buf);
        }
        return;
    }
    filter_put_field(filter, filter->field, buf);
}

static void filter_put_source(const struct logsource *source, struct buf *buf)
{
    if (source->product.len + source->category.len + source->service.len == 0) {
        return;
    }
    buf_put_text(buf, "logsource:\n");
    if (source->product.len != 0) {
        yaml_put_member(buf, "    product", source->product);
    }
    if (source->category.len != 0) {
        yaml_put_member(buf, "    category", source->category);
    }
    if (source->service.len != 0) {
        yaml_put_member(buf, "    service", source->service);
    }
}

static void filter_write(const struct filter *filter, struct str reason, struct buf *buf)
{
    const struct catalogue_rule *rule = filter->rule;

    yaml_put_member(buf, "title", filter->title);
    yaml_put_member(buf, "id", filter->id);
    yaml_put_member(buf, "description", reason);
    filter_put_source(&rule->logsource, buf);
    buf_put_text(buf, "filter:\n    rules:\n");
    buf_put_text(buf, "        - ");
    yaml_put(buf, rule->id, false);
    buf_put_byte(buf, '\n');
    filter_put_selection(filter, buf);
    buf_put_text(buf, "    condition: not kept_back\n");
}

/* ---- what the alert told ---- */

static bool group_has(struct str group, struct str field, struct str value)
{
    struct str rest = group;

    while (rest.len != 0) {
        size_t end = rest.len;

        if (str_has_prefix(rest, field) && rest.len > field.len && rest.ptr[field.len] == '=' &&
            str_has_prefix(str_slice(rest, field.len + 1, rest.len), value)) {
            end = field.len + 1 + value.len;
            if (end == rest.len || str_has_prefix(str_slice(rest, end, rest.len), STR(", "))) {
                return true;
            }
        }
        end = str_find(rest, STR(", "));
        rest = end == rest.len ? STR("") : str_slice(rest, end + 2, rest.len);
    }
    return false;
}

static bool field_is(struct str told, struct str field, struct str value)
{
    return str_has_prefix(told, field) && str_slice(told, field.len, field.len + 2).len == 2 &&
           str_is(str_slice(told, field.len, field.len + 2), STR(": ")) &&
           str_is(str_slice(told, field.len + 2, told.len), value);
}

static bool finding_tells(const struct finding *finding, struct str field, struct str value)
{
    for (size_t i = 0; i < finding->reason_count; i++) {
        const struct finding_reason *reason = &finding->reasons[i];

        if ((str_is_text(reason->what, "log_field") && field_is(reason->value, field, value)) ||
            (str_is_text(reason->what, "log_group") && group_has(reason->value, field, value))) {
            return true;
        }
    }
    return false;
}

static struct str finding_rule(const struct finding *finding)
{
    for (size_t i = 0; i < finding->reason_count; i++) {
        if (str_is_text(finding->reasons[i].what, "log_rule")) {
            return finding->reasons[i].value;
        }
    }
    return STR("");
}

/* The rule of the alert, when what is to be kept back stands in one of its findings. */
static int filter_find(struct core_call *call, const struct store_alert *alert,
                       struct filter *filter, struct str *ret_rule)
{
    bool is_host = str_is_text(filter->field, DETECTOR_HOST_FIELD);
    struct store_finding *findings;
    size_t count;
    int r = store_alert_findings(call->core->options.store, alert->number, 50, call->arena,
                                 &findings, &count);

    if (is_host) {
        filter->value = alert->host_name;
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct cbor_reader reader;
        struct finding finding;

        cbor_open(&reader, findings[i].body);
        r = finding_decode(&reader, call->arena, &finding);
        if (r == 0 && (is_host || finding_tells(&finding, filter->field, filter->value))) {
            *ret_rule = finding_rule(&finding);
            return 0;
        }
    }
    return r < 0 ? r
                 : diag_set(&call->diag, -ERR_NOENT,
                            _("the alert does not tell of a field “%.*s” with this value"),
                            STR_ARG(str_slice(filter->field, 0, 100)));
}

static int filter_check(struct core_call *call, const struct filter *filter)
{
    if (filter->value.len == 0 || filter->field.len == 0 || !utf8_is_valid(filter->value) ||
        str_find_byte(filter->field, '|') != filter->field.len ||
        str_find_byte(filter->field, '"') != filter->field.len ||
        str_find_byte(filter->field, '\\') != filter->field.len) {
        return diag_set(&call->diag, -ERR_INVAL, _("no filter can be made of this value"));
    }
    if (filter->rule == NULL) {
        return diag_set(&call->diag, -ERR_NOENT, _("the rule of this alert is no longer in force"));
    }
    if (filter->rule->id.len == 0) {
        return diag_set(&call->diag, -ERR_INVAL,
                        _("the rule has no id, by which a filter could name it"));
    }
    return 0;
}

static int filter_keep(struct core_call *call, struct filter *filter, int64_t until)
{
    struct str reason = str_trim(arguments_text(&call->arguments, "reason"));
    CLEANUP(buf_done) struct buf text;
    int r;

    filter->title = arena_printf(call->arena, "%.*s: %.*s = %.*s",
                                 STR_ARG(str_slice(filter->rule->title, 0, FILTER_TITLE_MAX)),
                                 STR_ARG(str_slice(filter->field, 0, FILTER_TITLE_MAX)),
                                 STR_ARG(str_slice(filter->value, 0, FILTER_TITLE_MAX)));
    buf_init(&text, FILTER_TEXT_MAX);
    filter_write(filter, reason, &text);
    r = filter->title.ptr == NULL ? -ERR_NOMEM : buf_error(&text);
    if (r == 0) {
        r = store_document_put(call->core->options.store,
                               &(struct store_document){.kind = RULE_DOCUMENT_FILTER,
                                                        .id = filter->id,
                                                        .title = filter->title,
                                                        .text = buf_str(&text),
                                                        .rule = filter->rule->id,
                                                        .is_on = true,
                                                        .until = until,
                                                        .actor = call->actor,
                                                        .reason = reason});
    }
    return r < 0
               ? r
               : core_call_audit(call, "filter.put", filter->id, "rule", filter->rule->id, "field",
                                 filter->field, "value", filter->value, "reason", reason, NULL);
}

int core_filter_put(struct core_call *call)
{
    uint64_t number = (uint64_t)arguments_number(&call->arguments, "number", 0);
    int64_t days = arguments_number(&call->arguments, "days", 0);
    int64_t now = clock_wall(call->core->options.clock);
    struct filter filter = {.field = arguments_text(&call->arguments, "field"),
                            .value = arguments_text(&call->arguments, "value")};
    CLEANUP(rule_book_done) struct rule_book book = {0};
    char id_text[ID_TEXT_SIZE];
    struct store_alert alert;
    struct str rule = STR("");
    struct id id;
    int r = store_alert_get(call->core->options.store, number, call->arena, &alert);

    r = r < 0 ? r : filter_find(call, &alert, &filter, &rule);
    r = r < 0 ? r : rule_book_open(call, &book);
    r = r < 0 ? r : id_new(&id);
    if (r < 0) {
        return r;
    }
    filter.rule = catalogue_find(&book.catalogue, rule);
    filter.is_cut = filter.value.len >= DETECTOR_VALUE_MAX;
    filter.value = str_slice(filter.value, 0, utf8_valid_prefix(filter.value));
    id_format(&id, id_text);
    filter.id = str_from(id_text);
    r = filter_check(call, &filter);
    r = r < 0 ? r : filter_keep(call, &filter, days == 0 ? 0 : now + days * 86400 * NS_PER_S);
    cbor_put_map(&call->reply, 1);
    cbor_put_text(&call->reply, STR("id"));
    cbor_put_text(&call->reply, filter.id);
    rule_changed(call);
    return r;
}
