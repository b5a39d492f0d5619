/* A document root in a scratch folder: keys, blobs, evidence, signing, what is refused, and putting
 * back. What needs a process that listens is in tests/webroot. */
#include "harness.h"

#include "agent/webroot.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stage {
    char folder[64];
    char root[80];
    char store[80];
    struct webroot_config config;
    struct seal_key key;
};

static void write_file(const char *folder, const char *name, const char *content)
{
    char path[512];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(fd_write_full(fd, content, strlen(content)), 0);
    assert_int_equal(close(fd), 0);
}

static void assert_content(const char *folder, const char *name, const char *content)
{
    char path[512];
    struct buf buf;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    buf_init(&buf, 4096);
    assert_int_equal(file_read_all(AT_FDCWD, path, &buf), 0);
    assert_str(buf_str(&buf), content);
    buf_done(&buf);
}

static void make_folder(const char *folder, const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static int stage_setup(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    char path[128];

    assert_non_null(stage);
    (void)snprintf(stage->folder, sizeof(stage->folder), "/tmp/canhgac-test-XXXXXX");
    assert_non_null(mkdtemp(stage->folder));
    (void)snprintf(stage->root, sizeof(stage->root), "%s/www", stage->folder);
    (void)snprintf(stage->store, sizeof(stage->store), "%s/store", stage->folder);
    make_folder(stage->folder, "www");
    make_folder(stage->folder, "store");
    make_folder(stage->root, "css");
    make_folder(stage->root, "uploads");
    write_file(stage->root, "index.html", "trang chủ");
    write_file(stage->root, "css/site.css", "body {}");
    write_file(stage->root, "uploads/anh.jpg", "jpg");
    (void)snprintf(path, sizeof(path), "%s/style", stage->root);
    assert_int_equal(symlink("css/site.css", path), 0);
    stage->config = (struct webroot_config){.store = stage->store, .path = stage->root};
    assert_int_equal(seal_key_new(&stage->key), 0);
    (void)snprintf(path, sizeof(path), "%s/key.pub", stage->store);
    assert_int_equal(seal_public_write(stage->key.public, path), 0);
    *state = stage;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int stage_teardown(void **state)
{
    struct stage *stage = *state;
    int r = nftw(stage->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);

    free(stage);
    return r;
}

static void sign(struct stage *stage, const struct seal_key *key)
{
    const struct webroot_signing signing = {.key = key, .until = INT64_MAX};
    struct webroot_signed sums;
    struct webroot webroot;
    struct diag diag = {{0}};

    assert_int_equal(webroot_open(&webroot, &stage->config, &diag), 0);
    (void)!webroot_load(&webroot, &(struct diag){{0}});
    assert_int_equal(webroot_sign(&webroot, &signing, &sums, &diag), 0);
    webroot_close(&webroot);
}

static void open_loaded(struct stage *stage, struct webroot *webroot)
{
    struct diag diag = {{0}};

    assert_int_equal(webroot_open(webroot, &stage->config, &diag), 0);
    assert_int_equal(webroot_load(webroot, &diag), 0);
    assert_string_equal(diag.text, "");
}

static void version_path(const struct stage *stage, unsigned version, char out[512])
{
    char folder[256];

    webroot_folder(&stage->config, folder, sizeof(folder));
    (void)snprintf(out, 512, "%s/manifests/%020u", folder, version);
}

/* ---- keys and blobs */

static void test_keys(void **state)
{
    struct stage *stage = *state;
    struct seal_key back;
    uint8_t signature[SEAL_SIGNATURE_SIZE];
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/key", stage->store);
    assert_int_equal(seal_key_write(&stage->key, path), 0);
    assert_int_equal(seal_key_write(&stage->key, path), -ERR_EXIST);
    assert_int_equal(seal_key_read(path, &back), 0);
    assert_memory_equal(&back, &stage->key, sizeof(back));
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(seal_key_read(path, &back), -ERR_UNTRUSTED);
    write_file(stage->store, "noise", "-----BEGIN PRIVATE KEY-----\nnoise\n");
    (void)snprintf(path, sizeof(path), "%s/noise", stage->store);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(seal_key_read(path, &back), -ERR_SYNTAX);

    assert_int_equal(seal_sign(&stage->key, "one", STR("text"), signature), 0);
    assert_true(seal_is_genuine(stage->key.public, "one", STR("text"), signature));
    assert_false(seal_is_genuine(stage->key.public, "other", STR("text"), signature));
    assert_false(seal_is_genuine(stage->key.public, "one", STR("texT"), signature));
    signature[7] ^= 1;
    assert_false(seal_is_genuine(stage->key.public, "one", STR("text"), signature));
}

static bool wants_first(void *context, const uint8_t sha256[32])
{
    return memcmp(context, sha256, 32) == 0;
}

static void test_blobs(void **state)
{
    struct stage *stage = *state;
    CLEANUP(closep) int parent = open(stage->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(closep) int file = -1;
    CLEANUP(closep) int back = -1;
    struct blobs blobs;
    uint8_t sha256[32];
    uint8_t other[32];
    uint8_t again[32];
    uint64_t size = 0;
    uint64_t bytes = 0;
    struct stat st;

    file = open(stage->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    back = openat(file, "index.html", O_RDONLY | O_CLOEXEC);
    assert_int_equal(blobs_open(parent, "base", &blobs), 0);
    assert_int_equal(blobs_put(&blobs, back, sha256, &size), 0);
    assert_int_equal(size, strlen("trang chủ"));
    assert_int_equal(blobs_put(&blobs, back, again, &size), 0);
    assert_memory_equal(sha256, again, 32);
    seal_digest(str_from("trang chủ"), again);
    assert_memory_equal(sha256, again, 32);
    assert_int_equal(blobs_put_bytes(&blobs, "x", 1, other), 0);
    closep(&back);
    back = blobs_get(&blobs, sha256);
    assert_true(back >= 0);
    assert_int_equal(fstat(back, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0400);
    assert_int_equal(blobs_sweep(&blobs, wants_first, sha256, &bytes), 0);
    assert_int_equal(bytes, size);
    assert_true(blobs_has(&blobs, sha256));
    assert_false(blobs_has(&blobs, other));
    assert_int_equal(blobs_get(&blobs, other), -ERR_NOENT);
    blobs_close(&blobs);
}

static int count_one(void *context, const struct evidence_record *record)
{
    unsigned *count = context;

    assert_int_equal(record->number, ++*count);
    return 0;
}

/* Numbers go on after a restart; what passes the limit is noted without its content. */
static void test_evidence(void **state)
{
    struct stage *stage = *state;
    CLEANUP(closep) int parent = open(stage->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(closep) int page = -1;
    struct evidence_record record = {
        .time = 5, .root = STR("/w"), .path = STR("x.php"), .what = STR("web_added"), .pid = 7};
    struct evidence_record back;
    struct evidence evidence;
    struct arena *arena = NULL;
    uint64_t damaged = 0;
    unsigned count = 0;
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/index.html", stage->root);
    page = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    assert_int_equal(evidence_open(parent, 15, &evidence), 0);
    assert_int_equal(evidence_take(&evidence, page, &record), 0);
    assert_true(record.has_content);
    assert_int_equal(evidence_take(&evidence, page, &record), 0);
    assert_false(record.has_content);
    assert_int_equal(record.result, -ERR_FULL);
    assert_int_equal(evidence_take(&evidence, -1, &record), 0);
    evidence_close(&evidence);

    assert_int_equal(evidence_open(parent, 1 << 20, &evidence), 0);
    assert_int_equal(evidence_take(&evidence, page, &record), 0);
    assert_int_equal(record.number, 4);
    assert_int_equal(evidence_get(&evidence, 1, arena, &back), 0);
    assert_str(back.path, "x.php");
    assert_int_equal(back.pid, 7);
    assert_int_equal(back.size, strlen("trang chủ"));
    assert_int_equal(evidence_get(&evidence, 9, arena, &back), -ERR_NOENT);
    assert_int_equal(evidence_each(&evidence, arena, count_one, &count, &damaged), 0);
    assert_int_equal(count, 4);
    assert_int_equal(damaged, 0);
    (void)snprintf(path, sizeof(path), "%s/evidence/records/%020u", stage->store, 4U);
    assert_int_equal(truncate(path, 20), 0);
    count = 0;
    assert_int_equal(evidence_each(&evidence, arena, count_one, &count, &damaged), 0);
    assert_int_equal(count, 3);
    assert_int_equal(damaged, 1);
    evidence_close(&evidence);
    arena_free(arena);
}

/* ---- manifests */

static void test_signs(void **state)
{
    struct stage *stage = *state;
    const struct manifest_entry *entry;
    struct webroot webroot;
    struct diag diag = {{0}};

    assert_int_equal(webroot_open(&webroot, &stage->config, &diag), 0);
    assert_int_equal(webroot_load(&webroot, &diag), -ERR_NOENT);
    assert_non_null(strstr(diag.text, "canhgac webroot sign"));
    webroot_close(&webroot);
    sign(stage, &stage->key);
    sign(stage, &stage->key);
    open_loaded(stage, &webroot);
    assert_int_equal(webroot.manifest.version, 2);
    assert_int_equal(webroot.highest, 2);
    entry = manifest_find(&webroot.manifest, STR("css/site.css"));
    assert_non_null(entry);
    assert_int_equal(entry->size, strlen("body {}"));
    assert_true(blobs_has(&webroot.base, entry->sha256));
    assert_non_null(manifest_find(&webroot.manifest, STR("style")));
    assert_null(manifest_find(&webroot.manifest, STR("uploads/anh.jpg")));
    assert_int_equal(webroot_compare(&webroot, STR("css/site.css"), entry, UINT64_MAX, NULL), 0);
    webroot_close(&webroot);
}

static void assert_refused(struct stage *stage, unsigned in_force, const char *sentence)
{
    struct webroot webroot;
    struct diag diag = {{0}};
    int r;

    assert_int_equal(webroot_open(&webroot, &stage->config, &diag), 0);
    r = webroot_load(&webroot, &diag);
    if (strstr(diag.text, sentence) == NULL) {
        fail_msg("'%s' does not say '%s'", diag.text, sentence);
    }
    assert_int_equal(r == 0 ? webroot.manifest.version : 0, in_force);
    webroot_close(&webroot);
}

/* Each stands beside the one in force, or in its place. */
static void test_refuses(void **state)
{
    struct stage *stage = *state;
    struct seal_key stranger;
    struct webroot webroot;
    char newest[512];
    char other[512];
    char kept[512];

    text_set_language(LANGUAGE_EN);
    for (unsigned i = 0; i < 3; i++) {
        sign(stage, &stage->key);
    }
    version_path(stage, 3, newest);
    (void)snprintf(kept, sizeof(kept), "%s/kept", stage->folder);
    assert_int_equal(rename(newest, kept), 0);
    assert_refused(stage, 0, "manifest 2 of"); /* rolled back */
    assert_refused(stage, 0, "is older than version 3");
    version_path(stage, 2, other);
    assert_int_equal(link(other, newest), 0); /* an older one under the newest's name */
    assert_refused(stage, 0, "was signed for version 2");
    assert_int_equal(unlink(newest), 0);
    assert_int_equal(rename(kept, newest), 0);
    version_path(stage, 4, other);
    write_file("/", other + 1, "\x84noise");
    assert_refused(stage, 3, "manifest 4 of");
    assert_int_equal(unlink(other), 0);

    assert_int_equal(seal_key_new(&stranger), 0);
    (void)snprintf(kept, sizeof(kept), "%s/key.pub", stage->store);
    assert_int_equal(seal_public_write(stranger.public, kept), 0);
    assert_refused(stage, 0, "is not signed by the key of this store");
    assert_int_equal(seal_public_write(stage->key.public, kept), 0);
    open_loaded(stage, &webroot);
    assert_int_equal(webroot.manifest.version, 3);
    webroot_close(&webroot);
}

/* The same number signed twice: the one that was in force counts. */
static void test_refuses_twin(void **state)
{
    struct stage *stage = *state;
    char folder[256];
    char highest[300];
    char one[512];
    char kept[512];

    text_set_language(LANGUAGE_EN);
    sign(stage, &stage->key);
    version_path(stage, 1, one);
    webroot_folder(&stage->config, folder, sizeof(folder));
    (void)snprintf(highest, sizeof(highest), "%s/highest", folder);
    (void)snprintf(kept, sizeof(kept), "%s/kept", stage->folder);
    assert_int_equal(rename(highest, kept), 0);
    assert_int_equal(unlink(one), 0);
    write_file(stage->root, "index.html", "another day");
    sign(stage, &stage->key); /* version 1 once more */
    assert_int_equal(rename(kept, highest), 0);
    assert_refused(stage, 0, "is another than the version 1");
}

/* ---- comparing and putting back */

struct taken {
    unsigned count;
    struct evidence *evidence;
};

static void on_taken(void *context, struct str path, int folder, const char *name)
{
    struct taken *taken = context;
    struct evidence_record record = {.path = path};
    uint64_t number = 0;

    taken->count++;
    assert_int_equal(webroot_bury(taken->evidence, folder, name, true, &record, &number), 0);
    assert_true(number != 0);
}

static void put_back(struct webroot *webroot, const char *path, unsigned want,
                     const struct webroot_taker *taker)
{
    const struct manifest_entry *entry = manifest_find(&webroot->manifest, str_from(path));
    int differences = webroot_compare(webroot, str_from(path), entry, UINT64_MAX, NULL);

    assert_non_null(entry);
    assert_int_equal(differences, want);
    assert_true(webroot_put_back(webroot, entry, (unsigned)differences, taker) >= 0);
    assert_int_equal(webroot_compare(webroot, str_from(path), entry, UINT64_MAX, NULL), 0);
}

static void test_puts_back(void **state)
{
    struct stage *stage = *state;
    CLEANUP(closep) int parent = open(stage->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct evidence evidence;
    struct taken taken = {.evidence = &evidence};
    const struct webroot_taker taker = {&taken, on_taken};
    struct webroot webroot;
    char path[512];
    char other[512];

    sign(stage, &stage->key);
    open_loaded(stage, &webroot);
    assert_int_equal(evidence_open(parent, 1 << 20, &evidence), 0);
    write_file(stage->root, "index.html", "hacked by x");
    put_back(&webroot, "index.html", WEBROOT_CONTENT | WEBROOT_MTIME, &taker);
    assert_content(stage->root, "index.html", "trang chủ");
    assert_int_equal(taken.count, 1);

    (void)snprintf(path, sizeof(path), "%s/css/site.css", stage->root);
    assert_int_equal(chmod(path, 04777), 0);
    put_back(&webroot, "css/site.css", WEBROOT_MODE, &taker);
    assert_int_equal(unlink(path), 0);
    put_back(&webroot, "css/site.css", WEBROOT_MISSING, &taker);
    assert_int_equal(taken.count, 2);

    /* the folder becomes a link to one outside: nothing there may be touched */
    (void)snprintf(path, sizeof(path), "%s/css", stage->root);
    (void)snprintf(other, sizeof(other), "%s/outside", stage->folder);
    assert_int_equal(rename(path, other), 0);
    write_file(other, "site.css", "not yours");
    assert_int_equal(symlink(other, path), 0);
    put_back(&webroot, "css/site.css", WEBROOT_MISSING, &taker);
    assert_content(other, "site.css", "not yours");
    assert_content(path, "site.css", "body {}");

    (void)snprintf(path, sizeof(path), "%s/style", stage->root);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0777), 0);
    write_file(path, "x.php", "<?php");
    put_back(&webroot, "style", WEBROOT_KIND, &taker);
    assert_int_equal(webroot_take_out(&webroot, STR("uploads/anh.jpg"), &taker), 0);
    assert_int_equal(webroot_take_out(&webroot, STR("uploads/anh.jpg"), &taker), -ERR_NOENT);
    assert_int_equal(evidence.number, 6); /* page, mode, link, folder and what was in it, picture */
    evidence_close(&evidence);
    webroot_close(&webroot);
}

static void no_taker(void *context, struct str path, int folder, const char *name)
{
    (void)context;
    (void)folder;
    fail_msg("%.*s was taken as %s", STR_ARG(path), name);
}

/* A page must never be put back from a copy that is not what was signed. */
static void test_damaged_base(void **state)
{
    struct stage *stage = *state;
    const struct webroot_taker taker = {NULL, no_taker};
    const struct manifest_entry *entry;
    struct webroot webroot;
    CLEANUP(closep) int base = -1;
    CLEANUP(closep) int writable = -1;

    sign(stage, &stage->key);
    open_loaded(stage, &webroot);
    entry = manifest_find(&webroot.manifest, STR("index.html"));
    base = blobs_get(&webroot.base, entry->sha256);
    assert_true(base >= 0);
    assert_int_equal(fchmod(base, 0600), 0);
    writable = fd_reopen(base, O_WRONLY);
    assert_int_equal(fd_write_full(writable, "T", 1), 0);
    write_file(stage->root, "index.html", "hacked");
    assert_int_equal(webroot_put_back(&webroot, entry, WEBROOT_CONTENT, &taker), -ERR_CORRUPT);
    assert_content(stage->root, "index.html", "hacked");
    webroot_close(&webroot);
}

/* ---- windows */

static void test_window(void **state)
{
    struct stage *stage = *state;
    struct webroot_window window = {0};
    struct webroot_signed sums = {0};
    struct webroot webroot;
    struct diag diag = {{0}};
    struct grant grant = {.from = clock_wall(&clock_real), .who = STR("an"), .reason = STR("tin")};

    sign(stage, &stage->key);
    open_loaded(stage, &webroot);
    grant.until = grant.from + 60 * NS_PER_S;
    assert_int_equal(webroot_window_end(&webroot), -ERR_NOENT);
    assert_int_equal(webroot_window_grant(&webroot, &stage->key, &grant, &diag), 0);
    assert_int_equal(webroot_window_grant(&webroot, &stage->key, &grant, &diag), -ERR_EXIST);
    write_file(stage->root, "index.html", "trang mới");
    assert_int_equal(webroot_window_read(&webroot, &window), 0);
    assert_true(window.is_open);
    assert_str(window.grant.reason, "tin");
    assert_int_equal(webroot_window_close(&webroot, &window, &sums, &diag), 0);
    assert_int_equal(sums.version, 2);
    assert_int_equal(webroot_window_read(&webroot, &window), 0);
    assert_false(window.is_open);
    webroot_close(&webroot);

    open_loaded(stage, &webroot); /* signed by the window's key, which the site's key vouched for */
    assert_int_equal(webroot.manifest.version, 2);
    assert_int_equal(webroot_compare(&webroot, STR("index.html"),
                                     manifest_find(&webroot.manifest, STR("index.html")),
                                     UINT64_MAX, NULL),
                     0);
    webroot_close(&webroot);
}

/* What is changed after the end is not signed, however late the signing comes. */
static void test_window_is_over(void **state)
{
    struct stage *stage = *state;
    struct webroot_window window = {0};
    struct webroot_signed sums = {0};
    struct webroot webroot;
    struct diag diag = {{0}};
    struct grant grant = {.who = STR("an"), .reason = STR("tin")};

    sign(stage, &stage->key);
    open_loaded(stage, &webroot);
    grant.until = clock_wall(&clock_real) - 3600 * NS_PER_S;
    assert_int_equal(webroot_window_grant(&webroot, &stage->key, &grant, &diag), 0);
    write_file(stage->root, "index.html", "too late");
    write_file(stage->root, "new.php", "too late");
    assert_int_equal(webroot_window_read(&webroot, &window), 0);
    assert_int_equal(webroot_window_close(&webroot, &window, &sums, &diag), 0);
    assert_null(manifest_find(&webroot.manifest, STR("new.php")));
    assert_int_equal(webroot_compare(&webroot, STR("index.html"),
                                     manifest_find(&webroot.manifest, STR("index.html")),
                                     UINT64_MAX, NULL) &
                         WEBROOT_CONTENT,
                     WEBROOT_CONTENT);
    webroot_close(&webroot);
}

static void test_foreign_window(void **state)
{
    struct stage *stage = *state;
    struct webroot_window window = {0};
    struct seal_key stranger;
    struct webroot webroot;
    struct diag diag = {{0}};
    struct grant grant = {.until = INT64_MAX, .who = STR("x"), .reason = STR("y")};

    assert_int_equal(seal_key_new(&stranger), 0);
    sign(stage, &stage->key);
    open_loaded(stage, &webroot);
    assert_int_equal(webroot_window_grant(&webroot, &stranger, &grant, &diag), 0);
    assert_int_equal(webroot_window_read(&webroot, &window), -ERR_UNTRUSTED);
    assert_false(window.is_open);
    assert_int_equal(webroot_window_read(&webroot, &window), 0); /* put aside */
    assert_false(window.is_open);
    webroot_close(&webroot);
}

/* Size, mode and time are forged back: what was changed long before a window is not of the window,
 * and must not be signed with it. */
static void test_window_signs_nothing_older(void **state)
{
    struct stage *stage = *state;
    struct webroot_window window = {0};
    struct webroot_signed sums;
    struct webroot webroot;
    struct diag diag = {{0}};
    int64_t later = clock_wall(&clock_real) + 3 * 3600 * NS_PER_S;
    struct grant grant = {
        .from = later, .until = INT64_MAX, .who = STR("biên tập"), .reason = STR("tin")};
    const struct manifest_entry *entry;
    struct timespec times[2];
    struct stat before;
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/css/site.css", stage->root);
    assert_int_equal(stat(path, &before), 0);
    sign(stage, &stage->key);
    write_file(stage->root, "css/site.css", "body ()");
    times[0] = times[1] = before.st_mtim;
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    write_file(stage->root, "index.html", "trang mới");
    open_loaded(stage, &webroot);
    assert_int_equal(webroot_window_grant(&webroot, &stage->key, &grant, &diag), 0);
    assert_int_equal(webroot_window_read(&webroot, &window), 0);
    assert_int_equal(webroot_window_close(&webroot, &window, &sums, &diag), 0);
    entry = manifest_find(&webroot.manifest, STR("css/site.css"));
    assert_non_null(entry);
    assert_int_equal(webroot_compare(&webroot, entry->path, entry, UINT64_MAX, NULL),
                     WEBROOT_CONTENT);
    entry = manifest_find(&webroot.manifest, STR("index.html"));
    assert_non_null(entry);
    assert_int_equal(webroot_compare(&webroot, entry->path, entry, UINT64_MAX, NULL), 0);
    webroot_close(&webroot);
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, stage_setup, stage_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(test_keys),           STAGED(test_blobs),
        STAGED(test_evidence),       STAGED(test_signs),
        STAGED(test_refuses),        STAGED(test_refuses_twin),
        STAGED(test_puts_back),      STAGED(test_damaged_base),
        STAGED(test_window),         STAGED(test_window_is_over),
        STAGED(test_foreign_window), STAGED(test_window_signs_nothing_older),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
