/* A writer of EVTX: see evtx_fixture.h. */
#include "evtx_fixture.h"

#include "base/banned.h"

#include <string.h>
#include <zlib.h>

#define CHUNK_HEAD 512
#define CHUNK_SIZE 65536
#define FILE_HEAD  4096

static void put16(struct buf *buf, uint16_t value)
{
    buf_put(buf, &value, sizeof(value));
}

static void put32(struct buf *buf, uint32_t value)
{
    buf_put(buf, &value, sizeof(value));
}

static void put64(struct buf *buf, uint64_t value)
{
    buf_put(buf, &value, sizeof(value));
}

static void set32(struct buf *buf, size_t at, size_t value)
{
    uint32_t word = (uint32_t)value;

    memcpy(buf->ptr + at, &word, sizeof(word));
}

static void put_wide(struct buf *buf, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        put16(buf, (unsigned char)*c);
    }
}

struct str evtx_wide(const char *text)
{
    static char rooms[16][512];
    static unsigned turn;
    char *room = rooms[turn++ % 16];
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        room[2 * i] = text[i];
        room[2 * i + 1] = 0;
    }
    return str_of(room, 2 * len);
}

/* The offset of a name, and the name itself where it is used first. */
static void put_name(struct evtx_maker *maker, const char *text)
{
    struct evtx_names *names = &maker->names;
    struct buf *chunk = &maker->chunk;

    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->texts[i], text) == 0) {
            put32(chunk, (uint32_t)names->offsets[i]);
            return;
        }
    }
    put32(chunk, (uint32_t)chunk->len + 4);
    names->texts[names->count] = text;
    names->offsets[names->count++] = chunk->len;
    put32(chunk, 0);
    put16(chunk, 0);
    put16(chunk, (uint16_t)strlen(text));
    put_wide(chunk, text);
    put16(chunk, 0);
}

static void put_open(struct evtx_maker *maker, const char *name, int has_attributes)
{
    buf_put_byte(&maker->chunk, has_attributes ? 0x41 : 0x01);
    put16(&maker->chunk, 0xffff);
    put32(&maker->chunk, 0);
    put_name(maker, name);
    if (has_attributes) {
        put32(&maker->chunk, 0);
    }
}

static void put_attribute(struct evtx_maker *maker, const char *name)
{
    buf_put_byte(&maker->chunk, 0x06);
    put_name(maker, name);
}

static void put_text(struct evtx_maker *maker, const char *text)
{
    buf_put_byte(&maker->chunk, 0x05);
    buf_put_byte(&maker->chunk, 0x01);
    put16(&maker->chunk, (uint16_t)strlen(text));
    put_wide(&maker->chunk, text);
}

static void put_hole(struct evtx_maker *maker, uint16_t index, uint8_t type)
{
    buf_put_byte(&maker->chunk, 0x0e);
    put16(&maker->chunk, index);
    buf_put_byte(&maker->chunk, type);
}

static void put_end(struct evtx_maker *maker)
{
    buf_put_byte(&maker->chunk, 0x04);
}

static void put_close(struct evtx_maker *maker)
{
    buf_put_byte(&maker->chunk, 0x02);
}

static void put_hole_element(struct evtx_maker *maker, const char *name, uint16_t index,
                             uint8_t type)
{
    put_open(maker, name, 0);
    put_close(maker);
    put_hole(maker, index, type);
    put_end(maker);
}

static void put_fragment_head(struct evtx_maker *maker)
{
    buf_put(&maker->chunk, "\x0f\x01\x01", 4);
}

/* Begins a template in place; returns where its size stands. */
static size_t begin_template(struct evtx_maker *maker)
{
    size_t at;

    buf_put(&maker->chunk, "\x0c\x01", 2);
    put32(&maker->chunk, 1);
    put32(&maker->chunk, (uint32_t)maker->chunk.len + 4);
    buf_put(&maker->chunk, "\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    at = maker->chunk.len;
    put32(&maker->chunk, 0);
    put_fragment_head(maker);
    return at;
}

static void end_template(struct evtx_maker *maker, size_t at)
{
    buf_put_byte(&maker->chunk, 0x00);
    set32(&maker->chunk, at, maker->chunk.len - at - 4);
}

/* <Event><System>…</System>%7</Event> */
static void put_system(struct evtx_maker *maker)
{
    size_t at;

    put_fragment_head(maker);
    if (maker->model != 0) {
        buf_put(&maker->chunk, "\x0c\x01\x01\0\0\0", 6);
        put32(&maker->chunk, (uint32_t)maker->model);
        return;
    }
    at = begin_template(maker);
    maker->model = at - 20;
    put_open(maker, "Event", 1);
    put_attribute(maker, "xmlns");
    put_text(maker, "http://schemas.microsoft.com/win/2004/08/events/event");
    put_close(maker);
    put_open(maker, "System", 0);
    put_close(maker);
    put_open(maker, "Provider", 1);
    put_attribute(maker, "Name");
    put_text(maker, "Test-Provider");
    buf_put_byte(&maker->chunk, 0x03);
    put_hole_element(maker, "EventID", 0, 6);
    put_hole_element(maker, "Level", 1, 4);
    put_hole_element(maker, "Keywords", 2, 0x15);
    put_open(maker, "TimeCreated", 1);
    put_attribute(maker, "SystemTime");
    put_hole(maker, 3, 0x11);
    buf_put_byte(&maker->chunk, 0x03);
    put_hole_element(maker, "EventRecordID", 4, 0x0a);
    put_hole_element(maker, "Channel", 5, 1);
    put_hole_element(maker, "Computer", 6, 1);
    put_open(maker, "Security", 1);
    put_attribute(maker, "UserID");
    put_hole(maker, 8, 0x13);
    buf_put_byte(&maker->chunk, 0x03);
    put_end(maker);
    put_hole(maker, 7, 0x21);
    put_end(maker);
    end_template(maker, at);
}

static void put_data(struct evtx_maker *maker, const struct evtx_event *event)
{
    size_t at;

    put_fragment_head(maker);
    at = begin_template(maker);
    put_open(maker, event->user_data != NULL ? "UserData" : "EventData", 0);
    put_close(maker);
    if (event->user_data != NULL) {
        put_open(maker, event->user_data, 0);
        put_close(maker);
    }
    for (size_t i = 0; i < event->count; i++) {
        const struct evtx_datum *datum = &event->data[i];

        if (event->user_data != NULL) {
            put_hole_element(maker, datum->name, (uint16_t)i, datum->type);
            continue;
        }
        put_open(maker, "Data", datum->name != NULL);
        if (datum->name != NULL) {
            put_attribute(maker, "Name");
            put_text(maker, datum->name);
        }
        put_close(maker);
        put_hole(maker, (uint16_t)i, datum->type);
        put_end(maker);
    }
    if (event->user_data != NULL) {
        put_end(maker);
    }
    put_end(maker);
    end_template(maker, at);
    put32(&maker->chunk, (uint32_t)event->count);
    for (size_t i = 0; i < event->count; i++) {
        put16(&maker->chunk, (uint16_t)event->data[i].bytes.len);
        put16(&maker->chunk, event->data[i].type);
    }
    for (size_t i = 0; i < event->count; i++) {
        buf_put_str(&maker->chunk, event->data[i].bytes);
    }
}

static void put_system_values(struct evtx_maker *maker, const struct evtx_event *event)
{
    static const uint8_t types[] = {6, 4, 0x15, 0x11, 0x0a, 1, 1, 0x21, 0};
    size_t channel = 2 * strlen(event->channel);
    size_t computer = 2 * strlen(event->computer);
    const size_t sizes[] = {2, 1, 8, 8, 8, channel, computer, 0, 0};
    size_t descriptors;
    size_t data;

    put32(&maker->chunk, 9);
    descriptors = maker->chunk.len;
    for (unsigned i = 0; i < 9; i++) {
        put16(&maker->chunk, (uint16_t)sizes[i]);
        put16(&maker->chunk, types[i]);
    }
    put16(&maker->chunk, event->event_id);
    buf_put_byte(&maker->chunk, 4);
    put64(&maker->chunk, 0x8000000000000000);
    put64(&maker->chunk, event->filetime);
    put64(&maker->chunk, event->id);
    put_wide(&maker->chunk, event->channel);
    put_wide(&maker->chunk, event->computer);
    data = maker->chunk.len;
    put_data(maker, event);
    data = maker->chunk.len - data;
    memcpy(maker->chunk.ptr + descriptors + 4UL * 7, &data, sizeof(uint16_t));
}

void evtx_make_begin(struct evtx_maker *maker)
{
    *maker = (struct evtx_maker){.model = 0};
    buf_init(&maker->file, 1U << 24);
    buf_init(&maker->chunk, 1U << 20);
}

void evtx_make_end(struct evtx_maker *maker)
{
    buf_done(&maker->file);
    buf_done(&maker->chunk);
}

void evtx_make_record(struct evtx_maker *maker, const struct evtx_event *event)
{
    struct buf *chunk = &maker->chunk;
    size_t at;

    while (chunk->len < CHUNK_HEAD) {
        buf_put_byte(chunk, 0);
    }
    at = chunk->len;
    buf_put(chunk, "\x2a\x2a\0", 4);
    put32(chunk, 0);
    put64(chunk, event->id);
    put64(chunk, event->filetime);
    put_system(maker);
    put_system_values(maker, event);
    buf_put_byte(chunk, 0x00);
    while (chunk->len % 8 != 4) {
        buf_put_byte(chunk, 0);
    }
    put32(chunk, (uint32_t)(chunk->len + 4 - at));
    set32(chunk, at + 4, chunk->len - at);
    maker->first = maker->first == 0 ? event->id : maker->first;
    maker->last = event->id;
}

static void put_file_head(struct evtx_maker *maker)
{
    if (maker->file.len > 0) {
        return;
    }
    buf_put(&maker->file, "ElfFile", 8);
    while (maker->file.len < FILE_HEAD) {
        buf_put_byte(&maker->file, 0);
    }
}

void evtx_make_chunk(struct evtx_maker *maker, int is_whole)
{
    struct buf *chunk = &maker->chunk;
    const Bytef *bytes = (const Bytef *)chunk->ptr;

    memcpy(chunk->ptr, "ElfChnk", 8);
    memcpy(chunk->ptr + 8, &maker->first, 8);
    memcpy(chunk->ptr + 16, &maker->last, 8);
    memcpy(chunk->ptr + 24, &maker->first, 8);
    memcpy(chunk->ptr + 32, &maker->last, 8);
    set32(chunk, 40, 128);
    set32(chunk, 48, chunk->len);
    set32(chunk, 52, crc32(0, bytes + CHUNK_HEAD, (uInt)chunk->len - CHUNK_HEAD));
    set32(chunk, 124, crc32(crc32(0, bytes, 120), bytes + 128, CHUNK_HEAD - 128));
    while (is_whole && chunk->len < CHUNK_SIZE) {
        buf_put_byte(chunk, 0);
    }
    if (is_whole) {
        put_file_head(maker);
    }
    buf_put_str(&maker->file, buf_str(chunk));
    buf_reset(chunk);
    maker->names.count = 0;
    maker->model = 0;
    maker->first = 0;
}
