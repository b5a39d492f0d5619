/* The folder of lists: one file NAME.list each, replaced as a whole. */
#ifndef CLI_LISTS_FOLDER_H
#define CLI_LISTS_FOLDER_H

#include "detect/intel/indicators.h"

struct lists_import {
    struct str name;
    const char *file;
    const char *label;
    const char *source;
    enum feed_format format;
    bool is_guessed; /* the format is to be found out */
    int64_t lasts;   /* ns from now; 0: for ever */
    bool is_forced;
    bool is_json;
};

/* All answer an enum exit_status, 0 when it was done; what went wrong was printed. */
int lists_import(const char *folder, const struct lists_import *import);
int lists_drop(const char *folder, struct str name);
/* Loads one list, or all when name is empty. Gives up this process's rights in between: nothing can
 * be opened afterwards. */
int lists_load(const char *folder, struct str name, struct indicators **ret_indicators);
/* text folded into room, as phrases are. */
size_t lists_fold(struct str text, char *room, size_t size, struct str *ret_folded);

#endif
