/* A centre's folder of its own for each test, with a clock that the test moves. */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include "harness.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/id.h"
#include "base/time.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIXTURE_NOW (1764000000LL * NS_PER_S) /* 2025-11-24T16:00:00Z */

struct fixture {
    char folder[64];
    int64_t wall;
    int64_t mono;
    struct clock clock;
    struct arena *arena;
};

static int64_t fixture_wall(void *context)
{
    return ((struct fixture *)context)->wall;
}

static int64_t fixture_mono(void *context)
{
    return ((struct fixture *)context)->mono;
}

static inline void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){.wall = FIXTURE_NOW, .mono = NS_PER_S};
    fixture->clock = (struct clock){.wall = fixture_wall, .mono = fixture_mono, .context = fixture};
    strcpy(fixture->folder, "/tmp/canhgac-store-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    assert_int_equal(arena_new(64U << 20, &fixture->arena), 0);
}

static inline int fixture_remove_entry(const char *path, const struct stat *st, int kind,
                                       struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static inline void fixture_done(struct fixture *fixture)
{
    arena_free(fixture->arena);
    (void)nftw(fixture->folder, fixture_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path in the folder; good until the next call. */
static inline const char *fixture_path(const struct fixture *fixture, const char *name)
{
    static char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
    return path;
}

static inline struct id fixture_id(unsigned number)
{
    struct id id = {{0}};

    id.bytes[0] = 0xa0;
    memcpy(&id.bytes[4], &number, sizeof(number));
    return id;
}

#endif
