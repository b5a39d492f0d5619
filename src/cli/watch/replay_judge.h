/* The child of `canhgac watch --replay`: holds the model and one page's profile, gets one open file
 * at a time, prints what it thinks of it. See watch/replay.h. */
#ifndef CLI_WATCH_REPLAY_JUDGE_H
#define CLI_WATCH_REPLAY_JUDGE_H

#include <stdbool.h>

enum replay_message {
    REPLAY_MESSAGE_PAGE,    /* text: its name; what was learned of the one before is forgotten */
    REPLAY_MESSAGE_VERSION, /* i64: ns since 1970, u32: view; a descriptor */
    REPLAY_MESSAGE_END,
    REPLAY_MESSAGE_JUDGED, /* u32: enum site_verdict; back */
    REPLAY_MESSAGE_COUNT,
};

struct replay_judge {
    int channel;
    int domains; /* descriptor of the list, -1: none */
    bool is_json;
};

/* A spawn_body_fn: gives up all rights, then serves. The status is an enum exit_status. */
int replay_judge_run(void *context);

#endif
