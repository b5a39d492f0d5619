/* See centre/readers.h. What a reader answers is checked as if its page had written it. */
#include "centre/readers.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "sys/channel.h"
#include "sys/fd.h"

#include <sys/mman.h>

#define CHECK_MAX (48U << 10)
#define READER_ANSWER_NONE                                                                         \
    (struct reader_answer){                                                                        \
        .page_fd = -1, .site_fd = -1, .sheets_fd = -1, .scripts_fd = -1, .text_fd = -1}

struct readers_one {
    struct readers *readers;
    int channel;
    struct loop_source *source;
    struct loop_source *timer;
    struct reader_ask *ask; /* under way; NULL: idle */
    uint64_t number;
};

struct readers {
    struct loop *loop;
    void (*on_hung)(void *context, size_t reader);
    void *context;
    struct list waiting;
    size_t waiting_count;
    size_t count;
    uint64_t last_number;
    struct buf check;
    struct loop_source *kick;
    struct msg_writer msg;
    struct channel_packet packet;
    struct reader_answer answer;
    struct readers_one all[READERS_MAX];
};

static void readers_start(struct readers *readers);

static void readers_settle(struct readers_one *one, struct reader_answer *answer)
{
    struct reader_ask *ask = TAKE_PTR(one->ask);

    (void)!loop_source_set_timer(one->timer, 0, 0);
    if (ask != NULL) {
        ask->done(ask->context, answer);
    }
}

static void readers_lose(struct readers_one *one)
{
    struct reader_answer *answer = &one->readers->answer;

    *answer = READER_ANSWER_NONE;
    answer->error = -ERR_CANCELED;
    readers_settle(one, answer);
}

static void readers_on_late(void *context)
{
    struct readers_one *one = context;
    struct readers *readers = one->readers;

    readers->on_hung(readers->context, (size_t)(one - readers->all));
    readers_lose(one);
    readers_start(readers);
}

static int readers_take_links(struct msg_reader *msg, struct reader_answer *answer)
{
    uint32_t count = msg_get_u32(msg);

    if (count > READER_LINKS_MAX) {
        return -ERR_PROTO;
    }
    for (uint32_t i = 0; i < count; i++) {
        answer->links[i].kind = msg_get_u32(msg);
        answer->links[i].url = msg_get_str(msg);
        if (answer->links[i].kind >= READER_LINK_COUNT ||
            answer->links[i].url.len > READER_LINK_SIZE) {
            return -ERR_PROTO;
        }
    }
    answer->link_count = count;
    return msg_close(msg);
}

/* The number has been read. */
static int readers_take(struct readers *readers, struct arena *arena, struct reader_answer *answer)
{
    struct msg_reader *msg = &readers->packet.msg;
    struct str check = msg_get_str(msg);
    uint32_t flags = msg_get_u32(msg);
    uint32_t parts = msg_get_u32(msg);
    struct cbor_reader cbor;
    unsigned next = 0;
    int r;

    answer->text_hash = msg_get_u64(msg);
    r = readers_take_links(msg, answer);

    if (r < 0) {
        return r;
    }
    cbor_open(&cbor, check);
    r = site_check_decode(&cbor, arena, &answer->check);
    if (r == 0) {
        r = cbor_close(&cbor);
    }
    if (r < 0) {
        return r;
    }
    answer->needs_second = (flags & READER_FLAG_NEEDS_SECOND) != 0;
    answer->needs_sheets = (flags & READER_FLAG_NEEDS_SHEETS) != 0;
    if ((parts & READER_PART_PAGE) != 0 && (parts & READER_PART_SITE) != 0) {
        answer->page_fd = channel_packet_take(&readers->packet, next++);
        answer->site_fd = channel_packet_take(&readers->packet, next++);
    }
    if ((parts & READER_PART_TEXT) != 0) {
        answer->text_fd = channel_packet_take(&readers->packet, next++);
    }
    if ((parts & READER_PART_SHEETS) != 0) {
        answer->sheets_fd = channel_packet_take(&readers->packet, next++);
    }
    if ((parts & READER_PART_SCRIPTS) != 0) {
        answer->scripts_fd = channel_packet_take(&readers->packet, next);
    }
    return 0;
}

static void readers_answer(struct readers_one *one)
{
    struct readers *readers = one->readers;
    struct reader_answer *answer = &readers->answer;

    if (one->ask == NULL || msg_get_u64(&readers->packet.msg) != one->number) {
        return; /* the late answer to a question that was given up */
    }
    *answer = READER_ANSWER_NONE;
    answer->error = readers_take(readers, one->ask->arena, answer);
    if (answer->error < 0) {
        log_warn("a reader's answer was refused error=%s", err_name(answer->error));
    }
    readers_settle(one, answer);
    closep(&answer->page_fd);
    closep(&answer->site_fd);
    closep(&answer->sheets_fd);
    closep(&answer->scripts_fd);
    closep(&answer->text_fd);
}

static void readers_on_packet(void *context, int fd, unsigned events)
{
    struct readers_one *one = context;
    struct readers *readers = one->readers;

    (void)events;
    if (channel_receive(fd, &readers->packet) < 0) {
        return;
    }
    if (readers->packet.msg.type == READER_MESSAGE_READY) {
        readers_lose(one); /* if there was one: it died over it */
    } else if (readers->packet.msg.type == READER_MESSAGE_ANSWER) {
        readers_answer(one);
    }
    channel_packet_done(&readers->packet);
    readers_start(readers);
}

static void readers_on_kick(void *context)
{
    readers_start(context);
}

int readers_new(struct loop *loop, const int *channels, size_t count,
                void (*on_hung)(void *context, size_t reader), void *context,
                struct readers **ret_readers)
{
    struct readers *readers = mem_alloc(1, sizeof(*readers));
    int r;

    if (readers == NULL) {
        return -ERR_NOMEM;
    }
    readers->loop = loop;
    readers->on_hung = on_hung;
    readers->context = context;
    readers->count = count < READERS_MAX ? count : READERS_MAX;
    list_init(&readers->waiting);
    buf_init(&readers->check, CHECK_MAX);
    r = loop_add_timer(loop, readers_on_kick, readers, &readers->kick);
    for (size_t i = 0; r == 0 && i < readers->count; i++) {
        struct readers_one *one = &readers->all[i];

        one->readers = readers;
        one->channel = channels[i];
        r = fd_set_nonblocking(one->channel, true);
        if (r == 0) {
            r = loop_add_fd(loop, one->channel, LOOP_READ, readers_on_packet, one, &one->source);
        }
        if (r == 0) {
            r = loop_add_timer(loop, readers_on_late, one, &one->timer);
        }
    }
    if (r < 0) {
        readers_free(readers);
        return r;
    }
    *ret_readers = readers;
    return 0;
}

void readers_free(struct readers *readers)
{
    if (readers == NULL) {
        return;
    }
    for (size_t i = 0; i < readers->count; i++) {
        loop_source_free(readers->all[i].source);
        loop_source_free(readers->all[i].timer);
    }
    loop_source_free(readers->kick);
    buf_done(&readers->check);
    mem_free(readers);
}

static int readers_memfd(struct str bytes)
{
    CLEANUP(closep) int fd = memfd_create("profile", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0) {
        return -ERR_NOMEM;
    }
    return fd_write_full(fd, bytes.ptr, bytes.len) < 0 ? -ERR_NOMEM : TAKE_FD(fd);
}

static int readers_send(struct readers_one *one, const struct reader_ask *ask)
{
    struct readers *readers = one->readers;
    const struct str kept[2] = {ask->page, ask->site};
    int fds[CHANNEL_FDS_MAX];
    unsigned count = 0;
    uint32_t parts = 0;
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < 2; i++) {
        if (kept[i].len != 0) {
            r = readers_memfd(kept[i]);
            fds[count] = r;
            count += r >= 0 ? 1 : 0;
            parts |= i == 0 ? (uint32_t)READER_PART_PAGE : (uint32_t)READER_PART_SITE;
        }
    }
    parts |= ask->body >= 0 ? (uint32_t)READER_PART_BODY : 0;
    parts |= ask->sheets >= 0 ? (uint32_t)READER_PART_SHEETS : 0;
    parts |= ask->scripts >= 0 ? (uint32_t)READER_PART_SCRIPTS : 0;
    buf_reset(&readers->check);
    site_check_encode(ask->check, &readers->check);
    one->number = ++readers->last_number;
    msg_begin(&readers->msg, READER_MESSAGE_ASK);
    msg_put_u64(&readers->msg, one->number);
    msg_put_str(&readers->msg, buf_str(&readers->check));
    msg_put_u32(&readers->msg, ask->flags);
    msg_put_u64(&readers->msg, ask->text_hash);
    msg_put_str(&readers->msg, ask->charset);
    msg_put_u32(&readers->msg, parts);
    if (r >= 0) {
        unsigned all = count;

        if (ask->body >= 0) {
            fds[all++] = ask->body;
        }
        if (ask->sheets >= 0) {
            fds[all++] = ask->sheets;
        }
        if (ask->scripts >= 0) {
            fds[all++] = ask->scripts;
        }
        r = channel_send(one->channel, &readers->msg, fds, all);
    }
    while (count != 0) {
        closep(&fds[--count]);
    }
    return r;
}

/* Not from inside readers_ask: whoever asks is not told before it returns. */
static void readers_start(struct readers *readers)
{
    for (size_t i = 0; i < readers->count && !list_is_empty(&readers->waiting); i++) {
        struct readers_one *one = &readers->all[i];
        struct reader_ask *ask = LIST_ENTRY(readers->waiting.next, struct reader_ask, node);

        if (one->ask != NULL) {
            continue;
        }
        list_remove(&ask->node);
        readers->waiting_count--;
        one->ask = ask;
        if (readers_send(one, ask) < 0 ||
            loop_source_set_timer(one->timer, READER_WAIT_SECONDS * NS_PER_S, 0) < 0) {
            readers_lose(one);
        }
    }
}

void readers_ask(struct readers *readers, struct reader_ask *ask)
{
    list_append(&readers->waiting, &ask->node);
    readers->waiting_count++;
    (void)!loop_source_set_timer(readers->kick, 1, 0);
}

size_t readers_waiting(const struct readers *readers)
{
    return readers->waiting_count;
}
