/* Records and their contents. */
#include "store/evidence.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/cbor.h"
#include "sys/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define RECORD_FORMAT  1
#define RECORD_MEMBERS 18
#define RECORD_NAME    32
#define EVIDENCE_MAX   1000000 /* records shown */

void evidence_encode(const struct evidence_record *record, struct buf *buf)
{
    cbor_put_array(buf, RECORD_MEMBERS);
    cbor_put_u64(buf, RECORD_FORMAT);
    cbor_put_u64(buf, record->number);
    cbor_put_i64(buf, record->time);
    cbor_put_text(buf, record->root);
    cbor_put_text(buf, record->path);
    cbor_put_text(buf, record->what);
    cbor_put_u64(buf, record->mode);
    cbor_put_u64(buf, record->uid);
    cbor_put_u64(buf, record->gid);
    cbor_put_i64(buf, record->mtime);
    cbor_put_i64(buf, record->changed);
    cbor_put_u64(buf, record->size);
    cbor_put_i64(buf, record->has_content ? 0 : record->result);
    cbor_put_bytes(buf, str_of((const char *)record->sha256,
                               record->has_content ? sizeof(record->sha256) : (size_t)0));
    cbor_put_i64(buf, record->pid);
    cbor_put_text(buf, record->user);
    cbor_put_text(buf, record->exe);
    cbor_put_text(buf, record->cmdline);
}

int evidence_decode(struct str bytes, struct evidence_record *ret_record)
{
    struct evidence_record record = {0};
    struct cbor_reader reader;
    struct str digest;
    int r;

    cbor_open(&reader, bytes);
    if (cbor_get_array(&reader) != RECORD_MEMBERS) {
        cbor_fail(&reader, -ERR_SYNTAX);
    }
    if (cbor_get_u64(&reader) != RECORD_FORMAT) {
        cbor_fail(&reader, -ERR_VERSION);
    }
    record.number = cbor_get_u64(&reader);
    record.time = cbor_get_i64(&reader);
    record.root = cbor_get_text(&reader);
    record.path = cbor_get_text(&reader);
    record.what = cbor_get_text(&reader);
    record.mode = (uint32_t)cbor_get_u64(&reader);
    record.uid = (uint32_t)cbor_get_u64(&reader);
    record.gid = (uint32_t)cbor_get_u64(&reader);
    record.mtime = cbor_get_i64(&reader);
    record.changed = cbor_get_i64(&reader);
    record.size = cbor_get_u64(&reader);
    record.result = (int)cbor_get_i64(&reader);
    digest = cbor_get_bytes(&reader);
    record.has_content = digest.len == sizeof(record.sha256);
    if (record.has_content) {
        memcpy(record.sha256, digest.ptr, digest.len);
    } else if (digest.len != 0) {
        cbor_fail(&reader, -ERR_SYNTAX);
    }
    record.pid = cbor_get_i64(&reader);
    record.user = cbor_get_text(&reader);
    record.exe = cbor_get_text(&reader);
    record.cmdline = cbor_get_text(&reader);
    r = cbor_close(&reader);
    if (r < 0) {
        return r;
    }
    *ret_record = record;
    return 0;
}

static uint64_t number_of(const char *name)
{
    uint64_t number = 0;

    return str_to_u64(str_from(name), &number) == 0 ? number : 0;
}

static int number_order(const void *a, const void *b)
{
    const uint64_t *one = a;
    const uint64_t *other = b;

    return *one < *other ? -1 : *one > *other;
}

/* All record numbers, in order; *ret_numbers is the caller's to free. */
static int evidence_numbers(const struct evidence *evidence, uint64_t **ret_numbers,
                            size_t *ret_count)
{
    int own = openat(evidence->records, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = own >= 0 ? fdopendir(own) : NULL;
    CLEANUP(mem_freep) uint64_t *numbers = NULL;
    const struct dirent *item;
    size_t count = 0;
    size_t room = 0;

    if (dir == NULL) {
        int r = -errno;

        closep(&own);
        return r;
    }
    while ((item = readdir(dir)) != NULL && count < EVIDENCE_MAX) {
        uint64_t number = number_of(item->d_name);

        if (number != 0 && count == room) {
            uint64_t *more;

            room = room != 0 ? 2 * room : 256;
            more = mem_resize(numbers, room, sizeof(*numbers));
            if (more == NULL) {
                (void)closedir(dir);
                return -ERR_NOMEM;
            }
            numbers = more;
        }
        if (number != 0) {
            numbers[count++] = number;
        }
    }
    (void)closedir(dir);
    if (count != 0) {
        qsort(numbers, count, sizeof(*numbers), number_order);
    }
    *ret_numbers = TAKE_PTR(numbers);
    *ret_count = count;
    return 0;
}

static bool evidence_keeps_all(void *context, const uint8_t sha256[32])
{
    (void)context;
    (void)sha256;
    return true;
}

static int evidence_open_in(struct evidence *evidence)
{
    CLEANUP(mem_freep) uint64_t *numbers = NULL;
    size_t count = 0;
    int r = blobs_open(evidence->folder, "blobs", &evidence->blobs);

    if (r == 0 && mkdirat(evidence->folder, "records", 0700) != 0 && errno != EEXIST) {
        r = -errno;
    }
    if (r < 0) {
        return r;
    }
    evidence->records =
        openat(evidence->folder, "records", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (evidence->records < 0) {
        return -errno;
    }
    r = evidence_numbers(evidence, &numbers, &count);
    if (r == 0) {
        evidence->number = count != 0 ? numbers[count - 1] : 0;
        r = blobs_sweep(&evidence->blobs, evidence_keeps_all, NULL, &evidence->bytes);
    }
    return r;
}

int evidence_open(int parent, uint64_t limit, struct evidence *ret_evidence)
{
    struct evidence evidence = {
        .folder = -1, .records = -1, .blobs = {.folder = -1}, .limit = limit};
    int r;

    if (mkdirat(parent, "evidence", 0700) != 0 && errno != EEXIST) {
        return -errno;
    }
    evidence.folder = openat(parent, "evidence", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    r = evidence.folder >= 0 ? evidence_open_in(&evidence) : -errno;
    if (r < 0) {
        evidence_close(&evidence);
        return r;
    }
    *ret_evidence = evidence;
    return 0;
}

void evidence_close(struct evidence *evidence)
{
    blobs_close(&evidence->blobs);
    closep(&evidence->records);
    closep(&evidence->folder);
}

static void record_name(uint64_t number, char out[RECORD_NAME])
{
    (void)snprintf(out, RECORD_NAME, "%020llu", (unsigned long long)number);
}

/* Another process may have taken the number meanwhile: then the next one. */
static int evidence_settle(struct evidence *evidence, const char *partial, uint64_t number)
{
    char name[RECORD_NAME];

    record_name(number, name);
    return renameat2(evidence->records, partial, evidence->records, name, RENAME_NOREPLACE) == 0
               ? 0
               : -errno;
}

static int evidence_write(struct evidence *evidence, const struct evidence_record *record)
{
    CLEANUP(buf_done) struct buf buf;
    CLEANUP(closep) int fd = -1;
    char partial[RECORD_NAME];
    int r;

    buf_init(&buf, EVIDENCE_RECORD_MAX);
    evidence_encode(record, &buf);
    if (buf_error(&buf) < 0) {
        return buf_error(&buf);
    }
    (void)snprintf(partial, sizeof(partial), "new-%d", (int)getpid());
    fd = openat(evidence->records, partial, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                0400);
    if (fd < 0) {
        return -errno;
    }
    r = fd_write_full(fd, buf.ptr, buf.len);
    r = r < 0 ? r : evidence_settle(evidence, partial, record->number);
    if (r < 0) {
        (void)unlinkat(evidence->records, partial, 0);
    }
    return r;
}

int evidence_take(struct evidence *evidence, int fd, struct evidence_record *record)
{
    struct stat st = {0};
    int r;

    record->has_content = false;
    record->result = 0;
    if (fd >= 0) {
        r = fstat(fd, &st) == 0 ? 0 : -errno;
        if (r == 0 && (evidence->bytes >= evidence->limit ||
                       (uint64_t)st.st_size > evidence->limit - evidence->bytes)) {
            r = -ERR_FULL;
        }
        record->size = (uint64_t)st.st_size;
        if (r == 0) {
            r = blobs_put(&evidence->blobs, fd, record->sha256, &record->size);
        }
        if (r == -ERR_NOSPC) {
            return r;
        }
        record->has_content = r == 0;
        record->result = r;
        evidence->bytes += r == 0 ? record->size : 0;
    }
    do {
        record->number = ++evidence->number;
        r = evidence_write(evidence, record);
    } while (r == -ERR_EXIST);
    return r;
}

int evidence_get(const struct evidence *evidence, uint64_t number, struct arena *arena,
                 struct evidence_record *ret_record)
{
    CLEANUP(buf_done) struct buf buf;
    char name[RECORD_NAME];
    struct str bytes;
    int r;

    buf_init(&buf, EVIDENCE_RECORD_MAX);
    record_name(number, name);
    r = file_read_all(evidence->records, name, &buf);
    if (r < 0) {
        return r;
    }
    bytes = arena_copy(arena, buf_str(&buf));
    if (bytes.ptr == NULL) {
        return -ERR_NOMEM;
    }
    return evidence_decode(bytes, ret_record) == 0 ? 0 : -ERR_CORRUPT;
}

int evidence_each(const struct evidence *evidence, struct arena *arena, evidence_fn *fn,
                  void *context, uint64_t *ret_damaged)
{
    CLEANUP(mem_freep) uint64_t *numbers = NULL;
    size_t count = 0;
    int r = evidence_numbers(evidence, &numbers, &count);

    *ret_damaged = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct evidence_record record;

        arena_reset(arena);
        if (evidence_get(evidence, numbers[i], arena, &record) < 0) {
            (*ret_damaged)++;
            continue;
        }
        r = fn(context, &record);
    }
    return r;
}
