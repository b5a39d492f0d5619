/* What the files of the detector's process share; for nobody else. */
#ifndef CENTRE_DETECTOR_PRIVATE_H
#define CENTRE_DETECTOR_PRIVATE_H

#include "centre/detector.h"
#include "centre/lists.h"
#include "codec/logs.h"
#include "detect/intel/screen.h"
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
    struct indicators *indicators;
    struct screen *screen; /* NULL: no list has anything that stands in logs */
    struct log_reading reading;
    uint64_t seed; /* of the correlator's hashes */
    uint64_t tag;  /* given to the correlator last */
    struct msg_writer answer;
    struct channel_packet packet;
};

/* An indicator that an entry holds, as it is told. */
struct detector_listed {
    struct str id; /* its hits are counted by it */
    struct str title;
    enum sigma_level level;
    struct {
        struct str name;
        struct str value;
    } told[DETECTOR_FIELDS_MAX];
    uint32_t told_count;
};

typedef int detector_listed_fn(void *context, const struct detector_listed *listed);

/* detector/answer.c: judges the entries of the packet and answers. */
[[nodiscard]] int detector_answer(struct detector *detector);

/* ---- detector/intel.c ---- */

/* Makes the screen of the lists, whose bytes it takes. -ERR_NOMEM. */
[[nodiscard]] int detector_learn_lists(struct detector *detector, struct lists_texts *texts);
/* Tells each indicator that the entry holds, once. Texts are in the reading's arena. */
[[nodiscard]] int detector_screen(struct detector *detector, const struct entry *entry,
                                  detector_listed_fn *fn, void *context);

#endif
