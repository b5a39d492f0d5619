/* From the kernel's handles to paths. Marks (guard/ears.c): the whole file system for names, which
 * also hears of new folders and of files written through a link elsewhere; and each folder of a
 * root for writes, which must be seen before the writer closes. Where a file system cannot be
 * marked as a whole, the folders' marks take it all. */
#include "agent/guard/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/fd.h"

#include <fcntl.h>

#define GUARD_BATCHES 8 /* read in one go; then the rest of the loop has its turn */

static struct guard_known *known_find(const struct guard *guard,
                                      const struct file_handle_id *handle)
{
    return handle->len != 0 ? map_get(&guard->known, handle_str(handle)) : NULL;
}

static void known_free(struct guard *guard, struct guard_known *known)
{
    (void)map_remove(&guard->known, handle_str(&known->handle));
    if (known->is_folder) {
        known->root->folders--;
    } else {
        guard->known_files--;
    }
    mem_free(known);
}

/* The same inode under the same path is only met again. */
static void known_put(struct guard *guard, struct guard_root *root,
                      const struct file_handle_id *handle, struct str path, bool is_folder)
{
    struct guard_known *known = known_find(guard, handle);

    if (known != NULL && known->root == root && known->is_folder == is_folder &&
        str_is(str_of(known->path, known->len), path)) {
        known->round = root->round;
        return;
    }
    if (known != NULL) {
        known_free(guard, known);
    }
    known = mem_alloc(1, sizeof(*known) + path.len + 1);
    if (known == NULL) {
        return; /* the rescan hears of it */
    }
    *known = (struct guard_known){.root = root,
                                  .round = root->round,
                                  .is_folder = is_folder,
                                  .handle = *handle,
                                  .len = path.len};
    memcpy(known->path, path.len != 0 ? path.ptr : "", path.len);
    if (map_put(&guard->known, handle_str(&known->handle), known) < 0) {
        mem_free(known);
        return;
    }
    root->folders += is_folder ? 1U : 0U;
    guard->known_files += is_folder ? 0U : 1U;
}

bool guard_know_folder(struct guard *guard, struct guard_root *root, struct str path)
{
    CLEANUP(closep) int fd = -1;
    struct file_handle_id handle;
    char text[MANIFEST_PATH_MAX];
    int r;

    (void)snprintf(text, sizeof(text), "%.*s", STR_ARG(path));
    fd = fd_open_beneath(root->webroot.fd, text[0] != '\0' ? text : ".",
                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0) {
        return false;
    }
    r = guard_mark_folder(guard, root, fd, &handle);
    if (r == 0) {
        known_put(guard, root, &handle, path, true);
    }
    return true; /* unheard it is still gone through */
}

void guard_know_file(struct guard *guard, struct guard_root *root, struct str path)
{
    struct file_handle_id handle;
    char text[MANIFEST_PATH_MAX];

    if (!root->has_names || guard->known_files >= GUARD_FILES_MAX) {
        return; /* nothing is heard of links elsewhere */
    }
    (void)snprintf(text, sizeof(text), "%.*s", STR_ARG(path));
    if (handle_of_name(root->webroot.fd, text, &handle) == 0) {
        handle.fsid = root->fsid;
        known_put(guard, root, &handle, path, false);
    }
}

void guard_forget_old(struct guard *guard, struct guard_root *root)
{
    size_t cursor = 0;
    struct guard_known *known;

    while ((known = map_next(&guard->known, &cursor)) != NULL) {
        if (known->root == root && known->round != root->round) {
            known_free(guard, known);
        }
    }
}

void guard_forget_all(struct guard *guard)
{
    size_t cursor = 0;
    struct guard_known *known;

    while ((known = map_next(&guard->known, &cursor)) != NULL) {
        mem_free(known);
    }
    map_done(&guard->known);
}

static bool path_join(struct str folder, struct str name, char out[MANIFEST_PATH_MAX],
                      struct str *ret_path)
{
    size_t head = folder.len != 0 ? folder.len + 1 : 0;

    if (head + name.len >= MANIFEST_PATH_MAX) {
        return false;
    }
    if (folder.len != 0) {
        memcpy(out, folder.ptr, folder.len);
        out[folder.len] = '/';
    }
    memcpy(out + head, name.ptr, name.len);
    *ret_path = str_of(out, head + name.len);
    return true;
}

/* The path of a name in a known folder. NULL: the folder is none of ours. */
static struct guard_root *name_path(const struct guard *guard, const struct file_handle_id *folder,
                                    struct str name, char out[MANIFEST_PATH_MAX],
                                    struct str *ret_path)
{
    const struct guard_known *known = known_find(guard, folder);

    if (known == NULL || !known->is_folder) {
        return NULL;
    }
    if (name.len == 0 || str_is_text(name, ".")) {
        *ret_path = str_of(memcpy(out, known->path, known->len), known->len);
        return known->root;
    }
    return path_join(str_of(known->path, known->len), name, out, ret_path) ? known->root : NULL;
}

/* A folder that came to be is gone through at once: what was put into it before it was marked was
 * not heard. Of one that went nothing is heard but its own name. */
static void guard_take_folder(struct guard *guard, struct guard_root *root, struct str path,
                              bool is_there)
{
    if (is_there && guard_know_folder(guard, root, path)) {
        (void)!webroot_scan_add(root->scan, path);
    }
    (void)!webroot_scan_add_entries(root->scan, path);
    guard_scan_on(guard, root);
}

static void guard_take_name(struct guard *guard, const struct file_handle_id *folder,
                            struct str name, const struct name_event *event)
{
    char text[MANIFEST_PATH_MAX];
    struct str path;
    struct guard_root *root = name_path(guard, folder, name, text, &path);
    bool is_there;

    if (root == NULL) {
        return;
    }
    is_there = guard_look(guard, root, path, event->pid, true);
    if (event->is_folder && path.len != 0 &&
        (event->changes & (NAME_CHANGE_CREATE | NAME_CHANGE_RENAME | NAME_CHANGE_DELETE)) != 0) {
        guard_take_folder(guard, root, path, is_there);
    }
}

/* False: it was no move of a folder within a root, or could not be undone. */
static bool guard_undo_move(struct guard *guard, const struct name_event *event)
{
    const struct guard_known *known = known_find(guard, &event->file);
    char before[MANIFEST_PATH_MAX];
    char now[MANIFEST_PATH_MAX];
    struct guard_root *root;
    struct str path = STR("");
    size_t len;

    if (!event->is_folder || known == NULL || !known->is_folder || known->len == 0) {
        return false;
    }
    root = known->root;
    len = known->len;
    memcpy(before, known->path, len);
    if (name_path(guard, &event->target_folder, event->target_name, now, &path) != root ||
        str_is(path, str_of(before, len)) ||
        !guard_move_back(guard, root, path, str_of(before, len), event->pid)) {
        return false;
    }
    guard_take_folder(guard, root, str_of(before, len), true);
    return true;
}

/* A file that is written to under a name elsewhere. */
static void guard_take_inode(struct guard *guard, const struct name_event *event)
{
    const struct guard_known *known = known_find(guard, &event->file);
    char text[MANIFEST_PATH_MAX];

    if (known != NULL && !known->is_folder) {
        memcpy(text, known->path, known->len);
        (void)guard_look(guard, known->root, str_of(text, known->len), event->pid, true);
    }
}

/* The root itself was moved or removed: heard of as a name in its parent. */
static void guard_take_root(struct guard *guard, const struct name_event *event)
{
    const struct guard_known *known = known_find(guard, &event->file);

    if (known != NULL && known->is_folder && known->len == 0 &&
        (event->changes & (NAME_CHANGE_RENAME | NAME_CHANGE_DELETE)) != 0) {
        guard_tend_root(guard, known->root, INT64_MAX);
    }
}

/* inotify tells of a move, but not of what was moved. */
static void guard_name_moved(struct guard *guard, struct name_event *event)
{
    char now[MANIFEST_PATH_MAX];
    struct str path = STR("");
    const struct guard_root *root;

    if (event->is_folder && (event->changes & NAME_CHANGE_RENAME) != 0) {
        root = name_path(guard, &event->target_folder, event->target_name, now, &path);
        if (root != NULL) {
            guard_find_moved(guard, root, path, &event->file);
        }
    }
}

static void guard_take_event(struct guard *guard, const struct name_event *event)
{
    if ((event->changes & NAME_CHANGE_LOST) != 0) {
        for (size_t i = 0; i < guard->root_count; i++) {
            guard_tell(guard, &guard->roots[i], SEVERITY_MEDIUM,
                       N_("Changes came faster than they could be heard; all of the website is "
                          "being compared"),
                       NULL);
            guard_scan(guard, &guard->roots[i], true);
        }
        return;
    }
    if (event->pid == getpid()) {
        return;
    }
    guard->heard = clock_mono(&clock_real);
    if ((event->changes & NAME_CHANGE_RENAME) != 0 && guard_undo_move(guard, event)) {
        return;
    }
    guard_take_name(guard, &event->folder, event->name, event);
    if ((event->changes & NAME_CHANGE_RENAME) != 0) {
        guard_take_name(guard, &event->target_folder, event->target_name, event);
    }
    if (known_find(guard, &event->folder) == NULL) {
        guard_take_inode(guard, event);
    }
    guard_take_root(guard, event);
}

void guard_on_events(void *context, int fd, unsigned events)
{
    struct guard *guard = context;
    bool is_watches = fd == guard->watches;
    struct name_event event;

    (void)events;
    for (int i = 0; i < GUARD_BATCHES && name_reader_fill(&guard->reader, fd) == 0; i++) {
        while (is_watches ? inotify_reader_next(&guard->reader, &event)
                          : name_reader_next(&guard->reader, &event)) {
            if (is_watches) {
                guard_name_moved(guard, &event);
            }
            guard_take_event(guard, &event);
            guard->events++;
        }
    }
    if (guard->events > GUARD_URGENT_MAX) {
        guard_hurry(guard, false);
    }
}
