/* See relay.h. */
#include "cli/hunt/relay.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX   (MSG_SIZE_MAX - 256)
#define TICK_MS    500
#define CHANNEL_NO (-1)

/* ---- the reader's side */

static struct {
    int channel;
    struct relay_mark mark;
    uint64_t offset;
} voice = {.channel = CHANNEL_NO};

void relay_use(int channel)
{
    voice.channel = channel;
    voice.mark = (struct relay_mark){0};
    voice.offset = 0;
}

static bool mark_is(const struct relay_mark *a, const struct relay_mark *b)
{
    return a->file == b->file && a->record == b->record;
}

void relay_turn(const struct relay_mark *mark)
{
    if (!mark_is(&voice.mark, mark)) {
        voice.mark = *mark;
        voice.offset = 0;
    }
}

static int voice_print(enum relay_kind kind, struct str text)
{
    FILE *file = kind == RELAY_KIND_OUT ? stdout : stderr;

    return fwrite(text.ptr, 1, text.len, file) == text.len ? 0 : -ERR_PIPE;
}

int relay_say(enum relay_kind kind, struct str text)
{
    static struct msg_writer msg;
    int r = 0;

    if (voice.channel < 0) {
        return voice_print(kind, text);
    }
    while (r == 0 && text.len != 0) {
        struct str piece = str_slice(text, 0, TEXT_MAX);

        msg_begin(&msg, (uint16_t)kind);
        msg_put_u64(&msg, voice.mark.file);
        msg_put_u64(&msg, voice.mark.record);
        msg_put_u64(&msg, voice.mark.name);
        msg_put_u64(&msg, voice.offset);
        msg_put_str(&msg, piece);
        do {
            r = channel_send(voice.channel, &msg, NULL, 0);
        } while (r == -EINTR);
        voice.offset += kind == RELAY_KIND_NOTE ? 0 : piece.len;
        text = str_slice(text, piece.len, text.len);
    }
    return r;
}

/* ---- the side of who started it */

struct said {
    enum relay_kind kind;
    struct relay_mark mark;
    uint64_t offset;
    struct str text;
};

static void relay_end_reader(const struct relay *relay)
{
    (void)kill(relay->pid, SIGKILL); /* nobody has waited for it yet: the number is its own */
}

static int mark_compare(const struct relay_mark *a, const struct relay_mark *b)
{
    if (a->file != b->file) {
        return a->file < b->file ? -1 : 1;
    }
    return a->record < b->record ? -1 : a->record > b->record;
}

/* What of it was not printed yet. */
static struct str relay_pass(struct relay *relay, const struct said *said)
{
    uint64_t end = said->offset + said->text.len;
    int order = mark_compare(&said->mark, &relay->mark);

    if (order < 0) {
        return STR("");
    }
    if (order > 0 && relay->is_left_out) {
        relay->is_passing = false;
        return said->text;
    }
    if (order > 0 || said->mark.name != relay->mark.name) {
        relay->is_changed = true;
        relay_end_reader(relay);
        return STR("");
    }
    relay->is_passing = end < relay->offset;
    return end <= relay->offset
               ? STR("")
               : str_slice(said->text, relay->offset - said->offset, said->text.len);
}

static void relay_take(struct relay *relay, const struct said *said)
{
    int fd = said->kind == RELAY_KIND_OUT ? STDOUT_FILENO : STDERR_FILENO;
    struct str text = said->text;
    int r;

    if (said->kind != RELAY_KIND_NOTE) {
        text = relay->is_passing ? relay_pass(relay, said) : text;
        if (relay->is_passing || relay->is_changed) {
            return;
        }
        relay->mark = said->mark;
        relay->offset = said->offset + said->text.len;
    }
    r = fd_write_full(fd, text.ptr, text.len);
    relay->error = r < 0 && said->kind == RELAY_KIND_OUT ? r : 0;
    if (relay->error < 0) {
        relay_end_reader(relay); /* nobody hears it any more, and nobody would watch it */
    }
}

/* 0 also when there was nothing yet; -ERR_PIPE at the end. Else it is nothing that a reader says.
 */
static int relay_receive(struct relay *relay, struct channel_packet *packet)
{
    struct said said;
    int r = channel_receive_within(relay->channel, TICK_MS, packet);

    if (r < 0) {
        return r == -ERR_TIMEDOUT || r == -EINTR ? 0 : r;
    }
    said.kind = (enum relay_kind)packet->msg.type;
    said.mark.file = msg_get_u64(&packet->msg);
    said.mark.record = msg_get_u64(&packet->msg);
    said.mark.name = msg_get_u64(&packet->msg);
    said.offset = msg_get_u64(&packet->msg);
    said.text = msg_get_str(&packet->msg);
    r = msg_close(&packet->msg);
    if (r == 0 && (said.kind < RELAY_KIND_OUT || said.kind > RELAY_KIND_NOTE)) {
        r = -ERR_PROTO;
    }
    if (r == 0) {
        relay_take(relay, &said);
    }
    channel_packet_done(packet);
    return r < 0 || relay->error == 0 ? r : -ERR_PIPE;
}

/* By the processor's time: a reader that waits for its input, for whoever takes what it prints, or
 * for its turn on a busy machine is not held up by what it reads. */
static int64_t reader_time(pid_t pid)
{
    struct timespec time;
    clockid_t clock;

    return clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &time) == 0
               ? time.tv_sec * NS_PER_S + time.tv_nsec
               : 0;
}

static void relay_watch(struct relay *relay)
{
    int64_t now = relay->hands != NULL ? reader_time(relay->pid) : 0;

    for (size_t i = 0; now != 0 && i < HANDS_MAX; i++) {
        const struct hand *hand = &relay->hands->hands[i];
        uint64_t turns = atomic_load_explicit(&hand->turns, memory_order_relaxed);

        if (turns != relay->turns[i] ||
            atomic_load_explicit(&hand->phase, memory_order_relaxed) == HAND_PHASE_NONE) {
            relay->turns[i] = turns;
            relay->since[i] = now;
        } else if (now - relay->since[i] > relay->patience) {
            relay->is_hung = true;
            relay_end_reader(relay);
            return;
        }
    }
}

static void *relay_run(void *context)
{
    static struct channel_packet packet;
    struct relay *relay = context;
    int64_t watched = clock_mono(&clock_real);
    int r;

    while ((r = relay_receive(relay, &packet)) == 0) {
        int64_t now = clock_mono(&clock_real);

        if (now - watched >= TICK_MS * NS_PER_MS && !relay->is_hung) {
            watched = now;
            relay_watch(relay);
        }
    }
    if (r != -ERR_PIPE) {
        relay_end_reader(relay); /* it is no longer its own master, and nobody would watch it */
    }
    closep(&relay->channel);
    return NULL;
}

int relay_start(struct relay *relay, int channel, pid_t pid, const struct hands *hands,
                int64_t patience)
{
    const struct relay_mark *mark = &relay->mark;
    int r;

    relay->channel = channel;
    relay->pid = pid;
    relay->hands = hands;
    relay->patience = patience;
    relay->is_hung = false;
    relay->is_passing = mark->file != 0 || mark->record != 0 || relay->offset != 0;
    for (size_t i = 0; i < HANDS_MAX; i++) {
        relay->turns[i] = 0;
        relay->since[i] = 0;
    }
    r = thread_start("relay", relay_run, relay, &relay->thread);
    if (r < 0) {
        closep(&relay->channel);
    }
    return r;
}

void relay_join(struct relay *relay)
{
    (void)pthread_join(relay->thread, NULL);
}
