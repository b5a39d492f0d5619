/* Fields of matches as groups and values: see correlate_part.h. A field with several values makes
 * its match take part once for each; several such fields, once for each combination. */
#include "base/banned.h"
#include "base/err.h"
#include "base/map.h"
#include "detect/sigma/correlate_part.h"

#include <math.h>

#define NUMBER_MAX 64 /* bytes of a number */

static bool is_field(const struct entry_field *field, const struct field_ref *ref)
{
    return field->type != ENTRY_TYPE_NULL &&
           (ref->id != 0 ? field->id == ref->id : str_is(field->name, ref->name));
}

static void pick(struct picked *picked, struct str value)
{
    size_t field = picked->count;
    uint8_t count = picked->counts[field];

    for (size_t i = 0; i < count; i++) {
        if (str_is(picked->values[field][i], value)) {
            return;
        }
    }
    if (count < FIELD_VALUES_MAX) {
        picked->values[field][picked->counts[field]++] = value;
    }
}

static int pick_field(struct sigma_correlator *correlator, const struct source *source,
                      const struct field_ref *ref, struct picked *picked)
{
    picked->counts[picked->count] = 0;
    picked->at[picked->count] = 0;
    if (source->result != NULL) {
        if (ref->place != UINT32_MAX) {
            pick(picked, source->result->group[ref->place]);
        }
        return 0;
    }
    for (size_t i = 0; i < source->entry->count; i++) {
        struct str value;

        if (!is_field(&source->entry->fields[i], ref)) {
            continue;
        }
        if (entry_field_text(&source->entry->fields[i], correlator->scratch, &value) < 0) {
            return -ERR_NOMEM;
        }
        pick(picked, value);
    }
    return 0;
}

int values_pick(struct sigma_correlator *correlator, const struct source *source,
                const struct field_ref *refs, size_t count, struct picked *ret_picked,
                bool *ret_is_whole)
{
    ret_picked->given = 0;
    *ret_is_whole = true;
    for (ret_picked->count = 0; ret_picked->count < count; ret_picked->count++) {
        int r = pick_field(correlator, source, &refs[ret_picked->count], ret_picked);

        if (r < 0) {
            return r;
        }
        *ret_is_whole = *ret_is_whole && ret_picked->counts[ret_picked->count] != 0;
    }
    return 0;
}

/* Two bytes of length, and the value; of a long one its front and a hash of all. */
static size_t key_put(char *room, struct str value, uint64_t seed)
{
    struct str front = str_slice(value, 0, GROUP_VALUE_MAX);
    size_t len = front.len;

    if (len != 0) {
        memcpy(room + 2, front.ptr, len);
    }
    if (value.len > GROUP_VALUE_MAX) {
        char mark[24];
        size_t mark_len = (size_t)snprintf(mark, sizeof(mark), "…%016llx",
                                           (unsigned long long)map_hash(value, seed));

        memcpy(room + 2 + len - mark_len, mark, mark_len);
    }
    room[0] = (char)(len & 0xff);
    room[1] = (char)(len >> 8);
    return len + 2;
}

static void combination_step(struct picked *picked)
{
    for (size_t i = picked->count; i-- != 0;) {
        if (++picked->at[i] < picked->counts[i]) {
            return;
        }
        picked->at[i] = 0;
    }
    picked->given = COMBINATIONS_MAX;
}

bool values_next(struct picked *picked, uint64_t seed, char *room, struct str *ret_key)
{
    size_t len = 0;

    if (picked->given >= COMBINATIONS_MAX) {
        return false;
    }
    picked->given++;
    for (size_t i = 0; i < picked->count; i++) {
        len += key_put(room + len, picked->values[i][picked->at[i]], seed);
    }
    combination_step(picked);
    *ret_key = str_of(room, len);
    return true;
}

bool values_split(struct str key, struct str *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t len;

        if (key.len < 2) {
            return false;
        }
        len = (unsigned char)key.ptr[0] | (size_t)(unsigned char)key.ptr[1] << 8;
        if (len > GROUP_VALUE_MAX || len > key.len - 2) {
            return false;
        }
        values[i] = str_slice(key, 2, 2 + len);
        key = str_slice(key, 2 + len, key.len);
    }
    return key.len == 0;
}

bool value_number(struct str text, double *ret_number)
{
    char digits[NUMBER_MAX];
    char *end;
    double number;

    text = str_trim(text);
    if (text.len == 0 || text.len >= sizeof(digits)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("0123456789+-.eE", text.ptr[i]) == NULL || text.ptr[i] == '\0') {
            return false; /* strtod would take 0x10, inf and nan too */
        }
    }
    memcpy(digits, text.ptr, text.len);
    digits[text.len] = '\0';
    number = strtod(digits, &end);
    if (*end != '\0' || !isfinite(number)) {
        return false;
    }
    *ret_number = number;
    return true;
}
