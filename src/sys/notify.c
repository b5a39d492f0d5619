/* The two fanotify groups and their records. Event records are trusted: the kernel writes them;
 * lengths are checked all the same. */
#include "sys/notify.h"

#include "base/banned.h"
#include "base/err.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>

#define GATE_BATCH      64U
#define NAMES_CHANGES   (FAN_CREATE | FAN_DELETE | FAN_RENAME | FAN_CLOSE_WRITE | FAN_ATTRIB)
#define NAMES_MASK      (NAMES_CHANGES | FAN_ONDIR)
#define GATE_OPEN_FLAGS (O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NOATIME | O_NONBLOCK)

/* struct file_handle without its flexible array, which C cannot embed. */
struct handle_head {
    uint32_t len;
    int32_t type;
};

/* What name_to_handle_at fills and open_by_handle_at takes. */
union handle_room {
    struct file_handle handle;
    struct {
        struct handle_head head;
        uint8_t bytes[FANOTIFY_HANDLE_MAX];
    } parts;
};

int fanotify_gate_new(void)
{
    int group = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_REPORT_TID |
                                  FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS | FAN_NONBLOCK,
                              GATE_OPEN_FLAGS);

    return group >= 0 ? group : -errno;
}

int fanotify_names_new(void)
{
    unsigned flags = FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS |
                     FAN_NONBLOCK | FAN_REPORT_DFID_NAME_TARGET;
    int group = fanotify_init(flags, O_RDONLY | O_CLOEXEC);

    return group >= 0 ? group : -errno;
}

int fanotify_folders_new(void)
{
    int group = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_UNLIMITED_MARKS | FAN_NONBLOCK |
                                  FAN_REPORT_DFID_NAME_TARGET,
                              O_RDONLY | O_CLOEXEC);

    return group >= 0 ? group : -errno;
}

static int fanotify_mark_whole(int group, uint64_t mask, int folder_fd)
{
    return fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask, folder_fd, NULL) == 0
               ? 0
               : -errno;
}

int fanotify_gate_mark(int group, int folder_fd)
{
    return fanotify_mark_whole(group, FAN_OPEN_PERM, folder_fd);
}

int fanotify_gate_mark_file(int group, int fd)
{
    return fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN_PERM, fd, NULL) == 0 ? 0 : -errno;
}

int fanotify_names_mark(int group, int folder_fd)
{
    return fanotify_mark_whole(group, NAMES_MASK, folder_fd);
}

int fanotify_attributes_mark(int group, int folder_fd)
{
    return fanotify_mark_whole(group, FAN_ATTRIB, folder_fd);
}

int fanotify_folder_mark(int group, int folder_fd, bool has_names)
{
    uint64_t mask = FAN_MODIFY | FAN_EVENT_ON_CHILD | (has_names ? NAMES_MASK : 0);

    return fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_ONLYDIR, mask, folder_fd, NULL) == 0
               ? 0
               : -errno;
}

int fanotify_ignore(int group, int fd, bool is_lasting)
{
    unsigned flags = FAN_MARK_ADD | FAN_MARK_IGNORE | FAN_MARK_EVICTABLE |
                     (is_lasting ? FAN_MARK_IGNORED_SURV_MODIFY : 0);

    if (fanotify_mark(group, flags, FAN_OPEN_PERM, fd, NULL) == 0) {
        return 0;
    }
    if (errno != EEXIST || fanotify_unignore(group, fd) < 0) {
        return -errno;
    }
    /* a lasting mark stood there: the kernel does not weaken one, it wants a new one */
    return fanotify_mark(group, flags, FAN_OPEN_PERM, fd, NULL) == 0 ? 0 : -errno;
}

int fanotify_unignore(int group, int fd)
{
    unsigned flags = FAN_MARK_REMOVE | FAN_MARK_IGNORE | FAN_MARK_IGNORED_SURV_MODIFY;

    if (fanotify_mark(group, flags, FAN_OPEN_PERM, fd, NULL) == 0 || errno == ENOENT) {
        return 0;
    }
    return -errno;
}

int fanotify_ignore_none(int group)
{
    return fanotify_mark(group, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL) == 0 ? 0 : -errno;
}

static int fanotify_answer(int group, int number, uint32_t answer)
{
    struct fanotify_response response = {.fd = number, .response = answer};

    return write(group, &response, sizeof(response)) == (ssize_t)sizeof(response) ? 0 : -errno;
}

int fanotify_allow(int group, int number)
{
    return fanotify_answer(group, number, FAN_ALLOW);
}

int fanotify_refuse(int group, int number)
{
    return fanotify_answer(group, number, FAN_DENY);
}

int fanotify_read_opens(int group, struct gate_open *ret_opens, size_t max)
{
    struct fanotify_event_metadata events[GATE_BATCH];
    size_t want = max < GATE_BATCH ? max : GATE_BATCH;
    ssize_t got = read(group, events, want * sizeof(events[0]));
    const struct fanotify_event_metadata *event = events;
    int count = 0;

    if (got < 0) {
        return -errno;
    }
    for (; FAN_EVENT_OK(event, got); event = FAN_EVENT_NEXT(event, got)) {
        if (event->vers != FANOTIFY_METADATA_VERSION) {
            return -ERR_VERSION;
        }
        if (event->fd >= 0) {
            ret_opens[count++] = (struct gate_open){.fd = event->fd, .tid = event->pid};
        }
    }
    return count;
}

int name_reader_fill(struct name_reader *reader, int group)
{
    ssize_t got = read(group, reader->bytes, sizeof(reader->bytes));

    if (got < 0) {
        return -errno;
    }
    reader->len = (size_t)got;
    reader->at = 0;
    return 0;
}

size_t name_reader_count(const struct name_reader *reader)
{
    struct fanotify_event_metadata head;
    size_t count = 0;
    size_t at = 0;

    while (reader->len - at >= sizeof(head)) {
        memcpy(&head, reader->bytes + at, sizeof(head));
        if (head.event_len < sizeof(head) || head.event_len > reader->len - at) {
            break;
        }
        at += head.event_len;
        count++;
    }
    return count;
}

size_t name_events_waiting(int group)
{
    int heads = 0;

    return ioctl(group, FIONREAD, &heads) == 0 && heads > 0 ? (size_t)heads / FAN_EVENT_METADATA_LEN
                                                            : 0;
}

/* One information record into a handle and, where there is one, the name behind it. */
static void name_take_handle(const uint8_t *record, size_t len, struct file_handle_id *handle,
                             struct str *name)
{
    size_t head = sizeof(struct fanotify_event_info_fid);
    struct handle_head parts;

    if (len < head + sizeof(parts)) {
        return;
    }
    memcpy(&handle->fsid, record + sizeof(struct fanotify_event_info_header), sizeof(uint64_t));
    memcpy(&parts, record + head, sizeof(parts));
    head += sizeof(parts);
    if (parts.len > FANOTIFY_HANDLE_MAX || len < head + parts.len) {
        return;
    }
    handle->type = parts.type;
    handle->len = parts.len;
    memcpy(handle->bytes, record + head, parts.len);
    head += parts.len;
    if (name != NULL && head < len) {
        *name =
            str_of((const char *)record + head, strnlen((const char *)record + head, len - head));
    }
}

static void name_take_record(const uint8_t *record, size_t len, struct name_event *event)
{
    switch (record[0]) {
    case FAN_EVENT_INFO_TYPE_FID:
        name_take_handle(record, len, &event->file, NULL);
        break;
    case FAN_EVENT_INFO_TYPE_DFID_NAME:
    case FAN_EVENT_INFO_TYPE_OLD_DFID_NAME:
        name_take_handle(record, len, &event->folder, &event->name);
        break;
    case FAN_EVENT_INFO_TYPE_NEW_DFID_NAME:
        name_take_handle(record, len, &event->target_folder, &event->target_name);
        break;
    default:
        break;
    }
}

static unsigned name_changes(uint64_t mask)
{
    return ((mask & FAN_CREATE) != 0 ? NAME_CHANGE_CREATE : 0U) |
           ((mask & FAN_CLOSE_WRITE) != 0 ? NAME_CHANGE_CLOSE : 0U) |
           ((mask & FAN_DELETE) != 0 ? NAME_CHANGE_DELETE : 0U) |
           ((mask & FAN_RENAME) != 0 ? NAME_CHANGE_RENAME : 0U) |
           ((mask & FAN_ATTRIB) != 0 ? NAME_CHANGE_ATTRIB : 0U) |
           ((mask & FAN_MODIFY) != 0 ? NAME_CHANGE_MODIFY : 0U) |
           ((mask & FAN_Q_OVERFLOW) != 0 ? NAME_CHANGE_LOST : 0U);
}

bool name_reader_next(struct name_reader *reader, struct name_event *ret_event)
{
    struct fanotify_event_metadata head;
    const uint8_t *start = reader->bytes + reader->at;
    size_t at;

    if (reader->len - reader->at < sizeof(head)) {
        return false;
    }
    memcpy(&head, start, sizeof(head));
    if (head.event_len < sizeof(head) || head.event_len > reader->len - reader->at) {
        return false;
    }
    reader->at += head.event_len;
    ret_event->changes = name_changes(head.mask);
    ret_event->is_folder = (head.mask & FAN_ONDIR) != 0;
    ret_event->pid = head.pid;
    ret_event->file.len = ret_event->folder.len = ret_event->target_folder.len = 0;
    ret_event->name = ret_event->target_name = str_of("", 0);
    at = head.metadata_len;
    while (at + sizeof(struct fanotify_event_info_header) <= head.event_len) {
        struct fanotify_event_info_header info;

        memcpy(&info, start + at, sizeof(info));
        if (info.len < sizeof(info) || info.len > head.event_len - at) {
            break;
        }
        name_take_record(start + at, info.len, ret_event);
        at += info.len;
    }
    return true;
}

static int handle_get(int folder, const char *name, int flags, struct file_handle_id *ret_handle)
{
    union handle_room room = {.parts.head.len = FANOTIFY_HANDLE_MAX};
    int mount_id;

    if (name_to_handle_at(folder, name, &room.handle, &mount_id, flags) != 0) {
        return -errno;
    }
    ret_handle->type = room.parts.head.type;
    ret_handle->len = room.parts.head.len;
    memcpy(ret_handle->bytes, room.parts.bytes, room.parts.head.len);
    return 0;
}

int handle_of(int fd, uint64_t fsid, struct file_handle_id *ret_handle)
{
    ret_handle->fsid = fsid;
    return handle_get(fd, "", AT_EMPTY_PATH, ret_handle);
}

int handle_of_name(int folder, const char *name, struct file_handle_id *ret_handle)
{
    ret_handle->fsid = 0;
    return handle_get(folder, name, 0, ret_handle);
}

int handle_open(int mount_fd, const struct file_handle_id *handle)
{
    union handle_room room = {.parts.head = {.len = handle->len, .type = handle->type}};
    int fd;

    if (handle->len == 0 || handle->len > FANOTIFY_HANDLE_MAX) {
        return -ERR_NOENT;
    }
    memcpy(room.parts.bytes, handle->bytes, handle->len);
    fd = open_by_handle_at(mount_fd, &room.handle, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        return errno == ESTALE ? -ERR_NOENT : -errno;
    }
    return fd;
}

int handle_fsid(int fd, uint64_t *ret_fsid)
{
    struct statfs info;

    if (fstatfs(fd, &info) != 0) {
        return -errno;
    }
    memcpy(ret_fsid, &info.f_fsid, sizeof(*ret_fsid));
    return 0;
}

struct str handle_str(const struct file_handle_id *handle)
{
    size_t head = offsetof(struct file_handle_id, bytes);

    return str_of((const char *)handle, head + handle->len);
}
