/* What a value looks like, by its length and a few of its bytes, and the question that goes with
 * it: see screen.h. The order of the looks is that of their cost. */
#include "base/banned.h"
#include "base/err.h"
#include "base/network.h"
#include "detect/intel/screen_part.h"

#include <string.h>

#define XXH_INLINE_ALL /* see indicator_table.c */
#include <xxhash.h>

#define ADDRESS_MAX 48  /* bytes of an address with a port */
#define URLS_MAX    8   /* of a text */
#define HASHES_MAX  512 /* bytes of a list of hashes */
#define ESCAPE_MAX  6   /* bytes of an escape of one */

#define IS_NAME     1U /* stands in a host's name */
#define IS_HEX      2U
#define IS_DIGIT    4U
#define IS_LOCAL    8U /* stands in front of an '@' beside those of names */

static const uint8_t classes[256] = {
    ['0' ... '9'] = IS_NAME | IS_HEX | IS_DIGIT,
    ['a' ... 'f'] = IS_NAME | IS_HEX,
    ['A' ... 'F'] = IS_NAME | IS_HEX,
    ['g' ... 'z'] = IS_NAME,
    ['G' ... 'Z'] = IS_NAME,
    ['-'] = IS_NAME,
    ['_'] = IS_NAME,
    ['.'] = IS_NAME,
    ['+'] = IS_LOCAL,
    ['%'] = IS_LOCAL,
    ['='] = IS_LOCAL,
    [0x80 ... 0xff] = IS_NAME,
};

static inline unsigned class_of(struct str text, size_t at)
{
    return classes[(unsigned char)text.ptr[at]];
}

static int ask_address(struct screen *screen, size_t field, struct str found,
                       const uint8_t address[16])
{
    struct indicator_hit hit = {0};
    uint8_t network[16];

    screen->stats.asked++;
    if (!indicators_find_address_at(screen->indicators, address, screen->at, &hit)) {
        return 0;
    }
    memcpy(network, address, sizeof(network));
    network_mask(network, hit.bits);
    hit.value = feed_format_address(network, hit.bits, screen->room);
    return screen_add(screen, &hit, field, found);
}

/* Four numbers below 256 with dots between them, and nothing but a port behind. */
static bool read_four(struct str text, uint8_t address[16])
{
    size_t at = 0;

    memset(address, 0, 10);
    memset(address + 10, 0xff, 2);
    for (unsigned i = 12; i < 16; i++) {
        unsigned number = 0;
        size_t from = at;

        for (; at < text.len && at - from < 3 && (class_of(text, at) & IS_DIGIT) != 0; at++) {
            number = number * 10 + (unsigned)(text.ptr[at] - '0');
        }
        if (at == from || number > 255 || (i != 15 && (at == text.len || text.ptr[at] != '.'))) {
            return false;
        }
        address[i] = (uint8_t)number;
        at += i != 15;
    }
    return at == text.len || text.ptr[at] == ':';
}

/* "::1", "2001:db8::1", "[2001:db8::1]:443". */
static bool read_six(struct str text, uint8_t address[16])
{
    unsigned bits;

    if (text.ptr[0] == '[') {
        text = str_slice(text, 1, str_find_byte(text, ']'));
    }
    return feed_parse_address(text, address, &bits) && bits == 128;
}

/* A colon behind no more than four digits. */
static bool looks_six(struct str text)
{
    if ((class_of(text, 0) & IS_HEX) == 0 && text.ptr[0] != ':' && text.ptr[0] != '[') {
        return false;
    }
    for (size_t i = 0; i < 6 && i < text.len; i++) {
        if (text.ptr[i] == ':') {
            return text.len <= ADDRESS_MAX;
        }
    }
    return false;
}

static int ask_host(struct screen *screen, size_t field, struct str host, struct str found)
{
    struct indicator_hit hit;

    screen->stats.asked++;
    return indicators_find_host_at(screen->indicators, host, screen->at, &hit)
               ? screen_add(screen, &hit, field, found)
               : 0;
}

static int ask_kind(struct screen *screen, size_t field, enum feed_kind kind, struct str value,
                    struct str found)
{
    struct indicator_hit hit;

    screen->stats.asked++;
    return indicators_find_at(screen->indicators, kind, value, screen->at, &hit)
               ? screen_add(screen, &hit, field, found)
               : 0;
}

/* The host of a URL in its form: up to the path, without port and brackets. */
static int ask_url_host(struct screen *screen, size_t field, struct str url, struct str found)
{
    struct str host = str_slice(url, 0, str_find_byte(url, '/'));
    uint8_t address[16];

    if (host.len != 0 && host.ptr[0] == '[') {
        return screen->has[FEED_KIND_ADDRESS] && read_six(host, address)
                   ? ask_address(screen, field, found, address)
                   : 0;
    }
    host = str_slice(host, 0, str_find_byte(host, ':'));
    if (host.len != 0 && (class_of(host, host.len - 1) & IS_DIGIT) != 0) {
        return screen->has[FEED_KIND_ADDRESS] && read_four(host, address)
                   ? ask_address(screen, field, found, address)
                   : 0;
    }
    return screen->has[FEED_KIND_DOMAIN] ? ask_host(screen, field, host, found) : 0;
}

static int ask_url(struct screen *screen, size_t field, struct str found)
{
    struct str url;
    size_t query;
    int r = 0;

    if (found.len >= FEED_LINE_MAX) {
        return 0;
    }
    if (!feed_read_url(found, screen->url, &url)) {
        return feed_read_host(found, screen->url, &url) ? ask_url_host(screen, field, url, found)
                                                        : 0;
    }
    if (screen->has[FEED_KIND_URL]) {
        r = ask_kind(screen, field, FEED_KIND_URL, url, found);
        query = str_find_byte(url, '?');
        if (r == 0 && query != url.len) {
            r = ask_kind(screen, field, FEED_KIND_URL, str_slice(url, 0, query), found);
        }
    }
    return r < 0 ? r : ask_url_host(screen, field, url, found);
}

static bool is_url_end(char c)
{
    return (unsigned char)c <= ' ' || strchr("\"'`<>|(){};,\\", c) != NULL;
}

/* Where the next "://" stands, by its colon: texts have few of them. */
static size_t find_scheme(struct str text)
{
    size_t at = 0;

    while (at < text.len) {
        at += str_find_byte(str_slice(text, at, text.len), ':');
        if (text.len - at < 4 || memcmp(text.ptr + at, "://", 3) == 0) {
            break;
        }
        at++;
    }
    return text.len - at < 4 ? text.len : at;
}

/* The URLs of a text. */
static int ask_text(struct screen *screen, size_t field, struct str text)
{
    int r = 0;

    text = str_slice(text, 0, SCREEN_SCAN_MAX);
    for (unsigned i = 0; i < URLS_MAX && r == 0; i++) {
        size_t at = find_scheme(text);
        size_t from = at;
        size_t to = at + 3;

        if (at == text.len) {
            break;
        }
        while (from != 0 && at - from < 8 && (class_of(text, from - 1) & IS_NAME) != 0) {
            from--;
        }
        while (to < text.len && !is_url_end(text.ptr[to])) {
            to++;
        }
        r = ask_url(screen, field, str_slice(text, from, to));
        text = str_slice(text, to, text.len);
    }
    return r;
}

static int ask_hash(struct screen *screen, size_t field, struct str found)
{
    struct str hash;

    return feed_read_hash(found, screen->room, &hash)
               ? ask_kind(screen, field, FEED_KIND_HASH, hash, found)
               : 0;
}

/* "SHA1=…,MD5=…,SHA256=…,IMPHASH=…" */
static int ask_hashes(struct screen *screen, size_t field, struct str rest)
{
    struct str one;
    int r = 0;

    rest = str_slice(rest, 0, HASHES_MAX);
    while (r == 0 && str_cut(&rest, ',', &one)) {
        r = ask_hash(screen, field, str_slice(one, str_find_byte(one, '=') + 1, one.len));
    }
    return r;
}

static bool looks_hashes(struct str value)
{
    return value.len > 35 && (value.ptr[3] == '=' || value.ptr[4] == '=' || value.ptr[6] == '=' ||
                              value.ptr[7] == '=');
}

static bool looks_hash(struct str value)
{
    return (value.len == 32 || value.len == 40 || value.len == 64) &&
           (class_of(value, 0) & class_of(value, 7) & class_of(value, value.len - 1) & IS_HEX) != 0;
}

/* Whether such a byte is one of the eight (Mycroft's test; it may be wrong behind a true one). */
static inline bool word_has(uint64_t word, char byte)
{
    const uint64_t ones = 0x0101010101010101ULL;

    word ^= ones * (unsigned char)byte;
    return ((word - ones) & ~word & ones * 0x80) != 0;
}

static inline bool word_has_dot(const char *ptr)
{
    uint64_t word;

    memcpy(&word, ptr, sizeof(word));
    return word_has(word, '.');
}

/* The first eight bytes, of fewer some twice. */
static inline uint64_t word_first(struct str value)
{
    uint64_t word = 0;
    uint32_t low;
    uint32_t high;

    if (value.len >= sizeof(word)) {
        memcpy(&word, value.ptr, sizeof(word));
        return word;
    }
    memcpy(&low, value.ptr, sizeof(low));
    memcpy(&high, value.ptr + value.len - sizeof(high), sizeof(high));
    return (uint64_t)high << 32 | low;
}

/* A dot among the last sixteen bytes, before which the top domain of a name stands. */
static inline bool looks_name(struct str value)
{
    if (value.len < 8) {
        return str_find_byte(value, '.') != value.len;
    }
    return word_has_dot(value.ptr + value.len - 8) ||
           word_has_dot(value.ptr + value.len - (value.len < 16 ? value.len : 16));
}

static int ask_email(struct screen *screen, size_t field, struct str value, size_t at)
{
    struct str email;

    while (at < value.len && (class_of(value, at) & (IS_NAME | IS_LOCAL)) != 0) {
        at++;
    }
    return at < value.len && value.ptr[at] == '@' && screen->has[FEED_KIND_EMAIL] &&
                   feed_read_email(value, screen->room, &email)
               ? ask_kind(screen, field, FEED_KIND_EMAIL, email, value)
               : 0;
}

/* A name with dots and nothing else; or one behind an '@'. */
static int ask_name(struct screen *screen, size_t field, struct str value)
{
    struct str name = value.ptr[value.len - 1] == '.' ? str_slice(value, 0, value.len - 1) : value;
    size_t at = 0;

    while (at < name.len && (class_of(name, at) & IS_NAME) != 0) {
        at++;
    }
    if (at != name.len || name.len > FEED_HOST_MAX) {
        return ask_email(screen, field, name, at);
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        screen->room[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return ask_host(screen, field, str_of(screen->room, name.len), value);
}

static bool name_ends(struct str name, const char *lower)
{
    struct str end = str_from(lower);

    return name.len >= end.len && str_is_nocase(str_slice(name, name.len - end.len, name.len), end);
}

/* The first value of such a field; an entry may have paths by the hundred thousand. */
static struct str value_beside(struct screen *screen, enum screen_beside which)
{
    static const struct str names[SCREEN_BESIDE_COUNT] = {
        [SCREEN_BESIDE_HOST] = STR("cs-host"),
        [SCREEN_BESIDE_HTTP_HOST] = STR("http.hostname"),
        [SCREEN_BESIDE_QUERY] = STR("cs-uri-query"),
    };

    for (size_t i = 0; !screen->has_looked_beside && i < SCREEN_BESIDE_COUNT; i++) {
        const struct entry_field *field = entry_find(screen->entry, names[i]);

        screen->beside[i] = field != NULL ? field->value : STR("");
    }
    screen->has_looked_beside = true;
    return screen->beside[which];
}

/* The parts one behind another in screen->whole; empty when they are longer than any URL, or when
 * the entry had its share: each of its paths may come to a hundred times its own length. */
static struct str join_url(struct screen *screen, const struct str *parts, size_t count)
{
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        if (screen->joined > SCREEN_JOINED_MAX || parts[i].len >= sizeof(screen->whole) - len) {
            return STR("");
        }
        memcpy(screen->whole + len, parts[i].ptr, parts[i].len);
        len += parts[i].len;
    }
    screen->joined += len;
    return str_of(screen->whole, len);
}

/* The path of a request, with the host that another field names. */
static int ask_path(struct screen *screen, size_t field, struct str path)
{
    struct str name = screen->entry->fields[field].name;
    bool is_stem = str_is(name, STR("cs-uri-stem"));
    struct str parts[4] = {STR(""), path, STR(""), STR("")};
    struct str whole;

    if (!is_stem && !name_ends(name, "url") && !name_ends(name, "uri")) {
        return 0;
    }
    parts[0] = value_beside(screen, str_is(name, STR("http.url")) ? SCREEN_BESIDE_HTTP_HOST
                                                                  : SCREEN_BESIDE_HOST);
    if (is_stem && value_beside(screen, SCREEN_BESIDE_QUERY).len > 1) {
        parts[2] = STR("?");
        parts[3] = value_beside(screen, SCREEN_BESIDE_QUERY);
    }
    whole = parts[0].len != 0 ? join_url(screen, parts, 4) : STR("");
    return whole.len != 0 ? ask_url(screen, field, whole) : 0;
}

static int ask_agent(struct screen *screen, size_t field, struct str value)
{
    struct str agent;

    return value.len <= FEED_AGENT_MAX && feed_read_agent(value, screen->room, &agent)
               ? ask_kind(screen, field, FEED_KIND_AGENT, agent, value)
               : 0;
}

/* A dot behind one to three characters. */
static bool looks_four(struct str value)
{
    return value.len <= ADDRESS_MAX &&
           (value.ptr[1] == '.' || value.ptr[2] == '.' || value.ptr[3] == '.');
}

/* "ftp://" to "https://". */
static bool looks_url(struct str value)
{
    for (size_t at = 3; at <= 5 && value.len > 9; at++) {
        if (value.ptr[at] == ':') {
            return value.ptr[at + 1] == '/' && value.ptr[at + 2] == '/';
        }
    }
    return false;
}

/* Numbers in front: an address, or nothing that is asked for. */
static int ask_digits(struct screen *screen, size_t field, struct str value)
{
    uint8_t address[16];

    if (value.len <= ADDRESS_MAX && screen->has[FEED_KIND_ADDRESS] && read_four(value, address)) {
        return ask_address(screen, field, value, address);
    }
    return 0;
}

/* A path with a drive. */
static inline bool is_path(struct str value)
{
    return value.ptr[1] == ':' && value.ptr[2] == '\\';
}

static int screen_value(struct screen *screen, size_t field, struct str value)
{
    unsigned first = class_of(value, 0);
    unsigned char last = (unsigned char)value.ptr[value.len - 1];
    uint8_t address[16];
    int r = 0;

    if (is_path(value)) {
        return 0;
    }
    if (screen->has[FEED_KIND_HASH] && (looks_hash(value) || looks_hashes(value))) {
        return looks_hash(value) ? ask_hash(screen, field, value)
                                 : ask_hashes(screen, field, value);
    }
    if ((first & IS_DIGIT) != 0) {
        r = ask_digits(screen, field, value);
    }
    if (r == 0 && screen->has[FEED_KIND_ADDRESS] && looks_six(value) && read_six(value, address)) {
        return ask_address(screen, field, value, address);
    }
    if (r < 0 || !screen->has_names) {
        return r;
    }
    if (value.ptr[0] == '/') {
        return screen->has[FEED_KIND_URL] ? ask_path(screen, field, value) : 0;
    }
    if (looks_url(value)) {
        return ask_url(screen, field, value);
    }
    return (first & IS_NAME) != 0 && (last >= 'A' || last == '.') && looks_name(value)
               ? ask_name(screen, field, value)
               : 0;
}

/* Of a value with escapes, as it stands: nothing that is asked for begins otherwise. */
static inline bool looks_escaped(struct str value, uint64_t word)
{
    const char *ptr = value.ptr;

    if ((is_path(value) && ptr[3] == '\\') || (ptr[0] == '\\' && ptr[1] == '\\')) {
        return false;
    }
    return (class_of(value, 0) & IS_NAME) != 0 || value.ptr[0] == '/' || value.ptr[0] == '[' ||
           word_has(word, ':') || word_has(word, '=') || word_has(word, '\\');
}

/* False: the value, of four bytes at least, looks like nothing. Addresses of IPv6 and URLs have a
 * colon among their first bytes, lists of hashes a '='. */
static inline bool looks(const struct entry_field *field)
{
    struct str value = field->value;
    unsigned first = class_of(value, 0);
    unsigned char last = (unsigned char)value.ptr[value.len - 1];
    uint64_t word = word_first(value);

    if (field->is_escaped) {
        return looks_escaped(value, word);
    }
    if (word_has(word, ':') || (word_has(word, '=') && value.len > 35)) {
        return !is_path(value);
    }
    if ((first & IS_DIGIT) != 0 && looks_four(value)) {
        return true;
    }
    if ((first & IS_NAME) != 0) {
        return looks_hash(value) || ((last >= 'A' || last == '.') && looks_name(value));
    }
    return value.ptr[0] == '/';
}

/* Whether any letter may be written as an escape. */
static bool has_letter_escape(struct str value)
{
    const char *end = value.ptr + value.len;
    const char *at = memchr(value.ptr, '\\', value.len);

    while (at != NULL && end - at > 2) {
        if (at[1] == 'u') {
            return true;
        }
        at = memchr(at + 2, '\\', (size_t)(end - at - 2));
    }
    return false;
}

/* Whether a URL may stand in a text as it was written, escapes and all: a slash behind a colon. */
static bool may_hold_url(const struct entry_field *field)
{
    struct str value = field->value;
    const char *end = value.ptr + value.len;
    const char *from = value.ptr;
    const char *at;

    while ((at = memchr(from, '/', (size_t)(end - from))) != NULL) {
        size_t before = (size_t)(at - value.ptr);

        before -= field->is_escaped && before != 0 && at[-1] == '\\';
        if (before != 0 && value.ptr[before - 1] == ':') {
            return true;
        }
        from = at + 1;
    }
    return field->is_escaped && has_letter_escape(value);
}

static bool is_text(const struct screen *screen, const struct entry_field *field,
                    enum field_kind kind)
{
    return screen->has_names && field->value.len > 16 &&
           (kind == FIELD_KIND_TEXT ||
            (kind == FIELD_KIND_MESSAGE && !screen->entry->is_structured));
}

/* The value without escapes, as far as anything is looked for in it. */
static int front_of(const struct screen *screen, const struct entry_field *field,
                    struct str *ret_text)
{
    struct entry_field front = *field;

    if (front.is_escaped) {
        arena_reset(screen->scratch); /* an entry may have a hundred thousand of them */
    }
    front.value = str_slice(front.value, 0, SCREEN_SCAN_MAX * ESCAPE_MAX);
    return entry_field_text(&front, screen->scratch, ret_text);
}

/* What the value looks like, unless it was asked before and is on no list. */
static int screen_plain(struct screen *screen, size_t field)
{
    const struct entry_field *at = &screen->entry->fields[field];
    uint64_t hash =
        XXH3_64bits_withSeed(at->value.ptr, at->value.len, screen->quiet_seed + at->is_escaped);
    uint64_t *quiet = &screen->quiet[hash & ((1U << SCREEN_QUIET_BITS) - 1)];
    uint64_t hits = screen->stats.hits;
    struct str value;
    int r;

    if (*quiet == hash) {
        return 0;
    }
    r = front_of(screen, at, &value);
    if (r < 0 || value.len < 4) {
        return r;
    }
    r = screen_value(screen, field, value);
    if (r == 0 && screen->stats.hits == hits && value.ptr[0] != '/') { /* a path is none alone */
        *quiet = hash;
    }
    return r;
}

/* What people and programs wrote, or a user agent. */
static int screen_text(struct screen *screen, size_t field, bool is_agent)
{
    struct str value;
    int r = front_of(screen, &screen->entry->fields[field], &value);

    if (r < 0 || value.len < 4) {
        return r;
    }
    if (!is_agent) {
        return ask_text(screen, field, value);
    }
    r = ask_agent(screen, field, value);
    return r < 0 ? r : screen_value(screen, field, value);
}

int screen_field(struct screen *screen, size_t field)
{
    const struct entry_field *at = &screen->entry->fields[field];
    enum field_kind kind =
        at->kind != FIELD_KIND_UNTOLD ? (enum field_kind)at->kind : field_kind_of(at->name);

    if (kind == FIELD_KIND_DULL) {
        return 0;
    }
    if (is_text(screen, at, kind)) {
        return may_hold_url(at) ? screen_text(screen, field, false) : 0;
    }
    if (kind == FIELD_KIND_AGENT && screen->has[FEED_KIND_AGENT]) {
        return screen_text(screen, field, true);
    }
    return looks(at) ? screen_plain(screen, field) : 0;
}
