/* The response times behind a site's sparkline. Neighbours: sqlite/look.c adds to them, the api
 * process shows them. Invariant: a clock that was set back overwrites nothing that is newer. */
#include "store/series.h"

#include "base/banned.h"

void series_read(struct str bytes, struct series *ret_series)
{
    struct series series = {0};

    if (bytes.len == SERIES_SIZE_MAX) {
        const uint8_t *at = (const uint8_t *)bytes.ptr;
        uint64_t last = 0;

        for (size_t i = 0; i < 8; i++) {
            last = last << 8 | at[i];
        }
        series.last = (int64_t)(last & INT64_MAX);
        for (size_t i = 0; i < SERIES_COUNT; i++) {
            series.ms[i] = (uint16_t)(at[8 + 2 * i] << 8 | at[9 + 2 * i]);
        }
    }
    *ret_series = series;
}

/* Makes the span the newest; what is a day older falls out. */
static void series_shift(struct series *series, int64_t span)
{
    int64_t by = span - series->last;

    if (series->last == 0 || by >= SERIES_COUNT) {
        memset(series->ms, 0, sizeof(series->ms));
    } else {
        memmove(series->ms, series->ms + by, (size_t)(SERIES_COUNT - by) * sizeof(series->ms[0]));
        memset(series->ms + (SERIES_COUNT - by), 0, (size_t)by * sizeof(series->ms[0]));
    }
    series->last = span;
}

void series_add(struct series *series, int64_t time, uint16_t ms)
{
    int64_t span = time / SERIES_SPAN_NS;
    uint16_t *at;

    if (span <= 0 || span <= series->last - SERIES_COUNT) {
        return;
    }
    if (span > series->last) {
        series_shift(series, span);
    }
    at = &series->ms[SERIES_COUNT - 1 - (series->last - span)];
    *at = ms > *at ? ms : *at;
}

void series_write(const struct series *series, uint8_t out[SERIES_SIZE_MAX])
{
    for (size_t i = 0; i < 8; i++) {
        out[i] = (uint8_t)((uint64_t)series->last >> (56 - 8 * i));
    }
    for (size_t i = 0; i < SERIES_COUNT; i++) {
        out[8 + 2 * i] = (uint8_t)(series->ms[i] >> 8);
        out[9 + 2 * i] = (uint8_t)series->ms[i];
    }
}
