/* What indicators cost: bytes of memory and time of a look-up at 10^5 to 10^7, and the time that
 * the screen takes of an entry. measure-intel [FILE.ndjson]: entries of that file, one object a
 * line; without it only look-ups are measured. */
#include "base/arena.h"
#include "base/mem.h"
#include "base/prng.h"
#include "codec/json.h"
#include "detect/intel/screen.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOOKUPS 1000000
#define ENTRIES_MAX                                                                                \
    256 /* one of a hundred, so few that the caches hold them: a hunt has just read them */
#define STRIDE 100
#define ROUNDS 200

static double now(void)
{
    struct timespec spec;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spec);
    return (double)spec.tv_sec * 1e9 + (double)spec.tv_nsec;
}

static void must(bool is_so, const char *what)
{
    if (!is_so) {
        (void)fprintf(stderr, "measure-intel: %s\n", what);
        exit(3);
    }
}

/* A third hosts, a third addresses, a sixth hashes, a sixth URLs; or hosts alone. */
static struct feed_entry entry_of(uint64_t i, bool is_mixed, char room[128])
{
    struct feed_entry entry = {.kind = FEED_KIND_DOMAIN};
    uint64_t mixed = (i + 1) * 0x9e3779b97f4a7c15ULL;
    int len;

    if (!is_mixed || i % 6 < 2) {
        len = snprintf(room, 128, "x%llx.example", (unsigned long long)(mixed >> 24));
    } else if (i % 6 < 4) {
        entry.kind = FEED_KIND_ADDRESS;
        len = snprintf(room, 128, "%u.%u.%u.%u", (unsigned)(mixed >> 56),
                       (unsigned)(mixed >> 48 & 255), (unsigned)(mixed >> 40 & 255),
                       (unsigned)(mixed >> 32 & 255));
    } else if (i % 6 == 4) {
        entry.kind = FEED_KIND_HASH;
        len =
            snprintf(room, 128, "%016llx%016llx%016llx%016llx", (unsigned long long)mixed,
                     (unsigned long long)~mixed, (unsigned long long)i, (unsigned long long)mixed);
    } else {
        entry.kind = FEED_KIND_URL;
        len = snprintf(room, 128, "x%llx.example/a/b.exe", (unsigned long long)(mixed >> 24));
    }
    entry.value = str_of(room, (size_t)len);
    return entry;
}

static struct indicators *make(uint64_t count, bool is_mixed)
{
    struct indicator_list list = {.name = STR("x"), .label = STR("c2"), .source = STR("bench")};
    struct indicators *indicators = NULL;
    struct indicator_writer writer;
    struct diag diag = {{0}};
    struct buf out;

    buf_init(&out, INDICATORS_FILE_MAX);
    indicator_write_head(&writer, &list, &out);
    for (uint64_t i = 0; i < count; i++) {
        char room[128];
        struct feed_entry entry = entry_of(i, is_mixed, room);

        indicator_write_entry(&writer, &entry);
    }
    indicator_write_end(&writer);
    must(indicators_new(indicators_popular(), &indicators, &diag) == 0, diag.text);
    must(indicators_add_file(indicators, buf_str(&out), &diag) == 0, diag.text);
    buf_done(&out);
    return indicators;
}

static double look(const struct indicators *indicators, uint64_t count, uint64_t from,
                   uint64_t *ret_hits)
{
    static char rooms[LOOKUPS][24];
    struct prng prng;
    double start;

    prng_init(&prng, 7);
    for (size_t i = 0; i < LOOKUPS; i++) {
        char room[128];
        struct feed_entry entry = entry_of(from + prng_below(&prng, count), false, room);

        (void)snprintf(rooms[i], sizeof(rooms[i]), "%.*s", STR_ARG(entry.value));
    }
    start = now();
    for (size_t i = 0; i < LOOKUPS; i++) {
        struct indicator_hit hit;

        *ret_hits += indicators_find_host(indicators, str_from(rooms[i]), &hit);
    }
    return (now() - start) / LOOKUPS;
}

static void measure_tables(void)
{
    printf("%12s %8s %12s %12s %12s\n", "hosts", "MB", "load ns", "hit ns", "miss ns");
    for (uint64_t count = 100000; count <= 10000000; count *= 10) {
        double start = now();
        struct indicators *indicators = make(count, false);
        double loaded = (now() - start) / (double)count;
        uint64_t hits = 0;
        uint64_t false_hits = 0;
        double hit = look(indicators, count, 0, &hits);
        double miss = look(indicators, count, count, &false_hits);

        must(hits == LOOKUPS && false_hits == 0, "a look-up is wrong");
        printf("%12llu %8.1f %12.0f %12.1f %12.1f\n", (unsigned long long)count,
               (double)indicators_size(indicators) / 1e6, loaded, hit, miss);
        indicators_free(indicators);
    }
}

/* Objects inside become fields with dots in their names. NOLINTNEXTLINE(misc-no-recursion) */
static void add_fields(struct entry *entry, struct arena *arena, struct str name,
                       const struct json_value *value)
{
    struct entry_field field = {.name = name, .type = ENTRY_TYPE_TEXT};

    if (value->type == JSON_TYPE_OBJECT || value->type == JSON_TYPE_ARRAY) {
        for (const struct json_value *v = value->first; v != NULL; v = v->next) {
            add_fields(entry, arena,
                       v->key.len == 0 ? name
                       : name.len == 0
                           ? v->key
                           : arena_printf(arena, "%.*s.%.*s", STR_ARG(name), STR_ARG(v->key)),
                       v);
        }
        return;
    }
    field.type = value->type == JSON_TYPE_STRING ? ENTRY_TYPE_TEXT : ENTRY_TYPE_NUMBER;
    field.value = value->type == JSON_TYPE_STRING ? value->string : STR("0");
    must(entry_add(entry, &field) == 0, "out of memory");
}

static size_t read_entries(struct str text, struct arena *arena, struct entry *entries)
{
    struct str line;
    size_t count = 0;

    for (size_t i = 0; count < ENTRIES_MAX && str_cut(&text, '\n', &line); i++) {
        struct json_value *value = NULL;
        struct diag diag = {{0}};

        if (i % STRIDE != 0) {
            continue;
        }
        entry_init(&entries[count]);
        entries[count].is_structured = true;
        must(json_parse(line, arena, &value, &diag) == 0, diag.text);
        add_fields(&entries[count], arena, STR(""), value);
        count++;
    }
    return count;
}

static double screen_all(const struct indicators *indicators, const struct entry *entries,
                         size_t count, struct screen_stats *ret_stats)
{
    double best = 1e18;

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct screen *screen = NULL;
        double start;

        must(screen_new(indicators, &screen) == 0, "out of memory");
        start = now();
        for (size_t i = 0; i < count; i++) {
            const struct screen_hit *hits;
            size_t hit_count;

            must(screen_entry(screen, &entries[i], &hits, &hit_count) == 0, "the screen fails");
        }
        best = now() - start < best ? now() - start : best;
        screen_stats(screen, ret_stats);
        screen_free(screen);
    }
    return best / (double)count;
}

static void measure_screen(const char *path)
{
    static struct entry entries[ENTRIES_MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct arena *arena = NULL;
    struct stat st;
    size_t fields = 0;
    size_t count;
    char *bytes;

    must(fd >= 0 && fstat(fd, &st) == 0, "the file cannot be read");
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    must(bytes != MAP_FAILED && arena_new((size_t)1 << 30, &arena) == 0, "out of memory");
    count = read_entries(str_of(bytes, (size_t)st.st_size), arena, entries);
    for (size_t i = 0; i < count; i++) {
        fields += entries[i].count;
    }
    printf("\n%zu entries of %.1f fields\n%12s %12s %12s %12s\n", count,
           (double)fields / (double)count, "indicators", "ns an entry", "asked", "hits");
    for (uint64_t n = 1000; n <= 10000000; n *= 10) {
        struct indicators *indicators = make(n, true);
        struct screen_stats stats;
        double cost = screen_all(indicators, entries, count, &stats);

        printf("%12llu %12.1f %12.2f %12llu\n", (unsigned long long)n, cost,
               (double)stats.asked / (double)stats.entries, (unsigned long long)stats.hits);
        indicators_free(indicators);
    }
}

int main(int argc, char **argv)
{
    mem_return_whole();

    measure_tables();
    if (argc > 1) {
        measure_screen(argv[1]);
    }
    return 0;
}
