/* `expand`: %name% in a value stands for the values that pipelines have for it. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "detect/sigma/load_part.h"

#include <string.h>

#define PLACEHOLDERS_MAX 4 /* in one value */

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

struct placeholder {
    size_t part;
    size_t from;
    struct str name;
};

static bool text_find(struct str text, struct placeholder *found)
{
    for (size_t from = 0; from < text.len; from++) {
        size_t end = from + 1;

        if (text.ptr[from] != '%' || (from > 0 && text.ptr[from - 1] == '\\')) {
            continue;
        }
        while (end < text.len && is_name_byte(text.ptr[end])) {
            end++;
        }
        if (end < text.len && text.ptr[end] == '%' && end > from + 1) {
            found->from = from;
            found->name = str_slice(text, from + 1, end);
            return true;
        }
    }
    return false;
}

/* The first %name%; false when there is none. */
static bool placeholder_find(const struct load_value *value, struct placeholder *found)
{
    if (value->kind == LOAD_REGEX) {
        return text_find(value->text, found);
    }
    for (size_t i = 0; value->kind == LOAD_TEXT && i < value->part_count; i++) {
        if (value->parts[i].kind == SIGMA_PART_LITERAL && text_find(value->parts[i].text, found)) {
            found->part = i;
            return true;
        }
    }
    return false;
}

/* The value with text, wildcards and all, where the placeholder stood. */
static int placeholder_fill(struct sigma_loader *loader, const struct load_value *value,
                            const struct placeholder *found, struct str text,
                            struct load_value *made)
{
    struct str literal = value->parts[found->part].text;
    struct load_value middle = {0};
    struct sigma_part *parts;
    size_t count = found->part;
    int r = load_parts(loader, text, &middle);

    if (r < 0) {
        return r;
    }
    parts = arena_alloc(loader->scratch, value->part_count + middle.part_count + 2, sizeof(*parts));
    if (parts == NULL) {
        return -ERR_NOMEM;
    }
    memcpy(parts, value->parts, count * sizeof(*parts));
    parts[count++].text = str_slice(literal, 0, found->from);
    memcpy(parts + count, middle.parts, middle.part_count * sizeof(*parts));
    count += middle.part_count;
    parts[count++].text = str_slice(literal, found->from + found->name.len + 2, literal.len);
    for (size_t i = found->part + 1; i < value->part_count; i++) {
        parts[count++] = value->parts[i];
    }
    return load_parts_join(loader, parts, count, made);
}

/* The same in a regex, where the text stands for itself. */
static int regex_fill(struct sigma_loader *loader, const struct load_value *value,
                      const struct placeholder *found, struct str text, struct load_value *made)
{
    struct str rest = str_slice(value->text, found->from + found->name.len + 2, value->text.len);
    char *quoted = arena_alloc(loader->scratch, 2 * text.len + 1, 1);
    size_t len = 0;

    if (quoted == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("\\^$.|?*+()[]{}", text.ptr[i]) != NULL && text.ptr[i] != '\0') {
            quoted[len++] = '\\';
        }
        quoted[len++] = text.ptr[i];
    }
    made->text = arena_printf(loader->scratch, "%.*s%.*s%.*s", (int)found->from, value->text.ptr,
                              (int)len, quoted, STR_ARG(rest));
    return made->text.ptr != NULL ? 0 : -ERR_NOMEM;
}

static int value_expand(struct sigma_loader *loader, const struct load_value *value,
                        struct load_values *out)
{
    const struct str *texts = NULL;
    struct placeholder found;
    size_t count;
    int r = 0;

    if (!placeholder_find(value, &found)) {
        struct load_value *kept = load_values_add(loader, out);

        if (kept == NULL) {
            return -ERR_NOMEM;
        }
        *kept = *value;
        return 0;
    }
    count = sigma_pipelines_values(loader->pipelines, found.name, &texts);
    if (count == 0) {
        return load_refuse_at(
            loader, out->at, _("give it values in a pipeline: “vars” and “value_placeholders”"),
            _("nobody knows what “%%%.*s%%” stands for"), STR_ARG(str_slice(found.name, 0, 100)));
    }
    for (size_t i = 0; i < count && r >= 0; i++) {
        struct load_value *made = load_values_add(loader, out);

        if (made == NULL) {
            return -ERR_NOMEM;
        }
        *made = *value;
        r = value->kind == LOAD_REGEX ? regex_fill(loader, value, &found, texts[i], made)
                                      : placeholder_fill(loader, value, &found, texts[i], made);
    }
    return r;
}

static bool has_placeholder(const struct load_values *values)
{
    struct placeholder found;

    for (size_t i = 0; i < values->count; i++) {
        if (placeholder_find(&values->items[i], &found)) {
            return true;
        }
    }
    return false;
}

int load_expand(struct sigma_loader *loader, struct load_values *values)
{
    int r = 0;

    for (size_t i = 0; i < PLACEHOLDERS_MAX && r >= 0 && has_placeholder(values); i++) {
        r = load_values_map(loader, values, value_expand);
    }
    if (r >= 0 && has_placeholder(values)) {
        r = load_refuse_at(loader, values->at, _("split the value"),
                           _("a value has more than %d placeholders"), PLACEHOLDERS_MAX);
    }
    return r;
}
