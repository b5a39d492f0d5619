/* See codec/syslog_frame.h. */
#include "codec/syslog_frame.h"

#include "base/banned.h"
#include "base/err.h"

#define COUNT_DIGITS 9 /* of a count: less than a billion bytes */
#define COUNT_ROOM   (COUNT_DIGITS + 1)

/* What stands in front of the bytes. */
struct frame {
    struct str message;
    size_t size;     /* with its count or newline, as far as it has come; 0: more is needed */
    uint64_t passed; /* bytes of it that have yet to come and are passed over */
    bool is_line_passed;
    bool is_cut;
};

void syslog_frames_init(struct syslog_frames *frames, size_t max, syslog_frame_fn *fn,
                        void *context)
{
    max = max > SYSLOG_FRAME_MAX ? SYSLOG_FRAME_MAX : max;
    *frames = (struct syslog_frames){.max = max, .fn = fn, .context = context};
    buf_init(&frames->rest, max + COUNT_ROOM + 1);
}

void syslog_frames_done(struct syslog_frames *frames)
{
    buf_done(&frames->rest);
}

static int frame_counted(const struct syslog_frames *frames, struct str bytes, struct frame *frame)
{
    uint64_t len = 0;
    size_t at = 0;
    size_t kept;

    for (; at < bytes.len && bytes.ptr[at] >= '0' && bytes.ptr[at] <= '9'; at++) {
        if (at == COUNT_DIGITS) {
            return -ERR_PROTO;
        }
        len = len * 10 + (uint64_t)(bytes.ptr[at] - '0');
    }
    if (at == bytes.len) {
        return 0;
    }
    if (bytes.ptr[at] != ' ') {
        return -ERR_PROTO;
    }
    at++;
    kept = len > frames->max ? frames->max : (size_t)len;
    if (bytes.len - at < kept) {
        return 0;
    }
    frame->message = str_slice(bytes, at, at + kept);
    frame->is_cut = kept < len;
    frame->size = at + kept;
    frame->passed = len - kept;
    return 0;
}

static void frame_line(const struct syslog_frames *frames, struct str bytes, struct frame *frame)
{
    size_t len = str_find_byte(str_slice(bytes, 0, frames->max + 1), '\n');

    if (len > frames->max) {
        frame->message = str_slice(bytes, 0, frames->max);
        frame->is_cut = true;
        frame->is_line_passed = true;
        frame->size = frames->max;
    } else if (len < bytes.len) {
        frame->message = str_slice(bytes, 0, len);
        frame->size = len + 1;
    }
}

static int hand_on(struct syslog_frames *frames, struct str message, bool is_cut)
{
    while (message.len > 0 &&
           (message.ptr[message.len - 1] == '\n' || message.ptr[message.len - 1] == '\r')) {
        message.len--; /* counted messages have one too, often */
    }
    if (message.len == 0) {
        return 0;
    }
    frames->count++;
    frames->cut += is_cut;
    return frames->fn(frames->context, message, is_cut);
}

/* Passes over what a message too long has left. */
static struct str pass_over(struct syslog_frames *frames, struct str bytes)
{
    size_t len = bytes.len;

    if (frames->is_passing_line) {
        size_t end = str_find_byte(bytes, '\n');

        frames->is_passing_line = end == bytes.len;
        return str_slice(bytes, end + 1, bytes.len);
    }
    len = frames->passing < len ? (size_t)frames->passing : len;
    frames->passing -= len;
    return str_slice(bytes, len, bytes.len);
}

/* Hands on the messages in front and leaves what is not whole. */
static int take_frames(struct syslog_frames *frames, struct str *bytes)
{
    int r = 0;

    while (r == 0) {
        struct frame frame = {.size = 0};

        *bytes = pass_over(frames, *bytes);
        if (bytes->len == 0) {
            return 0;
        }
        if (bytes->ptr[0] >= '1' && bytes->ptr[0] <= '9') {
            r = frame_counted(frames, *bytes, &frame);
        } else {
            frame_line(frames, *bytes, &frame);
        }
        if (r < 0 || frame.size == 0) {
            return r;
        }
        frames->passing = frame.passed;
        frames->is_passing_line = frame.is_line_passed;
        *bytes = str_slice(*bytes, frame.size, bytes->len);
        r = hand_on(frames, frame.message, frame.is_cut);
    }
    return r;
}

/* Adds no more of the piece to what is kept than a message can have. */
static int feed_kept(struct syslog_frames *frames, struct str *piece)
{
    while (piece->len > 0 && buf_str(&frames->rest).len > 0) {
        size_t room = frames->max + COUNT_ROOM + 1 - buf_str(&frames->rest).len;
        size_t len = piece->len < room ? piece->len : room;
        struct str kept;
        int r;

        r = buf_put_str(&frames->rest, str_slice(*piece, 0, len));
        if (r < 0) {
            return r;
        }
        *piece = str_slice(*piece, len, piece->len);
        kept = buf_str(&frames->rest);
        r = take_frames(frames, &kept);
        buf_consume(&frames->rest, buf_str(&frames->rest).len - kept.len);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

int syslog_frames_feed(struct syslog_frames *frames, struct str piece)
{
    int r = feed_kept(frames, &piece);

    r = r < 0 || piece.len == 0 ? r : take_frames(frames, &piece);
    if (r < 0 || piece.len == 0) {
        return r;
    }
    return buf_put_str(&frames->rest, piece);
}

int syslog_frames_end(struct syslog_frames *frames)
{
    struct str rest = buf_str(&frames->rest);
    bool is_counted = rest.len > 0 && rest.ptr[0] >= '1' && rest.ptr[0] <= '9';
    size_t space = str_find_byte(rest, ' ');
    int r = 0;

    if (rest.len > 0) {
        r = hand_on(frames, is_counted ? str_slice(rest, space + 1, rest.len) : rest, is_counted);
    }
    buf_consume(&frames->rest, rest.len);
    return r;
}
