/* Which manifest is in force. The highest version that ever was is noted apart from the manifests,
 * with its digest, before anything acts by it: an older one, or another of the same number, is
 * refused however genuine its signature. */
#include "agent/webroot.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#define HIGHEST_TEXT   128
#define VERSION_NAME   64
#define VERSIONS_TRIED 64
#define VERSIONS_KEPT  8

struct candidate {
    struct buf bytes;
    struct arena *arena;
    struct manifest manifest;
    uint8_t sha256[32];
};

static void candidate_done(struct candidate *candidate)
{
    buf_done(&candidate->bytes);
    arena_freep(&candidate->arena);
}

static int candidate_init(struct candidate *candidate)
{
    *candidate = (struct candidate){0};
    buf_init(&candidate->bytes, MANIFEST_SIZE_MAX + GRANT_SIZE_MAX + 1024);
    return arena_new(1ULL << 30, &candidate->arena);
}

static void version_name(uint64_t version, char out[VERSION_NAME])
{
    (void)snprintf(out, VERSION_NAME, "manifests/%020llu", (unsigned long long)version);
}

static int highest_read(struct webroot *webroot, struct diag *diag)
{
    CLEANUP(buf_done) struct buf text;
    struct str rest;
    struct str word;
    int r;

    buf_init(&text, HIGHEST_TEXT);
    r = file_read_all(webroot->folder, "highest", &text);
    if (r == -ERR_NOENT) {
        return 0;
    }
    rest = str_trim(buf_str(&text));
    if (r == 0 &&
        (!str_cut(&rest, ' ', &word) || str_to_u64(word, &webroot->highest) < 0 ||
         hex_decode(rest, webroot->highest_sha256, sizeof(webroot->highest_sha256)) < 0)) {
        r = -ERR_CORRUPT;
    }
    return r < 0 ? diag_set(diag, r,
                            _("the note of the highest version of '%s' %s; compare the manifests "
                              "with what you signed, then remove its file 'highest'"),
                            webroot->path, err_text(r))
                 : 0;
}

static int highest_write(struct webroot *webroot, uint64_t version, const uint8_t sha256[32])
{
    char digits[65];
    char text[HIGHEST_TEXT];
    int r;

    hex_encode(sha256, 32, digits);
    (void)snprintf(text, sizeof(text), "%llu %s\n", (unsigned long long)version, digits);
    r = file_write_atomic(webroot->folder, "highest", str_from(text), 0600);
    if (r == 0) {
        webroot->highest = version;
        memcpy(webroot->highest_sha256, sha256, sizeof(webroot->highest_sha256));
    }
    return r;
}

int webroot_check_grant(const struct webroot *webroot, struct str envelope, struct grant *ret_grant)
{
    struct envelope parts;
    struct grant grant;
    int r = envelope_decode(envelope, &parts);

    if (r < 0) {
        return r;
    }
    if (!seal_is_genuine(webroot->public, WEBROOT_GRANT_DOMAIN, parts.body, parts.signature)) {
        return -ERR_UNTRUSTED;
    }
    r = grant_decode(parts.body, &grant);
    if (r == 0 && !str_is_text(grant.root, webroot->path)) {
        r = -ERR_UNTRUSTED;
    }
    if (r == 0) {
        *ret_grant = grant;
    }
    return r;
}

/* By whose key: the site's own, or one it appointed for this very version. */
static int candidate_check_seal(const struct webroot *webroot, const struct envelope *envelope,
                                uint64_t version)
{
    const uint8_t *key = webroot->public;
    struct grant grant = {0};

    if (envelope->grant.len != 0) {
        int r = webroot_check_grant(webroot, envelope->grant, &grant);

        if (r < 0 || grant.version != version) {
            return -ERR_UNTRUSTED;
        }
        key = grant.key;
    }
    return seal_is_genuine(key, WEBROOT_DOMAIN, envelope->body, envelope->signature)
               ? 0
               : -ERR_UNTRUSTED;
}

/* Nothing of a manifest is read before its signature is proved. version: what its name claims. */
static int candidate_check(const struct webroot *webroot, struct candidate *candidate,
                           uint64_t version, struct diag *diag)
{
    unsigned long long number = version;
    struct envelope envelope;
    int r = envelope_decode(buf_str(&candidate->bytes), &envelope);

    if (r == 0) {
        r = candidate_check_seal(webroot, &envelope, version);
        if (r < 0) {
            return diag_set(diag, r,
                            _("manifest %llu of '%s' is not signed by the key of this store and "
                              "was refused; sign it with that key: canhgac webroot sign"),
                            number, webroot->path);
        }
        r = manifest_decode(envelope.body, candidate->arena, &candidate->manifest);
    }
    if (r < 0) {
        return diag_set(diag, r, _("manifest %llu of '%s' %s and was refused"), number,
                        webroot->path, err_text(r));
    }
    if (candidate->manifest.version != version ||
        !str_is_text(candidate->manifest.root, webroot->path)) {
        return diag_set(diag, -ERR_UNTRUSTED,
                        _("manifest %llu of '%s' was signed for version %llu of '%.*s' and was "
                          "refused"),
                        number, webroot->path, (unsigned long long)candidate->manifest.version,
                        STR_ARG(candidate->manifest.root));
    }
    seal_digest(buf_str(&candidate->bytes), candidate->sha256);
    if (version < webroot->highest) {
        return diag_set(diag, -ERR_VERSION,
                        _("manifest %llu of '%s' is older than version %llu, which has been in "
                          "force, and was refused; sign the root again: canhgac webroot sign"),
                        number, webroot->path, (unsigned long long)webroot->highest);
    }
    if (version == webroot->highest &&
        memcmp(candidate->sha256, webroot->highest_sha256, sizeof(candidate->sha256)) != 0) {
        return diag_set(diag, -ERR_CONFLICT,
                        _("manifest %llu of '%s' is another than the version %llu that has been in "
                          "force, and was refused; sign the root again: canhgac webroot sign"),
                        number, webroot->path, number);
    }
    return 0;
}

static void webroot_merge_rules(struct webroot *webroot)
{
    const struct manifest *manifest = &webroot->manifest;
    const struct setting_list *uploads = webroot->config->uploads;
    const struct setting_list *contents = webroot->config->contents;
    size_t upload_count = manifest->upload_count;
    size_t content_count = manifest->content_count;

    for (size_t i = 0; i < manifest->upload_count; i++) {
        webroot->uploads[i] = manifest->uploads[i];
    }
    for (size_t i = 0; i < manifest->content_count; i++) {
        webroot->contents[i] = manifest->contents[i];
    }
    for (size_t i = 0; uploads != NULL && i < uploads->count; i++) {
        webroot->uploads[upload_count++] = str_from(uploads->items[i]);
    }
    for (size_t i = 0; contents != NULL && i < contents->count; i++) {
        webroot->contents[content_count++] = str_from(contents->items[i]);
    }
    webroot->rules =
        (struct class_rules){webroot->uploads, upload_count, webroot->contents, content_count};
}

/* The note of the highest first: a kill in between leaves the note of what lies there already. */
static int webroot_enforce(struct webroot *webroot, struct candidate *candidate)
{
    struct arena *arena = webroot->arena;
    struct buf bytes = webroot->bytes;
    int r = candidate->manifest.version > webroot->highest
                ? highest_write(webroot, candidate->manifest.version, candidate->sha256)
                : 0;

    if (r < 0) {
        return r;
    }
    webroot->arena = candidate->arena;
    webroot->bytes = candidate->bytes;
    webroot->manifest = candidate->manifest;
    webroot->is_signed = true;
    candidate->arena = arena;
    candidate->bytes = bytes;
    webroot_merge_rules(webroot);
    return 0;
}

static int number_order(const void *a, const void *b)
{
    const uint64_t *one = a;
    const uint64_t *other = b;

    return *one > *other ? -1 : *one < *other;
}

/* The newest first; at most VERSIONS_TRIED. */
static int webroot_versions(const struct webroot *webroot, uint64_t out[VERSIONS_TRIED],
                            size_t *ret_count)
{
    int fd = openat(webroot->folder, "manifests", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *item;
    size_t count = 0;

    if (dir == NULL) {
        int r = -errno;

        closep(&fd);
        return r;
    }
    while ((item = readdir(dir)) != NULL) {
        uint64_t number = 0;

        if (str_to_u64(str_from(item->d_name), &number) < 0 || number == 0) {
            continue;
        }
        if (count == VERSIONS_TRIED) {
            qsort(out, count, sizeof(out[0]), number_order);
            out[count - 1] = number > out[count - 1] ? number : out[count - 1];
        } else {
            out[count++] = number;
        }
    }
    (void)closedir(dir);
    if (count != 0) {
        qsort(out, count, sizeof(out[0]), number_order);
    }
    *ret_count = count;
    return 0;
}

static int webroot_try(struct webroot *webroot, uint64_t version, struct diag *diag)
{
    CLEANUP(candidate_done) struct candidate candidate;
    char name[VERSION_NAME];
    int r = candidate_init(&candidate);

    version_name(version, name);
    r = r < 0 ? r : file_read_all(webroot->folder, name, &candidate.bytes);
    if (r < 0) {
        return diag_set(diag, r, _("manifest %llu of '%s' cannot be read: %s"),
                        (unsigned long long)version, webroot->path, err_text(r));
    }
    if (webroot->is_signed && version == webroot->manifest.version &&
        str_is(buf_str(&candidate.bytes), buf_str(&webroot->bytes))) {
        return 0; /* in force already */
    }
    r = candidate_check(webroot, &candidate, version, diag);
    return r < 0 ? r : webroot_enforce(webroot, &candidate);
}

int webroot_load(struct webroot *webroot, struct diag *diag)
{
    uint64_t versions[VERSIONS_TRIED];
    size_t count = 0;
    int r = highest_read(webroot, diag);

    r = r < 0 ? r : webroot_versions(webroot, versions, &count);
    if (r < 0) {
        return r;
    }
    if (!webroot->has_key || (count == 0 && webroot->highest == 0)) {
        return diag_set(
            diag, -ERR_NOENT,
            _("'%s' has no signed manifest yet; make a key and sign it: canhgac webroot "
              "key, canhgac webroot sign %s"),
            webroot->path, webroot->path);
    }
    for (size_t i = 0; i < count; i++) {
        r = webroot_try(webroot, versions[i], diag);
        if (r == 0) {
            return 0;
        }
    }
    if (count == 0) {
        r = diag_set(diag, -ERR_NOENT,
                     _("the manifests of '%s' are gone, though version %llu has been in force; "
                       "sign the root again: canhgac webroot sign"),
                     webroot->path, (unsigned long long)webroot->highest);
    }
    return r;
}

/* Older versions are kept for whoever compares; not without end. */
static void webroot_forget_old(const struct webroot *webroot)
{
    uint64_t versions[VERSIONS_TRIED];
    char name[VERSION_NAME];
    size_t count = 0;

    if (webroot_versions(webroot, versions, &count) == 0) {
        for (size_t i = VERSIONS_KEPT; i < count; i++) {
            version_name(versions[i], name);
            (void)unlinkat(webroot->folder, name, 0);
        }
    }
}

int webroot_accept(struct webroot *webroot, struct str envelope, struct diag *diag)
{
    CLEANUP(candidate_done) struct candidate candidate;
    struct envelope parts;
    struct manifest manifest;
    char name[VERSION_NAME];
    int r = candidate_init(&candidate);

    r = r < 0 ? r : buf_put_str(&candidate.bytes, envelope);
    r = r < 0 ? r : envelope_decode(envelope, &parts);
    r = r < 0 ? r : manifest_decode(parts.body, candidate.arena, &manifest);
    if (r < 0) {
        return r;
    }
    arena_reset(candidate.arena);
    r = candidate_check(webroot, &candidate, manifest.version, diag);
    version_name(manifest.version, name);
    r = r < 0 ? r : file_write_atomic(webroot->folder, name, buf_str(&candidate.bytes), 0400);
    r = r < 0 ? r : webroot_enforce(webroot, &candidate);
    if (r == 0) {
        webroot_forget_old(webroot);
    }
    return r;
}

int webroot_rewrite(const struct webroot *webroot)
{
    char name[VERSION_NAME];

    version_name(webroot->manifest.version, name);
    return file_write_atomic(webroot->folder, name, buf_str(&webroot->bytes), 0400);
}
