/* Findings: names, wire form and JSON. Neighbours: a judge in detect/ concludes, agent/ adds what
 * was done, link/ carries it, store/fold.c folds it into an alert; agent/printer and centre/api
 * show the JSON. Invariant: what is decoded keeps the limits of finding.h, whoever sent it. */
#include "model/finding.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "model/reason.h"
#include "model/wire.h"

#include <assert.h>

#define FINDING_MEMBERS 19 /* as the first version had them, */
#define FINDING_SUBJECT 3  /* and those of a page behind */
#define PROCESS_MEMBERS 6
#define FILE_MEMBERS    4
#define REASON_MEMBERS  3

/* Upper bounds of what is not text in the encoded form: heads, numbers, ids. */
#define FINDING_OVERHEAD 224
#define PROCESS_OVERHEAD 48
#define FILE_OVERHEAD    12
#define REASON_OVERHEAD  24

static const char *const severity_names[] = {
    [SEVERITY_INFO] = "info", [SEVERITY_LOW] = "low",           [SEVERITY_MEDIUM] = "medium",
    [SEVERITY_HIGH] = "high", [SEVERITY_CRITICAL] = "critical",
};
static_assert(sizeof(severity_names) / sizeof(severity_names[0]) == SEVERITY_COUNT);

static const char *const outcome_names[] = {
    [FILE_OUTCOME_INTACT] = "intact",           [FILE_OUTCOME_ENCRYPTED] = "encrypted",
    [FILE_OUTCOME_REPLACED] = "replaced",       [FILE_OUTCOME_DELETED] = "deleted",
    [FILE_OUTCOME_OVERWRITTEN] = "overwritten", [FILE_OUTCOME_PRODUCT] = "product",
};
static_assert(sizeof(outcome_names) / sizeof(outcome_names[0]) == FILE_OUTCOME_COUNT);

static const char *const action_names[] = {
    [FINDING_ACTION_NONE] = "none",       [FINDING_ACTION_PAUSED] = "paused",
    [FINDING_ACTION_STOPPED] = "stopped", [FINDING_ACTION_RESUMED] = "resumed",
    [FINDING_ACTION_KILLED] = "killed",   [FINDING_ACTION_RESTORED] = "restored",
};
static_assert(sizeof(action_names) / sizeof(action_names[0]) == FINDING_ACTION_COUNT);

const char *severity_name(enum severity severity)
{
    return severity_names[severity];
}

bool severity_parse(struct str name, enum severity *ret_severity)
{
    for (int i = 0; i < SEVERITY_COUNT; i++) {
        if (str_is_text(name, severity_names[i])) {
            *ret_severity = (enum severity)i;
            return true;
        }
    }
    return false;
}

const char *file_outcome_name(enum file_outcome outcome)
{
    return outcome_names[outcome];
}

const char *finding_action_name(enum finding_action action)
{
    return action_names[action];
}

static void process_encode(const struct finding_process *process, struct buf *buf)
{
    cbor_put_array(buf, PROCESS_MEMBERS);
    cbor_put_i64(buf, process->pid);
    cbor_put_u64(buf, process->start);
    cbor_put_i64(buf, process->uid);
    cbor_put_text(buf, process->user);
    cbor_put_text(buf, process->exe);
    cbor_put_text(buf, process->cmdline);
}

static void processes_encode(const struct finding_process *processes, size_t count, struct buf *buf)
{
    cbor_put_array(buf, count);
    for (size_t i = 0; i < count; i++) {
        process_encode(&processes[i], buf);
    }
}

static void reasons_encode(const struct finding *finding, struct buf *buf)
{
    cbor_put_array(buf, finding->reason_count);
    for (size_t i = 0; i < finding->reason_count; i++) {
        const struct finding_reason *reason = &finding->reasons[i];

        cbor_put_array(buf, REASON_MEMBERS);
        cbor_put_text(buf, reason->what);
        cbor_put_text(buf, reason->value);
        cbor_put_double(buf, reason->score);
    }
}

static void files_encode(const struct finding *finding, struct buf *buf)
{
    cbor_put_array(buf, finding->file_count);
    for (size_t i = 0; i < finding->file_count; i++) {
        const struct finding_file *file = &finding->files[i];

        cbor_put_array(buf, FILE_MEMBERS);
        cbor_put_text(buf, file->path);
        cbor_put_u64(buf, file->outcome);
        cbor_put_bool(buf, file->is_restored);
        cbor_put_bool(buf, file->is_partial);
    }
}

static bool finding_has_subject(const struct finding *finding)
{
    return finding->subject.len != 0 || finding->site != 0 || finding->change != 0;
}

void finding_encode(const struct finding *finding, struct buf *buf)
{
    bool has_subject = finding_has_subject(finding);

    cbor_put_array(buf, FINDING_MEMBERS + (has_subject ? FINDING_SUBJECT : 0));
    wire_put_id(buf, &finding->id);
    cbor_put_u64(buf, finding->revision);
    cbor_put_i64(buf, finding->time);
    cbor_put_bool(buf, finding->is_drill);
    cbor_put_text(buf, finding->detector);
    cbor_put_u64(buf, finding->severity);
    cbor_put_text(buf, finding->title);
    cbor_put_text(buf, finding->host);
    cbor_put_double(buf, finding->score);
    reasons_encode(finding, buf);
    process_encode(&finding->process, buf);
    processes_encode(finding->ancestors, finding->ancestor_count, buf);
    processes_encode(finding->group, finding->group_count, buf);
    files_encode(finding, buf);
    cbor_put_u64(buf, finding->files_total);
    cbor_put_u64(buf, finding->files_restored);
    cbor_put_u64(buf, finding->action);
    cbor_put_i64(buf, finding->action_result);
    cbor_put_i64(buf, finding->action_ns);
    if (has_subject) {
        cbor_put_text(buf, finding->subject);
        cbor_put_u64(buf, finding->site);
        cbor_put_u64(buf, finding->change);
    }
}

static struct finding_process process_decode(struct cbor_reader *reader)
{
    struct finding_process process = {0};

    wire_open(reader, PROCESS_MEMBERS);
    process.pid = cbor_get_i64(reader);
    process.start = cbor_get_u64(reader);
    process.uid = cbor_get_i64(reader);
    process.user = cbor_get_text(reader);
    process.exe = cbor_get_text(reader);
    process.cmdline = cbor_get_text(reader);
    return process;
}

static const struct finding_process *processes_decode(struct cbor_reader *reader,
                                                      struct arena *arena, size_t max,
                                                      size_t *ret_count)
{
    struct finding_process *processes =
        wire_take_array(reader, arena, max, sizeof(*processes), ret_count);

    for (size_t i = 0; i < *ret_count && reader->error == 0; i++) {
        processes[i] = process_decode(reader);
    }
    return processes;
}

static void reasons_decode(struct cbor_reader *reader, struct arena *arena, struct finding *finding)
{
    struct finding_reason *reasons =
        wire_take_array(reader, arena, FINDING_WHY_MAX, sizeof(*reasons), &finding->reason_count);

    for (size_t i = 0; i < finding->reason_count && reader->error == 0; i++) {
        wire_open(reader, REASON_MEMBERS);
        reasons[i].what = cbor_get_text(reader);
        reasons[i].value = cbor_get_text(reader);
        reasons[i].score = cbor_get_double(reader);
    }
    finding->reasons = reasons;
}

static void files_decode(struct cbor_reader *reader, struct arena *arena, struct finding *finding)
{
    struct finding_file *files =
        wire_take_array(reader, arena, FINDING_FILES_MAX, sizeof(*files), &finding->file_count);

    for (size_t i = 0; i < finding->file_count && reader->error == 0; i++) {
        wire_open(reader, FILE_MEMBERS);
        files[i].path = cbor_get_text(reader);
        files[i].outcome = (enum file_outcome)wire_get_enum(reader, FILE_OUTCOME_COUNT);
        files[i].is_restored = cbor_get_bool(reader);
        files[i].is_partial = cbor_get_bool(reader);
    }
    finding->files = files;
}

int finding_decode(struct cbor_reader *reader, struct arena *arena, struct finding *ret_finding)
{
    struct finding finding = {0};
    bool has_subject = wire_open_grown(reader, FINDING_MEMBERS, FINDING_SUBJECT);

    finding.id = wire_get_id(reader);
    finding.revision = wire_get_u32(reader);
    finding.time = cbor_get_i64(reader);
    finding.is_drill = cbor_get_bool(reader);
    finding.detector = cbor_get_text(reader);
    finding.severity = (enum severity)wire_get_enum(reader, SEVERITY_COUNT);
    finding.title = cbor_get_text(reader);
    finding.host = cbor_get_text(reader);
    finding.score = cbor_get_double(reader);
    reasons_decode(reader, arena, &finding);
    finding.process = process_decode(reader);
    finding.ancestors =
        processes_decode(reader, arena, FINDING_ANCESTORS_MAX, &finding.ancestor_count);
    finding.group = processes_decode(reader, arena, FINDING_GROUP_MAX, &finding.group_count);
    files_decode(reader, arena, &finding);
    finding.files_total = cbor_get_u64(reader);
    finding.files_restored = cbor_get_u64(reader);
    finding.action = (enum finding_action)wire_get_enum(reader, FINDING_ACTION_COUNT);
    finding.action_result = wire_get_result(reader);
    finding.action_ns = cbor_get_i64(reader);
    if (has_subject) {
        finding.subject = cbor_get_text(reader);
        finding.site = cbor_get_u64(reader);
        finding.change = cbor_get_u64(reader);
    }
    if (reader->error != 0) {
        return reader->error;
    }
    *ret_finding = finding;
    return 0;
}

static size_t process_size(const struct finding_process *process)
{
    return PROCESS_OVERHEAD + process->user.len + process->exe.len + process->cmdline.len;
}

/* Most bytes the finding can take encoded. */
static size_t finding_size(const struct finding *finding)
{
    size_t size = FINDING_OVERHEAD + finding->detector.len + finding->title.len +
                  finding->host.len + finding->subject.len + process_size(&finding->process);

    for (size_t i = 0; i < finding->reason_count; i++) {
        size += REASON_OVERHEAD + finding->reasons[i].what.len + finding->reasons[i].value.len;
    }
    for (size_t i = 0; i < finding->ancestor_count; i++) {
        size += process_size(&finding->ancestors[i]);
    }
    for (size_t i = 0; i < finding->group_count; i++) {
        size += process_size(&finding->group[i]);
    }
    for (size_t i = 0; i < finding->file_count; i++) {
        size += FILE_OVERHEAD + finding->files[i].path.len;
    }
    return size;
}

void finding_fit(struct finding *finding, size_t limit)
{
    size_t size = finding_size(finding);

    while (size > limit && finding->file_count != 0) {
        finding->file_count--;
        size -= FILE_OVERHEAD + finding->files[finding->file_count].path.len;
    }
    while (size > limit && finding->group_count != 0) {
        finding->group_count--;
        size -= process_size(&finding->group[finding->group_count]);
    }
    while (size > limit && finding->ancestor_count != 0) {
        finding->ancestor_count--;
        size -= process_size(&finding->ancestors[finding->ancestor_count]);
    }
    if (size > limit) {
        size_t excess = size - limit;
        size_t kept = finding->process.cmdline.len;

        finding->process.cmdline =
            str_slice(finding->process.cmdline, 0, kept > excess ? kept - excess : 0);
    }
}

/* A sentence that is not NUL-terminated, in the process's language. */
static struct str finding_translate(struct str sentence)
{
    char text[512];
    const char *translated;

    if (sentence.len >= sizeof(text)) {
        return sentence;
    }
    (void)snprintf(text, sizeof(text), "%.*s", STR_ARG(sentence));
    translated = text_get(text);
    return translated != text ? str_from(translated) : sentence;
}

static void process_write_members(const struct finding_process *process, struct json_writer *json)
{
    json_add_i64(json, "pid", process->pid);
    json_add_str(json, "exe", process->exe);
    json_add_str(json, "cmdline", process->cmdline);
    json_add_str(json, "user", process->user);
    json_add_i64(json, "uid", process->uid);
}

static void processes_write_json(const struct finding_process *processes, size_t count,
                                 struct json_writer *json)
{
    json_open_array(json);
    for (size_t i = 0; i < count; i++) {
        json_open_object(json);
        process_write_members(&processes[i], json);
        json_close_object(json);
    }
    json_close_array(json);
}

static void reasons_write_json(const struct finding *finding, struct json_writer *json)
{
    json_open_array(json);
    for (size_t i = 0; i < finding->reason_count; i++) {
        const struct finding_reason *reason = &finding->reasons[i];

        json_open_object(json);
        json_add_str(json, "what", reason->what);
        json_add_str(json, "text", reason_text(reason->what));
        json_add_str(json, "value", reason->value);
        json_add_double(json, "score", reason->score);
        json_close_object(json);
    }
    json_close_array(json);
}

static void files_write_json(const struct finding *finding, struct json_writer *json)
{
    json_open_array(json);
    for (size_t i = 0; i < finding->file_count; i++) {
        const struct finding_file *file = &finding->files[i];

        json_open_object(json);
        json_add_str(json, "path", file->path);
        json_add_text(json, "outcome", outcome_names[file->outcome]);
        json_add_bool(json, "restored", file->is_restored);
        json_add_bool(json, "partial", file->is_partial);
        json_close_object(json);
    }
    json_close_array(json);
}

static void action_write_json(const struct finding *finding, struct json_writer *json)
{
    json_open_object(json);
    json_add_text(json, "kind", action_names[finding->action]);
    json_add_text(json, "result",
                  finding->action_result == 0 ? "OK" : err_name(finding->action_result));
    json_add_double(json, "ms", (double)finding->action_ns / (double)NS_PER_MS);
    json_close_object(json);
}

static void finding_write_head(const struct finding *finding, struct json_writer *json)
{
    char time[TIME_TEXT_SIZE];
    char id[ID_TEXT_SIZE];

    time_format_utc(finding->time, time);
    id_format(&finding->id, id);
    json_add_text(json, "time", time);
    json_add_text(json, "id", id);
    json_add_u64(json, "revision", finding->revision);
    json_add_bool(json, "drill", finding->is_drill);
    json_add_str(json, "host", finding->host);
    json_add_str(json, "detector", finding->detector);
    json_add_text(json, "severity", severity_names[finding->severity]);
    json_add_str(json, "title", finding_translate(finding->title));
}

void finding_write_json(const struct finding *finding, struct json_writer *json)
{
    json_open_object(json);
    finding_write_head(finding, json);
    json_put_key(json, "why");
    reasons_write_json(finding, json);
    json_add_double(json, "score", finding->score);
    json_add_object(json, "process");
    process_write_members(&finding->process, json);
    json_put_key(json, "ancestors");
    processes_write_json(finding->ancestors, finding->ancestor_count, json);
    json_close_object(json);
    json_put_key(json, "group");
    processes_write_json(finding->group, finding->group_count, json);
    json_put_key(json, "files");
    files_write_json(finding, json);
    json_add_u64(json, "files_total", finding->files_total);
    json_add_u64(json, "files_restored", finding->files_restored);
    json_put_key(json, "action");
    action_write_json(finding, json);
    if (finding_has_subject(finding)) {
        json_add_str(json, "subject", finding->subject);
        json_add_u64(json, "site", finding->site);
        json_add_u64(json, "change", finding->change);
    }
    json_close_object(json);
}
