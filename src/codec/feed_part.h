/* What feed.c and feed_json.c share. */
#ifndef CODEC_FEED_PART_H
#define CODEC_FEED_PART_H

#include "codec/feed.h"

struct feed {
    struct arena *arena;
    feed_fn *fn;
    void *context;
    struct feed_report *report;
    struct diag *diag;
    char room[FEED_LINE_MAX];
};

/* A value of that kind; counted as faulty when it is none. What fn answered. */
int feed_take(struct feed *feed, uint64_t line, enum feed_kind kind, struct str value,
              int64_t expires);
void feed_fault(struct feed *feed, uint64_t line, const char *why, struct str value);
int feed_read_misp(struct feed *feed, struct str text);
int feed_read_stix(struct feed *feed, struct str text);

#endif
