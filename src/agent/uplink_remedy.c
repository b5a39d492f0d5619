/* Four clocks can be wrong or run out: this machine's, the centre's, and the ends of two
 * certificates. Each has another remedy. */
#include "agent/uplink_remedy.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"

#include <stdio.h>

static void remedy_expired(const struct uplink_trouble *trouble, char out[UPLINK_REMEDY_SIZE])
{
    char now[TIME_TEXT_SIZE];
    char from[TIME_TEXT_SIZE];
    char until[TIME_TEXT_SIZE];

    time_format_utc(trouble->now, now);
    time_format_utc(trouble->good_from, from);
    time_format_utc(trouble->good_until, until);
    if (trouble->good_until != 0 && trouble->now < trouble->good_from) {
        (void)snprintf(out, UPLINK_REMEDY_SIZE,
                       _("this machine's clock (%s) stands before the beginning of this host's "
                         "certificate (%s): set the clock"),
                       now, from);
    } else if (trouble->good_until != 0 && trouble->now > trouble->good_until) {
        (void)snprintf(
            out, UPLINK_REMEDY_SIZE,
            _("this host's certificate ended on %s, and this machine's clock says %s: set "
              "the clock if it is wrong, else get a token at the centre ('canhgac centre "
              "token') and enrol anew with 'canhgac agent enrol --force'"),
            until, now);
    } else if (trouble->is_by_centre) {
        (void)snprintf(
            out, UPLINK_REMEDY_SIZE,
            _("by the centre's clock this host's certificate is not good, although it is "
              "good until %s: check the centre's clock"),
            until);
    } else {
        (void)snprintf(
            out, UPLINK_REMEDY_SIZE,
            _("the centre's certificate is not good at this machine's time (%s): compare "
              "the clocks of both; a centre renews its certificate when it starts"),
            now);
    }
}

void uplink_remedy(const struct uplink_trouble *trouble, char out[UPLINK_REMEDY_SIZE])
{
    const char *text;

    switch (trouble->error) {
    case -ERR_EXPIRED:
        remedy_expired(trouble, out);
        return;
    case -ERR_UNTRUSTED:
    case -ERR_REVOKED:
        text = trouble->is_by_centre
                   ? _("the centre does not take this host's certificate: enrol this host anew")
                   : _("the centre is not the one at which this host was enrolled: check its "
                       "address; after a new installation of the centre enrol this host anew");
        break;
    case -ERR_NOENT:
        text = _("the centre's name is unknown to the resolver: check the name and DNS");
        break;
    default:
        text = _("records wait in the spool until the centre can be reached");
        break;
    }
    (void)snprintf(out, UPLINK_REMEDY_SIZE, "%s", text);
}
