/* Times as people write them: see order.h. */
#include "cli/hunt/order.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"

#define DAY_NS (86400 * NS_PER_S)

static bool is_two_digits(struct str text, size_t at, int *ret_value)
{
    char tens = text.ptr[at];
    char ones = text.ptr[at + 1];

    *ret_value = (tens - '0') * 10 + (ones - '0');
    return tens >= '0' && tens <= '9' && ones >= '0' && ones <= '9';
}

int order_parse_zone(struct str text, int32_t *ret_zone)
{
    int hours;
    int minutes;

    if (str_is(text, STR("Z"))) {
        *ret_zone = 0;
        return 0;
    }
    if (text.len != 6 || (text.ptr[0] != '+' && text.ptr[0] != '-') || text.ptr[3] != ':' ||
        !is_two_digits(text, 1, &hours) || !is_two_digits(text, 4, &minutes)) {
        return -ERR_SYNTAX;
    }
    if (hours > 14 || minutes > 59) {
        return -ERR_RANGE;
    }
    *ret_zone = (hours * 3600 + minutes * 60) * (text.ptr[0] == '-' ? -1 : 1);
    return 0;
}

int order_parse_time(struct str text, int32_t zone, bool is_end, int64_t *ret_time)
{
    const char *behind = text.len == 10 ? "T00:00:00" : text.len == 16 ? ":00" : "";
    bool is_zoneless = text.len == 10 || text.len == 16 || text.len == 19;
    char whole[TIME_TEXT_SIZE + 16];
    int r;

    if (text.len < 10 || text.len > TIME_TEXT_SIZE) {
        return -ERR_SYNTAX;
    }
    snprintf(whole, sizeof(whole), "%.*s%s%s", STR_ARG(text), behind, is_zoneless ? "Z" : "");
    whole[10] = whole[10] == ' ' ? 'T' : whole[10];
    r = time_parse(str_from(whole), ret_time);
    if (r == 0 && is_zoneless) {
        *ret_time -= zone * NS_PER_S;
    }
    if (r == 0 && is_end && text.len == 10) {
        *ret_time += DAY_NS - 1;
    }
    return r;
}

bool order_skips(const struct hunt_order *order, enum hunt_skip_kind kind, uint64_t file,
                 uint64_t number)
{
    for (size_t i = 0; i < order->skip_count; i++) {
        const struct hunt_skip *skip = &order->skips[i];

        if (skip->kind == kind && skip->file == file && skip->number == number) {
            return true;
        }
    }
    return false;
}

bool order_suspects(const struct hunt_order *order, uint64_t file, uint64_t block)
{
    for (size_t i = 0; i < order->suspect_count; i++) {
        if (order->suspects[i].file == file && order->suspects[i].block == block) {
            return true;
        }
    }
    return false;
}
