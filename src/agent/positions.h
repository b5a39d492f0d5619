/* How far each log has been read: a small file of fixed slots beside the spool. The outlet notes a
 * place when the spool has the entry before it, so that neither a kill of one process nor of all
 * loses an entry; what was kept and not noted (of one message, when the whole agent is killed)
 * comes once more. The logs' process reads the file when it starts. Not thread-safe. */
#ifndef AGENT_POSITIONS_H
#define AGENT_POSITIONS_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define POSITIONS_MAX  512
#define POSITIONS_FILE "positions"

struct position {
    uint64_t log; /* position_log of its path; the journal's: agent/journal/private.h */
    uint64_t dev;
    uint64_t ino;
    uint64_t offset; /* of the first byte not taken yet */
    uint64_t mark;   /* hash of the bytes before it, at offset 0 of the file's birth: tells a file
                        that was written anew, or another of the same number */
};

struct positions {
    int fd; /* -1: nothing is kept */
    struct position slots[POSITIONS_MAX];
};

uint64_t position_log(struct str path);
/* Loads what is there; a damaged slot counts as none. path: made when it is missing and
 * is_writable. -ERR_NOENT, or what the system says: positions is then empty and usable. */
[[nodiscard]] int positions_open(struct positions *positions, const char *path, bool is_writable);
void positions_done(struct positions *positions);
/* NULL: not known. */
const struct position *positions_find(const struct positions *positions, uint64_t log);
/* In the file too. A log beyond POSITIONS_MAX takes the place of the one in the same slot. */
[[nodiscard]] int positions_note(struct positions *positions, const struct position *position);

#endif
