/* fanotify, raw (a header of that name would hide the C library's): one group that gates opens
 * (descriptors, thread ids) and one that tells what happened to names (handles, no descriptors); a
 * permission group cannot report handles, hence two. On its way: kernel → here → sense/files.c. */
#ifndef SYS_NOTIFY_H
#define SYS_NOTIFY_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FANOTIFY_HANDLE_MAX 128 /* MAX_HANDLE_SZ of the kernel */

/* A file or folder that has no path any more, or none that we were told. */
struct file_handle_id {
    uint64_t fsid;
    int32_t type;
    uint32_t len; /* 0: none */
    uint8_t bytes[FANOTIFY_HANDLE_MAX];
};

struct gate_open {
    int fd;    /* reading only; the caller's to close, whatever the answer */
    pid_t tid; /* the thread that waits */
};

enum name_change {
    NAME_CHANGE_CREATE = 1,
    NAME_CHANGE_CLOSE = 2, /* closed after it was open for writing */
    NAME_CHANGE_DELETE = 4,
    NAME_CHANGE_RENAME = 8,
    NAME_CHANGE_LOST = 16,   /* the kernel dropped events here */
    NAME_CHANGE_ATTRIB = 32, /* owner, mode, times, attributes */
    NAME_CHANGE_MODIFY = 64, /* written to, or truncated */
};

struct name_event {
    unsigned changes; /* enum name_change, or'ed: the kernel merges what happened to one name */
    bool is_folder;
    pid_t pid; /* thread group; may be gone */
    struct file_handle_id file;
    struct file_handle_id folder; /* of name; of the old name for a rename */
    struct file_handle_id target_folder;
    struct str name; /* borrows the read buffer */
    struct str target_name;
};

/* Both groups are non-blocking, close-on-exec and of unlimited queue. They need CAP_SYS_ADMIN.
 * -ERR_NOSYS or -ERR_INVAL on a kernel that lacks permission events or names. */
[[nodiscard]] int fanotify_gate_new(void);
[[nodiscard]] int fanotify_names_new(void);
/* A names group that would rather lose events, and say so, than grow without end. */
[[nodiscard]] int fanotify_folders_new(void);
/* Whole file system that folder_fd lies on. Needs CAP_SYS_ADMIN. */
[[nodiscard]] int fanotify_gate_mark(int group, int folder_fd);
/* Opens of this one file, under whatever name. The mark keeps its inode in memory. Needs no rights
 * beyond the group. */
[[nodiscard]] int fanotify_gate_mark_file(int group, int fd);
[[nodiscard]] int fanotify_names_mark(int group, int folder_fd);
/* Tells a names group of changed attributes only. */
[[nodiscard]] int fanotify_attributes_mark(int group, int folder_fd);

/* Tells of one folder and what is in it, not below: writes, and with has_names all of
 * fanotify_names_mark too, where a whole file system cannot be marked. Needs no rights beyond the
 * group. */
[[nodiscard]] int fanotify_folder_mark(int group, int folder_fd, bool has_names);

/* Opens of this file do not come through the gate until it is modified (is_lasting: not even then).
 * The kernel may forget the mark with the inode. Needs no rights beyond the group. */
[[nodiscard]] int fanotify_ignore(int group, int fd, bool is_lasting);
[[nodiscard]] int fanotify_unignore(int group, int fd);
/* Forgets all of them. */
[[nodiscard]] int fanotify_ignore_none(int group);

/* Lets the open pass. number: of the descriptor in the process that read the event, which need not
 * be this one. -ERR_NOENT when nothing waits under that number. */
[[nodiscard]] int fanotify_allow(int group, int number);
/* The open fails with EPERM. */
[[nodiscard]] int fanotify_refuse(int group, int number);

/* Up to max opens; their count, or -ERR_AGAIN. */
[[nodiscard]] int fanotify_read_opens(int group, struct gate_open *ret_opens, size_t max);

/* inotify instead, where a file system has no handles; needs no rights. ENOSPC and EMFILE name
 * limits (fs.inotify.max_user_watches, max_user_instances). Its name events carry nobody's pid, no
 * handle of the file, and as the folder's handle what inotify_folder_mark gave. */
[[nodiscard]] int inotify_folders_new(void);
/* One folder and what is in it, not below; the same folder again has the same handle. */
[[nodiscard]] int inotify_folder_mark(int group, int folder_fd, struct file_handle_id *ret_handle);

/* A batch of name events: fill, then take one after another. */
struct name_reader {
    size_t len;
    size_t at;
    _Alignas(8) uint8_t bytes[16384];
};
[[nodiscard]] int name_reader_fill(struct name_reader *reader, int group);
/* Events of a batch that nothing was taken of. */
size_t name_reader_count(const struct name_reader *reader);
/* Events that wait in the kernel: what FIONREAD tells is the heads of them, not what would be read
 * (fanotify_ioctl). 0 when it tells nothing. */
[[nodiscard]] size_t name_events_waiting(int group);
/* False at the end of the batch. */
bool name_reader_next(struct name_reader *reader, struct name_event *ret_event);
/* The same of an inotify group. */
bool inotify_reader_next(struct name_reader *reader, struct name_event *ret_event);

/* The handle of an open file; the same bytes that name events carry. */
[[nodiscard]] int handle_of(int fd, uint64_t fsid, struct file_handle_id *ret_handle);
/* The same of a name in an open folder, without its file system's id. */
[[nodiscard]] int handle_of_name(int folder, const char *name, struct file_handle_id *ret_handle);
/* Opens a handle as O_PATH (which no gate sees). mount_fd: any folder of that file system, open for
 * reading. -ERR_NOENT when the file is gone. Needs CAP_DAC_READ_SEARCH. */
[[nodiscard]] int handle_open(int mount_fd, const struct file_handle_id *handle);
/* The fsid of an open file's file system, as name events carry it. */
[[nodiscard]] int handle_fsid(int fd, uint64_t *ret_fsid);
struct str handle_str(const struct file_handle_id *handle);

#endif
