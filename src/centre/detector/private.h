/* What the files of the detector's process share; for nobody else. */
#ifndef CENTRE_DETECTOR_PRIVATE_H
#define CENTRE_DETECTOR_PRIVATE_H

#include "base/buf.h"
#include "centre/detector.h"
#include "centre/lists.h"
#include "centre/rules.h"
#include "codec/logs.h"
#include "detect/intel/screen.h"
#include "detect/sigma/correlate.h"
#include "detect/sigma/engine.h"
#include "detect/sigma/load.h"
#include "detect/sigma/shown.h"
#include "sys/channel.h"

/* A set of rules with all that is made of it. */
struct detector_set {
    struct sigma_loader *loader;
    const struct sigma_set *set;
    struct sigma_engine *engine;
    struct sigma_matcher *matcher;
    struct sigma_correlator *correlator;
    uint64_t forgotten; /* windows that it has evicted and that were told */
    struct sigma_shown *shown;
    struct sigma_view view; /* of the entry in hand */
    struct log_reading reading;
    uint32_t host_field;     /* number of DETECTOR_HOST_FIELD; 0: no rule asks for it */
    bool *is_off;            /* by rule */
    bool *is_off_correlated; /* by correlation */
    bool is_sifting;         /* some are off, or there are filters */
    uint32_t *sifted;        /* what holds for an entry after that */
    uint32_t *kept;          /* entries of the message in hand that filters kept back: by rule in
                              * all, and by twin those of its filter */
    bool has_kept;
};

/* What came over the channel, in force or still coming. */
struct detector_content {
    uint64_t version;
    struct rules_texts *texts;
    char **off; /* ids of rules */
    size_t off_count;
};

struct detector {
    int channel;
    struct rules_texts *files;     /* as they were when the process began */
    struct rules_texts *pipelines; /* the same */
    struct detector_content content;
    struct detector_content coming;
    struct buf state; /* pieces */
    bool is_state_whole;
    bool is_ending;
    struct indicators *indicators;
    struct screen *screen;      /* NULL: no list has anything that stands in logs */
    struct detector_set now;    /* without a set until the first CONTENT */
    uint64_t seed;              /* of the correlator's hashes */
    uint64_t tag;               /* given to the correlator last */
    struct entry_field *fields; /* of an entry with the host's beside them */
    size_t field_room;
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

/* detector/sift.c */
/* The entry with the host that core knows it is from, when rules ask for that: itself otherwise. */
[[nodiscard]] int detector_place(struct detector *detector, struct str host,
                                 const struct entry *entry, struct entry *ret_entry);
/* Without what is switched off and what filters keep back, which is counted in kept. Valid until
 * the next call. */
const uint32_t *detector_sift(struct detector_set *now, const uint32_t *rules, size_t *count);

/* detector/rulebook.c */
/* Loads the files with the content. -ERR_…, with diag, when that cannot be. */
[[nodiscard]] int detector_set_make(const struct detector *detector,
                                    const struct detector_content *content,
                                    struct detector_set *ret_set, struct diag *diag);
void detector_set_done(struct detector_set *set);
void detector_content_done(struct detector_content *content);
/* Messages other than entries: each answers its packet. */
[[nodiscard]] int detector_take_content(struct detector *detector);
[[nodiscard]] int detector_take_state(struct detector *detector);
[[nodiscard]] int detector_take_check(struct detector *detector);
[[nodiscard]] int detector_save(struct detector *detector);

#endif
