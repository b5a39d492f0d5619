/* Who fights over a file: how often each was put back of late, and when it may be again. The first
 * LOOPS_FREE times in a minute at once; then ever more slowly, up to LOOPS_WAIT_MAX, and said so;
 * never not at all. Holds no clock. Not thread-safe. */
#ifndef DETECT_INTEGRITY_LOOPS_H
#define DETECT_INTEGRITY_LOOPS_H

#include "base/str.h"
#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOOPS_FREE       10
#define LOOPS_WINDOW     (60 * NS_PER_S)
#define LOOPS_WAIT_FIRST (500 * NS_PER_MS)
#define LOOPS_WAIT_MAX   (30 * NS_PER_S)

struct loops;

/* limit: files remembered; one beyond it is put back as if it were the first time. */
[[nodiscard]] int loops_new(size_t limit, uint64_t seed, struct loops **ret_loops);
void loops_free(struct loops *loops);

struct loops_answer {
    int64_t due;    /* monotonic ns from which on it may be put back; now or before: at once */
    unsigned count; /* times within the window, this one among them once it is done */
    bool is_news;   /* it just became a fight */
};

/* path is to be put back. Asking changes nothing but is_news, which is given once a fight. */
struct loops_answer loops_ask(struct loops *loops, struct str path, int64_t now);
/* It was. */
void loops_note(struct loops *loops, struct str path, int64_t now);

#endif
