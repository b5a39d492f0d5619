/* The receiver: takes entries of logs from whoever sends them without an agent (syslog over UDP,
 * TCP and TLS; what shippers post over HTTP) with no rights at all: sockets that its parent opened,
 * no path, no connection of its own. It cuts what comes into entries and asks a format's reader
 * only who wrote it. What it has taken it keeps in bounded memory until core says that it is
 * durable: a stream is not read on meanwhile, a post is answered only then, and datagrams that find
 * no room wait in a file without a name, of bounded size, before they are counted as lost. What it
 * had not handed over when it dies is lost: a sender over TCP has been told by the kernel that its
 * bytes arrived, and syslog has no other receipt. On an entry's way: socket → receiver →
 * core/receive.c → archive and core/detect.c → committed → acknowledged. */
#ifndef CENTRE_RECEIVER_H
#define CENTRE_RECEIVER_H

#include "centre/listeners.h"

#include <stddef.h>
#include <stdint.h>

struct receiver_options {
    const char *user;   /* NULL: stay; one that does not exist: nobody */
    const char *folder; /* in it lies the file for datagrams without room, which has no name */
    const struct listeners *listeners; /* those of syslog over UDP and TCP */
    int core;       /* HELLO, ENTRIES and COUNTS leave; GREETED and DURABLE arrive */
    int api;        /* PIECE and LEFT arrive, POSTED leaves; -1: none */
    int front;      /* STREAM arrives; -1: none */
    int supervisor; /* READY leaves; its end means: finish; -1: none */
};

/* Process body: serves until it is told to end. Returns the exit status. */
int receiver_run(const struct receiver_options *options);

/* The shape of what was posted. */
enum receiver_form {
    RECEIVER_FORM_NDJSON, /* one JSON object a line */
    RECEIVER_FORM_BULK,   /* Elastic's _bulk: a line of what to do, then one of the entry */
    RECEIVER_FORM_HEC,    /* Splunk's collector: objects with "event", "host", "time", "source" */
    RECEIVER_FORM_RAW,    /* Splunk's collector, raw: lines of any format */
    RECEIVER_FORM_COUNT,
};

/* What a piece of a post is. */
enum receiver_piece {
    RECEIVER_PIECE_FIRST = 1,
    RECEIVER_PIECE_LAST = 2,
    RECEIVER_PIECE_PACKED = 4, /* the post is gzip or zlib */
    RECEIVER_PIECE_KEYED = 8,  /* who posts gave it a key: under it, it is taken once */
};

/* What leads an entry in a batch. */
enum receiver_mark {
    RECEIVER_MARK_END = 0,
    RECEIVER_MARK_ENTRY = 1,
    RECEIVER_MARK_CUT = 2,    /* an entry whose end was cut off */
    RECEIVER_MARK_POSTED = 4, /* beside either: it came in a post that may come again */
    RECEIVER_MARK_TOLD = 8,   /* no entry: such a post will not come again */
    RECEIVER_MARK_ONCE = 16,  /* beside an entry: its bytes tell it from all others, by its time */
};

/* An entry of a post that is not taken. */
enum post_fault {
#define FAULT(name, text) POST_FAULT_##name,
#include "centre/post_faults.def"
#undef FAULT
    POST_FAULT_COUNT,
};

struct post_refusal {
    uint32_t number; /* which entry of the post, from 1 */
    uint32_t fault;  /* enum post_fault */
};

/* By what way entries came. */
enum receiver_way {
    RECEIVER_WAY_UDP,
    RECEIVER_WAY_TCP,
    RECEIVER_WAY_TLS,
    RECEIVER_WAY_POST,
    RECEIVER_WAY_COUNT,
};

/* What the receiver counts since it started. received (all ways) = handed to core and durable +
 * kept now. */
enum receiver_count {
    RECEIVER_COUNT_RECEIVED, /* entries taken, by enum receiver_way */
    /* datagrams that found no room, here or in the kernel */
    RECEIVER_COUNT_DROPPED = RECEIVER_COUNT_RECEIVED + RECEIVER_WAY_COUNT,
    RECEIVER_COUNT_CUT,                       /* entries that were longer than the maximum */
    RECEIVER_COUNT_REFUSED,                   /* connections */
    RECEIVER_COUNT_YIELDED,                   /* connections closed, for senders that have fewer */
    RECEIVER_COUNT_WAITED,                    /* datagrams that went through the file */
    RECEIVER_COUNT_REPEATED,                  /* entries of posts that had been taken before */
    RECEIVER_COUNT_NOW,                       /* from here on: as it is now */
    RECEIVER_COUNT_KEPT = RECEIVER_COUNT_NOW, /* bytes in memory that are not durable yet */
    RECEIVER_COUNT_KEPT_FILE,                 /* bytes in the file */
    RECEIVER_COUNT_STREAMS,                   /* connections */
    RECEIVER_COUNT_COUNT,
};

struct receiver_counts {
    uint64_t of[RECEIVER_COUNT_COUNT];
};

enum receiver_message {
    /* front → receiver: a sender's plain stream after TLS. str address; fd: the stream. */
    RECEIVER_MESSAGE_STREAM = 1,
    /* api → receiver: a piece of what was posted, in turn. u64 post, str name of the token (which
     * the api proved), str who posts it or the key that was given, u32 enum receiver_form, str host
     * that it is of ("": each entry says so), u32 bits of enum receiver_piece, str bytes. */
    RECEIVER_MESSAGE_PIECE,
    /* api → receiver: nobody waits for that post any more, or its answer reached nobody; what was
     * taken of it stays, and is known again should it be posted again. u64 post; 0: all that went
     * before, the api or the receiver has just started; u64 0. */
    RECEIVER_MESSAGE_LEFT,
    /* api → receiver: whoever posted it has its answer. u64 post, u64 by which core keeps it, as
     * POSTED said: the receiver that answered may have died since, and all that was said of late is
     * said to the next again. */
    RECEIVER_MESSAGE_TOLD,
    /* receiver → api: all of a post is durable, or why not. u64 post, i64 result (0; -ERR_FULL: no
     * room, send it again later; -ERR_SYNTAX; -ERR_FBIG: unpacked), u64 by which core keeps it
     * until its sender is told (0: it does not), u32 entries taken, u32 n, n × (u32 number
     * of one that was refused (from 1), u32 enum post_fault). Before the last piece came: the rest
     * is not wanted. */
    RECEIVER_MESSAGE_POSTED,
    /* receiver → core: it has just started, or core does not know it. u64 life (random). Also
     * receiver → api when it has just started: posts whose pieces it had not seen are lost. */
    RECEIVER_MESSAGE_HELLO,
    /* core → receiver: before the answer to HELLO, what was taken of posts that may come again: u64
     * life that said HELLO, u64 how many were told before (0: all that was told is void), u64 by
     * which core keeps it, str more of its entries' hashes in turn (u64 each). */
    RECEIVER_MESSAGE_KNOWN,
    /* core → receiver: those were all. u64 life, u64 how many, u64 seed of the hashes. */
    RECEIVER_MESSAGE_ALL_KNOWN,
    /* core → receiver: answer to HELLO, or core has just started, or could not keep what it had
     * taken: u64 life and u64 number: the last batch that is durable. The receiver drops those up
     * to it and sends the others again; of another life: it says HELLO again. */
    RECEIVER_MESSAGE_GREETED,
    /* receiver → core: a batch. u64 life, u64 number (from 1, each one more than the last), then
     * each entry led by u32 bits of enum receiver_mark: str via (address or name of the token),
     * str who wrote it ("": via), str format (codec/logs.def), str source (program, file or
     * facility that it calls itself), i64 arrival (wall), i64 time that the entry says (0: none, or
     * whoever judges it reads it), of one that was posted u64 by which core keeps its post, of it
     * and of RECEIVER_MARK_ONCE u64 hash, str entry as it was written; of RECEIVER_MARK_TOLD only
     * u64 post; then u32 0. */
    RECEIVER_MESSAGE_ENTRIES,
    /* core → receiver: all batches up to u64 number are durable. Only of the life that was
     * greeted last. */
    RECEIVER_MESSAGE_DURABLE,
    /* receiver → core, once a second when it has changed: u32 n, n × u64 by enum receiver_count. */
    RECEIVER_MESSAGE_COUNTS,
};

#endif
