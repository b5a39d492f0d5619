/* Entries as JSON objects for those who print them: see codec/entry.h. Fields of one name need not
 * stand together, so a table of names leads from each to its next. */
#include "codec/entry.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"

struct entry_link {
    size_t index;
    struct entry_link *next; /* of the same name */
    struct entry_link *last; /* of the first of a name: the last so far */
    bool is_first;
};

/* JSON has fewer numbers than logs: 007, 0x1f, 1e999 and .5 are texts there. */
static bool is_json_number(struct str text)
{
    size_t digits = text.len > 0 && text.ptr[0] == '-';
    bool is_fraction = false;

    if (text.len == digits || text.len > 40 || text.ptr[text.len - 1] == '.' ||
        text.ptr[digits] == '.' ||
        (text.ptr[digits] == '0' && text.len > digits + 1 && text.ptr[digits + 1] != '.')) {
        return false;
    }
    for (size_t i = digits; i < text.len; i++) {
        if (text.ptr[i] == '.' && !is_fraction) {
            is_fraction = true;
        } else if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return true;
}

static int write_value(const struct entry_field *field, struct arena *arena,
                       struct json_writer *json)
{
    struct str text;
    int r;

    if (field->type == ENTRY_TYPE_NULL) {
        json_put_null(json);
        return 0;
    }
    if ((field->type == ENTRY_TYPE_NUMBER && is_json_number(field->value)) ||
        (field->type == ENTRY_TYPE_BOOL &&
         (str_is_text(field->value, "true") || str_is_text(field->value, "false")))) {
        json_put_raw(json, field->value);
        return 0;
    }
    r = entry_field_text(field, arena, &text);
    if (r < 0) {
        return r;
    }
    json_put_str(json, text);
    return 0;
}

/* Chains the fields of each name. */
static int link_fields(const struct entry *entry, struct map *names, struct entry_link *links)
{
    for (size_t i = 0; i < entry->count; i++) {
        struct entry_link *link = &links[i];
        struct entry_link *first = map_get(names, entry->fields[i].name);

        *link = (struct entry_link){.index = i, .last = link, .is_first = first == NULL};
        if (first != NULL) {
            first->last->next = link;
            first->last = link;
        } else {
            int r = map_put(names, entry->fields[i].name, link);

            if (r < 0) {
                return r;
            }
        }
    }
    return 0;
}

static int write_fields(const struct entry *entry, const struct entry_link *first,
                        struct arena *arena, struct json_writer *json)
{
    bool is_list = first->next != NULL;
    int r = 0;

    json_put_key_str(json, entry->fields[first->index].name);
    if (is_list) {
        json_open_array(json);
    }
    for (const struct entry_link *link = first; r == 0 && link != NULL; link = link->next) {
        r = write_value(&entry->fields[link->index], arena, json);
    }
    if (is_list) {
        json_close_array(json);
    }
    return r;
}

int entry_write_json(const struct entry *entry, struct arena *arena, struct json_writer *json)
{
    CLEANUP(mem_freep) struct entry_link *links = mem_alloc(entry->count + 1, sizeof(*links));
    struct map names;
    int r;

    if (links == NULL) {
        return -ERR_NOMEM;
    }
    map_init(&names, entry->count, (uint64_t)(uintptr_t)links);
    r = link_fields(entry, &names, links);
    map_done(&names);
    json_open_object(json);
    for (size_t i = 0; r == 0 && i < entry->count; i++) {
        if (links[i].is_first) {
            r = write_fields(entry, &links[i], arena, json);
        }
    }
    json_close_object(json);
    return r;
}
