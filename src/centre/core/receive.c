/* Batches from the receiver become events of senders. How far they were taken is written in the
 * transaction of their entries, so that a batch that comes again after a death of core is known;
 * and the receiver forgets a batch only when it is told that it is durable. An entry's sequence,
 * by which the archive knows it again, is (epoch of the receiver's life, count): an epoch is made
 * durable before its first entry, so that entries of two lives never get the same. Lives are
 * rationed, for a receiver in other hands could use epochs up; one whose counts come near their end
 * is followed by another. Neighbours: centre/receiver.c before, core/sender.c, core/detect.c and
 * store/ behind. */
#include "centre/core/receive.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "centre/core/detect.h"
#include "centre/core/private.h"
#include "centre/core/recent.h"
#include "centre/core/sender.h"
#include "centre/core/source.h"
#include "centre/core/taken.h"
#include "codec/cbor.h"
#include "store/log_states.h"

#include <sys/random.h>

#define STATE_NAME     STR("receiver")
#define STATE_MAX      64
#define STATE_MEMBERS  4
#define EPOCH_SHIFT    40 /* so many bits count the entries of one sender in one epoch */
#define EPOCH_MAX      (INT64_MAX >> EPOCH_SHIFT)
#define EPOCH_SPARE    (1ULL << 24)    /* numbers left when another begins: many commits' entries */
#define LIFE_PAUSE     (60 * NS_PER_S) /* in which one more life of the receiver is taken up … */
#define LIFE_FREE      16              /* … beside so many */
#define LOSS_PAUSE     (60 * NS_PER_S) /* between two findings of it */
#define BATCHES_COMMIT 16              /* about a MiB; or the batch's time is over */
#define ENTRIES_MAX    (MSG_SIZE_MAX / 16) /* of a batch: each has seven members */

/* How far the receiver's batches were taken. */
struct reach {
    uint64_t life;
    uint64_t number;
    uint64_t epoch;
};

struct core_receive {
    struct core *core;
    struct senders *senders;
    struct core_taken *posts;
    uint64_t seed; /* of the hashes of their entries, and of lines */
    struct recent recent;
    struct reach durable;
    struct reach pending; /* with the open transaction */
    bool is_telling;      /* the receiver what it is to know before it is greeted */
    bool is_greeting_due;
    bool is_durable_due;
    bool is_epoch_due; /* a sender's count comes near its end */
    bool is_lives_told;
    int64_t life_due; /* monotonic; how far lives have used up their ration */
    bool is_stopped;  /* something came to nothing: batches are passed over until it is greeted */
    unsigned batches; /* in the open transaction */
    uint64_t taken;
    uint64_t taken_pending;
    uint64_t refused;
    uint64_t again;         /* lines that a receiver before this one had taken … */
    uint64_t again_pending; /* … with the open transaction */
    uint64_t poison;        /* a batch of this life of which the store would not take … */
    uint8_t poison_entries[ENTRIES_MAX / 8]; /* … these: a bit for each */
    uint64_t dropped_told;                   /* of this life */
    int64_t loss_told;                       /* monotonic */
    struct receiver_counts before;           /* of lives that are over */
    struct receiver_counts counted;          /* of this one */
    struct msg_writer msg;
    struct channel_packet packet;
};

/* One as it came. */
struct received {
    uint32_t marks; /* enum receiver_mark */
    struct str via;
    struct str host;
    struct str format;
    struct str source;
    int64_t arrival;
    int64_t time; /* that it says itself; 0: none */
    uint64_t post;
    uint64_t hash;
    struct str raw;
    char arrival_text[TIME_TEXT_SIZE];
};

static int receive_load(struct core_receive *receive)
{
    struct core *core = receive->core;
    struct store_log_state state;
    struct cbor_reader reader;
    struct reach reach;
    uint64_t seed = receive->seed;
    uint64_t members;
    int r;

    arena_reset(core->arena);
    r = store_log_state_get(core->options.store, STATE_NAME, core->arena, &state);
    if (r < 0) {
        return r == -ERR_NOENT ? 0 : r;
    }
    cbor_open(&reader, state.body);
    members = cbor_get_array(&reader);
    if (members != STATE_MEMBERS && members != STATE_MEMBERS - 1) { /* once it had no seed */
        return -ERR_CORRUPT;
    }
    reach.life = cbor_get_u64(&reader);
    reach.number = cbor_get_u64(&reader);
    reach.epoch = cbor_get_u64(&reader);
    if (members == STATE_MEMBERS) {
        seed = cbor_get_u64(&reader);
    }
    r = cbor_close(&reader);
    if (r == 0) {
        receive->durable = receive->pending = reach;
        receive->seed = seed;
    }
    return r;
}

static int receive_save(struct core_receive *receive)
{
    CLEANUP(buf_done) struct buf buf;
    int r;

    buf_init(&buf, STATE_MAX);
    cbor_put_array(&buf, STATE_MEMBERS);
    cbor_put_u64(&buf, receive->pending.life);
    cbor_put_u64(&buf, receive->pending.number);
    cbor_put_u64(&buf, receive->pending.epoch);
    cbor_put_u64(&buf, receive->seed);
    r = buf_error(&buf);
    return r < 0 ? r : store_log_state_put(receive->core->options.store, STATE_NAME, buf_str(&buf));
}

static void receive_greet(struct core_receive *receive)
{
    msg_begin(&receive->msg, RECEIVER_MESSAGE_GREETED);
    msg_put_u64(&receive->msg, receive->durable.life);
    msg_put_u64(&receive->msg, receive->durable.number);
    receive->is_greeting_due =
        channel_send(receive->core->options.channels.receiver, &receive->msg, NULL, 0) < 0;
    receive->is_stopped = receive->is_greeting_due;
    receive->is_durable_due = false;
}

/* One that has just started takes posts only when it knows those that were taken before it. */
static void receive_tell_posts(struct core_receive *receive)
{
    struct core *core = receive->core;
    int r = core_taken_tell(receive->posts, receive->seed);

    receive->is_telling = r < 0;
    if (core->channel_sources[4] != NULL) {
        (void)loop_source_set_events(core->channel_sources[4],
                                     LOOP_READ | (r == -ERR_AGAIN ? LOOP_WRITE : 0U));
    }
    if (r == 0) {
        receive_greet(receive);
    } else if (r != -ERR_AGAIN) {
        log_warn("the receiver could not be told of posts error=%s", err_name(r));
    }
}

static void receive_tell_durable(struct core_receive *receive)
{
    msg_begin(&receive->msg, RECEIVER_MESSAGE_DURABLE);
    msg_put_u64(&receive->msg, receive->durable.number);
    receive->is_durable_due =
        channel_send(receive->core->options.channels.receiver, &receive->msg, NULL, 0) < 0;
}

/* All that came before is committed; then an epoch for what comes behind that batch is made
 * durable. */
static int receive_begin_epoch(struct core_receive *receive, uint64_t life, uint64_t number)
{
    struct core *core = receive->core;
    int r = core_batch_commit(core);

    if (r < 0) {
        return r;
    }
    if (receive->durable.epoch >= EPOCH_MAX) {
        log_error("no numbers are left for received entries epoch=%llu",
                  (unsigned long long)receive->durable.epoch);
        return -ERR_LIMIT;
    }
    r = core_batch_begin(core);
    if (r == 0) {
        receive->pending =
            (struct reach){.life = life, .number = number, .epoch = receive->durable.epoch + 1};
        receive->poison = 0;
        receive->is_epoch_due = false;
        r = receive_save(receive);
    }
    if (r < 0) {
        core_fail(core, r);
        return r;
    }
    return core_batch_commit(core);
}

static void receive_tell_lives(struct core_receive *receive)
{
    uint64_t number;
    int r;

    if (receive->is_lives_told || receive->core->is_full) {
        return;
    }
    log_warn("the receiver of logs starts over and over: it must wait");
    receive->is_lives_told = true;
    r = core_raise(receive->core, &(struct id){0}, SEVERITY_HIGH,
                   N_("The process that receives logs starts over and over: what it takes is kept "
                      "only once a minute; look at the centre's own log"),
                   &number);
    if (r < 0) {
        core_fail(receive->core, r);
    }
}

/* Whether one more life of the receiver is taken up now. */
static bool receive_has_life(struct core_receive *receive)
{
    int64_t now = clock_mono(receive->core->options.clock);
    int64_t due = receive->life_due > now ? receive->life_due : now;

    if (due - now > (LIFE_FREE - 1) * LIFE_PAUSE) {
        receive_tell_lives(receive);
        return false;
    }
    receive->life_due = due + LIFE_PAUSE;
    return true;
}

static void receive_hello(struct core_receive *receive, uint64_t life)
{
    if (receive->is_telling && life == receive->durable.life) {
        return; /* it asked twice; what it is being told is the answer */
    }
    if (life != receive->durable.life) {
        for (size_t i = 0; i < RECEIVER_COUNT_NOW; i++) {
            receive->before.of[i] += receive->counted.of[i];
        }
        receive->counted = (struct receiver_counts){0};
        receive->dropped_told = 0;
        if (receive->core->is_full || !receive_has_life(receive) ||
            receive_begin_epoch(receive, life, 0) < 0) {
            receive->is_stopped = true; /* the greeting of another life makes it say HELLO again */
            return;
        }
        recent_begin(&receive->recent, clock_mono(receive->core->options.clock));
    }
    core_taken_begin(receive->posts, life);
    receive_tell_posts(receive);
}

/* The sender's clock may be wrong and its words may be anybody's: its time is believed only near
 * the arrival. */
static bool received_is_timely(const struct core *core, const struct received *received)
{
    int64_t ahead;

    return received->time != 0 &&
           !__builtin_sub_overflow(received->time, received->arrival, &ahead) &&
           ahead <= core->options.log_ahead && ahead >= -core->options.log_behind;
}

/* Thousands of entries may say the same time, which searches could not tell apart: within the
 * second, or the millisecond of those that say more than a second, they lie as they arrived. */
static int64_t received_time(const struct received *received)
{
    int64_t time = received->time;
    int64_t spread = time % NS_PER_S == 0 ? NS_PER_S : NS_PER_MS;

    return time - time % spread + received->arrival % spread;
}

/* An event with the time of its arrival beside its own is of its own time. */
static void received_fill(const struct core *core, struct received *received, struct event *event)
{
    bool is_timely = received_is_timely(core, received);
    bool is_doubted = !is_timely && received->time != 0;

    event_init(event, EVENT_KIND_LOG, is_timely ? received_time(received) : received->arrival);
    (void)event_add_text(event, EVENT_FIELD_EVENT_ORIGINAL, received->raw);
    (void)event_add_text(event, EVENT_FIELD_EVENT_MODULE, received->format);
    (void)event_add_text(event, EVENT_FIELD_LOG_FILE_PATH, received->source);
    (void)event_add_text(event, EVENT_FIELD_LOG_FLAGS,
                         (received->marks & RECEIVER_MARK_CUT) != 0
                             ? is_doubted ? STR("truncated wrong_time") : STR("truncated")
                         : is_doubted ? STR("wrong_time")
                                      : STR(""));
    if (is_timely) {
        time_format_utc(received->arrival, received->arrival_text);
        (void)event_add_text(event, EVENT_FIELD_EVENT_INGESTED, str_from(received->arrival_text));
    }
}

static uint64_t receive_sequence(struct core_receive *receive, const struct core_host *host)
{
    uint64_t least = receive->pending.epoch << EPOCH_SHIFT;
    uint64_t sequence = host->pending < least ? least : host->pending + 1;

    receive->is_epoch_due |= sequence >> EPOCH_SHIFT == receive->pending.epoch &&
                             sequence - least > (1ULL << EPOCH_SHIFT) - EPOCH_SPARE;
    return sequence;
}

static void receive_advance(struct core *core, struct core_host *host, uint64_t sequence)
{
    host->pending = sequence;
    if (!host->is_dirty) {
        host->is_dirty = true;
        list_append(&core->dirty, &host->dirty_node);
    }
}

/* Of what is no syslog the judge reads the time; a line of syslog may lack zone and year, and was
 * read with its arrival at hand. */
static int64_t received_judged(const struct core *core, const struct received *received)
{
    if (!str_is_text(received->format, "syslog")) {
        return 0;
    }
    return received_is_timely(core, received) ? received->time : received->arrival;
}

/* A sender of a stream whose receiver died sends its last lines again. */
static bool receive_is_again(struct core_receive *receive, const struct received *received)
{
    if ((received->marks & RECEIVER_MARK_ONCE) == 0) {
        return false;
    }
    if (recent_has(&receive->recent, received->hash, clock_mono(receive->core->options.clock))) {
        receive->again_pending++;
        return true;
    }
    recent_add(&receive->recent, received->hash);
    return false;
}

static int receive_entry(struct core_receive *receive, struct received *received)
{
    struct core *core = receive->core;
    struct core_host *host = NULL;
    struct event event;
    uint64_t sequence;
    int r = senders_find(receive->senders, received->via, received->host, &host);

    if (r < 0) {
        return r;
    }
    sequence = receive_sequence(receive, host);
    received_fill(core, received, &event);
    r = archive_add(core->options.archive, &host->id, sequence, &event);
    r = r == -ERR_EXIST ? 0 : r;
    r = r < 0 ? r : core_source_count(core, host, &event);
    r = r == 0 && core->detect != NULL
            ? core_detect_put(core->detect, host, &event, received_judged(core, received))
            : r;
    if (r < 0) {
        return r;
    }
    receive_advance(core, host, sequence);
    core->counted.events++;
    core->batch_records++;
    receive->taken_pending++;
    return 0;
}

/* It keeps its sequence: those behind it may be in the archive under theirs already. */
static int receive_pass_over(struct core_receive *receive, struct received *received)
{
    struct core_host *host = NULL;
    struct event event;
    uint64_t sequence;
    int r = senders_find(receive->senders, received->via, received->host, &host);

    receive->refused++;
    if (r < 0) {
        return core_is_store_failure(r) ? r : 0; /* its sender may be what is not taken */
    }
    sequence = receive_sequence(receive, host);
    if (sequence <= INT64_MAX) { /* the store's numbers end there */
        receive_advance(receive->core, host, sequence);
    }
    received_fill(receive->core, received, &event);
    return core_source_dropped(receive->core, host, &event);
}

static bool receive_is_poison(const struct core_receive *receive, uint64_t number, uint32_t entry)
{
    return receive->poison == number && entry < ENTRIES_MAX &&
           (receive->poison_entries[entry / 8] & 1U << entry % 8) != 0;
}

static void receive_set_poison(struct core_receive *receive, uint64_t number, uint32_t entry)
{
    if (receive->poison != number) {
        receive->poison = number;
        memset(receive->poison_entries, 0, sizeof(receive->poison_entries));
    }
    if (entry < ENTRIES_MAX) {
        receive->poison_entries[entry / 8] |= (uint8_t)(1U << entry % 8);
    }
}

static void received_read(struct received *received, struct msg_reader *msg)
{
    received->via = msg_get_str(msg);
    received->host = msg_get_str(msg);
    received->format = msg_get_str(msg);
    received->source = msg_get_str(msg);
    received->arrival = msg_get_i64(msg);
    received->time = msg_get_i64(msg);
    if ((received->marks & RECEIVER_MARK_POSTED) != 0) {
        received->post = msg_get_u64(msg);
    }
    if ((received->marks & (RECEIVER_MARK_POSTED | RECEIVER_MARK_ONCE)) != 0) {
        received->hash = msg_get_u64(msg);
    }
    received->raw = msg_get_str(msg);
}

/* One that the store will not take for what it is must not hold up the others for ever: the
 * transaction is spoilt, all is sent again, and that one is passed over then. */
static int receive_entries(struct core_receive *receive, struct msg_reader *msg, uint64_t number)
{
    struct received received;
    int r = 0;

    for (uint32_t i = 0; r == 0 && (received.marks = msg_get_u32(msg)) != 0; i++) {
        if (received.marks == RECEIVER_MARK_TOLD) {
            r = core_taken_forget(receive->posts, msg_get_u64(msg));
            continue;
        }
        received_read(&received, msg);
        if (msg->error < 0) {
            return 0; /* the receiver is in other hands: what could be read was taken */
        }
        if (receive_is_poison(receive, number, i)) {
            r = receive_pass_over(receive, &received);
        } else if (!receive_is_again(receive, &received)) {
            r = receive_entry(receive, &received);
            if (r < 0 && !core_is_store_failure(r)) {
                receive_set_poison(receive, number, i);
            }
        }
        if (r == 0 && (received.marks & RECEIVER_MARK_POSTED) != 0) {
            r = core_taken_add(receive->posts, received.post, received.hash);
        }
    }
    return r;
}

static void receive_batch(struct core_receive *receive, struct msg_reader *msg)
{
    struct core *core = receive->core;
    uint64_t life = msg_get_u64(msg);
    uint64_t number = msg_get_u64(msg);
    int r;

    if (msg->error < 0 || receive->is_stopped || life != receive->pending.life ||
        number != receive->pending.number + 1) {
        receive->is_durable_due = true; /* it may not have heard so */
        return;
    }
    if (core->is_full) {
        receive->is_stopped = true;
        return;
    }
    r = receive->is_epoch_due ? receive_begin_epoch(receive, life, number - 1) : 0;
    r = r < 0 ? r : core_batch_begin(core);
    r = r < 0 ? r : receive_entries(receive, msg, number);
    if (r < 0) {
        core_fail(core, r);
        return;
    }
    receive->pending.number = number;
    if (++receive->batches >= BATCHES_COMMIT) {
        (void)core_batch_commit(core);
    }
}

/* What was lost is lost; that it was must not be. */
static void receive_tell_loss(struct core_receive *receive)
{
    struct core *core = receive->core;
    int64_t now = clock_mono(core->options.clock);
    uint64_t number;
    int r;

    if (receive->counted.of[RECEIVER_COUNT_DROPPED] <= receive->dropped_told || core->is_full ||
        (receive->loss_told != 0 && now - receive->loss_told < LOSS_PAUSE)) {
        return;
    }
    receive->dropped_told = receive->counted.of[RECEIVER_COUNT_DROPPED];
    receive->loss_told = now;
    r = core_raise(core, &(struct id){0}, SEVERITY_HIGH,
                   N_("Logs were lost: datagrams of syslog found no room, neither in memory nor on "
                      "the disk; let their senders use TCP or TLS"),
                   &number);
    if (r < 0) {
        core_fail(core, r);
    }
}

static void receive_counts(struct core_receive *receive, struct msg_reader *msg)
{
    if (msg_get_u32(msg) != RECEIVER_COUNT_COUNT) {
        return;
    }
    for (size_t i = 0; i < RECEIVER_COUNT_COUNT; i++) {
        receive->counted.of[i] = msg_get_u64(msg);
    }
    receive_tell_loss(receive);
}

void core_on_receiver(void *context, int fd, unsigned events)
{
    struct core *core = context;
    struct core_receive *receive = core->receive;
    struct msg_reader *msg = &receive->packet.msg;

    if (receive->is_telling && (events & LOOP_WRITE) != 0) {
        receive_tell_posts(receive);
    }
    if ((events & LOOP_READ) == 0 || channel_receive(fd, &receive->packet) < 0) {
        return;
    }
    if (msg->type == RECEIVER_MESSAGE_HELLO) {
        receive_hello(receive, msg_get_u64(msg));
    } else if (msg->type == RECEIVER_MESSAGE_ENTRIES) {
        receive_batch(receive, msg);
    } else if (msg->type == RECEIVER_MESSAGE_COUNTS) {
        receive_counts(receive, msg);
    }
    channel_packet_done(&receive->packet);
}

int core_receive_write(struct core_receive *receive)
{
    int r = core_taken_write(receive->posts);

    return r == 0 && receive->pending.number != receive->durable.number ? receive_save(receive) : r;
}

void core_receive_commit(struct core_receive *receive)
{
    bool is_new = receive->pending.number != receive->durable.number &&
                  receive->pending.life == receive->durable.life;

    receive->durable = receive->pending;
    receive->batches = 0;
    receive->taken += receive->taken_pending;
    receive->taken_pending = 0;
    receive->again += receive->again_pending;
    receive->again_pending = 0;
    recent_commit(&receive->recent);
    senders_commit(receive->senders);
    if (is_new || receive->is_durable_due) {
        receive_tell_durable(receive);
    }
}

void core_receive_forget(struct core_receive *receive)
{
    receive->pending = receive->durable;
    receive->batches = 0;
    receive->taken_pending = 0;
    receive->is_stopped = true;
    receive->is_epoch_due = false; /* what comes again keeps its numbers */
    receive->again_pending = 0;
    core_taken_reset(receive->posts);
    recent_forget(&receive->recent);
    senders_forget(receive->senders);
}

void core_receive_tick(struct core_receive *receive)
{
    if (receive->is_telling) {
        receive_tell_posts(receive);
    } else if (receive->is_stopped && !receive->core->is_full) {
        receive_greet(receive);
    } else if (receive->is_durable_due && !receive->core->is_batch) {
        receive_tell_durable(receive);
    }
}

void core_receive_expire(struct core_receive *receive, int64_t before)
{
    senders_expire(receive->senders, before);
}

void core_receive_count(const struct core_receive *receive, struct core_receive_counts *ret_counts)
{
    for (size_t i = 0; i < RECEIVER_COUNT_COUNT; i++) { /* of what is now, no life has left any */
        ret_counts->receiver.of[i] = receive->counted.of[i] + receive->before.of[i];
    }
    ret_counts->taken = receive->taken;
    ret_counts->refused = receive->refused;
    ret_counts->again = receive->again;
    ret_counts->merged = senders_merged(receive->senders);
    ret_counts->lapsed = senders_lapsed(receive->senders);
}

int core_receive_new(struct core *core, uint64_t seed, struct core_receive **ret_receive)
{
    struct core_receive *receive = mem_alloc(1, sizeof(*receive));
    int r;

    if (receive == NULL) {
        return -ERR_NOMEM;
    }
    receive->core = core;
    r = getrandom(&receive->seed, sizeof(receive->seed), 0) == (ssize_t)sizeof(receive->seed)
            ? 0
            : -ERR_IO;
    r = r < 0 ? r : receive_load(receive);
    r = r < 0 ? r : core_taken_new(core, &receive->posts);
    r = r < 0 ? r : senders_new(core, seed, &receive->senders);
    if (r < 0) {
        core_receive_free(receive);
        return r;
    }
    *ret_receive = receive;
    receive_greet(receive);
    return 0;
}

void core_receive_free(struct core_receive *receive)
{
    if (receive != NULL) {
        senders_free(receive->senders);
        core_taken_free(receive->posts);
        mem_free(receive);
    }
}
