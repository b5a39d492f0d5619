/* The leash: holds processes at the calls by which a name or content goes away, where the kernel
 * has no gate for those, and lets them through one at a time, each when the sensor has weighed the
 * one before. It is used on groups that have made ciphertext of what they read, and only while they
 * remove.
 *
 * A process of its own, since tracing is the strongest right there is: it parses nothing but
 * messages of fixed size, reads no memory and opens no file but /proc. Whoever stands for too long
 * goes on: the sensor may have died. While it still sends messages that is longer.
 * Neighbours: agent/shield/leash.c at the other end of the channel; sys/trace.c below. */
#ifndef AGENT_LEASH_H
#define AGENT_LEASH_H

struct leash_config {
    int sensor;       /* channel */
    const char *user; /* NULL: stay */
};

/* Process body; returns the exit status. */
int leash_run(const struct leash_config *config);

#endif
