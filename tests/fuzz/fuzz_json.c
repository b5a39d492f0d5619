/* What the JSON reader takes, the writer writes, and the reader takes that as the same text again.
 */
#include "fuzz.h"

#include "codec/json.h"

static void write_value(const struct json_value *value, struct json_writer *json)
{
    switch (value->type) {
    case JSON_TYPE_BOOL:
        json_put_bool(json, value->boolean);
        break;
    case JSON_TYPE_NUMBER:
        if (value->is_integer) {
            json_put_i64(json, value->integer);
        } else {
            json_put_double(json, value->number);
        }
        break;
    case JSON_TYPE_STRING:
        json_put_str(json, value->string);
        break;
    case JSON_TYPE_ARRAY:
    case JSON_TYPE_OBJECT:
        json_open_array(json); /* keys as strings, since the writer's keys are C texts */
        for (const struct json_value *child = value->first; child != NULL; child = child->next) {
            if (value->type == JSON_TYPE_OBJECT) {
                json_put_str(json, child->key);
            }
            write_value(child, json);
        }
        json_close_array(json);
        break;
    case JSON_TYPE_NULL:
    case JSON_TYPE_COUNT:
        json_put_null(json);
        break;
    }
}

/* Parses and writes again; false when the text was refused. */
static bool rewrite(struct str text, struct arena *arena, struct buf *out)
{
    struct json_value *value = NULL;
    struct json_writer json;
    struct diag diag = {0};

    if (json_parse(text, arena, &value, &diag) < 0) {
        fuzz_check(value == NULL);
        fuzz_check(diag.text[0] != '\0');
        return false;
    }
    json_begin(&json, out);
    write_value(value, &json);
    fuzz_check(buf_error(out) == 0);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = fuzz_arena();
    struct buf first;
    struct buf second;

    buf_init(&first, 1 << 22);
    buf_init(&second, 1 << 22);
    if (rewrite(fuzz_input(data, size), arena, &first)) {
        arena_reset(arena);
        fuzz_check(rewrite(buf_str(&first), arena, &second));
        fuzz_check(str_is(buf_str(&first), buf_str(&second)));
    }
    buf_done(&first);
    buf_done(&second);
    return 0;
}
