/* The detector's process: see centre/detector.h. Invariants: rights are given up before the first
 * byte of a rule or an entry is parsed; each message is answered whole, or the process ends. The
 * rules themselves are detector/rulebook.c's, entries detector/answer.c's. */
#include "centre/detector.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "centre/confine.h"
#include "centre/detector/private.h"
#include "centre/protocol.h"
#include "cli/command.h"

#include <sys/random.h>

#define MEMORY_MORE (1024ULL << 20) /* beyond what is mapped at the start */
#define FILE_LIMIT  4096

static int detector_enter(const struct detector_options *options)
{
    const struct sandbox sandbox = {
        .calls = SANDBOX_CALLS_IO,
        .memory_more = MEMORY_MORE,
        .file_limit = FILE_LIMIT,
    };

    return confine_parser("detector", options->user, &sandbox);
}

/* The bytes of rules and of lists are read while there are rights to open them. */
static int detector_prepare(struct detector *detector, const struct detector_options *options)
{
    CLEANUP(lists_texts_freep) struct lists_texts *lists = NULL;
    int r = rules_texts_read(options->rules, DETECTOR_RULES_SIZE, &detector->files);

    r = r < 0 ? r
              : rules_texts_read(options->pipelines, RULES_PIPELINES_SIZE, &detector->pipelines);

    if (getrandom(&detector->seed, sizeof(detector->seed), 0) != (ssize_t)sizeof(detector->seed)) {
        return -ERR_IO;
    }
    buf_init(&detector->state, DETECTOR_STATE_MAX);
    r = r < 0 ? r : lists_texts_new(&lists);
    if (r == 0 && options->lists != NULL) {
        lists_texts_open(lists, options->lists);
    }
    r = r < 0 ? r : detector_enter(options);
    return r < 0 ? r : detector_learn_lists(detector, lists);
}

/* What was sent to the one before and lies there still is named, if it was entries, and goes: core
 * sends all anew. */
static int detector_start(struct detector *detector)
{
    uint64_t unread = 0;
    int r = 0;

    while (r == 0) {
        r = channel_receive_within(detector->channel, 0, &detector->packet);
        if (r == 0) {
            if (detector->packet.msg.type == DETECTOR_MESSAGE_ENTRIES) {
                unread = msg_get_u64(&detector->packet.msg);
            }
            channel_packet_done(&detector->packet);
        }
    }
    msg_begin(&detector->answer, DETECTOR_MESSAGE_STARTED);
    msg_put_u64(&detector->answer, unread);
    return r == -ERR_TIMEDOUT ? channel_send(detector->channel, &detector->answer, NULL, 0) : r;
}

static int detector_ready(struct detector *detector, int supervisor)
{
    if (supervisor < 0) {
        return 0;
    }
    msg_begin(&detector->answer, CENTRE_MESSAGE_READY);
    msg_put_str(&detector->answer, STR("detector"));
    return channel_send(supervisor, &detector->answer, NULL, 0);
}

static int detector_take(struct detector *detector)
{
    switch (detector->packet.msg.type) {
    case DETECTOR_MESSAGE_CONTENT:
        return detector_take_content(detector);
    case DETECTOR_MESSAGE_STATE:
        return detector_take_state(detector);
    case DETECTOR_MESSAGE_ENTRIES:
    case DETECTOR_MESSAGE_SAVE:
    case DETECTOR_MESSAGE_CHECK:
    case DETECTOR_MESSAGE_END:
        break;
    default:
        return -ERR_PROTO;
    }
    if (detector->now.set == NULL) {
        return 0; /* it was meant for the one before: core has not heard of this one yet */
    }
    switch (detector->packet.msg.type) {
    case DETECTOR_MESSAGE_ENTRIES:
        return detector_answer(detector);
    case DETECTOR_MESSAGE_SAVE:
        return detector_save(detector);
    case DETECTOR_MESSAGE_CHECK:
        return detector_take_check(detector);
    default:
        detector->is_ending = true;
        return 0;
    }
}

static int detector_serve(struct detector *detector, int supervisor)
{
    bool is_told = false;
    int r = 0;

    while (r == 0 && !detector->is_ending) {
        r = channel_receive(detector->channel, &detector->packet);
        if (r == 0) {
            r = detector_take(detector);
            channel_packet_done(&detector->packet);
        }
        if (r == 0 && !is_told && detector->now.set != NULL) {
            is_told = true;
            r = detector_ready(detector, supervisor);
        }
    }
    return r == -ERR_PIPE ? 0 : r;
}

int detector_run(const struct detector_options *options)
{
    static struct detector detector;
    int r;

    log_init("detector", LOG_LEVEL_INFO);
    detector.channel = options->channel;
    r = detector_prepare(&detector, options);
    r = r < 0 ? r : detector_start(&detector);
    r = r < 0 ? r : detector_serve(&detector, options->supervisor);
    if (r < 0) {
        log_error("detector ends: %s", err_text(r));
    }
    screen_free(detector.screen);
    indicators_free(detector.indicators);
    detector_set_done(&detector.now);
    detector_content_done(&detector.content);
    detector_content_done(&detector.coming);
    rules_texts_free(detector.files);
    rules_texts_free(detector.pipelines);
    buf_done(&detector.state);
    mem_free(detector.fields);
    return r < 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}
