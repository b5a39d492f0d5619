/* Lists whose source is an address are brought again, each with the label and life that it had. */
#ifndef CLI_LISTS_REFRESH_H
#define CLI_LISTS_REFRESH_H

#include "model/setting.h"

#include <stdbool.h>

/* names: none: all of them. An enum exit_status, the worst of all; what went wrong was printed. */
int lists_refresh(const char *folder, const struct setting_operands *names, bool is_json);

#endif
