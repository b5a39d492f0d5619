/* The reader's process: see centre/reader.h. Invariants: rights are given up before the first byte
 * of a page is read; one question at a time, each with its own limit of processor time, past which
 * the kernel ends the process; nothing of one page is left when the next is read. */
#include "centre/reader.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "centre/confine.h"
#include "centre/lists.h"
#include "centre/protocol.h"
#include "centre/reader/page.h"
#include "cli/command.h"
#include "detect/deface/deface.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/process.h"

#include <sys/mman.h>

#define MEMORY_MORE (768ULL << 20) /* beyond what is mapped at the start */
#define FILE_LIMIT                                                                                 \
    4096 /* descriptors on their way count too, those of all of its user's processes */
#define ARENA_LIMIT (256U << 20)
#define CHECK_MAX   (48U << 10)

struct reader {
    int channel;
    struct indicators *indicators;
    struct deface_model *model;
    struct arena *arena;
    struct msg_writer answer;
    struct channel_packet packet;
};

static int reader_enter(const struct reader_options *options)
{
    const struct sandbox sandbox = {
        .calls = SANDBOX_CALLS_IO,
        .memory_more = MEMORY_MORE,
        .file_limit = FILE_LIMIT,
    };

    return confine_parser("reader", options->user, &sandbox);
}

static int reader_send(struct reader *reader, const struct reader_look *look)
{
    CLEANUP(buf_done) struct buf check;
    uint32_t parts = 0;
    int fds[CHANNEL_FDS_MAX];
    unsigned count = 0;
    int r;

    buf_init(&check, CHECK_MAX);
    site_check_encode(&look->check, &check);
    msg_begin(&reader->answer, READER_MESSAGE_ANSWER);
    msg_put_u64(&reader->answer, look->number);
    msg_put_str(&reader->answer, buf_str(&check));
    msg_put_u32(&reader->answer, (look->needs_second ? (uint32_t)READER_FLAG_NEEDS_SECOND : 0) |
                                     (look->needs_sheets ? (uint32_t)READER_FLAG_NEEDS_SHEETS : 0));
    if (look->page_out >= 0 && look->site_out >= 0) {
        parts |= READER_PART_PAGE | READER_PART_SITE;
        fds[count++] = look->page_out;
        fds[count++] = look->site_out;
    }
    if (look->text_out >= 0) {
        parts |= READER_PART_TEXT;
        fds[count++] = look->text_out;
    }
    if (look->sheets_out >= 0) {
        parts |= READER_PART_SHEETS;
        fds[count++] = look->sheets_out;
    }
    if (look->scripts_out >= 0) {
        parts |= READER_PART_SCRIPTS;
        fds[count++] = look->scripts_out;
    }
    msg_put_u32(&reader->answer, parts);
    msg_put_u64(&reader->answer, look->text_hash);
    reader_links_put(&look->links, &reader->answer);
    r = buf_error(&check);
    if (r == 0) {
        r = msg_end(&reader->answer);
    }
    return r < 0 ? r : channel_send(reader->channel, &reader->answer, fds, count);
}

/* What fetch says is right in form, or this process has been sent something by nobody we know. */
static int reader_take(struct reader *reader, struct reader_look *look)
{
    struct msg_reader *msg = &reader->packet.msg;
    struct cbor_reader cbor;
    struct str check;
    unsigned next = 0;
    uint32_t parts;
    int r;

    look->number = msg_get_u64(msg);
    check = msg_get_str(msg);
    look->flags = msg_get_u32(msg);
    look->text_hash = msg_get_u64(msg);
    look->charset = msg_get_str(msg);
    parts = msg_get_u32(msg);
    if (reader->packet.msg.type != READER_MESSAGE_ASK || msg_close(msg) < 0) {
        return -ERR_PROTO;
    }
    if ((parts & READER_PART_PAGE) != 0) {
        look->page_in = channel_packet_take(&reader->packet, next++);
    }
    if ((parts & READER_PART_SITE) != 0) {
        look->site_in = channel_packet_take(&reader->packet, next++);
    }
    if ((parts & READER_PART_BODY) != 0) {
        look->body = channel_packet_take(&reader->packet, next++);
    }
    if ((parts & READER_PART_SHEETS) != 0) {
        look->sheets_in = channel_packet_take(&reader->packet, next++);
    }
    if ((parts & READER_PART_SCRIPTS) != 0) {
        look->scripts_in = channel_packet_take(&reader->packet, next++);
    }
    cbor_open(&cbor, check);
    r = site_check_decode(&cbor, look->arena, &look->check);
    return r < 0 ? r : cbor_close(&cbor);
}

static int reader_answer(struct reader *reader)
{
    struct reader_look look;
    int r;

    arena_reset(reader->arena);
    indicators_set_time(reader->indicators, clock_wall(&clock_real));
    reader_look_init(&look, reader->model, reader->arena);
    process_limit_work(READER_CPU_SECONDS + 1);
    r = reader_take(reader, &look);
    if (r == 0) {
        r = reader_look_judge(&look);
    }
    if (r == 0) {
        r = reader_send(reader, &look);
    }
    reader_look_done(&look);
    return r;
}

static int reader_ready(struct reader *reader, int supervisor)
{
    if (supervisor < 0) {
        return 0;
    }
    msg_begin(&reader->answer, CENTRE_MESSAGE_READY);
    msg_put_str(&reader->answer, STR("reader"));
    return channel_send(supervisor, &reader->answer, NULL, 0);
}

/* Before lists are parsed, which may take a while: what is asked meanwhile waits in the channel. */
static int reader_greet(struct reader *reader)
{
    msg_begin(&reader->answer, READER_MESSAGE_READY);
    return channel_send(reader->channel, &reader->answer, NULL, 0);
}

static int reader_learn_lists(struct reader *reader, struct lists_texts *texts)
{
    struct deface_lists lists;
    int r = lists_indicators(texts, &reader->indicators);

    if (r < 0) {
        return r;
    }
    lists = indicators_for_deface(reader->indicators);
    return deface_model_new(&lists, &reader->model);
}

/* The bytes of lists are read while there are rights to open them, and parsed without. */
static int reader_prepare(struct reader *reader, const struct reader_options *options)
{
    CLEANUP(lists_texts_freep) struct lists_texts *texts = NULL;
    int r = lists_texts_new(&texts);

    if (r == 0 && options->lists != NULL) {
        lists_texts_open(texts, options->lists);
    }
    if (r == 0) {
        r = reader_enter(options);
    }
    if (r == 0) {
        r = reader_greet(reader);
    }
    return r < 0 ? r : reader_learn_lists(reader, texts);
}

static int reader_serve(struct reader *reader)
{
    int r = 0;

    while (r == 0) {
        r = channel_receive(reader->channel, &reader->packet);
        if (r == 0) {
            r = reader_answer(reader);
            channel_packet_done(&reader->packet);
        }
    }
    return r == -ERR_PIPE ? 0 : r;
}

int reader_run(const struct reader_options *options)
{
    static struct reader reader;
    int r;

    log_init("reader", LOG_LEVEL_INFO);
    reader.channel = options->channel;
    r = arena_new(ARENA_LIMIT, &reader.arena);
    if (r == 0) {
        r = reader_prepare(&reader, options);
    }
    if (r == 0) {
        r = reader_ready(&reader, options->supervisor);
    }
    if (r == 0) {
        r = reader_serve(&reader);
    }
    if (r < 0) {
        log_error("reader ends: %s", err_text(r));
    }
    deface_model_free(reader.model);
    indicators_free(reader.indicators);
    arena_free(reader.arena);
    return r < 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}
