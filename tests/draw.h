/* Draws events, findings, answers and whole records for property tests and says whether two are the
 * same. */
#ifndef TESTS_DRAW_H
#define TESTS_DRAW_H

#include "prop.h"

#include "model/record.h"

static inline struct str draw_text(struct prop *prop, size_t max)
{
    return prop_bool(prop) ? prop_text(prop, max) : prop_bytes(prop, max);
}

static inline bool is_same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof(a)) == 0 || (__builtin_isnan(a) && __builtin_isnan(b));
}

static inline struct event draw_event(struct prop *prop)
{
    struct event event;
    size_t count = prop_below(prop, 12);

    event_init(&event, (enum event_kind)prop_below(prop, EVENT_KIND_COUNT), prop_i64(prop));
    for (size_t i = 0; i < count; i++) {
        enum event_field_id id = (enum event_field_id)prop_below(prop, EVENT_FIELD_COUNT);
        int r = event_field_type(id) == EVENT_VALUE_NUMBER
                    ? event_add_number(&event, id, prop_i64(prop))
                    : event_add_text(&event, id, draw_text(prop, 20));

        assert_int_equal(r, 0);
    }
    return event;
}

static inline bool is_same_event(const struct event *a, const struct event *b)
{
    if (a->time != b->time || a->kind != b->kind || a->field_count != b->field_count) {
        return false;
    }
    for (size_t i = 0; i < a->field_count; i++) {
        if (a->fields[i].id != b->fields[i].id || a->fields[i].number != b->fields[i].number ||
            !str_is(a->fields[i].text, b->fields[i].text)) {
            return false;
        }
    }
    return true;
}

static inline struct finding_process draw_process(struct prop *prop)
{
    return (struct finding_process){
        .pid = prop_i64(prop),
        .start = prop_u64(prop),
        .uid = prop_i64(prop),
        .user = draw_text(prop, 8),
        .exe = draw_text(prop, 12),
        .cmdline = draw_text(prop, 20),
    };
}

static inline const struct finding_process *draw_processes(struct prop *prop, size_t max,
                                                           size_t *ret_count)
{
    size_t count = prop_below(prop, max + 1);
    struct finding_process *processes = arena_alloc(prop->arena, count, sizeof(*processes));

    assert_non_null(processes);
    for (size_t i = 0; i < count; i++) {
        processes[i] = draw_process(prop);
    }
    *ret_count = count;
    return processes;
}

static inline void draw_lists(struct prop *prop, struct finding *finding)
{
    size_t reason_count = prop_below(prop, 4);
    size_t file_count = prop_below(prop, 8);
    struct finding_reason *reasons = arena_alloc(prop->arena, reason_count, sizeof(*reasons));
    struct finding_file *files = arena_alloc(prop->arena, file_count, sizeof(*files));

    assert_non_null(reasons);
    assert_non_null(files);
    for (size_t i = 0; i < reason_count; i++) {
        reasons[i] = (struct finding_reason){
            .what = draw_text(prop, 10), .value = draw_text(prop, 10), .score = prop_double(prop)};
    }
    for (size_t i = 0; i < file_count; i++) {
        files[i] = (struct finding_file){
            .path = draw_text(prop, 20),
            .outcome = (enum file_outcome)prop_below(prop, FILE_OUTCOME_COUNT),
            .is_restored = prop_bool(prop),
            .is_partial = prop_bool(prop)};
    }
    finding->reasons = reasons;
    finding->reason_count = reason_count;
    finding->files = files;
    finding->file_count = file_count;
}

static inline int draw_result(struct prop *prop)
{
    return -(int)prop_below(prop, 2000);
}

static inline struct finding draw_finding(struct prop *prop)
{
    struct finding finding = {
        .id = prop_id(prop),
        .revision = (uint32_t)prop_u64(prop),
        .time = prop_i64(prop),
        .is_drill = prop_bool(prop),
        .detector = draw_text(prop, 8),
        .severity = (enum severity)prop_below(prop, SEVERITY_COUNT),
        .title = draw_text(prop, 30),
        .host = draw_text(prop, 10),
        .score = prop_double(prop),
        .process = draw_process(prop),
        .files_total = prop_u64(prop),
        .files_restored = prop_u64(prop),
        .action = (enum finding_action)prop_below(prop, FINDING_ACTION_COUNT),
        .action_result = draw_result(prop),
        .action_ns = prop_i64(prop),
    };

    finding.ancestors = draw_processes(prop, 4, &finding.ancestor_count);
    finding.group = draw_processes(prop, 4, &finding.group_count);
    draw_lists(prop, &finding);
    if (prop_bool(prop)) {
        finding.subject = draw_text(prop, 40);
        finding.site = prop_u64(prop);
        finding.change = prop_u64(prop);
    }
    return finding;
}

static inline bool is_same_process(const struct finding_process *a, const struct finding_process *b)
{
    return a->pid == b->pid && a->start == b->start && a->uid == b->uid &&
           str_is(a->user, b->user) && str_is(a->exe, b->exe) && str_is(a->cmdline, b->cmdline);
}

static inline bool is_same_lists(const struct finding *a, const struct finding *b)
{
    bool is_same = a->reason_count == b->reason_count && a->ancestor_count == b->ancestor_count &&
                   a->group_count == b->group_count && a->file_count == b->file_count;

    for (size_t i = 0; is_same && i < a->reason_count; i++) {
        is_same = str_is(a->reasons[i].what, b->reasons[i].what) &&
                  str_is(a->reasons[i].value, b->reasons[i].value) &&
                  is_same_double(a->reasons[i].score, b->reasons[i].score);
    }
    for (size_t i = 0; is_same && i < a->ancestor_count; i++) {
        is_same = is_same_process(&a->ancestors[i], &b->ancestors[i]);
    }
    for (size_t i = 0; is_same && i < a->group_count; i++) {
        is_same = is_same_process(&a->group[i], &b->group[i]);
    }
    for (size_t i = 0; is_same && i < a->file_count; i++) {
        is_same = str_is(a->files[i].path, b->files[i].path) &&
                  a->files[i].outcome == b->files[i].outcome &&
                  a->files[i].is_restored == b->files[i].is_restored &&
                  a->files[i].is_partial == b->files[i].is_partial;
    }
    return is_same;
}

static inline bool is_same_finding(const struct finding *a, const struct finding *b)
{
    return id_is(&a->id, &b->id) && a->revision == b->revision && a->time == b->time &&
           a->is_drill == b->is_drill && str_is(a->detector, b->detector) &&
           a->severity == b->severity && str_is(a->title, b->title) && str_is(a->host, b->host) &&
           is_same_double(a->score, b->score) && is_same_process(&a->process, &b->process) &&
           a->files_total == b->files_total && a->files_restored == b->files_restored &&
           a->action == b->action && a->action_result == b->action_result &&
           a->action_ns == b->action_ns && str_is(a->subject, b->subject) && a->site == b->site &&
           a->change == b->change && is_same_lists(a, b);
}

static inline struct action_request draw_request(struct prop *prop)
{
    int64_t asked = prop_i64(prop);
    int64_t later = prop_i64(prop);

    return (struct action_request){
        .id = prop_id(prop),
        .action = (enum action)prop_below(prop, ACTION_COUNT),
        .finding = prop_id(prop),
        .asked = asked < later ? asked : later,
        .expires = asked < later ? later : asked,
        .actor = arena_printf(prop->arena, "u%u", (unsigned)prop_below(prop, 1000)),
        .reason = draw_text(prop, 20),
    };
}

static inline bool is_same_request(const struct action_request *a, const struct action_request *b)
{
    return id_is(&a->id, &b->id) && a->action == b->action && id_is(&a->finding, &b->finding) &&
           a->asked == b->asked && a->expires == b->expires && str_is(a->actor, b->actor) &&
           str_is(a->reason, b->reason);
}

static inline struct action_answer draw_answer(struct prop *prop)
{
    return (struct action_answer){.id = prop_id(prop),
                                  .time = prop_i64(prop),
                                  .result = draw_result(prop),
                                  .detail = draw_text(prop, 20)};
}

static inline bool is_same_answer(const struct action_answer *a, const struct action_answer *b)
{
    return id_is(&a->id, &b->id) && a->time == b->time && a->result == b->result &&
           str_is(a->detail, b->detail);
}

static inline struct status draw_status(struct prop *prop)
{
    return (struct status){
        .time = prop_i64(prop),
        .version = draw_text(prop, 8),
        .kernel = draw_text(prop, 8),
        .os = draw_text(prop, 8),
        .address = draw_text(prop, 8),
        .process_sensor = draw_text(prop, 8),
        .shield = draw_text(prop, 8),
        .protected_paths = draw_text(prop, 30),
        .events = prop_u64(prop),
        .dropped = prop_u64(prop),
        .gate_opens = prop_u64(prop),
        .gate_late = prop_u64(prop),
        .vault_bytes = prop_u64(prop),
        .vault_limit = prop_u64(prop),
        .vault_versions = prop_u64(prop),
        .stopped_groups = prop_u64(prop),
        .restarts = prop_u64(prop),
    };
}

static inline bool is_same_status(const struct status *a, const struct status *b)
{
    return a->time == b->time && str_is(a->version, b->version) && str_is(a->kernel, b->kernel) &&
           str_is(a->os, b->os) && str_is(a->address, b->address) &&
           str_is(a->process_sensor, b->process_sensor) && str_is(a->shield, b->shield) &&
           str_is(a->protected_paths, b->protected_paths) && a->events == b->events &&
           a->dropped == b->dropped && a->gate_opens == b->gate_opens &&
           a->gate_late == b->gate_late && a->vault_bytes == b->vault_bytes &&
           a->vault_limit == b->vault_limit && a->vault_versions == b->vault_versions &&
           a->stopped_groups == b->stopped_groups && a->restarts == b->restarts;
}

static inline struct record draw_record(struct prop *prop)
{
    struct record record = {.kind = (enum record_kind)prop_below(prop, RECORD_KIND_COUNT)};

    if (record.kind == RECORD_KIND_EVENT) {
        record.event = draw_event(prop);
    } else if (record.kind == RECORD_KIND_FINDING) {
        record.finding = draw_finding(prop);
    } else if (record.kind == RECORD_KIND_ANSWER) {
        record.answer = draw_answer(prop);
    } else {
        record.status = draw_status(prop);
    }
    return record;
}

static inline bool is_same_record(const struct record *a, const struct record *b)
{
    return a->kind == b->kind && is_same_event(&a->event, &b->event) &&
           is_same_finding(&a->finding, &b->finding) && is_same_answer(&a->answer, &b->answer) &&
           is_same_status(&a->status, &b->status);
}

#endif
