/* One thing that happened on a host: a kind, a time and a few fields. A batch of events lives in
 * one arena; texts are borrowed from it. On its way: sense/ fills it, codec/cbor carries it,
 * store/archive keeps it. */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "codec/cbor.h"
#include "codec/json.h"

#include <stddef.h>
#include <stdint.h>

#define EVENT_FIELDS_MAX 24

enum event_kind {
    EVENT_KIND_PROCESS_START,
    EVENT_KIND_PROCESS_END,
    EVENT_KIND_FILE_CHANGE,
    EVENT_KIND_FILE_RENAME,
    EVENT_KIND_FILE_DELETE,
    EVENT_KIND_AGENT, /* about the agent itself: started, child died, something was lost */
    EVENT_KIND_LOG,   /* one entry of a log, as it was written */
    EVENT_KIND_COUNT,
};

enum event_field_id {
#define FIELD(constant, name, type) EVENT_FIELD_##constant,
#include "model/fields.def"
#undef FIELD
    EVENT_FIELD_COUNT,
};

enum event_value_type {
    EVENT_VALUE_NUMBER,
    EVENT_VALUE_TEXT,
};

struct event_field {
    enum event_field_id id;
    int64_t number;  /* for EVENT_VALUE_NUMBER */
    struct str text; /* for EVENT_VALUE_TEXT */
};

struct event {
    int64_t time; /* ns since 1970 UTC, by the host's clock */
    enum event_kind kind;
    size_t field_count;
    struct event_field fields[EVENT_FIELDS_MAX];
};

const char *event_kind_name(enum event_kind kind); /* "process_start" … */
const char *event_field_name(enum event_field_id id);
enum event_value_type event_field_type(enum event_field_id id);
/* False when there is no such name. */
bool event_field_parse(struct str name, enum event_field_id *ret_id);

void event_init(struct event *event, enum event_kind kind, int64_t time);
/* -ERR_LIMIT past EVENT_FIELDS_MAX. Empty text is not added; a second value for a field replaces
 * the first. Fields stand in the order of their numbers: add them only here. */
int event_add_number(struct event *event, enum event_field_id id, int64_t number);
int event_add_text(struct event *event, enum event_field_id id, struct str text);
/* NULL when the event does not have it. */
const struct event_field *event_find(const struct event *event, enum event_field_id id);

/* Map {0: kind, 1: time, 2: {field number: value}}. Unknown fields and kinds of a newer agent are
 * refused with -ERR_VERSION. Decoded texts borrow the reader's bytes. */
void event_encode(const struct event *event, struct buf *buf);
[[nodiscard]] int event_decode(struct cbor_reader *reader, struct event *ret_event);
/* Flat object with ECS names, "@timestamp" and "event.action". */
void event_write_json(const struct event *event, struct json_writer *json);

#endif
