/* The receiver: takes entries of logs from whoever sends them without an agent (syslog over UDP,
 * TCP and TLS; what shippers post over HTTP) with no rights at all: sockets that its parent opened,
 * no path, no connection of its own. It cuts what comes into entries and asks a format's reader
 * only who wrote it. What it has taken it keeps in bounded memory until core says that it is
 * durable: a stream is not read on meanwhile, a post is answered only then, and datagrams that find
 * no room are counted. On an entry's way: socket → receiver → core/receive.c → archive and
 * core/detect.c → committed → acknowledged. */
#ifndef CENTRE_RECEIVER_H
#define CENTRE_RECEIVER_H

#include <stdint.h>

/* The shape of what was posted. */
enum receiver_form {
    RECEIVER_FORM_NDJSON, /* one JSON object a line */
    RECEIVER_FORM_BULK,   /* Elastic's _bulk: a line of what to do, then one of the entry */
    RECEIVER_FORM_HEC,    /* Splunk's collector: objects with "event", "host", "time", "source" */
    RECEIVER_FORM_RAW,    /* Splunk's collector, raw: lines of any format */
    RECEIVER_FORM_COUNT,
};

enum receiver_message {
    /* front → receiver: a sender's plain stream after TLS. str address; fd: the stream. */
    RECEIVER_MESSAGE_STREAM = 1,
    /* api → receiver: a piece of what was posted, in turn. u64 post, str name of the token (which
     * the api proved), str address, u32 enum receiver_form, str host that it is of ("": each entry
     * says so), u32 is_last, str bytes. */
    RECEIVER_MESSAGE_PIECE,
    /* api → receiver: nobody waits for that post any more; what was taken of it stays. u64 post. */
    RECEIVER_MESSAGE_LEFT,
    /* receiver → api: all of a post is durable, or why not. u64 post, i64 result (0; -ERR_FULL: no
     * room, send it again later; -ERR_SYNTAX), u32 entries taken, u32 entries refused, u32 number
     * of the first that was refused (from 1), str why it was. Before is_last came: the rest is not
     * wanted. */
    RECEIVER_MESSAGE_POSTED,
    /* receiver → core: it has just started, u64 life (random). */
    RECEIVER_MESSAGE_HELLO,
    /* core → receiver: answer to HELLO, or core has just started: u64 life and u64 number: the last
     * batch that is durable. The receiver drops those up to it and sends the others again. */
    RECEIVER_MESSAGE_GREETED,
    /* receiver → core: a batch. u64 life, u64 number (from 1, each one more than the last), then
     * each entry led by u32 1: str via (address or name of the token), str who wrote it ("": via),
     * str format (codec/logs.def), str source (program, file or facility that it calls itself), i64
     * arrival (wall), str entry as it was written; then u32 0. */
    RECEIVER_MESSAGE_ENTRIES,
    /* core → receiver: all batches up to u64 number are durable. */
    RECEIVER_MESSAGE_DURABLE,
    /* receiver → core, once a second when it has changed: u64 datagrams that found no room (here or
     * in the kernel), u64 entries that were cut at their limit, u64 connections refused; since it
     * started. */
    RECEIVER_MESSAGE_COUNTS,
};

#endif
