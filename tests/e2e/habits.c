/* Writes what a centre would know after four weeks about the sources of logs of its first host, for
 * the console's tests: one that speaks every ten minutes and has been silent for five hours, one
 * that was taken away nine days ago, one that speaks once a night and is not late. The centre is
 * not running meanwhile. Usage: habits FOLDER */
#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "detect/silence/silence.h"
#include "store/logsources.h"

#include <stdio.h>
#include <stdlib.h>

#define MINUTE (60 * NS_PER_S)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

struct habit {
    const char *name;
    const char *format;
    int64_t every;
    int64_t silent;
    uint64_t entries; /* each time */
    uint64_t faulty;  /* in all */
};

static const struct habit habits[] = {
    {"/var/log/nginx/access.log", "weblog", 10 * MINUTE, 5 * HOUR, 240, 17},
    {"/var/log/phan-mem-cu/app-*.log", "syslog", 20 * MINUTE, 9 * DAY, 3, 0},
    {"/var/log/sao-luu.log", "syslog", DAY, 7 * HOUR, 12, 0},
};

static void fail(const char *what, int error)
{
    (void)fprintf(stderr, "habits: %s: %s\n", what, err_text(error));
    exit(3);
}

static void put(struct store *store, const struct id *host, const struct habit *habit)
{
    int64_t end = clock_wall(&clock_real) - habit->silent;
    struct store_logsource source = {.host = *host,
                                     .name = str_from(habit->name),
                                     .format = str_from(habit->format),
                                     .first = end - 28 * DAY,
                                     .last = end,
                                     .faulty = habit->faulty};
    struct silence silence = {0};
    uint8_t bytes[SILENCE_SIZE];
    uint64_t number;
    int r;

    for (int64_t at = source.first; at <= end; at += habit->every) {
        uint64_t entries =
            habit->entries + habit->entries * (uint64_t)(at / HOUR % 24 * 7 % 24) / 8;

        silence_hear(&silence, at, 0, false);
        tally_add(&source.tally, at, entries);
        source.entries += entries;
        source.bytes += entries * 180;
    }
    source.gap = silence_gap(&silence);
    silence_write(&silence, bytes);
    source.silence = str_of((const char *)bytes, sizeof(bytes));
    r = store_logsource_put(store, &source, &number);
    if (r < 0) {
        fail(habit->name, r);
    }
}

int main(int count, char **words)
{
    struct store *store = NULL;
    struct arena *arena = NULL;
    struct store_host *hosts;
    struct diag diag = {0};
    size_t found = 0;
    int r = count == 2 ? arena_new(1U << 20, &arena) : -ERR_INVAL;

    r = r < 0 ? r : store_open(&(struct store_options){.folder = words[1]}, &store, &diag);
    r = r < 0 ? r : store_begin(store);
    r = r < 0 ? r : store_host_list(store, STR(""), 1, arena, &hosts, &found);
    if (r < 0 || found == 0) {
        fail("usage: habits FOLDER, of a centre with a host", r);
    }
    for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++) {
        put(store, &hosts[0].id, &habits[i]);
    }
    r = store_commit(store);
    if (r < 0) {
        fail("commit", r);
    }
    store_close(store);
    arena_free(arena);
    return 0;
}
