/* Looks at bytes only: what is not ASCII counts neither as a letter nor as a sign, but for the
 * block of drawings and stars, which are ornaments. */
#include "detect/deface/manner.h"

#include "base/banned.h"

#define HANDLE_MIN   4
#define HANDLE_MAX   32
#define ORNAMENT_MIN 2

static bool byte_is_lower(char byte)
{
    return byte >= 'a' && byte <= 'z';
}

static bool byte_is_upper(char byte)
{
    return byte >= 'A' && byte <= 'Z';
}

static bool byte_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool byte_is_word(char byte)
{
    return byte_is_lower(byte) || byte_is_upper(byte) || byte_is_digit(byte) ||
           (unsigned char)byte >= 0x80;
}

static bool byte_is_ornament(char byte)
{
    return byte != '\0' && strchr("-=~|:#*+<>[]{}_^/\\$", byte) != NULL;
}

/* U+2500 to U+27BF: boxes, blocks, stars, crosses. */
static bool text_is_drawing(struct str text, size_t at)
{
    return at + 1 < text.len && (unsigned char)text.ptr[at] == 0xe2 &&
           (unsigned char)text.ptr[at + 1] >= 0x94 && (unsigned char)text.ptr[at + 1] <= 0x9e;
}

static struct str text_bare(struct str text)
{
    size_t from = 0;
    size_t upto = text.len;

    while (from < upto && !byte_is_word(text.ptr[from])) {
        from++;
    }
    while (upto > from && !byte_is_word(text.ptr[upto - 1])) {
        upto--;
    }
    return str_slice(text, from, upto);
}

bool manner_is_handle(struct str text)
{
    struct str bare = text_bare(text);
    unsigned letters = 0;
    unsigned odd = 0;

    if (bare.len < HANDLE_MIN || bare.len > HANDLE_MAX) {
        return false;
    }
    for (size_t i = 0; i < bare.len; i++) {
        char byte = bare.ptr[i];
        char before = i != 0 ? bare.ptr[i - 1] : ' ';
        char after = i + 1 < bare.len ? bare.ptr[i + 1] : ' ';

        if ((unsigned char)byte >= 0x80 || strchr("/:%&?=,;", byte) != NULL) {
            return false; /* an address, or a word of this or another language */
        }
        letters += byte_is_lower(byte) || byte_is_upper(byte);
        odd += byte_is_upper(byte) && byte_is_lower(before);
        odd += byte_is_digit(byte) && !byte_is_digit(before) && !byte_is_digit(after) &&
               (byte_is_lower(before) || byte_is_lower(after));
        odd += byte == '_' && byte_is_word(before) && byte_is_word(after);
        odd += byte == '.' && byte_is_word(before) && byte_is_upper(after);
    }
    odd += text.ptr[0] == '@';
    return letters >= 3 && odd != 0;
}

static void manner_add_word(struct manner *manner, struct str word)
{
    for (size_t i = 0; i < word.len; i++) {
        manner->letters += byte_is_lower(word.ptr[i]) || byte_is_upper(word.ptr[i]);
        manner->capitals += byte_is_upper(word.ptr[i]);
        manner->cries += word.ptr[i] == '!';
    }
    manner->handles += manner_is_handle(word);
}

void manner_add(struct manner *manner, struct str text)
{
    size_t from = 0;
    size_t run = 0;

    for (size_t at = 0; at <= text.len; at++) {
        bool is_blank = at == text.len || text.ptr[at] == ' ';

        run = !is_blank && byte_is_ornament(text.ptr[at]) ? run + 1 : 0;
        manner->ornaments += run == ORNAMENT_MIN || text_is_drawing(text, at);
        if (is_blank) {
            if (at != from) {
                manner_add_word(manner, str_slice(text, from, at));
            }
            from = at + 1;
        }
    }
}
