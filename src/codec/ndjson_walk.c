/* The walker over JSON objects: see codec/ndjson_walk.h. Next on the way: codec/ndjson tells what
 * its fields mean. Invariant: it only goes forward, so the time is linear in the bytes. */
#include "codec/ndjson_walk.h"

#include "base/banned.h"
#include "base/err.h"

#include <string.h>

void ndjson_walk_init(struct ndjson_walk *walk, struct str text, struct ndjson_paths *paths)
{
    *walk = (struct ndjson_walk){.text = text, .paths = paths};
    ndjson_index_init(&walk->index, text);
}

static inline int walk_next(const struct ndjson_walk *walk)
{
    return walk->at < walk->text.len ? (unsigned char)walk->text.ptr[walk->at] : -1;
}

static inline bool is_space(int byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* The next byte that is no space; -1 at the end, and before a line that starts a record: walk->at
 * then stays. */
static inline int walk_skip(struct ndjson_walk *walk)
{
    int next = walk_next(walk);
    size_t start = walk->at;

    while (is_space(next)) {
        walk->at++;
        if (next == '\n' && walk_next(walk) == '{') {
            walk->at = start;
            return -1;
        }
        walk->lines += next == '\n';
        next = walk_next(walk);
    }
    walk->at = next < 0 ? start : walk->at;
    return next;
}

/* The text behind the quote at walk->at, which is then behind the closing one. False: it has no
 * end on its line. */
static inline bool walk_text(struct ndjson_walk *walk, struct entry_field *field)
{
    size_t start = walk->at + 1;
    size_t stop = ndjson_index_stop(&walk->index, start, &field->is_escaped);

    if (stop == walk->text.len || walk->text.ptr[stop] != '"') {
        walk->at = stop;
        return false;
    }
    field->value = str_of(walk->text.ptr + start, stop - start);
    walk->at = stop + 1;
    return true;
}

static bool is_number(struct str word)
{
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];

        if ((c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && (c | 0x20) != 'e') {
            return false;
        }
    }
    return word.len > 0;
}

/* A number or one of three words. Any other word is kept as text. */
static void walk_word(struct ndjson_walk *walk, struct entry_field *field)
{
    size_t start = walk->at;
    int next = walk_next(walk);

    while (next >= 0 && next != ',' && next != '}' && next != ']' && !is_space(next)) {
        walk->at++;
        next = walk_next(walk);
    }
    field->value = str_of(walk->text.ptr + start, walk->at - start);
    if (is_number(field->value)) {
        field->type = ENTRY_TYPE_NUMBER;
    } else if (str_is(field->value, STR("true")) || str_is(field->value, STR("false"))) {
        field->type = ENTRY_TYPE_BOOL;
    } else if (str_is(field->value, STR("null"))) {
        field->type = ENTRY_TYPE_NULL;
        field->value.len = 0;
    } else {
        walk->entry->faults |= ENTRY_FAULT_SYNTAX;
    }
}

/* Where the next field goes; NULL without memory. It is filled in place: copied from beside it, the
 * processor would wait for the halves of each text. */
static inline struct entry_field *walk_room(struct ndjson_walk *walk, uint32_t path)
{
    struct entry *entry = walk->entry;
    struct entry_field *field;

    if (entry->count == entry->room) {
        if (entry_add(entry, &(struct entry_field){0}) < 0) {
            return NULL;
        }
        entry->count--;
    }
    field = &entry->fields[entry->count];
    field->id = path;
    field->type = ENTRY_TYPE_TEXT;
    field->is_escaped = false;
    return field;
}

/* The field there counts. */
static inline void walk_keep(struct ndjson_walk *walk)
{
    if (walk->at > walk->limit) {
        walk->entry->faults |= ENTRY_FAULT_CUT;
    } else {
        walk->entry->count++;
    }
}

/* Names are short: the general comparison costs more to call than to do. */
static inline bool is_same(const char *a, const char *b, size_t len)
{
    uint64_t from_a = 0;
    uint64_t from_b = 0;

    if (len < 8) {
        for (size_t i = 0; i < len; i++) {
            if (a[i] != b[i]) {
                return false;
            }
        }
        return true;
    }
    for (size_t at = 0; at + 8 < len; at += 8) {
        memcpy(&from_a, a + at, 8);
        memcpy(&from_b, b + at, 8);
        if (from_a != from_b) {
            return false;
        }
    }
    memcpy(&from_a, a + len - 8, 8);
    memcpy(&from_b, b + len - 8, 8);
    return from_a == from_b;
}

/* The member's path: most often the one that followed the last member before, too. */
static inline int walk_member(struct ndjson_walk *walk, struct ndjson_frame *frame,
                              bool *ret_is_told)
{
    struct ndjson_paths *paths = walk->paths;
    const char *text = walk->text.ptr + walk->at + 1;
    bool is_first = frame->last == frame->path;
    struct ndjson_path *last = &paths->list[frame->last];
    const struct ndjson_path *guess = &paths->list[is_first ? last->first : last->next];
    struct entry_field name = {0};
    uint32_t path = 0;
    int r;

    if (guess->parent == frame->path && guess->key.len + 2 <= walk->text.len - walk->at &&
        text[guess->key.len] == '"' && is_same(text, guess->key.ptr, guess->key.len) &&
        guess != paths->list) {
        walk->at += guess->key.len + 2;
        *ret_is_told = true;
        frame->last = (uint32_t)(guess - paths->list);
        return 0;
    }
    *ret_is_told = walk_text(walk, &name);
    if (!*ret_is_told) {
        return 0;
    }
    r = ndjson_paths_member(paths, frame->path, name.value, &path);
    if (r < 0) {
        return r;
    }
    last = &paths->list[frame->last]; /* the list may have moved */
    *(is_first ? &last->first : &last->next) = path;
    frame->last = path;
    return 0;
}

/* Up to the member's value. False: it broke. */
static inline int walk_name(struct ndjson_walk *walk, struct ndjson_frame *frame, bool *ret_is_told)
{
    const struct ndjson_tells *tells;
    int r = walk_member(walk, frame, ret_is_told);

    if (r < 0 || !*ret_is_told) {
        return r;
    }
    tells = &walk->paths->list[frame->last].tells;
    walk->tells.bits[0] |= tells->bits[0];
    walk->tells.bits[1] |= tells->bits[1];
    *ret_is_told = walk_skip(walk) == ':';
    walk->at += *ret_is_told;
    return 0;
}

/* A value without members. False: it broke. */
static inline int walk_scalar(struct ndjson_walk *walk, uint32_t path, bool *ret_is_told)
{
    struct entry_field *field = walk_room(walk, path);
    size_t start = walk->at;

    if (field == NULL) {
        return -ERR_NOMEM;
    }
    if (walk_next(walk) == '"') {
        *ret_is_told = walk_text(walk, field);
    } else {
        walk_word(walk, field);
        *ret_is_told = walk->at > start;
    }
    if (*ret_is_told) {
        walk_keep(walk);
    }
    return 0;
}

size_t ndjson_walk_end(struct ndjson_index *index, size_t at)
{
    struct str text = index->text;
    unsigned long depth = 0;

    while (at < text.len) {
        char byte = text.ptr[at++];
        bool is_slashed;

        if (byte == '"') {
            at = ndjson_index_stop(index, at, &is_slashed);
            if (at == text.len || text.ptr[at] == '\n') {
                return 0;
            }
            at++;
        } else if (byte == '{' || byte == '[') {
            depth++;
        } else if (byte == '}' || byte == ']') {
            if (--depth == 0) {
                return at;
            }
        } else if (byte == '\n' && at < text.len && text.ptr[at] == '{') {
            return 0;
        }
    }
    return 0;
}

uint64_t ndjson_walk_lines(struct str text, size_t from, size_t to)
{
    struct str rest = str_slice(text, from, to);
    uint64_t lines = 0;

    for (size_t at = str_find_byte(rest, '\n'); at < rest.len; at = str_find_byte(rest, '\n')) {
        rest = str_slice(rest, at + 1, rest.len);
        lines++;
    }
    return lines;
}

/* The container from start to here as one field. */
static int walk_whole(struct ndjson_walk *walk, uint32_t path, size_t start, uint8_t type)
{
    struct entry_field *field = walk_room(walk, path);

    if (field == NULL) {
        return -ERR_NOMEM;
    }
    field->value = str_of(walk->text.ptr + start, walk->at - start);
    field->type = type;
    walk_keep(walk);
    return 0;
}

/* Too deep: passes over the container. False: it has no end. */
static int walk_over(struct ndjson_walk *walk, uint32_t path, bool *ret_is_told)
{
    size_t start = walk->at;
    size_t end = ndjson_walk_end(&walk->index, start);

    walk->entry->faults |= ENTRY_FAULT_DEPTH;
    *ret_is_told = end != 0;
    if (end == 0) {
        return 0;
    }
    walk->at = end;
    walk->lines += ndjson_walk_lines(walk->text, start, end);
    return walk_whole(walk, path, start, ENTRY_TYPE_TEXT);
}

/* Behind a value: a comma, or the ends of what is open. True: the record goes on. */
static int walk_close(struct ndjson_walk *walk, bool *ret_is_told)
{
    int next = walk_skip(walk);
    int r = 0;

    while (r == 0 && next == (walk->frames[walk->depth - 1].is_list ? ']' : '}')) {
        const struct ndjson_frame *frame = &walk->frames[--walk->depth];

        walk->at++;
        if (frame->is_kept) {
            r = walk_whole(walk, frame->path, frame->start, NDJSON_TYPE_WHOLE);
        }
        if (walk->depth == 0) {
            return r;
        }
        next = walk_skip(walk);
    }
    *ret_is_told = next == ',';
    walk->is_comma = *ret_is_told;
    walk->at += *ret_is_told;
    return r;
}

/* One value behind its name, or one of a list. */
static int walk_value(struct ndjson_walk *walk, bool *ret_is_told)
{
    const struct ndjson_frame *frame = &walk->frames[walk->depth - 1];
    uint32_t path = frame->is_list ? frame->path : frame->last;
    int next = walk_skip(walk);

    walk->is_comma = false;
    if (next != '{' && next != '[') {
        return walk_scalar(walk, path, ret_is_told);
    }
    if (walk->depth == NDJSON_DEPTH_MAX) {
        return walk_over(walk, path, ret_is_told);
    }
    walk->frames[walk->depth++] = (struct ndjson_frame){
        .path = path,
        .last = path,
        .start = walk->at++,
        .is_list = next == '[',
        .is_kept = next == '{' && walk->paths->list[path].is_wanted,
    };
    return 0;
}

/* The length of a plain number at `at`; 0: what stands there is another value, or has no end yet.
 */
static inline size_t number_len(struct str text, size_t at)
{
    size_t end = at + (text.ptr[at] == '-');

    while (end < text.len && text.ptr[end] >= '0' && text.ptr[end] <= '9') {
        end++;
    }
    return end < text.len && (text.ptr[end] == ',' || text.ptr[end] == '}') ? end - at : 0;
}

/* Behind the name of the member at `at` and its colon when it is the one that came there before,
 * written without blanks; else 0. */
static inline size_t guess_end(const struct ndjson_walk *walk, const struct ndjson_frame *frame,
                               const struct ndjson_path *guess, size_t at)
{
    size_t len = guess->key.len;
    const char *text = walk->text.ptr + at;

    return guess->parent == frame->path && guess != walk->paths->list &&
                   len + 4 <= walk->text.len - at && text[0] == '"' && text[len + 1] == '"' &&
                   text[len + 2] == ':' && is_same(text + 1, guess->key.ptr, len)
               ? at + len + 3
               : 0;
}

/* Reads the value at `at` into the field. Where it ends; 0: it is for the slow way. */
static inline size_t quick_value(struct ndjson_walk *walk, size_t at, struct entry_field *field)
{
    struct str text = walk->text;
    size_t end;

    if (text.ptr[at] != '"') {
        end = at + number_len(text, at);
        field->value = str_of(text.ptr + at, end - at);
        field->type = ENTRY_TYPE_NUMBER;
        field->is_escaped = false;
        return end == at ? 0 : end;
    }
    end = ndjson_index_stop(&walk->index, at + 1, &field->is_escaped);
    if (text.len - end < 2 || text.ptr[end] != '"') {
        return 0;
    }
    field->value = str_of(text.ptr + at + 1, end - at - 1);
    field->type = ENTRY_TYPE_TEXT;
    return end + 1;
}

/* Members as they came before, texts and plain numbers with nothing between: nearly all of a log is
 * of them. Goes to the first that is otherwise, behind the comma before it. */
static inline void walk_quickly(struct ndjson_walk *walk, struct ndjson_frame *frame)
{
    const struct ndjson_path *list = walk->paths->list;
    const struct ndjson_path *last = &list[frame->last];
    struct entry *entry = walk->entry;

    while (entry->count < entry->room && walk->at < walk->limit) {
        const struct ndjson_path *guess =
            &list[last == &list[frame->path] ? last->first : last->next];
        struct entry_field *field = &entry->fields[entry->count];
        size_t at = guess_end(walk, frame, guess, walk->at);

        at = at == 0 ? 0 : quick_value(walk, at, field);
        if (at == 0 || at > walk->limit || walk->text.ptr[at] != ',') {
            break;
        }
        field->id = (uint32_t)(guess - list);
        entry->count++;
        walk->tells.bits[0] |= guess->tells.bits[0];
        walk->tells.bits[1] |= guess->tells.bits[1];
        walk->at = at + 1;
        walk->is_comma = true;
        last = guess;
    }
    frame->last = (uint32_t)(last - list);
}

/* One step: an empty container's end, or a member. */
static int walk_step(struct ndjson_walk *walk, bool *ret_is_told)
{
    struct ndjson_frame *frame = &walk->frames[walk->depth - 1];
    size_t open = walk->depth;
    int next;
    int r = 0;

    if (!frame->is_list) {
        walk_quickly(walk, frame);
    }
    next = walk_skip(walk);
    *ret_is_told = true;
    if (next == (frame->is_list ? ']' : '}')) {
        walk->entry->faults |= walk->is_comma ? ENTRY_FAULT_SYNTAX : 0;
        return walk_close(walk, ret_is_told);
    }
    if (!frame->is_list) {
        *ret_is_told = next == '"';
        if (*ret_is_told) {
            r = walk_name(walk, frame, ret_is_told);
        }
    }
    if (r == 0 && *ret_is_told) {
        r = walk_value(walk, ret_is_told);
    }
    return r == 0 && *ret_is_told && walk->depth <= open ? walk_close(walk, ret_is_told) : r;
}

int ndjson_walk_record(struct ndjson_walk *walk, struct entry *entry)
{
    bool is_told = true;
    int r = 0;

    walk->entry = entry;
    walk->tells = (struct ndjson_tells){0};
    walk->is_comma = false;
    walk->lines = 0;
    walk->limit = walk->at + ENTRY_SIZE_MAX;
    walk->depth = 1;
    walk->frames[0] = (struct ndjson_frame){.start = walk->at++};
    while (r == 0 && is_told && walk->depth > 0) {
        r = walk_step(walk, &is_told);
    }
    if (r < 0 && r != -ERR_LIMIT) { /* of names */
        return r;
    }
    walk->is_broken = r < 0 || !is_told;
    entry->faults |= walk->is_broken ? ENTRY_FAULT_SYNTAX : 0;
    return 0;
}
