/* Runs of letters that go onto the line as they stand, found 16 bytes at a time: Vietnamese has a
 * letter beyond ASCII in every word, where a branch a letter would be guessed wrong. On the data's
 * way: page_text.c asks here for each run. */
#include "base/banned.h"
#include "detect/deface/page_lanes.h"
#include "detect/deface/page_words.h"

#define AROUND 2 /* bytes on either side of a lane that say what its bytes are */

static bool byte_is_plain(char byte)
{
    return (unsigned char)byte > ' ' && (unsigned char)byte < 0x7f && byte != '&';
}

static page_bytes are_plain(page_bytes bytes)
{
    return (page_bytes)(bytes > ' ') & (page_bytes)(bytes < 0x7f) & (page_bytes)(bytes != '&');
}

static bool byte_is_tail(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static page_bytes are_tails(page_bytes bytes)
{
    return (page_bytes)((bytes & 0xc0) == 0x80);
}

/* U+00C0 to U+02FF: two bytes. */
static page_bytes are_low(page_bytes bytes)
{
    return (page_bytes)((bytes - 0xc3) <= 0xcb - 0xc3);
}

/* U+1E00 to U+1EFF: three, of which the second is one of four. */
static page_bytes are_high(page_bytes bytes)
{
    return (page_bytes)(bytes == 0xe1);
}

static page_bytes are_second(page_bytes bytes)
{
    return (page_bytes)((bytes & 0xfc) == 0xb8);
}

/* Bytes of the letter at `at` when it is one of those that stand for themselves and are neither
 * space nor mark; else 0. */
static size_t letter_width(struct str text, size_t at)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr + at;
    size_t left = text.len - at;

    if (left != 0 && byte_is_plain(text.ptr[at])) {
        return 1;
    }
    if (left >= 3 && bytes[0] == 0xe1) {
        return (bytes[1] & 0xfc) == 0xb8 && (bytes[2] & 0xc0) == 0x80 ? 3 : 0;
    }
    return left >= 2 && bytes[0] >= 0xc3 && bytes[0] <= 0xcb && (bytes[1] & 0xc0) == 0x80 ? 2 : 0;
}

/* How many bytes of the lane at ptr go on with the run that holds the bytes before it. A space does
 * when no other follows it. */
static size_t lane_run(const char *ptr)
{
    page_bytes bytes = lanes_load(ptr);
    page_bytes next = lanes_load(ptr + 1);
    page_bytes before = lanes_load(ptr - 1);
    page_bytes begins = are_plain(bytes) | (are_low(bytes) & are_tails(next)) |
                        (are_high(bytes) & are_second(next) & are_tails(lanes_load(ptr + 2)));
    page_bytes goes_on = are_low(before) | (are_high(before) & are_second(bytes)) |
                         (are_high(lanes_load(ptr - 2)) & are_second(before));
    page_bytes parts = (page_bytes)(bytes == ' ') & (page_bytes)(next != ' ');
    page_lanes stops = (page_lanes) ~(begins | (goes_on & are_tails(bytes)) | parts);

    if (stops[0] != 0) {
        return (size_t)__builtin_ctzll(stops[0]) / 8;
    }
    return stops[1] != 0 ? 8 + (size_t)__builtin_ctzll(stops[1]) / 8 : LANES;
}

size_t page_letters_end(struct str text, size_t at)
{
    size_t start = at;
    size_t run = LANES;

    while (at - start < AROUND && run != 0) {
        run = letter_width(text, at);
        at += run;
    }
    while (run != 0 && text.len - at >= LANES + AROUND) {
        run = lane_run(text.ptr + at);
        at += run;
        run = run == LANES ? run : 0;
    }
    while (run != 0 && at < text.len && byte_is_tail(text.ptr[at])) {
        at--; /* the last lane ended inside a letter */
    }
    while (run != 0) {
        size_t space = at < text.len && text.ptr[at] == ' ';

        run = letter_width(text, at + space);
        at += run != 0 ? space + run : 0;
    }
    return at - start > AROUND && text.ptr[at - 1] == ' ' ? at - 1 : at;
}
