/* The detector: reads the entries of logs that agents and senders hand in, and judges them by the
 * rules, with no rights at all (no path, no network, no new files). Rules are read as bytes while
 * there are rights, and parsed without. It dies rather than misbehave; its parent starts another,
 * which reads rules and lists anew: that is how they are changed. On an entry's way: core/detect.c
 * → (channel) → detector → codec/logs.h → detect/sigma/ → (channel) → core/detect.c. */
#ifndef CENTRE_DETECTOR_H
#define CENTRE_DETECTOR_H

#include "model/setting.h"

#include <stdint.h>

#define DETECTOR_FIELDS_MAX  12          /* of an entry, told with a hit */
#define DETECTOR_VALUE_MAX   512         /* bytes of one */
#define DETECTOR_CPU_SECONDS 5           /* of work on one message */
#define DETECTOR_RULES_SIZE  (64U << 20) /* of all files of rules together */

struct detector_options {
    const char *user;                 /* NULL: stay; one that does not exist: nobody */
    const struct setting_list *rules; /* folders and files of rules beside those built in */
    const char *lists;                /* folder of the lists of indicators; NULL: none */
    int channel;                      /* to core */
    int supervisor;                   /* READY leaves; -1: none */
};

/* Process body: serves its channel until its end. Returns the exit status. */
int detector_run(const struct detector_options *options);

/* What core has had it do since core started. */
struct detector_counts {
    uint64_t entries;  /* handed in */
    uint64_t judged;   /* answered for */
    uint64_t faulty;   /* of them not well formed: judged by what could be read */
    uint64_t hits;     /* of rules and correlations */
    uint64_t unjudged; /* put aside: they ended the detector, or it did not answer */
};

enum detector_message {
    /* detector → core: it has just started; what was asked of the one before is lost. u32 rules,
     * u32 correlations, u32 documents that were refused, u64 version. */
    DETECTOR_MESSAGE_READY = 1,
    /* core → detector: u64 number, then each entry led by u32 1: str host's id, str format,
     * str path, str head of its file (for formats whose lines need it), i64 arrival (wall), str
     * entry as it was written; then u32 0. */
    DETECTOR_MESSAGE_ENTRIES,
    /* detector → core: u64 number, then each hit led by u32 1: u32 which entry, str rule id, str
     * title, u32 enum sigma_level, str tags parted by spaces, str group (of a correlation:
     * "field=value" parted by ", "), i64 time, u32 n, n × (str name, str value); then u32 0,
     * u32 is_last, u32 entries that were read, u32 of them with faults. Hits that do not fit come
     * in messages before the last. */
    DETECTOR_MESSAGE_HITS,
    /* core → detector, the first message of each to the other's start, and again when people have
     * changed something: what is to be read beside the files of rules, in pieces. u64 version, each
     * led by u32 1: str name, str YAML (rules, filters, correlations); then u32 0, u32 n, n × str
     * id of a rule that is switched off, u32 is_last. READY answers the last, with that version;
     * windows that are open stay open. */
    DETECTOR_MESSAGE_CONTENT,
    /* core → detector: hand over what the correlations remember. Empty. */
    DETECTOR_MESSAGE_SAVE,
    /* either way: a piece of that, in turn. u32 is_last, str bytes. To the detector: take it up,
     * before its READY only. */
    DETECTOR_MESSAGE_STATE,
    /* core → detector: end, once what came before is answered: its successor reads the files of
     * rules anew. Empty. */
    DETECTOR_MESSAGE_END,
};

#endif
