/* A record's values into the holes of its templates: see codec/evtx_part.h. Fragments within
 * fragments stand on a stack of frames. Whatever a record says, it makes no more than
 * EVTX_FIELDS_MAX fields and ENTRY_SIZE_MAX bytes in EVTX_STEPS_MAX steps. */
#include "base/banned.h"
#include "base/err.h"
#include "codec/evtx_part.h"

#define FRAGMENT_HEAD 4U
#define TOKEN_HEAD    0x0fU
#define TOKEN_MODEL   0x0cU

struct evtx_frame {
    struct evtx_program program;
    size_t next;
    const struct evtx_value *values;
    size_t value_count;
    size_t floor; /* of the stack of values */
};

/* What is wrong with a record is told by its entry; the next one may be well again. */
static int note_fault(struct evtx_state *state, int r)
{
    if (r == -ERR_NOMEM) {
        return r;
    }
    if (r < 0) {
        state->reading->entry.faults |= r == -ERR_LIMIT ? ENTRY_FAULT_CUT : ENTRY_FAULT_SYNTAX;
    }
    return 0;
}

static int find_template(struct evtx_state *state, size_t at, enum winevent_place place,
                         struct evtx_program *ret_program)
{
    struct evtx_template **slot = &state->templates[(at >> 2) % EVTX_TEMPLATES];
    struct evtx_template *template = *slot;
    size_t size;
    int r;

    while (template != NULL && (template->at != at || template->place != place)) {
        template = template->next;
    }
    if (template != NULL) {
        *ret_program = template->program;
        return 0;
    }
    if (at < EVTX_CHUNK_HEAD || at + EVTX_MODEL_HEAD > state->size) {
        return -ERR_SYNTAX;
    }
    size = evtx_u32(state->chunk + at + EVTX_MODEL_HEAD - 4);
    if (size > state->size - at - EVTX_MODEL_HEAD) {
        return -ERR_SYNTAX;
    }
    state->steps += size / 8;
    r = note_fault(state, evtx_compile(state, at + EVTX_MODEL_HEAD, at + EVTX_MODEL_HEAD + size,
                                       place, ret_program));
    template = r < 0 ? NULL : arena_alloc(state->arena, 1, sizeof(*template));
    if (template != NULL) {
        *template = (struct evtx_template){*slot, (uint32_t)at, (uint8_t)place, *ret_program};
        *slot = template;
    }
    return r;
}

static int read_values(struct evtx_state *state, const struct evtx_instance *instance,
                       struct evtx_frame *frame)
{
    const uint8_t *descriptor = state->chunk + instance->values;
    const uint8_t *data = state->chunk + instance->data;
    struct evtx_value *value = state->values + state->value_count;

    if (instance->value_count > EVTX_VALUES_MAX - state->value_count) {
        return -ERR_LIMIT;
    }
    frame->values = value;
    frame->value_count = instance->value_count;
    for (size_t i = 0; i < instance->value_count; i++, descriptor += 4) {
        *value = (struct evtx_value){data, evtx_u16(descriptor), descriptor[2]};
        data += value++->len;
    }
    state->value_count += instance->value_count;
    state->steps += instance->value_count;
    return 0;
}

/* Makes a frame of the fragment between at and end. */
static int open_fragment(struct evtx_state *state, size_t at, size_t end, enum winevent_place place,
                         struct evtx_frame *ret_frame)
{
    struct evtx_frame frame = {.floor = state->value_count};
    struct evtx_instance instance;
    int r;

    if (end - at >= FRAGMENT_HEAD && state->chunk[at] == TOKEN_HEAD) {
        at += FRAGMENT_HEAD;
    }
    if (end == at || state->chunk[at] != TOKEN_MODEL) {
        state->steps += (end - at) / 8;
        r = evtx_compile(state, at, end, place, &frame.program);
        *ret_frame = frame;
        return note_fault(state, r);
    }
    r = evtx_instance_read(state, at, end, &instance);
    if (r == 0) {
        r = find_template(state, instance.definition, place, &frame.program);
    }
    if (r == 0) {
        r = read_values(state, &instance, &frame);
    }
    if (r < 0) {
        frame.program.count = 0;
    }
    *ret_frame = frame;
    return note_fault(state, r);
}

static int put_text(struct evtx_state *state, const struct evtx_value *value,
                    struct entry_field *field)
{
    enum entry_type type;
    size_t len;
    int r = evtx_value_text(value, state->text + state->text_len, ENTRY_SIZE_MAX - state->text_len,
                            &len, &type);

    if (r < 0) {
        return r;
    }
    field->value = str_of(state->text + state->text_len, len);
    field->type = (uint8_t)type;
    state->text_len += len;
    return 0;
}

/* Puts the field's value behind that of the one before it. */
static int join(struct evtx_state *state, const struct entry_field *field)
{
    struct entry *entry = &state->reading->entry;
    struct entry_field *last = &entry->fields[entry->count - 1];
    size_t len = last->value.len + field->value.len;
    char *out = state->text + state->text_len;

    if (len > ENTRY_SIZE_MAX - state->text_len) {
        return -ERR_LIMIT;
    }
    if (last->value.len > 0) {
        memcpy(out, last->value.ptr, last->value.len);
    }
    if (field->value.len > 0) {
        memcpy(out + last->value.len, field->value.ptr, field->value.len);
    }
    state->text_len += len;
    last->value = str_of(out, len);
    last->type = ENTRY_TYPE_TEXT;
    return 0;
}

static int emit(struct evtx_state *state, const struct evtx_op *op, const struct entry_field *field)
{
    struct entry *entry = &state->reading->entry;

    if (field->value.len == 0 && op->is_silent_empty) {
        return 0;
    }
    winevent_note(&state->roles, op->role, field->value);
    if (op->is_joined && entry->count > 0 &&
        str_is(entry->fields[entry->count - 1].name, field->name)) {
        return join(state, field);
    }
    if (entry->count >= EVTX_FIELDS_MAX) {
        return -ERR_LIMIT;
    }
    return entry_add(entry, field);
}

/* The field's name where a value of the record holds it. */
static int take_label(struct evtx_state *state, const struct evtx_frame *frame,
                      const struct evtx_op *op, struct entry_field *field)
{
    struct entry_field label;
    int r;

    if (op->label == 0 || op->label > frame->value_count) {
        return 0;
    }
    r = put_text(state, &frame->values[op->label - 1], &label);
    if (r == 0 && label.value.len > 0) {
        field->name = str_slice(label.value, 0, ENTRY_NAME_MAX);
        field->id = entry_names_find(state->reading->names, field->name);
        field->kind = FIELD_KIND_UNTOLD;
    }
    return r;
}

/* A value, or each item of a list. */
static int emit_value(struct evtx_state *state, const struct evtx_op *op, struct entry_field *field,
                      const struct evtx_value *value)
{
    struct evtx_value list = *value;
    struct evtx_value item;
    int r = 0;

    if ((value->type & EVTX_TYPE_ARRAY) == 0 || value->len == 0) {
        r = put_text(state, value, field);
        return r < 0 ? r : emit(state, op, field);
    }
    while (r == 0 && evtx_value_item(&list, &item)) {
        r = put_text(state, &item, field);
        if (r == 0) {
            r = emit(state, op, field);
        }
    }
    return r;
}

/* What the record itself says of its time needs no text unless somebody asks for it. */
static bool take_time(struct evtx_state *state, const struct evtx_op *op,
                      const struct evtx_value *value)
{
    if (op->role != WINEVENT_ROLE_TIME || value->type != EVTX_TYPE_FILETIME || value->len != 8) {
        return false;
    }
    state->roles.time = evtx_time(evtx_u64(value->ptr));
    state->roles.has_time = state->roles.time != 0;
    return op->id == 0;
}

/* Runs one op; a fragment that it brings goes into *ret_inner. 1 when it did. */
static int run_op(struct evtx_state *state, const struct evtx_frame *frame,
                  const struct evtx_op *op, struct evtx_frame *ret_inner)
{
    static const struct evtx_value nothing = {.type = EVTX_TYPE_NULL};
    struct entry_field field = {
        .name = op->name, .value = op->text, .id = op->id, .kind = op->field_kind};
    const struct evtx_value *value;
    int r = take_label(state, frame, op, &field);

    if (r < 0) {
        return r;
    }
    if (op->kind == EVTX_OP_INNER) {
        r = open_fragment(state, op->at, state->size, op->place, ret_inner);
        return r < 0 ? r : 1;
    }
    if (op->kind == EVTX_OP_TEXT) {
        return emit(state, op, &field);
    }
    value = op->index < frame->value_count ? &frame->values[op->index] : &nothing;
    if (value->type == EVTX_TYPE_XML && value->len > 0) {
        size_t at = (size_t)(value->ptr - state->chunk);

        r = open_fragment(state, at, at + value->len, op->place, ret_inner);
        return r < 0 ? r : 1;
    }
    return take_time(state, op, value) ? 0 : emit_value(state, op, &field, value);
}

int evtx_run(struct evtx_state *state, size_t at, size_t end)
{
    struct evtx_frame frames[EVTX_FRAMES_MAX + 1];
    size_t depth = 1;
    int r;

    state->value_count = 0;
    state->text_len = 0;
    state->steps = 0;
    r = open_fragment(state, at, end, WINEVENT_PLACE_ROOT, &frames[0]);
    while (r >= 0 && depth > 0) {
        struct evtx_frame *frame = &frames[depth - 1];

        if (frame->next == frame->program.count) {
            state->value_count = frame->floor;
            depth--;
            continue;
        }
        r = ++state->steps > EVTX_STEPS_MAX
                ? -ERR_LIMIT
                : run_op(state, frame, &frame->program.ops[frame->next++], &frames[depth]);
        if (r == -ERR_LIMIT) {
            return note_fault(state, r);
        }
        depth += r == 1;
        if (depth > EVTX_FRAMES_MAX) {
            state->reading->entry.faults |= ENTRY_FAULT_DEPTH;
            depth--;
        }
        r = r > 0 ? 0 : r;
    }
    return r;
}
