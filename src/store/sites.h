/* The watched sites' part of the store: what is watched by whose leave, what was seen last, what
 * has changed since, and the texts behind a change. The rules of store/store.h hold: rows live in
 * the caller's arena, lists page by cursor, each write happens in the transaction that the caller
 * opened. */
#ifndef STORE_SITES_H
#define STORE_SITES_H

#include "base/arena.h"
#include "base/id.h"
#include "base/str.h"
#include "model/site.h"
#include "store/series.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_PROFILE_MAX    (64U << 10) /* of a page: four views */
#define STORE_MEMORY_MAX     (16U << 10) /* of a site */
#define STORE_SCRIPTS_MAX    (64U << 10) /* of what is known of a site's scripts */
#define STORE_EVIDENCE_MAX   (9U << 20)  /* as it lies */
#define STORE_CHANGES_MAX    300         /* of a site, without those that raised an alert */
#define STORE_ALARMS_MAX     300         /* of a site, those that did */
#define STORE_SITE_PAGES_MAX 512
#define STORE_UNITS_MAX      4096

enum site_state {
    SITE_STATE_WATCHED,
    SITE_STATE_PAUSED,
    SITE_STATE_DROPPED, /* kept, so that it can be taken back; shown nowhere */
    SITE_STATE_COUNT,
};

struct store_site {
    uint64_t number;
    struct str name;
    struct str url;  /* of its first page; unique */
    struct str unit; /* who owns it */
    enum site_service service;
    struct str permission; /* who allowed the watch, in which paper */
    struct str permitted_by;
    int64_t permitted;
    int64_t interval; /* ns between two requests, 0: as usual */
    uint32_t views;   /* bit set of enum site_view, 0: all */
    enum site_state state;
    int64_t state_since;
    int64_t created;

    /* What the looks say; not written by store_site_put. */
    enum site_verdict verdict; /* the gravest of its pages */
    enum site_failure failure;
    int64_t since;
    int64_t checked; /* last look, 0: none yet */
    int64_t changed; /* last time that a page was not as before */
    int64_t certificate_end;
    uint64_t open_alerts; /* without drills */
    struct series series;
    uint64_t place; /* in store_site_list, which may go on behind it */

    /* What people have been told; written by store_site_told. */
    struct id outage; /* the finding that it cannot be reached, or none */
    uint32_t outage_revision;
    int64_t certificate_told; /* days left when its end was told last, 0: not yet */
};

struct store_site_filter {
    struct str unit;  /* exactly; empty: all */
    int service;      /* enum site_service, -1: all */
    int verdict;      /* enum site_verdict, -1: all */
    bool is_grave;    /* yellow, red and unreachable only */
    struct str words; /* that name, address or unit must hold, with or without dấu */
    uint64_t after;   /* place of the last row, 0: from the first */
    size_t limit;
};

/* How the sites of one unit stand. */
struct store_unit {
    struct str name;
    uint64_t sites;
    uint64_t verdicts[SITE_VERDICT_COUNT];
    uint64_t unreachable; /* of the unknown ones, those that were looked at and did not answer */
    uint64_t unseen;      /* not looked at yet, or paused */
};

/* A time in which a site's editors change it. */
struct store_window {
    uint64_t number;
    uint64_t site;
    int64_t begins;
    int64_t ends;
    struct str actor;
    struct str reason;
};

/* The last look at one page in one view. */
struct store_look {
    uint64_t site;
    uint64_t page;
    struct str url;
    enum site_page kind;
    enum site_view view;
    int64_t time;
    enum site_verdict verdict;
    enum site_failure failure;
    uint32_t failures; /* looks in a row that brought nothing */
    int64_t since;     /* of this verdict */
    uint64_t change;   /* number of the newest change, 0: none */
    struct id alarm;   /* the finding that stands about it, or none */
    uint32_t alarm_revision;
    unsigned alarm_rank; /* 1: it was told as odd, 2: as an attack */
    bool has_text;
    uint8_t text[32]; /* evidence: what it read like when it was last in order */
    struct str body;  /* the check, CBOR as site_check_encode wrote it */
};

enum change_decision {
    CHANGE_DECISION_NONE,
    CHANGE_DECISION_HELD, /* ours, and can still be taken back: not yet learned */
    CHANGE_DECISION_OURS,
    CHANGE_DECISION_INCIDENT,
    CHANGE_DECISION_COUNT,
};

/* A look that said something else than the one before it. */
struct store_change {
    uint64_t number;
    uint64_t site;
    uint64_t page;
    struct str url;
    int64_t time;
    enum site_verdict verdict;
    struct str body; /* the check */
    bool has_before;
    bool has_after;
    bool has_source;
    uint8_t before[32]; /* evidence: the page's passages then and now */
    uint8_t after[32];
    uint8_t source[32]; /* evidence: the body, as zstd of the process that fetched it */
    uint64_t alert;     /* 0: raised none */
    enum change_decision decision;
    int64_t decided;
    struct str decided_by;
    struct str decided_why;
};

/* number 0: new. -ERR_EXIST when another site has that address; nothing is changed then. */
[[nodiscard]] int store_site_put(struct store *store, const struct store_site *site,
                                 uint64_t *ret_number);
[[nodiscard]] int store_site_get(struct store *store, uint64_t number, struct arena *arena,
                                 struct store_site *ret_site);
[[nodiscard]] int store_site_find(struct store *store, struct str url, struct arena *arena,
                                  struct store_site *ret_site);
/* Whether a site had that address until somebody changed it. */
[[nodiscard]] int store_site_had(struct store *store, struct str url, bool *ret_had);
/* Writes outage, outage_revision and certificate_told only. */
[[nodiscard]] int store_site_told(struct store *store, const struct store_site *site);
/* By unit and name, without the dropped ones. */
[[nodiscard]] int store_site_list(struct store *store, const struct store_site_filter *filter,
                                  struct arena *arena, struct store_site **ret_sites,
                                  size_t *ret_count);
/* By number above `after`, those that are watched. */
[[nodiscard]] int store_site_watched(struct store *store, uint64_t after, size_t limit,
                                     struct arena *arena, struct store_site **ret_sites,
                                     size_t *ret_count);
/* Every unit with its sites' states, by name. */
[[nodiscard]] int store_unit_list(struct store *store, struct arena *arena,
                                  struct store_unit **ret_units, size_t *ret_count);

[[nodiscard]] int store_window_put(struct store *store, const struct store_window *window,
                                   uint64_t *ret_number);
/* Ends it at `now`; -ERR_NOENT when this site has no such window that is still to end. */
[[nodiscard]] int store_window_close(struct store *store, uint64_t site, uint64_t number,
                                     int64_t now);
/* Newest first. */
[[nodiscard]] int store_window_list(struct store *store, uint64_t site, struct arena *arena,
                                    struct store_window **ret_windows, size_t *ret_count);
/* Whether any site's window began or ended after `from`, at `to` at the latest. */
[[nodiscard]] int store_window_turned(struct store *store, int64_t from, int64_t to,
                                      bool *ret_turned);
/* Drops those that ended before `before`; who opened them stays in the audit. */
[[nodiscard]] int store_window_expire(struct store *store, int64_t before);
[[nodiscard]] int store_window_is_open(struct store *store, uint64_t site, int64_t now,
                                       bool *ret_is_open);

/* The page's number, new or known. Past STORE_SITE_PAGES_MAX of one site those go that were looked
 * at longest ago and that raised no alert; -ERR_LIMIT when there are none. */
[[nodiscard]] int store_page_put(struct store *store, uint64_t site, struct str url,
                                 enum site_page kind, uint64_t *ret_page);
/* What the judge has learned, of a page (empty when nothing), or of the site when url is empty. */
[[nodiscard]] int store_memory_get(struct store *store, uint64_t site, struct str url,
                                   struct arena *arena, struct str *ret_bytes);
/* -ERR_LIMIT, -ERR_NOENT. */
[[nodiscard]] int store_memory_put(struct store *store, uint64_t site, struct str url,
                                   struct str bytes);
/* What is known of a site's scripts, of whose making as above; empty: nothing. */
[[nodiscard]] int store_scripts_get(struct store *store, uint64_t site, struct arena *arena,
                                    struct str *ret_bytes);
/* At most STORE_SCRIPTS_MAX. -ERR_NOENT: no such site. */
[[nodiscard]] int store_scripts_put(struct store *store, uint64_t site, struct str bytes);

/* -ERR_NOENT before the first look. */
[[nodiscard]] int store_look_get(struct store *store, uint64_t page, enum site_view view,
                                 struct arena *arena, struct store_look *ret_look);
/* By page and view; and brings the site's own state in step. check: what look->body encodes. */
[[nodiscard]] int store_look_put(struct store *store, const struct store_look *look,
                                 const struct site_check *check);
/* All pages and views of a site, the gravest first. */
[[nodiscard]] int store_look_list(struct store *store, uint64_t site, struct arena *arena,
                                  struct store_look **ret_looks, size_t *ret_count);

/* number 0: new; else alert and decision are changed. Of the oldest, those past the limits go. */
[[nodiscard]] int store_change_put(struct store *store, const struct store_change *change,
                                   uint64_t *ret_number);
[[nodiscard]] int store_change_get(struct store *store, uint64_t number, struct arena *arena,
                                   struct store_change *ret_change);
struct store_change_filter {
    uint64_t site;
    uint64_t before; /* numbers below; 0: all */
    size_t limit;    /* 0: STORE_PAGE_MAX */
};
/* Newest first. */
[[nodiscard]] int store_change_list(struct store *store, const struct store_change_filter *filter,
                                    struct arena *arena, struct store_change **ret_changes,
                                    size_t *ret_count);
/* How many of an alert's changes nobody has decided on. */
[[nodiscard]] int store_change_undecided(struct store *store, uint64_t alert, uint64_t *ret_count);
/* Those that are held and were decided before `until`. */
[[nodiscard]] int store_change_held(struct store *store, int64_t until, struct arena *arena,
                                    struct store_change **ret_changes, size_t *ret_count);

/* Keeps bytes once, packed, under their hash. */
[[nodiscard]] int store_evidence_put(struct store *store, struct str bytes, uint8_t ret_sha256[32]);
/* -ERR_NOENT, -ERR_CORRUPT when what lies there has another hash. */
[[nodiscard]] int store_evidence_get(struct store *store, const uint8_t sha256[32],
                                     struct arena *arena, struct str *ret_bytes);
/* Drops changes without alert and pictures from before `before`, the oldest bodies and pictures
 * until `limit` bytes are left of all evidence, then what no look and no change names. */
[[nodiscard]] int store_evidence_expire(struct store *store, int64_t before, uint64_t limit);

#endif
