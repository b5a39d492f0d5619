/* Figures of the JSON log reader beside its parts and the tree reader of codec/json: measure-json
 * FILE [ROUNDS [PART]]. Times are CPU seconds of this process, the median of the rounds, which take
 * turns, so that a busy machine disturbs all alike. */
#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "codec/json.h"
#include "codec/logs.h"
#include "codec/ndjson_index.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 99
#define BLOCK_SIZE (4U << 20)
#define TREE_LIMIT (16U << 20)

/* What the rules of a site ask for: some names that events have, some that they have not. */
static const char *const asked[] = {
    "Image",
    "CommandLine",
    "ParentImage",
    "ParentCommandLine",
    "User",
    "EventID",
    "TargetFilename",
    "TargetObject",
    "Details",
    "ImageLoaded",
    "Channel",
    "Provider_Name",
    "OriginalFileName",
    "Hashes",
    "Signed",
    "SourceImage",
    "TargetImage",
    "GrantedAccess",
    "CallTrace",
    "ScriptBlockText",
    "LogonType",
    "SubjectUserName",
    "TargetUserName",
    "IpAddress",
    "ObjectName",
    "ServiceName",
    "ServiceFileName",
    "DestinationIp",
    "DestinationPort",
    "QueryName",
    "PipeName",
    "IntegrityLevel",
    "Description",
    "Product",
    "Company",
    "ProcessName",
    "Payload",
    "ContextInfo",
    "Data",
    "AccessMask",
    "cs-uri-query",
    "c-uri",
    "eventName",
    "eventSource",
    "userAgent",
    "operationName",
    "query",
    "c-useragent",
    "sc-status",
    "cs-method",
};

struct work {
    struct str text;
    struct entry_names *names;
    struct arena *arena;
    uint64_t events;
    uint64_t fields;
    uint64_t asked;
};

static void must(int r, const char *what)
{
    if (r < 0) {
        (void)fprintf(stderr, "measure-json: %s: %s\n", what, err_text(r));
        exit(3);
    }
}

static int count(void *context, const struct entry *entry)
{
    struct work *work = context;

    work->events++;
    work->fields += entry->count;
    for (size_t i = 0; i < entry->count; i++) {
        work->asked += entry->fields[i].id != 0;
    }
    return 0;
}

static void run_index(struct work *work)
{
    struct ndjson_index index;
    bool is_slashed;
    size_t at = 0;

    ndjson_index_init(&index, work->text);
    while (at < work->text.len) {
        at = ndjson_index_stop(&index, at, &is_slashed) + 1;
        work->fields += is_slashed;
    }
    work->events = 1;
}

static void run_reader(struct work *work)
{
    const struct log_format *format = log_format_find(STR("ndjson"));
    struct str rest = work->text;
    struct log_reading reading;

    must(log_reading_init(&reading, work->names), "log_reading_init");
    while (rest.len > 0) {
        struct str block = str_slice(rest, 0, BLOCK_SIZE);

        block.len = format->cut(block, block.len == rest.len);
        must(format->read(&reading, block, count, work), "read");
        rest = str_slice(rest, block.len, rest.len);
    }
    log_reading_done(&reading);
}

static void run_tree(struct work *work)
{
    struct str rest = work->text;
    struct json_value *value;
    struct str line;

    while (str_cut(&rest, '\n', &line)) {
        arena_reset(work->arena);
        if (line.len > 0 && json_parse(line, work->arena, &value, NULL) == 0) {
            work->events++;
            work->fields += value->count;
        }
    }
}

static const struct {
    const char *name;
    void (*run)(struct work *work);
} parts[] = {
    {"quotes and backslashes found", run_index},
    {"every field walked, named, looked up", run_reader},
    {"codec/json, a tree", run_tree},
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static double cpu(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static struct str map_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *bytes;

    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0) {
        perror(path);
        exit(2);
    }
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (bytes == MAP_FAILED) {
        perror(path);
        exit(2);
    }
    return str_of(bytes, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
    static double seconds[PARTS][ROUNDS_MAX];
    struct work work = {0};
    uint64_t events[PARTS] = {0};
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 5;
    size_t first = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    size_t end = argc > 3 ? first + 1 : PARTS;
    uint32_t id;

    if (argc < 2 || rounds == 0 || rounds > ROUNDS_MAX || end > PARTS) {
        (void)fprintf(stderr, "usage: measure-json FILE [ROUNDS [PART]]\n");
        return 2;
    }
    work.text = map_file(argv[1]);
    must(arena_new(TREE_LIMIT, &work.arena), "arena");
    must(entry_names_new(1000, &work.names), "names");
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        must(entry_names_add(work.names, str_from(asked[i]), &id), "name");
    }
    for (unsigned round = 0; round < rounds; round++) {
        for (size_t part = first; part < end; part++) {
            double start = cpu();

            work.events = work.fields = work.asked = 0;
            parts[part].run(&work);
            seconds[part][round] = cpu() - start;
            events[part] = work.events;
            if (round == 0) {
                printf("%-40s %llu events, %llu fields, %llu asked for\n", parts[part].name,
                       (unsigned long long)work.events, (unsigned long long)work.fields,
                       (unsigned long long)work.asked);
            }
        }
    }
    for (size_t part = first; part < end; part++) {
        double median;

        qsort(seconds[part], rounds, sizeof(double), compare);
        median = seconds[part][rounds / 2];
        printf("%-40s %6.2f GB/s %10.0f events/s %7.0f ns/event\n", parts[part].name,
               (double)work.text.len / median / 1e9, (double)events[part] / median,
               median / (double)events[part] * 1e9);
    }
    entry_names_free(work.names);
    arena_free(work.arena);
    return 0;
}
