/* What reader.c and reader_file.c share. */
#ifndef CLI_HUNT_READER_PART_H
#define CLI_HUNT_READER_PART_H

#include "cli/hunt/account.h"
#include "cli/hunt/chain.h"
#include "cli/hunt/hands.h"
#include "cli/hunt/iocs.h"
#include "cli/hunt/judge.h"
#include "cli/hunt/order.h"
#include "cli/hunt/relay.h"
#include "cli/hunt/rulebook.h"
#include "cli/hunt/tally.h"

/* What a thread has of its own. */
struct reader_job {
    struct hunt_reader *reader;
    struct hunt_block *block; /* in hand */
    size_t hand;              /* see hands.h */
    struct hunt_bench *bench;
    struct screen *screen; /* NULL: there are no indicators */
    struct log_reading reading;
    struct arena *arena; /* texts of a matched entry */
    struct sheet_page page;
    uint32_t *shown; /* rules of an entry that are shown */
};

struct hunt_reader {
    const struct hunt_order *order;
    struct rulebook book;
    struct indicators *indicators; /* NULL: none were given */
    size_t lists;
    struct hunt_judge *judge;
    struct sheet sheet;
    struct arena *arena; /* of the sheet */
    struct hunt_chain *chain;
    struct hunt_tally *tally;
    struct crew *crew;
    struct reader_job jobs[CREW_JOBS_MAX];
    struct hunt_account account;
    struct buf rest; /* of the file in hand: a record without its end */
    struct buf line;
    size_t files;
    int64_t started; /* ns, of the clock that never goes back */
    int64_t told;    /* when progress was shown last */
    bool is_live;    /* the file in hand is a stream */
    bool is_broken;  /* nobody takes our output any more */
    int error;       /* of a thread; ends the hunt */
    struct diag diag;
};

/* Reads one parcel, which may hold several files. What cannot be read is told and counted. Negative
 * ends the hunt: the reader's diag. */
[[nodiscard]] int reader_read_parcel(struct hunt_reader *reader, struct parcel *parcel);
/* In the first thread. */
void reader_say(struct hunt_reader *reader, enum relay_kind kind, struct str text);
bool reader_is_over(const struct hunt_reader *reader);
void reader_file_unref(struct hunt_file *file);
uint64_t reader_count_newlines(struct str bytes);

/* reader_skip.c */
/* A reader before this one ended over reading on from there: the reader's diag. */
[[nodiscard]] int reader_skip_read(struct hunt_reader *reader, uint64_t file, uint64_t number);
/* Any thread: takes the lines out of the block that are to be left out; true: all of it is. */
bool reader_skip_block(const struct hunt_reader *reader, struct hunt_block *block);
/* Parses the lines of a suspected block one by one, for what that may come to. -ERR_NOMEM. */
[[nodiscard]] int reader_tear(const struct hunt_reader *reader, size_t hand,
                              const struct hunt_block *block);

#endif
