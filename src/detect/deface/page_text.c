/* Visible and hidden text, cut into blocks. On the data's way: page.c → here → page.blocks. A line
 * is written once, letter by letter, and copied to the arena when its block ends. */
#include "detect/deface/page_part.h"

#include "base/banned.h"
#include "base/compose.h"
#include "base/err.h"
#include "base/utf8.h"

#include <string.h>
#include <xxhash.h>

#define LINE_FIRST 4096
#define REPLACED   "\xef\xbf\xbd" /* U+FFFD */

enum text_class {
    TEXT_PLAIN,
    TEXT_SPACE,
    TEXT_REFERENCE,
    TEXT_HIGH,
};

static const uint8_t text_classes[256] = {
    [0 ... ' '] = TEXT_SPACE,
    [0x7f] = TEXT_SPACE,
    ['&'] = TEXT_REFERENCE,
    [0x80 ... 0xff] = TEXT_HIGH,
};

static bool line_reserve(struct page_reader *reader, size_t len)
{
    size_t room = reader->line_room != 0 ? reader->line_room : LINE_FIRST;
    char *line;

    if (reader->line_room - reader->line_len >= len) {
        return true;
    }
    while (room - reader->line_len < len) {
        room *= 2;
    }
    line = arena_alloc(reader->arena, room, 1);
    if (line == NULL) {
        reader->error = -ERR_NOMEM;
        return false;
    }
    if (reader->line_len != 0) {
        memcpy(line, reader->line, reader->line_len);
    }
    reader->line = line;
    reader->line_room = room;
    return true;
}

/* Letters onto the line, with the space that stood before them. */
static void line_put(struct page_reader *reader, const char *bytes, size_t len)
{
    if (!line_reserve(reader, len + 1)) {
        return;
    }
    if (reader->has_space && reader->line_len != 0) {
        reader->line[reader->line_len++] = ' ';
    }
    reader->has_space = false;
    memcpy(reader->line + reader->line_len, bytes, len);
    reader->line_last = reader->line_len;
    reader->line_len += len;
}

/* A mark joins the letter before it where there is such a letter. */
static bool line_compose(struct page_reader *reader, uint32_t mark)
{
    struct str last;
    uint32_t letter;
    uint32_t composed;

    if (reader->has_space || reader->line_len == reader->line_last) {
        return false;
    }
    last = str_of(reader->line + reader->line_last, reader->line_len - reader->line_last);
    if (utf8_decode(last, &letter) != last.len) {
        return false;
    }
    composed = compose_rune(letter, mark);
    if (composed == 0 || !line_reserve(reader, 4)) {
        return false;
    }
    reader->line_len = reader->line_last + utf8_encode(composed, reader->line + reader->line_last);
    return true;
}

static bool rune_is_space(uint32_t rune)
{
    return rune <= ' ' || rune == 0x7f || rune == 0xa0 || rune == 0x1680 ||
           (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 || rune == 0x2029 ||
           rune == 0x202f || rune == 0x205f || rune == 0x3000;
}

static void line_put_rune(struct page_reader *reader, uint32_t rune, const char *bytes, size_t len)
{
    if (rune_is_space(rune)) {
        reader->has_space = true;
    } else if (rune < 0x300 || rune > 0x36f || !line_compose(reader, rune)) {
        line_put(reader, bytes, len);
    }
}

/* One character that is not plain, from the front of s; how many bytes it took. */
static size_t line_put_high(struct page_reader *reader, struct str s)
{
    uint32_t rune = 0;
    size_t width = utf8_decode(s, &rune);

    if (width == 0) {
        line_put(reader, REPLACED, 3);
        return 1;
    }
    line_put_rune(reader, rune, s.ptr, width);
    return width;
}

static size_t line_put_reference(struct page_reader *reader, struct str s)
{
    char out[HTML_REFERENCE_MAX];
    size_t len = 0;
    size_t taken = html_reference(s, false, out, &len);

    if (taken == 0) {
        line_put(reader, "&", 1);
        return 1;
    }
    for (size_t at = 0; at < len;) {
        uint32_t rune = 0;
        size_t width = utf8_decode(str_of(out + at, len - at), &rune);

        line_put_rune(reader, rune, out + at, width);
        at += width != 0 ? width : 1;
    }
    return taken;
}

static bool byte_is_inside(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static void line_put_letters(struct page_reader *reader, struct str run)
{
    line_put(reader, run.ptr, run.len);
    reader->line_last = reader->line_len;
    while (reader->line_last != 0) {
        reader->line_last--;
        if (!byte_is_inside(reader->line[reader->line_last])) {
            break;
        }
    }
}

static void line_add(struct page_reader *reader, struct str raw)
{
    size_t at = 0;

    while (at < raw.len && reader->error == 0) {
        size_t start = at;

        switch (text_classes[(unsigned char)raw.ptr[at]]) {
        case TEXT_SPACE:
            reader->has_space = true;
            at++;
            break;
        case TEXT_REFERENCE:
            at += line_put_reference(reader, str_slice(raw, at, raw.len));
            break;
        case TEXT_HIGH:
        default:
            at = page_letters_end(raw, at);
            if (at != start) {
                line_put_letters(reader, str_slice(raw, start, at));
            } else {
                at += line_put_high(reader, str_slice(raw, at, raw.len));
            }
            break;
        }
    }
}

static size_t text_skip_space(struct str raw)
{
    size_t at = 0;

    while (at < raw.len && text_classes[(unsigned char)raw.ptr[at]] == TEXT_SPACE) {
        at++;
    }
    return at;
}

void page_text_add(struct page_reader *reader, struct str raw, size_t offset)
{
    uint32_t hiding = reader->stack[reader->depth].hiding;
    bool is_linked = reader->open_count[HTML_TAG_A] != 0;
    size_t skipped = text_skip_space(raw);
    size_t len_before;

    if (skipped == raw.len) {
        reader->has_space = true;
        return;
    }
    if (reader->line_len != 0 && hiding != reader->line_hiding) {
        page_text_break(reader);
    }
    if (reader->line_len == 0) {
        reader->line_offset = (uint32_t)(offset + skipped);
        reader->line_hiding = hiding;
        reader->is_all_linked = true;
    }
    len_before = reader->line_len;
    line_add(reader, raw);
    if (reader->line_len != len_before) {
        reader->is_all_linked = reader->is_all_linked && is_linked;
    }
}

/* Counts the words; those of visible blocks are features, alone and with their neighbour. */
static uint32_t text_count_words(struct page_reader *reader, struct str text, bool is_visible)
{
    struct page_words words;
    struct page_word word;
    uint64_t before = 0;
    uint32_t count = 0;

    page_words_open(&words, text);
    while (page_words_next(&words, &word)) {
        count++;
        if (!is_visible) {
            continue;
        }
        page_simhash_add(&reader->text, word.hash);
        if (before != 0) {
            page_simhash_add(&reader->text, page_mix(before, word.hash));
        }
        before = word.hash;
    }
    return count;
}

static void text_keep_block(struct page_reader *reader, struct str line)
{
    struct page *page = &reader->page;
    bool is_visible = reader->line_hiding == 0;
    uint32_t words = text_count_words(reader, line, is_visible);
    struct page_block block = {.hash = XXH3_64bits(line.ptr, line.len),
                               .offset = reader->line_offset,
                               .hiding = reader->line_hiding,
                               .is_link = reader->is_all_linked};

    if (is_visible) {
        page->word_count += words;
        reader->text_hash = page_mix(reader->text_hash, block.hash);
    } else {
        page->hidden_word_count += words;
    }
    reader->blocks = page_grow(reader, reader->blocks, page->block_count, &reader->block_room,
                               sizeof(block), PAGE_BLOCKS_MAX);
    if (reader->block_room == page->block_count) {
        return;
    }
    block.text = arena_copy(reader->arena, line);
    if (block.text.ptr == NULL) {
        reader->error = -ERR_NOMEM;
        return;
    }
    reader->blocks[page->block_count++] = block;
}

void page_text_break(struct page_reader *reader)
{
    if (reader->line_len != 0) {
        page_link_take_text(reader);
        text_keep_block(reader, str_of(reader->line, reader->line_len));
    }
    reader->line_len = 0;
    reader->line_last = 0;
    reader->anchor_from = 0;
    reader->has_space = false;
}

struct str page_text_plain(struct page_reader *reader, struct str raw, size_t limit)
{
    struct str text;
    size_t len;

    /* Only called between blocks or for what does not touch the line: it borrows its room. */
    size_t line_len = reader->line_len;
    size_t line_last = reader->line_last;
    bool has_space = reader->has_space;

    reader->has_space = false;
    if (!line_reserve(reader, 1)) {
        return str_of("", 0);
    }
    reader->line[reader->line_len++] = ' '; /* so that nothing composes with the line */
    reader->line_last = reader->line_len;
    len = reader->line_len;
    line_add(reader, str_slice(raw, 0, limit * 4));
    text = str_trim(str_slice(str_of(reader->line, reader->line_len), len, len + limit));
    text = str_slice(text, 0, utf8_valid_prefix(text)); /* not cut inside a letter */
    text = arena_copy(reader->arena, text);
    reader->line_len = line_len;
    reader->line_last = line_last;
    reader->has_space = has_space;
    if (text.ptr == NULL) {
        reader->error = -ERR_NOMEM;
        return str_of("", 0);
    }
    return text;
}
