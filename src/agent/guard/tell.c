/* What the guard says: one finding for what one process does in one root within a while, told soon
 * and again as it grows; and findings about a root as a whole. Titles are English source sentences,
 * translated where they are shown. */
#include "agent/guard/private.h"
#include "agent/protocol.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "model/record.h"
#include "sys/user.h"

#include <assert.h>

#define INCIDENT_ARENA   (2U << 20)
#define INCIDENT_SOON_NS (150 * NS_PER_MS) /* from its first file to its first telling */
#define INCIDENT_MORE_NS (2 * NS_PER_S)
#define INCIDENT_REST_NS (20 * NS_PER_S) /* then it is over */
#define REASONS_MAX      (GUARD_REASON_COUNT + GUARD_SHELLS_MAX + 2)
#define NUMBER_TEXT      24

static const char *const reason_words[] = {
    [GUARD_REASON_CHANGED] = "web_changed",
    [GUARD_REASON_DELETED] = "web_deleted",
    [GUARD_REASON_ADDED] = "web_added",
    [GUARD_REASON_KIND] = "web_kind",
    [GUARD_REASON_ATTRIBUTES] = "web_attributes",
    [GUARD_REASON_SCRIPT] = "web_script",
    [GUARD_REASON_DOUBLE] = "web_double",
    [GUARD_REASON_HANDLER] = "web_handler",
    [GUARD_REASON_CODE] = "web_code",
    [GUARD_REASON_PROGRAM] = "web_program",
    [GUARD_REASON_BACKDATED] = "web_backdated",
    [GUARD_REASON_SHELL] = "web_shell",
    [GUARD_REASON_SHELL_LEFT] = "web_shell_left",
    [GUARD_REASON_FIGHT] = "web_fight",
    [GUARD_REASON_REFUSED] = "web_refused",
};
static_assert(ARRAY_LEN(reason_words) == GUARD_REASON_COUNT);
static_assert(REASONS_MAX <= FINDING_WHY_MAX);

const char *guard_reason_word(enum guard_reason reason)
{
    return reason_words[reason];
}

static void incident_done(struct guard_incident *incident)
{
    arena_free(incident->arena);
    *incident = (struct guard_incident){0};
}

void guard_incidents_done(struct guard *guard)
{
    for (size_t i = 0; i < GUARD_INCIDENTS_MAX; i++) {
        incident_done(&guard->incidents[i]);
    }
}

static void guard_ask_who(struct guard *guard, pid_t pid)
{
    msg_begin(&guard->msg, AGENT_MESSAGE_WHO);
    msg_put_u32(&guard->msg, (uint32_t)pid);
    outbox_send(&guard->supervisor, &guard->msg);
}

/* A free place, else that of the incident which rested longest. */
static struct guard_incident *incident_place(struct guard *guard)
{
    struct guard_incident *oldest = &guard->incidents[0];

    for (size_t i = 0; i < GUARD_INCIDENTS_MAX; i++) {
        struct guard_incident *incident = &guard->incidents[i];

        if (!incident->is_used) {
            return incident;
        }
        oldest = incident->last < oldest->last ? incident : oldest;
    }
    guard_tell_due(guard, INT64_MAX, true);
    incident_done(oldest);
    return oldest;
}

struct guard_incident *guard_incident(struct guard *guard, struct guard_root *root, pid_t pid,
                                      bool is_plant)
{
    struct guard_incident *incident;

    for (size_t i = 0; i < GUARD_INCIDENTS_MAX; i++) {
        incident = &guard->incidents[i];
        if (incident->is_used && incident->root == root && incident->pid == pid &&
            incident->is_plant == is_plant) {
            return incident;
        }
    }
    incident = incident_place(guard);
    if (arena_new(INCIDENT_ARENA, &incident->arena) < 0) {
        return NULL;
    }
    incident->files = arena_alloc(incident->arena, FINDING_FILES_MAX, sizeof(*incident->files));
    if (incident->files == NULL || id_new(&incident->id) < 0) {
        incident_done(incident);
        return NULL;
    }
    incident->is_used = true;
    incident->number = ++guard->incidents_ever;
    incident->root = root;
    incident->pid = pid;
    incident->is_plant = is_plant;
    incident->first = incident->last = clock_mono(&clock_real);
    if (pid != 0) {
        incident->process.pid = pid;
        guard_ask_who(guard, pid);
    }
    return incident;
}

static enum file_outcome outcome_of(enum guard_reason reason)
{
    switch (reason) {
    case GUARD_REASON_DELETED:
        return FILE_OUTCOME_DELETED;
    case GUARD_REASON_CHANGED:
    case GUARD_REASON_KIND:
        return FILE_OUTCOME_REPLACED;
    case GUARD_REASON_ATTRIBUTES:
    case GUARD_REASON_FIGHT:
    case GUARD_REASON_REFUSED:
        return FILE_OUTCOME_INTACT;
    case GUARD_REASON_ADDED:
    case GUARD_REASON_SCRIPT:
    case GUARD_REASON_DOUBLE:
    case GUARD_REASON_HANDLER:
    case GUARD_REASON_CODE:
    case GUARD_REASON_PROGRAM:
    case GUARD_REASON_BACKDATED:
    case GUARD_REASON_SHELL:
    case GUARD_REASON_SHELL_LEFT:
    case GUARD_REASON_COUNT:
    default:
        return FILE_OUTCOME_PRODUCT;
    }
}

static void incident_name_file(struct guard_incident *incident, struct str path,
                               enum guard_reason reason, int result)
{
    struct finding_file *file;
    struct str whole;

    if (incident->file_count == FINDING_FILES_MAX) {
        return;
    }
    whole = arena_printf(incident->arena, "%s%s%.*s", incident->root->config.path,
                         path.len != 0 ? "/" : "", STR_ARG(path));
    if (whole.ptr != NULL) {
        file = &incident->files[incident->file_count++];
        *file = (struct finding_file){
            .path = whole, .outcome = outcome_of(reason), .is_restored = result == 0};
    }
}

void guard_incident_add(struct guard *guard, struct guard_incident *incident, struct str path,
                        enum guard_reason reason, int result)
{
    int64_t now = clock_mono(&clock_real);
    int64_t took = now - guard->heard;

    incident->last = now;
    incident->is_changed = true;
    incident->counts[reason]++;
    if (reason == GUARD_REASON_FIGHT) {
        incident->told = 0; /* at once */
        return;
    }
    incident->total++;
    incident->restored += result == 0 ? 1U : 0U;
    incident->result = result < 0 && result != -ERR_EXIST ? result : incident->result;
    incident->took = took > incident->took ? took : incident->took;
    incident_name_file(incident, path, reason, result);
}

void guard_incident_shell(struct guard *guard, uint64_t incident, struct str path,
                          const struct inspection *inspection)
{
    for (size_t i = 0; i < GUARD_INCIDENTS_MAX; i++) {
        struct guard_incident *known = &guard->incidents[i];
        struct str text;

        if (!known->is_used || known->number != incident ||
            known->shell_count == GUARD_SHELLS_MAX) {
            continue;
        }
        text = arena_printf(known->arena, "%.*s:%u %s: %s", STR_ARG(path), inspection->line,
                            inspection->rule, inspection->snippet);
        if (text.ptr != NULL) {
            known->shell_scores[known->shell_count] = inspection->score;
            known->shells[known->shell_count++] = text;
            known->is_changed = true;
        }
    }
}

void guard_incident_evidence(struct guard *guard, uint64_t incident, uint64_t number)
{
    for (size_t i = 0; i < GUARD_INCIDENTS_MAX; i++) {
        struct guard_incident *known = &guard->incidents[i];

        if (known->is_used && known->number == incident &&
            known->number_count < GUARD_NUMBERS_MAX) {
            known->numbers[known->number_count++] = number;
            known->is_changed = true;
        }
    }
}

/* Asked by the number alone: one that ended meanwhile may have given it to another, but then its
 * start would be later than what it did. */
void guard_take_whose(struct guard *guard, struct msg_reader *msg)
{
    pid_t pid = (pid_t)msg_get_u32(msg);
    uint64_t start = msg_get_u64(msg);
    uint32_t uid = msg_get_u32(msg);
    struct str exe = msg_get_str(msg);
    struct str cmdline = msg_get_str(msg);

    if (msg_close(msg) < 0 || start == 0) {
        return;
    }
    for (size_t i = 0; i < GUARD_INCIDENTS_MAX; i++) {
        struct guard_incident *incident = &guard->incidents[i];

        if (!incident->is_used || incident->pid != pid || incident->process.start != 0) {
            continue;
        }
        (void)!user_name(uid, incident->user, sizeof(incident->user));
        incident->process.start = start;
        incident->process.uid = uid;
        incident->process.user = str_from(incident->user);
        incident->process.exe = arena_copy(incident->arena, exe);
        incident->process.cmdline = arena_copy(incident->arena, cmdline);
        incident->is_changed = true;
    }
}

/* Nothing was changed, so nothing had to be put back. */
static bool incident_is_refused(const struct guard_incident *incident)
{
    return incident->counts[GUARD_REASON_REFUSED] == incident->total;
}

static const char *incident_title(const struct guard_incident *incident)
{
    uint64_t left = incident->counts[GUARD_REASON_SHELL_LEFT];
    bool is_whole = incident->restored + left == incident->total;

    if (incident->is_fight) {
        return N_(
            "Somebody changes the website's files again and again; they are put back ever more "
            "slowly");
    }
    if (incident_is_refused(incident)) {
        return N_("Somebody tried to write to signed files of the website and was refused");
    }
    if (incident->is_plant && incident->counts[GUARD_REASON_BACKDATED] == incident->total) {
        return N_("A file among the website's uploads claims to be older than it can be");
    }
    if (left != 0 && left == incident->total) {
        return N_("A webshell stands where the website's own programs write; it was left there");
    }
    if (incident->is_plant) {
        return is_whole ? N_("A program was planted in the website and taken out")
                        : N_("A program was planted in the website and could not be taken out");
    }
    return is_whole ? N_("The website was changed and put back")
                    : N_("The website was changed and could not be put back wholly");
}

static enum severity incident_severity(const struct guard_incident *incident)
{
    if (incident->is_plant && incident->counts[GUARD_REASON_BACKDATED] == incident->total) {
        return SEVERITY_MEDIUM;
    }
    return incident->is_plant || incident_is_refused(incident) ? SEVERITY_HIGH : SEVERITY_CRITICAL;
}

/* Texts of numbers go into room for all of them. */
static size_t incident_reasons(const struct guard_incident *incident,
                               struct finding_reason out[REASONS_MAX],
                               char room[GUARD_REASON_COUNT][NUMBER_TEXT], struct buf *numbers)
{
    size_t count = 0;

    out[count++] = (struct finding_reason){.what = STR("web_root"),
                                           .value = str_from(incident->root->config.path)};
    for (size_t i = 0; i < GUARD_REASON_COUNT; i++) {
        if (incident->counts[i] != 0 && i != GUARD_REASON_SHELL) {
            (void)snprintf(room[i], NUMBER_TEXT, "%llu", (unsigned long long)incident->counts[i]);
            out[count++] = (struct finding_reason){.what = str_from(reason_words[i]),
                                                   .value = str_from(room[i]),
                                                   .score = (double)incident->counts[i]};
        }
    }
    for (size_t i = 0; i < incident->shell_count; i++) {
        out[count++] = (struct finding_reason){.what = str_from(reason_words[GUARD_REASON_SHELL]),
                                               .value = incident->shells[i],
                                               .score = incident->shell_scores[i]};
    }
    for (size_t i = 0; i < incident->number_count; i++) {
        (void)buf_putf(numbers, "%s%llu", i != 0 ? " " : "",
                       (unsigned long long)incident->numbers[i]);
    }
    if (incident->number_count != 0) {
        out[count++] =
            (struct finding_reason){.what = STR("web_evidence"), .value = buf_str(numbers)};
    }
    return count;
}

static void guard_send(struct guard *guard, const struct record *record)
{
    outbox_send_record(&guard->supervisor, record);
}

static void incident_tell(struct guard *guard, struct guard_incident *incident, int64_t now)
{
    struct record record = {.kind = RECORD_KIND_FINDING};
    struct finding_reason reasons[REASONS_MAX];
    char room[GUARD_REASON_COUNT][NUMBER_TEXT];
    CLEANUP(buf_done) struct buf numbers;

    buf_init(&numbers, (size_t)GUARD_NUMBERS_MAX * NUMBER_TEXT);
    record.finding = (struct finding){
        .id = incident->id,
        .revision = ++incident->revision,
        .time = clock_wall(&clock_real),
        .detector = STR("webroot"),
        .severity = incident_severity(incident),
        .title = str_from(incident_title(incident)),
        .score = 1,
        .reasons = reasons,
        .process = incident->process,
        .files = incident->files,
        .file_count = incident->file_count,
        .files_total = incident->total,
        .files_restored = incident->restored,
        .action = incident_is_refused(incident) ? FINDING_ACTION_NONE : FINDING_ACTION_RESTORED,
        .action_result = incident->result,
        .action_ns = incident->took};
    record.finding.reason_count = incident_reasons(incident, reasons, room, &numbers);
    guard_send(guard, &record);
    incident->told = now;
    incident->is_changed = false;
}

void guard_tell_due(struct guard *guard, int64_t now, bool is_end)
{
    for (size_t i = 0; i < GUARD_INCIDENTS_MAX; i++) {
        struct guard_incident *incident = &guard->incidents[i];
        bool is_due = incident->told == 0 ? now - incident->first >= INCIDENT_SOON_NS
                                          : now - incident->told >= INCIDENT_MORE_NS;

        if (!incident->is_used) {
            continue;
        }
        if (incident->is_changed && (is_due || is_end)) {
            incident_tell(guard, incident, now);
        }
        if (!incident->is_changed && now != INT64_MAX && now - incident->last > INCIDENT_REST_NS) {
            incident_done(incident);
        }
    }
}

void guard_tell(struct guard *guard, struct guard_root *root, enum severity severity,
                const char *title, const char *why)
{
    struct record record = {.kind = RECORD_KIND_FINDING};
    struct finding_reason reasons[2] = {
        {.what = STR("web_root"), .value = str_from(root->config.path)},
        {.what = STR("web_trouble"), .value = str_from(why)}};

    record.finding = (struct finding){.revision = 1,
                                      .time = clock_wall(&clock_real),
                                      .detector = STR("webroot"),
                                      .severity = severity,
                                      .title = str_from(title),
                                      .reasons = reasons,
                                      .reason_count = why != NULL ? 2 : 1,
                                      .action = FINDING_ACTION_NONE};
    if (id_new(&record.finding.id) == 0) {
        guard_send(guard, &record);
    }
}
