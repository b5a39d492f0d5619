/* What every name server that we ask says of a site's name: its addresses, the alias it leads
 * through, whose name servers answer for it and who takes its mail. Each is asked by itself and all
 * at the same time, so that one who says something else stands out. Neighbours: look.c has it
 * asked, zone.h weighs what came. */
#ifndef CENTRE_FETCH_SURVEY_H
#define CENTRE_FETCH_SURVEY_H

#include "base/diag.h"
#include "base/str.h"
#include "base/time.h"
#include "centre/fetch/dns.h"
#include "codec/rr.h"
#include "sys/loop.h"

#include <stdbool.h>
#include <stdint.h>

#define SURVEY_SERVERS_MAX   4 /* name servers that are asked: the first of the list */
#define SURVEY_ADDRESSES_MAX 16
#define SURVEY_NAMES_MAX     8
#define SURVEY_SERVER_SIZE   64

enum survey_state {
    SURVEY_SILENT, /* no answer, or it refuses us: no word on the site */
    SURVEY_BROKEN, /* it could not find out: the name's own servers fail */
    SURVEY_ABSENT, /* there is no such name */
    SURVEY_EMPTY,  /* the name has no address */
    SURVEY_THERE,
};

struct survey_word { /* of one name server */
    char server[SURVEY_SERVER_SIZE];
    enum survey_state state;
    uint32_t ttl; /* seconds that its addresses still hold, at most */
    unsigned address_count;
    char addresses[SURVEY_ADDRESSES_MAX][DNS_ADDRESS_SIZE];
    char alias[RR_NAME_MAX + 1]; /* where the last CNAME led, also when nothing is there; or "" */
    unsigned server_count;       /* of the zone that the name is in */
    char servers[SURVEY_NAMES_MAX][RR_NAME_MAX + 1];
    unsigned exchanger_count; /* of its mail */
    char exchangers[SURVEY_NAMES_MAX][RR_NAME_MAX + 1];
};

struct survey {
    unsigned word_count;
    struct survey_word words[SURVEY_SERVERS_MAX];
};

struct surveyor;
struct survey_ask; /* one under way */
/* Borrows; the survey lives until this returns. */
typedef void survey_done_fn(void *context, const struct survey *survey);

/* servers: as dns.h. Before the sandbox. */
[[nodiscard]] int surveyor_new(struct loop *loop, const struct clock *clock, const char *servers,
                               struct surveyor **ret_surveyor, struct diag *diag);
/* Of what is under way nobody hears. Takes NULL. */
void surveyor_free(struct surveyor *surveyor);

/* Whether a host is a name that can be asked about, and not an address or a name of this machine.
 */
bool survey_can_ask(struct str host);
/* Asks about host; a name server that was silent thrice in a row rests for a minute. -ERR_NOENT,
 * -ERR_FULL: too many wait, try later. The zone is looked for from the host upward, to domain at
 * most. is_second: two seconds later, and over other lines than the first time, past what c-ares
 * may have kept. done is called once, never before this returns. */
[[nodiscard]] int surveyor_ask(struct surveyor *surveyor, struct str host, struct str domain,
                               bool is_second, survey_done_fn *done, void *context,
                               struct survey_ask **ret_ask);
/* done is not called any more; takes NULL. */
void survey_cancel(struct survey_ask *ask);

#endif
