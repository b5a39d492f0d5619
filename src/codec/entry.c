/* Entries and the names of their fields: see codec/entry.h. Names are looked up for every field of
 * every entry, so the table hashes no more than a name's ends; only rules put names into it, so
 * nobody who writes logs can make its chains long. */
#include "codec/entry.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <string.h>

#define FIELDS_FIRST 64
#define NAMES_FIRST  64

struct entry_names {
    struct arena *arena;
    struct str *texts; /* by number - 1 */
    uint32_t *slots;   /* numbers; 0: free */
    size_t count;
    size_t room; /* of slots, a power of two; texts has half as many */
    size_t limit;
};

/* Of four to eight bytes, or more: the first and the last of them, which may be the same. */
static uint64_t name_end(const char *bytes, size_t len)
{
    uint64_t word = 0;
    uint32_t low;
    uint32_t high;

    if (len >= sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        return word;
    }
    memcpy(&low, bytes, sizeof(low));
    memcpy(&high, bytes + len - sizeof(high), sizeof(high));
    return (uint64_t)high << 32 | low;
}

static uint64_t name_hash(struct str name)
{
    uint64_t hash = name.len * 0x9e3779b97f4a7c15ULL;

    if (name.len >= 4) {
        size_t tail = name.len < 8 ? name.len : 8;

        hash ^= name_end(name.ptr, name.len) * 0xff51afd7ed558ccdULL;
        hash ^= name_end(name.ptr + name.len - tail, tail) * 0xc4ceb9fe1a85ec53ULL;
    } else if (name.len > 0) {
        uint64_t few = (uint64_t)(unsigned char)name.ptr[0] << 16 |
                       (uint64_t)(unsigned char)name.ptr[name.len / 2] << 8 |
                       (unsigned char)name.ptr[name.len - 1];

        hash ^= few * 0xff51afd7ed558ccdULL;
    }
    return hash ^ (hash >> 32);
}

int entry_names_new(size_t limit, struct entry_names **ret_names)
{
    struct entry_names *names = mem_alloc(1, sizeof(*names));
    int r;

    if (names == NULL) {
        return -ERR_NOMEM;
    }
    names->limit = limit;
    r = arena_new(limit * ENTRY_NAME_MAX, &names->arena);
    if (r < 0) {
        mem_free(names);
        return r;
    }
    *ret_names = names;
    return 0;
}

void entry_names_free(struct entry_names *names)
{
    if (names != NULL) {
        arena_free(names->arena);
        mem_free(names->texts);
        mem_free(names->slots);
        mem_free(names);
    }
}

void entry_names_freep(struct entry_names **names)
{
    entry_names_free(*names);
    *names = NULL;
}

/* The slot that holds the name, or the free one where it would stand. */
static size_t names_slot(const struct entry_names *names, struct str name)
{
    size_t at = name_hash(name) & (names->room - 1);

    for (; names->slots[at] != 0; at = (at + 1) & (names->room - 1)) {
        const struct str *text = &names->texts[names->slots[at] - 1];

        if (text->len == name.len && memcmp(text->ptr, name.ptr, name.len) == 0) {
            break;
        }
    }
    return at;
}

uint32_t entry_names_find(const struct entry_names *names, struct str name)
{
    return names == NULL || names->room == 0 ? 0 : names->slots[names_slot(names, name)];
}

static int names_grow(struct entry_names *names)
{
    size_t room = names->room == 0 ? NAMES_FIRST : names->room * 2;
    struct str *texts = mem_resize(names->texts, room / 2, sizeof(*texts));
    uint32_t *slots;

    if (texts == NULL) {
        return -ERR_NOMEM;
    }
    names->texts = texts;
    slots = mem_alloc(room, sizeof(*slots));
    if (slots == NULL) {
        return -ERR_NOMEM;
    }
    mem_free(names->slots);
    names->slots = slots;
    names->room = room;
    for (uint32_t id = 1; id <= names->count; id++) {
        slots[names_slot(names, texts[id - 1])] = id;
    }
    return 0;
}

int entry_names_add(struct entry_names *names, struct str name, uint32_t *ret_id)
{
    uint32_t id = entry_names_find(names, name);
    struct str copy;
    int r = 0;

    if (id != 0) {
        *ret_id = id;
        return 0;
    }
    if (name.len > ENTRY_NAME_MAX || names->count >= names->limit) {
        return -ERR_LIMIT;
    }
    if (names->count >= names->room / 2) {
        r = names_grow(names);
        if (r < 0) {
            return r;
        }
    }
    copy = arena_copy(names->arena, name);
    if (copy.ptr == NULL) {
        return -ERR_NOMEM;
    }
    id = (uint32_t)++names->count;
    names->slots[names_slot(names, name)] = id;
    names->texts[id - 1] = copy;
    *ret_id = id;
    return 0;
}

struct str entry_names_get(const struct entry_names *names, uint32_t id)
{
    return id == 0 || id > names->count ? STR("") : names->texts[id - 1];
}

size_t entry_names_count(const struct entry_names *names)
{
    return names->count;
}

void entry_init(struct entry *entry)
{
    *entry = (struct entry){0};
}

void entry_done(struct entry *entry)
{
    mem_free(entry->fields);
    *entry = (struct entry){0};
}

void entry_reset(struct entry *entry)
{
    *entry = (struct entry){.fields = entry->fields, .room = entry->room};
}

int entry_add(struct entry *entry, const struct entry_field *field)
{
    if (entry->count == entry->room) {
        size_t room = entry->room == 0 ? FIELDS_FIRST : entry->room * 2;
        struct entry_field *fields = mem_resize(entry->fields, room, sizeof(*fields));

        if (fields == NULL) {
            return -ERR_NOMEM;
        }
        entry->fields = fields;
        entry->room = room;
    }
    entry->fields[entry->count++] = *field;
    return 0;
}

const struct entry_field *entry_find(const struct entry *entry, struct str name)
{
    for (size_t i = 0; i < entry->count; i++) {
        if (str_is(entry->fields[i].name, name)) {
            return &entry->fields[i];
        }
    }
    return NULL;
}

/* The four digits behind \u; -1 when they are not four. */
static int32_t escape_unit(struct str text, size_t at)
{
    int32_t unit = 0;

    if (text.len - at < 6 || text.ptr[at] != '\\' || text.ptr[at + 1] != 'u') {
        return -1;
    }
    for (size_t i = at + 2; i < at + 6; i++) {
        char c = text.ptr[i];
        int digit = c >= '0' && c <= '9'                     ? c - '0'
                    : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                             : -1;

        if (digit < 0) {
            return -1;
        }
        unit = unit << 4 | digit;
    }
    return unit;
}

/* The character of the \u escape at `at`, and how many bytes it took; 0 for a broken one. */
static size_t escape_rune(struct str text, size_t at, uint32_t *ret_rune)
{
    int32_t high = escape_unit(text, at);
    int32_t low;

    if (high < 0) {
        return 0;
    }
    *ret_rune = (uint32_t)high;
    if (high < 0xd800 || high > 0xdfff) {
        return 6;
    }
    low = high < 0xdc00 ? escape_unit(text, at + 6) : -1;
    if (low < 0xdc00 || low > 0xdfff) {
        *ret_rune = 0xfffd; /* half a pair */
        return 6;
    }
    *ret_rune = 0x10000 + (((uint32_t)high & 0x3ff) << 10) + ((uint32_t)low & 0x3ff);
    return 12;
}

/* What stands for an escape of one letter; 0 for one that JSON does not have. */
static char escape_letter(char letter)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    const char *found = memchr(from, letter, sizeof(from) - 1);

    return found == NULL ? 0 : to[found - from];
}

/* Takes the escape at `at`, writes what it stands for, and returns its length. */
static size_t escape_take(struct str text, size_t at, char *out, size_t *out_len)
{
    char letter = at + 1 < text.len ? escape_letter(text.ptr[at + 1]) : 0;
    uint32_t rune = 0;
    size_t taken = 2;

    if (letter != 0) {
        out[(*out_len)++] = letter;
        return taken;
    }
    taken = at + 1 < text.len ? escape_rune(text, at, &rune) : 0;
    if (taken == 0) {
        out[(*out_len)++] = '\\';
        return 1;
    }
    *out_len += utf8_encode(rune, out + *out_len);
    return taken;
}

size_t entry_unescape(struct str text, char *out)
{
    size_t len = 0;

    for (size_t at = 0; at < text.len;) {
        size_t plain = str_find_byte(str_slice(text, at, text.len), '\\');

        memcpy(out + len, text.ptr + at, plain);
        len += plain;
        at += plain;
        if (at < text.len) {
            at += escape_take(text, at, out, &len);
        }
    }
    return len;
}

int entry_field_text(const struct entry_field *field, struct arena *arena, struct str *ret_text)
{
    struct str text = field->value;
    char *out;

    if (!field->is_escaped) {
        *ret_text = text;
        return 0;
    }
    out = arena_alloc(arena, text.len + 1, 1); /* an escape is never shorter than what it means */
    if (out == NULL) {
        return -ERR_NOMEM;
    }
    *ret_text = str_of(out, entry_unescape(text, out));
    return 0;
}
