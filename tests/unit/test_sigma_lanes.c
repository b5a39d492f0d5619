/* The judge of logs goes through values many bytes at a time, each processor in its own way: every
 * way says what the plain one says, at every length and wherever a search was interrupted. */
#include "prop.h"

#include "base/mem.h"
#include "detect/sigma/engine_fold.h"
#include "detect/sigma/engine_teddy.h"
#include "detect/sigma/text.h"

#include <string.h>

#define TEXT_MAX  400
#define PLACE_MAX (TEXT_MAX + 1)

/* Pieces of which values are made, those that are told apart among them. */
static struct str draw_text(struct prop *prop, const char *const *pieces, size_t count)
{
    char *text = arena_alloc(prop->arena, TEXT_MAX + FIND_PAD, 1);
    size_t most = prop_below(prop, TEXT_MAX);
    size_t len = 0;

    assert_non_null(text);
    while (prop->count < PROP_CHOICES_MAX - 1) {
        struct str piece = str_from(pieces[prop_below(prop, count)]);

        if (piece.len > most - len) {
            break;
        }
        memcpy(text + len, piece.ptr, piece.len);
        len += piece.len;
    }
    return str_of(text, len);
}

static const char *const values[] = {
    "a",
    "Z",
    "C:\\\\Windows\\\\System32\\\\",
    "\\\\",
    "\\\"",
    "\\/",
    "\\n",
    "\\u0041",
    "\\u0111",
    "\xc4\x90",
    "\xff",
    "[@`{",
    "powershell.EXE -EncodedCommand ",
    "\\",
    "\\x",
};

static const char *folds_are_alike(struct prop *prop)
{
    struct str text = draw_text(prop, values, sizeof(values) / sizeof(values[0]));
    bool is_escaped = prop_below(prop, 2) != 0;
    char plain[TEXT_MAX * SIGMA_FOLD_GROWTH + FOLD_PAD];
    char quick[TEXT_MAX * SIGMA_FOLD_GROWTH + FOLD_PAD];
    size_t plain_len = 0;
    bool is_plain = false;
    bool is_said = fold_by_lanes(text, is_escaped, plain, &plain_len, &is_plain);

    for (unsigned rank = 0; fold_way(rank) != NULL; rank++) {
        size_t len = 0;
        bool is_ascii = false;

        if (fold_way(rank)(text, is_escaped, quick, &len, &is_ascii) != is_said) {
            return "one way knows the escapes, the other does not";
        }
        if (is_said &&
            (!str_is(str_of(quick, len), str_of(plain, plain_len)) || is_ascii != is_plain)) {
            return "values are folded otherwise";
        }
    }
    if (!is_escaped && !str_is(str_of(quick, sigma_fold(text, quick)), str_of(plain, plain_len))) {
        return "the oracle folds otherwise";
    }
    return NULL;
}

struct places {
    uint32_t at[PLACE_MAX + FIND_ROOM];
    size_t count;
};

static const char *places_differ(const struct places *a, const struct places *b)
{
    return a->count == b->count && memcmp(a->at, b->at, a->count * sizeof(a->at[0])) == 0
               ? NULL
               : "places differ";
}

static void teddy_all(teddy_find_fn *find, const struct teddy *teddy, struct str text,
                      struct places *ret_places)
{
    ret_places->count = 0;
    for (size_t from = 0; from < text.len;) {
        ret_places->count += find(teddy, text, &from, ret_places->at + ret_places->count);
        assert_true(ret_places->count <= PLACE_MAX);
    }
}

static void sieve_all(sieve_find_fn *find, const struct sieve *sieve, struct str text,
                      struct places *ret_places)
{
    ret_places->count = 0;
    for (size_t from = 0; from < text.len;) {
        ret_places->count += find(sieve, text, &from, ret_places->at + ret_places->count);
        assert_true(ret_places->count <= PLACE_MAX);
    }
}

static const char *const needles[] = {"cmd", "::b", "ps1", "a", "B", "A::", "Cmd", "x", "::"};

static const char *teddies_are_alike(struct prop *prop)
{
    struct str text = draw_text(prop, needles, sizeof(needles) / sizeof(needles[0]));
    struct teddy teddy = {0};
    struct places plain;
    struct places quick;
    const char *wrong = NULL;

    for (uint32_t group = 0; group < 3; group++) {
        teddy_add(&teddy, needles[group], group);
    }
    teddy_all(teddy_find_plainly, &teddy, text, &plain);
    for (unsigned rank = 0; wrong == NULL && teddy_way(rank) != NULL; rank++) {
        teddy_all(teddy_way(rank), &teddy, text, &quick);
        wrong = places_differ(&plain, &quick);
    }
    return wrong;
}

static const char *sieves_are_alike(struct prop *prop)
{
    struct str text = draw_text(prop, needles, sizeof(needles) / sizeof(needles[0]));
    uint32_t bits[16] = {0};
    struct sieve sieve = {bits, 32 - 9, prop_below(prop, 2) == 0 ? 0xffffff : 0xffffffff, 0};
    struct places plain;
    struct places quick;
    const char *wrong = NULL;

    sieve.width = sieve.mask == 0xffffff ? 3 : 4;
    for (unsigned i = 0; i < 16; i++) {
        bits[i] = (uint32_t)prop_below(prop, UINT32_MAX);
    }
    sieve_all(sieve_find_plainly, &sieve, text, &plain);
    for (unsigned rank = 0; wrong == NULL && sieve_way(rank) != NULL; rank++) {
        sieve_all(sieve_way(rank), &sieve, text, &quick);
        wrong = places_differ(&plain, &quick);
    }
    return wrong;
}

static void test_ways(void **state)
{
    (void)state;
    assert_non_null(fold_way(0));
    assert_non_null(teddy_way(0));
    assert_non_null(sieve_way(0));
    prop_check("folding", folds_are_alike, 2000);
    prop_check("needles, a few", teddies_are_alike, 1000);
    prop_check("needles, many", sieves_are_alike, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ways)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
