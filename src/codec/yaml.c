/* libyaml's events into trees: see codec/yaml.h. A line that begins with `---` begins a document
 * wherever it stands, so the text is cut there first and each document is parsed by itself. */
#include "codec/yaml.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "codec/yaml_part.h"

void yaml_open(struct yaml_reader *reader, struct str text)
{
    if (str_has_prefix(text, STR("\xef\xbb\xbf"))) {
        text = str_slice(text, 3, text.len);
    }
    *reader = (struct yaml_reader){.rest = text, .line = 1};
}

struct yaml_value *yaml_member(const struct yaml_value *value, const char *key)
{
    if (value != NULL && value->type == YAML_TYPE_MAPPING) {
        for (struct yaml_value *child = value->first; child != NULL; child = child->next) {
            if (str_is_text(child->key, key)) {
                return child;
            }
        }
    }
    return NULL;
}

bool yaml_is_text(const struct yaml_value *value)
{
    return value != NULL && value->type != YAML_TYPE_NULL && value->type != YAML_TYPE_SEQUENCE &&
           value->type != YAML_TYPE_MAPPING;
}

static int parser_fault(struct yaml_build *build, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR) {
        return -ERR_NOMEM;
    }
    build->reader->fault_line = build->first_line + (uint32_t)parser->problem_mark.line + 1;
    build->reader->fault_column = (uint32_t)parser->problem_mark.column + 1;
    return diag_set(build->diag, -ERR_SYNTAX, _("this is not YAML: %s"),
                    parser->problem != NULL ? parser->problem : "");
}

static int document_parse(struct yaml_build *build, struct str text)
{
    yaml_parser_t parser;
    bool is_end = false;
    int r = 0;

    if (yaml_parser_initialize(&parser) == 0) {
        return -ERR_NOMEM;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
    while (!is_end && r >= 0) {
        yaml_event_t event;

        if (yaml_parser_parse(&parser, &event) == 0) {
            r = parser_fault(build, &parser);
            break;
        }
        is_end = event.type == YAML_STREAM_END_EVENT;
        r = yaml_on_event(build, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return r;
}

/* ---- documents ---- */

static bool is_marker(struct str line)
{
    return str_has_prefix(line, STR("---")) &&
           (line.len == 3 || line.ptr[3] == ' ' || line.ptr[3] == '\t' || line.ptr[3] == '\r' ||
            line.ptr[3] == '\n');
}

/* What stands up to the next marker, the marker in front included. */
static struct str document_cut(struct yaml_reader *reader, uint32_t *ret_lines)
{
    struct str rest = reader->rest;
    size_t at = 0;

    *ret_lines = 0;
    while (at < rest.len) {
        struct str line = str_slice(rest, at, rest.len);

        if (at != 0 && is_marker(line)) {
            break;
        }
        at += str_find_byte(line, '\n');
        if (at < rest.len) {
            at++;
            (*ret_lines)++;
        }
    }
    reader->rest = str_slice(rest, at, rest.len);
    return str_slice(rest, 0, at);
}

int yaml_next(struct yaml_reader *reader, struct arena *arena, struct yaml_value **ret_value,
              struct diag *diag)
{
    while (reader->rest.len != 0) {
        struct yaml_build *build = arena_alloc(arena, 1, sizeof(*build));
        uint32_t lines;
        struct str text = document_cut(reader, &lines);
        int r;

        if (build == NULL) {
            return -ERR_NOMEM;
        }
        *build = (struct yaml_build){
            .reader = reader, .arena = arena, .diag = diag, .first_line = reader->line - 1};
        r = document_parse(build, text);
        reader->line += lines;
        if (r < 0) {
            return r;
        }
        if (build->root != NULL && build->root->type != YAML_TYPE_NULL) {
            *ret_value = build->root;
            return 1;
        }
    }
    return 0;
}
