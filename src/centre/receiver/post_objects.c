/* See receiver/post_objects.h. */
#include "centre/receiver/post_objects.h"

#include "base/banned.h"

void post_objects_init(struct post_objects *objects, size_t max, post_object_fn *fn, void *context)
{
    *objects = (struct post_objects){.fn = fn, .context = context, .last = '\n'};
    buf_init(&objects->text, max);
}

void post_objects_done(struct post_objects *objects)
{
    buf_done(&objects->text);
}

static int objects_keep(struct post_objects *objects, struct str part)
{
    size_t room = objects->text.limit - objects->text.len;

    objects->is_cut |= part.len > room;
    return buf_put_str(&objects->text, str_slice(part, 0, room));
}

static int objects_hand_on(struct post_objects *objects, unsigned faults)
{
    struct str text = str_trim(buf_str(&objects->text));
    unsigned cut = objects->is_cut ? POST_OBJECT_CUT : 0;
    int r = text.len == 0 ? 0 : objects->fn(objects->context, text, faults | cut);

    buf_reset(&objects->text);
    objects->is_cut = false;
    objects->is_line = false;
    objects->is_string = false;
    objects->is_escaped = false;
    objects->depth = 0;
    return r;
}

static bool objects_is_between(char byte)
{
    struct str between = STR(" \t\r\n,[]}\xef\xbb\xbf"); /* a byte order mark too */

    return str_find_byte(between, byte) < between.len;
}

/* Takes a byte of a string in. */
static void objects_string(struct post_objects *objects, char byte)
{
    if (objects->is_escaped) {
        objects->is_escaped = false;
    } else if (byte == '\\') {
        objects->is_escaped = true;
    } else if (byte == '"') {
        objects->is_string = false;
    }
}

/* Takes a byte of an object in; true: it is the object's last. */
static bool objects_byte(struct post_objects *objects, char byte)
{
    if (objects->is_string) {
        objects_string(objects, byte);
        return false;
    }
    if (byte == '"') {
        objects->is_string = true;
    } else if (byte == '{' || byte == '[') {
        objects->depth++;
    } else if (byte == '}' || byte == ']') {
        objects->depth--;
    }
    return objects->depth == 0;
}

/* Behind what stands between objects from `at` on. */
static size_t objects_skip(struct post_objects *objects, struct str piece, size_t at)
{
    while (at < piece.len && objects_is_between(piece.ptr[at])) {
        at++;
    }
    if (at < piece.len) {
        objects->is_line = piece.ptr[at] != '{';
        objects->last = ' '; /* this byte starts something, whatever stood before it */
    }
    return at;
}

/* The object, or the line, that goes on at `at`: keeps what came of it and hands it on when it
 * ends. */
static int objects_take(struct post_objects *objects, struct str piece, size_t *at)
{
    size_t end = *at;
    unsigned faults = objects->is_line ? POST_OBJECT_NONE : 0;
    bool is_end = false;
    int r;

    while (end < piece.len && !is_end) {
        char byte = piece.ptr[end];

        if (!objects->is_line && byte == '{' && objects->last == '\n') {
            faults = POST_OBJECT_OPEN;
            is_end = true;
            break;
        }
        objects->last = byte;
        is_end = objects->is_line ? byte == '\n' : objects_byte(objects, byte);
        end++;
    }
    r = objects_keep(objects, str_slice(piece, *at, end));
    *at = end;
    return r < 0 || !is_end ? r : objects_hand_on(objects, faults);
}

int post_objects_feed(struct post_objects *objects, struct str piece)
{
    size_t at = 0;
    int r = 0;

    while (r == 0 && at < piece.len) {
        if (objects->depth == 0 && !objects->is_line) {
            at = objects_skip(objects, piece, at);
        }
        if (at < piece.len) {
            r = objects_take(objects, piece, &at);
        }
    }
    return r;
}

int post_objects_end(struct post_objects *objects)
{
    return objects_hand_on(objects, objects->is_line ? POST_OBJECT_NONE : POST_OBJECT_OPEN);
}
