/* One event's XML by expat: see codec/winxml.h. */
#include "base/banned.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "codec/winevent.h"
#include "codec/winxml.h"

#include <expat.h>
#include <string.h>

struct winxml_element {
    struct str name;
    struct str label; /* its attribute Name */
    enum winevent_place place;
    enum winevent_place inner;
    bool has_children;
};

struct winxml {
    XML_Parser parser;
    struct log_reading *reading;
    struct buf text; /* of the element at hand */
    struct buf mended;
    struct winxml_element elements[WINXML_DEPTH_MAX];
    size_t depth;
    struct winevent_roles roles;
    struct winevent_source source;
    size_t field_floor; /* fields that were there before */
    int error;          /* that ended the parsing */
};

static void *winxml_alloc(size_t size)
{
    return mem_alloc(1, size);
}

static void *winxml_resize(void *block, size_t size)
{
    return mem_resize(block, 1, size);
}

static void winxml_free(void *state)
{
    struct winxml *winxml = state;

    if (winxml != NULL) {
        XML_ParserFree(winxml->parser);
        buf_done(&winxml->text);
        buf_done(&winxml->mended);
        mem_free(winxml);
    }
}

/* The reading's parser. */
static int take_parser(struct log_reading *reading, struct winxml **ret_winxml)
{
    static const XML_Memory_Handling_Suite memory = {winxml_alloc, winxml_resize, mem_free};
    struct winxml *winxml = reading->state;

    if (reading->state_free != winxml_free) {
        winxml = mem_alloc(1, sizeof(*winxml));
        if (winxml == NULL) {
            return -ERR_NOMEM;
        }
        buf_init(&winxml->text, ENTRY_SIZE_MAX);
        buf_init(&winxml->mended, ENTRY_SIZE_MAX);
        winxml->parser = XML_ParserCreate_MM("UTF-8", &memory, NULL);
        if (winxml->parser == NULL) {
            winxml_free(winxml);
            return -ERR_NOMEM;
        }
        if (reading->state_free != NULL) {
            reading->state_free(reading->state);
        }
        reading->state = winxml;
        reading->state_free = winxml_free;
    }
    winxml->reading = reading;
    *ret_winxml = winxml;
    return 0;
}

static void stop(struct winxml *winxml, int error)
{
    winxml->error = error;
    (void)XML_StopParser(winxml->parser, XML_FALSE);
}

static struct str local_name(const char *name)
{
    const char *colon = strrchr(name, ':');

    return str_from(colon != NULL ? colon + 1 : name);
}

/* A name or text that lives as long as the entry; empty and the parsing stopped without memory. */
static struct str keep(struct winxml *winxml, struct str text)
{
    struct str kept = arena_copy(winxml->reading->arena, text);

    if (kept.ptr == NULL) {
        stop(winxml, -ERR_NOMEM);
        return STR("");
    }
    return kept;
}

static bool is_number(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return text.len > 0 && text.len < 20;
}

static void put_field(struct winxml *winxml, const struct winevent_field *field,
                      enum winevent_place place, struct str value)
{
    const struct entry_names *names = winxml->reading->names;
    uint32_t id = entry_names_find(names, field->name);
    struct str kept = keep(winxml, value);
    struct str name = id != 0 ? entry_names_get(names, id) : keep(winxml, field->name);

    if (winxml->error != 0) {
        return;
    }
    winevent_note(&winxml->roles, field->role, kept);
    if (field->role == WINEVENT_ROLE_TIME && id == 0) {
        return;
    }
    if (winxml->reading->entry.count >= WINXML_FIELDS_MAX) {
        stop(winxml, -ERR_LIMIT);
        return;
    }
    if (entry_add(&winxml->reading->entry,
                  &(struct entry_field){
                      .name = name,
                      .value = kept,
                      .id = id,
                      .type = place == WINEVENT_PLACE_SYSTEM && is_number(kept) ? ENTRY_TYPE_NUMBER
                                                                                : ENTRY_TYPE_TEXT,
                  }) < 0) {
        stop(winxml, -ERR_NOMEM);
    }
}

static void put_attributes(struct winxml *winxml, struct winxml_element *element,
                           const XML_Char **attributes)
{
    for (; attributes[0] != NULL && winxml->error == 0; attributes += 2) {
        struct str attribute = local_name(attributes[0]);
        struct winevent_field field;

        if (winevent_is_label(element->place, attribute)) {
            element->label = keep(winxml, str_from(attributes[1]));
            continue;
        }
        if (str_has_prefix(str_from(attributes[0]), STR("xmlns"))) {
            continue;
        }
        if (winevent_attribute(element->place, element->name, attribute, winxml->reading->arena,
                               &field) < 0) {
            stop(winxml, -ERR_NOMEM);
        } else if (field.name.len > 0) {
            put_field(winxml, &field, element->place, str_from(attributes[1]));
        }
    }
}

static void XMLCALL on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct winxml *winxml = context;
    struct winxml_element *parent = winxml->depth > 0 ? &winxml->elements[winxml->depth - 1] : NULL;
    struct winxml_element *element = &winxml->elements[winxml->depth];

    if (winxml->depth == WINXML_DEPTH_MAX) {
        winxml->reading->entry.faults |= ENTRY_FAULT_DEPTH;
        stop(winxml, -ERR_LIMIT);
        return;
    }
    *element = (struct winxml_element){
        .name = keep(winxml, local_name(name)),
        .place = parent != NULL ? parent->inner : WINEVENT_PLACE_ROOT,
    };
    if (parent != NULL) {
        parent->has_children = true;
    }
    element->inner = winevent_enter(element->place, element->name);
    winxml->depth++;
    buf_reset(&winxml->text);
    put_attributes(winxml, element, attributes);
}

static void XMLCALL on_text(void *context, const XML_Char *text, int len)
{
    struct winxml *winxml = context;
    int r = buf_put(&winxml->text, text, (size_t)len);

    if (r < 0) {
        stop(winxml, r);
    }
}

static void XMLCALL on_end(void *context, const XML_Char *name)
{
    struct winxml *winxml = context;
    const struct winxml_element *element = &winxml->elements[--winxml->depth];
    struct winevent_field field;
    struct str text = buf_str(&winxml->text);

    (void)name;
    if (!element->has_children && (text.len > 0 || element->place == WINEVENT_PLACE_DATA ||
                                   element->place == WINEVENT_PLACE_USER)) {
        if (winevent_text(element->place, element->name, element->label, winxml->reading->arena,
                          &field) < 0) {
            stop(winxml, -ERR_NOMEM);
        } else {
            put_field(winxml, &field, element->place, text);
        }
    }
    buf_reset(&winxml->text);
}

static void XMLCALL on_doctype(void *context, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int has_internal)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal;
    stop(context, -ERR_DENIED);
}

static int parse(struct winxml *winxml, struct str xml)
{
    (void)XML_ParserReset(winxml->parser, "UTF-8");
    XML_SetUserData(winxml->parser, winxml);
    XML_SetElementHandler(winxml->parser, on_start, on_end);
    XML_SetCharacterDataHandler(winxml->parser, on_text);
    XML_SetStartDoctypeDeclHandler(winxml->parser, on_doctype);
    winxml->depth = 0;
    winxml->error = 0;
    winxml->roles = (struct winevent_roles){0};
    winxml->reading->entry.count = winxml->field_floor;
    buf_reset(&winxml->text);
    if (XML_Parse(winxml->parser, xml.ptr, (int)xml.len, XML_TRUE) == XML_STATUS_OK) {
        return winxml->error;
    }
    if (winxml->error != 0) {
        return winxml->error;
    }
    return XML_GetErrorCode(winxml->parser) == XML_ERROR_NO_MEMORY ? -ERR_NOMEM : -ERR_SYNTAX;
}

static bool is_character(uint64_t rune)
{
    return rune == '\t' || rune == '\n' || rune == '\r' || (rune >= 0x20 && rune < 0xd800) ||
           (rune >= 0xe000 && rune < 0xfffe) || (rune >= 0x10000 && rune < 0x110000);
}

/* Length of a reference to a character that XML does not have, at the front; 0: there is none. */
static size_t bad_reference(struct str text)
{
    size_t end = str_find_byte(str_slice(text, 0, 12), ';');
    uint64_t rune = 0;

    if (!str_has_prefix(text, STR("&#")) || end >= text.len || text.ptr[end] != ';') {
        return 0;
    }
    if (text.ptr[2] != 'x') {
        bool is_number = str_to_u64(str_slice(text, 2, end), &rune) == 0;

        return is_number && is_character(rune) ? 0 : end + 1;
    }
    for (size_t i = 3; i < end; i++) {
        char c = text.ptr[i];

        rune = rune << 4 | (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return is_character(rune) ? 0 : end + 1;
}

/* What stands at the front: its length, and whether XML has it. */
static size_t take_character(struct str text, bool *ret_is_known)
{
    size_t bad = text.ptr[0] == '&' ? bad_reference(text) : 0;
    uint32_t rune = 0;
    size_t len = utf8_decode(text, &rune);

    *ret_is_known = bad == 0 && len > 0 && is_character(rune);
    if (bad > 0) {
        return bad;
    }
    return len > 0 ? len : 1;
}

/* Windows writes characters into its XML that XML does not have; scripts that hide something are
 * full of them. */
static int mend(struct winxml *winxml, struct str xml, struct str *ret_xml)
{
    struct buf *out = &winxml->mended;

    buf_reset(out);
    while (xml.len > 0) {
        bool is_known;
        size_t len = take_character(xml, &is_known);

        if (is_known) {
            buf_put(out, xml.ptr, len);
        } else {
            buf_put_byte(out, '?');
        }
        xml = str_slice(xml, len, xml.len);
    }
    *ret_xml = buf_str(out);
    return buf_error(out);
}

int winxml_event(struct log_reading *reading, struct str xml)
{
    struct entry *entry = &reading->entry;
    struct winxml *winxml;
    struct str mended;
    int r = take_parser(reading, &winxml);

    if (r < 0) {
        return r;
    }
    if (xml.len > ENTRY_SIZE_MAX) {
        xml.len = ENTRY_SIZE_MAX;
        entry->faults |= ENTRY_FAULT_CUT;
    }
    winxml->field_floor = entry->count;
    r = parse(winxml, xml);
    if (r == -ERR_SYNTAX) {
        size_t count = entry->count;

        entry->faults |= ENTRY_FAULT_SYNTAX;
        r = mend(winxml, xml, &mended);
        if (r == 0 && !str_is(mended, xml)) {
            r = parse(winxml, mended);
        } else {
            entry->count = count;
        }
    }
    if (r == -ERR_NOMEM) {
        return r;
    }
    if (r < 0) {
        entry->faults |= r == -ERR_LIMIT ? ENTRY_FAULT_CUT : ENTRY_FAULT_SYNTAX;
    }
    entry->is_structured = true;
    winevent_finish(&winxml->roles, &winxml->source, entry);
    return 0;
}
