/* The sifter: reads the entries of events that a search or a rule on trial may match, with no
 * rights at all (no path, no network, no new files). Whoever searches holds the archive and reads
 * no entry; the sifter reads entries and holds nothing. What it says is for people's eyes: in other
 * hands it could hide or show an event in a search, no more. On an event's way: store/find.h →
 * sifter_judge → (channel) → sifter → codec/logs.h → model/terms.h or detect/sigma/ → back. */
#ifndef CENTRE_SIFTER_H
#define CENTRE_SIFTER_H

#include "base/diag.h"
#include "model/setting.h"
#include "store/find.h"
#include "sys/channel.h"

#include <stdbool.h>
#include <stdint.h>

#define SIFTER_CPU_SECONDS 5 /* of work on one message */
#define SIFTER_WAIT_MS     8000
#define SIFTER_DRAFT_MAX   (16U << 10)
#define SIFTER_RULE_MAX    (12U << 10) /* bytes of a rule on trial: an event fits beside it */

struct sifter_options {
    const char *user;                     /* NULL: stay; one that does not exist: nobody */
    const struct setting_list *pipelines; /* that the detector has; NULL: none */
    int channel;
    int supervisor; /* READY leaves; -1: none */
};

/* Process body: serves its channel until its end. Returns the exit status. */
int sifter_run(const struct sifter_options *options);

enum sifter_message {
    /* → sifter: u64 number, str search as it was typed, str rule (YAML) that is asked instead
     * (empty: none), str id of a rule to be drafted of the search (empty: none); then each event
     * led by u32 1: str host's name, str event (event_encode); then u32 0. */
    SIFTER_MESSAGE_EVENTS = 1,
    /* sifter →: u64 number, str reason (why the rule was refused; else empty), str rule's title,
     * u32 enum sigma_level, str draft (YAML), str verdicts: a byte each, enum terms_verdict. */
    SIFTER_MESSAGE_VERDICTS,
};

/* The asker's side; one thread's own. */
struct sifter {
    int channel;
    uint64_t number;
    struct str rule;     /* YAML on trial; empty: the terms are asked */
    struct str draft_id; /* of a rule that is to be drafted of the terms; empty: none */
    struct buf draft;    /* its YAML, by the first event that matched */
    struct diag diag;    /* why the rule was refused, or the draft */
    char title[256];     /* of the rule on trial, once events were judged */
    unsigned level;      /* enum sigma_level */
    uint64_t judged;     /* events */
    uint64_t unread;     /* events of which there was no verdict: the sifter died over them, or they
                          * were too costly */
    struct msg_writer msg;
    struct channel_packet packet;
};

void sifter_init(struct sifter *sifter, int channel);
void sifter_done(struct sifter *sifter);
/* A find_reader's judge; context: struct sifter. -ERR_SYNTAX with diag for a rule that is refused.
 * A sifter that dies or does not answer leaves its verdicts open; they are counted. */
[[nodiscard]] int sifter_judge(void *context, const struct terms *terms,
                               struct find_candidate *candidates, size_t count);
/* Has a rule drafted of the search when no event was there to draft it by. -ERR_SYNTAX with diag:
 * a rule can ask nothing of it. */
[[nodiscard]] int sifter_draft(struct sifter *sifter, const struct terms *terms);

#endif
