/* Binary XML into a list of fields with holes, once a template and chunk. The tokens are read in
 * one pass with the open elements on a stack; what an element's text or attribute is called is
 * decided here, so that a record costs no more than its values. */
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "codec/evtx_part.h"
#include "codec/utf16.h"

#define OPS_FIRST     64
#define TOKEN_KINDS   16
#define TOKEN_KIND    0x0fU
#define TOKEN_MORE    0x40U /* attributes follow the element's head */
#define NAME_HEAD     8U
#define INSTANCE_HEAD 10U

struct evtx_element {
    struct str name;
    struct winevent_field field; /* of its text, once it has some */
    struct str label;            /* its attribute Name */
    uint32_t id;
    uint16_t label_index; /* plus one: the value that holds it */
    enum winevent_place place;
    enum winevent_place inner;
    bool has_children;
    bool has_text;
};

struct compiler {
    struct evtx_state *state;
    size_t at;
    size_t end;
    struct evtx_element elements[EVTX_ELEMENTS_MAX];
    size_t depth;
    enum winevent_place place;
    bool is_in_tag;
    bool is_label; /* the attribute at hand names its element */
    struct winevent_field attribute;
    uint32_t attribute_id;
    size_t attribute_pieces;
    size_t count;
    bool is_done;
};

static bool has_bytes(const struct compiler *compiler, size_t len)
{
    return compiler->end - compiler->at >= len;
}

/* UTF-16 of the chunk as a text of its arena. */
static int copy_text(struct evtx_state *state, size_t at, size_t units, struct str *ret_text)
{
    char *out = arena_alloc(state->arena, units * UTF16_GROWTH + 1, 1);

    if (out == NULL) {
        return -ERR_NOMEM;
    }
    *ret_text = str_of(out, utf16_decode(state->chunk + at, units, out));
    return 0;
}

/* Whether a name stands at the offset: what cannot be one tells how an element's head is laid out.
 */
static bool is_name(const struct evtx_state *state, size_t at)
{
    size_t units;

    if (at < EVTX_CHUNK_HEAD || at + NAME_HEAD + 2 > state->size) {
        return false;
    }
    units = evtx_u16(state->chunk + at + 6);
    return units > 0 && units <= ENTRY_NAME_MAX && at + NAME_HEAD + 2 * units + 2 <= state->size &&
           evtx_u16(state->chunk + at + NAME_HEAD + 2 * units) == 0;
}

/* The name whose offset stands at the cursor, and itself behind it where it is used first. */
static int read_name(struct compiler *compiler, struct str *ret_name)
{
    struct evtx_state *state = compiler->state;
    size_t at;
    size_t units;

    if (!has_bytes(compiler, 4)) {
        return -ERR_SYNTAX;
    }
    at = evtx_u32(state->chunk + compiler->at);
    compiler->at += 4;
    if (!is_name(state, at)) {
        return -ERR_SYNTAX;
    }
    units = evtx_u16(state->chunk + at + 6);
    if (at == compiler->at) {
        if (!has_bytes(compiler, NAME_HEAD + 2 * units + 2)) {
            return -ERR_SYNTAX;
        }
        compiler->at += NAME_HEAD + 2 * units + 2;
    }
    return copy_text(state, at + NAME_HEAD, units, ret_name);
}

static int grow_ops(struct evtx_state *state)
{
    size_t room = state->op_room == 0 ? OPS_FIRST : state->op_room * 2;
    struct evtx_op *ops = mem_resize(state->ops, room, sizeof(*ops));

    if (ops == NULL) {
        return -ERR_NOMEM;
    }
    state->ops = ops;
    state->op_room = room;
    return 0;
}

static int put_op(struct compiler *compiler, const struct evtx_op *op)
{
    struct evtx_state *state = compiler->state;

    if (compiler->count >= EVTX_OPS_MAX) {
        return -ERR_LIMIT;
    }
    if (compiler->count == state->op_room) {
        int r = grow_ops(state);

        if (r < 0) {
            return r;
        }
    }
    state->ops[compiler->count] = *op;
    state->ops[compiler->count++].field_kind = (uint8_t)field_kind_of(op->name);
    return 0;
}

/* A piece of the attribute at hand. */
static int put_attribute(struct compiler *compiler, struct evtx_op *op)
{
    struct evtx_element *element = &compiler->elements[compiler->depth - 1];

    if (compiler->is_label) {
        if (op->kind == EVTX_OP_TEXT) {
            element->label = op->text;
        } else {
            element->label_index = (uint16_t)(op->index + 1);
        }
        return 0;
    }
    if (compiler->attribute.name.len == 0) {
        return 0;
    }
    op->name = compiler->attribute.name;
    op->role = (uint8_t)compiler->attribute.role;
    op->id = compiler->attribute_id;
    op->place = WINEVENT_PLACE_USER;
    op->is_silent_empty = true;
    op->is_joined = compiler->attribute_pieces++ > 0;
    return put_op(compiler, op);
}

/* A piece of what stands in the element at hand. */
static int put_content(struct compiler *compiler, struct evtx_op *op)
{
    struct evtx_element *element =
        compiler->depth > 0 ? &compiler->elements[compiler->depth - 1] : NULL;
    struct evtx_state *state = compiler->state;

    if (element == NULL) {
        op->name = STR("Data");
        op->place = (uint8_t)compiler->place;
        op->is_silent_empty = true;
        return put_op(compiler, op);
    }
    if (!element->has_text) {
        int r = winevent_text(element->place, element->name, element->label, state->arena,
                              &element->field);

        if (r < 0) {
            return r;
        }
        element->id = entry_names_find(state->reading->names, element->field.name);
    }
    op->name = element->field.name;
    op->id = element->id;
    op->role = (uint8_t)element->field.role;
    op->label = element->label_index;
    op->place = (uint8_t)element->inner;
    op->is_silent_empty =
        element->place != WINEVENT_PLACE_DATA && element->place != WINEVENT_PLACE_USER;
    op->is_joined = element->has_text && !element->has_children;
    element->has_text = true;
    element->has_children = false;
    return put_op(compiler, op);
}

static int put_piece(struct compiler *compiler, struct evtx_op *op)
{
    return compiler->is_in_tag ? put_attribute(compiler, op) : put_content(compiler, op);
}

static int put_text(struct compiler *compiler, struct str text)
{
    return put_piece(compiler, &(struct evtx_op){.kind = EVTX_OP_TEXT, .text = text});
}

/* An element's head holds a number of what it depends on within templates, not outside. Read the
 * other way, the offset's place would hold the upper half of an offset, which is no name's. */
static bool has_dependency(const struct compiler *compiler)
{
    const struct evtx_state *state = compiler->state;

    return has_bytes(compiler, 11) && is_name(state, evtx_u32(state->chunk + compiler->at + 7));
}

static int read_open(struct compiler *compiler)
{
    bool has_attributes = (compiler->state->chunk[compiler->at] & TOKEN_MORE) != 0;
    struct evtx_element element = {.place = compiler->depth > 0
                                                ? compiler->elements[compiler->depth - 1].inner
                                                : compiler->place};
    size_t head = has_dependency(compiler) ? 7 : 5;
    int r;

    if (compiler->depth >= EVTX_ELEMENTS_MAX) {
        compiler->state->reading->entry.faults |= ENTRY_FAULT_DEPTH;
        return -ERR_LIMIT;
    }
    if (!has_bytes(compiler, head)) {
        return -ERR_SYNTAX;
    }
    compiler->at += head;
    r = read_name(compiler, &element.name);
    if (r < 0) {
        return r;
    }
    if (has_attributes) {
        if (!has_bytes(compiler, 4)) {
            return -ERR_SYNTAX;
        }
        compiler->at += 4;
    }
    if (compiler->depth > 0) {
        compiler->elements[compiler->depth - 1].has_children = true;
    }
    element.inner = winevent_enter(element.place, element.name);
    compiler->elements[compiler->depth++] = element;
    compiler->is_in_tag = true;
    compiler->is_label = false;
    compiler->attribute = (struct winevent_field){0};
    return 0;
}

static int read_close_start(struct compiler *compiler)
{
    compiler->at++;
    compiler->is_in_tag = false;
    return 0;
}

/* The end of an element; one that holds nothing is an empty field. */
static int read_end(struct compiler *compiler)
{
    struct evtx_element *element;
    int r = 0;

    compiler->at++;
    compiler->is_in_tag = false;
    if (compiler->depth == 0) {
        return -ERR_SYNTAX;
    }
    element = &compiler->elements[compiler->depth - 1];
    if (!element->has_children && !element->has_text &&
        (element->place == WINEVENT_PLACE_DATA || element->place == WINEVENT_PLACE_USER)) {
        r = put_text(compiler, STR(""));
    }
    compiler->depth--;
    return r;
}

static int read_value(struct compiler *compiler)
{
    struct evtx_state *state = compiler->state;
    struct str text;
    size_t units;
    int r;

    if (!has_bytes(compiler, 4) || state->chunk[compiler->at + 1] != EVTX_TYPE_STRING) {
        return -ERR_SYNTAX;
    }
    units = evtx_u16(state->chunk + compiler->at + 2);
    if (!has_bytes(compiler, 4 + 2 * units)) {
        return -ERR_SYNTAX;
    }
    r = copy_text(state, compiler->at + 4, units, &text);
    compiler->at += 4 + 2 * units;
    return r < 0 ? r : put_text(compiler, text);
}

static int read_attribute(struct compiler *compiler)
{
    const struct evtx_element *element;
    struct evtx_state *state = compiler->state;
    struct str name;
    int r;

    compiler->at++;
    if (compiler->depth == 0 || !compiler->is_in_tag) {
        return -ERR_SYNTAX;
    }
    element = &compiler->elements[compiler->depth - 1];
    r = read_name(compiler, &name);
    if (r < 0) {
        return r;
    }
    compiler->is_label = winevent_is_label(element->place, name);
    compiler->attribute_pieces = 0;
    r = winevent_attribute(element->place, element->name, name, state->arena, &compiler->attribute);
    compiler->attribute_id = entry_names_find(state->reading->names, compiler->attribute.name);
    return r;
}

static int read_counted(struct compiler *compiler, struct str *ret_text)
{
    struct evtx_state *state = compiler->state;
    size_t units =
        has_bytes(compiler, 3) ? evtx_u16(state->chunk + compiler->at + 1) : SIZE_MAX / 4;
    int r;

    if (!has_bytes(compiler, 3 + 2 * units)) {
        return -ERR_SYNTAX;
    }
    r = copy_text(state, compiler->at + 3, units, ret_text);
    compiler->at += 3 + 2 * units;
    return r;
}

static int read_cdata(struct compiler *compiler)
{
    struct str text;
    int r = read_counted(compiler, &text);

    return r < 0 ? r : put_text(compiler, text);
}

static int read_character(struct compiler *compiler)
{
    struct str text;
    int r;

    if (!has_bytes(compiler, 3)) {
        return -ERR_SYNTAX;
    }
    r = copy_text(compiler->state, compiler->at + 1, 1, &text);
    compiler->at += 3;
    return r < 0 ? r : put_text(compiler, text);
}

static int read_entity(struct compiler *compiler)
{
    static const struct {
        const char *name;
        const char *text;
    } entities[] = {{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}};
    struct str name;
    int r;

    compiler->at++;
    r = read_name(compiler, &name);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
        if (str_is_text(name, entities[i].name)) {
            return put_text(compiler, str_from(entities[i].text));
        }
    }
    return put_text(compiler, name);
}

static int read_instruction(struct compiler *compiler)
{
    struct str name;

    compiler->at++;
    return read_name(compiler, &name);
}

static int read_instruction_text(struct compiler *compiler)
{
    struct str text;

    return read_counted(compiler, &text);
}

int evtx_instance_read(const struct evtx_state *state, size_t at, size_t end,
                       struct evtx_instance *ret_instance)
{
    struct evtx_instance instance = {.values = at + INSTANCE_HEAD + 4};
    size_t sizes = 0;

    if (end - at < INSTANCE_HEAD + 4) {
        return -ERR_SYNTAX;
    }
    instance.definition = evtx_u32(state->chunk + at + 6);
    if (instance.definition == at + INSTANCE_HEAD) {
        size_t size;

        if (end - at < INSTANCE_HEAD + EVTX_MODEL_HEAD + 4) {
            return -ERR_SYNTAX;
        }
        size = evtx_u32(state->chunk + instance.definition + EVTX_MODEL_HEAD - 4);
        if (size > end - at - INSTANCE_HEAD - EVTX_MODEL_HEAD - 4) {
            return -ERR_SYNTAX;
        }
        instance.values += EVTX_MODEL_HEAD + size;
    }
    instance.value_count = evtx_u32(state->chunk + instance.values - 4);
    if (instance.value_count > (end - instance.values) / 4) {
        return -ERR_SYNTAX;
    }
    instance.data = instance.values + 4 * instance.value_count;
    for (size_t i = 0; i < instance.value_count; i++) {
        sizes += evtx_u16(state->chunk + instance.values + 4 * i);
    }
    if (sizes > end - instance.data) {
        return -ERR_SYNTAX;
    }
    instance.end = instance.data + sizes;
    *ret_instance = instance;
    return 0;
}

static int read_instance(struct compiler *compiler)
{
    struct evtx_op op = {.kind = EVTX_OP_INNER, .at = (uint32_t)compiler->at};
    struct evtx_instance instance;
    int r = evtx_instance_read(compiler->state, compiler->at, compiler->end, &instance);

    if (r < 0) {
        return r;
    }
    compiler->at = instance.end;
    return put_piece(compiler, &op);
}

static int read_hole(struct compiler *compiler)
{
    struct evtx_op op = {.kind = EVTX_OP_VALUE};

    if (!has_bytes(compiler, 4)) {
        return -ERR_SYNTAX;
    }
    op.index = evtx_u16(compiler->state->chunk + compiler->at + 1);
    compiler->at += 4;
    return put_piece(compiler, &op);
}

static int read_head(struct compiler *compiler)
{
    if (!has_bytes(compiler, 4)) {
        return -ERR_SYNTAX;
    }
    compiler->at += 4;
    return 0;
}

static int read_eof(struct compiler *compiler)
{
    compiler->is_done = true;
    return 0;
}

/* An arena does not say why it gave nothing; no honest chunk comes near its limit. */
static int no_room(const struct evtx_state *state)
{
    return arena_used(state->arena) > EVTX_MEMORY_MAX / 2 ? -ERR_LIMIT : -ERR_NOMEM;
}

typedef int token_fn(struct compiler *compiler);

static token_fn *const token_fns[TOKEN_KINDS] = {
    read_eof,       read_open,   read_close_start, read_end,
    read_end,       read_value,  read_attribute,   read_cdata,
    read_character, read_entity, read_instruction, read_instruction_text,
    read_instance,  read_hole,   read_hole,        read_head,
};

int evtx_compile(struct evtx_state *state, size_t at, size_t end, enum winevent_place place,
                 struct evtx_program *ret_program)
{
    struct compiler compiler = {.state = state, .at = at, .end = end, .place = place};
    struct evtx_op *ops;
    int r = 0;

    while (r == 0 && !compiler.is_done && compiler.at < end) {
        uint8_t token = state->chunk[compiler.at];

        r = (token & ~(TOKEN_KIND | TOKEN_MORE)) != 0 ? -ERR_SYNTAX
                                                      : token_fns[token & TOKEN_KIND](&compiler);
    }
    ops = r == -ERR_NOMEM ? NULL : arena_alloc(state->arena, compiler.count + 1, sizeof(*ops));
    if (ops == NULL) {
        return no_room(state);
    }
    if (compiler.count > 0) {
        memcpy(ops, state->ops, compiler.count * sizeof(*ops));
    }
    *ret_program = (struct evtx_program){.ops = ops, .count = compiler.count};
    return r;
}
