/* When findings are one alert, and how an alert may move. Pure: the SQL that narrows the candidates
 * is in sqlite/alert.c, and every back end asks here. */
#ifndef STORE_FOLD_H
#define STORE_FOLD_H

#include "model/finding.h"
#include "store/store.h"

#include <stdbool.h>

#define FOLD_WINDOW_NS (3600 * NS_PER_S)

/* Whether a finding of another id joins this alert: open, same host or site, detector, title and
 * kind (real or drill), and of a host no more than an hour before its first or after its last
 * finding. host may be none. */
bool fold_accepts(const struct store_alert *alert, const struct id *host,
                  const struct finding *finding);
/* Puts a finding that joins into the alert's times, count and severity. */
void fold_join(struct store_alert *alert, const struct finding *finding);
/* new→taken, new→closed, taken→closed, taken→new, closed→taken. */
bool fold_may_move(enum alert_state from, enum alert_state to);

#endif
