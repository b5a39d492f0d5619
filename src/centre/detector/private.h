/* What the files of the detector's process share; for nobody else. */
#ifndef CENTRE_DETECTOR_PRIVATE_H
#define CENTRE_DETECTOR_PRIVATE_H

#include "centre/detector.h"
#include "codec/logs.h"
#include "detect/sigma/correlate.h"
#include "detect/sigma/engine.h"
#include "detect/sigma/load.h"
#include "sys/channel.h"

struct detector {
    int channel;
    struct sigma_loader *loader;
    const struct sigma_set *set;
    struct sigma_engine *engine;
    struct sigma_matcher *matcher;
    struct sigma_correlator *correlator;
    struct log_reading reading;
    uint64_t seed; /* of the correlator's hashes */
    uint64_t tag;  /* given to the correlator last */
    struct msg_writer answer;
    struct channel_packet packet;
};

/* detector/answer.c: judges the entries of the packet and answers. */
[[nodiscard]] int detector_answer(struct detector *detector);

#endif
