/* A look at a page on the wire and as JSON: see model/site.h. Written by the process that judged
 * hostile bytes, so what is read here is hostile too. Neighbours: centre/reader → site_check_encode
 * → centre/core → store/. */
#include "model/site.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/time.h"
#include "model/reason.h"
#include "model/wire.h"

#include <math.h>

#define CHECK_MEMBERS  19
#define TIMING_MEMBERS 5
#define REASON_MEMBERS 7
#define LAYERS_ALL     ((1u << SITE_LAYER_COUNT) - 1)

static void timing_encode(const struct site_timing *timing, struct buf *buf)
{
    cbor_put_array(buf, TIMING_MEMBERS);
    cbor_put_i64(buf, timing->resolved);
    cbor_put_i64(buf, timing->connected);
    cbor_put_i64(buf, timing->secured);
    cbor_put_i64(buf, timing->first_byte);
    cbor_put_i64(buf, timing->done);
}

static void reasons_encode(const struct site_check *check, struct buf *buf)
{
    cbor_put_array(buf, check->reason_count);
    for (size_t i = 0; i < check->reason_count; i++) {
        const struct site_reason *reason = &check->reasons[i];

        cbor_put_array(buf, REASON_MEMBERS);
        cbor_put_u64(buf, reason->layer);
        cbor_put_u64(buf, reason->view);
        cbor_put_text(buf, reason->what);
        cbor_put_text(buf, reason->value);
        cbor_put_double(buf, reason->score);
        cbor_put_text(buf, reason->snippet);
        cbor_put_u64(buf, reason->offset);
    }
}

void site_check_encode(const struct site_check *check, struct buf *buf)
{
    cbor_put_array(buf, CHECK_MEMBERS);
    cbor_put_u64(buf, check->site);
    cbor_put_text(buf, check->url);
    cbor_put_text(buf, check->url_final);
    cbor_put_u64(buf, check->page);
    cbor_put_u64(buf, check->view);
    cbor_put_i64(buf, check->time);
    cbor_put_u64(buf, check->verdict);
    cbor_put_u64(buf, check->failure);
    cbor_put_bool(buf, check->is_confirmed);
    cbor_put_bool(buf, check->is_learning);
    cbor_put_double(buf, check->score);
    cbor_put_u64(buf, check->layers);
    cbor_put_u64(buf, check->status);
    timing_encode(&check->timing, buf);
    cbor_put_u64(buf, check->size);
    cbor_put_i64(buf, check->certificate_end);
    cbor_put_bytes(buf, str_of((const char *)check->body_sha256, sizeof(check->body_sha256)));
    cbor_put_text(buf, check->title);
    reasons_encode(check, buf);
}

static struct str wire_get_short(struct cbor_reader *reader, size_t max)
{
    struct str text = cbor_get_text(reader);

    if (text.len > max) {
        cbor_fail(reader, -ERR_LIMIT);
        return (struct str){0};
    }
    return text;
}

static double wire_get_score(struct cbor_reader *reader)
{
    double score = cbor_get_double(reader);

    if (!isfinite(score)) {
        cbor_fail(reader, -ERR_SYNTAX);
        return 0;
    }
    return score;
}

static struct site_timing timing_decode(struct cbor_reader *reader)
{
    struct site_timing timing = {0};

    wire_open(reader, TIMING_MEMBERS);
    timing.resolved = cbor_get_i64(reader);
    timing.connected = cbor_get_i64(reader);
    timing.secured = cbor_get_i64(reader);
    timing.first_byte = cbor_get_i64(reader);
    timing.done = cbor_get_i64(reader);
    return timing;
}

static void sha256_decode(struct cbor_reader *reader, uint8_t ret_sha256[32])
{
    struct str bytes = cbor_get_bytes(reader);

    if (bytes.len != 32) {
        cbor_fail(reader, -ERR_SYNTAX);
        return;
    }
    memcpy(ret_sha256, bytes.ptr, bytes.len);
}

static void reasons_decode(struct cbor_reader *reader, struct arena *arena,
                           struct site_check *check)
{
    struct site_reason *reasons =
        wire_take_array(reader, arena, SITE_REASONS_MAX, sizeof(*reasons), &check->reason_count);

    for (size_t i = 0; i < check->reason_count && reader->error == 0; i++) {
        wire_open(reader, REASON_MEMBERS);
        reasons[i].layer = (enum site_layer)wire_get_enum(reader, SITE_LAYER_COUNT);
        reasons[i].view = (enum site_view)wire_get_enum(reader, SITE_VIEW_COUNT);
        reasons[i].what = wire_get_short(reader, SITE_NAME_MAX);
        reasons[i].value = wire_get_short(reader, SITE_URL_MAX);
        reasons[i].score = wire_get_score(reader);
        reasons[i].snippet = wire_get_short(reader, SITE_SNIPPET_MAX);
        reasons[i].offset = cbor_get_u64(reader);
    }
    check->reasons = reasons;
}

int site_check_decode(struct cbor_reader *reader, struct arena *arena, struct site_check *ret_check)
{
    struct site_check check = {0};

    wire_open(reader, CHECK_MEMBERS);
    check.site = cbor_get_u64(reader);
    check.url = wire_get_short(reader, SITE_URL_MAX);
    check.url_final = wire_get_short(reader, SITE_URL_MAX);
    check.page = (enum site_page)wire_get_enum(reader, SITE_PAGE_COUNT);
    check.view = (enum site_view)wire_get_enum(reader, SITE_VIEW_COUNT);
    check.time = cbor_get_i64(reader);
    check.verdict = (enum site_verdict)wire_get_enum(reader, SITE_VERDICT_COUNT);
    check.failure = (enum site_failure)wire_get_enum(reader, SITE_FAILURE_COUNT);
    check.is_confirmed = cbor_get_bool(reader);
    check.is_learning = cbor_get_bool(reader);
    check.score = wire_get_score(reader);
    check.layers = wire_get_u32(reader) & LAYERS_ALL;
    check.status = wire_get_u32(reader);
    check.timing = timing_decode(reader);
    check.size = cbor_get_u64(reader);
    check.certificate_end = cbor_get_i64(reader);
    sha256_decode(reader, check.body_sha256);
    check.title = wire_get_short(reader, SITE_URL_MAX);
    reasons_decode(reader, arena, &check);
    if (reader->error != 0) {
        return reader->error;
    }
    *ret_check = check;
    return 0;
}

static void put_ms(struct json_writer *json, const char *key, int64_t ns)
{
    json_add_double(json, key, (double)ns / 1e6);
}

static void put_time(struct json_writer *json, const char *key, int64_t time)
{
    char text[TIME_TEXT_SIZE];

    json_put_key(json, key);
    if (time == 0) {
        json_put_null(json);
        return;
    }
    time_format_utc(time, text);
    json_put_text(json, text);
}

void site_layers_write_json(uint32_t layers, struct json_writer *json)
{
    json_add_array(json, "layers");
    for (unsigned i = 0; i < SITE_LAYER_COUNT; i++) {
        if ((layers & (1u << i)) != 0) {
            json_put_text(json, site_layer_name((enum site_layer)i));
        }
    }
    json_close_array(json);
}

void site_reasons_write_json(const struct site_reason *reasons, size_t count,
                             struct json_writer *json)
{
    json_add_array(json, "why");
    for (size_t i = 0; i < count; i++) {
        const struct site_reason *reason = &reasons[i];

        json_open_object(json);
        json_add_text(json, "layer", site_layer_name(reason->layer));
        json_add_text(json, "view", site_view_name(reason->view));
        json_add_str(json, "what", reason->what);
        json_add_str(json, "text", reason_text(reason->what));
        json_add_str(json, "value", reason->value);
        json_add_double(json, "score", reason->score);
        json_add_str(json, "snippet", reason->snippet);
        json_add_u64(json, "offset", reason->offset);
        json_close_object(json);
    }
    json_close_array(json);
}

static void timing_write_json(const struct site_timing *timing, struct json_writer *json)
{
    json_add_object(json, "timing");
    put_ms(json, "resolved", timing->resolved);
    put_ms(json, "connected", timing->connected);
    put_ms(json, "secured", timing->secured);
    put_ms(json, "first_byte", timing->first_byte);
    put_ms(json, "done", timing->done);
    json_close_object(json);
}

void site_check_write_json(const struct site_check *check, struct json_writer *json)
{
    char sha256[2 * sizeof(check->body_sha256) + 1];

    hex_encode(check->body_sha256, sizeof(check->body_sha256), sha256);
    json_open_object(json);
    json_add_str(json, "page", check->url);
    json_add_str(json, "final_url", check->url_final);
    json_add_text(json, "kind", site_page_name(check->page));
    json_add_text(json, "view", site_view_name(check->view));
    put_time(json, "time", check->time);
    json_add_text(json, "verdict", site_verdict_name(check->verdict));
    json_add_text(json, "failure", site_failure_name(check->failure));
    json_add_bool(json, "confirmed", check->is_confirmed);
    json_add_bool(json, "learning", check->is_learning);
    json_add_double(json, "score", check->score);
    site_layers_write_json(check->layers, json);
    site_reasons_write_json(check->reasons, check->reason_count, json);
    json_add_u64(json, "status", check->status);
    timing_write_json(&check->timing, json);
    json_add_u64(json, "size", check->size);
    json_add_str(json, "title", check->title);
    put_time(json, "certificate_end", check->certificate_end);
    json_add_text(json, "body_sha256", sha256);
    json_close_object(json);
}
