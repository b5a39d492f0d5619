/* A manifest, envelope, grant or record of evidence that is read can be written, and reads as the
 * same again; every entry of a manifest is found by its path, and no path leads out of the root. */
#include "fuzz.h"

#include "detect/integrity/envelope.h"
#include "detect/integrity/manifest.h"
#include "store/evidence.h"

static void check_manifest(struct str input)
{
    struct manifest manifest;
    struct manifest again;
    struct buf once;
    struct buf twice;

    if (manifest_decode(input, fuzz_arena(), &manifest) < 0) {
        return;
    }
    for (size_t i = 0; i < manifest.entry_count; i++) {
        fuzz_check(manifest_is_path(manifest.entries[i].path));
        fuzz_check(manifest_find(&manifest, manifest.entries[i].path) == &manifest.entries[i]);
    }
    buf_init(&once, MANIFEST_SIZE_MAX);
    buf_init(&twice, MANIFEST_SIZE_MAX);
    manifest_encode(&manifest, &once);
    fuzz_check(buf_error(&once) == 0);
    fuzz_check(manifest_decode(buf_str(&once), fuzz_arena(), &again) == 0);
    manifest_encode(&again, &twice);
    fuzz_check(str_is(buf_str(&once), buf_str(&twice)));
    buf_done(&once);
    buf_done(&twice);
}

static void check_envelope(struct str input)
{
    struct envelope envelope;
    struct envelope again;
    struct grant grant;
    struct grant twice;
    struct buf buf;

    buf_init(&buf, MANIFEST_SIZE_MAX);
    if (envelope_decode(input, &envelope) == 0) {
        envelope_encode(&envelope, &buf);
        fuzz_check(envelope_decode(buf_str(&buf), &again) == 0);
        fuzz_check(str_is(again.body, envelope.body) && str_is(again.grant, envelope.grant));
    }
    buf_reset(&buf);
    if (grant_decode(input, &grant) == 0) {
        grant_encode(&grant, &buf);
        fuzz_check(grant_decode(buf_str(&buf), &twice) == 0);
        fuzz_check(str_is(twice.root, grant.root) && twice.until == grant.until);
    }
    buf_done(&buf);
}

static void check_evidence(struct str input)
{
    struct evidence_record record;
    struct evidence_record again;
    struct buf buf;

    if (evidence_decode(input, &record) < 0) {
        return;
    }
    buf_init(&buf, 1 << 20);
    evidence_encode(&record, &buf);
    fuzz_check(buf_error(&buf) == 0 && evidence_decode(buf_str(&buf), &again) == 0);
    fuzz_check(str_is(again.path, record.path) && again.size == record.size &&
               again.has_content == record.has_content);
    buf_done(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = fuzz_input(data, size);

    check_manifest(input);
    check_envelope(input);
    check_evidence(input);
    return 0;
}
