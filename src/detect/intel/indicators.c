/* What lists say of a value: kinds of values are looked up each in its own way in one table of
 * hashes (indicator_table.c). On the data's way: codec/feed.c → file form (indicators_file.c) →
 * here → judges of pages, screen.c for logs. */
#include "detect/intel/indicators.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/network.h"
#include "base/text.h"
#include "base/time.h"
#include "detect/intel/indicators_part.h"

#include <string.h>

#define ENTRY_HEAD   6 /* kind, list, two bytes of day, two of length */
#define NETWORK_SIZE 17
#define LABELS_MAX   127
#define DAY_NS       (86400 * NS_PER_S)

extern const char popular_hosts_start[];
extern const char popular_hosts_end[];

struct str indicators_popular(void)
{
    return str_of(popular_hosts_start, (size_t)(popular_hosts_end - popular_hosts_start));
}

/* Up to the next day: something that expires during a day counts until it ends. */
static uint16_t day_of(int64_t time)
{
    int64_t day = time <= 0 ? 0 : (time + DAY_NS - 1) / DAY_NS;

    return day > UINT16_MAX ? 0 : (uint16_t)day;
}

/* The earlier of an entry's and its list's end; never is the latest. */
static int64_t end_of(const struct indicators *indicators, unsigned list, uint16_t day)
{
    int64_t list_expires = indicators->lists[list].expires;
    int64_t expires = day != 0 ? day * DAY_NS : INT64_MAX;

    return list_expires != 0 && list_expires < expires ? list_expires : expires;
}

static bool is_of_address(unsigned kind)
{
    return kind == FEED_KIND_ADDRESS || kind == INDICATOR_OURS + FEED_KIND_ADDRESS;
}

/* What is hashed of a value: of an address its bytes and bits. */
static struct str key_of(unsigned kind, struct str value, char room[NETWORK_SIZE])
{
    uint8_t address[16];
    unsigned bits = 0;

    if (!is_of_address(kind) || !feed_parse_address(value, address, &bits)) {
        return value;
    }
    memcpy(room, address, sizeof(address));
    room[sizeof(address)] = (char)bits;
    return str_of(room, NETWORK_SIZE);
}

/* For whoever shows lists: the values as they are, one behind another. */
static int value_keep(struct indicators *indicators, unsigned kind, unsigned list, struct str value,
                      uint16_t day)
{
    size_t need = ENTRY_HEAD + value.len;
    unsigned char *entry;

    if (indicators->values_room - indicators->values_len < need) {
        size_t room = indicators->values_room + indicators->values_room / 2 + 65536;
        char *values = mem_resize(indicators->values, room, 1);

        if (values == NULL) {
            return -ERR_NOMEM;
        }
        indicators->values = values;
        indicators->values_room = room;
    }
    entry = (unsigned char *)indicators->values + indicators->values_len;
    entry[0] = (unsigned char)kind;
    entry[1] = (unsigned char)list;
    entry[2] = (unsigned char)(day >> 8);
    entry[3] = (unsigned char)day;
    entry[4] = (unsigned char)(value.len >> 8);
    entry[5] = (unsigned char)value.len;
    memcpy(entry + ENTRY_HEAD, value.ptr, value.len);
    indicators->values_len += need;
    return 0;
}

int indicators_add(struct indicators *indicators, unsigned kind, unsigned list, struct str value,
                   int64_t expires)
{
    uint16_t day = day_of(expires);
    char room[NETWORK_SIZE];
    struct str key = key_of(kind, value, room);
    struct indicator_slot *slot;
    bool is_new;
    int r;

    if (value.len > UINT16_MAX || indicators->table.count >= INDICATORS_MAX) {
        return -ERR_LIMIT;
    }
    r = indicator_table_add(&indicators->table, indicator_hash(kind, key), &slot, &is_new);
    if (r < 0) {
        return r;
    }
    if (is_new || end_of(indicators, list, day) > end_of(indicators, slot->list, slot->day)) {
        slot->list = (uint8_t)list;
        slot->day = day;
    }
    if (is_of_address(kind)) {
        unsigned bits = (unsigned char)room[NETWORK_SIZE - 1];

        indicators->network_bits[bits / 64] |= 1ULL << bits % 64;
    }
    indicators->counts[kind] += is_new;
    r = is_new && kind == FEED_KIND_PHRASE ? literals_add(indicators->phrases, value, 0) : 0;
    return r < 0 || !indicators->is_keeping ? r : value_keep(indicators, kind, list, value, day);
}

static const struct indicator_slot *find(const struct indicators *indicators, unsigned kind,
                                         struct str value)
{
    return indicator_table_find(&indicators->table, indicator_hash(kind, value));
}

/* Fills the hit; false when it is on no list, or entry or list had ended at that time. */
static bool hit_of(const struct indicators *indicators, unsigned kind, struct str value, int64_t at,
                   struct indicator_hit *ret_hit)
{
    const struct indicator_slot *slot = find(indicators, kind, value);

    if (slot == NULL || end_of(indicators, slot->list, slot->day) <= at) {
        return false;
    }
    *ret_hit = (struct indicator_hit){.list = &indicators->lists[slot->list],
                                      .kind = (enum feed_kind)kind,
                                      .value = value,
                                      .expires = slot->day * DAY_NS};
    return true;
}

/* Whether an allow list that a person imported has it: that has the last word. Of now, whatever
 * time is asked for: who dates an entry back shall not win a list that has ended. */
static bool is_ours(const struct indicators *indicators, enum feed_kind kind, struct str value)
{
    unsigned ours = INDICATOR_OURS + (unsigned)kind;
    struct indicator_hit hit;

    return indicators->counts[ours] != 0 && hit_of(indicators, ours, value, indicators->time, &hit);
}

/* Without its first label; empty when it has one only. */
static struct str parent_of(struct str host)
{
    return str_slice(host, str_find_byte(host, '.') + 1, host.len);
}

static bool is_allowed(const struct indicators *indicators, struct str host)
{
    for (unsigned i = 0; i < LABELS_MAX && host.len != 0; i++, host = parent_of(host)) {
        if (find(indicators, INDICATOR_ALLOW, host) != NULL ||
            is_ours(indicators, FEED_KIND_DOMAIN, host)) {
            return true;
        }
    }
    return false;
}

bool indicators_find_host_at(const struct indicators *indicators, struct str host, int64_t at,
                             struct indicator_hit *ret_hit)
{
    struct str whole = host;
    struct indicator_hit hit;

    if (indicators->counts[FEED_KIND_ADDRESS] != 0 && host.len != 0 &&
        host.ptr[host.len - 1] <= '9') {
        uint8_t address[16];
        unsigned bits;

        return feed_parse_address(host, address, &bits) && bits == 128 &&
               indicators_find_address_at(indicators, address, at, ret_hit);
    }
    if (indicators->counts[FEED_KIND_DOMAIN] == 0) {
        return false;
    }
    for (unsigned i = 0; i < LABELS_MAX && str_find_byte(host, '.') != host.len;
         i++, host = parent_of(host)) {
        if (hit_of(indicators, FEED_KIND_DOMAIN, host, at, &hit) &&
            find(indicators, INDICATOR_SHARED, host) == NULL) {
            if (is_allowed(indicators, whole)) {
                return false;
            }
            *ret_hit = hit;
            return true;
        }
    }
    return false;
}

/* The narrowest network of that kind which holds the address and had not ended. */
static bool find_network(const struct indicators *indicators, unsigned kind,
                         const uint8_t address[16], int64_t at, struct indicator_hit *ret_hit)
{
    uint8_t key[NETWORK_SIZE];

    if (indicators->counts[kind] == 0) {
        return false;
    }
    memcpy(key, address, 16);
    for (unsigned word = ARRAY_LEN(indicators->network_bits); word-- != 0;) {
        uint64_t lengths = indicators->network_bits[word];

        while (lengths != 0) { /* the narrowest first, as the key is cut down on the way */
            unsigned bit = 63 - (unsigned)__builtin_clzll(lengths);

            lengths &= ~(1ULL << bit);
            key[16] = (uint8_t)(word * 64 + bit);
            network_mask(key, key[16]);
            if (hit_of(indicators, kind, str_of((const char *)key, NETWORK_SIZE), at, ret_hit)) {
                ret_hit->value = str_of(NULL, 0);
                ret_hit->bits = key[16];
                return true;
            }
        }
    }
    return false;
}

bool indicators_find_address_at(const struct indicators *indicators, const uint8_t address[16],
                                int64_t at, struct indicator_hit *ret_hit)
{
    struct indicator_hit hit;
    struct indicator_hit ours;

    if (!find_network(indicators, FEED_KIND_ADDRESS, address, at, &hit) ||
        find_network(indicators, INDICATOR_OURS + FEED_KIND_ADDRESS, address, indicators->time,
                     &ours)) {
        return false;
    }
    *ret_hit = hit;
    return true;
}

bool indicators_find_address(const struct indicators *indicators, const uint8_t address[16],
                             struct indicator_hit *ret_hit)
{
    return indicators_find_address_at(indicators, address, indicators->time, ret_hit);
}

bool indicators_find_host(const struct indicators *indicators, struct str host,
                          struct indicator_hit *ret_hit)
{
    return indicators_find_host_at(indicators, host, indicators->time, ret_hit);
}

/* Whether an allow list that a person imported speaks for the host of a URL in its form. That of
 * popular hosts does not: anybody may leave a file on those. */
static bool is_url_ours(const struct indicators *indicators, struct str url)
{
    struct str host = str_slice(url, 0, str_find_byte(url, '/'));
    struct indicator_hit hit;
    uint8_t address[16];
    unsigned bits;

    host = str_slice(host, 0, str_find_byte(host, '?'));
    host = host.len != 0 && host.ptr[0] == '[' ? str_slice(host, 1, str_find_byte(host, ']'))
                                               : str_slice(host, 0, str_find_byte(host, ':'));
    if (feed_parse_address(host, address, &bits)) {
        return bits == 128 && find_network(indicators, INDICATOR_OURS + FEED_KIND_ADDRESS, address,
                                           indicators->time, &hit);
    }
    for (unsigned i = 0; i < LABELS_MAX && host.len != 0; i++, host = parent_of(host)) {
        if (is_ours(indicators, FEED_KIND_DOMAIN, host)) {
            return true;
        }
    }
    return false;
}

bool indicators_find(const struct indicators *indicators, enum feed_kind kind, struct str value,
                     struct indicator_hit *ret_hit)
{
    return indicators_find_at(indicators, kind, value, indicators->time, ret_hit);
}

bool indicators_find_at(const struct indicators *indicators, enum feed_kind kind, struct str value,
                        int64_t at, struct indicator_hit *ret_hit)
{
    struct indicator_hit hit;

    if (indicators->counts[kind] == 0 || !hit_of(indicators, kind, value, at, &hit) ||
        is_ours(indicators, kind, value) ||
        (kind == FEED_KIND_URL && is_url_ours(indicators, value))) {
        return false;
    }
    *ret_hit = hit;
    return true;
}

bool indicators_find_hash(const struct indicators *indicators, struct str hash,
                          struct indicator_hit *ret_hit)
{
    return indicators_find(indicators, FEED_KIND_HASH, hash, ret_hit);
}

bool indicators_find_phrase(const struct indicators *indicators, struct str text, size_t from,
                            struct indicator_hit *ret_hit)
{
    struct literals_hit hit;

    while (literals_find(indicators->phrases, text, from, &hit)) {
        struct str phrase = str_slice(text, hit.at, hit.at + hit.len);

        if (indicators_find(indicators, FEED_KIND_PHRASE, phrase, ret_hit)) {
            ret_hit->at = hit.at;
            return true;
        }
        from = hit.at + 1;
    }
    return false;
}

uint64_t indicators_count(const struct indicators *indicators, enum feed_kind kind)
{
    return indicators->counts[kind];
}

void indicators_keep_values(struct indicators *indicators)
{
    indicators->is_keeping = true;
}

void indicators_set_time(struct indicators *indicators, int64_t time)
{
    indicators->time = time;
}

int64_t indicators_time(const struct indicators *indicators)
{
    return indicators->time;
}

void indicators_each(const struct indicators *indicators, size_t index, indicator_fn *fn,
                     void *context)
{
    size_t at = 0;

    while (at < indicators->values_len) {
        const unsigned char *head = (const unsigned char *)indicators->values + at;
        struct str value =
            str_of(indicators->values + at + ENTRY_HEAD, (size_t)head[4] << 8 | head[5]);
        struct feed_entry entry = {.value = value,
                                   .expires = ((int64_t)head[2] << 8 | head[3]) * DAY_NS};

        if ((head[0] < FEED_KIND_COUNT || head[0] >= INDICATOR_OURS) && head[1] == index) {
            entry.kind = (enum feed_kind)(head[0] % INDICATOR_OURS);
            fn(context, &entry);
        }
        at += ENTRY_HEAD + value.len;
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
    return sizeof(*indicators) + indicator_table_size(&indicators->table) +
           indicators->values_room + literals_size(indicators->phrases);
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
    indicator_table_done(&indicators->table);
    mem_free(indicators->values);
    mem_free(indicators);
}

void indicators_freep(struct indicators **indicators)
{
    indicators_free(*indicators);
    *indicators = NULL;
}
