/* Names of JSON logs in their places: see codec/ndjson_paths.h. Whoever writes logs chooses the
 * names, so the table's hash is seeded by where memory happens to lie. */
#include "codec/ndjson_paths.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#include <string.h>

#define PATHS_FIRST 512 /* slots */
#define PATHS_ROOM  (4 * NDJSON_PATHS_KEPT)
#define PATHS_MAX                                                                                  \
    (1u << 20) /* of them at once, a power of two; an entry of 1 MiB cannot have as many */

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load64(const char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return word;
}

static uint64_t load32(const char *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof(word));
    return word;
}

static uint64_t load_few(const char *bytes, size_t len)
{
    if (len >= 4) {
        return load32(bytes) << 32 | load32(bytes + len - 4);
    }
    return len == 0
               ? 0
               : (uint64_t)(unsigned char)bytes[0] << 16 |
                     (uint64_t)(unsigned char)bytes[len / 2] << 8 | (unsigned char)bytes[len - 1];
}

static uint32_t path_hash(uint64_t seed, uint32_t parent, struct str key)
{
    uint64_t hash = seed ^ ((uint64_t)parent << 32 | (uint32_t)key.len);
    const char *at = key.ptr;
    const char *end = key.ptr + key.len;

    if (key.len < 8) {
        return (uint32_t)mix(hash, load_few(at, key.len) ^ 0x9e3779b97f4a7c15ULL);
    }
    for (; end - at > 16; at += 16) {
        hash = mix(load64(at) ^ hash, load64(at + 8) ^ 0xc4ceb9fe1a85ec53ULL);
    }
    if (end - at > 8) {
        hash = mix(load64(at) ^ hash, 0xff51afd7ed558ccdULL);
    }
    return (uint32_t)mix(hash, load64(end - 8) ^ 0x9e3779b97f4a7c15ULL);
}

/* What stands in the path's slot. */
static uint32_t slot_of(uint32_t hash, uint32_t path)
{
    return (hash & ~(PATHS_MAX - 1)) | path;
}

/* Where the path stands, or the free place for it. Of names that nobody met before, each look at
 * another's record would be one at memory that lies far away: the slots are small, and some bits of
 * the hashes are compared there. */
static uint32_t *paths_slot(const struct ndjson_paths *paths, uint32_t hash, uint32_t parent,
                            struct str key)
{
    uint32_t at = hash & (paths->room - 1);

    for (; paths->slots[at] != 0; at = (at + 1) & (paths->room - 1)) {
        uint32_t slot = paths->slots[at];
        const struct ndjson_path *path = &paths->list[slot & (PATHS_MAX - 1)];

        if (slot_of(slot, 0) == slot_of(hash, 0) && path->parent == parent &&
            path->key.len == key.len && memcmp(path->key.ptr, key.ptr, key.len) == 0) {
            break;
        }
    }
    return &paths->slots[at];
}

static uint32_t list_room(uint32_t room)
{
    return room / 4 * 3;
}

static int paths_make(struct ndjson_paths *paths, uint32_t room)
{
    struct ndjson_path *list = mem_resize(paths->list, list_room(room), sizeof(*list));
    uint32_t *slots;

    if (list == NULL) {
        return -ERR_NOMEM;
    }
    paths->list = list;
    slots = mem_alloc(room, sizeof(*slots));
    if (slots == NULL) {
        return -ERR_NOMEM;
    }
    mem_free(paths->slots);
    paths->slots = slots;
    paths->room = room;
    for (uint32_t path = 1; path < paths->count; path++) {
        uint32_t at = list[path].hash & (room - 1);

        while (slots[at] != 0) {
            at = (at + 1) & (room - 1);
        }
        slots[at] = slot_of(list[path].hash, path);
    }
    return 0;
}

/* Only the root is left. */
static void paths_forget(struct ndjson_paths *paths)
{
    memset(paths->slots, 0, paths->room * sizeof(*paths->slots));
    paths->list[0] = (struct ndjson_path){.is_wrapper = true};
    paths->count = 1;
    paths->before = 1;
}

int ndjson_paths_init(struct ndjson_paths *paths, const struct entry_names *names)
{
    int r;

    *paths = (struct ndjson_paths){.names = names, .parts = ndjson_shapes_parts_max()};
    ndjson_words_init(&paths->words, names);
    r = arena_new(NDJSON_PATHS_TEXT, &paths->arena);
    if (r < 0) {
        return r;
    }
    paths->seed = mix((uintptr_t)paths->arena ^ 0xff51afd7ed558ccdULL, (uintptr_t)paths | 1);
    r = paths_make(paths, PATHS_FIRST);
    if (r < 0) {
        ndjson_paths_done(paths);
        return r;
    }
    paths_forget(paths);
    return 0;
}

void ndjson_paths_done(struct ndjson_paths *paths)
{
    arena_freep(&paths->arena);
    mem_free(paths->list);
    mem_free(paths->slots);
    *paths = (struct ndjson_paths){0};
}

int ndjson_paths_trim(struct ndjson_paths *paths)
{
    /* A hostile entry may be followed by more of its kind: the room stays until one is not. */
    bool is_roomy = paths->room > PATHS_ROOM && paths->count - paths->before < NDJSON_PATHS_KEPT;

    paths->before = paths->count;
    if (paths->count > NDJSON_PATHS_KEPT || arena_used(paths->arena) > NDJSON_PATHS_TEXT / 2) {
        arena_reset(paths->arena);
        paths_forget(paths);
    }
    return is_roomy ? paths_make(paths, PATHS_ROOM) : 0;
}

/* The member's name behind its parent's; NULL .ptr when there is no memory. */
static struct str path_name(struct ndjson_paths *paths, uint32_t parent, struct str key)
{
    struct str front = paths->list[parent].name;
    char *text;

    if (paths->list[parent].is_wrapper) {
        return key;
    }
    text = arena_alloc(paths->arena, front.len + 1 + key.len, 1);
    if (text != NULL) {
        memcpy(text, front.ptr, front.len);
        text[front.len] = '.';
        memcpy(text + front.len + 1, key.ptr, key.len);
        front = str_of(text, front.len + 1 + key.len);
        front.len = front.len < ENTRY_NAME_MAX ? front.len : ENTRY_NAME_MAX;
    }
    return text != NULL ? front : str_of(NULL, 0);
}

/* Whether the name, or what is left of it when a shape takes parts off its front, is asked for. */
static bool path_is_wanted(const struct ndjson_paths *paths, struct str name)
{
    struct str rest = name;
    struct str part;

    for (unsigned i = 0; i <= paths->parts && rest.len > 0; i++) {
        if (entry_names_find(paths->names, rest) != 0) {
            return true;
        }
        (void)str_cut(&rest, '.', &part);
    }
    return false;
}

/* What the name means to shapes and to the asker. */
static void path_tell(const struct ndjson_paths *paths, struct ndjson_path *path)
{
    path->is_known = ndjson_words_has(&paths->words, path->name);
    if (path->is_known) {
        path->tells = ndjson_shapes_tells(path->name);
        path->is_wanted = path_is_wanted(paths, path->name);
        path->is_wrapper = path->parent == 0 && ndjson_shapes_is_wrapper(path->name);
    }
}

static int path_make(struct ndjson_paths *paths, uint32_t parent, struct str key,
                     struct ndjson_path *path)
{
    size_t left = NDJSON_PATHS_TEXT - arena_used(paths->arena);
    int r;

    if (left < 4 * key.len + ENTRY_NAME_MAX + 256) {
        return -ERR_LIMIT;
    }
    *path = (struct ndjson_path){.parent = parent};
    path->key = arena_copy(paths->arena, key);
    if (path->key.ptr == NULL) {
        return -ERR_NOMEM;
    }
    path->name = path->key;
    if (memchr(path->key.ptr, '\\', path->key.len) != NULL) {
        r = entry_field_text(&(struct entry_field){.value = path->key, .is_escaped = true},
                             paths->arena, &path->name);
        if (r < 0) {
            return r;
        }
    }
    path->name = path_name(paths, parent, path->name);
    if (path->name.ptr == NULL) {
        return -ERR_NOMEM;
    }
    path_tell(paths, path);
    return 0;
}

static int paths_grow(struct ndjson_paths *paths)
{
    if (paths->count == PATHS_MAX) {
        return -ERR_LIMIT;
    }
    return paths->count == list_room(paths->room) ? paths_make(paths, paths->room * 2) : 0;
}

int ndjson_paths_member(struct ndjson_paths *paths, uint32_t parent, struct str key,
                        uint32_t *ret_path)
{
    uint32_t hash = path_hash(paths->seed, parent, key);
    int r = paths_grow(paths); /* first, so that the place that is found stays one */
    uint32_t *slot;

    if (r < 0) {
        return r;
    }
    slot = paths_slot(paths, hash, parent, key);
    if (*slot == 0) {
        r = path_make(paths, parent, key, &paths->list[paths->count]);
        if (r < 0) {
            return r;
        }
        paths->list[paths->count].hash = hash;
        *slot = slot_of(hash, paths->count++);
    }
    *ret_path = *slot & (PATHS_MAX - 1);
    return 0;
}
