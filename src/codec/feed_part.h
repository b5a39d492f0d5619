/* What feed.c and feed_json.c share. */
#ifndef CODEC_FEED_PART_H
#define CODEC_FEED_PART_H

#include "codec/feed.h"

struct feed {
    struct arena *arena;
    const struct feed_sink *sink;
    struct feed_report *report;
    struct diag *diag;
    char room[FEED_LINE_MAX];
    char fangs[FEED_LINE_MAX];
};

struct feed_type {
    const char *name;
    enum feed_kind kind;
};

/* A value of that kind; counted as faulty when it is none. What the sink answered. */
int feed_take(struct feed *feed, uint64_t line, enum feed_kind kind, struct str value,
              int64_t expires);
void feed_fault(struct feed *feed, uint64_t line, const char *why, struct str value);
/* An end that cannot be read: the indicator counts without one, and somebody is told. */
void feed_endless(struct feed *feed, uint64_t line, const char *why, struct str end);
int feed_read_misp(struct feed *feed, struct str text);
int feed_read_stix(struct feed *feed, struct str text);

/* Without the brackets that keep people from clicking: "evil[.]example"; in room of FEED_LINE_MAX
 * bytes, or the text itself when it is longer. */
struct str feed_refang(struct str text, char *room);

#endif
