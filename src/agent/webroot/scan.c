/* A walk that can be left and taken up again: a queue of folders, one of them open. A whole scan
 * marks what it met, so that what is missing is found at its end. */
#include "agent/webroot.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/time.h"
#include "sys/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#define SCAN_FOLDERS_MAX 1000000
#define SCAN_LOOK        16 /* names between two looks at the clock */

struct scan_folder {
    struct list link;
    bool is_entries;  /* not the folder is walked, but the manifest's entries at and below it */
    size_t at;        /* of them, the next */
    uint64_t version; /* of the manifest that at counts in */
    size_t len;
    char path[];
};

struct webroot_scan {
    struct webroot *webroot;
    webroot_met_fn *fn;
    void *context;
    struct list folders;
    size_t folder_count;
    DIR *dir;
    int fd;                       /* its descriptor, which it owns */
    char path[MANIFEST_PATH_MAX]; /* of the open folder, and of what is in it */
    size_t path_len;
    uint8_t *met; /* a bit an entry; NULL: no whole scan under way */
    size_t met_entries;
    size_t missing_at;
    uint64_t version; /* of the manifest that met counts */
};

int webroot_scan_new(struct webroot *webroot, webroot_met_fn *fn, void *context,
                     struct webroot_scan **ret_scan)
{
    struct webroot_scan *scan = mem_alloc(1, sizeof(*scan));

    if (scan == NULL) {
        return -ERR_NOMEM;
    }
    scan->webroot = webroot;
    scan->fn = fn;
    scan->context = context;
    list_init(&scan->folders);
    *ret_scan = scan;
    return 0;
}

static void scan_drop(struct webroot_scan *scan)
{
    LIST_EACH (node, &scan->folders) {
        list_remove(node);
        mem_free(LIST_ENTRY(node, struct scan_folder, link));
    }
    scan->folder_count = 0;
    if (scan->dir != NULL) {
        (void)closedir(scan->dir);
        scan->dir = NULL;
    }
    mem_free(scan->met);
    scan->met = NULL;
}

void webroot_scan_free(struct webroot_scan *scan)
{
    if (scan != NULL) {
        scan_drop(scan);
        mem_free(scan);
    }
}

static int scan_push(struct webroot_scan *scan, struct str path, bool is_entries)
{
    struct scan_folder *folder;

    if (scan->folder_count >= SCAN_FOLDERS_MAX || path.len >= MANIFEST_PATH_MAX) {
        return -ERR_LIMIT;
    }
    folder = mem_alloc(1, sizeof(*folder) + path.len + 1);
    if (folder == NULL) {
        return -ERR_NOMEM;
    }
    memcpy(folder->path, path.len != 0 ? path.ptr : "", path.len);
    folder->len = path.len;
    folder->is_entries = is_entries;
    folder->version = scan->webroot->manifest.version;
    folder->at = is_entries ? manifest_lower_bound(&scan->webroot->manifest, path) : 0;
    list_insert_before(scan->folders.next, &folder->link);
    scan->folder_count++;
    return 0;
}

int webroot_scan_add(struct webroot_scan *scan, struct str path)
{
    const struct manifest *manifest = &scan->webroot->manifest;

    if (path.len != 0) {
        return scan_push(scan, path, false);
    }
    scan_drop(scan);
    scan->met = mem_alloc(manifest->entry_count / 8 + 1, 1);
    if (scan->met == NULL) {
        return -ERR_NOMEM;
    }
    scan->met_entries = manifest->entry_count;
    scan->version = manifest->version;
    scan->missing_at = 0;
    return scan_push(scan, path, false);
}

/* Asked for again while it is under way it begins anew: what it passed may be missing again. */
int webroot_scan_add_entries(struct webroot_scan *scan, struct str path)
{
    LIST_EACH (node, &scan->folders) {
        struct scan_folder *folder = LIST_ENTRY(node, struct scan_folder, link);

        if (!folder->is_entries) {
            break; /* entries come first */
        }
        if (str_is(str_of(folder->path, folder->len), path)) {
            folder->version = scan->webroot->manifest.version;
            folder->at = manifest_lower_bound(&scan->webroot->manifest, path);
            return 0;
        }
    }
    return scan_push(scan, path, true);
}

static bool scan_is_whole(const struct webroot_scan *scan)
{
    return scan->met != NULL && scan->version == scan->webroot->manifest.version;
}

static void scan_mark(struct webroot_scan *scan, struct str path)
{
    size_t at;

    if (!scan_is_whole(scan)) {
        return;
    }
    at = manifest_lower_bound(&scan->webroot->manifest, path);
    if (at < scan->met_entries && str_is(scan->webroot->manifest.entries[at].path, path)) {
        scan->met[at / 8] |= (uint8_t)(1U << (at % 8));
    }
}

static void scan_pop(struct webroot_scan *scan, struct scan_folder *folder)
{
    list_remove(&folder->link);
    mem_free(folder);
    scan->folder_count--;
}

/* What fn adds meanwhile comes before the rest. */
static void scan_step_entries(struct webroot_scan *scan, struct scan_folder *folder)
{
    const struct manifest *manifest = &scan->webroot->manifest;
    struct str below = str_of(folder->path, folder->len);
    const struct manifest_entry *entry =
        folder->version == manifest->version && folder->at < manifest->entry_count
            ? &manifest->entries[folder->at++]
            : NULL;

    if (entry == NULL || !str_has_prefix(entry->path, below) ||
        (entry->path.len > below.len && below.len != 0 && entry->path.ptr[below.len] != '/')) {
        scan_pop(scan, folder);
        return;
    }
    (void)scan->fn(scan->context, entry->path, entry->kind == MANIFEST_KIND_FOLDER, true);
}

/* False: it cannot be opened any more; what it was is found by its parent's events. */
static bool scan_open(struct webroot_scan *scan, struct scan_folder *folder)
{
    int fd;

    scan->path_len = folder->len;
    memcpy(scan->path, folder->path, folder->len);
    scan->path[folder->len] = '\0';
    scan_pop(scan, folder);
    fd = fd_open_beneath(scan->webroot->fd, scan->path_len != 0 ? scan->path : ".",
                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    scan->dir = fd >= 0 ? fdopendir(fd) : NULL;
    scan->fd = fd;
    if (scan->dir == NULL) {
        closep(&fd);
        return false;
    }
    if (scan->path_len == 0) {
        scan_mark(scan, str_of("", 0));
        (void)scan->fn(scan->context, str_of("", 0), true, true);
    }
    return true;
}

static int scan_meet(struct webroot_scan *scan, const struct dirent *item)
{
    size_t name_len = strlen(item->d_name);
    size_t len = scan->path_len != 0 ? scan->path_len + 1 : 0;
    bool is_folder = item->d_type == DT_DIR;
    struct stat st;
    struct str path;

    if (len + name_len >= sizeof(scan->path)) {
        return 0;
    }
    if (scan->path_len != 0) {
        scan->path[scan->path_len] = '/';
    }
    memcpy(scan->path + len, item->d_name, name_len + 1);
    path = str_of(scan->path, len + name_len);
    if (item->d_type == DT_UNKNOWN && scan->fd >= 0 &&
        fstatat(scan->fd, item->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        is_folder = S_ISDIR(st.st_mode);
    }
    scan_mark(scan, path);
    return scan->fn(scan->context, path, is_folder, true) && is_folder
               ? scan_push(scan, path, false)
               : 0;
}

/* One name of the open folder. */
static int scan_step_folder(struct webroot_scan *scan)
{
    const struct dirent *item = readdir(scan->dir);

    if (item == NULL) {
        (void)closedir(scan->dir);
        scan->dir = NULL;
        return 0;
    }
    if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0) {
        return 0;
    }
    return scan_meet(scan, item);
}

/* The next entry that was not met. False when there is none. */
static bool scan_step_missing(struct webroot_scan *scan)
{
    const struct manifest *manifest = &scan->webroot->manifest;

    while (scan_is_whole(scan) && scan->missing_at < manifest->entry_count) {
        size_t at = scan->missing_at++;

        if ((scan->met[at / 8] & (1U << (at % 8))) == 0) {
            (void)scan->fn(scan->context, manifest->entries[at].path,
                           manifest->entries[at].kind == MANIFEST_KIND_FOLDER, false);
            return true;
        }
    }
    mem_free(scan->met);
    scan->met = NULL;
    return false;
}

/* 1: went on; 0: nothing is left. */
static int scan_step_once(struct webroot_scan *scan)
{
    struct scan_folder *folder = list_is_empty(&scan->folders)
                                     ? NULL
                                     : LIST_ENTRY(scan->folders.next, struct scan_folder, link);
    int r;

    if (folder != NULL && folder->is_entries) {
        scan_step_entries(scan, folder);
        return 1;
    }
    if (scan->dir != NULL) {
        r = scan_step_folder(scan);
        return r < 0 ? r : 1;
    }
    if (folder != NULL) {
        (void)scan_open(scan, folder);
        return 1;
    }
    return scan_step_missing(scan) ? 1 : 0;
}

int webroot_scan_step(struct webroot_scan *scan, int64_t budget_ns)
{
    int64_t end = clock_mono(&clock_real) + budget_ns;
    int r = 1;

    while (r == 1) {
        for (int i = 0; r == 1 && i < SCAN_LOOK; i++) {
            r = scan_step_once(scan);
        }
        if (r == 1 && clock_mono(&clock_real) >= end) {
            return 1;
        }
    }
    return r;
}
