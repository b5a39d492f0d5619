/* Makes an archive of BYTES of raw entries under FOLDER out of the lines of FILES, and the same
 * entries as one text, FOLDER/raw.log, for those who search in that. Every copy of a line gets
 * numbers, addresses and hexadecimal of its own, or compression and filters would be flattered. One
 * entry in the middle holds a word that no other has. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/prng.h"
#include "base/time.h"
#include "store/archive.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <fcntl.h>
#include <unistd.h>

#define FILES_MAX 16
#define LINES_MAX 400000
#define LINE_ROOM 65536
#define HOSTS     200
#define DAYS      7
#define COMMIT    20000 /* entries, as a busy centre has in some seconds */
#define RARE      "zqxjkv-khong-co-o-dau-khac"

struct source {
    struct str *lines;
    size_t count;
    const char *format;
    const char *path;
};

static struct source sources[FILES_MAX];
static size_t source_count;

static void fail(const char *what, int r)
{
    (void)fprintf(stderr, "%s: %s\n", what, err_text(r));
    exit(1);
}

static void source_load(const char *path)
{
    struct source *source = &sources[source_count++];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    struct str rest;
    struct str line;
    char *bytes;

    if (fd < 0 || fstat(fd, &info) < 0) {
        fail(path, -ERR_IO);
    }
    bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    source->lines = mem_alloc(LINES_MAX, sizeof(*source->lines));
    if (bytes == MAP_FAILED || source->lines == NULL) {
        fail(path, -ERR_NOMEM);
    }
    rest = str_of(bytes, (size_t)info.st_size);
    while (source->count < LINES_MAX && str_cut(&rest, '\n', &line)) {
        if (line.len > 1 && line.len < LINE_ROOM - 64) {
            source->lines[source->count++] = line;
        }
    }
    source->path = path;
    source->format = str_has_suffix(str_from(path), STR("json"))         ? "ndjson"
                     : str_has_suffix(str_from(path), STR("Apache.log")) ? "weblog"
                                                                         : "syslog";
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* New digits in runs of three and more: a log repeats most of itself. Escapes stay. */
static size_t line_change(struct prng *prng, struct str line, char *out)
{
    memcpy(out, line.ptr, line.len);
    for (size_t i = 0; i < line.len;) {
        size_t end = i;
        bool has_digit = false;

        while (end < line.len && is_hex(out[end])) {
            has_digit = has_digit || (out[end] >= '0' && out[end] <= '9');
            end++;
        }
        has_digit = has_digit && !(i >= 2 && out[i - 1] == 'u' && out[i - 2] == '\\');
        for (; has_digit && end - i >= 3 && i < end; i++) {
            if (out[i] >= '0' && out[i] <= '9') {
                out[i] = (char)('0' + prng_below(prng, 10));
            }
        }
        i = end + 1;
    }
    return line.len;
}

static void entry_add(struct archive *archive, struct prng *prng, uint64_t number, int64_t time,
                      const struct source *source, struct str raw)
{
    struct id host = {.bytes = {1, (uint8_t)prng_below(prng, HOSTS)}};
    struct event event;
    int r;

    event_init(&event, EVENT_KIND_LOG, time);
    (void)event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, raw);
    (void)event_add_text(&event, EVENT_FIELD_EVENT_MODULE, str_from(source->format));
    (void)event_add_text(&event, EVENT_FIELD_LOG_FILE_PATH, str_from(source->path));
    (void)event_add_number(&event, EVENT_FIELD_LOG_OFFSET, (int64_t)number * 100);
    r = archive_add(archive, &host, number, &event);
    if (r == 0 && number % COMMIT == 0) {
        r = archive_commit(archive);
    }
    if (r < 0) {
        fail("archive_add", r);
    }
}

static void fill(struct archive *archive, FILE *raw_file, uint64_t bytes)
{
    static char line[LINE_ROOM];
    struct prng prng;
    uint64_t written = 0;
    int64_t start = clock_wall(&clock_real) - (int64_t)DAYS * 86400 * NS_PER_S;
    bool is_rare_in = false;

    prng_init(&prng, 7);
    for (uint64_t number = 1; written < bytes; number++) {
        const struct source *source = &sources[prng_below(&prng, source_count)];
        size_t len = line_change(&prng, source->lines[prng_below(&prng, source->count)], line);

        if (!is_rare_in && written >= bytes / 2) {
            len = (size_t)snprintf(line, sizeof(line), "Nov 20 01:02:03 web sshd[7]: %s", RARE);
            is_rare_in = true;
        }
        entry_add(archive, &prng, number,
                  start + (int64_t)((double)written / (double)bytes * DAYS * 86400.0 * 1e9), source,
                  str_of(line, len));
        line[len] = '\n';
        if (fwrite(line, 1, len + 1, raw_file) != len + 1) {
            fail("raw.log", -ERR_IO);
        }
        written += len + 1;
    }
}

int main(int argc, char **argv)
{
    char path[4096];
    struct archive *archive;
    struct store *store;
    FILE *raw;
    uint64_t bytes = 0;
    int r;

    if (argc < 4 || argc > FILES_MAX + 3 || str_to_u64(str_from(argv[2]), &bytes) < 0) {
        (void)fprintf(stderr, "usage: make FOLDER BYTES FILE…\n");
        return 2;
    }
    for (int i = 3; i < argc; i++) {
        source_load(argv[i]);
    }
    (void)snprintf(path, sizeof(path), "%s/raw.log", argv[1]);
    raw = fopen(path, "we");
    r = raw == NULL ? -ERR_IO
                    : store_open(&(struct store_options){.folder = argv[1], .clock = &clock_real},
                                 &store, NULL);
    r = r < 0 ? r
              : archive_open(&(struct archive_options){.folder = argv[1], .clock = &clock_real},
                             &archive, NULL);
    if (r < 0) {
        fail(argv[1], r);
    }
    fill(archive, raw, bytes);
    r = archive_commit(archive);
    archive_close(archive);
    store_close(store);
    if (r < 0 || fclose(raw) != 0) {
        fail("commit", r);
    }
    return 0;
}
