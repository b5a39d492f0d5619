/* Lines of audit.anchors. Neighbours: sqlite/audit.c says what and when. The last line of a file
 * that a crash cut short has no newline: it was never counted, so it is passed over when reading
 * and ended before the next line is written. */
#include "store/anchor.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/time.h"

#include <errno.h>
#include <sys/stat.h>

#include "sys/fd.h"

#define ANCHOR_FILE_LIMIT (64U << 20) /* ten years that anchor every ten minutes */
#define ANCHOR_LINE_SIZE  160

/* Ends what an earlier life left unfinished. */
static int anchor_cut_torn(int fd, off_t *ret_size)
{
    struct stat st;
    char byte;

    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    while (st.st_size > 0) {
        if (pread(fd, &byte, 1, st.st_size - 1) != 1) {
            return -ERR_IO;
        }
        if (byte == '\n') {
            break;
        }
        st.st_size--;
    }
    *ret_size = st.st_size;
    return ftruncate(fd, st.st_size) < 0 ? -errno : 0;
}

int anchor_append(int fd, const struct anchor *anchor)
{
    char when[TIME_TEXT_SIZE];
    char link[2 * sizeof(anchor->link) + 1];
    char line[ANCHOR_LINE_SIZE];
    off_t size = 0;
    int len;
    int r = anchor_cut_torn(fd, &size);

    if (r < 0) {
        return r;
    }
    time_format_utc(anchor->time, when);
    hex_encode(anchor->link, sizeof(anchor->link), link);
    len = snprintf(line, sizeof(line), "%s %llu %s\n", when, (unsigned long long)anchor->number,
                   link);
    r = fd_write_full(fd, line, (size_t)len);
    if (r == 0 && fdatasync(fd) < 0) {
        r = -errno;
    }
    if (r < 0 && ftruncate(fd, size) < 0) {
        return r; /* the torn line is cut before the next one is written */
    }
    return r;
}

int anchor_reader_init(struct anchor_reader *reader, int fd)
{
    int r;

    *reader = (struct anchor_reader){0};
    buf_init(&reader->bytes, ANCHOR_FILE_LIMIT);
    if (fd < 0) {
        return 0;
    }
    if (lseek(fd, 0, SEEK_SET) < 0) {
        return -errno;
    }
    r = fd_read_all(fd, &reader->bytes);
    reader->rest = buf_str(&reader->bytes);
    return r;
}

void anchor_reader_done(struct anchor_reader *reader)
{
    buf_done(&reader->bytes);
}

int anchor_next(struct anchor_reader *reader, struct anchor *ret_anchor)
{
    struct anchor anchor;
    struct str line;
    struct str part;
    int r;

    if (str_find_byte(reader->rest, '\n') == reader->rest.len) {
        return 0;
    }
    (void)str_cut(&reader->rest, '\n', &line);
    reader->line++;
    (void)str_cut(&line, ' ', &part);
    r = time_parse(part, &anchor.time);
    if (r == 0 && !str_cut(&line, ' ', &part)) {
        r = -ERR_SYNTAX;
    }
    r = r < 0 ? r : str_to_u64(part, &anchor.number);
    r = r < 0 ? r : hex_decode(line, anchor.link, sizeof(anchor.link));
    if (r < 0) {
        return -ERR_SYNTAX;
    }
    *ret_anchor = anchor;
    return 1;
}
