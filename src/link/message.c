/* Payloads of frames: see link/message.h. Between link/frame.c and the two machines, server.c and
 * client.c. */
#include "link/message.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"

#include <assert.h>

const char *link_bye_sentence(enum link_bye bye)
{
    static const char *const sentences[] = {
        [LINK_BYE_END] = N_("the centre is going away for now"),
        [LINK_BYE_PROTOCOL] =
            N_("the centre did not understand this agent; check that both are the "
               "same version"),
        [LINK_BYE_VERSION] =
            N_("the centre does not know this version of the protocol; update the older side"),
        [LINK_BYE_UNKNOWN] =
            N_("the centre does not know this host; enrol it anew with a fresh token"),
        [LINK_BYE_REVOKED] =
            N_("the centre has revoked this host; ask its administrator for a fresh token"),
        [LINK_BYE_FULL] = N_("the centre cannot keep anything now; its disk may be full"),
        [LINK_BYE_TOKEN_UNKNOWN] =
            N_("the centre does not know this token; make a fresh one there with "
               "'canhgac centre token'"),
        [LINK_BYE_TOKEN_USED] =
            N_("this token was used already; make a fresh one on the centre with "
               "'canhgac centre token'"),
        [LINK_BYE_TOKEN_EXPIRED] = N_("this token has expired; make a fresh one on the centre with "
                                      "'canhgac centre token'"),
        [LINK_BYE_REQUEST] =
            N_("the centre refused the certificate request; check that both are the "
               "same version"),
        [LINK_BYE_ELSEWHERE] = N_("this host has connected again from elsewhere"),
    };

    static_assert(ARRAY_LEN(sentences) == LINK_BYE_COUNT, "a sentence for each reason");
    return bye < LINK_BYE_COUNT ? sentences[bye] : sentences[LINK_BYE_PROTOCOL];
}

void link_hello_encode(const struct link_hello *hello, struct buf *buf)
{
    cbor_put_map(buf, 4);
    cbor_put_u64(buf, 0);
    cbor_put_i64(buf, hello->clock);
    cbor_put_u64(buf, 1);
    cbor_put_text(buf, hello->version);
    cbor_put_u64(buf, 2);
    cbor_put_u64(buf, hello->waiting);
    cbor_put_u64(buf, 3);
    cbor_put_u64(buf, hello->dropped);
}

int link_hello_decode(struct str content, struct link_hello *ret_hello)
{
    struct link_hello hello = {0};
    struct cbor_reader reader;

    cbor_open(&reader, content);
    for (size_t pairs = cbor_get_map(&reader); pairs != 0; pairs--) {
        switch (cbor_get_u64(&reader)) {
        case 0:
            hello.clock = cbor_get_i64(&reader);
            break;
        case 1:
            hello.version = cbor_get_text(&reader);
            break;
        case 2:
            hello.waiting = cbor_get_u64(&reader);
            break;
        case 3:
            hello.dropped = cbor_get_u64(&reader);
            break;
        default:
            cbor_skip(&reader);
        }
    }
    if (cbor_close(&reader) < 0) {
        return -ERR_PROTO;
    }
    *ret_hello = hello;
    return 0;
}

void link_ack_encode(const struct link_ack *ack, struct buf *buf)
{
    cbor_put_map(buf, 1);
    cbor_put_u64(buf, 0);
    cbor_put_i64(buf, ack->clock);
}

int link_ack_decode(struct str content, struct link_ack *ret_ack)
{
    struct link_ack ack = {0};
    struct cbor_reader reader;

    cbor_open(&reader, content);
    for (size_t pairs = cbor_get_map(&reader); pairs != 0; pairs--) {
        if (cbor_get_u64(&reader) == 0) {
            ack.clock = cbor_get_i64(&reader);
        } else {
            cbor_skip(&reader);
        }
    }
    if (cbor_close(&reader) < 0) {
        return -ERR_PROTO;
    }
    *ret_ack = ack;
    return 0;
}

void link_enrol_encode(const struct link_enrol *enrol, struct buf *buf)
{
    cbor_put_map(buf, 3);
    cbor_put_u64(buf, 0);
    cbor_put_bytes(buf, enrol->secret);
    cbor_put_u64(buf, 1);
    cbor_put_bytes(buf, enrol->request);
    cbor_put_u64(buf, 2);
    cbor_put_text(buf, enrol->name);
}

int link_enrol_decode(struct str content, struct link_enrol *ret_enrol)
{
    struct link_enrol enrol = {0};
    struct cbor_reader reader;

    cbor_open(&reader, content);
    for (size_t pairs = cbor_get_map(&reader); pairs != 0; pairs--) {
        switch (cbor_get_u64(&reader)) {
        case 0:
            enrol.secret = cbor_get_text(&reader);
            break;
        case 1:
            enrol.request = cbor_get_text(&reader);
            break;
        case 2:
            enrol.name = cbor_get_text(&reader);
            break;
        default:
            cbor_skip(&reader);
        }
    }
    if (cbor_close(&reader) < 0 || enrol.secret.len != LINK_SECRET_SIZE || enrol.name.len == 0) {
        return -ERR_PROTO;
    }
    *ret_enrol = enrol;
    return 0;
}

void link_enrolled_encode(const struct link_enrolled *enrolled, struct buf *buf)
{
    cbor_put_map(buf, 3);
    cbor_put_u64(buf, 0);
    cbor_put_bytes(buf, str_of((const char *)enrolled->host.bytes, sizeof(enrolled->host.bytes)));
    cbor_put_u64(buf, 1);
    cbor_put_text(buf, enrolled->certificate);
    cbor_put_u64(buf, 2);
    cbor_put_text(buf, enrolled->name);
}

int link_enrolled_decode(struct str content, struct link_enrolled *ret_enrolled)
{
    struct link_enrolled enrolled = {0};
    struct str host = {0};
    struct cbor_reader reader;

    cbor_open(&reader, content);
    for (size_t pairs = cbor_get_map(&reader); pairs != 0; pairs--) {
        switch (cbor_get_u64(&reader)) {
        case 0:
            host = cbor_get_text(&reader);
            break;
        case 1:
            enrolled.certificate = cbor_get_text(&reader);
            break;
        case 2:
            enrolled.name = cbor_get_text(&reader);
            break;
        default:
            cbor_skip(&reader);
        }
    }
    if (cbor_close(&reader) < 0 || host.len != sizeof(enrolled.host.bytes)) {
        return -ERR_PROTO;
    }
    memcpy(enrolled.host.bytes, host.ptr, sizeof(enrolled.host.bytes));
    *ret_enrolled = enrolled;
    return 0;
}

void link_batch_put(struct buf *items, uint64_t sequence, struct str record)
{
    cbor_put_u64(items, sequence);
    cbor_put_bytes(items, record);
}

void link_batch_encode(struct str items, size_t records, struct buf *content)
{
    cbor_put_array(content, 2 * records);
    buf_put_str(content, items);
}

int link_batch_open(struct link_batch *batch, struct str content)
{
    struct link_batch opened = {0};
    size_t items;

    cbor_open(&opened.reader, content);
    items = cbor_get_array(&opened.reader);
    if (opened.reader.error < 0 || items % 2 != 0 || items / 2 > LINK_BATCH_RECORDS) {
        return -ERR_PROTO;
    }
    opened.left = items / 2;
    *batch = opened;
    return 0;
}

int link_batch_next(struct link_batch *batch, uint64_t *ret_sequence, struct str *ret_record)
{
    uint64_t sequence;
    struct str record;

    if (batch->left == 0) {
        return cbor_close(&batch->reader) < 0 ? -ERR_PROTO : 0;
    }
    sequence = cbor_get_u64(&batch->reader);
    if (cbor_peek(&batch->reader) != CBOR_TYPE_BYTES) {
        return -ERR_PROTO;
    }
    record = cbor_get_text(&batch->reader);
    if (batch->reader.error < 0 || sequence <= batch->sequence || sequence > LINK_SEQUENCE_MAX) {
        return -ERR_PROTO;
    }
    batch->left--;
    batch->sequence = sequence;
    *ret_sequence = sequence;
    *ret_record = record;
    return 1;
}
