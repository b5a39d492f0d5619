/* What the detector is given beside entries: windows that were kept, and what people have added to
 * the files of rules. Neighbours: detect.c hears that it has started, detect_keep.c keeps windows.
 */
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

#define PUSH_WAIT_MS   2000
#define PIECE_OVERHEAD 64
#define OFF_PIECE      128 /* ids of rules that are off, in one piece */

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

int detect_push_empty(struct core_detect *detect, enum detector_message type)
{
    msg_begin(&detect->msg, (uint16_t)type);
    return detect_push(detect, &detect->msg);
}

/* More will come. */
static int content_end_piece(struct core_detect *detect)
{
    msg_put_u32(&detect->msg, 0);
    msg_put_u32(&detect->msg, 0);
    msg_put_u32(&detect->msg, 0);
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
            r = content_end_piece(detect);
            content_begin_piece(detect);
        }
        msg_put_u32(&detect->msg, 1);
        msg_put_str(&detect->msg, name);
        msg_put_str(&detect->msg, document->text);
    }
    return r;
}

/* Ids stand in pieces of their own, each led by how many there are. */
static int push_off(struct core_detect *detect, const struct store_document *documents,
                    size_t count)
{
    int r = content_end_piece(detect);
    size_t at = 0;

    while (r == 0) {
        const struct str *ids[OFF_PIECE];
        uint32_t off = 0;

        for (; at < count && off < OFF_PIECE; at++) {
            if (documents[at].kind == RULE_DOCUMENT_OFF && documents[at].is_on) {
                ids[off++] = &documents[at].id;
            }
        }
        content_begin_piece(detect);
        msg_put_u32(&detect->msg, 0);
        msg_put_u32(&detect->msg, off);
        for (uint32_t i = 0; i < off; i++) {
            msg_put_str(&detect->msg, *ids[i]);
        }
        msg_put_u32(&detect->msg, at == count ? 1 : 0);
        r = detect_push(detect, &detect->msg);
        if (at == count) {
            break;
        }
    }
    return r;
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
int detect_lost(struct core_detect *detect, int r)
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
    detect->saves = 0;
    detect->is_state_coming = false;
    detect->seeing = NULL;
    detect->is_catalogue_coming = false;
    r = r < 0 ? r : detect_push_state(detect, arena);
    r = r < 0 ? r : push_content(detect, arena);
    return detect_lost(detect, r);
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
