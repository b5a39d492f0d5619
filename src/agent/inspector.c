/* The inspector's process and both ends of its messages.
 * Invariants: the model is made, and rights are given up, before the first byte of a file is read;
 * one question at a time, each with its own limit of processor time, past which the kernel ends the
 * process; what it answers is checked as hostile. */
#include "agent/inspector.h"

#include "agent/protocol.h"
#include "agent/scanner.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/utf8.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/process.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define INSPECTOR_NICE   10 /* nobody waits for it */
#define INSPECTOR_MEMORY (64ULL << 20)
#define INSPECTOR_CPU_S  2
#define ARENA_SIZE       (256U << 10)
#define NAME_MAX_BYTES   256U
#define RULED_FROM       1.0 /* weight in webshell_rules.def */
#define TAG_SIZE         5
#define HALF             (WEBSHELL_LIMIT / 2)

/* From an offset on, so many bytes at most. */
static int inspector_feed(struct webshell *shell, int fd, off_t at, size_t most)
{
    static char room[256 << 10];

    while (most != 0) {
        ssize_t n = pread(fd, room, most < sizeof(room) ? most : sizeof(room), at);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? -errno : 0;
        }
        webshell_feed(shell, str_of(room, (size_t)n));
        at += n;
        most -= (size_t)n;
    }
    return 0;
}

/* Where PHP's long tag stands first; 0: nowhere, or at the beginning. */
static off_t inspector_find_tag(int fd)
{
    static char room[256 << 10];
    off_t at = 0;

    while (at < (off_t)WEBSHELL_LIMIT) {
        ssize_t n = pread(fd, room, sizeof(room), at);
        struct str seen = str_of(room, n > 0 ? (size_t)n : 0);

        for (size_t i = 0; i + TAG_SIZE <= seen.len; i++) {
            if (seen.ptr[i] == '<' &&
                str_is_nocase(str_slice(seen, i, i + TAG_SIZE), STR("<?php"))) {
                return at + (off_t)i;
            }
        }
        if (seen.len < TAG_SIZE) {
            break;
        }
        at += (off_t)(seen.len - TAG_SIZE + 1);
    }
    return 0;
}

static int inspector_judge_from(struct webshell *shell, int fd, off_t from, struct str name,
                                struct arena *arena, struct webshell_verdict *ret_verdict)
{
    struct stat info;
    bool is_partial;
    int r;

    if (fstat(fd, &info) < 0) {
        return -errno;
    }
    is_partial = info.st_size - from > (off_t)WEBSHELL_LIMIT;
    webshell_begin(shell, name);
    r = inspector_feed(shell, fd, from, is_partial ? HALF : WEBSHELL_LIMIT);
    if (r == 0 && is_partial) {
        r = inspector_feed(shell, fd, info.st_size - (off_t)HALF, HALF);
    }
    if (r == 0) {
        r = webshell_end(shell, arena, ret_verdict);
        ret_verdict->is_partial = is_partial;
    }
    return r;
}

int inspector_judge(struct webshell *shell, int fd, struct str name, struct arena *arena,
                    struct webshell_verdict *ret_verdict)
{
    return inspector_judge_from(shell, fd, 0, name, arena, ret_verdict);
}

/* What stands before the first tag may look like code to whoever takes short tags for such, and
 * hide or dilute what follows: so it is judged with and without. The second is graver, or the first
 * stands. */
static int inspector_judge_twice(struct webshell *shell, int fd, struct str name,
                                 struct arena *arena, struct webshell_verdict *ret_verdict)
{
    struct webshell_verdict second = {0};
    off_t from;
    int r = inspector_judge_from(shell, fd, 0, name, arena, ret_verdict);

    if (r < 0 || ret_verdict->outcome == WEBSHELL_OUTCOME_WEBSHELL) {
        return r;
    }
    from = inspector_find_tag(fd);
    if (from == 0) {
        return 0;
    }
    r = inspector_judge_from(shell, fd, from, name, arena, &second);
    if (r == 0 && (second.outcome > ret_verdict->outcome || second.rules > ret_verdict->rules)) {
        *ret_verdict = second;
    }
    return r;
}

static int inspector_answer(struct webshell *shell, struct arena *arena, int channel,
                            struct channel_packet *packet)
{
    static struct msg_writer answer;
    CLEANUP(closep) int fd = channel_packet_take(packet, 0);
    struct webshell_verdict verdict = {0};
    uint64_t question = msg_get_u64(&packet->msg);
    struct str name = msg_get_str(&packet->msg);
    bool has_reason;
    int r;

    if (msg_close(&packet->msg) < 0 || packet->msg.type != AGENT_MESSAGE_INSPECT || fd < 0) {
        return -ERR_PROTO;
    }
    arena_reset(arena);
    process_limit_work(INSPECTOR_CPU_S + 1);
    r = inspector_judge_twice(shell, fd, name, arena, &verdict);
    has_reason = r == 0 && verdict.reason_count != 0;
    msg_begin(&answer, AGENT_MESSAGE_INSPECTED);
    msg_put_u64(&answer, question);
    msg_put_i64(&answer, r);
    msg_put_u32(&answer, verdict.outcome);
    msg_put_u32(&answer, verdict.language);
    msg_put_u32(&answer, verdict.rules >= RULED_FROM);
    msg_put_i64(&answer, (int64_t)(verdict.score * 1000));
    msg_put_str(&answer, has_reason ? str_from(verdict.reasons[0].rule) : STR(""));
    msg_put_u32(&answer, has_reason ? verdict.reasons[0].line : 0);
    msg_put_str(&answer, has_reason ? verdict.reasons[0].snippet : STR(""));
    r = msg_end(&answer);
    return r < 0 ? r : channel_send(channel, &answer, NULL, 0);
}

int inspector_run(int channel)
{
    static struct channel_packet packet;
    CLEANUP(webshell_freep) struct webshell *shell = NULL;
    CLEANUP(arena_freep) struct arena *arena = NULL;
    int r;

    (void)!process_set_nice(INSPECTOR_NICE);
    r = webshell_new(&shell);
    r = r == 0 ? arena_new(ARENA_SIZE, &arena) : r;
    if (r < 0) {
        log_error("inspector: the model of webshells: %s", err_text(r));
        return 3;
    }
    r = scanner_enter("inspector", INSPECTOR_MEMORY);
    while (r == 0 && (r = channel_receive(channel, &packet)) == 0) {
        r = inspector_answer(shell, arena, channel, &packet);
        channel_packet_done(&packet);
    }
    return r == -ERR_PIPE ? 0 : 3;
}

int inspector_ask(int channel, uint64_t question, struct str path, int fd)
{
    static struct msg_writer msg;
    size_t from = path.len > NAME_MAX_BYTES ? path.len - NAME_MAX_BYTES : 0;
    int r;

    msg_begin(&msg, AGENT_MESSAGE_INSPECT);
    msg_put_u64(&msg, question);
    msg_put_str(&msg, str_slice(path, from, path.len));
    r = msg_end(&msg);
    return r < 0 ? r : channel_send(channel, &msg, &fd, 1);
}

int inspector_read(struct msg_reader *msg, struct inspection *ret_inspection)
{
    struct inspection told = {.question = msg_get_u64(msg), .result = (int)msg_get_i64(msg)};
    uint32_t outcome = msg_get_u32(msg);
    uint32_t language = msg_get_u32(msg);
    uint32_t is_ruled = msg_get_u32(msg);
    int64_t score = msg_get_i64(msg);
    struct str rule = msg_get_str(msg);
    uint32_t line = msg_get_u32(msg);
    struct str snippet = msg_get_str(msg);

    if (msg->type != AGENT_MESSAGE_INSPECTED || msg_close(msg) < 0 || told.result > 0 ||
        outcome >= WEBSHELL_OUTCOME_COUNT || language >= WEBSHELL_LANGUAGE_COUNT ||
        rule.len >= sizeof(told.rule) || snippet.len >= sizeof(told.snippet)) {
        return -ERR_PROTO;
    }
    snippet.len = utf8_valid_prefix(snippet);
    told.outcome = (enum webshell_outcome)outcome;
    told.language = (enum webshell_language)language;
    told.is_ruled = is_ruled != 0;
    told.score = (double)score / 1000;
    told.line = line;
    (void)snprintf(told.rule, sizeof(told.rule), "%.*s", STR_ARG(rule));
    (void)snprintf(told.snippet, sizeof(told.snippet), "%.*s", STR_ARG(snippet));
    if (webshell_rule_text(told.rule) == NULL) {
        told.rule[0] = '\0';
    }
    *ret_inspection = told;
    return 0;
}
