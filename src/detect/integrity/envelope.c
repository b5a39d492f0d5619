/* Wire form of envelopes and grants. */
#include "detect/integrity/envelope.h"

#include "base/banned.h"
#include "base/err.h"
#include "codec/cbor.h"
#include "detect/integrity/manifest.h"

#define ENVELOPE_FORMAT  1
#define ENVELOPE_MEMBERS 4
#define GRANT_FORMAT     1
#define GRANT_MEMBERS    8

void envelope_encode(const struct envelope *envelope, struct buf *buf)
{
    cbor_put_array(buf, ENVELOPE_MEMBERS);
    cbor_put_u64(buf, ENVELOPE_FORMAT);
    cbor_put_bytes(buf, envelope->body);
    cbor_put_bytes(buf, str_of((const char *)envelope->signature, sizeof(envelope->signature)));
    cbor_put_bytes(buf, envelope->grant);
}

static void reader_get_exactly(struct cbor_reader *reader, uint8_t *out, size_t len)
{
    struct str bytes = cbor_get_bytes(reader);

    if (bytes.len != len) {
        cbor_fail(reader, -ERR_SYNTAX);
        return;
    }
    memcpy(out, bytes.ptr, len);
}

static struct str reader_at_most(struct cbor_reader *reader, struct str taken, size_t max)
{
    if (taken.len > max) {
        cbor_fail(reader, -ERR_LIMIT);
        return STR("");
    }
    return taken;
}

static void reader_begin(struct cbor_reader *reader, struct str bytes, size_t members,
                         uint64_t format)
{
    cbor_open(reader, bytes);
    if (cbor_get_array(reader) != members) {
        cbor_fail(reader, -ERR_SYNTAX);
    }
    if (cbor_get_u64(reader) != format) {
        cbor_fail(reader, -ERR_VERSION);
    }
}

int envelope_decode(struct str bytes, struct envelope *ret_envelope)
{
    struct envelope envelope = {0};
    struct cbor_reader reader;
    int r;

    reader_begin(&reader, bytes, ENVELOPE_MEMBERS, ENVELOPE_FORMAT);
    envelope.body = reader_at_most(&reader, cbor_get_bytes(&reader), MANIFEST_SIZE_MAX);
    reader_get_exactly(&reader, envelope.signature, sizeof(envelope.signature));
    envelope.grant = reader_at_most(&reader, cbor_get_bytes(&reader), GRANT_SIZE_MAX);
    r = cbor_close(&reader);
    if (r < 0) {
        return r;
    }
    *ret_envelope = envelope;
    return 0;
}

void grant_encode(const struct grant *grant, struct buf *buf)
{
    cbor_put_array(buf, GRANT_MEMBERS);
    cbor_put_u64(buf, GRANT_FORMAT);
    cbor_put_text(buf, grant->root);
    cbor_put_u64(buf, grant->version);
    cbor_put_i64(buf, grant->from);
    cbor_put_i64(buf, grant->until);
    cbor_put_bytes(buf, str_of((const char *)grant->key, sizeof(grant->key)));
    cbor_put_text(buf, grant->who);
    cbor_put_text(buf, grant->reason);
}

int grant_decode(struct str bytes, struct grant *ret_grant)
{
    struct grant grant = {0};
    struct cbor_reader reader;
    int r;

    reader_begin(&reader, bytes, GRANT_MEMBERS, GRANT_FORMAT);
    grant.root = reader_at_most(&reader, cbor_get_text(&reader), MANIFEST_PATH_MAX);
    grant.version = cbor_get_u64(&reader);
    grant.from = cbor_get_i64(&reader);
    grant.until = cbor_get_i64(&reader);
    reader_get_exactly(&reader, grant.key, sizeof(grant.key));
    grant.who = reader_at_most(&reader, cbor_get_text(&reader), GRANT_WHO_MAX);
    grant.reason = reader_at_most(&reader, cbor_get_text(&reader), GRANT_REASON_MAX);
    r = cbor_close(&reader);
    if (r < 0) {
        return r;
    }
    *ret_grant = grant;
    return 0;
}
