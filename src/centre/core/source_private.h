/* What core/source.c and core/silence.c share; for nobody else. */
#ifndef CENTRE_CORE_SOURCE_PRIVATE_H
#define CENTRE_CORE_SOURCE_PRIVATE_H

#include "base/id.h"
#include "base/map.h"
#include "centre/core/private.h"
#include "centre/core/source.h"

#define SOURCE_KEY_MAX (sizeof(((struct id *)0)->bytes) + LOGSOURCE_NAME_MAX)

/* Of the open batch, not in the store yet. */
struct source_news {
    int64_t first; /* arrival, wall; 0: nothing came */
    int64_t last;
    uint64_t entries;
    uint64_t bytes;
    uint64_t faulty;
    uint64_t unjudged;
    uint64_t matched;
    uint64_t dropped;
};

/* One alert about silence, with all that it speaks of: sources of one host, or of many at once. */
struct silence_alarm {
    struct list node;
    uint64_t alert;
    struct id finding;
    uint32_t revision;
    struct id host;  /* none: of many */
    char *via;       /* that all of them send through, or "" */
    int64_t begun;   /* wall */
    bool is_over;    /* a person closed its alert: it speaks of nobody new */
    unsigned silent; /* sources, with the open batch */
};

struct core_source {
    struct store_logsource row; /* as it stands in the store; its texts lie here */
    struct silence silence;     /* row.silence, read */
    struct core_host *host;
    struct core_source *whole; /* of its sender; NULL: it is one, or an agent's */
    struct source_news news;
    struct silence_alarm *alarm; /* that tells of its silence, with the open batch; NULL: none */
    struct silence_alarm *kept;  /* the same as it stands in the store */
    int64_t muted;               /* with the open batch */
    uint64_t number;             /* that the open transaction gave it */
    bool is_dirty;
    struct list dirty_node;
    char format[LOGSOURCE_FORMAT_MAX + 1];
    size_t key_len;
    char key[SOURCE_KEY_MAX]; /* host's id, name */
};

struct core_sources {
    struct core *core;
    struct map map;
    struct list dirty;
    struct list alarms;
    int64_t deaf;  /* wall; nobody was heard before it, for we were not there; 0: we were */
    bool is_full;  /* it was told that there are too many */
    bool has_news; /* since screens were told */
    /* The last entry's, for most entries follow one of the same source. */
    const struct core_host *last_host;
    struct core_source *last;
    size_t last_len;
    char last_path[LOGSOURCE_NAME_MAX];
};

/* Has it written with the open batch. */
void core_source_touch(struct core_sources *sources, struct core_source *source);
/* By its number; NULL. */
struct core_source *core_source_by_number(struct core_sources *sources, uint64_t number);
/* Until when nobody could have heard it. */
int64_t core_source_deaf(const struct core_sources *sources, const struct core_source *source);

/* core/silence.c */
/* Takes up an alert that stood when core ended. */
[[nodiscard]] int core_silence_resume(struct core_sources *sources, struct core_source *source);
/* It speaks, or need not: closes the alert with the last one that it spoke of. */
[[nodiscard]] int core_silence_end(struct core_sources *sources, struct core_source *source,
                                   const char *reason);
/* Drops alarms that speak of nobody any more. */
void core_silence_tidy(struct core_sources *sources);
void core_silence_done(struct core_sources *sources);

#endif
