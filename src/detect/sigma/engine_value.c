/* Values of an entry as atoms want them: without JSON's escapes, and folded; each made when it is
 * first asked for. Most are ASCII, with no escape but that of the backslash: they are done eight
 * bytes at a time; all others go through the functions that the oracle takes. */
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "detect/sigma/engine_run.h"
#include "detect/sigma/text.h"

#include <string.h>

#define EACH_BYTE(byte) (0x0101010101010101ULL * (byte))
#define TEXT_FIRST      65536

int values_begin(struct sigma_matcher *matcher, size_t count, size_t bytes)
{
    if (matcher->is_arena_used) {
        arena_reset(matcher->arena);
        matcher->is_arena_used = false;
    }
    if (count > matcher->value_room) {
        size_t room = count + count / 2;
        struct value *values = mem_resize(matcher->values, room, sizeof(*values));

        if (values == NULL) {
            return -ERR_NOMEM;
        }
        matcher->values = values;
        matcher->value_room = room;
    }
    if (bytes > matcher->text_room) {
        size_t room = bytes + bytes / 2 + TEXT_FIRST;
        char *text = mem_alloc(room, 1);

        if (text == NULL) {
            return -ERR_NOMEM;
        }
        mem_free(matcher->text);
        matcher->text = text;
        matcher->text_room = room;
    }
    matcher->text_used = 0;
    return 0;
}

static struct entry_field field_of(const struct sigma_matcher *matcher, uint32_t place)
{
    const struct entry *entry = matcher->entry;

    if (place < entry->count) {
        return entry->fields[place];
    }
    return (struct entry_field){.value = entry->raw};
}

struct str value_text(struct sigma_matcher *matcher, uint32_t place)
{
    struct value *value = &matcher->values[place];

    if (value->text.ptr == NULL) {
        struct entry_field field = field_of(matcher, place);
        struct str text = STR("");

        if (field.is_escaped) {
            matcher->is_arena_used = true;
            if (entry_field_text(&field, matcher->arena, &text) < 0) {
                matcher->error = -ERR_NOMEM;
            }
        } else {
            text = field.value;
        }
        value->text = text.ptr != NULL ? text : STR("");
    }
    return value->text;
}

/* The high bit of each byte that is the one asked for, at least of the first. */
static inline uint64_t bytes_equal(uint64_t word, unsigned char byte)
{
    uint64_t other = word ^ EACH_BYTE(byte);

    return (other - EACH_BYTE(0x01)) & ~other & EACH_BYTE(0x80);
}

/* Of ASCII only. */
static inline uint64_t word_fold(uint64_t word)
{
    uint64_t from = word + EACH_BYTE(0x80 - 'A');
    uint64_t to = word + EACH_BYTE(0x80 - 'Z' - 1);

    return word | ((from & ~to & EACH_BYTE(0x80)) >> 2);
}

static inline char byte_fold(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

static inline uint64_t word_load(const char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* What the letter behind a backslash stands for; 0: more than a letter, or nothing. */
static inline char escape_letter(char letter)
{
    static const char meant[256] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };

    return meant[(unsigned char)letter];
}

/* Folds text into out while it is plain; returns how much of it was, and the bytes written. */
static inline size_t fold_plain(struct str text, bool is_escaped, char *out, size_t *ret_len)
{
    size_t at = 0;
    size_t len = 0;

    while (at < text.len) {
        if (text.len - at >= sizeof(uint64_t)) {
            uint64_t word = word_load(text.ptr + at);
            uint64_t folded = word_fold(word);
            uint64_t stops = word & EACH_BYTE(0x80);
            size_t taken;

            stops |= is_escaped ? bytes_equal(word, '\\') : 0;
            memcpy(out + len, &folded, sizeof(folded));
            taken = stops == 0 ? sizeof(word) : (size_t)__builtin_ctzll(stops) / 8;
            at += taken;
            len += taken;
            if (stops == 0) {
                continue;
            }
        }
        if ((unsigned char)text.ptr[at] >= 0x80) {
            break;
        }
        if (is_escaped && text.ptr[at] == '\\') {
            char letter = at + 1 < text.len ? escape_letter(text.ptr[at + 1]) : '\0';

            if (letter == '\0') {
                break;
            }
            out[len++] = letter;
            at += 2;
            continue;
        }
        out[len++] = byte_fold(text.ptr[at++]);
    }
    *ret_len = len;
    return at;
}

struct str value_folded(struct sigma_matcher *matcher, uint32_t place)
{
    struct value *value = &matcher->values[place];

    if (value->folded.ptr == NULL) {
        struct entry_field field = field_of(matcher, place);
        char *out = matcher->text + matcher->text_used;
        size_t len = 0;

        value->is_plain = fold_plain(field.value, field.is_escaped, out, &len) == field.value.len;
        if (!value->is_plain) {
            len = sigma_fold(value_text(matcher, place), out);
        }
        value->folded = str_of(out, len);
        matcher->text_used += len + VALUE_PAD;
    }
    return value->folded;
}
