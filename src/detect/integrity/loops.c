/* A row a path; rows that rested for a window are forgotten when room is needed. */
#include "detect/integrity/loops.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"

#define LOOPS_DOUBLINGS 6

struct loops_row {
    int64_t times[LOOPS_FREE]; /* of the latest; a ring */
    unsigned next;
    unsigned total;  /* since it last rested */
    unsigned excess; /* put back beyond the free ones since it last rested */
    int64_t last;
    bool is_told;
    size_t len;
    char path[];
};

struct loops {
    struct map rows;
    size_t limit;
};

int loops_new(size_t limit, uint64_t seed, struct loops **ret_loops)
{
    struct loops *loops = mem_alloc(1, sizeof(*loops));

    if (loops == NULL) {
        return -ERR_NOMEM;
    }
    map_init(&loops->rows, limit, seed);
    loops->limit = limit;
    *ret_loops = loops;
    return 0;
}

void loops_free(struct loops *loops)
{
    size_t cursor = 0;
    struct loops_row *row;

    if (loops == NULL) {
        return;
    }
    while ((row = map_next(&loops->rows, &cursor)) != NULL) {
        mem_free(row);
    }
    map_done(&loops->rows);
    mem_free(loops);
}

static void loops_forget_rested(struct loops *loops, int64_t now)
{
    size_t cursor = 0;
    struct loops_row *row;

    while ((row = map_next(&loops->rows, &cursor)) != NULL) {
        if (now - row->last > LOOPS_WINDOW) {
            (void)map_remove(&loops->rows, str_of(row->path, row->len));
            mem_free(row);
        }
    }
}

static unsigned row_recent(const struct loops_row *row, int64_t now)
{
    unsigned count = 0;

    for (unsigned i = 0; i < LOOPS_FREE && i < row->total; i++) {
        count += now - row->times[i] <= LOOPS_WINDOW ? 1U : 0U;
    }
    return count;
}

static int64_t row_wait(const struct loops_row *row)
{
    unsigned doublings = row->excess < LOOPS_DOUBLINGS ? row->excess : LOOPS_DOUBLINGS;
    int64_t wait = LOOPS_WAIT_FIRST << doublings;

    return wait < LOOPS_WAIT_MAX ? wait : LOOPS_WAIT_MAX;
}

struct loops_answer loops_ask(struct loops *loops, struct str path, int64_t now)
{
    struct loops_row *row = map_get(&loops->rows, path);
    struct loops_answer answer = {.due = now, .count = 1};

    if (row == NULL) {
        return answer;
    }
    answer.count = row_recent(row, now) + row->excess + 1;
    if (row->excess == 0 && row_recent(row, now) < LOOPS_FREE) {
        return answer;
    }
    answer.due = row->last + row_wait(row);
    answer.is_news = !row->is_told;
    row->is_told = true;
    return answer;
}

static struct loops_row *loops_add(struct loops *loops, struct str path, int64_t now)
{
    struct loops_row *row;

    if (map_count(&loops->rows) >= loops->limit) {
        loops_forget_rested(loops, now);
    }
    row = mem_alloc(1, sizeof(*row) + path.len + 1);
    if (row == NULL) {
        return NULL;
    }
    memcpy(row->path, path.ptr, path.len);
    row->len = path.len;
    if (map_put(&loops->rows, str_of(row->path, row->len), row) < 0) {
        mem_free(row);
        return NULL;
    }
    return row;
}

void loops_note(struct loops *loops, struct str path, int64_t now)
{
    struct loops_row *row = map_get(&loops->rows, path);

    if (row == NULL) {
        row = loops_add(loops, path, now);
    }
    if (row == NULL) {
        return;
    }
    if (row->total != 0 && now - row->last > 2 * LOOPS_WINDOW) { /* the fight is over */
        row->total = row->excess = row->next = 0;
        row->is_told = false;
    }
    row->excess += row_recent(row, now) >= LOOPS_FREE || row->excess != 0 ? 1U : 0U;
    row->times[row->next] = now;
    row->next = (row->next + 1) % LOOPS_FREE;
    row->total++;
    row->last = now;
}
