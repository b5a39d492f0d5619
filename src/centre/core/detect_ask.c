/* What people wait for: whether a text would be taken as a rule, and files of rules read anew.
 * Calls are answered from the loop alone, since each has a transaction of its own. Neighbours:
 * core/rule.c asks. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "centre/catalogue.h"
#include "centre/core/detect_private.h"

#define CALL_WAIT (20 * NS_PER_S)

static void waiting_answer(struct waiting *waiting, const struct core_detect *detect)
{
    waiting->answer.ready = detect->ready;
    waiting->is_answered = true;
    (void)loop_source_set_timer(detect->timer, 1, 0);
}

static void put_text(char *out, size_t size, struct str text)
{
    (void)snprintf(out, size, "%.*s", STR_ARG(text));
}

int detect_take_ready(struct core_detect *detect, struct msg_reader *msg)
{
    struct detect_ready ready = {.rules = msg_get_u32(msg)};
    bool was_loading = detect->phase == DETECT_PHASE_LOADING;
    uint64_t number;
    struct str why;
    int r = 0;

    ready.correlations = msg_get_u32(msg);
    ready.refused = msg_get_u32(msg);
    ready.content = msg_get_u64(msg);
    ready.version = msg_get_u64(msg);
    why = msg_get_str(msg);
    if (msg_close(msg) < 0) {
        return 0;
    }
    detect->ready = ready;
    if (why.len != 0) {
        log_error("the rules stay as they were: %.*s", STR_ARG(why));
        r = core_raise(detect->core, &(struct id){0}, SEVERITY_HIGH,
                       N_("Rules for logs were changed and could not be loaded: those from before "
                          "stay in force"),
                       &number);
    }
    log_info("rules are in force rules=%u correlations=%u refused=%u version=%016llx", ready.rules,
             ready.correlations, ready.refused, (unsigned long long)ready.version);
    for (size_t i = 0; was_loading && i < WAITING_MAX; i++) {
        struct waiting *waiting = &detect->waiting[i];

        if (waiting->call != NULL && waiting->number == 0 && !waiting->is_answered) {
            put_text(waiting->answer.why, sizeof(waiting->answer.why), why);
            waiting_answer(waiting, detect);
        }
    }
    return r == 0 && was_loading ? detect_seen_begin(detect) : r;
}

int detect_take_checked(struct core_detect *detect, struct msg_reader *msg)
{
    uint64_t number = msg_get_u64(msg);

    for (size_t i = 0; i < WAITING_MAX; i++) {
        struct waiting *waiting = &detect->waiting[i];
        struct detect_answer *answer = &waiting->answer;

        if (waiting->call == NULL || waiting->number != number || waiting->is_answered) {
            continue;
        }
        answer->count = msg_get_u32(msg);
        put_text(answer->id, sizeof(answer->id), msg_get_str(msg));
        put_text(answer->title, sizeof(answer->title), msg_get_str(msg));
        put_text(answer->why, sizeof(answer->why), msg_get_str(msg));
        answer->result = msg_close(msg);
        waiting_answer(waiting, detect);
    }
    return 0;
}

static struct waiting *waiting_add(struct core_detect *detect, struct core_call *call,
                                   core_detect_then_fn *then)
{
    for (size_t i = 0; i < WAITING_MAX; i++) {
        struct waiting *waiting = &detect->waiting[i];

        if (waiting->call == NULL) {
            *waiting =
                (struct waiting){.call = call,
                                 .then = then,
                                 .until = clock_mono(detect->core->options.clock) + CALL_WAIT};
            return waiting;
        }
    }
    return NULL;
}

static int call_go_on(struct core_call *call)
{
    struct waiting *waiting = call->state;
    int r = waiting->answer.result == -ERR_TIMEDOUT
                ? diag_set(&call->diag, -ERR_TIMEDOUT,
                           _("the process that judges logs did not answer; try again"))
                : waiting->then(call, &waiting->answer);

    waiting->call = NULL;
    return r;
}

/* From the loop only: a call has a transaction of its own. */
static void detect_on_timer(void *context)
{
    struct core_detect *detect = context;

    for (size_t i = 0; i < WAITING_MAX; i++) {
        struct waiting *waiting = &detect->waiting[i];

        if (waiting->call != NULL && waiting->is_answered) {
            waiting->call->state = waiting;
            core_call_run(waiting->call, call_go_on);
            waiting->call = NULL; /* also when its transaction could not begin */
        }
    }
}

int core_detect_check(struct core_detect *detect, struct core_call *call, struct str name,
                      struct str text, core_detect_then_fn *then)
{
    struct waiting *waiting = NULL;
    int r = -ERR_BUSY;

    if (detect != NULL && detect->phase == DETECT_PHASE_READY) {
        waiting = waiting_add(detect, call, then);
    }
    if (waiting != NULL) {
        waiting->number = ++detect->number;
        msg_begin(&detect->msg, DETECTOR_MESSAGE_CHECK);
        msg_put_u64(&detect->msg, waiting->number);
        msg_put_str(&detect->msg, name);
        msg_put_str(&detect->msg, text);
        r = detect_push(detect, &detect->msg);
    }
    if (r < 0) {
        if (waiting != NULL) {
            waiting->call = NULL;
        }
        return diag_set(&call->diag, -ERR_BUSY,
                        _("the process that judges logs is busy; try again in a few seconds"));
    }
    return CORE_LATER;
}

int core_detect_reload(struct core_detect *detect, struct core_call *call,
                       core_detect_then_fn *then)
{
    int r = -ERR_BUSY;

    if (detect != NULL && detect->phase == DETECT_PHASE_READY &&
        waiting_add(detect, call, then) != NULL) {
        r = detect_save_is_due(detect, true) ? detect_save(detect) : 0;
        r = r < 0 ? r : detect_push_empty(detect, DETECTOR_MESSAGE_END);
        detect->phase = DETECT_PHASE_AWAY;
    }
    if (r < 0) {
        if (detect != NULL) {
            detect->is_saved = false; /* it goes with the transaction */
        }
        return diag_set(&call->diag, -ERR_BUSY,
                        _("the process that judges logs is busy; try again in a few seconds"));
    }
    call->is_kept = true; /* windows */
    return CORE_LATER;
}

void core_on_detector(void *context, int fd, unsigned events)
{
    struct core *core = context;
    struct core_detect *detect = core->detect;

    (void)fd;
    (void)events;
    arena_reset(core->arena);
    if (detect_listen(detect) < 0) {
        log_warn("what the detector said could not be taken");
    }
    if (detect->is_catalogue_due && !core->is_full) {
        (void)core_batch_begin(core);
    }
}

void core_detect_tick(struct core_detect *detect)
{
    struct core *core = detect->core;
    int64_t now = clock_mono(core->options.clock);
    int64_t day = store_day(clock_wall(core->options.clock));
    bool is_due = detect_save_is_due(detect, false) || detect->is_catalogue_due;

    if (detect->is_content_due ||
        (detect->next_until != 0 && clock_wall(core->options.clock) >= detect->next_until)) {
        core_detect_renew(detect);
    }
    if (is_due && !core->is_full) {
        (void)core_batch_begin(core); /* its commit keeps them */
    }
    if (day != detect->expired && !core->is_full && core_batch_begin(core) == 0 &&
        store_rule_hits_expire(core->options.store, day - STORE_RULE_HITS_DAYS) == 0) {
        detect->expired = day;
    }
    detect_tell_tick(detect);
    for (size_t i = 0; i < WAITING_MAX; i++) {
        struct waiting *waiting = &detect->waiting[i];

        if (waiting->call != NULL && !waiting->is_answered && waiting->until < now) {
            waiting->answer.result = -ERR_TIMEDOUT;
            waiting_answer(waiting, detect);
        }
    }
}

void core_detect_ready(const struct core_detect *detect, struct detect_ready *ret_ready)
{
    *ret_ready = detect->ready;
    if (detect->phase != DETECT_PHASE_READY) {
        ret_ready->version = 0;
    }
}

/* A detector that a core before this one spoke with has seen entries that were not made durable:
 * it is replaced by one that has not. */
int detect_begin_life(struct core_detect *detect)
{
    buf_init(&detect->state, DETECTOR_STATE_MAX);
    buf_init(&detect->catalogue, CATALOGUE_SIZE_MAX);
    detect->content = (uint64_t)clock_wall(detect->core->options.clock);
    (void)detect_push_empty(detect, DETECTOR_MESSAGE_END);
    return loop_add_timer(detect->core->options.loop, detect_on_timer, detect, &detect->timer);
}

void detect_end_life(struct core_detect *detect)
{
    (void)detect_seen_forget(detect, true);
    loop_source_free(detect->timer);
    buf_done(&detect->state);
    buf_done(&detect->catalogue);
}
