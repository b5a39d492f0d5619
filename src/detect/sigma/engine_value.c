/* Values of an entry as atoms want them: without JSON's escapes, and folded; each made when it is
 * first asked for. */
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "detect/sigma/engine_run.h"
#include "detect/sigma/text.h"

#include <string.h>

#define TEXT_FIRST 65536

int values_room(struct sigma_matcher *matcher, size_t count)
{
    size_t room = count + count / 2;
    struct value *values;

    if (count <= matcher->value_room) {
        return 0;
    }
    values = mem_resize(matcher->values, room, sizeof(*values));
    if (values == NULL) {
        return -ERR_NOMEM;
    }
    matcher->values = values;
    matcher->value_room = room;
    return 0;
}

int text_room(struct sigma_matcher *matcher, size_t bytes)
{
    size_t room = bytes + bytes / 2 + TEXT_FIRST;
    char *text;

    if (matcher->is_arena_used) {
        arena_reset(matcher->arena);
        matcher->is_arena_used = false;
    }
    matcher->text_used = 0;
    if (bytes <= matcher->text_room) {
        return 0;
    }
    text = mem_alloc(room, 1);
    if (text == NULL) {
        return -ERR_NOMEM;
    }
    mem_free(matcher->text);
    matcher->text = text;
    matcher->text_room = room;
    return 0;
}

static struct entry_field field_of(const struct sigma_matcher *matcher, uint32_t place)
{
    const struct entry *entry = matcher->entry;

    if (place < entry->count) {
        return entry->fields[place];
    }
    return (struct entry_field){.value = entry->raw};
}

struct str value_text(struct sigma_matcher *matcher, uint32_t place)
{
    struct value *value = &matcher->values[place];

    if (value->text.ptr == NULL) {
        struct entry_field field = field_of(matcher, place);
        struct str text = STR("");

        if (field.is_escaped) {
            matcher->is_arena_used = true;
            if (entry_field_text(&field, matcher->arena, &text) < 0) {
                matcher->error = -ERR_NOMEM;
            }
        } else {
            text = field.value;
        }
        value->text = text.ptr != NULL ? text : STR("");
    }
    return value->text;
}

struct str value_fold(struct sigma_matcher *matcher, uint32_t place)
{
    struct value *value = &matcher->values[place];
    struct entry_field field = field_of(matcher, place);
    char *out = matcher->text + matcher->text_used;
    size_t len = 0;

    if (!matcher->fold(field.value, field.is_escaped, out, &len, &value->is_plain)) {
        value->is_plain = false;
        len = sigma_fold(value_text(matcher, place), out);
    }
    value->folded = str_of(out, len);
    matcher->text_used += len + VALUE_PAD;
    return value->folded;
}
