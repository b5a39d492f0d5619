/* Frames, messages and the two machines, and both of them talking through a cable that cuts bytes
 * anywhere. */
#include "harness.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/prng.h"
#include "link/client.h"
#include "link/frame.h"
#include "link/server.h"

static void test_frame_golden(void **state)
{
    static const char expected[] =
        "CGf1\x01\x05\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x01\x02hi";
    CLEANUP(buf_done) struct buf buf;

    (void)state;
    buf_init(&buf, 4096);
    assert_int_equal(frame_write(&buf, NULL, FRAME_TYPE_PING, 0x102, STR("hi")), 0);
    assert_int_equal(buf.len, sizeof(expected) - 1);
    assert_memory_equal(buf.ptr, expected, buf.len);
}

static void test_frame_truncated_everywhere(void **state)
{
    CLEANUP(buf_done) struct buf buf;
    struct frame frame;
    size_t size = 99;

    (void)state;
    buf_init(&buf, 4096);
    assert_int_equal(frame_write(&buf, NULL, FRAME_TYPE_ACTION, 7, STR("request")), 0);
    for (size_t len = 0; len < buf.len; len++) {
        assert_int_equal(frame_read(str_of(buf.ptr, len), &frame, &size), 0);
        assert_int_equal(size, 0);
    }
    assert_int_equal(frame_read(buf_str(&buf), &frame, &size), 0);
    assert_int_equal(size, buf.len);
    assert_int_equal(frame.type, FRAME_TYPE_ACTION);
    assert_int_equal(frame.sequence, 7);
    assert_str(frame.payload, "request");
}

static void test_frame_refusals(void **state)
{
    static const struct {
        size_t at;
        char byte;
        int error;
    } cases[] = {
        {0, 'X', -ERR_PROTO}, {3, '2', -ERR_PROTO}, {4, 2, -ERR_VERSION},
        {5, 0, -ERR_PROTO},   {5, 77, -ERR_PROTO},  {6, 1, -ERR_PROTO},
        {7, 2, -ERR_PROTO},   {8, 1, -ERR_LIMIT},   {9, 0x20, -ERR_LIMIT},
    };
    CLEANUP(buf_done) struct buf buf;
    struct frame frame;
    size_t size;

    (void)state;
    buf_init(&buf, 4096);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_reset(&buf);
        assert_int_equal(frame_write(&buf, NULL, FRAME_TYPE_PING, 1, STR("x")), 0);
        buf.ptr[cases[i].at] = cases[i].byte;
        assert_int_equal(frame_read(buf_str(&buf), &frame, &size), cases[i].error);
    }
    assert_int_equal(frame_read(STR("GET / HTTP/1.1"), &frame, &size), -ERR_PROTO);
}

static void test_frame_compression(void **state)
{
    CLEANUP(buf_done) struct buf buf;
    CLEANUP(buf_done) struct buf text;
    CLEANUP(buf_done) struct buf scratch;
    struct frame frame;
    struct str content;
    size_t size;

    (void)state;
    buf_init(&buf, 8U << 20);
    buf_init(&text, FRAME_CONTENT_MAX + 100);
    buf_init(&scratch, FRAME_CONTENT_MAX);
    while (text.len < FRAME_CONTENT_MAX - 16) {
        buf_putf(&text, "%zu;", text.len);
    }
    assert_int_equal(frame_write(&buf, NULL, FRAME_TYPE_BATCH, 1, buf_str(&text)), 0);
    assert_true(buf.len < text.len / 2);
    assert_int_equal(frame_read(buf_str(&buf), &frame, &size), 0);
    assert_int_equal(frame_content(&frame, &scratch, &content), 0);
    assert_true(str_is(content, buf_str(&text)));

    for (size_t cut = 1; cut < frame.payload.len;
         cut = cut * 3 + 1) { /* a stream that ends early */
        struct frame torn = frame;

        torn.payload.len -= cut;
        assert_int_equal(frame_content(&torn, &scratch, &content), -ERR_CORRUPT);
    }
    buf_put_text(&text, "more than 4 MiB in all, more than 4 MiB");
    assert_int_equal(frame_write(&buf, NULL, FRAME_TYPE_BATCH, 1, buf_str(&text)), -ERR_LIMIT);
}

/* A payload of few bytes that unfolds beyond the limit. */
static void test_frame_bomb(void **state)
{
    CLEANUP(buf_done) struct buf buf;
    CLEANUP(buf_done) struct buf scratch;
    CLEANUP(mem_freep) char *zeroes = mem_alloc(1, FRAME_CONTENT_MAX);
    CLEANUP(buf_done) struct buf twice;
    struct frame frame;
    struct str content;
    size_t size;

    (void)state;
    buf_init(&buf, 8U << 20);
    buf_init(&scratch, FRAME_CONTENT_MAX);
    buf_init(&twice, 1U << 20);
    assert_non_null(zeroes);
    assert_int_equal(
        frame_write(&buf, NULL, FRAME_TYPE_BATCH, 1, str_of(zeroes, FRAME_CONTENT_MAX - 1)), 0);
    assert_int_equal(frame_read(buf_str(&buf), &frame, &size), 0);
    assert_int_equal(frame_content(&frame, &scratch, &content), 0);
    buf_put_str(&twice, frame.payload); /* zstd frames may follow each other */
    buf_put_str(&twice, frame.payload);
    frame.payload = buf_str(&twice);
    assert_true(frame_content(&frame, &scratch, &content) < 0);
}

static void test_server_order(void **state)
{
    CLEANUP(link_server_freep) struct link_server *server = NULL;
    CLEANUP(link_client_freep) struct link_client *client = NULL;
    CLEANUP(buf_done) struct buf content;
    struct link_answer answer;
    struct link_item item;

    (void)state;
    buf_init(&content, 4096);
    link_batch_encode(STR(""), 0, &content);
    assert_int_equal(link_server_new(false, &server), 0);
    assert_int_equal(link_client_new(&client), 0);
    assert_int_equal(link_client_batch(client, 1, buf_str(&content)), 0); /* before HELLO */
    assert_int_equal(link_server_feed(server, link_client_output(client)), 0);
    assert_int_equal(link_server_next(server, &item), -ERR_PROTO);
    assert_int_equal(link_client_feed(client, link_server_output(server)), 0);
    assert_int_equal(link_client_next(client, &answer), 1);
    assert_int_equal(answer.kind, LINK_ANSWER_BYE);
    assert_int_equal(answer.bye, LINK_BYE_PROTOCOL);
    assert_int_equal(link_server_room(server), 0);
    assert_int_equal(link_server_ping(server), -ERR_PIPE); /* nothing after the last word */
}

static void test_server_enrolment(void **state)
{
    static const char secret[LINK_SECRET_SIZE] = "thirteen chars";
    CLEANUP(link_server_freep) struct link_server *server = NULL;
    CLEANUP(link_client_freep) struct link_client *client = NULL;
    struct link_enrol enrol = {
        .secret = str_of(secret, sizeof(secret)), .request = STR("der"), .name = STR("máy-một")};
    struct link_enrolled enrolled = {
        .host = {.bytes = {1, 2, 3}}, .certificate = STR("pem"), .name = STR("máy-một")};
    struct link_answer answer;
    struct link_item item;

    (void)state;
    assert_int_equal(link_server_new(true, &server), 0);
    assert_int_equal(link_client_new(&client), 0);
    assert_int_equal(link_client_enrol(client, &enrol), 0);
    assert_int_equal(link_server_feed(server, link_client_output(client)), 0);
    assert_int_equal(link_server_next(server, &item), 1);
    assert_int_equal(item.kind, LINK_ITEM_ENROL);
    assert_true(str_is(item.enrol.secret, enrol.secret));
    assert_str(item.enrol.name, "máy-một");
    assert_int_equal(link_server_enrolled(server, &enrolled), 0);
    assert_int_equal(link_client_feed(client, link_server_output(server)), 0);
    assert_int_equal(link_client_next(client, &answer), 1);
    assert_int_equal(answer.kind, LINK_ANSWER_ENROLLED);
    assert_true(id_is(&answer.enrolled.host, &enrolled.host));
    assert_str(answer.enrolled.certificate, "pem");
    /* a second one on the same connection, or any on an agent's, is refused */
    assert_int_equal(link_server_feed(server, link_client_output(client)), 0);
    assert_int_equal(link_server_next(server, &item), -ERR_PROTO);
}

static void feed_frame(struct link_server *server, enum frame_type type, struct str content,
                       int expected)
{
    CLEANUP(buf_done) struct buf frame;
    struct link_item item;
    struct str rest;

    buf_init(&frame, 2U << 20);
    assert_int_equal(frame_write(&frame, NULL, type, 0, content), 0);
    rest = buf_str(&frame);
    rest.len = rest.len < link_server_room(server) ? rest.len : link_server_room(server);
    assert_int_equal(link_server_feed(server, rest), 0);
    assert_int_equal(link_server_next(server, &item), expected);
}

/* Whoever has proved nothing can make the centre keep and unpack only little. */
static void test_server_keeps_little_of_strangers(void **state)
{
    static const enum frame_type bare[] = {FRAME_TYPE_PING, FRAME_TYPE_PONG, FRAME_TYPE_BYE};
    CLEANUP(mem_freep) char *zeroes = mem_alloc(1, FRAME_PAYLOAD_MAX);
    CLEANUP(mem_freep) char *noise = mem_alloc(1, FRAME_PAYLOAD_MAX);

    (void)state;
    assert_true(zeroes != NULL && noise != NULL);
    for (size_t i = 0; i < FRAME_PAYLOAD_MAX; i++) {
        noise[i] = (char)(i * i >> 7 ^ i * 2654435761U >> 13);
    }
    for (size_t i = 0; i < ARRAY_LEN(bare); i++) {
        CLEANUP(link_server_freep) struct link_server *server = NULL;

        assert_int_equal(link_server_new(false, &server), 0);
        feed_frame(server, bare[i], str_of(zeroes, FRAME_PAYLOAD_MAX), -ERR_PROTO);
    }
    for (int is_packed = 0; is_packed < 2; is_packed++) {
        CLEANUP(link_server_freep) struct link_server *server = NULL;

        assert_int_equal(link_server_new(true, &server), 0);
        assert_true(link_server_room(server) <= 64U << 10);
        feed_frame(server, FRAME_TYPE_ENROL,
                   str_of(is_packed ? zeroes : noise, FRAME_PAYLOAD_MAX - 4096), -ERR_LIMIT);
    }
}

/* One that the store cannot count would spoil the batch of every other host. */
static void test_sequence_has_a_bound(void **state)
{
    CLEANUP(buf_done) struct buf items;
    CLEANUP(buf_done) struct buf content;
    struct link_batch batch;
    uint64_t sequence;
    struct str record;

    (void)state;
    buf_init(&items, 4096);
    buf_init(&content, 4096);
    link_batch_put(&items, LINK_SEQUENCE_MAX, STR("a"));
    link_batch_put(&items, 1ULL << 63, STR("b"));
    link_batch_encode(buf_str(&items), 2, &content);
    assert_int_equal(link_batch_open(&batch, buf_str(&content)), 0);
    assert_int_equal(link_batch_next(&batch, &sequence, &record), 1);
    assert_int_equal(link_batch_next(&batch, &sequence, &record), -ERR_PROTO);
}

/* Moves up to `most` bytes. */
static size_t pump_up(struct link_client *client, struct link_server *server, size_t most)
{
    struct str out = link_client_output(client);
    size_t room = link_server_room(server);

    out.len = out.len < most ? out.len : most;
    out.len = out.len < room ? out.len : room;
    assert_int_equal(link_server_feed(server, out), 0);
    link_client_sent(client, out.len);
    return out.len;
}

static size_t pump_down(struct link_client *client, struct link_server *server, size_t most)
{
    struct str out = link_server_output(server);

    out.len = out.len < most ? out.len : most;
    assert_int_equal(link_client_feed(client, out), 0);
    link_server_sent(server, out.len);
    return out.len;
}

/* Both machines over a cable that hands on random pieces: all records arrive once, in order, whole.
 */
static void conversation(uint64_t seed)
{
    CLEANUP(link_server_freep) struct link_server *server = NULL;
    CLEANUP(link_client_freep) struct link_client *client = NULL;
    CLEANUP(buf_done) struct buf items;
    CLEANUP(buf_done) struct buf content;
    struct link_hello hello = {.clock = -5, .version = STR("0.1"), .waiting = 3};
    struct prng prng;
    struct link_item item;
    struct link_answer answer;
    uint64_t sent = 0;
    uint64_t got = 0;
    uint64_t acknowledged = 0;

    prng_init(&prng, seed);
    buf_init(&items, LINK_BATCH_BYTES * 2);
    buf_init(&content, LINK_BATCH_BYTES * 2 + 64);
    assert_int_equal(link_server_new(false, &server), 0);
    assert_int_equal(link_client_new(&client), 0);
    assert_int_equal(link_client_hello(client, 9, &hello), 0);
    for (unsigned round = 0; acknowledged < 2000; round++) {
        size_t n = prng_below(&prng, 50);
        int r;

        assert_true(round < 1000000);
        buf_reset(&items);
        buf_reset(&content);
        for (size_t i = 0; i < n; i++) {
            uint64_t sequence = sent + i + 1;

            link_batch_put(&items, sequence, str_of((const char *)&sequence, sizeof(sequence)));
        }
        link_batch_encode(buf_str(&items), n, &content);
        if (n != 0 && sent < 2000 && link_client_batch(client, sent + n, buf_str(&content)) == 0) {
            sent += n;
        }
        (void)link_client_ping(client);
        (void)pump_up(client, server, prng_below(&prng, 700));
        while ((r = link_server_next(server, &item)) == 1) {
            if (item.kind == LINK_ITEM_HELLO) {
                assert_int_equal(item.hello.clock, -5);
                assert_int_equal(item.sequence, 9);
            } else if (item.kind == LINK_ITEM_RECORD) {
                assert_int_equal(item.sequence, ++got);
                assert_memory_equal(item.record.ptr, &got, sizeof(got));
            } else {
                assert_int_equal(item.kind, LINK_ITEM_BATCH_END);
                assert_int_equal(link_server_acknowledge(server, got, 77), 0);
            }
        }
        assert_int_equal(r, 0);
        (void)pump_down(client, server, prng_below(&prng, 700));
        while ((r = link_client_next(client, &answer)) == 1) {
            if (answer.kind == LINK_ANSWER_ACK) {
                acknowledged = answer.sequence;
                assert_int_equal(answer.clock, 77);
            }
        }
        assert_int_equal(r, 0);
    }
    assert_int_equal(got, sent);
}

static void test_conversations(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        conversation(seed);
    }
}

/* Flipped bytes must end in a refusal or in another valid frame, never in a record twice or out of
 * order. */
static void test_server_noise(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        CLEANUP(link_server_freep) struct link_server *server = NULL;
        CLEANUP(link_client_freep) struct link_client *client = NULL;
        CLEANUP(buf_done) struct buf items;
        CLEANUP(buf_done) struct buf content;
        CLEANUP(buf_done) struct buf wire;
        struct link_hello hello = {.version = STR("0.1")};
        struct link_item item;
        struct prng prng;
        uint64_t highest = 0;
        int r;

        prng_init(&prng, seed);
        buf_init(&items, 65536);
        buf_init(&content, 65536);
        buf_init(&wire, 65536);
        assert_int_equal(link_server_new(false, &server), 0);
        assert_int_equal(link_client_new(&client), 0);
        for (uint64_t sequence = 1; sequence <= 20; sequence++) {
            link_batch_put(&items, sequence, STR("some record with some bytes"));
        }
        link_batch_encode(buf_str(&items), 20, &content);
        assert_int_equal(link_client_hello(client, 20, &hello), 0);
        assert_int_equal(link_client_batch(client, 20, buf_str(&content)), 0);
        buf_put_str(&wire, link_client_output(client));
        for (uint64_t flips = 1 + prng_below(&prng, 3); flips != 0; flips--) {
            wire.ptr[prng_below(&prng, wire.len)] = (char)prng_next(&prng);
        }
        assert_int_equal(link_server_feed(server, buf_str(&wire)), 0);
        while ((r = link_server_next(server, &item)) == 1) {
            if (item.kind == LINK_ITEM_RECORD) {
                assert_true(item.sequence > highest);
                highest = item.sequence;
            }
        }
        assert_true(r <= 0);
    }
}

static int no_memory_body(void *context)
{
    CLEANUP(link_server_freep) struct link_server *server = NULL;
    CLEANUP(link_client_freep) struct link_client *client = NULL;
    struct link_hello hello = {.version = STR("0.1")};
    struct link_item item;
    int r;

    (void)context;
    r = link_server_new(false, &server);
    if (r == 0) {
        r = link_client_new(&client);
    }
    if (r == 0) {
        r = link_client_hello(client, 1, &hello);
    }
    if (r == 0) {
        r = link_server_feed(server, link_client_output(client));
    }
    if (r == 0) {
        r = link_server_next(server, &item);
    }
    return r == 1 ? link_server_acknowledge(server, 0, 0) : r;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(no_memory_body, NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_golden),
        cmocka_unit_test(test_frame_truncated_everywhere),
        cmocka_unit_test(test_frame_refusals),
        cmocka_unit_test(test_frame_compression),
        cmocka_unit_test(test_frame_bomb),
        cmocka_unit_test(test_server_order),
        cmocka_unit_test(test_server_enrolment),
        cmocka_unit_test(test_server_keeps_little_of_strangers),
        cmocka_unit_test(test_sequence_has_a_bound),
        cmocka_unit_test(test_conversations),
        cmocka_unit_test(test_server_noise),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
