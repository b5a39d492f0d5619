/* Why a centre cannot be reached, and what a person can do about it, in one sentence. Pure. */
#ifndef AGENT_UPLINK_REMEDY_H
#define AGENT_UPLINK_REMEDY_H

#include <stdbool.h>
#include <stdint.h>

#define UPLINK_REMEDY_SIZE 512

struct uplink_trouble {
    int error;          /* negative */
    bool is_by_centre;  /* the centre refused us, not we it */
    int64_t now;        /* by this machine's clock, ns since 1970 UTC; so the others */
    int64_t good_from;  /* this host's certificate */
    int64_t good_until; /* 0: not known */
};

/* In the reader's language. */
void uplink_remedy(const struct uplink_trouble *trouble, char out[UPLINK_REMEDY_SIZE]);

#endif
