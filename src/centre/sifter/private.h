/* What the files of the sifter's process share; for nobody else. */
#ifndef CENTRE_SIFTER_PRIVATE_H
#define CENTRE_SIFTER_PRIVATE_H

#include "centre/rules.h"
#include "centre/sifter.h"
#include "codec/logs.h"
#include "detect/sigma/engine.h"

struct sift {
    int channel;
    struct arena *arena; /* of the message in hand */
    struct rules_texts *pipelines;
    struct buf rule; /* on trial; what follows is made of it */
    struct sigma_loader *loader;
    const struct sigma_set *set;
    struct sigma_engine *engine;
    struct sigma_matcher *matcher;
    struct buf draft;
    struct diag refusal; /* why it is not judged by, or there is no draft */
    struct msg_writer answer;
    struct channel_packet packet;
};

/* sifter/answer.c: judges the events of the packet and answers. */
[[nodiscard]] int sift_answer(struct sift *sift);
/* sifter/rule.c: takes up a rule, unless it is the one at hand. A rule that is refused is told in
 * refusal. */
[[nodiscard]] int sift_take_rule(struct sift *sift, struct str yaml);
void sift_drop_rule(struct sift *sift);

#endif
