/* What the files of the receiver's process share; for nobody else. A sender's bytes are cut into
 * entries by datagrams.c, streams.c (codec/syslog_frame.h) and post.c; receiver_put lays each into
 * the batch that is being filled, and queue.c keeps batches until core says that they are durable.
 */
#ifndef CENTRE_RECEIVER_PRIVATE_H
#define CENTRE_RECEIVER_PRIVATE_H

#include "base/str.h"
#include "centre/receiver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECEIVER_ENTRY_MAX                                                                         \
    (60U << 10)                 /* bytes; longer ones are cut there: a message to core holds       \
                                   64 KiB with all that stands beside the entry */
#define RECEIVER_HOST_MAX   255 /* bytes of who wrote it */
#define RECEIVER_SOURCE_MAX 255
#define RECEIVER_FORMAT_MAX 31
#define RECEIVER_VIA_MAX    127

/* One entry as it was cut. All is borrowed for the call. */
struct receiver_entry {
    struct str via;    /* the sender's address, or the name of its token */
    struct str host;   /* who wrote it, as the entry says; "": via */
    struct str format; /* codec/logs.def */
    struct str source; /* program, file or facility that it calls itself; may be empty */
    int64_t arrival;   /* wall, ns; 0: now */
    int64_t time;   /* the same, as the entry says, by a clock that nobody vouches for; 0: none */
    uint64_t key;   /* tells it from others that say the same; 0: nothing does */
    uint64_t post;  /* by which core keeps the post that it is of; 0: it keeps none … */
    uint64_t hash;  /* … and what it keeps of the entry; of no post: tells it from all others */
    bool is_cut;    /* its end is missing already */
    struct str raw; /* as it was written */
};

struct receiver_queue;

/* Copies the entry into the queue, cut and marked where it is longer than the maxima above; what
 * is empty is passed over. -ERR_FULL: there is no room; the entry was not taken. -ERR_NOMEM. */
[[nodiscard]] int receiver_put(struct receiver_queue *queue, const struct receiver_entry *entry);
/* Core need not keep that post any more. Should there be no memory, it does so for a while. */
void receiver_put_told(struct receiver_queue *queue, uint64_t post);

/* centre/receiver/post.c: what one post holds, cut into entries as its pieces come (pure; hostile
 * bytes; memory bounded by one entry). Each entry goes to fn, which answers as receiver_put does.
 */
typedef int post_entry_fn(void *context, const struct receiver_entry *entry);

struct post_cutter_options {
    enum receiver_form form;
    struct str token; /* its name: via of the entries. Copied. */
    struct str host;  /* that it is of; "": each entry says so. Copied. */
    bool is_packed;   /* gzip or zlib */
    post_entry_fn *fn;
    void *context;
};

#define POST_UNPACKED_MAX (128ULL << 20)
#define POST_TURN         (64U << 10) /* bytes unpacked in one go: a millisecond of work */
#define POST_ENTRIES_MAX  (1U << 18)
#define POST_REFUSED_MAX  2048 /* entries that one post may hold and that are not taken */

struct post_counts {
    uint32_t taken;
    uint32_t refused;
    struct post_refusal refusals[POST_REFUSED_MAX]; /* their numbers rise */
};

struct post_cutter;

[[nodiscard]] int post_cutter_new(const struct post_cutter_options *options,
                                  struct post_cutter **ret_cutter);
void post_cutter_free(struct post_cutter *cutter);
/* In turn; with is_last what stands there without its end is an entry too. What fn answered
 * (-ERR_FULL, -ERR_NOMEM); -ERR_SYNTAX for a post of which nothing more can be told apart,
 * -ERR_FBIG for one that has too many entries or unpacks to more than POST_UNPACKED_MAX: the cutter
 * is then only asked for its counts. POST_CUTTER_MORE: POST_TURN bytes came out of what was
 * packed, and there are more: call again, with what is left in *piece, when others have had their
 * turn. */
#define POST_CUTTER_MORE 1
[[nodiscard]] int post_cutter_feed(struct post_cutter *cutter, struct str *piece, bool is_last);
const struct post_counts *post_cutter_counts(const struct post_cutter *cutter);

/* receiver/say.c: fills in what a line of syslog or JSON says of itself (host, source, format), of
 * syslog its time too. A time without a zone (RFC 3164) is Viet Nam's, or UTC when that lies nearer
 * before its arrival: a sender that held it back for more than seven hours is mistaken for one that
 * writes UTC. A time without a year lies in the latest that is not ahead. */
void receiver_say(struct receiver_entry *entry, int64_t now);

#endif
