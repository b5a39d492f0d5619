/* Both ends of the channel: see centre/sifter.h. Invariants of the process: rights are given up
 * before the first message; it remembers nothing but the rule on trial, which each message brings
 * anew; a message is answered whole, or the process ends. */
#include "centre/sifter.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "centre/confine.h"
#include "centre/protocol.h"
#include "centre/sifter/private.h"
#include "cli/command.h"
#include "sys/process.h"

#define MEMORY_MORE  (512ULL << 20)
#define FILE_LIMIT   4096
#define ARENA_LIMIT  (16U << 20)
#define MESSAGE_ROOM (60U << 10)
#define OVERHEAD     16 /* of an event in a message */

/* ---- the process */

static int sifter_enter(const struct sifter_options *options)
{
    const struct sandbox sandbox = {
        .calls = SANDBOX_CALLS_IO,
        .memory_more = MEMORY_MORE,
        .file_limit = FILE_LIMIT,
    };

    return confine_parser("sifter", options->user, &sandbox);
}

static int sifter_ready(struct sift *sift, int supervisor)
{
    if (supervisor < 0) {
        return 0;
    }
    msg_begin(&sift->answer, CENTRE_MESSAGE_READY);
    msg_put_str(&sift->answer, STR("sifter"));
    return channel_send(supervisor, &sift->answer, NULL, 0);
}

static int sifter_serve(struct sift *sift)
{
    int r = 0;

    while (r == 0) {
        r = channel_receive(sift->channel, &sift->packet);
        if (r == 0) {
            process_limit_work(SIFTER_CPU_SECONDS);
            r = sift_answer(sift);
            channel_packet_done(&sift->packet);
        }
    }
    return r == -ERR_PIPE ? 0 : r;
}

int sifter_run(const struct sifter_options *options)
{
    static struct sift sift;
    int r;

    log_init("sifter", LOG_LEVEL_INFO);
    sift.channel = options->channel;
    buf_init(&sift.rule, SIFTER_RULE_MAX);
    buf_init(&sift.draft, SIFTER_DRAFT_MAX);
    r = rules_texts_read(options->pipelines, RULES_PIPELINES_SIZE, &sift.pipelines);
    r = r < 0 ? r : sifter_enter(options);
    r = r < 0 ? r : arena_new(ARENA_LIMIT, &sift.arena);
    r = r < 0 ? r : sifter_ready(&sift, options->supervisor);
    r = r < 0 ? r : sifter_serve(&sift);
    if (r < 0) {
        log_error("sifter ends: %s", err_text(r));
    }
    sift_drop_rule(&sift);
    buf_done(&sift.rule);
    buf_done(&sift.draft);
    rules_texts_free(sift.pipelines);
    arena_free(sift.arena);
    return r < 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}

/* ---- the asker's side */

void sifter_init(struct sifter *sifter, int channel)
{
    struct id fresh;

    *sifter = (struct sifter){.channel = channel};
    if (id_new(&fresh) == 0) { /* an answer to whoever asked before is no answer to us */
        memcpy(&sifter->number, fresh.bytes, sizeof(sifter->number));
    }
    buf_init(&sifter->draft, SIFTER_DRAFT_MAX);
}

void sifter_done(struct sifter *sifter)
{
    buf_done(&sifter->draft);
}

static int sifter_take(struct sifter *sifter, struct find_candidate **asked, size_t count)
{
    struct msg_reader *msg = &sifter->packet.msg;
    struct str reason = msg_get_str(msg);
    struct str title = msg_get_str(msg);
    struct str draft;
    struct str verdicts;

    sifter->level = msg_get_u32(msg);
    draft = msg_get_str(msg);
    verdicts = msg_get_str(msg);
    if (msg_close(msg) < 0) {
        return -ERR_PROTO;
    }
    if (reason.len != 0) {
        return diag_set(&sifter->diag, -ERR_SYNTAX, "%.*s", STR_ARG(reason));
    }
    (void)snprintf(sifter->title, sizeof(sifter->title), "%.*s", STR_ARG(title));
    if (verdicts.len != count) {
        return -ERR_PROTO;
    }
    for (size_t i = 0; i < count; i++) {
        bool is_open = verdicts.ptr[i] == TERMS_UNREAD;

        asked[i]->verdict = is_open                        ? TERMS_UNREAD
                            : verdicts.ptr[i] == TERMS_YES ? TERMS_YES
                                                           : TERMS_NO;
        sifter->unread += is_open;
    }
    sifter->judged += count;
    if (draft.len != 0 && sifter->draft.len == 0) {
        return buf_put_str(&sifter->draft, draft);
    }
    return 0;
}

/* The answer to the message sent last; those to earlier ones, given up, are passed over. */
static int sifter_await(struct sifter *sifter, struct find_candidate **asked, size_t count)
{
    for (;;) {
        int r = channel_receive_within(sifter->channel, SIFTER_WAIT_MS, &sifter->packet);

        if (r < 0) {
            sifter->unread += count;
            return r == -ERR_TIMEDOUT ? 0 : r;
        }
        if (sifter->packet.msg.type == SIFTER_MESSAGE_VERDICTS &&
            msg_get_u64(&sifter->packet.msg) == sifter->number) {
            r = sifter_take(sifter, asked, count);
            channel_packet_done(&sifter->packet);
            return r;
        }
        channel_packet_done(&sifter->packet);
    }
}

static void sifter_begin(struct sifter *sifter, const struct terms *terms)
{
    bool is_rule = sifter->rule.len != 0;

    msg_begin(&sifter->msg, SIFTER_MESSAGE_EVENTS);
    msg_put_u64(&sifter->msg, ++sifter->number);
    msg_put_str(&sifter->msg, is_rule ? STR("") : terms->typed);
    msg_put_str(&sifter->msg, sifter->rule);
    msg_put_str(&sifter->msg, sifter->draft_id);
}

static int sifter_send(struct sifter *sifter, struct find_candidate **asked, size_t count)
{
    int r;

    msg_put_u32(&sifter->msg, 0);
    r = msg_end(&sifter->msg);
    r = r < 0 ? r : channel_send(sifter->channel, &sifter->msg, NULL, 0);
    return r < 0 ? r : sifter_await(sifter, asked, count);
}

int sifter_judge(void *context, const struct terms *terms, struct find_candidate *candidates,
                 size_t count)
{
    struct sifter *sifter = context;
    struct find_candidate *asked[FIND_BATCH_MAX];
    size_t waiting = 0;
    int r = 0;

    sifter_begin(sifter, terms);
    for (size_t i = 0; i < count && r == 0; i++) {
        struct find_candidate *candidate = &candidates[i];
        size_t size = candidate->host.len + candidate->event.len + OVERHEAD;

        if (candidate->verdict != TERMS_UNREAD) {
            continue;
        }
        if (waiting != 0 && sifter->msg.len + size > MESSAGE_ROOM) {
            r = sifter_send(sifter, asked, waiting);
            sifter_begin(sifter, terms);
            waiting = 0;
        }
        if (sifter->msg.len + size > MSG_SIZE_MAX - OVERHEAD) {
            sifter->unread++;
            continue;
        }
        msg_put_u32(&sifter->msg, 1);
        msg_put_str(&sifter->msg, candidate->host);
        msg_put_str(&sifter->msg, candidate->event);
        asked[waiting++] = candidate;
    }
    return r < 0 || waiting == 0 ? r : sifter_send(sifter, asked, waiting);
}

int sifter_draft(struct sifter *sifter, const struct terms *terms)
{
    sifter_begin(sifter, terms);
    return sifter_send(sifter, NULL, 0);
}
