/* From a parcel to blocks of whole records: see reader.h. Invariant: a block begins where the one
 * before it ended, so that every byte of a file is read once. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/hunt/input.h"
#include "cli/hunt/reader_part.h"
#include "sys/fd.h"

#define RECORD_MAX (16u << 20) /* bytes that are read on for a record's end */

/* The end of a member, as reader_fill sees it. */
struct reader_fill {
    struct hunt_input *input;
    struct hunt_file *file;
    uint64_t number; /* of the next record */
    bool is_end;
};

bool reader_is_over(const struct hunt_reader *reader)
{
    return porter_is_stopped() || reader->is_broken || reader->error < 0;
}

void reader_file_unref(struct hunt_file *file)
{
    if (file != NULL && --file->users == 0) {
        buf_done(&file->head);
        mem_free(file->path);
        mem_free(file);
    }
}

static void file_unrefp(struct hunt_file **file)
{
    reader_file_unref(*file);
}

static struct hunt_file *file_new(struct hunt_reader *reader, struct str path, struct str member)
{
    struct hunt_file *file = mem_alloc(1, sizeof(*file));
    size_t size = path.len + member.len + 2;

    if (file == NULL) {
        return NULL;
    }
    file->users = 1;
    file->place = reader->files++;
    buf_init(&file->head, LOG_HEAD_SIZE);
    file->path = mem_alloc(1, size);
    if (file->path == NULL) {
        reader_file_unref(file);
        return NULL;
    }
    snprintf(file->path, size, "%.*s%s%.*s", STR_ARG(path), member.len != 0 ? ":" : "",
             STR_ARG(member));
    return file;
}

/* Bytes equal to '\n', sixteen at a time. */
uint64_t reader_count_newlines(struct str bytes)
{
    typedef unsigned char lanes __attribute__((vector_size(16)));
    uint64_t count = 0;
    size_t i = 0;

    while (i + sizeof(lanes) <= bytes.len) {
        lanes sums = {0};
        size_t end = i + 255 * sizeof(lanes);

        for (; i + sizeof(lanes) <= bytes.len && i < end; i += sizeof(lanes)) {
            lanes piece;

            memcpy(&piece, bytes.ptr + i, sizeof(piece));
            sums -= (lanes)(piece == '\n');
        }
        for (size_t k = 0; k < sizeof(lanes); k++) {
            count += sums[k];
        }
    }
    for (; i < bytes.len; i++) {
        count += bytes.ptr[i] == '\n';
    }
    return count;
}

/* Reads until the block is full, the file ends, or a stream has no more for now. */
static int fill_read(struct hunt_reader *reader, struct reader_fill *fill, struct hunt_block *block,
                     size_t want)
{
    while (block->bytes.len < want && !fill->is_end && !reader_is_over(reader)) {
        size_t len = 0;
        void *where;
        int r;

        if (block->bytes.len != 0 && hunt_input_would_wait(fill->input)) {
            return 0;
        }
        where = buf_reserve(&block->bytes, want - block->bytes.len);
        if (where == NULL) {
            return -ERR_NOMEM;
        }
        r = reader_skip_read(reader, fill->file->place, fill->number);
        if (r < 0) {
            return r;
        }
        hand_turn(0, HAND_PHASE_READ, fill->number);
        r = hunt_input_read(fill->input, where, want - block->bytes.len, &len, &reader->diag);
        hand_turn(0, HAND_PHASE_NONE, fill->number);
        if (r < 0) {
            return r == -ERR_INTR ? 0 : r;
        }
        buf_commit(&block->bytes, len);
        fill->is_end = len == 0;
    }
    return 0;
}

/* What is whole of the block; the rest waits for the next. */
static size_t fill_cut(const struct reader_fill *fill, const struct hunt_block *block)
{
    size_t len = fill->file->format->cut(buf_str(&block->bytes), fill->is_end);

    if (len == 0 && (fill->is_end || block->bytes.len >= RECORD_MAX)) {
        return block->bytes.len;
    }
    return len < block->bytes.len ? len : block->bytes.len;
}

static int fill_begin(struct hunt_reader *reader, struct reader_fill *fill,
                      const struct hunt_block *block)
{
    struct str head = str_slice(buf_str(&block->bytes), 0, LOG_HEAD_SIZE);

    fill->file->format =
        reader->order->format != NULL ? reader->order->format : log_format_guess(head);
    account_add_file(&reader->account, fill->file->format);
    return buf_put_str(&fill->file->head, head);
}

static int fill_give(struct hunt_reader *reader, struct reader_fill *fill, struct hunt_block *block,
                     size_t len)
{
    const struct log_format *format = fill->file->format;

    buf_reset(&reader->rest);
    if (buf_put_str(&reader->rest, str_slice(buf_str(&block->bytes), len, block->bytes.len)) < 0) {
        return -ERR_NOMEM;
    }
    block->bytes.len = len;
    block->file = fill->file;
    block->number = fill->number;
    fill->file->users++;
    fill->number += format->count != NULL ? format->count(buf_str(&block->bytes))
                                          : reader_count_newlines(buf_str(&block->bytes));
    crew_give(reader->crew, block);
    return 0;
}

/* One block of the member in hand. */
static int fill_block(struct hunt_reader *reader, struct reader_fill *fill)
{
    struct hunt_block *block = crew_take(reader->crew);
    size_t want = CREW_BLOCK_SIZE;
    size_t len = 0;
    int r = buf_put_str(&block->bytes, buf_str(&reader->rest));

    buf_reset(&reader->rest);
    while (r == 0 && len == 0 && !reader_is_over(reader)) {
        want = want > block->bytes.len ? want : block->bytes.len + CREW_BLOCK_SIZE;
        r = fill_read(reader, fill, block, want);
        if (r < 0 || (block->bytes.len == 0 && fill->is_end)) {
            return r;
        }
        r = fill->file->format == NULL ? fill_begin(reader, fill, block) : 0;
        len = r == 0 ? fill_cut(fill, block) : 0;
        if (len == 0 && block->bytes.len != 0 && hunt_input_would_wait(fill->input)) {
            crew_drain(reader->crew); /* what is whole is told before we wait for the rest */
        }
    }
    return r == 0 && len != 0 ? fill_give(reader, fill, block, len) : r;
}

static int read_member(struct hunt_reader *reader, struct hunt_input *input, struct hunt_file *file)
{
    struct reader_fill fill = {.input = input, .file = file, .number = 1};
    int r = 0;

    buf_reset(&reader->rest);
    while (r == 0 && !reader_is_over(reader) && (!fill.is_end || reader->rest.len != 0)) {
        if (reader->is_live && hunt_input_would_wait(input)) {
            crew_drain(reader->crew);
        }
        r = fill_block(reader, &fill);
    }
    if (r == 0 && file->format == NULL && fill.is_end) {
        file->format = log_format_guess(STR("")); /* an empty file was read too */
        account_add_file(&reader->account, file->format);
    }
    return r;
}

/* Files are told apart from failures of our own: the hunt goes on behind them. */
static int reader_failed(struct hunt_reader *reader, struct str path, int code)
{
    const struct relay_mark mark = {.file = reader->files};
    CLEANUP(buf_done) struct buf line;

    if (code == -ERR_NOMEM) {
        return diag_set(&reader->diag, code, "%s", err_text(code));
    }
    crew_drain(reader->crew);
    reader->account.unread++;
    buf_init(&line, 64 << 10);
    (void)buf_put_text(&line, "canhgac: ");
    (void)buf_put_text(&line, _("not read to the end"));
    (void)buf_put_text(&line, ": ");
    (void)buf_put_plain(&line, path);
    (void)buf_putf(&line, ": %s\n", diag_text(&reader->diag, code));
    relay_turn(&mark);
    reader_say(reader, RELAY_KIND_ERR, buf_str(&line));
    reader->diag = (struct diag){0};
    return 0;
}

static int read_members(struct hunt_reader *reader, struct hunt_input *input, struct str path)
{
    struct str member;
    int r;

    while (!reader_is_over(reader)) {
        CLEANUP(file_unrefp) struct hunt_file *file = NULL;
        int64_t time = 0;

        hand_hold(0, path, reader->files, 0);
        r = reader_skip_read(reader, reader->files, 0);
        if (r < 0) {
            return reader_failed(reader, path, r);
        }
        hand_turn(0, HAND_PHASE_READ, 0);
        r = hunt_input_next(input, &member, &time, &reader->diag);
        hand_turn(0, HAND_PHASE_NONE, 0);
        file = r == 0 ? NULL : file_new(reader, path, r > 0 ? member : STR(""));
        if (r == 0) {
            break;
        }
        if (file == NULL) {
            return -ERR_NOMEM;
        }
        if (r < 0) {
            return reader_failed(reader, str_from(file->path), r);
        }
        hand_hold(0, str_from(file->path), file->place, 0);
        file->around = time;
        r = read_member(reader, input, file);
        r = r < 0 ? reader_failed(reader, str_from(file->path), r) : 0;
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

int reader_read_parcel(struct hunt_reader *reader, struct parcel *parcel)
{
    CLEANUP(hunt_input_freep) struct hunt_input *input = NULL;
    CLEANUP(mem_freep) char *path = mem_dup(parcel->path.ptr, parcel->path.len);
    int fd = TAKE_FD(parcel->fd);
    int r;

    if (path == NULL) {
        return -ERR_NOMEM;
    }
    hand_hold(0, str_from(path), reader->files, 0);
    r = reader_skip_read(reader, reader->files, 0);
    if (r < 0) {
        closep(&fd);
    } else {
        hand_turn(0, HAND_PHASE_READ, 0);
        r = hunt_input_new(fd, &input, &reader->diag);
        hand_turn(0, HAND_PHASE_NONE, 0);
    }
    if (r < 0) {
        r = reader_failed(reader, str_from(path), r);
    } else {
        reader->is_live = hunt_input_is_stream(input);
        r = read_members(reader, input, str_from(path));
    }
    reader->files++; /* its end is a place too: what is left out there is not the next one */
    hand_drop(0);
    return r;
}
