/* Manifests and their envelopes: round trips, truncation at every byte, what is refused, no memory.
 */
#include "prop.h"

#include "codec/cbor.h"
#include "detect/integrity/envelope.h"
#include "detect/integrity/manifest.h"

#define ENTRIES_MAX 24

static struct str join(struct prop *prop, struct str folder, const char *name)
{
    struct str path =
        arena_printf(prop->arena, "%.*s%s%s", STR_ARG(folder), folder.len != 0 ? "/" : "", name);

    assert_non_null(path.ptr);
    return path;
}

static void draw_facts(struct prop *prop, struct manifest_entry *entry)
{
    entry->class = (enum manifest_class)prop_below(prop, MANIFEST_CLASS_COUNT);
    entry->mode = (uint32_t)prop_below(prop, 010000);
    entry->uid = (uint32_t)prop_below(prop, UINT32_MAX);
    entry->gid = (uint32_t)prop_below(prop, UINT32_MAX);
    entry->xattrs = prop_bytes(prop, 12);
    if (entry->kind != MANIFEST_KIND_FOLDER) {
        entry->size = prop_u64(prop) >> 1;
        entry->mtime = prop_i64(prop);
        for (size_t i = 0; i < sizeof(entry->sha256); i++) {
            entry->sha256[i] = (uint8_t)prop_below(prop, 256);
        }
    }
    entry->size = entry->size == INT64_MAX ? 0 : entry->size;
}

static int order(const void *a, const void *b)
{
    const struct manifest_entry *one = a;
    const struct manifest_entry *other = b;

    return manifest_compare(one->path, other->path);
}

/* A tree: each entry stands in a folder drawn from those that are there. Names hold what sorts
 * around the slash, and bytes that are no UTF-8. */
static size_t draw_tree(struct prop *prop, struct manifest_entry *entries)
{
    static const char *const names[] = {"a", "a-b", "a b", "ab", "\xff", "trang chủ.html", "..."};
    size_t count = 1 + prop_below(prop, ENTRIES_MAX);
    size_t made = 1;

    entries[0] = (struct manifest_entry){.path = STR(""), .kind = MANIFEST_KIND_FOLDER};
    draw_facts(prop, &entries[0]);
    for (size_t i = 1; i < count; i++) {
        struct manifest_entry *entry = &entries[made];
        const struct manifest_entry *folder = &entries[prop_below(prop, made)];
        bool is_new = folder->kind == MANIFEST_KIND_FOLDER;

        *entry = (struct manifest_entry){
            .kind = (enum manifest_kind)prop_below(prop, MANIFEST_KIND_COUNT)};
        entry->path =
            join(prop, folder->path, names[prop_below(prop, sizeof(names) / sizeof(names[0]))]);
        for (size_t k = 0; k < made; k++) {
            is_new = is_new && !str_is(entries[k].path, entry->path);
        }
        if (is_new) {
            draw_facts(prop, entry);
            made++;
        }
    }
    qsort(entries, made, sizeof(entries[0]), order);
    return made;
}

static struct manifest draw_manifest(struct prop *prop)
{
    struct manifest_entry *entries = arena_alloc(prop->arena, ENTRIES_MAX + 1, sizeof(*entries));
    struct str *globs = arena_alloc(prop->arena, 4, sizeof(*globs));
    struct manifest manifest = {.version = 1 + prop_u64(prop) / 2,
                                .time = prop_i64(prop),
                                .root = STR("/var/www"),
                                .uploads = globs,
                                .upload_count = prop_below(prop, 3),
                                .contents = globs,
                                .content_count = prop_below(prop, 3),
                                .entries = entries};

    assert_non_null(entries);
    assert_non_null(globs);
    for (size_t i = 0; i < 4; i++) {
        globs[i] = prop_text(prop, 8);
    }
    manifest.key[3] = (uint8_t)prop_below(prop, 256);
    manifest.entry_count = draw_tree(prop, entries);
    return manifest;
}

static bool is_same_entry(const struct manifest_entry *a, const struct manifest_entry *b)
{
    return str_is(a->path, b->path) && a->kind == b->kind && a->class == b->class &&
           a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && a->size == b->size &&
           a->mtime == b->mtime && memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0 &&
           str_is(a->xattrs, b->xattrs);
}

static const char *is_same(const struct manifest *a, const struct manifest *b)
{
    if (a->version != b->version || a->time != b->time || !str_is(a->root, b->root) ||
        memcmp(a->key, b->key, sizeof(a->key)) != 0 || a->upload_count != b->upload_count ||
        a->content_count != b->content_count || a->entry_count != b->entry_count) {
        return "the head came back changed";
    }
    for (size_t i = 0; i < a->upload_count; i++) {
        if (!str_is(a->uploads[i], b->uploads[i])) {
            return "a rule came back changed";
        }
    }
    for (size_t i = 0; i < a->entry_count; i++) {
        if (!is_same_entry(&a->entries[i], &b->entries[i])) {
            return "an entry came back changed";
        }
        if (manifest_find(b, a->entries[i].path) != &b->entries[i]) {
            return "an entry was not found";
        }
    }
    return NULL;
}

static const char *manifests_round_trip(struct prop *prop)
{
    struct manifest manifest = draw_manifest(prop);
    struct manifest back = {0};
    const char *broke;
    struct buf buf;

    buf_init(&buf, 1 << 20);
    manifest_encode(&manifest, &buf);
    broke = manifest_decode(buf_str(&buf), prop->arena, &back) == 0
                ? is_same(&manifest, &back)
                : "an encoded manifest was refused";
    for (size_t cut = 0; broke == NULL && cut < buf.len; cut += 1 + cut / 16) {
        if (manifest_decode(str_slice(buf_str(&buf), 0, cut), prop->arena, &back) == 0) {
            broke = "a truncation was taken";
        }
    }
    buf_done(&buf);
    return broke;
}

static void test_round_trip(void **state)
{
    (void)state;
    prop_check("manifests round trip", manifests_round_trip, 200);
}

static int decode_entries(const struct manifest_entry *entries, size_t count)
{
    struct manifest manifest = {
        .version = 1, .root = STR("/w"), .entries = entries, .entry_count = count};
    struct manifest back = {.version = 77};
    struct arena *arena = NULL;
    struct buf buf;
    int r;

    assert_int_equal(arena_new(1 << 20, &arena), 0);
    buf_init(&buf, 1 << 20);
    manifest_encode(&manifest, &buf);
    r = manifest_decode(buf_str(&buf), arena, &back);
    assert_int_equal(back.version, r == 0 ? 1 : 77); /* untouched on failure */
    buf_done(&buf);
    arena_free(arena);
    return r;
}

#define FOLDER(name)  {.path = {name, sizeof(name) - 1}, .kind = MANIFEST_KIND_FOLDER}
#define FILE_OF(name) {.path = {name, sizeof(name) - 1}, .kind = MANIFEST_KIND_FILE}
#define REFUSED(...)                                                                               \
    do {                                                                                           \
        const struct manifest_entry refused[] = {__VA_ARGS__};                                     \
        assert_int_equal(decode_entries(refused, sizeof(refused) / sizeof(refused[0])),            \
                         -ERR_CORRUPT);                                                            \
    } while (0)

/* A signed manifest is trusted; still no path of it may lead out of the root. */
static void test_refuses(void **state)
{
    const struct manifest_entry good[] = {FOLDER(""), FOLDER("a"), FILE_OF("a/b"), FILE_OF("a-")};

    (void)state;
    assert_int_equal(decode_entries(good, 4), 0);
    REFUSED(FILE_OF(""));
    REFUSED(FOLDER("a"));
    REFUSED(FOLDER(""), FILE_OF("/a"));
    REFUSED(FOLDER(""), FILE_OF("a/"));
    REFUSED(FOLDER(""), FOLDER("a"), FILE_OF("a//b"));
    REFUSED(FOLDER(""), FILE_OF(".."));
    REFUSED(FOLDER(""), FOLDER("a"), FILE_OF("a/.."));
    REFUSED(FOLDER(""), FILE_OF("."));
    REFUSED(FOLDER(""), FILE_OF("a\0b"));
    REFUSED(FOLDER(""), FILE_OF("b"), FILE_OF("a"));
    REFUSED(FOLDER(""), FILE_OF("a"), FILE_OF("a"));
    REFUSED(FOLDER(""), FILE_OF("a"), FILE_OF("a/b"));
    REFUSED(FOLDER(""), FILE_OF("a/b"));
}

static void test_order(void **state)
{
    (void)state;
    assert_true(manifest_compare(STR("a/b"), STR("a-b")) < 0);
    assert_true(manifest_compare(STR("a"), STR("a/b")) < 0);
    assert_true(manifest_compare(STR("a\xff"), STR("a/b")) > 0);
    assert_int_equal(manifest_compare(STR("x"), STR("x")), 0);
}

static void test_limits(void **state)
{
    static char long_name[MANIFEST_PATH_MAX + 1];
    struct manifest_entry entries[] = {FOLDER(""), FILE_OF("a")};
    struct manifest back;
    struct arena *arena = NULL;
    struct buf buf;

    (void)state;
    memset(long_name, 'a', sizeof(long_name));
    entries[1].path = str_of(long_name, 256); /* no file system has such a name */
    assert_int_equal(decode_entries(entries, 2), -ERR_CORRUPT);
    entries[1].path = str_of(long_name, sizeof(long_name));
    assert_int_equal(decode_entries(entries, 2), -ERR_LIMIT);
    /* a count that the bytes cannot hold must not be believed */
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    buf_init(&buf, 1 << 20);
    manifest_encode(&(struct manifest){.version = 1, .root = STR("/w")}, &buf);
    buf.ptr[buf.len - 1] = (char)0x9a; /* the head of an array with a 32-bit count */
    (void)buf_put(&buf, "\xff\xff\xff\xff", 4);
    assert_int_equal(manifest_decode(buf_str(&buf), arena, &back), -ERR_TRUNCATED);
    buf_done(&buf);
    arena_free(arena);
}

static const char *envelopes_round_trip(struct prop *prop)
{
    struct grant grant = {.root = prop_text(prop, 9),
                          .version = prop_u64(prop),
                          .from = prop_i64(prop),
                          .until = prop_i64(prop),
                          .who = prop_text(prop, 9),
                          .reason = prop_text(prop, 30)};
    struct envelope envelope = {.body = prop_bytes(prop, 40)};
    struct envelope opened = {0};
    struct grant back = {0};
    const char *broke = NULL;
    struct buf inner;
    struct buf outer;

    buf_init(&inner, GRANT_SIZE_MAX);
    buf_init(&outer, 1 << 20);
    grant_encode(&grant, &inner);
    envelope.grant = buf_str(&inner);
    envelope.signature[9] = (uint8_t)prop_below(prop, 256);
    envelope_encode(&envelope, &outer);
    if (envelope_decode(buf_str(&outer), &opened) != 0 || grant_decode(opened.grant, &back) != 0) {
        broke = "an envelope was refused";
    } else if (!str_is(opened.body, envelope.body) ||
               memcmp(opened.signature, envelope.signature, sizeof(opened.signature)) != 0 ||
               !str_is(back.root, grant.root) || back.version != grant.version ||
               back.from != grant.from || back.until != grant.until ||
               !str_is(back.who, grant.who) || !str_is(back.reason, grant.reason)) {
        broke = "an envelope came back changed";
    }
    for (size_t cut = 0; broke == NULL && cut < outer.len; cut++) {
        broke = envelope_decode(str_slice(buf_str(&outer), 0, cut), &opened) == 0
                    ? "a truncation was taken"
                    : NULL;
    }
    buf_done(&inner);
    buf_done(&outer);
    return broke;
}

static void test_envelope(void **state)
{
    (void)state;
    prop_check("envelopes round trip", envelopes_round_trip, 200);
}

static int decode_once(void *context)
{
    const struct buf *buf = context;
    struct arena *arena = NULL;
    struct manifest manifest;
    int r = arena_new(1 << 20, &arena);

    if (r == 0) {
        r = manifest_decode(buf_str(buf), arena, &manifest);
    }
    arena_free(arena);
    return r;
}

static void test_no_memory(void **state)
{
    const struct manifest_entry entries[] = {FOLDER(""), FILE_OF("a")};
    struct buf buf;

    (void)state;
    buf_init(&buf, 1 << 16);
    manifest_encode(
        &(struct manifest){.version = 1, .root = STR("/w"), .entries = entries, .entry_count = 2},
        &buf);
    assert_survives_no_memory(decode_once, &buf);
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_order),      cmocka_unit_test(test_limits),
        cmocka_unit_test(test_envelope),   cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
