/* A new version: the tree is walked, what is fixed goes into the store by its content, and what was
 * read is signed. Of folders that visitors write to only what can execute is signed, as fixed: the
 * rest comes and goes. */
#include "agent/webroot.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "store/vault/meta.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>

#define SIGN_ARENA (1ULL << 30)
#define SIGN_TRIES 5

struct sign_walk {
    struct webroot *webroot;
    const struct webroot_signing *signing;
    struct class_rules rules;
    struct arena *arena;
    struct manifest_entry *entries;
    size_t count;
    size_t room;
    struct webroot_signed sums;
    int error;
    struct diag *diag;
};

static int walk_add(struct sign_walk *walk, const struct manifest_entry *entry)
{
    if (walk->count == MANIFEST_ENTRIES_MAX) {
        return diag_set(walk->diag, -ERR_LIMIT, _("'%s' holds more than %d files and folders"),
                        walk->webroot->path, MANIFEST_ENTRIES_MAX);
    }
    if (walk->count == walk->room) {
        size_t room = walk->room != 0 ? 2 * walk->room : 1024;
        struct manifest_entry *more = mem_resize(walk->entries, room, sizeof(*more));

        if (more == NULL) {
            return -ERR_NOMEM;
        }
        walk->entries = more;
        walk->room = room;
    }
    walk->entries[walk->count++] = *entry;
    return 0;
}

static int walk_add_again(struct sign_walk *walk, const struct manifest_entry *old)
{
    struct manifest_entry entry = *old;

    entry.path = arena_copy(walk->arena, old->path);
    entry.xattrs = arena_copy(walk->arena, old->xattrs);
    return entry.path.ptr != NULL && entry.xattrs.ptr != NULL ? walk_add(walk, &entry) : -ERR_NOMEM;
}

static int entry_facts(struct sign_walk *walk, int fd, const struct stat *st,
                       struct manifest_entry *entry)
{
    CLEANUP(buf_done) struct buf xattrs;
    int r = 0;

    entry->mode = st->st_mode & 07777;
    entry->uid = st->st_uid;
    entry->gid = st->st_gid;
    if (entry->kind != MANIFEST_KIND_FOLDER) {
        entry->size = (uint64_t)st->st_size;
        entry->mtime = vault_time_of(st->st_mtim);
    }
    if (entry->kind == MANIFEST_KIND_LINK) {
        entry->mode = 0777;
        return 0;
    }
    buf_init(&xattrs, MANIFEST_XATTRS_MAX);
    if (vault_meta_read_xattrs(fd, &xattrs) == 0 && xattrs.len != 0) {
        entry->xattrs = arena_copy(walk->arena, buf_str(&xattrs));
        r = entry->xattrs.ptr != NULL ? 0 : -ERR_NOMEM;
    }
    return r;
}

/* Into the store, unless it is there. The copy's own hash counts, not the original's. */
static int keep_file(struct sign_walk *walk, int fd, struct manifest_entry *entry)
{
    struct blobs *base = &walk->webroot->base;
    int r = blob_digest(fd, entry->sha256);

    if (r < 0 || blobs_has(base, entry->sha256)) {
        return r;
    }
    return blobs_put(base, fd, entry->sha256, &entry->size);
}

/* What changes while it is read is read again; what never holds still cannot be signed. */
static int sign_file(struct sign_walk *walk, int fd, struct manifest_entry *entry)
{
    struct stat before;
    struct stat after;
    int r;

    for (int i = 0; i < SIGN_TRIES; i++) {
        if (fstat(fd, &before) != 0) {
            return -errno;
        }
        r = keep_file(walk, fd, entry);
        r = r < 0 ? r : entry_facts(walk, fd, &before, entry);
        if (r < 0) {
            return r;
        }
        if (fstat(fd, &after) != 0) {
            return -errno;
        }
        if (before.st_size == after.st_size &&
            vault_time_of(before.st_mtim) == vault_time_of(after.st_mtim) &&
            vault_time_of(before.st_ctim) == vault_time_of(after.st_ctim)) {
            walk->sums.bytes += entry->size;
            return 0;
        }
    }
    return -ERR_CONFLICT;
}

static int sign_link(struct sign_walk *walk, int path_fd, const struct stat *st,
                     struct manifest_entry *entry)
{
    char target[MANIFEST_PATH_MAX];
    ssize_t len = readlinkat(path_fd, "", target, sizeof(target));
    int r;

    if (len < 0 || (size_t)len >= sizeof(target)) {
        return len < 0 ? -errno : -ERR_NAMETOOLONG;
    }
    r = entry_facts(walk, -1, st, entry);
    entry->size = (uint64_t)len;
    return r < 0 ? r : blobs_put_bytes(&walk->webroot->base, target, (uint64_t)len, entry->sha256);
}

/* A file in a folder that is not fixed: signed as it is only if it can execute. */
static bool walk_wants(struct sign_walk *walk, struct str path, const struct stat *st,
                       enum manifest_class class)
{
    int plants;

    walk->sums.files++;
    if (class == MANIFEST_CLASS_FIXED) {
        return true;
    }
    plants = webroot_plants(walk->webroot, path, st);
    if (plants <= 0 || plant_that_runs((unsigned)plants, class) == 0) {
        return false;
    }
    if (walk->signing->plant != NULL) {
        walk->signing->plant(walk->signing->context, path, (unsigned)plants);
    }
    return true;
}

/* A window on a large site must not cost reading all of it. Whoever forged size and time before the
 * window gains nothing: the old content is signed, and put back. */
static const struct manifest_entry *walk_untouched(const struct sign_walk *walk, struct str path,
                                                   const struct stat *st)
{
    const struct webroot *webroot = walk->webroot;
    const struct manifest_entry *old =
        webroot->is_signed && vault_time_of(st->st_ctim) < walk->signing->since
            ? manifest_find(&webroot->manifest, path)
            : NULL;

    if (old == NULL || old->kind != MANIFEST_KIND_FILE || !S_ISREG(st->st_mode) ||
        old->size != (uint64_t)st->st_size || old->mtime != vault_time_of(st->st_mtim) ||
        old->mode != (st->st_mode & 07777) || old->uid != st->st_uid || old->gid != st->st_gid ||
        class_of(&walk->rules, path) != MANIFEST_CLASS_FIXED ||
        !blobs_has(&webroot->base, old->sha256)) {
        return NULL;
    }
    return old;
}

/* After the window's end nothing more is accepted: what stood before is signed on. */
static int walk_keep_old(struct sign_walk *walk, struct str path)
{
    const struct manifest_entry *old =
        walk->webroot->is_signed ? manifest_find(&walk->webroot->manifest, path) : NULL;

    if (old == NULL) {
        return 0;
    }
    return walk_add_again(walk, old);
}

static int walk_open(struct sign_walk *walk, struct str path, int flags)
{
    char text[MANIFEST_PATH_MAX];

    (void)snprintf(text, sizeof(text), "%.*s", STR_ARG(path));
    return fd_open_beneath(walk->webroot->fd, text[0] != '\0' ? text : ".", flags, 0);
}

static int walk_read(struct sign_walk *walk, int path_fd, const struct stat *st,
                     struct manifest_entry *entry)
{
    CLEANUP(closep) int fd = -1;

    if (entry->kind == MANIFEST_KIND_LINK) {
        return sign_link(walk, path_fd, st, entry);
    }
    fd = fd_reopen(path_fd, O_RDONLY | O_NONBLOCK | O_NOATIME);
    if (fd < 0) {
        return fd;
    }
    return entry->kind == MANIFEST_KIND_FOLDER ? entry_facts(walk, fd, st, entry)
                                               : sign_file(walk, fd, entry);
}

/* Sockets, pipes and devices have no place in a document root; they are not signed, and so are
 * taken out as any stranger. */
static bool walk_kind(const struct stat *st, enum manifest_kind *ret_kind)
{
    if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode) && !S_ISLNK(st->st_mode)) {
        return false;
    }
    *ret_kind = S_ISREG(st->st_mode)   ? MANIFEST_KIND_FILE
                : S_ISDIR(st->st_mode) ? MANIFEST_KIND_FOLDER
                                       : MANIFEST_KIND_LINK;
    return true;
}

static int walk_sign(struct sign_walk *walk, struct str path)
{
    CLEANUP(closep) int path_fd = walk_open(walk, path, O_PATH | O_NOFOLLOW);
    struct manifest_entry entry = {.class = class_of(&walk->rules, path)};
    const struct manifest_entry *untouched;
    struct stat st;
    int r;

    if (path_fd < 0) {
        return path_fd == -ERR_NOENT ? 0 : path_fd;
    }
    if (fstat(path_fd, &st) != 0) {
        return -errno;
    }
    if (vault_time_of(st.st_ctim) > walk->signing->until && !S_ISDIR(st.st_mode)) {
        return walk_keep_old(walk, path);
    }
    untouched = walk_untouched(walk, path, &st);
    if (untouched != NULL) {
        walk->sums.files++;
        walk->sums.fixed++;
        walk->sums.bytes += untouched->size;
        return walk_add_again(walk, untouched);
    }
    if (!walk_kind(&st, &entry.kind) ||
        (entry.kind != MANIFEST_KIND_FOLDER && !walk_wants(walk, path, &st, entry.class))) {
        return 0;
    }
    if (entry.kind != MANIFEST_KIND_FOLDER) {
        entry.class = MANIFEST_CLASS_FIXED;
    }
    entry.path = arena_copy(walk->arena, path);
    r = entry.path.ptr != NULL ? walk_read(walk, path_fd, &st, &entry) : -ERR_NOMEM;
    r = r < 0 ? r : walk_add(walk, &entry);
    walk->sums.fixed += r == 0 && entry.class == MANIFEST_CLASS_FIXED ? 1U : 0U;
    return r;
}

static bool walk_met(void *context, struct str path, bool is_folder, bool is_there)
{
    struct sign_walk *walk = context;
    int r = walk->error == 0 && is_there ? walk_sign(walk, path) : 0;

    (void)is_folder;
    if (r < 0 && walk->error == 0) {
        walk->error = r;
        (void)diag_set(walk->diag, r, _("'%s/%.*s' could not be signed: %s"), walk->webroot->path,
                       STR_ARG(path), err_text(r));
    }
    return walk->error == 0;
}

static int entry_order(const void *a, const void *b)
{
    const struct manifest_entry *one = a;
    const struct manifest_entry *other = b;

    return manifest_compare(one->path, other->path);
}

static int walk_tree(struct sign_walk *walk)
{
    struct webroot_scan *scan = NULL;
    int r = webroot_scan_new(walk->webroot, walk_met, walk, &scan);

    r = r < 0 ? r : webroot_scan_add(scan, str_of("", 0));
    while (r == 0 && walk->error == 0 && (r = webroot_scan_step(scan, NS_PER_S)) == 1) {
        r = 0;
    }
    webroot_scan_free(scan);
    if (walk->count != 0) {
        qsort(walk->entries, walk->count, sizeof(walk->entries[0]), entry_order);
    }
    return walk->error < 0 ? walk->error : r;
}

static size_t rules_of(const struct setting_list *list, struct str out[SETTING_LIST_MAX])
{
    size_t count = 0;

    for (; list != NULL && count < list->count; count++) {
        out[count] = str_from(list->items[count]);
    }
    return count;
}

static int seal_manifest(const struct webroot_signing *signing, const struct manifest *manifest,
                         struct buf *bytes)
{
    CLEANUP(buf_done) struct buf body;
    struct envelope envelope = {.grant = signing->grant};
    int r;

    buf_init(&body, MANIFEST_SIZE_MAX);
    manifest_encode(manifest, &body);
    r = buf_error(&body);
    envelope.body = buf_str(&body);
    r = r < 0 ? r : seal_sign(signing->key, WEBROOT_DOMAIN, envelope.body, envelope.signature);
    if (r < 0) {
        return r;
    }
    envelope_encode(&envelope, bytes);
    return buf_error(bytes);
}

static bool blob_is_wanted(void *context, const uint8_t sha256[32])
{
    const struct map *wanted = context;

    return map_get(wanted, str_of((const char *)sha256, 32)) != NULL;
}

int webroot_sweep(struct webroot *webroot)
{
    const struct manifest *manifest = &webroot->manifest;
    struct map wanted;
    uint64_t bytes;
    int r = 0;

    map_init(&wanted, MANIFEST_ENTRIES_MAX, manifest->version);
    for (size_t i = 0; r == 0 && i < manifest->entry_count; i++) {
        const struct manifest_entry *entry = &manifest->entries[i];

        r = map_put(&wanted, str_of((const char *)entry->sha256, 32), webroot);
    }
    r = r < 0 ? r : blobs_sweep(&webroot->base, blob_is_wanted, &wanted, &bytes);
    map_done(&wanted);
    return r;
}

int webroot_sign(struct webroot *webroot, const struct webroot_signing *signing,
                 struct webroot_signed *ret_signed, struct diag *diag)
{
    struct str uploads[SETTING_LIST_MAX];
    struct str contents[SETTING_LIST_MAX];
    struct sign_walk walk = {.webroot = webroot, .signing = signing, .diag = diag};
    struct manifest manifest = {.version = webroot->highest + 1,
                                .time = clock_wall(&clock_real),
                                .root = str_from(webroot->path),
                                .uploads = uploads,
                                .contents = contents};
    CLEANUP(buf_done) struct buf bytes;
    int r = arena_new(SIGN_ARENA, &walk.arena);

    buf_init(&bytes, MANIFEST_SIZE_MAX + GRANT_SIZE_MAX + 1024);
    if (r < 0) {
        return r;
    }
    manifest.upload_count = rules_of(signing->uploads, uploads);
    manifest.content_count = rules_of(signing->contents, contents);
    walk.rules =
        (struct class_rules){uploads, manifest.upload_count, contents, manifest.content_count};
    seal_key_id(webroot->public, manifest.key);
    r = walk_tree(&walk);
    manifest.entries = walk.entries;
    manifest.entry_count = walk.count;
    r = r < 0 ? r : webroot_note_home(webroot);
    r = r < 0 ? r : seal_manifest(signing, &manifest, &bytes);
    mem_free(walk.entries); /* a large site needs the room to take the new version into force */
    arena_free(walk.arena);
    r = r < 0 ? r : webroot_accept(webroot, buf_str(&bytes), diag);
    if (r == 0) {
        walk.sums.version = manifest.version;
        *ret_signed = walk.sums;
        (void)!webroot_sweep(webroot); /* what nobody needs only takes room */
    }
    return r;
}
