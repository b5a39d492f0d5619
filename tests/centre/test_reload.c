/* Rules that change while the detector runs: of entries that come then it says what a detector says
 * that was started with them. The samples of all built-in rules are what is judged. */
#include "../harness.h"

#include "base/banned.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/time.h"
#include "centre/detector.h"
#include "sys/channel.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DETECTOR_WORD "detector"
#define DETECTOR_FD   3
#define ARRIVAL       (1764115200 * NS_PER_S)
#define OWN(number, word)                                                                          \
    "title: Own " number "\nid: 11111111-2222-4333-8444-00000000000" number                        \
    "\nlevel: low\nlogsource:\n    product: linux\ndetection:\n    words:\n        - '" word       \
    "'\n    condition: words\n"

/* A detector, as core sees it. */
struct partner {
    int channel;
    pid_t pid;
    uint64_t number;
};

/* What people have added. */
struct content {
    const char *rule;
    const char *off; /* NULL: nothing */
};

static struct buf samples; /* lines */
static struct msg_writer msg;
static struct channel_packet packet;

static void partner_start(struct partner *partner)
{
    static char name[] = "test";
    static char word[] = DETECTOR_WORD;
    char *argv[] = {name, word, NULL};
    int ends[2];

    assert_int_equal(channel_pair(ends), 0);
    *partner = (struct partner){.channel = ends[0], .pid = fork()};
    assert_true(partner->pid >= 0);
    if (partner->pid == 0) {
        (void)dup2(ends[1], DETECTOR_FD);
        (void)execv("/proc/self/exe", argv);
        _exit(127);
    }
    (void)close(ends[1]);
    assert_int_equal(channel_receive(partner->channel, &packet), 0);
    assert_int_equal(packet.msg.type, DETECTOR_MESSAGE_STARTED);
}

static void partner_stop(struct partner *partner)
{
    int status;

    (void)close(partner->channel);
    assert_int_equal(waitpid(partner->pid, &status, 0), partner->pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void partner_send(const struct partner *partner)
{
    assert_int_equal(msg_end(&msg), 0);
    assert_int_equal(channel_send(partner->channel, &msg, NULL, 0), 0);
}

static void partner_tell(struct partner *partner, const struct content *content)
{
    msg_begin(&msg, DETECTOR_MESSAGE_CONTENT);
    msg_put_u64(&msg, ++partner->number);
    msg_put_u32(&msg, 1);
    msg_put_str(&msg, STR(DETECTOR_OWN_PREFIX "own"));
    msg_put_str(&msg, str_from(content->rule));
    msg_put_u32(&msg, 0);
    msg_put_u32(&msg, content->off != NULL ? 1 : 0);
    if (content->off != NULL) {
        msg_put_str(&msg, str_from(content->off));
    }
    msg_put_u32(&msg, 1);
    partner_send(partner);
    do {
        assert_int_equal(channel_receive(partner->channel, &packet), 0);
    } while (packet.msg.type != DETECTOR_MESSAGE_READY);
}

/* One hit as a line. Those of correlations are left out: windows stay open over a change. */
static void take_hit(struct msg_reader *hits, struct buf *said)
{
    uint32_t index = msg_get_u32(hits);
    struct str id = msg_get_str(hits);
    struct str title = msg_get_str(hits);
    uint32_t level = msg_get_u32(hits);
    struct str tags = msg_get_str(hits);
    struct str group = msg_get_str(hits);
    int64_t time = msg_get_i64(hits);
    size_t start = said->len;

    buf_putf(said, "%u %.*s %.*s %u %.*s %lld", index, STR_ARG(id), STR_ARG(title), level,
             STR_ARG(tags), (long long)time);
    for (uint32_t left = msg_get_u32(hits); left > 0 && hits->error == 0; left--) {
        struct str name = msg_get_str(hits);
        struct str value = msg_get_str(hits);

        buf_putf(said, " %.*s=%.*s", STR_ARG(name), STR_ARG(value));
    }
    buf_put_byte(said, '\n');
    said->len = group.len != 0 ? start : said->len;
}

static void take_answer(const struct partner *partner, struct buf *said)
{
    bool is_last = false;

    msg_put_u32(&msg, 0);
    partner_send(partner);
    while (!is_last) {
        assert_int_equal(channel_receive(partner->channel, &packet), 0);
        assert_int_equal(packet.msg.type, DETECTOR_MESSAGE_HITS);
        (void)msg_get_u64(&packet.msg);
        while (msg_get_u32(&packet.msg) == 1) {
            take_hit(&packet.msg, said);
        }
        is_last = msg_get_u32(&packet.msg) == 1;
        assert_int_equal(packet.msg.error, 0);
    }
}

static void put_sample(struct str line)
{
    msg_put_u32(&msg, 1);
    msg_put_str(&msg, STR(""));
    msg_put_str(&msg, STR("a-host"));
    msg_put_str(&msg, STR(""));
    msg_put_str(&msg, STR(""));
    msg_put_str(&msg, STR(""));
    msg_put_i64(&msg, ARRIVAL);
    msg_put_i64(&msg, ARRIVAL);
    msg_put_str(&msg, line);
}

/* What it says of all samples. */
static void partner_ask(struct partner *partner, struct buf *said)
{
    struct str rest = buf_str(&samples);
    struct str line;
    size_t count = 0;

    buf_init(said, 64U << 20);
    while (str_cut(&rest, '\n', &line)) {
        if (count++ % 16 == 0) {
            if (count != 1) {
                take_answer(partner, said);
            }
            msg_begin(&msg, DETECTOR_MESSAGE_ENTRIES);
            msg_put_u64(&msg, ++partner->number);
        }
        put_sample(str_slice(line, 0, MSG_SIZE_MAX / 32));
    }
    take_answer(partner, said);
    assert_int_equal(buf_error(said), 0);
}

static bool says(const struct buf *said, const char *what)
{
    return str_find(buf_str(said), str_from(what)) != said->len;
}

/* A rule of the pack that held for a sample. */
static void find_built_in(struct str said, char id[37])
{
    struct str line;

    while (id[0] == '\0' && str_cut(&said, '\n', &line)) {
        size_t at = str_find_byte(line, ' ') + 1;

        if (str_find(line, STR("Own 1")) == line.len) {
            memcpy(id, line.ptr + at, 36);
        }
    }
    assert_int_equal(strlen(id), 36);
}

static void test_reload_is_cold_start(void **state)
{
    const struct content before = {.rule = OWN("1", "sshd")};
    struct content after = {.rule = OWN("2", "sudo")};
    CLEANUP(buf_done) struct buf first;
    CLEANUP(buf_done) struct buf changed;
    CLEANUP(buf_done) struct buf cold;
    CLEANUP(buf_done) struct buf again;
    struct partner partner;
    char off[37] = "";

    (void)state;
    partner_start(&partner);
    partner_tell(&partner, &before);
    partner_ask(&partner, &first);
    assert_true(says(&first, "Own 1") && !says(&first, "Own 2"));
    find_built_in(buf_str(&first), off);
    after.off = off;
    partner_tell(&partner, &after);
    partner_ask(&partner, &changed);
    partner_tell(&partner, &before);
    partner_ask(&partner, &again);
    partner_stop(&partner);
    partner_start(&partner);
    partner_tell(&partner, &after);
    partner_ask(&partner, &cold);
    partner_stop(&partner);
    assert_true(says(&changed, "Own 2") && !says(&changed, "Own 1") && !says(&changed, off));
    assert_true(str_is(buf_str(&changed), buf_str(&cold)));
    assert_true(str_is(buf_str(&again), buf_str(&first)));
}

static int take_samples(const char *path, const struct stat *stat, int type, struct FTW *place)
{
    char block[65536];
    size_t len;
    FILE *file;

    (void)stat;
    (void)place;
    if (type != FTW_F || strstr(path, ".hit.log") == NULL) {
        return 0;
    }
    file = fopen(path, "re");
    assert_non_null(file);
    while ((len = fread(block, 1, sizeof(block), file)) > 0) {
        assert_int_equal(buf_put(&samples, block, len), 0);
    }
    (void)fclose(file);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reload_is_cold_start)};
    int failed;

    if (argc == 2 && strcmp(argv[1], DETECTOR_WORD) == 0) {
        /* the sanitizer cannot look for leaks in a process without rights */
        _exit(detector_run(&(struct detector_options){.channel = DETECTOR_FD, .supervisor = -1}));
    }
    buf_init(&samples, 64U << 20);
    assert_int_equal(nftw(SOURCE_ROOT "/rules/logs", take_samples, 20, FTW_PHYS), 0);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_done(&samples);
    return failed;
}
