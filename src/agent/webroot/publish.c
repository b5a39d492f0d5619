/* Publish windows. The site's key signs a grant: this key, made for the window alone, may sign the
 * next version, of changes until then. So the site's key can lie elsewhere while the window ends by
 * itself. The window's files: publish (the grant), publish.key (private, 0600), publish.end (asked
 * to end now), publish.seen (the guard lets changes be). */
#include "agent/webroot.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "store/vault/meta.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>

#define WINDOW_MARGIN_NS (3600 * NS_PER_S) /* that the clock may be set back while it is open */

static void window_path(const struct webroot *webroot, const char *name, char *out, size_t size)
{
    char folder[MANIFEST_PATH_MAX + 64];

    webroot_folder(webroot->config, folder, sizeof(folder));
    (void)snprintf(out, size, "%s/%s", folder, name);
}

static void window_remove(const struct webroot *webroot)
{
    (void)unlinkat(webroot->folder, "publish", 0);
    (void)unlinkat(webroot->folder, "publish.key", 0);
    (void)unlinkat(webroot->folder, "publish.end", 0);
    (void)unlinkat(webroot->folder, "publish.seen", 0);
}

static int grant_seal(const struct grant *grant, const struct seal_key *key, struct buf *bytes)
{
    CLEANUP(buf_done) struct buf body;
    struct envelope envelope = {0};
    int r;

    buf_init(&body, GRANT_SIZE_MAX - 256);
    grant_encode(grant, &body);
    envelope.body = buf_str(&body);
    r = buf_error(&body);
    r = r < 0 ? r : seal_sign(key, WEBROOT_GRANT_DOMAIN, envelope.body, envelope.signature);
    if (r == 0) {
        envelope_encode(&envelope, bytes);
        r = buf_error(bytes);
    }
    return r;
}

int webroot_window_grant(struct webroot *webroot, const struct seal_key *key,
                         const struct grant *wanted, struct diag *diag)
{
    CLEANUP(seal_key_done) struct seal_key own = {0};
    CLEANUP(buf_done) struct buf bytes;
    char path[MANIFEST_PATH_MAX + 128];
    struct grant grant = *wanted;
    int r;

    if (faccessat(webroot->folder, "publish", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        return diag_set(diag, -ERR_EXIST,
                        _("a publish window of '%s' is open already; end it first: canhgac webroot "
                          "publish %s --end"),
                        webroot->path, webroot->path);
    }
    window_remove(webroot);
    buf_init(&bytes, GRANT_SIZE_MAX);
    grant.root = str_from(webroot->path);
    grant.version = webroot->manifest.version + 1;
    window_path(webroot, "publish.key", path, sizeof(path));
    r = seal_key_new(&own);
    r = r < 0 ? r : seal_key_write(&own, path);
    memcpy(grant.key, own.public, sizeof(grant.key));
    r = r < 0 ? r : grant_seal(&grant, key, &bytes);
    r = r < 0 ? r : file_write_atomic(webroot->folder, "publish", buf_str(&bytes), 0600);
    if (r < 0) {
        window_remove(webroot);
        return diag_set(diag, r, _("the publish window of '%s' could not be opened: %s"),
                        webroot->path, err_text(r));
    }
    webroot_note(webroot, "publish", grant.version, grant.who, grant.reason);
    return 0;
}

int webroot_window_end(const struct webroot *webroot)
{
    if (faccessat(webroot->folder, "publish", F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
        return -errno;
    }
    return file_write_atomic(webroot->folder, "publish.end", STR(""), 0600);
}

void webroot_window_note_seen(const struct webroot *webroot)
{
    /* on failure its opener gives up waiting, and says so */
    (void)!file_write_atomic(webroot->folder, "publish.seen", STR(""), 0600);
}

void webroot_window_done(struct webroot_window *window)
{
    buf_done(&window->bytes);
    *window = (struct webroot_window){0};
}

int webroot_window_read(const struct webroot *webroot, struct webroot_window *window)
{
    struct stat end;
    int r;

    webroot_window_done(window);
    buf_init(&window->bytes, GRANT_SIZE_MAX);
    r = file_read_all(webroot->folder, "publish", &window->bytes);
    if (r < 0) {
        webroot_window_done(window);
        return r == -ERR_NOENT ? 0 : r;
    }
    r = webroot_check_grant(webroot, buf_str(&window->bytes), &window->grant);
    if (r == 0 && window->grant.version != webroot->manifest.version + 1) {
        r = -ERR_UNTRUSTED; /* used up, or of a state that never was */
    }
    if (r < 0) {
        (void)renameat(webroot->folder, "publish", webroot->folder, "publish.refused");
        window_remove(webroot);
        webroot_window_done(window);
        return -ERR_UNTRUSTED;
    }
    window->until = window->grant.until;
    if (fstatat(webroot->folder, "publish.end", &end, AT_SYMLINK_NOFOLLOW) == 0 &&
        vault_time_of(end.st_mtim) < window->until) {
        window->until = vault_time_of(end.st_mtim);
    }
    window->is_open = true;
    return 0;
}

int webroot_window_close(struct webroot *webroot, struct webroot_window *window,
                         struct webroot_signed *ret_signed, struct diag *diag)
{
    CLEANUP(seal_key_done) struct seal_key key = {0};
    struct setting_list uploads = {0};
    struct setting_list contents = {0};
    CLEANUP(arena_freep) struct arena *arena = NULL;
    char path[MANIFEST_PATH_MAX + 128];
    struct webroot_signing signing = {.key = &key,
                                      .grant = buf_str(&window->bytes),
                                      .until = window->until,
                                      .since = window->grant.from - WINDOW_MARGIN_NS,
                                      .uploads = &uploads,
                                      .contents = &contents};
    int r = arena_new(MANIFEST_RULES_MAX * 2 * (MANIFEST_RULE_MAX + 64), &arena);

    for (size_t i = 0; r == 0 && i < webroot->manifest.upload_count; i++) {
        uploads.items[uploads.count++] = arena_copy(arena, webroot->manifest.uploads[i]).ptr;
    }
    for (size_t i = 0; r == 0 && i < webroot->manifest.content_count; i++) {
        contents.items[contents.count++] = arena_copy(arena, webroot->manifest.contents[i]).ptr;
    }
    window_path(webroot, "publish.key", path, sizeof(path));
    r = r < 0 ? r : seal_key_read(path, &key);
    r = r < 0 ? r : webroot_sign(webroot, &signing, ret_signed, diag);
    if (r == 0) {
        webroot_note(webroot, "published", ret_signed->version, window->grant.who,
                     window->grant.reason);
    }
    window_remove(webroot);
    webroot_window_done(window);
    return r;
}
