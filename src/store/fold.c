/* The rule by which findings become alerts. Neighbours: sqlite/alert.c brings candidates and writes
 * what comes out. Times are the hosts' own and may lie anywhere: sums are saturated. */
#include "store/fold.h"

#include "base/banned.h"

static int64_t fold_add(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum)) {
        return b > 0 ? INT64_MAX : INT64_MIN;
    }
    return sum;
}

/* What is wrong with a page stays one thing until somebody closes it. */
static bool fold_is_near(const struct store_alert *alert, const struct finding *finding)
{
    return alert->site != 0 || (finding->time <= fold_add(alert->last, FOLD_WINDOW_NS) &&
                                finding->time >= fold_add(alert->first, -FOLD_WINDOW_NS));
}

bool fold_accepts(const struct store_alert *alert, const struct id *host,
                  const struct finding *finding)
{
    return alert->state != ALERT_STATE_CLOSED && id_is(&alert->host, host) &&
           alert->site == finding->site && alert->is_drill == finding->is_drill &&
           str_is(alert->detector, finding->detector) && str_is(alert->title, finding->title) &&
           fold_is_near(alert, finding);
}

void fold_join(struct store_alert *alert, const struct finding *finding)
{
    alert->count++;
    alert->first = finding->time < alert->first ? finding->time : alert->first;
    alert->last = finding->time > alert->last ? finding->time : alert->last;
    alert->severity = finding->severity > alert->severity ? finding->severity : alert->severity;
    alert->finding = finding->id;
}

bool fold_may_move(enum alert_state from, enum alert_state to)
{
    static const bool legal[ALERT_STATE_COUNT][ALERT_STATE_COUNT] = {
        [ALERT_STATE_NEW] = {[ALERT_STATE_TAKEN] = true, [ALERT_STATE_CLOSED] = true},
        [ALERT_STATE_TAKEN] = {[ALERT_STATE_CLOSED] = true, [ALERT_STATE_NEW] = true},
        [ALERT_STATE_CLOSED] = {[ALERT_STATE_TAKEN] = true},
    };

    return from < ALERT_STATE_COUNT && to < ALERT_STATE_COUNT && legal[from][to];
}
