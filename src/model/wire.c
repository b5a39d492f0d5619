/* Shared pieces of the model's wire form. Neighbours: event, finding, record, action and site,
 * which are decoded with them from bytes of other machines. */
#include "model/wire.h"

#include "base/banned.h"
#include "base/err.h"

#include <limits.h>

void wire_open(struct cbor_reader *reader, size_t count)
{
    size_t found = cbor_get_array(reader);

    if (found != count) {
        cbor_fail(reader, found > count ? -ERR_VERSION : -ERR_SYNTAX);
    }
}

bool wire_open_grown(struct cbor_reader *reader, size_t first, size_t more)
{
    size_t found = cbor_get_array(reader);

    if (found != first && found != first + more) {
        cbor_fail(reader, found > first + more ? -ERR_VERSION : -ERR_SYNTAX);
    }
    return found == first + more;
}

unsigned wire_get_enum(struct cbor_reader *reader, unsigned count)
{
    uint64_t value = cbor_get_u64(reader);

    if (value >= count) {
        cbor_fail(reader, -ERR_VERSION);
        return 0;
    }
    return (unsigned)value;
}

int wire_get_result(struct cbor_reader *reader)
{
    int64_t value = cbor_get_i64(reader);

    if (value > 0 || value < -INT_MAX) { /* not INT_MIN: its sign cannot be turned */
        cbor_fail(reader, -ERR_SYNTAX);
        return 0;
    }
    return (int)value;
}

uint32_t wire_get_u32(struct cbor_reader *reader)
{
    uint64_t value = cbor_get_u64(reader);

    if (value > UINT32_MAX) {
        cbor_fail(reader, -ERR_SYNTAX);
        return 0;
    }
    return (uint32_t)value;
}

void *wire_take_array(struct cbor_reader *reader, struct arena *arena, size_t max, size_t size,
                      size_t *ret_count)
{
    size_t count = cbor_get_array(reader);
    void *items = NULL;

    *ret_count = 0;
    if (count > max) {
        cbor_fail(reader, -ERR_LIMIT);
        return NULL;
    }
    if (count != 0) {
        items = arena_alloc(arena, count, size);
        if (items == NULL) {
            cbor_fail(reader, -ERR_NOMEM);
            return NULL;
        }
    }
    *ret_count = count;
    return items;
}

void wire_put_id(struct buf *buf, const struct id *id)
{
    cbor_put_bytes(buf, str_of((const char *)id->bytes, sizeof(id->bytes)));
}

struct id wire_get_id(struct cbor_reader *reader)
{
    struct str bytes = cbor_get_bytes(reader);
    struct id id = {0};

    if (bytes.len != sizeof(id.bytes)) {
        cbor_fail(reader, -ERR_SYNTAX);
        return id;
    }
    memcpy(id.bytes, bytes.ptr, sizeof(id.bytes));
    return id;
}
