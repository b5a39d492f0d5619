/* The judge of silent sources. Neighbours: core/source.c tells it what it hears, core/silence.c
 * asks. Invariant: the bound never falls because a silence was longer. */
#include "detect/silence/silence.h"

#include "base/banned.h"
#include "base/time.h"

#include <math.h>

#define MINUTE       (60 * NS_PER_S)
#define HOUR         (60 * MINUTE)
#define DAY          (24 * HOUR)
#define WEEK         (7 * DAY)
#define FORM         1 /* of what silence_write gives */

#define KNOWN        (WEEK + DAY) /* from here on the same hour of the last week can be asked */
#define WIDE         (80 * HOUR)  /* a weekend, and the next morning */
#define WIDTH        24 /* a source that was never silent for longer than x: 24 x, until then */
#define LONGEST      (21 * DAY) /* beyond it nothing is regular */
#define SURE         4 /* times the usual: a longer one is odd, once many weeks are known */
#define DOUBT        8 /* parted by the weeks known: so much more while they are few */

#define SIXTEENTHS   16
#define WEIGHT_LEAST 4    /* weeks */
#define WEIGHT_ODD   12.0 /* -ln of one in a hundred thousand and a half */
#define LIKELY_MOST  0.98
#define ODD_TIMES    2.0 /* the oddest silence so far */
#define LEARNED_ODD  1000.0
#define TOLD_ODD     24.0 /* people were told: it makes the judge no blinder than so */
#define SURER        3    /* times the bound: odd, however irregular the source */

#define HOURS_LEAST  12 /* in which it spoke: a burst at one time is no habit */
#define DAYS_LEAST   4

static uint16_t minutes_of(int64_t age)
{
    int64_t minutes = (age + MINUTE - 1) / MINUTE;

    return minutes < UINT16_MAX ? (uint16_t)minutes : UINT16_MAX;
}

static size_t hour_of(int64_t number)
{
    return (size_t)(number % SILENCE_HOURS);
}

/* At the end of an hour of the week it had been silent for so long. A week ago's counts less. */
static void silence_learn(uint16_t *usual, uint16_t minutes)
{
    uint16_t faded = (uint16_t)(*usual - *usual / 8);

    *usual = minutes > faded ? minutes : faded;
}

/* -ln of how likely an hour without a word is when the parts of an hour are independent. */
static double silence_weight_of(double busy)
{
    double likely = busy / (SIXTEENTHS * SILENCE_PARTS);

    return -SILENCE_PARTS * log(1 - (likely < LIKELY_MOST ? likely : LIKELY_MOST));
}

static double silence_busy_mean(const struct silence *silence, int64_t now)
{
    int64_t hours = (now - silence->first) / HOUR;
    double sum = 0;

    for (size_t i = 0; i < SILENCE_HOURS; i++) {
        sum += silence->busy[i];
    }
    return sum / (double)(hours < SILENCE_HOURS ? hours + 1 : SILENCE_HOURS);
}

/* -ln of how likely it is that it does not speak between the two. */
static double silence_weight(const struct silence *silence, int64_t since, int64_t now)
{
    bool is_known = now - silence->first >= KNOWN;
    double mean = silence_busy_mean(silence, now);
    double weight = 0;

    for (int64_t at = since; at < now;) {
        int64_t end = (at / HOUR + 1) * HOUR < now ? (at / HOUR + 1) * HOUR : now;
        double busy = silence->busy[hour_of(at / HOUR)];

        weight += silence_weight_of(is_known || busy > mean ? busy : mean) * (double)(end - at) /
                  (double)HOUR;
        at = end;
    }
    return weight;
}

static void silence_learn_longest(struct silence *silence, int64_t time, bool was_told)
{
    int64_t days = time / DAY - silence->last / DAY;
    uint32_t minutes = minutes_of((time - silence->last) / (was_told ? 2 : 1));
    uint32_t odd = 0;

    if (time - silence->last >= HOUR) {
        double weight = silence_weight(silence, silence->last, time);
        double most = was_told ? TOLD_ODD : LEARNED_ODD;

        odd = (uint32_t)(weight < most ? weight : most);
    }
    for (int64_t i = 0; i < days && i < 60; i++) {
        silence->longest -= silence->longest / 32;
        silence->oddest -= silence->oddest / 32;
    }
    silence->longest = minutes > silence->longest ? minutes : silence->longest;
    silence->oddest = odd > silence->oddest ? odd : silence->oddest;
}

/* An hour is over: in how many parts of it did it speak? The first weeks count as much as each
 * other, then the last four most. */
static void silence_learn_busy(struct silence *silence, int64_t hour, unsigned parts)
{
    uint8_t *busy = &silence->busy[hour_of(hour)];
    int weeks = (int)((hour * HOUR - silence->first) / WEEK);
    int weight = weeks < WEIGHT_LEAST ? weeks + 1 : WEIGHT_LEAST;

    *busy = (uint8_t)(*busy + ((int)(parts * SIXTEENTHS) - *busy) / weight);
}

static void silence_learn_parts(struct silence *silence, int64_t time, bool was_heard)
{
    int64_t hour = silence->last / HOUR;
    int64_t now = time / HOUR;

    if (hour != now) {
        silence_learn_busy(silence, hour, (unsigned)__builtin_popcount(silence->parts));
        silence->parts = 0;
    }
    hour = now - hour > SILENCE_HOURS ? now - SILENCE_HOURS : hour;
    for (int64_t quiet = hour + 1; was_heard && quiet < now; quiet++) {
        silence_learn_busy(silence, quiet, 0);
    }
    silence->parts |= (uint16_t)(1U << (time % HOUR / (HOUR / SILENCE_PARTS)));
}

/* Each full hour that has passed since its last word. */
static void silence_learn_hours(struct silence *silence, int64_t time, bool was_told)
{
    int64_t from = silence->last / HOUR + 1;
    int64_t to = time / HOUR;
    int64_t share = was_told ? 2 : 1;

    from = to - from >= SILENCE_HOURS ? to - SILENCE_HOURS + 1 : from;
    for (int64_t hour = from; hour <= to; hour++) {
        silence_learn(&silence->usual[hour_of(hour)],
                      minutes_of((hour * HOUR - silence->last) / share));
    }
    if (from > to || time - silence->last < HOUR) { /* within the hour it was silent, too */
        uint16_t minutes = minutes_of(time - silence->last);
        uint16_t *usual = &silence->usual[hour_of(to + 1)];

        *usual = minutes > *usual ? minutes : *usual;
    }
}

void silence_hear(struct silence *silence, int64_t time, int64_t deaf, bool was_told)
{
    if (time <= silence->last) {
        return;
    }
    if (silence->first == 0) {
        silence->first = time;
        silence->last = time;
        silence->hours = silence->days = 1;
        silence->parts = (uint16_t)(1U << (time % HOUR / (HOUR / SILENCE_PARTS)));
        return;
    }
    silence->hours += silence->hours < UINT32_MAX && time / HOUR != silence->last / HOUR ? 1 : 0;
    silence->days += silence->days < UINT32_MAX && time / DAY != silence->last / DAY ? 1 : 0;
    if (deaf <= silence->last) {
        silence_learn_longest(silence, time, was_told);
        silence_learn_hours(silence, time, was_told);
    }
    silence_learn_parts(silence, time, deaf <= silence->last);
    silence->last = time;
}

static bool silence_is_regular(const struct silence *silence, int64_t now)
{
    return (silence->hours >= HOURS_LEAST || silence->days >= DAYS_LEAST) &&
           now - silence->first >= DAY;
}

static int64_t silence_bound_wide(const struct silence *silence)
{
    int64_t longest = silence->longest * MINUTE;
    int64_t bound = WIDTH * longest < WIDE ? WIDTH * longest : WIDE;

    return bound > SURE * longest ? bound : SURE * longest;
}

/* An hour earlier and later too: people do not come on the stroke. The fewer weeks are known, the
 * less is their longest silence the longest there is. */
static int64_t silence_bound_learned(const struct silence *silence, int64_t now)
{
    int64_t weeks = (now - silence->first) / WEEK;
    uint16_t usual = 0;

    for (int64_t hour = now / HOUR - 1; hour <= now / HOUR + 1; hour++) {
        uint16_t minutes = silence->usual[hour_of(hour)];

        usual = minutes > usual ? minutes : usual;
    }
    return usual * MINUTE * SURE + usual * MINUTE * DOUBT / weeks;
}

int64_t silence_bound(const struct silence *silence, int64_t now, int64_t least)
{
    int64_t bound;

    if (!silence_is_regular(silence, now)) {
        return SILENCE_NO_BOUND;
    }
    bound = now - silence->first < KNOWN ? silence_bound_wide(silence)
                                         : silence_bound_learned(silence, now);
    bound = bound > least ? bound : least;
    return bound <= LONGEST ? bound : SILENCE_NO_BOUND;
}

bool silence_is_odd(const struct silence *silence, int64_t now, int64_t deaf, int64_t least)
{
    int64_t since = deaf > silence->last ? deaf : silence->last;

    int64_t bound = silence_bound(silence, now, least);
    double odd = ODD_TIMES * silence->oddest;

    if (silence->last == 0 || now - since <= bound) {
        return false;
    }
    return (now - since) / SURER > bound ||
           silence_weight(silence, since, now) > (odd > WEIGHT_ODD ? odd : WEIGHT_ODD);
}

int64_t silence_gap(const struct silence *silence)
{
    return silence->longest * MINUTE;
}

static uint8_t *silence_put(uint8_t *out, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    }
    return out + bytes;
}

void silence_write(const struct silence *silence, uint8_t out[SILENCE_SIZE])
{
    *out++ = FORM;
    out = silence_put(out, (uint64_t)silence->first, 8);
    out = silence_put(out, (uint64_t)silence->last, 8);
    out = silence_put(out, silence->hours, 4);
    out = silence_put(out, silence->days, 4);
    out = silence_put(out, silence->longest, 4);
    out = silence_put(out, silence->oddest, 4);
    out = silence_put(out, silence->parts, 2);
    for (size_t i = 0; i < SILENCE_HOURS; i++) {
        out = silence_put(out, silence->usual[i], 2);
        *out++ = silence->busy[i];
    }
}

static uint64_t silence_get(const uint8_t **at, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++) {
        value = value << 8 | *(*at)++;
    }
    return value;
}

void silence_read(struct str bytes, struct silence *ret_silence)
{
    const uint8_t *at = (const uint8_t *)bytes.ptr;

    *ret_silence = (struct silence){0};
    if (bytes.len != SILENCE_SIZE || *at++ != FORM) {
        return;
    }
    ret_silence->first = (int64_t)(silence_get(&at, 8) & INT64_MAX);
    ret_silence->last = (int64_t)(silence_get(&at, 8) & INT64_MAX);
    ret_silence->hours = (uint32_t)silence_get(&at, 4);
    ret_silence->days = (uint32_t)silence_get(&at, 4);
    ret_silence->longest = (uint32_t)(silence_get(&at, 4) & UINT16_MAX);
    ret_silence->oddest = (uint32_t)(silence_get(&at, 4) & UINT16_MAX);
    ret_silence->parts = (uint16_t)silence_get(&at, 2);
    for (size_t i = 0; i < SILENCE_HOURS; i++) {
        ret_silence->usual[i] = (uint16_t)silence_get(&at, 2);
        ret_silence->busy[i] = *at++;
    }
}
