/* canhgac rules backtest: a rule over events that the centre has stored, before it is switched on.
 */
#ifndef CLI_BACKTEST_H
#define CLI_BACKTEST_H

#include "cli/command.h"

struct backtest_settings {
    const char *folder;
    int64_t days;
    bool is_json;
};

extern const struct setting backtest_rows[];
int backtest_run(const struct command_call *call);

#endif
