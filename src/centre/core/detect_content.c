/* What the detector is given beside entries, and what it gives back: rules of the console's, what
 * correlations remember, and answers for people. Windows are kept in the transaction of the entries
 * that are in them; entries that came after are kept at hand and shown to a detector that takes the
 * place of one that died, and what it says of those is not told again. So neither loses a window
 * when a detector ends, however it ends; when core itself is killed, what was judged after windows
 * were kept last (SAVE_PAUSE, and a second for each MiB of them) is missing in them. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "centre/catalogue.h"
#include "centre/core/detect_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define STATE_NAME     "detector"
#define SAVE_PAUSE     NS_PER_S
#define SAVE_RATE      (1U << 20) /* bytes a second that are written for windows */
#define SAVE_WAIT_MS   2000
#define PUSH_WAIT_MS   2000
#define SEEN_MAX       (16U << 20) /* bytes of entries kept at hand */
#define SEEINGS_MAX    2
#define CALL_WAIT      (20 * NS_PER_S)
#define PIECE_OVERHEAD 64

/* ---- sending ---- */

int detect_push(struct core_detect *detect, const struct msg_writer *msg)
{
    int channel = detect->core->options.channels.detector;
    struct pollfd wait = {.fd = channel, .events = POLLOUT};
    int r = channel_send(channel, msg, NULL, 0);

    while (r == -ERR_AGAIN) {
        int ready = poll(&wait, 1, PUSH_WAIT_MS);

        if (ready == 0 || (ready < 0 && errno != EINTR)) {
            return -ERR_TIMEDOUT;
        }
        r = channel_send(channel, msg, NULL, 0);
    }
    return r;
}

static int push_empty(struct core_detect *detect, enum detector_message type)
{
    msg_begin(&detect->msg, (uint16_t)type);
    return detect_push(detect, &detect->msg);
}

static int push_state(struct core_detect *detect, struct arena *arena)
{
    struct str bytes;
    int r = store_log_state_get(detect->core->options.store, STATE_NAME, arena, &bytes);

    if (r < 0) {
        return r == -ERR_NOENT ? 0 : r;
    }
    detect->state_size = bytes.len;
    while (r == 0 && bytes.len != 0) {
        struct str piece = str_slice(bytes, 0, DETECTOR_PIECE);

        bytes = str_slice(bytes, piece.len, bytes.len);
        msg_begin(&detect->msg, DETECTOR_MESSAGE_STATE);
        msg_put_u32(&detect->msg, bytes.len == 0 ? 1 : 0);
        msg_put_str(&detect->msg, piece);
        r = detect_push(detect, &detect->msg);
    }
    return r;
}

static int content_end_piece(struct core_detect *detect, bool is_last)
{
    if (!is_last) {
        msg_put_u32(&detect->msg, 0);
        msg_put_u32(&detect->msg, 0);
    }
    msg_put_u32(&detect->msg, is_last ? 1 : 0);
    return detect_push(detect, &detect->msg);
}

static void content_begin_piece(struct core_detect *detect)
{
    msg_begin(&detect->msg, DETECTOR_MESSAGE_CONTENT);
    msg_put_u64(&detect->msg, detect->content);
}

static bool document_counts(struct core_detect *detect, const struct store_document *document)
{
    int64_t now = clock_wall(detect->core->options.clock);

    if (!document->is_on || (document->until != 0 && document->until <= now)) {
        return false;
    }
    if (document->until != 0 && (detect->next_until == 0 || document->until < detect->next_until)) {
        detect->next_until = document->until;
    }
    return true;
}

static int push_texts(struct core_detect *detect, const struct store_document *documents,
                      size_t count, struct arena *arena)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct store_document *document = &documents[i];
        struct str name;

        if (document->kind == RULE_DOCUMENT_OFF || !document_counts(detect, document)) {
            continue;
        }
        name = arena_printf(arena, DETECTOR_OWN_PREFIX "%.*s", STR_ARG(document->id));
        if (detect->msg.len + name.len + document->text.len + PIECE_OVERHEAD > MSG_SIZE_MAX) {
            r = content_end_piece(detect, false);
            content_begin_piece(detect);
        }
        msg_put_u32(&detect->msg, 1);
        msg_put_str(&detect->msg, name);
        msg_put_str(&detect->msg, document->text);
    }
    return r;
}

static int push_off(struct core_detect *detect, const struct store_document *documents,
                    size_t count)
{
    uint32_t off = 0;
    int r = content_end_piece(detect, false); /* ids stand in a piece of their own */

    content_begin_piece(detect);
    for (size_t i = 0; i < count; i++) {
        off += documents[i].kind == RULE_DOCUMENT_OFF && documents[i].is_on ? 1U : 0U;
    }
    msg_put_u32(&detect->msg, 0);
    msg_put_u32(&detect->msg, off);
    for (size_t i = 0; i < count; i++) {
        if (documents[i].kind == RULE_DOCUMENT_OFF && documents[i].is_on) {
            msg_put_str(&detect->msg, documents[i].id);
        }
    }
    return r < 0 ? r : content_end_piece(detect, true);
}

/* Each content has a version of its own, also when only time has passed. */
static int push_content(struct core_detect *detect, struct arena *arena)
{
    struct store *store = detect->core->options.store;
    struct store_document *documents;
    size_t count;
    int r = store_document_list(store, true, arena, &documents, &count);

    if (r < 0) {
        return r;
    }
    detect->is_content_due = false;
    detect->next_until = 0;
    detect->content++;
    content_begin_piece(detect);
    r = push_texts(detect, documents, count, arena);
    return r < 0 ? r : push_off(detect, documents, count);
}

/* A failure to reach it is no failure of the batch: it is silent then, until it speaks. */
static int detect_lost(struct core_detect *detect, int r)
{
    if (r == -ERR_TIMEDOUT || r == -ERR_PIPE || r == -ERR_LIMIT) {
        log_error("the detector could not be told its rules error=%s", err_name(r));
        detect->is_silent = true;
        detect->phase = DETECT_PHASE_AWAY;
        return 0;
    }
    return r;
}

int detect_started(struct core_detect *detect)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    int r = arena_new(2 * DETECTOR_STATE_MAX, &arena);

    detect->phase = DETECT_PHASE_LOADING;
    detect->is_saving = false;
    detect->seeing = NULL;
    detect->is_catalogue_coming = false;
    buf_reset(&detect->state);
    r = r < 0 ? r : push_state(detect, arena);
    r = r < 0 ? r : push_content(detect, arena);
    return detect_lost(detect, r);
}

/* ---- what must be seen again ---- */

void detect_seen_add(struct core_detect *detect, const struct sheet *sheet)
{
    struct seen *seen = mem_alloc(1, sizeof(*seen) + sheet->msg.len);

    detect->is_unsaved = true;
    if (seen == NULL) {
        detect->forgotten += sheet->count;
        return;
    }
    *seen = (struct seen){.number = sheet->number, .count = sheet->count, .len = sheet->msg.len};
    memcpy(seen->bytes, sheet->msg.bytes, sheet->msg.len);
    list_append(&detect->seen, &seen->node);
    detect->seen_bytes += seen->len;
    while (detect->seen_bytes > SEEN_MAX) {
        struct seen *oldest = LIST_ENTRY(detect->seen.next, struct seen, node);

        detect->forgotten += oldest->count;
        detect->seen_bytes -= oldest->len;
        list_remove(&oldest->node);
        mem_free(oldest);
    }
}

static void seen_drop(struct core_detect *detect, struct seen *seen)
{
    detect->seen_bytes -= seen->len;
    list_remove(&seen->node);
    mem_free(seen);
}

bool detect_seen_forget(struct core_detect *detect, bool is_all)
{
    bool is_any = false;

    LIST_EACH (node, &detect->seen) {
        struct seen *seen = LIST_ENTRY(node, struct seen, node);

        if (is_all || !seen->is_committed) {
            is_any = true;
            seen_drop(detect, seen);
        }
    }
    detect->is_saved = false;
    return is_any;
}

void detect_replace(struct core_detect *detect)
{
    if (detect->phase != DETECT_PHASE_AWAY && push_empty(detect, DETECTOR_MESSAGE_END) < 0) {
        detect->is_silent = true;
    }
    detect->phase = DETECT_PHASE_AWAY;
}

static int seen_show(struct core_detect *detect, struct list *node)
{
    const struct seen *seen = LIST_ENTRY(node, struct seen, node);

    detect->seeing = node;
    detect->msg.error = 0;
    detect->msg.len = seen->len;
    memcpy(detect->msg.bytes, seen->bytes, seen->len);
    return detect_lost(detect, detect_push(detect, &detect->msg));
}

static int seen_done(struct core_detect *detect)
{
    if (detect->forgotten != 0) {
        log_warn("windows of correlations lack entries that found no room entries=%llu",
                 (unsigned long long)detect->forgotten);
        detect->forgotten = 0;
    }
    detect->seeings = 0;
    detect->seeing = NULL;
    detect->phase = DETECT_PHASE_READY;
    return detect_go_on(detect);
}

int detect_seen_next(struct core_detect *detect, uint64_t number)
{
    struct list *next;

    if (detect->seeing == NULL || number != LIST_ENTRY(detect->seeing, struct seen, node)->number) {
        return 0;
    }
    next = detect->seeing->next;
    return next != &detect->seen ? seen_show(detect, next) : seen_done(detect);
}

static int seen_begin(struct core_detect *detect)
{
    if (list_is_empty(&detect->seen)) {
        return seen_done(detect);
    }
    if (++detect->seeings > SEEINGS_MAX) { /* it dies of what others lived through */
        log_error("windows of correlations are not made whole: the detector dies of it");
        (void)detect_seen_forget(detect, true);
        return seen_done(detect);
    }
    detect->phase = DETECT_PHASE_SEEING;
    return seen_show(detect, detect->seen.next);
}

/* ---- what it says ---- */

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
    struct str why;

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
    return was_loading ? seen_begin(detect) : 0;
}

int detect_take_catalogue(struct core_detect *detect, struct msg_reader *msg)
{
    bool is_last = msg_get_u32(msg) == 1;

    if (!detect->is_catalogue_coming) { /* of a newer one */
        buf_reset(&detect->catalogue);
        detect->is_catalogue_due = false;
    }
    detect->is_catalogue_coming = !is_last;
    (void)buf_put_str(&detect->catalogue, msg_get_str(msg));
    detect->is_catalogue_due = is_last && msg->error == 0 && buf_error(&detect->catalogue) == 0;
    return 0;
}

int detect_take_state(struct core_detect *detect, struct msg_reader *msg)
{
    bool is_last = msg_get_u32(msg) == 1;

    if (!detect->is_saving) {
        return 0;
    }
    (void)buf_put_str(&detect->state, msg_get_str(msg));
    detect->is_saving = !is_last;
    return 0;
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

/* ---- what is kept ---- */

static bool save_is_due(const struct core_detect *detect, bool is_now)
{
    int64_t pause = SAVE_PAUSE + (int64_t)(detect->state_size / SAVE_RATE) * NS_PER_S;

    return detect->phase == DETECT_PHASE_READY && detect->is_unsaved && !detect->is_silent &&
           (is_now || clock_mono(detect->core->options.clock) - detect->saved >= pause);
}

static int save(struct core_detect *detect)
{
    int r;

    buf_reset(&detect->state);
    detect->is_saving = true;
    r = push_empty(detect, DETECTOR_MESSAGE_SAVE);
    while (r == 0 && detect->is_saving) {
        r = detect_receive(detect, SAVE_WAIT_MS);
    }
    detect->is_saving = false;
    detect->saved = clock_mono(detect->core->options.clock);
    if (r == -ERR_TIMEDOUT || r == -ERR_PIPE || detect->phase != DETECT_PHASE_READY) {
        return 0; /* it has died, or will be found silent */
    }
    if (r < 0 || buf_error(&detect->state) < 0 || detect->state.len == 0) {
        log_warn("windows of correlations are too many to be kept");
        return r;
    }
    r = store_log_state_put(detect->core->options.store, STATE_NAME, buf_str(&detect->state));
    detect->state_size = detect->state.len;
    detect->is_saved = r == 0;
    detect->saved_number = detect->number;
    return r;
}

static int keep_catalogue(struct core_detect *detect)
{
    int r = 0;

    if (detect->is_catalogue_due) {
        r = store_log_state_put(detect->core->options.store, CATALOGUE_STATE,
                                buf_str(&detect->catalogue));
        detect->is_catalogue_due = r < 0;
        detect->core->changed |= CENTRE_CHANGED_RULES;
    }
    return r;
}

int detect_keep(struct core_detect *detect)
{
    int r = save_is_due(detect, false) ? save(detect) : 0;

    return r < 0 ? r : keep_catalogue(detect);
}

void core_detect_committed(struct core_detect *detect)
{
    LIST_EACH (node, &detect->seen) {
        struct seen *seen = LIST_ENTRY(node, struct seen, node);

        seen->is_committed = true;
        if (detect->is_saved && seen->number <= detect->saved_number) {
            seen_drop(detect, seen);
        }
    }
    if (detect->is_saved) {
        detect->is_unsaved = !list_is_empty(&detect->seen);
        detect->forgotten = 0;
    }
    detect->is_saved = false;
}

/* ---- people ---- */

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
        r = save_is_due(detect, true) ? save(detect) : 0;
        r = r < 0 ? r : push_empty(detect, DETECTOR_MESSAGE_END);
        detect->phase = DETECT_PHASE_AWAY;
    }
    if (r < 0) {
        return diag_set(&call->diag, -ERR_BUSY,
                        _("the process that judges logs is busy; try again in a few seconds"));
    }
    call->is_kept = true; /* windows */
    return CORE_LATER;
}

void core_detect_renew(struct core_detect *detect)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    int r;

    detect->is_content_due = true;
    if (detect->phase != DETECT_PHASE_READY || detect->is_silent ||
        detect_sent(detect)->count != 0) {
        return; /* it is sent all when it starts, or on the next tick */
    }
    r = arena_new(2 * DETECTOR_STATE_MAX, &arena);
    r = r < 0 ? r : push_content(detect, arena);
    r = detect_lost(detect, r);
    if (r < 0) {
        log_warn("rules that were changed could not be read: %s", err_text(r));
        detect->is_content_due = true;
    }
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
    bool is_due = save_is_due(detect, false) || detect->is_catalogue_due;

    if (detect->is_content_due ||
        (detect->next_until != 0 && clock_wall(core->options.clock) >= detect->next_until)) {
        core_detect_renew(detect);
    }
    if (is_due && !core->is_full) {
        (void)core_batch_begin(core); /* its commit keeps them */
    }
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
    (void)push_empty(detect, DETECTOR_MESSAGE_END);
    return loop_add_timer(detect->core->options.loop, detect_on_timer, detect, &detect->timer);
}

void detect_end_life(struct core_detect *detect)
{
    (void)detect_seen_forget(detect, true);
    loop_source_free(detect->timer);
    buf_done(&detect->state);
    buf_done(&detect->catalogue);
}
