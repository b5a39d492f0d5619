/* What a reader leaves out, since one before it ended over it, and how it finds what that was: see
 * again.h. Invariant: with nothing to skip and nobody suspected nothing here touches a block. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/hunt/hands.h"
#include "cli/hunt/reader_part.h"

#include <string.h>

static uint64_t block_count(const struct hunt_block *block)
{
    const struct log_format *format = block->file->format;
    struct str bytes = buf_str(&block->bytes);

    return format->count != NULL ? format->count(bytes) : reader_count_newlines(bytes);
}

int reader_skip_read(struct hunt_reader *reader, uint64_t file, uint64_t number)
{
    return order_skips(reader->order, HUNT_SKIP_READ, file, number)
               ? diag_set(&reader->diag, -ERR_CANCELED, "%s", _("it ended the process that reads"))
               : 0;
}

/* Leaves an empty line, so that those behind it keep their numbers. */
static void block_blank(struct hunt_block *block, uint64_t number)
{
    char *begin = block->bytes.ptr;
    char *all = begin + block->bytes.len;
    char *end;

    for (uint64_t i = block->number; begin != NULL && i < number; i++) {
        begin = memchr(begin, '\n', (size_t)(all - begin));
        begin = begin != NULL ? begin + 1 : NULL;
    }
    if (begin == NULL || begin == all) {
        return;
    }
    end = memchr(begin, '\n', (size_t)(all - begin));
    end = end != NULL ? end : all;
    block->unparsed_bytes += (uint64_t)(end - begin);
    block->unparsed++;
    block->left++;
    memmove(begin, end, (size_t)(all - end));
    block->bytes.len -= (size_t)(end - begin);
}

bool reader_skip_block(const struct hunt_reader *reader, struct hunt_block *block)
{
    const struct hunt_order *order = reader->order;

    if (order_skips(order, HUNT_SKIP_BLOCK, block->file->place, block->number)) {
        block->left = block->unparsed = block_count(block);
        block->unparsed_bytes = block->bytes.len;
        return true;
    }
    for (size_t i = 0; i < order->skip_count; i++) {
        const struct hunt_skip *skip = &order->skips[i];

        if (skip->kind == HUNT_SKIP_LINE && skip->file == block->file->place &&
            skip->number >= block->number) {
            block_blank(block, skip->number);
        }
    }
    return false;
}

static int tear_pass(void *context, const struct entry *entry)
{
    (void)context;
    (void)entry;
    return 0;
}

int reader_tear(const struct hunt_reader *reader, size_t hand, const struct hunt_block *block)
{
    struct log_reading reading;
    struct str rest = buf_str(&block->bytes);
    int r;

    if (!order_suspects(reader->order, block->file->place, block->number) ||
        block->file->format->count != NULL) {
        return 0;
    }
    r = log_reading_init(&reading, hunt_judge_names(reader->judge));
    reading.head = buf_str(&block->file->head);
    reading.around = block->file->around;
    reading.zone = reader->order->zone;
    for (uint64_t number = block->number; r == 0 && rest.len != 0; number++) {
        size_t len = str_find_byte(rest, '\n');

        len = len < rest.len ? len + 1 : rest.len;
        reading.number = number;
        hand_turn(hand, HAND_PHASE_TEAR, number);
        r = block->file->format->read(&reading, str_slice(rest, 0, len), tear_pass, NULL);
        rest = str_slice(rest, len, rest.len);
    }
    log_reading_done(&reading);
    return r;
}
