/* Cloaking as the web server's own access log shows it: a page that search engines' robots, or
 * people who come from a search, get otherwise than everybody else. No fetch from outside can see a
 * page that is shown to the engines' own addresses only. Pure; fed line by line (codec/weblog.h),
 * bounded.
 *
 * Compared a page: which share of each audience is served, sent on, or told that there is nothing
 * (G-test), and the size of what is served to one kind of device (median against the spread within
 * one audience). No cloak is a page that robots are sent away from: that is how a log-in looks; nor
 * one that sends on phones but not desktops, or the other way round; nor one that an engine has not
 * been served since people first were not: it was removed or has moved. Pages with too few visits
 * for that are compared together, a folder at a time. */
#ifndef DETECT_DEFACE_CRAWL_H
#define DETECT_DEFACE_CRAWL_H

#include "base/arena.h"
#include "base/str.h"
#include "codec/weblog.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crawl;

enum crawl_audience {
    CRAWL_AUDIENCE_PEOPLE,
    CRAWL_AUDIENCE_SEARCH, /* people whose referrer is a search engine */
    CRAWL_AUDIENCE_ENGINE, /* from an address of an engine */
    CRAWL_AUDIENCE_COUNT,
    CRAWL_AUDIENCE_NONE = CRAWL_AUDIENCE_COUNT, /* other robots, and who only says that he is one */
};

struct crawl_limits {
    size_t pages_max;    /* 20,000: past it, pages not seen for the longest time are forgotten */
    unsigned visits_min; /* 5: of each audience, before two are compared */
};

extern const struct crawl_limits crawl_limits_default;

struct crawl_counts {
    uint64_t served;  /* 200 */
    uint64_t moved;   /* 3xx but 304 */
    uint64_t missing; /* 4xx */
};

/* A page that is shown differently, or a folder of pages. Texts are in the arena given. */
struct crawl_cloak {
    struct str host;
    struct str path;              /* of a folder, or of folders of one page each: with a slash at
                                   * its end */
    unsigned pages;               /* of a folder: how many of its pages; 0: it is a page */
    enum crawl_audience audience; /* who gets another page than people */
    struct str engine;            /* "Google"; empty for people from a search */
    bool is_by_size;              /* both are served, in other sizes; else by status */
    struct crawl_counts theirs;
    struct crawl_counts people;
    uint64_t their_size; /* median, bytes */
    uint64_t people_size;
    double score; /* G statistic, or the gap in spreads */
    int64_t last; /* time of the last line that counted */
};

struct crawl_totals {
    uint64_t lines;
    /* of each audience: GET, with a status that says something */
    uint64_t visits[CRAWL_AUDIENCE_COUNT];
    uint64_t pages;
    uint64_t forgotten; /* pages dropped for want of room */
};

/* seed: of the hash, against floods. -ERR_NOMEM; -ERR_SYNTAX: crawlers.def is wrong. */
[[nodiscard]] int crawl_new(const struct crawl_limits *limits, uint64_t seed,
                            struct crawl **ret_crawl);
void crawl_free(struct crawl *crawl);

/* Who asks, by address, agent and referrer. *ret_engine: borrowed for good, empty but for ENGINE.
 */
enum crawl_audience crawl_audience(const struct crawl *crawl, const struct weblog_line *line,
                                   struct str *ret_engine);

/* -ERR_NOMEM. */
[[nodiscard]] int crawl_add(struct crawl *crawl, const struct weblog_line *line);
/* The cloaked pages and folders, heaviest first, at most max; the array is in the arena.
 * -ERR_NOMEM. */
[[nodiscard]] int crawl_report(const struct crawl *crawl, size_t max, struct arena *arena,
                               const struct crawl_cloak **ret_cloaks, size_t *ret_count);
struct crawl_totals crawl_totals(const struct crawl *crawl);

#endif
