/* Patterns made of the program's own system calls. On its way: drill/attack.c → here → the files.
 * Invariant: begin is called before the first call that destroys, touched after it has succeeded,
 * once a file. */
#include "cli/drill/attack.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define CHUNK_BYTES   (64U << 10)
#define HEAD_BYTES    4096U
#define DIRECT_BYTES  4096U
#define SLOW_PAUSE_NS (100 * NS_PER_MS)
#define LOCKED_SUFFIX ".locked"

/* Which bytes of a file change: of each period the first `on`, up to limit. */
struct drill_stride {
    uint64_t on;
    uint64_t period;
    uint64_t limit;
};

static const struct drill_stride stride_all = {1, 1, UINT64_MAX};

/* Enciphers len bytes that stand at offset, where the stride says so. */
static int native_cipher_chunk(struct drill_attack *attack, char *bytes, size_t len,
                               uint64_t offset, const struct drill_stride *stride)
{
    char plain[CHUNK_BYTES];
    int r;

    memcpy(plain, bytes, len);
    r = drill_cipher_apply(attack, bytes, len);
    for (size_t i = 0; r == 0 && i < len; i++) {
        if (offset + i >= stride->limit || (offset + i) % stride->period >= stride->on) {
            bytes[i] = plain[i];
        }
    }
    return r;
}

static int native_inplace_fd(struct drill_attack *attack, const struct drill_victim *victim, int fd,
                             const struct drill_stride *stride)
{
    char chunk[CHUNK_BYTES];
    int r = drill_cipher_start(attack, victim);
    off_t offset = 0;

    while (r == 0 && (uint64_t)offset < stride->limit) {
        ssize_t got = pread(fd, chunk, sizeof(chunk), offset);

        if (got <= 0) {
            return got < 0 ? -errno : 0;
        }
        r = native_cipher_chunk(attack, chunk, (size_t)got, (uint64_t)offset, stride);
        if (r == 0) {
            drill_attack_begin(attack);
            r = pwrite(fd, chunk, (size_t)got, offset) == got ? 0 : -ERR_IO;
        }
        if (r == 0 && offset == 0) {
            drill_attack_touched(attack);
        }
        offset += got;
    }
    return r;
}

static int native_inplace(struct drill_attack *attack, const struct drill_victim *victim,
                          const struct drill_stride *stride)
{
    CLEANUP(closep) int fd = fd_open_beneath(victim->dir_fd, victim->name, O_RDWR, 0);

    return fd < 0 ? fd : native_inplace_fd(attack, victim, fd, stride);
}

int drill_inplace_fd(struct drill_attack *attack, const struct drill_victim *victim, int fd)
{
    return native_inplace_fd(attack, victim, fd, &stride_all);
}

int drill_inplace(struct drill_attack *attack, const struct drill_victim *victim)
{
    return native_inplace(attack, victim, &stride_all);
}

int drill_inplace_16(struct drill_attack *attack, const struct drill_victim *victim)
{
    static const struct drill_stride every_other = {16, 32, UINT64_MAX};

    return native_inplace(attack, victim, &every_other);
}

int drill_head_rename(struct drill_attack *attack, const struct drill_victim *victim)
{
    static const struct drill_stride head = {1, 1, HEAD_BYTES};
    char locked[NAME_MAX + sizeof(LOCKED_SUFFIX)];
    int r = native_inplace(attack, victim, &head);

    (void)snprintf(locked, sizeof(locked), "%s" LOCKED_SUFFIX, victim->name);
    if (r == 0 && renameat(victim->dir_fd, victim->name, victim->dir_fd, locked) < 0) {
        r = -errno;
    }
    return r;
}

int drill_slow(struct drill_attack *attack, const struct drill_victim *victim)
{
    const struct timespec pause = {.tv_nsec = SLOW_PAUSE_NS};

    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    return drill_inplace(attack, victim);
}

int drill_trunc_rewrite(struct drill_attack *attack, const struct drill_victim *victim)
{
    CLEANUP(mem_freep) char *bytes = NULL;
    CLEANUP(closep) int fd = -1;
    size_t len = 0;
    int r = drill_cipher_file(attack, victim, &bytes, &len);

    if (r < 0) {
        return r;
    }
    drill_attack_begin(attack);
    fd = fd_open_beneath(victim->dir_fd, victim->name, O_WRONLY | O_TRUNC, 0);
    if (fd < 0) {
        return fd;
    }
    drill_attack_touched(attack);
    return fd_write_full(fd, bytes, len);
}

int drill_truncate_path(struct drill_attack *attack, const struct drill_victim *victim)
{
    CLEANUP(mem_freep) char *bytes = NULL;
    CLEANUP(closep) int place = fd_open_beneath(victim->dir_fd, victim->name, O_PATH, 0);
    CLEANUP(closep) int fd = -1;
    char path[64];
    size_t len = 0;
    int r = place < 0 ? place : drill_cipher_file(attack, victim, &bytes, &len);

    if (r < 0) {
        return r;
    }
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
    drill_attack_begin(attack);
    if (truncate(path, 0) < 0) {
        return -errno;
    }
    drill_attack_touched(attack);
    fd = fd_open_beneath(victim->dir_fd, victim->name, O_WRONLY, 0);
    return fd < 0 ? fd : fd_write_full(fd, bytes, len);
}

/* Writes bytes into a new file beside the victim, with the victim's mode. */
static int native_write_beside(const struct drill_victim *victim, const char *name,
                               struct str bytes)
{
    CLEANUP(closep)
    int fd = fd_open_beneath(victim->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL, 0644);

    return fd < 0 ? fd : fd_write_full(fd, bytes.ptr, bytes.len);
}

/* Puts bytes into a new file and takes the victim's name with it: by renaming over it, or by
 * swapping the two and removing what had been the victim. */
static int native_take_name(struct drill_attack *attack, const struct drill_victim *victim,
                            struct str bytes, bool is_swap)
{
    char name[64];
    int r;

    (void)snprintf(name, sizeof(name), ".%zu.tmp", victim->number);
    r = native_write_beside(victim, name, bytes);
    if (r < 0) {
        return r;
    }
    drill_attack_begin(attack);
    if (renameat2(victim->dir_fd, name, victim->dir_fd, victim->name,
                  is_swap ? RENAME_EXCHANGE : 0) < 0) {
        return -errno;
    }
    if (is_swap && unlinkat(victim->dir_fd, name, 0) < 0) {
        return -errno;
    }
    drill_attack_touched(attack);
    return 0;
}

int drill_rename_over(struct drill_attack *attack, const struct drill_victim *victim)
{
    CLEANUP(mem_freep) char *bytes = NULL;
    size_t len = 0;
    int r = drill_cipher_file(attack, victim, &bytes, &len);

    return r < 0 ? r : native_take_name(attack, victim, str_of(bytes, len), false);
}

int drill_exchange_rename(struct drill_attack *attack, const struct drill_victim *victim)
{
    CLEANUP(mem_freep) char *bytes = NULL;
    size_t len = 0;
    int r = drill_cipher_file(attack, victim, &bytes, &len);

    return r < 0 ? r : native_take_name(attack, victim, str_of(bytes, len), true);
}

int drill_base64(struct drill_attack *attack, const struct drill_victim *victim)
{
    CLEANUP(mem_freep) char *bytes = NULL;
    CLEANUP(mem_freep) char *text = NULL;
    size_t len = 0;
    int r = drill_cipher_file(attack, victim, &bytes, &len);

    if (r < 0) {
        return r;
    }
    text = mem_alloc((len + 2) / 3 + 1, 4);
    if (text == NULL) {
        return -ERR_NOMEM;
    }
    len = (size_t)EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes, (int)len);
    return native_take_name(attack, victim, str_of(text, len), false);
}

int drill_mmap(struct drill_attack *attack, const struct drill_victim *victim)
{
    CLEANUP(closep) int fd = fd_open_beneath(victim->dir_fd, victim->name, O_RDWR, 0);
    struct stat st;
    char *bytes;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0) {
        return fd < 0 ? fd : -errno;
    }
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) {
        return -errno;
    }
    r = drill_cipher_start(attack, victim);
    if (r == 0) {
        drill_attack_begin(attack);
        r = drill_cipher_apply(attack, bytes, (size_t)st.st_size);
        drill_attack_touched(attack);
    }
    (void)munmap(bytes, (size_t)st.st_size);
    return r;
}

/* Whole blocks past the page cache, then the file's own length again. */
static int native_write_direct(struct drill_attack *attack, int fd, struct str bytes)
{
    CLEANUP(mem_freep) char *room = mem_alloc(bytes.len + 2 * (size_t)DIRECT_BYTES, 1);
    size_t len = (bytes.len + DIRECT_BYTES - 1) / DIRECT_BYTES * DIRECT_BYTES;
    char *aligned;

    if (room == NULL) {
        return -ERR_NOMEM;
    }
    aligned = room + (DIRECT_BYTES - (uintptr_t)room % DIRECT_BYTES);
    memcpy(aligned, bytes.ptr, bytes.len);
    drill_attack_begin(attack);
    if (pwrite(fd, aligned, len, 0) != (ssize_t)len) {
        return errno != 0 ? -errno : -ERR_IO;
    }
    drill_attack_touched(attack);
    return ftruncate(fd, (off_t)bytes.len) < 0 ? -errno : 0;
}

int drill_o_direct(struct drill_attack *attack, const struct drill_victim *victim)
{
    CLEANUP(mem_freep) char *bytes = NULL;
    CLEANUP(closep) int fd = -1;
    size_t len = 0;
    int r = drill_cipher_file(attack, victim, &bytes, &len);

    if (r < 0) {
        return r;
    }
    fd = fd_open_beneath(victim->dir_fd, victim->name, O_WRONLY | O_DIRECT, 0);
    return fd < 0 ? fd : native_write_direct(attack, fd, str_of(bytes, len));
}

static int native_copy_over(struct drill_attack *attack, const struct drill_victim *victim,
                            const char *source_name, size_t len)
{
    CLEANUP(closep) int source = fd_open_beneath(victim->dir_fd, source_name, O_RDONLY, 0);
    CLEANUP(closep) int fd = fd_open_beneath(victim->dir_fd, victim->name, O_WRONLY, 0);
    bool is_touched = false;

    if (source < 0 || fd < 0) {
        return source < 0 ? source : fd;
    }
    drill_attack_begin(attack);
    while (len != 0) {
        ssize_t done = copy_file_range(source, NULL, fd, NULL, len, 0);

        if (done <= 0) {
            return done < 0 ? -errno : -ERR_TRUNCATED;
        }
        if (!is_touched) {
            drill_attack_touched(attack);
            is_touched = true;
        }
        len -= (size_t)done;
    }
    return 0;
}

int drill_copy_range(struct drill_attack *attack, const struct drill_victim *victim)
{
    CLEANUP(mem_freep) char *bytes = NULL;
    char name[64];
    size_t len = 0;
    int r = drill_cipher_file(attack, victim, &bytes, &len);

    (void)snprintf(name, sizeof(name), ".%zu.tmp", victim->number);
    if (r == 0) {
        r = native_write_beside(victim, name, str_of(bytes, len));
    }
    if (r == 0) {
        r = native_copy_over(attack, victim, name, len);
    }
    if (r == 0 && unlinkat(victim->dir_fd, name, 0) < 0) {
        r = -errno;
    }
    return r;
}
