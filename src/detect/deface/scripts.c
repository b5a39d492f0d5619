/* The list of a site's scripts. Neighbours: script.h makes and compares sketches. */
#include "detect/deface/scripts.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/id.h"
#include "base/time.h"
#include "codec/cbor.h"

#include <string.h>

#define SCRIPTS_VERSION 1
#define SCRIPTS_MEMBERS 3
#define SCRIPT_MEMBERS  5
#define SCRIPT_HEADS    64 /* bytes of its numbers, and of all lists */
#define DAY             (24 * 3600 * NS_PER_S)
#define GONE_DAYS       7 /* that no page linked it: its place may be taken */

struct str deface_script_name(struct str url)
{
    struct str path = str_slice(url, 0, str_find_byte(url, '?'));

    return str_has_suffix(path, STR(".js")) ? path : url;
}

static struct deface_script *scripts_find(struct deface_scripts *scripts, struct str url)
{
    for (size_t i = 0; i < scripts->count; i++) {
        if (str_is(deface_script_name(scripts->items[i].url), deface_script_name(url))) {
            return &scripts->items[i];
        }
    }
    return NULL;
}

static uint32_t day_of(int64_t time)
{
    return time > 0 ? (uint32_t)(time / DAY) : 0;
}

/* A place for one more; NULL: none. */
static struct deface_script *scripts_place(struct deface_scripts *scripts, uint32_t day)
{
    if (scripts->count < SCRIPTS_MAX) {
        return &scripts->items[scripts->count];
    }
    for (size_t i = 0; i < scripts->count; i++) {
        if (!scripts->items[i].is_linked && scripts->items[i].day + GONE_DAYS < day) {
            return &scripts->items[i];
        }
    }
    return NULL;
}

enum script_standing deface_scripts_link(struct deface_scripts *scripts, struct str url,
                                         int64_t time)
{
    struct deface_script *script = scripts_find(scripts, url);
    uint32_t day = day_of(time);

    if (script == NULL) {
        bool has_room = url.len <= SCRIPTS_URL_MAX && scripts_place(scripts, day) != NULL;

        return has_room ? SCRIPT_WANTED : SCRIPT_NO_ROOM;
    }
    if (!str_is(script->url, url)) {
        return script->is_linked ? SCRIPT_NO_ROOM
                                 : SCRIPT_WANTED; /* a page may link two versions */
    }
    scripts->is_changed |= script->day != day;
    script->day = day;
    script->is_linked = true;
    return SCRIPT_KNOWN;
}

static int script_take_text(struct deface_scripts *scripts, struct deface_script *script,
                            struct str text)
{
    bool is_first = script->learned.tokens == 0;
    struct script_sketch sketch;
    int r = script_sketch_make(text, scripts->key, is_first ? NULL : &script->learned,
                               scripts->arena, &sketch);

    if (r < 0 || sketch.tokens == 0) {
        return r;
    }
    if (is_first) {
        script->learned = sketch;
        script->looks = 1;
        scripts->is_changed = true;
    } else if (sketch.version != script->learned.version) {
        scripts->is_changed |= sketch.version != script->fresh.version;
        script->fresh = sketch;
    } else {
        scripts->is_changed |= script->fresh.tokens != 0 || script->looks < SCRIPTS_LEARNED;
        script->fresh = (struct script_sketch){0};
        script->looks += script->looks < SCRIPTS_LEARNED;
    }
    return 0;
}

int deface_scripts_take(struct deface_scripts *scripts, struct str url, struct str text,
                        int64_t time)
{
    struct deface_script *script = scripts_find(scripts, url);
    struct str kept;

    if (script == NULL) {
        script = scripts_place(scripts, day_of(time));
        if (script == NULL || url.len > SCRIPTS_URL_MAX) {
            return 0;
        }
        scripts->count += script == &scripts->items[scripts->count];
        *script = (struct deface_script){.day = day_of(time)};
    }
    kept = arena_copy(scripts->arena, url);
    if (kept.ptr == NULL) {
        return -ERR_NOMEM;
    }
    scripts->is_changed |= !str_is(script->url, kept);
    script->url = kept;
    return script_take_text(scripts, script, text);
}

void deface_scripts_take_same(struct deface_scripts *scripts, struct str url)
{
    struct deface_script *script = scripts_find(scripts, url);

    if (script != NULL && script->fresh.tokens == 0 && script->learned.tokens != 0 &&
        script->looks < SCRIPTS_LEARNED) {
        script->looks++;
        scripts->is_changed = true;
    }
}

/* One that is never the same twice stays unlearned; of one that was, a new version is known at
 * once, or whoever changes it twice would not be seen. */
void deface_scripts_learn(struct deface_scripts *scripts)
{
    for (size_t i = 0; i < scripts->count; i++) {
        struct deface_script *script = &scripts->items[i];

        if (script->is_linked && script->fresh.tokens != 0) {
            script->learned = script->fresh;
            script->fresh = (struct script_sketch){0};
            script->looks = script->looks < SCRIPTS_LEARNED ? 1 : SCRIPTS_LEARNED;
            scripts->is_changed = true;
        }
    }
}

/* Takes its bytes off the room; without room nothing is kept of it, and it is learned anew. */
static void sketch_put(const struct script_sketch *sketch, size_t *room, struct buf *buf)
{
    size_t before = buf->len;

    if (sketch->tokens != 0 && script_sketch_size(sketch) <= *room) {
        script_sketch_encode(sketch, buf);
        *room -= buf->len - before;
    } else {
        cbor_put_null(buf);
    }
}

void deface_scripts_encode(const struct deface_scripts *scripts, struct buf *buf)
{
    size_t room = SCRIPTS_SIZE_MAX - SCRIPTS_MAX * (SCRIPTS_URL_MAX + SCRIPT_HEADS);

    cbor_put_array(buf, SCRIPTS_MEMBERS);
    cbor_put_u64(buf, SCRIPTS_VERSION);
    cbor_put_u64(buf, scripts->key);
    cbor_put_array(buf, scripts->count);
    for (size_t i = 0; i < scripts->count; i++) {
        const struct deface_script *script = &scripts->items[i];

        cbor_put_array(buf, SCRIPT_MEMBERS);
        cbor_put_bytes(buf, script->url);
        cbor_put_u64(buf, script->looks);
        cbor_put_u64(buf, script->day);
        sketch_put(&script->learned, &room, buf);
        sketch_put(&script->fresh, &room, buf);
    }
}

static int sketch_get(struct cbor_reader *reader, struct arena *arena,
                      struct script_sketch *ret_sketch)
{
    if (cbor_peek(reader) == CBOR_TYPE_NULL) {
        cbor_skip(reader);
        return reader->error;
    }
    return script_sketch_decode(reader, arena, ret_sketch);
}

static int script_get(struct cbor_reader *reader, struct arena *arena, struct deface_script *script)
{
    uint64_t looks;
    uint64_t day;
    int r;

    if (cbor_get_array(reader) != SCRIPT_MEMBERS) {
        cbor_fail(reader, -ERR_SYNTAX);
    }
    script->url = cbor_get_bytes(reader);
    looks = cbor_get_u64(reader);
    day = cbor_get_u64(reader);
    if (script->url.len > SCRIPTS_URL_MAX || looks > SCRIPTS_LEARNED || day > UINT32_MAX) {
        cbor_fail(reader, -ERR_SYNTAX);
    }
    script->looks = (uint32_t)looks;
    script->day = (uint32_t)day;
    r = sketch_get(reader, arena, &script->learned);
    return r < 0 ? r : sketch_get(reader, arena, &script->fresh);
}

static int scripts_decode(struct deface_scripts *scripts, struct str bytes)
{
    struct cbor_reader reader;
    size_t members;
    uint64_t version;
    size_t count;
    int r;

    cbor_open(&reader, bytes);
    members = cbor_get_array(&reader);
    version = cbor_get_u64(&reader);
    if (reader.error == 0 && (members != SCRIPTS_MEMBERS || version != SCRIPTS_VERSION)) {
        return version > SCRIPTS_VERSION ? -ERR_VERSION : -ERR_SYNTAX;
    }
    scripts->key = cbor_get_u64(&reader);
    count = cbor_get_array(&reader);
    if (count > SCRIPTS_MAX) {
        return -ERR_LIMIT;
    }
    r = reader.error;
    for (size_t i = 0; i < count && r == 0; i++) {
        r = script_get(&reader, scripts->arena, &scripts->items[scripts->count]);
        scripts->count++;
    }
    return r < 0 ? r : cbor_close(&reader);
}

int deface_scripts_open(struct str bytes, struct arena *arena, struct deface_scripts *ret_scripts)
{
    struct deface_scripts scripts = {.arena = arena};
    struct id id = {0};
    int r;

    if (bytes.len > SCRIPTS_SIZE_MAX) {
        return -ERR_LIMIT;
    }
    if (bytes.len != 0) {
        r = scripts_decode(&scripts, bytes);
    } else {
        r = id_new(&id);
        memcpy(&scripts.key, id.bytes, sizeof(scripts.key));
    }
    if (r == 0) {
        *ret_scripts = scripts;
    }
    return r;
}
