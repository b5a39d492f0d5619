/* The detector's process: see centre/detector.h. Invariants: rights are given up before the first
 * byte of a rule or an entry is parsed; each message is answered whole, or the process ends. */
#include "centre/detector.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "centre/detector/private.h"
#include "centre/protocol.h"
#include "centre/rules.h"
#include "cli/command.h"
#include "detect/sigma/pack.h"
#include "sys/sandbox.h"

#include <pwd.h>
#include <sys/random.h>

#define MEMORY_MORE (1024ULL << 20) /* beyond what is mapped at the start */
#define FILE_LIMIT  4096

static int detector_enter(const struct detector_options *options)
{
    struct diag diag = {0};
    const struct sandbox sandbox = {
        .user = options->user == NULL || getpwnam(options->user) != NULL ? options->user : "nobody",
        .calls = SANDBOX_CALLS_IO,
        .memory_more = MEMORY_MORE,
        .file_limit = FILE_LIMIT,
    };
    unsigned missing = 0;
    int r = sandbox_enter(&sandbox, &missing, &diag);

    if (r < 0) {
        log_error("detector: %s", diag_text(&diag, r));
    } else if (missing != 0) {
        log_warn("this kernel lacks part of the sandbox missing=%u", missing);
    }
    return r;
}

static void detector_tell_refusals(const struct sigma_set *set)
{
    size_t refused = 0;

    for (size_t i = 0; i < set->refusal_count; i++) {
        const struct sigma_refusal *refusal = &set->refusals[i];

        if (!refusal->is_warning && refused++ == 0) {
            log_warn("a rule was refused file=%.*s line=%u reason=%.*s", STR_ARG(refusal->file),
                     refusal->line, STR_ARG(refusal->reason));
        }
    }
    if (refused > 1) {
        log_warn("%zu rules were refused in all: canhgac rules check names them", refused);
    }
}

static int detector_learn(struct detector *detector, const struct rules_texts *texts)
{
    struct diag diag = {0};
    int r = sigma_loader_new(false, &detector->loader);

    r = r < 0 ? r : sigma_pack_load(detector->loader);
    r = r < 0 ? r : rules_texts_load(texts, detector->loader);
    r = r < 0 ? r : sigma_loader_finish(detector->loader, &detector->set);
    if (r < 0) {
        return r;
    }
    detector_tell_refusals(detector->set);
    r = sigma_engine_new(detector->set, &detector->engine, &diag);
    if (r < 0) {
        log_error("detector: %s", diag_text(&diag, r));
        return r;
    }
    r = sigma_matcher_new(detector->engine, &detector->matcher);
    r = r < 0 ? r
              : sigma_correlator_new(detector->set, sigma_engine_names(detector->engine),
                                     &(struct sigma_correlator_options){.seed = detector->seed},
                                     &detector->correlator);
    return r < 0 ? r : log_reading_init(&detector->reading, sigma_engine_names(detector->engine));
}

/* The bytes of rules and of lists are read while there are rights to open them. */
static int detector_prepare(struct detector *detector, const struct detector_options *options)
{
    CLEANUP(rules_texts_freep) struct rules_texts *texts = NULL;
    CLEANUP(lists_texts_freep) struct lists_texts *lists = NULL;
    struct diag diag = {0};
    int r = rules_texts_new(DETECTOR_RULES_SIZE, &texts);

    if (getrandom(&detector->seed, sizeof(detector->seed), 0) != (ssize_t)sizeof(detector->seed)) {
        return -ERR_IO;
    }
    for (size_t i = 0; r == 0 && options->rules != NULL && i < options->rules->count; i++) {
        if (rules_texts_add(texts, options->rules->items[i], &diag) < 0) {
            log_warn("%s", diag.text);
        }
    }
    r = r < 0 ? r : lists_texts_new(&lists);
    if (r == 0 && options->lists != NULL) {
        lists_texts_open(lists, options->lists);
    }
    r = r < 0 ? r : detector_enter(options);
    r = r < 0 ? r : detector_learn_lists(detector, lists);
    return r < 0 ? r : detector_learn(detector, texts);
}

static int detector_greet(struct detector *detector)
{
    size_t refused = 0;

    for (size_t i = 0; i < detector->set->refusal_count; i++) {
        refused += detector->set->refusals[i].is_warning ? 0U : 1U;
    }
    log_info("rules=%zu correlations=%zu refused=%zu", detector->set->rule_count,
             detector->set->correlation_count, refused);
    msg_begin(&detector->answer, DETECTOR_MESSAGE_READY);
    msg_put_u32(&detector->answer, (uint32_t)detector->set->rule_count);
    msg_put_u32(&detector->answer, (uint32_t)detector->set->correlation_count);
    msg_put_u32(&detector->answer, (uint32_t)refused);
    msg_put_u64(&detector->answer, detector->set->version);
    return channel_send(detector->channel, &detector->answer, NULL, 0);
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

static int detector_serve(struct detector *detector)
{
    int r = 0;

    while (r == 0) {
        r = channel_receive(detector->channel, &detector->packet);
        if (r == 0) {
            r = detector_answer(detector);
            channel_packet_done(&detector->packet);
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
    r = r < 0 ? r : detector_greet(&detector);
    r = r < 0 ? r : detector_ready(&detector, options->supervisor);
    r = r < 0 ? r : detector_serve(&detector);
    if (r < 0) {
        log_error("detector ends: %s", err_text(r));
    }
    log_reading_done(&detector.reading);
    sigma_correlator_free(detector.correlator);
    sigma_matcher_free(detector.matcher);
    sigma_engine_free(detector.engine);
    sigma_loader_free(detector.loader);
    return r < 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}
