/* The state of a correlator as CBOR, and back. Groups are written with the content of their
 * correlation, oldest touched first; they are read by putting their moments in as if they came
 * anew, so that bytes which were tampered with can make wrong groups but never a broken one.
 *
 *     [version, set, seed, newest, [[content, [[key, said, [time, tag, part, count, value?, …]],
 * …]], …]] */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "codec/cbor.h"
#include "detect/sigma/correlate_part.h"

#include <math.h>

#define STATE_VERSION 1

static void save_group(const struct plan *plan, const struct group *group, struct buf *buf)
{
    bool is_valued = plan->stride == sizeof(struct moment_valued);
    size_t live = 0;

    for (size_t i = 0; i < group->len; i++) {
        live += moment_at(plan, group, i)->count != 0;
    }
    cbor_put_array(buf, 4);
    cbor_put_bytes(buf, group_key(plan, group));
    cbor_put_i64(buf, group->said);
    cbor_put_u64(buf, group->touched);
    cbor_put_array(buf, live * (is_valued ? 5 : 4));
    for (size_t i = 0; i < group->len; i++) {
        const struct moment *moment = moment_at(plan, group, i);

        if (moment->count == 0) {
            continue;
        }
        cbor_put_i64(buf, moment->time);
        cbor_put_u64(buf, moment->tag);
        cbor_put_u64(buf, moment->part);
        cbor_put_u64(buf, moment->count);
        if (plan->kind == WINDOW_DISTINCT) {
            cbor_put_u64(buf, valued_at(plan, group, i)->hash);
        } else if (is_valued) {
            cbor_put_double(buf, valued_at(plan, group, i)->number);
        }
    }
}

int sigma_correlator_save(const struct sigma_correlator *correlator, struct buf *buf)
{
    const struct sigma_set *set = correlator->set;

    cbor_put_array(buf, 5);
    cbor_put_u64(buf, STATE_VERSION);
    cbor_put_u64(buf, set->version);
    cbor_put_u64(buf, correlator->seed);
    cbor_put_i64(buf, correlator->newest);
    cbor_put_array(buf, set->correlation_count);
    for (size_t i = 0; i < set->correlation_count; i++) {
        const struct plan *plan = &correlator->plans[i];
        size_t count = 0;

        for (uint32_t n = plan->oldest; n != 0; n = group_at(correlator, n)->newer) {
            count++;
        }
        cbor_put_array(buf, 2);
        cbor_put_u64(buf, plan->content);
        cbor_put_array(buf, count);
        for (uint32_t n = plan->oldest; n != 0; n = group_at(correlator, n)->newer) {
            save_group(plan, group_at(correlator, n), buf);
        }
    }
    return buf_error(buf);
}

/* The plan of that content; the set's count when no correlation says it any more. */
static size_t plan_find(const struct sigma_correlator *correlator, uint64_t content)
{
    size_t at = 0;

    while (at < correlator->set->correlation_count && correlator->plans[at].content != content) {
        at++;
    }
    return at;
}

static struct moment_valued load_moment(const struct plan *plan, struct cbor_reader *reader)
{
    struct moment_valued moment = {.moment.time = cbor_get_i64(reader),
                                   .moment.tag = cbor_get_u64(reader)};
    uint64_t part = cbor_get_u64(reader);
    uint64_t count = cbor_get_u64(reader);

    if (plan->kind == WINDOW_DISTINCT) {
        moment.hash = cbor_get_u64(reader);
    } else if (plan->stride == sizeof(moment)) {
        moment.number = cbor_get_double(reader);
    }
    if (part >= plan->rule->part_count || count == 0 || count > UINT32_MAX ||
        (count > 1 && plan->kind != WINDOW_TALLY) ||
        (plan->kind != WINDOW_DISTINCT && !isfinite(moment.number))) {
        cbor_fail(reader, -ERR_CORRUPT);
    }
    moment.moment.part = (uint32_t)part;
    moment.moment.count = (uint32_t)count;
    return moment;
}

static int load_moments(struct sigma_correlator *correlator, struct group *group,
                        struct cbor_reader *reader)
{
    const struct plan *plan = &correlator->plans[group->plan];
    size_t width = plan->stride == sizeof(struct moment_valued) ? 5 : 4;
    size_t items = cbor_get_array(reader);
    int64_t newest = NEVER;

    if (items % width != 0) {
        cbor_fail(reader, -ERR_CORRUPT);
    }
    for (size_t i = 0; i < items && reader->error == 0; i += width) {
        struct moment_valued moment = load_moment(plan, reader);
        bool is_late = false;
        int r;

        if (reader->error == 0 && moment.moment.time < newest) {
            cbor_fail(reader, -ERR_CORRUPT);
        }
        newest = moment.moment.time;
        r = reader->error == 0 ? window_put(correlator, group, &moment, &is_late) : reader->error;
        if (r < 0) {
            return r;
        }
    }
    return reader->error;
}

static int load_group(struct sigma_correlator *correlator, uint32_t place,
                      struct cbor_reader *reader)
{
    struct str values[SIGMA_GROUP_FIELDS_MAX];
    size_t items = cbor_get_array(reader);
    struct str key = cbor_get_bytes(reader);
    int64_t said = cbor_get_i64(reader);
    uint64_t touched = cbor_get_u64(reader);
    uint64_t before = correlator->stats.groups;
    uint32_t number;
    int r;

    if (reader->error != 0 || items != 4 ||
        !values_split(key, values, correlator->plans[place].rule->group_count)) {
        return -ERR_CORRUPT;
    }
    r = group_take(correlator, place, key, &number);
    if (r < 0) {
        return r;
    }
    if (correlator->stats.groups == before && group_at(correlator, number)->len != 0) {
        return -ERR_CORRUPT; /* it is there twice */
    }
    group_at(correlator, number)->said = said;
    group_at(correlator, number)->touched = touched;
    correlator->touches = touched > correlator->touches ? touched : correlator->touches;
    r = load_moments(correlator, group_at(correlator, number), reader);
    return r == 0 && said > window_end(&correlator->plans[place], group_at(correlator, number))
               ? -ERR_CORRUPT /* it would be silent until then */
               : r;
}

static int load_groups(struct sigma_correlator *correlator, struct cbor_reader *reader)
{
    size_t items = cbor_get_array(reader);
    size_t place = plan_find(correlator, cbor_get_u64(reader));
    size_t count = cbor_get_array(reader);
    int r = items == 2 ? 0 : -ERR_CORRUPT;

    for (size_t i = 0; i < count && r == 0 && reader->error == 0; i++) {
        if (place == correlator->set->correlation_count) {
            cbor_skip(reader);
            correlator->stats.dropped++;
            continue;
        }
        r = load_group(correlator, (uint32_t)place, reader);
    }
    return r < 0 ? r : reader->error;
}

static int load_all(struct sigma_correlator *correlator, struct cbor_reader *reader,
                    uint64_t *ret_set)
{
    size_t items = cbor_get_array(reader);
    uint64_t version = cbor_get_u64(reader);
    size_t count;
    int r = 0;

    if (reader->error != 0 || items != 5 || version != STATE_VERSION) {
        return reader->error != 0 || items != 5 ? -ERR_CORRUPT : -ERR_VERSION;
    }
    *ret_set = cbor_get_u64(reader);
    correlator->seed = cbor_get_u64(reader);
    correlator->newest = cbor_get_i64(reader);
    count = cbor_get_array(reader);
    for (size_t i = 0; i < count && r == 0 && reader->error == 0; i++) {
        r = load_groups(correlator, reader);
    }
    return r < 0 ? r : cbor_close(reader);
}

int sigma_correlator_load(struct sigma_correlator *correlator, struct str bytes, struct diag *diag)
{
    struct sigma_correlator_stats stats = correlator->stats;
    uint64_t seed = correlator->seed;
    struct cbor_reader reader;
    uint64_t set = 0;
    int r;

    if (correlator->stats.groups != 0) {
        return diag_set(diag, -ERR_BUSY, _("state is loaded before the first match, not after"));
    }
    groups_done(correlator); /* what the old seed had found */
    cbor_open(&reader, bytes);
    r = load_all(correlator, &reader, &set);
    if (r == 0) {
        return set == correlator->set->version
                   ? 0
                   : diag_set(diag, -ERR_VERSION,
                              _("the rules have changed: what correlations that are no more had "
                                "gathered was dropped (%llu groups)"),
                              (unsigned long long)correlator->stats.dropped);
    }
    groups_done(correlator);
    correlator->stats = stats;
    correlator->seed = seed;
    correlator->newest = NEVER + 1;
    correlator->touches = 0;
    return diag_set(diag, r == -ERR_NOMEM ? r : -ERR_CORRUPT,
                    _("the kept state of correlations is damaged: they begin anew"));
}
