/* Any bytes are a row of tokens that lie in them, in their order; references and character sets
 * stay in their bounds. */
#include "fuzz.h"

#include "base/utf8.h"
#include "codec/charset.h"
#include "codec/html.h"

static bool lies_in(struct str part, struct str whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_token(const struct html_token *token, struct str bytes, struct arena *arena)
{
    fuzz_check(token->kind < HTML_KIND_COUNT && token->tag < HTML_TAG_COUNT);
    fuzz_check(lies_in(token->text, bytes));
    fuzz_check(token->attribute_count <= HTML_ATTRIBUTES_MAX);
    for (size_t i = 0; i < token->attribute_count; i++) {
        const struct html_attribute *attribute = &token->attributes[i];

        fuzz_check(lies_in(attribute->name, bytes) && lies_in(attribute->value, bytes));
        fuzz_check(attribute->key == html_key(attribute->name));
        fuzz_check(html_decode(attribute->value, arena).len <=
                   attribute->value.len + attribute->value.len / 4 + HTML_REFERENCE_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct html_reader reader;
    struct arena *arena = fuzz_arena();
    struct str bytes = fuzz_input(data, size);
    const struct html_token *token;
    struct str text;
    size_t last = 0;

    html_open(&reader, bytes);
    while ((token = html_next(&reader)) != NULL) {
        fuzz_check(token->offset >= last && token->offset < size);
        last = token->offset;
        check_token(token, bytes, arena);
    }
    arena_reset(arena);
    text = charset_decode(bytes, charset_find(bytes, str_of(NULL, 0)), arena);
    fuzz_check(text.ptr != NULL && text.len <= size * 3);
    fuzz_check(text.ptr == bytes.ptr || lies_in(text, bytes) || utf8_is_valid(text));
    return 0;
}
