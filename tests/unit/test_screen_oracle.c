/* The screen of log entries beside a naive one that has no short cuts, on the real logs of
 * ../shared/data (or CANHGAC_DATA): of everything that stands in them a share is put on a list, and
 * both name the same hits, in entries as readers hand them on, with names that nobody told the kind
 * of, and with values written in other escapes. */
#include "harness.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/network.h"
#include "base/prng.h"
#include "codec/logs.h"
#include "detect/intel/screen.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#define FILE_MAX  (16U << 20) /* bytes of a file that are read */
#define SHARE     3           /* of so many values one is listed */
#define NAIVE_MAX 256         /* hits of an entry */
#define ROOM      FEED_LINE_MAX

static char bytes[FILE_MAX];

struct naive_hit {
    enum feed_kind kind;
    size_t field;
    struct str value;
    struct str found;
};

struct world {
    const struct indicators *indicators; /* NULL: values are gathered for a list */
    struct indicator_writer writer;
    struct screen *screen;
    struct arena *arena; /* of an entry */
    struct prng prng;
    const struct entry *entry;
    size_t field;
    struct naive_hit hits[NAIVE_MAX];
    size_t count;
    uint64_t compared;
    uint64_t by_kind[FEED_KIND_COUNT];
};

/* ---- the naive screen ---- */

static void add(struct world *world, const struct indicator_hit *hit, struct str value,
                struct str found)
{
    assert_true(world->count < NAIVE_MAX);
    world->hits[world->count++] = (struct naive_hit){
        .kind = hit->kind,
        .field = world->field,
        .value = arena_copy(world->arena, value),
        .found = arena_copy(world->arena, found),
    };
}

static void gather(struct world *world, enum feed_kind kind, struct str value)
{
    struct feed_entry entry = {.kind = kind, .value = value};
    char room[ROOM];

    if (prng_below(&world->prng, SHARE) == 0 && feed_read_value(kind, value, room, &entry.value)) {
        indicator_write_entry(&world->writer, &entry);
    }
}

static void ask(struct world *world, enum feed_kind kind, struct str value, struct str found)
{
    struct indicator_hit hit;

    if (world->indicators == NULL) {
        gather(world, kind, value);
    } else if (kind == FEED_KIND_DOMAIN ? indicators_find_host(world->indicators, value, &hit)
                                        : indicators_find(world->indicators, kind, value, &hit)) {
        add(world, &hit, hit.value, found);
    }
}

static void ask_address(struct world *world, struct str text, struct str found)
{
    struct indicator_hit hit;
    uint8_t address[16];
    char room[ROOM];
    unsigned bits;

    if (!feed_parse_address(text, address, &bits) || bits != 128) {
        return;
    }
    if (world->indicators == NULL) {
        gather(world, FEED_KIND_ADDRESS, feed_format_address(address, bits, room));
    } else if (indicators_find_address(world->indicators, address, &hit)) {
        network_mask(address, hit.bits);
        add(world, &hit, feed_format_address(address, hit.bits, room), found);
    }
}

static void ask_authority(struct world *world, struct str url, struct str found)
{
    struct str host = str_slice(url, 0, str_find_byte(url, '/'));

    if (host.len != 0 && host.ptr[0] == '[') {
        ask_address(world, str_slice(host, 1, str_find_byte(host, ']')), found);
        return;
    }
    host = str_slice(host, 0, str_find_byte(host, ':'));
    if (host.len != 0 && host.ptr[host.len - 1] >= '0' && host.ptr[host.len - 1] <= '9') {
        ask_address(world, host, found);
    } else {
        ask(world, FEED_KIND_DOMAIN, host, found);
    }
}

static void ask_url(struct world *world, struct str found)
{
    char room[ROOM];
    struct str url;
    size_t query;

    if (found.len >= FEED_LINE_MAX) {
        return;
    }
    if (!feed_read_url(found, room, &url)) {
        if (feed_read_host(found, room, &url)) {
            ask_authority(world, url, found);
        }
        return;
    }
    ask(world, FEED_KIND_URL, url, found);
    query = str_find_byte(url, '?');
    if (query != url.len) {
        ask(world, FEED_KIND_URL, str_slice(url, 0, query), found);
    }
    ask_authority(world, url, found);
}

static bool is_name_byte(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
           c == '_' || c == '.' || (unsigned char)c >= 0x80;
}

static void ask_text(struct world *world, struct str text)
{
    text = str_slice(text, 0, SCREEN_SCAN_MAX);
    for (unsigned i = 0; i < 8; i++) {
        size_t at = str_find(text, STR("://"));
        size_t from = at;
        size_t to = at + 3;

        if (at + 4 > text.len) {
            return;
        }
        while (from != 0 && at - from < 8 && is_name_byte(text.ptr[from - 1])) {
            from--;
        }
        while (to < text.len && (unsigned char)text.ptr[to] > ' ' &&
               strchr("\"'`<>|(){};,\\", text.ptr[to]) == NULL) {
            to++;
        }
        ask_url(world, str_slice(text, from, to));
        text = str_slice(text, to, text.len);
    }
}

static bool ask_hash(struct world *world, struct str text)
{
    char room[ROOM];
    struct str hash;
    bool is_hash = feed_read_hash(text, room, &hash);

    if (is_hash) {
        ask(world, FEED_KIND_HASH, hash, text);
    }
    return is_hash;
}

static bool ask_hashes(struct world *world, struct str text)
{
    struct str one;

    if (text.len <= 35 ||
        (text.ptr[3] != '=' && text.ptr[4] != '=' && text.ptr[6] != '=' && text.ptr[7] != '=')) {
        return false;
    }
    text = str_slice(text, 0, 512);
    while (str_cut(&text, ',', &one)) {
        (void)ask_hash(world, str_slice(one, str_find_byte(one, '=') + 1, one.len));
    }
    return true;
}

static struct str value_of(const struct world *world, const char *name)
{
    const struct entry_field *field = entry_find(world->entry, str_from(name));

    return field == NULL ? STR("") : field->value;
}

static bool ends(struct str name, const char *end)
{
    struct str tail =
        str_slice(name, name.len - (name.len < strlen(end) ? 0 : strlen(end)), name.len);

    return str_is_nocase(tail, str_from(end));
}

static void ask_path(struct world *world, struct str path)
{
    struct str name = world->entry->fields[world->field].name;
    bool is_stem = str_is_text(name, "cs-uri-stem");
    struct str host = value_of(world, str_is_text(name, "http.url") ? "http.hostname" : "cs-host");
    struct str query = is_stem ? value_of(world, "cs-uri-query") : STR("");

    if (host.len != 0 && (is_stem || ends(name, "url") || ends(name, "uri"))) {
        ask_url(world,
                arena_printf(world->arena, "%.*s%.*s%s%.*s", STR_ARG(host), STR_ARG(path),
                             query.len > 1 ? "?" : "", STR_ARG(query.len > 1 ? query : STR(""))));
    }
}

static void ask_name(struct world *world, struct str value)
{
    bool is_dotted = value.ptr[value.len - 1] == '.';
    struct str name = str_slice(value, 0, value.len - is_dotted);
    char room[ROOM];
    struct str read;
    size_t at = 0;

    while (at < name.len && is_name_byte(name.ptr[at])) {
        at++;
    }
    if (at == name.len && name.len <= FEED_HOST_MAX) {
        for (size_t i = 0; i < name.len; i++) {
            char c = name.ptr[i];

            room[i] = c >= 'A' && c <= 'Z' ? (char)(c + 0x20) : c;
        }
        if (world->indicators != NULL || feed_read_host(name, room, &read)) {
            ask(world, FEED_KIND_DOMAIN, str_of(room, name.len), value);
        }
    } else if (name.len < FEED_LINE_MAX && feed_read_email(name, room, &read)) {
        ask(world, FEED_KIND_EMAIL, read, name);
    }
}

/* Four numbers, and a port or whatever stands behind a colon. */
static struct str four_of(struct str text)
{
    struct str host = str_slice(text, 0, str_find_byte(text, ':'));
    uint8_t address[16];
    unsigned bits;

    return text.len <= 48 && str_find_byte(host, '.') != host.len &&
                   feed_parse_address(host, address, &bits) && bits == 128
               ? host
               : STR("");
}

static struct str six_of(struct str text)
{
    struct str bare = text.ptr[0] == '[' ? str_slice(text, 1, str_find_byte(text, ']')) : text;

    return text.len <= 48 && str_find_byte(bare, ':') < 6 ? bare : STR("");
}

static void ask_plain(struct world *world, struct str text)
{
    unsigned char last = (unsigned char)text.ptr[text.len - 1];
    size_t scheme = str_find(text, STR("://"));

    if (text.ptr[1] == ':' && text.ptr[2] == '\\') {
        return;
    }
    if (((text.len == 32 || text.len == 40 || text.len == 64) && ask_hash(world, text)) ||
        ask_hashes(world, text)) {
        return;
    }
    if (four_of(text).len != 0) {
        ask_address(world, four_of(text), text);
    } else if (six_of(text).len != 0) {
        ask_address(world, six_of(text), text);
    }
    if (text.ptr[0] == '/') {
        ask_path(world, text);
    } else if (scheme >= 3 && scheme <= 5 && text.len > 9 && str_find_byte(text, ':') == scheme) {
        ask_url(world, text);
    } else if (is_name_byte(text.ptr[0]) && (last >= 'A' || last == '.') &&
               str_find_byte(text, '.') != text.len) {
        ask_name(world, text);
    }
}

static bool is_dull(struct str name)
{
    static const char *const names[] = {
#define DULL(name) name,
#include "codec/field_kind.def"
#undef DULL
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_is_text(name, names[i])) {
            return true;
        }
    }
    return false;
}

static bool is_text(const struct world *world, const struct entry_field *field)
{
    struct str name = field->name;

    return field->value.len > 16 &&
           (ends(name, "line") || ends(name, "text") || ends(name, "load") ||
            ends(name, "command") || ends(name, "hostapplication") ||
            (ends(name, "message") && !world->entry->is_structured));
}

static void naive_field(struct world *world, const struct entry_field *field)
{
    char room[ROOM];
    struct str text;
    struct str agent;

    if (field->type != ENTRY_TYPE_TEXT || field->value.len < 4 || is_dull(field->name)) {
        return;
    }
    assert_int_equal(entry_field_text(field, world->arena, &text), 0);
    if (text.len < 4) {
        return;
    }
    if (is_text(world, field)) {
        ask_text(world, text);
        return;
    }
    if (ends(field->name, "gent") && text.len <= FEED_AGENT_MAX &&
        feed_read_agent(text, room, &agent)) {
        ask(world, FEED_KIND_AGENT, agent, text);
    }
    ask_plain(world, text);
}

static void naive_entry(struct world *world, const struct entry *entry)
{
    world->entry = entry;
    world->count = 0;
    for (size_t i = 0; i < entry->count; i++) {
        world->field = i;
        naive_field(world, &entry->fields[i]);
    }
}

/* ---- both ---- */

static void compare(struct world *world, const struct entry *entry)
{
    const struct screen_hit *hits = NULL;
    size_t count = 0;

    naive_entry(world, entry);
    assert_int_equal(screen_entry(world->screen, entry, &hits, &count), 0);
    for (size_t i = 0; i < count || i < world->count; i++) {
        const struct naive_hit *naive = &world->hits[i];

        if (i == SCREEN_HITS_MAX) {
            break;
        }
        if (i >= count || i >= world->count || hits[i].hit.kind != naive->kind ||
            hits[i].field != naive->field || !str_is(hits[i].hit.value, naive->value) ||
            !str_is(hits[i].found, naive->found)) {
            size_t at = i < world->count ? naive->field : hits[i].field;

            fail_msg("entry %llu: hit %zu differs: naive %zu, screen %zu; %.*s is '%.*s'",
                     (unsigned long long)entry->number, i, world->count, count,
                     STR_ARG(entry->fields[at].name), STR_ARG(entry->fields[at].value));
        }
        world->by_kind[naive->kind]++;
    }
    world->compared++;
}

/* The value in JSON's escapes, some of which need not be. */
static struct str escape(struct world *world, struct str text)
{
    char *out = arena_alloc(world->arena, text.len + 1, 6);
    size_t len = 0;

    assert_non_null(out);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool must = c < ' ' || c == '"' || c == '\\';

        if (c < 0x80 && (must || prng_below(&world->prng, 24) == 0)) {
            len += (size_t)snprintf(out + len, 7, "\\u%04x", c);
        } else if (c == '/' && prng_below(&world->prng, 2) == 0) {
            out[len++] = '\\';
            out[len++] = '/';
        } else {
            out[len++] = (char)c;
        }
    }
    return str_of(out, len);
}

/* As a reader would hand it on that does not remember names, and from another writer of JSON. */
static void compare_twins(struct world *world, const struct entry *entry)
{
    struct entry twin = *entry;
    struct str text;

    twin.fields = arena_alloc(world->arena, entry->count + 1, sizeof(*twin.fields));
    assert_non_null(twin.fields);
    for (size_t i = 0; i < entry->count; i++) {
        twin.fields[i] = entry->fields[i];
        twin.fields[i].kind = FIELD_KIND_UNTOLD;
    }
    compare(world, &twin);
    for (size_t i = 0; i < entry->count; i++) {
        if (twin.fields[i].type == ENTRY_TYPE_TEXT && !is_text(world, &entry->fields[i])) {
            assert_int_equal(entry_field_text(&entry->fields[i], world->arena, &text), 0);
            twin.fields[i].value = escape(world, text);
            twin.fields[i].is_escaped = true;
        }
    }
    compare(world, &twin);
}

static int take(void *context, const struct entry *entry)
{
    struct world *world = context;

    arena_reset(world->arena);
    if (world->indicators == NULL) {
        naive_entry(world, entry);
        return 0;
    }
    compare(world, entry);
    compare_twins(world, entry);
    return 0;
}

/* ---- the logs ---- */

static const char *data_path(const char *name)
{
    static char path[1024];
    const char *folder = getenv("CANHGAC_DATA");

    (void)snprintf(path, sizeof(path), "%s/%s",
                   folder != NULL ? folder : TESTS_FOLDER "/../../shared/data", name);
    return path;
}

static struct str unpack(FILE *file)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_outBuffer out = {bytes, sizeof(bytes), 0};
    static char packed[65536];
    size_t len;

    assert_non_null(context);
    assert_false(ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 27)));
    while (out.pos < out.size && (len = fread(packed, 1, sizeof(packed), file)) > 0) {
        ZSTD_inBuffer in = {packed, len, 0};

        while (in.pos < in.size && out.pos < out.size) {
            assert_false(ZSTD_isError(ZSTD_decompressStream(context, &out, &in)));
        }
    }
    ZSTD_freeDCtx(context);
    return str_slice(str_of(bytes, out.pos), 0, log_cut_lines(str_of(bytes, out.pos), false));
}

static void read_file(struct world *world, const char *path)
{
    FILE *file = fopen(path, "rb");
    struct log_reading reading;
    struct str text;

    assert_non_null(file);
    text = str_has_suffix(str_from(path), STR(".zst"))
               ? unpack(file)
               : str_of(bytes, fread(bytes, 1, sizeof(bytes), file));
    (void)fclose(file);
    assert_int_equal(log_reading_init(&reading, NULL), 0);
    assert_int_equal(
        log_format_guess(str_slice(text, 0, LOG_HEAD_SIZE))->read(&reading, text, take, world), 0);
    log_reading_done(&reading);
}

static void read_all(struct world *world)
{
    static const char *const logs[] = {"logs/windows-security-datasets.ndjson.zst",
                                       "logs/OpenSSH.log", "logs/Linux.log", "logs/Apache.log"};
    static char folder[1024];
    char *roots[] = {folder, NULL};
    FTSENT *file;
    FTS *tree;

    for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
        read_file(world, data_path(logs[i]));
    }
    (void)snprintf(folder, sizeof(folder), "%s", data_path("sigma/regression"));
    tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    assert_non_null(tree);
    while ((file = fts_read(tree)) != NULL) {
        if (file->fts_info == FTS_F && str_has_suffix(str_from(file->fts_path), STR(".evtx"))) {
            read_file(world, file->fts_path);
        }
    }
    (void)fts_close(tree);
}

static struct indicators *list_read(struct buf *list)
{
    struct indicators *indicators = NULL;
    struct diag diag = {{0}};

    assert_int_equal(indicators_new(STR(""), &indicators, &diag), 0);
    if (indicators_add_file(indicators, buf_str(list), &diag) < 0) {
        fail_msg("%s", diag.text);
    }
    return indicators;
}

static void test_real_logs(void **state)
{
    static const struct indicator_list head = {.name = STR("drawn"), .label = STR("c2")};
    static struct world world;
    struct indicators *indicators;
    struct buf list;

    (void)state;
    if (access(data_path("logs/OpenSSH.log"), R_OK) != 0) {
        print_message("no real logs: skipped\n");
        skip();
    }
    assert_int_equal(arena_new(64U << 20, &world.arena), 0);
    prng_init(&world.prng, 4);
    buf_init(&list, 256U << 20);
    indicator_write_head(&world.writer, &head, &list);
    read_all(&world);
    indicator_write_end(&world.writer);
    indicators = list_read(&list);
    world.indicators = indicators;
    assert_int_equal(screen_new(indicators, &world.screen), 0);
    read_all(&world);
    print_message("%llu entries compared; hits:", (unsigned long long)world.compared);
    for (unsigned kind = 0; kind < FEED_KIND_COUNT; kind++) {
        print_message(" %s %llu", feed_kind_name((enum feed_kind)kind),
                      (unsigned long long)world.by_kind[kind]);
    }
    print_message("\n");
    assert_in_range(world.compared, 30000, UINT32_MAX);
    assert_in_range(world.by_kind[FEED_KIND_DOMAIN], 1000, UINT32_MAX);
    assert_in_range(world.by_kind[FEED_KIND_HASH], 1000, UINT32_MAX);
    assert_in_range(world.by_kind[FEED_KIND_ADDRESS], 1000, UINT32_MAX);
    screen_free(world.screen);
    indicators_free(indicators);
    arena_free(world.arena);
    buf_done(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_logs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
