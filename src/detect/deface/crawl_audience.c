/* Who asks for a page: a search engine by its address, people from a search, or just people. The
 * lists are data (crawlers.def). Neighbour: crawl.c. */
#include "base/banned.h"
#include "detect/deface/crawl_private.h"

#include <stdlib.h>

#define AGENT_PART_MAX 512 /* who asks is said in the first so many bytes */

static const struct {
    const char *engine;
    const char *network;
} crawl_engines[] = {
#define CRAWLER(engine_name, network_text) {engine_name, network_text},
#define SEARCH(host_part)
#include "detect/deface/crawlers.def"
#undef CRAWLER
#undef SEARCH
};

static const char *const crawl_searches[] = {
#define CRAWLER(engine_name, network_text)
#define SEARCH(host_part) host_part,
#include "detect/deface/crawlers.def"
#undef CRAWLER
#undef SEARCH
};

/* Words by which robots of all kinds name themselves. */
static const char *const crawl_robots[] = {"bot",  "crawl",  "spider",      "slurp",   "curl/",
                                           "wget", "python", "http-client", "monitor", "scan"};

bool crawl_networks_fill(struct crawl_network networks[CRAWL_NETWORKS])
{
    for (size_t i = 0; i < CRAWL_NETWORKS; i++) {
        if (!network_parse(str_from(crawl_engines[i].network), &networks[i].network)) {
            return false;
        }
        networks[i].engine = str_from(crawl_engines[i].engine);
    }
    return true;
}

static bool crawl_is_robot(struct str agent)
{
    char room[AGENT_PART_MAX];
    struct str head = str_slice(agent, 0, sizeof(room));

    for (size_t i = 0; i < head.len; i++) {
        room[i] =
            (char)(head.ptr[i] >= 'A' && head.ptr[i] <= 'Z' ? head.ptr[i] | 0x20 : head.ptr[i]);
    }
    head.ptr = room;
    for (size_t i = 0; i < sizeof(crawl_robots) / sizeof(crawl_robots[0]); i++) {
        if (str_find(head, str_from(crawl_robots[i])) < head.len) {
            return true;
        }
    }
    return agent.len == 0; /* browsers say who they are */
}

/* https://www.google.com.vn/search?q=… → www.google.com.vn */
static struct str crawl_referrer_host(struct str referrer)
{
    size_t at = str_find(referrer, STR("://"));
    struct str rest = str_slice(referrer, at + 3, referrer.len);

    return at < referrer.len ? str_slice(rest, 0, str_find_byte(rest, '/')) : (struct str){0};
}

static bool crawl_is_from_search(struct str referrer)
{
    struct str host = crawl_referrer_host(referrer);

    for (size_t i = 0; i < sizeof(crawl_searches) / sizeof(crawl_searches[0]); i++) {
        struct str part = str_from(crawl_searches[i]);
        size_t at = str_find(host, part);

        if (at < host.len && (at == 0 || host.ptr[at - 1] == '.')) {
            return true;
        }
    }
    return false;
}

/* Engines look with both, and say so in the same words as browsers. */
enum crawl_device crawl_device(struct str agent)
{
    struct str head = str_slice(agent, 0, AGENT_PART_MAX);

    return str_find(head, STR("Mobi")) < head.len || str_find(head, STR("Android")) < head.len
               ? CRAWL_DEVICE_HAND
               : CRAWL_DEVICE_DESK;
}

enum crawl_audience crawl_audience(const struct crawl *crawl, const struct weblog_line *line,
                                   struct str *ret_engine)
{
    uint8_t address[16];

    *ret_engine = (struct str){0};
    if (!crawl_is_robot(line->agent)) {
        return crawl_is_from_search(line->referrer) ? CRAWL_AUDIENCE_SEARCH : CRAWL_AUDIENCE_PEOPLE;
    }
    if (!network_address(line->address, address)) {
        return CRAWL_AUDIENCE_NONE;
    }
    for (size_t i = 0; i < CRAWL_NETWORKS; i++) {
        if (network_holds(&crawl->networks[i].network, address)) {
            *ret_engine = crawl->networks[i].engine;
            return CRAWL_AUDIENCE_ENGINE;
        }
    }
    return CRAWL_AUDIENCE_NONE;
}
