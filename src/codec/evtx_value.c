/* Values of binary XML as the text that Windows makes of them: GUIDs in braces, hexadecimal with
 * 0x, bytes in capitals, times with what FILETIME resolves. A number's width is what it brings,
 * not what its type promises. */
#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"
#include "base/utf8.h"
#include "codec/charset.h"
#include "codec/evtx_part.h"
#include "codec/utf16.h"

#include <stdio.h>

#define FILETIME_EPOCH  116444736000000000ULL /* 1970 in steps of 100 ns since 1601 */
#define FILETIME_SECOND 10000000ULL
#define TEXT_SMALL      64U /* what a value that is neither text nor bytes needs at most */
#define SID_FIXED       8U

static const char digits_low[] = "0123456789abcdef";
static const char digits_high[] = "0123456789ABCDEF";

static size_t put_u64(uint64_t value, char *out)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    memcpy(out, digits + at, sizeof(digits) - at);
    return sizeof(digits) - at;
}

static size_t put_i64(int64_t value, char *out)
{
    if (value >= 0) {
        return put_u64((uint64_t)value, out);
    }
    out[0] = '-';
    return 1 + put_u64(0 - (uint64_t)value, out + 1);
}

static size_t put_hex(uint64_t value, char *out)
{
    size_t len = 2;
    unsigned shift = value == 0 ? 0 : (63U - (unsigned)__builtin_clzll(value)) / 4 * 4;

    out[0] = '0';
    out[1] = 'x';
    for (;; shift -= 4) {
        out[len++] = digits_low[value >> shift & 15];
        if (shift == 0) {
            return len;
        }
    }
}

static uint64_t take_number(const struct evtx_value *value)
{
    uint64_t number = 0;

    memcpy(&number, value->ptr, value->len < sizeof(number) ? value->len : sizeof(number));
    return number;
}

static int64_t take_signed(const struct evtx_value *value)
{
    unsigned spare = value->len < 8 ? 64 - 8 * value->len : 0;

    return (int64_t)(take_number(value) << spare) >> spare;
}

static size_t put_guid(const uint8_t *guid, char *out)
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    size_t len = 0;

    out[len++] = '{';
    for (unsigned i = 0; i < sizeof(order); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            out[len++] = '-';
        }
        out[len++] = digits_low[guid[order[i]] >> 4];
        out[len++] = digits_low[guid[order[i]] & 15];
    }
    out[len++] = '}';
    return len;
}

static size_t put_bytes(struct str bytes, char *out)
{
    for (size_t i = 0; i < bytes.len; i++) {
        out[2 * i] = digits_high[(uint8_t)bytes.ptr[i] >> 4];
        out[2 * i + 1] = digits_high[(uint8_t)bytes.ptr[i] & 15];
    }
    return 2 * bytes.len;
}

int64_t evtx_time(uint64_t filetime)
{
    if (filetime < FILETIME_EPOCH || (filetime - FILETIME_EPOCH) > INT64_MAX / 100) {
        return 0;
    }
    return (int64_t)(filetime - FILETIME_EPOCH) * 100;
}

static size_t put_time(uint64_t filetime, char *out)
{
    char text[TIME_TEXT_SIZE];
    size_t len;

    if (filetime < FILETIME_EPOCH || evtx_time(filetime) == 0) {
        return put_hex(filetime, out); /* 0 and "never" are no times */
    }
    time_format_utc(evtx_time(filetime), text);
    len = strlen(text) - sizeof("123Z") + 1;
    return (size_t)snprintf(out, TEXT_SMALL, "%.*s%07uZ", (int)len, text,
                            (unsigned)(filetime % FILETIME_SECOND));
}

static size_t put_system_time(const uint8_t *ptr, char *out)
{
    return (size_t)snprintf(out, TEXT_SMALL, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", evtx_u16(ptr),
                            evtx_u16(ptr + 2), evtx_u16(ptr + 6), evtx_u16(ptr + 8),
                            evtx_u16(ptr + 10), evtx_u16(ptr + 12), evtx_u16(ptr + 14));
}

/* The caller has room for two bytes of text a byte, and for the small part. */
static size_t put_sid(const struct evtx_value *value, char *out)
{
    size_t count = value->len >= SID_FIXED ? value->ptr[1] : UINT8_MAX;
    uint64_t authority = 0;
    size_t len;

    if (value->len < SID_FIXED + 4 * count) {
        return put_bytes(str_of((const char *)value->ptr, value->len), out);
    }
    for (unsigned i = 2; i < SID_FIXED; i++) {
        authority = authority << 8 | value->ptr[i];
    }
    out[0] = 'S';
    out[1] = '-';
    len = 2 + put_u64(value->ptr[0], out + 2);
    out[len++] = '-';
    len += put_u64(authority, out + len);
    for (size_t i = 0; i < count; i++) {
        out[len++] = '-';
        len += put_u64(evtx_u32(value->ptr + SID_FIXED + 4 * i), out + len);
    }
    return len;
}

/* The system's code page is not told: UTF-8 where it is, else windows-1252. */
static size_t put_ansi(struct str text, char *out)
{
    size_t len = 0;

    while (text.len > 0 && text.ptr[text.len - 1] == '\0') {
        text.len--;
    }
    if (utf8_is_valid(text)) {
        memcpy(out, text.ptr, text.len);
        return text.len;
    }
    for (size_t i = 0; i < text.len; i++) {
        len += utf8_encode(charset_1252((unsigned char)text.ptr[i]), out + len);
    }
    return len;
}

static size_t put_string(const struct evtx_value *value, char *out)
{
    size_t units = value->len / 2;

    while (units > 0 && evtx_u16(value->ptr + 2 * units - 2) == 0) {
        units--;
    }
    return utf16_decode(value->ptr, units, out);
}

static size_t put_real(const struct evtx_value *value, char *out)
{
    float narrow = 0;
    double wide = 0;

    if (value->len == sizeof(wide)) {
        memcpy(&wide, value->ptr, sizeof(wide));
        return (size_t)snprintf(out, TEXT_SMALL, "%.17g", wide);
    }
    memcpy(&narrow, value->ptr, sizeof(narrow));
    return (size_t)snprintf(out, TEXT_SMALL, "%.9g", (double)narrow);
}

static size_t put_bool(const struct evtx_value *value, char *out)
{
    struct str word = take_number(value) != 0 ? STR("true") : STR("false");

    memcpy(out, word.ptr, word.len);
    return word.len;
}

/* Whether its bytes are as many as its type can have. */
static bool is_of_its_size(const struct evtx_value *value)
{
    switch (value->type) {
    case EVTX_TYPE_FLOAT:
    case EVTX_TYPE_DOUBLE:
        return value->len == sizeof(float) || value->len == sizeof(double);
    case EVTX_TYPE_GUID:
    case EVTX_TYPE_SYSTEMTIME:
        return value->len == 16;
    case EVTX_TYPE_FILETIME:
        return value->len == 8;
    case EVTX_TYPE_BINARY:
    case EVTX_TYPE_SID:
        return true;
    default:
        return value->len <= 8;
    }
}

static size_t put_scalar(const struct evtx_value *value, char *out, enum entry_type *ret_type)
{
    switch (value->type) {
    case EVTX_TYPE_I8:
    case EVTX_TYPE_I16:
    case EVTX_TYPE_I32:
    case EVTX_TYPE_I64:
        *ret_type = ENTRY_TYPE_NUMBER;
        return put_i64(take_signed(value), out);
    case EVTX_TYPE_U8:
    case EVTX_TYPE_U16:
    case EVTX_TYPE_U32:
    case EVTX_TYPE_U64:
        *ret_type = ENTRY_TYPE_NUMBER;
        return put_u64(take_number(value), out);
    case EVTX_TYPE_FLOAT:
    case EVTX_TYPE_DOUBLE:
        *ret_type = ENTRY_TYPE_NUMBER;
        return put_real(value, out);
    case EVTX_TYPE_BOOL:
        *ret_type = ENTRY_TYPE_BOOL;
        return put_bool(value, out);
    case EVTX_TYPE_GUID:
        return put_guid(value->ptr, out);
    case EVTX_TYPE_FILETIME:
        return put_time(take_number(value), out);
    case EVTX_TYPE_SYSTEMTIME:
        return put_system_time(value->ptr, out);
    case EVTX_TYPE_SID:
        return put_sid(value, out);
    case EVTX_TYPE_SIZE:
    case EVTX_TYPE_HEX32:
    case EVTX_TYPE_HEX64:
    case EVTX_TYPE_HANDLE:
        return put_hex(take_number(value), out);
    default:
        return put_bytes(str_of((const char *)value->ptr, value->len), out);
    }
}

int evtx_value_text(const struct evtx_value *value, char *out, size_t room, size_t *ret_len,
                    enum entry_type *ret_type)
{
    enum entry_type type = ENTRY_TYPE_TEXT;

    if (room < TEXT_SMALL || (room - TEXT_SMALL) / UTF16_GROWTH < value->len) {
        return -ERR_LIMIT;
    }
    if (value->type == EVTX_TYPE_STRING || value->type == EVTX_TYPE_TEXT_XML) {
        *ret_len = put_string(value, out);
    } else if (value->type == EVTX_TYPE_NULL || value->len == 0) {
        *ret_len = 0;
        type = ENTRY_TYPE_NULL;
    } else if (value->type == EVTX_TYPE_ANSI) {
        *ret_len = put_ansi(str_of((const char *)value->ptr, value->len), out);
    } else if (is_of_its_size(value)) {
        *ret_len = put_scalar(value, out, &type);
    } else {
        *ret_len = put_bytes(str_of((const char *)value->ptr, value->len), out);
    }
    *ret_type = type;
    return 0;
}

/* Bytes of an item of a list of such; 0: not told by the type. */
static size_t item_size(const struct evtx_value *list)
{
    static const uint8_t sizes[] = {
        [EVTX_TYPE_I8] = 1,     [EVTX_TYPE_U8] = 1,       [EVTX_TYPE_I16] = 2,
        [EVTX_TYPE_U16] = 2,    [EVTX_TYPE_I32] = 4,      [EVTX_TYPE_U32] = 4,
        [EVTX_TYPE_I64] = 8,    [EVTX_TYPE_U64] = 8,      [EVTX_TYPE_FLOAT] = 4,
        [EVTX_TYPE_DOUBLE] = 8, [EVTX_TYPE_BOOL] = 4,     [EVTX_TYPE_GUID] = 16,
        [EVTX_TYPE_SIZE] = 8,   [EVTX_TYPE_FILETIME] = 8, [EVTX_TYPE_SYSTEMTIME] = 16,
        [EVTX_TYPE_HEX32] = 4,  [EVTX_TYPE_HEX64] = 8,
    };
    unsigned type = list->type & ~(unsigned)EVTX_TYPE_ARRAY;

    if (type == EVTX_TYPE_SID && list->len >= SID_FIXED) {
        return SID_FIXED + 4U * list->ptr[1];
    }
    return type < sizeof(sizes) ? sizes[type] : 0;
}

/* Length of the first text of a list with the zero behind it; two bytes a unit, or one. */
static size_t item_text(const struct evtx_value *list, size_t unit)
{
    size_t at = 0;

    while (at + unit <= list->len) {
        bool is_end = unit == 2 ? evtx_u16(list->ptr + at) == 0 : list->ptr[at] == 0;

        at += unit;
        if (is_end) {
            return at;
        }
    }
    return list->len;
}

bool evtx_value_item(struct evtx_value *list, struct evtx_value *ret_item)
{
    unsigned type = list->type & ~(unsigned)EVTX_TYPE_ARRAY;
    bool is_text = type == EVTX_TYPE_STRING || type == EVTX_TYPE_ANSI;
    size_t size = is_text ? item_text(list, type == EVTX_TYPE_STRING ? sizeof(uint16_t) : 1)
                          : item_size(list);

    if (list->len == 0) {
        return false;
    }
    if (size == 0 || size > list->len) {
        size = list->len;
    }
    *ret_item = (struct evtx_value){list->ptr, (uint32_t)size, (uint8_t)type};
    list->ptr += size;
    list->len -= (uint32_t)size;
    return true;
}
