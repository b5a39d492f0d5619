/* What the files of the event archive share: days, their open blocks, and what is known of hosts.
 */
#ifndef STORE_ARCHIVE_INSIDE_H
#define STORE_ARCHIVE_INSIDE_H

#include "base/buf.h"
#include "base/map.h"
#include "store/archive.h"
#include "store/database.h"
#include "store/filter.h"

#include <zstd.h>

#define ARCHIVE_APPLICATION_ID 0x43474145U /* "CGAE" */
#define ARCHIVE_FOLDER         "events"
#define ARCHIVE_PATH_SIZE      4096
#define ARCHIVE_DAYS_OPEN      24
#define ARCHIVE_BLOCK_EVENTS   4096
#define ARCHIVE_BLOCK_BYTES    (1U << 20) /* a block is closed at these, before compression */
#define ARCHIVE_BLOCK_LIMIT    (2U << 20) /* and never holds more */
#define ARCHIVE_BODY_LIMIT     (ARCHIVE_BLOCK_LIMIT + (64U << 10)) /* what cannot be packed grows */
#define ARCHIVE_BLOCK_HOSTS    1024
#define ARCHIVE_HOSTS_MAX      (1U << 20)
#define ARCHIVE_FOLD_LIMIT     (1U << 20) /* folded texts of one event */
#define ARCHIVE_ASIDES_MAX     99         /* files of one day that are set aside */
#define NS_PER_DAY             (86400 * NS_PER_S)

/* One entry of a block: CBOR array [host (16 bytes), sequence, event]. */
struct block_entry {
    struct archive_key key;
    const struct event *event;
    struct str encoded; /* the event as it came; empty: it is encoded here */
};

struct block_host {
    struct id id;
    uint64_t first; /* sequences */
    uint64_t last;
    bool is_dirty;
};

/* The block of a day that still grows. */
struct block {
    int64_t number; /* its row, 0: not written yet */
    int64_t first;  /* times */
    int64_t last;
    struct buf raw;
    struct archive_key *keys;
    size_t count;
    size_t room; /* of keys */
    struct block_host *hosts;
    size_t host_count;
    struct map by_host;
    struct trigrams trigrams;
    unsigned coded; /* bits of enum coded: of its entries */
    bool is_dirty;  /* holds what the file does not */
};

[[nodiscard]] int block_init(struct block *block, size_t room);
void block_done(struct block *block);
void block_reset(struct block *block);
bool block_is_full(const struct block *block);
/* Adds an entry. After a failure the block must be reset. folded: scratch. */
[[nodiscard]] int block_add(struct block *block, const struct block_entry *entry,
                            struct buf *folded);
bool block_has(const struct block *block, const struct id *host, uint64_t sequence);
/* NULL: no memory. For block_write; ZSTD_freeCCtx ends it. */
ZSTD_CCtx *block_packer_new(void);
/* Within the day's transaction. scratch takes the compressed bytes and the filter. */
[[nodiscard]] int block_write(struct block *block, struct database *database, ZSTD_CCtx *packer,
                              struct buf *scratch);
/* What a search goes by before it opens a block. */
struct block_row {
    struct str filter;
    int64_t first; /* times */
    int64_t last;
    uint64_t count;
    uint64_t bytes;
    int64_t pieces; /* enum filter_pieces */
    int64_t coded;  /* bits of enum coded; below 0: of a block of before */
};
/* As the row keeps it, never 0: a filter of which a bit has flipped denies words that the block
 * holds. Part of the file format. */
int64_t block_row_hash(const struct block_row *row);
/* The day's last block when it is not full; 0: there is none to go on with. */
[[nodiscard]] int block_find_last(struct database *database, size_t room, int64_t *ret_number);
/* Continues a stored block. After a failure the block must be reset. */
[[nodiscard]] int block_load(struct block *block, struct database *database, int64_t number,
                             struct buf *scratch, struct buf *folded);
/* The entries of a stored block, decompressed. -ERR_CORRUPT, -ERR_NOENT. */
[[nodiscard]] int block_read(struct database *database, int64_t number, struct buf *ret_raw);
/* The same in two steps, of which the second needs no database. */
[[nodiscard]] int block_read_packed(struct database *database, int64_t number, uint64_t *ret_bytes,
                                    struct buf *ret_body);
[[nodiscard]] int block_unpack(struct str body, uint64_t bytes, struct buf *ret_raw);
/* Walks entries: 1 with the next one, 0 at the end. The event borrows from the reader's bytes;
 * event NULL skips it. */
[[nodiscard]] int block_next(struct cbor_reader *reader, struct archive_key *ret_key,
                             struct event *ret_event);

/* Folds the texts of an event into folded; texts (room for EVENT_FIELDS_MAX) borrow from it. */
[[nodiscard]] int archive_fold(const struct event *event, struct buf *folded, struct str *texts,
                               size_t *ret_count);

struct day {
    int64_t number;            /* days since 1970 */
    struct database *database; /* NULL: the slot is free */
    struct block block;
    bool is_begun;  /* a transaction is open */
    bool is_broken; /* its file: it is set aside once nothing waits in it */
    uint64_t used;  /* the turn it was used last */
};

/* Sequences of a host in one day. */
struct span {
    int64_t day;
    uint64_t first;
    uint64_t last;
};

struct archive_host {
    struct id id;
    uint64_t high; /* no sequence above it is in */
    struct span *spans;
    size_t span_count;
    size_t span_room;
};

struct archive {
    char folder[ARCHIVE_PATH_SIZE - 64]; /* the one that holds the days */
    bool is_read_only;
    const struct clock *clock;
    size_t block_events;
    int failed; /* an add that stayed half done: commit must not pass */
    uint64_t turn;
    struct day days[ARCHIVE_DAYS_OPEN];
    struct map hosts; /* id → struct archive_host */
    struct buf scratch;
    struct buf folded;
    ZSTD_CCtx *packer; /* NULL: read-only */
    struct archive_stats stats;
    struct archive_damages damages; /* that the writer met */
    size_t damages_told;
};

/* What there is of a day: bits. */
enum day_part {
    DAY_PART_FILE = 1,
    DAY_PART_LOG = 2, /* what the file has not taken over yet */
    DAY_PART_INDEX = 4,
};

struct day_file {
    int64_t day;
    unsigned aside; /* 0: it is in use */
    unsigned parts; /* of those that day_list gives */
};

/* Opens a day's file. Writing makes it. */
[[nodiscard]] int day_open_file(const struct archive *archive, int64_t day, bool is_read_only,
                                struct database **ret_database, struct diag *diag);
void day_path(const struct archive *archive, const struct day_file *file, const char *suffix,
              char out[ARCHIVE_PATH_SIZE]);
/* Days' files, those that were set aside too, and what is left of such; oldest first. The caller
 * frees the list with mem_free. */
[[nodiscard]] int day_list(const struct archive *archive, struct day_file **ret_files,
                           size_t *ret_count);
/* Renames the file of a day that no database has open, and what it has not taken over from its log.
 * Nothing is overwritten. -ERR_LIMIT. */
[[nodiscard]] int day_set_aside(const struct archive *archive, int64_t day, unsigned *ret_aside);
/* Ends a renaming that a power cut has parted: file and log belong together. A file that was put
 * back from a backup since stays. No database may have the day open. */
[[nodiscard]] int day_finish_aside(const struct archive *archive, const struct day_file *file);

/* Whether an error of reading says that the file is not what it was. */
bool damage_is(int error);
/* The same of a whole file: an error of input or output may pass by itself, and sets none aside. */
bool damage_stays(int error);
/* The whole of a file. */
struct archive_damage damage_of_file(const struct day_file *file, int error);
/* The whole of a file that was set aside. */
struct archive_damage damage_of_aside(const struct archive *archive, const struct day_file *file,
                                      int error);
/* For the writer to tell of. */
void archive_note_damage(struct archive *archive, const struct archive_damage *damage);
/* The same of a block that cannot be read. The day's file keeps it in mind. */
void archive_note_block(struct archive *archive, struct database *database, int64_t day,
                        int64_t number);
/* What the day's file keeps in mind. */
[[nodiscard]] int archive_recall_blocks(struct archive *archive, struct database *database,
                                        int64_t day);
/* A block, with what its row says of it. */
struct archive_damage damage_of_block(struct database *database, int64_t day, int64_t number);
void damages_add(struct archive_damages *damages, const struct archive_damage *damage);

#endif
