/* What a script does that injected code lives by, told from a few tokens beside each other, and
 * whom its strings name. Each sign is common in honest programs; a change that brings one is not.
 * On the data's way: script.c → here → runs and hosts of the sketch. */
#include "detect/deface/script_part.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "detect/deface/page_part.h"

#include <string.h>

#define NEAR_TEXT    256 /* tokens between eval and what it is given: a packer's own code */
#define NEAR_ASK     48
#define NEAR_SPELL   8
#define LONG_TEXT    80 /* bytes: no word, no address */
#define CHAIN        12 /* numbers one after another that may be letters */
#define SPELLS_AGAIN 4
#define NAME_LONGEST 32
#define OVERLAP      160   /* bytes that two pieces of a long string share: a host is shorter */
#define JOINS_MAX    16384 /* of one script: each is looked through anew */

static void script_mark(struct script_maker *maker, enum script_call call)
{
    maker->runs[maker->sketch.run_count].calls |= 1U << call;
    maker->sketch.calls[call]++;
}

static bool is_near(const struct script_maker *maker, uint32_t place, uint32_t most)
{
    return place != 0 && maker->sketch.tokens - place <= most;
}

static bool token_is_sign(const struct js_token *token, char sign)
{
    return token->text.ptr != NULL && token->kind == JS_SIGN && token->text.ptr[0] == sign;
}

static bool token_is_name(const struct js_token *token, const char *name)
{
    return token->text.ptr != NULL && token->kind == JS_NAME && str_is_text(token->text, name);
}

static void note_run(struct script_maker *maker)
{
    maker->places.runs = maker->sketch.tokens;
    if (is_near(maker, maker->places.long_text, NEAR_TEXT)) {
        script_mark(maker, SCRIPT_CALL_RUNS);
        maker->places.long_text = maker->places.runs = 0;
    }
}

static void note_long_text(struct script_maker *maker)
{
    maker->places.long_text = maker->sketch.tokens;
    if (is_near(maker, maker->places.runs, NEAR_TEXT)) {
        script_mark(maker, SCRIPT_CALL_RUNS);
        maker->places.long_text = maker->places.runs = 0;
    }
}

static void note_spell(struct script_maker *maker)
{
    struct script_places *places = &maker->places;

    places->spell_count = is_near(maker, places->spells, NEAR_SPELL) ? places->spell_count + 1 : 1;
    places->spells = maker->sketch.tokens;
    if (is_near(maker, places->numbers, NEAR_TEXT) || places->spell_count == SPELLS_AGAIN) {
        script_mark(maker, SCRIPT_CALL_SPELLS);
        places->numbers = places->spells = 0;
    }
}

static void note_number(struct script_maker *maker)
{
    bool goes_on = token_is_sign(&maker->last[0], ',') && maker->last[1].kind == JS_NUMBER;

    maker->number_count = goes_on ? maker->number_count + 1 : 1;
    if (maker->number_count != CHAIN) {
        return;
    }
    maker->places.numbers = maker->sketch.tokens;
    if (is_near(maker, maker->places.spells, NEAR_TEXT)) {
        script_mark(maker, SCRIPT_CALL_SPELLS);
        maker->places.numbers = maker->places.spells = 0;
    }
}

static void note_asking(struct script_maker *maker, uint32_t *place, uint32_t other)
{
    *place = maker->sketch.tokens;
    if (is_near(maker, other, NEAR_ASK)) {
        script_mark(maker, SCRIPT_CALL_ASKS);
        maker->places.asks = maker->places.engine = 0;
    }
}

static bool text_has(struct str text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_find(text, str_from(words[i])) != text.len) {
            return true;
        }
    }
    return false;
}

static bool text_names_engine(struct str text)
{
    static const char *const words[] = {"google", "bing",  "yahoo", "coccoc",
                                        "yandex", "baidu", "gle|"};

    return text_has(text, words, ARRAY_LEN(words));
}

static bool text_has_element(struct str text)
{
    static const char *const words[] = {"<script", "<iframe"};

    return text_has(text, words, ARRAY_LEN(words));
}

static bool byte_is_of_name(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
           byte == '.' || byte == '_' || (unsigned char)byte >= 0x80;
}

static bool host_is_plausible(struct str host)
{
    bool has_dot = false;

    for (size_t i = 0; i < host.len; i++) {
        char byte = host.ptr[i];

        if (!byte_is_of_name(byte)) {
            return false;
        }
        has_dot = has_dot || (byte == '.' && i != 0 && i + 1 < host.len);
    }
    return has_dot && host.len <= SCRIPT_HOST_MAX;
}

static void note_host(struct script_maker *maker, struct str host, bool is_open)
{
    struct script_sketch *sketch = &maker->sketch;
    struct script_host *goes_on =
        maker->open_host != 0 && str_has_prefix(host, maker->hosts[maker->open_host - 1].name)
            ? &maker->hosts[maker->open_host - 1]
            : NULL;
    struct str name;

    for (size_t i = 0; goes_on == NULL && i < sketch->host_count; i++) {
        if (str_is(maker->hosts[i].name, host)) {
            return;
        }
    }
    if (goes_on == NULL && sketch->host_count == SCRIPT_HOSTS_MAX) {
        sketch->has_more_hosts = true;
        return;
    }
    name = arena_copy(maker->arena, host);
    if (name.ptr == NULL) {
        maker->error = -ERR_NOMEM;
        return;
    }
    goes_on = goes_on != NULL ? goes_on : &maker->hosts[sketch->host_count++];
    *goes_on = (struct script_host){name, (uint32_t)sketch->run_count};
    maker->open_host = is_open ? (size_t)(goes_on - maker->hosts) + 1 : 0;
}

/* Every "//" in a string is taken for the front of an address; what is none looks like none. */
static void note_hosts(struct script_maker *maker, struct str text, bool is_cut)
{
    size_t at = 0;

    while (maker->error == 0 &&
           (at += str_find(str_slice(text, at, text.len), STR("//"))) < text.len) {
        struct str rest = str_slice(text, at, text.len);
        size_t end = 2;
        struct str host;

        while (end < rest.len && strchr("\"'`<> \\", rest.ptr[end]) == NULL) {
            end++;
        }
        host = page_url_host(str_slice(rest, 0, end), maker->arena);
        if (host.ptr == NULL) {
            maker->error = -ERR_NOMEM;
        } else if (host_is_plausible(host) && !(is_cut && end == rest.len)) {
            note_host(maker, host, end == rest.len);
        }
        at += end;
    }
}

/* "htt" + "ps://" + "…": a string behind a plus sign goes on where the one before it ended. */
static bool text_goes_on(struct script_maker *maker, const struct js_token *token)
{
    return token_is_sign(&maker->last[0], '+') && maker->last[1].text.ptr != NULL &&
           maker->last[1].kind == token->kind &&
           maker->joined_len + token->text.len <= sizeof(maker->joined) &&
           maker->join_count++ < JOINS_MAX;
}

/* In lower case. */
static struct str text_join(struct script_maker *maker, struct str piece, bool goes_on)
{
    size_t from = goes_on ? maker->joined_len : 0;
    char *room = maker->joined + from;
    struct str plain = js_plain(piece, room, sizeof(maker->joined) - from);

    for (size_t i = 0; i < plain.len; i++) {
        char byte = plain.ptr[i];

        room[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
    }
    maker->joined_len = from + plain.len;
    return str_of(maker->joined, maker->joined_len);
}

/* is_cut: it goes on in another piece, which begins before this one's end. */
static void note_piece(struct script_maker *maker, struct str text, bool is_cut)
{
    bool is_made = token_is_sign(&maker->last[0], '(') &&
                   token_is_name(&maker->last[1], "createElement") &&
                   (str_is_text(text, "script") || str_is_text(text, "iframe"));

    if (text_names_engine(text)) {
        note_asking(maker, &maker->places.engine, maker->places.asks);
    }
    if (is_made || text_has_element(text)) {
        script_mark(maker, SCRIPT_CALL_LOADS);
    }
    note_hosts(maker, text, is_cut);
}

static void note_text(struct script_maker *maker, const struct js_token *token)
{
    bool goes_on = text_goes_on(maker, token);
    size_t at = 0;

    if (token->kind != JS_REGEX && token->text.len >= LONG_TEXT) {
        note_long_text(maker);
    }
    do {
        struct str piece = str_slice(token->text, at, at + sizeof(maker->joined));

        maker->open_host = goes_on ? maker->open_host : 0;
        note_piece(maker, text_join(maker, piece, goes_on), at + piece.len < token->text.len);
        at += sizeof(maker->joined) - OVERLAP;
    } while (at + OVERLAP < token->text.len);
}

static void note_name(struct script_maker *maker, struct str name)
{
    if (str_is_text(name, "eval") || str_is_text(name, "atob") || str_is_text(name, "unescape")) {
        note_run(maker);
    } else if (str_is_text(name, "fromCharCode")) {
        note_spell(maker);
    } else if (str_is_text(name, "referrer") || str_is_text(name, "userAgent")) {
        note_asking(maker, &maker->places.asks, maker->places.engine);
    } else if ((str_is_text(name, "write") || str_is_text(name, "writeln")) &&
               token_is_sign(&maker->last[0], '.') && token_is_name(&maker->last[1], "document")) {
        script_mark(maker, SCRIPT_CALL_LOADS);
    }
}

enum location_part {
    LOCATION_NONE,
    LOCATION_NAME,   /* location */
    LOCATION_DOT,    /* location. */
    LOCATION_HREF,   /* location.href */
    LOCATION_CALL,   /* location.replace, location.assign */
    LOCATION_EQUALS, /* …=, or ==? */
};

static unsigned location_next(unsigned part, const struct js_token *token)
{
    if (token_is_name(token, "location")) {
        return LOCATION_NAME;
    }
    if (part == LOCATION_NAME && token_is_sign(token, '.')) {
        return LOCATION_DOT;
    }
    if (part == LOCATION_DOT && token_is_name(token, "href")) {
        return LOCATION_HREF;
    }
    if (part == LOCATION_DOT &&
        (token_is_name(token, "replace") || token_is_name(token, "assign"))) {
        return LOCATION_CALL;
    }
    if ((part == LOCATION_NAME || part == LOCATION_HREF) && token_is_sign(token, '=')) {
        return LOCATION_EQUALS;
    }
    return LOCATION_NONE;
}

static void note_location(struct script_maker *maker, const struct js_token *token)
{
    unsigned part = maker->location;

    if ((part == LOCATION_EQUALS && !token_is_sign(token, '=')) ||
        (part == LOCATION_CALL && token_is_sign(token, '('))) {
        script_mark(maker, SCRIPT_CALL_SENDS);
    }
    maker->location = location_next(part, token);
}

void script_note(struct script_maker *maker, const struct js_token *token)
{
    bool is_key = token->kind == JS_STRING && token_is_sign(&maker->last[0], '[');

    if (token->kind == JS_NAME || is_key) {
        char room[NAME_LONGEST];

        note_name(maker, js_plain(token->text, room, sizeof(room)));
    }
    if (token_is_sign(token, '(') && token_is_name(&maker->last[0], "Function")) {
        note_run(maker);
    }
    if (token->kind == JS_NUMBER) {
        note_number(maker);
    }
    if (token->kind == JS_STRING || token->kind == JS_TEMPLATE || token->kind == JS_REGEX) {
        note_text(maker, token);
    }
    note_location(maker, token);
    maker->last[1] = maker->last[0];
    maker->last[0] = *token;
}
