/* An office's files for a drill. On its way: drill/document.c makes bytes → here → the manifest
 * remembers what was written. Invariant: what the file system cannot hold (ACLs, attributes) is
 * left out silently, since the manifest records what is really there. */
#include "cli/drill/fill.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/time.h"
#include "cli/drill/document.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <math.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define FILE_BYTES_MIN    1024.0
#define FILE_BYTES_MAX    1048576.0
#define FILE_BYTES_MEDIAN 16384.0
#define FILE_BYTES_SIGMA  1.3
#define DOCUMENT_LIMIT    (8U << 20)
#define SPARSE_HOLE       (192 << 10)
#define HOLE_EACH         (2 * DOCUMENT_KIND_COUNT) /* every other text */

static const char *const fill_folders[] = {
    DRILL_DOCS,
    DRILL_DOCS "/Công văn đến",
    DRILL_DOCS "/Công văn đến/2026",
    DRILL_DOCS "/Công văn đi",
    DRILL_DOCS "/Báo cáo",
    DRILL_DOCS "/Báo cáo/Quý III",
    DRILL_DOCS "/Hồ sơ cán bộ",
    DRILL_DOCS "/Kế toán",
    DRILL_DOCS "/Kế toán/Chứng từ gốc",
    DRILL_DOCS "/Một cửa",
    DRILL_DOCS "/Một cửa/Đất đai",
    DRILL_DOCS "/Shared",
    DRILL_DOCS "/Shared/Projects",
    DRILL_DOCS "/Shared/Projects/Portal - new",
    DRILL_DOCS "/Thư điện tử",
};

static const char *const fill_names[] = {
    "Báo cáo tuần", "Danh sách", "Quyết định", "Tờ trình",     "Biên bản họp", "Kế hoạch trực Tết",
    "Minutes",      "Budget",    "Draft (2)",  "Hướng dẫn số", "Giấy mời",     "Contract",
};

static const mode_t fill_modes[] = {0644, 0640, 0600, 0664, 0444, 0755, 02750};

struct fill {
    const struct drill_folder *folder;
    struct arena *arena;
    struct drill_manifest *manifest;
    struct prng prng;
    struct buf bytes;
    int64_t now; /* ns since 1970 UTC, whole seconds */
};

/* Even over (0, 1]. */
static double fill_unit(struct prng *prng)
{
    return ((double)(prng_next(prng) >> 11) + 1) * 0x1p-53;
}

static size_t fill_size(struct prng *prng)
{
    double normal = sqrt(-2 * log(fill_unit(prng))) * cos(2 * M_PI * fill_unit(prng));
    double size = FILE_BYTES_MEDIAN * exp(FILE_BYTES_SIGMA * normal);

    return (size_t)fmin(fmax(size, FILE_BYTES_MIN), FILE_BYTES_MAX);
}

/* A user and a group entry besides the three of the mode (acl(5)); the attribute's bytes,
 * little-endian. */
static void fill_set_acl(int fd)
{
    struct {
        struct posix_acl_xattr_header head;
        struct posix_acl_xattr_entry entries[6];
    } acl = {
        .head = {POSIX_ACL_XATTR_VERSION},
        .entries = {{ACL_USER_OBJ, 6, UINT32_MAX},
                    {ACL_USER, 4, 33},
                    {ACL_GROUP_OBJ, 4, UINT32_MAX},
                    {ACL_GROUP, 6, 100},
                    {ACL_MASK, 6, UINT32_MAX},
                    {ACL_OTHER, 0, UINT32_MAX}},
    };

    if (fsetxattr(fd, "system.posix_acl_access", &acl, sizeof(acl), 0) < 0) {
        return; /* this file system holds none */
    }
}

static void fill_set_xattrs(int fd, size_t index)
{
    static const char origin[] = "https://dichvucong.example.vn/tai-ve?ma=";
    char value[96];
    int len = snprintf(value, sizeof(value), "%s%zu", origin, index);

    if (fsetxattr(fd, "user.xdg.origin.url", value, (size_t)len, 0) < 0 ||
        fsetxattr(fd, "user.canhgac.binary", "\x00\x01\xff\x00", 4, 0) < 0) {
        return; /* this file system holds none */
    }
}

/* Owner, mode, attributes, then the time, which the others would move. */
static int fill_dress(struct fill *fill, int fd, size_t index)
{
    int64_t age_s = (int64_t)prng_below(&fill->prng, 2ULL * 365 * 86400);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                {.tv_sec = fill->now / NS_PER_S - age_s,
                                 .tv_nsec = (long)prng_below(&fill->prng, 1000000000)}};
    mode_t mode = fill_modes[prng_below(&fill->prng, ARRAY_LEN(fill_modes))];

    if (geteuid() == 0 && index % 9 == 4 && fchown(fd, 33, 33) < 0) {
        return -errno;
    }
    if (geteuid() != 0) {
        mode |= S_IWUSR;
    }
    if (fchmod(fd, mode) < 0) {
        return -errno;
    }
    if (index % 7 == 3) {
        fill_set_xattrs(fd, index);
    }
    if (index % 11 == 5) {
        fill_set_acl(fd);
    }
    return futimens(fd, times) < 0 ? -errno : 0;
}

/* A register that grew by seeking: text, a long hole, text. */
static int fill_make_hole(struct fill *fill, int fd)
{
    char *end = buf_reserve(&fill->bytes, SPARSE_HOLE + 4096);

    if (end == NULL) {
        return buf_error(&fill->bytes);
    }
    memset(end, 0, SPARSE_HOLE);
    memset(end + SPARSE_HOLE, 'x', 4096);
    buf_commit(&fill->bytes, SPARSE_HOLE + 4096);
    if (pwrite(fd, end + SPARSE_HOLE, 4096, (off_t)(fill->bytes.len - 4096)) != 4096) {
        return -errno;
    }
    return 0;
}

static int fill_write(struct fill *fill, size_t index, const char *path)
{
    CLEANUP(closep)
    int fd = fd_open_beneath(fill->folder->fd, path, O_RDWR | O_CREAT | O_EXCL, 0600);
    uint8_t sha256[32];
    int r;

    if (fd < 0) {
        return fd;
    }
    r = fd_write_full(fd, fill->bytes.ptr, fill->bytes.len);
    if (r == 0 && index % HOLE_EACH == 0) {
        r = fill_make_hole(fill, fd);
    }
    if (r == 0) {
        r = fill_dress(fill, fd, index);
    }
    if (r < 0) {
        return r;
    }
    drill_sha256(fill->bytes.ptr, fill->bytes.len, sha256);
    return drill_manifest_add(fill->manifest, fill->arena, path, sha256);
}

/* A second name of the file just written, in another folder. */
static int fill_link(struct fill *fill, const char *folder, size_t index)
{
    const struct drill_entry *last = &fill->manifest->entries[fill->manifest->count - 1];
    struct str path =
        arena_printf(fill->arena, "%s/Bản dùng chung %zu%s", folder, index,
                     document_suffix((enum document_kind)(index % DOCUMENT_KIND_COUNT)));

    if (path.ptr == NULL) {
        return -ERR_NOMEM;
    }
    if (linkat(fill->folder->fd, last->path, fill->folder->fd, path.ptr, 0) < 0) {
        return -errno;
    }
    return drill_manifest_add(fill->manifest, fill->arena, path.ptr, last->sha256);
}

static int fill_file(struct fill *fill, size_t index)
{
    enum document_kind kind = (enum document_kind)(index % DOCUMENT_KIND_COUNT);
    const char *folder = fill_folders[prng_below(&fill->prng, ARRAY_LEN(fill_folders))];
    const char *name = fill_names[prng_below(&fill->prng, ARRAY_LEN(fill_names))];
    struct str path =
        arena_printf(fill->arena, "%s/%s %zu%s", folder, name, index, document_suffix(kind));
    int r;

    if (path.ptr == NULL) {
        return -ERR_NOMEM;
    }
    buf_reset(&fill->bytes);
    r = document_write(kind, &fill->prng, fill_size(&fill->prng), &fill->bytes);
    if (r == 0) {
        r = fill_write(fill, index, path.ptr);
    }
    if (r == 0 && index % 13 == 6) {
        r = fill_link(fill, fill_folders[(index / 13) % ARRAY_LEN(fill_folders)], index);
    }
    return r;
}

static int fill_all(struct fill *fill, size_t count)
{
    int r;

    for (size_t i = 0; i < ARRAY_LEN(fill_folders); i++) {
        if (mkdirat(fill->folder->fd, fill_folders[i], 0755) < 0) {
            return -errno;
        }
        r = drill_manifest_add(fill->manifest, fill->arena, fill_folders[i], NULL);
        if (r < 0) {
            return r;
        }
    }
    for (size_t i = 0; fill->manifest->file_count < count; i++) {
        r = fill_file(fill, i);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

int drill_fill(const struct drill_folder *folder, uint64_t seed, size_t count, struct arena *arena,
               struct drill_manifest *ret_manifest)
{
    struct fill fill = {
        .folder = folder, .arena = arena, .manifest = ret_manifest, .now = clock_wall(&clock_real)};
    int r = drill_folder_check(folder);

    prng_init(&fill.prng, seed);
    buf_init(&fill.bytes, DOCUMENT_LIMIT);
    if (r == 0) {
        /* A hard link may come on top of the last file. */
        r = drill_manifest_init(ret_manifest, arena, count + ARRAY_LEN(fill_folders) + 1);
    }
    if (r == 0) {
        r = fill_all(&fill, count);
    }
    if (r == 0) {
        r = drill_manifest_stat(ret_manifest, folder->fd);
    }
    buf_done(&fill.bytes);
    return r;
}
