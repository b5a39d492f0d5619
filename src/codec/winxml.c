/* Windows events as XML, cut into events: see codec/winxml.h. */
#include "codec/winxml.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/utf16.h"

#include <string.h>

#define EVENT_END "</Event>"
#define NAMESPACE "http://schemas.microsoft.com/win/2004/08/events/event"
#define PROBE     4096

/* UTF-16 as PowerShell writes it; a block from within a file has no mark at its front. */
static bool is_wide(struct str bytes)
{
    return bytes.len >= 2 && (memcmp(bytes.ptr, "\xff\xfe", 2) == 0 ||
                              (bytes.ptr[0] != '\0' && bytes.ptr[1] == '\0'));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Where the next <Event begins; text.len when none does. */
static size_t find_event(struct str text)
{
    size_t at = 0;

    while (at < text.len) {
        struct str rest = str_slice(text, at, text.len);
        size_t found = str_find(rest, STR("<Event"));
        char next = found + 6 < rest.len ? rest.ptr[found + 6] : '\0';

        if (found == rest.len) {
            break;
        }
        if (next == '>' || is_blank(next)) {
            return at + found;
        }
        at += found + 6;
    }
    return text.len;
}

/* Takes the next piece of the text: an event, or what stands before it. */
static bool take_piece(struct str *text, struct str *ret_piece, bool *ret_is_event)
{
    size_t at = find_event(*text);
    size_t end;

    if (text->len == 0) {
        return false;
    }
    *ret_is_event = at == 0;
    if (at == 0) {
        end = str_find(*text, STR(EVENT_END));
        at = end < text->len ? end + sizeof(EVENT_END) - 1 : end;
    }
    *ret_piece = str_slice(*text, 0, at);
    *text = str_slice(*text, at, text->len);
    return true;
}

/* Between events stand only blanks, the XML declaration, a byte order mark, and <Events>. */
static bool is_frame(struct str piece)
{
    piece = str_trim(piece);
    while (piece.len > 0) {
        struct str mark = STR("\xef\xbb\xbf");
        size_t end = str_find_byte(piece, '>');
        bool is_known = str_has_prefix(piece, STR("<?xml")) ||
                        str_has_prefix(piece, STR("<Events")) ||
                        str_has_prefix(piece, STR("</Events"));

        if (str_has_prefix(piece, mark)) {
            end = mark.len - 1;
        } else if (!is_known || end == piece.len) {
            return false;
        }
        piece = str_trim(str_slice(piece, end + 1, piece.len));
    }
    return true;
}

static unsigned winxml_weigh(struct str head)
{
    char narrow[PROBE * UTF16_GROWTH];

    if (is_wide(head)) {
        size_t units =
            (head.len < sizeof(uint16_t) * PROBE ? head.len : sizeof(uint16_t) * PROBE) / 2;

        head = str_of(narrow, utf16_decode(head.ptr, units, narrow));
    }
    if (find_event(head) == head.len || !is_frame(str_slice(head, 0, find_event(head)))) {
        return 0;
    }
    if (str_find(head, STR(NAMESPACE)) < head.len) {
        return 98;
    }
    return str_find(head, STR("<System>")) < head.len ? 80 : 0;
}

/* Behind the last end of an event; 0: there is none. */
static size_t last_end(struct str bytes, struct str end)
{
    while (bytes.len >= end.len) {
        const char *at = memrchr(bytes.ptr, '<', bytes.len - end.len + 1);

        if (at == NULL) {
            return 0;
        }
        bytes.len = (size_t)(at - bytes.ptr);
        if (memcmp(at, end.ptr, end.len) == 0) {
            return bytes.len + end.len;
        }
        bytes.len += end.len - 1;
    }
    return 0;
}

static size_t winxml_cut(struct str bytes, bool is_end)
{
    static const char wide_end[] = "<\0/\0E\0v\0e\0n\0t\0>"; /* the last zero is C's own */
    size_t end;

    if (is_end) {
        return bytes.len;
    }
    end = last_end(bytes, is_wide(bytes) ? str_of(wide_end, sizeof(wide_end)) : STR(EVENT_END));
    return end == 0 && bytes.len > UTF16_GROWTH * ENTRY_SIZE_MAX ? bytes.len : end;
}

/* The block as UTF-8: itself, or *ret_narrow, which is the caller's then. */
static int narrow_block(struct str *block, char **ret_narrow)
{
    if (!is_wide(*block)) {
        return 0;
    }
    *ret_narrow = mem_alloc(block->len / 2 + 1, UTF16_GROWTH);
    if (*ret_narrow == NULL) {
        return -ERR_NOMEM;
    }
    *block = str_of(*ret_narrow, utf16_decode(block->ptr, block->len / 2, *ret_narrow));
    return 0;
}

static uint64_t winxml_count(struct str block)
{
    char *narrow = NULL;
    uint64_t count = 0;
    struct str piece;
    bool is_event;

    if (narrow_block(&block, &narrow) < 0) {
        return 0;
    }
    while (take_piece(&block, &piece, &is_event)) {
        count += is_event || !is_frame(piece);
    }
    mem_free(narrow);
    return count;
}

static int read_piece(struct log_reading *reading, struct str piece, bool is_event)
{
    struct entry *entry = &reading->entry;

    entry_reset(entry);
    arena_reset(reading->arena);
    entry->raw = piece;
    entry->number = reading->number++;
    if (is_event) {
        return winxml_event(reading, piece);
    }
    entry->faults = ENTRY_FAULT_SYNTAX | ENTRY_FAULT_TIME;
    return 0;
}

static int winxml_read(struct log_reading *reading, struct str block, entry_fn *fn, void *context)
{
    char *narrow = NULL;
    struct str piece;
    bool is_event;
    int r;

    reading->counts.bytes += block.len;
    r = narrow_block(&block, &narrow);
    while (r == 0 && take_piece(&block, &piece, &is_event)) {
        if (!is_event && is_frame(piece)) {
            reading->counts.passed += str_trim(piece).len > 0;
            continue;
        }
        r = read_piece(reading, piece, is_event);
        if (r == 0) {
            r = log_hand_on(reading, &reading->entry, fn, context);
        }
    }
    mem_free(narrow);
    return r;
}

const struct log_format winxml_log_format = {
    .name = "winxml",
    .title = N_("Windows events as XML"),
    .weigh = winxml_weigh,
    .cut = winxml_cut,
    .read = winxml_read,
    .count = winxml_count,
};
