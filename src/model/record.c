/* Records: one encoded thing an agent says. Neighbours: agent/ encodes them into the spool, link/
 * carries them, the centre's core decodes them from hosts it does not trust beyond their own name.
 * Invariant: only the member that record.kind names holds something. */
#include "model/record.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"
#include "model/wire.h"

#include <assert.h>

#define RECORD_MEMBERS 2
#define RECORD_HEAD    2 /* bytes before the body */

static const char *const kind_names[] = {
    [RECORD_KIND_EVENT] = "event",
    [RECORD_KIND_FINDING] = "finding",
    [RECORD_KIND_ANSWER] = "answer",
    [RECORD_KIND_STATUS] = "status",
};
static_assert(sizeof(kind_names) / sizeof(kind_names[0]) == RECORD_KIND_COUNT);

/* The members of a status after its time, in the order in which they travel and are shown. */
struct status_member {
    const char *name;
    size_t offset;
};

static const struct status_member status_texts[] = {
    {"version", offsetof(struct status, version)},
    {"kernel", offsetof(struct status, kernel)},
    {"os", offsetof(struct status, os)},
    {"address", offsetof(struct status, address)},
    {"process_sensor", offsetof(struct status, process_sensor)},
    {"shield", offsetof(struct status, shield)},
    {"protected_paths", offsetof(struct status, protected_paths)},
};

static const struct status_member status_numbers[] = {
    {"events", offsetof(struct status, events)},
    {"dropped", offsetof(struct status, dropped)},
    {"gate_opens", offsetof(struct status, gate_opens)},
    {"gate_late", offsetof(struct status, gate_late)},
    {"vault_bytes", offsetof(struct status, vault_bytes)},
    {"vault_limit", offsetof(struct status, vault_limit)},
    {"vault_versions", offsetof(struct status, vault_versions)},
    {"stopped_groups", offsetof(struct status, stopped_groups)},
    {"restarts", offsetof(struct status, restarts)},
};

#define STATUS_TEXTS   (sizeof(status_texts) / sizeof(status_texts[0]))
#define STATUS_NUMBERS (sizeof(status_numbers) / sizeof(status_numbers[0]))
#define STATUS_MEMBERS (1 + STATUS_TEXTS + STATUS_NUMBERS)
static_assert(sizeof(struct status) == sizeof(int64_t) + STATUS_TEXTS * sizeof(struct str) +
                                           STATUS_NUMBERS * sizeof(uint64_t));

static const struct str *status_text(const struct status *status, size_t index)
{
    return (const void *)((const char *)status + status_texts[index].offset);
}

static const uint64_t *status_number(const struct status *status, size_t index)
{
    return (const void *)((const char *)status + status_numbers[index].offset);
}

static void status_encode(const struct status *status, struct buf *buf)
{
    cbor_put_array(buf, STATUS_MEMBERS);
    cbor_put_i64(buf, status->time);
    for (size_t i = 0; i < STATUS_TEXTS; i++) {
        cbor_put_text(buf, *status_text(status, i));
    }
    for (size_t i = 0; i < STATUS_NUMBERS; i++) {
        cbor_put_u64(buf, *status_number(status, i));
    }
}

static int status_decode(struct cbor_reader *reader, struct status *ret_status)
{
    struct status status = {0};

    wire_open(reader, STATUS_MEMBERS);
    status.time = cbor_get_i64(reader);
    for (size_t i = 0; i < STATUS_TEXTS; i++) {
        *(struct str *)(void *)((char *)&status + status_texts[i].offset) = cbor_get_text(reader);
    }
    for (size_t i = 0; i < STATUS_NUMBERS; i++) {
        *(uint64_t *)(void *)((char *)&status + status_numbers[i].offset) = cbor_get_u64(reader);
    }
    if (reader->error != 0) {
        return reader->error;
    }
    *ret_status = status;
    return 0;
}

const char *record_kind_name(enum record_kind kind)
{
    return kind_names[kind];
}

void record_encode(const struct record *record, struct buf *buf)
{
    struct finding fitting;

    cbor_put_array(buf, RECORD_MEMBERS);
    cbor_put_u64(buf, record->kind);
    switch (record->kind) {
    case RECORD_KIND_EVENT:
        event_encode(&record->event, buf);
        break;
    case RECORD_KIND_FINDING:
        fitting = record->finding;
        finding_fit(&fitting, RECORD_SIZE_MAX - RECORD_HEAD);
        finding_encode(&fitting, buf);
        break;
    case RECORD_KIND_ANSWER:
        action_answer_encode(&record->answer, buf);
        break;
    case RECORD_KIND_STATUS:
        status_encode(&record->status, buf);
        break;
    case RECORD_KIND_COUNT:
        break;
    }
}

static int record_decode_rare(struct cbor_reader *reader, struct arena *arena,
                              enum record_kind kind, struct record *ret_record)
{
    struct record record = {.kind = kind};
    int r;

    switch (kind) {
    case RECORD_KIND_FINDING:
        r = finding_decode(reader, arena, &record.finding);
        break;
    case RECORD_KIND_ANSWER:
        r = action_answer_decode(reader, &record.answer);
        break;
    case RECORD_KIND_STATUS:
        r = status_decode(reader, &record.status);
        break;
    case RECORD_KIND_EVENT:
    case RECORD_KIND_COUNT:
    default:
        r = -ERR_VERSION;
        break;
    }
    if (r < 0) {
        return r;
    }
    *ret_record = record;
    return 0;
}

int record_decode(struct cbor_reader *reader, struct arena *arena, struct record *ret_record)
{
    enum record_kind kind;
    int r;

    wire_open(reader, RECORD_MEMBERS);
    kind = (enum record_kind)wire_get_enum(reader, RECORD_KIND_COUNT);
    if (kind != RECORD_KIND_EVENT) {
        return record_decode_rare(reader, arena, kind, ret_record);
    }
    r = event_decode(reader, &ret_record->event);
    if (r == 0) {
        ret_record->kind = kind;
    }
    return r;
}

struct str record_body(struct str record)
{
    return str_slice(record, RECORD_HEAD, record.len);
}

void status_write_json(const struct status *status, struct json_writer *json)
{
    char time[TIME_TEXT_SIZE];

    time_format_utc(status->time, time);
    json_open_object(json);
    json_add_text(json, "time", time);
    for (size_t i = 0; i < STATUS_TEXTS; i++) {
        json_add_str(json, status_texts[i].name, *status_text(status, i));
    }
    for (size_t i = 0; i < STATUS_NUMBERS; i++) {
        json_add_u64(json, status_numbers[i].name, *status_number(status, i));
    }
    json_close_object(json);
}
