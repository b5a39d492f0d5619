/* `canhgac watch --replay DIR`: judges stored versions of pages as if they came in now. DIR holds a
 * folder a page, which holds EPOCH.html (seen by people) and EPOCH.VIEW.html (seen by another
 * view), EPOCH in seconds since 1970. Each page is a site of its own, learned from nothing in the
 * order of time; nothing is kept. Files are opened here and read in a child without rights
 * (watch/replay_judge.h). */
#ifndef CLI_WATCH_REPLAY_H
#define CLI_WATCH_REPLAY_H

#include <stdbool.h>

struct watch_replay_options {
    const char *folder;
    const char *domains; /* file of listed betting domains, one a line; NULL: none */
    bool is_json;        /* one object a version: page time view verdict failure learning confirm
                            score layers[] why[] */
};

/* An enum exit_status: FOUND when a version is yellow or red; FAILED when a file was not judged,
 * which names it and judges the rest. */
int watch_replay(const struct watch_replay_options *options);

#endif
