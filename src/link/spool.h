/* The agent's disk ring: records wait here until the centre has committed them. A folder of segment
 * files, each a header and records with checksums; sequence numbers are dense and never restart.
 *
 *     spool_append ─▶ segment ─▶ spool_next ─▶ (frame) ─▶ centre ─▶ spool_acknowledge ─▶ segment
 * removed
 *
 * What holds at every kill -9 and, with a disk that keeps its promises, at every power loss:
 * - A record is given out for sending only by a spool_prepare that made it durable, so a number
 * that the centre has seen never comes again for something else.
 * - A record that may have been sent is not dropped until the centre has said whether it has it:
 * nothing is both committed and counted as dropped.
 * - appended = acknowledged + waiting + dropped, always; a torn tail holds only records that were
 * not durable.
 *
 * Durability: records are written at once (they outlive the process) and made durable before they
 * are sent (fdatasync once a batch); findings and answers at once. When the bound is reached, the
 * oldest events and states that were not sent go first; findings and answers are kept, and when
 * nothing else is left, new records are refused and counted. What a disk that is full or broken
 * does not take stays with whoever handed it in. */
#ifndef LINK_SPOOL_H
#define LINK_SPOOL_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/str.h"
#include "base/time.h"
#include "model/record.h"

#include <stdint.h>

#define SPOOL_LIMIT_MIN (1U << 20)

struct spool;

struct spool_options {
    const char *folder; /* exists; nobody else writes below it */
    uint64_t limit;     /* most bytes on disk, SPOOL_LIMIT_MIN at least */
    const struct clock *clock;
};

struct spool_record {
    uint64_t sequence;
    enum record_kind kind;
    struct str bytes;
};

struct spool_cursor {
    uint64_t sequence;   /* of the record given last; start after this one */
    uint64_t generation; /* private from here on */
    size_t segment;
    uint64_t offset;
};

struct spool_counters {
    uint64_t appended;     /* ever accepted or refused: what was handed in */
    uint64_t acknowledged; /* of them, committed by the centre */
    uint64_t dropped;      /* of them, refused, dropped by the bound, or lost by damage */
    uint64_t waiting;      /* on disk */
    uint64_t last;         /* highest sequence given */
    uint64_t confirmed;    /* highest sequence the centre has */
    uint64_t sendable;     /* highest sequence that may be sent */
    uint64_t bytes;        /* on disk */
    uint64_t torn;         /* tails cut at opening, ever */
    int trouble;           /* why the disk takes nothing at present, negative; 0: it does */
};

/* Opens or makes; repairs what a crash left. -ERR_BUSY when another process has it, -ERR_FOREIGN.
 */
[[nodiscard]] int spool_open(const struct spool_options *options, struct spool **ret_spool,
                             struct diag *diag);
void spool_free(struct spool *spool);
void spool_freep(struct spool **spool);

/* record: encoded. 0: it is on disk and outlives the process. -ERR_FULL: it was refused, being
 * longer than RECORD_SIZE_MAX or beyond the bound, and the count of that outlives the process. Any
 * other failure: the disk takes nothing at present, and nothing has changed. In each case
 * counters.appended says whether the record was taken, after a kill too. */
[[nodiscard]] int spool_append(struct spool *spool, enum record_kind kind, struct str record);
/* The same for several of one kind, in turn: as many of them as go together, *ret_count, which is
 * one at least. -ERR_FULL speaks of the first. A kill meanwhile may leave the first few taken. */
[[nodiscard]] int spool_append_some(struct spool *spool, enum record_kind kind,
                                    const struct str *records, size_t count, size_t *ret_count);
/* Notes counters. Call about once a second. */
[[nodiscard]] int spool_tend(struct spool *spool);

/* The record after cursor->sequence that is on disk: 1, or 0 at the end. Borrowed until the next
 * one is given. */
[[nodiscard]] int spool_next(struct spool *spool, struct spool_cursor *cursor,
                             struct spool_record *ret_record);
/* Whether all that was given with the cursor stands where it stood: nothing of it was dropped. */
bool spool_is_steady(const struct spool *spool, const struct spool_cursor *cursor);
/* Makes everything up to sequence durable and notes that it may be sent now. Before each sending.
 */
[[nodiscard]] int spool_prepare(struct spool *spool, uint64_t sequence);
/* The centre has committed everything up to sequence. */
[[nodiscard]] int spool_acknowledge(struct spool *spool, uint64_t sequence);
/* The centre's first word on a connection: the highest sequence it has, and nothing above. A
 * sequence above our own means that this folder took another's place: what waits is given new
 * numbers above it. */
[[nodiscard]] int spool_resolve(struct spool *spool, uint64_t sequence);

void spool_count(const struct spool *spool, struct spool_counters *ret_counters);

#endif
