/* Passages on the wire and in the store: see model/passage.h. Neighbours: the process that read a
 * page encodes, centre/core keeps the bytes unread, centre/api decodes to show them. */
#include "model/passage.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/utf8.h"
#include "model/wire.h"

#define PASSAGE_MEMBERS 4

void passages_encode(const struct passage *passages, size_t count, struct buf *buf)
{
    count = count < PASSAGES_MAX ? count : PASSAGES_MAX;
    cbor_put_array(buf, count);
    for (size_t i = 0; i < count; i++) {
        struct str text = passages[i].text;

        if (text.len > PASSAGE_TEXT_MAX) {
            text.len = utf8_valid_prefix(str_slice(text, 0, PASSAGE_TEXT_MAX));
        }
        cbor_put_array(buf, PASSAGE_MEMBERS);
        cbor_put_text(buf, text);
        cbor_put_u64(buf, passages[i].offset);
        cbor_put_u64(buf, passages[i].hiding);
        cbor_put_bool(buf, passages[i].is_link);
    }
}

int passages_decode(struct str bytes, struct arena *arena, struct passage **ret_passages,
                    size_t *ret_count)
{
    struct cbor_reader reader;
    struct passage *passages;
    size_t count;
    int r;

    cbor_open(&reader, bytes);
    count = cbor_get_array(&reader);
    if (count > PASSAGES_MAX || bytes.len > PASSAGES_SIZE_MAX) {
        return -ERR_LIMIT;
    }
    passages = arena_alloc(arena, count, sizeof(*passages));
    if (passages == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < count && reader.error == 0; i++) {
        wire_open(&reader, PASSAGE_MEMBERS);
        passages[i].text = cbor_get_text(&reader);
        passages[i].offset = wire_get_u32(&reader);
        passages[i].hiding = wire_get_u32(&reader);
        passages[i].is_link = cbor_get_bool(&reader);
        if (passages[i].text.len > PASSAGE_TEXT_MAX) {
            cbor_fail(&reader, -ERR_LIMIT);
        }
    }
    r = cbor_close(&reader);
    if (r < 0) {
        return r;
    }
    *ret_passages = passages;
    *ret_count = count;
    return 0;
}
