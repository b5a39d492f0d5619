/* The receiver's own parts: frames out of a stream cut anywhere, the ring on the disk against a
 * plain queue, batches that keep their numbers. */
#include "prop.h"

#include "receiver_bench.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/time.h"
#include "centre/receiver/overflow.h"
#include "centre/receiver/queue.h"
#include "codec/syslog_frame.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#define STREAM_MAX  4096
#define MESSAGE_MAX 200
#define RING_MAX    (2U * OVERFLOW_PIECE)
#define MODEL_MAX   4096

/* What a sender meant, and what it wrote. */
struct sent {
    struct buf stream;
    struct buf meant; /* each message and a '|' */
};

static int put_meant(void *context, struct str message, bool is_cut)
{
    struct buf *meant = context;

    assert_false(is_cut);
    (void)buf_put_str(meant, message);
    return buf_put_text(meant, "|");
}

static void draw_message(struct prop *prop, struct sent *sent, bool is_last)
{
    char message[MESSAGE_MAX] = "<34>";
    size_t len = 4 + prop_below(prop, sizeof(message) - 4);
    bool is_counted = prop_bool(prop);

    for (size_t i = 4; i < len; i++) {
        message[i] = (char)('!' + prop_below(prop, 90)); /* no newline, and never one at the end */
    }
    if (is_counted && len > 10) {
        message[8] = '\n'; /* a counted one may hold it */
    }
    (void)put_meant(&sent->meant, str_of(message, len), false);
    if (is_counted) {
        (void)buf_putf(&sent->stream, "%zu ", len);
    }
    (void)buf_put(&sent->stream, message, len);
    if (!is_counted && !(is_last && prop_bool(prop))) {
        (void)buf_put_text(&sent->stream, prop_bool(prop) ? "\r\n" : "\n");
    }
}

/* Every message comes once and whole, wherever the network cut the stream. */
static const char *prop_frames(struct prop *prop)
{
    struct sent sent = {0};
    struct buf got;
    struct syslog_frames frames;
    size_t count = prop_below(prop, 12);
    bool is_same;

    buf_init(&sent.stream, STREAM_MAX);
    buf_init(&sent.meant, STREAM_MAX);
    buf_init(&got, STREAM_MAX);
    for (size_t i = 0; i < count; i++) {
        draw_message(prop, &sent, i + 1 == count);
    }
    syslog_frames_init(&frames, RECEIVER_ENTRY_MAX, put_meant, &got);
    for (size_t at = 0; at < sent.stream.len;) {
        size_t len = 1 + prop_below(prop, 40);

        assert_int_equal(
            syslog_frames_feed(&frames, str_slice(buf_str(&sent.stream), at, at + len)), 0);
        at += len;
    }
    assert_int_equal(syslog_frames_end(&frames), 0);
    is_same = str_is(buf_str(&got), buf_str(&sent.meant));
    syslog_frames_done(&frames);
    buf_done(&sent.stream);
    buf_done(&sent.meant);
    buf_done(&got);
    return is_same ? NULL : "the messages are not those that were sent";
}

static void test_frames(void **state)
{
    (void)state;
    prop_check("frames do not depend on where the network cuts", prop_frames, 2000);
}

static int scratch_file(void)
{
    int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    return fd;
}

/* Item n: its bytes tell it from all others. */
static struct str item_bytes(uint64_t number, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (char)(number * 31 + i);
    }
    return str_of(out, len);
}

/* What was put comes out in its order and whole; what was refused was really too much. */
static const char *prop_ring(struct prop *prop)
{
    static size_t sizes[MODEL_MAX];
    static char bytes[OVERFLOW_ENTRY_MAX];
    struct overflow ring;
    struct overflow_item item;
    uint64_t put = 0;
    uint64_t taken = 0;
    uint64_t waiting = 0;
    const char *wrong = NULL;

    assert_int_equal(overflow_init(&ring, scratch_file(), RING_MAX), 0);
    for (int i = 0; wrong == NULL && i < 300; i++) {
        if (prop_below(prop, 5) < 3 && put < MODEL_MAX) {
            size_t len = prop_below(prop, 8) == 0 ? prop_below(prop, OVERFLOW_ENTRY_MAX)
                                                  : prop_below(prop, 3000);
            int r;

            item = (struct overflow_item){.via = STR("10.0.0.1"),
                                          .arrival = (int64_t)put,
                                          .raw = item_bytes(put, len, bytes)};
            r = overflow_put(&ring, &item);
            if (r == 0) {
                waiting += len + 24;
                sizes[put++] = len;
            } else if (waiting + len + 24 <= RING_MAX - OVERFLOW_PIECE) {
                wrong = "refused although there was room";
            }
        } else if (taken < put) {
            if (overflow_peek(&ring, &item) != 0 || item.arrival != (int64_t)taken ||
                !str_is(item.raw, item_bytes(taken, sizes[taken], bytes)) ||
                !str_is_text(item.via, "10.0.0.1")) {
                wrong = "another one came out";
            }
            overflow_skip(&ring);
            waiting -= sizes[taken++] + 24;
        } else if (overflow_peek(&ring, &item) != -ERR_NOENT) {
            wrong = "one came out of an empty ring";
        }
        if (overflow_is_empty(&ring) != (put == taken)) {
            wrong = "it does not know whether it is empty";
        }
    }
    overflow_done(&ring);
    return wrong;
}

static void test_ring(void **state)
{
    (void)state;
    prop_check("the ring gives back what it was given", prop_ring, 60);
}

/* A disk that takes nothing: the loss is counted, and what comes later has a chance again. */
static void test_ring_without_disk(void **state)
{
    static char bytes[OVERFLOW_ENTRY_MAX];
    struct overflow_item item = {.via = STR("a"), .raw = item_bytes(1, sizeof(bytes), bytes)};
    struct overflow ring;
    unsigned put = 0;
    int r = 0;

    (void)state;
    assert_int_equal(overflow_init(&ring, open("/dev/full", O_RDWR | O_CLOEXEC), RING_MAX), 0);
    while (r == 0 && put < 100) {
        r = overflow_put(&ring, &item);
        put += r == 0;
    }
    assert_true(r < 0 && r != -ERR_FULL);
    assert_int_equal(ring.lost, put + 1);
    assert_true(overflow_is_empty(&ring));
    overflow_done(&ring);
    assert_int_equal(overflow_init(&ring, -1, RING_MAX), 0);
    assert_int_equal(overflow_put(&ring, &item), -ERR_FULL);
    overflow_done(&ring);
}

static struct receiver_queue queue;
static struct msg_writer message;

static uint64_t message_number(void)
{
    struct msg_reader msg;

    msg_open(&msg, str_of((const char *)message.bytes, message.len));
    assert_int_equal(msg_get_u64(&msg), 7);
    return msg_get_u64(&msg);
}

static void put_text(const char *text)
{
    struct receiver_entry entry = {
        .via = STR("10.0.0.1"), .format = STR("syslog"), .raw = str_from(text)};

    assert_int_equal(receiver_put(&queue, &entry), 0);
}

static int64_t said_time(const char *raw, const char *arrival)
{
    struct receiver_entry entry = {.via = STR("10.0.0.1"), .raw = str_from(raw)};
    int64_t now;

    assert_int_equal(time_parse(str_from(arrival), &now), 0);
    receiver_say(&entry, now);
    return entry.time;
}

/* RFC 3164 names neither year nor zone: Viet Nam's, or UTC when that lies nearer before the
 * arrival; the latest year that is not ahead. */
static void test_said_times(void **state)
{
    static const struct {
        const char *raw;
        const char *arrival;
        const char *time; /* NULL: none */
    } rows[] = {
        {"<38>Nov 26 21:00:00 a b: c", "2026-11-26T14:00:01Z", "2026-11-26T14:00:00Z"},
        {"<38>Nov 26 14:00:00 a b: c", "2026-11-26T14:00:01Z", "2026-11-26T14:00:00Z"},
        {"<38>Nov 26 14:00:03 a b: c", "2026-11-26T14:00:01Z", "2026-11-26T14:00:03Z"},
        {"<38>Nov 26 18:00:00 a b: c", "2026-11-26T14:00:01Z", "2026-11-26T11:00:00Z"},
        {"<38>Nov 26 13:00:00 a b: c", "2026-11-26T14:00:01Z", "2026-11-26T13:00:00Z"},
        /* New Year's night, at the sender's and at the centre's */
        {"<38>Dec 31 23:59:58 a b: c", "2026-12-31T17:00:01Z", "2026-12-31T16:59:58Z"},
        {"<38>Jan  1 00:00:02 a b: c", "2026-12-31T17:00:01Z", "2026-12-31T17:00:02Z"},
        {"<38>Dec 31 23:59:58 a b: c", "2027-01-01T00:00:01Z", "2026-12-31T23:59:58Z"},
        {"<38>Jan  1 07:00:02 a b: c", "2026-12-31T23:59:59Z", "2027-01-01T00:00:02Z"},
        {"<38>Jan  1 00:00:02 a b: c", "2026-12-31T23:59:59Z", "2027-01-01T00:00:02Z"},
        /* a leap day; one that the year does not have is of the last year that had it */
        {"<38>Feb 29 12:00:00 a b: c", "2028-02-29T05:00:01Z", "2028-02-29T05:00:00Z"},
        {"<38>Mar  1 00:00:00 a b: c", "2028-02-29T17:00:01Z", "2028-02-29T17:00:00Z"},
        {"<38>Feb 29 12:00:00 a b: c", "2027-03-01T05:00:01Z", "2024-02-29T12:00:00Z"},
        /* what names its zone is as it says, however far */
        {"<38>1 2026-11-26T14:00:00.5+07:00 a b - - - c", "2026-11-26T14:00:01Z",
         "2026-11-26T07:00:00.5Z"},
        {"<38>1 2026-11-26T14:00:00Z a b - - - c", "2026-11-26T14:00:01Z", "2026-11-26T14:00:00Z"},
        {"<38>1 2031-01-01T00:00:00Z a b - - - c", "2026-11-26T14:00:01Z", "2031-01-01T00:00:00Z"},
        {"<38>1 - a b - - - c", "2026-11-26T14:00:01Z", NULL},
        {"<38>no time here", "2026-11-26T14:00:01Z", NULL},
        {"{\"@timestamp\":\"2026-11-26T14:00:00Z\"}", "2026-11-26T14:00:01Z", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t time = 0;

        assert_true(rows[i].time == NULL || time_parse(str_from(rows[i].time), &time) == 0);
        if (said_time(rows[i].raw, rows[i].arrival) != time) {
            fail_msg("%s at %s is not of %s", rows[i].raw, rows[i].arrival, rows[i].time);
        }
    }
}

/* A batch goes out under its number and with its bytes however often it is sent. */
static void test_batches(void **state)
{
    struct msg_writer first;

    (void)state;
    receiver_queue_init(&queue, 1 << 20, 7, &clock_real);
    assert_false(receiver_queue_next(&queue, &message));
    put_text("one");
    assert_int_equal(receiver_queue_last(&queue), 1);
    assert_int_equal(receiver_queue_close(&queue), 0);
    put_text("two");
    assert_int_equal(receiver_queue_close(&queue), 0);
    assert_true(receiver_queue_next(&queue, &first));
    receiver_queue_sent(&queue);
    assert_true(receiver_queue_next(&queue, &message));
    assert_int_equal(message_number(), 2);
    receiver_queue_sent(&queue);
    assert_false(receiver_queue_next(&queue, &message));

    receiver_queue_rewind(&queue); /* core came back and has nothing */
    assert_true(receiver_queue_next(&queue, &message));
    assert_int_equal(message.len, first.len);
    assert_memory_equal(message.bytes, first.bytes, first.len);
    receiver_queue_durable(&queue, 1);
    assert_true(receiver_queue_next(&queue, &message));
    assert_int_equal(message_number(), 2);
    receiver_queue_durable(&queue, 9); /* of a life that it never had: no harm */
    assert_int_equal(receiver_queue_kept(&queue), 0);
    assert_int_equal(receiver_queue_last(&queue), 2);
    receiver_queue_done(&queue);
}

static void test_bounds(void **state)
{
    static char raw[RECEIVER_ENTRY_MAX + 10];
    struct receiver_entry entry = {.via = STR("10.0.0.1"), .format = STR("syslog")};
    int r = 0;
    unsigned put = 0;

    (void)state;
    memset(raw, 'x', sizeof(raw));
    receiver_queue_init(&queue, 1 << 20, 7, &clock_real);
    entry.raw = str_of(raw, sizeof(raw));
    assert_int_equal(receiver_put(&queue, &entry), 0);
    assert_int_equal(queue.cut, 1);
    entry.raw = STR("");
    assert_int_equal(receiver_put(&queue, &entry), 0);
    assert_int_equal(receiver_queue_last(&queue), 1);
    entry.raw = str_of(raw, 1000);
    while (r == 0 && put < 100000) {
        r = receiver_put(&queue, &entry);
        put += r == 0;
        assert_true(receiver_queue_kept(&queue) <= (1 << 20) + RECEIVER_QUEUE_SPARE);
    }
    assert_int_equal(r, -ERR_FULL);
    assert_false(receiver_queue_has_room(&queue));
    assert_int_equal(receiver_queue_close(&queue), 0);
    receiver_queue_durable(&queue, receiver_queue_last(&queue));
    assert_true(receiver_queue_has_room(&queue));
    receiver_queue_done(&queue);
}

static unsigned answers(void)
{
    unsigned count = 0;

    LIST_EACH (node, &receiver.answers) {
        count++;
        assert_true(count <= 16); /* or it goes round for ever */
    }
    return count;
}

/* An api in other hands sends more after the last piece: nothing of it counts. */
static void test_pieces_after_the_last(void **state)
{
    (void)state;
    receiver_begin(1 << 20);
    post_piece(1, RECEIVER_PIECE_FIRST | RECEIVER_PIECE_LAST, "one\n");
    post_piece(2, RECEIVER_PIECE_FIRST | RECEIVER_PIECE_LAST, "two\n");
    post_piece(1, RECEIVER_PIECE_LAST, "three\n");
    post_piece(1, RECEIVER_PIECE_FIRST | RECEIVER_PIECE_LAST, "four\n");
    assert_int_equal(answers(), 2);
    assert_int_equal(receiver.counts.of[RECEIVER_COUNT_RECEIVED + RECEIVER_WAY_POST], 2);
    assert_int_equal(receiver_queue_close(&receiver.queue), 0);
    receiver_queue_durable(&receiver.queue, receiver_queue_last(&receiver.queue));
    receiver_posts_settle(&receiver);
    assert_true(list_is_empty(&receiver.answers));
    receiver_finish();
}

/* A few bytes that unpack to many megabytes are unpacked in turns: who posts a line meanwhile does
 * not wait for them, and what follows them comes behind. */
static void test_packed_in_turns(void **state)
{
    enum { LINES = 40000, LINE = 256, TURN_MOST = POST_TURN / LINE + 1 };
    static char lines[LINES * LINE];
    static Bytef packed[60000];
    uLongf size = sizeof(packed);
    uint64_t before;
    unsigned turns = 0;

    (void)state;
    memset(lines, 'x', sizeof(lines));
    for (size_t i = 0; i < LINES; i++) {
        lines[i * LINE + LINE - 1] = '\n';
    }
    assert_int_equal(compress2(packed, &size, (const Bytef *)lines, sizeof(lines), 9), Z_OK);
    receiver_begin(64U << 20);
    post_bytes(1, RECEIVER_PIECE_FIRST | RECEIVER_PIECE_PACKED,
               str_of((const char *)packed, size - 10));
    assert_true(posted() <= TURN_MOST);
    post_bytes(1, RECEIVER_PIECE_LAST | RECEIVER_PIECE_PACKED,
               str_of((const char *)packed + size - 10, 10));
    assert_true(posted() <= TURN_MOST);
    post_piece(2, RECEIVER_PIECE_FIRST | RECEIVER_PIECE_LAST, "one\n");
    assert_int_equal(answers(), 1); /* the small one */
    while (answers() == 1) {
        before = posted();
        receiver_posts_turn(&receiver);
        assert_true(posted() - before <= TURN_MOST);
        assert_true(++turns < LINES);
    }
    assert_true(turns >= LINES / TURN_MOST);
    assert_int_equal(posted(), LINES + 1);
    receiver_finish();
}

/* What unpacks to more than there is room for waits until there is some. */
static void test_packed_waits_for_room(void **state)
{
    enum { SIZE = 8 << 20 };
    static char text[SIZE];
    static Bytef packed[60000];
    uLongf size = sizeof(packed);

    (void)state;
    memset(text, '\n', sizeof(text));
    for (size_t i = 0; i + 1 < SIZE; i += 2) {
        text[i] = 'x';
    }
    assert_int_equal(compress2(packed, &size, (const Bytef *)text, sizeof(text), 9), Z_OK);
    receiver_begin(1 << 20);
    post_bytes(1, RECEIVER_PIECE_FIRST | RECEIVER_PIECE_PACKED | RECEIVER_PIECE_LAST,
               str_of((const char *)packed, size));
    for (unsigned i = 0; i < 100; i++) {
        receiver_posts_turn(&receiver);
    }
    assert_int_equal(answers(), 0);
    assert_true(posted() < SIZE / 2);
    while (posted() < POST_ENTRIES_MAX) {
        assert_int_equal(receiver_queue_close(&receiver.queue), 0);
        receiver_queue_durable(&receiver.queue, receiver_queue_last(&receiver.queue));
        receiver_posts_turn(&receiver);
    }
    receiver_finish();
}

/* Whatever waits on the disk, streams and posts find room too. */
static void test_datagrams_leave_room(void **state)
{
    static char raw[1000];
    const struct overflow_item item = {
        .via = STR("10.0.0.1"), .arrival = 1, .raw = str_of(raw, sizeof(raw))};

    (void)state;
    memset(raw, 'x', sizeof(raw));
    receiver_begin(1 << 20);
    assert_int_equal(overflow_init(&receiver.overflow, scratch_file(), 4U << 20), 0);
    for (unsigned i = 0; i < 3000; i++) {
        assert_int_equal(overflow_put(&receiver.overflow, &item), 0);
    }
    receiver_datagrams_drain(&receiver);
    assert_true(receiver_queue_kept(&receiver.queue) >= 1 << 19);
    assert_true(receiver_queue_kept(&receiver.queue) < (1 << 19) + 2000);
    for (unsigned i = 0; i < 100 && receiver_queue_has_room(&receiver.queue); i++) {
        receiver_datagrams_drain(&receiver); /* all of the room, when nobody else takes it */
    }
    assert_false(receiver_queue_has_room(&receiver.queue));
    overflow_done(&receiver.overflow);
    receiver_finish();
}

/* ---- connections ---- */

static void streams_begin(void)
{
    const struct rlimit files = {RECEIVER_STREAMS_MAX + 64, RECEIVER_STREAMS_MAX + 64};

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    options = (struct receiver_options){.core = -1, .api = -1, .front = -1, .supervisor = -1};
    receiver = (struct receiver){.options = &options, .is_hurried = true};
    receiver_queue_init(&receiver.queue, 1 << 20, 7, &clock_real);
    map_init(&receiver.peers, RECEIVER_PEERS_MAX, 1);
    list_init(&receiver.streams);
    list_init(&receiver.waiting);
    assert_int_equal(loop_new(RECEIVER_STREAMS_MAX + 8, &receiver.loop), 0);
}

static void streams_finish(void)
{
    receiver_streams_done(&receiver);
    receiver_queue_done(&receiver.queue);
    loop_freep(&receiver.loop);
}

static struct receiver_stream *last_stream(void)
{
    return LIST_ENTRY(receiver.streams.prev, struct receiver_stream, node);
}

static unsigned streams_of(const char *address)
{
    const struct receiver_peer *peer = map_get(&receiver.peers, str_from(address));

    return peer != NULL ? peer->peer.count : 0;
}

/* Eight addresses hold all connections; a ninth gets in, at the cost of whoever of them has most
 * and has said nothing for longest. */
static void test_nobody_is_shut_out(void **state)
{
    char address[NET_ADDRESS_SIZE];
    int ends[2];
    int64_t now = clock_mono(&clock_real);

    (void)state;
    streams_begin();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    for (unsigned i = 0; i < RECEIVER_STREAMS_MAX; i++) {
        (void)snprintf(address, sizeof(address), "192.0.2.%u", i / RECEIVER_STREAMS_EACH);
        receiver_streams_accept(&receiver, dup(ends[1]), str_from(address));
        last_stream()->frames.count = 1; /* it has said something, lately */
        last_stream()->heard = now + i;
    }
    assert_int_equal(receiver.stream_count, RECEIVER_STREAMS_MAX);
    receiver_streams_accept(&receiver, dup(ends[1]), STR("192.0.2.3")); /* it has its share */
    assert_int_equal(receiver.counts.of[RECEIVER_COUNT_REFUSED], 1);
    for (unsigned i = 0; i < 16; i++) {
        receiver_streams_accept(&receiver, dup(ends[1]), STR("198.51.100.1"));
        last_stream()->heard = now;
    }
    assert_int_equal(streams_of("198.51.100.1"), 16);
    assert_int_equal(receiver.stream_count, RECEIVER_STREAMS_MAX);
    assert_int_equal(receiver.counts.of[RECEIVER_COUNT_YIELDED], 16);
    for (unsigned i = 0; i < 8; i++) {
        (void)snprintf(address, sizeof(address), "192.0.2.%u", i);
        assert_int_equal(streams_of(address), RECEIVER_STREAMS_EACH - 2);
    }
    LIST_EACH (node, &receiver.streams) { /* the two of each that were silent for longest */
        const struct receiver_stream *stream = LIST_ENTRY(node, struct receiver_stream, node);

        assert_true(stream->heard == now ||
                    (uint64_t)(stream->heard - now) % RECEIVER_STREAMS_EACH >= 2);
    }
    close(ends[0]);
    close(ends[1]);
    streams_finish();
}

/* One connection of each of many addresses, none of which says anything: an honest one gets in. */
static void test_the_silent_yield(void **state)
{
    char address[NET_ADDRESS_SIZE];
    int ends[2];

    (void)state;
    streams_begin();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    for (unsigned i = 0; i < RECEIVER_STREAMS_MAX; i++) {
        (void)snprintf(address, sizeof(address), "10.0.%u.%u", i / 256, i % 256);
        receiver_streams_accept(&receiver, dup(ends[1]), str_from(address));
        last_stream()->heard -= i != 5 ? 0 : 60 * NS_PER_S;
    }
    receiver_streams_accept(&receiver, dup(ends[1]), STR("198.51.100.1"));
    assert_int_equal(streams_of("198.51.100.1"), 1);
    assert_int_equal(streams_of("10.0.0.5"), 0);
    receiver_streams_accept(&receiver, dup(ends[1]), STR("198.51.100.2"));
    assert_int_equal(streams_of("198.51.100.2"), 0); /* all others have only just come */
    close(ends[0]);
    close(ends[1]);
    streams_finish();
}

/* Who has many connections, all with much to say, is read as much in a turn as who has one; and
 * each of them as often as any other. */
static void test_turns_are_fair(void **state)
{
    enum { MANY = 100, TURNS = 1000 };
    static struct receiver_stream streams[MANY + 1];
    static size_t read[MANY + 1];
    struct receiver_peer peers[2] = {{.peer.count = MANY}, {.peer.count = 1}};
    size_t all = 0;
    size_t least = SIZE_MAX;
    size_t most = 0;

    (void)state;
    receiver = (struct receiver){0};
    for (unsigned i = 0; i <= MANY; i++) {
        streams[i].peer = &peers[i / MANY];
        streams[i].round = UINT64_MAX;
    }
    for (unsigned turn = 0; turn < TURNS; turn++) {
        for (unsigned i = 0; i <= MANY; i++) {
            read[i] += receiver_turn(&receiver, &streams[i]);
        }
    }
    for (unsigned i = 0; i < MANY; i++) {
        all += read[i];
        least = read[i] < least ? read[i] : least;
        most = read[i] > most ? read[i] : most;
    }
    assert_true(all <= read[MANY]);
    assert_true(all >= read[MANY] / 10 * 8);
    assert_true(most - least <= 2 * RECEIVER_TURN_BYTES / MANY * 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_ring),
        cmocka_unit_test(test_ring_without_disk),
        cmocka_unit_test(test_said_times),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_pieces_after_the_last),
        cmocka_unit_test(test_datagrams_leave_room),
        cmocka_unit_test(test_packed_in_turns),
        cmocka_unit_test(test_packed_waits_for_room),
        cmocka_unit_test(test_nobody_is_shut_out),
        cmocka_unit_test(test_the_silent_yield),
        cmocka_unit_test(test_turns_are_fair),
    };

    return cmocka_run_group_tests_name("receiver", tests, NULL, NULL);
}
