/* Whether a source of logs has been silent for longer than it is wont to be. It learns for each
 * hour of the week how long the source had been silent at its end, as a maximum that fades, and in
 * how many parts of the hour it spoke. A silence is odd when it is several times as long as any at
 * that hour, and when by chance alone it would happen once in a hundred thousand. So nights,
 * weekends and jobs that run once a day are no news, nor are the long pauses of a source that
 * speaks at random. A source that is known for less than a week gets a wide bound. Pure; times are
 * wall clock, ns. Hours are counted from Thursday 00:00 UTC: a country without summer time needs no
 * zone. */
#ifndef DETECT_SILENCE_H
#define DETECT_SILENCE_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SILENCE_HOURS    168
#define SILENCE_PARTS    12 /* of an hour */
#define SILENCE_SIZE     (1 + 8 + 8 + 4 + 4 + 4 + 4 + 2 + 3 * SILENCE_HOURS)
#define SILENCE_NO_BOUND INT64_MAX

struct silence {
    int64_t first;  /* its first word, 0: none yet */
    int64_t last;   /* its last */
    uint32_t hours; /* different hours in which it spoke */
    uint32_t days;
    uint32_t longest; /* minutes; of its silences, fading by days */
    uint32_t oddest;  /* how unlikely the least likely of them was, fading by days */
    /* Minutes that it had been silent for at the end of that hour, or within it, fading by weeks.
     */
    uint16_t usual[SILENCE_HOURS];
    uint16_t parts; /* of the hour of its last word: a bit for each in which it spoke */
    uint8_t busy[SILENCE_HOURS]; /* sixteenths of parts in which it speaks, on average */
};

/* It spoke at `time`. deaf: until when nobody could have heard it (its host was away, or we were),
 * 0: never; a silence that began before that teaches nothing. was_told: people were told of this
 * silence, so it counts as half usual only. A time before the last one changes nothing. */
void silence_hear(struct silence *silence, int64_t time, int64_t deaf, bool was_told);

/* For how long it may be silent at `now`; at least `least`. SILENCE_NO_BOUND: it has not spoken
 * regularly enough to say. */
int64_t silence_bound(const struct silence *silence, int64_t now, int64_t least);

/* Whether it is silent for longer than that, counted from `deaf` if that is later than its last
 * word. */
bool silence_is_odd(const struct silence *silence, int64_t now, int64_t deaf, int64_t least);

/* What people are told: how long it is silent for at most, as a rule; 0: not known yet. */
int64_t silence_gap(const struct silence *silence);

void silence_write(const struct silence *silence, uint8_t out[SILENCE_SIZE]);
/* Anything else is the memory of a source that has not spoken yet. */
void silence_read(struct str bytes, struct silence *ret_silence);

#endif
