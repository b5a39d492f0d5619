/* What core is in a centre, `canhgac watch` is by hand: it starts fetch and its readers, tells them
 * which sites there are, keeps what they learn, and hears of every look. It parses nothing of what
 * comes from a site but their word on it. */
#ifndef CLI_WATCH_DESK_H
#define CLI_WATCH_DESK_H

#include "base/diag.h"
#include "cli/watch/keep.h"
#include "model/site.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The looks that a site gets in a watch that looks once: as each of the views, and at a page that
 * must not exist when crawlers are among them. */
unsigned watch_desk_looks(uint32_t views);

struct watch_desk_options {
    const char *const *urls; /* canonical; a site's number is its place, from 1 */
    size_t count;
    uint32_t views;
    bool is_once;
    bool is_visual;   /* first pages are pictured too */
    int64_t interval; /* ns, 0: the usual */
    int64_t most_time;
    const char *servers;
    const char *lists;      /* folder of indicator lists */
    struct str authorities; /* PEM */
    const struct watch_keep *keep;
    /* A look; site: its place in urls. Returns false to end the watch. */
    bool (*look)(void *context, size_t site, const struct site_check *check);
    /* Each second. */
    void (*tick)(void *context);
    void *context;
};

/* Runs until all was looked at once, look said so, or SIGINT or SIGTERM came. */
[[nodiscard]] int watch_desk_run(const struct watch_desk_options *options, struct diag *diag);

#endif
