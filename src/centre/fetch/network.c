/* See centre/fetch/network.h: counts over the last minute, in spans of ten seconds. */
#include "centre/fetch/network.h"

#include "base/banned.h"
#include "base/time.h"

#define SPAN         (10 * NS_PER_S)
#define LEAST_LOOKED 20U /* with fewer, one site's outage would look like ours */
#define LEAST_FAILED 3U
#define FAILED_SHARE 20U /* one in so many */

void fetch_network_note(struct fetch_network *network, int64_t now, bool has_failed)
{
    int64_t number = now / SPAN;
    struct fetch_network_span *span = &network->spans[number % FETCH_NETWORK_SPANS];

    if (span->number != number) {
        *span = (struct fetch_network_span){.number = number};
    }
    span->looked++;
    span->failed += has_failed ? 1 : 0;
}

bool fetch_network_is_down(const struct fetch_network *network, int64_t now)
{
    unsigned looked = 0;
    unsigned failed = 0;

    for (unsigned i = 0; i < FETCH_NETWORK_SPANS; i++) {
        if (now / SPAN - network->spans[i].number < FETCH_NETWORK_SPANS) {
            looked += network->spans[i].looked;
            failed += network->spans[i].failed;
        }
    }
    return looked >= LEAST_LOOKED && failed >= LEAST_FAILED && failed * FAILED_SHARE > looked;
}
