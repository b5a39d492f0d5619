/* Wire form and look-up of manifests. Invariant: what is decoded keeps the limits of manifest.h,
 * whoever wrote it; a path that is not strictly below the root is never handed out. */
#include "detect/integrity/manifest.h"

#include "base/banned.h"
#include "base/err.h"
#include "codec/cbor.h"

#include <assert.h>

#define MANIFEST_FORMAT  1
#define MANIFEST_MEMBERS 8
#define ENTRY_MEMBERS    10
#define MODE_MAX         07777

static const char *const class_names[] = {
    [MANIFEST_CLASS_FIXED] = "fixed",
    [MANIFEST_CLASS_CONTENT] = "content",
    [MANIFEST_CLASS_UPLOAD] = "upload",
};
static_assert(sizeof(class_names) / sizeof(class_names[0]) == MANIFEST_CLASS_COUNT);

static const char *const kind_names[] = {
    [MANIFEST_KIND_FILE] = "file",
    [MANIFEST_KIND_FOLDER] = "folder",
    [MANIFEST_KIND_LINK] = "link",
};
static_assert(sizeof(kind_names) / sizeof(kind_names[0]) == MANIFEST_KIND_COUNT);

const char *manifest_class_name(enum manifest_class class)
{
    return class_names[class];
}

const char *manifest_kind_name(enum manifest_kind kind)
{
    return kind_names[kind];
}

static unsigned path_rank(char byte)
{
    return byte == '/' ? 0 : (unsigned char)byte + 1U;
}

int manifest_compare(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;

    for (size_t i = 0; i < len; i++) {
        if (a.ptr[i] != b.ptr[i]) {
            return path_rank(a.ptr[i]) < path_rank(b.ptr[i]) ? -1 : 1;
        }
    }
    return (a.len > b.len) - (a.len < b.len);
}

bool manifest_is_path(struct str path)
{
    struct str rest = path;
    struct str part;

    if (path.len == 0) {
        return true;
    }
    if (path.len >= MANIFEST_PATH_MAX || path.ptr[path.len - 1] == '/' ||
        memchr(path.ptr, '\0', path.len) != NULL) {
        return false;
    }
    while (str_cut(&rest, '/', &part)) {
        if (part.len == 0 || part.len > 255 || str_is_text(part, ".") || str_is_text(part, "..")) {
            return false;
        }
    }
    return true;
}

size_t manifest_lower_bound(const struct manifest *manifest, struct str path)
{
    size_t low = 0;
    size_t high = manifest->entry_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (manifest_compare(manifest->entries[middle].path, path) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct manifest_entry *manifest_find(const struct manifest *manifest, struct str path)
{
    size_t at = manifest_lower_bound(manifest, path);

    return at < manifest->entry_count && str_is(manifest->entries[at].path, path)
               ? &manifest->entries[at]
               : NULL;
}

static void rules_encode(const struct str *rules, size_t count, struct buf *buf)
{
    cbor_put_array(buf, count);
    for (size_t i = 0; i < count; i++) {
        cbor_put_text(buf, rules[i]);
    }
}

static void entry_encode(const struct manifest_entry *entry, struct buf *buf)
{
    bool has_content = entry->kind != MANIFEST_KIND_FOLDER;

    cbor_put_array(buf, ENTRY_MEMBERS);
    cbor_put_text(buf, entry->path);
    cbor_put_u64(buf, entry->kind);
    cbor_put_u64(buf, entry->class);
    cbor_put_u64(buf, entry->mode);
    cbor_put_u64(buf, entry->uid);
    cbor_put_u64(buf, entry->gid);
    cbor_put_u64(buf, entry->size);
    cbor_put_i64(buf, entry->mtime);
    cbor_put_bytes(
        buf, str_of((const char *)entry->sha256, has_content ? sizeof(entry->sha256) : (size_t)0));
    cbor_put_bytes(buf, entry->xattrs);
}

void manifest_encode(const struct manifest *manifest, struct buf *buf)
{
    cbor_put_array(buf, MANIFEST_MEMBERS);
    cbor_put_u64(buf, MANIFEST_FORMAT);
    cbor_put_u64(buf, manifest->version);
    cbor_put_i64(buf, manifest->time);
    cbor_put_text(buf, manifest->root);
    cbor_put_bytes(buf, str_of((const char *)manifest->key, sizeof(manifest->key)));
    rules_encode(manifest->uploads, manifest->upload_count, buf);
    rules_encode(manifest->contents, manifest->content_count, buf);
    cbor_put_array(buf, manifest->entry_count);
    for (size_t i = 0; i < manifest->entry_count; i++) {
        entry_encode(&manifest->entries[i], buf);
    }
}

static struct str reader_at_most(struct cbor_reader *reader, struct str taken, size_t max)
{
    if (taken.len > max) {
        cbor_fail(reader, -ERR_LIMIT);
        return STR("");
    }
    return taken;
}

static uint64_t reader_get_below(struct cbor_reader *reader, uint64_t bound)
{
    uint64_t value = cbor_get_u64(reader);

    if (value >= bound) {
        cbor_fail(reader, -ERR_SYNTAX);
        return 0;
    }
    return value;
}

static void reader_get_members(struct cbor_reader *reader, size_t count)
{
    if (cbor_get_array(reader) != count) {
        cbor_fail(reader, -ERR_SYNTAX);
    }
}

static void reader_get_hash(struct cbor_reader *reader, uint8_t out[32], bool is_there)
{
    struct str bytes = cbor_get_bytes(reader);

    if (bytes.len != (is_there ? 32U : 0U)) {
        cbor_fail(reader, -ERR_SYNTAX);
    } else if (is_there) {
        memcpy(out, bytes.ptr, bytes.len);
    }
}

static const struct str *rules_decode(struct cbor_reader *reader, struct arena *arena,
                                      size_t *ret_count)
{
    size_t count = cbor_get_array(reader);
    struct str *rules;

    *ret_count = 0;
    if (count > MANIFEST_RULES_MAX) {
        cbor_fail(reader, -ERR_LIMIT);
        return NULL;
    }
    rules = arena_alloc(arena, count + 1, sizeof(*rules));
    if (rules == NULL) {
        cbor_fail(reader, -ERR_NOMEM);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        rules[i] = reader_at_most(reader, cbor_get_text(reader), MANIFEST_RULE_MAX);
    }
    *ret_count = count;
    return rules;
}

static void entry_decode(struct cbor_reader *reader, struct manifest_entry *entry)
{
    reader_get_members(reader, ENTRY_MEMBERS);
    entry->path = reader_at_most(reader, cbor_get_text(reader), MANIFEST_PATH_MAX);
    entry->kind = (enum manifest_kind)reader_get_below(reader, MANIFEST_KIND_COUNT);
    entry->class = (enum manifest_class)reader_get_below(reader, MANIFEST_CLASS_COUNT);
    entry->mode = (uint32_t)reader_get_below(reader, MODE_MAX + 1);
    entry->uid = (uint32_t)reader_get_below(reader, UINT32_MAX);
    entry->gid = (uint32_t)reader_get_below(reader, UINT32_MAX);
    entry->size = reader_get_below(reader, INT64_MAX);
    entry->mtime = cbor_get_i64(reader);
    reader_get_hash(reader, entry->sha256, entry->kind != MANIFEST_KIND_FOLDER);
    entry->xattrs = reader_at_most(reader, cbor_get_bytes(reader), MANIFEST_XATTRS_MAX);
}

static struct str path_parent(struct str path)
{
    size_t len = path.len;

    while (len != 0 && path.ptr[len - 1] != '/') {
        len--;
    }
    return str_slice(path, 0, len != 0 ? len - 1 : 0);
}

/* The root first, each path above the last, each parent a folder of the manifest. */
static int entries_check(const struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->entry_count; i++) {
        const struct manifest_entry *entry = &manifest->entries[i];
        const struct manifest_entry *parent;

        if (!manifest_is_path(entry->path) || (i == 0) != (entry->path.len == 0) ||
            (i != 0 && manifest_compare(manifest->entries[i - 1].path, entry->path) >= 0)) {
            return -ERR_CORRUPT;
        }
        parent = i != 0 ? manifest_find(manifest, path_parent(entry->path)) : entry;
        if (parent == NULL || parent->kind != MANIFEST_KIND_FOLDER) {
            return -ERR_CORRUPT;
        }
    }
    return 0;
}

static void entries_decode(struct cbor_reader *reader, struct arena *arena,
                           struct manifest *manifest)
{
    size_t count = cbor_get_array(reader);
    struct manifest_entry *entries;

    if (count > MANIFEST_ENTRIES_MAX) {
        cbor_fail(reader, -ERR_LIMIT);
        return;
    }
    entries = arena_alloc(arena, count + 1, sizeof(*entries));
    if (entries == NULL) {
        cbor_fail(reader, -ERR_NOMEM);
        return;
    }
    for (size_t i = 0; i < count && reader->error == 0; i++) {
        entry_decode(reader, &entries[i]);
    }
    manifest->entries = entries;
    manifest->entry_count = count;
}

int manifest_decode(struct str bytes, struct arena *arena, struct manifest *ret_manifest)
{
    struct manifest manifest = {0};
    struct cbor_reader reader;
    int r;

    if (bytes.len > MANIFEST_SIZE_MAX) {
        return -ERR_LIMIT;
    }
    cbor_open(&reader, bytes);
    reader_get_members(&reader, MANIFEST_MEMBERS);
    if (cbor_get_u64(&reader) != MANIFEST_FORMAT) {
        cbor_fail(&reader, -ERR_VERSION);
    }
    manifest.version = cbor_get_u64(&reader);
    manifest.time = cbor_get_i64(&reader);
    manifest.root = reader_at_most(&reader, cbor_get_text(&reader), MANIFEST_PATH_MAX);
    reader_get_hash(&reader, manifest.key, true);
    manifest.uploads = rules_decode(&reader, arena, &manifest.upload_count);
    manifest.contents = rules_decode(&reader, arena, &manifest.content_count);
    entries_decode(&reader, arena, &manifest);
    r = cbor_close(&reader);
    if (r < 0) {
        return r;
    }
    if (manifest.version == 0 || manifest.root.len == 0) {
        return -ERR_CORRUPT;
    }
    r = entries_check(&manifest);
    if (r < 0) {
        return r;
    }
    *ret_manifest = manifest;
    return 0;
}
