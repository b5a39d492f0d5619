/* Profiles and sites as bytes, for the store. What is decoded counts as hostile: each number has
 * its bound, each set its limit. Layouts are arrays in the order of the structs. */
#include "detect/deface/profile.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"

#include <math.h>

#define PROFILE_VERSION 1
#define PROFILE_MEMBERS 3
#define VIEW_MEMBERS    16
#define SITE_VERSION    1
#define SITE_MEMBERS    6
#define CLUSTER_MEMBERS 3

static uint32_t get_u32(struct cbor_reader *reader)
{
    uint64_t value = cbor_get_u64(reader);

    if (value > UINT32_MAX) {
        cbor_fail(reader, -ERR_SYNTAX);
        return 0;
    }
    return (uint32_t)value;
}

static uint64_t get_below(struct cbor_reader *reader, uint64_t bound)
{
    uint64_t value = cbor_get_u64(reader);

    if (value >= bound) {
        cbor_fail(reader, -ERR_SYNTAX);
        return 0;
    }
    return value;
}

static double get_part(struct cbor_reader *reader)
{
    double value = cbor_get_double(reader);

    if (!(value >= 0 && value <= 1)) {
        cbor_fail(reader, -ERR_SYNTAX);
        return 0;
    }
    return value;
}

static void clusters_encode(const struct profile_view *view, struct buf *buf)
{
    cbor_put_array(buf, view->cluster_count);
    for (size_t i = 0; i < view->cluster_count; i++) {
        cbor_put_array(buf, CLUSTER_MEMBERS);
        cbor_put_u64(buf, view->clusters[i].simhash);
        cbor_put_u64(buf, view->clusters[i].share);
        cbor_put_u64(buf, view->clusters[i].last);
    }
}

static void clusters_decode(struct profile_view *view, struct cbor_reader *reader)
{
    size_t count = cbor_get_array(reader);

    if (count > PROFILE_CLUSTERS_MAX) {
        cbor_fail(reader, -ERR_LIMIT);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (cbor_get_array(reader) != CLUSTER_MEMBERS) {
            cbor_fail(reader, -ERR_SYNTAX);
        }
        view->clusters[i].simhash = cbor_get_u64(reader);
        view->clusters[i].share = (uint16_t)get_below(reader, UINT16_MAX + 1);
        view->clusters[i].last = (uint16_t)get_below(reader, UINT16_MAX + 1);
    }
    view->cluster_count = count;
}

static void sizes_encode(const struct profile_view *view, struct buf *buf)
{
    cbor_put_array(buf, PROFILE_SIZES_MAX);
    for (size_t i = 0; i < PROFILE_SIZES_MAX; i++) {
        cbor_put_u64(buf, view->sizes[i]);
    }
}

static void sizes_decode(struct profile_view *view, struct cbor_reader *reader)
{
    if (cbor_get_array(reader) != PROFILE_SIZES_MAX) {
        cbor_fail(reader, -ERR_SYNTAX);
    }
    for (size_t i = 0; i < PROFILE_SIZES_MAX && reader->error == 0; i++) {
        view->sizes[i] = get_u32(reader);
    }
}

static void view_encode(const struct profile_view *view, struct buf *buf)
{
    if (view == NULL) {
        cbor_put_null(buf);
        return;
    }
    cbor_put_array(buf, VIEW_MEMBERS);
    cbor_put_u64(buf, view->looks);
    cbor_put_i64(buf, view->first);
    cbor_put_i64(buf, view->last);
    items_encode(&view->texts, buf);
    items_encode(&view->links, buf);
    items_encode(&view->titles, buf);
    clusters_encode(view, buf);
    sizes_encode(view, buf);
    cbor_put_u64(buf, view->language);
    cbor_put_double(buf, view->novelty);
    cbor_put_double(buf, view->apart);
    cbor_put_u64(buf, view->body_hash);
    cbor_put_u64(buf, view->text_simhash);
    cbor_put_u64(buf, (uint64_t)view->verdict * SITE_FAILURE_COUNT + view->failure);
    cbor_put_u64(buf, view->failures);
    cbor_put_i64(buf, view->alarmed);
}

static int view_decode(struct deface_profile *profile, enum site_view number,
                       struct cbor_reader *reader)
{
    struct profile_view *view;
    uint64_t state;
    int r;

    if (cbor_peek(reader) == CBOR_TYPE_NULL) {
        cbor_skip(reader);
        return reader->error;
    }
    r = profile_view_make(profile, number, &view);
    if (r < 0) {
        return r;
    }
    if (cbor_get_array(reader) != VIEW_MEMBERS) {
        cbor_fail(reader, -ERR_SYNTAX);
    }
    view->looks = get_u32(reader);
    view->first = cbor_get_i64(reader);
    view->last = cbor_get_i64(reader);
    r = items_decode(&view->texts, reader);
    r = r < 0 ? r : items_decode(&view->links, reader);
    r = r < 0 ? r : items_decode(&view->titles, reader);
    if (r < 0) {
        return r;
    }
    clusters_decode(view, reader);
    sizes_decode(view, reader);
    view->language = get_u32(reader);
    view->novelty = get_part(reader);
    view->apart = get_part(reader);
    view->body_hash = cbor_get_u64(reader);
    view->text_simhash = cbor_get_u64(reader);
    state = get_below(reader, (uint64_t)SITE_VERDICT_COUNT * SITE_FAILURE_COUNT);
    view->verdict = (enum site_verdict)(state / SITE_FAILURE_COUNT);
    view->failure = (enum site_failure)(state % SITE_FAILURE_COUNT);
    view->failures = get_u32(reader);
    view->alarmed = cbor_get_i64(reader);
    return reader->error;
}

int deface_profile_encode(const struct deface_profile *profile, struct buf *buf)
{
    cbor_put_array(buf, PROFILE_MEMBERS);
    cbor_put_u64(buf, PROFILE_VERSION);
    cbor_put_u64(buf, profile->key);
    cbor_put_array(buf, SITE_VIEW_COUNT);
    for (unsigned i = 0; i < SITE_VIEW_COUNT; i++) {
        view_encode(profile->views[i], buf);
    }
    return buf_error(buf);
}

/* An array that begins with its version. */
static int version_decode(struct cbor_reader *reader, size_t members, uint64_t version)
{
    size_t count = cbor_get_array(reader);
    uint64_t found = cbor_get_u64(reader);

    if (reader->error != 0) {
        return reader->error;
    }
    if (found > version) {
        return -ERR_VERSION;
    }
    return found == version && count == members ? 0 : -ERR_SYNTAX;
}

static int profile_decode(struct deface_profile *profile, struct str bytes)
{
    struct cbor_reader reader;
    int r;

    cbor_open(&reader, bytes);
    r = version_decode(&reader, PROFILE_MEMBERS, PROFILE_VERSION);
    if (r < 0) {
        return r;
    }
    profile->key = cbor_get_u64(&reader);
    if (cbor_get_array(&reader) != SITE_VIEW_COUNT) {
        cbor_fail(&reader, -ERR_SYNTAX);
    }
    for (unsigned i = 0; r == 0 && i < SITE_VIEW_COUNT && reader.error == 0; i++) {
        r = view_decode(profile, (enum site_view)i, &reader);
    }
    return r < 0 ? r : cbor_close(&reader);
}

int deface_profile_decode(struct str bytes, struct deface_profile **ret_profile)
{
    struct deface_profile *profile;
    int r;

    if (bytes.len > (size_t)DEFACE_PROFILE_MAX * SITE_VIEW_COUNT) {
        return -ERR_LIMIT;
    }
    profile = mem_alloc(1, sizeof(*profile));
    r = profile != NULL ? profile_decode(profile, bytes) : -ERR_NOMEM;
    if (r < 0) {
        deface_profile_free(profile);
        return r;
    }
    *ret_profile = profile;
    return 0;
}

int deface_site_encode(const struct deface_site *site, struct buf *buf)
{
    cbor_put_array(buf, SITE_MEMBERS);
    cbor_put_u64(buf, SITE_VERSION);
    cbor_put_u64(buf, site->key);
    cbor_put_u64(buf, site->looks);
    items_encode(&site->domains, buf);
    items_encode(&site->parts, buf);
    items_encode(&site->titles, buf);
    return buf_error(buf);
}

static int site_decode(struct deface_site *site, struct str bytes)
{
    struct cbor_reader reader;
    int r;

    cbor_open(&reader, bytes);
    r = version_decode(&reader, SITE_MEMBERS, SITE_VERSION);
    if (r < 0) {
        return r;
    }
    site->key = cbor_get_u64(&reader);
    site->looks = get_u32(&reader);
    r = items_decode(&site->domains, &reader);
    r = r < 0 ? r : items_decode(&site->parts, &reader);
    r = r < 0 ? r : items_decode(&site->titles, &reader);
    return r < 0 ? r : cbor_close(&reader);
}

int deface_site_decode(struct str bytes, struct deface_site **ret_site)
{
    struct deface_site *site = NULL;
    int r;

    if (bytes.len > DEFACE_SITE_MAX) {
        return -ERR_LIMIT;
    }
    r = deface_site_new(&site);
    r = r < 0 ? r : site_decode(site, bytes);
    if (r < 0) {
        deface_site_free(site);
        return r;
    }
    *ret_site = site;
    return 0;
}
