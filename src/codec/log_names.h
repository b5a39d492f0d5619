/* The names of fields that readers of text logs give, as numbers: see log_names.def. */
#ifndef CODEC_LOG_NAMES_H
#define CODEC_LOG_NAMES_H

#include "base/str.h"

#include <stdbool.h>

enum log_name {
#define NAME(constant, text) LOG_NAME_##constant,
#include "codec/log_names.def"
#undef NAME
    LOG_NAME_COUNT,
};

extern const struct str log_names[LOG_NAME_COUNT];
/* False for a name that is not in the list. */
bool log_name_find(struct str text, enum log_name *ret_name);

#endif
