/* Reads GNU .mo catalogues in place: a sorted table of sentences, searched by halves.
 * Source of the layout: GNU gettext manual, "The Format of GNU MO Files". */
#include "base/text.h"

#include "base/banned.h"
#include "base/err.h"

#include <assert.h>
#include <stdint.h>

#define TEXT_MAGIC         0x950412deU
#define TEXT_MAGIC_SWAPPED 0xde120495U /* written on a machine of the other byte order */

struct text_catalogue {
    struct str bytes;
    bool is_swapped;
    uint32_t count;
    uint32_t sources; /* offset of the table of sentences */
    uint32_t targets; /* offset of the table of translations */
};

static struct text_catalogue text_catalogues[LANGUAGE_COUNT];
static enum language text_current = LANGUAGE_VI;

static const char *const language_names[] = {[LANGUAGE_VI] = "vi", [LANGUAGE_EN] = "en"};
static_assert(sizeof(language_names) / sizeof(language_names[0]) == LANGUAGE_COUNT);

void text_set_language(enum language language)
{
    text_current = language;
}

enum language text_language(void)
{
    return text_current;
}

const char *text_language_name(enum language language)
{
    return language_names[language];
}

bool text_parse_language(struct str name, enum language *ret_language)
{
    for (int i = 0; i < LANGUAGE_COUNT; i++) {
        if (str_is_text(name, language_names[i])) {
            *ret_language = (enum language)i;
            return true;
        }
    }
    return false;
}

static uint32_t text_word(const struct text_catalogue *catalogue, size_t at)
{
    uint32_t word;

    memcpy(&word, catalogue->bytes.ptr + at, sizeof(word));
    return catalogue->is_swapped ? __builtin_bswap32(word) : word;
}

/* The index-th entry of one of the two tables, checked against the catalogue's length when loaded.
 */
static struct str text_entry(const struct text_catalogue *catalogue, uint32_t table, uint32_t index)
{
    size_t at = (size_t)table + (size_t)index * 8;

    return str_of(catalogue->bytes.ptr + text_word(catalogue, at + 4), text_word(catalogue, at));
}

static bool text_table_is_sound(const struct text_catalogue *catalogue, uint32_t table)
{
    struct str bytes = catalogue->bytes;

    if ((size_t)table + (size_t)catalogue->count * 8 > bytes.len) {
        return false;
    }
    for (uint32_t i = 0; i < catalogue->count; i++) {
        size_t len = text_word(catalogue, (size_t)table + (size_t)i * 8);
        size_t at = text_word(catalogue, (size_t)table + (size_t)i * 8 + 4);

        if (at >= bytes.len || len >= bytes.len - at || bytes.ptr[at + len] != '\0') {
            return false;
        }
    }
    return true;
}

int text_load(enum language language, struct str catalogue)
{
    struct text_catalogue loaded = {.bytes = catalogue};

    if (catalogue.len < 28) {
        return -ERR_SYNTAX;
    }
    loaded.is_swapped = text_word(&loaded, 0) == TEXT_MAGIC_SWAPPED;
    if (text_word(&loaded, 0) != TEXT_MAGIC) {
        return -ERR_SYNTAX;
    }
    loaded.count = text_word(&loaded, 8);
    loaded.sources = text_word(&loaded, 12);
    loaded.targets = text_word(&loaded, 16);
    if (!text_table_is_sound(&loaded, loaded.sources) ||
        !text_table_is_sound(&loaded, loaded.targets)) {
        return -ERR_SYNTAX;
    }
    text_catalogues[language] = loaded;
    return 0;
}

/* The translation, ended by a NUL, or an empty string when there is none. */
static struct str text_find(enum language language, struct str sentence)
{
    const struct text_catalogue *catalogue = &text_catalogues[language];
    uint32_t low = 0;
    uint32_t high = sentence.len != 0 ? catalogue->count : 0; /* the empty one is the header */

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = str_compare(sentence, text_entry(catalogue, catalogue->sources, middle));

        if (order == 0) {
            return text_entry(catalogue, catalogue->targets, middle);
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return (struct str){};
}

const char *text_in(enum language language, const char *sentence)
{
    struct str found = text_find(language, str_from(sentence));

    return found.len != 0 ? found.ptr : sentence;
}

struct str text_str(struct str sentence)
{
    struct str found = text_find(text_current, sentence);

    return found.len != 0 ? found : sentence;
}

const char *text_get(const char *sentence)
{
    return text_in(text_current, sentence);
}
