/* JSON logs: one object a line, or objects one behind another however they are broken into lines,
 * or lists of them, also inside the envelopes in which services deliver them ({"Records":[…]}). The
 * way: this file cuts and counts, ndjson_walk lays values out, ndjson_tell names them. */
#include "codec/logs.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/ndjson_tell.h"
#include "codec/ndjson_walk.h"

#include <string.h>

#define ENVELOPE_MEMBERS 8 /* before its list */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* What may stand between records: white space, and the marks of a list around them. */
static bool is_between(char byte)
{
    return is_blank(byte) || byte == ',' || byte == '[' || byte == ']' || byte == '}';
}

static size_t skip_blank(struct str text, size_t at)
{
    while (at < text.len && is_blank(text.ptr[at])) {
        at++;
    }
    return at;
}

static bool is_envelope(struct str name)
{
    static const struct str names[] = {STR("Records"), STR("records"), STR("value"), STR("Events"),
                                       STR("events"),  STR("items"),   STR("logs")};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_is(names[i], name)) {
            return true;
        }
    }
    return false;
}

/* Behind the text or word at `at`; 0: it is neither. */
static size_t skip_scalar(struct str text, size_t at, struct str *ret_value)
{
    size_t end = at + 1;

    if (at >= text.len || text.ptr[at] == '{' || text.ptr[at] == '[') {
        return 0;
    }
    if (text.ptr[at] == '"') {
        end += str_find_byte(str_slice(text, end, text.len), '"');
        *ret_value = str_slice(text, at + 1, end);
        return end < text.len ? end + 1 : 0;
    }
    while (end < text.len && !is_between(text.ptr[end])) {
        end++;
    }
    return end;
}

/* Length of an envelope's head, {"…":…,"Records":[ , when one starts at `at` and an object follows
 * it; else 0. Stands at the beginning of a line only. */
static size_t envelope_len(struct str text, size_t at)
{
    size_t start = at++;

    for (unsigned i = 0; i < ENVELOPE_MEMBERS; i++) {
        struct str name = STR("");
        struct str value;

        at = skip_blank(text, at);
        at = at < text.len && text.ptr[at] == '"' ? skip_scalar(text, at, &name) : 0;
        at = skip_blank(text, at);
        if (at == 0 || at >= text.len || text.ptr[at] != ':') {
            return 0;
        }
        at = skip_blank(text, at + 1);
        if (is_envelope(name) && at < text.len && text.ptr[at] == '[') {
            at = skip_blank(text, at + 1);
            return at < text.len && text.ptr[at] == '{' ? at - start : 0;
        }
        at = skip_blank(text, skip_scalar(text, at, &value));
        if (at == 0 || at >= text.len || text.ptr[at] != ',') {
            return 0;
        }
        at++;
    }
    return 0;
}

/* Whether an envelope may start here: most records are told by their first letters that they are
 * none. */
static bool may_be_envelope(struct str text, size_t at)
{
    struct str first = STR("RrvEeil@o");

    at = skip_blank(text, at + 1);
    return at + 2 < text.len && text.ptr[at] == '"' &&
           str_find_byte(first, text.ptr[at + 1]) < first.len && text.ptr[at + 2] != 't';
}

/* To the next record's '{', or to a line that is none, or to the end. */
static size_t skip_between(struct str text, size_t at, uint64_t *lines)
{
    while (at < text.len) {
        size_t head = 0;

        if (text.ptr[at] == '{' && may_be_envelope(text, at)) {
            head = envelope_len(text, at);
        }
        if (head == 0 && !is_between(text.ptr[at])) {
            return at;
        }
        for (size_t end = at + (head > 0 ? head : 1); at < end; at++) {
            *lines += text.ptr[at] == '\n';
        }
    }
    return at;
}

static size_t line_end(struct str text, size_t at)
{
    return at + str_find_byte(str_slice(text, at, text.len), '\n');
}

/* The last place where a record starts a line; 0: none but the first. */
static size_t last_start(struct str bytes)
{
    const char *at = bytes.len > 1 ? bytes.ptr + bytes.len - 1 : bytes.ptr;

    while (at > bytes.ptr && (at = memrchr(bytes.ptr, '\n', (size_t)(at - bytes.ptr))) != NULL) {
        if (at[1] == '{') {
            return (size_t)(at - bytes.ptr) + 1;
        }
    }
    return 0;
}

/* Length of the whole records at the front, with the ends of their lines. */
static size_t whole_len(struct str text)
{
    struct ndjson_index index;
    uint64_t lines = 0;
    size_t whole = 0;
    size_t at;

    ndjson_index_init(&index, text);
    while ((at = skip_between(text, whole, &lines)) < text.len) {
        size_t end = text.ptr[at] == '{' ? ndjson_walk_end(&index, at) : line_end(text, at) + 1;

        if (end == 0 || end > text.len) {
            break;
        }
        whole = end;
    }
    return at == text.len && whole > 0 ? text.len : whole;
}

static size_t ndjson_cut(struct str bytes, bool is_end)
{
    size_t start = last_start(bytes);
    size_t whole;

    if (is_end) {
        return bytes.len;
    }
    whole = start + whole_len(str_slice(bytes, start, bytes.len));
    return whole > 0 || bytes.len <= ENTRY_SIZE_MAX ? whole : bytes.len;
}

static unsigned ndjson_weigh(struct str head)
{
    struct ndjson_index index;
    uint64_t lines = 0;
    size_t inside;
    size_t at;

    if (str_has_prefix(head, STR("\xef\xbb\xbf"))) {
        head = str_slice(head, 3, head.len);
    }
    at = skip_between(head, 0, &lines);
    inside = skip_blank(head, at + 1);
    if (inside >= head.len || head.ptr[at] != '{' ||
        (head.ptr[inside] != '"' && head.ptr[inside] != '}')) {
        return 0;
    }
    ndjson_index_init(&index, head);
    return ndjson_walk_end(&index, at) != 0 ? 95 : 60;
}

static void state_free(void *state)
{
    if (state != NULL) {
        ndjson_teller_done(state);
        mem_free(state);
    }
}

/* What this reading has met. */
static int state_get(struct log_reading *reading, struct ndjson_teller **ret_teller)
{
    struct ndjson_teller *teller;
    int r;

    teller = reading->state_free == state_free ? reading->state : NULL;
    if (teller != NULL && teller->paths.names == reading->names) {
        *ret_teller = teller;
        return 0;
    }
    teller = mem_alloc(1, sizeof(*teller));
    if (teller == NULL) {
        return -ERR_NOMEM;
    }
    r = ndjson_teller_init(teller, reading->names);
    if (r < 0) {
        mem_free(teller);
        return r;
    }
    if (reading->state_free != NULL) {
        reading->state_free(reading->state);
    }
    reading->state = teller;
    reading->state_free = state_free;
    *ret_teller = teller;
    return 0;
}

/* Where a record that broke at `at` ends: with its line, and the lines behind it that look like the
 * rest of an object. */
static size_t broken_end(struct str text, size_t at)
{
    struct str rest = STR(" \t\"}],");
    size_t end = line_end(text, at);

    while (end + 1 < text.len && str_find_byte(rest, text.ptr[end + 1]) < rest.len) {
        end = line_end(text, end + 1);
    }
    return end;
}

static int read_object(struct log_reading *reading, struct ndjson_teller *teller,
                       struct ndjson_walk *walk)
{
    struct entry *entry = &reading->entry;
    size_t start = walk->at;
    int r = ndjson_walk_record(walk, entry);

    if (r < 0) {
        return r;
    }
    if (walk->is_broken) {
        walk->at = broken_end(walk->text, walk->at);
        entry->faults |= walk->at == walk->text.len ? ENTRY_FAULT_CUT : 0;
        walk->lines = ndjson_walk_lines(walk->text, start, walk->at);
    }
    reading->number += walk->lines;
    return ndjson_tell(reading, teller, &walk->tells);
}

/* The record at walk->at, or the line there that is none. */
static int read_one(struct log_reading *reading, struct ndjson_teller *teller,
                    struct ndjson_walk *walk)
{
    struct entry *entry = &reading->entry;
    size_t start = walk->at;
    int r;

    entry_reset(entry);
    arena_reset(reading->arena);
    entry->number = reading->number;
    entry->is_structured = true;
    if (walk->text.ptr[start] == '{') {
        r = read_object(reading, teller, walk);
        if (r < 0) {
            return r;
        }
    } else {
        entry->faults = ENTRY_FAULT_SYNTAX | ENTRY_FAULT_TIME;
        walk->at = line_end(walk->text, start);
    }
    if ((entry->faults & ENTRY_FAULT_SYNTAX) != 0) {
        entry->is_structured = false; /* what could not be told apart is found in raw */
    }
    entry->raw = str_slice(walk->text, start, walk->at);
    return 0;
}

static int ndjson_read(struct log_reading *reading, struct str block, entry_fn *fn, void *context)
{
    struct ndjson_teller *teller;
    struct ndjson_walk walk;
    int r = state_get(reading, &teller);

    if (r < 0) {
        return r;
    }
    reading->counts.bytes += block.len;
    ndjson_walk_init(&walk, block, &teller->paths);
    walk.at = str_has_prefix(block, STR("\xef\xbb\xbf")) ? 3 : 0;
    walk.at = skip_between(block, walk.at, &reading->number);
    while (r == 0 && walk.at < block.len) {
        r = ndjson_paths_trim(&teller->paths); /* not behind fn, which may keep names until it is
                                                * called again (ndjson_line.h) */
        r = r < 0 ? r : read_one(reading, teller, &walk);
        if (r == 0) {
            r = log_hand_on(reading, &reading->entry, fn, context);
        }
        walk.at = skip_between(block, walk.at, &reading->number);
    }
    return r;
}

const struct log_format ndjson_log_format = {
    .name = "ndjson",
    .title = N_("JSON, an object an entry"),
    .weigh = ndjson_weigh,
    .cut = ndjson_cut,
    .read = ndjson_read,
};
