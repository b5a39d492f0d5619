/* What the core's files about the detector share: detect.c (entries and answers), detect_tear.c
 * (a message that ends it), detect_tell.c (findings and counts), detect_content.c (what it is
 * given), detect_keep.c (what correlations remember), detect_ask.c (what people wait for). */
#ifndef CENTRE_CORE_DETECT_PRIVATE_H
#define CENTRE_CORE_DETECT_PRIVATE_H

#include "centre/core/detect.h"
#include "centre/core/private.h"
#include "store/rulebook.h"

#define REASONS_MAX (DETECTOR_FIELDS_MAX + 8)
#define WAITING_MAX 16

/* A message of entries. */
struct sheet {
    uint64_t number;
    unsigned tries;
    uint32_t count;   /* entries; 0: there is none */
    uint32_t matched; /* one behind the last of them that something held for */
    struct core_source *sources[DETECTOR_ENTRIES_MAX]; /* of the entries; NULL: not counted */
    struct msg_writer msg;
};

/* The entry that a hit speaks of, as it was put. */
struct sheet_entry {
    struct id host;
    struct str path;
    struct str raw;
};

/* What the detector says of one entry. */
struct hit {
    uint32_t index;
    struct str id;
    struct str title;
    uint32_t level;
    struct str tags;
    struct str group;
    int64_t time;
    struct finding_reason reasons[REASONS_MAX];
    size_t reason_count;
};

/* A message of entries that was answered after the windows were kept last: what a detector that
 * comes after must see again, and say nothing of. */
struct seen {
    struct list node;
    uint64_t number;
    uint32_t count;
    size_t len;
    bool is_committed;
    uint8_t bytes[];
};

enum detect_phase {
    DETECT_PHASE_AWAY,    /* nothing was heard of it, or it was told to end */
    DETECT_PHASE_LOADING, /* it was sent windows and rules */
    DETECT_PHASE_SEEING,  /* it is shown again what it must have seen */
    DETECT_PHASE_READY,
};

/* A call that waits for a word of the detector's. */
struct waiting {
    struct core_call *call;
    uint64_t number; /* of a CHECK; 0: for READY */
    int64_t until;   /* monotonic */
    core_detect_then_fn *then;
    struct detect_answer answer;
    bool is_answered;
};

struct core_detect {
    struct core *core;
    struct sheet sheets[2]; /* one is filled, the other is under way */
    unsigned filling;
    struct sheet torn;   /* a message of which parts are under way; its count is 0: there is none */
    uint32_t torn_from;  /* entries of it that are done with */
    uint32_t torn_until; /* one of those before it does it */
    int64_t torn_due;    /* monotonic; how far ends have used up their ration */
    int64_t sent_at;     /* the same; the message under way, last */
    uint64_t number;
    struct map told;
    bool is_uncounted; /* some of them have hits that their alerts do not count yet */
    int64_t counted;   /* monotonic; when alerts were made to count all of them last */
    struct map tally;  /* by rule: counts that wait for the end of the batch */
    struct detector_counts counts;
    bool is_silent; /* the detector did not answer: nothing is sent until it speaks */
    enum detect_phase phase;
    struct channel_packet packet;
    struct msg_writer msg; /* of others than entries */
    struct arena *arena;   /* of the hit in hand */

    struct list seen;
    size_t seen_bytes;
    struct list *seeing; /* that it is shown now */
    unsigned seeings;    /* that began and did not end */
    uint64_t forgotten;  /* entries that found no room among the seen */
    struct buf state;    /* windows, as they come in */
    bool is_state_coming;
    unsigned saves;        /* asked for and not answered */
    bool is_saved;         /* in the open batch */
    uint64_t saved_number; /* of the last message that is in them */
    size_t state_size;     /* of the last that were kept */
    int64_t saved;         /* monotonic */
    bool is_unsaved;       /* entries were judged since */

    uint64_t content; /* version that was sent last */
    bool is_content_due;
    int64_t expired;      /* day on which old counts were dropped last */
    int64_t next_until;   /* wall; when the next filter ends, 0: none does */
    struct buf catalogue; /* as it comes in */
    bool is_catalogue_coming;
    bool is_catalogue_due; /* it must be kept with the next commit */
    struct detect_ready ready;
    struct waiting waiting[WAITING_MAX];
    struct loop_source *timer; /* answers calls, from the loop alone */
};

/* detect.c */
/* Takes one message of the detector's. -ERR_TIMEDOUT, -ERR_AGAIN, -ERR_PIPE. */
[[nodiscard]] int detect_receive(struct core_detect *detect, int wait_ms);
/* Until the message under way has been answered, or given up. */
[[nodiscard]] int detect_await(struct core_detect *detect);
/* The message under way goes again to a detector that is ready now. */
[[nodiscard]] int detect_go_on(struct core_detect *detect);
[[nodiscard]] int detect_send(struct core_detect *detect, struct sheet *sheet);
[[nodiscard]] int detect_put_aside(struct core_detect *detect, struct sheet *sheet);
/* Starts a message of no entries yet. */
void sheet_begin(struct sheet *sheet, uint64_t number);
/* The next entry of a message; false behind the last. */
bool sheet_read(struct msg_reader *msg, struct sheet_entry *ret_entry);
bool sheet_find(const struct sheet *sheet, uint32_t index, struct sheet_entry *ret_entry);
static inline struct sheet *detect_sent(struct core_detect *detect)
{
    return &detect->sheets[1 - detect->filling];
}

/* detect_tear.c */
bool detect_is_torn(const struct core_detect *detect);
/* The message under way ended it: what was waited for that counts. */
void detect_tear_charge(struct core_detect *detect);
/* The message under way has ended the detector as often as it may. */
[[nodiscard]] int detect_tear(struct core_detect *detect);
/* So many of a torn message's entries are done with: sends the next part. */
[[nodiscard]] int detect_tear_on(struct core_detect *detect, uint32_t done);
/* What is left of it, behind so many, is not judged. */
void detect_tear_end(struct core_detect *detect, uint32_t done);

/* detect_tell.c */
void detect_tell_done(struct core_detect *detect);
/* Has alerts count what was not told. */
void detect_tell_tick(struct core_detect *detect);
void hit_add_reason(struct hit *hit, struct str what, struct str value);
[[nodiscard]] int detect_take_hit(struct core_detect *detect, struct hit *hit,
                                  const struct sheet_entry *entry);
/* What filters kept back. */
[[nodiscard]] int detect_take_kept(struct core_detect *detect, struct msg_reader *msg,
                                   bool is_counted);
/* Writes what was counted; forgets it. */
[[nodiscard]] int detect_tally_write(struct core_detect *detect);
void detect_tally_forget(struct core_detect *detect);

/* Takes all it has said. */
[[nodiscard]] int detect_listen(struct core_detect *detect);

/* detect_content.c */
/* It has started: it is given windows and rules. */
[[nodiscard]] int detect_started(struct core_detect *detect);
/* Sends without waiting for an answer; waits for room. */
[[nodiscard]] int detect_push(struct core_detect *detect, const struct msg_writer *msg);
[[nodiscard]] int detect_push_empty(struct core_detect *detect, enum detector_message type);
/* A failure to reach it is no failure of the batch: it is silent then, until it speaks. */
[[nodiscard]] int detect_lost(struct core_detect *detect, int r);

/* detect_keep.c */
[[nodiscard]] int detect_push_state(struct core_detect *detect, struct arena *arena);
[[nodiscard]] int detect_take_state(struct core_detect *detect, struct msg_reader *msg);
[[nodiscard]] int detect_take_catalogue(struct core_detect *detect, struct msg_reader *msg);
/* Keeps a message that was answered among the seen. */
void detect_seen_add(struct core_detect *detect, const struct sheet *sheet);
/* Shows it what it must have seen, then goes on with what is under way. */
[[nodiscard]] int detect_seen_begin(struct core_detect *detect);
/* The message of that number was shown and is answered. */
[[nodiscard]] int detect_seen_next(struct core_detect *detect, uint64_t number);
/* All, or those of a batch that came to nothing; whether there were any. */
bool detect_seen_forget(struct core_detect *detect, bool is_all);
/* Has another take its place, which is given what was kept. */
void detect_replace(struct core_detect *detect);
/* is_now: whatever was kept a moment ago. */
bool detect_save_is_due(const struct core_detect *detect, bool is_now);
/* Has it hand over its windows and writes them into the open batch. */
[[nodiscard]] int detect_save(struct core_detect *detect);
/* Writes into the open batch what is due. */
[[nodiscard]] int detect_keep(struct core_detect *detect);

/* detect_ask.c */
[[nodiscard]] int detect_begin_life(struct core_detect *detect);
void detect_end_life(struct core_detect *detect);
[[nodiscard]] int detect_take_ready(struct core_detect *detect, struct msg_reader *msg);
[[nodiscard]] int detect_take_checked(struct core_detect *detect, struct msg_reader *msg);

#endif
