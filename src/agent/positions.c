/* Neighbours: agent/link.c notes, agent/logs.c asks. A slot is written in one go and carries its
 * own checksum, so that a torn write is known as one. */
#include "agent/positions.h"

#include "base/banned.h"
#include "base/err.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

struct position_slot {
    struct position position;
    uint64_t sum;
};

uint64_t position_log(struct str path)
{
    uint64_t hash = XXH3_64bits(path.ptr, path.len);

    return hash != 0 ? hash : 1;
}

static uint64_t slot_sum(const struct position *position)
{
    return XXH3_64bits(position, sizeof(*position));
}

static void positions_load(struct positions *positions)
{
    for (size_t i = 0; i < POSITIONS_MAX; i++) {
        struct position_slot slot;
        ssize_t got = pread(positions->fd, &slot, sizeof(slot), (off_t)(i * sizeof(slot)));

        if (got != (ssize_t)sizeof(slot)) {
            return;
        }
        if (slot.sum == slot_sum(&slot.position)) {
            positions->slots[i] = slot.position;
        }
    }
}

int positions_open(struct positions *positions, const char *path, bool is_writable)
{
    memset(positions, 0, sizeof(*positions));
    positions->fd =
        open(path, (is_writable ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (positions->fd < 0) {
        return -errno;
    }
    positions_load(positions);
    return 0;
}

void positions_done(struct positions *positions)
{
    closep(&positions->fd);
}

/* Its slot, or the one that it takes: a free one, else the one its number leads to. */
static size_t positions_slot(const struct positions *positions, uint64_t log)
{
    size_t free = POSITIONS_MAX;

    for (size_t i = 0; i < POSITIONS_MAX; i++) {
        if (positions->slots[i].log == log) {
            return i;
        }
        free = free == POSITIONS_MAX && positions->slots[i].log == 0 ? i : free;
    }
    return free < POSITIONS_MAX ? free : log % POSITIONS_MAX;
}

const struct position *positions_find(const struct positions *positions, uint64_t log)
{
    const struct position *found = &positions->slots[positions_slot(positions, log)];

    return found->log == log && log != 0 ? found : NULL;
}

int positions_note(struct positions *positions, const struct position *position)
{
    struct position_slot slot = {.position = *position, .sum = slot_sum(position)};
    size_t at = positions_slot(positions, position->log);
    ssize_t done;

    positions->slots[at] = *position;
    if (positions->fd < 0) {
        return -ERR_BADF;
    }
    done = pwrite(positions->fd, &slot, sizeof(slot), (off_t)(at * sizeof(slot)));
    return done < 0 ? -errno : done != (ssize_t)sizeof(slot) ? -ERR_IO : 0;
}
