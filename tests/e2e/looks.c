/* Looks at websites as the process that fetches pages sends them, for the console's tests: one JSON
 * object a line on stdin becomes one CENTRE_MESSAGE_CHECK. The centre's supervisor keeps both ends
 * of each channel; this takes the fetching end out of it (pidfd_getfd, as root).
 * Usage: looks SUPERVISOR-PID < lines */
#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "centre/fetch/wire.h"
#include "codec/json.h"
#include "model/passage.h"
#include "sys/channel.h"
#include "sys/fd.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The supervisor makes front_core, front_api, api_core and fetch_core, two ends each, in this
 * order. */
#define LOOKS_FETCH_END 6
#define LOOKS_TEXTS     64
#define LOOKS_WAIT_MS   30000
#define LOOKS_DAY       (86400LL * NS_PER_S)

static void fail(const char *what)
{
    (void)fprintf(stderr, "looks: %s\n", what);
    exit(3);
}

static bool is_channel(int fd)
{
    int type = 0;
    int listens = 0;
    socklen_t len = sizeof(type);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens == 0;
}

static int take_channel(pid_t pid)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    unsigned found = 0;

    for (int number = 3; pidfd >= 0 && number < 256; number++) {
        int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);

        if (fd >= 0 && is_channel(fd) && found++ == LOOKS_FETCH_END) {
            close(pidfd);
            return fd;
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    fail("the supervisor has no channel for looks");
    return -1;
}

static unsigned number_of(struct str name, const char *(*name_of)(unsigned), unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (str_is_text(name, name_of(i))) {
            return i;
        }
    }
    return 0;
}

static const char *verdict_at(unsigned at)
{
    return site_verdict_name((enum site_verdict)at);
}
static const char *failure_at(unsigned at)
{
    return site_failure_name((enum site_failure)at);
}
static const char *view_at(unsigned at)
{
    return site_view_name((enum site_view)at);
}
static const char *page_at(unsigned at)
{
    return site_page_name((enum site_page)at);
}
static const char *layer_at(unsigned at)
{
    return site_layer_name((enum site_layer)at);
}

static size_t read_reasons(const struct json_value *line, struct site_check *check,
                           struct site_reason reasons[SITE_REASONS_MAX])
{
    const struct json_value *list = json_member(line, "why");
    size_t count = 0;

    for (const struct json_value *why = list != NULL ? list->first : NULL;
         why != NULL && count < SITE_REASONS_MAX; why = why->next) {
        const struct json_value *score = json_member(why, "score");
        struct site_reason *reason = &reasons[count++];

        *reason = (struct site_reason){
            .layer = number_of(json_member_str(why, "layer", STR("")), layer_at, SITE_LAYER_COUNT),
            .view = check->view,
            .what = json_member_str(why, "what", STR("")),
            .value = json_member_str(why, "value", STR("")),
            .snippet = json_member_str(why, "snippet", STR("")),
            .score = score != NULL ? score->number : 0};
        check->layers |= 1U << reason->layer;
        check->score += reason->score;
    }
    return count;
}

static struct site_check read_check(const struct json_value *line,
                                    struct site_reason reasons[SITE_REASONS_MAX])
{
    int64_t days = json_member_i64(line, "certificate_days", 90);
    struct site_check check = {
        .site = (uint64_t)json_member_i64(line, "site", 0),
        .url = json_member_str(line, "url", STR("")),
        .page = number_of(json_member_str(line, "page", STR("")), page_at, SITE_PAGE_COUNT),
        .view = number_of(json_member_str(line, "view", STR("")), view_at, SITE_VIEW_COUNT),
        .time = clock_wall(&clock_real) - json_member_i64(line, "ago", 0) * NS_PER_S,
        .verdict =
            number_of(json_member_str(line, "verdict", STR("ok")), verdict_at, SITE_VERDICT_COUNT),
        .failure = number_of(json_member_str(line, "failure", STR("none")), failure_at,
                             SITE_FAILURE_COUNT),
        .is_confirmed = json_member_bool(line, "confirmed", false),
        .is_learning = json_member_bool(line, "learning", false),
        .status = 200,
        .timing = {.done = json_member_i64(line, "ms", 0) * NS_PER_MS},
        .title = json_member_str(line, "title", STR("")),
    };

    check.url_final = check.url;
    check.certificate_end = days == 0 ? 0 : check.time + days * LOOKS_DAY + NS_PER_S;
    check.body_sha256[0] = (uint8_t)json_member_i64(line, "body", 0);
    check.reasons = reasons;
    check.reason_count = read_reasons(line, &check, reasons);
    return check;
}

/* A text that begins with "~" is hidden from people. */
static size_t read_passages(const struct json_value *line, struct passage passages[LOOKS_TEXTS])
{
    const struct json_value *list = json_member(line, "text");
    size_t count = 0;

    for (const struct json_value *text = list != NULL ? list->first : NULL;
         text != NULL && count < LOOKS_TEXTS; text = text->next) {
        bool is_hidden = str_has_prefix(text->string, STR("~"));

        passages[count++] =
            (struct passage){.text = str_slice(text->string, is_hidden ? 1 : 0, text->string.len),
                             .hiding = is_hidden ? 1 : 0};
    }
    return count;
}

/* The channel does not block, as the fetching end has it: a core that is busy is waited for. */
static void send_message(int channel, const struct msg_writer *msg, int fd, unsigned count)
{
    struct pollfd room = {.fd = channel, .events = POLLOUT};
    int r = channel_send(channel, msg, &fd, count);

    while (r == -ERR_AGAIN && poll(&room, 1, LOOKS_WAIT_MS) == 1) {
        r = channel_send(channel, msg, &fd, count);
    }
    if (r < 0) {
        (void)fprintf(stderr, "looks: a look could not be sent: %s\n", err_text(r));
        exit(3);
    }
}

static void send_line(int channel, const struct json_value *line)
{
    static struct msg_writer msg;
    struct site_reason reasons[SITE_REASONS_MAX];
    struct passage passages[LOOKS_TEXTS];
    struct site_check check = read_check(line, reasons);
    struct fetch_check sent = {.site = check.site};
    size_t count = read_passages(line, passages);
    int fd = memfd_create("text", MFD_CLOEXEC);
    struct buf bytes;
    struct buf text;

    buf_init(&bytes, 1U << 16);
    buf_init(&text, PASSAGES_SIZE_MAX);
    site_check_encode(&check, &bytes);
    passages_encode(passages, count, &text);
    sent.check = buf_str(&bytes);
    sent.parts = count != 0 ? FETCH_PART_TEXT : 0;
    fetch_check_put(&msg, &sent);
    if (fd < 0 || fd_write_full(fd, text.ptr, text.len) < 0 || msg_end(&msg) < 0) {
        fail("a look could not be written");
    }
    send_message(channel, &msg, fd, count != 0 ? 1 : 0);
    close(fd);
    buf_done(&bytes);
    buf_done(&text);
}

int main(int count, char **words)
{
    static char line[1 << 16];
    struct arena *arena = NULL;
    int channel;

    if (count != 2 || arena_new(1U << 20, &arena) < 0) {
        fail("usage: looks SUPERVISOR-PID < lines");
    }
    channel = take_channel((pid_t)strtol(words[1], NULL, 10));
    while (fgets(line, sizeof(line), stdin) != NULL) {
        struct json_value *value;
        struct diag diag = {0};

        arena_reset(arena);
        if (json_parse(str_trim(str_from(line)), arena, &value, &diag) < 0) {
            fail(diag.text);
        }
        send_line(channel, value);
    }
    arena_free(arena);
    return 0;
}
