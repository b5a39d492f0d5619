/* The words of a search: folded, parted by spaces. Neighbours: sqlite/alert.c looks alerts up by
 * them, archive/search.c events. Pure. */
#include "store/words.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/utf8.h"

int words_parse(struct str text, struct arena *arena, struct words *ret_words)
{
    struct words words = {0};
    size_t size = utf8_fold(text, NULL, 0) + 1;
    char *folded = arena_alloc(arena, size, 1);
    struct str rest;
    struct str word;

    if (folded == NULL) {
        return -ERR_NOMEM;
    }
    rest = str_of(folded, utf8_fold(text, folded, size));
    while (str_cut(&rest, ' ', &word)) {
        if (word.len == 0) {
            continue;
        }
        if (words.count == WORDS_MAX) {
            return -ERR_LIMIT;
        }
        words.list[words.count++] = word;
    }
    *ret_words = words;
    return 0;
}

bool words_stand_in(const struct words *words, const struct str *texts, size_t count)
{
    for (size_t i = 0; i < words->count; i++) {
        bool is_found = false;

        for (size_t t = 0; t < count && !is_found; t++) {
            is_found = str_find(texts[t], words->list[i]) < texts[t].len;
        }
        if (!is_found) {
            return false;
        }
    }
    return true;
}
