/* See codec/field_kind.h. Readers that cannot remember names have them asked for every entry: only
 * a capital, an '@' or a 't' in front makes the list be looked through. */
#include "codec/field_kind.h"

#include "base/banned.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LOWER 0x20202020U /* for four letters */

static bool may_be_dull(char first)
{
    return (first >= 'A' && first <= 'Z') || first == '@' || first == 't';
}

static bool is_dull(struct str name)
{
    static const struct str names[] = {
#define DULL(name) {name, sizeof(name) - 1},
#include "codec/field_kind.def"
#undef DULL
    };

    if (name.len == 0 || !may_be_dull(name.ptr[0])) {
        return false;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].len == name.len && memcmp(names[i].ptr, name.ptr, name.len) == 0) {
            return true;
        }
    }
    return false;
}

static uint32_t tail_of(const char tail[4])
{
    uint32_t number;

    memcpy(&number, tail, sizeof(number));
    return number | LOWER;
}

static bool ends_so(struct str name, struct str end)
{
    return name.len >= end.len && str_is_nocase(str_slice(name, name.len - end.len, name.len), end);
}

static enum field_kind kind_of_end(struct str name)
{
    uint32_t tail = name.len >= 4 ? tail_of(name.ptr + name.len - 4) : 0;

    if (tail == tail_of("line") || tail == tail_of("text") || tail == tail_of("load") ||
        (tail == tail_of("mand") && ends_so(name, STR("command"))) ||
        (tail == tail_of("tion") && ends_so(name, STR("hostapplication")))) {
        return FIELD_KIND_TEXT;
    }
    if (tail == tail_of("sage") && ends_so(name, STR("message"))) {
        return FIELD_KIND_MESSAGE;
    }
    return tail == tail_of("gent") ? FIELD_KIND_AGENT : FIELD_KIND_PLAIN;
}

enum field_kind field_kind_of(struct str name)
{
    return is_dull(name) ? FIELD_KIND_DULL : kind_of_end(name);
}
