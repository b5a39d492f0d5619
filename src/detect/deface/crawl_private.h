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

/* Many sites send phones on to pages of their own, or serve them smaller ones, so that a redirect
 * or a size tells something only beside the answers to the same kind of device. */
enum crawl_device {
    CRAWL_DEVICE_DESK,
    CRAWL_DEVICE_HAND,
    CRAWL_DEVICE_COUNT,
};

/* How people are told that a page is not there. */
enum crawl_denial {
    CRAWL_DENIAL_SENT_DESK, /* sent elsewhere for once; numbered as the devices */
    CRAWL_DENIAL_SENT_HAND,
    CRAWL_DENIAL_GONE,
    CRAWL_DENIAL_COUNT,
};

struct crawl_side {
    struct crawl_counts counts[CRAWL_DEVICE_COUNT];
    /* of what was served, 2^32-1 for more; the ring's next place is the remainder of counts.served
     */
    uint32_t sizes[CRAWL_DEVICE_COUNT][CRAWL_SIZES];
};

struct crawl_page {
    struct list age; /* in crawl.by_age, the longest unseen first */
    struct crawl_side sides[CRAWL_AUDIENCE_COUNT];
    struct str engine; /* the last one that came; for good */
    int64_t last;
    /* people: from a search or not */
    int64_t given;  /* when an engine was last served it; 0: never */
    int64_t barred; /* when people first got anything else, also for good; 0: never */
    int64_t denied[CRAWL_DENIAL_COUNT];   /* when people first were in that way; 0: never */
    uint64_t deniers[CRAWL_DENIAL_COUNT]; /* a bit for each of their addresses, some of one bit */
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

/* What sort of device asks, by what it calls itself. */
enum crawl_device crawl_device(struct str agent);

void crawl_counts_add(struct crawl_counts *counts, const struct crawl_counts *more);
/* Of both kinds of device. */
struct crawl_counts crawl_side_counts(const struct crawl_side *side);

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
