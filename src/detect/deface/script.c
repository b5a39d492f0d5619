/* Runs of tokens, and sketches as bytes. Neighbours: codec/js.h reads tokens, script_calls.c what
 * they do. Invariant: what is kept of a script depends on its tokens alone. */
#include "detect/deface/script.h"

#include "base/banned.h"
#include "base/err.h"
#include "detect/deface/page_words.h"
#include "detect/deface/script_part.h"

#define XXH_INLINE_ALL /* tokens of a few bytes: a call costs more than the hash */
#include <xxhash.h>

#define BITS_MIN       3 /* a run of eight tokens is the least that is hardly there by chance */
#define BITS_MAX       20
#define RUNS_WANTED    320 /* so that a script may grow without filling its last run */
#define BYTES_A_TOKEN  4   /* where nothing but what a minifier leaves stands between them */
#define RUN_LONGEST    8U  /* times its usual length: nothing in a table of noughts ends a run */
#define SKETCH_MEMBERS 7
#define RUN_SIZE       8   /* encoded */
#define HEADS_SIZE     128 /* of its numbers and lists, encoded */
#define HOST_HEADS     16

static uint32_t sketch_bits(struct str text)
{
    uint32_t bits = BITS_MIN;

    while (bits < BITS_MAX && (text.len / BYTES_A_TOKEN) >> bits > RUNS_WANTED) {
        bits++;
    }
    return bits;
}

static bool run_ends(const struct script_maker *maker, uint32_t tokens)
{
    const struct script_sketch *sketch = &maker->sketch;
    uint64_t mask = (1ULL << sketch->bits) - 1;
    uint64_t place = maker->near * 0x9e3779b97f4a7c15U >> 40;

    return sketch->run_count + 1 < SCRIPT_RUNS_MAX &&
           ((place & mask) == 0 || tokens >= RUN_LONGEST << sketch->bits);
}

static void run_close(struct script_maker *maker)
{
    struct script_run *run = &maker->runs[maker->sketch.run_count];

    if (run->tokens != 0) {
        run->hash = (uint32_t)(maker->run_hash ^ maker->run_hash >> 32);
        maker->sketch.run_count++;
        maker->run_hash = maker->key;
    }
}

static void maker_take(struct script_maker *maker, const struct js_token *token)
{
    uint64_t hash =
        XXH3_64bits_withSeed(token->text.ptr, token->text.len, maker->key + token->kind);
    struct script_run *run = &maker->runs[maker->sketch.run_count];

    maker->run_hash = page_mix(maker->run_hash, hash);
    maker->sketch.version = page_mix(maker->sketch.version, hash);
    maker->near = maker->near << 16 | hash >> 48;
    maker->sketch.tokens++;
    run->tokens++;
    script_note(maker, token);
    if (run_ends(maker, run->tokens)) {
        run_close(maker);
    }
}

int script_sketch_make(struct str text, uint64_t key, const struct script_sketch *old,
                       struct arena *arena, struct script_sketch *ret_sketch)
{
    struct script_maker *maker = arena_alloc(arena, 1, sizeof(*maker));
    struct js_lexer lexer;
    struct js_token token;

    if (maker == NULL) {
        return -ERR_NOMEM;
    }
    maker->arena = arena;
    maker->key = maker->run_hash = maker->sketch.version = key;
    maker->sketch.bits = old != NULL ? old->bits : sketch_bits(text);
    maker->runs = arena_alloc(arena, SCRIPT_RUNS_MAX, sizeof(*maker->runs));
    maker->hosts = arena_alloc(arena, SCRIPT_HOSTS_MAX, sizeof(*maker->hosts));
    if (maker->runs == NULL || maker->hosts == NULL) {
        return -ERR_NOMEM;
    }
    js_open(&lexer, str_slice(text, 0, SCRIPT_SIZE_MAX));
    while (maker->error == 0 && js_next(&lexer, &token)) {
        maker_take(maker, &token);
    }
    run_close(maker);
    maker->sketch.runs = maker->runs;
    maker->sketch.hosts = maker->hosts;
    *ret_sketch = maker->sketch;
    return maker->error;
}

static void put_number(struct buf *buf, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        (void)buf_put_byte(buf, (uint8_t)(value >> 8 * i));
    }
}

static uint32_t get_number(const char *bytes, unsigned count)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < count; i++) {
        value |= (uint32_t)(unsigned char)bytes[i] << 8 * i;
    }
    return value;
}

static void runs_encode(const struct script_sketch *sketch, struct buf *buf)
{
    struct buf rows;

    buf_init(&rows, (size_t)SCRIPT_RUNS_MAX * RUN_SIZE);
    for (size_t i = 0; i < sketch->run_count; i++) {
        put_number(&rows, sketch->runs[i].hash, 4);
        put_number(&rows, sketch->runs[i].tokens, 3);
        put_number(&rows, sketch->runs[i].calls, 1);
    }
    cbor_put_bytes(buf, buf_str(&rows));
    buf->error = buf->error != 0 ? buf->error : buf_error(&rows);
    buf_done(&rows);
}

size_t script_sketch_size(const struct script_sketch *sketch)
{
    size_t size = HEADS_SIZE + sketch->run_count * RUN_SIZE;

    for (size_t i = 0; i < sketch->host_count; i++) {
        size += sketch->hosts[i].name.len + HOST_HEADS;
    }
    return size;
}

void script_sketch_encode(const struct script_sketch *sketch, struct buf *buf)
{
    cbor_put_array(buf, SKETCH_MEMBERS);
    cbor_put_u64(buf, sketch->version);
    cbor_put_u64(buf, sketch->tokens);
    cbor_put_u64(buf, sketch->bits);
    cbor_put_array(buf, SCRIPT_CALL_COUNT);
    for (size_t i = 0; i < SCRIPT_CALL_COUNT; i++) {
        cbor_put_u64(buf, sketch->calls[i]);
    }
    runs_encode(sketch, buf);
    cbor_put_array(buf, sketch->host_count * 2);
    for (size_t i = 0; i < sketch->host_count; i++) {
        cbor_put_bytes(buf, sketch->hosts[i].name);
        cbor_put_u64(buf, sketch->hosts[i].run);
    }
    cbor_put_bool(buf, sketch->has_more_hosts);
}

static uint32_t get_below(struct cbor_reader *reader, uint64_t bound)
{
    uint64_t value = cbor_get_u64(reader);

    if (value >= bound) {
        cbor_fail(reader, -ERR_SYNTAX);
        return 0;
    }
    return (uint32_t)value;
}

static int runs_decode(struct script_sketch *sketch, struct cbor_reader *reader,
                       struct arena *arena)
{
    struct str rows = cbor_get_bytes(reader);
    size_t count = rows.len / RUN_SIZE;
    struct script_run *runs;

    if (rows.len % RUN_SIZE != 0 || count > SCRIPT_RUNS_MAX) {
        cbor_fail(reader, -ERR_SYNTAX);
        return reader->error;
    }
    runs = arena_alloc(arena, count + 1, sizeof(*runs));
    if (runs == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const char *row = rows.ptr + i * RUN_SIZE;

        runs[i] =
            (struct script_run){get_number(row, 4), get_number(row + 4, 3), get_number(row + 7, 1)};
    }
    sketch->runs = runs;
    sketch->run_count = count;
    return 0;
}

static int hosts_decode(struct script_sketch *sketch, struct cbor_reader *reader,
                        struct arena *arena)
{
    size_t count = cbor_get_array(reader);
    struct script_host *hosts;

    if (count % 2 != 0 || count > (size_t)SCRIPT_HOSTS_MAX * 2) {
        cbor_fail(reader, -ERR_SYNTAX);
        return reader->error;
    }
    hosts = arena_alloc(arena, count / 2 + 1, sizeof(*hosts));
    if (hosts == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < count / 2; i++) {
        hosts[i].name = cbor_get_bytes(reader);
        hosts[i].run = get_below(reader, SCRIPT_RUNS_MAX);
        if (hosts[i].name.len > SCRIPT_HOST_MAX || hosts[i].run >= sketch->run_count) {
            cbor_fail(reader, -ERR_SYNTAX);
        }
    }
    sketch->hosts = hosts;
    sketch->host_count = count / 2;
    return reader->error;
}

int script_sketch_decode(struct cbor_reader *reader, struct arena *arena,
                         struct script_sketch *ret_sketch)
{
    struct script_sketch sketch = {0};
    int r;

    if (cbor_get_array(reader) != SKETCH_MEMBERS) {
        cbor_fail(reader, -ERR_SYNTAX);
    }
    sketch.version = cbor_get_u64(reader);
    sketch.tokens = get_below(reader, 1ULL << 32);
    sketch.bits = get_below(reader, BITS_MAX + 1);
    if (cbor_get_array(reader) != SCRIPT_CALL_COUNT) {
        cbor_fail(reader, -ERR_SYNTAX);
    }
    for (size_t i = 0; i < SCRIPT_CALL_COUNT; i++) {
        sketch.calls[i] = get_below(reader, 1ULL << 32);
    }
    r = runs_decode(&sketch, reader, arena);
    r = r < 0 ? r : hosts_decode(&sketch, reader, arena);
    sketch.has_more_hosts = cbor_get_bool(reader);
    if (r < 0 || reader->error != 0) {
        return r < 0 ? r : reader->error;
    }
    *ret_sketch = sketch;
    return 0;
}
