/* MISP's events and STIX 2.1 bundles. Only what is meant to be acted on is taken: MISP attributes
 * for detection, STIX indicators that are not revoked and whose pattern one observation fulfils. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "codec/feed_part.h"
#include "codec/json.h"

#include <string.h>

#define MISP_DEPTH_MAX 6 /* of response, Event, Object, Attribute inside each other */

static const struct feed_type misp_types[] = {
    {"domain", FEED_KIND_DOMAIN},
    {"hostname", FEED_KIND_DOMAIN},
    {"url", FEED_KIND_URL},
    {"domain|ip", FEED_KIND_DOMAIN},
    {"hostname|port", FEED_KIND_DOMAIN},
    {"ip-src", FEED_KIND_ADDRESS},
    {"ip-dst", FEED_KIND_ADDRESS},
    {"ip-src|port", FEED_KIND_ADDRESS},
    {"ip-dst|port", FEED_KIND_ADDRESS},
    {"user-agent", FEED_KIND_AGENT},
    {"email", FEED_KIND_EMAIL},
    {"email-src", FEED_KIND_EMAIL},
    {"email-dst", FEED_KIND_EMAIL},
    {"md5", FEED_KIND_HASH},
    {"sha1", FEED_KIND_HASH},
    {"sha256", FEED_KIND_HASH},
    {"filename|md5", FEED_KIND_HASH},
    {"filename|sha1", FEED_KIND_HASH},
    {"filename|sha256", FEED_KIND_HASH},
    {"pattern-in-file", FEED_KIND_PHRASE},
    {"phrase", FEED_KIND_PHRASE},
};

static const struct feed_type *misp_type(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(misp_types); i++) {
        if (str_is_text(name, misp_types[i].name)) {
            return &misp_types[i];
        }
    }
    return NULL;
}

/* Of "a|b" the part that the type is about: the domain stands first, the hash last. */
static struct str misp_part(struct str type, struct str value)
{
    size_t bar = str_find_byte(value, '|');

    if (str_find_byte(type, '|') == type.len || bar == value.len) {
        return value;
    }
    return str_has_prefix(type, STR("filename")) ? str_slice(value, bar + 1, value.len)
                                                 : str_slice(value, 0, bar);
}

static uint64_t feed_number(const struct feed *feed)
{
    return feed->report->taken + feed->report->passed + feed->report->faulty + 1;
}

static int misp_attribute(struct feed *feed, const struct json_value *attribute)
{
    struct str type = json_member_str(attribute, "type", str_of("", 0));
    struct str value = json_member_str(attribute, "value", str_of("", 0));
    const struct feed_type *row = misp_type(type);

    if (row == NULL || !json_member_bool(attribute, "to_ids", true)) {
        feed->report->passed++;
        return 0;
    }
    return feed_take(feed, feed_number(feed), row->kind, misp_part(type, value), 0);
}

/* Attributes lie in events, in their objects, or in a response around either.
 * NOLINTNEXTLINE(misc-no-recursion): no deeper than MISP_DEPTH_MAX */
static int misp_walk(struct feed *feed, const struct json_value *value, unsigned depth)
{
    static const char *const inner[] = {"response", "Event", "Object"};
    const struct json_value *attributes = json_member(value, "Attribute");
    int r = 0;

    if (value == NULL || depth == MISP_DEPTH_MAX) {
        return 0;
    }
    if (value->type == JSON_TYPE_ARRAY) {
        for (const struct json_value *v = value->first; v != NULL && r >= 0; v = v->next) {
            r = misp_walk(feed, v, depth + 1);
        }
        return r;
    }
    for (const struct json_value *v = attributes != NULL ? attributes->first : NULL;
         v != NULL && r >= 0; v = v->next) {
        r = misp_attribute(feed, v);
    }
    for (size_t i = 0; i < ARRAY_LEN(inner) && r >= 0; i++) {
        r = misp_walk(feed, json_member(value, inner[i]), depth + 1);
    }
    return r;
}

int feed_read_misp(struct feed *feed, struct str text)
{
    struct json_value *value = NULL;
    int r = json_parse(text, feed->arena, &value, feed->diag);

    return r < 0 ? r : misp_walk(feed, value, 0);
}

static const struct feed_type stix_paths[] = {
    {"domain-name:value", FEED_KIND_DOMAIN},
    {"url:value", FEED_KIND_URL},
    {"ipv4-addr:value", FEED_KIND_ADDRESS},
    {"ipv6-addr:value", FEED_KIND_ADDRESS},
    {"email-addr:value", FEED_KIND_EMAIL},
    {"network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'", FEED_KIND_AGENT},
};

static bool pattern_kind(struct str path, enum feed_kind *ret_kind)
{
    for (size_t i = 0; i < ARRAY_LEN(stix_paths); i++) {
        if (str_is_text(path, stix_paths[i].name)) {
            *ret_kind = stix_paths[i].kind;
            return true;
        }
    }
    *ret_kind = FEED_KIND_HASH;
    return str_has_prefix(path, STR("file:hashes."));
}

/* The literal behind "=", in single quotes with backslashes; in room. */
static bool pattern_literal(struct str *rest, char *room, struct str *ret_value)
{
    size_t len = 0;
    size_t at = 1;

    *rest = str_trim(*rest);
    if (rest->len < 2 || rest->ptr[0] != '\'') {
        return false;
    }
    while (at < rest->len && rest->ptr[at] != '\'' && len < FEED_LINE_MAX) {
        at += rest->ptr[at] == '\\' && at + 1 < rest->len;
        room[len++] = rest->ptr[at++];
    }
    if (at >= rest->len || len == FEED_LINE_MAX) {
        return false;
    }
    *rest = str_slice(*rest, at + 1, rest->len);
    *ret_value = str_of(room, len);
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* "OR" takes what stands before it; false when something else does. */
static bool pattern_or(struct str *rest)
{
    if (!str_has_prefix(*rest, STR("OR")) || (rest->len > 2 && is_letter(rest->ptr[2]))) {
        return false;
    }
    *rest = str_trim(str_slice(*rest, 2, rest->len));
    return true;
}

/* Where the values of a pattern go, once all of it was read. */
struct stix_taker {
    struct feed *feed;
    uint64_t line;
    int64_t expires;
    bool is_taking;
};

static int stix_take(const struct stix_taker *taker, struct str path, struct str value)
{
    enum feed_kind kind;

    if (!taker->is_taking) {
        return 0;
    }
    if (!pattern_kind(str_trim(path), &kind) || path.ptr[path.len - 1] == '!') {
        taker->feed->report->passed++;
        return 0;
    }
    return feed_take(taker->feed, taker->line, kind, value, taker->expires);
}

/* One observation, "[a:b = 'x' OR c:d = 'y']", taken off the pattern: 1; 0: it is none. */
static int stix_observation(const struct stix_taker *taker, struct str *rest)
{
    char room[FEED_LINE_MAX];
    int r = 0;

    if (rest->len == 0 || rest->ptr[0] != '[') {
        return 0;
    }
    *rest = str_slice(*rest, 1, rest->len);
    do {
        struct str path;
        struct str value;

        if (!str_cut(rest, '=', &path) || !pattern_literal(rest, room, &value)) {
            return 0;
        }
        r = stix_take(taker, path, value);
        *rest = str_trim(*rest);
    } while (r >= 0 && pattern_or(rest));
    if (r < 0 || rest->len == 0 || rest->ptr[0] != ']') {
        return r < 0 ? r : 0;
    }
    *rest = str_trim(str_slice(*rest, 1, rest->len));
    return 1;
}

/* Between other characters than letters, and outside of literals: a value may hold any word. */
static bool pattern_has_word(struct str pattern, struct str word)
{
    bool is_inside = false;

    for (size_t i = 0; i < pattern.len; i++) {
        if (is_inside && pattern.ptr[i] == '\\') {
            i++;
        } else if (pattern.ptr[i] == '\'') {
            is_inside = !is_inside;
        } else if (!is_inside && str_has_prefix(str_slice(pattern, i, pattern.len), word) &&
                   (i == 0 || !is_letter(pattern.ptr[i - 1])) &&
                   (i + word.len == pattern.len || !is_letter(pattern.ptr[i + word.len]))) {
            return true;
        }
    }
    return false;
}

/* 1; 0: it is no pattern; what the sink answered. */
static int stix_observations(const struct stix_taker *taker, struct str rest)
{
    int r;

    do {
        r = stix_observation(taker, &rest);
    } while (r == 1 && pattern_or(&rest));
    return r == 1 && rest.len != 0 ? 0 : r;
}

/* "[a:b = 'x' OR c:d = 'y'] OR [e:f = 'z']": any comparison is enough, so each is an entry. What
 * needs more than one of them to be seen (AND, FOLLOWEDBY), or no value as it stands (LIKE), is
 * passed over. */
static int stix_pattern(struct feed *feed, struct str pattern, int64_t expires)
{
    static const char *const more[] = {"AND",  "FOLLOWEDBY", "WITHIN", "REPEATS",
                                       "LIKE", "MATCHES",    "IN",     "NOT"};
    struct stix_taker taker = {.feed = feed, .line = feed_number(feed), .expires = expires};
    struct str rest = str_trim(pattern);
    int r;

    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        if (pattern_has_word(rest, str_from(more[i]))) {
            feed->report->passed++;
            return 0;
        }
    }
    if (stix_observations(&taker, rest) != 1) {
        feed_fault(feed, taker.line, _("no pattern of STIX"), pattern);
        return 0;
    }
    taker.is_taking = true;
    r = stix_observations(&taker, rest);
    return r < 0 ? r : 0;
}

static int stix_object(struct feed *feed, const struct json_value *object)
{
    struct str type = json_member_str(object, "type", str_of("", 0));
    struct str pattern_type = json_member_str(object, "pattern_type", STR("stix"));
    struct str until = json_member_str(object, "valid_until", str_of("", 0));
    int64_t expires = 0;

    if (!str_is(type, STR("indicator")) || !str_is(pattern_type, STR("stix")) ||
        json_member_bool(object, "revoked", false)) {
        feed->report->passed++;
        return 0;
    }
    if (until.len != 0 && time_parse(until, &expires) < 0) {
        feed_endless(feed, feed_number(feed), _("valid_until is no time"), until);
        expires = 0;
    }
    return stix_pattern(feed, json_member_str(object, "pattern", str_of("", 0)), expires);
}

int feed_read_stix(struct feed *feed, struct str text)
{
    struct json_value *value = NULL;
    const struct json_value *objects;
    int r = json_parse(text, feed->arena, &value, feed->diag);

    if (r < 0) {
        return r;
    }
    objects = json_member(value, "objects");
    if (objects == NULL || objects->type != JSON_TYPE_ARRAY) {
        return diag_set(feed->diag, -ERR_SYNTAX,
                        _("no bundle of STIX: it has no list \"objects\""));
    }
    for (const struct json_value *v = objects->first; v != NULL && r >= 0; v = v->next) {
        r = stix_object(feed, v);
    }
    return r;
}
