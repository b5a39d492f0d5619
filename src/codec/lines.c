/* Lines out of pieces: see codec/lines.h. Invariant: rest never holds a newline nor more than max
 * bytes. */
#include "codec/lines.h"

#include "base/banned.h"

void lines_init(struct lines *lines, size_t max, lines_fn *fn, void *context)
{
    *lines = (struct lines){.max = max, .fn = fn, .context = context};
    buf_init(&lines->rest, max);
}

void lines_done(struct lines *lines)
{
    buf_done(&lines->rest);
}

static int lines_hand_on(struct lines *lines, struct str line, bool is_cut)
{
    if (line.len > lines->max) {
        line.len = lines->max;
        is_cut = true;
    }
    if (line.len != 0 && line.ptr[line.len - 1] == '\r' && !is_cut) {
        line.len--;
    }
    lines->count++;
    lines->cut += is_cut;
    return lines->fn(lines->context, line, is_cut);
}

/* Keeps the beginning of a line; one that is too long already is handed on at once. */
static int lines_keep(struct lines *lines, struct str part)
{
    size_t room = lines->max - lines->rest.len;
    int r;

    if (lines->is_passing || part.len == 0) {
        return 0;
    }
    r = buf_put_str(&lines->rest, str_slice(part, 0, room));
    if (r < 0) {
        return r;
    }
    if (part.len > room) {
        lines->is_passing = true;
        r = lines_hand_on(lines, buf_str(&lines->rest), true);
        buf_reset(&lines->rest);
    }
    return r;
}

/* The line that ends with `part`. */
static int lines_finish(struct lines *lines, struct str part)
{
    int r;

    if (lines->is_passing) {
        lines->is_passing = false;
        return 0;
    }
    if (lines->rest.len == 0) {
        return lines_hand_on(lines, part, false);
    }
    r = lines_keep(lines, part);
    if (r == 0 && !lines->is_passing) {
        r = lines_hand_on(lines, buf_str(&lines->rest), false);
    }
    lines->is_passing = false;
    buf_reset(&lines->rest);
    return r;
}

int lines_feed(struct lines *lines, struct str piece)
{
    while (piece.len != 0) {
        size_t at = str_find_byte(piece, '\n');
        struct str part = str_slice(piece, 0, at);
        int r = at < piece.len ? lines_finish(lines, part) : lines_keep(lines, part);

        if (r < 0) {
            return r;
        }
        piece = str_slice(piece, at + 1, piece.len);
    }
    return 0;
}

int lines_end(struct lines *lines)
{
    struct str none = {0};

    return lines->rest.len != 0 || lines->is_passing ? lines_finish(lines, none) : 0;
}
