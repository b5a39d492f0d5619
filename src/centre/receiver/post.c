/* What shippers post, cut into entries: objects one behind another, Elastic's pairs of lines,
 * Splunk's envelopes, lines. Neighbours: posts.c feeds pieces and puts entries into the queue.
 * Invariant: whatever the pieces, the entries are the same. */
#include "base/banned.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "centre/receiver/post_part.h"

#define POST_ARENA (2U << 20)

int post_refuse(struct post_cutter *cutter, enum post_fault fault)
{
    struct post_counts *counts = &cutter->counts;

    if (counts->refused >= POST_REFUSED_MAX) {
        return -ERR_SYNTAX;
    }
    counts->refusals[counts->refused++] =
        (struct post_refusal){.number = cutter->number, .fault = fault};
    return 0;
}

int post_take(struct post_cutter *cutter, struct receiver_entry *entry)
{
    int r;

    if (cutter->counts.taken >= POST_ENTRIES_MAX) {
        return -ERR_FBIG;
    }
    entry->via = str_from(cutter->token);
    if (entry->host.len == 0) {
        entry->host = str_from(cutter->host);
    }
    r = post_say(cutter, entry);
    if (r == 0) {
        r = cutter->fn(cutter->context, entry);
    }
    cutter->counts.taken += r == 0;
    return r;
}

static int post_on_object(void *context, struct str text, unsigned faults)
{
    struct post_cutter *cutter = context;
    bool is_hec = cutter->form == RECEIVER_FORM_HEC;

    cutter->number++;
    if ((faults & POST_OBJECT_NONE) != 0) {
        return post_refuse(cutter, POST_FAULT_NO_OBJECT);
    }
    if (is_hec && (faults & POST_OBJECT_CUT) != 0) {
        return post_refuse(cutter, POST_FAULT_TOO_LONG);
    }
    if (is_hec && (faults & POST_OBJECT_OPEN) != 0) {
        return post_refuse(cutter, POST_FAULT_NO_END);
    }
    if (is_hec) {
        return post_hec_take(cutter, text);
    }
    return post_take(cutter, &(struct receiver_entry){
                                 .format = STR("ndjson"), .is_cut = faults != 0, .raw = text});
}

/* A line of what to do: {"create":{…}}. */
static int post_bulk_action(struct post_cutter *cutter, struct str line)
{
    struct str rest = str_trim(line);
    struct str action;
    struct str value;

    cutter->number++;
    if (rest.len == 0 || rest.ptr[0] != '{') {
        rest = STR("");
    }
    rest = str_slice(rest, 1, rest.len);
    if (!post_member(&rest, &action, &value)) {
        (void)post_refuse(cutter, POST_FAULT_NO_ACTION);
        return -ERR_SYNTAX; /* which lines are entries cannot be told any more */
    }
    if (str_is_text(action, "create") || str_is_text(action, "index")) {
        cutter->action = map_hash(line, 0);
        cutter->bulk = POST_BULK_ENTRY;
        return 0;
    }
    cutter->bulk = str_is_text(action, "update") ? POST_BULK_PASSED : POST_BULK_ACTION;
    return post_refuse(cutter, POST_FAULT_OTHER_ACTION);
}

static int post_bulk_line(struct post_cutter *cutter, struct str line, bool is_cut)
{
    enum post_bulk bulk = cutter->bulk;

    if (bulk == POST_BULK_ACTION) {
        return str_trim(line).len == 0 ? 0 : post_bulk_action(cutter, line);
    }
    cutter->bulk = POST_BULK_ACTION;
    if (bulk == POST_BULK_PASSED) {
        return 0;
    }
    line = str_trim(line);
    if (line.len == 0 || line.ptr[0] != '{') {
        return post_refuse(cutter, POST_FAULT_NO_OBJECT);
    }
    return post_take(
        cutter, &(struct receiver_entry){
                    .format = STR("ndjson"), .key = cutter->action, .is_cut = is_cut, .raw = line});
}

static int post_on_line(void *context, struct str line, bool is_cut)
{
    struct post_cutter *cutter = context;

    arena_reset(cutter->arena);
    if (cutter->form == RECEIVER_FORM_BULK) {
        return post_bulk_line(cutter, line, is_cut);
    }
    if (str_trim(line).len == 0) {
        return 0;
    }
    cutter->number++;
    return post_take(cutter, &(struct receiver_entry){.is_cut = is_cut, .raw = line});
}

static bool post_is_lines(const struct post_cutter *cutter)
{
    return cutter->form == RECEIVER_FORM_BULK || cutter->form == RECEIVER_FORM_RAW;
}

static void post_copy(char *out, size_t size, struct str text)
{
    (void)snprintf(out, size, "%.*s", STR_ARG(text));
}

static int post_feed(void *context, struct str piece)
{
    struct post_cutter *cutter = context;

    return post_is_lines(cutter) ? lines_feed(&cutter->lines, piece)
                                 : post_objects_feed(&cutter->objects, piece);
}

int post_cutter_new(const struct post_cutter_options *options, struct post_cutter **ret_cutter)
{
    struct post_cutter *cutter = mem_alloc(1, sizeof(*cutter));
    int r;

    if (cutter == NULL) {
        return -ERR_NOMEM;
    }
    cutter->form = options->form;
    cutter->fn = options->fn;
    cutter->context = options->context;
    post_copy(cutter->token, sizeof(cutter->token), options->token);
    post_copy(cutter->host, sizeof(cutter->host), options->host);
    lines_init(&cutter->lines, RECEIVER_ENTRY_MAX, post_on_line, cutter);
    post_objects_init(&cutter->objects,
                      cutter->form == RECEIVER_FORM_HEC ? POST_OBJECT_MAX : RECEIVER_ENTRY_MAX,
                      post_on_object, cutter);
    r = arena_new(POST_ARENA, &cutter->arena);
    if (r == 0) {
        r = log_reading_init(&cutter->reading, NULL);
    }
    if (r == 0 && options->is_packed) {
        r = post_unpack_new(POST_UNPACKED_MAX, post_feed, cutter, &cutter->unpack);
    }
    if (r < 0) {
        post_cutter_free(cutter);
        return r;
    }
    *ret_cutter = cutter;
    return 0;
}

void post_cutter_free(struct post_cutter *cutter)
{
    if (cutter == NULL) {
        return;
    }
    post_unpack_free(cutter->unpack);
    lines_done(&cutter->lines);
    post_objects_done(&cutter->objects);
    log_reading_done(&cutter->reading);
    arena_free(cutter->arena);
    mem_free(cutter);
}

static int post_end(struct post_cutter *cutter)
{
    int r = post_is_lines(cutter) ? lines_end(&cutter->lines) : post_objects_end(&cutter->objects);

    if (r == 0 && cutter->bulk == POST_BULK_ENTRY) {
        r = post_refuse(cutter, POST_FAULT_NO_ENTRY);
    }
    return r;
}

int post_cutter_feed(struct post_cutter *cutter, struct str *piece, bool is_last)
{
    int r = cutter->unpack != NULL ? post_unpack_feed(cutter->unpack, piece, is_last)
                                   : post_feed(cutter, *piece);

    return r == 0 && is_last ? post_end(cutter) : r;
}

const struct post_counts *post_cutter_counts(const struct post_cutter *cutter)
{
    return &cutter->counts;
}
