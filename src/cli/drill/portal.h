/* A province's portal for a drill: pages in the scratch folder, served on loopback by a thread of
 * its own. As real ones do, it writes the hour, a counter of visitors, a banner in turn and a fresh
 * token into every answer, so that whoever watches it has to learn what moves. A page NAME.crawler
 * or NAME.search beside NAME is shown to search engines, or to who comes from one: the cloak of the
 * drill's attacker. */
#ifndef CLI_DRILL_PORTAL_H
#define CLI_DRILL_PORTAL_H

#include "cli/drill/folder.h"

#include <stdint.h>

#define PORTAL_HOME     "index.html"
#define PORTAL_LOGIN    "dang-nhap.html"
#define PORTAL_URL_MAX  64
#define PORTAL_PAGE_MAX (256U << 10)

struct portal;

/* Writes the pages. The same seed gives the same bytes. */
[[nodiscard]] int portal_fill(const struct drill_folder *folder, uint64_t seed);
/* Serves what lies in the folder at the time of each request, at a free port of 127.0.0.1. The
 * folder must outlive the portal. -ERR_NOMEM, -errno. */
[[nodiscard]] int portal_start(const struct drill_folder *folder, uint64_t seed,
                               struct portal **ret_portal);
void portal_stop(struct portal *portal);
/* http://127.0.0.1:PORT/ */
const char *portal_url(const struct portal *portal);
/* Requests answered so far. */
uint64_t portal_hits(const struct portal *portal);

#endif
