/* Runes into words, then two repairs on the row of words: letters that stand apart are joined, and
 * digits between letters become letters. Neighbours: page.h before, content.c behind. */
#include "detect/deface/fold.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/utf8.h"

#define APART_MIN   4 /* single letters in a row before they count as one word */
#define UNSEEN_MIN  2 /* in a word: one may be an editor's */
#define MARKS_MIN   3 /* on one letter: Vietnamese has two */
#define MARKS_FIRST 0x0300
#define MARKS_LAST  0x036f
#define WIDE_FIRST  0xff00 /* common in Chinese and Japanese text */
#define WIDE_LAST   0xff65
#define SOFT_HYPHEN 0x00ad

struct range {
    uint32_t first;
    uint32_t last;
};

/* What is there and cannot be seen. */
static const struct range invisible[] = {
    {0x00ad, 0x00ad}, {0x034f, 0x034f}, {0x115f, 0x1160}, {0x17b4, 0x17b5},   {0x180b, 0x180e},
    {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff9, 0xfffb}, {0xe0000, 0xe01ef},
};

/* Alphabets in a row: Unicode's own copies of A–Z, a–z and 0–9 for other purposes. */
struct alphabet {
    uint32_t first;
    uint32_t last;
    uint32_t period;
    char base;
};

static const struct alphabet alphabets[] = {
    {0x24b6, 0x24cf, 26, 'a'},   {0x24d0, 0x24e9, 26, 'a'},   {0x2460, 0x2468, 9, '1'},
    {0xff10, 0xff19, 10, '0'},   {0xff21, 0xff3a, 26, 'a'},   {0xff41, 0xff5a, 26, 'a'},
    {0x1d400, 0x1d6a3, 26, 'a'}, {0x1d7ce, 0x1d7ff, 10, '0'}, {0x1f130, 0x1f149, 26, 'a'},
    {0x1f150, 0x1f169, 26, 'a'}, {0x1f170, 0x1f189, 26, 'a'}, {0x1f1e6, 0x1f1ff, 26, 'a'},
    {0x249c, 0x24b5, 26, 'a'},   {0x2070, 0x2079, 10, '0'},   {0x2080, 0x2089, 10, '0'},
};

/* Letters of other scripts that pose as Latin ones, sorted. */
static const struct {
    uint16_t rune;
    char as;
} lookalikes[] = {
    {0x0131, 'i'}, {0x0142, 'l'}, {0x0251, 'a'}, {0x0261, 'g'}, {0x026a, 'i'}, {0x0274, 'n'},
    {0x0280, 'r'}, {0x028f, 'y'}, {0x0299, 'b'}, {0x029c, 'h'}, {0x029f, 'l'}, {0x0391, 'a'},
    {0x0392, 'b'}, {0x0395, 'e'}, {0x0396, 'z'}, {0x0397, 'h'}, {0x0399, 'i'}, {0x039a, 'k'},
    {0x039c, 'm'}, {0x039d, 'n'}, {0x039f, 'o'}, {0x03a1, 'p'}, {0x03a4, 't'}, {0x03a5, 'y'},
    {0x03a7, 'x'}, {0x03b1, 'a'}, {0x03b5, 'e'}, {0x03b7, 'n'}, {0x03b9, 'i'}, {0x03ba, 'k'},
    {0x03bd, 'v'}, {0x03bf, 'o'}, {0x03c1, 'p'}, {0x03c4, 't'}, {0x03c5, 'u'}, {0x03c7, 'x'},
    {0x03f2, 'c'}, {0x0405, 's'}, {0x0406, 'i'}, {0x0408, 'j'}, {0x0410, 'a'}, {0x0412, 'b'},
    {0x0415, 'e'}, {0x041a, 'k'}, {0x041c, 'm'}, {0x041d, 'h'}, {0x041e, 'o'}, {0x0420, 'p'},
    {0x0421, 'c'}, {0x0422, 't'}, {0x0423, 'y'}, {0x0425, 'x'}, {0x0430, 'a'}, {0x0432, 'b'},
    {0x0435, 'e'}, {0x043a, 'k'}, {0x043c, 'm'}, {0x043d, 'h'}, {0x043e, 'o'}, {0x0440, 'p'},
    {0x0441, 'c'}, {0x0442, 't'}, {0x0443, 'y'}, {0x0445, 'x'}, {0x0455, 's'}, {0x0456, 'i'},
    {0x0457, 'i'}, {0x0458, 'j'}, {0x04ae, 'y'}, {0x04af, 'y'}, {0x04bb, 'h'}, {0x04c0, 'i'},
    {0x04cf, 'l'}, {0x0501, 'd'}, {0x051b, 'q'}, {0x051d, 'w'}, {0x0585, 'o'}, {0x13a0, 'd'},
    {0x13aa, 'a'}, {0x13b3, 'w'}, {0x13bb, 'h'}, {0x1d00, 'a'}, {0x1d04, 'c'}, {0x1d05, 'd'},
    {0x1d07, 'e'}, {0x1d0a, 'j'}, {0x1d0b, 'k'}, {0x1d0d, 'm'}, {0x1d0f, 'o'}, {0x1d18, 'p'},
    {0x1d1b, 't'}, {0x1d1c, 'u'}, {0x1d20, 'v'}, {0x1d21, 'w'}, {0x1d22, 'z'}, {0x2170, 'i'},
    {0x2174, 'v'}, {0x2179, 'x'}, {0xa731, 's'},
};

struct fold_state {
    struct fold *fold;
    struct str text;
    uint32_t base;
    struct fold_word word; /* being read */
    /* Of that word: */
    unsigned plain;  /* letters of ASCII */
    unsigned posing; /* letters of other alphabets that pose as such */
    unsigned unseen;
    unsigned marks; /* in a row */
};

int fold_init(struct fold *fold, struct arena *arena, size_t room)
{
    *fold =
        (struct fold){.words = arena_alloc(arena, room + 1, sizeof(*fold->words)), .room = room};
    return fold->words != NULL ? 0 : -ERR_NOMEM;
}

struct str fold_word_str(const struct fold_word *word)
{
    return str_of(word->text, word->len);
}

static bool rune_is_invisible(uint32_t rune)
{
    for (size_t i = 0; i < ARRAY_LEN(invisible); i++) {
        if (rune <= invisible[i].last) {
            return rune >= invisible[i].first;
        }
    }
    return false;
}

static char rune_unmask(uint32_t rune)
{
    size_t low = 0;
    size_t high = ARRAY_LEN(lookalikes);

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (lookalikes[middle].rune < rune) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < ARRAY_LEN(lookalikes) && lookalikes[low].rune == rune) {
        return lookalikes[low].as;
    }
    for (size_t i = 0; rune >= 0x2000 && i < ARRAY_LEN(alphabets); i++) {
        if (rune >= alphabets[i].first && rune <= alphabets[i].last) {
            return (char)(alphabets[i].base +
                          (char)((rune - alphabets[i].first) % alphabets[i].period));
        }
    }
    return '\0';
}

static bool rune_is_ideograph(uint32_t rune)
{
    return (rune >= 0x3040 && rune <= 0x30ff) || (rune >= 0x3400 && rune <= 0x9fff) ||
           (rune >= 0xf900 && rune <= 0xfaff) || (rune >= 0x20000 && rune <= 0x3ffff);
}

/* Punctuation and symbols beyond ASCII part words. */
static bool rune_is_separator(uint32_t rune)
{
    return (rune >= 0x80 && rune < 0xc0) || rune == 0xd7 || rune == 0xf7 ||
           (rune >= 0x2000 && rune <= 0x2bff) || (rune >= 0x3000 && rune <= 0x303f) ||
           (rune >= 0xff00 && rune <= 0xff65) || (rune >= 0xfe30 && rune <= 0xfe6f) ||
           (rune >= 0xe000 && rune <= 0xf8ff) || rune >= 0x1f000;
}

static bool byte_is_alnum(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

static bool byte_is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (unsigned char)byte >= 0x80;
}

static char letter_of_sign(char sign)
{
    static const char letters[256] = {
        ['0'] = 'o', ['1'] = 'i', ['3'] = 'e', ['4'] = 'a', ['5'] = 's',
        ['7'] = 't', ['8'] = 'b', ['@'] = 'a', ['$'] = 's'};

    return letters[(unsigned char)sign];
}

/* "h4cked", "c@i", "n0hu": one sign between letters, or 0, 1, 3 before the first, is a letter. Two
 * digits side by side are a number ("w88"). */
static void word_unmask(struct fold_word *word)
{
    for (size_t i = 0; i + 1 < word->len; i++) {
        char letter = letter_of_sign(word->text[i]);
        char before = i != 0 ? word->text[i - 1] : 'a';

        if (letter == '\0') {
            continue; /* nearly all */
        }
        if ((i != 0 || strchr("013@$", word->text[i]) != NULL) && byte_is_letter(before) &&
            byte_is_letter(word->text[i + 1])) {
            word->text[i] = letter;
            word->tricks |= FOLD_TRICK_SIGNS;
        }
    }
}

static void state_note_tricks(struct fold_state *state)
{
    uint8_t *tricks = &state->word.tricks;

    *tricks |= state->posing != 0 && state->plain != 0 ? FOLD_TRICK_POSE : 0;
    *tricks |= state->unseen >= UNSEEN_MIN ? FOLD_TRICK_UNSEEN : 0;
    state->plain = 0;
    state->posing = 0;
    state->unseen = 0;
    state->marks = 0;
}

static void state_end_word(struct fold_state *state)
{
    struct fold *fold = state->fold;
    struct fold_word *word = &state->word;

    while (word->len != 0 &&
           (word->text[word->len - 1] == '@' || word->text[word->len - 1] == '$')) {
        word->len--;
    }
    state_note_tricks(state);
    if (word->len != 0 && fold->count < fold->room) {
        word_unmask(word);
        fold->words[fold->count++] = *word;
    }
    *word = (struct fold_word){0};
}

static inline void state_put(struct fold_state *state, const char *bytes, size_t len, size_t from,
                             size_t upto)
{
    struct fold_word *word = &state->word;

    if (word->len == 0) {
        word->from = state->base + (uint32_t)from;
    }
    if (word->len + len <= FOLD_WORD_SIZE) {
        memcpy(word->text + word->len, bytes, len);
        word->len = (uint8_t)(word->len + len);
    }
    word->upto = state->base + (uint32_t)upto;
}

static void state_put_rune(struct fold_state *state, uint32_t rune, size_t from, size_t upto)
{
    char bytes[8];
    char letter = rune_unmask(rune);
    size_t len;

    if (letter != '\0') {
        state->posing += rune < WIDE_FIRST || rune > WIDE_LAST;
        state_put(state, &letter, 1, from, upto);
        return;
    }
    state->marks = rune >= MARKS_FIRST && rune <= MARKS_LAST ? state->marks + 1 : 0;
    state->word.tricks |= state->marks >= MARKS_MIN ? FOLD_TRICK_MARKS : 0;
    if (rune_is_separator(rune)) {
        state_end_word(state);
        return;
    }
    len = utf8_fold(str_slice(state->text, from, upto), bytes, sizeof(bytes));
    if (len == 0 || len >= sizeof(bytes)) {
        return;
    }
    if (rune_is_ideograph(rune)) {
        state_end_word(state);
    }
    state_put(state, bytes, len, from, upto);
    if (rune_is_ideograph(rune)) {
        state_end_word(state);
    }
}

/* ASCII from `from`; true when the byte is one. */
static bool state_put_ascii(struct fold_state *state, size_t from)
{
    char byte = state->text.ptr[from];

    if ((unsigned char)byte >= 0x80) {
        return false;
    }
    if (byte >= 'A' && byte <= 'Z') {
        byte = (char)(byte - 'A' + 'a');
    }
    state->plain += byte >= 'a' && byte <= 'z';
    state->marks = 0;
    if (byte_is_alnum(byte) || ((byte == '@' || byte == '$') && state->word.len != 0)) {
        state_put(state, &byte, 1, from, from + 1);
    } else {
        state_end_word(state);
    }
    return true;
}

/* What is no ASCII, from `from`; how many bytes it took. */
static size_t state_put_high(struct fold_state *state, size_t from)
{
    uint32_t rune = 0;
    size_t width = utf8_decode(str_slice(state->text, from, state->text.len), &rune);
    char letter;

    if (width == 0) {
        state_end_word(state);
        return 1;
    }
    letter = utf8_fold_letter(rune); /* of these none poses as another, and they are most */
    if (letter != '\0') {
        state->marks = 0;
        state_put(state, &letter, 1, from, from + width);
    } else if (!rune_is_invisible(rune)) {
        state_put_rune(state, rune, from, from + width);
    } else {
        state->unseen += rune != SOFT_HYPHEN && state->word.len != 0;
    }
    return width;
}

static bool word_is_single(const struct fold_word *word)
{
    return word->len == 1 && byte_is_letter(word->text[0]);
}

/* The one to three bytes between two words as a number; 0 when they are more or none. */
static uint32_t gap_between(const struct fold_state *state, const struct fold_word *a,
                            const struct fold_word *b)
{
    uint32_t gap = 0;

    for (uint32_t at = a->upto; at < b->from && b->from - a->upto <= 3; at++) {
        gap = gap << 8 | (unsigned char)state->text.ptr[at - state->base];
    }
    return gap;
}

/* Words first … end-1 of the fold become one, which ends up at `to`. */
static void fold_join(struct fold *fold, size_t to, size_t first, size_t end)
{
    struct fold_word joined = fold->words[first];

    joined.tricks |= FOLD_TRICK_APART;
    for (size_t i = first + 1; i < end; i++) {
        if (joined.len < FOLD_WORD_SIZE) {
            joined.text[joined.len++] = fold->words[i].text[0];
        }
        joined.upto = fold->words[i].upto;
    }
    fold->words[to] = joined;
}

/* Where the row of single letters that begins at `first` ends: all gaps are one and the same
 * character. */
static size_t state_row_end(const struct fold_state *state, size_t first)
{
    const struct fold *fold = state->fold;
    uint32_t gap = 0;
    size_t end = first;

    while (end < fold->count && word_is_single(&fold->words[end])) {
        if (end != first) {
            uint32_t next = gap_between(state, &fold->words[end - 1], &fold->words[end]);

            if (next == 0 || (gap != 0 && next != gap)) {
                break;
            }
            gap = next;
        }
        end++;
    }
    return end;
}

/* Two letters with a dot between are an abbreviation, three may be a word ("c.á.i"), and with a
 * blank it takes more: lists of options have single letters too. */
static bool row_is_word(const struct fold_state *state, size_t first, size_t end)
{
    const struct fold_word *words = state->fold->words;

    return end - first >= APART_MIN ||
           (end - first == APART_MIN - 1 &&
            gap_between(state, &words[first], &words[first + 1]) != ' ');
}

static void state_join_apart(struct fold_state *state, size_t since)
{
    struct fold *fold = state->fold;
    size_t to = since;

    for (size_t i = since; i < fold->count;) {
        size_t end = state_row_end(state, i);

        if (end > i && row_is_word(state, i, end)) {
            fold_join(fold, to++, i, end);
            i = end;
        } else {
            fold->words[to++] = fold->words[i++];
        }
    }
    fold->count = to;
}

void fold_add(struct fold *fold, struct str text, uint32_t base)
{
    struct fold_state state = {.fold = fold, .text = text, .base = base};
    size_t since = fold->count;
    size_t at = 0;

    while (at < text.len && fold->count < fold->room) {
        at += state_put_ascii(&state, at) ? 1 : state_put_high(&state, at);
    }
    state_end_word(&state);
    state_join_apart(&state, since);
}
