/* EVTX files made of nothing, for tests: chunks of records with the binary XML that Windows writes,
 * an event's System in one template and its data in a second one within. */
#ifndef TESTS_EVTX_FIXTURE_H
#define TESTS_EVTX_FIXTURE_H

#include "base/buf.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

/* A value of a record: type as EVTX numbers it, bytes as they lie in the file. */
struct evtx_datum {
    const char *name; /* NULL: Data without a name */
    uint8_t type;
    struct str bytes;
};

struct evtx_event {
    uint64_t id;
    uint16_t event_id;
    uint64_t filetime;
    const char *channel;
    const char *computer;
    const struct evtx_datum *data;
    size_t count;
    const char *user_data; /* the element within UserData that holds the data; NULL: EventData */
};

struct evtx_names {
    const char *texts[64];
    size_t offsets[64];
    size_t count;
};

struct evtx_maker {
    struct buf file;
    struct buf chunk;
    struct evtx_names names;
    size_t model; /* offset of the chunk's first template, 0 before there is one */
    uint64_t first;
    uint64_t last;
};

void evtx_make_begin(struct evtx_maker *maker);
void evtx_make_end(struct evtx_maker *maker);
void evtx_make_record(struct evtx_maker *maker, const struct evtx_event *event);
/* Puts heads and checksums and, when whole, fills the chunk up to its 64 KiB; the next record
 * begins another one. */
void evtx_make_chunk(struct evtx_maker *maker, int is_whole);
/* UTF-16 of an ASCII text. */
struct str evtx_wide(const char *text);

#endif
