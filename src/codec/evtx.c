/* EVTX as a format of logs: see codec/evtx.h and codec/evtx_part.h. */
#include "codec/evtx.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/evtx_part.h"

static bool has_file_head(struct str bytes)
{
    return bytes.len >= 8 && memcmp(bytes.ptr, "ElfFile", 8) == 0;
}

static unsigned evtx_weigh(struct str head)
{
    return has_file_head(head) || (head.len >= 8 && memcmp(head.ptr, "ElfChnk", 8) == 0) ? 100 : 0;
}

static size_t head_size(struct str bytes)
{
    size_t most = bytes.len < EVTX_FILE_HEAD ? bytes.len : EVTX_FILE_HEAD;

    return has_file_head(bytes) ? most : 0;
}

static size_t evtx_cut(struct str bytes, bool is_end)
{
    size_t head = head_size(bytes);
    size_t chunks = (bytes.len - head) / EVTX_CHUNK_SIZE;

    if (is_end) {
        return bytes.len;
    }
    return chunks == 0 ? 0 : head + chunks * EVTX_CHUNK_SIZE;
}

/* Takes the next chunk off the block. */
static bool take_chunk(struct str *block, struct str *ret_chunk)
{
    *ret_chunk = str_slice(*block, 0, EVTX_CHUNK_SIZE);
    *block = str_slice(*block, ret_chunk->len, block->len);
    return ret_chunk->len > 0;
}

static uint64_t evtx_count(struct str block)
{
    struct str rest = str_slice(block, head_size(block), block.len);
    uint64_t count = 0;
    struct str chunk;

    while (take_chunk(&rest, &chunk)) {
        struct evtx_stretch stretch;
        struct evtx_walk walk;

        evtx_walk_begin(&walk, chunk);
        while (evtx_walk_next(&walk, &stretch)) {
            count++;
        }
    }
    return count;
}

static void state_free(void *context)
{
    struct evtx_state *state = context;

    if (state == NULL) {
        return;
    }
    arena_free(state->arena);
    mem_free(state->ops);
    mem_free(state->values);
    mem_free(state->text);
    mem_free(state);
}

/* Memory for records is kept from block to block. */
static int take_state(struct log_reading *reading, struct evtx_state **ret_state)
{
    struct evtx_state *state = reading->state;

    if (reading->state_free != state_free) {
        state = mem_alloc(1, sizeof(*state));
        if (state == NULL) {
            return -ERR_NOMEM;
        }
        state->text = mem_alloc(ENTRY_SIZE_MAX, 1);
        state->values = mem_alloc(EVTX_VALUES_MAX, sizeof(*state->values));
        if (state->text == NULL || state->values == NULL ||
            arena_new(EVTX_MEMORY_MAX, &state->arena) < 0) {
            state_free(state);
            return -ERR_NOMEM;
        }
        if (reading->state_free != NULL) {
            reading->state_free(reading->state);
        }
        reading->state = state;
        reading->state_free = state_free;
    }
    state->reading = reading;
    *ret_state = state;
    return 0;
}

/* Time when nothing in the record says it: when the service wrote it. */
static void take_written(struct evtx_state *state, const struct evtx_stretch *stretch)
{
    if (!state->roles.has_time) {
        state->roles.time = evtx_time(evtx_u64(state->chunk + stretch->at + 16));
        state->roles.has_time = state->roles.time != 0;
    }
}

static int read_stretch(struct evtx_state *state, const struct evtx_stretch *stretch)
{
    struct entry *entry = &state->reading->entry;
    int r;

    entry->is_binary = true;
    entry->raw = str_of((const char *)state->chunk + stretch->at, stretch->len);
    if (!stretch->is_record) {
        entry->faults |= ENTRY_FAULT_SYNTAX | ENTRY_FAULT_TIME;
        return 0;
    }
    entry->is_structured = true;
    state->roles = (struct winevent_roles){0};
    r = evtx_run(state, stretch->at + EVTX_RECORD_HEAD, stretch->at + stretch->len - 4);
    if (r < 0) {
        return r;
    }
    take_written(state, stretch);
    winevent_finish(&state->roles, &state->source, entry);
    return 0;
}

static int read_chunk(struct evtx_state *state, struct str chunk, entry_fn *fn, void *context)
{
    struct log_reading *reading = state->reading;
    struct evtx_stretch stretch;
    struct evtx_walk walk;
    bool is_used = false;
    int r = 0;

    state->chunk = (const uint8_t *)chunk.ptr;
    state->size = chunk.len;
    arena_reset(state->arena);
    memset(state->templates, 0, sizeof(state->templates));
    evtx_walk_begin(&walk, chunk);
    evtx_walk_check(&walk);
    for (; r == 0 && evtx_walk_next(&walk, &stretch); reading->number++) {
        entry_reset(&reading->entry);
        reading->entry.faults = walk.faults;
        reading->entry.number = reading->number;
        r = read_stretch(state, &stretch);
        if (r == 0) {
            r = log_hand_on(reading, &reading->entry, fn, context);
        }
        is_used = true;
    }
    reading->counts.passed += !is_used;
    return r;
}

static int evtx_read(struct log_reading *reading, struct str block, entry_fn *fn, void *context)
{
    struct str rest = str_slice(block, head_size(block), block.len);
    struct evtx_state *state = NULL;
    struct str chunk;
    int r = take_state(reading, &state);

    reading->counts.bytes += block.len;
    while (r == 0 && take_chunk(&rest, &chunk)) {
        r = read_chunk(state, chunk, fn, context);
    }
    return r;
}

const struct log_format evtx_log_format = {
    .name = "evtx",
    .title = N_("Windows event log files"),
    .weigh = evtx_weigh,
    .cut = evtx_cut,
    .read = evtx_read,
    .count = evtx_count,
};
