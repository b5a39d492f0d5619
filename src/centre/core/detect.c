/* Entries of logs are judged before they are acknowledged. While a batch is open each entry goes to
 * the detector, and the batch is committed only when all its answers are in; what they say is
 * written in the same transaction. So an entry that is acknowledged was judged, once, whatever dies
 * in between. One message is under way while the next is filled. A detector that died is sent again
 * what it had taken; of a message that ends it twice the entry that does it is put aside
 * (detect_tear.c), and the whole of one that is not answered, counted and told. Neighbours:
 * core/ingest.c hands in, centre/detector.h, the other detect_*.c. */
#include "centre/core/detect.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "centre/core/detect_private.h"
#include "centre/core/source.h"
#include "centre/detector.h"
#include "detect/sigma/rule.h"

#include <string.h>

#define ENTRY_OVERHEAD 256 /* of lengths and numbers beside an entry's texts */
#define MESSAGE_ROOM   (MSG_SIZE_MAX - ENTRY_OVERHEAD)
#define TRIES_MAX      2
#define HIT_ARENA      (2 * MSG_SIZE_MAX)
/* One that hangs ends before, a second later than it may at the most, and what it hangs over is
 * sought as what kills it is. On a tenth of a core too: one that only starves is not to be taken
 * for one that hangs. Also for a detector that reads its rules again. */
#define ANSWER_WAIT_MS (10000 * (DETECTOR_CPU_SECONDS + 1))
#define TOLD_MAX       65536 /* pairs of rule and host that are remembered */
#define TALLY_MAX      8192  /* rules that hit in one batch */

int core_detect_new(struct core *core, uint64_t seed, struct core_detect **ret_detect)
{
    struct core_detect *detect = mem_alloc(1, sizeof(*detect));
    int r;

    if (detect == NULL) {
        return -ERR_NOMEM;
    }
    detect->core = core;
    /* above all numbers of a core before this one: late answers to it are known as such */
    detect->number = (uint64_t)clock_mono(core->options.clock);
    map_init(&detect->told, TOLD_MAX, seed);
    map_init(&detect->tally, TALLY_MAX, seed);
    list_init(&detect->seen);
    r = arena_new(HIT_ARENA, &detect->arena);
    r = r < 0 ? r : detect_begin_life(detect);
    if (r < 0) {
        core_detect_free(detect);
        return r;
    }
    *ret_detect = detect;
    return 0;
}

void core_detect_free(struct core_detect *detect)
{
    if (detect != NULL) {
        detect_end_life(detect);
        detect_tell_done(detect);
        arena_free(detect->arena);
        mem_free(detect);
    }
}

void core_detect_count(const struct core_detect *detect, struct detector_counts *ret_counts)
{
    *ret_counts = detect->counts;
}

static struct sheet *detect_filling(struct core_detect *detect)
{
    return &detect->sheets[detect->filling];
}

static int detect_raise(struct core_detect *detect, const char *title)
{
    uint64_t number;

    return core_raise(detect->core, &(struct id){0}, SEVERITY_HIGH, title, &number);
}

/* Nobody will judge these; they are in the archive. */
int detect_put_aside(struct core_detect *detect, struct sheet *sheet)
{
    log_error("entries of logs were not judged entries=%u", sheet->count);
    detect->counts.unjudged += sheet->count;
    for (uint32_t i = 0; i < sheet->count; i++) {
        core_source_unjudged(sheet->sources[i]);
    }
    if (sheet == detect_sent(detect)) {
        detect_tear_end(detect, sheet->count);
    }
    sheet->count = 0;
    return detect_raise(detect, N_("Entries of logs were not judged by the rules: the process that "
                                   "judges them did not answer"));
}

bool sheet_read(struct msg_reader *msg, struct sheet_entry *ret_entry)
{
    struct str host;

    if (msg_get_u32(msg) != 1) {
        return false;
    }
    host = msg_get_str(msg);
    (void)msg_get_str(msg);
    (void)msg_get_str(msg);
    ret_entry->path = msg_get_str(msg);
    (void)msg_get_str(msg);
    (void)msg_get_i64(msg);
    (void)msg_get_i64(msg);
    ret_entry->raw = msg_get_str(msg);
    if (host.len == sizeof(ret_entry->host.bytes)) {
        memcpy(ret_entry->host.bytes, host.ptr, host.len);
    }
    return msg->error == 0 && host.len == sizeof(ret_entry->host.bytes);
}

bool sheet_find(const struct sheet *sheet, uint32_t index, struct sheet_entry *ret_entry)
{
    struct msg_reader msg;
    bool is_there;

    msg_open(&msg, str_of((const char *)sheet->msg.bytes, sheet->msg.len));
    (void)msg_get_u64(&msg);
    do {
        is_there = sheet_read(&msg, ret_entry);
    } while (is_there && index-- != 0);
    return is_there;
}

/* Hits come in the order of the entries: an entry counts with its first. */
static void detect_count_match(struct core_detect *detect, uint32_t index)
{
    struct sheet *sheet = detect_sent(detect);

    if (index >= sheet->matched && index < sheet->count) {
        sheet->matched = index + 1;
        detect->counts.matched++;
        core_source_matched(sheet->sources[index]);
    }
}

static void hit_read(struct hit *hit, struct msg_reader *msg, struct arena *arena)
{
    uint32_t fields;

    *hit = (struct hit){.index = msg_get_u32(msg)};
    hit->id = msg_get_str(msg);
    hit->title = msg_get_str(msg);
    hit->level = msg_get_u32(msg);
    hit->tags = msg_get_str(msg);
    hit->group = msg_get_str(msg);
    hit->time = msg_get_i64(msg);
    fields = msg_get_u32(msg);
    for (uint32_t i = 0; i < fields && i < DETECTOR_FIELDS_MAX; i++) {
        struct str name = msg_get_str(msg);
        struct str value = msg_get_str(msg);

        hit_add_reason(hit, STR("log_field"),
                       arena_printf(arena, "%.*s: %.*s", STR_ARG(name), STR_ARG(value)));
    }
}

static void detect_count_faults(const struct sheet *sheet, struct str faults)
{
    for (uint32_t i = 0; i < sheet->count && i / 8 < faults.len; i++) {
        if (((uint8_t)faults.ptr[i / 8] & 1U << i % 8) != 0) {
            core_source_faulty(sheet->sources[i]);
        }
    }
}

static int detect_take_hits(struct core_detect *detect, struct msg_reader *msg)
{
    struct sheet *sheet = detect_sent(detect);
    uint64_t number = msg_get_u64(msg);
    bool is_late = sheet->count == 0 || number != sheet->number;
    uint32_t judged;
    uint32_t lead;
    bool is_last;
    int r = 0;

    while (r == 0 && (lead = msg_get_u32(msg)) != 0 && lead <= 2) {
        struct sheet_entry entry;
        struct hit hit;

        if (lead == 2) {
            r = detect_take_kept(detect, msg, !is_late);
            continue;
        }
        arena_reset(detect->arena);
        hit_read(&hit, msg, detect->arena);
        if (!is_late && msg->error == 0 && sheet_find(sheet, hit.index, &entry)) {
            detect_count_match(detect, hit.index);
            r = detect_take_hit(detect, &hit, &entry);
        }
    }
    is_last = msg_get_u32(msg) == 1;
    (void)msg_get_u32(msg);
    if (r == 0 && is_last && detect->phase == DETECT_PHASE_SEEING) {
        return detect_seen_next(detect, number);
    }
    if (r == 0 && !is_late && is_last) {
        detect->counts.judged += sheet->count;
        detect->counts.faulty += msg_get_u32(msg);
        detect_count_faults(sheet, msg_get_str(msg));
        detect_seen_add(detect, sheet);
        judged = sheet->count;
        sheet->count = 0;
        r = detect_tear_on(detect, judged);
    }
    return r;
}

int detect_send(struct core_detect *detect, struct sheet *sheet)
{
    sheet->tries++;
    detect->sent_at = clock_mono(detect->core->options.clock);
    return channel_send(detect->core->options.channels.detector, &sheet->msg, NULL, 0) < 0
               ? detect_put_aside(detect, sheet)
               : 0;
}

/* Of a torn message's parts it is known that one of them does it. */
int detect_go_on(struct core_detect *detect)
{
    struct sheet *sheet = detect_sent(detect);
    unsigned most = detect_is_torn(detect) && sheet->count > 1 ? 1 : TRIES_MAX;

    if (sheet->count == 0) {
        return 0;
    }
    if (sheet->tries != 0) {
        detect_tear_charge(detect);
    }
    return sheet->tries < most ? detect_send(detect, sheet) : detect_tear(detect);
}

static int detect_take(struct core_detect *detect, struct msg_reader *msg)
{
    struct sheet *sheet = detect_sent(detect);

    detect->is_silent = false;
    if (msg->type == DETECTOR_MESSAGE_STARTED) {
        if (sheet->count != 0 && sheet->tries != 0 && msg_get_u64(msg) == sheet->number) {
            sheet->tries--; /* it did not end the one before: that never read it */
        }
        return detect_started(detect);
    }
    if (detect->phase == DETECT_PHASE_AWAY) {
        return 0; /* one that is about to end, or spoke to a core before this one */
    }
    switch (msg->type) {
    case DETECTOR_MESSAGE_HITS:
        return detect_take_hits(detect, msg);
    case DETECTOR_MESSAGE_READY:
        return detect_take_ready(detect, msg);
    case DETECTOR_MESSAGE_STATE:
        return detect_take_state(detect, msg);
    case DETECTOR_MESSAGE_CATALOGUE:
        return detect_take_catalogue(detect, msg);
    case DETECTOR_MESSAGE_CHECKED:
        return detect_take_checked(detect, msg);
    default:
        return 0;
    }
}

int detect_receive(struct core_detect *detect, int wait_ms)
{
    int r =
        channel_receive_within(detect->core->options.channels.detector, wait_ms, &detect->packet);

    if (r == 0) {
        r = detect_take(detect, &detect->packet.msg);
        channel_packet_done(&detect->packet);
    }
    return r;
}

/* Until it is ready for entries, or is silent. */
static int detect_await_ready(struct core_detect *detect)
{
    int r = 0;

    while (r == 0 && detect->phase != DETECT_PHASE_READY && !detect->is_silent) {
        r = detect_receive(detect, ANSWER_WAIT_MS);
        if (r == -ERR_TIMEDOUT || r == -ERR_PIPE) {
            detect->is_silent = true;
            r = 0;
        }
    }
    return r;
}

int detect_await(struct core_detect *detect)
{
    int r = 0;

    while (r == 0 && detect_sent(detect)->count != 0) {
        r = detect_receive(detect, ANSWER_WAIT_MS);
        if (r == -ERR_TIMEDOUT || r == -ERR_PIPE) {
            detect->is_silent = true;
            r = detect_put_aside(detect, detect_sent(detect));
        }
    }
    return r;
}

/* What it has said while nothing was under way. Before something is sent, or the word of one that
 * has started would be taken for that of one after it. */
int detect_listen(struct core_detect *detect)
{
    int r = 0;

    while (r == 0) {
        r = detect_receive(detect, 0);
    }
    return r == -ERR_TIMEDOUT || r == -ERR_PIPE || r == -ERR_AGAIN ? 0 : r;
}

/* Sends what was filled, and begins the next. */
static int detect_turn(struct core_detect *detect)
{
    struct sheet *sheet = detect_filling(detect);
    int r = detect_await(detect);

    r = r < 0 ? r : detect_listen(detect);
    r = r < 0 ? r : detect_await_ready(detect);
    if (r < 0) {
        return r;
    }
    msg_put_u32(&sheet->msg, 0);
    detect->filling = 1 - detect->filling;
    if (detect->is_silent) {
        return detect_put_aside(detect, sheet);
    }
    return msg_end(&sheet->msg) < 0 ? detect_put_aside(detect, sheet) : detect_send(detect, sheet);
}

void sheet_begin(struct sheet *sheet, uint64_t number)
{
    sheet->number = number;
    sheet->tries = 0;
    sheet->matched = 0;
    msg_begin(&sheet->msg, DETECTOR_MESSAGE_ENTRIES);
    msg_put_u64(&sheet->msg, sheet->number);
}

static struct str event_text(const struct event *event, enum event_field_id id)
{
    const struct event_field *field = event_find(event, id);

    return field != NULL ? field->text : STR("");
}

/* What goes wrong between core and the detector is no fault of an entry: it is told as not judged,
 * and stays. */
static int detect_bear(struct core_detect *detect, int error)
{
    int r;

    if (error >= 0 || core_is_store_failure(error)) {
        return error;
    }
    log_error("the detector could not be asked error=%s", err_name(error));
    r = detect_sent(detect)->count != 0 ? detect_put_aside(detect, detect_sent(detect)) : 0;
    return r < 0 || detect_filling(detect)->count == 0
               ? r
               : detect_put_aside(detect, detect_filling(detect));
}

int core_detect_put(struct core_detect *detect, const struct core_host *host,
                    const struct event *event, int64_t time)
{
    struct str format = event_text(event, EVENT_FIELD_EVENT_MODULE);
    struct str path = event_text(event, EVENT_FIELD_LOG_FILE_PATH);
    struct str head = event_text(event, EVENT_FIELD_LOG_HEAD);
    struct str raw = event_text(event, EVENT_FIELD_EVENT_ORIGINAL);
    struct str name = str_from(host->name != NULL ? host->name : "");
    struct sheet *sheet = detect_filling(detect);
    int r = 0;

    detect->counts.entries++;
    if (sheet->count == DETECTOR_ENTRIES_MAX ||
        (sheet->count != 0 &&
         sheet->msg.len + name.len + format.len + path.len + head.len + raw.len + ENTRY_OVERHEAD >
             MESSAGE_ROOM)) {
        r = detect_bear(detect, detect_turn(detect));
        sheet = detect_filling(detect);
    }
    if (sheet->count == 0) {
        sheet_begin(sheet, ++detect->number);
    }
    sheet->sources[sheet->count++] = core_source_of(detect->core, host, event);
    msg_put_u32(&sheet->msg, 1);
    msg_put_str(&sheet->msg, str_of((const char *)host->id.bytes, sizeof(host->id.bytes)));
    msg_put_str(&sheet->msg, name);
    msg_put_str(&sheet->msg, format);
    msg_put_str(&sheet->msg, path);
    msg_put_str(&sheet->msg, head);
    msg_put_i64(&sheet->msg, clock_wall(detect->core->options.clock));
    msg_put_i64(&sheet->msg, time);
    msg_put_str(&sheet->msg, raw);
    return r;
}

int core_detect_settle(struct core_detect *detect)
{
    int r = detect_filling(detect)->count != 0 ? detect_turn(detect) : 0;

    r = detect_bear(detect, r < 0 ? r : detect_await(detect));
    r = r < 0 ? r : detect_keep(detect);
    return r < 0 ? r : detect_tally_write(detect);
}

void core_detect_forget(struct core_detect *detect)
{
    bool is_under_way = detect_sent(detect)->count != 0;

    detect->sheets[0].count = detect->sheets[1].count = detect->torn.count = 0;
    detect_tally_forget(detect);
    if (detect_seen_forget(detect, false) || is_under_way) {
        detect_replace(detect);
    }
}
