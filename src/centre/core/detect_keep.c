/* What correlations remember, over the death of the detector and of core. Windows are kept in the
 * transaction of the entries that are in them; entries that came after are kept at hand and shown
 * to a detector that takes the place of one that died, and what it says of those is not told again.
 * So neither loses a window when a detector ends, however it ends; when core itself is killed, what
 * was judged after windows were kept last (SAVE_PAUSE, and a second for each MiB of them) is
 * missing in them. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "centre/catalogue.h"
#include "centre/core/detect_private.h"
#include "store/log_states.h"

#include <string.h>

#define STATE_NAME   STR("detector")
#define SAVE_PAUSE   NS_PER_S
#define SAVE_RATE    (1U << 20) /* bytes a second that are written for windows */
#define SAVE_WAIT_MS 2000
#define SEEN_MAX     (16U << 20) /* bytes of entries kept at hand */
#define SEEINGS_MAX  2

int detect_push_state(struct core_detect *detect, struct arena *arena)
{
    struct store_log_state state;
    int r = store_log_state_get(detect->core->options.store, STATE_NAME, arena, &state);
    struct str bytes;

    if (r < 0) {
        return r == -ERR_NOENT ? 0 : r;
    }
    bytes = state.body;
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
    detect->is_catalogue_due = detect->catalogue.len != 0 && !detect->is_catalogue_coming;
    return is_any;
}

void detect_replace(struct core_detect *detect)
{
    if (detect->phase != DETECT_PHASE_AWAY && detect_push_empty(detect, DETECTOR_MESSAGE_END) < 0) {
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

int detect_seen_begin(struct core_detect *detect)
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

/* ---- keeping ---- */

bool detect_save_is_due(const struct core_detect *detect, bool is_now)
{
    int64_t pause = SAVE_PAUSE + (int64_t)(detect->state_size / SAVE_RATE) * NS_PER_S;

    return detect->phase == DETECT_PHASE_READY && detect->is_unsaved && !detect->is_silent &&
           (is_now || clock_mono(detect->core->options.clock) - detect->saved >= pause);
}

int detect_save(struct core_detect *detect)
{
    int r;

    detect->saves++;
    r = detect_push_empty(detect, DETECTOR_MESSAGE_SAVE);
    while (r == 0 && detect->saves != 0) {
        r = detect_receive(detect, SAVE_WAIT_MS);
    }
    detect->saved = clock_mono(detect->core->options.clock);
    if (r == -ERR_TIMEDOUT || r == -ERR_PIPE) {
        detect->is_silent = true; /* until it speaks: or each tick would wait for it */
        return 0;
    }
    if (r == 0 && detect->phase != DETECT_PHASE_READY) {
        return 0; /* it has died meanwhile */
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

    if (!detect->is_state_coming) {
        buf_reset(&detect->state);
    }
    detect->is_state_coming = !is_last;
    (void)buf_put_str(&detect->state, msg_get_str(msg));
    if (is_last && detect->saves != 0) {
        detect->saves--; /* one that was not waited for until its end is not the next one's */
    }
    return 0;
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
    int r = detect_save_is_due(detect, false) ? detect_save(detect) : 0;

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
