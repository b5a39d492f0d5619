/* libarchive over a descriptor, under limits on bytes in, bytes out, entries and time. Only
 * decoders that live in the library are switched on: none that would start a program. On its way:
 * scan.c → here. Invariant: nothing unpacked is kept. */
#include "agent/scan_unpack.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/time.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <iconv.h>
#include <langinfo.h>
#include <time.h>
#include <unistd.h>

#define PIECE_SIZE    65536
#define IN_MAX        (32U << 20)
#define OUT_MAX       (16U << 20)
#define ENTRY_OUT_MAX (256U << 10)
#define ENTRIES_MAX   4096
#define ENTRIES_FIRST 4 /* all of the first few, then one in so many */
#define ENTRIES_STEP  16

struct unpack {
    int fd;
    uint64_t size;
    uint64_t offset;
    uint64_t in;
    uint64_t out;
    int64_t deadline;
    struct str dress; /* bytes to be given before the next of the file */
    bool is_zlib;
    bool is_spent; /* a limit was met: silence is no fault of the file */
    char piece[PIECE_SIZE];
};

/* libarchive knows no bare zlib stream, but gzip is the same between another head and tail: it gets
 * theirs. */
static const char gzip_head[10] = {0x1f, (char)0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
static const char gzip_tail[8];

static la_ssize_t unpack_dress(struct unpack *unpack, const void **ret_bytes)
{
    la_ssize_t len = (la_ssize_t)unpack->dress.len;

    *ret_bytes = unpack->dress.ptr;
    unpack->dress = STR("");
    return len;
}

static la_ssize_t unpack_read(struct archive *archive, void *context, const void **ret_bytes)
{
    struct unpack *unpack = context;
    ssize_t n;

    if (unpack->in >= IN_MAX || scan_work_ns() > unpack->deadline) {
        unpack->is_spent = true;
        archive_set_error(archive, ERR_LIMIT, "limit");
        return -1;
    }
    if (unpack->dress.len != 0) {
        return unpack_dress(unpack, ret_bytes);
    }
    do {
        n = pread(unpack->fd, unpack->piece, sizeof(unpack->piece), (off_t)unpack->offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        archive_set_error(archive, errno, "read");
        return -1;
    }
    if (n == 0 && unpack->is_zlib) {
        unpack->is_zlib = false;
        unpack->dress = str_of(gzip_tail, sizeof(gzip_tail));
        return unpack_dress(unpack, ret_bytes);
    }
    unpack->offset += (uint64_t)n;
    unpack->in += (uint64_t)n;
    *ret_bytes = unpack->piece;
    return n;
}

static la_int64_t unpack_seek(struct archive *archive, void *context, la_int64_t offset, int whence)
{
    struct unpack *unpack = context;
    int64_t base = 0;

    (void)archive;
    if (whence != SEEK_SET) {
        base = (int64_t)(whence == SEEK_CUR ? unpack->offset : unpack->size);
    }
    if (offset < -base || offset > (int64_t)unpack->size - base) {
        return ARCHIVE_FATAL;
    }
    unpack->offset = (uint64_t)(base + offset);
    return (la_int64_t)unpack->offset;
}

static la_int64_t unpack_skip(struct archive *archive, void *context, la_int64_t request)
{
    struct unpack *unpack = context;
    int64_t left =
        (int64_t)(unpack->size - (unpack->offset < unpack->size ? unpack->offset : unpack->size));

    (void)archive;
    if (request <= 0 || left <= 0) {
        return 0;
    }
    request = request < left ? request : left;
    unpack->offset += (uint64_t)request;
    return request;
}

static void archive_freep(struct archive **archive)
{
    if (*archive != NULL) {
        (void)archive_read_free(*archive);
    }
}

static struct archive *unpack_new(void)
{
    struct archive *archive = archive_read_new();

    if (archive == NULL) {
        return NULL;
    }
    /* A decoder that this build of the library lacks answers ARCHIVE_WARN: it would start a
     * program. */
    if (archive_read_support_filter_gzip(archive) != ARCHIVE_OK ||
        archive_read_support_filter_bzip2(archive) != ARCHIVE_OK ||
        archive_read_support_filter_xz(archive) != ARCHIVE_OK ||
        archive_read_support_filter_zstd(archive) != ARCHIVE_OK ||
        archive_read_support_format_zip(archive) != ARCHIVE_OK ||
        archive_read_support_format_7zip(archive) != ARCHIVE_OK ||
        archive_read_support_format_raw(archive) != ARCHIVE_OK) {
        (void)archive_read_free(archive);
        return NULL;
    }
    return archive;
}

/* Unpacks some of one entry. ARCHIVE_OK, ARCHIVE_EOF or the failure. */
static int unpack_entry(struct unpack *unpack, struct archive *archive)
{
    char out[8192];
    uint64_t got = 0;
    la_ssize_t n;

    do {
        n = archive_read_data(archive, out, sizeof(out));
        if (n < 0) {
            return (int)n;
        }
        got += (uint64_t)n;
        unpack->out += (uint64_t)n;
        if (unpack->out >= OUT_MAX || scan_work_ns() > unpack->deadline) {
            unpack->is_spent = true;
            return ARCHIVE_EOF;
        }
    } while (n > 0 && (got < ENTRY_OUT_MAX || archive_format(archive) == ARCHIVE_FORMAT_RAW));
    return ARCHIVE_OK;
}

static enum content_format unpack_failure(const struct unpack *unpack, struct archive *archive)
{
    const char *text = archive_error_string(archive);

    if (archive_read_has_encrypted_entries(archive) > 0) {
        return CONTENT_FORMAT_ENCRYPTED;
    }
    if (unpack->is_spent) {
        return CONTENT_FORMAT_KNOWN;
    }
    if (text != NULL &&
        (strstr(text, "nsupported") != NULL || strstr(text, "not supported") != NULL)) {
        return CONTENT_FORMAT_KNOWN;
    }
    if (unpack->out != 0 && unpack->offset >= unpack->size && text != NULL &&
        (strstr(text, "runcated") != NULL || strstr(text, "end of") != NULL)) {
        return CONTENT_FORMAT_KNOWN; /* still being written */
    }
    return CONTENT_FORMAT_DAMAGED;
}

static enum content_format unpack_walk(struct unpack *unpack, struct archive *archive)
{
    for (unsigned i = 0; i < ENTRIES_MAX && !unpack->is_spent; i++) {
        struct archive_entry *entry;
        int r = archive_read_next_header(archive, &entry);

        if (r == ARCHIVE_EOF) {
            break;
        }
        if (r < ARCHIVE_WARN) {
            return unpack_failure(unpack, archive);
        }
        if (archive_entry_is_encrypted(entry) != 0) {
            return CONTENT_FORMAT_ENCRYPTED;
        }
        if (i < ENTRIES_FIRST || i % ENTRIES_STEP == 0) {
            r = unpack_entry(unpack, archive);
            if (r < ARCHIVE_WARN) {
                return unpack_failure(unpack, archive);
            }
        }
    }
    return unpack->is_spent ? CONTENT_FORMAT_KNOWN : CONTENT_FORMAT_PLAIN;
}

enum content_format scan_unpack(int fd, uint64_t size, enum container_kind kind, int64_t deadline)
{
    static struct unpack unpack; /* large, and one thread's */
    CLEANUP(archive_freep) struct archive *archive = unpack_new();

    unpack.fd = fd;
    unpack.size = size;
    unpack.is_zlib = kind == CONTAINER_KIND_ZLIB;
    unpack.offset = unpack.is_zlib ? 2 : 0; /* behind the stream's own head */
    unpack.dress = unpack.is_zlib ? str_of(gzip_head, sizeof(gzip_head)) : STR("");
    unpack.in = 0;
    unpack.out = 0;
    unpack.deadline = deadline;
    unpack.is_spent = false;
    if (archive == NULL) {
        return CONTENT_FORMAT_KNOWN;
    }
    (void)archive_read_set_callback_data(archive, &unpack);
    (void)archive_read_set_read_callback(archive, unpack_read);
    if (!unpack.is_zlib) {
        (void)archive_read_set_seek_callback(archive, unpack_seek);
        (void)archive_read_set_skip_callback(archive, unpack_skip);
    }
    if (archive_read_open1(archive) < ARCHIVE_WARN) {
        return unpack_failure(&unpack, archive);
    }
    return unpack_walk(&unpack, archive);
}

int64_t scan_work_ns(void)
{
    struct timespec spent = {0};

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return (int64_t)spent.tv_sec * NS_PER_S + spent.tv_nsec;
}

/* One that this C library does not know is not needed by any archive it could read either. */
static void unpack_keep_converter(const char *to, const char *from)
{
    static iconv_t kept[32];
    static unsigned count;

    if (count < ARRAY_LEN(kept)) {
        kept[count++] = iconv_open(to, from);
    }
}

void scan_unpack_prepare(void)
{
    /* Names in archives are converted; the C library loads its converters from files. The handles
     * stay open so that it keeps them. */
    static const char *const charsets[] = {"UTF-16LE", "UTF-16BE", "UTF-8", "CP437", "UCS-2BE"};
    const char *locale = nl_langinfo(CODESET);

    tzset(); /* times in a zip are local: the C library reads the zone's file for the first one */
    for (size_t i = 0; i < ARRAY_LEN(charsets); i++) {
        unpack_keep_converter(locale, charsets[i]);
        unpack_keep_converter(charsets[i], locale);
        unpack_keep_converter("UTF-8", charsets[i]);
    }
}
