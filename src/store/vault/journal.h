/* The vault's journal: one append-only file of framed, checksummed records, written by several
 * processes at once with a single O_APPEND write each, read on incrementally by all of them. A
 * record that a killed writer left torn is passed over as soon as another stands behind it. The
 * checksum is seeded with the vault's secret, so that bytes inside a record (a name, an attribute)
 * cannot pose as a record.
 *
 * Replacing the file (compaction) needs no lock on the writers' side: a shared generation number
 * turns odd while the file is being replaced. Whoever finds after its write that the number moved
 * writes once more. */
#ifndef STORE_VAULT_JOURNAL_H
#define STORE_VAULT_JOURNAL_H

#include "base/buf.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Mapped by every process that has the vault open. */
struct vault_shared {
    atomic_uint_fast64_t magic;
    atomic_uint_fast64_t next_id;
    atomic_uint_fast64_t generation;
    atomic_uint_fast64_t refused;
};

struct vault_journal {
    int folder; /* borrowed */
    int fd;
    uint64_t seed;
    uint64_t generation; /* of the file behind fd */
    uint64_t read_to;
    uint64_t damaged; /* records that were whole once and no longer are */
    struct vault_shared *shared;
};

/* Called for each record; where: offset of its bytes in the file. Negative ends the reading. */
typedef int vault_journal_fn(void *context, uint64_t where, struct str bytes);

/* Opens or makes journal and shared numbers in the folder. */
[[nodiscard]] int vault_journal_open(struct vault_journal *journal, int folder, uint64_t seed);
void vault_journal_close(struct vault_journal *journal);

/* Not thread-safe. -ERR_AGAIN while the file is being replaced: wait for the vault's lock and call
 * again. */
[[nodiscard]] int vault_journal_append(struct vault_journal *journal, struct str bytes);
/* Hands over what came since the last call. */
[[nodiscard]] int vault_journal_read(struct vault_journal *journal, vault_journal_fn *fn,
                                     void *context);
/* Whether another process replaced the file: call vault_journal_reopen and read from the start. */
bool vault_journal_is_replaced(const struct vault_journal *journal);
[[nodiscard]] int vault_journal_reopen(struct vault_journal *journal);
/* One record's bytes again, into an emptied buffer. */
[[nodiscard]] int vault_journal_fetch(const struct vault_journal *journal, uint64_t where,
                                      uint32_t len, struct buf *buf);

/* Under the vault's lock, in this order: begin; put … and write, as often as needed; freeze
 * (writers wait from here); put and write what came meanwhile; commit. cancel also mends what a
 * killed process left. */
[[nodiscard]] int vault_journal_begin(const struct vault_journal *journal, int *ret_fd);
/* Adds a frame to the buffer, whose bytes the caller writes to the new file. */
void vault_journal_put(const struct vault_journal *journal, struct buf *buf, struct str bytes);
void vault_journal_freeze(struct vault_journal *journal);
[[nodiscard]] int vault_journal_commit(struct vault_journal *journal);
void vault_journal_cancel(struct vault_journal *journal);

uint64_t vault_journal_next_id(struct vault_journal *journal);
/* Ids up to this one are taken. */
void vault_journal_claim(struct vault_journal *journal, uint64_t id);

#endif
