/* The api process: console, REST and the live stream, over browsers' plain streams from front. It
 * reads the store and asks core to write. */
#ifndef CENTRE_API_H
#define CENTRE_API_H

#include "centre/settings.h"

/* As in centre/core.h: the ends outlive both processes. */
struct api_channels {
    int front;      /* CENTRE_MESSAGE_BROWSER arrives */
    int core;       /* CENTRE_MESSAGE_REQUEST leaves; REPLY and CHANGED arrive */
    int receiver;   /* PIECE and LEFT leave, POSTED arrives (centre/receiver.h); -1: none */
    int sifter;     /* events leave, verdicts arrive (centre/sifter.h); -1: none */
    int supervisor; /* READY leaves; its end means: finish */
};

/* As core_run. Request numbers begin at a random place, so that a reply to a predecessor is not
 * mistaken. */
int api_run(const struct centre_settings *settings, struct api_channels channels);

#endif
