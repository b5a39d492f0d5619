/* inotify, for file systems that fanotify cannot tell of (overlayfs under containers, FUSE): the
 * same name events, folder by folder, with a watch's number for a handle and nobody's name. */
#include "base/banned.h"
#include "base/err.h"
#include "sys/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>

#define WATCH_HANDLE (-1) /* no file system's type of handle */
#define WATCH_MASK                                                                                 \
    (IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |              \
     IN_MOVED_TO | IN_ONLYDIR)

static void watch_handle(int watch, struct file_handle_id *ret_handle)
{
    ret_handle->fsid = 0;
    ret_handle->type = WATCH_HANDLE;
    ret_handle->len = sizeof(watch);
    memcpy(ret_handle->bytes, &watch, sizeof(watch));
}

int inotify_folders_new(void)
{
    int group = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    return group >= 0 ? group : -errno;
}

int inotify_folder_mark(int group, int folder_fd, struct file_handle_id *ret_handle)
{
    char path[32];
    int watch;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", folder_fd);
    watch = inotify_add_watch(group, path, WATCH_MASK);
    if (watch < 0) {
        return -errno;
    }
    watch_handle(watch, ret_handle);
    return 0;
}

static unsigned watch_changes(uint32_t mask)
{
    return ((mask & (IN_CREATE | IN_MOVED_TO)) != 0 ? NAME_CHANGE_CREATE : 0U) |
           ((mask & (IN_DELETE | IN_MOVED_FROM)) != 0 ? NAME_CHANGE_DELETE : 0U) |
           ((mask & IN_CLOSE_WRITE) != 0 ? NAME_CHANGE_CLOSE : 0U) |
           ((mask & IN_MODIFY) != 0 ? NAME_CHANGE_MODIFY : 0U) |
           ((mask & IN_ATTRIB) != 0 ? NAME_CHANGE_ATTRIB : 0U) |
           ((mask & IN_Q_OVERFLOW) != 0 ? NAME_CHANGE_LOST : 0U);
}

/* One record, with its name borrowed from the reader's bytes. */
static bool watch_take(struct name_reader *reader, struct inotify_event *ret_event,
                       struct str *ret_name)
{
    const char *start = (const char *)reader->bytes + reader->at;
    size_t left = reader->len - reader->at;

    if (left < sizeof(*ret_event)) {
        return false;
    }
    memcpy(ret_event, start, sizeof(*ret_event));
    if (ret_event->len > left - sizeof(*ret_event)) {
        return false;
    }
    *ret_name =
        str_of(start + sizeof(*ret_event), strnlen(start + sizeof(*ret_event), ret_event->len));
    reader->at += sizeof(*ret_event) + ret_event->len;
    return true;
}

/* The kernel queues both halves of a move one behind the other; parted by a batch's end they are
 * told as two. */
static void watch_take_target(struct name_reader *reader, uint32_t cookie, struct name_event *event)
{
    size_t before = reader->at;
    struct inotify_event other;
    struct str name;

    if (!watch_take(reader, &other, &name) || (other.mask & IN_MOVED_TO) == 0 ||
        other.cookie != cookie) {
        reader->at = before;
        return;
    }
    event->changes = NAME_CHANGE_RENAME;
    event->target_name = name;
    watch_handle(other.wd, &event->target_folder);
}

bool inotify_reader_next(struct name_reader *reader, struct name_event *ret_event)
{
    struct inotify_event record;
    struct str name = STR("");

    do {
        if (!watch_take(reader, &record, &name)) {
            return false;
        }
    } while (watch_changes(record.mask) == 0); /* a watch that ended */
    ret_event->changes = watch_changes(record.mask);
    ret_event->is_folder = (record.mask & IN_ISDIR) != 0;
    ret_event->pid = 0;
    ret_event->file.len = ret_event->target_folder.len = 0;
    ret_event->name = name;
    ret_event->target_name = STR("");
    watch_handle(record.wd, &ret_event->folder);
    if ((record.mask & IN_MOVED_FROM) != 0) {
        watch_take_target(reader, record.cookie, ret_event);
    }
    return true;
}
