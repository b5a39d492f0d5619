/* Copying of content for saves (vault.c) and restores (vault/place.c). */
#include "store/vault/copy.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define COPY_CHUNK (256U << 10)

int vault_copy_file(int source, int target, uint64_t size, const struct fd_progress *progress)
{
    return size != 0 ? fd_clone(source, target, size, progress) : 0;
}

static int copy_write_at(int fd, const char *bytes, size_t len, off_t at)
{
    while (len != 0) {
        ssize_t put = pwrite(fd, bytes, len, at);

        if (put < 0 && errno != EINTR) {
            return -errno;
        }
        put = put < 0 ? 0 : put;
        bytes += put;
        at += put;
        len -= (size_t)put;
    }
    return 0;
}

static ssize_t copy_read_at(int fd, char *out, size_t len, uint64_t at)
{
    ssize_t got;

    do {
        got = pread(fd, out, len, (off_t)at);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

int vault_copy_range(int source, int target, uint64_t from, uint64_t len,
                     const struct fd_progress *progress)
{
    CLEANUP(mem_freep) char *chunk = mem_alloc(COPY_CHUNK, 1);
    uint64_t end = from + len;

    if (chunk == NULL) {
        return -ERR_NOMEM;
    }
    while (from < end) {
        size_t want = end - from < COPY_CHUNK ? (size_t)(end - from) : COPY_CHUNK;
        ssize_t got = copy_read_at(source, chunk, want, from);
        int r;

        if (got <= 0) {
            return (int)got; /* 0: the source shrank; what there was is kept */
        }
        r = copy_write_at(target, chunk, (size_t)got, (off_t)from);
        from += (uint64_t)got;
        r = r < 0 ? r : fd_progress_step(progress, from);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int copy_hole(int target, uint64_t from, uint64_t to)
{
    if (from >= to || fallocate(target, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from,
                                (off_t)(to - from)) == 0) {
        return 0;
    }
    return -errno;
}

/* Data over data, holes over the rest. */
static int copy_extents(int source, int target, uint64_t size)
{
    uint64_t at = 0;

    while (at < size) {
        off_t data = lseek(source, (off_t)at, SEEK_DATA);
        off_t hole;
        int r;

        if (data < 0 && errno == ENXIO) {
            return copy_hole(target, at, size);
        }
        hole = data >= 0 ? lseek(source, data, SEEK_HOLE) : -1;
        if (hole < 0) {
            return vault_copy_range(source, target, at, size - at, NULL);
        }
        r = copy_hole(target, at, (uint64_t)data);
        r = r < 0 ? r
                  : vault_copy_range(source, target, (uint64_t)data, (uint64_t)(hole - data), NULL);
        if (r < 0) {
            return r;
        }
        at = (uint64_t)hole;
    }
    return 0;
}

int vault_copy_over(int source, int target, uint64_t size)
{
    struct stat st;

    /* Not emptied first: ext4 flushes a file that was truncated to nothing when it is closed, and
     * whoever has it open would see it empty. */
    if (fstat(target, &st) != 0 ||
        ((uint64_t)st.st_size > size && ftruncate(target, (off_t)size) != 0)) {
        return -errno;
    }
    if (ioctl(target, FICLONE, source) == 0) {
        return 0;
    }
    if ((uint64_t)st.st_size < size && ftruncate(target, (off_t)size) != 0) {
        return -errno;
    }
    return copy_extents(source, target, size);
}

int vault_copy_compare(int a, int b, uint64_t size)
{
    CLEANUP(mem_freep) char *chunks = mem_alloc(2, COPY_CHUNK);
    uint64_t at = 0;

    if (chunks == NULL) {
        return -ERR_NOMEM;
    }
    while (at < size) {
        ssize_t in_a = copy_read_at(a, chunks, COPY_CHUNK, at);
        ssize_t in_b = copy_read_at(b, chunks + COPY_CHUNK, COPY_CHUNK, at);

        if (in_a < 0 || in_b < 0) {
            return (int)(in_a < 0 ? in_a : in_b);
        }
        if (in_a != in_b || in_a == 0 || memcmp(chunks, chunks + COPY_CHUNK, (size_t)in_a) != 0) {
            return 0;
        }
        at += (uint64_t)in_a;
    }
    return 1;
}
