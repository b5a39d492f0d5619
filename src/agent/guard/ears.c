/* What a root is heard by, and what is told where it is not: fanotify first, inotify where the
 * file system has no handles for it, else only rescans. On its way: the kernel → here →
 * guard/folders.c. */
#include "agent/guard/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/fd.h"

#include <fcntl.h>

const char *guard_hearing(const struct guard_root *root)
{
    if (root->is_deaf) {
        return "rescans";
    }
    if (root->has_watches) {
        return "inotify";
    }
    return root->has_names ? "fanotify" : "fanotify on folders";
}

/* The sentence names the setting that is in the way, if there is one. */
static void ears_tell_deaf(struct guard *guard, struct guard_root *root, int error)
{
    const char *why = err_text(error);

    if (error == -ERR_NOSPC) {
        why = _("the kernel's limit of watched folders is reached; raise it: sysctl -w "
                "fs.inotify.max_user_watches=1048576, and keep it in /etc/sysctl.d");
    } else if (error == -ERR_MFILE) {
        why = _("the kernel's limit of watchers is reached; raise it: sysctl -w "
                "fs.inotify.max_user_instances=1024, and keep it in /etc/sysctl.d");
    }
    root->is_deaf = true;
    root->next_scan = 0; /* from now on they come often */
    log_warn("changes in %s are only found by rescans: %s", root->config.path, why);
    guard_tell(guard, root, SEVERITY_MEDIUM,
               N_("Changes of the website cannot be heard on its file system: they are found, and "
                  "undone, within seconds only"),
               why);
}

/* fanotify takes the marks of some file systems whose folders have no handle; what it told of them
 * could not be found again. */
static bool ears_have_handles(const struct guard_root *root)
{
    struct file_handle_id handle;

    return handle_of(root->webroot.fd, root->fsid, &handle) == 0;
}

void guard_watch(struct guard *guard, struct guard_root *root)
{
    struct file_handle_id handle;
    int r = handle_fsid(root->webroot.fd, &root->fsid);

    if (r == 0 && guard->group >= 0 && ears_have_handles(root)) {
        root->has_names = fanotify_names_mark(guard->group, root->webroot.fd) == 0;
        if (root->has_names || fanotify_folder_mark(guard->group, root->webroot.fd, true) == 0) {
            return;
        }
    }
    if (guard->watches < 0) {
        guard->watches = inotify_folders_new();
    }
    r = guard->watches < 0 ? guard->watches
                           : inotify_folder_mark(guard->watches, root->webroot.fd, &handle);
    root->has_watches = r == 0;
    if (r < 0) {
        ears_tell_deaf(guard, root, r);
    }
}

int guard_mark_folder(struct guard *guard, struct guard_root *root, int fd,
                      struct file_handle_id *ret_handle)
{
    int r;

    if (root->has_watches) {
        r = inotify_folder_mark(guard->watches, fd, ret_handle);
        if (r < 0 && !root->is_deaf) {
            ears_tell_deaf(guard, root, r);
        }
        return r;
    }
    r = handle_of(fd, root->fsid, ret_handle);
    if (r == 0 && guard->group >= 0 && !root->is_deaf) {
        int marked = fanotify_folder_mark(guard->group, fd, !root->has_names);

        if (marked < 0 && !root->has_names) {
            ears_tell_deaf(guard, root, marked);
        }
    }
    return r;
}

/* A moved folder brings its watch along: by that it is known. */
void guard_find_moved(struct guard *guard, const struct guard_root *root, struct str now,
                      struct file_handle_id *handle)
{
    CLEANUP(closep) int fd = -1;
    char text[MANIFEST_PATH_MAX];

    if (!root->has_watches || now.len >= sizeof(text)) {
        return;
    }
    (void)snprintf(text, sizeof(text), "%.*s", STR_ARG(now));
    fd = fd_open_beneath(root->webroot.fd, text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd >= 0) {
        (void)!inotify_folder_mark(guard->watches, fd, handle);
    }
}
