/* The inside of fetch, shared by fetch*.c only (fetcher*.c and fetch/wire.c know nothing of it).
 * One loop on one thread; at most one look under way at each site, so what is kept of it changes in
 * the order of the looks. */
#ifndef CENTRE_FETCH_INSIDE_H
#define CENTRE_FETCH_INSIDE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/prng.h"
#include "base/time.h"
#include "centre/fetch.h"
#include "centre/fetch/facts.h"
#include "centre/fetch/fetcher.h"
#include "centre/fetch/network.h"
#include "centre/fetch/wire.h"
#include "centre/readers.h"
#include "model/site.h"
#include "sys/channel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FETCH_PAGES_MAX 24  /* of one site */
#define FETCH_KNOWN_MAX 512 /* addresses that people's view of a site named */
#define FETCH_ARENA     (192U << 10)

/* What a page was when it was last seen so: ends a look early. */
struct fetch_seen {
    bool is_usable; /* quiet, and past learning */
    char *etag;
    int64_t modified;
    uint8_t sha256[32];
    uint64_t size;
    uint32_t status;
    uint64_t text_hash; /* of the words that core was told last, 0: none */
};

struct fetch_page {
    struct list node;
    enum site_page kind;
    char *url;
    bool is_kept_known;     /* core has said what is kept */
    int64_t painted;        /* monotonic, by rota; 0: never */
    uint8_t odd_sha256[32]; /* of the body that was pictured last because it was odd */
    bool has_evidence;      /* its first body was told */
    uint32_t own_views;     /* in these it is still to be looked at as its editors' work */
    struct buf kept;
    struct fetch_seen seen[SITE_VIEW_COUNT];
};

struct fetch_look;
struct fetch_sheets;
struct fetch_sheets_job;

struct fetch_watch {
    struct list node; /* in the rota's wheel, when no look is under way */
    int64_t due;      /* monotonic ns */
    struct fetch *fetch;
    uint64_t number;
    char *url;
    uint32_t views;
    int64_t interval;
    bool is_window_open;
    bool is_marked; /* still there, in this round of asking */
    bool is_gone;   /* freed when its look is over */
    bool is_kept_known;
    bool must_paint; /* a person asked */
    bool was_good;   /* the last settled look brought a page */
    struct buf kept; /* of the reader's site profile */
    struct facts facts;
    bool is_learned;             /* something of the facts that core has not been told yet */
    int64_t surveyed;            /* monotonic ns, when its name was asked about last; 0: never */
    struct fetch_sheets *sheets; /* NULL: none yet */
    struct buf scripts;          /* what is kept of them, of the reader's making */
    bool is_scripts_known;       /* core has said what it keeps of them */
    bool is_scripts_new;         /* core has not been told yet */
    struct zone_news *news;      /* of its name, as it stands; NULL: none yet */
    struct list pages;
    unsigned page_count;
    uint64_t *known; /* hashes of addresses, FETCH_KNOWN_MAX */
    unsigned known_count;
    unsigned step;                /* looks so far */
    unsigned turn;                /* of the views */
    unsigned backoff;             /* the interval is doubled so often */
    unsigned plain_left;          /* so many more looks are over HTTP/1.1 alone */
    int64_t pause;                /* ns, at least, that the site asked for */
    struct prng prng;             /* seeded by the site's secret */
    struct fetch_page *next_page; /* chosen, and waiting for what is kept of it */
    enum site_view next_view;
    struct fetch_look *look;
};

/* One look under way, over its retries and its confirmation. */
struct fetch_look {
    struct list node; /* in fetch.looks */
    struct fetch_watch *watch;
    int64_t deadline; /* monotonic ns */
    struct fetch_page *page;
    enum site_view view;
    char url[SITE_URL_MAX + 1]; /* as asked */
    bool is_own_change;
    bool is_second;
    bool is_plain;  /* over HTTP/1.1 alone, where it says better where its answers end */
    bool has_links; /* the reader is asked for them */
    bool is_read;   /* a reader has it, or soon will */
    unsigned tries;
    unsigned failures;
    struct fetcher_get *get;
    struct survey_ask *survey; /* its name is asked about meanwhile */
    bool is_survey_second;
    uint32_t news_first; /* what it said the first time */
    bool is_waiting;     /* only for that */
    struct arena *arena;
    int body;
    int sheets_fd; /* for the reader */
    int scripts_fd;
    struct fetch_sheets_job *sheets_job;
    struct site_check check;
    struct reader_ask ask;
    unsigned facts; /* of the answer, while the reader has it: enum fetcher_fact … */
    struct fetcher_certificate certificate;
    char alias[FETCHER_NAME_MAX + 1];
    char etag[FETCHER_ETAG_MAX + 1];
    char charset[CHARSET_LABEL_MAX + 1]; /* of its Content-Type */
    int64_t modified;
    int page_fd; /* what to keep */
    int site_fd;
    int text_fd; /* the page's words, to be shown */
};

struct fetch_rota;
struct fetch_paint;

struct fetch {
    struct fetch_options options;
    struct fetch_channels channels;
    struct loop *loop;
    const struct clock *clock;
    struct fetcher *fetcher;
    struct surveyor *surveyor;
    struct readers *readers;
    struct fetch_rota *rota;
    struct fetch_paint *paint; /* NULL: pages are not pictured */
    struct fetch_network network;
    struct map watches; /* number → struct fetch_watch */
    struct list looks;  /* under way, the one that was begun first in front */
    int64_t look_time;  /* ns that one may take, with all its retries */
    bool is_asking;     /* a round of SITES_ASK is under way */
    bool must_ask;      /* and another is due after it */
    int64_t asked;      /* monotonic ns */
    struct prng prng;
    uint64_t seed;
    struct loop_source *core_source;
    struct loop_source *supervisor_source;
    struct list outbox;
    unsigned outbox_count;
    struct msg_writer msg;
    struct channel_packet packet;
};

/* fetch/rota.c */
[[nodiscard]] int fetch_rota_new(struct fetch *fetch, struct fetch_rota **ret_rota);
void fetch_rota_free(struct fetch_rota *rota);
/* In so many ns from now. */
void fetch_rota_put(struct fetch_watch *watch, int64_t delay);
void fetch_rota_take(struct fetch_watch *watch);
/* Until the next request to this site, drawn anew. */
int64_t fetch_rota_interval(struct fetch_watch *watch);
int64_t fetch_rota_confirmation(struct fetch_watch *watch);
/* Which page in which view is next; false when this site's looks are over (is_once). */
bool fetch_rota_choose(struct fetch_watch *watch, struct fetch_page **ret_page,
                       enum site_view *ret_view);

/* fetch/site.c */
void fetch_sites_done(struct fetch *fetch);
void fetch_ask_sites(struct fetch *fetch);
void fetch_take_sites(struct fetch *fetch, struct msg_reader *msg);
void fetch_take_profile(struct fetch *fetch, struct channel_packet *packet);
void fetch_take_look(struct fetch *fetch, struct msg_reader *msg);
void fetch_watch_free(struct fetch_watch *watch);
void fetch_watch_put_kept(const struct fetch_watch *watch, struct buf *buf);
/* The page of that address, made when there is room; NULL. */
struct fetch_page *fetch_watch_page(struct fetch_watch *watch, enum site_page kind, struct str url);
void fetch_watch_links(struct fetch_watch *watch, enum site_view view,
                       const struct reader_answer *answer);

/* fetch/look.c */
/* The site is due: begins a look, goes on with the one that waits, or asks core for what it lacks.
 */
void fetch_look_go(struct fetch_watch *watch);
void fetch_look_free(struct fetch_look *look);
/* Tells the looks that have taken as long as any may as they stand; to be called now and then. */
void fetch_looks_expire(struct fetch *fetch);
/* Tells core, once its name has been asked about, and is gone. */
void fetch_look_tell(struct fetch_look *look);
/* One more, behind those there are; its view is the look's, its value is copied. */
void fetch_look_reason(struct fetch_look *look, const struct site_reason *reason);

/* Takes what the reader wants kept, of at most so many bytes; it stays as it was when that cannot
 * be read. */
void fetch_look_keep(struct buf *kept, int fd, size_t most);

/* fetch/sheets.c: style sheets and scripts that the site's pages link */
void fetch_sheets_free(struct fetch_sheets *sheets);
void fetch_sheets_job_free(struct fetch_sheets_job *job);
/* Puts the look's question to a reader, with the sheets as they are now. */
void fetch_sheets_ask(struct fetch_look *look);
/* Whether some are to be fetched before the answer counts. */
bool fetch_sheets_are_lacking(struct fetch_look *look, const struct reader_answer *answer);
/* Whether it is time to see if a script is what it was, though the page that links it is. */
bool fetch_scripts_are_due(const struct fetch_watch *watch);
/* Puts it again with those that the answer lacks, as far as they are to be had. */
void fetch_sheets_more(struct fetch_look *look, const struct reader_answer *answer);
/* Puts it with what has come by now. */
void fetch_sheets_end(struct fetch_look *look);
void fetch_sheets_keep(struct fetch_look *look, struct reader_answer *answer);

/* fetch/names.c: what several name servers say of the site's name */
/* Asks, when it is time for it; must: also when it was not long ago. */
void fetch_names_ask(struct fetch_look *look, bool must);
/* Adds what is new about the name to the check. */
void fetch_names_weigh(struct fetch_look *look);

/* fetch.c: has the supervisor end a process that does not answer, by the number of
 * CENTRE_MESSAGE_HUNG. */
void fetch_end_hung(struct fetch *fetch, uint32_t which);

/* fetch/paint.c */
/* ret_paint stays as it was where there is nobody to paint. */
[[nodiscard]] int fetch_paint_new(struct fetch *fetch, struct fetch_paint **ret_paint);
void fetch_paint_free(struct fetch_paint *paint);
/* Whether the rota, or a person, wants a picture of the page. */
bool fetch_paint_is_due(const struct fetch_watch *watch, const struct fetch_page *page,
                        enum site_view view);
/* Has what a look brought pictured, if it is odd or its turn. */
void fetch_paint_consider(struct fetch_look *look);

/* fetch/tell.c: what is said to core. */
void fetch_tell_look(struct fetch_look *look);
[[nodiscard]] int fetch_send(struct fetch *fetch, const int *fds, unsigned count); /* fetch->msg */
bool fetch_is_behind(const struct fetch *fetch); /* core does not keep up */
void fetch_outbox_done(struct fetch *fetch);
void fetch_outbox_flush(struct fetch *fetch);

#endif
