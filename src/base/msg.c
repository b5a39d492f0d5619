/* Typed values in a row: each is a tag byte and its bytes, so that a put and a get that do not
 * match fail. */
#include "base/msg.h"

#include "base/banned.h"
#include "base/err.h"

enum msg_tag {
    MSG_TAG_U32 = 1,
    MSG_TAG_U64,
    MSG_TAG_I64,
    MSG_TAG_STR,
};

static void msg_put(struct msg_writer *msg, const void *bytes, size_t len)
{
    if (msg->error != 0) {
        return;
    }
    if (len > MSG_SIZE_MAX - msg->len) {
        msg->error = -ERR_LIMIT;
        return;
    }
    if (len != 0) {
        memcpy(msg->bytes + msg->len, bytes, len);
    }
    msg->len += len;
}

static void msg_put_tagged(struct msg_writer *msg, enum msg_tag tag, const void *bytes, size_t len)
{
    uint8_t tagged[1 + sizeof(uint64_t)] = {(uint8_t)tag};

    memcpy(tagged + 1, bytes, len);
    msg_put(msg, tagged, 1 + len);
}

void msg_begin(struct msg_writer *msg, uint16_t type)
{
    msg->error = 0;
    msg->len = 0;
    msg_put(msg, &type, sizeof(type));
}

void msg_put_u32(struct msg_writer *msg, uint32_t value)
{
    msg_put_tagged(msg, MSG_TAG_U32, &value, sizeof(value));
}

void msg_put_u64(struct msg_writer *msg, uint64_t value)
{
    msg_put_tagged(msg, MSG_TAG_U64, &value, sizeof(value));
}

void msg_put_i64(struct msg_writer *msg, int64_t value)
{
    msg_put_tagged(msg, MSG_TAG_I64, &value, sizeof(value));
}

void msg_put_str(struct msg_writer *msg, struct str value)
{
    uint32_t len = (uint32_t)value.len;

    if (value.len > MSG_SIZE_MAX) {
        msg->error = msg->error != 0 ? msg->error : -ERR_LIMIT;
        return;
    }
    msg_put_tagged(msg, MSG_TAG_STR, &len, sizeof(len));
    msg_put(msg, value.ptr, value.len);
}

int msg_end(const struct msg_writer *msg)
{
    return msg->error;
}

static void msg_get(struct msg_reader *msg, void *out, size_t len)
{
    memset(out, 0, len);
    if (msg->error != 0) {
        return;
    }
    if (msg->rest.len < len) {
        msg->error = -ERR_TRUNCATED;
        return;
    }
    memcpy(out, msg->rest.ptr, len);
    msg->rest = str_slice(msg->rest, len, msg->rest.len);
}

static void msg_get_tagged(struct msg_reader *msg, enum msg_tag tag, void *out, size_t len)
{
    memset(out, 0, len);
    if (msg->error != 0) {
        return;
    }
    if (msg->rest.len != 0 && (uint8_t)msg->rest.ptr[0] != (uint8_t)tag) {
        msg->error = -ERR_PROTO;
        return;
    }
    if (msg->rest.len < 1 + len) {
        msg->error = -ERR_TRUNCATED;
        return;
    }
    memcpy(out, msg->rest.ptr + 1, len);
    msg->rest = str_of(msg->rest.ptr + 1 + len, msg->rest.len - 1 - len);
}

void msg_open(struct msg_reader *msg, struct str bytes)
{
    *msg = (struct msg_reader){.rest = bytes};
    msg_get(msg, &msg->type, sizeof(msg->type));
}

uint32_t msg_get_u32(struct msg_reader *msg)
{
    uint32_t value;

    msg_get_tagged(msg, MSG_TAG_U32, &value, sizeof(value));
    return value;
}

uint64_t msg_get_u64(struct msg_reader *msg)
{
    uint64_t value;

    msg_get_tagged(msg, MSG_TAG_U64, &value, sizeof(value));
    return value;
}

int64_t msg_get_i64(struct msg_reader *msg)
{
    int64_t value;

    msg_get_tagged(msg, MSG_TAG_I64, &value, sizeof(value));
    return value;
}

struct str msg_get_str(struct msg_reader *msg)
{
    uint32_t len;
    struct str value;

    msg_get_tagged(msg, MSG_TAG_STR, &len, sizeof(len));
    if (msg->error == 0 && len > msg->rest.len) {
        msg->error = -ERR_TRUNCATED;
    }
    if (msg->error != 0) {
        return str_of("", 0);
    }
    value = str_of(msg->rest.ptr, len);
    msg->rest = str_of(msg->rest.ptr + len, msg->rest.len - len);
    return value;
}

int msg_close(const struct msg_reader *msg)
{
    if (msg->error != 0) {
        return msg->error;
    }
    return msg->rest.len == 0 ? 0 : -ERR_PROTO;
}
