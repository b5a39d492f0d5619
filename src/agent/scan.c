/* One file's format, from three witnesses: its structure, a decompressor, libmagic.
 * On its way: scanner.c → scan_file → codec/container.c, scan_unpack.c.
 * Invariant: random bytes behind a right head are never called PLAIN or KNOWN. */
#include "agent/scan.h"

#include "agent/scan_unpack.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "codec/container.h"

#include <errno.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#define HEAD_SIZE    (256U << 10)
#define SAMPLE_COUNT 4
#define PACK_MAX     (64U << 20)
#define SHA1_SIZE    20

struct scan_source {
    int fd;
    int64_t deadline;
};

static int64_t scan_read(void *context, uint64_t offset, void *out, size_t len)
{
    const struct scan_source *source = context;
    ssize_t n;

    if (offset > INT64_MAX || scan_work_ns() > source->deadline) {
        return -ERR_TIMEDOUT;
    }
    do {
        n = pread(source->fd, out, len, (off_t)offset);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int scan_open(struct scan *scan)
{
    scan->magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR |
                             MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_ELF);
    if (scan->magic == NULL) {
        return -ERR_NOMEM;
    }
    if (magic_load(scan->magic, NULL) != 0) {
        scan_close(scan);
        return -ERR_NOENT;
    }
    (void)magic_buffer(scan->magic, "", 1);
    (void)EVP_Digest("", 0, (unsigned char[EVP_MAX_MD_SIZE]){0}, NULL, EVP_sha1(), NULL);
    scan_unpack_prepare();
    return 0;
}

void scan_close(struct scan *scan)
{
    if (scan->magic != NULL) {
        magic_close(scan->magic);
        scan->magic = NULL;
    }
}

static void evp_freep(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

/* git closes its packs with the SHA-1 of all before it; a repository of SHA-256 is only KNOWN. */
static enum content_format scan_git_pack(struct scan_source *source, uint64_t size)
{
    CLEANUP(evp_freep) EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char piece[16384];
    unsigned char digest[EVP_MAX_MD_SIZE];
    uint64_t end = size - SHA1_SIZE;

    if (size > PACK_MAX || context == NULL || EVP_DigestInit_ex(context, EVP_sha1(), NULL) != 1) {
        return CONTENT_FORMAT_KNOWN;
    }
    for (uint64_t at = 0; at < end;) {
        size_t want = end - at < sizeof(piece) ? (size_t)(end - at) : sizeof(piece);
        int64_t n = scan_read(source, at, piece, want);

        if (n <= 0 || EVP_DigestUpdate(context, piece, (size_t)n) != 1) {
            return CONTENT_FORMAT_KNOWN;
        }
        at += (uint64_t)n;
    }
    if (EVP_DigestFinal_ex(context, digest, NULL) != 1 ||
        scan_read(source, end, piece, SHA1_SIZE) != SHA1_SIZE) {
        return CONTENT_FORMAT_KNOWN;
    }
    return memcmp(digest, piece, SHA1_SIZE) == 0 ? CONTENT_FORMAT_PLAIN : CONTENT_FORMAT_DAMAGED;
}

/* Whether samples over the whole file are noise: then its head is all there is of the format. */
static bool scan_is_noise(struct scan_source *source, uint64_t size, char *piece)
{
    struct content_stats stats = {0};
    enum content_texture texture;

    for (uint64_t i = 0; i < SAMPLE_COUNT; i++) {
        uint64_t step = HEAD_SIZE / SAMPLE_COUNT;
        uint64_t at = size <= HEAD_SIZE ? i * step : (size - step) / (SAMPLE_COUNT - 1) * i;
        int64_t n = at < size ? scan_read(source, at, piece, step) : 0;

        if (n > 0) {
            content_count(&stats, str_of(piece, (size_t)n));
        }
    }
    texture = content_texture(&stats);
    return texture == CONTENT_TEXTURE_RANDOM || texture == CONTENT_TEXTURE_SPREAD;
}

static enum content_format scan_magic(struct scan *scan, struct scan_source *source, uint64_t size,
                                      char *ret_name)
{
    static char head[HEAD_SIZE];
    int64_t n = scan_read(source, 0, head, sizeof(head));
    const char *type;

    if (n <= 0) {
        return CONTENT_FORMAT_UNKNOWN;
    }
    type = magic_buffer(scan->magic, head, (size_t)n);
    if (type == NULL) {
        type = "application/octet-stream";
    }
    snprintf(ret_name, SCAN_NAME_SIZE, "%s", type);
    if (content_is_text(str_of(head, (size_t)n))) {
        return CONTENT_FORMAT_TEXT;
    }
    if (strcmp(type, "application/octet-stream") == 0 || scan_is_noise(source, size, head)) {
        return CONTENT_FORMAT_UNKNOWN;
    }
    return strncmp(type, "text/", 5) == 0 ? CONTENT_FORMAT_TEXT : CONTENT_FORMAT_KNOWN;
}

static enum content_format scan_packed(struct scan_source *source,
                                       const struct container_report *report, uint64_t size)
{
    return report->kind == CONTAINER_KIND_GIT_PACK
               ? scan_git_pack(source, size)
               : scan_unpack(source->fd, size, report->kind, source->deadline);
}

enum content_format scan_file(struct scan *scan, int fd, char *ret_name)
{
    struct scan_source source = {fd, scan_work_ns() + SCAN_WORK_NS};
    struct container_report report;
    struct stat st;

    ret_name[0] = '\0';
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0) {
        return CONTENT_FORMAT_UNKNOWN;
    }
    container_inspect(&(struct container_source){scan_read, &source, (uint64_t)st.st_size},
                      &report);
    snprintf(ret_name, SCAN_NAME_SIZE, "%s", container_kind_name(report.kind));
    switch (report.state) {
    case CONTAINER_STATE_SOUND:
        return CONTENT_FORMAT_PLAIN;
    case CONTAINER_STATE_SHALLOW:
        return CONTENT_FORMAT_KNOWN;
    case CONTAINER_STATE_PACKED:
        return scan_packed(&source, &report, (uint64_t)st.st_size);
    case CONTAINER_STATE_DAMAGED:
        return CONTENT_FORMAT_DAMAGED;
    case CONTAINER_STATE_ENCRYPTED:
        return CONTENT_FORMAT_ENCRYPTED;
    case CONTAINER_STATE_NONE:
    case CONTAINER_STATE_COUNT:
        break;
    }
    return scan_magic(scan, &source, (uint64_t)st.st_size, ret_name);
}
