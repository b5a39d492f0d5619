/* canhgac webroot key|sign|verify|status|restore|publish|evidence: a website's document root under
 * a signed manifest, by hand. Works with or without an agent running; the agent's guard takes up
 * what is signed here within moments. Neighbours: agent/webroot.h below, cli/webroot_print.c for
 * what is shown. */
#include "agent/webroot.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/webroot_evidence.h"
#include "cli/webroot_print.h"
#include "sys/fd.h"
#include "sys/user.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>

#define WEBROOT_STORE  "/var/lib/canhgac/webroot"
#define WINDOW_END_NS  (120 * NS_PER_S) /* that a guard may take to sign */
#define WINDOW_SEEN_NS (10 * NS_PER_S)

#define ROW_STORE                                                                                  \
    {"store",                                                                                      \
     0,                                                                                            \
     SETTING_PATH,                                                                                 \
     WEBROOT_STORE,                                                                                \
     NULL,                                                                                         \
     NULL,                                                                                         \
     offsetof(struct webroot_settings, store),                                                     \
     N_("DIR"),                                                                                    \
     N_("where manifests, originals and evidence lie")}
#define ROW_KEY                                                                                    \
    {"key",                                                                                        \
     0,                                                                                            \
     SETTING_PATH,                                                                                 \
     NULL,                                                                                         \
     NULL,                                                                                         \
     NULL,                                                                                         \
     offsetof(struct webroot_settings, key),                                                       \
     N_("FILE"),                                                                                   \
     N_("the private key; by default 'key' in the store")}
#define ROW_JSON                                                                                   \
    {"json",                                                                                       \
     0,                                                                                            \
     SETTING_FLAG,                                                                                 \
     NULL,                                                                                         \
     NULL,                                                                                         \
     NULL,                                                                                         \
     offsetof(struct webroot_settings, is_json),                                                   \
     NULL,                                                                                         \
     N_("print one JSON object a line")}

static const struct setting plain_rows[] = {ROW_STORE, ROW_JSON, {}};
static const struct setting key_rows[] = {
    ROW_STORE,
    ROW_KEY,
    {"force", 'f', SETTING_FLAG, NULL, NULL, NULL, offsetof(struct webroot_settings, is_forced),
     NULL,
     N_("trust this key from now on instead of the one before; all roots must be signed anew")},
    ROW_JSON,
    {},
};
static const struct setting sign_rows[] = {
    ROW_STORE,
    ROW_KEY,
    {"upload", 0, SETTING_LIST, NULL, NULL, NULL, offsetof(struct webroot_settings, uploads),
     N_("GLOB"), N_("folder that visitors write to; repeat it for more")},
    {"content", 0, SETTING_LIST, NULL, NULL, NULL, offsetof(struct webroot_settings, contents),
     N_("GLOB"), N_("folder that the site's own programs write to, as a cache")},
    ROW_JSON,
    {},
};
static const struct setting publish_rows[] = {
    ROW_STORE,
    ROW_KEY,
    {"for", 0, SETTING_NUMBER, "30", "1", "10080", offsetof(struct webroot_settings, minutes),
     N_("MINUTES"), N_("how long changes are accepted")},
    {"reason", 0, SETTING_TEXT, NULL, NULL, NULL, offsetof(struct webroot_settings, reason),
     N_("TEXT"), N_("why; it is kept")},
    {"who", 0, SETTING_TEXT, NULL, NULL, NULL, offsetof(struct webroot_settings, who), N_("NAME"),
     N_("who publishes; by default the user who asks")},
    {"end", 0, SETTING_FLAG, NULL, NULL, NULL, offsetof(struct webroot_settings, is_end), NULL,
     N_("end the window that is open")},
    ROW_JSON,
    {},
};
static const struct setting evidence_rows[] = {
    ROW_STORE,
    {"to", 0, SETTING_PATH, NULL, NULL, NULL, offsetof(struct webroot_settings, to), N_("FILE"),
     N_("where 'export' writes the content; it must not exist")},
    ROW_JSON,
    {},
};

/* ---- what the verbs share */

struct call_root {
    struct webroot_config config;
    struct webroot webroot;
    bool is_open;
};

static void call_root_done(struct call_root *root)
{
    if (root->is_open) {
        webroot_close(&root->webroot);
    }
}

static const char *call_operand(const struct command_call *call)
{
    char *path = (char *)(uintptr_t)call->operands.items[0];
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/') {
        path[--len] = '\0';
    }
    return path;
}

/* The root that the first operand names. An exit status, 0 to go on. */
static int call_open(const struct command_call *call, struct call_root *root)
{
    const struct webroot_settings *settings = call->settings;
    struct diag diag = {{0}};
    int r;

    if (call->operands.count == 0 || call->operands.items[0][0] != '/') {
        return command_fail(EXIT_STATUS_USAGE, _("'webroot %s' wants a document root, from / on"),
                            call->command->name);
    }
    root->config = (struct webroot_config){.store = settings->store, .path = call_operand(call)};
    r = webroot_open(&root->webroot, &root->config, &diag);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r));
    }
    root->is_open = true;
    return 0;
}

/* The same with its manifest. What was refused is said, even if another is in force. */
static int call_load(const struct command_call *call, struct call_root *root)
{
    struct diag diag = {{0}};
    int status = call_open(call, root);
    int r;

    if (status != 0) {
        return status;
    }
    r = webroot_load(&root->webroot, &diag);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r));
    }
    if (diag.text[0] != '\0') {
        (void)command_fail(EXIT_STATUS_CLEAN, "%s", diag.text);
    }
    return 0;
}

static void key_paths(const struct webroot_settings *settings, char private[4096],
                      char public[4096])
{
    (void)snprintf(public, 4096, "%s/key.pub", settings->store);
    if (settings->key != NULL) {
        (void)snprintf(private, 4096, "%s", settings->key);
    } else {
        (void)snprintf(private, 4096, "%s/key", settings->store);
    }
}

/* The private key, which must be the one that the store trusts. */
static int call_key(const struct webroot_settings *settings, const struct webroot *webroot,
                    struct seal_key *key)
{
    char private[4096];
    char public[4096];
    int r;

    key_paths(settings, private, public);
    r = seal_key_read(private, key);
    if (r == -ERR_UNTRUSTED) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("others may read the private key '%s': chmod 600"), private);
    }
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("the private key '%s' cannot be read: %s; make one with canhgac "
                              "webroot key, or name it with --key"),
                            private, err_text(r));
    }
    if (!webroot->has_key || memcmp(key->public, webroot->public, SEAL_KEY_SIZE) != 0) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("'%s' is not the key that this store trusts (%s); to trust it from "
                              "now on: canhgac webroot key --force"),
                            private, public);
    }
    return 0;
}

/* ---- key */

static int key_make(const struct webroot_settings *settings, struct seal_key *key, char *private)
{
    int r;

    if (faccessat(AT_FDCWD, private, F_OK, 0) == 0) {
        r = settings->is_forced ? seal_key_read(private, key) : -ERR_EXIST;
    } else {
        r = seal_key_new(key);
        r = r < 0 ? r : seal_key_write(key, private);
    }
    return r < 0 ? command_fail(EXIT_STATUS_FAILED, _("the private key '%s': %s"), private,
                                err_text(r))
                 : 0;
}

static int key_run(const struct command_call *call)
{
    const struct webroot_settings *settings = call->settings;
    CLEANUP(seal_key_done) struct seal_key key = {0};
    uint8_t id[32];
    char private[4096];
    char public[4096];
    char digits[65];
    int r = folder_make(settings->store, 0700, (uid_t)-1, (gid_t)-1);

    key_paths(settings, private, public);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("the store '%s' cannot be made: %s; run as root"),
                            settings->store, err_text(r));
    }
    if (!settings->is_forced && faccessat(AT_FDCWD, public, F_OK, 0) == 0) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("this store trusts the key '%s' already; --force replaces it"),
                            public);
    }
    r = key_make(settings, &key, private);
    if (r != 0) {
        return r;
    }
    r = seal_public_write(key.public, public);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s: %s", public, err_text(r));
    }
    seal_key_id(key.public, id);
    hex_encode(id, sizeof(id), digits);
    webroot_print_key(settings->is_json, private, public, digits);
    return EXIT_STATUS_CLEAN;
}

/* ---- sign */

static int sign_run(const struct command_call *call)
{
    const struct webroot_settings *settings = call->settings;
    CLEANUP(call_root_done) struct call_root root = {0};
    CLEANUP(seal_key_done) struct seal_key key = {0};
    struct webroot_plants plants = {.is_json = settings->is_json};
    struct webroot_signing signing = {.key = &key,
                                      .until = INT64_MAX,
                                      .uploads = &settings->uploads,
                                      .contents = &settings->contents,
                                      .context = &plants,
                                      .plant = webroot_print_plant};
    struct webroot_signed sums = {0};
    struct diag diag = {{0}};
    char who[USER_NAME_MAX];
    int r = call_open(call, &root);

    r = r != 0 ? r : call_key(settings, &root.webroot, &key);
    if (r != 0) {
        return r;
    }
    (void)!webroot_load(&root.webroot, &(struct diag){{0}}); /* the first time there is none */
    r = webroot_sign(&root.webroot, &signing, &sums, &diag);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r));
    }
    (void)!user_name(getuid(), who, sizeof(who));
    webroot_note(&root.webroot, "signed", sums.version, str_from(who), STR(""));
    webroot_print_signed(settings->is_json, root.config.path, &sums, &plants);
    return EXIT_STATUS_CLEAN;
}

/* ---- verify, restore */

struct verify_view {
    struct webroot *webroot;
    struct evidence *evidence; /* NULL: nothing is restored */
    struct str below;          /* only this path and what is under it */
    bool is_json;
    uint64_t met; /* signed or there, of it */
    uint64_t differences;
    uint64_t restored;
    uint64_t failed;
};

static void verify_on_taken(void *context, struct str path, int folder, const char *name)
{
    struct verify_view *view = context;
    struct evidence_record record = {.time = clock_wall(&clock_real),
                                     .root = str_from(view->webroot->path),
                                     .path = path,
                                     .what = STR("web_changed")};
    uint64_t number = 0;

    (void)!webroot_bury(view->evidence, folder, name, false, &record, &number);
}

static bool is_below(struct str path, struct str folder)
{
    return folder.len == 0 || (str_has_prefix(path, folder) &&
                               (path.len == folder.len || path.ptr[folder.len] == '/'));
}

static int verify_repair(struct verify_view *view, struct str path,
                         const struct manifest_entry *entry, int differences)
{
    const struct webroot_taker taker = {view, verify_on_taken};
    int r = entry != NULL ? webroot_put_back(view->webroot, entry, (unsigned)differences, &taker)
                          : webroot_take_out(view->webroot, path, &taker);

    view->restored += r >= 0 ? 1U : 0U;
    view->failed += r < 0 ? 1U : 0U;
    return r;
}

static bool verify_met(void *context, struct str path, bool is_folder, bool is_there)
{
    struct verify_view *view = context;
    const struct manifest_entry *entry = manifest_find(&view->webroot->manifest, path);
    enum manifest_class class =
        entry != NULL ? entry->class : class_of(&view->webroot->rules, path);
    struct stat st = {0};
    int differences = webroot_compare(view->webroot, path, entry, UINT64_MAX, &st);
    unsigned plants = 0;
    int r = 0;

    if (entry == NULL && class != MANIFEST_CLASS_FIXED && differences == WEBROOT_ADDED) {
        int found = webroot_plants(view->webroot, path, &st);

        plants = found > 0 ? plant_that_runs((unsigned)found, class) : 0;
    }
    view->met += is_below(path, view->below); /* also what visitors write, which is never signed */
    if (class != MANIFEST_CLASS_FIXED && plants == 0) {
        return is_folder && is_there;
    }
    if (differences != 0 && is_below(path, view->below)) {
        view->differences++;
        view->failed += differences < 0 ? 1U : 0U;
        if (view->evidence != NULL && differences > 0) {
            r = verify_repair(view, path, entry, differences);
        }
        webroot_print_difference(view->is_json, view->webroot->path, path, differences, plants,
                                 view->evidence != NULL ? r : -ERR_AGAIN);
    }
    return is_folder && is_there && (differences & (WEBROOT_ADDED | WEBROOT_KIND)) == 0;
}

static int verify_walk(struct verify_view *view)
{
    struct webroot_scan *scan = NULL;
    int r = webroot_scan_new(view->webroot, verify_met, view, &scan);

    r = r < 0 ? r : webroot_scan_add(scan, str_of("", 0));
    while (r >= 0 && (r = webroot_scan_step(scan, NS_PER_S)) == 1) {
        /* until all was met */
    }
    webroot_scan_free(scan);
    return r;
}

static int verify_run(const struct command_call *call)
{
    const struct webroot_settings *settings = call->settings;
    CLEANUP(call_root_done) struct call_root root = {0};
    struct verify_view view = {.webroot = &root.webroot, .is_json = settings->is_json};
    int r = call_load(call, &root);

    r = r != 0 ? r : verify_walk(&view);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("'%s' could not be compared to its end: %s"),
                            root.config.path, err_text(r));
    }
    if (r != 0) {
        return r;
    }
    webroot_print_verified(settings->is_json, &root.webroot, view.differences);
    return view.differences != 0 ? EXIT_STATUS_FOUND : EXIT_STATUS_CLEAN;
}

static int restore_run(const struct command_call *call)
{
    const struct webroot_settings *settings = call->settings;
    CLEANUP(call_root_done) struct call_root root = {0};
    CLEANUP(closep) int store = -1;
    struct evidence evidence;
    struct verify_view view = {
        .webroot = &root.webroot,
        .evidence = &evidence,
        .is_json = settings->is_json,
        .below = str_from(call->operands.count > 1 ? call->operands.items[1] : "")};
    int r = call_load(call, &root);

    if (r != 0) {
        return r;
    }
    if (!manifest_is_path(view.below)) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("'%s' is no path below the document root, as css/site.css is one"),
                            call->operands.items[1]);
    }
    store = open(settings->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    r = store >= 0 ? evidence_open(store, WEBROOT_EVIDENCE_MAX, &evidence) : -errno;
    if (r == 0) {
        r = verify_walk(&view);
        evidence_close(&evidence);
    }
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("'%s' could not be compared to its end: %s"),
                            root.config.path, err_text(r));
    }
    if (view.met == 0 && view.below.len != 0) {
        return command_fail(EXIT_STATUS_FAILED, _("'%s' is neither signed nor there"),
                            call->operands.items[1]);
    }
    webroot_print_restored(settings->is_json, root.config.path, view.restored, view.failed);
    return view.failed != 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}

/* ---- status */

static int status_run(const struct command_call *call)
{
    const struct webroot_settings *settings = call->settings;
    CLEANUP(call_root_done) struct call_root root = {0};
    struct webroot_window window = {0};
    struct diag diag = {{0}};
    int r = call_open(call, &root);

    if (r != 0) {
        return r;
    }
    r = webroot_load(&root.webroot, &diag);
    if (r == 0) {
        (void)!webroot_window_read(&root.webroot, &window);
    }
    webroot_print_status(settings->is_json, &root.webroot, &window, diag.text);
    webroot_window_done(&window);
    return diag.text[0] != '\0' ? EXIT_STATUS_FOUND : EXIT_STATUS_CLEAN;
}

/* ---- publish */

static bool window_is_gone(const struct webroot *webroot)
{
    return faccessat(webroot->folder, "publish", F_OK, AT_SYMLINK_NOFOLLOW) != 0;
}

static bool window_is_seen(const struct webroot *webroot)
{
    return faccessat(webroot->folder, "publish.seen", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Until the guard has written or taken away a file of the window; it tells by that. */
static int window_await(const struct webroot *webroot, bool (*is_done)(const struct webroot *),
                        int64_t most)
{
    int64_t end = clock_mono(&clock_real) + most;
    CLEANUP(closep) int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    struct pollfd wait = {.fd = watch, .events = POLLIN};
    char folder[MANIFEST_PATH_MAX + 64];
    char events[4096];

    webroot_folder(webroot->config, folder, sizeof(folder));
    if (watch < 0 ||
        inotify_add_watch(watch, folder, IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO) < 0) {
        return -errno;
    }
    while (webroot_is_guarded(webroot) && !is_done(webroot)) {
        int64_t left = end - clock_mono(&clock_real);

        if (left <= 0) {
            return -ERR_TIMEDOUT;
        }
        (void)poll(&wait, 1, (int)(left < NS_PER_S ? left / NS_PER_MS + 1 : 1000));
        (void)!read(watch, events, sizeof(events));
    }
    return 0;
}

/* The guard signs, if one is there; else we do. */
static int publish_end(const struct webroot_settings *settings, struct call_root *root)
{
    struct webroot_window window = {0};
    struct webroot_signed sums = {0};
    struct diag diag = {{0}};
    int r = webroot_window_end(&root->webroot);

    if (r == -ERR_NOENT) {
        return command_fail(EXIT_STATUS_FAILED, _("no publish window of '%s' is open"),
                            root->config.path);
    }
    r = r < 0 ? r : window_await(&root->webroot, window_is_gone, WINDOW_END_NS);
    if (r == 0 && !window_is_gone(&root->webroot)) {
        r = webroot_window_read(&root->webroot, &window);
        r = r < 0 ? r : webroot_window_close(&root->webroot, &window, &sums, &diag);
    }
    r = r < 0 ? r : webroot_load(&root->webroot, &diag);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r));
    }
    webroot_print_published(settings->is_json, &root->webroot);
    return EXIT_STATUS_CLEAN;
}

static int publish_run(const struct command_call *call)
{
    const struct webroot_settings *settings = call->settings;
    CLEANUP(call_root_done) struct call_root root = {0};
    CLEANUP(seal_key_done) struct seal_key key = {0};
    struct grant grant = {.from = clock_wall(&clock_real)};
    struct diag diag = {{0}};
    char who[USER_NAME_MAX] = "";
    int r = call_load(call, &root);

    if (r != 0) {
        return r;
    }
    if (settings->is_end) {
        return publish_end(settings, &root);
    }
    if (settings->reason == NULL || strlen(settings->reason) > GRANT_REASON_MAX) {
        return command_fail(EXIT_STATUS_USAGE, _("say why with --reason, in %d bytes at most"),
                            GRANT_REASON_MAX);
    }
    r = call_key(settings, &root.webroot, &key);
    if (r != 0) {
        return r;
    }
    (void)!user_name(getuid(), who, sizeof(who));
    grant.until = grant.from + settings->minutes * 60 * NS_PER_S;
    grant.who = str_slice(str_from(settings->who != NULL ? settings->who : who), 0, GRANT_WHO_MAX);
    grant.reason = str_from(settings->reason);
    r = webroot_window_grant(&root.webroot, &key, &grant, &diag);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r));
    }
    webroot_print_window(settings->is_json, root.config.path, &grant,
                         webroot_is_guarded(&root.webroot));
    if (window_await(&root.webroot, window_is_seen, WINDOW_SEEN_NS) < 0) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("the agent has not taken up the window yet: what is changed now is "
                              "undone; look with canhgac webroot status"));
    }
    return EXIT_STATUS_CLEAN;
}

#define VERB(verb, line, words, verb_rows, text)                                                   \
    {.name = #verb,                                                                                \
     .summary = (line),                                                                            \
     .operands = (words),                                                                          \
     .details = (text),                                                                            \
     .rows = (verb_rows),                                                                          \
     .settings_size = sizeof(struct webroot_settings),                                             \
     .run = verb##_run}

static const struct command webroot_verbs[] = {
    VERB(key, N_("Make the key that manifests are signed with"), NULL, key_rows,
         N_("The private half may lie on another medium (--key FILE): the guard does without it. "
            "The store trusts the public half.")),
    VERB(sign, N_("Sign a document root as it is now"), N_("ROOT"), sign_rows,
         N_("Every file is fixed, but for folders that visitors (--upload) or the site's own "
            "programs (--content) write to; upload, uploads, cache, tmp and the like are known. "
            "What can execute in an upload folder is listed and signed as it is: look at it "
            "first.")),
    VERB(verify, N_("Say how a document root differs from its manifest"), N_("ROOT"), plain_rows,
         N_("Exit status 1 when it does.")),
    VERB(status, N_("Show which manifest is in force"), N_("ROOT"), plain_rows, NULL),
    VERB(restore, N_("Put a document root back as it was signed"), N_("ROOT [PATH]"), plain_rows,
         N_("What is replaced or taken out is kept as evidence. PATH is below the root.")),
    VERB(publish, N_("Let editors change a document root for a while"), N_("ROOT"), publish_rows,
         N_("Changes made until the window ends are accepted and signed at its end as a new "
            "version. The window ends by itself, or with --end.")),
    {.name = "evidence",
     .summary = N_("Show what attackers left in document roots"),
     .operands = N_("list | show NUMBER | export NUMBER"),
     .rows = evidence_rows,
     .settings_size = sizeof(struct webroot_settings),
     .run = webroot_evidence_run},
    {},
};

const struct command webroot_command = {
    .name = "webroot",
    .summary = N_("Keep a website's files as they were signed"),
    .verbs = webroot_verbs,
};
