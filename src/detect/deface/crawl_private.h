/* What crawl.c keeps of each page, and crawl_judge.c and crawl_folder.c compare. Only for those
 * and crawl_audience.c. */
#ifndef DETECT_DEFACE_CRAWL_PRIVATE_H
#define DETECT_DEFACE_CRAWL_PRIVATE_H

#include "base/list.h"
#include "base/map.h"
#include "base/network.h"
#include "detect/deface/crawl.h"

#define CRAWL_SIZES    8    /* of the last answers, for the median and the spread */
#define CRAWL_KEY_MAX  2048 /* bytes of host and path; longer ones are no page that people link */
#define CRAWL_HOST_MAX 255
#define CRAWL_G_MIN    13.8 /* two degrees of freedom, one page in a thousand by chance */

struct crawl_side {
    struct crawl_counts counts;
    uint32_t sizes[CRAWL_SIZES]; /* of what was served; 2^32-1 stands for more */
    uint32_t size_count;         /* ever; the ring's next place is its remainder */
};

struct crawl_page {
    struct list age; /* in crawl.by_age, the longest unseen first */
    struct crawl_side sides[CRAWL_AUDIENCE_COUNT];
    struct str engine; /* the last one that came; for good */
    int64_t last;
    int64_t given;    /* when an engine was last served it; 0: never */
    int64_t denied;   /* when people, from a search or not, first were not; 0: never */
    uint64_t deniers; /* a bit for each of their addresses, some of one bit */
    size_t host_len;
    size_t key_len;
    char key[]; /* host, '/' of the path at once behind it */
};

struct crawl_network {
    struct network network;
    struct str engine;
};

enum {
#define CRAWLER(engine_name, network_text) +1
#define SEARCH(host_part)
    CRAWL_NETWORKS = 0
#include "detect/deface/crawlers.def"
#undef CRAWLER
#undef SEARCH
};

struct crawl {
    struct crawl_network networks[CRAWL_NETWORKS];
    struct crawl_limits limits;
    struct map pages;
    struct list by_age;
    struct crawl_totals totals;
};

/* From crawlers.def; false when a row of it is no network. */
bool crawl_networks_fill(struct crawl_network networks[CRAWL_NETWORKS]);

/* Whether the audience gets another page than people; fills all but host and path. */
bool crawl_compare(const struct crawl_page *page, enum crawl_audience audience, unsigned visits_min,
                   struct crawl_cloak *ret_cloak);
/* How unlikely it is that both meet the same policy: G, of served, moved and missing. */
double crawl_status_score(const struct crawl_counts *a, const struct crawl_counts *b);

typedef void crawl_cloak_fn(void *context, const struct crawl_cloak *cloak);
/* Hands over each folder that is cloaked; its texts lie in the pages. -ERR_NOMEM. */
[[nodiscard]] int crawl_folders(const struct crawl *crawl, struct arena *arena,
                                crawl_cloak_fn *take, void *context);

#endif
