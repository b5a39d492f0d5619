/* read(2) for what is plain, libarchive for the rest: see input.h. Files are read, not mapped: a
 * log that is cut short while it is read (copytruncate) would end a process that maps it. */
#include "cli/hunt/input.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/fd.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <poll.h>
#include <sys/stat.h>

#define PIECE_SIZE 65536
#define HEAD_SIZE  512 /* a tar's mark stands at 257 */

struct hunt_input {
    int fd;
    bool is_stream;
    bool is_begun;
    int64_t time;
    struct archive *archive; /* NULL: plain */
    char head[HEAD_SIZE];    /* read to tell what it is; given first */
    size_t head_len;
    size_t head_given;
    char piece[PIECE_SIZE];
};

static int input_read_fd(struct hunt_input *input, void *out, size_t len, size_t *ret_len)
{
    ssize_t n;

    if (input->head_given < input->head_len) {
        size_t left = input->head_len - input->head_given;

        len = len < left ? len : left;
        memcpy(out, input->head + input->head_given, len);
        input->head_given += len;
        *ret_len = len;
        return 0;
    }
    n = read(input->fd, out, len);
    if (n < 0) {
        return -errno;
    }
    *ret_len = (size_t)n;
    return 0;
}

static la_ssize_t input_give(struct archive *archive, void *context, const void **ret_bytes)
{
    struct hunt_input *input = context;
    size_t len = 0;
    int r = input_read_fd(input, input->piece, sizeof(input->piece), &len);

    if (r < 0) {
        archive_set_error(archive, -r, "%s", err_text(r));
        return -1;
    }
    *ret_bytes = input->piece;
    return (la_ssize_t)len;
}

static bool is_packed(struct str head)
{
    static const struct str marks[] = {
        {"\x1f\x8b", 2},
        {"\x28\xb5\x2f\xfd", 4},
        {"\xfd"
         "7zXZ\0",
         6},
        {"BZh", 3},
        {"PK\x03\x04", 4},
    };

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (str_has_prefix(head, marks[i])) {
            return true;
        }
    }
    return head.len >= 262 && str_is(str_slice(head, 257, 262), STR("ustar"));
}

/* A decoder that this build of the library lacks answers ARCHIVE_WARN: it would start a program. */
static int input_open_archive(struct hunt_input *input, struct diag *diag)
{
    struct archive *archive = archive_read_new();

    if (archive == NULL) {
        return -ERR_NOMEM;
    }
    input->archive = archive;
    if (archive_read_support_filter_gzip(archive) != ARCHIVE_OK ||
        archive_read_support_filter_bzip2(archive) != ARCHIVE_OK ||
        archive_read_support_filter_xz(archive) != ARCHIVE_OK ||
        archive_read_support_filter_zstd(archive) != ARCHIVE_OK ||
        archive_read_support_format_tar(archive) != ARCHIVE_OK ||
        archive_read_support_format_zip_streamable(archive) != ARCHIVE_OK ||
        archive_read_support_format_raw(archive) != ARCHIVE_OK) {
        return diag_set(diag, -ERR_OPNOTSUPP, "%s", err_text(-ERR_OPNOTSUPP));
    }
    (void)archive_read_set_callback_data(archive, input);
    (void)archive_read_set_read_callback(archive, input_give);
    if (archive_read_open1(archive) < ARCHIVE_WARN) {
        return diag_set(diag, -ERR_CORRUPT, _("cannot be unpacked: %s"),
                        archive_error_string(archive));
    }
    return 0;
}

static int input_look(struct hunt_input *input, struct diag *diag)
{
    struct stat info;

    if (fstat(input->fd, &info) < 0) {
        return -errno;
    }
    input->is_stream = !S_ISREG(info.st_mode);
    input->time = input->is_stream ? clock_wall(&clock_real)
                                   : (int64_t)info.st_mtim.tv_sec * NS_PER_S + info.st_mtim.tv_nsec;
    while (input->head_len < HEAD_SIZE) {
        ssize_t n = read(input->fd, input->head + input->head_len, HEAD_SIZE - input->head_len);

        if (n < 0) {
            return -errno;
        }
        if (n == 0) {
            break;
        }
        input->head_len += (size_t)n;
        if (input->is_stream && !is_packed(str_of(input->head, input->head_len))) {
            break; /* who writes line by line is not kept waiting for more of them */
        }
    }
    return is_packed(str_of(input->head, input->head_len)) ? input_open_archive(input, diag) : 0;
}

int hunt_input_new(int fd, struct hunt_input **ret_input, struct diag *diag)
{
    struct hunt_input *input = mem_alloc(1, sizeof(*input));
    int r;

    if (input == NULL) {
        closep(&fd);
        return -ERR_NOMEM;
    }
    input->fd = fd;
    r = input_look(input, diag);
    if (r < 0) {
        hunt_input_free(input);
        return r;
    }
    *ret_input = input;
    return 0;
}

void hunt_input_free(struct hunt_input *input)
{
    if (input == NULL) {
        return;
    }
    if (input->archive != NULL) {
        (void)archive_read_free(input->archive);
    }
    closep(&input->fd);
    mem_free(input);
}

void hunt_input_freep(struct hunt_input **input)
{
    hunt_input_free(*input);
}

static int input_next_member(struct hunt_input *input, struct str *ret_member, int64_t *ret_time,
                             struct diag *diag)
{
    struct archive_entry *entry;
    const char *name;
    int r;

    do {
        r = archive_read_next_header(input->archive, &entry);
        if (r == ARCHIVE_EOF) {
            return 0;
        }
        if (r < ARCHIVE_WARN) {
            return diag_set(diag, -ERR_CORRUPT, _("cannot be unpacked: %s"),
                            archive_error_string(input->archive));
        }
    } while (archive_format(input->archive) != ARCHIVE_FORMAT_RAW &&
             archive_entry_filetype(entry) != S_IFREG);
    name =
        archive_format(input->archive) != ARCHIVE_FORMAT_RAW ? archive_entry_pathname(entry) : NULL;
    *ret_member = str_from(name);
    *ret_time = archive_entry_mtime_is_set(entry) != 0
                    ? (int64_t)archive_entry_mtime(entry) * NS_PER_S
                    : input->time;
    return 1;
}

int hunt_input_next(struct hunt_input *input, struct str *ret_member, int64_t *ret_time,
                    struct diag *diag)
{
    if (input->archive != NULL) {
        return input_next_member(input, ret_member, ret_time, diag);
    }
    if (input->is_begun) {
        return 0;
    }
    input->is_begun = true;
    *ret_member = STR("");
    *ret_time = input->time;
    return 1;
}

int hunt_input_read(struct hunt_input *input, void *out, size_t len, size_t *ret_len,
                    struct diag *diag)
{
    la_ssize_t n;

    if (input->archive == NULL) {
        return input_read_fd(input, out, len, ret_len);
    }
    n = archive_read_data(input->archive, out, len);
    if (n < 0) {
        return diag_set(diag, -ERR_CORRUPT, _("cannot be unpacked: %s"),
                        archive_error_string(input->archive));
    }
    *ret_len = (size_t)n;
    return 0;
}

bool hunt_input_would_wait(const struct hunt_input *input)
{
    struct pollfd wait = {.fd = input->fd, .events = POLLIN};

    return input->is_stream && input->head_given == input->head_len && poll(&wait, 1, 0) == 0;
}

bool hunt_input_is_stream(const struct hunt_input *input)
{
    return input->is_stream;
}
