/* Events: names, fields, wire form and JSON. Neighbours: sense/ fills events, link/ carries them,
 * the centre's core decodes them, store/archive keeps them as they were encoded. Invariant: fields
 * stand in ascending order of their ids, each at most once. */
#include "model/event.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"
#include "model/wire.h"

#include <assert.h>

enum event_key {
    EVENT_KEY_KIND,
    EVENT_KEY_TIME,
    EVENT_KEY_FIELDS,
    EVENT_KEY_COUNT,
};

struct event_field_row {
    const char *name;
    enum event_value_type type;
};

static const struct event_field_row field_rows[] = {
#define FIELD(constant, field_name, value_type)                                                    \
    [EVENT_FIELD_##constant] = {.name = (field_name), .type = EVENT_VALUE_##value_type},
#include "model/fields.def"
#undef FIELD
};

static const char *const kind_names[] = {
    [EVENT_KIND_PROCESS_START] = "process_start",
    [EVENT_KIND_PROCESS_END] = "process_end",
    [EVENT_KIND_FILE_CHANGE] = "file_change",
    [EVENT_KIND_FILE_RENAME] = "file_rename",
    [EVENT_KIND_FILE_DELETE] = "file_delete",
    [EVENT_KIND_AGENT] = "agent",
    [EVENT_KIND_LOG] = "log",
};
static_assert(sizeof(kind_names) / sizeof(kind_names[0]) == EVENT_KIND_COUNT);

const char *event_kind_name(enum event_kind kind)
{
    return kind_names[kind];
}

const char *event_field_name(enum event_field_id id)
{
    return field_rows[id].name;
}

enum event_value_type event_field_type(enum event_field_id id)
{
    return field_rows[id].type;
}

bool event_field_parse(struct str name, enum event_field_id *ret_id)
{
    for (int i = 0; i < EVENT_FIELD_COUNT; i++) {
        if (str_is_text(name, field_rows[i].name)) {
            *ret_id = (enum event_field_id)i;
            return true;
        }
    }
    return false;
}

void event_init(struct event *event, enum event_kind kind, int64_t time)
{
    event->time = time;
    event->kind = kind;
    event->field_count = 0;
}

/* Puts the field in its place; one that is there already is replaced. */
static int event_add(struct event *event, struct event_field field)
{
    size_t at = event->field_count;

    while (at != 0 && event->fields[at - 1].id > field.id) {
        at--;
    }
    if (at != 0 && event->fields[at - 1].id == field.id) {
        event->fields[at - 1] = field;
        return 0;
    }
    if (event->field_count == EVENT_FIELDS_MAX) {
        return -ERR_LIMIT;
    }
    memmove(&event->fields[at + 1], &event->fields[at],
            (event->field_count - at) * sizeof(event->fields[0]));
    event->fields[at] = field;
    event->field_count++;
    return 0;
}

int event_add_number(struct event *event, enum event_field_id id, int64_t number)
{
    return event_add(event, (struct event_field){.id = id, .number = number});
}

int event_add_text(struct event *event, enum event_field_id id, struct str text)
{
    if (text.len == 0) {
        return 0;
    }
    return event_add(event, (struct event_field){.id = id, .text = text});
}

const struct event_field *event_find(const struct event *event, enum event_field_id id)
{
    for (size_t i = 0; i < event->field_count; i++) {
        if (event->fields[i].id == id) {
            return &event->fields[i];
        }
    }
    return NULL;
}

void event_encode(const struct event *event, struct buf *buf)
{
    cbor_put_map(buf, EVENT_KEY_COUNT);
    cbor_put_u64(buf, EVENT_KEY_KIND);
    cbor_put_u64(buf, event->kind);
    cbor_put_u64(buf, EVENT_KEY_TIME);
    cbor_put_i64(buf, event->time);
    cbor_put_u64(buf, EVENT_KEY_FIELDS);
    cbor_put_map(buf, event->field_count);
    for (size_t i = 0; i < event->field_count; i++) {
        const struct event_field *field = &event->fields[i];

        cbor_put_u64(buf, field->id);
        if (field_rows[field->id].type == EVENT_VALUE_NUMBER) {
            cbor_put_i64(buf, field->number);
        } else {
            cbor_put_text(buf, field->text);
        }
    }
}

static void event_take_key(struct cbor_reader *reader, enum event_key key)
{
    if (cbor_get_u64(reader) != key) {
        cbor_fail(reader, -ERR_SYNTAX);
    }
}

/* Ids must rise, so that none comes twice, and no text is empty: as event_add leaves them. */
static void event_take_field(struct cbor_reader *reader, struct event *event)
{
    enum event_field_id id = (enum event_field_id)wire_get_enum(reader, EVENT_FIELD_COUNT);
    struct event_field *field = &event->fields[event->field_count];

    if (event->field_count != 0 && id <= field[-1].id) {
        cbor_fail(reader, -ERR_SYNTAX);
    }
    *field = (struct event_field){.id = id};
    if (field_rows[id].type == EVENT_VALUE_NUMBER) {
        field->number = cbor_get_i64(reader);
    } else {
        field->text = cbor_get_text(reader);
        if (field->text.len == 0) {
            cbor_fail(reader, -ERR_SYNTAX);
        }
    }
    event->field_count++;
}

int event_decode(struct cbor_reader *reader, struct event *ret_event)
{
    struct event event;
    size_t count = cbor_get_map(reader);

    event.field_count = 0;
    if (count != EVENT_KEY_COUNT) {
        cbor_fail(reader, count > EVENT_KEY_COUNT ? -ERR_VERSION : -ERR_SYNTAX);
    }
    event_take_key(reader, EVENT_KEY_KIND);
    event.kind = (enum event_kind)wire_get_enum(reader, EVENT_KIND_COUNT);
    event_take_key(reader, EVENT_KEY_TIME);
    event.time = cbor_get_i64(reader);
    event_take_key(reader, EVENT_KEY_FIELDS);
    count = cbor_get_map(reader);
    if (count > EVENT_FIELDS_MAX) {
        cbor_fail(reader, -ERR_LIMIT);
    }
    for (size_t i = 0; i < count && reader->error == 0; i++) {
        event_take_field(reader, &event);
    }
    if (reader->error != 0) {
        return reader->error;
    }
    ret_event->time = event.time;
    ret_event->kind = event.kind;
    ret_event->field_count = event.field_count;
    memcpy(ret_event->fields, event.fields, event.field_count * sizeof(event.fields[0]));
    return 0;
}

void event_write_json(const struct event *event, struct json_writer *json)
{
    char time[TIME_TEXT_SIZE];

    time_format_utc(event->time, time);
    json_open_object(json);
    json_add_text(json, "@timestamp", time);
    json_add_text(json, "event.action", kind_names[event->kind]);
    for (size_t i = 0; i < event->field_count; i++) {
        const struct event_field *field = &event->fields[i];

        json_put_key(json, field_rows[field->id].name);
        if (field_rows[field->id].type == EVENT_VALUE_NUMBER) {
            json_put_i64(json, field->number);
        } else {
            json_put_str(json, field->text);
        }
    }
    json_close_object(json);
}
