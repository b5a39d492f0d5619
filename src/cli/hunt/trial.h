/* Rules tried on their samples: of NAME.yml, NAME.hit.* must raise each of its rules and
 * correlations that speak for themselves, and NAME.miss.* none of them. Without rights. */
#ifndef CLI_HUNT_TRIAL_H
#define CLI_HUNT_TRIAL_H

#include <stdbool.h>

struct trial_order {
    const char *only; /* the beginning of samples' paths that are tried; NULL: all */
    bool is_json;
};

/* context: a const struct trial_order. Takes rules, then samples. EXIT_STATUS_FOUND when one does
 * not do what it should, or there is nothing to try. */
int trial_run(void *context, int channel);

#endif
