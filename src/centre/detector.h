/* The detector: reads the entries of logs that agents and senders hand in, and judges them by the
 * rules, with no rights at all (no path, no network, no new files). Rules are read as bytes while
 * there are rights, and parsed without. It dies rather than misbehave; its parent starts another,
 * which reads the files of rules and lists anew. What people add in the console comes over the
 * channel, at the start and whenever it changes, and takes the place of what was before without an
 * open window being lost. On an entry's way: core/detect.c → (channel) → detector → codec/logs.h →
 * detect/sigma/ → (channel) → core/detect.c. */
#ifndef CENTRE_DETECTOR_H
#define CENTRE_DETECTOR_H

#include "base/msg.h"
#include "model/setting.h"

#include <stdint.h>

#define DETECTOR_FIELDS_MAX  12  /* of an entry, told with a hit */
#define DETECTOR_VALUE_MAX   512 /* bytes of one */
#define DETECTOR_CPU_SECONDS 2   /* of work on one message, past which the kernel ends it */
#define DETECTOR_ENTRIES_MAX                                                                       \
    (MSG_SIZE_MAX / 48)                  /* of one message: none takes fewer bytes of it           \
                                          */
#define DETECTOR_RULES_SIZE  (64U << 20) /* of all files of rules together */
#define DETECTOR_PIECE       (60U << 10) /* bytes of what comes in pieces */
#define DETECTOR_STATE_MAX   (96U << 20) /* bytes of what correlations remember */
#define DETECTOR_REFUSED_MAX 200         /* documents that are named; the rest is counted */

/* A field that each entry has beside its own, for rules and filters: the name of the host or sender
 * that core knows it is from. Whatever the entry itself calls so is passed over. */
#define DETECTOR_HOST_FIELD "canhgac.host"

/* Before the name of a document that came over the channel, where files have their path. */
#define DETECTOR_OWN_PREFIX "console:"

struct detector_options {
    const char *user;                     /* NULL: stay; one that does not exist: nobody */
    const struct setting_list *rules;     /* folders and files of rules beside those built in */
    const struct setting_list *pipelines; /* the same of pipelines */
    const char *lists;                    /* folder of the lists of indicators; NULL: none */
    int channel;                          /* to core */
    int supervisor;                       /* READY leaves; -1: none */
};

/* Process body: serves its channel until its end. Returns the exit status. */
int detector_run(const struct detector_options *options);

/* What core has had it do since core started. */
struct detector_counts {
    uint64_t entries;  /* handed in */
    uint64_t judged;   /* answered for */
    uint64_t faulty;   /* of them not well formed: judged by what could be read */
    uint64_t matched;  /* of those judged, entries that a rule or correlation held for */
    uint64_t hits;     /* of rules and correlations */
    uint64_t unjudged; /* put aside: they ended the detector, or it did not answer */
};

/* Of those judged, the others; matches of a sheet are counted before the sheet. */
static inline uint64_t detector_unmatched(const struct detector_counts *counts)
{
    return counts->judged > counts->matched ? counts->judged - counts->matched : 0;
}

enum detector_message {
    /* detector → core: what CONTENT said is in force, or why it is not and what was before it is
     * still. u32 rules, u32 correlations, u32 documents that were refused, u64 version of the
     * content in force, u64 of all (changes with files of rules too), str why not. */
    DETECTOR_MESSAGE_READY = 1,
    /* core → detector: u64 number, then each entry led by u32 1: str host's id, str its name,
     * str format, str path, str head of its file (for formats whose lines need it), i64 arrival
     * (wall), i64 time that it is to be judged by (0: its own), str entry as it was written; then
     * u32 0. */
    DETECTOR_MESSAGE_ENTRIES,
    /* detector → core: u64 number, then each hit led by u32 1: u32 which entry, str rule id, str
     * title, u32 enum sigma_level, str tags parted by spaces, str group (of a correlation:
     * "field=value" parted by ", "), i64 time, u32 n, n × (str name, str value); then what filters
     * kept back, each led by u32 2: str rule id, str title, u32 level, str filter id, u32 how many
     * entries; then u32 0, u32 is_last, u32 entries that were read, u32 entries handed in that had
     * faults, str a bit for each of these (the first entry's is the lowest of the first byte; empty
     * before the last message). Hits that do not fit come in messages before the last. */
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
    /* detector → core, its first word: it has just started and has no rules yet; what was asked of
     * the one before is lost. u64 number of the ENTRIES that lay there unread, 0: none did. STATE
     * and CONTENT answer. */
    DETECTOR_MESSAGE_STARTED,
    /* detector → core, in pieces before each READY that changed something: the rules in force,
     * as centre/catalogue.h writes them. u32 is_last, str bytes. */
    DETECTOR_MESSAGE_CATALOGUE,
    /* core → detector: would this be taken beside all that is in force? u64 number, str name, str
     * YAML. A text in force of the same name is left out meanwhile. */
    DETECTOR_MESSAGE_CHECK,
    /* detector → core: u64 number, u32 rules and correlations that are in it, str id of the first,
     * str title, str why not (empty: it is good). */
    DETECTOR_MESSAGE_CHECKED,
};

#endif
