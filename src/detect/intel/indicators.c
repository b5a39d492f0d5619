/* The tables: entries lie one behind another in one block, a hash table of 32-bit offsets finds
 * them. On the data's way: codec/feed.c → file form (indicators_file.c) → here → judge. */
#include "detect/intel/indicators.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "detect/intel/indicators_part.h"

#include <string.h>

#define ENTRY_HEAD 5 /* kind, list, two bytes of day, length */
#define ROOM_MIN   1024
#define TABLE_SEED 0x63616e68676163U
#define LABELS_MAX 127
#define DAY_NS     (86400 * NS_PER_S)

extern const char popular_hosts_start[];
extern const char popular_hosts_end[];

struct str indicators_popular(void)
{
    return str_of(popular_hosts_start, (size_t)(popular_hosts_end - popular_hosts_start));
}

static struct str entry_value(const struct indicators *indicators, uint32_t at)
{
    const unsigned char *entry = (const unsigned char *)indicators->entries + at - 1;

    return str_of((const char *)entry + ENTRY_HEAD, entry[4]);
}

static unsigned entry_kind(const struct indicators *indicators, uint32_t at)
{
    return (unsigned char)indicators->entries[at - 1];
}

/* Where the entry of that value is, or the free place for it. */
static uint32_t *slot_find(const struct indicators *indicators, unsigned kind, struct str value)
{
    size_t i = map_hash(value, TABLE_SEED + kind) & (indicators->room - 1);

    while (indicators->slots[i] != 0 &&
           (entry_kind(indicators, indicators->slots[i]) != kind ||
            !str_is(entry_value(indicators, indicators->slots[i]), value))) {
        i = (i + 1) & (indicators->room - 1);
    }
    return &indicators->slots[i];
}

static int indicators_grow(struct indicators *indicators)
{
    uint32_t *old = indicators->slots;
    size_t old_room = indicators->room;
    size_t room = old_room != 0 ? old_room * 2 : ROOM_MIN;
    uint32_t *slots = mem_alloc(room, sizeof(*slots));

    if (slots == NULL) {
        return -ERR_NOMEM;
    }
    indicators->slots = slots;
    indicators->room = room;
    for (size_t i = 0; i < old_room; i++) {
        if (old[i] != 0) {
            *slot_find(indicators, entry_kind(indicators, old[i]),
                       entry_value(indicators, old[i])) = old[i];
        }
    }
    mem_free(old);
    return 0;
}

static int entry_append(struct indicators *indicators, const unsigned char head[ENTRY_HEAD],
                        struct str value)
{
    size_t need = ENTRY_HEAD + value.len;
    size_t room = indicators->entries_room + indicators->entries_room / 2 + 65536;

    if (indicators->entries_room - indicators->entries_len < need) {
        char *entries = room < UINT32_MAX ? mem_resize(indicators->entries, room, 1) : NULL;

        if (entries == NULL) {
            return -ERR_NOMEM;
        }
        indicators->entries = entries;
        indicators->entries_room = room;
    }
    memcpy(indicators->entries + indicators->entries_len, head, ENTRY_HEAD);
    memcpy(indicators->entries + indicators->entries_len + ENTRY_HEAD, value.ptr, value.len);
    indicators->entries_len += need;
    return 0;
}

/* Up to the next day: something that expires during a day counts until it ends. */
static uint16_t day_of(int64_t time)
{
    int64_t day = time <= 0 ? 0 : (time + DAY_NS - 1) / DAY_NS;

    return day > UINT16_MAX ? 0 : (uint16_t)day;
}

static int64_t entry_expires(const struct indicators *indicators, uint32_t at)
{
    const unsigned char *entry = (const unsigned char *)indicators->entries + at - 1;

    return ((int64_t)entry[2] << 8 | entry[3]) * DAY_NS;
}

/* The earlier of an entry's and its list's end; never is the latest. */
static int64_t end_of(const struct indicators *indicators, unsigned list, int64_t expires)
{
    int64_t list_expires = indicators->lists[list].expires;

    expires = expires != 0 ? expires : INT64_MAX;
    return list_expires != 0 && list_expires < expires ? list_expires : expires;
}

/* Of two lists that have a value the one that says so longer keeps it. */
static void entry_join(struct indicators *indicators, uint32_t at,
                       const unsigned char head[ENTRY_HEAD], int64_t expires)
{
    unsigned char *entry = (unsigned char *)indicators->entries + at - 1;

    if (end_of(indicators, head[1], expires) >
        end_of(indicators, entry[1], entry_expires(indicators, at))) {
        memcpy(entry, head, ENTRY_HEAD);
    }
}

int indicators_add(struct indicators *indicators, unsigned kind, unsigned list, struct str value,
                   int64_t expires)
{
    uint16_t day = day_of(expires);
    const unsigned char head[ENTRY_HEAD] = {(unsigned char)kind, (unsigned char)list,
                                            (unsigned char)(day >> 8), (unsigned char)day,
                                            (unsigned char)value.len};
    uint32_t at = (uint32_t)indicators->entries_len + 1;
    uint32_t *slot;
    int r;

    if (value.len > UINT8_MAX || indicators->count >= INDICATORS_MAX) {
        return -ERR_LIMIT;
    }
    r = (indicators->count + 1) * 4 > indicators->room * 3 ? indicators_grow(indicators) : 0;
    if (r < 0) {
        return r;
    }
    slot = slot_find(indicators, kind, value);
    if (*slot != 0) {
        entry_join(indicators, *slot, head, expires);
        return 0;
    }
    r = entry_append(indicators, head, value);
    if (r < 0) {
        return r;
    }
    *slot = at;
    indicators->count++;
    return kind == FEED_KIND_PHRASE ? literals_add(indicators->phrases, value, at) : 0;
}

/* Fills the hit; false when entry or list have expired. */
static bool hit_of(const struct indicators *indicators, uint32_t at, struct indicator_hit *ret_hit)
{
    unsigned list = (unsigned char)indicators->entries[at];
    int64_t expires = entry_expires(indicators, at);

    if (end_of(indicators, list, expires) <= indicators->time) {
        return false;
    }
    *ret_hit = (struct indicator_hit){.list = &indicators->lists[list],
                                      .kind = (enum feed_kind)entry_kind(indicators, at),
                                      .value = entry_value(indicators, at),
                                      .expires = expires};
    return true;
}

static uint32_t find(const struct indicators *indicators, unsigned kind, struct str value)
{
    return indicators->room != 0 ? *slot_find(indicators, kind, value) : 0;
}

/* Without its first label; empty when it has one only. */
static struct str parent_of(struct str host)
{
    return str_slice(host, str_find_byte(host, '.') + 1, host.len);
}

bool indicators_find_host(const struct indicators *indicators, struct str host,
                          struct indicator_hit *ret_hit)
{
    bool is_hit = false;

    for (unsigned i = 0; i < LABELS_MAX && host.len != 0; i++, host = parent_of(host)) {
        uint32_t at = find(indicators, FEED_KIND_DOMAIN, host);

        if (find(indicators, INDICATOR_ALLOW, host) != 0) {
            return false;
        }
        if (!is_hit && at != 0 && find(indicators, INDICATOR_SHARED, host) == 0) {
            is_hit = hit_of(indicators, at, ret_hit);
        }
    }
    return is_hit;
}

bool indicators_find_hash(const struct indicators *indicators, struct str hash,
                          struct indicator_hit *ret_hit)
{
    uint32_t at = find(indicators, FEED_KIND_HASH, hash);

    return at != 0 && hit_of(indicators, at, ret_hit);
}

bool indicators_find_phrase(const struct indicators *indicators, struct str text, size_t from,
                            struct indicator_hit *ret_hit)
{
    struct literals_hit hit;

    while (literals_find(indicators->phrases, text, from, &hit)) {
        if (hit_of(indicators, hit.value, ret_hit)) {
            ret_hit->at = hit.at;
            return true;
        }
        from = hit.at + 1;
    }
    return false;
}

void indicators_set_time(struct indicators *indicators, int64_t time)
{
    indicators->time = time;
}

void indicators_each(const struct indicators *indicators, size_t index, indicator_fn *fn,
                     void *context)
{
    size_t at = 1;

    while (at <= indicators->entries_len) {
        struct feed_entry entry = {.value = entry_value(indicators, (uint32_t)at),
                                   .expires = entry_expires(indicators, (uint32_t)at)};
        unsigned kind = entry_kind(indicators, (uint32_t)at);

        if (kind < FEED_KIND_COUNT && (unsigned char)indicators->entries[at] == index) {
            entry.kind = (enum feed_kind)kind;
            fn(context, &entry);
        }
        at += ENTRY_HEAD + entry.value.len;
    }
}

size_t indicators_list_count(const struct indicators *indicators)
{
    return indicators->list_count;
}

const struct indicator_list *indicators_list(const struct indicators *indicators, size_t index)
{
    return &indicators->lists[index];
}

size_t indicators_size(const struct indicators *indicators)
{
    return sizeof(*indicators) + indicators->room * sizeof(*indicators->slots) +
           indicators->entries_room + literals_size(indicators->phrases);
}

static bool has_host(void *context, struct str host, struct str *ret_list)
{
    struct indicator_hit hit;

    if (!indicators_find_host(context, host, &hit)) {
        return false;
    }
    *ret_list = hit.list->label;
    return true;
}

struct deface_lists indicators_for_deface(struct indicators *indicators)
{
    return (struct deface_lists){.context = indicators, .has_host = has_host};
}

/* "allow HOST" or "shared HOST" a line. */
static int popular_line(struct indicators *indicators, struct str line, uint64_t number,
                        struct diag *diag)
{
    char room[FEED_LINE_MAX];
    struct str host = str_trim(line);
    struct str word;
    struct str name = {0};
    bool is_shared;

    if (host.len == 0 || host.ptr[0] == '#') {
        return 0;
    }
    (void)str_cut(&host, ' ', &word);
    is_shared = str_is(word, STR("shared"));
    host = str_trim(host);
    /* "shared vn": a suffix of one label is no host, but may stand here. */
    if ((!is_shared && !str_is(word, STR("allow"))) || host.len > FEED_HOST_MAX ||
        (!feed_read_host(host, room, &name) &&
         (!is_shared || str_find_byte(host, '.') != host.len))) {
        return diag_set(diag, -ERR_SYNTAX,
                        _("allow list, line %llu: 'allow HOST' or 'shared HOST' is expected"),
                        (unsigned long long)number);
    }
    name = name.len == host.len ? name : host;
    return indicators_add(indicators, is_shared ? INDICATOR_SHARED : INDICATOR_ALLOW, 0, name, 0);
}

int indicators_new(struct str popular, struct indicators **ret_indicators, struct diag *diag)
{
    CLEANUP(indicators_freep) struct indicators *indicators = mem_alloc(1, sizeof(*indicators));
    struct str line;
    uint64_t number = 0;
    int r;

    if (indicators == NULL) {
        return -ERR_NOMEM;
    }
    r = literals_new(INDICATORS_MAX, &indicators->phrases);
    while (r == 0 && popular.len != 0 && str_cut(&popular, '\n', &line)) {
        r = popular_line(indicators, line, ++number, diag);
    }
    if (r == 0) {
        *ret_indicators = TAKE_PTR(indicators);
    }
    return r;
}

void indicators_free(struct indicators *indicators)
{
    if (indicators == NULL) {
        return;
    }
    for (size_t i = 0; i < indicators->list_count; i++) {
        mem_free(indicators->texts[i]);
    }
    literals_free(indicators->phrases);
    mem_free(indicators->slots);
    mem_free(indicators->entries);
    mem_free(indicators);
}

void indicators_freep(struct indicators **indicators)
{
    indicators_free(*indicators);
    *indicators = NULL;
}
