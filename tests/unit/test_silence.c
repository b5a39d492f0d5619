/* When a silent source is odd: over weeks of made-up sources of many habits it cries seldom while
 * they speak, and soon when they stop; nights, weekends and jobs once a day are no news; and what
 * it remembers is written and read whole. The rates that are held here were measured; the seeds are
 * fixed, so that they do not wander. */
#include "../prop.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/time.h"
#include "detect/silence/silence.h"

#include <math.h>

#define MINUTE (60 * NS_PER_S)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define WEEK   (7 * DAY)
#define LEAST  HOUR
#define BEGIN  (1795000000LL * NS_PER_S)
#define ZONE   (7 * HOUR)
#define RUNS   24
#define WEEKS  16

enum habit {
    HABIT_STEADY, /* every ten minutes, day and night */
    HABIT_HOURLY, /* once an hour, at random */
    HABIT_OFFICE, /* each minute from half past seven to five on working days, dead otherwise */
    HABIT_SLOW_OFFICE,
    HABIT_WEB,    /* people at day, few at night, fewer at weekends */
    HABIT_JOB,    /* once a night */
    HABIT_BURSTS, /* some at once, then long nothing, at random */
    HABIT_COUNT,
};

/* What is held of a habit: alarms a year while it speaks, hours until it is missed (the median). */
static const struct {
    const char *name;
    double alarms;
    double hours;
} bars[HABIT_COUNT] = {
    [HABIT_STEADY] = {"steady", 0, 2},    [HABIT_HOURLY] = {"hourly", 0.4, 24},
    [HABIT_OFFICE] = {"office", 0, 24},   [HABIT_SLOW_OFFICE] = {"slow office", 0.4, 40},
    [HABIT_WEB] = {"web", 0.4, 8},        [HABIT_JOB] = {"job", 0, 52},
    [HABIT_BURSTS] = {"bursts", 0.4, 24},
};

static struct prng prng;

static double even(void)
{
    return (double)(prng_next(&prng) >> 11) / 9007199254740992.0;
}

static bool is_working(int64_t time, double *ret_hour)
{
    int64_t local = time + ZONE;

    *ret_hour = (double)(local % DAY) / (double)HOUR;
    return (local / DAY + 3) % 7 < 5; /* 1970 began on a Thursday */
}

/* Entries an hour, and the most there are. */
static double rate(enum habit habit, int64_t time, double *ret_most)
{
    double hour;
    bool is_workday = is_working(time, &hour);
    bool is_open = is_workday && hour > 7.5 && hour < 17.2;

    switch (habit) {
    case HABIT_HOURLY:
        *ret_most = 1;
        return 1;
    case HABIT_OFFICE:
        *ret_most = 60;
        return is_open ? (hour > 11.6 && hour < 13.3 ? 3 : 60) : 0;
    case HABIT_SLOW_OFFICE:
        *ret_most = 6;
        return is_open ? (hour > 11.6 && hour < 13.3 ? 0.5 : 6) : is_workday ? 0.05 : 0.02;
    case HABIT_WEB:
        *ret_most = 123;
        return 120 * (0.02 + pow(sin(M_PI * hour / 24), 4)) * (is_workday ? 1 : 0.3);
    case HABIT_BURSTS:
        *ret_most = 6;
        return (hour > 7 && hour < 18 ? 6 : 0.6) * (is_workday ? 1 : 0.2);
    case HABIT_STEADY:
    case HABIT_JOB:
    case HABIT_COUNT:
        break;
    }
    *ret_most = 1;
    return 1;
}

static int64_t next_word(enum habit habit, int64_t time)
{
    double most = 1;

    if (habit == HABIT_STEADY) {
        return time + (int64_t)((0.5 + even()) * 10 * MINUTE);
    }
    if (habit == HABIT_JOB) { /* ten past two, and up to five minutes later */
        int64_t day = (time + ZONE) / DAY + 1;

        return day * DAY - ZONE + 130 * MINUTE + (int64_t)(even() * 5 * MINUTE);
    }
    if (habit == HABIT_BURSTS && even() < 0.8) {
        return time + (int64_t)(even() * 10 * NS_PER_S) + 1;
    }
    for (;;) {
        double now = rate(habit, time, &most);

        time += (int64_t)(-log(1 - even()) * (double)HOUR / most) + 1;
        now = rate(habit, time, &most);
        if (even() * most < now) {
            return time;
        }
    }
}

/* Whether it cries between two words. */
static bool cries(const struct silence *silence, int64_t from, int64_t to)
{
    for (int64_t at = from + LEAST; at < to; at += 5 * MINUTE) {
        if (silence_is_odd(silence, at, 0, LEAST)) {
            return true;
        }
    }
    return false;
}

struct outcome {
    unsigned alarms;
    double years;
    double hours[RUNS]; /* until it was missed */
};

static void live(enum habit habit, unsigned run, struct outcome *outcome)
{
    struct silence silence = {0};
    int64_t begin;
    int64_t stop;
    int64_t at;
    int64_t missed;

    prng_init(&prng, 1000 * run + habit + 1);
    begin = at = BEGIN + (int64_t)(even() * (double)WEEK);
    stop = begin + (int64_t)((0.5 + 0.5 * even()) * (double)(WEEKS * WEEK));
    silence_hear(&silence, at, 0, false);
    for (;;) {
        int64_t next = next_word(habit, at);
        bool has_cried;

        if (next > stop) {
            break;
        }
        has_cried = next - at > LEAST && cries(&silence, at, next);
        outcome->alarms += has_cried ? 1U : 0U;
        silence_hear(&silence, next, 0, has_cried);
        at = next;
    }
    outcome->years += (double)(at - begin) / (double)(365 * DAY);
    missed = at + MINUTE;
    while (missed < at + 22 * DAY && !silence_is_odd(&silence, missed, 0, LEAST)) {
        missed += 5 * MINUTE;
    }
    assert_true(missed < at + 22 * DAY);
    outcome->hours[run] = (double)(missed - at) / (double)HOUR;
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return a < b ? -1 : a > b;
}

static void test_habits(void **state)
{
    (void)state;
    for (int habit = 0; habit < HABIT_COUNT; habit++) {
        struct outcome outcome = {0};
        double rate_of_alarms;

        for (unsigned run = 0; run < RUNS; run++) {
            live((enum habit)habit, run, &outcome);
        }
        qsort(outcome.hours, RUNS, sizeof(outcome.hours[0]), by_size);
        rate_of_alarms = outcome.alarms / outcome.years;
        print_message("%-12s %.2f alarms a year; missed after %.1f h, %.1f h at the latest\n",
                      bars[habit].name, rate_of_alarms, outcome.hours[RUNS / 2],
                      outcome.hours[RUNS - 1]);
        if (rate_of_alarms > bars[habit].alarms || outcome.hours[RUNS / 2] > bars[habit].hours) {
            fail_msg("%s: %.2f alarms a year (bar %.2f), missed after %.1f h (bar %.1f)",
                     bars[habit].name, rate_of_alarms, bars[habit].alarms, outcome.hours[RUNS / 2],
                     bars[habit].hours);
        }
    }
}

/* Each minute for `weeks`, from a Monday on. */
static struct silence steady(int64_t *ret_last, int64_t span)
{
    struct silence silence = {0};

    for (*ret_last = BEGIN; *ret_last < BEGIN + span; *ret_last += MINUTE) {
        silence_hear(&silence, *ret_last, 0, false);
    }
    *ret_last -= MINUTE;
    return silence;
}

static void test_too_new(void **state)
{
    int64_t last;
    struct silence silence = steady(&last, 8 * HOUR);

    (void)state;
    assert_true(silence_bound(&silence, last + 30 * DAY, LEAST) > 0);
    assert_false(silence_is_odd(&silence, last + 2 * HOUR, 0, LEAST));
    silence = (struct silence){0};
    assert_int_equal(silence_bound(&silence, BEGIN, LEAST), SILENCE_NO_BOUND);
    assert_false(silence_is_odd(&silence, BEGIN, 0, LEAST));
}

static void test_burst_is_no_habit(void **state)
{
    struct silence silence = {0};

    (void)state;
    for (int64_t i = 0; i < 100000; i++) {
        silence_hear(&silence, BEGIN + i * 10 * NS_PER_MS, 0, false);
    }
    for (int64_t at = BEGIN; at < BEGIN + 40 * DAY; at += HOUR) {
        assert_false(silence_is_odd(&silence, at, 0, LEAST));
    }
}

/* A busy source is missed after the least time, in its first days as later. */
static void test_busy(void **state)
{
    static const int64_t spans[] = {3 * DAY, 6 * DAY, 9 * DAY, 5 * WEEK};
    int64_t last;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
        struct silence silence = steady(&last, spans[i]);

        assert_false(silence_is_odd(&silence, last + LEAST, 0, LEAST));
        assert_true(silence_is_odd(&silence, last + LEAST + MINUTE, 0, LEAST));
    }
}

/* While its host was away nobody could hear it: that counts for nothing and teaches nothing. */
static void test_deaf(void **state)
{
    int64_t last;
    struct silence silence = steady(&last, 5 * WEEK);
    struct silence before = silence;
    int64_t back = last + 3 * DAY;

    (void)state;
    assert_false(silence_is_odd(&silence, back + 30 * MINUTE, back, LEAST));
    assert_true(silence_is_odd(&silence, back + 2 * HOUR, back, LEAST));
    silence_hear(&silence, back + MINUTE, back, false);
    assert_int_equal(silence.longest, before.longest);
    assert_memory_equal(silence.usual, before.usual, sizeof(before.usual));
}

/* It was told once: the same pause at the same hour of the next weeks is known by then. */
static void test_learns_from_what_was_told(void **state)
{
    int64_t last;
    struct silence silence = steady(&last, 5 * WEEK);
    unsigned told = 0;

    (void)state;
    for (int week = 0; week < 4; week++) {
        bool is_odd = cries(&silence, last, last + 5 * HOUR);

        told += is_odd ? 1U : 0U;
        silence_hear(&silence, last + 5 * HOUR, 0, is_odd);
        for (last += 5 * HOUR; silence.last < BEGIN + (6 + week) * WEEK - MINUTE; last += MINUTE) {
            silence_hear(&silence, last, 0, false);
        }
        last = silence.last;
    }
    assert_int_equal(told, 1);
}

static const char *property_memory(struct prop *prop)
{
    struct silence silence = {0};
    struct silence read;
    uint8_t bytes[SILENCE_SIZE];
    uint8_t again[SILENCE_SIZE];
    int64_t at = BEGIN;

    for (size_t i = prop_below(prop, 200); i > 0; i--) {
        int64_t step = (int64_t)prop_below(prop, 1000) * (prop_bool(prop) ? MINUTE : NS_PER_S);
        int64_t deaf = prop_below(prop, 8) == 0 ? at + step / 2 : 0;

        at += step - (prop_below(prop, 8) == 0 ? 2 * step : 0); /* clocks are set back */
        silence_hear(&silence, at, deaf, prop_bool(prop));
        if (silence_bound(&silence, at, LEAST) < LEAST) {
            return "a bound below the least";
        }
    }
    silence_write(&silence, bytes);
    silence_read(str_of((const char *)bytes, sizeof(bytes)), &read);
    silence_write(&read, again);
    if (memcmp(bytes, again, sizeof(bytes)) != 0) {
        return "what was written is not what was read";
    }
    silence_read(prop_bytes(prop, SILENCE_SIZE + 1), &read);
    (void)silence_is_odd(&read, BEGIN, 0, LEAST);
    return NULL;
}

/* Whatever lies in the store: no crash, no odd silence before the least time. */
static const char *property_garbage(struct prop *prop)
{
    uint8_t bytes[SILENCE_SIZE] = {1};
    struct silence silence;
    int64_t now = BEGIN + (int64_t)prop_below(prop, (uint64_t)(400 * DAY));

    for (size_t i = 1; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)prop_below(prop, 256);
    }
    silence_read(str_of((const char *)bytes, sizeof(bytes)), &silence);
    (void)silence_is_odd(&silence, now, 0, LEAST);
    silence.last = now;
    if (silence_is_odd(&silence, now + LEAST, 0, LEAST)) {
        return "odd before the least time";
    }
    silence_hear(&silence, now + HOUR, 0, false);
    return NULL;
}

static void test_memory(void **state)
{
    (void)state;
    prop_check("what is remembered is written and read whole", property_memory, 200);
    prop_check("any bytes are a memory", property_garbage, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_habits),
        cmocka_unit_test(test_too_new),
        cmocka_unit_test(test_burst_is_no_habit),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_deaf),
        cmocka_unit_test(test_learns_from_what_was_told),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
