/* A process that takes messages out of channels is killed at each point of its way: every message
 * is taken once. The killed process is played: what it had in its own memory is thrown away, the
 * shared page, the channels and the count of what was taken stay. The real link under real kills is
 * in tests/net/run. */
#include "agent/intake.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/prng.h"
#include "harness.h"
#include "sys/channel.h"
#include "sys/fd.h"

#define MESSAGES 2000
#define RECORDS  9 /* of a message that has several */

enum death {
    DEATH_NONE,
    DEATH_AFTER_LOOK,
    DEATH_AFTER_BEGIN,
    DEATH_AFTER_STORE,
    DEATH_AFTER_SKIP,
    DEATH_COUNT,
};

struct world {
    struct intake_page *page;
    int channels[INTAKE_CHANNELS][2];
    uint64_t stored[INTAKE_CHANNELS]; /* number of the last one, of each */
    uint64_t count;
};

static void world_init(struct world *world)
{
    *world = (struct world){.page = intake_page_new()};
    assert_non_null(world->page);
    for (int i = 0; i < INTAKE_CHANNELS; i++) {
        assert_int_equal(channel_pair(world->channels[i]), 0);
        assert_int_equal(fd_set_nonblocking(world->channels[i][0], true), 0);
        assert_int_equal(fd_set_nonblocking(world->channels[i][1], true), 0);
    }
}

static void world_done(struct world *world)
{
    for (int i = 0; i < INTAKE_CHANNELS; i++) {
        closep(&world->channels[i][0]);
        closep(&world->channels[i][1]);
    }
    intake_page_free(world->page);
}

static void send_number(const struct world *world, unsigned channel, uint64_t number)
{
    static struct msg_writer msg;

    msg_begin(&msg, 1);
    msg_put_u64(&msg, number);
    assert_int_equal(channel_send(world->channels[channel][0], &msg, NULL, 0), 0);
}

/* Takes one message as agent/link.c does, up to where it dies. False: the channel is empty. */
static bool take(struct world *world, struct intake *intake, unsigned channel, enum death death)
{
    static struct channel_packet packet;
    int fd = world->channels[channel][1];
    uint64_t number;
    int r = channel_peek(fd, &packet);

    if (r == -ERR_AGAIN) {
        return false;
    }
    assert_int_equal(r, 0);
    number = msg_get_u64(&packet.msg);
    channel_packet_done(&packet);
    if (death == DEATH_AFTER_LOOK) {
        return true;
    }
    if (!intake_is_taken(intake, channel, number)) {
        intake_begin(intake, channel, number, 1, world->count);
        if (death == DEATH_AFTER_BEGIN) {
            return true;
        }
        assert_int_equal(number,
                         world->stored[channel] + 1); /* none is missing, none comes twice */
        world->stored[channel] = number;
        world->count++;
    }
    if (death == DEATH_AFTER_STORE) {
        return true;
    }
    assert_int_equal(channel_skip(fd), 0);
    return true;
}

static void test_each_is_taken_once(void **state)
{
    struct world world;
    struct intake intake;
    struct prng prng;
    uint64_t sent[INTAKE_CHANNELS] = {0};

    (void)state;
    world_init(&world);
    prng_init(&prng, 20261125);
    intake_open(&intake, world.page, world.count);
    while (world.count < MESSAGES) {
        unsigned channel = (unsigned)prng_below(&prng, INTAKE_CHANNELS);
        enum death death = (enum death)prng_below(&prng, DEATH_COUNT);

        if (sent[channel] - world.stored[channel] < 3) {
            send_number(&world, channel, ++sent[channel]);
        }
        (void)take(&world, &intake, channel, death);
        if (death != DEATH_NONE) {
            intake_open(&intake, world.page, world.count);
        }
    }
    for (unsigned i = 0; i < INTAKE_CHANNELS; i++) {
        while (take(&world, &intake, i, DEATH_NONE)) {
            /* what still waits */
        }
        assert_int_equal(world.stored[i], sent[i]);
    }
    world_done(&world);
}

/* Begun, and dead before the store had it; then another channel's message makes the count what the
 * note waits for; then dead again. */
static void test_note_of_what_was_never_stored(void **state)
{
    struct world world;
    struct intake intake;

    (void)state;
    world_init(&world);
    send_number(&world, 0, 1);
    send_number(&world, 1, 1);
    intake_open(&intake, world.page, world.count);
    assert_true(take(&world, &intake, 0, DEATH_AFTER_BEGIN));
    intake_open(&intake, world.page, world.count);
    assert_true(take(&world, &intake, 1, DEATH_NONE));
    intake_open(&intake, world.page, world.count);
    assert_true(take(&world, &intake, 0, DEATH_NONE));
    assert_int_equal(world.stored[0], 1);
    assert_int_equal(world.count, 2);
    world_done(&world);
}

/* The store takes nothing, then something of its own, then the message; dead in between. */
static void test_note_of_what_was_put_off(void **state)
{
    struct world world;
    struct intake intake;

    (void)state;
    world_init(&world);
    send_number(&world, 0, 1);
    intake_open(&intake, world.page, world.count);
    intake_begin(&intake, 0, 1, 1, world.count);
    intake_cancel(&intake, 0);
    world.count++;
    intake_open(&intake, world.page, world.count);
    assert_false(intake_is_taken(&intake, 0, 1));
    assert_true(take(&world, &intake, 0, DEATH_NONE));
    assert_int_equal(world.stored[0], 1);
    world_done(&world);
}

/* The store takes some of a run of records, the first ones. */
static void store_some(struct world *world, uint64_t number, uint64_t some)
{
    for (uint64_t i = 0; i < some; i++) {
        assert_int_equal(number + i, world->stored[0] + 1); /* none is missing or comes twice */
        world->stored[0] = number + i;
        world->count++;
    }
}

/* Takes a message of several records as agent/link.c does, in runs, with a store that now and then
 * refuses, or takes only the first few of a run, up to where it dies. True: it is out of the
 * channel. */
static bool take_records(struct world *world, struct intake *intake, struct prng *prng,
                         bool *ret_is_dead)
{
    static struct channel_packet packet;
    int fd = world->channels[0][1];
    uint64_t number;
    uint64_t end;

    assert_int_equal(channel_peek(fd, &packet), 0);
    number = msg_get_u64(&packet.msg);
    end = number + RECORDS;
    channel_packet_done(&packet);
    while (number < end) {
        unsigned what = (unsigned)prng_below(prng, 16);
        uint64_t many = 1 + prng_below(prng, end - number);
        uint64_t some = what <= 2 ? prng_below(prng, many + 1) : 1 + prng_below(prng, many);

        if (intake_is_past(intake, 0, number)) {
            number++;
            continue;
        }
        intake_begin(intake, 0, number, many, world->count);
        if (what == 3) {
            intake_cancel(intake, 0);
            *ret_is_dead = false;
            return false;
        }
        store_some(world, number, some);
        *ret_is_dead = what <= 2;
        if (*ret_is_dead) {
            return false;
        }
        number += some;
        intake_end(intake, 0, number - 1);
    }
    assert_int_equal(channel_skip(fd), 0);
    return true;
}

/* While other channels' messages make the store's count grow. */
static void test_each_record_of_a_message_is_taken_once(void **state)
{
    struct world world;
    struct intake intake;
    struct prng prng;
    uint64_t sent = 0;
    bool is_dead = false;

    (void)state;
    world_init(&world);
    prng_init(&prng, 20261126);
    intake_open(&intake, world.page, world.count);
    while (sent < MESSAGES) {
        send_number(&world, 0, sent + 1);
        sent += RECORDS;
        while (!take_records(&world, &intake, &prng, &is_dead)) {
            for (uint64_t i = is_dead ? 1 + prng_below(&prng, 2) : 0; i != 0; i--) {
                intake_open(&intake, world.page, world.count);
            }
            if (prng_below(&prng, 3) == 0) {
                send_number(&world, 1, world.stored[1] + 1);
                (void)take(&world, &intake, 1, DEATH_NONE);
            }
        }
        assert_int_equal(world.stored[0], sent);
    }
    world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_record_of_a_message_is_taken_once),
        cmocka_unit_test(test_each_is_taken_once),
        cmocka_unit_test(test_note_of_what_was_never_stored),
        cmocka_unit_test(test_note_of_what_was_put_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
