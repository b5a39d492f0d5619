/* The scanner's process and the sensor's side of its channel.
 * On its way: shield/look.c → scan_ask → (channel) → scanner_run → scan.c.
 * Invariants: rights are given up before the first byte of a file is read; one question at a time,
 * each with its own limit of processor time, past which the kernel ends the process. */
#include "agent/scanner.h"

#include "agent/protocol.h"
#include "agent/scan.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/process.h"
#include "sys/sandbox.h"

#include <pwd.h>
#include <stdatomic.h>

#define MEMORY_MORE  (512ULL << 20) /* beyond what is mapped at the start */
#define FILE_LIMIT   64
#define SCANNER_NICE (-15)
#define CPU_SECONDS  2
#define SCANNER_USER "canhgac-scanner"

int scanner_enter(const char *name, uint64_t memory_more)
{
    struct diag diag = {0};
    struct sandbox sandbox = {
        .user = getpwnam(SCANNER_USER) != NULL ? SCANNER_USER : "nobody",
        .calls = SANDBOX_CALLS_IO,
        .memory_more = memory_more,
        .file_limit = FILE_LIMIT,
    };
    unsigned missing = 0;
    int r = sandbox_enter(&sandbox, &missing, &diag);

    if (r < 0) {
        log_write(LOG_LEVEL_ERROR, "%s: %s", name, diag_text(&diag, r));
    }
    return r;
}

static int scanner_answer(struct scan *scan, int channel, struct channel_packet *packet)
{
    static struct msg_writer answer;
    CLEANUP(closep) int now_fd = channel_packet_take(packet, 0);
    CLEANUP(closep) int before_fd = channel_packet_take(packet, 1);
    char name[SCAN_NAME_SIZE] = "";
    char name_before[SCAN_NAME_SIZE];
    uint64_t question = msg_get_u64(&packet->msg);
    enum content_format now = CONTENT_FORMAT_UNASKED;
    enum content_format before = CONTENT_FORMAT_UNASKED;
    int r = msg_close(&packet->msg);

    if (r < 0 || packet->msg.type != AGENT_MESSAGE_SCAN || now_fd < 0) {
        return -ERR_PROTO;
    }
    process_limit_work(CPU_SECONDS + 1);
    now = scan_file(scan, now_fd, name);
    if (before_fd >= 0) {
        before = scan_file(scan, before_fd, name_before);
    }
    msg_begin(&answer, AGENT_MESSAGE_SCANNED);
    msg_put_u64(&answer, question);
    msg_put_u32(&answer, now);
    msg_put_u32(&answer, before);
    msg_put_str(&answer, str_from(name));
    r = msg_end(&answer);
    return r < 0 ? r : channel_send(channel, &answer, NULL, 0);
}

static int scanner_serve(struct scan *scan, int channel)
{
    static struct channel_packet packet;
    int r;

    for (;;) {
        r = channel_receive(channel, &packet);
        if (r < 0) {
            return r == -ERR_PIPE ? 0 : r;
        }
        r = scanner_answer(scan, channel, &packet);
        channel_packet_done(&packet);
        if (r < 0) {
            return r == -ERR_PIPE ? 0 : r;
        }
    }
}

int scanner_run(int channel)
{
    struct scan scan = {0};
    int r;

    /* Archives carry times: the zone must be known before its file can no longer be opened. */
    (void)setenv("TZ", "UTC0", 1);
    tzset();
    (void)!process_set_nice(SCANNER_NICE); /* openers wait for its word */
    r = scan_open(&scan);
    if (r < 0) {
        log_write(LOG_LEVEL_ERROR, "scanner: the data base of libmagic: %s", err_text(r));
        return 3;
    }
    r = scanner_enter("scanner", MEMORY_MORE);
    if (r == 0) {
        r = scanner_serve(&scan, channel);
    }
    scan_close(&scan);
    return r == 0 ? 0 : 3;
}

static int scan_read_answer(struct channel_packet *packet, uint64_t question,
                            struct scan_verdict *ret_verdict)
{
    uint64_t answered = msg_get_u64(&packet->msg);
    uint32_t now = msg_get_u32(&packet->msg);
    uint32_t before = msg_get_u32(&packet->msg);
    struct str name = msg_get_str(&packet->msg);

    if (packet->msg.type != AGENT_MESSAGE_SCANNED || msg_close(&packet->msg) < 0 ||
        now >= CONTENT_FORMAT_COUNT || before >= CONTENT_FORMAT_COUNT) {
        return -ERR_PROTO;
    }
    if (answered != question) {
        return -ERR_AGAIN; /* the late answer to a question that was given up */
    }
    ret_verdict->now = now;
    ret_verdict->before = before;
    snprintf(ret_verdict->format_name, sizeof(ret_verdict->format_name), "%.*s", STR_ARG(name));
    return 0;
}

int scan_ask(int channel, int now_fd, int before_fd, int timeout_ms,
             struct scan_verdict *ret_verdict)
{
    static _Atomic uint64_t last_question;
    static _Thread_local struct msg_writer msg;
    static _Thread_local struct channel_packet packet;
    int64_t deadline = clock_mono(&clock_real) + (int64_t)timeout_ms * NS_PER_MS;
    uint64_t question = atomic_fetch_add(&last_question, 1) + 1;
    int fds[2] = {now_fd, before_fd};
    int r;

    *ret_verdict =
        (struct scan_verdict){.now = CONTENT_FORMAT_UNASKED, .before = CONTENT_FORMAT_UNASKED};
    msg_begin(&msg, AGENT_MESSAGE_SCAN);
    msg_put_u64(&msg, question);
    r = channel_send(channel, &msg, fds, before_fd >= 0 ? 2 : 1);
    while (r == 0) {
        int64_t left = deadline - clock_mono(&clock_real);

        r = channel_receive_within(channel, left > 0 ? (int)(left / NS_PER_MS) : 0, &packet);
        if (r < 0) {
            break;
        }
        r = scan_read_answer(&packet, question, ret_verdict);
        channel_packet_done(&packet);
        if (r == 0) {
            return 0;
        }
        r = r == -ERR_AGAIN ? 0 : r;
    }
    return r;
}
