/* What core and fetch say to each other about websites (the messages of centre/protocol.h from
 * SITES_ASK on). The hand tool `canhgac watch` speaks the same, in core's place. Each put or get
 * takes all of a message; the reader's first error sticks (msg_close). Texts that are read borrow
 * the packet. */
#ifndef CENTRE_FETCH_WIRE_H
#define CENTRE_FETCH_WIRE_H

#include "base/msg.h"
#include "base/str.h"
#include "model/site.h"

#include <stdbool.h>
#include <stdint.h>

#define FETCH_SITES_MAX    16384
#define FETCH_INTERVAL_MIN (1000LL * 1000 * 1000)             /* ns */
#define FETCH_INTERVAL_MAX (24LL * 3600 * 1000 * 1000 * 1000) /* ns */
#define FETCH_PROFILE_MAX  (96U << 10)                        /* bytes of either profile */
#define FETCH_SCRIPTS      "scripts:" /* for an address: what is kept of the site's scripts */
#define FETCH_EVIDENCE_MAX (9U << 20) /* zstd of a body */

/* One site to watch, as core tells fetch. */
struct fetch_site {
    uint64_t number; /* in the store, not 0 */
    struct str url;  /* http or https; its page is looked at in all views */
    enum site_service service;
    uint32_t views;      /* bit set of enum site_view; 0: all */
    int64_t interval;    /* ns between two requests to the site; 0: the usual 10 to 20 s */
    bool is_window_open; /* what changes now is its editors' work */
};

/* What travels with a check; bits, and the order of the descriptors. */
enum fetch_part {
    FETCH_PART_PAGE = 1,     /* what is kept of the page from now on */
    FETCH_PART_SITE = 2,     /* the same of the site */
    FETCH_PART_EVIDENCE = 4, /* zstd of the body: of red and yellow, and of a page's first look */
    FETCH_PART_TEXT = 8,     /* passages_encode of what the reader saw: of a page's first look, and
                                whenever its text is not what was sent last */
    FETCH_PART_SCRIPTS = 16, /* what is kept of the site's scripts, when it is not what was */
};

struct fetch_check {
    uint64_t site;
    struct str check; /* site_check_decode reads it */
    uint32_t parts;   /* enum fetch_part, or'ed */
};

/* What a page looked like. */
struct fetch_picture {
    uint64_t site;
    struct str url;
    enum site_view view;
    int64_t time;
    struct str visual; /* visual_encode */
};
void fetch_picture_put(struct msg_writer *msg, const struct fetch_picture *picture);
/* -ERR_PROTO. */
[[nodiscard]] int fetch_picture_get(struct msg_reader *msg, struct fetch_picture *ret_picture);

/* Core's side, so that it need not count: begin, put until it says no (-ERR_LIMIT: send what is
 * there and go on with the next question), end. */
void fetch_sites_begin(struct msg_writer *msg, uint64_t after);
[[nodiscard]] int fetch_sites_put(struct msg_writer *msg, const struct fetch_site *site);
void fetch_sites_end(struct msg_writer *msg, bool is_last);

/* Each site is led by a one; a zero and is_last end the list. 1: one more in ret_site, 0: the end,
 * or -ERR_PROTO. */
uint64_t fetch_sites_after(struct msg_reader *msg);
[[nodiscard]] int fetch_sites_get(struct msg_reader *msg, struct fetch_site *ret_site,
                                  bool *ret_is_last);

void fetch_sites_ask(struct msg_writer *msg, uint64_t after);
void fetch_profile_ask(struct msg_writer *msg, uint64_t site, struct str url);
void fetch_profile_put(struct msg_writer *msg, uint64_t site, struct str url);
void fetch_look_put(struct msg_writer *msg, uint64_t site, struct str url, bool is_own_change);
void fetch_check_put(struct msg_writer *msg, const struct fetch_check *check);
/* -ERR_PROTO. */
[[nodiscard]] int fetch_check_get(struct msg_reader *msg, struct fetch_check *ret_check);
/* For PROFILE_ASK and PROFILE; -ERR_PROTO. */
[[nodiscard]] int fetch_profile_get(struct msg_reader *msg, uint64_t *ret_site,
                                    struct str *ret_url);
/* In a watch that looks once: nothing came, so the site's other looks would bring nothing either.
 */
static inline bool fetch_check_is_last(const struct site_check *check)
{
    return check->verdict == SITE_VERDICT_UNKNOWN && check->status == 0;
}
[[nodiscard]] int fetch_look_get(struct msg_reader *msg, uint64_t *ret_site, struct str *ret_url,
                                 bool *ret_is_own_change);

#endif
