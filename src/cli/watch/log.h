/* `canhgac watch --access-log`: cloaking as the web server's own log shows it. The files are opened
 * first; every right is given up before the first line, which visitors wrote, is read. */
#ifndef CLI_WATCH_LOG_H
#define CLI_WATCH_LOG_H

#include "model/setting.h"

#include <stdbool.h>

struct watch_log_options {
    struct setting_operands files; /* "-" is standard input */
    const char *format;            /* as weblog_format_init takes it */
    bool is_json;
};

/* An enum exit_status: FOUND when a page is cloaked; FAILED also when nobody's visits could be
 * compared, for that says nothing about the pages. */
int watch_log(const struct watch_log_options *options);

#endif
