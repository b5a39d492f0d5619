/* A document root as a whole: opening it, its manifest, its publish window, whether it still stands
 * at its place, and when it is compared from end to end. */
#include "agent/guard/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>

#define LOOPS_LIMIT    65536
#define SLICE_HASTY_NS (20 * NS_PER_MS)
#define SLICE_NS       NS_PER_MS
#define PAUSE_HASTY_NS (NS_PER_MS / 2)
#define DEAF_RESCAN_NS (2 * NS_PER_S)
#define PAUSE_NS       (30 * NS_PER_MS)

/* ---- opening */

/* A root that was moved away is made again, but only where it was signed: not in the empty folder
 * of a file system that is not mounted. */
static void root_make(const struct webroot_config *config)
{
    char parent[MANIFEST_PATH_MAX];
    CLEANUP(closep) int fd = -1;
    char *slash;

    (void)snprintf(parent, sizeof(parent), "%s", config->path);
    slash = strrchr(parent, '/');
    if (slash == NULL || slash == parent) {
        return;
    }
    *slash = '\0';
    fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && webroot_is_home(config, fd) && mkdirat(fd, slash + 1, 0700) == 0) {
        log_warn("the document root was gone and was made again path=%s", config->path);
    }
}

static void root_load(struct guard *guard, struct guard_root *root)
{
    struct diag diag = {0};
    struct stat st;
    uint64_t version = root->webroot.is_signed ? root->webroot.manifest.version : 0;
    int r;

    if (fstatat(root->webroot.folder, "manifests", &st, 0) == 0) {
        root->manifests_seen = st.st_mtim;
    }
    r = webroot_load(&root->webroot, &diag);
    if (diag.text[0] != '\0' && strcmp(diag.text, root->refusal) != 0) {
        (void)snprintf(root->refusal, sizeof(root->refusal), "%s", diag.text);
        log_warn("%s", diag.text);
        guard_tell(guard, root, SEVERITY_CRITICAL,
                   root->webroot.is_signed
                       ? N_("A manifest of the website was refused; the one in force stays so")
                       : N_("The website is not guarded: it has no manifest that can be trusted"),
                   diag.text);
    }
    if (r < 0 && root->webroot.is_signed) {
        (void)!webroot_rewrite(&root->webroot);
    }
    if (root->webroot.is_signed && root->webroot.manifest.version != version) {
        root->refusal[0] = '\0';
        root->is_guarded = false;
        guard_refuse_anew(guard, root);
        if (root->scan != NULL) {
            guard_scan(guard, root, true);
        }
    }
}

static void root_open(struct guard *guard, struct guard_root *root)
{
    struct diag diag = {0};
    int r = webroot_open(&root->webroot, &root->config, &diag);

    if (r == -ERR_NOENT) {
        diag = (struct diag){0};
        root_make(&root->config);
        r = webroot_open(&root->webroot, &root->config, &diag);
    }
    r = r < 0 ? r : loops_new(LOOPS_LIMIT, (uint64_t)clock_mono(&clock_real), &root->loops);
    r = r < 0 ? r : webroot_scan_new(&root->webroot, guard_met, root, &root->scan);
    if (r < 0) {
        log_warn("%s", diag_text(&diag, r));
        guard_tell(guard, root, SEVERITY_CRITICAL,
                   N_("The website's folder is gone or cannot be opened: it is not guarded"),
                   diag_text(&diag, r));
        return;
    }
    root->is_open = true;
    root->claim = webroot_claim(&root->webroot);
    if (!webroot_is_home(&root->config, root->webroot.fd)) {
        root->is_away = true;
        guard_tell(guard, root, SEVERITY_CRITICAL,
                   N_("The website's folder lies on another file system than when it was signed: "
                      "mount the right one, or sign it again"),
                   NULL);
    }
    guard_watch(guard, root);
    root_load(guard, root);
}

int guard_open_roots(struct guard *guard, struct diag *diag)
{
    const struct agent_settings *settings = guard->config->settings;

    if (settings->webroots.count > WEBROOT_MAX) {
        return diag_set(diag, -ERR_LIMIT, _("at most %d document roots can be guarded"),
                        WEBROOT_MAX);
    }
    for (size_t i = 0; i < settings->webroots.count; i++) {
        struct guard_root *root = &guard->roots[guard->root_count++];

        root->guard = guard;
        root->config = (struct webroot_config){.store = guard->store,
                                               .path = settings->webroots.items[i],
                                               .uploads = &settings->webroot_uploads,
                                               .contents = &settings->webroot_contents};
        root_open(guard, root);
    }
    return 0;
}

void guard_close_roots(struct guard *guard)
{
    for (size_t i = 0; i < guard->root_count; i++) {
        struct guard_root *root = &guard->roots[i];

        webroot_scan_free(root->scan);
        loops_free(root->loops);
        webroot_window_done(&root->window);
        if (root->is_open) {
            closep(&root->claim);
            webroot_close(&root->webroot);
        }
    }
}

/* ---- scanning */

void guard_scan_on(struct guard *guard, struct guard_root *root)
{
    root->is_scanning = true;
    root->is_hasty = true;
    if (guard->work != NULL) {
        (void)!loop_source_set_timer(guard->work, PAUSE_HASTY_NS, 0);
    }
}

void guard_scan(struct guard *guard, struct guard_root *root, bool is_hasty)
{
    root->next_scan = clock_mono(&clock_real) +
                      (root->is_deaf ? DEAF_RESCAN_NS : guard->config->settings->webroot_rescan);
    if (!root->is_open || !root->webroot.is_signed || root->is_away ||
        webroot_scan_add(root->scan, str_of("", 0)) < 0) {
        return;
    }
    root->round++;
    root->marked = 0;
    root->is_whole = true;
    root->is_scanning = true;
    root->is_hasty = root->is_hasty || is_hasty;
    if (guard->work != NULL) {
        (void)!loop_source_set_timer(guard->work, PAUSE_HASTY_NS, 0);
    }
}

static void root_scanned(struct guard *guard, struct guard_root *root)
{
    root->is_scanning = root->is_hasty = false;
    if (!root->is_whole) {
        return;
    }
    root->is_whole = false;
    guard_forget_old(guard, root);
    webroot_note_hearing(root->claim, guard_hearing(root));
    if (!root->is_guarded) {
        root->is_guarded = true;
        log_info("guarding %s version=%llu entries=%zu folders=%llu heard=%s refused=%zu",
                 root->config.path, (unsigned long long)root->webroot.manifest.version,
                 root->webroot.manifest.entry_count, (unsigned long long)root->folders,
                 guard_hearing(root), root->marked);
    }
}

bool guard_is_hasty(const struct guard *guard)
{
    for (size_t i = 0; i < guard->root_count; i++) {
        if (guard->roots[i].is_scanning && guard->roots[i].is_hasty) {
            return true;
        }
    }
    return false;
}

void guard_scan_some(struct guard *guard)
{
    bool has_more = false;
    bool is_hasty = false;

    for (size_t i = 0; i < guard->root_count; i++) {
        struct guard_root *root = &guard->roots[i];
        int r;

        if (!root->is_scanning) {
            continue;
        }
        r = webroot_scan_step(root->scan, root->is_hasty ? SLICE_HASTY_NS : SLICE_NS);
        if (r == 1) {
            has_more = true;
            is_hasty = is_hasty || root->is_hasty;
        } else {
            if (r < 0) {
                log_warn("a comparison ended early path=%s reason=%s", root->config.path,
                         err_text(r));
            }
            root_scanned(guard, root);
        }
    }
    if (has_more) {
        (void)!loop_source_set_timer(guard->work, is_hasty ? PAUSE_HASTY_NS : PAUSE_NS, 0);
    }
}

/* ---- its place */

/* Another folder in its place is guarded by a guard that starts anew: this one may not touch it. */
static void root_check_place(struct guard *guard, struct guard_root *root)
{
    int r = root->is_open ? webroot_is_in_place(&root->webroot) : -ERR_NOENT;

    if (!root->is_open) {
        if (faccessat(AT_FDCWD, root->config.path, F_OK, 0) == 0) {
            loop_stop(guard->loop, 0);
        }
        return;
    }
    if (r == 0 && root->is_away && webroot_is_home(&root->config, root->webroot.fd)) {
        root->is_away = false;
        guard_scan(guard, root, true);
    }
    if (r == 0 || root->is_away) {
        return;
    }
    root->is_away = true;
    guard_tell(
        guard, root, SEVERITY_CRITICAL,
        r == -ERR_XDEV
            ? N_("The website's folder was covered by a mount, or unmounted: what visitors "
                 "see is not what is guarded")
            : N_("The website's folder itself was moved, removed or replaced; it is put back "
                 "at its place"),
        NULL);
    if (r != -ERR_XDEV) {
        loop_stop(guard->loop, 0);
    }
}

/* ---- its window */

static void window_describe(const struct guard_root *root, char *out, size_t size)
{
    char until[TIME_TEXT_SIZE];

    time_format_utc(root->window.until, until);
    (void)snprintf(out, size, _("by %.*s, until %s: %.*s"), STR_ARG(root->window.grant.who), until,
                   STR_ARG(root->window.grant.reason));
}

static void root_close_window(struct guard *guard, struct guard_root *root)
{
    struct webroot_signed sums = {0};
    struct diag diag = {0};
    char why[GRANT_REASON_MAX + GRANT_WHO_MAX + 128];
    int r;

    window_describe(root, why, sizeof(why));
    r = webroot_window_close(&root->webroot, &root->window, &sums, &diag);
    if (r < 0) {
        log_warn("%s", diag_text(&diag, r));
        guard_tell(guard, root, SEVERITY_CRITICAL,
                   N_("A publish window of the website ended, but what it brought could not be "
                      "signed: it is undone"),
                   diag_text(&diag, r));
    } else {
        log_info("a publish window ended path=%s version=%llu", root->config.path,
                 (unsigned long long)sums.version);
        guard_tell(guard, root, SEVERITY_INFO,
                   N_("A publish window of the website ended; what it brought is signed"), why);
    }
    guard_refuse_window(guard, root);
    guard_refuse_anew(guard, root);
    guard_scan(guard, root, true);
}

static void root_check_window(struct guard *guard, struct guard_root *root)
{
    bool was_open = root->window.is_open;
    char why[GRANT_REASON_MAX + GRANT_WHO_MAX + 128];
    int r = webroot_window_read(&root->webroot, &root->window);

    if (r == -ERR_UNTRUSTED) {
        guard_tell(guard, root, SEVERITY_CRITICAL,
                   N_("A publish window of the website was refused: the site's key did not grant "
                      "it"),
                   NULL);
    }
    if (root->window.is_open && clock_wall(&clock_real) >= root->window.until) {
        root_close_window(guard, root);
        return;
    }
    if (root->window.is_open && !was_open) {
        guard_refuse_window(guard, root);
        webroot_window_note_seen(&root->webroot);
        window_describe(root, why, sizeof(why));
        log_info("a publish window is open path=%s", root->config.path);
        guard_tell(guard, root, SEVERITY_INFO, N_("A publish window of the website was opened"),
                   why);
    }
    if (was_open && !root->window.is_open) { /* its files were taken away */
        guard_refuse_window(guard, root);
        guard_scan(guard, root, true);
    }
}

void guard_tend_root(struct guard *guard, struct guard_root *root, int64_t now)
{
    struct stat st;

    root_check_place(guard, root);
    if (!root->is_open) {
        return;
    }
    if (fstatat(root->webroot.folder, "manifests", &st, 0) == 0 &&
        (st.st_mtim.tv_sec != root->manifests_seen.tv_sec ||
         st.st_mtim.tv_nsec != root->manifests_seen.tv_nsec)) {
        root_load(guard, root);
    }
    if (root->webroot.is_signed) {
        root_check_window(guard, root);
    }
    if (now != INT64_MAX && now >= root->next_scan && !root->is_scanning) {
        guard_scan(guard, root, false);
    }
}
