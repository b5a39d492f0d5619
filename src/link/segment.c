/* The spool's file format: see link/segment.h. Numbers are little-endian; checksums are XXH3 (64
 * bits). */
#include "link/segment.h"

#include "base/banned.h"
#include "base/err.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <unistd.h>
#include <xxhash.h>

#define SEGMENT_MAGIC  "CGspool1"
#define SEGMENT_SUFFIX ".seg"

struct segment_header {
    char magic[8];
    uint64_t first;
    uint64_t last;
    uint64_t dropped;
    uint8_t state[SPOOL_STATE_SIZE];
    uint8_t zero[32];
    uint64_t checksum;
};
static_assert(sizeof(struct segment_header) == SEGMENT_HEADER_SIZE, "fixed on disk");

struct segment_head {
    uint32_t length;
    uint32_t kind;
    uint64_t sequence;
    uint64_t checksum;
};
static_assert(sizeof(struct segment_head) == SEGMENT_HEAD_SIZE, "fixed on disk");

static void segment_encode_state(const struct spool_state *state, uint8_t *out)
{
    const uint64_t numbers[] = {htole64(state->base),    htole64(state->acked),
                                htole64(state->sent),    htole64(state->refused),
                                htole64(state->dropped), htole64(state->torn),
                                htole64(state->removed)};

    static_assert(sizeof(numbers) == SPOOL_STATE_SIZE, "all of the state");
    memcpy(out, numbers, sizeof(numbers));
}

static void segment_decode_state(const uint8_t *bytes, struct spool_state *ret_state)
{
    uint64_t numbers[SPOOL_STATE_SIZE / 8];

    memcpy(numbers, bytes, sizeof(numbers));
    *ret_state = (struct spool_state){.base = le64toh(numbers[0]),
                                      .acked = le64toh(numbers[1]),
                                      .sent = le64toh(numbers[2]),
                                      .refused = le64toh(numbers[3]),
                                      .dropped = le64toh(numbers[4]),
                                      .torn = le64toh(numbers[5]),
                                      .removed = le64toh(numbers[6])};
}

void segment_name(uint64_t first, char out[SEGMENT_NAME_SIZE])
{
    (void)snprintf(out, SEGMENT_NAME_SIZE, "%020llu" SEGMENT_SUFFIX, (unsigned long long)first);
}

bool segment_parse_name(const char *name, uint64_t *ret_first)
{
    struct str s = str_from(name);

    return s.len == 20 + sizeof(SEGMENT_SUFFIX) - 1 && str_has_suffix(s, STR(SEGMENT_SUFFIX)) &&
           str_to_u64(str_slice(s, 0, 20), ret_first) == 0;
}

int segment_write_header(int fd, const struct segment *segment, const struct spool_state *state)
{
    struct segment_header header = {.first = htole64(segment->first),
                                    .last = htole64(segment->last),
                                    .dropped = htole64(segment->dropped)};
    ssize_t n;

    memcpy(header.magic, SEGMENT_MAGIC, sizeof(header.magic));
    segment_encode_state(state, header.state);
    header.checksum = htole64(XXH3_64bits(&header, offsetof(struct segment_header, checksum)));
    do {
        n = pwrite(fd, &header, sizeof(header), 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return -errno;
    }
    return n == (ssize_t)sizeof(header) ? 0 : -ERR_NOSPC;
}

int segment_read_header(int fd, struct segment *ret_segment, struct spool_state *ret_state)
{
    struct segment_header header;
    ssize_t n = pread(fd, &header, sizeof(header), 0);

    if (n < 0) {
        return -errno;
    }
    if (n >= (ssize_t)sizeof(header.magic) &&
        memcmp(header.magic, SEGMENT_MAGIC, sizeof(header.magic)) != 0) {
        static const char zeroes[sizeof(header.magic)] = {0};

        return memcmp(header.magic, zeroes, sizeof(zeroes)) == 0 ? -ERR_TRUNCATED : -ERR_FOREIGN;
    }
    if (n < (ssize_t)sizeof(header)) {
        return -ERR_TRUNCATED;
    }
    if (le64toh(header.checksum) !=
        XXH3_64bits(&header, offsetof(struct segment_header, checksum))) {
        return -ERR_CORRUPT;
    }
    *ret_segment = (struct segment){.first = le64toh(header.first),
                                    .last = le64toh(header.last),
                                    .dropped = le64toh(header.dropped),
                                    .size = SEGMENT_HEADER_SIZE};
    segment_decode_state(header.state, ret_state);
    return 0;
}

static uint64_t segment_checksum(const struct segment_head *head, struct str bytes)
{
    uint64_t seed = XXH3_64bits(head, offsetof(struct segment_head, checksum));

    return XXH3_64bits_withSeed(bytes.ptr, bytes.len, seed);
}

void segment_put(struct buf *out, unsigned kind, uint64_t sequence, struct str bytes)
{
    struct segment_head head = {.length = htole32((uint32_t)bytes.len),
                                .kind = htole32(kind),
                                .sequence = htole64(sequence)};

    head.checksum = htole64(segment_checksum(&head, bytes));
    buf_put(out, &head, sizeof(head));
    buf_put_str(out, bytes);
}

int segment_write(int fd, uint64_t offset, struct str records)
{
    ssize_t n;
    int r;

    do {
        n = pwrite(fd, records.ptr, records.len, (off_t)offset);
    } while (n < 0 && errno == EINTR);
    if (n == (ssize_t)records.len) {
        return 0;
    }
    r = n < 0 ? -errno : -ERR_NOSPC;
    if (n > 0 && ftruncate(fd, (off_t)offset) != 0) {
        return -errno;
    }
    return r;
}

void segment_window_init(struct segment_window *window)
{
    *window = (struct segment_window){0};
    buf_init(&window->bytes, SEGMENT_WINDOW);
}

void segment_window_done(struct segment_window *window)
{
    buf_done(&window->bytes);
}

void segment_window_forget(struct segment_window *window)
{
    buf_reset(&window->bytes);
}

/* What the window has from offset on. */
static struct str segment_seen(const struct segment_window *window, uint64_t offset)
{
    struct str bytes = buf_str(&window->bytes);

    return offset >= window->offset && offset - window->offset < bytes.len
               ? str_slice(bytes, (size_t)(offset - window->offset), bytes.len)
               : STR("");
}

static int segment_look(int fd, uint64_t offset, uint64_t end, struct segment_window *window)
{
    size_t room = end - offset < SEGMENT_WINDOW ? (size_t)(end - offset) : SEGMENT_WINDOW;
    char *bytes;
    ssize_t n;

    buf_reset(&window->bytes);
    bytes = buf_reserve(&window->bytes, room);
    if (bytes == NULL) {
        return buf_error(&window->bytes);
    }
    n = pread(fd, bytes, room, (off_t)offset);
    if (n < 0) {
        return -errno;
    }
    buf_commit(&window->bytes, (size_t)n);
    window->offset = offset;
    return 0;
}

/* The record that bytes begin with: 1, or -ERR_TRUNCATED when they do not hold all of it. */
static int segment_parse(struct str bytes, uint64_t offset, struct segment_record *ret_record)
{
    struct segment_head head;
    size_t length;

    if (bytes.len < sizeof(head)) {
        return -ERR_TRUNCATED;
    }
    memcpy(&head, bytes.ptr, sizeof(head));
    length = le32toh(head.length);
    if (length > RECORD_SIZE_MAX) {
        return -ERR_CORRUPT;
    }
    if (bytes.len - sizeof(head) < length) {
        return -ERR_TRUNCATED;
    }
    bytes = str_slice(bytes, sizeof(head), sizeof(head) + length);
    if (le64toh(head.checksum) != segment_checksum(&head, bytes)) {
        return -ERR_CORRUPT;
    }
    *ret_record = (struct segment_record){.kind = le32toh(head.kind),
                                          .sequence = le64toh(head.sequence),
                                          .bytes = bytes,
                                          .next = offset + sizeof(head) + length};
    return 1;
}

int segment_read(int fd, uint64_t offset, uint64_t end, struct segment_window *window,
                 struct segment_record *ret_record)
{
    int r = segment_parse(segment_seen(window, offset), offset, ret_record);

    if (r != -ERR_TRUNCATED || offset >= end) {
        return offset >= end ? 0 : r;
    }
    r = segment_look(fd, offset, end, window);
    if (r < 0 || window->bytes.len == 0) {
        return r;
    }
    return segment_parse(buf_str(&window->bytes), offset, ret_record);
}
